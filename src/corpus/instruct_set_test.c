#include "corpus/instruct_set.h"

#include "corpus/instruct_fixture_test.h"
#include "tokenizer/chat_templates.h"

static Str bytes_of(const char *folder)
{
    char *name = mem_format("%s/train-00000.tok", folder);
    Str bytes = scratch_read(name);
    mem_free(name);
    return bytes;
}

static void sets_are_made_once(void **state)
{
    (void)state;
    Fixture f;
    bool reused;
    uint64_t before, after;
    fixture_examples("once.jsonl", 30);
    fixture_open(&f, "{sources: [{name: a, kind: text, path: $/once.jsonl}]}");
    json_t *first = fixture_prepare(&f, "once", &reused);
    assert_false(reused);
    json_t *second = fixture_prepare(&f, "once", &reused);
    assert_true(reused);
    assert_true(json_equal(first, second));
    json_decref(first);
    json_decref(second);
    assert_int_equal(instruct_inputs_hash(&before, &f.job), ST_OK);
    f.job.seed++;
    assert_int_equal(instruct_inputs_hash(&after, &f.job), ST_OK);
    assert_true(before != after);
    f.job.seed--;
    chat_template_set_system(f.tmpl, "Be kind.");
    assert_int_equal(instruct_inputs_hash(&after, &f.job), ST_OK);
    assert_true(before != after);
    chat_template_set_system(f.tmpl, NULL);
    f.tmpl->trims = true; /* as a model's own template may */
    assert_int_equal(instruct_inputs_hash(&after, &f.job), ST_OK);
    assert_true(before != after);
    f.tmpl->trims = false;
    fixture_examples("once.jsonl", 31);
    json_decref(fixture_prepare(&f, "once", &reused));
    assert_false(reused);
    fixture_close(&f);
}

/* What was made of the same inputs and is damaged or gone is made once more. */
static void a_damaged_set_is_made_anew(void **state)
{
    (void)state;
    Fixture f;
    bool reused;
    fixture_examples("whole.jsonl", 30);
    fixture_open(&f, "{sources: [{name: a, kind: text, path: $/whole.jsonl}]}");
    json_decref(fixture_prepare(&f, "damaged", NULL));
    Str good = bytes_of("damaged");
    good.at[good.n - 9] ^= 1;
    scratch_write("damaged/train-00000.tok", good.at, good.n);
    good.at[good.n - 9] ^= 1;
    json_decref(fixture_prepare(&f, "damaged", &reused));
    assert_false(reused);
    Str again = bytes_of("damaged");
    assert_int_equal(again.n, good.n);
    assert_memory_equal(again.at, good.at, good.n);
    unlink(in_scratch("damaged/held_out-00000.tok"));
    unlink(in_scratch("damaged/train-00000.tok"));
    json_decref(fixture_prepare(&f, "damaged", &reused));
    assert_false(reused);
    json_decref(fixture_prepare(&f, "damaged", &reused));
    assert_true(reused);
    str_drop(&good);
    str_drop(&again);
    fixture_close(&f);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    Fixture f;
    fixture_examples("many.jsonl", 3000);
    fixture_open(&f, "{sources: [{name: a, kind: text, path: $/many.jsonl}]}");
    f.job.threads = 1;
    json_decref(fixture_prepare(&f, "one", NULL));
    f.job.threads = 8;
    json_decref(fixture_prepare(&f, "eight", NULL));
    Str one = bytes_of("one"), eight = bytes_of("eight");
    assert_int_equal(one.n, eight.n);
    assert_memory_equal(one.at, eight.at, one.n);
    str_drop(&one);
    str_drop(&eight);
    f.job.seed = 8;
    json_decref(fixture_prepare(&f, "other", NULL));
    Str other = bytes_of("other"), again = bytes_of("eight");
    assert_true(other.n != again.n || memcmp(other.at, again.at, other.n) != 0);
    str_drop(&other);
    str_drop(&again);
    fixture_close(&f);
}

static void a_set_that_fails_leaves_nothing(void **state)
{
    (void)state;
    Fixture f;
    json_t *manifest;
    bool reused;
    scratch_text("bad.jsonl", "{\"instruction\":\"q\",\"output\":\"\"}\n");
    fixture_open(&f, "{sources: [{name: a, kind: text, path: $/bad.jsonl}]}");
    assert_int_equal(instruct_prepare(&f.job, in_scratch("failed"), &manifest, &reused), ST_FORMAT);
    expect_words("bad.jsonl:1");
    assert_false(path_exists(in_scratch("failed/manifest.json")));
    assert_int_equal(instruct_manifest(&manifest, in_scratch("failed")), ST_IO);
    fixture_close(&f);
    fixture_open(&f, "{}");
    assert_int_equal(instruct_prepare(&f.job, in_scratch("failed"), &manifest, &reused), ST_ARG);
    expect_words("no examples to learn from");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_made_once),
        cmocka_unit_test(a_damaged_set_is_made_anew),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(a_set_that_fails_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
