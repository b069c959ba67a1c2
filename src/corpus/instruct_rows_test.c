/* The second pass, by the rows it writes. */
#include "corpus/instruct_rows.h"

#include "corpus/instruct_fixture_test.h"

/* Every example of a split as text, in the order of the rows. */
static Str examples_of(const Fixture *f, const char *folder, const char *split, int64_t *rows,
                       int64_t *examples)
{
    Str out = {0};
    ShardSet *set;
    ShardRow row;
    assert_int_equal(shards_open(&set, in_scratch(folder), split), ST_OK);
    int32_t room = shards_row_tokens(set), *ids = mem_array(int32_t, room);
    *rows = shards_rows(set);
    *examples = 0;
    for (int64_t r = 0; r < *rows; r++) {
        assert_int_equal(shards_row(set, r, ids, &row), ST_OK);
        for (int32_t i = 0; i < row.starts_n; i++) {
            int32_t to = i + 1 < row.starts_n ? (int32_t)row.starts[i + 1] : room - row.padding;
            assert_int_equal(
                tokenizer_decode(f->tok, &out, ids + row.starts[i], (size_t)to - row.starts[i], true), ST_OK);
            str_addc(&out, '\0');
            ++*examples;
        }
    }
    mem_free(ids);
    shards_close(set);
    return out;
}

static int count(const Str *s, const char *words)
{
    int n = 0;
    for (const char *at = s->at; (at = memmem(at, (size_t)(s->at + s->n - at), words, strlen(words))); at++)
        n++;
    return n;
}

static void rows_hold_what_the_ledger_says(void **state)
{
    (void)state;
    Fixture f;
    int64_t rows, examples, held_rows, held;
    fixture_examples("a.jsonl", 40);
    fixture_examples("b.jsonl", 60);
    fixture_open(
        &f,
        "{held_out: 0.1, sources: [{name: a, kind: text, path: $/a.jsonl, weight: 2}, {name: b, kind: code, "
        "path: $/b.jsonl, limit: 20}]}");
    json_t *m = fixture_prepare(&f, "rows", NULL);
    Str train = examples_of(&f, "rows", "train", &rows, &examples);
    Str out = examples_of(&f, "rows", "held_out", &held_rows, &held);
    int64_t a = fixture_number(m, 0, "available", "examples"),
            a_held = fixture_number(m, 0, "held_out", "examples");
    assert_int_equal(a + a_held, 40);
    assert_true(a_held >= 1 && fixture_number(m, 1, "held_out", "examples") >= 1);
    assert_int_equal(count(&train, "a.jsonl question"), 2 * a);
    int64_t b_held = fixture_number(m, 1, "held_out", "examples");
    assert_int_equal(count(&train, "b.jsonl question") + count(&out, "b.jsonl question"), 20);
    assert_int_equal(count(&out, "b.jsonl question"), b_held);
    assert_int_equal(examples, 2 * a + 20 - b_held);
    assert_int_equal(fixture_number(m, 0, "used", "rows") + fixture_number(m, 1, "used", "rows"), rows);
    assert_int_equal(held, a_held + fixture_number(m, 1, "held_out", "examples"));
    /* No example is on both sides. */
    for (const char *at = out.at; at < out.at + out.n; at += strlen(at) + 1)
        assert_null(memmem(train.at, train.n, at, strlen(at) + 1));
    str_drop(&train);
    str_drop(&out);
    json_decref(m);
    fixture_close(&f);
}

