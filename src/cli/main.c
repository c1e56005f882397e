/* SPDX-License-Identifier: MIT */
#include "base/fs.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/suggest.h"
#include "cli/term.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Words of argv that the name of this command takes: 1 or 2; 0 when it is not meant. */
static int match_name(const struct command *c, int argc, char **argv)
{
    const char *space = strchr(c->name, ' ');
    size_t first = space != NULL ? (size_t)(space - c->name) : strlen(c->name);

    if (argc < 1 || strlen(argv[0]) != first || memcmp(argv[0], c->name, first) != 0)
        return 0;
    if (space == NULL)
        return 1;
    return argc > 1 && str_eq(argv[1], space + 1) ? 2 : 0;
}

static const struct command *find_command(int argc, char **argv, int *taken)
{
    for (const struct command *c = commands; c->name != NULL; c++) {
        *taken = match_name(c, argc, argv);
        if (*taken != 0)
            return c;
    }
    return NULL;
}

static int unknown_command(const struct cli *cli, int argc, char **argv)
{
    bool grouped = help_is_group(argv[0]);
    autofree char *word = grouped && argc > 1 && argv[1][0] != '-'
                              ? mem_printf("%s %s", argv[0], argv[1])
                              : mem_strdup(argv[0]);
    struct suggestion near = {.word = word};
    struct err err;

    for (const struct command *c = commands; c->name != NULL; c++)
        suggest_consider(&near, c->name);
    if (near.best != NULL)
        err_set(&err, 0, "unknown command %s; did you mean %s?", word, near.best);
    else
        err_set(&err, 0, "unknown command %s; `viduhook help` lists them", word);
    return cli_fail(cli, EXIT_USAGE, &err);
}

static bool is_help_option(const char *word)
{
    return str_eq(word, "--help") || str_eq(word, "-h");
}

/* The rest of argv says about what. */
static int print_endpoint_help(const struct cli *cli, const char *name)
{
    autobuf struct buf text = BUF_INIT(64U << 10);
    const struct endpoint *e = endpoint_find(name);
    struct err err;

    if (e == NULL && endpoint_suggest(name) != NULL)
        err_set(&err, -EINVAL, "unknown endpoint %s; did you mean %s?", name,
                endpoint_suggest(name));
    else if (e == NULL)
        err_set(&err, -EINVAL, "unknown endpoint %s; `viduhook help submit` lists them", name);
    if (e == NULL)
        return cli_fail(cli, EXIT_USAGE, &err);
    help_endpoint(e, &text);
    cli_print(&text);
    return EXIT_OK;
}

static int print_help(const struct cli *cli, int argc, char **argv)
{
    autobuf struct buf text = BUF_INIT(64U << 10);
    int taken = 0;
    const struct command *c = find_command(argc, argv, &taken);

    if (c != NULL && c->run == command_submit && argc > taken)
        return print_endpoint_help(cli, argv[taken]);
    if (c != NULL && c->run == NULL)
        return cli->sim(2, (char *[]){argv[0], (char[]){"--help"}, NULL});
    if (c != NULL)
        help_command(c, &text);
    else if (argc == 0 || (argc == 1 && (str_eq(argv[0], "help") || is_help_option(argv[0]))))
        help_overview(&text);
    else if (str_eq(argv[0], "--names"))
        help_names(&text);
    else if (argc == 1 && help_is_group(argv[0]))
        help_group(argv[0], &text);
    else
        return unknown_command(cli, argc, argv);
    cli_print(&text);
    return EXIT_OK;
}

static int print_version(void)
{
    autobuf struct buf text = BUF_INIT(4096);

    help_version(&text);
    cli_print(&text);
    return EXIT_OK;
}

static int check_words(const struct command *c, const struct options *o, struct err *err)
{
    if (o->n_words < c->least_words || o->n_words > c->most_words)
        return err_set(err, -EINVAL, "%s; usage: viduhook %s %s",
                       o->n_words < c->least_words ? "something is missing" : "too many arguments",
                       c->name, c->usage);
    return 0;
}

/* A mistyped name must not lead to another daemon. */
static int check_config(const struct cli *cli, struct err *err)
{
    if (cli->config == NULL || access(cli->config, F_OK) == 0)
        return 0;
    if (errno == ENOENT)
        return err_set(err, -ENOENT,
                       "%s: there is no such file; `viduhook init DIR` writes one to begin with",
                       cli->config);
    return err_sys(err, -errno, "%s", cli->config);
}

