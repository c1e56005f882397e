/*
 * What a run does, behind one table of operations a kind.
 *
 * An action calls on_done exactly once, from the loop and never from inside start; free is due
 * after that, and allowed in it. Freed earlier, it ends what it began and calls nobody.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_ACTION_H
#define RUNNER_ACTION_H

#include "wire/message.h"

#include <jansson.h>

struct batches;
struct breaker;
struct client;
struct event_base;
struct reap;
struct sweep;

struct action_env {
    struct event_base *base;
    struct client *client;   /* for URLs that strangers sent */
    struct client *deliver;  /* for those of the configuration: any address, no redirects */
    struct breaker *breaker; /* of deliver */
    struct batches *batches; /* of runs that wait for others */
    struct reap *reap;
    struct sweep *sweep;
    size_t output;      /* bytes kept of what a command says */
    uint64_t keep_free; /* bytes downloads leave on their file system */
};

struct action_events {
    /* run and attempt are the runner's to fill in. Valid during the call. */
    void (*on_done)(const struct msg_done *done, void *ctx);
    void (*on_progress)(const char *name, uint64_t done, uint64_t total, void *ctx);
    /* A piece of what a command says, while somebody follows it: live.h. */
    void (*on_output)(uint64_t at, struct slice text, void *ctx);
    /* The URLs of the result do not work any more; ops->fresh is the answer. */
    void (*on_expired)(void *ctx);
};

struct action_ops {
    const char *kind;
    /* action and context (wire/run.h) are borrowed until free; line, the context as it was written,
     * during the call. */
    void *(*start)(const struct action_env *env, const json_t *action, const json_t *context,
                   struct slice line, const struct action_events *events, void *ctx);
    /* Ends it soon; on_done follows with this outcome. why is static text. */
    void (*stop)(void *a, enum run_outcome outcome, const char *why);
    /* result: callback_creations_json, or NULL and error says why there is none. */
    void (*fresh)(void *a, const json_t *result, const char *error);
    /* Whether somebody wants to hear it live; NULL: there is nothing to hear. */
    void (*follow)(void *a, bool on);
    void (*free)(void *a);
};

extern const struct action_ops exec_ops;
extern const struct action_ops download_ops;
extern const struct action_ops deliver_ops;
extern const struct action_ops batch_ops;

#endif
