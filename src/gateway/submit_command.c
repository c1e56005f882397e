/* SPDX-License-Identifier: MIT */
#include "gateway/submit_command.h"

#include "gateway/submit.h"
#include "vidu/document.h"

#include <errno.h>

#define MAX_HANDED (4U << 20) /* of a provider's answer that goes to the client */

/* A command that waits for its submit. */
struct waiting {
    struct gateway *g;
    struct asker asker;
};

static json_t *result_json(const struct submit_result *r)
{
    const struct answer *a = r->answer;

    switch (r->end) {
    case SUBMIT_ACCEPTED:
        return json_pack("{s:s, s:s}", "remote_id", a->remote_id, "state", "submitted");
    case SUBMIT_ANSWERED:
        return json_object();
    case SUBMIT_OVER_LIMIT:
        return json_pack("{s:s, s:s, s:s}", "error", r->error, "code", a->reason, "message",
                         r->error);
    case SUBMIT_REFUSED:
        return json_pack("{s:s, s:s, s:s}", "error", r->error, "code", a->reason, "message",
                         a->message);
    case SUBMIT_AMBIGUOUS:
        return json_pack("{s:s, s:s*}", "error", r->error, "state",
                         r->task != NULL ? "ambiguous" : NULL);
    case SUBMIT_UNRECORDED:
        return json_pack("{s:s, s:s}", "error", r->error, "remote_id", a->remote_id);
    default:
        return json_pack("{s:s}", "error", r->error);
    }
}

static enum exit_status exit_of(enum submit_end end)
{
    static const enum exit_status exits[] = {
        [SUBMIT_ACCEPTED] = EXIT_OK,           [SUBMIT_ANSWERED] = EXIT_OK,
        [SUBMIT_REFUSED] = EXIT_REFUSED,       [SUBMIT_OVER_LIMIT] = EXIT_REFUSED,
        [SUBMIT_AMBIGUOUS] = EXIT_FAILED,      [SUBMIT_UNSENT] = EXIT_FAILED,
        [SUBMIT_NOT_REGISTERED] = EXIT_FAILED, [SUBMIT_UNRECORDED] = EXIT_FAILED,
    };

    return exits[end];
}

static void answer(struct waiting *w, const struct submit_result *r)
{
    json_t *json = result_json(r);
    json_t *body = NULL;

    if (r->body.n <= MAX_HANDED && document_parse(r->body.p, r->body.n, &body, NULL) == 0)
        json_object_set_new(json, "answer", body);
    if (r->answer->trace_id[0] != '\0')
        json_object_set_new(json, "trace_id", json_string(r->answer->trace_id));
    if (r->task != NULL && r->end != SUBMIT_OVER_LIMIT)
        json_object_set_new(json, "task", json_string(r->task));
    if (r->end != SUBMIT_OVER_LIMIT)
        json_object_set_new(json, "http_status", json_integer(r->answer->http_status));
    w->g->commands_sending--;
    control_answer(w->g->control, w->asker, exit_of(r->end), json);
}

static void on_end(const struct submit_result *r, void *ctx)
{
    if (r != NULL)
        answer(ctx, r);
    free(ctx);
}

void submit_start(struct gateway *g, const struct command *cmd)
{
    const struct submit_order order = {
        .args = cmd->args, .body = cmd->blob, .file = cmd->file >= 0 ? &cmd->file : NULL};
    struct waiting *w;
    struct err err = {""};
    int r;

    if (g->commands_sending >= SUBMIT_AT_ONCE) {
        control_refuse(g->control, cmd->asker, EXIT_FAILED,
                       "%d requests are on their way already; nothing was sent, try again",
                       SUBMIT_AT_ONCE);
        return;
    }
    w = mem_calloc(1, sizeof(*w));
    *w = (struct waiting){g, cmd->asker};
    g->commands_sending++;
    r = submit_begin(g, &order, on_end, w, &err);
    if (r == 0)
        return;
    g->commands_sending--;
    control_refuse(g->control, cmd->asker, r == -EAGAIN ? EXIT_FAILED : EXIT_USAGE, "%s", err.text);
    free(w);
}
