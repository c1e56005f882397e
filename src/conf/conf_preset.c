/* SPDX-License-Identifier: MIT */
#include "conf/conf_preset.h"

#define JSON_TYPE  "Content-Type: application/json"
#define CHAT_TEXT  "Vidu {event}: {task.prompt}\\n{file.name} {task.err_msg}\\n{task.id}"
#define CHAT_TITLE "Vidu: {event}"

const struct conf_preset conf_presets[] = {
    {.name = "none", .path = "", .recipe = "once", .needs = TAKES_TOKEN | TAKES_USER},
    {.name = "jellyfin",
     .path = "/Library/Media/Updated",
     .headers = {"Authorization: MediaBrowser Client=\"viduhook\", Device=\"viduhook\", "
                 "DeviceId=\"viduhook\", Version=\"1\", Token=\"$token\"",
                 JSON_TYPE},
     .head = "{{\"Updates\":[",
     .each = "{{\"Path\":\"{file.path}\",\"UpdateType\":\"Created\"}}",
     .tail = "]}}",
     .recipe = "once",
     .needs = NEED_TOKEN | NEED_FILE},
    {.name = "emby",
     .path = "/Library/Media/Updated",
     .headers = {"X-Emby-Token: $token", JSON_TYPE},
     .head = "{{\"Updates\":[",
     .each = "{{\"Path\":\"{file.path}\",\"UpdateType\":\"Created\"}}",
     .tail = "]}}",
     .recipe = "once",
     .needs = NEED_TOKEN | NEED_FILE},
    {.name = "plex",
     .path = "/library/sections",
     .headers = {"X-Plex-Token: $token", "Accept: application/json"},
     .recipe = "plex",
     .needs = NEED_TOKEN | NEED_FILE},
    {.name = "kodi",
     .path = "/jsonrpc",
     .headers = {"Authorization: Basic $basic", JSON_TYPE},
     .each = "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"VideoLibrary.Scan\",\"params\":{{"
             "\"directory\":\"$library\",\"showdialogs\":false}}}}",
     .recipe = "json-rpc",
     .needs = TAKES_TOKEN | TAKES_USER | NEED_LIBRARY},
    {.name = "webdav",
     .path = "",
     .headers = {"Authorization: Basic $basic"},
     .recipe = "webdav",
     .needs = TAKES_TOKEN | TAKES_USER | NEED_FILE,
     .uploads = true},
    {.name = "s3",
     .path = "",
     .recipe = "s3",
     .needs = NEED_TOKEN | NEED_USER | NEED_REGION | NEED_FILE,
     .uploads = true},
    {.name = "ntfy",
     .path = "",
     .headers = {"Authorization: Bearer $token", "Content-Type: text/plain; charset=utf-8",
                 "Title: " CHAT_TITLE},
     .each = "{task.prompt}\n{file.name} {task.err_msg}\n{task.id}",
     .recipe = "once",
     .needs = TAKES_TOKEN,
     .brief = true},
    {.name = "gotify",
     .path = "/message",
     .headers = {"X-Gotify-Key: $token", JSON_TYPE},
     .each = "{{\"title\":\"" CHAT_TITLE "\",\"message\":\"" CHAT_TEXT "\",\"priority\":5}}",
     .recipe = "once",
     .needs = NEED_TOKEN,
     .brief = true},
    {.name = "apprise",
     .path = "",
     .headers = {"Authorization: Bearer $token", JSON_TYPE},
     .each = "{{\"title\":\"" CHAT_TITLE "\",\"body\":\"" CHAT_TEXT "\",\"type\":\"info\"}}",
     .recipe = "once",
     .needs = TAKES_TOKEN,
     .brief = true},
    /* plain_text and no mentions: nobody may be called by what stands in a prompt. */
    {.name = "slack",
     .url = "https://hooks.slack.com/services",
     .path = "/$token",
     .headers = {JSON_TYPE},
     .each = "{{\"text\":\"" CHAT_TITLE "\",\"blocks\":[{{\"type\":\"section\",\"text\":{{"
             "\"type\":\"plain_text\",\"text\":\"" CHAT_TEXT "\"}}}}]}}",
     .recipe = "once",
     .needs = NEED_TOKEN,
     .brief = true},
    {.name = "discord",
     .url = "https://discord.com/api/webhooks",
     .path = "/$token",
     .headers = {JSON_TYPE},
     .each = "{{\"content\":\"" CHAT_TEXT "\",\"allowed_mentions\":{{\"parse\":[]}}}}",
     .recipe = "once",
     .needs = NEED_TOKEN,
     .brief = true},
};

const size_t conf_n_presets = ARRAY_LEN(conf_presets);

const struct conf_preset *conf_preset_of(const struct conf_hook *hook)
{
    return &conf_presets[hook->http.preset];
}
