#include "corpus/shard.h"

#include "corpus/crash_test.h"
#include "corpus/manifest.h"

static const ShardSource source = {"c", SHARD_CODE};

static Status try_begin(ShardSetWriter **w, const char *name, int rows)
{
    ShardSpec spec = {.row_tokens = 3, .vocab_size = 100, .sources = &source, .sources_n = 1};
    char *folder = scratch_path(name);
    Status st = shards_create(w, folder, &spec, 2);
    mem_free(folder);
    TRY(st);
    uint32_t starts[] = {0};
    int32_t ids[] = {1, 2, 3};
    for (int i = 0; st == ST_OK && i < rows; i++)
        st = shards_add(*w, "train", ids, &(ShardRow){.starts = starts, .starts_n = 1});
    if (st != ST_OK)
        shards_abandon(*w);
    return st;
}

static ShardSetWriter *begin(const char *name, int rows)
{
    ShardSetWriter *w;
    assert_int_equal(try_begin(&w, name, rows), ST_OK);
    return w;
}

static void shards_have_bounded_size_and_plain_names(void **state)
{
    (void)state;
    assert_int_equal(shards_finish(begin("a", 5), NULL, NULL), ST_OK);
    scratch_run(
        "test \"$(ls a | tr '\\n' ' ')\" = 'manifest.json train-00000.tok train-00001.tok train-00002.tok '");
}

static int64_t rows_in(const char *name)
{
    ShardSet *s;
    char *folder = scratch_path(name);
    if (shards_open(&s, folder, "train") != ST_OK)
        fail_msg("%s", error_text());
    int32_t ids[3];
    int64_t rows = shards_rows(s);
    for (int64_t i = 0; i < rows; i++)
        assert_int_equal(shards_row(s, i, ids, NULL), ST_OK);
    shards_close(s);
    mem_free(folder);
    return rows;
}

static void the_old_set_stays_until_the_new_one_is_whole(void **state)
{
    (void)state;
    scratch_text("a/notes.txt", "kept");
    ShardSetWriter *w = begin("a", 1);
    assert_int_equal(rows_in("a"), 5);
    assert_int_equal(shards_finish(w, NULL, NULL), ST_OK);
    assert_int_equal(rows_in("a"), 1);
    scratch_run("test \"$(ls -A a | tr '\\n' ' ')\" = 'manifest.json notes.txt train-00000.tok '");
}

enum { OLD = 3, NEW = 5 };

static Status write_new(void)
{
    ShardSetWriter *w;
    TRY(try_begin(&w, "crash", NEW));
    char *vocabulary = path_join(shards_stage(w), "tokenizer");
    Status st = folder_make(vocabulary);
    char *file = path_join(vocabulary, "tokenizer.json");
    if (st == ST_OK)
        st = file_replace(file, "{}", 2);
    mem_free(vocabulary);
    mem_free(file);
    if (st != ST_OK)
        shards_abandon(w);
    return st == ST_OK ? shards_finish(w, "tokenizer", NULL) : st;
}

/* Struck at each call in turn, whatever lies there is one whole set; and the next run leaves nothing else. */
static void struck_anywhere_a_whole_set_lies_there(CrashKind kind)
{
    int at = 1, found_old = 0, found_new = 0;
    for (bool struck = true; struck; at++) {
        crash_remove("crash");
        assert_int_equal(shards_finish(begin("crash", OLD), NULL, NULL), ST_OK);
        struck = crash_run(kind, at, write_new);
        int64_t rows = rows_in("crash");
        assert_true(rows == OLD || rows == NEW);
        found_old += rows == OLD;
        found_new += rows == NEW;
        assert_true(struck || rows == NEW);
        assert_int_equal(write_new(), ST_OK);
        assert_int_equal(rows_in("crash"), NEW);
        crash_expect_entries("crash",
                             "manifest.json tokenizer train-00000.tok train-00001.tok train-00002.tok ");
    }
    assert_true(at > 20 && found_old > 5 && found_new > 5);
}

static void a_kill_leaves_a_whole_set(void **state)
{
    (void)state;
    struck_anywhere_a_whole_set_lies_there(CRASH_KILL);
}

static void a_full_disk_leaves_a_whole_set(void **state)
{
    (void)state;
    struck_anywhere_a_whole_set_lies_there(CRASH_FULL);
}

static void abandoning_leaves_nothing_and_keeps_the_reason(void **state)
{
    (void)state;
    ShardSetWriter *w = begin("b", 3);
    assert_int_equal((fail)(ST_IO, "the reason"), ST_IO);
    shards_abandon(w);
    assert_string_equal(error_text(), "the reason");
    scratch_run("test -z \"$(ls -A b)\"");
    shards_abandon(NULL);
}

static Status move_new(void)
{
    char *from = scratch_path("made"), *to = scratch_path("crash");
    Status st = shards_move(from, to);
    mem_free(from);
    mem_free(to);
    return st;
}

/* A set that was made elsewhere takes the place of another, whole or not at all; what is not the set's stays. */
static void a_moved_set_is_whole_wherever_it_is_struck(void **state)
{
    (void)state;
    int at = 1, found_old = 0, found_new = 0;
    for (bool struck = true; struck; at++) {
        crash_remove("crash");
        crash_remove("made");
        assert_int_equal(shards_finish(begin("made", NEW), NULL, NULL), ST_OK);
        assert_int_equal(shards_finish(begin("crash", OLD), NULL, NULL), ST_OK);
        scratch_text("crash/notes.txt", "kept");
        struck = crash_run(CRASH_KILL, at, move_new);
        int64_t rows = rows_in("crash");
        assert_true(rows == OLD || rows == NEW);
        found_old += rows == OLD;
        found_new += rows == NEW;
        if (rows == OLD)
            continue;
        assert_int_equal(write_new(), ST_OK);
        crash_expect_entries(
            "crash", "manifest.json notes.txt tokenizer train-00000.tok train-00001.tok train-00002.tok ");
    }
    assert_true(at > 10 && found_old > 3 && found_new > 3);
    assert_int_equal(move_new(), ST_IO); /* it has been moved */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_have_bounded_size_and_plain_names),
        cmocka_unit_test(the_old_set_stays_until_the_new_one_is_whole),
        cmocka_unit_test(a_kill_leaves_a_whole_set),
        cmocka_unit_test(a_full_disk_leaves_a_whole_set),
        cmocka_unit_test(a_moved_set_is_whole_wherever_it_is_struck),
        cmocka_unit_test(abandoning_leaves_nothing_and_keeps_the_reason),
    };
    return cmocka_run_group_tests(tests, crash_scratch_make, scratch_remove);
}
