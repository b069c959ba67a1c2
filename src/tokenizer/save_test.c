#include "tokenizer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

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
        char folder[] = "/tmp/lemur-save-XXXXXX";
        Tokenizer *t, *again;
        assert_non_null(mkdtemp(folder));
        assert_int_equal(tokenizer_open(&t, names[i][0]), ST_OK);
        assert_int_equal(tokenizer_save(t, folder), ST_OK);
        assert_same_file(names[i][0], folder, names[i][1]);
        assert_int_equal(tokenizer_open(&again, folder), ST_OK);
        assert_true(tokenizer_hash(t) == tokenizer_hash(again));
        tokenizer_close(t);
        tokenizer_close(again);
        assert_int_equal(folder_remove(folder), ST_OK);
    }
}

static void what_json_cannot_say_is_refused(void **state)
{
    (void)state;
    Span pieces[] = {span("<unk>"), span("a"), span("b"), span("ab"), span("abc")};
    float scores[] = {0, -1, -2, -3, -4};
    int32_t kinds[] = {PIECE_UNKNOWN, PIECE_NORMAL, PIECE_NORMAL, PIECE_NORMAL, PIECE_NORMAL};
    VocabArrays v = {.kind = VOCAB_SPM,
                     .n = 5,
                     .pieces = pieces,
                     .scores = scores,
                     .kinds = kinds,
                     .bos = -1,
                     .eos = -1,
                     .unk = 0};
    Tokenizer *t;
    assert_int_equal(tokenizer_from_arrays(&t, &v), ST_OK); /* c is no piece, yet abc is */
    Ids ids = {0};
    assert_int_equal(tokenizer_encode(t, &ids, "abc", 3, 0), ST_OK);
    assert_int_equal(ids.n, 1);
    assert_int_equal(ids.at[0], 4);
    array_drop(&ids);
    char folder[] = "/tmp/lemur-save-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(tokenizer_save(t, folder), ST_UNSUPPORTED);
    assert_non_null(strstr(error_text(), "missing pieces"));
    assert_int_equal(folder_remove(folder), ST_OK);
    tokenizer_close(t);
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
        cmocka_unit_test(what_json_cannot_say_is_refused),
        cmocka_unit_test(a_folder_that_cannot_be_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
