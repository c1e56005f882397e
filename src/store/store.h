/*
 * The store: tasks, their timeline, runs, files and nonces.
 *
 * A table of operations; sqlite is the implementation. One process has it open, through one
 * connection. Reads may happen at any time; writes only between begin and commit. When commit
 * returns 0, the transaction is on the disk (synchronous=FULL). Rows handed to a
 * row callback are borrowed for that call. A task that task_by_* filled in stays valid until the
 * next task_by_* call, a run from run_by_row until the next run_by_row, whatever is read or
 * written meanwhile: the store keeps copies of their texts.
 *
 * Errors: 0 or -errno. -ENOENT: no such row. -EEXIST: a row with that unique key is there.
 * -ENOSPC: full; the transaction is gone, earlier ones stand, later ones may succeed. -EBUSY:
 * locked by another process. -EIO: the disk or the file failed; the owner must stop (fail-stop).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/str.h"
#include "vidu/crypto.h"
#include "vidu/id.h"
#include "vidu/state.h"

/* Stored: append only. */
enum store_source {
    SOURCE_SUBMIT = 0,
    SOURCE_CALLBACK = 1,
    SOURCE_POLL = 2,
    SOURCE_HOOK = 3,
    SOURCE_OPERATOR = 4
};
const char *store_source_name(enum store_source s);

struct store_task {
    int64_t row;
    char id[TASK_ID_SIZE];
    const char *provider, *endpoint, *model, *prompt, *payload;
    const char *remote_id; /* "" when not known yet */
    struct slice key_hash; /* 32 bytes or empty */
    const char *callback_path, *callback_query;
    const char *request;     /* JSON summary */
    const char *tags;        /* JSON object */
    const char *forward_url; /* "" when none */
    const char *result;      /* JSON array of creations, "" before there is one */
    const char *err_code, *err_msg, *trace_id;
    enum task_state state;
    enum store_source source; /* who told the present state */
    enum task_state pending;  /* a success that waits for confirmation; else equal to state */
    int64_t credits;          /* -1: unknown */
    bool off_peak, expects_callback;
    bool adopted;                                /* created without us */
    int64_t created_ms, updated_ms, finished_ms; /* finished 0: not yet */
    int64_t next_look_ms;                        /* 0: none */
    int looks;                                   /* made so far */
    int misses;         /* looks in a row after which the provider knew of no such task */
    int64_t missed_ms;  /* when the last of them was counted */
    int n_events;       /* callbacks recorded for it (hardening.md T25) */
    int64_t last_event; /* row of the newest entry in its timeline, 0: none; the store's own */
};

struct store_event {
    int64_t row, task;
    int64_t at_ms;
    enum store_source source;
    const char *verdict;        /* accepted, duplicate, quarantined, registered, submitted, ... */
    enum task_state state;      /* of the task after it */
    const char *detail;         /* one line for people */
    struct slice nonce;         /* of the signature that proved it; else empty */
    struct slice headers, body; /* as received; empty when there was none */
};

/* Stored: append only. */
enum run_state {
    RUN_WAITING = 0, /* for the run of another hook (after) */
    RUN_READY = 1,
    RUN_RUNNING = 2,
    RUN_DONE = 3,
    RUN_DEAD = 4,
    RUN_CANCELLED = 5,
    RUN_MISSED = 6, /* to be made once only, and without success: nobody waits for it */
    RUN_STATE_COUNT
};
const char *run_state_name(enum run_state s);
bool run_state_from_name(const char *name, enum run_state *out);

/* What is known of a signature's nonce: nothing, or that it came with this body, or another. */
enum store_nonce { NONCE_NEW, NONCE_SAME, NONCE_OTHER };

struct store_run {
    int64_t row;                /* the run's number for people */
    int64_t task;               /* 0: of no task, task_id "" */
    char task_id[TASK_ID_SIZE]; /* of reading */
    /* trigger: success, failed, ...; unique with task and hook, unless the run is a replay or
     * what happened has details */
    const char *hook, *trigger;
    const char *after;   /* hook it waits for, "" when none */
    bool on_failure;     /* it waits for the failure of that hook */
    const char *details; /* of what happened, a JSON object; "" when the event says it all */
    enum run_state state;
    int attempt;              /* 0 before the first */
    int failures;             /* attempts that failed; "again later" is none */
    int losses;               /* attempts in a row during which the runner or the daemon died */
    int64_t due_ms, lease_ms; /* lease: until when the present attempt may take */
    int64_t created_ms, started_ms, finished_ms;
    bool replay;        /* asked for by the operator, at first or again */
    bool once;          /* of trying: not made again when it fails */
    int64_t event;      /* entry of the timeline whose body it is made from; 0: the task as it is */
    int64_t expires_ms; /* first attempt of a download: until when its links work; 0: no hurry */
    int64_t exit_code;
    const char *detail, *output;
    const char *command; /* JSON: what was started, when that was asked for */
};

