/* lemur tune through its command line: where settings come from, what is refused, what it leaves. */
#include "cli/cmd.h"

#include "cli/capture_test.h"
#include "cli/tune_fixture_test.h"
#include "train/run_folder.h"

enum { WORDS_MAX = 32 };

/* Splits at spaces and calls the command; $ stands for the scratch folder.  What it prints is dropped by the
 * caller. */
static int tune(Str *out, const char *line)
{
    Str text = {0};
    char *words[WORDS_MAX + 1] = {0};
    int n = 0;
    str_adds(&text, "tune ");
    for (; *line; line++)
        if (*line == '$')
            str_adds(&text, scratch);
        else
            str_addc(&text, *line);
    for (char *at = strtok(text.at, " "); at && n < WORDS_MAX; at = strtok(NULL, " "))
        words[n++] = at;
    int code = capture(out, cmd_tune, n, words);
    str_drop(&text);
    return code;
}

static int code_of(const char *line)
{
    Str out = {0};
    int code = tune(&out, line);
    str_drop(&out);
    return code;
}

static double setting(const char *run, const char *key)
{
    json_t *config;
    assert_int_equal(run_folder_read_config(&config, in_scratch(run)), ST_OK);
    double v = json_number_value(json_object_get(json_object_get(config, "settings"), key));
    json_decref(config);
    return v;
}

static int make(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    tune_base("base", TUNE_IDS, false);
    tune_examples("a.jsonl", 30);
    tune_examples("b.jsonl", 10);
    scratch_text(
        "r.yaml",
        "tune: {batch: 2, num_epochs: 2, learning_rate: 1e-3, threads: 1, peak_flops: 1e11, context: 64, "
        "save_every: 0, sources: [{name: a, kind: text, path: a.jsonl}]}\n");
    return 0;
}

static void settings_come_from_defaults_recipe_and_flags(void **state)
{
    (void)state;
    assert_int_equal(
        code_of("-m $/base --data $/a.jsonl $/b.jsonl -o $/run --batch 2 --threads 1 --peak-flops 1e11"), 0);
    assert_true(setting("run", "learning_rate") == 2e-5);
    assert_true(setting("run", "epochs") == 3);
    assert_true(path_exists(in_scratch("run/model/model.safetensors")));
    assert_true(path_exists(in_scratch("run/model/generation_config.json")));
    assert_int_equal(
        code_of("-m $/base --data $/a.jsonl -o $/steps --steps 2 --batch 2 --threads 1 --peak-flops 1e11"),
        0);
    assert_true(setting("steps", "epochs") == 0 && setting("steps", "steps") == 2);

    Str yaml = {0};
    str_addf(
        &yaml,
        "tune: {base: %s/base, batch: 2, num_epochs: 2, learning_rate: 1e-3, threads: 1, peak_flops: 1e11, "
        "context: 64, sources: [{name: a, kind: text, path: %s/a.jsonl}]}\n",
        scratch, scratch);
    scratch_write("r.yaml", yaml.at, yaml.n);
    str_drop(&yaml);
    assert_int_equal(code_of("--recipe $/r.yaml -o $/recipe"), 0);
    assert_true(setting("recipe", "learning_rate") == 1e-3 && setting("recipe", "epochs") == 2);
    assert_int_equal(code_of("--recipe $/r.yaml -o $/flags --learning-rate 5e-4 --epochs 1 -d $/b.jsonl"), 0);
    assert_true(setting("flags", "learning_rate") == 5e-4 && setting("flags", "epochs") == 1);
}

static void what_is_missing_is_wrong_usage(void **state)
{
    (void)state;
    assert_int_equal(code_of("--data $/a.jsonl -o $/x"), EXIT_USAGE);
    assert_int_equal(code_of("-m $/base -o $/x"), EXIT_USAGE);
    assert_int_equal(code_of("-m $/base --data $/a.jsonl"), EXIT_USAGE);
    assert_int_equal(code_of("-m $/base --data $/absent.jsonl -o $/x"), EXIT_USAGE);
    assert_int_equal(code_of("-m $/base --data $/a.jsonl --format alpca -o $/x"), EXIT_USAGE);
    assert_int_equal(code_of("-m $/base --data $/a.jsonl --contxt 5 -o $/x"), EXIT_USAGE);
    assert_int_equal(code_of("-m $/absent --data $/a.jsonl -o $/x"), EXIT_FAILED);
    assert_int_equal(code_of("--resume"), EXIT_USAGE);
    assert_int_equal(code_of("--show $/absent"), EXIT_FAILED);
    expect_words("absent is no run of lemur tune");
    scratch_text("none.yaml", "train: {}\n");
    assert_int_equal(code_of("-m $/base --recipe $/none.yaml -o $/x"), EXIT_USAGE);
    assert_false(path_exists(in_scratch("x/config.json")));
}

