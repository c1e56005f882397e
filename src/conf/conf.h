/*
 * The configuration: one immutable snapshot.
 *
 * conf_load reads the file, then conf.d beside it (*.yaml in name order), checks everything
 * against one table of options and reports every error, not just the first. A snapshot is
 * complete and valid or it is not there. Secrets are read when the snapshot is built; a secret
 * never stands in the file itself.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/buf.h"
#include "vidu/provider.h"
#include "vidu/state.h"

#define CONF_MAX_LISTEN    8
#define CONF_MAX_PROVIDERS 32
#define CONF_MAX_HOOKS     64
#define CONF_MAX_LIST      64
#define CONF_MAX_RATE      1000
#define CONF_MAX_GROUPS    64

struct conf_list { /* owned texts */
    char **v;
    size_t n;
};

/* file:PATH, env:NAME or credential:NAME ($CREDENTIALS_DIRECTORY/NAME); one line, trimmed, a
 * pasted leading "Token " or "Bearer " removed. */
struct conf_secret {
    char *source; /* file:PATH (made absolute), env:NAME, credential:NAME, for `config show` */
    char *value;
    size_t len;
};

enum conf_listen_kind { LISTEN_HTTPS, LISTEN_HTTP, LISTEN_SYSTEMD };
struct conf_listen {
    enum conf_listen_kind kind;
    char *text; /* as written: https://[::]:8443, http://127.0.0.1:8080, systemd */
    char *host; /* without brackets; numeric */
    int port;   /* 0: the kernel chooses, and the log says which */
};

enum conf_confirm { CONFIRM_AUTO, CONFIRM_ALWAYS, CONFIRM_NEVER };

/* How news of a provider's tasks come: by callback, and by a look only when one is overdue; by
 * looks from the beginning, and no callback is asked for; or both. */
enum conf_mode { MODE_PUSH, MODE_POLL, MODE_BOTH };

struct conf_provider {
    char *name; /* key under providers: */
    const struct provider_profile *profile;
    char *base_url; /* the profile's unless set */
    struct conf_secret key;
    struct conf_secret previous_keys[4]; /* still good for verification */
    size_t n_previous_keys;
    struct conf_secret callback_secret; /* value NULL: the key */
    enum provider_signature signature;
    enum conf_confirm confirm;
    enum conf_mode mode;         /* by the profile unless set: push where it documents callbacks */
    int64_t overdue_ms;          /* push: after this without a word a task is looked at */
    char *auth, *prefix, *query; /* the profile's unless set; the prefix / is none */
    struct {
        char *id, *state, *result; /* paths into answers; NULL: the usual names */
    } names;
};

/* Which copy of a result is saved: the plain one, the one with a watermark in its place, both. */
enum conf_watermarked { WATERMARKED_NO, WATERMARKED_YES, WATERMARKED_BOTH };

enum conf_action { ACTION_EXEC, ACTION_DOWNLOAD, ACTION_HTTP };

/* What an http hook sends when it has no body of its own; conf/conf_preset.h has the rest. */
enum conf_format { FORMAT_CONTEXT, FORMAT_RAW, FORMAT_CLOUDEVENTS, FORMAT_CLOUDEVENTS_BINARY };
/* Whether it sends the task's results themselves, one request each: as they are, or in a form. */
enum conf_upload { UPLOAD_NONE, UPLOAD_RAW, UPLOAD_MULTIPART };

struct conf_field {
    char *name, *value; /* value: a template */
};

struct conf_header {
    char *name;
    char *value;               /* a template, or NULL: */
    struct conf_secret secret; /* is the value */
};

struct conf_mapping { /* of folders: as this machine sees it, as the server does */
    char *ours, *theirs;
};

#define CONF_MAX_HEADERS  16
#define CONF_MAX_SECRETS  4
#define CONF_MAX_MAPPINGS 16

