/*
 * What the rooms say to each other. One struct a message; one table of fields turns them into
 * bytes and back (design.md sections 1-3).
 *
 * In a decoded message the slices point into the frame and live as long as it does. Text in
 * slices is not NUL terminated on the wire, but every decoded slice is followed by a NUL byte.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include "wire/frame.h"

#define WIRE_VERSION 1

enum message_type {                /* the numbers are spoken on the control socket: append only */
                    MSG_HELLO = 1, /* keeper -> room: what it may know; wire/hello.h. Gateway ->
                                      client too */
                    MSG_READY = 2, /* room -> keeper: up, or why not */
                    MSG_DRAIN = 3, /* keeper -> room: accept nothing new, finish, exit 0 */
                    MSG_PING = 4,  /* keeper -> room */
                    MSG_PONG = 5,  /* room -> keeper, with its counters */
                    MSG_CALLBACK = 6,  /* receiver -> keeper */
                    MSG_VERDICT = 7,   /* keeper -> receiver, after the commit */
                    MSG_REGISTER = 8,  /* gateway -> keeper: a task is about to be submitted */
                    MSG_SUBMITTED = 9, /* gateway -> keeper: what the provider said */
                    MSG_RECORDED =
                        10,        /* keeper -> gateway: either of these is committed, or why not */
                    MSG_POLL = 11, /* keeper -> gateway: look at this task at its provider */
                    MSG_POLLED = 12, /* gateway -> keeper */
                    MSG_COMMAND =
                        13, /* client -> gateway -> keeper: one request of the command line */
                    MSG_RESULT = 14,    /* back again */
                    MSG_SUBSCRIBE = 15, /* gateway -> keeper: whether anybody watches */
                    MSG_EVENT = 16,     /* keeper -> gateway -> watching clients */
                    MSG_RUN = 17,       /* keeper -> runner */
                    MSG_DONE = 18,      /* runner -> keeper */
                    MSG_PROGRESS = 19,  /* runner -> keeper */
                    MSG_REFRESH = 20,   /* runner -> keeper: this run's URLs have expired */
                    MSG_FRESH = 21,     /* keeper -> runner */
                    MSG_CANCEL = 22,    /* keeper -> runner: stop this run */
                    MSG_FOLLOW = 23,    /* gateway -> keeper -> runner: who wants a run's output */
                    MSG_OUTPUT = 24,    /* runner -> keeper -> gateway: a piece of it */
                    MSG_TYPE_COUNT
};

struct msg_hello {
    uint32_t version;
    struct slice json;
};
struct msg_ready {
    struct slice error; /* empty: ready */
};
struct msg_drain {
    int64_t grace_ms; /* runner: how long running hooks may go on */
};
struct msg_ping {
    int64_t stamp;
};
struct msg_pong {
    int64_t stamp;
    struct slice json; /* {"counter": n, ...} */
};

/* What a provider said about a task, taken apart by vidu/callback.h; part of two messages. */
struct msg_report {
    uint32_t understood; /* 0: body could not be read; the rest is empty then */
    struct slice id;
    uint32_t state;
    uint32_t state_known;
    struct slice state_word, err_code, err_msg;
    int64_t credits;     /* -1: not said */
    uint32_t has_url;    /* at least one creation has one */
    struct slice result; /* callback_creations_json */
};

enum callback_route { ROUTE_KEY, ROUTE_AT };

struct msg_callback {
    uint32_t route; /* ROUTE_KEY: key is a sealed key; ROUTE_AT: key is a provider's name */
    struct slice key;
    struct slice method, path, query, peer;
    struct slice headers; /* name ':' value LF, repeated: those that signatures look at */
    struct msg_report report;
    struct slice body; /* raw */
};

enum verdict {
    VERDICT_ACCEPTED,
    VERDICT_DUPLICATE,
    VERDICT_QUARANTINED,
    VERDICT_UNAUTHORISED,
    VERDICT_UNKNOWN,
    VERDICT_BUSY,
    VERDICT_COUNT
};
const char *verdict_name(enum verdict v);
int verdict_http_status(enum verdict v);

struct msg_verdict {
    uint32_t verdict;
};

