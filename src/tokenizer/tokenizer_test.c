/* The front door, against the ids that other libraries give (tests/golden/tokenizer, made by
 * tools/make_golden_tokenizer.py). */
#include "tokenizer/tokenizer.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define GOLDEN "tests/golden/tokenizer/"

static Tokenizer *open_golden(const char *name)
{
    char *path = path_join(GOLDEN, name);
    Tokenizer *t = NULL;
    if (tokenizer_open(&t, path) != ST_OK)
        fail_msg("%s", error_text());
    mem_free(path);
    return t;
}

static void check_case(const Tokenizer *t, const json_t *c, Ids *ids)
{
    const json_t *text = json_object_get(c, "text"), *want = json_object_get(c, "ids");
    int flags = json_is_true(json_object_get(c, "special")) ? TOK_SPECIAL : 0;
    array_clear(ids);
    assert_int_equal(tokenizer_encode(t, ids, json_string_value(text), json_string_length(text), flags),
                     ST_OK);
    for (size_t i = 0; i < ids->n || i < json_array_size(want); i++) {
        int got = i < ids->n ? ids->at[i] : -1;
        int wanted = i < json_array_size(want) ? (int)json_integer_value(json_array_get(want, i)) : -1;
        if (got != wanted)
            fail_msg("%s, text '%s': id %zu is %d, want %d", json_string_value(json_object_get(c, "vocab")),
                     json_string_value(text), i, got, wanted);
    }
}

