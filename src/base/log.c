/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES  4096
#define LIMIT_SLOTS     64
#define LIMIT_BURST     10
#define LIMIT_WINDOW_MS 10000

/* The one mutable global of the program: who writes, in which form, how much. */
static struct {
    char room[32];
    bool json;
    bool journal;
    enum log_level most;
    uint64_t dropped; /* lines the sink did not take */
} sink = {.most = LOG_LEVEL_INFO};

/* Fixed table by hash of the event name; two names in one slot share their allowance. */
static struct {
    int64_t window_start_ms;
    unsigned in_window;
    uint64_t left_out;
} limits[LIMIT_SLOTS];

static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device;
    unsigned long long inode;
    struct stat st;

    if (stream == NULL || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
        return false;
    return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_open(const char *room, bool json, enum log_level most)
{
    snprintf(sink.room, sizeof(sink.room), "%s", room);
    sink.json = json;
    sink.most = most;
    sink.journal = stderr_is_journal();
}

/* True when the line may go out; *left_out says how many before it did not. */
static bool allowed(enum log_level level, const char *event, uint64_t *left_out)
{
    size_t hash = 5381;
    int64_t now = clock_mono_ms();

    *left_out = 0;
    if (level > LOG_LEVEL_WARN)
        return true;
    for (const char *c = event; *c != '\0'; c++)
        hash = hash * 33 + (unsigned char)*c;
    hash %= LIMIT_SLOTS;
    if (now - limits[hash].window_start_ms >= LIMIT_WINDOW_MS ||
        limits[hash].window_start_ms == 0) {
        limits[hash].window_start_ms = now;
        limits[hash].in_window = 0;
    }
    if (++limits[hash].in_window > LIMIT_BURST) {
        limits[hash].left_out++;
        return false;
    }
    *left_out = limits[hash].left_out;
    limits[hash].left_out = 0;
    return true;
}

static bool is_bare(const char *s, size_t n)
{
    if (n == 0)
        return false;
    for (size_t i = 0; i < n; i++)
        if (s[i] <= ' ' || s[i] == '"' || s[i] == '=' || s[i] == '\\' ||
            (unsigned char)s[i] >= 0x7f)
            return false;
    return true;
}

/* Control bytes of two-byte UTF-8 (U+0080..U+009F) move terminals as well as ESC does. */
static bool is_c1_control(const char *s, size_t step)
{
    return step == 2 && (unsigned char)s[0] == 0xc2 && (unsigned char)s[1] < 0xa0;
}

static void add_quoted(struct buf *line, const char *s, size_t n)
{
    buf_addc(line, '"');
    for (size_t i = 0; i < n;) {
        size_t step = str_utf8_step(s + i, n - i);
        unsigned char c = (unsigned char)s[i];

        if (step == 1 && (c == '"' || c == '\\')) {
            buf_addf(line, "\\%c", c);
        } else if (step == 0 || c < 0x20 || c == 0x7f || is_c1_control(s + i, step)) {
            buf_addf(line, "\\x%02x", c);
            step = 1;
        } else {
            buf_add(line, s + i, step);
        }
        i += step;
    }
    buf_addc(line, '"');
}

static void add_value(struct buf *line, const struct log_field *f)
{
    size_t n = f->kind == LOG_KIND_BYTES ? f->len : (f->text != NULL ? strlen(f->text) : 0);
    bool cut = n > 1024;

    if (f->kind == LOG_KIND_INT) {
        buf_addf(line, "%lld", (long long)f->number);
        return;
    }
    if (f->text == NULL) {
        buf_adds(line, sink.json ? "null" : "-");
        return;
    }
    if (cut)
        n = str_utf8_cut(f->text, n, 1024);
    if (sink.json)
        buf_add_json(line, f->text, n);
    else if (is_bare(f->text, n))
        buf_add(line, f->text, n);
    else
        add_quoted(line, f->text, n);
}

static void add_field(struct buf *line, const struct log_field *f)
{
    if (sink.json)
        buf_addf(line, ",\"%s\":", f->key);
    else
        buf_addf(line, " %s=", f->key);
    add_value(line, f);
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error";
    case LOG_LEVEL_WARN:
        return "warn";
    case LOG_LEVEL_INFO:
        return "info";
    default:
        return "debug";
    }
}

static void add_head(struct buf *line, enum log_level level, const char *event)
{
    char when[25];

    clock_format_rfc3339(clock_wall_ms(), when);
    if (sink.json)
        buf_addf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", when,
                 level_name(level), event);
    else if (sink.journal)
        buf_addf(line, "<%d>%s", (int)level, event);
    else
        buf_addf(line, "%s %s %s", when, level_name(level), event);
    if (sink.room[0] != '\0')
        add_field(line, &LOG_S("room", sink.room));
}

/* A pipe that polls writable takes PIPE_BUF bytes at once, and a line is no longer than that. */
static void write_line(const char *p, size_t n)
{
    struct pollfd pfd = {.fd = STDERR_FILENO, .events = POLLOUT};
    bool taken = poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLOUT) != 0 &&
                 write(STDERR_FILENO, p, n) == (ssize_t)n;

    sink.dropped = taken ? 0 : sink.dropped + 1;
}

void log_emit(enum log_level level, const char *event, const struct log_field *fields)
{
    struct buf line = BUF_INIT(LINE_MAX_BYTES - 3);
    uint64_t left_out;
    int saved_errno = errno;

    if (level > sink.most || !allowed(level, event, &left_out))
        return;
    add_head(&line, level, event);
    for (; fields->kind != LOG_KIND_END && buf_ok(&line); fields++) {
        size_t before = line.len;

        add_field(&line, fields);
        if (!buf_ok(&line)) /* a field that does not fit is left out whole */
            line.data[line.len = before] = '\0';
    }
    if (left_out != 0)
        add_field(&line, &LOG_I("left_out", left_out));
    if (sink.dropped != 0)
        add_field(&line, &LOG_I("dropped", sink.dropped));
    line.max = LINE_MAX_BYTES;
    line.overflow = false;
    buf_adds(&line, sink.json ? "}\n" : "\n");
    write_line(line.data, line.len);
    buf_free(&line);
    errno = saved_errno;
}
