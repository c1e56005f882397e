/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include "cli/field.h"
#include "cli/term.h"
#include "conf/conf_path.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define NOTE_MAX ((size_t)256 << 20) /* a ceiling: a provider may say much */

static void on_finding(const char *file, int line, int column, const char *text, void *ctx)
{
    struct cli *cli = ctx;

    if (cli->conf_problem == NULL)
        cli->conf_problem = line > 0 ? mem_printf("%s:%d:%d: %s", file, line, column, text)
                                     : mem_printf("%s: %s", file, text);
}

const struct conf *cli_conf(struct cli *cli)
{
    autofree char *standard = NULL;

    if (cli->conf_tried)
        return cli->conf;
    cli->conf_tried = true;
    if (cli->config == NULL)
        standard = conf_default_path();
    if (conf_load(str_or(cli->config, standard), on_finding, cli, &cli->conf) < 0)
        cli->conf = NULL;
    return cli->conf;
}

/*
 * Without a configuration: the user's own daemon when it has a socket, else the machine's, whose
 * configuration members of its group often cannot read.
 */
static char *standard_control_path(void)
{
    autofree char *own = conf_path_control();

    return mem_strdup(access(own, F_OK) == 0 ? own : VIDUHOOK_RUNSTATEDIR "/viduhook/control.sock");
}

const char *cli_control_path(struct cli *cli)
{
    if (cli->socket != NULL)
        return cli->socket;
    if (cli_conf(cli) != NULL)
        return cli->conf->control;
    if (cli->control_path == NULL && cli->config != NULL)
        cli->control_path = conf_control(cli->config);
    if (cli->control_path == NULL)
        cli->control_path = standard_control_path();
    return cli->control_path;
}

int cli_connect(struct cli *cli, struct control **out, struct err *err)
{
    int rc = control_open(cli_control_path(cli), out, err);

    if (rc < 0 && cli->socket == NULL && cli->conf_problem != NULL) {
        autofree char *said = mem_strdup(err->text);

        err_set(err, rc, "%s (and the configuration cannot be used here: %s)", said,
                cli->conf_problem);
    }
    return rc;
}

void cli_note(const char *fmt, ...)
{
    autobuf struct buf text = BUF_INIT(NOTE_MAX);
    autobuf struct buf safe = BUF_INIT(6 * NOTE_MAX);
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    term_escape(&safe, buf_text(&text), text.len, true);
    fprintf(stderr, "%s\n", buf_text(&safe));
}

static void print_error(const struct cli *cli, json_t *error)
{
    if (cli->document != NULL)
        (void)json_object_update_missing(cli->document, error);
    else if (cli->json_lines)
        cli_print_json_line(error);
    else
        cli_print_json(error);
}

int cli_fail(const struct cli *cli, int status, const struct err *err)
{
    cli_note("viduhook: %s", err->text);
    if (cli->json) {
        json_t *json = field_object("error", err->text);

        field_set_text(json, "task", cli->task);
        print_error(cli, json);
        json_decref(json);
    }
    return status;
}

int cli_status_of(int code)
{
    return code == -ETIMEDOUT ? EXIT_TIMED_OUT : EXIT_UNREACHABLE;
}

/* What helps to ask further, beside the reason. */
static void note_references(const json_t *json)
{
    static const char *const names[] = {"task", "trace_id"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const json_t *value = json_object_get(json, names[i]);
        autobuf struct buf text = BUF_INIT(NOTE_MAX);

        field_show(value, &text);
        if (text.len != 0)
            fprintf(stderr, "  %s: %s\n", names[i], buf_text(&text));
    }
}

int cli_refused(const struct cli *cli, struct control_answer *answer)
{
    const char *why = field_text(answer->json, "error");

    cli_note("viduhook: %s", why[0] != '\0' ? why : "viduhookd refused without a reason");
    note_references(answer->json);
    if (cli->json)
        print_error(cli, answer->json);
    json_decref(answer->json);
    answer->json = NULL;
    return answer->exit;
}

static int ask_on(struct cli *cli, struct control *c, const char *command, json_t *args,
                  struct slice blob, int64_t timeout_ms, json_t **answer)
{
    struct control_answer got;
    struct err err;
    int rc = control_ask(c, command, args, blob, timeout_ms, &got, &err);

    json_decref(args);
    if (rc < 0)
        return cli_fail(cli, cli_status_of(rc), &err);
    if (got.exit != EXIT_OK)
        return cli_refused(cli, &got);
    *answer = got.json;
    return EXIT_OK;
}

int cli_ask_on(struct cli *cli, struct control *c, const char *command, json_t *args,
               json_t **answer)
{
    return ask_on(cli, c, command, args, SLICE_LIT(""), CONTROL_ANSWER_MS, answer);
}

int cli_ask_with(struct cli *cli, const char *command, json_t *args, struct slice blob,
                 int64_t timeout_ms, json_t **answer)
{
    struct control *c = NULL;
    struct err err;
    int rc = cli_connect(cli, &c, &err);

    if (rc < 0) {
        json_decref(args);
        return cli_fail(cli, EXIT_UNREACHABLE, &err);
    }
    rc = ask_on(cli, c, command, args, blob, timeout_ms, answer);
    control_close(c);
    return rc;
}

int cli_ask(struct cli *cli, const char *command, json_t *args, json_t **answer)
{
    return cli_ask_with(cli, command, args, SLICE_LIT(""), CONTROL_ANSWER_MS, answer);
}

static void print_dumped(const json_t *json, size_t flags)
{
    autofree char *text = json_dumps(json, flags | JSON_REAL_PRECISION(15));
    autobuf struct buf safe = BUF_INIT((size_t)1 << 30);

    term_escape(&safe, text, strlen(text), true);
    buf_addc(&safe, '\n');
    cli_print(&safe);
}

void cli_print_json(const json_t *json)
{
    print_dumped(json, JSON_INDENT(2));
}

void cli_print_json_line(const json_t *json)
{
    print_dumped(json, JSON_COMPACT);
    cli_flush();
}

static void say_unwritten(void)
{
    if (errno != EPIPE)
        cli_note("viduhook: writing the output: %s", strerror(errno));
}

void cli_print(const struct buf *text)
{
    if (ferror(stdout) == 0 && fwrite(buf_text(text), 1, text->len, stdout) != text->len)
        say_unwritten();
}

void cli_flush(void)
{
    if (fflush(stdout) != 0)
        say_unwritten();
}
