/* SPDX-License-Identifier: MIT */
#include "sim/sim_catalogue.h"

#include "base/encode.h"
#include "vidu/crypto.h"

#include <string.h>

#define BOUNDARY_MAX 72
#define TEXT_SIZE    64

#define TASK(NAME)                                                                                 \
    {                                                                                              \
        .name = NAME, .id_key = "task_id"                                                          \
    }
#define NO_PAY(NAME)                                                                               \
    {                                                                                              \
        .name = NAME, .id_key = "task_id", .no_payload = true                                      \
    }
#define SOUND(NAME)                                                                                \
    {                                                                                              \
        .name = NAME, .id_key = "task_id", .no_payload = true, .result = SIM_SOUND                 \
    }
#define SUB(NAME, ID)                                                                              \
    {                                                                                              \
        .name = NAME, .id_key = ID, .parent_key = "ad_one_click_task_id"                           \
    }
#define TREE(NAME)                                                                                 \
    {                                                                                              \
        .name = NAME, .id_key = "id", .tree = true, .no_payload = true                             \
    }
#define AT_ONCE(NAME, TEXT, ...)                                                                   \
    {                                                                                              \
        .name = NAME, .id_key = "task_id", .answer = TEXT, .no_callback = true, __VA_ARGS__        \
    }

static const struct sim_endpoint catalogue[] = {
    TASK("multiframe"),
    TASK("extend"),
    TASK("template"),
    TASK("template-story"),
    {.name = "reference2image", .id_key = "task_id", .result = SIM_STILL},
    TASK("upscale-new"),
    TASK("image2dance"),
    TASK("digital-human"),
    NO_PAY("lip-sync"),
    SOUND("text2audio"),
    SOUND("timing2audio"),
    NO_PAY("ad-one-click"),
    SUB("ad-one-click/edit", "sub_task_id"),
    SUB("ad-one-click/compose", "compose_sub_task_id"),
    NO_PAY("trending-replicate"),
    TREE("one-click/mv"),
    TREE("one-click/mv/*/edit"),
    TREE("one-click/mv/*/compose"),
    {.name = "one-click/general_one_click", .id_key = "id", .tree = true},
    {.name = "one-click/genernal_one_click", .id_key = "id", .tree = true}, /* of its example */
    TREE("one-click/general_one_click/*/edit"),
    TREE("one-click/general_one_click/*/compose"),
    AT_ONCE("audio-tts", "{\"task_id\":\"1\",\"state\":\"success\",\"file_url\":"
                         "\"https://media.example/tts.mp3\",\"credits\":1}"),
    AT_ONCE("audio-clone", "{\"task_id\":\"1\",\"state\":\"success\",\"voice_id\":\"mine\","
                           "\"demo_audio\":\"https://media.example/demo.mp3\"}"),
    AT_ONCE("img2video-prompt-recommendation", "{\"id\":\"1\",\"prompts\":[\"it moves\"]}",
            .no_payload = true),
    AT_ONCE("subjects", "{\"id\":\"1\",\"name\":\"cat\"}", .no_payload = true),
    {.name = "videos", .id_key = "id", .form = true, .no_callback = true},
};

static bool fits(const char *pattern, struct slice path, struct slice *parent)
{
    const char *star = strchr(pattern, '*');
    size_t head = star != NULL ? (size_t)(star - pattern) : 0;
    size_t tail = star != NULL ? strlen(star + 1) : 0;

    *parent = (struct slice){"", 0};
    if (star == NULL)
        return slice_is(path, pattern);
    if (path.n <= head + tail || memcmp(path.p, pattern, head) != 0 ||
        memcmp(path.p + path.n - tail, star + 1, tail) != 0)
        return false;
    *parent = (struct slice){path.p + head, path.n - head - tail};
    return memchr(parent->p, '/', parent->n) == NULL;
}

const struct sim_endpoint *sim_catalogue_find(struct slice path, struct slice *parent)
{
    for (size_t i = 0; i < ARRAY_LEN(catalogue); i++)
        if (fits(catalogue[i].name, path, parent))
            return &catalogue[i];
    return NULL;
}

static json_t *refuse(struct sim_refusal *why, const char *reason, const char *message,
                      const char *field)
{
    *why = (struct sim_refusal){400, reason, message, field};
    return NULL;
}

