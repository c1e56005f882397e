/*
 * The log: one line, one event.
 *
 *   log_info("callback.accepted", LOG_S("task", id), LOG_I("bytes", n));
 *   <6>callback.accepted room=keeper task=t3k9 bytes=412
 *
 * The event name is a literal, fields are key=value. Bytes that are not plain text are escaped
 * here and nowhere else, so a stranger can forge neither a line nor a terminal sequence. A line
 * is at most 4 KiB and goes to stderr in one write; when the sink is blocked the line is dropped
 * and counted, since a stuck journal must not stop a receiver. Warnings and errors of one name
 * are limited to 10 in 10 seconds; the next line that gets through says how many were left out.
 *
 * Secrets, whole callback keys and presigned queries never come here: callers redact them with
 * vidu/redact.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARN = 4, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

enum log_kind { LOG_KIND_END, LOG_KIND_TEXT, LOG_KIND_BYTES, LOG_KIND_INT };

struct log_field {
    enum log_kind kind;
    const char *key;
    const char *text;
    size_t len;
    int64_t number;
};

/* A string (NULL is written as -), bytes with a length, a signed number, an error text. */
#define LOG_S(k, v) ((struct log_field){.kind = LOG_KIND_TEXT, .key = (k), .text = (v)})
#define LOG_B(k, p, n)                                                                             \
    ((struct log_field){.kind = LOG_KIND_BYTES, .key = (k), .text = (p), .len = (n)})
#define LOG_I(k, v) ((struct log_field){.kind = LOG_KIND_INT, .key = (k), .number = (int64_t)(v)})
#define LOG_E(e)    LOG_S("error", (e)->text)

#define LOG_FIELDS(...) ((struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.kind = LOG_KIND_END}})

#define log_error(event, ...) log_emit(LOG_LEVEL_ERROR, event, LOG_FIELDS(__VA_ARGS__))
#define log_warn(event, ...)  log_emit(LOG_LEVEL_WARN, event, LOG_FIELDS(__VA_ARGS__))
#define log_info(event, ...)  log_emit(LOG_LEVEL_INFO, event, LOG_FIELDS(__VA_ARGS__))
#define log_debug(event, ...) log_emit(LOG_LEVEL_DEBUG, event, LOG_FIELDS(__VA_ARGS__))

/*
 * room: written into every line ("keeper", "receiver 1"); copied. json: one JSON object a line.
 * With the journal on stderr (JOURNAL_STREAM names its device and inode) lines start with <N>.
 */
void log_open(const char *room, bool json, enum log_level most);
void log_emit(enum log_level level, const char *event, const struct log_field *fields);

#endif
