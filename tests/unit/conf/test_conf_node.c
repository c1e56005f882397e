/* SPDX-License-Identifier: MIT */
#include "conf/conf_node.h"

#include "conf/conf_yaml.h"
#include "conf_fixture.h"

static struct conf_node *parse(const char *file, const char *text)
{
    struct conf_findings found = {0};
    struct conf_node *root = conf_yaml_parse(file, text, strlen(text), &found);

    assert_non_null(root);
    return root;
}

static void write_node(const struct conf_node *node, struct buf *out)
{
    static const char *const brackets[] = {[NODE_LIST] = "[]", [NODE_MAP] = "{}"};

    if (node->kind == NODE_EMPTY || node->kind == NODE_TEXT) {
        buf_adds(out, node->text);
        return;
    }
    buf_addc(out, brackets[node->kind][0]);
    for (size_t i = 0; i < node->n; i++) {
        if (node->items[i]->key != NULL)
            buf_addf(out, "%s:", node->items[i]->key);
        write_node(node->items[i], out);
        buf_addc(out, ' ');
    }
    buf_addc(out, brackets[node->kind][1]);
}

static void expect_merged(const char *base, const char *over, const char *merged)
{
    struct conf_node *root = parse("a", base);
    autobuf struct buf out = BUF_INIT(4096);

    conf_node_merge(root, parse("b", over));
    write_node(root, &out);
    assert_string_equal(buf_text(&out), merged);
    conf_node_free(root);
}

static void maps_merge_deep(void **state)
{
    (void)state;
    expect_merged("{a: {b: 1, c: {d: 2}}}", "{a: {c: {d: 3, e: 4}}, f: 5}",
                  "{a:{b:1 c:{d:3 e:4 } } f:5 }");
}

static void texts_and_lists_replace(void **state)
{
    (void)state;
    expect_merged("{a: 1, b: [1, 2]}", "{a: 2, b: [3]}", "{a:2 b:[3 ] }");
    expect_merged("{a: {b: 1}}", "{a: 2}", "{a:2 }");
    expect_merged("{a: 2}", "{a: {b: 1}}", "{a:{b:1 } }");
}

static void hooks_at_the_top_append(void **state)
{
    (void)state;
    expect_merged("{hooks: [1, 2]}", "{hooks: [3, 4, 5]}", "{hooks:[1 2 3 4 5 ] }");
    expect_merged("{a: {hooks: [1]}}", "{a: {hooks: [2]}}", "{a:{hooks:[2 ] } }");
    expect_merged("{hooks: 1}", "{hooks: [2]}", "{hooks:[2 ] }");
    expect_merged("{hooks: [1]}", "{hooks: 2}", "{hooks:2 }");
}

static void an_empty_value_replaces_nothing(void **state)
{
    (void)state;
    expect_merged("{a: 1, b: [2], c: {d: 3}}", "{a: , b: , c: , e: }", "{a:1 b:[2 ] c:{d:3 } e: }");
    expect_merged("{a: }", "{a: 1}", "{a:1 }");
}

static void what_is_merged_keeps_its_place(void **state)
{
    struct conf_node *root = parse("a.yaml", "x: 1\n");
    const struct conf_node *x;

    (void)state;
    conf_node_merge(root, parse("b.yaml", "\n\nx: 2\n"));
    x = conf_node_get(root, "x");
    assert_string_equal(x->file, "b.yaml");
    assert_int_equal(x->line, 3);
    conf_node_free(root);
}

static void a_finding_moves_no_cursor(void **state)
{
    struct conf_fixture *f = mem_calloc(1, sizeof(*f));
    struct conf_findings found = {.report = fixture_on_finding, .ctx = f};

    (void)state;
    mem_copy_text(f->dir, sizeof(f->dir), "/nowhere");
    conf_found(&found, "a", 1, 2, "'%s'", "b\x1b[2J\n\x7f");
    assert_string_equal(f->found, "a:1:2: 'b\\x1b[2J\\x0a\\x7f'\n");
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_merge_deep),
        cmocka_unit_test(texts_and_lists_replace),
        cmocka_unit_test(hooks_at_the_top_append),
        cmocka_unit_test(an_empty_value_replaces_nothing),
        cmocka_unit_test(what_is_merged_keeps_its_place),
        cmocka_unit_test(a_finding_moves_no_cursor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
