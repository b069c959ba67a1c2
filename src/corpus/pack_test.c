#include "corpus/pack.h"

#include "corpus/corpus_reader.h"
#include "corpus/shard.h"
#include "corpus/small_corpus_test.h"
#include "corpus/stop.h"

enum { CONTEXT = 31, R = CONTEXT + 1 };

typedef struct {
    int64_t seed, tokens;
    const char *attention;
    int threads;
} Choice;

/* From files, as the command has it. */
static Tokenizer *vocabulary(void)
{
    Tokenizer *made = scratch_vocabulary(), *tok = NULL;
    char *folder = scratch_path("vocabulary");
    assert_int_equal(folder_make(folder), ST_OK);
    assert_int_equal(tokenizer_save(made, folder), ST_OK);
    if (tokenizer_open(&tok, folder) != ST_OK)
        fail_msg("%s", error_text());
    tokenizer_close(made);
    mem_free(folder);
    return tok;
}

static Status pack_into(const char *out, Choice choice, json_t **manifest)
{
    PackConfig c = {0};
    Tokenizer *tok = vocabulary();
    char *corpus = scratch_path("corpus"), *folder = scratch_path(out);
    config_defaults(&pack_table, &c);
    c.context = CONTEXT;
    c.seed = choice.seed;
    c.tokens = choice.tokens;
    c.shard_rows = 40;
    assert_int_equal(config_set(&pack_table, &c, "attention", choice.attention ? choice.attention : "across"),
                     ST_OK);
    Status st = pack(corpus, tok, &c, folder, choice.threads ? choice.threads : 1, manifest);
    config_drop(&pack_table, &c);
    tokenizer_close(tok);
    mem_free(corpus);
    mem_free(folder);
    return st;
}

static ShardSet *set_open(const char *out, const char *split)
{
    ShardSet *s;
    char *folder = scratch_path(out);
    if (shards_open(&s, folder, split) != ST_OK)
        fail_msg("%s", error_text());
    mem_free(folder);
    return s;
}

static void the_ratio_is_exact_to_the_row(void **state)
{
    (void)state;
    json_t *m;
    assert_int_equal(pack_into("p", (Choice){.seed = 1, .tokens = 110 * R}, &m), ST_OK);
    assert_int_equal(json_integer_value(json_object_get(m, "rows_code")), 100);
    assert_int_equal(json_integer_value(json_object_get(m, "rows_text")), 10);
    json_decref(m);
    ShardSet *s = set_open("p", "train");
    int32_t ids[R];
    ShardRow row;
    int counts[2] = {0}, code_in_first_half = 0;
    assert_int_equal(shards_rows(s), 110);
    for (int64_t i = 0; i < 110; i++) {
        assert_int_equal(shards_row(s, i, ids, &row), ST_OK);
        counts[row.source]++;
        code_in_first_half += i < 55 && row.source == 0;
        for (int k = 0; k < R; k++) /* a document starts exactly behind each end token, and the row at 0 */
            if (k > 0 && ids[k - 1] == 256) {
                bool found = false;
                for (int32_t j = 0; j < row.starts_n; j++)
                    found |= row.starts[j] == (uint32_t)k;
                assert_true(found);
            }
    }
    assert_int_equal(counts[0], 100);
    assert_in_range(code_in_first_half, 44, 55); /* mixed, not one kind behind the other */
    assert_true(shards_vocab_size(s) == 257 && !shards_isolated(s));
    shards_close(s);
}

