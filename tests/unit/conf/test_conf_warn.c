/* SPDX-License-Identifier: MIT */
#include "conf_fixture.h"

static char said[1024];

static void on_warning(const char *file, int line, int column, const char *text, void *ctx)
{
    assert_non_null(file);
    assert_int_equal(line, 0);
    assert_int_equal(column, 0);
    assert_null(ctx);
    assert_true(strlen(said) + strlen(text) + 2 < sizeof(said));
    strcat(strcat(said, text), "\n");
}

static void a_directory_that_hides_what_it_holds_is_told(void **state)
{
    struct conf_fixture *f = *state;

    said[0] = '\0';
    assert_int_equal(fixture_load_text(f, CONF_GOOD
                                       "hooks:\n"
                                       "  - { name: a, download: { dir: /srv/media/vidu } }\n"
                                       "  - { name: b, download: { dir: /srv/media/Trailers } }\n"
                                       "  - { name: c, download: { dir: /srv/extras/x/ } }\n"
                                       "  - { name: d, download: { dir: /srv/extrasx } }\n"
                                       "  - { name: e, exec: [/bin/true, /clips/] }\n"),
                     0);
    conf_warn(f->conf, on_warning, NULL);
    assert_string_equal(
        said, "warning: hook 'b': Jellyfin and Plex hide what lies in a folder called 'Trailers' "
              "below the root of a library; rename it in /srv/media/Trailers, or let the library "
              "begin there\n"
              "warning: hook 'c': Jellyfin and Plex hide what lies in a folder called 'extras' "
              "below the root of a library; rename it in /srv/extras/x/, or let the library "
              "begin there\n");
}

static void a_pattern_that_fits_no_provider_is_told(void **state)
{
    struct conf_fixture *f = *state;

    said[0] = '\0';
    assert_int_equal(fixture_load_text(f, CONF_GOOD
                                       "hooks:\n"
                                       "  - { name: a, exec: [/bin/true],\n"
                                       "      match: { provider: [vidu, 'v*', vidoo] } }\n"
                                       "  - { name: b, exec: [/bin/true] }\n"
                                       "  - { name: c, exec: [/bin/true],\n"
                                       "      match: { provider: 'oct*' } }\n"),
                     0);
    conf_warn(f->conf, on_warning, NULL);
    assert_string_equal(said, "warning: hook 'a': match.provider 'vidoo' fits none of the "
                              "providers; there are: vidu\n"
                              "warning: hook 'c': match.provider 'oct*' fits none of the "
                              "providers; there are: vidu\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(a_pattern_that_fits_no_provider_is_told),
        CONF_TEST(a_directory_that_hides_what_it_holds_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
