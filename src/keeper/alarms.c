/* SPDX-License-Identifier: MIT */
#include "keeper/alarms.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "keeper/batch.h"
#include "keeper/calls.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#define NAME          "alarms" /* in meta: what has been told, one key a line */
#define TEXT_MAX      16384
#define KEY_MAX       128
#define DISK_KEY      "disk_low"
#define SIGNATURE_KEY "signature_failures"
#define PROVIDER_KEY  "provider_down:"
#define CERT_KEY      "cert_expiring:"
#define CERT_EVERY    60 /* ticks */
#define CERT_DAY_MS   86400000LL
#define SILENCES_MIN  3 /* one that was unlucky is not down */

static const int cert_days[] = {1, 3, 14}; /* ascending */

struct silence {
    char provider[65];
    int64_t first_ms, last_ms; /* monotonic */
    int n;
    bool heard; /* it has answered since the last tick */
    char why[160];
};

struct alarms {
    char told[TEXT_MAX + 1];
    char logged[KEY_MAX]; /* as raised, last: a full disk lets none be told, second after second */
    unsigned ticks;
    int refusals;
    int64_t window_ms; /* monotonic: since when refusals are counted */
    struct silence silences[CONF_MAX_PROVIDERS];
    size_t n_silences;
};

/* -- what has been told -- */

static const char *find(const char *text, const char *key)
{
    size_t n = strlen(key);

    for (; *text != '\0'; text += strcspn(text, "\n") + 1)
        if (strncmp(text, key, n) == 0 && text[n] == '\n')
            return text;
    return NULL;
}

static int read_told(struct store *s, struct alarms *a)
{
    char text[TEXT_MAX + 1] = "";
    size_t n = 0;
    int rc = s->ops->meta_get(s, NAME, (uint8_t *)text, TEXT_MAX, &n);

    if (rc < 0 && rc != -ENOENT)
        return rc;
    text[rc == 0 ? n : 0] = '\0';
    memcpy(a->told, text, sizeof(text));
    return 0;
}

static void on_written(struct keeper *k, bool ok, void *ctx)
{
    (void)ctx;
    if (!ok && read_told(k->store, k->alarms) < 0)
        log_debug("alarms.unread");
}

/* In memory and in the open batch, one of which follows the other. */
static int write_told(struct keeper *k, struct err *err)
{
    batch_then(k, on_written, NULL);
    return k->store->ops->meta_set(k->store, NAME, k->alarms->told, strlen(k->alarms->told), err);
}

static int add_key(struct keeper *k, const char *key, struct err *err)
{
    char *told = k->alarms->told;
    size_t n = strlen(told);

    if (n + strlen(key) + 1 > TEXT_MAX)
        return err_set(err, -ENOSPC, "too many alarms");
    mem_copy_text(told + n, TEXT_MAX + 1 - n, key);
    mem_copy_text(told + n + strlen(key), 2, "\n");
    return write_told(k, err);
}

static void raise(struct keeper *k, const char *key, enum conf_event event, const char *provider,
                  json_t *details)
{
    struct err err = {""};
    autofree char *text = NULL;
    int rc;

    if (find(k->alarms->told, key) != NULL || batch_begin(k) < 0) {
        json_decref(details);
        return;
    }
    if (!str_eq(k->alarms->logged, key)) {
        text = json_dumps(details, JSON_COMPACT);
        log_warn("alarm.raised", LOG_S("event", conf_event_name(event)), LOG_S("details", text));
        mem_copy_text(k->alarms->logged, sizeof(k->alarms->logged), key);
    }
    rc = calls_operator(k, provider, event, details, &err);
    if (rc == 0)
        rc = add_key(k, key, &err);
    if (rc < 0)
        batch_spoil(k, rc, &err);
}

/* Every key that begins so, but for the one that is kept (NULL: none). */
static void clear(struct keeper *k, const char *prefix, const char *except)
{
    struct alarms *a = k->alarms;
    struct err err = {""};
    char *line = a->told;
    bool changed = false;
    int rc;

    if (strstr(line, prefix) == NULL || batch_begin(k) < 0)
        return;
    while (*line != '\0') {
        char *next = line + strcspn(line, "\n") + 1;

        if (!str_starts(line, prefix) || (except != NULL && str_starts(line, except))) {
            line = next;
            continue;
        }
        log_info("alarm.over", LOG_B("alarm", line, (size_t)(next - line) - 1));
        memmove(line, next, strlen(next) + 1);
        a->logged[0] = '\0';
        changed = true;
    }
    rc = changed ? write_told(k, &err) : 0;
    if (rc < 0)
        batch_spoil(k, rc, &err);
}

/* -- each of them -- */

static bool is_configured(const struct keeper *k, struct slice provider)
{
    for (size_t i = 0; i < k->conf->n_providers; i++)
        if (slice_is(provider, k->conf->providers[i].name))
            return true;
    return false;
}

/* A provider that the configuration no longer has never answers again. One a tick is enough. */
static void forget_provider(struct keeper *k)
{
    const size_t before = strlen(PROVIDER_KEY);
    char line[KEY_MAX + 1];
    size_t n;

    for (const char *at = k->alarms->told; *at != '\0'; at += n + 1) {
        n = strcspn(at, "\n");
        if (!str_starts(at, PROVIDER_KEY) ||
            is_configured(k, (struct slice){at + before, n - before}))
            continue;
        snprintf(line, sizeof(line), "%.*s\n", (int)n, at);
        clear(k, line, NULL);
        return;
    }
}

