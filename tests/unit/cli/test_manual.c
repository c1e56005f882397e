/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/str.h"
#include "cli/commands.h"

#include <string.h>

#define MANUAL_MAX (1U << 20)

static char *manual;

/* Beside the sources, wherever the build is. */
static int setup(void **state)
{
    static const char *const variables[] = {"top_srcdir", "srcdir"};
    size_t len;

    (void)state;
    if (fs_read_file("man/viduhook.1", MANUAL_MAX, &manual, &len, NULL) == 0)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        autofree char *path = mem_printf("%s/man/viduhook.1", str_or(getenv(variables[i]), "."));

        if (fs_read_file(path, MANUAL_MAX, &manual, &len, NULL) == 0)
            return 0;
    }
    print_error("man/viduhook.1 is not found; set srcdir\n");
    return -1;
}

static int teardown(void **state)
{
    (void)state;
    free(manual);
    return 0;
}

/* The section of a command, owned by the caller. */
static char *section_of(const char *command)
{
    autofree char *title = mem_printf("\n.Ss viduhook %s\n", command);
    const char *start = strstr(manual, title);
    const char *section, *end;

    if (start == NULL) {
        fail_msg("%s has no section", command);
        return NULL;
    }
    start += strlen(title);
    section = strstr(start, "\n.Ss ");
    end = strstr(start, "\n.Sh ");
    if (section != NULL && section < end)
        end = section;
    return mem_strndup(start, (size_t)(end - start));
}

static void assert_documents(const char *text, const char *where, const struct option_row *row)
{
    autofree char *longer = mem_printf("Fl -%s", row->name);
    autofree char *shorter = mem_printf(".It Fl %c ", row->letter);
    const char *at = strstr(text, longer);

    while (at != NULL && strchr(" \n", at[strlen(longer)]) == NULL)
        at = strstr(at + 1, longer);
    if (at == NULL)
        fail_msg("%s: --%s is not documented", where, row->name);
    if (row->letter != 0 && strstr(text, shorter) == NULL)
        fail_msg("%s: -%c is not documented", where, row->letter);
}

static void every_option_of_every_command_is_in_the_manual(void **state)
{
    (void)state;
    for (const struct command *c = commands; c->name != NULL; c++) {
        autofree char *section = section_of(c->name);

        for (const struct option_row *row = c->options; row->name != NULL; row++)
            assert_documents(section, c->name, row);
    }
    for (const struct option_row *row = global_options; row->name != NULL; row++)
        assert_documents(manual, "the manual", row);
}

static void every_exit_status_is_in_the_manual(void **state)
{
    static const int statuses[] = {EXIT_OK,          EXIT_FAILED,     EXIT_USAGE,
                                   EXIT_REFUSED,     EXIT_NOT_FOUND,  EXIT_TIMED_OUT,
                                   EXIT_UNREACHABLE, EXIT_TASK_FAILED};
    const char *section = strstr(manual, "\n.Sh EXIT STATUS\n");

    (void)state;
    assert_non_null(section);
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        autofree char *item = mem_printf("\n.It %d\n", statuses[i]);

        assert_non_null(strstr(section, item));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_of_every_command_is_in_the_manual),
        cmocka_unit_test(every_exit_status_is_in_the_manual),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