static void take_globals(struct cli *cli, const struct options *o)
{
    const char *term = getenv("TERM");
    bool terminal = isatty(STDOUT_FILENO) == 1;

    cli->config = options_text(o, "config");
    cli->socket = options_text(o, "socket");
    cli->json = options_has(o, "json");
    cli->width = terminal ? term_window(STDOUT_FILENO) : 0;
    cli->color = terminal && !options_has(o, "no-color") && str_empty(getenv("NO_COLOR")) &&
                 !str_eq(term, "dumb");
}

/* A mistake before --json must not make its report text. */
static void look_for_json(struct cli *cli, int argc, char **argv)
{
    for (int i = 0; i < argc && !str_eq(argv[i], "--"); i++)
        cli->json = cli->json || str_eq(argv[i], "--json");
}

/* argv begins with the command's name, of so many words. */
static int run_parsed(struct cli *cli, const struct command *c, const struct options *o, int taken,
                      char **argv)
{
    struct err err;

    if (options_has(o, "version"))
        return print_version();
    if (options_has(o, "help") && c->run == command_submit && o->n_words > 0)
        return print_endpoint_help(cli, o->words[0]);
    if (options_has(o, "help"))
        return print_help(cli, taken, argv);
    if (check_words(c, o, &err) < 0 || check_config(cli, &err) < 0)
        return cli_fail(cli, EXIT_USAGE, &err);
    return c->run(cli, o);
}

/* argv begins with the command's name; o holds the options that stood before it. */
static int run_command(struct cli *cli, struct options *o, int argc, char **argv)
{
    const struct option_row *tables[] = {NULL, global_options, NULL};
    const struct command *c;
    struct err err;
    int taken;

    c = find_command(argc, argv, &taken);
    if (c == NULL)
        look_for_json(cli, argc, argv);
    if (str_eq(argv[0], "help"))
        return print_help(cli, argc - 1, argv + 1);
    if (c == NULL && argc == 2 && is_help_option(argv[1]))
        return print_help(cli, 1, argv);
    if (c == NULL)
        return unknown_command(cli, argc, argv);
    if (c->run == NULL && argc == 2 && is_help_option(argv[1]))
        return print_help(cli, 1, argv);
    if (c->run == NULL)
        return cli->sim(argc, argv);
    tables[0] = c->options;
    if (options_parse(o, tables, argc - taken, argv + taken, false, &err) < 0) {
        look_for_json(cli, argc, argv);
        return cli_fail(cli, EXIT_USAGE, &err);
    }
    take_globals(cli, o);
    return run_parsed(cli, c, o, taken, argv);
}

static int dispatch(struct cli *cli, struct options *o, int argc, char **argv)
{
    static const struct option_row *const tables[] = {global_options, NULL};
    struct err err;
    int first = options_parse(o, tables, argc, argv, true, &err);

    if (first < 0) {
        look_for_json(cli, argc, argv);
        return cli_fail(cli, EXIT_USAGE, &err);
    }
    take_globals(cli, o);
    if (options_has(o, "version"))
        return print_version();
    if (options_has(o, "help"))
        return print_help(cli, argc - first, argv + first);
    if (first == argc) {
        err_set(&err, 0, "no command given; `viduhook help` lists them");
        return cli_fail(cli, EXIT_USAGE, &err);
    }
    return run_command(cli, o, argc - first, argv + first);
}

/* What is buffered still has to reach the disk or the pipe; a result that did not is a failure. */
static int finish_output(int status)
{
    cli_flush();
    return ferror(stdout) != 0 && status == EXIT_OK ? EXIT_FAILED : status;
}

int cli_main(int argc, char **argv, int (*sim)(int argc, char **argv))
{
    struct cli cli = {.sim = sim};
    struct options o = {0};
    int status;

    fs_hold_standard();
    (void)signal(SIGPIPE, SIG_IGN);
    status = dispatch(&cli, &o, argc - 1, argv + 1);
    options_clear(&o);
    conf_free(cli.conf);
    free(cli.conf_problem);
    free(cli.control_path);
    return finish_output(status);
}
