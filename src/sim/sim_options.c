/* SPDX-License-Identifier: MIT */
#include "sim/sim_options.h"

#include "base/fs.h"
#include "http/tls.h"
#include "vidu/nearest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CA_MAX          (1U << 20)
#define MAX_MEDIA_BYTES (UINT64_C(64) << 30)
#define MIN_MEDIA_BYTES 64

struct option_row {
    const char *name;
    const char *arg; /* NULL: a flag */
    const char *help;
    int (*set)(struct sim_options *o, const char *value, struct err *err);
};

struct switch_row {
    const char *name;
    const char *help;
};

static const struct switch_row switch_rows[SIM_SWITCH_COUNT] = {
    [SIM_DUPLICATE] = {"duplicate", "each callback is sent twice, byte for byte"},
    [SIM_BURST] = {"burst", "each callback is sent 64 times at once, each copy signed anew"},
    [SIM_REORDER] = {"reorder", "the processing callback comes after the last one"},
    [SIM_EARLY] = {"early", "the processing callback comes before the create's answer"},
    [SIM_LOST_CALLBACK] = {"lost-callback", "no callback is ever sent"},
    [SIM_LOST_ANSWER] = {"lost-answer", "the task is created, the answer is not sent"},
    [SIM_LATE] = {"late", "the last callback waits for --late"},
    [SIM_BAD_SIGNATURE] = {"bad-signature", "callbacks are signed with a wrong key"},
    [SIM_UNSIGNED] = {"unsigned", "callbacks have no signature headers"},
    [SIM_STALE_DATE] = {"stale-date", "callbacks are rightly signed with a Date 3 days old"},
    [SIM_REPLAY] = {"replay", "signed headers are sent again with a forged body"},
    [SIM_WRONG_ID] = {"wrong-id", "callbacks name a task that does not exist"},
    [SIM_NO_ID] = {"no-id", "callbacks have neither id nor payload"},
    [SIM_NO_URL] = {"no-url", "the success callback has no creations; the query has"},
    [SIM_CONFLICT] = {"conflict", "a failed callback follows the success callback"},
    [SIM_POLICY_FAILURE] = {"policy-failure", "the task fails with CreationPolicyViolation"},
    [SIM_ERROR_500] = {"error-500", "the task is created, the answer is a 500"},
    [SIM_RATE_LIMIT] = {"rate-limit", "the create is refused with 429 and Retry-After"},
    [SIM_EXPIRED_URL] = {"expired-url",
                         "media URLs in callbacks have expired; the query's are good"},
    [SIM_TRUNCATED_VIDEO] = {"truncated-video", "the first GET of the video ends half way"},
    [SIM_SLOW] = {"slow", "media arrives at 40 KiB/s"},
    [SIM_SEVERAL] = {"several", "a success has three creations"},
};

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, host, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static int set_listen(struct sim_options *o, const char *value, struct err *err)
{
    const char *colon = strrchr(value, ':');
    size_t n = colon != NULL ? (size_t)(colon - value) : 0;
    const char *host = value;
    uint64_t port;

    if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
        host++;
        n -= 2;
    }
    if (colon == NULL || n >= sizeof(o->host) ||
        str_to_u64(colon + 1, strlen(colon + 1), 65535, &port) != 0)
        return err_set(err, -EINVAL, "\"%s\" is not ADDRESS:PORT", value);
    memcpy(o->host, host, n);
    o->host[n] = '\0';
    o->port = (int)port;
    if (!is_loopback(o->host))
        return err_set(err, -EINVAL, "\"%s\" is not a loopback address", o->host);
    return 0;
}

static int set_key(struct sim_options *o, const char *value, struct err *err)
{
    if (o->n_keys == SIM_MAX_KEYS)
        return err_set(err, -EINVAL, "at most %d keys", SIM_MAX_KEYS);
    if (value[0] == '\0')
        return err_set(err, -EINVAL, "the key is empty");
    o->keys[o->n_keys++] = value;
    return 0;
}

static int set_duration(int64_t *slot, const char *value, struct err *err)
{
    if (str_to_ms(value, slot) != 0)
        return err_set(err, -EINVAL, "\"%s\" is not a duration like 500ms, 2s or 1m", value);
    return 0;
}

static int set_time(struct sim_options *o, const char *value, struct err *err)
{
    return set_duration(&o->step_ms, value, err);
}

static int set_retry_gap(struct sim_options *o, const char *value, struct err *err)
{
    return set_duration(&o->retry_gap_ms, value, err);
}

static int set_late(struct sim_options *o, const char *value, struct err *err)
{
    return set_duration(&o->late_ms, value, err);
}

static int set_gateway(struct sim_options *o, const char *value, struct err *err)
{
    if (!str_eq(value, "powertokens") && !str_eq(value, "octopusx") && !str_eq(value, "openai"))
        return err_set(err, -EINVAL, "\"%s\" is none of powertokens, octopusx and openai", value);
    o->gateway = value;
    return 0;
}