struct store_file {
    int64_t row, task, run;
    const char *task_id; /* of reading; ignored by file_insert */
    const char *path, *kind, *sha256;
    int64_t bytes, created_ms;
};

struct store_filter {
    int state;                         /* enum task_state or enum run_state; -1: any */
    const char *provider, *tag, *hook; /* NULL: any; tag "k" or "k=v" */
    int64_t task;                      /* row; 0: any */
    int64_t since_ms;
    int64_t before; /* runs: only rows below this one; 0: any */
    int limit;      /* newest first; 0: 100 */
};

/* What tasks created on a day (since 1970, UTC) came to at one provider. */
struct store_day {
    int64_t day;
    const char *provider;
    int64_t tasks, credits;
    int64_t replaced; /* ends that a look told in place of a callback */
};

/* How far a walk through all planned looks has got; the place is the store's own. */
struct store_sweep {
    bool begun, over;
    int n; /* made due by the last step */
    int64_t at, last;
};

struct store_counts {
    int64_t tasks[STATE_COUNT];
    int64_t runs[RUN_STATE_COUNT];
    int64_t bytes, wal_bytes;
};

/* Return non-zero from a row callback to stop. No other store call inside one. */
typedef int store_on_task(const struct store_task *t, void *ctx);
typedef int store_on_event(const struct store_event *e, void *ctx);
typedef int store_on_run(const struct store_run *r, void *ctx);
typedef int store_on_file(const struct store_file *f, void *ctx);
typedef int store_on_day(const struct store_day *d, void *ctx);

struct store;
struct store_ops {
    void (*close)(struct store *s);
    int (*begin)(struct store *s, struct err *err);
    int (*commit)(struct store *s, struct err *err);
    void (*rollback)(struct store *s);

    int (*meta_get)(struct store *s, const char *name, uint8_t *out, size_t max, size_t *n);
    int (*meta_set)(struct store *s, const char *name, const void *p, size_t n, struct err *err);

    int (*task_insert)(struct store *s, const struct store_task *t, int64_t *row, struct err *err);
    /* Without prompt, request and payload, which a callback does not need. */
    int (*task_by_key)(struct store *s, const uint8_t hash[SHA256_LEN], struct store_task *out);
    /* Fills in just these: prompt, request and payload, valid until the next task_request. */
    int (*task_request)(struct store *s, int64_t row, struct store_task *out);
    int (*task_by_row)(struct store *s, int64_t row, struct store_task *out);
    int (*task_by_id)(struct store *s, const char *id, struct store_task *out);
    int (*task_by_remote)(struct store *s, const char *provider, const char *remote_id,
                          struct store_task *out);
    /* -ENOTUNIQ when several begin so. Falls back to remote ids. */
    int (*task_by_prefix)(struct store *s, const char *prefix, struct store_task *out);
    /*
     * Everything is written back but row, id, provider, key_hash, created_ms and what was
     * submitted: prompt, request, payload. -ENOENT: no such row.
     */
    int (*task_update)(struct store *s, const struct store_task *t, struct err *err);
    int (*task_list)(struct store *s, const struct store_filter *f, store_on_task *fn, void *ctx);
    /* Tasks whose look is due (next_look_ms not 0, whatever their state), soonest first. */
    int (*task_looks)(struct store *s, int64_t now_ms, int limit, store_on_task *fn, void *ctx);
    int64_t (*task_next_look)(struct store *s); /* when; 0: none */
    /*
     * One step through the tasks that were there when the sweep began and whose look is planned
     * for later: at most the next `limit` of them become due now. A step passes a bounded number
     * of tasks, so that it may find none before the sweep is over. The sweep starts out zeroed.
     */
    int (*task_sweep)(struct store *s, struct store_sweep *sweep, int64_t now_ms, int limit,
                      struct err *err);

    /*
     * One more entry in the task's timeline, and the task written back as task_update does: the
     * two go together. e->row and e->task are ignored. On success t->last_event is the new entry.
     */
    int (*event_insert)(struct store *s, struct store_task *t, const struct store_event *e,
                        struct err *err);
    int (*event_list)(struct store *s, int64_t task, store_on_event *fn,
                      void *ctx); /* oldest first */
    /* One entry, by its row. -ENOENT. */
    int (*event_by_row)(struct store *s, int64_t row, store_on_event *fn, void *ctx);
    /* Whether an entry of the task's timeline was proven with this nonce, and said the same. */
    int (*event_by_nonce)(struct store *s, const struct store_task *t, struct slice nonce,
                          struct slice body, enum store_nonce *out);
    /* Nonces of signatures that are for no single address. -EEXIST: seen before. */
    int (*nonce_insert)(struct store *s, struct slice nonce, int64_t at_ms, struct err *err);

