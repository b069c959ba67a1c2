/* lemur train through its command line: where settings come from, and what is refused before anything is
 * made. */
#include <stdio.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "train/run_folder.h"
#include "train/tiny_data_test.h"

enum { WORDS_MAX = 24 };

/* Splits `line` at spaces and calls the command. */
static int lemur(const char *fmt, ...)
{
    char line[1024], *words[WORDS_MAX + 1] = {0};
    int n = 0;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    for (char *at = strtok(line, " "); at && n < WORDS_MAX; at = strtok(NULL, " "))
        words[n++] = at;
    return cmd_train(n, words);
}

static const char recipe_text[] =
    "train: {batch: 2, num_epochs: 0.2, learning_rate: 2e-3, threads: 1, save_every: 0, peak_flops: 1e11}\n"
    "model: {hidden_size: 16, intermediate_size: 24, num_hidden_layers: 1, num_attention_heads: 2}\n";

static void write_recipe(const Tiny *t, char *path, size_t size, const char *text)
{
    snprintf(path, size, "%s/recipe.yaml", t->root);
    assert_int_equal(file_replace(path, text, strlen(text)), ST_OK);
}

static json_t *setting(const char *run, json_t **config, const char *section, const char *key)
{
    assert_int_equal(run_folder_read_config(config, run), ST_OK);
    return json_object_get(json_object_get(*config, section), key);
}

static void flags_win_over_the_recipe(void **state)
{
    (void)state;
    Tiny t;
    char recipe[128];
    json_t *config;
    tiny_open(&t);
    write_recipe(&t, recipe, sizeof recipe, recipe_text);
    assert_int_equal(lemur("train --data %s -r %s -o %s --learning-rate 1e-3", t.data, recipe, t.run), 0);
    assert_true(json_real_value(setting(t.run, &config, "settings", "learning_rate")) == 1e-3);
    json_decref(config);
    assert_true(json_real_value(setting(t.run, &config, "settings", "epochs")) ==
                0.2); /* num_epochs, by another name */
    json_decref(config);
    assert_int_equal(json_integer_value(setting(t.run, &config, "model", "vocab_size")),
                     TINY_V); /* the data's */
    json_decref(config);
    assert_int_equal(json_integer_value(setting(t.run, &config, "model", "num_key_value_heads")), 2);
    json_decref(config);
    /* Resuming needs the folder only; what it holds is the base that flags change. */
    assert_int_equal(lemur("train --resume -o %s", t.run), 0);
    assert_int_equal(
        lemur("train --data %s -r %s --resume -o %s --learning-rate 1e-3", t.data, recipe, t.run), 0);
    assert_int_equal(lemur("train --resume -o %s --micro-batch-size 4", t.run), 2);
    assert_int_equal(lemur("train --resume -o %s --log-every 3", t.run), 0);
    assert_int_equal(lemur("train --data %s -r %s -o %s", t.data, recipe, t.run), 2); /* holds a run */
    assert_int_equal(lemur("train --show %s", t.run), 0);
    assert_int_equal(lemur("train --show %s", t.root), 1);
    /* Its model is a place to start from. */
    assert_int_equal(lemur("train --data %s --init %s/model -o %s --steps 2 --batch 1 --peak-flops 1e9",
                           t.data, t.run, t.other),
                     0);
    assert_int_equal(lemur("train --data %s --init %s -o %s --steps 2 --batch 1 --peak-flops 1e9 --overwrite",
                           t.data, t.run, t.other),
                     0); /* the run's folder will do */
    assert_int_equal(run_folder_read_config(&config, t.other), ST_OK);
    const char *init = json_string_value(json_object_get(config, "init"));
    assert_non_null(init);
    assert_string_equal(path_base(init), "model");
    json_decref(config);
    tiny_close(&t);
}

/* A length takes the place of the one before, whichever of the four words they are. */
static void a_length_replaces_another(void **state)
{
    (void)state;
    Tiny t;
    char recipe[128];
    json_t *config;
    tiny_open(&t);
    write_recipe(&t, recipe, sizeof recipe, recipe_text); /* num_epochs: 0.2 */
    assert_int_equal(lemur("train --data %s -r %s -o %s --minutes 0.001", t.data, recipe, t.run), 0);
    assert_true(json_real_value(setting(t.run, &config, "settings", "epochs")) == 0);
    int64_t steps = json_integer_value(json_object_get(config, "total_steps")) + 3;
    json_decref(config);
    assert_int_equal(lemur("train --resume -o %s --steps %d", t.run, (int)steps), 2); /* a change */
    assert_non_null(strstr(error_text(), "--accept-changes"));
    assert_int_equal(lemur("train --resume -o %s --accept-changes --steps %d", t.run, (int)steps), 0);
    assert_int_equal(json_integer_value(setting(t.run, &config, "settings", "steps")), steps);
    assert_int_equal(json_integer_value(json_object_get(config, "total_steps")), steps);
    json_decref(config);
    assert_int_equal(lemur("train --resume -o %s --steps 5 --tokens 5", t.run), 2);
    assert_non_null(strstr(error_text(), "give one of them"));
    tiny_close(&t);
}

