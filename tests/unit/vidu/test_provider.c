/* SPDX-License-Identifier: MIT */
#include "vidu/provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_profiles_are_built_in(void **state)
{
    static const char *const names[] = {"vidu",        "vidu-cn",         "octopusx",
                                        "powertokens", "octopusx-openai", "generic"};

    (void)state;
    assert_int_equal(provider_profile_count(), ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct provider_profile *p = provider_profile_find(names[i]);

        assert_non_null(p);
        assert_ptr_equal(p, provider_profile_at(i));
        assert_false(str_ends(p->base_url, "/"));
        assert_non_null(strstr(p->query, "{id}"));
        assert_false(str_empty(p->help));
    }
    assert_null(provider_profile_find("Vidu"));
    assert_null(provider_profile_at(ARRAY_LEN(names)));
}

static void create_addresses_are_those_of_the_documentation(void **state)
{
    const struct endpoint *e = endpoint_find("start-end2video");
    const struct provider_profile *p = provider_profile_find("vidu");
    char *url = provider_create_url(p, p->base_url, e);

    (void)state;
    assert_string_equal(url, "https://api.vidu.com/ent/v2/start-end2video");
    free(url);
    url = provider_create_url(provider_profile_find("octopusx"), "http://127.0.0.1:9", e);
    assert_string_equal(url, "http://127.0.0.1:9/vidu/ent/v2/start-end2video");
    free(url);
}

static void query_addresses_carry_the_id(void **state)
{
    const struct provider_profile *p = provider_profile_find("octopusx");
    char *url = provider_query_url(p, p->base_url, "48038932-0ff5");

    (void)state;
    assert_string_equal(url, "https://octopusx.ai/vidu/ent/v2/task/48038932-0ff5/creations");
    free(url);
    p = provider_profile_find("vidu-cn");
    url = provider_query_url(p, p->base_url, "../../x?y#z");
    assert_string_equal(url, "https://api.vidu.cn/ent/v2/tasks/..%2F..%2Fx%3Fy%23z/creations");
    free(url);
}

static void each_endpoint_is_looked_up_in_its_form(void **state)
{
    static const struct {
        const char *endpoint, *path;
    } rows[] = {
        {"img2video", "/ent/v2/tasks/77/creations"},
        {"ad-one-click/edit", "/ent/v2/tasks/77/creations"},
        {NULL, "/ent/v2/tasks/77/creations"},
        {"unheard-of", "/ent/v2/tasks/77/creations"},
        {"one-click/mv", "/ent/v2/one-click/mv/77"},
        {"one-click/mv/912/edit", "/ent/v2/one-click/mv/912"},
        {"one-click/genernal_one_click", "/ent/v2/one-click/general_one_click/77"},
        {"one-click/general_one_click/a-1/compose", "/ent/v2/one-click/general_one_click/a-1"},
    };
    const struct provider_profile *p = provider_profile_find("vidu");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *url = provider_look_url(p, "https://h", rows[i].endpoint, "77");

        assert_string_equal(url + strlen("https://h"), rows[i].path);
        free(url);
    }
}

static void only_vidu_itself_signs_verifiably(void **state)
{
    (void)state;
    assert_int_equal(provider_profile_find("vidu")->signature, SIGNATURE_REQUIRED);
    assert_int_equal(provider_profile_find("vidu-cn")->signature, SIGNATURE_REQUIRED);
    assert_int_equal(provider_profile_find("powertokens")->signature, SIGNATURE_IF_PRESENT);
    assert_false(provider_profile_find("octopusx")->callbacks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_profiles_are_built_in),
        cmocka_unit_test(create_addresses_are_those_of_the_documentation),
        cmocka_unit_test(query_addresses_carry_the_id),
        cmocka_unit_test(each_endpoint_is_looked_up_in_its_form),
        cmocka_unit_test(only_vidu_itself_signs_verifiably),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
