/* SPDX-License-Identifier: MIT */
#include "keeper/follow.h"

#include "keeper/schedule.h"

#define MAX_FOLLOWED 64         /* as many as the control socket has clients */
#define MAX_GATEWAYS 32         /* one, and those that drain after a reload */
#define MAX_BEHIND   (4U << 20) /* bytes that a gateway may be late */

struct follows {
    struct {
        int64_t run;
        unsigned gateway;
    } rows[MAX_FOLLOWED];
    size_t n;
    struct {
        unsigned gateway;
        uint32_t watchers;
    } watched[MAX_GATEWAYS];
    size_t n_watched;
};

static size_t find(const struct follows *f, int64_t run, unsigned gateway)
{
    size_t i = 0;

    while (i < f->n && (f->rows[i].run != run || f->rows[i].gateway != gateway))
        i++;
    return i;
}

static bool is_followed(const struct follows *f, int64_t run)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->rows[i].run == run)
            return true;
    return false;
}

static void tell_runner(struct room *runner, int64_t run, uint32_t followers)
{
    struct msg_follow msg = {.run = (uint64_t)run, .followers = followers};

    if (runner != NULL)
        (void)channel_send(room_channel(runner), MSG_FOLLOW, (uint64_t)run, &msg);
}

/* Rows of gateways that are no more make room. */
static void forget_gone(struct keeper *k)
{
    struct follows *f = k->follows;
    size_t kept = 0;

    for (size_t i = 0; i < f->n; i++)
        if (supervise_by_id(k->supervise, f->rows[i].gateway) != NULL)
            f->rows[kept++] = f->rows[i];
    f->n = kept;
}

static void set(struct keeper *k, int64_t run, unsigned gateway, bool followed)
{
    struct follows *f = k->follows;
    size_t i;

    forget_gone(k);
    i = find(f, run, gateway);
    if (i < f->n && !followed) {
        f->rows[i] = f->rows[--f->n];
    } else if (i == f->n && followed && f->n < MAX_FOLLOWED) {
        f->rows[i].run = run;
        f->rows[i].gateway = gateway;
        f->n++;
    }
}

/* A gateway that is being started, and may never take over, says nothing of the one that serves. */
void follow_on_subscribe(struct keeper *k, struct room *gateway, const struct frame *f)
{
    struct follows *all = k->follows;
    struct msg_subscribe msg;
    size_t kept = 0;

    if (message_read(f, &msg) < 0)
        return;
    k->watchers = msg.watchers;
    for (size_t i = 0; i < all->n_watched; i++)
        if (all->watched[i].gateway != room_id(gateway) &&
            supervise_by_id(k->supervise, all->watched[i].gateway) != NULL) {
            k->watchers += all->watched[i].watchers;
            all->watched[kept++] = all->watched[i];
        }
    if (kept < MAX_GATEWAYS) {
        all->watched[kept].gateway = room_id(gateway);
        all->watched[kept++].watchers = msg.watchers;
    }
    all->n_watched = kept;
}

void follow_on_message(struct keeper *k, struct room *gateway, const struct frame *f)
{
    const struct running *r;
    struct msg_follow msg;

    if (message_read(f, &msg) < 0)
        return;
    set(k, (int64_t)msg.run, room_id(gateway), msg.followers > 0);
    r = schedule_find(k, (int64_t)msg.run);
    if (r != NULL)
        tell_runner(supervise_by_id(k->supervise, r->room), r->run,
                    is_followed(k->follows, r->run));
}

static void pass_on(struct room *gateway, const struct frame *f)
{
    if (gateway != NULL && channel_queued(room_channel(gateway)) < MAX_BEHIND)
        (void)channel_forward(room_channel(gateway), f, f->id);
}

void follow_on_output(struct keeper *k, struct room *runner, const struct frame *f)
{
    const struct follows *all = k->follows;
    struct msg_output msg;

    (void)runner;
    if (message_read(f, &msg) < 0)
        return;
    for (size_t i = 0; i < all->n; i++)
        if (all->rows[i].run == (int64_t)msg.run)
            pass_on(supervise_by_id(k->supervise, all->rows[i].gateway), f);
}

void follow_begun(struct keeper *k, int64_t run, struct room *runner)
{
    if (is_followed(k->follows, run))
        tell_runner(runner, run, 1);
}

struct follows *follows_new(void)
{
    return mem_calloc(1, sizeof(struct follows));
}

void follows_free(struct follows *f)
{
    free(f);
}
