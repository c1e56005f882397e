/* SPDX-License-Identifier: MIT */
#include "keeper/spend.h"

#include "base/clock.h"
#include "keeper/batch.h"
#include "vidu/document.h"
#include "wire/command.h"

#include <errno.h>

#define DAY_MS (24 * 3600000LL)

int64_t spend_of(const struct store_task *t)
{
    bool refunded =
        t->state == STATE_FAILED || t->state == STATE_CANCELLED || t->state == STATE_REJECTED;

    return refunded || t->adopted || t->credits < 0 ? 0 : t->credits;
}

static int add(struct keeper *k, const struct store_task *t, struct store_day what, struct err *err)
{
    what.provider = t->provider;
    what.day = t->created_ms / DAY_MS;
    return k->store->ops->day_add(k->store, &what, err);
}

int spend_changed(struct keeper *k, const struct store_task *t, int64_t was, struct err *err)
{
    int64_t more = spend_of(t) - was;

    return more != 0 ? add(k, t, (struct store_day){.credits = more}, err) : 0;
}

int spend_created(struct keeper *k, const struct store_task *t, struct err *err)
{
    return add(k, t, (struct store_day){.tasks = 1}, err);
}

int spend_replaced(struct keeper *k, const struct store_task *t, struct err *err)
{
    return add(k, t, (struct store_day){.replaced = 1}, err);
}

static int sum_credits(const struct store_day *day, void *ctx)
{
    *(int64_t *)ctx += day->credits;
    return 0;
}

int spend_check(struct keeper *k, struct err *err)
{
    int64_t limit = k->conf->limits.credits_per_day;
    int64_t spent = 0;
    int rc;

    if (limit == 0)
        return 0;
    rc = k->store->ops->day_list(k->store, clock_wall_ms() / DAY_MS, sum_credits, &spent);
    if (rc < 0)
        return err_sys(err, rc, "what was spent today cannot be read");
    if (spent < limit)
        return 0;
    return err_set(err, -EDQUOT,
                   "nothing was sent: today's tasks (UTC) cost %lld credits, and "
                   "limits.credits_per_day is %lld",
                   (long long)spent, (long long)limit);
}

static int pay(struct keeper *k, const char *provider, int64_t credits, struct err *err)
{
    const struct store_day what = {
        .provider = provider, .day = clock_wall_ms() / DAY_MS, .credits = credits};
    int rc = batch_begin(k);

    if (rc < 0)
        return err_set(err, rc, "the store is not taking writes at the moment");
    rc = k->store->ops->day_add(k->store, &what, err);
    if (rc < 0)
        batch_spoil(k, rc, err);
    return rc;
}

void spend_pay(struct keeper *k, const struct question *q)
{
    const char *provider = query_text(q, "provider");
    int64_t credits = document_count(json_object_get(q->args, "credits"));
    struct err err = {""};
    int rc;

    if (provider == NULL || conf_provider_find(k->conf, provider) == NULL || credits < 0) {
        query_refuse(k, q, EXIT_USAGE, "pay needs a provider, and what it has cost");
        return;
    }
    rc = credits == 0 ? spend_check(k, &err) : pay(k, provider, credits, &err);
    if (rc < 0)
        query_refuse(k, q, rc == -EDQUOT ? EXIT_REFUSED : EXIT_FAILED, "%s", err.text);
    else
        query_answer(k, q, json_object());
}

static int on_day(const struct store_day *day, void *ctx)
{
    char date[25];

    clock_format_rfc3339(day->day * DAY_MS, date);
    date[10] = '\0';
    json_array_append_new(ctx, json_pack("{s:s, s:s, s:I, s:I, s:I}", "day", date, "provider",
                                         day->provider, "tasks", (json_int_t)day->tasks, "credits",
                                         (json_int_t)day->credits, "replaced",
                                         (json_int_t)day->replaced));
    return 0;
}

void spend_answer(struct keeper *k, const struct question *q)
{
    json_int_t since_ms = json_integer_value(json_object_get(q->args, "since"));
    json_t *days = json_array();

    if (k->store->ops->day_list(k->store, since_ms / DAY_MS, on_day, days) < 0) {
        json_decref(days);
        query_refuse(k, q, EXIT_FAILED, "the store could not be read");
        return;
    }
    query_answer(k, q,
                 json_pack("{s:o, s:I}", "days", days, "credits_per_day",
                           (json_int_t)k->conf->limits.credits_per_day));
}

static int sum_replaced(const struct store_day *day, void *ctx)
{
    json_int_t before = json_integer_value(json_object_get(ctx, day->provider));

    if (day->replaced != 0)
        json_object_set_new(ctx, day->provider, json_integer(before + (json_int_t)day->replaced));
    return 0;
}

json_t *spend_replaced_numbers(struct keeper *k)
{
    json_t *numbers = json_object();

    if (k->store->ops->day_list(k->store, 0, sum_replaced, numbers) < 0)
        json_object_clear(numbers);
    return numbers;
}
