#include "corpus/shard.h"

#include <jansson.h>

#include "corpus/scratch_test.h"

static const ShardSource sources[] = {{"c", SHARD_CODE}, {"prose", SHARD_TEXT}};
enum { ROWS = 10, HELD = 3, SHARD_ROWS = 4 };

static void set_write(bool isolated)
{
    ShardSpec spec = {.row_tokens = 3,
                      .vocab_size = 100,
                      .tokenizer_hash = 77,
                      .isolated = isolated,
                      .sources = sources,
                      .sources_n = 2};
    ShardSetWriter *w;
    char *folder = scratch_path("set");
    assert_int_equal(shards_create(&w, folder, &spec, SHARD_ROWS), ST_OK);
    mem_free(folder);
    uint32_t starts[] = {0, 2};
    for (int i = 0; i < ROWS + HELD; i++) {
        int32_t ids[] = {i, i + 1, i + 2};
        ShardRow row = {.starts = starts, .starts_n = 2, .source = i % 2, .bytes = 5 * i};
        assert_int_equal(shards_add(w, i < ROWS ? "train" : "held_out", ids, &row), ST_OK);
    }
    json_t *more = json_pack("{s:i}", "answer", 42);
    assert_int_equal(shards_finish(w, "tokenizer", more), ST_OK);
    json_decref(more);
}

static Status set_open(ShardSet **s, const char *split)
{
    char *folder = scratch_path("set");
    Status st = shards_open(s, folder, split);
    mem_free(folder);
    return st;
}

static void sets_come_back(void **state)
{
    (void)state;
    ShardSet *s;
    set_write(true);
    assert_int_equal(set_open(&s, "train"), ST_OK);
    assert_int_equal(shards_rows(s), ROWS);
    assert_int_equal(shards_row_tokens(s), 3);
    assert_int_equal(shards_vocab_size(s), 100);
    assert_true(shards_tokenizer_hash(s) == 77);
    assert_true(shards_isolated(s));
    assert_true(shards_learned(s) == 1);
    assert_int_equal(shards_sources_n(s), 2);
    assert_string_equal(shards_sources(s)[1].name, "prose");
    assert_int_equal(shards_sources(s)[1].kind, SHARD_TEXT);
    assert_non_null(strstr(shards_tokenizer_path(s), "/set/tokenizer"));
    uint64_t hash = shards_hash(s);
    for (int i = ROWS - 1; i >= 0; i--) {
        int32_t ids[3];
        ShardRow row;
        assert_int_equal(shards_row(s, i, ids, &row), ST_OK);
        assert_int_equal(ids[2], i + 2);
        assert_int_equal(row.source, i % 2);
        assert_int_equal(row.starts_n, 2);
        assert_int_equal(row.bytes, -1);
    }
    shards_close(s);
    assert_int_equal(set_open(&s, "held_out"), ST_OK);
    int32_t ids[3];
    ShardRow row;
    assert_int_equal(shards_rows(s), HELD);
    assert_int_equal(shards_row(s, 1, ids, &row), ST_OK);
    assert_int_equal(row.bytes, 5 * (ROWS + 1));
    assert_true(shards_hash(s) != hash);
    shards_close(s);
    assert_int_equal(set_open(&s, "test"), ST_FORMAT);
}

/* Replaces one text in the manifest and expects a refusal. */
static void refuse(const Str *text, const char *from, const char *to, Status wanted)
{
    ShardSet *s;
    Str changed = {0};
    char *at = strstr(str_c(text), from);
    assert_non_null(at);
    str_add(&changed, text->at, (size_t)(at - text->at));
    str_adds(&changed, to);
    str_adds(&changed, at + strlen(from));
    scratch_write("set/manifest.json", changed.at, changed.n);
    Status st = set_open(&s, "train");
    if (st != wanted)
        fail_msg("'%s' for '%s': %d %s", to, from, (int)st, error_text());
    assert_non_null(strstr(error_text(), "manifest.json"));
    str_drop(&changed);
}

static void manifests_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    set_write(false);
    Str text = scratch_read("set/manifest.json");
    refuse(&text, "\"lemur-shards\"", "\"something\"", ST_FORMAT);
    refuse(&text, "\"version\": 2", "\"version\": 1", ST_UNSUPPORTED);
    assert_non_null(strstr(error_text(), "again"));
    refuse(&text, "\"version\": 2", "\"version\": 3", ST_UNSUPPORTED);
    refuse(&text, "\"version\": 2", "\"version\": 2, \"folder\": \"..\"", ST_FORMAT);
    refuse(&text, "\"version\": 2", "\"version\": 2, \"folder\": \".partial\"", ST_IO);
    refuse(&text, "\"row_tokens\": 3", "\"row_tokens\": 4", ST_FORMAT);
    refuse(&text, "\"row_tokens\": 3", "\"row_tokens\": -1", ST_FORMAT);
    refuse(&text, "\"vocab_size\": 100", "\"vocab_size\": \"many\"", ST_FORMAT);
    refuse(&text, "\"attention\": \"across\"", "\"attention\": \"isolated\"", ST_FORMAT);
    refuse(&text, "\"attention\": \"across\"", "\"attention\": \"sideways\"", ST_FORMAT);
    refuse(&text, "000000000000004d", "000000000000004e", ST_FORMAT);
    refuse(&text, "000000000000004d", "4d", ST_FORMAT);
    refuse(&text, "\"name\": \"prose\"", "\"name\": \"verse\"", ST_FORMAT);
    refuse(&text, "\"kind\": \"code\"", "\"kind\": \"song\"", ST_FORMAT);
    refuse(&text, "train-00001.tok", "../x.tok", ST_FORMAT);
    refuse(&text, "train-00001.tok", "train-00000.tok", ST_FORMAT);
    refuse(&text, "train-00001.tok", "train-00009.tok", ST_IO);
    refuse(&text, "\"rows\": 10", "\"rows\": 11", ST_FORMAT);
    refuse(&text, "{", "[", ST_FORMAT);
    str_drop(&text);
}

static void every_truncated_manifest_is_refused(void **state)
{
    (void)state;
    ShardSet *s;
    set_write(false);
    Str text = scratch_read("set/manifest.json");
    for (size_t n = 0; n < text.n; n++) {
        scratch_write("set/manifest.json", text.at, n);
        assert_int_equal(set_open(&s, "train"), ST_FORMAT);
    }
    str_drop(&text);
    scratch_run("rm set/manifest.json");
    assert_int_equal(set_open(&s, "train"), ST_IO);
    assert_non_null(strstr(error_text(), "lemur pack"));
    shards_close(NULL);
}

static void a_truncated_shard_is_refused(void **state)
{
    (void)state;
    ShardSet *s;
    scratch_run("rm -rf set");
    set_write(false);
    scratch_run("truncate -s -1 set/train-00002.tok");
    assert_int_equal(set_open(&s, "train"), ST_FORMAT);
    assert_non_null(strstr(error_text(), "train-00002.tok"));
    assert_int_equal(set_open(&s, "held_out"), ST_OK);
    shards_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_come_back),
        cmocka_unit_test(manifests_that_do_not_fit_are_refused),
        cmocka_unit_test(every_truncated_manifest_is_refused),
        cmocka_unit_test(a_truncated_shard_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
