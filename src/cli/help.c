/* SPDX-License-Identifier: MIT */
#include "cli/help.h"

#include "http/client.h"
#include "store/store.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#define MODELS_ON_A_LINE 5

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

static void add_option(const struct option_row *row, struct buf *out)
{
    autobuf struct buf left = BUF_INIT(256);

    if (row->letter != 0)
        buf_addf(&left, "-%c, ", row->letter);
    else
        buf_adds(&left, "    ");
    buf_addf(&left, "--%s", row->name);
    if (row->argument != NULL)
        buf_addf(&left, " %s", row->argument);
    if (left.len <= 26)
        buf_addf(out, "  %-26s  %s\n", buf_text(&left), row->help);
    else
        buf_addf(out, "  %s\n  %-26s  %s\n", buf_text(&left), "", row->help);
}

static void add_options(const char *title, const struct option_row *rows, struct buf *out)
{
    if (rows->name == NULL)
        return;
    buf_addf(out, "\n%s:\n", title);
    for (; rows->name != NULL; rows++)
        add_option(rows, out);
}

void help_overview(struct buf *out)
{
    buf_adds(out, "usage: viduhook [-c FILE] [--socket PATH] [--json] COMMAND ...\n\n");
    for (const struct command *c = commands; c->name != NULL; c++)
        buf_addf(out, "  %-14s %s\n", c->name, c->summary);
    add_options("options of every command", global_options, out);
    buf_adds(out, "\n`viduhook help COMMAND` explains one; viduhook(1) has it all.\n");
}

void help_names(struct buf *out)
{
    const char *last = "";

    for (const struct command *c = commands; c->name != NULL; c++) {
        size_t n = strcspn(c->name, " ");

        if (strncmp(c->name, last, n) != 0 || last[n] != ' ')
            buf_addf(out, "%.*s\n", (int)n, c->name);
        last = c->name;
    }
}

static bool is_in_group(const struct command *c, const char *word)
{
    return str_starts(c->name, word) && c->name[strlen(word)] == ' ';
}

bool help_is_group(const char *word)
{
    for (const struct command *c = commands; c->name != NULL; c++)
        if (is_in_group(c, word))
            return true;
    return false;
}

void help_group(const char *word, struct buf *out)
{
    for (const struct command *c = commands; c->name != NULL; c++)
        if (is_in_group(c, word))
            buf_addf(out, "usage: viduhook %s%s%s\n         %s\n", c->name,
                     c->usage[0] != '\0' ? " " : "", c->usage, c->summary);
}

static void add_endpoints(struct buf *out)
{
    buf_adds(out, "\nendpoints:\n");
    for (size_t i = 0; i < endpoint_count(); i++)
        buf_addf(out, "  %-40s  %s\n", endpoint_at(i)->name, endpoint_at(i)->help);
}

static void add_traits(const struct endpoint *e, struct buf *out)
{
    if (e->query == ENDPOINT_QUERY_NONE)
        buf_adds(out, "It answers at once and makes no task.\n");
    else if (!e->accepts_callback)
        buf_adds(out, "It takes no callback_url: its tasks are looked up.\n");
    if (e->max_images >= 0 && e->max_images == e->min_images)
        buf_addf(out, "Images: %d.\n", e->max_images);
    else if (e->max_images >= 0)
        buf_addf(out, "Images: %d to %d.\n", e->min_images, e->max_images);
    if (e->models != NULL)
        buf_adds(out, "Models:");
    for (size_t i = 0; e->models != NULL && e->models[i] != NULL; i++)
        buf_addf(out, "%s%s", i != 0 && i % MODELS_ON_A_LINE == 0 ? "\n        " : " ",
                 e->models[i]);
    if (e->models != NULL)
        buf_addc(out, '\n');
}

void help_endpoint(const struct endpoint *e, struct buf *out)
{
    buf_addf(out, "usage: viduhook submit %s [-] [OPTIONS]\n\n%s\n", e->name, e->help);
    add_traits(e, out);
    buf_adds(out, "\nfields:\n");
    for (const struct endpoint_field *f = e->fields; f->name != NULL; f++)
        buf_addf(out, "  %-22s  %-6s  %s\n", f->name, f->type, f->help);
    if (e->open)
        buf_adds(out, "\nIts documentation has more fields; they are sent as they are.\n");
}

void help_command(const struct command *c, struct buf *out)
{
    buf_addf(out, "usage: viduhook %s%s%s\n\n", c->name, c->usage[0] != '\0' ? " " : "", c->usage);
    if (c->help != NULL)
        buf_addf(out, "%s\n", c->help);
    else
        buf_addf(out, "%c%s.\n", c->summary[0] - 'a' + 'A', c->summary + 1);
    if (c->run == command_submit)
        add_endpoints(out);
    add_options("options", c->options, out);
    add_options("options of every command", global_options, out);
}

void help_version(struct buf *out)
{
    buf_adds(out, "viduhook " PACKAGE_VERSION "\n");
    buf_addf(out, "libevent/%s jansson/%s SQLite/%s %s\n", event_get_version(),
             jansson_version_str(), store_library_version(), client_library_version());
}
