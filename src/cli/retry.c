/* retry, cancel-run. SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/field.h"
#include "cli/when.h"

#include <errno.h>
#include <string.h>

#define RATE_DEFAULT 10

static int number_of(const char *word, uint64_t *run, struct err *err)
{
    if (str_to_u64(word, strlen(word), INT64_MAX, run) < 0)
        return err_set(err, -EINVAL, "%s: not the number of a run; `viduhook runs` has them", word);
    return 0;
}

/* -- retry -- */

static int retry_one(struct cli *cli, uint64_t run, json_t *ids)
{
    json_t *answer = NULL;
    int status = cli_ask(cli, "retry", json_pack("{s:I}", "run", (json_int_t)run), &answer);

    if (status == EXIT_OK)
        json_array_extend(ids, json_object_get(answer, "runs"));
    json_decref(answer);
    return status;
}

/* The first of these that fails decides about the exit status; the others are tried. */
static int retry_named(struct cli *cli, const struct options *o, json_t *ids)
{
    int first_failure = EXIT_OK;

    for (size_t i = 0; i < o->n_words; i++) {
        struct err err;
        uint64_t run = 0;
        int status = EXIT_USAGE;

        if (number_of(o->words[i], &run, &err) == 0) /* checked before */
            status = retry_one(cli, run, ids);
        if (first_failure == EXIT_OK)
            first_failure = status;
    }
    return first_failure;
}

/* The daemon takes them in portions, newest first; none of them is taken twice. */
static int retry_dead(struct cli *cli, const struct options *o, int64_t since_ms, json_t *ids)
{
    bool more = true;
    int status = EXIT_OK;

    while (more && status == EXIT_OK) {
        size_t n = json_array_size(ids);
        json_int_t before = json_integer_value(json_array_get(ids, n - 1)); /* NULL: 0 */
        json_t *answer = NULL;
        json_t *args = json_pack("{s:b, s:I, s:I, s:I, s:I}", "all_dead", 1, "since",
                                 (json_int_t)since_ms, "before", before, "rate",
                                 options_number(o, "rate", RATE_DEFAULT), "offset", (json_int_t)n);

        field_set_text(args, "hook", options_text(o, "hook"));
        status = cli_ask(cli, "retry", args, &answer);
        json_array_extend(ids, json_object_get(answer, "runs"));
        more = json_is_true(json_object_get(answer, "more"));
        json_decref(answer);
    }
    return status;
}

static void print_retried(const struct options *o, const json_t *ids)
{
    size_t n = json_array_size(ids);
    const json_t *run;
    size_t i;

    if (!options_has(o, "dead"))
        json_array_foreach (ids, i, run)
            printf("run %lld will be tried again\n", (long long)json_integer_value(run));
    else if (n == 0)
        puts("no dead runs");
    else
        printf("%zu dead %s will be tried again, %lld a second\n", n, n == 1 ? "run" : "runs",
               (long long)options_number(o, "rate", RATE_DEFAULT));
}

static int check_retry(const struct options *o, int64_t *since_ms, struct err *err)
{
    static const char *const of_dead[] = {"hook", "since", "rate"};
    bool dead = options_has(o, "dead");
    uint64_t run;
    int rc = 0;

    if (dead == (o->n_words > 0))
        return err_set(err, -EINVAL, "give either the numbers of runs or --dead");
    for (size_t i = 0; i < ARRAY_LEN(of_dead); i++)
        if (!dead && options_has(o, of_dead[i]))
            return err_set(err, -EINVAL, "--%s goes with --dead", of_dead[i]);
    for (size_t i = 0; i < o->n_words && rc == 0; i++)
        rc = number_of(o->words[i], &run, err);
    if (rc == 0 && options_has(o, "since"))
        rc = when_since(options_text(o, "since"), clock_wall_ms(), since_ms, err);
    return rc;
}

int command_retry(struct cli *cli, const struct options *o)
{
    int64_t since_ms = 0;
    struct err err;
    json_t *ids, *answer;
    int status;

    if (check_retry(o, &since_ms, &err) < 0)
        return cli_fail(cli, EXIT_USAGE, &err);
    ids = json_array();
    answer = json_pack("{s:o}", "runs", ids);
    cli->document = answer;
    status = options_has(o, "dead") ? retry_dead(cli, o, since_ms, ids) : retry_named(cli, o, ids);
    if (cli->json)
        cli_print_json(answer);
    else if (status == EXIT_OK || json_array_size(ids) > 0)
        print_retried(o, ids);
    cli->document = NULL;
    json_decref(answer);
    return status;
}

/* -- cancel-run -- */

int command_cancel_run(struct cli *cli, const struct options *o)
{
    json_t *answer = NULL;
    struct err err;
    uint64_t run;
    int status;

    if (number_of(o->words[0], &run, &err) < 0)
        return cli_fail(cli, EXIT_USAGE, &err);
    status = cli_ask(cli, "cancel-run", json_pack("{s:I}", "run", (json_int_t)run), &answer);
    if (status == EXIT_OK && cli->json)
        cli_print_json(answer);
    else if (status == EXIT_OK)
        printf("run %llu is cancelled%s\n", (unsigned long long)run,
               json_is_true(json_object_get(answer, "running"))
                   ? "; its command gets TERM, and KILL 10 seconds later"
                   : "");
    json_decref(answer);
    return status;
}