static void ids_are_those_of_other_libraries(void **state)
{
    (void)state;
    json_error_t error;
    json_t *root = json_load_file(GOLDEN "cases.json", JSON_ALLOW_NUL, &error), *c;
    assert_non_null(root);
    Tokenizer *t = NULL;
    const char *open = "";
    Ids ids = {0};
    size_t i;
    json_array_foreach(json_object_get(root, "cases"), i, c)
    {
        const char *vocab = json_string_value(json_object_get(c, "vocab"));
        if (strcmp(vocab, open) != 0) {
            tokenizer_close(t);
            t = open_golden(open = vocab);
        }
        check_case(t, c, &ids);
    }
    assert_true(i > 500);
    tokenizer_close(t);
    array_drop(&ids);
    json_decref(root);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static const char *const round_trip_vocabularies[] = {
    "llama.model", "llama_legacy.json", "gpt2.json", "starcoder.json", "llama3.json", "split_isolated.json"};

static void random_bytes_survive_a_round_trip(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (size_t v = 0; v < sizeof round_trip_vocabularies / sizeof *round_trip_vocabularies; v++) {
        Tokenizer *t = open_golden(round_trip_vocabularies[v]);
        for (int round = 0; round < 200; round++) {
            char text[300];
            size_t n = next_random(&seed) % sizeof text;
            for (size_t i = 0; i < n; i++) {
                static const char likely[] = " \na\xC3\xA9\xE6\x9D\xB1\xF0\x9F\x98\x80z1'<s>";
                uint32_t r = next_random(&seed);
                text[i] = round % 2 ? (char)r : likely[r % (sizeof likely - 1)];
            }
            Ids ids = {0};
            Str back = {0};
            assert_int_equal(tokenizer_encode(t, &ids, text, n, 0), ST_OK);
            assert_int_equal(tokenizer_decode(t, &back, ids.at, ids.n, false), ST_OK);
            assert_int_equal(back.n, n);
            if (n)
                assert_memory_equal(back.at, text, n);
            array_drop(&ids);
            str_drop(&back);
        }
        tokenizer_close(t);
    }
}

static void flags_put_marks_around(void **state)
{
    (void)state;
    Tokenizer *t = open_golden("llama.model");
    int32_t bos = tokenizer_bos(t), eos = tokenizer_eos(t);
    Ids ids = {0};
    assert_int_equal(tokenizer_encode(t, &ids, "", 0, TOK_BOS | TOK_EOS), ST_OK);
    assert_int_equal(ids.n, 2);
    assert_int_equal(ids.at[0], bos);
    assert_int_equal(ids.at[1], eos);
    array_clear(&ids);
    assert_int_equal(tokenizer_encode(t, &ids, "<s></s>", 7, TOK_SPECIAL), ST_OK);
    assert_int_equal(ids.n, 2);
    array_clear(&ids);
    assert_int_equal(tokenizer_encode(t, &ids, "<s>", 3, 0), ST_OK);
    assert_true(ids.n > 1);
    array_clear(&ids);
    assert_int_equal(tokenizer_encode(t, &ids, "\n", 1, TOK_RAW), ST_OK);
    assert_int_equal(ids.n, 1);
    assert_int_equal(tokenizer_find(t, "<0x0A>"), ids.at[0]);
    assert_true(tokenizer_is_special(t, bos));
    assert_false(tokenizer_is_special(t, ids.at[0]));
    assert_int_equal(tokenizer_find(t, "no such piece"), -1);
    tokenizer_close(t);
    array_drop(&ids);
}

static void the_hash_tells_vocabularies_apart(void **state)
{
    (void)state;
    uint64_t seen[5];
    const char *const names[] = {"llama.model", "llama_legacy.json", "llama_first.json", "llama_split.json",
                                 "gpt2.json"};
    for (int i = 0; i < 5; i++) {
        Tokenizer *t = open_golden(names[i]), *again = open_golden(names[i]);
        seen[i] = tokenizer_hash(t);
        assert_true(seen[i] == tokenizer_hash(again));
        for (int k = 0; k < i; k++)
            assert_true(seen[k] != seen[i]);
        tokenizer_close(t);
        tokenizer_close(again);
    }
}

typedef struct {
    const Tokenizer *t;
    const char *text;
    size_t n;
    Ids ids;
} Task;

static void *encode_many_times(void *argument)
{
    Task *task = argument;
    for (int i = 0; i < 50; i++) {
        array_clear(&task->ids);
        if (tokenizer_encode(task->t, &task->ids, task->text, task->n, 0) != ST_OK)
            return argument;
    }
    return NULL;
}

static void threads_share_a_tokenizer(void **state)
{
    (void)state;
    Tokenizer *t = open_golden("llama3.json");
    static const char text[] =
        "The lemurs sing in the evening. \xE6\x9D\xB1 \xD0\x91 for (int i = 0; i < 1234; i++) return 'x';\n";
    Task tasks[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        tasks[i] = (Task){.t = t, .text = text, .n = sizeof text - 1};
        assert_int_equal(pthread_create(&threads[i], NULL, encode_many_times, &tasks[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
        assert_int_equal(tasks[i].ids.n, tasks[0].ids.n);
        assert_memory_equal(tasks[i].ids.at, tasks[0].ids.at, tasks[0].ids.n * sizeof(int32_t));
    }
    for (int i = 0; i < 4; i++)
        array_drop(&tasks[i].ids);
    tokenizer_close(t);
}

static void what_cannot_be_opened_is_named(void **state)
{
    (void)state;
    Tokenizer *t = NULL;
    assert_int_equal(tokenizer_open(&t, "no/such/file"), ST_IO);
    assert_non_null(strstr(error_text(), "no/such/file"));
    assert_int_equal(tokenizer_open(&t, "src/tokenizer"), ST_IO);
    assert_non_null(strstr(error_text(), "neither tokenizer.json nor tokenizer.model"));
    assert_int_equal(tokenizer_open(&t, "Makefile"), ST_FORMAT);
    assert_null(t);
}

/* A long text without a place to cut must not take quadratic time: this would run for minutes. */
static void long_runs_are_encoded(void **state)
{
    (void)state;
    Tokenizer *t = open_golden("no_prefix.model"), *g = open_golden("gpt2.json");
    size_t n = 300000;
    char *text = mem_array(char, n);
    memset(text, 'a', n);
    Ids ids = {0};
    assert_int_equal(tokenizer_encode(t, &ids, text, n, 0), ST_OK);
    assert_int_equal(tokenizer_encode(g, &ids, text, n, 0), ST_OK);
    memset(text, ' ', n);
    assert_int_equal(tokenizer_encode(t, &ids, text, n, 0), ST_OK);
    assert_int_equal(tokenizer_encode(g, &ids, text, n, 0), ST_OK);
    array_drop(&ids);
    mem_free(text);
    tokenizer_close(t);
    tokenizer_close(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_those_of_other_libraries),
        cmocka_unit_test(random_bytes_survive_a_round_trip),
        cmocka_unit_test(flags_put_marks_around),
        cmocka_unit_test(the_hash_tells_vocabularies_apart),
        cmocka_unit_test(threads_share_a_tokenizer),
        cmocka_unit_test(what_cannot_be_opened_is_named),
        cmocka_unit_test(long_runs_are_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
