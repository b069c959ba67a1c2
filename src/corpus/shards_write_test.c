#include "corpus/shard.h"

#include "corpus/scratch_test.h"

static const ShardSource source = {"c", SHARD_CODE};

static ShardSetWriter *begin(const char *name, int rows)
{
    ShardSpec spec = {.row_tokens = 3, .vocab_size = 100, .sources = &source, .sources_n = 1};
    ShardSetWriter *w;
    char *folder = scratch_path(name);
    assert_int_equal(shards_create(&w, folder, &spec, 2), ST_OK);
    mem_free(folder);
    uint32_t starts[] = {0};
    int32_t ids[] = {1, 2, 3};
    for (int i = 0; i < rows; i++)
        assert_int_equal(shards_add(w, "train", ids, &(ShardRow){.starts = starts, .starts_n = 1}), ST_OK);
    return w;
}

static void shards_have_bounded_size_and_plain_names(void **state)
{
    (void)state;
    assert_int_equal(shards_finish(begin("a", 5), NULL, NULL), ST_OK);
    scratch_run(
        "test \"$(ls a | tr '\\n' ' ')\" = 'manifest.json train-00000.tok train-00001.tok train-00002.tok '");
}

static void beginning_again_takes_the_old_away(void **state)
{
    (void)state;
    scratch_text("a/notes.txt", "kept");
    ShardSetWriter *w = begin("a", 1);
    scratch_run("test ! -e a/manifest.json && test ! -e a/train-00002.tok && test -e a/notes.txt");
    ShardSet *s;
    char *folder = scratch_path("a");
    assert_int_equal(shards_open(&s, folder, "train"), ST_IO);
    assert_int_equal(shards_finish(w, NULL, NULL), ST_OK);
    assert_int_equal(shards_open(&s, folder, "train"), ST_OK);
    assert_int_equal(shards_rows(s), 1);
    assert_null(shards_tokenizer_path(s));
    shards_close(s);
    mem_free(folder);
}

static void abandoning_leaves_nothing_and_keeps_the_reason(void **state)
{
    (void)state;
    ShardSetWriter *w = begin("b", 3);
    assert_int_equal((fail)(ST_IO, "the reason"), ST_IO);
    shards_abandon(w);
    assert_string_equal(error_text(), "the reason");
    scratch_run("test -z \"$(ls b)\"");
    shards_abandon(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_have_bounded_size_and_plain_names),
        cmocka_unit_test(beginning_again_takes_the_old_away),
        cmocka_unit_test(abandoning_leaves_nothing_and_keeps_the_reason),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
