/* SPDX-License-Identifier: MIT */
#include "conf/conf_yaml.h"

#include "conf_fixture.h"

static struct conf_node *parse_bytes(struct conf_fixture *f, const char *text, size_t n)
{
    struct conf_findings found = {.report = fixture_on_finding, .ctx = f};
    struct conf_node *root;

    f->found[0] = '\0';
    root = conf_yaml_parse("a.yaml", text, n, &found);
    assert_true(root != NULL || found.errors != 0);
    return root;
}

static struct conf_node *parse(struct conf_fixture *f, const char *text)
{
    return parse_bytes(f, text, strlen(text));
}

static void expect_refused(struct conf_fixture *f, const char *text, const char *found)
{
    conf_node_free(parse(f, text));
    assert_string_equal(f->found, found);
}

static void every_value_is_text_with_its_place(void **state)
{
    struct conf_node *root = parse(*state, "a: 010\n"
                                           "b:\n"
                                           "  - yes\n"
                                           "  - { c: 'x: y' }\n"
                                           "d:\n");
    const struct conf_node *list = conf_node_get(root, "b");
    const struct conf_node *c = conf_node_get(list->items[1], "c");

    assert_int_equal(root->n, 3);
    assert_string_equal(conf_node_get(root, "a")->text, "010");
    assert_int_equal(conf_node_get(root, "a")->line, 1);
    assert_int_equal(conf_node_get(root, "a")->column, 4);
    assert_int_equal(conf_node_get(root, "a")->key_column, 1);
    assert_int_equal(list->kind, NODE_LIST);
    assert_string_equal(list->items[0]->text, "yes");
    assert_string_equal(c->text, "x: y");
    assert_int_equal(c->line, 4);
    assert_int_equal(c->key_column, 7);
    assert_int_equal(c->column, 10);
    assert_int_equal(conf_node_get(root, "d")->kind, NODE_EMPTY);
    assert_null(conf_node_get(root, "e"));
    assert_null(conf_node_get(list, "e"));
    assert_string_equal(c->file, "a.yaml");
    conf_node_free(root);
}

static void json_is_read_as_well(void **state)
{
    struct conf_node *root = parse(*state, "{\n\t\"a\":\"\\u00e9\\n\\/\",\"b\":[1,true,\n"
                                           "\t{\"c\":\"\"}]\n}\n");

    assert_string_equal(conf_node_get(root, "a")->text, "\xc3\xa9\n/");
    assert_string_equal(conf_node_get(root, "b")->items[1]->text, "true");
    assert_int_equal(conf_node_get(conf_node_get(root, "b")->items[2], "c")->kind, NODE_TEXT);
    conf_node_free(root);
}

static void a_file_without_content_is_an_empty_map(void **state)
{
    static const char *const texts[] = {"", "# only a comment\n", "---\n", "---\n...\n"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct conf_node *root = parse(*state, texts[i]);

        assert_non_null(root);
        assert_int_equal(root->kind, NODE_MAP);
        assert_int_equal(root->n, 0);
        conf_node_free(root);
    }
}

static void a_byte_order_mark_is_skipped(void **state)
{
    struct conf_node *root = parse(*state, "\xef\xbb\xbf"
                                           "a: 1\n");

    assert_string_equal(conf_node_get(root, "a")->text, "1");
    assert_int_equal(conf_node_get(root, "a")->column, 4);
    conf_node_free(root);
}

static void anchors_aliases_and_tags_are_refused(void **state)
{
    expect_refused(*state, "a: &x 1\nb: 2\nc: !!str 3\nd: &y [1]\ne: !m {}\n",
                   "a.yaml:1:4: anchors (&name) are not supported; write it out\n"
                   "a.yaml:3:4: tags (!name) are not supported; every value is text\n"
                   "a.yaml:4:4: anchors (&name) are not supported; write it out\n"
                   "a.yaml:5:4: tags (!name) are not supported; every value is text\n");
    expect_refused(*state, "a: *x\n",
                   "a.yaml:1:4: aliases (*name) are not supported; write it out\n");
    expect_refused(*state, "*x: 1\n",
                   "a.yaml:1:1: aliases (*name) are not supported; write it out\n");
    expect_refused(*state, "<<: *x\na: [*y]\n",
                   "a.yaml:1:5: aliases (*name) are not supported; write it out\n"
                   "a.yaml:2:5: aliases (*name) are not supported; write it out\n");
}

static void a_key_stands_once(void **state)
{
    expect_refused(*state, "a: 1\nb: 2\nc: { d: 1, d: 2 }\na: 3\n",
                   "a.yaml:3:12: 'd' stands here a second time; the first is in line 3\n"
                   "a.yaml:4:1: 'a' stands here a second time; the first is in line 1\n");
}

static void a_key_is_a_text(void **state)
{
    expect_refused(*state, "[a]: 1\n", "a.yaml:1:1: a key must be a text, not a list\n");
    expect_refused(*state, "{a: 1}: 1\n", "a.yaml:1:1: a key must be a text, not a map\n");
}

