/* SPDX-License-Identifier: MIT */
#include "store/store_json.h"

#include "base/clock.h"
#include "vidu/document.h"

static json_t *time_of(int64_t wall_ms)
{
    char out[25] = "";

    if (wall_ms != 0)
        clock_format_rfc3339(wall_ms, out);
    return json_string(out);
}

static json_t *parsed(const char *s, json_t *otherwise)
{
    json_t *value = json_loads(str_or(s, ""), 0, NULL);

    if (value == NULL)
        return otherwise;
    json_decref(otherwise);
    return value;
}

json_t *store_json_task(const struct store_task *t)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o}",
                     "id", t->id, "remote_id", document_string(t->remote_id), "provider",
                     document_string(t->provider), "endpoint", document_string(t->endpoint),
                     "model", document_string(t->model), "prompt", document_string(t->prompt),
                     "state", state_name(t->state), "err_code", document_string(t->err_code),
                     "err_msg", document_string(t->err_msg), "credits", (json_int_t)t->credits,
                     "tags", parsed(t->tags, json_object()), "created_at", time_of(t->created_ms),
                     "updated_at", time_of(t->updated_ms), "finished_at", time_of(t->finished_ms),
                     "trace_id", document_string(t->trace_id));
}

json_t *store_json_whole_task(const struct store_task *t)
{
    json_t *task = store_json_task(t);

    json_object_set_new(task, "payload", document_string(t->payload));
    json_object_set_new(task, "request", parsed(t->request, json_object()));
    json_object_set_new(task, "result", parsed(t->result, json_array()));
    json_object_set_new(task, "pending", json_string(state_name(t->pending)));
    json_object_set_new(task, "next_look_at", time_of(t->next_look_ms));
    return task;
}

json_t *store_json_run(const struct store_run *r)
{
    json_t *run =
        json_pack("{s:I, s:s, s:o, s:o, s:s, s:i, s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "id",
                  (json_int_t)r->row, "task", r->task_id, "hook", document_string(r->hook), "event",
                  document_string(r->trigger), "state", run_state_name(r->state), "attempt",
                  r->attempt, "due_at", time_of(r->due_ms), "started_at", time_of(r->started_ms),
                  "finished_at", time_of(r->finished_ms), "exit_code", (json_int_t)r->exit_code,
                  "after", document_string(r->after), "detail", document_string(r->detail),
                  "output", document_string(r->output));

    if (!str_empty(r->details))
        json_object_set_new(run, "details", parsed(r->details, json_object()));
    if (!str_empty(r->command))
        json_object_set_new(run, "command", parsed(r->command, json_object()));
    return run;
}

json_t *store_json_event(const struct store_event *e, size_t entry)
{
    return json_pack("{s:I, s:o, s:s, s:o, s:s, s:o, s:b}", "entry", (json_int_t)entry, "at",
                     time_of(e->at_ms), "source", store_source_name(e->source), "verdict",
                     document_string(e->verdict), "state", state_name(e->state), "detail",
                     document_string(e->detail), "body", e->body.n != 0);
}

json_t *store_json_file(const struct store_file *f)
{
    return json_pack("{s:o, s:o, s:o, s:I, s:o, s:I, s:o}", "task", document_string(f->task_id),
                     "path", document_string(f->path), "kind", document_string(f->kind), "bytes",
                     (json_int_t)f->bytes, "sha256", document_string(f->sha256), "run",
                     (json_int_t)f->run, "created_at", time_of(f->created_ms));
}
