/* SPDX-License-Identifier: MIT */
#include "conf/conf_table.h"

#include "base/log.h"
#include "conf/conf_command.h"
#include "conf/conf_download.h"
#include "conf/conf_hook.h"
#include "conf/conf_http.h"
#include "conf/conf_items.h"
#include "conf/conf_listen.h"
#include "conf/conf_preset.h"
#include "conf/conf_provider.h"
#include "conf/conf_range.h"
#include "conf/conf_rate.h"
#include "conf/conf_secret.h"
#include "conf/conf_speech.h"
#include "conf/conf_type.h"
#include "vidu/nearest.h"

#include <string.h>

static const int log_levels[] = {LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG};

/* clang-format off */

/* name, documented type, type, field, range, fallback, reloadable, help, other members */
#define IN_FILE(NAME, WORD, TYPE, FIELD, RANGE, FALLBACK, RELOAD, HELP, ...)                       \
    {.doc = {NAME, WORD, RANGE, FALLBACK, RELOAD, HELP}, .type = &conf_type_##TYPE,                \
     .scope = SCOPE_FILE, .key = NAME, .offset = offsetof(struct conf, FIELD), __VA_ARGS__}
#define IN_PROVIDER(KEY, WORD, TYPE, FIELD, RANGE, FALLBACK, HELP, ...)                            \
    {.doc = {"providers.NAME." KEY, WORD, RANGE, FALLBACK, true, HELP},                            \
     .type = &conf_type_##TYPE, .scope = SCOPE_PROVIDER, .key = KEY,                               \
     .offset = offsetof(struct conf_provider, FIELD), __VA_ARGS__}
#define IN_HOOK(KEY, WORD, TYPE, FIELD, RANGE, FALLBACK, HELP, ...)                                \
    {.doc = {"hooks[]." KEY, WORD, RANGE, FALLBACK, true, HELP}, .type = &conf_type_##TYPE,        \
     .scope = SCOPE_HOOK, .key = KEY, .offset = offsetof(struct conf_hook, FIELD), __VA_ARGS__}

