#include "base/scratch_test.h"
#include "tokenizer/extend.h"
#include "tokenizer/small_vocab_test.h"

static void assert_same_file(const char *a, const char *folder, const char *name)
{
    Str x = {0}, y = {0};
    char *b = path_join(folder, name);
    assert_int_equal(file_read(&x, a, 0), ST_OK);
    assert_int_equal(file_read(&y, b, 0), ST_OK);
    assert_int_equal(x.n, y.n);
    assert_memory_equal(x.at, y.at, x.n);
    mem_free(b);
    str_drop(&x);
    str_drop(&y);
}

static void opened_files_are_copied_byte_for_byte(void **state)
{
    (void)state;
    static const char *const names[][2] = {{"tests/golden/tokenizer/llama.model", "tokenizer.model"},
                                           {"tests/golden/tokenizer/llama3.json", "tokenizer.json"}};
    for (int i = 0; i < 2; i++) {
        Tokenizer *t, *again;
        char *folder = scratch_path("copied");
        assert_int_equal(tokenizer_open(&t, names[i][0]), ST_OK);
        assert_int_equal(tokenizer_save(t, folder), ST_OK);
        assert_same_file(names[i][0], folder, names[i][1]);
        assert_int_equal(tokenizer_open(&again, folder), ST_OK);
        assert_true(tokenizer_hash(t) == tokenizer_hash(again));
        tokenizer_close(t);
        tokenizer_close(again);
        assert_int_equal(folder_remove(folder), ST_OK);
        mem_free(folder);
    }
}

/* Newer transformers have the template in a file of its own, which goes before the key of the settings. */
static void a_template_in_a_file_goes_along(void **state)
{
    (void)state;
    static const char *const none[] = {NULL};
    Tokenizer *t, *same;
    char *from = scratch_path("spoken"), *to = scratch_path("copied");
    assert_int_equal(tokenizer_open(&t, "tests/golden/tokenizer/llama3.json"), ST_OK);
    assert_int_equal(tokenizer_save(t, from), ST_OK);
    tokenizer_close(t);
    scratch_text("spoken/chat_template.jinja", "{{ 'own' }}");
    char *jinja = path_join(from, "chat_template.jinja");
    assert_int_equal(tokenizer_open(&t, from), ST_OK);
    assert_int_equal(tokenizer_save(t, to), ST_OK);
    assert_same_file(jinja, to, "chat_template.jinja");
    assert_int_equal(tokenizer_extend(&same, t, none), ST_OK);
    assert_int_equal(folder_remove(to), ST_OK);
    assert_int_equal(tokenizer_save(same, to), ST_OK);
    assert_same_file(jinja, to, "chat_template.jinja");
    assert_int_equal(tokenizer_set_chat(same, span("{{ 'new' }}"), NULL, 0), ST_OK);
    assert_int_equal(tokenizer_save(same, to), ST_OK);
    Str text = scratch_read("copied/chat_template.jinja");
    assert_string_equal(str_c(&text), "{{ 'new' }}");
    str_drop(&text);
    tokenizer_close(same);
    tokenizer_close(t);
    mem_free(jinja);
    mem_free(from);
    mem_free(to);
}

static void save_is_refused(const VocabArrays *v, const char *words)
{
    Tokenizer *t = small_open(v);
    assert_int_equal(tokenizer_save(t, scratch), ST_UNSUPPORTED);
    expect_words(words);
    tokenizer_close(t);
}

static void what_no_file_can_say_is_refused(void **state)
{
    (void)state;
    SmallVocab s;
    small_spm(&s);
    s.v.split_at_spaces = true;
    save_is_refused(&s.v, "tokenizer.model has no words for prefix_unless_space and split_at_spaces");
    s.v.split_at_spaces = false;
    s.kinds[1] = PIECE_UNKNOWN;
    save_is_refused(&s.v, "id 1 is one more");
    s.kinds[1] = PIECE_CONTROL;
    s.merges[0] = span("a b");
    s.v.merges = s.merges;
    s.v.merges_n = 1;
    s.v.prefix_first = true;
    save_is_refused(&s.v, "prefix_first only together with prefix_unless_space");
    s.v.prefix_first = false;
    s.pieces[270] = span("\xFF");
    save_is_refused(&s.v, "piece 270 is not UTF-8");
    small_bbpe(&s);
    s.v.pre = "qwen2";
    s.v.add_space_prefix = true;
    save_is_refused(&s.v, "before GPT-2's pre-split pattern only");
}

static void a_folder_that_cannot_be_is_named(void **state)
{
    (void)state;
    Tokenizer *t;
    assert_int_equal(tokenizer_open(&t, "tests/golden/tokenizer/llama.model"), ST_OK);
    assert_int_not_equal(tokenizer_save(t, "Makefile/x"), ST_OK);
    assert_non_null(strstr(error_text(), "Makefile"));
    tokenizer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opened_files_are_copied_byte_for_byte),
        cmocka_unit_test(a_template_in_a_file_goes_along),
        cmocka_unit_test(what_no_file_can_say_is_refused),
        cmocka_unit_test(a_folder_that_cannot_be_is_named),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