static void check_disk(struct keeper *k)
{
    autofree char *dir = fs_dirname(strchr(k->conf->store, ':') + 1);
    uint64_t limit = k->conf->alarms.disk_free;
    struct statvfs fs;
    uint64_t available;

    if (statvfs(dir, &fs) < 0)
        return;
    available = (uint64_t)fs.f_bavail * fs.f_frsize;
    if (available < limit)
        raise(k, DISK_KEY, EVENT_DISK_LOW, "",
              json_pack("{s:s, s:I, s:I}", "directory", dir, "available", (json_int_t)available,
                        "limit", (json_int_t)limit));
    else if (available >= limit + limit / 4) /* not at every file that comes and goes */
        clear(k, DISK_KEY, NULL);
}

static void tell_certificate(struct keeper *k, int64_t ends_ms)
{
    int64_t left_ms = ends_ms - clock_wall_ms();
    char ends[25], kept[64], key[KEY_MAX];

    clock_format_rfc3339(ends_ms, ends);
    snprintf(kept, sizeof(kept), CERT_KEY "%s:", ends);
    clear(k, CERT_KEY, kept); /* of the certificate before */
    for (size_t i = 0; i < ARRAY_LEN(cert_days); i++) {
        if (left_ms > cert_days[i] * CERT_DAY_MS)
            continue;
        snprintf(key, sizeof(key), "%s%d", kept, cert_days[i]);
        raise(k, key, EVENT_CERT_EXPIRING, "",
              json_pack("{s:s, s:s, s:i}", "certificate", k->conf->tls.certificate, "expires_at",
                        ends, "within_days", cert_days[i]));
        return;
    }
}

static void check_certificate(struct keeper *k)
{
    struct err err = {""};
    int64_t ends_ms;

    if (k->conf->tls.certificate_pem == NULL || k->options.not_after == NULL)
        return;
    if (k->options.not_after(k->conf->tls.certificate_pem, &ends_ms, &err) < 0)
        log_debug("alarms.certificate", LOG_E(&err));
    else
        tell_certificate(k, ends_ms);
}

static void check_signatures(struct keeper *k)
{
    const struct conf_rate *limit = &k->conf->alarms.signature_failures;
    struct alarms *a = k->alarms;
    int64_t now = clock_mono_ms();

    if (a->refusals >= limit->n)
        raise(k, SIGNATURE_KEY, EVENT_SIGNATURE_FAILURES, "",
              json_pack("{s:i, s:I}", "failures", a->refusals, "within_ms",
                        (json_int_t)limit->per_ms));
    if (now - a->window_ms < limit->per_ms)
        return;
    if (a->refusals < limit->n)
        clear(k, SIGNATURE_KEY, NULL);
    a->window_ms = now;
    a->refusals = 0;
}

static void check_provider(struct keeper *k, struct silence *s)
{
    char key[KEY_MAX], line[KEY_MAX + 1];
    int64_t lasted = s->last_ms - s->first_ms;

    snprintf(key, sizeof(key), PROVIDER_KEY "%s", s->provider);
    snprintf(line, sizeof(line), "%s\n", key); /* another's name may begin so */
    if (s->heard)
        clear(k, line, NULL);
    s->heard = false;
    if (s->n >= SILENCES_MIN && lasted >= k->conf->alarms.provider_down_ms)
        raise(k, key, EVENT_PROVIDER_DOWN, s->provider,
              json_pack("{s:s, s:I, s:i, s:s}", "provider", s->provider, "for_ms",
                        (json_int_t)lasted, "failures", s->n, "error", s->why));
}

void alarms_tick(struct keeper *k)
{
    struct alarms *a = k->alarms;

    if (k->stopping)
        return;
    forget_provider(k);
    check_disk(k);
    if (a->ticks++ % CERT_EVERY == 0)
        check_certificate(k);
    check_signatures(k);
    for (size_t i = 0; i < a->n_silences; i++)
        check_provider(k, &a->silences[i]);
}

json_t *alarms_list(const struct alarms *a)
{
    json_t *list = json_array();
    size_t n;

    for (const char *line = a->told; *line != '\0'; line += n + 1) {
        n = strcspn(line, "\n");
        json_array_append_new(list, json_stringn(line, n));
    }
    return list;
}

/* -- news -- */

void alarms_on_refusal(struct keeper *k)
{
    if (k->alarms->refusals < INT32_MAX)
        k->alarms->refusals++;
}

static struct silence *silence_of(struct alarms *a, const char *provider)
{
    struct silence *s;

    for (size_t i = 0; i < a->n_silences; i++)
        if (str_eq(a->silences[i].provider, provider))
            return &a->silences[i];
    if (a->n_silences == CONF_MAX_PROVIDERS) /* names that reloads have left behind */
        a->n_silences = 0;
    s = &a->silences[a->n_silences++];
    *s = (struct silence){.n = 0};
    mem_copy_text(s->provider, sizeof(s->provider), provider);
    return s;
}

void alarms_on_answer(struct keeper *k, const char *provider)
{
    struct silence *s = silence_of(k->alarms, provider);

    s->n = 0;
    s->heard = true;
}

void alarms_on_silence(struct keeper *k, const char *provider, const char *why)
{
    struct silence *s = silence_of(k->alarms, provider);

    s->last_ms = clock_mono_ms();
    if (s->n++ == 0)
        s->first_ms = s->last_ms;
    s->heard = false;
    mem_copy_text(s->why, sizeof(s->why), str_or(why, ""));
    s->why[str_utf8_cut(s->why, strlen(s->why), sizeof(s->why) - 1)] = '\0';
}

int alarms_load(struct store *s, struct alarms **out, struct err *err)
{
    struct alarms *a = mem_calloc(1, sizeof(*a));
    int rc = read_told(s, a);

    if (rc < 0) {
        free(a);
        return err_set(err, rc, "the alarms cannot be read");
    }
    a->window_ms = clock_mono_ms();
    *out = a;
    return 0;
}

void alarms_free(struct alarms *a)
{
    free(a);
}
