/*
 * The life of a task: created, queueing when off-peak, processing, success or failed; and which
 * callbacks leave on the way.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_SIM_TASK_H
#define SIM_SIM_TASK_H

#include "sim/sim_callback.h"
#include "sim/sim_media.h"
#include "sim/sim_request.h"

enum sim_state {
    SIM_CREATED,
    SIM_QUEUEING,
    SIM_PROCESSING,
    SIM_SUCCESS,
    SIM_FAILED,
    SIM_STATE_COUNT
};

/* How one provider speaks. */
struct sim_shape {
    const char *name;
    const char *prefix; /* of its paths */
    const char *scheme; /* of Authorization */
    bool uuids;         /* ids are UUIDs, not 18 digits */
    bool callbacks;
    bool upstream_key; /* callbacks are signed with a key that the client does not have */
    bool native;       /* task_id, status, video_url */
    bool openai;       /* id, status, progress, video_url, error */
};

const struct sim_shape *sim_shape_find(const char *name); /* NULL: none */

/* Read by others, written by sim_task.c. */
struct sim_task {
    struct sim_tasks *all;
    const struct sim_shape *shape;
    const struct sim_endpoint *endpoint;
    const char *key;   /* that created it; borrowed from the options */
    char id[40];       /* NUL-terminated */
    uint64_t number;   /* behind which its creations' are */
    char creation[20]; /* the first */
    char parent[40];   /* of a job in somebody's tree; "" for others */
    char part[24];     /* of an advertisement that is made again: generate_bgm, ... */
    char *asked;       /* sim_request_asked */
    char wrong_id[40]; /* of no task */
    enum sim_state state;
    const char *err_code;
    unsigned switches; /* 1 << enum sim_switch */
    int credits;
    char *callback_url; /* NULL: none */
    char *payload;
    size_t payload_len;
    bool bgm, off_peak, watermark;
    bool cut; /* its video was truncated already */
    int64_t created_ms, changed_ms;
    struct event *timer;
    struct buf answer; /* to the create, until it is sent */
    void (*on_ready)(struct sim_task *t, void *ctx);
    void *ctx; /* on_ready's, until it runs */
};

static inline bool sim_task_has(const struct sim_task *t, enum sim_switch s)
{
    return (t->switches & 1U << s) != 0;
}

struct sim_tasks;

/* opt, sender, media, ledger and base must outlive it; the sender is freed before it. */
struct sim_tasks *sim_tasks_new(struct event_base *base, const struct sim_options *opt,
                                struct sim_sender *sender, struct sim_media *media,
                                struct sim_ledger *ledger);
void sim_tasks_free(struct sim_tasks *all);

struct sim_new_task {
    const struct sim_shape *shape;
    const struct sim_endpoint *endpoint;
    const json_t *body;
    const char *key;
    unsigned switches;
    struct slice parent;
};

/* NULL with why when the account has no credits or there are too many. Nothing moves before
 * sim_task_start. */
struct sim_task *sim_task_new(struct sim_tasks *all, const struct sim_new_task *n,
                              struct sim_refusal *why);
/* on_ready runs when the answer to the create may leave: at once, or from the loop. It owns ctx,
 * memory from malloc, which is freed with the task when on_ready never runs. */
void sim_task_start(struct sim_task *t, void (*on_ready)(struct sim_task *t, void *ctx), void *ctx);

struct sim_task *sim_task_find(const struct sim_tasks *all, struct slice id);
/* How many creations a success has, and their names from 0 on. */
size_t sim_task_creations(const struct sim_task *t);
void sim_task_creation(const struct sim_task *t, size_t i, char out[20]);
/* Any of them. */
struct sim_task *sim_task_of_creation(const struct sim_tasks *all, struct slice creation);
/* The next job in this task's tree behind after (NULL: the first); NULL: there is none. */
struct sim_task *sim_task_next_job(const struct sim_task *t, const struct sim_task *after);
/* False when it is too far for that. */
bool sim_task_cancel(struct sim_task *t);
void sim_task_mark_cut(struct sim_task *t);
/* Every task there is, the oldest first. */
size_t sim_tasks_count(const struct sim_tasks *all);
const struct sim_task *sim_tasks_at(const struct sim_tasks *all, size_t i);
/* Credits left; -1: without end. */
int64_t sim_tasks_credits(const struct sim_tasks *all);

/* -- what is said about a task (sim_answer.c) -- */

const char *sim_state_word(const struct sim_shape *shape, enum sim_state s);

struct sim_report {
    enum sim_state state;
    const char *err_code;
    const char *id;    /* NULL: neither id nor payload */
    const char *video; /* creation that the URLs name; NULL: no creations */
    bool expired;      /* the URLs are */
};

void sim_answer_create(const struct sim_task *t, const json_t *body, struct buf *out);
/* The query's answer, and with other values in the report a callback's body. */
void sim_answer_report(const struct sim_task *t, const struct sim_report *r,
                       const struct sim_media *media, struct buf *out);
/* One of the tasks of the list call; asked: its t->asked, parsed. */
void sim_answer_listed(const struct sim_task *t, const json_t *asked, const struct sim_media *media,
                       struct buf *out);
/* An advertisement with all its parts (vidu-api.md section 7, query form B). */
void sim_answer_parts(const struct sim_task *t, const struct sim_media *media, struct buf *out);

#endif
