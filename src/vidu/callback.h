/*
 * What a provider says about a task: the body of a callback, of Get Generation, or of a create
 * answer, in every variant of vidu-api.md 11.3 (F1-F10), section 7 and section 13.
 *
 * A result stands in creations[], or by itself as video_url, signed_url, creation_url, result_url
 * or url; the trees of jobs are those of job_tree.h. An envelope {"data":{...}} around all of it is
 * taken off.
 *
 * Pure: bytes in, struct out. Depth is limited to 32 before the JSON parser sees the text; ids
 * are text even when they arrive as numbers (digits are copied from the source, never through a
 * double); unknown members are ignored; duplicate members, bad UTF-8 and numbers beyond 64 bits
 * make it not understood.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_CALLBACK_H
#define VIDU_CALLBACK_H

#include "base/buf.h"
#include "vidu/names.h"
#include "vidu/state.h"

#define CALLBACK_MAX_CREATIONS 16
#define CALLBACK_ID_SIZE       65
#define CALLBACK_WORD_SIZE     65
#define CALLBACK_URL_MAX       8192

/*
 * One result. All members are owned text or NULL; a URL is NULL unless it is http or https, free
 * of blanks and control characters, and at most CALLBACK_URL_MAX bytes. What kind of file it leads
 * to: result_kind.h.
 */
struct creation {
    char *id;
    char *url;
    char *cover_url;
    char *watermarked_url;
};

struct callback {
    char id[CALLBACK_ID_SIZE];           /* `id`, else `task_id`; "" when the body has neither */
    char state_word[CALLBACK_WORD_SIZE]; /* `state`, else `status`, as sent */
    enum task_state state;               /* from the word, processing when unknown; failed with
                                            err_code UserCancelled is cancelled */
    bool state_known;
    char err_code[CALLBACK_WORD_SIZE * 2]; /* "" when absent, null or 0 */
    char *err_msg;                         /* NULL when absent */
    char *payload;                         /* NULL when absent; NULs replaced by U+FFFD */
    int64_t credits;                       /* -1 when absent; "40" and 40 are the same */
    size_t n_creations;
    struct creation creations[CALLBACK_MAX_CREATIONS];
};

/*
 * 0: filled, release with callback_clear. -EINVAL: not understood, *out untouched; that includes an
 * id that cannot be one, and a body with neither state nor status. -E2BIG: nested deeper than 32.
 * The text need not be NUL terminated; a leading UTF-8 BOM is skipped. Creations after the
 * CALLBACK_MAX_CREATIONS-th are left out.
 */
MUST_CHECK int callback_parse(const char *body, size_t n, struct callback *out, struct err *err);
/*
 * As callback_parse, for the answer to a look: id is the task that was asked about (NULL: unknown),
 * and in a tree of jobs the part with this id is what is read. names, NULL for the usual ones, say
 * where this provider has what.
 */
MUST_CHECK int callback_parse_answer(const char *body, size_t n, const char *id,
                                     const struct answer_names *names, struct callback *out,
                                     struct err *err);
void callback_clear(struct callback *cb);
/* Whether some creation has a URL. */
bool callback_has_url(const struct callback *cb);

/*
 * The creations as one canonical JSON array
 * [{"id":"..","url":"..","cover_url":"..","watermarked_url":".."}], absent members as "".
 * This text is what travels in messages and stands in the store as `result`.
 */
void callback_creations_json(const struct callback *cb, struct buf *out);

#endif
