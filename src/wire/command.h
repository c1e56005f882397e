/*
 * Requests of the command line: the JSON of MSG_COMMAND and MSG_RESULT on the control socket.
 *
 * The gateway sends MSG_HELLO {version, {"version": "0.1.0", "pid": n, "providers": [names]}}
 * first. Then the client asks, one MSG_COMMAND a question:
 *
 *   command    members                                        answered by, with
 *   submit     provider?, endpoint, tags{}, force?; blob:     gateway: {"task": id, "remote_id",
 *              the request body                               "state", "http_status", "answer":
 *                                                             provider's body, "trace_id"};
 * refused: exit 3 {"error", "http_status", "code", "message", "trace_id", "task"} adopt provider,
 * remote_id, endpoint?, tags{}         gateway: {"task": id, "state"} watch      task? (id)
 * gateway: MSG_EVENT until the client closes; first RESULT {} more=1 list       state?, provider?,
 * tag?, limit?                keeper: {"tasks": [task]} show       task (prefix) keeper: {"task":
 * {...}, "files": [], "runs": []} explain    task                                           keeper:
 * {"task", "events": [], "runs"} runs       task?, state?, hook?, limit?                   keeper:
 * {"runs": [run]} retry      run | all_dead, hook?                          keeper: {"runs": [ids]}
 *   trigger    hook?, event?                                  keeper: {"task": id, "runs": [ids]}
 *   refresh    task                                           keeper: {"result": [creation]}
 *   reload                                                    keeper: {"reloaded": true, "notes":
 * []} or exit 1 {"error", "findings": []} status keeper: {"rooms", "counters", "tasks", "runs",
 * "store", ...} config                                                    keeper: {"yaml": text}
 *
 * A task: {"id", "remote_id", "provider", "endpoint", "model", "prompt", "payload", "state",
 * "err_code", "err_msg", "credits", "tags", "created_at", "updated_at", "finished_at", "trace_id",
 * "result", "request"}; lists leave out result, request and payload.
 * A run: {"id", "task", "hook", "event", "state", "attempt", "due_at", "started_at", "finished_at",
 * "exit_code", "detail", "output", "progress"}.
 * A timeline event: {"at", "source", "verdict", "state", "detail"}.
 * A live event (MSG_EVENT): {"at", "event": "task" | "run" | "progress", ...}: "task" with "task",
 * "state", "source", "verdict"; "run" with "run", "task", "hook", "state", "attempt", "detail";
 * "progress" with "run", "task", "hook", "name", "done", "total".
 *
 * SPDX-License-Identifier: MIT
 */
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

#endif
