/* SPDX-License-Identifier: MIT */
#include "keeper/pauses.h"

#include "keeper/batch.h"
#include "keeper/schedule.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A store that takes a write, or does not, and the batch that it is part of. */
static int written_as;
static struct {
    void (*fn)(struct keeper *k, bool ok, void *ctx);
    void *ctx;
} then;

int batch_begin(struct keeper *k)
{
    (void)k;
    return 0;
}

void batch_then(struct keeper *k, void (*fn)(struct keeper *k, bool ok, void *ctx), void *ctx)
{
    (void)k;
    then.fn = fn;
    then.ctx = ctx;
}

void schedule_look(struct keeper *k)
{
    (void)k;
}

static int meta_get(struct store *s, const char *name, uint8_t *out, size_t max, size_t *n)
{
    (void)s;
    (void)name;
    (void)out;
    (void)max;
    (void)n;
    return -ENOENT;
}

static int meta_set(struct store *s, const char *name, const void *p, size_t n, struct err *err)
{
    (void)s;
    (void)name;
    (void)p;
    (void)n;
    return written_as == 0 ? 0 : err_set(err, written_as, "no");
}

static void end_batch(struct keeper *k, bool ok)
{
    if (then.fn != NULL)
        then.fn(k, ok, then.ctx);
    then.fn = NULL;
}

static void a_pause_that_was_not_written_is_none(void **state)
{
    static const struct store_ops ops = {.meta_get = meta_get, .meta_set = meta_set};
    struct store store = {.ops = &ops};
    struct keeper k = {.store = &store};
    struct err err;

    (void)state;
    assert_int_equal(pauses_load(&store, &k.pauses, &err), 0);
    written_as = -ENOSPC;
    assert_int_equal(pauses_switch_off(&k, "h", "410", &err), -ENOSPC);
    end_batch(&k, false);
    assert_false(pauses_has(k.pauses, "h"));
    written_as = 0;
    assert_int_equal(pauses_switch_off(&k, "h", "410", &err), 0);
    end_batch(&k, true);
    assert_true(pauses_has(k.pauses, "h"));
    pauses_free(k.pauses);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_that_was_not_written_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