static void folders_that_hold_no_run_are_said(void **state)
{
    (void)state;
    Tiny t;
    char recipe[128];
    tiny_open(&t);
    write_recipe(&t, recipe, sizeof recipe, recipe_text);
    assert_int_equal(lemur("train --resume -o %s/typo", t.root), 2);
    assert_non_null(strstr(error_text(), "there is no run in"));
    assert_int_equal(lemur("train --data %s -r %s -o %s", t.data, recipe, recipe), 2);
    assert_non_null(strstr(error_text(), "is a file"));
    assert_int_equal(lemur("train --resume -o %s", recipe), 2);
    assert_non_null(strstr(error_text(), "is a file"));
    assert_int_equal(lemur("train --show %s", t.data), 1);
    assert_non_null(strstr(error_text(), "holds no training run"));
    assert_int_equal(lemur("train --data %s --init %s -o %s", t.data, t.data, t.run), 1);
    assert_non_null(strstr(error_text(), "--init"));
    assert_false(path_exists(t.run));
    /* With all that a run needs, --resume begins one. */
    assert_int_equal(lemur("train --data %s -r %s --resume -o %s", t.data, recipe, t.run), 0);
    tiny_close(&t);
}

static void bad_words_are_usage_errors(void **state)
{
    (void)state;
    Tiny t;
    char recipe[128];
    tiny_open(&t);
    assert_int_equal(lemur("train -o %s --preset 5m", t.run), 2);                   /* no data */
    assert_int_equal(lemur("train --data %s --preset 5m", t.data), 2);              /* no output */
    assert_int_equal(lemur("train --data %s -o %s", t.data, t.run), 2);             /* no model */
    assert_int_equal(lemur("train --data %s -o %s --preset 5x", t.data, t.run), 2); /* no such shape */
    assert_int_equal(lemur("train --data %s -o %s --preset 5m --lerning-rate 1", t.data, t.run), 2);
    assert_int_equal(lemur("train --data %s -o %s --preset 5m --config x", t.data, t.run), 2);
    assert_int_equal(lemur("train --data %s -o %s --config %s/none.json", t.data, t.run, t.root), 1);
    assert_int_equal(lemur("train --data %s/none -o %s --preset 5m", t.root, t.run), 1);
    write_recipe(&t, recipe, sizeof recipe, "model: {hiden_size: 16}\n");
    assert_int_equal(lemur("train --data %s -r %s -o %s", t.data, recipe, t.run), 2);
    write_recipe(&t, recipe, sizeof recipe, "train: {stepz: 16}\n");
    assert_int_equal(lemur("train --data %s -r %s -o %s --preset 5m", t.data, recipe, t.run), 2);
    write_recipe(&t, recipe, sizeof recipe, "corpus: {}\n");
    assert_int_equal(lemur("train --data %s -r %s -o %s --preset 5m", t.data, recipe, t.run), 2);
    assert_false(path_exists(t.run));
    write_recipe(&t, recipe, sizeof recipe, recipe_text);
    assert_int_equal(lemur("train --data %s -r %s --dry-run", t.data, recipe), 0);
    tiny_close(&t);
}

/* A rate that ruins what was learned, though the loss stays a number: no success for a script that asks. */
static void a_diverged_run_fails(void **state)
{
    (void)state;
    Tiny t;
    char recipe[128];
    tiny_open(&t);
    write_recipe(&t, recipe, sizeof recipe,
                 "train: {batch: 2, grad_accumulation: 2, threads: 1, peak_flops: 1e11, learning_rate: 3,\n"
                 "        weight_decay: 0, warmup_steps: 600, steps: 200, eval_every: -1}\n"
                 "model: {hidden_size: 16, intermediate_size: 24, num_hidden_layers: 2, "
                 "num_attention_heads: 2}\n");
    assert_int_equal(lemur("train --data %s -r %s -o %s", t.data, recipe, t.run), EXIT_FAILED);
    assert_non_null(strstr(error_text(), "the run diverged"));
    assert_int_equal(lemur("train --show %s", t.run), EXIT_DONE);
    tiny_close(&t);
}

/* A shape from a file, its vocabulary named and wrong, or left to the data. */
static void shapes_come_from_files(void **state)
{
    (void)state;
    static const char with[] = "{\"vocab_size\": 99, \"hidden_size\": 16, \"num_attention_heads\": 2, "
                               "\"intermediate_size\": 24, \"num_hidden_layers\": 1}",
                      without[] =
                          "{\"hidden_size\": 16, \"num_attention_heads\": 2, \"intermediate_size\": 24, "
                          "\"num_hidden_layers\": 1}";
    Tiny t;
    char file[128];
    tiny_open(&t);
    snprintf(file, sizeof file, "%s/config.json", t.root);
    assert_int_equal(file_replace(file, with, sizeof with - 1), ST_OK);
    assert_int_equal(lemur("train --data %s --config %s --dry-run --peak-flops 1e9", t.data, file), 2);
    assert_int_equal(
        lemur("train --data %s --config %s --dry-run --peak-flops 1e9 --padded-vocab", t.data, t.root), 0);
    assert_int_equal(file_replace(file, without, sizeof without - 1), ST_OK);
    assert_int_equal(lemur("train --data %s --config %s --dry-run --peak-flops 1e9", t.data, file), 0);
    tiny_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_win_over_the_recipe),
        cmocka_unit_test(a_length_replaces_another),
        cmocka_unit_test(folders_that_hold_no_run_are_said),
        cmocka_unit_test(bad_words_are_usage_errors),
        cmocka_unit_test(shapes_come_from_files),
        cmocka_unit_test(a_diverged_run_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