const struct conf_row conf_rows[] = {
    IN_FILE("public_url", "url", text, public_url, "", "", true,
            "address of this daemon as providers are told it"),
    IN_FILE("listen", "list", listen, listen,
            "1-8 of https://ADDRESS:PORT, http://ADDRESS:PORT, systemd", "", false,
            "where receivers listen; http on loopback or behind a proxy; systemd: its sockets"),
    IN_FILE("behind_proxy", "bool", bool, behind_proxy, "yes|no", "no", true,
            "a proxy in front does TLS, so plain http is fine"),
    IN_FILE("tls.certificate", "path", path, tls.certificate, "", "", true,
            "PEM file with the certificate and its chain"),
    IN_FILE("tls.key", "path", path, tls.key, "", "", true,
            "PEM file with the private key; closed to other users"),
    IN_FILE("tls.min_version", "word", switch, tls.min_13, "1.2|1.3", "1.2", true,
            "oldest TLS version that is spoken"),
    IN_FILE("control", "path", path, control, "", VIDUHOOK_RUNSTATEDIR "/viduhook/control.sock",
            false, "socket for viduhook; who may open it may use it", .computed = true),
    IN_FILE("gateway.listen", "url", address, gateway.listen,
            "http://ADDRESS:PORT, https://ADDRESS:PORT", "", false,
            "where local clients find the providers' own paths; http on loopback only"),
    IN_FILE("gateway.token", "secret", secret, gateway.token, "", "", true,
            "what these clients give as their API key"),
    IN_FILE("gateway.body_budget", "size", size, gateway.body_budget, "64MiB-64GiB", "512MiB", true,
            "bodies of these clients' requests held at the same time, together"),
    IN_FILE("store", "text", text, store, "sqlite:PATH",
            "sqlite:" VIDUHOOK_LOCALSTATEDIR "/lib/viduhook/viduhook.db", false,
            "where tasks and runs are kept", .computed = true),
    IN_FILE("receivers", "int", int, receivers, "1-64", "1", true,
            "processes that serve the listeners"),
    IN_FILE("log", "word", switch, log_json, "text|json", "text", true, "form of the log's lines"),
    IN_FILE("log_level", "word", word, log_level, "error|warn|info|debug", "info", true,
            "least important line that is written", .values = log_levels),
    IN_FILE("retain", "duration", duration, retain_ms, "0-36500d", "90d", true,
            "how long finished tasks are kept; 0: for ever"),
    IN_FILE("shutdown_grace", "duration", duration, shutdown_grace_ms, "0-1h", "30s", true,
            "how long running hooks may take when the daemon stops"),
    IN_FILE("limits.max_body", "size", size, limits.max_body, "1KiB-32MiB", "8MiB", true,
            "largest body of a callback"),
    IN_FILE("limits.body_budget", "size", size, limits.body_budget, "1KiB-64GiB", "64MiB", true,
            "bodies a receiver holds at the same time, together"),
    IN_FILE("limits.min_free", "size", size, limits.min_free, "0-16TiB", "256MiB", true,
            "free space of the store's file system below which callbacks get 503"),
    IN_FILE("limits.connections", "int", int, limits.connections, "1-65536", "1024", true,
            "connections of a receiver at the same time"),
    IN_FILE("limits.handshakes", "int", int, limits.handshakes, "1-65536", "128", true,
            "unfinished TLS handshakes of a receiver at the same time"),
    IN_FILE("limits.per_source", "int", int, limits.per_source, "0-65536", "64", true,
            "connections from one address at the same time; 0: no limit"),
    IN_FILE("limits.source_rate", "int", int, limits.source_rate, "0-1000000", "50", true,
            "requests per second from one address; 0: no limit"),
    IN_FILE("limits.max_in_flight", "int", int, limits.max_in_flight, "1-65536", "4096", true,
            "callbacks of a receiver that wait for their verdict"),
    IN_FILE("limits.keepalive_requests", "int", int, limits.keepalive_requests, "1-1000000",
            "100", true, "requests on one connection"),
    IN_FILE("limits.handshake_timeout", "duration", duration, limits.handshake_ms, "100ms-10m",
            "5s", true, "time for the TLS handshake"),
    IN_FILE("limits.header_timeout", "duration", duration, limits.header_ms, "100ms-10m", "10s",
            true, "time for the head of a request"),
    IN_FILE("limits.body_timeout", "duration", duration, limits.body_ms, "100ms-10m", "30s", true,
            "time for the body of a request"),
    IN_FILE("limits.reply_timeout", "duration", duration, limits.reply_ms, "100ms-10m", "10s", true,
            "time for the verdict, then 503"),
    IN_FILE("limits.credits_per_day", "int", int, limits.credits_per_day, "0-1000000000", "0", true,
            "credits of a day's tasks (UTC) after which nothing more is submitted; 0: no limit"),
    IN_FILE("limits.looks", "int", int, limits.looks, "1-1000", "5", true,
            "looks at unfinished tasks that begin per second"),
    IN_FILE("limits.runs", "int", int, limits.runs, "1-1024", "16", true,
            "runs of all hooks at the same time"),
    IN_FILE("limits.output", "size", size, limits.output, "0-16MiB", "64KiB", true,
            "how much of the end of a command's output is kept"),
    IN_FILE("alarms.disk_free", "size", size, alarms.disk_free, "0-16TiB", "1GiB", true,
            "free space of the store's file system below which there is disk_low; 0: never"),
    IN_FILE("alarms.signature_failures", "text", rate, alarms.signature_failures,
            "1-1000 /s, /m or /h", "20/m", true,
            "refused signatures in a time after which there is signature_failures"),
    IN_FILE("alarms.provider_down", "duration", duration, alarms.provider_down_ms, "1s-30d", "10m",
            true, "how long all that is asked of a provider fails until there is provider_down"),
    IN_FILE("signature.window", "duration", duration, signature.window_ms, "1s-365d", "24h", true,
            "how far the Date of a callback may be from now"),
    IN_FILE("signature.nonce_keep", "duration", duration, signature.nonce_keep_ms, "1s-3650d",
            "7d", true, "how long nonces are remembered; at least twice the window"),
    IN_FILE("fetch.allow", "list", addresses, fetch.allow, "0-64 of ADDRESS:PORT, ADDRESS", "",
            true, "private addresses that URLs of results may lead to"),
    IN_FILE("fetch.ports", "list", ports, fetch.ports, "0-64 of 1-65535", "", true,
            "ports besides 443 that URLs of results may lead to"),
    IN_FILE("fetch.ca_file", "path", path, fetch.ca_file, "", "", true,
            "PEM file with the authorities that are trusted in place of the system's"),
    IN_FILE("fetch.keep_free", "size", size, fetch.keep_free, "0-16TiB", "512MiB", true,
            "space that downloads leave free"),
    IN_FILE("providers", "map", providers, providers, "1-32", "", true,
            "who makes the videos, by name", .required = true),
    IN_PROVIDER("profile", "word", profile, profile,
                "vidu|vidu-cn|octopusx|powertokens|octopusx-openai|generic", "NAME",
                "how this provider is spoken with", .computed = true),
    IN_PROVIDER("base_url", "url", base_url, base_url, "", "the profile's",
                "address of its API; https, or http on loopback", .computed = true),
    IN_PROVIDER("key", "secret", secret, key, "", "", "the API key", .required = true),
    IN_PROVIDER("previous_keys", "list", previous_keys, previous_keys, "0-4", "",
                "keys of before, still good for verifying callbacks"),
    IN_PROVIDER("callback_secret", "secret", secret, callback_secret, "", "the key",
                "what callbacks are signed with", .computed = true),
    IN_PROVIDER("signature", "word", word, signature, "required|if-present|off", "the profile's",
                "whether callbacks must be signed", .computed = true),
    IN_PROVIDER("confirm", "word", word, confirm, "auto|always|never", "auto",
                "look a success up before hooks run; auto: when its signature proves nothing, or it"
                " has no result"),
    IN_PROVIDER("mode", "word", word, mode, "push|poll|both", "the profile's",
                "how news come: callbacks; looks, without any public address; both",
                .computed = true),
    IN_PROVIDER("overdue", "duration", duration, overdue_ms, "1s-24h", "5m",
                "after so long without a word a task that expects callbacks is looked at"),
    IN_PROVIDER("auth", "word", auth, auth, "one word", "the profile's",
                "scheme of the Authorization header, before the key", .computed = true),
    IN_PROVIDER("prefix", "text", prefix, prefix, "/PATH", "the profile's",
                "what stands before the name of an endpoint; / for nothing", .computed = true),
    IN_PROVIDER("query", "text", query, query, "/PATH with {id}", "the profile's",
                "where a task is looked up", .computed = true),
    IN_PROVIDER("names.id", "text", answer, names.id, "NAME.NAME", "",
                "where answers have the id of the task, before task_id and id are tried"),
    IN_PROVIDER("names.state", "text", answer, names.state, "NAME.NAME", "",
                "where answers have its state, in place of state and status"),
    IN_PROVIDER("names.result", "text", answer, names.result, "NAME.NAME", "",
                "where answers have the URL of the result or a list of such; else creations, "
                "video_url, url"),
    IN_FILE("hooks", "list", hooks, hooks, "0-64", "", true, "what is done when a task changes"),
    IN_HOOK("name", "text", text, name, CONF_NAME_FORM, "", "its name, unique", .required = true),
    IN_HOOK("on", "list", set, on,
            "processing|success|failed|cancelled|lost|test|quarantined|dead|disk_low|"
            "cert_expiring|signature_failures|provider_down",
            "success", "events that start it"),
    IN_HOOK("match.provider", "list", list, match.provider, "0-64 patterns", "",
            "only tasks of these providers"),
    IN_HOOK("match.endpoint", "list", list, match.endpoint, "0-64 patterns", "",
            "only tasks of these endpoints"),
    IN_HOOK("match.model", "list", list, match.model, "0-64 patterns", "",
            "only tasks with these models"),
    IN_HOOK("match.tags", "list", tags, match.tags, "0-64 of tag, tag=pattern", "",
            "only tasks that carry all these tags"),
    IN_HOOK("match.payload", "list", list, match.payload, "0-64 patterns", "",
            "only tasks with such a payload"),
    IN_HOOK("match.err_code", "list", list, match.err_code, "0-64 patterns", "",
            "only tasks that failed for such a reason"),
    IN_HOOK("match.duration", "list", ranges, match.duration, "0-64 of 5, 4-8, >=5, <10", "",
            "only tasks that ask for so many seconds"),
    IN_HOOK("match.credits", "list", ranges, match.credits, "0-64 of 5, 4-8, >=5, <10", "",
            "only tasks that cost so much"),
    IN_HOOK("after", "text", text, after, "", "", "a hook above it that must be done first"),
    IN_HOOK("after_failure", "text", text, after_failure, "", "",
            "a hook above it that must have been given up first"),
    IN_HOOK("exec", "list", argv, exec, "1-64", "",
            "a program and its arguments, which may hold placeholders; no shell"),
    IN_HOOK("cwd", "path", path, cwd, "", "/", "folder that its command starts in"),
    IN_HOOK("umask", "word", umask, umask, "0000-0777", "0022",
            "permissions that its command does not give to new files, octal"),
    IN_HOOK("env", "map", env, env, "0-64 names", "", "further variables of its command"),
    IN_HOOK("user", "text", text, user, "", "", "who runs its command, when root runs the daemon"),
    IN_HOOK("limits.memory", "size", size, limits.memory, "0-1TiB", "4GiB",
            "memory that a process of its command may fill, at least 1MiB; 0: no limit"),
    IN_HOOK("limits.cpu", "duration", duration, limits.cpu_ms, "0-30d", "1d",
            "processor time of a process of its command; 0: no limit"),
    IN_HOOK("limits.files", "int", int, limits.files, "0-1048576", "1024",
            "files that a process of its command may have open, at least 4; 0: no limit"),
    IN_HOOK("limits.file_size", "size", size, limits.file_size, "0-16TiB", "64GiB",
            "largest file that its command may write; 0: no limit"),
    IN_HOOK("limits.processes", "int", int, limits.processes, "0-1048576", "4096",
            "processes and threads of its user, all together; 0: no limit"),
    IN_HOOK("download.dir", "path", path, download.dir, "", "", "where results are saved"),
    IN_HOOK("download.layout", "text", layout, download.layout, "flat, folder or a template",
            "flat", "folders below dir: one a month, one a result, or FOLDER/.../TITLE"),
    IN_HOOK("download.mode", "word", mode, download.mode, "0400-0777", "0644",
            "permissions of the files, octal; folders add x where there is r"),
    IN_HOOK("download.cover", "bool", bool, download.cover, "yes|no", "yes", "save the cover too"),
    IN_HOOK("download.watermarked", "word", word, download.watermarked, "no|yes|both", "no",
            "save the copy with a watermark; yes: in place of the plain one"),
    IN_HOOK("download.nfo", "bool", bool, download.nfo, "yes|no", "no",
            "describe a video for media servers in a .nfo beside it"),
    IN_HOOK("download.posters", "bool", bool, download.posters, "yes|no", "no",
            "link the cover under the other names that media servers look for"),
    IN_HOOK("download.sidecar", "bool", bool, download.sidecar, "yes|no", "no",
            "save what is known of the task in a .json beside the result"),
    IN_HOOK("download.max_size", "size", size, download.max_size, "1KiB-1TiB", "4GiB",
            "largest file that is saved"),
    IN_HOOK("download.max_total", "size", size, download.max_total, "0-1024TiB", "0",
            "what the files below dir may take together; 0: no limit"),
    IN_HOOK("download.prune", "bool", bool, download.prune, "yes|no", "no",
            "delete the oldest results below dir when there is more than max_total"),
    IN_HOOK("http.preset", "word", word, http.preset, CONF_PRESETS, "none",
            "the server that is told; fills in what its requests look like"),
    IN_HOOK("http.url", "url", http_url, http.url, "http:// or https://", "",
            "where it is sent, with placeholders behind the host; with a preset, the server"),
    IN_HOOK("http.method", "word", word, http.method, "POST|PUT|PATCH|DELETE|GET", "POST",
            "method of the request"),
    IN_HOOK("http.token", "secret", secret, http.token, "", "",
            "what the server knows us by: key, token or password; Bearer without a preset"),
    IN_HOOK("http.user", "text", text, http.user, "", "", "name that the token is the password of"),
    IN_HOOK("http.headers", "map", http_headers, http.headers, "0-16", "",
            "more headers: a text with placeholders, or a secret"),
    IN_HOOK("http.body", "text", template, http.body, "", "",
            "what is sent, with placeholders; escaped for JSON unless Content-Type is another"),
    IN_HOOK("http.format", "word", word, http.format, "context|raw|cloudevents|cloudevents-binary",
            "context",
            "what is sent without a body: what commands read, what was received, or a CloudEvent"),
    IN_HOOK("http.upload", "word", word, http.upload, "none|raw|multipart", "none",
            "send the results themselves, a request each: as the body, or in a form"),
    IN_HOOK("http.form", "map", http_form, http.form, "0-16", "",
            "fields beside the file: texts with placeholders"),
    IN_HOOK("http.file_field", "text", http_file_field, http.file_field, "", "file",
            "what the form calls the file"),
    IN_HOOK("http.batch", "map", http_batch, http.batch, "max: 1-500, wait: 0-30s", "the preset's",
            "runs that go into one request, and how long the first waits for others",
            .computed = true),
    IN_HOOK("http.sign", "word", switch, http.sign, "none|standard-webhooks", "none",
            "how the receiver can tell that it comes from here"),
    IN_HOOK("http.secrets", "list", http_secrets, http.secrets, "0-4", "",
            "what is signed with, base64; each makes a signature"),
    IN_HOOK("http.path_map", "map", http_path_map, http.path_map, "0-16", "",
            "folders here and what they are called on the server; the longest that fits"),
    IN_HOOK("http.library", "text", text, http.library, "", "",
            "folder of the library as the server names it; for kodi and nextcloud"),
    IN_HOOK("http.region", "text", text, http.region, "", "us-east-1",
            "region of the bucket; for s3"),
    IN_HOOK("timeout", "duration", duration, timeout_ms, "100ms-7d",
            "300s for exec, 1h for download and uploads, 20s for http",
            "time for one attempt", .computed = true),
    IN_HOOK("concurrency", "int", int, concurrency, "1-1024", "4", "its runs at the same time"),
    IN_HOOK("rate", "text", rate, rate, "1-1000 /s, /m or /h", "", "how often its runs may begin"),
    IN_HOOK("retry.attempts", "int", int, retry.attempts, "1-1000", "8",
            "attempts before a run is given up"),
    IN_HOOK("retry.from", "duration", duration, retry.from_ms, "1ms-7d", "5s",
            "wait before the second attempt; doubles from there"),
    IN_HOOK("retry.to", "duration", duration, retry.to_ms, "1ms-30d", "1h",
            "longest wait between attempts"),
    IN_HOOK("retry.max_age", "duration", duration, retry.max_age_ms, "1s-365d", "24h",
            "age of a run after which it is not tried again"),
};
const size_t conf_n_rows = ARRAY_LEN(conf_rows);