/* Held-out rows predict byte for byte what the corpus holds, each token once, its last ones too. */
static void held_out_rows_count_their_bytes(void **state)
{
    (void)state;
    CorpusReader *r;
    Document d;
    Str wanted = {0};
    char *folder = scratch_path("corpus");
    assert_int_equal(corpus_reader_open(&r, folder, &(CorpusQuery){.split = "held_out", .source = "c"}),
                     ST_OK);
    while (corpus_reader_next(r, &d) == ST_OK && d.id.at) {
        str_add(&wanted, d.text.at, d.text.n);
        str_addc(&wanted, 0); /* for the end token */
    }
    corpus_reader_close(r);
    mem_free(folder);
    ShardSet *s = set_open("p", "held_out");
    Tokenizer *tok = scratch_vocabulary();
    int32_t ids[R];
    ShardRow row;
    int64_t rows = 0, predicted = 0, bytes = 0, documents = 0;
    for (int64_t i = 0; i < shards_rows(s); i++) {
        assert_int_equal(shards_row(s, i, ids, &row), ST_OK);
        if (row.source != 0)
            continue;
        int ends = 0;
        assert_int_equal(ids[0], rows == 0 || wanted.at[predicted - 1] == 0 ? 256 : ids[0]);
        for (int32_t j = 0; j < row.starts_n; j++) /* one behind each end token */
            documents += row.starts[j] > 0;
        for (int k = 1; k < R - row.padding; k++) {
            unsigned char byte = (unsigned char)wanted.at[predicted++];
            Str text = {0};
            assert_int_equal(tokenizer_decode(tok, &text, &ids[k], 1, false), ST_OK);
            assert_int_equal(text.n ? (unsigned char)text.at[0] : 0, byte);
            ends += byte == 0;
            str_drop(&text);
        }
        assert_int_equal(row.bytes, CONTEXT - row.padding - ends);
        for (int k = R - row.padding; k < R; k++)
            assert_int_equal(ids[k], 256);
        bytes += row.bytes;
        rows++;
    }
    assert_int_equal(predicted, wanted.n);
    assert_int_equal(rows, (wanted.n + CONTEXT - 1) / CONTEXT);
    assert_int_equal(documents + bytes, wanted.n);
    assert_true(rows > 5);
    str_drop(&wanted);
    shards_close(s);
    tokenizer_close(tok);
}

static void seed_decides_and_threads_do_not(void **state)
{
    (void)state;
    assert_int_equal(pack_into("a", (Choice){.seed = 5, .threads = 1}, NULL), ST_OK);
    assert_int_equal(pack_into("b", (Choice){.seed = 5, .threads = 3}, NULL), ST_OK);
    assert_int_equal(pack_into("c2", (Choice){.seed = 6}, NULL), ST_OK);
    scratch_run("diff -r a b && ! cmp -s a/train-00000.tok c2/train-00000.tok && cmp a/held_out-00000.tok "
                "c2/held_out-00000.tok");
    scratch_run("test ! -e a/.partial && test -e a/tokenizer/tokenizer.json");
}

static void isolation_is_recorded(void **state)
{
    (void)state;
    assert_int_equal(pack_into("iso", (Choice){.seed = 1, .attention = "isolated"}, NULL), ST_OK);
    ShardSet *s = set_open("iso", "train");
    assert_true(shards_isolated(s));
    shards_close(s);
}

/* The vocabulary that lies with the shards is the one they were packed with. */
static void the_vocabulary_travels_along(void **state)
{
    (void)state;
    ShardSet *s = set_open("a", "train");
    Tokenizer *tok;
    if (tokenizer_open(&tok, shards_tokenizer_path(s)) != ST_OK)
        fail_msg("%s", error_text());
    assert_true(tokenizer_hash(tok) == shards_tokenizer_hash(s));
    tokenizer_close(tok);
    shards_close(s);
}

static void failures_leave_nothing(void **state)
{
    (void)state;
    stop_ask(true);
    assert_int_equal(pack_into("stopped", (Choice){.seed = 1}, NULL), ST_CANCELLED);
    stop_ask(false);
    scratch_run("test -z \"$(ls -A stopped)\"");
    assert_int_equal(pack_into("small", (Choice){.seed = 1, .tokens = 5}, NULL), ST_ARG);
    scratch_run("test -z \"$(ls -A small)\"");
    scratch_run("truncate -s -10 corpus/train/c.jsonl.zst");
    assert_int_equal(pack_into("a", (Choice){.seed = 1}, NULL), ST_FORMAT);
    scratch_run("test -e a/manifest.json"); /* what was packed before is still there */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ratio_is_exact_to_the_row),   cmocka_unit_test(held_out_rows_count_their_bytes),
        cmocka_unit_test(seed_decides_and_threads_do_not), cmocka_unit_test(isolation_is_recorded),
        cmocka_unit_test(the_vocabulary_travels_along),    cmocka_unit_test(failures_leave_nothing),
    };
    return cmocka_run_group_tests(tests, small_corpus, scratch_remove);
}
