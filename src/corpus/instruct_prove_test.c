/* The proof over rows, with masks broken on purpose. */
#include "corpus/instruct_set.h"

#include "corpus/instruct_fixture_test.h"

enum { ROOM = 12, END = 9 };

/* One row of two examples, of 5 and 4 ids, and 3 of padding; learned are 3 4 and 7 8, of which 4 and 8 are
 * ends. */
static Status prove(const uint8_t *learned, size_t learned_n, int64_t said)
{
    static const ShardSource sources[] = {{"s", SHARD_TEXT}};
    ShardSpec spec = {.row_tokens = ROOM,
                      .vocab_size = 20,
                      .isolated = true,
                      .has_mask = true,
                      .sources = sources,
                      .sources_n = 1};
    int32_t ids[ROOM] = {1, 2, 3, 4, END, 1, 2, 3, END, 0, 0, 0};
    uint32_t starts[] = {0, 5};
    uint8_t mask[2] = {0};
    Ids ends = {0};
    ShardSetWriter *w;
    ShardRow row = {.starts = starts, .starts_n = 2, .padding = 3, .mask = mask};
    for (size_t i = 0; i < learned_n; i++)
        mask[learned[i] / 8] = (uint8_t)(mask[learned[i] / 8] | 1 << learned[i] % 8);
    assert_int_equal(shards_create(&w, in_scratch("set"), &spec, 8), ST_OK);
    assert_int_equal(shards_add(w, "train", ids, &row), ST_OK);
    assert_int_equal(shards_finish(w, NULL, NULL), ST_OK);
    json_t *manifest = json_pack("{s:{s:[{s:{s:i, s:i, s:I}, s:{}}]}}", "tune", "ledger", "used", "examples",
                                 2, "tokens", 9, "learned", (json_int_t)said, "held_out");
    array_push(&ends, END);
    Status st = instruct_prove(in_scratch("set"), &ends, manifest);
    array_drop(&ends);
    json_decref(manifest);
    return st;
}

#define PROVE(said, ...) prove((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), said)

static void sound_masks_pass(void **state)
{
    (void)state;
    assert_int_equal(PROVE(4, 3, 4, 7, 8), ST_OK);
    assert_int_equal(PROVE(2, 4, 8), ST_OK);
}

static void broken_masks_do_not(void **state)
{
    (void)state;
    assert_int_equal(PROVE(3, 3, 7, 8), ST_FORMAT); /* the end is hidden */
    expect_words("train, row 0: example 1: what is learned up to token 3 ends without its end marker");
    assert_int_equal(PROVE(2, 3, 4), ST_FORMAT);
    expect_words("example 2: nothing of it is learned");
    assert_int_equal(PROVE(5, 0, 3, 4, 7, 8), ST_FORMAT);
    expect_words("first token");
    assert_int_equal(PROVE(5, 1, 3, 4, 7, 8), ST_FORMAT); /* a user's token */
    expect_words("ends without its end marker");
    assert_int_equal(PROVE(5, 3, 4, 7, 8, 10), ST_FORMAT);
    expect_words("padding");
    assert_int_equal(PROVE(5, 3, 4, 7, 8), ST_FORMAT);
    expect_words("the ledger says 2, 9, 5");
}

/* Rows of lemur pack have no mask, and are no tuning set. */
static void rows_without_masks_are_refused(void **state)
{
    (void)state;
    static const ShardSource sources[] = {{"s", SHARD_TEXT}};
    ShardSpec spec = {.row_tokens = 4, .vocab_size = 20, .sources = sources, .sources_n = 1};
    ShardSetWriter *w;
    json_t *manifest;
    assert_int_equal(shards_create(&w, in_scratch("packed"), &spec, 8), ST_OK);
    assert_int_equal(shards_add(w, "train", (const int32_t[]){1, 2, 3, 4},
                                &(ShardRow){.starts = (const uint32_t[]){0}, .starts_n = 1}),
                     ST_OK);
    assert_int_equal(shards_finish(w, NULL, NULL), ST_OK);
    assert_int_equal(instruct_manifest(&manifest, in_scratch("packed")), ST_FORMAT);
    expect_words("lemur pack");
    Ids none = {0};
    assert_int_equal(instruct_prove(in_scratch("packed"), &none, NULL), ST_FORMAT);
    expect_words("no masks");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_masks_pass),
        cmocka_unit_test(broken_masks_do_not),
        cmocka_unit_test(rows_without_masks_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
