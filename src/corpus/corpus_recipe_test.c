#include "corpus/corpus_recipe.h"

#include "corpus/scratch_test.h"

static Status parse(CorpusRecipe *r, const char *text)
{
    return corpus_recipe_parse(r, text, strlen(text), "test.yaml");
}

static void recipes_are_read_whole(void **state)
{
    (void)state;
    CorpusRecipe r;
    assert_int_equal(
        parse(&r, "tokenizer: {vocab_size: 5}\n"
                  "corpus:\n"
                  "  seed: 9\n"
                  "  held_out: 0.1\n"
                  "  clean:\n"
                  "    code: {max_line_length: 500}\n"
                  "    text: {min_words: 7}\n"
                  "  sources:\n"
                  "    - {name: c, kind: code, language: c, path: '/usr/include/**/*.h', limit: 2M}\n"
                  "    - name: notes\n"
                  "      kind: text\n"
                  "      path: [a.txt, b.jsonl.gz]\n"
                  "      exclude: x.txt\n"
                  "      weight: 2.5\n"
                  "      held_out: 0.3\n"
                  "      text_key: body\n"
                  "      clean: {min_words: 3}\n"
                  "train: {anything: 1}\n"),
        ST_OK);
    assert_int_equal(r.seed, 9);
    assert_int_equal(r.sources_n, 2);
    assert_int_equal(r.sources[0].limit, 2000000);
    assert_int_equal(r.sources[0].code.max_line_length, 500);
    assert_float_equal(r.sources[0].held_out, 0.1, 0);
    assert_int_equal(r.sources[0].code.max_lines, 100000);
    assert_int_equal(r.sources[1].paths.n, 2);
    assert_string_equal(r.sources[1].paths.at[1], "b.jsonl.gz");
    assert_int_equal(r.sources[1].text.min_words, 3);
    assert_int_equal(r.text.min_words, 7);
    assert_float_equal(r.sources[1].weight, 2.5, 0);
    assert_float_equal(r.sources[1].held_out, 0.3, 0);
    ReaderSpec spec = corpus_recipe_spec(&r, 1);
    assert_string_equal(spec.text_key, "body");
    assert_int_equal(spec.excludes_n, 1);
    assert_null(spec.separator);
    json_t *all = corpus_recipe_to_json(&r);
    assert_int_equal(json_array_size(json_object_get(all, "sources")), 2);
    json_decref(all);
    corpus_recipe_drop(&r);
}

/* What follows "corpus:" is refused, with these words. */
static void refuse(const char *text, const char *words)
{
    CorpusRecipe r;
    assert_int_not_equal(parse(&r, text), ST_OK);
    if (!strstr(error_text(), words))
        fail_msg("'%s' lacks '%s'", error_text(), words);
    corpus_recipe_drop(&r);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    refuse("train: {}\n", "corpus:");
    refuse("corpus: {seed: 1}\n", "sources");
    refuse("corpus: {sources: []}\n", "sources");
    refuse("corpus: {sources: [just text]}\n", "map");
    refuse("corpus: {sources: [{name: a, kind: code}]}\n", "no path");
    refuse("corpus: {sources: [{name: a, path: x}]}\n", "kind");
    refuse("corpus: {sources: [{name: a, kind: prose, path: x}]}\n", "kind");
    refuse("corpus: {sources: [{name: a/b, kind: code, path: x}]}\n", "a/b");
    refuse("corpus: {sources: [{name: .., kind: code, path: x}]}\n", "..");
    refuse("corpus: {sources: [{kind: code, path: x}]}\n", "name");
    refuse("corpus: {sources: [{name: a, kind: code, path: x}, {name: a, kind: text, path: y}]}\n",
           "two sources");
    refuse("corpus: {sources: [{name: a, kind: code, path: [x, [y]]}]}\n", "path");
    refuse("corpus: {sources: [{name: a, kind: code, path: x, limt: 5}]}\n", "limit");
    refuse("corpus: {held_out: 2, sources: [{name: a, kind: code, path: x}]}\n", "held_out");
    refuse("corpus: {clean: {cod: {}}, sources: [{name: a, kind: code, path: x}]}\n", "cod");
    refuse("corpus: {clean: {code: {min_words: 5}}, sources: [{name: a, kind: code, path: x}]}\n",
           "min_words");
    refuse("corpus: {sources: [{name: a, kind: code, path: x, clean: {min_words: 5}}]}\n", "min_words");
    refuse("corpus:\n  sources:\n    - {name: ok, kind: code, path: x}\n    - {name: a, kind: x, path: x}\n",
           "line 4");
}

static void sections_are_found(void **state)
{
    (void)state;
    json_t *section;
    scratch_text("r.yaml", "pack: {context: 64}\n");
    char *path = scratch_path("r.yaml");
    assert_int_equal(corpus_recipe_section(&section, path, "pack"), ST_OK);
    assert_int_equal(json_integer_value(json_object_get(section, "context")), 64);
    json_decref(section);
    assert_int_equal(corpus_recipe_section(&section, path, "none"), ST_OK);
    assert_null(section);
    mem_free(path);
    assert_int_equal(corpus_recipe_section(&section, "/tmp/lemur-none.yaml", "pack"), ST_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recipes_are_read_whole),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(sections_are_found),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