static int set_upstream_key(struct sim_options *o, const char *value, struct err *err)
{
    (void)err;
    o->upstream_key = value;
    return 0;
}

static int set_credits(struct sim_options *o, const char *value, struct err *err)
{
    uint64_t n;

    if (str_to_u64(value, strlen(value), INT32_MAX, &n) != 0)
        return err_set(err, -EINVAL, "\"%s\" is not a number of credits", value);
    o->credits = (int64_t)n;
    return 0;
}

static int set_ca(struct sim_options *o, const char *value, struct err *err)
{
    autofree char *pem = NULL;
    int64_t not_after_ms;
    size_t n;
    int rc = fs_read_file(value, CA_MAX, &pem, &n, err);

    if (rc < 0)
        return rc;
    if (tls_not_after(pem, &not_after_ms, err) < 0)
        return err_set(err, -EINVAL,
                       "%s holds no certificate; name the file that the daemon has as "
                       "tls.certificate",
                       value);
    o->ca_file = value;
    return 0;
}

static int set_media(struct sim_options *o, const char *value, struct err *err)
{
    (void)err;
    o->media_file = value;
    return 0;
}

static int set_cover(struct sim_options *o, const char *value, struct err *err)
{
    (void)err;
    o->cover_file = value;
    return 0;
}

static int set_media_size(struct sim_options *o, const char *value, struct err *err)
{
    uint64_t n;

    if (str_to_bytes(value, &n) != 0 || n < MIN_MEDIA_BYTES || n > MAX_MEDIA_BYTES)
        return err_set(err, -EINVAL, "\"%s\" is not a size from %d bytes to 64GiB", value,
                       MIN_MEDIA_BYTES);
    o->media_size = n;
    return 0;
}

static int set_ledger(struct sim_options *o, const char *value, struct err *err)
{
    (void)err;
    o->ledger_file = value;
    return 0;
}

static int set_print_port(struct sim_options *o, const char *value, struct err *err)
{
    (void)value;
    (void)err;
    o->print_port = true;
    return 0;
}

static int set_verbose(struct sim_options *o, const char *value, struct err *err)
{
    (void)value;
    (void)err;
    o->verbose = true;
    return 0;
}

static int set_help(struct sim_options *o, const char *value, struct err *err)
{
    (void)value;
    (void)err;
    o->help = true;
    return 0;
}

/* An error that names what was typed and, when something is near it, what may have been meant. */
static int unknown(const char *what, const char *dashes, const struct nearest *near,
                   struct err *err)
{
    if (near->best == NULL)
        return err_set(err, -EINVAL, "no %s \"%s%s\"; sim --help lists them", what, dashes,
                       near->word);
    return err_set(err, -EINVAL, "no %s \"%s%s\"; did you mean %s%s?", what, dashes, near->word,
                   dashes, near->best);
}

static int unknown_switch(struct slice name, struct err *err)
{
    autofree char *word = mem_strndup(name.p, name.n);
    struct nearest near = NEAREST_INIT(word);

    for (size_t i = 0; i < SIM_SWITCH_COUNT; i++)
        nearest_offer(&near, switch_rows[i].name);
    return unknown("switch", "", &near, err);
}

/* One "NAME" or "NAME=N" of a list. */
static int set_one_switch(struct sim_options *o, const char *p, size_t n, struct err *err)
{
    const char *equals = memchr(p, '=', n);
    struct slice name = {p, equals != NULL ? (size_t)(equals - p) : n};
    uint64_t count = 0;

    if (equals != NULL &&
        (str_to_u64(equals + 1, n - name.n - 1, INT32_MAX, &count) != 0 || count == 0))
        return err_set(err, -EINVAL, "\"%.*s\": the count is not a positive number", (int)n, p);
    for (size_t i = 0; i < SIM_SWITCH_COUNT; i++)
        if (slice_is(name, switch_rows[i].name)) {
            o->switches[i] = equals != NULL ? (int64_t)count : -1;
            return 0;
        }
    return unknown_switch(name, err);
}

static int set_switch(struct sim_options *o, const char *value, struct err *err)
{
    for (;;) {
        size_t n = strcspn(value, ",");
        int rc = set_one_switch(o, value, n, err);

        if (rc != 0 || value[n] == '\0')
            return rc;
        value += n + 1;
    }
}