static void a_run_is_kept_until_it_is_overwritten(void **state)
{
    (void)state;
    assert_int_equal(code_of("-m $/base -d $/a.jsonl -o $/kept --steps 2 --threads 1 --peak-flops 1e11"), 0);
    assert_int_equal(code_of("-m $/base -d $/b.jsonl -o $/kept --steps 2 --threads 1 --peak-flops 1e11"),
                     EXIT_USAGE);
    Str out = {0};
    assert_int_equal(tune(&out, "-m $/base -d $/b.jsonl -o $/kept --inspect 1"),
                     0); /* looking touches nothing */
    assert_non_null(strstr(str_c(&out), "of b (text)"));
    assert_int_equal(tune(&out, "--show $/kept --inspect=1"), 0);
    assert_non_null(strstr(str_c(&out), "of a (text)"));
    assert_int_equal(tune(&out, "--resume -o $/kept --inspect 1"), 0);
    assert_non_null(strstr(str_c(&out), "of a (text)"));
    assert_int_equal(tune(&out, "--resume -o $/kept"), 0);
    assert_int_equal(
        code_of("-m $/base -d $/b.jsonl -o $/kept --steps 2 --threads 1 --peak-flops 1e11 --overwrite"), 0);
    assert_int_equal(tune(&out, "--show $/kept --inspect=1"), 0);
    assert_non_null(strstr(str_c(&out), "of b (text)"));
    str_drop(&out);
}

static void move(const char *from, const char *to)
{
    char *here = scratch_path(from), *there = scratch_path(to);
    assert_int_equal(rename(here, there), 0);
    mem_free(here);
    mem_free(there);
}

/* Its folder, moved, is all that a run needs to go on: the paths in its config.json are of another place. */
static void a_run_goes_on_where_it_lies(void **state)
{
    (void)state;
    assert_int_equal(code_of("-m $/base -d $/a.jsonl -o $/here --steps 2 --threads 1 --peak-flops 1e11"), 0);
    move("here", "there");
    assert_int_equal(code_of("--resume -o $/there --steps 3 --accept-changes"), 0);
    assert_true(setting("there", "steps") == 3);
    assert_true(path_exists(in_scratch("there/model/tokenizer.json")));
}

/* Adapters need the model under them, also where it lies elsewhere by now. */
static void adapters_are_told_where_their_model_is(void **state)
{
    (void)state;
    tune_base("below", TUNE_IDS, false);
    assert_int_equal(code_of("-m $/below -d $/a.jsonl -o $/lora --lora --lora-rank 4 --steps 2 --threads 1 "
                             "--peak-flops 1e11"),
                     0);
    move("below", "moved");
    assert_int_equal(code_of("--resume -o $/lora --steps 3 --accept-changes"), EXIT_USAGE);
    expect_words("give one (lemur tune: -m");
    assert_int_equal(code_of("--resume -o $/lora --steps 3 --accept-changes -m $/moved"), 0);
    assert_true(setting("lora", "steps") == 3);
}

static void results_are_json(void **state)
{
    (void)state;
    Str out = {0};
    assert_int_equal(
        tune(&out, "-m $/base $/a.jsonl -o $/json --steps 2 --threads 1 --peak-flops 1e11 --json"), 0);
    json_t *result = json_loads(str_c(&out), 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(result, "steps")), 2);
    json_decref(result);
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_come_from_defaults_recipe_and_flags),
        cmocka_unit_test(what_is_missing_is_wrong_usage),
        cmocka_unit_test(a_run_is_kept_until_it_is_overwritten),
        cmocka_unit_test(a_run_goes_on_where_it_lies),
        cmocka_unit_test(adapters_are_told_where_their_model_is),
        cmocka_unit_test(results_are_json),
    };
    return cmocka_run_group_tests(tests, make, scratch_remove);
}
