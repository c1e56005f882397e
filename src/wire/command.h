/* clang-format off */
/*
 * Requests of the command line: the JSON of MSG_COMMAND and MSG_RESULT on the control socket.
 *
 * The gateway sends MSG_HELLO {version, {"version": "0.1.0", "pid": n, "providers": [names]}}
 * first. Then the client asks, one MSG_COMMAND a question; an answer that is no success has an
 * exit status and {"error": text}.
 *
 *   command  members                        by       answer
 *   submit   provider?, endpoint, tags{},   gateway  {"task": id, "remote_id", "state",
 *            force?; blob: the body                  "http_status", "answer": the provider's,
 *                                                    "trace_id"}; refused: exit 3 {"error",
 *                                                    "http_status", "code", "message",
 *                                                    "trace_id", "task"}
 *   adopt    provider, remote_id,           gateway  {"task": id, "state"}
 *            endpoint?, tags{}
 *   credits  provider?                      gateway  {"provider", "remains": [{"type",
 *                                                    "credit_remain"?, "concurrency_limit"?,
 *                                                    "current_concurrency"?, "queue_count"?}]}
 *   cancel   task                           gateway  {"task": id, "remote_id", "provider"}: the
 *                                                    provider has agreed; refused: exit 3
 *   upload   provider?                      gateway  {"id", "put_url"}: where the client puts an
 *                                                    image, without a key
 *   uploaded provider?, id, etag            gateway  {"uri"}: what requests call that image
 *   watch    task? (id), run?               gateway  {} with more=1, then MSG_EVENT until the
 *                                                    client closes; with run its output too.
 *                                                    Once on a connection
 *   list     state?, provider?, tag?,       keeper   {"tasks": [task]}
 *            since? (ms), limit?
 *   show     task (prefix)                  keeper   {"task": {}, "files": [], "runs": []}
 *   explain  task                           keeper   {"task", "events": [], "files", "runs"}
 *   runs     task?, state?, hook?, limit?   keeper   {"runs": [run]}
 *   lookup   provider, remote_ids[],        keeper   {"tasks": [...]}: those that are known, in
 *            look?, tree?, list?                     that order, with "result" as JSON text and
 *                                                    created_ms, updated_ms (for the gateway), bgm
 *                                                    and off_peak if what was asked is known;
 *                                                    list: without payload, with "request" as text;
 *                                                    look: with what the last look has found, as
 *                                                    it came, if that still holds; tree: or a
 *                                                    callback, if the state is still the same
 *   run      run                            keeper   {"run": run}
 *   retry    run | all_dead, hook?,         keeper   {"runs": [ids], "more"}: newest first, at most
 *            since? (ms), before? (run),             1000; so many a second, offset of them before
 *            rate?, offset?
 *   cancel-run run                          keeper   {"run", "running"}: it is being ended
 *   replay   task, hook?, as?: task         keeper   {"task", "event", "verdict", "runs": [ids]}
 *            | received | edited, entry?;
 *            blob: the edited payload
 *   received task, entry?                   keeper   {"task", "at", "source", "state", "body"}
 *   pause    hook, paused: false resumes    keeper   {"hook", "paused"}
 *   trigger  hook?, event?, state?,         keeper   {"task": id, "runs": [ids]}
 *            set?: {"prompt": text}
 *   refresh  task                           keeper   {"result": [creation]}
 *   cancelled task                          keeper   {"task": id}: the gateway's own word, after
 *                                                    the provider has agreed to cancel
 *   reload                                  keeper   {"reloaded": true, "notes": []} or exit 1
 *                                                    {"error", "findings": []}
 *   status                                  keeper   {"rooms", "tasks", "runs", "store", ...}
 *   spend    since? (ms)                    keeper   {"days": [{"day", "provider", "tasks",
 *                                                    "credits", "replaced"}], "credits_per_day"}
 *   pay      provider, credits?             keeper   {}: credits are counted; without them: exit 3
 *                                                    when limits.credits_per_day is reached (for
 *                                                    the gateway)
 *   config                                  keeper   {"file", "yaml": text}
 *
 * A task: {"id", "remote_id", "provider", "endpoint", "model", "prompt", "payload", "state",
 * "err_code", "err_msg", "credits", "tags", "created_at", "updated_at", "finished_at", "trace_id",
 * "result", "request", "next_look_at"}; lists leave out result, request, payload, next_look_at.
 * A run: {"id", "task", "hook", "event", "state", "attempt", "due_at", "started_at", "finished_at",
 * "exit_code", "detail", "output", "progress"}; of a trigger "command": {"argv", "env", "stdin"}.
 * A timeline event: {"at", "source", "verdict", "state", "detail"}.
 * A live event (MSG_EVENT): {"at", "event": "task" | "run" | "progress", ...}: "task" with "task",
 * "state", "source", "verdict"; "run" with "run", "task", "hook", "state", "attempt", "detail";
 * "progress" with "run", "task", "hook", "name", "done", "total"; "output" with "run", "attempt",
 * "at" (offset of the first byte, so that gaps are seen), "text" (empty: at is the end).
 *
 * SPDX-License-Identifier: MIT
 */
/* clang-format on */
#ifndef WIRE_COMMAND_H
#define WIRE_COMMAND_H

/* Exit status of every command (design.md section 10). */
enum exit_status {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_REFUSED = 3,
    EXIT_NOT_FOUND = 4,
    EXIT_TIMED_OUT = 6,
    EXIT_UNREACHABLE = 7,
    EXIT_TASK_FAILED = 8,
};

/* The code of a submit that limits.credits_per_day refuses. */
#define OVER_LIMIT_CODE "ViduhookCreditsPerDay"

#endif