struct msg_register {
    struct slice task; /* our id, made by the gateway */
    struct slice provider, endpoint, model, prompt, payload;
    struct slice key_hash; /* 32 bytes; empty when no callback_url was put in */
    struct slice callback_path, callback_query; /* of the callback_url, for the signature */
    struct slice request;                       /* request_summary */
    struct slice tags;                          /* {"k":"v"} */
    struct slice forward_url;                   /* the client's own callback_url, or empty */
    struct slice remote_id;                     /* adopt: already known at the provider */
    uint32_t off_peak;
    uint32_t expects_callback;
};
struct msg_submitted {
    struct slice task;
    uint32_t outcome; /* enum answer_outcome */
    uint32_t http_status;
    struct slice remote_id, state_word;
    int64_t credits;
    struct slice reason, message, trace_id;
};
struct msg_recorded {
    struct slice task;
    struct slice error; /* empty: committed */
    struct slice code;  /* of a refusal by a limit of ours, as Viduhook...; else empty */
};

struct msg_poll {
    struct slice task, provider, endpoint, remote_id;
};
struct msg_polled {
    struct slice task;
    uint32_t http_status; /* 0: no answer */
    int64_t retry_after_ms;
    struct slice error; /* why there is no report */
    struct msg_report report;
    struct slice body;
};

struct msg_command {
    uint32_t uid;      /* of the client; set by the gateway from the socket's credentials */
    struct slice json; /* {"command": "list", ...}: wire/command.h */
    struct slice blob; /* a request body, for submit */
};
struct msg_result {
    uint32_t more;     /* 1: another RESULT with the same id follows */
    uint32_t exit;     /* exit status for the command line, enum exit_status */
    struct slice json; /* the answer, or {"error": "..."} when exit is not 0 */
};
struct msg_subscribe {
    uint32_t watchers;
};
struct msg_event {
    struct slice task;
    struct slice json;
};

struct msg_run {
    uint64_t run;
    uint32_t attempt;
    struct slice text; /* wire/run.h */
};
enum run_outcome {
    RUN_OK,
    RUN_AGAIN,
    RUN_FAILED,
    RUN_FATAL, /* no retry */
    RUN_GONE   /* the same, and its hook is to be switched off */
};
struct msg_done {
    uint64_t run;
    uint32_t attempt;
    uint32_t outcome;
    int64_t exit_code; /* exec: exit status, or -signal */
    int64_t duration_ms;
    int64_t retry_after_ms; /* -1: the hook's own schedule */
    struct slice detail;    /* one line for people */
    struct slice output;    /* tail of stdout and stderr */
    struct slice files;     /* [{"path","kind","bytes","sha256"}] */
    struct slice command;   /* when the action says "show": {"argv": [], "env": [], "stdin"} */
};
struct msg_progress {
    uint64_t run;
    uint64_t done, total; /* bytes; total 0: unknown */
    struct slice name;
};
struct msg_refresh {
    uint64_t run;
    struct slice task;
};
struct msg_fresh {
    uint64_t run;
    struct slice result; /* callback_creations_json; empty: error says why */
    struct slice error;
};
struct msg_cancel {
    uint64_t run;
};

struct msg_follow {
    uint64_t run;
    uint32_t followers; /* 0: nobody any more */
};
struct msg_output {
    uint64_t run;
    uint32_t attempt;
    uint64_t at;       /* offset of the first byte in all of the attempt's output */
    struct slice text; /* UTF-8, of as many bytes as the command wrote; empty: at is the end */
};

/* 0, or -EMSGSIZE when the other end would refuse it: a field, or all together, is too long. */
MUST_CHECK int message_check(enum message_type type, const void *msg);
/* Bytes the payload of this message takes. */
size_t message_size(enum message_type type, const void *msg);
/* Writes exactly message_size bytes. */
void message_write(enum message_type type, const void *msg, uint8_t *out);
/* 0 and *msg filled, or -EPROTO: short, long, over a field's limit, unknown type. */
MUST_CHECK int message_read(const struct frame *f, void *msg);
const char *message_name(enum message_type type);

/* Copies of the lines of msg_callback.headers: calls fn for each until the end. */
bool message_header_next(struct slice *rest, struct slice *name, struct slice *value);

#endif