/* Bits of `on`: 1 << enum conf_event. */
enum conf_event {
    EVENT_PROCESSING,
    EVENT_SUCCESS,
    EVENT_FAILED,
    EVENT_CANCELLED,
    EVENT_LOST,
    EVENT_TEST,
    EVENT_QUARANTINED, /* from here on: what may happen again and again, each with details */
    EVENT_DEAD,
    EVENT_DISK_LOW, /* from here on: of no task */
    EVENT_CERT_EXPIRING,
    EVENT_SIGNATURE_FAILURES,
    EVENT_PROVIDER_DOWN,
    EVENT_COUNT
};
const char *conf_event_name(enum conf_event e);
bool conf_event_from_name(const char *name, enum conf_event *out);
bool conf_event_from_state(enum task_state s, enum conf_event *out);

struct conf_match { /* every list that is not empty must have a pattern that fits (str_glob) */
    struct conf_list provider, endpoint, model;
    struct conf_list tags; /* "album" (present) or "album=x*" (value fits); all must fit */
    struct conf_list payload, err_code;
    struct conf_list duration, credits; /* ranges, see conf/conf_range.h */
};

struct conf_rate { /* at most n within any time of per_ms; n 0: no limit */
    int n;
    int64_t per_ms;
};

struct conf_hook {
    char *name;
    unsigned on;
    struct conf_match match;
    char *after, *after_failure; /* name of a hook above it; at most one of them, else NULL */
    enum conf_action action;
    struct conf_list exec; /* argv templates; [0] is an absolute path without placeholders */
    char *cwd;             /* absolute */
    unsigned umask;
    struct conf_list env; /* NAME=VALUE, for all commands of this hook */
    struct {
        uint64_t memory, file_size; /* bytes; 0 is no limit, here and below */
        int64_t cpu_ms;
        int files, processes;
    } limits;
    char *user; /* NULL: the daemon's own */
    struct {    /* what the system said of that user */
        unsigned uid, gid, groups[CONF_MAX_GROUPS];
        size_t n_groups;
        char *home;
    } as;
    struct {
        char *dir;     /* absolute; exists and is writable by the time of a run */
        char *layout;  /* flat, folder, or a template of folders and a title */
        unsigned mode; /* permissions of the files; folders add x where there is r */
        enum conf_watermarked watermarked;
        bool cover;
        bool prune;                 /* the oldest results below dir go when max_total is exceeded */
        uint64_t max_total;         /* bytes below dir; 0: no limit */
        bool nfo, posters, sidecar; /* what stands beside a result */
        uint64_t max_size;
    } download;
    struct {
        int preset;    /* row of conf_presets */
        char *url;     /* template; scheme, host and port without placeholders */
        int method;    /* word of the option; conf_http_method */
        char *user;    /* or NULL */
        char *library; /* folder as the server sees it, or NULL */
        char *region;  /* of s3 */
        char *body;    /* template, or NULL: format says */
        int format;    /* enum conf_format */
        int upload;    /* enum conf_upload */
        char *file_field;
        struct {
            int max; /* runs that may go into one request; 1: each alone */
            int64_t wait_ms;
        } batch;
        struct conf_field form[CONF_MAX_HEADERS];
        size_t n_form;
        bool sign; /* with each of secrets */
        struct conf_secret token;
        struct conf_header headers[CONF_MAX_HEADERS];
        size_t n_headers;
        struct conf_secret secrets[CONF_MAX_SECRETS];
        size_t n_secrets;
        struct conf_mapping path_map[CONF_MAX_MAPPINGS];
        size_t n_path_map;
    } http;
    int64_t timeout_ms;
    int concurrency;
    struct conf_rate rate;
    struct {
        int attempts;
        int64_t from_ms, to_ms, max_age_ms;
    } retry;
};

