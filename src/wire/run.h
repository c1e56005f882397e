/*
 * A run, as the keeper hands it to the runner: the text of MSG_RUN. Its first line is the action,
 * its second the context, which is also what a command reads on stdin. Below they stand together.
 *
 * {
 *   "action": {"kind": "exec", "argv": ["/x", "{file.path}"], "timeout_ms": 300000, "cwd": "/",
 *              "umask": 18, "env": ["NAME=VALUE"], "limits": {"memory": bytes, "cpu_ms": n,
 *              "files": n, "file_size": bytes, "processes": n}}; a limit of 0 is none; with a
 *              user of its own also "user": {"uid", "gid", "groups": [n], "home": "/x"};
 *              "show": true when what is started is to be told
 *           | {"kind": "download", "dir": "/srv/media", "layout": "flat", "mode": 420,
 *              "cover": true, "watermarked": "no", "nfo": false, "posters": false,
 *              "sidecar": false, "max_size": 1073741824, "timeout_ms": 3600000},
 *              With max_total also "quota": {"max_total": n, "used": n, and with prune
 *              "oldest": [{"path", "task", "kind", "bytes"}]}, of other tasks, oldest first.
 *           | {"kind": "http", "recipe": "once", "method": "POST", "url": "https://h/{task.id}",
 *              "headers": ["Name: {event}"], "body": {"head", "each", "tail"} or "format":
 *              "context" | "raw" | "cloudevents" | "cloudevents-binary", "secrets": ["whsec_..."],
 *              "path_map": [["/srv/media", "/media"]], "needs_file": false, "brief": false,
 *              "timeout_ms": 20000},                 headers and url may hold secrets;
 *                                                    recipe s3 has user, token, region as well,
 *                                                    upload "form": [["name", "template"]] and
 *                                                    "file_field", format raw "raw": base64
 *              With kind "http-batch" also "batch": {"max": n, "wait_ms": n}.
 *   "context": {
 *     "event": "success",
 *     "run":  {"id": 17, "attempt": 1, "hook": "archive", "replay": false},
 *     "task": {"id": "t3k9...", "remote_id": "...", "provider": "vidu", "endpoint": "img2video",
 *              "model": "...", "prompt": "...", "payload": "...", "state": "success",
 *              "err_code": "", "err_msg": "", "credits": 40, "tags": {"album": "x"},
 *              "created_at": "RFC 3339", "finished_at": "RFC 3339 or empty"},
 *     "result": [{"id","url","cover_url","watermarked_url"}],
 *     "source": "callback" | "poll" | "submit" | "operator",
 *     "files": [{"path","kind","bytes","sha256","run"}],  of this task so far; kind: video, cover,
 *                                             watermarked, image, audio, nfo, sidecar, poster
 *     "after": {"hook": "archive", "run": 16, "state": "done", "attempt": 1, "exit_code": 0,
 *               "detail": "..."},             of the run it comes after; absent when of none
 *     "details": {...}                        of what happened, when it is no change of a task;
 *   }                                         when it is of none, task, result, source are absent
 * }
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WIRE_RUN_H
#define WIRE_RUN_H

#include "base/buf.h"

#include <jansson.h>

/*
 * The value of a template name (vidu/template.h) in a context: task.id, file.path (first file of
 * kind video, image or audio), file.cover, url, cover_url, run.attempt, ... "" when it is absent.
 * The text lives in scratch until the next call.
 */
const char *run_context_value(const json_t *context, const char *name, struct buf *scratch);

/* The same as a template_lookup: ctx is a struct run_lookup; the caller frees its scratch. */
struct run_lookup {
    const json_t *context;
    struct buf scratch;
};
const char *run_look_up(const char *name, void *ctx);

#endif
