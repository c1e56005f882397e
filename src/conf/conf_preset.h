/*
 * Servers that an http hook knows by name: rows of what their requests look like
 * (media-servers.md section 2; chats: their public manuals).
 *
 * Texts are templates (vidu/template.h) with some words more, which the configuration fills in:
 * $token, $library, and $basic, the base64 of "user:token"; for URLs $user, and $folder, which is
 * library without the slashes around it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_PRESET_H
#define CONF_CONF_PRESET_H

#include "conf/conf.h"

enum conf_need {
    NEED_TOKEN = 1 << 0,
    NEED_LIBRARY = 1 << 1,
    NEED_FILE = 1 << 2,   /* a run without a downloaded file cannot be delivered */
    TAKES_TOKEN = 1 << 3, /* may have one */
    TAKES_USER = 1 << 4,
    NEED_USER = 1 << 5,
    NEED_REGION = 1 << 6, /* its signature is made with user and token */
};

struct conf_preset {
    const char *name;
    const char *url;        /* when the hook has none; NULL: it must */
    const char *path;       /* behind the url */
    const char *headers[3]; /* "Name: value"; those with $token only when there is one */
    /* The body: head, each for every result file with commas between them, tail; or only each. */
    const char *head, *each, *tail;
    /* Of recipe upload: the form's fields, templates; NULL file_field: no form, the file alone. */
    struct {
        const char *name, *value;
    } form[4];
    const char *file_field;
    const char *recipe; /* how the exchange goes: runner/deliver_recipe.h */
    unsigned needs;     /* enum conf_need */
    int batch_max;      /* runs in one request unless the hook says otherwise; 0: always one */
    int batch_wait_ms;
    bool brief;   /* prompts are cut: it goes to people */
    bool uploads; /* whole files travel, which takes time */
};

/* The names as an option's range, in the order of the rows; the first is no preset. */
#define CONF_PRESETS                                                                               \
    "none|jellyfin|emby|plex|kodi|webdav|nextcloud|s3|immich|ntfy|gotify|apprise|slack|discord"

extern const struct conf_preset conf_presets[];
extern const size_t conf_n_presets;
const struct conf_preset *conf_preset_of(const struct conf_hook *hook);

#endif