/* Seeds mix; they do not move an example to the other side. */
static void every_seed_holds_out_the_same(void **state)
{
    (void)state;
    Fixture f;
    int64_t n, examples;
    fixture_examples("s.jsonl", 60);
    fixture_open(&f, "{held_out: 0.3, packing: single, sources: [{name: s, kind: text, path: $/s.jsonl}]}");
    json_decref(fixture_prepare(&f, "seven", NULL));
    f.job.seed = 8;
    json_decref(fixture_prepare(&f, "eight", NULL));
    Str seven = examples_of(&f, "seven", "held_out", &n, &examples), eight = examples_of(&f, "eight", "held_out", &n, &examples);
    assert_true(seven.n > 0 && seven.n == eight.n);
    assert_memory_equal(seven.at, eight.at, seven.n);
    str_drop(&seven);
    str_drop(&eight);
    seven = examples_of(&f, "seven", "train", &n, &examples);
    eight = examples_of(&f, "eight", "train", &n, &examples);
    assert_memory_not_equal(seven.at, eight.at, seven.n);
    str_drop(&seven);
    str_drop(&eight);
    fixture_close(&f);
}

/* Paths of a tree have their beginning in common, which would be learned and tested else. */
static void a_tree_falls_on_one_side(void **state)
{
    (void)state;
    Fixture f;
    Str text = {0};
    int64_t n, trains, held;
    for (int i = 0; i < 40; i++) {
        str_addf(&text,
                 "{\"message_tree_id\":\"t%d\",\"tree_state\":\"ready_for_export\",\"prompt\":{\"text\":\"tree %d.\","
                 "\"role\":\"prompter\",\"lang\":\"en\",\"replies\":[",
                 i, i);
        for (int k = 0; k < 3; k++)
            str_addf(&text, "%s{\"text\":\"answer %d\",\"role\":\"assistant\",\"lang\":\"en\",\"rank\":%d,\"replies\":[]}",
                     k ? "," : "", k, k);
        str_adds(&text, "]}}\n");
    }
    scratch_write("trees.jsonl", text.at, text.n);
    str_drop(&text);
    fixture_open(&f, "{held_out: 0.3, sources: [{name: t, kind: text, path: $/trees.jsonl, format: oasst, paths: all}]}");
    json_decref(fixture_prepare(&f, "trees", NULL));
    Str train = examples_of(&f, "trees", "train", &n, &trains), out = examples_of(&f, "trees", "held_out", &n, &held);
    assert_int_equal(trains + held, 120);
    assert_true(trains > 0 && held > 0);
    for (int i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "tree %d.", i);
        assert_true(count(&train, name) == 0 || count(&out, name) == 0);
    }
    str_drop(&train);
    str_drop(&out);
    fixture_close(&f);
}

static void mixes_by_tokens_and_shares(void **state)
{
    (void)state;
    Fixture f;
    fixture_examples("c.jsonl", 50);
    fixture_examples("d.jsonl", 400);
    fixture_open(&f, "{held_out: 0, mix: tokens, total: 6000, max_repeats: 2, sources: [{name: c, kind: "
                     "text, path: $/c.jsonl, "
                     "share: 1}, {name: d, kind: text, path: $/d.jsonl, share: 1}]}");
    json_t *m = fixture_prepare(&f, "shares", NULL);
    int64_t c = fixture_number(m, 0, "used", "tokens"), d = fixture_number(m, 1, "used", "tokens");
    assert_true(c > 2950 && c < 3050 && d > 2950 && d < 3050);
    json_decref(m);
    fixture_close(&f);
}

static void one_example_a_row(void **state)
{
    (void)state;
    Fixture f;
    int64_t rows, examples;
    fixture_examples("single.jsonl", 12);
    fixture_open(&f,
                 "{held_out: 0, packing: single, sources: [{name: s, kind: text, path: $/single.jsonl}]}");
    json_decref(fixture_prepare(&f, "single", NULL));
    Str all = examples_of(&f, "single", "train", &rows, &examples);
    assert_int_equal(rows, 12);
    assert_int_equal(examples, 12);
    str_drop(&all);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold_what_the_ledger_says),
        cmocka_unit_test(every_seed_holds_out_the_same),
        cmocka_unit_test(a_tree_falls_on_one_side),
        cmocka_unit_test(mixes_by_tokens_and_shares),
        cmocka_unit_test(one_example_a_row),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