/* clang-format on */

/* The part of a row's key behind the group ("" or "limits."), NULL when it is not in there. */
static const char *key_in(const struct conf_row *row, enum conf_scope scope, const char *group)
{
    return row->scope == scope && str_starts(row->key, group) ? row->key + strlen(group) : NULL;
}

static const struct conf_row *find_row(enum conf_scope scope, const char *group, const char *name)
{
    for (size_t i = 0; i < conf_n_rows; i++) {
        const char *key = key_in(&conf_rows[i], scope, group);

        if (key != NULL && strchr(key, '.') == NULL && str_eq(key, name))
            return &conf_rows[i];
    }
    return NULL;
}

static bool is_group(enum conf_scope scope, const char *group)
{
    for (size_t i = 0; i < conf_n_rows; i++)
        if (key_in(&conf_rows[i], scope, group) != NULL)
            return true;
    return false;
}

/* "the name up to its dot", so that groups are suggested as well. */
static void offer_rows(struct nearest *nearest, enum conf_scope scope, const char *group,
                       char names[][32])
{
    for (size_t i = 0; i < conf_n_rows; i++) {
        const char *key = key_in(&conf_rows[i], scope, group);

        if (key == NULL)
            continue;
        mem_copy_text(names[i], 32, key);
        names[i][strcspn(names[i], ".")] = '\0';
        nearest_offer(nearest, names[i]);
    }
}

