#include "cli/tune_place.h"

#include "base/json_file.h"
#include "cli/tune_data.h"
#include "cli/tune_fixture_test.h"

/* Examples, a base, and settings of a run in scratch/run. */
typedef struct {
    TuneSettings t;
    TuneData data;
    InstructJob job;
    TunePlace place;
} Fixture;

static void fixture_open(Fixture *f)
{
    tune_base("base", TUNE_IDS, false);
    tune_examples("examples.jsonl", 9);
    tune_settings_init(&f->t);
    f->t.output = scratch_path("run");
    assert_int_equal(instruct_recipe_add_file(&f->t.recipe, in_scratch("examples.jsonl"), NULL), ST_OK);
    assert_int_equal(tune_data_open(&f->data, in_scratch("base"), &f->t.recipe), ST_OK);
    f->job = (InstructJob){&f->t.recipe, f->data.tokenizer, f->data.tmpl, 7, 1};
}

static void fixture_drop(Fixture *f)
{
    tune_data_close(&f->data);
    tune_settings_drop(&f->t);
    assert_int_equal(folder_remove(in_scratch("run")), ST_OK);
}

static Status open_place(Fixture *f)
{
    return tune_place_open(&f->place, &f->t, &f->job, in_scratch("base"));
}

static void prepare(Fixture *f)
{
    json_t *manifest;
    bool reused;
    if (instruct_prepare(&f->job, f->place.made, &manifest, &reused) != ST_OK)
        fail_msg("%s", error_text());
    json_decref(manifest);
}

static void a_new_run_has_its_folder(void **state)
{
    (void)state;
    Fixture f;
    TunePlace other;
    fixture_open(&f);
    assert_int_equal(open_place(&f), ST_OK);
    assert_string_equal(f.place.made, in_scratch("run/data"));
    assert_int_equal(tune_place_open(&other, &f.t, &f.job, in_scratch("base")), ST_ARG); /* locked */
    expect_words("another process trains");
    tune_place_close(&other);
    tune_place_close(&f.place);
    assert_false(path_exists(in_scratch("run")));
    assert_int_equal(open_place(&f), ST_OK);
    prepare(&f);
    tune_place_close(&f.place);
    assert_true(path_exists(in_scratch("run/data/manifest.json")));
    fixture_drop(&f);
}

/* What a run learns from stays until another takes its place; the same set is used where it lies. */
static void a_run_keeps_its_set(void **state)
{
    (void)state;
    Fixture f;
    fixture_open(&f);
    assert_int_equal(open_place(&f), ST_OK);
    prepare(&f);
    tune_place_close(&f.place);
    scratch_text("run/config.json", "{}");
    assert_true(tune_place_holds_run(in_scratch("run")));
    f.t.words.overwrite = true;
    assert_int_equal(open_place(&f), ST_OK);
    assert_string_equal(f.place.made, f.place.data);
    tune_place_close(&f.place);

    f.job.seed = 8;
    assert_int_equal(open_place(&f), ST_OK);
    assert_string_equal(f.place.made, in_scratch("run/.tmp-data"));
    prepare(&f);
    assert_true(path_exists(in_scratch("run/.tmp-data/manifest.json")));
    tune_place_close(&f.place);
    assert_false(path_exists(in_scratch("run/.tmp-data")));
    assert_true(path_exists(in_scratch("run/data/manifest.json")));

    assert_int_equal(folder_make(in_scratch("run/model")), ST_OK);
    assert_int_equal(tune_place_open(&f.place, &f.t, &f.job, in_scratch("run/model")), ST_ARG);
    expect_words("lies in the run that --overwrite deletes");
    tune_place_close(&f.place);
    fixture_drop(&f);
}

static void looking_leaves_nothing(void **state)
{
    (void)state;
    Fixture f;
    fixture_open(&f);
    scratch_text("run/config.json", "{}");
    f.t.words.inspect = 1;
    assert_int_equal(open_place(&f), ST_OK);
    assert_true(f.place.temporary && f.place.run.lock < 0);
    prepare(&f);
    char *made = mem_str(f.place.made);
    tune_place_close(&f.place);
    assert_false(path_exists(made) || path_exists(in_scratch("run/data")));
    mem_free(made);
    fixture_drop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_run_has_its_folder),
        cmocka_unit_test(a_run_keeps_its_set),
        cmocka_unit_test(looking_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