struct conf {
    char *file;       /* where it came from */
    char *public_url; /* https://host[:port][/path], no slash at the end; NULL when all poll */
    struct conf_listen listen[CONF_MAX_LISTEN];
    size_t n_listen;
    bool behind_proxy;
    struct {
        char *certificate, *key;
        char *certificate_pem, *key_pem; /* read when the snapshot is built; NULL without https */
        bool min_13;
    } tls;
    char *control; /* socket path */
    char *store;   /* sqlite:PATH */
    int receivers;
    bool log_json;
    int log_level; /* enum log_level */
    struct {
        struct conf_listen listen; /* text NULL: no HTTP for local clients */
        struct conf_secret token;
        uint64_t body_budget;
    } gateway;
    struct {
        uint64_t max_body, body_budget, min_free;
        int connections, handshakes, per_source, source_rate, max_in_flight, keepalive_requests;
        int64_t handshake_ms, header_ms, body_ms, reply_ms;
        int credits_per_day; /* of all providers together; 0: no limit */
        int looks;           /* at tasks of all providers, begun per second */
        int runs;            /* all hooks together */
        int64_t output;      /* bytes kept of a command's output */
    } limits;
    struct { /* when the operator is told */
        uint64_t disk_free;
        struct conf_rate signature_failures;
        int64_t provider_down_ms;
    } alarms;
    struct {
        int64_t window_ms; /* how far Date may be from now */
        int64_t nonce_keep_ms;
    } signature;
    struct {
        struct conf_list allow; /* ADDRESS:PORT exceptions to the address policy */
        struct conf_list ports; /* besides 443 */
        char *ca_file;          /* NULL: the system's */
        uint64_t keep_free;     /* bytes that downloads leave free */
    } fetch;
    int64_t retain_ms; /* finished tasks; 0: for ever */
    int64_t shutdown_grace_ms;
    struct conf_provider providers[CONF_MAX_PROVIDERS];
    size_t n_providers;
    struct conf_hook hooks[CONF_MAX_HOOKS];
    size_t n_hooks;
};

/* One finding; column and line count from 1, 0 when there is no place. */
typedef void conf_report(const char *file, int line, int column, const char *text, void *ctx);

/*
 * 0 and *out (release with conf_free), or -EINVAL after at least one report, or -errno of the
 * file itself (also reported). report may be NULL.
 */
MUST_CHECK int conf_load(const char *path, conf_report *report, void *ctx, struct conf **out);
/* What is wrong with a certificate and its key: 0, or < 0 with the reason. This layer knows no TLS,
 * so who does hands this in. */
typedef int conf_check_pair(const char *chain_pem, const char *key_pem, bool min_13,
                            struct err *err);
/* As conf_load, and the pair that tls names is checked as well. */
MUST_CHECK int conf_load_checked(const char *path, conf_check_pair *pair, conf_report *report,
                                 void *ctx, struct conf **out);
void conf_free(struct conf *c);
/* Reports what is allowed and yet hardly meant, each text beginning with "warning: ". */
void conf_warn(const struct conf *c, conf_report *report, void *ctx);
/* The control socket of a configuration that may be wrong elsewhere, or that names secrets which
 * cannot be read here; owned by the caller. NULL: the file cannot be read at all. */
char *conf_control(const char *path);

/* The configuration file used when no -c is given: the first that exists of
 * $XDG_CONFIG_HOME/viduhook/viduhook.yaml (not for root) and SYSCONFDIR/viduhook/viduhook.yaml;
 * when none exists, the one to create. Owned by the caller. */
char *conf_default_path(void);

/* The profile with what the provider has in its place; borrowed from both. */
struct provider_profile conf_provider_speech(const struct conf_provider *p);
const struct conf_provider *conf_provider_find(const struct conf *c, const char *name);
const struct conf_hook *conf_hook_find(const struct conf *c, const char *name);
/* The hook that must have ended before, well or not, or NULL. */
const char *conf_hook_before(const struct conf_hook *h);

/* The snapshot as YAML with every value in force and secrets by their source. */
void conf_show(const struct conf *c, struct buf *out);

/* The table, for manuals and tests. */
struct conf_option {
    const char *name; /* dotted: tls.certificate, hooks[].timeout, providers.NAME.key */
    const char *type; /* path, url, duration, size, int, bool, word, list, map, secret, text */
    const char *range;
    const char *fallback; /* default as text; "" when it is required or absent */
    bool reloadable;
    const char *help;
};
size_t conf_option_count(void);
const struct conf_option *conf_option_at(size_t i);

#endif