/* The right word in the wrong place: max_body at the top. */
static const char *find_elsewhere(const char *name)
{
    for (size_t i = 0; i < conf_n_rows; i++) {
        const char *dot = strrchr(conf_rows[i].key, '.');

        if (str_eq(dot != NULL ? dot + 1 : conf_rows[i].key, name))
            return conf_rows[i].doc.name;
    }
    return NULL;
}

static const char *const prefixes[] = {"", "providers.NAME.", "hooks[]."};

static void report_unknown(const struct conf_fill *fill, enum conf_scope scope, const char *group,
                           const struct conf_node *node)
{
    char names[ARRAY_LEN(conf_rows)][32];
    struct nearest nearest = NEAREST_INIT(node->key);
    const char *best;

    offer_rows(&nearest, scope, group, names);
    best = nearest.best != NULL ? nearest.best : find_elsewhere(node->key);
    if (strchr(node->key, '.') != NULL)
        conf_found_key(fill->found, node,
                       "unknown option '%s%s%s'; a dot opens no group, a map does, such as "
                       "limits: { runs: 16 }",
                       prefixes[scope], group, node->key);
    else if (best != NULL)
        conf_found_key(fill->found, node, "unknown option '%s%s%s'; did you mean '%s'?",
                       prefixes[scope], group, node->key, best);
    else
        conf_found_key(fill->found, node, "unknown option '%s%s%s'", prefixes[scope], group,
                       node->key);
}