json_t *sim_catalogue_parse(const struct sim_endpoint *e, struct slice body,
                            struct sim_refusal *why)
{
    json_t *root = json_loadb(body.p, body.n, JSON_ALLOW_NUL, NULL);
    const char *unwanted = NULL;

    if (!json_is_object(root)) {
        json_decref(root);
        return refuse(why, "BadRequest", "the body is not a JSON object", NULL);
    }
    if (e->no_callback && json_object_get(root, "callback_url") != NULL)
        unwanted = "callback_url";
    if (e->no_payload && json_object_get(root, "payload") != NULL)
        unwanted = "payload";
    if (unwanted != NULL) {
        json_decref(root);
        return refuse(why, "FieldUnwanted", "unwanted field", unwanted);
    }
    return root;
}

/* -- forms -- */

static const char *find(struct slice in, const char *text, size_t n)
{
    return memmem(in.p, in.n, text, n);
}

/* What stands between the quotes behind key=, or behind it up to the end of the line. */
static bool parameter(struct slice line, const char *key, char *out, size_t size)
{
    const char *at = find(line, key, strlen(key));
    const char *end = line.p + line.n;
    size_t n = 0;

    if (at == NULL)
        return false;
    at += strlen(key);
    at += at < end && *at == '"';
    while (at + n < end && at[n] != '"' && at[n] != '\r' && at[n] != ';')
        n++;
    if (n == 0 || n >= size)
        return false;
    memcpy(out, at, n);
    out[n] = '\0';
    return true;
}

static json_t *describe_file(struct slice content, const char *type)
{
    uint8_t hash[SHA256_LEN];
    char hex[SHA256_HEX_LEN + 1];

    crypto_sha256(content.p, content.n, hash);
    encode_hex(hash, sizeof(hash), hex);
    return json_pack("{s:I, s:s, s:s}", "bytes", (json_int_t)content.n, "type", type, "sha256",
                     hex);
}

/* One part: its head, an empty line, its content. */
static bool read_part(struct slice part, json_t *into)
{
    const char *blank = find(part, "\r\n\r\n", 4);
    struct slice head, content;
    char name[TEXT_SIZE], type[TEXT_SIZE];
    json_t *value;

    if (blank == NULL)
        return false;
    head = (struct slice){part.p, (size_t)(blank - part.p)};
    content = (struct slice){blank + 4, part.n - head.n - 4};
    if (find(head, "Content-Disposition: form-data;", 31) == NULL ||
        !parameter(head, " name=", name, sizeof(name)))
        return false;
    if (find(head, "filename=", 9) != NULL)
        value = parameter(head, "Content-Type: ", type, sizeof(type)) ? describe_file(content, type)
                                                                      : NULL;
    else
        value = json_stringn(content.p, content.n);
    return value != NULL && json_object_set_new(into, name, value) == 0;
}

static bool read_parts(struct slice body, const char *boundary, json_t *into)
{
    autofree char *mark = mem_printf("\r\n--%s", boundary);
    size_t n = strlen(mark);

    if (body.n < n || memcmp(body.p, mark + 2, n - 2) != 0)
        return false;
    body = (struct slice){body.p + n - 2, body.n - (n - 2)};
    while (body.n >= 2 && memcmp(body.p, "\r\n", 2) == 0) {
        struct slice rest = {body.p + 2, body.n - 2};
        const char *next = find(rest, mark, n);

        if (next == NULL || !read_part((struct slice){rest.p, (size_t)(next - rest.p)}, into))
            return false;
        body = (struct slice){next + n, rest.n - (size_t)(next - rest.p) - n};
    }
    return slice_is(body, "--\r\n");
}

json_t *sim_catalogue_form(struct slice content_type, struct slice body, struct sim_refusal *why)
{
    static const char kind[] = "multipart/form-data;";
    char boundary[BOUNDARY_MAX];
    json_t *root = json_object();

    if (content_type.n < sizeof(kind) - 1 || memcmp(content_type.p, kind, sizeof(kind) - 1) != 0 ||
        !parameter(content_type, "boundary=", boundary, sizeof(boundary)) ||
        !read_parts(body, boundary, root)) {
        json_decref(root);
        return refuse(why, "BadRequest", "the body is not a form", NULL);
    }
    if (!json_is_string(json_object_get(root, "prompt"))) {
        json_decref(root);
        return refuse(why, "FieldLacking", "required field missing", "prompt");
    }
    return root;
}