static const struct option_row option_rows[] = {
    {"listen", "ADDRESS:PORT", "loopback address; port 0: the kernel chooses (127.0.0.1:0)",
     set_listen},
    {"key", "KEY", "an API key that is good here; may be repeated (sim-key)", set_key},
    {"time", "DURATION", "how long each state lasts (1s)", set_time},
    {"switch", "NAME[=N],...", "make something go wrong, for the first N tasks only", set_switch},
    {"gateway", "NAME", "the reseller: powertokens, octopusx or openai (powertokens)", set_gateway},
    {"upstream-key", "KEY", "signs the callbacks of tasks made through a gateway (random)",
     set_upstream_key},
    {"retry-gap", "DURATION", "between the attempts of one callback (500ms)", set_retry_gap},
    {"late", "DURATION", "how long switch late holds the last callback (30s)", set_late},
    {"ca", "FILE", "trust these certificates when sending callbacks", set_ca},
    {"credits", "N", "credits of the account; a task costs 40 (no end)", set_credits},
    {"media", "FILE.mp4", "the video to serve (a clip of 2 s)", set_media},
    {"media-size", "SIZE", "serve a made-up video of this size instead", set_media_size},
    {"cover", "FILE.jpg", "the still to serve", set_cover},
    {"ledger", "FILE", "append one JSON line per event", set_ledger},
    {"print-port", NULL, "print the port alone when ready", set_print_port},
    {"verbose", NULL, "write the ledger to standard error as well", set_verbose},
    {"help", NULL, "this text", set_help},
};

static const struct option_row *option_find(const char *arg, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(option_rows); i++)
        if (slice_is((struct slice){arg, n}, option_rows[i].name))
            return &option_rows[i];
    return NULL;
}

static int unknown_option(const char *arg, struct err *err)
{
    bool dashes = str_starts(arg, "--");
    struct nearest near = NEAREST_INIT(dashes ? arg + 2 : arg);

    for (size_t i = 0; dashes && i < ARRAY_LEN(option_rows); i++)
        nearest_offer(&near, option_rows[i].name);
    return unknown("option", dashes ? "--" : "", &near, err);
}

/* Takes argv[i], and argv[i + 1] when the value stands there; returns how many, or -EINVAL. */
static int take_option(struct sim_options *o, int left, char **argv, struct err *err)
{
    const char *name = argv[0] + 2;
    size_t n = strcspn(name, "=");
    const char *value = name[n] == '=' ? name + n + 1 : NULL;
    const struct option_row *row;
    bool inline_value = value != NULL;

    row = str_starts(argv[0], "--") ? option_find(name, n) : NULL;
    if (row == NULL)
        return unknown_option(argv[0], err);
    if (row->arg == NULL && inline_value)
        return err_set(err, -EINVAL, "--%s takes no value", row->name);
    if (row->arg != NULL && !inline_value) {
        if (left < 2)
            return err_set(err, -EINVAL, "--%s needs %s", row->name, row->arg);
        value = argv[1];
    }
    if (row->set(o, value, err) != 0)
        return err_wrap(err, -EINVAL, "--%s", row->name);
    return row->arg != NULL && !inline_value ? 2 : 1;
}

int sim_options_parse(struct sim_options *o, int argc, char **argv, struct err *err)
{
    struct sim_options made = {
        .host = "127.0.0.1",
        .gateway = "powertokens",
        .step_ms = 1000,
        .retry_gap_ms = 500,
        .late_ms = 30000,
        .credits = -1,
    };

    for (int i = 1; i < argc;) {
        int taken = take_option(&made, argc - i, argv + i, err);

        if (taken < 0)
            return taken;
        i += taken;
    }
    if (made.media_file != NULL && made.media_size != 0)
        return err_set(err, -EINVAL, "--media and --media-size exclude each other");
    if (made.n_keys == 0)
        made.keys[made.n_keys++] = "sim-key";
    *o = made;
    return 0;
}

void sim_options_help(FILE *out)
{
    fputs(
        "usage: viduhook sim [OPTION]...\n\n"
        "A simulated Vidu on loopback: /ent/v2 with \"Authorization: Token KEY\" as the provider\n"
        "has it, /vidu/ent/v2 with \"Bearer KEY\" as its resellers do.\n\n",
        out);
    for (size_t i = 0; i < ARRAY_LEN(option_rows); i++) {
        const struct option_row *row = &option_rows[i];
        int width = fprintf(out, "  --%s%s%s", row->name, row->arg != NULL ? " " : "",
                            row->arg != NULL ? row->arg : "");

        fprintf(out, "%*s%s\n", width < 26 ? 26 - width : 1, "", row->help);
    }
    fputs("\nSwitches; NAME alone hits every task, NAME=3 the first three:\n\n", out);
    for (size_t i = 0; i < SIM_SWITCH_COUNT; i++)
        fprintf(out, "  %-24s%s\n", switch_rows[i].name, switch_rows[i].help);
    fputs("\nIt prints \"listening on http://ADDRESS:PORT\" when it is ready and runs until\n"
          "SIGTERM or SIGINT. Exit status: 0 stopped, 1 could not start, 2 usage.\n",
          out);
}

unsigned sim_options_draw(struct sim_options *o)
{
    unsigned drawn = 0;

    for (size_t i = 0; i < SIM_SWITCH_COUNT; i++) {
        if (o->switches[i] != 0)
            drawn |= 1U << i;
        if (o->switches[i] > 0)
            o->switches[i]--;
    }
    return drawn;
}