static void fill_group(const struct conf_fill *fill, enum conf_scope scope, const char *group,
                       const struct conf_node *map, void *object)
{
    for (size_t i = 0; i < map->n; i++) {
        const struct conf_node *node = map->items[i];
        const struct conf_row *row = find_row(scope, group, node->key);
        autofree char *inner = mem_printf("%s%s.", group, node->key);

        if (row != NULL)
            row->type->set(fill, row, node, object);
        else if (strchr(node->key, '.') != NULL || !is_group(scope, inner))
            report_unknown(fill, scope, group, node);
        else if (node->kind == NODE_MAP)
            fill_group(fill, scope, inner, node, object);
        else if (node->kind != NODE_EMPTY)
            conf_found_at(fill->found, node, "'%s%s%s' must be a map of options, not %s",
                          prefixes[scope], group, node->key, conf_node_kind_name(node));
    }
}

static void fill_defaults(const struct conf_fill *fill, enum conf_scope scope, void *object)
{
    for (size_t i = 0; i < conf_n_rows; i++) {
        const struct conf_row *row = &conf_rows[i];
        struct conf_node node = {.kind = NODE_TEXT, .text = mem_strdup(row->doc.fallback)};

        if (row->scope == scope && !row->computed && node.text[0] != '\0')
            row->type->set(fill, row, &node, object);
        free(node.text);
    }
}

void conf_table_fill(const struct conf_fill *fill, enum conf_scope scope,
                     const struct conf_node *map, void *object)
{
    fill_defaults(fill, scope, object);
    fill_group(fill, scope, "", map, object);
    for (size_t i = 0; i < conf_n_rows && !fill->partial; i++) {
        const struct conf_row *row = &conf_rows[i];

        if (row->scope == scope && row->required && conf_node_get(map, row->key) == NULL)
            conf_found_at(fill->found, map, "'%s' is missing: %s", row->doc.name, row->doc.help);
    }
}

void conf_table_release(enum conf_scope scope, void *object)
{
    for (size_t i = 0; i < conf_n_rows; i++)
        if (conf_rows[i].scope == scope && conf_rows[i].type->release != NULL)
            conf_rows[i].type->release(&conf_rows[i], object);
}

size_t conf_option_count(void)
{
    return conf_n_rows;
}

const struct conf_option *conf_option_at(size_t i)
{
    return i < conf_n_rows ? &conf_rows[i].doc : NULL;
}