    /* Due no sooner than those that it stands behind (run_due). */
    int (*run_insert)(struct store *s, const struct store_run *r, int64_t *row, struct err *err);
    int (*run_by_row)(struct store *s, int64_t row, struct store_run *out);
    int (*run_update)(struct store *s, const struct store_run *r, struct err *err);
    /*
     * Ready runs that are due and whose hook is not among `busy` (names, n_busy), in the order in
     * which they should begin: hooks in turns; of one hook those without expires_ms, oldest due
     * first, then the others, soonest first. Who sets expires_ms sees to it that it is due at once.
     * Suspects, those with losses, are left out unless wanted.
     * The runs of one hook for one task go one by one, in their order: while one is running, or an
     * older one is not over, none is shown. How many rows there are, at most limit, or -errno.
     */
    int (*run_due)(struct store *s, int64_t now_ms, const char *const *busy, size_t n_busy,
                   bool suspects, int64_t *rows, int limit);
    /* Due time of the next ready run that is due later than after_ms; 0: none. */
    int64_t (*run_next_due)(struct store *s, int64_t after_ms);
    int (*run_list)(struct store *s, const struct store_filter *f, store_on_run *fn, void *ctx);
    /*
     * This task's run of `after` has ended, well or not: runs that wait for such an end become
     * ready; those that wait for the other one are cancelled, and so are those that wait for
     * them. *n: how many that were.
     */
    int (*run_release)(struct store *s, int64_t task, const char *after, const char *trigger,
                       bool ok, int64_t now_ms, int *n, struct err *err);
    /* The way back: runs cancelled with `after` wait for it again, as if they were new. */
    int (*run_revive)(struct store *s, int64_t task, const char *after, const char *trigger,
                      int64_t now_ms, struct err *err);
    /* Those that stand behind this run in that order, and have not been tried, are due then. */
    int (*run_follow)(struct store *s, const struct store_run *r, int64_t due_ms, struct err *err);
    /* At start: what was running becomes ready now, and has lost an attempt. */
    int (*run_reclaim)(struct store *s, int64_t now_ms, int *n, struct err *err);

    /* Takes the place of an older row of this task for the same path. */
    int (*file_insert)(struct store *s, const struct store_file *f, struct err *err);
    int (*file_list)(struct store *s, int64_t task, store_on_file *fn, void *ctx);
    /* The next `limit` files of all tasks behind this row (0: from the first), oldest first. */
    int (*file_all)(struct store *s, int64_t after, int limit, store_on_file *fn, void *ctx);
    /*
     * What lies below a directory (absolute, no slash at the end): its bytes, links of covers
     * (poster, thumb) not counted again; and the oldest `limit` files of tasks other than `except`
     * that have no run ahead of them. Both read every row of file, so not for each callback.
     */
    int (*file_total)(struct store *s, const char *dir, int64_t *bytes);
    int (*file_oldest)(struct store *s, const char *dir, int64_t except, int limit,
                       store_on_file *fn, void *ctx);
    /* The file is no more, whichever tasks it was of. */
    int (*file_forget)(struct store *s, const char *path, struct err *err);

    /* The numbers are added to those of that day and provider. */
    int (*day_add)(struct store *s, const struct store_day *add, struct err *err);
    int (*day_list)(struct store *s, int64_t since_day, store_on_day *fn,
                    void *ctx); /* oldest first */

    int (*counts)(struct store *s, struct store_counts *out);
    /*
     * One small step of pruning: nonces older than, and tasks finished before, go with all that
     * hangs on them. At most `limit` are looked at, *n of them; fewer when the end was reached, and
     * the next step begins anew. A task with runs that are not through stays.
     */
    int (*prune)(struct store *s, int64_t finished_before_ms, int64_t nonces_before_ms, int limit,
                 int *n, struct err *err);
    /* When idle: checkpoint. Errors are as for commit. */
    int (*idle)(struct store *s, struct err *err);
};

struct store {
    const struct store_ops *ops;
};

/*
 * "sqlite:/path/file.db". Creates the file (0600) and its schema, or migrates an older one in one
 * transaction after a backup copy `FILE.vN.bak`; refuses a newer one. With -EBUSY the text says
 * which process holds it. read_only: for the command line while no daemon runs; -EBUSY when one
 * does, -ENOENT when there is no store.
 */
MUST_CHECK int store_open(const char *url, bool read_only, struct store **out, struct err *err);
void store_close(struct store *s); /* NULL is fine */

/* The version of the library behind it, for --version. */
const char *store_library_version(void);

#endif