static void only_one_map_is_read(void **state)
{
    expect_refused(*state, "- a\n", "a.yaml:1:1: the file must be a map of options, not a list\n");
    expect_refused(*state, "text\n", "a.yaml:1:1: the file must be a map of options, not a text\n");
    expect_refused(*state, "a: 1\n---\nb: 1\n",
                   "a.yaml:2:1: a second document starts here; only one is read\n");
}

static void syntax_errors_have_their_place(void **state)
{
    expect_refused(*state, "a: 1\nb: [1, 2\nc: 3\n",
                   "a.yaml:3:2: did not find expected ',' or ']' while parsing a flow sequence, "
                   "which begins in line 2\n");
    expect_refused(*state, "a: 1\n\tb: 2\n",
                   "a.yaml:2:1: found a tab character that violates indentation while scanning a "
                   "plain scalar, which begins in line 1; indent with blanks, not with tabs\n");
    expect_refused(*state, "a:\n  \t- b\n",
                   "a.yaml:2:3: found character that cannot start any token while scanning for the "
                   "next token; indent with blanks, not with tabs\n");
    expect_refused(*state, "a: \"x\n",
                   "a.yaml:2:1: found unexpected end of stream while scanning a quoted scalar, "
                   "which begins in line 1\n");
    expect_refused(*state, "a: 1\nb: x\xff\n",
                   "a.yaml:2:5: not UTF-8 text: invalid leading UTF-8 octet\n");
}

static void control_characters_are_refused(void **state)
{
    expect_refused(*state, "a: \"x\\0y\"\n", "a.yaml:1:4: the text contains a control character\n");
    expect_refused(*state, "\"a\\e\": 1\n", "a.yaml:1:1: the text contains a control character\n");
    expect_refused(*state, "a: \"\\u0085\"\n",
                   "a.yaml:1:4: the text contains a control character\n");
    expect_refused(*state, "a: \"\\x7f\"\n", "a.yaml:1:4: the text contains a control character\n");
    conf_node_free(parse(*state, "a: \"x\\ty\\n\\u00a0\"\n"));
    assert_string_equal(((struct conf_fixture *)*state)->found, "");
}

static void nesting_is_limited(void **state)
{
    char text[2 * (CONF_YAML_MAX_DEPTH + 2) + 8] = "a: ";
    struct conf_node *root;

    memset(text + 3, '[', CONF_YAML_MAX_DEPTH);
    memset(text + 3 + CONF_YAML_MAX_DEPTH, ']', CONF_YAML_MAX_DEPTH);
    root = parse(*state, text);
    assert_non_null(root);
    conf_node_free(root);
    memset(text + 3, '[', CONF_YAML_MAX_DEPTH + 1);
    memset(text + 4 + CONF_YAML_MAX_DEPTH, ']', CONF_YAML_MAX_DEPTH + 1);
    expect_refused(*state, text, "a.yaml:1:20: nested too deeply\n");
}

static void the_number_of_values_is_limited(void **state)
{
    autobuf struct buf text = BUF_INIT(1U << 20);

    buf_adds(&text, "a: [");
    for (int i = 0; i < CONF_YAML_MAX_NODES - 3; i++)
        buf_adds(&text, "x,\n");
    buf_adds(&text, "]");
    conf_node_free(parse(*state, buf_text(&text)));
    assert_string_equal(((struct conf_fixture *)*state)->found, "");
    text.len--;
    buf_adds(&text, "y]");
    expect_refused(*state, buf_text(&text), "a.yaml:9998:1: too many values in one file\n");
}

static void the_size_is_limited(void **state)
{
    size_t n = CONF_YAML_MAX_BYTES + 1;
    autofree char *text = mem_calloc(n + 1, 1);
    struct conf_node *root;

    memset(text, '#', n);
    assert_null(parse_bytes(*state, text, n));
    assert_string_equal(((struct conf_fixture *)*state)->found,
                        "a.yaml:0:0: larger than 1048576 bytes\n");
    root = parse_bytes(*state, text, n - 1);
    assert_non_null(root);
    conf_node_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(every_value_is_text_with_its_place),
        CONF_TEST(json_is_read_as_well),
        CONF_TEST(a_file_without_content_is_an_empty_map),
        CONF_TEST(a_byte_order_mark_is_skipped),
        CONF_TEST(anchors_aliases_and_tags_are_refused),
        CONF_TEST(a_key_stands_once),
        CONF_TEST(a_key_is_a_text),
        CONF_TEST(only_one_map_is_read),
        CONF_TEST(syntax_errors_have_their_place),
        CONF_TEST(control_characters_are_refused),
        CONF_TEST(nesting_is_limited),
        CONF_TEST(the_number_of_values_is_limited),
        CONF_TEST(the_size_is_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
