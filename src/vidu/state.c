/* SPDX-License-Identifier: MIT */
#include "vidu/state.h"

static const char *const names[STATE_COUNT] = {
    [STATE_REGISTERED] = "registered", [STATE_SUBMITTED] = "submitted",
    [STATE_QUEUED] = "queued",         [STATE_PROCESSING] = "processing",
    [STATE_SUCCESS] = "success",       [STATE_FAILED] = "failed",
    [STATE_CANCELLED] = "cancelled",   [STATE_REJECTED] = "rejected",
    [STATE_AMBIGUOUS] = "ambiguous",   [STATE_LOST] = "lost",
};

/*
 * Rows: from. Columns: to, in the order of the enum. '>' advance, '=' repeat, '!' conflict.
 * A refusal after a sign of life, and a sign of life after a refusal, contradict each other.
 */
static const char steps[STATE_COUNT][STATE_COUNT + 1] = {
    /*                    RSQP sfc ral */
    [STATE_REGISTERED] = "=>>>>>>>>>", [STATE_SUBMITTED] = "==>>>>>!=>",
    [STATE_QUEUED] = "===>>>>!=>",     [STATE_PROCESSING] = "====>>>!=>",
    [STATE_SUCCESS] = "=====!!!==",    [STATE_FAILED] = "====!=!!==",
    [STATE_CANCELLED] = "====!!=!==",  [STATE_REJECTED] = "==!!!!!===",
    [STATE_AMBIGUOUS] = "=>>>>>>>=>",  [STATE_LOST] = "=>>>>>>>==",
};

static const struct word {
    const char *text;
    enum task_state state;
} words[] = {
    {"success", STATE_SUCCESS},        {"processing", STATE_PROCESSING},
    {"failed", STATE_FAILED},          {"created", STATE_QUEUED},
    {"queueing", STATE_QUEUED},        {"queued", STATE_QUEUED},
    {"queue", STATE_QUEUED},           {"pending", STATE_QUEUED},
    {"submitted", STATE_QUEUED},       {"not_start", STATE_QUEUED},
    {"preparation", STATE_QUEUED},     {"scheduling", STATE_QUEUED},
    {"scheduled", STATE_QUEUED},       {"in_queue", STATE_QUEUED},
    {"in_progress", STATE_PROCESSING}, {"running", STATE_PROCESSING},
    {"generating", STATE_PROCESSING},  {"succeed", STATE_SUCCESS},
    {"succeeded", STATE_SUCCESS},      {"completed", STATE_SUCCESS},
    {"complete", STATE_SUCCESS},       {"done", STATE_SUCCESS},
    {"finished", STATE_SUCCESS},       {"ok", STATE_SUCCESS},
    {"failure", STATE_FAILED},         {"fail", STATE_FAILED},
    {"error", STATE_FAILED},           {"expired", STATE_FAILED},
    {"timeout", STATE_FAILED},         {"cancelled", STATE_CANCELLED},
    {"canceled", STATE_CANCELLED},     {"usercancelled", STATE_CANCELLED},
};

static bool in_range(enum task_state s)
{
    return (unsigned)s < STATE_COUNT;
}

const char *state_name(enum task_state s)
{
    return in_range(s) ? names[s] : "unknown";
}

bool state_from_name(const char *name, enum task_state *out)
{
    for (size_t i = 0; i < STATE_COUNT; i++) {
        if (!str_eq(name, names[i]))
            continue;
        *out = (enum task_state)i;
        return true;
    }
    return false;
}

bool state_is_final(enum task_state s)
{
    return s == STATE_SUCCESS || s == STATE_FAILED || s == STATE_CANCELLED || s == STATE_REJECTED;
}

enum task_state state_from_word(struct slice word, bool *known)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!slice_is_nocase(word, words[i].text))
            continue;
        *known = true;
        return words[i].state;
    }
    *known = false;
    return STATE_PROCESSING;
}

enum state_step state_step(enum task_state from, enum task_state to)
{
    if (!in_range(from) || !in_range(to))
        return STEP_CONFLICT;
    switch (steps[from][to]) {
    case '>':
        return STEP_ADVANCE;
    case '!':
        return STEP_CONFLICT;
    default:
        return STEP_REPEAT;
    }
}
