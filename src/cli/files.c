/* files. SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "cli/field.h"
#include "cli/offline.h"
#include "cli/render.h"
#include "cli/stored.h"
#include "cli/table.h"
#include "cli/term.h"

#include <string.h>

#define SHA256_SHOWN 12 /* digits in the table; --json has them all */

/* What was looked at, for the line at the end. */
struct tally {
    size_t files;
    uint64_t bytes;
    size_t states[STORED_COUNT];
};

/* A path that was stored again is one file: what was said last is true of it. */
static void add_page(const json_t *page, json_t *files, json_t *places)
{
    const json_t *file;
    size_t i;

    json_array_foreach (page, i, file) {
        const char *path = field_text(file, "path");
        int64_t at = field_number(places, path, -1);

        if (at >= 0) {
            json_array_set(files, (size_t)at, (json_t *)file);
            continue;
        }
        (void)json_object_set_new(places, path, json_integer((json_int_t)json_array_size(files)));
        (void)json_array_append(files, (json_t *)file);
    }
}

/* Every page of the list, in the order in which the files were stored. */
static int read_all(struct cli *cli, const struct options *o, json_t *files)
{
    json_t *places = json_object();
    int64_t after = 0;
    int status = EXIT_OK;

    while (status == EXIT_OK && after >= 0) {
        json_t *args = json_pack("{s:I}", "after", (json_int_t)after);
        json_t *answer = NULL;
        int64_t next;

        field_set_text(args, "task", options_text(o, "task"));
        status = offline_ask(cli, "files", args, &answer);
        if (status != EXIT_OK)
            break;
        add_page(field_array(answer, "files"), files, places);
        next = field_number(answer, "next", -1);
        after = next > after ? next : -1; /* forward, or there would be no end */
        json_decref(answer);
    }
    json_decref(places);
    return status;
}

/* Adds the state to each file when they are to be verified, and counts. */
static void look_at(const struct cli *cli, json_t *files, bool verify, struct tally *tally)
{
    json_t *file;
    size_t i;

    json_array_foreach (files, i, file) {
        int64_t bytes = field_number(file, "bytes", 0);
        enum stored state = STORED_OK;
        struct err err;

        if (verify) {
            state = stored_check(field_text(file, "path"), bytes, field_text(file, "sha256"), &err);
            field_set_text(file, "state", stored_name(state));
        }
        if (state != STORED_OK && !cli->json)
            cli_note("%s", err.text);
        tally->files++;
        tally->bytes += (uint64_t)bytes;
        tally->states[state]++;
    }
}

static void print_table(const struct cli *cli, const json_t *files, bool verify)
{
    static const char *const titles[] = {"STATE", "TASK", "KIND", ">SIZE", "SHA-256", "FILE", NULL};
    struct table *t = table_new(verify ? titles : titles + 1);
    autobuf struct buf text = BUF_INIT(RENDER_MAX);
    const json_t *file;
    size_t i;

    json_array_foreach (files, i, file) {
        const char *state = field_text(file, "state");
        char size[16];

        str_from_bytes((uint64_t)field_number(file, "bytes", 0), size);
        if (verify)
            table_cell(t, state, term_state_color(str_eq(state, "ok") ? "done" : "dead"));
        table_cellf(t, "%.8s", field_text(file, "task"));
        table_cell(t, field_text(file, "kind"), "");
        table_cell(t, size, "");
        table_cellf(t, "%.*s", SHA256_SHOWN, field_text(file, "sha256"));
        table_cell(t, field_text(file, "path"), "");
    }
    table_render(t, cli->width, cli->color, &text);
    table_free(t);
    cli_print(&text);
}

static void print_tally(const struct tally *tally)
{
    autobuf struct buf text = BUF_INIT(1024);
    char size[16];

    str_from_bytes(tally->bytes, size);
    buf_addf(&text, "%zu file%s, %s", tally->files, tally->files == 1 ? "" : "s", size);
    for (int i = STORED_OK + 1; i < STORED_COUNT; i++)
        if (tally->states[i] != 0)
            buf_addf(&text, "; %zu %s", tally->states[i], stored_name((enum stored)i));
    cli_note("%s", buf_text(&text));
}

int command_files(struct cli *cli, const struct options *o)
{
    bool verify = options_has(o, "verify");
    json_t *files = json_array();
    struct tally tally = {0};
    int status = read_all(cli, o, files);

    if (status == EXIT_OK) {
        look_at(cli, files, verify, &tally);
        if (cli->json) {
            json_t *all = json_pack("{s:O}", "files", files);

            cli_print_json(all);
            json_decref(all);
        } else if (tally.files != 0) {
            print_table(cli, files, verify);
        }
        if (!cli->json)
            print_tally(&tally);
        if (tally.states[STORED_OK] != tally.files)
            status = EXIT_FAILED;
    }
    json_decref(files);
    return status;
}
