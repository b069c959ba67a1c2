#include "study/improve.h"

#include <math.h>

#include "base/scratch_test.h"

static ImproveConfig config;

static const ImproveFamily known[] = {{"words", "tasks"}, {"sql", "ic_sql"}, {"household", "alfworld"}};
enum { KNOWN = sizeof known / sizeof *known };

static Improve begin(const char *families)
{
    config_defaults(&improve_table, &config);
    config.samples = 2;
    Improve im = {
        .config = &config, .model = mem_str("/m/{x}"), .given = mem_str("m"), .hash = "00000000000000aa"};
    if (improve_add_families(&im, families, known, KNOWN) != ST_OK)
        fail_msg("%s", error_text());
    return im;
}

static void end(Improve *im)
{
    improve_drop(im);
    config_drop(&improve_table, &config);
}

static void keep(Improve *im, int64_t kept)
{
    improve_begin(im);
    improve_keep(im, &(KeepCounts){.episodes = 100, .successes = kept, .kept = kept});
}

static ImproveDecision decide(Improve *im, int64_t first, int64_t second)
{
    json_t *by = json_object();
    improve_decide(im,
                   &(ImprovePairs){
                       .n = 50, .before = 20 + first, .after = 20 + second, .first = first, .second = second},
                   by);
    json_decref(by);
    return im->rounds.at[im->rounds.n - 1].decision;
}

/* Decisions. --------------------------------------------------------------------------------------------- */

static void only_better_models_are_accepted(void **state)
{
    (void)state;
    Improve im = begin("words");
    assert_int_equal(improve_best(&im), 0);
    keep(&im, 30);
    assert_true(im.rounds.at[0].tunes);
    assert_int_equal(decide(&im, 3, 10), IMPROVE_ACCEPTED); /* p 0.046 */
    assert_true(fabs(im.rounds.at[0].p - 0.046142578125) < 1e-12);
    assert_int_equal(improve_best(&im), 1);
    keep(&im, 30);
    assert_int_equal(im.rounds.at[1].parent, 1);
    assert_int_equal(decide(&im, 4, 10), IMPROVE_REFUSED); /* p 0.09 */
    assert_int_equal(improve_best(&im), 1);
    keep(&im, 30);
    assert_int_equal(im.rounds.at[2].parent, 1); /* the old model stays */
    assert_int_equal(decide(&im, 0, 0), IMPROVE_REFUSED);
    keep(&im, 30);
    assert_int_equal(decide(&im, 0, 5), IMPROVE_ACCEPTED);
    assert_int_equal(improve_best(&im), 4);
    keep(&im, 30);
    assert_int_equal(decide(&im, 20, 1), IMPROVE_REFUSED);
    end(&im);
}

static void the_level_and_not_worse_decide_otherwise(void **state)
{
    (void)state;
    Improve im = begin("words");
    config.level = 0.1;
    keep(&im, 30);
    assert_int_equal(decide(&im, 4, 10), IMPROVE_ACCEPTED);
    config.level = 0.01;
    keep(&im, 30);
    assert_int_equal(decide(&im, 3, 10), IMPROVE_REFUSED);
    assert_int_equal(config_set(&improve_table, &config, "accept", "not-worse"), ST_OK);
    keep(&im, 30);
    assert_int_equal(decide(&im, 3, 3), IMPROVE_ACCEPTED);
    keep(&im, 30);
    assert_int_equal(decide(&im, 4, 3), IMPROVE_REFUSED);
    end(&im);
}

static void few_examples_wait_for_the_next_round(void **state)
{
    (void)state;
    Improve im = begin("words");
    keep(&im, 6);
    assert_false(im.rounds.at[0].tunes);
    assert_int_equal(im.rounds.at[0].decision, IMPROVE_NOT_TUNED);
    keep(&im, 5);
    assert_int_equal(im.rounds.at[1].learned, 11);
    assert_true(im.rounds.at[1].tunes);
    assert_int_equal(decide(&im, 0, 9), IMPROVE_ACCEPTED);
    keep(&im, 9); /* those of the model before count no more */
    assert_int_equal(im.rounds.at[2].learned, 9);
    assert_false(im.rounds.at[2].tunes);
    keep(&im, 0); /* nothing new to learn */
    assert_int_equal(im.rounds.at[3].learned, 9);
    config.least = 1;
    keep(&im, 0);
    assert_false(im.rounds.at[4].tunes);
    end(&im);
}

static void pairs_are_added_up(void **state)
{
    (void)state;
    ImprovePairs p = {0};
    json_t *by = json_object();
    json_t *c =
        json_loads("{\"benchmarks\": {\"a\": {\"n\": 3, \"first\": 0.6666666666666666, \"first_better\": 1,"
                   " \"second_better\": 1, \"test\": \"McNemar\"},"
                   " \"b\": {\"n\": 7, \"first\": 0.14285714285714285, \"first_better\": 0,"
                   " \"second_better\": 4, \"test\": \"McNemar\"}}}",
                   0, NULL);
    assert_int_equal(improve_add_pairs(&p, by, "x", c), ST_OK);
    assert_int_equal(improve_add_pairs(&p, by, "y", c), ST_OK);
    assert_int_equal(p.n, 20);
    assert_int_equal(p.before, 6);
    assert_int_equal(p.after, 14);
    assert_int_equal(p.first, 2);
    assert_int_equal(p.second, 10);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(by, "x"), "after")), 7);
    json_object_set_new(json_object_get(json_object_get(c, "benchmarks"), "a"), "test",
                        json_string("sign flips"));
    assert_int_equal(improve_add_pairs(&p, by, "z", c), ST_FORMAT);
    expect_words("no successes or failures");
    json_decref(c);
    c = json_object();
    assert_int_equal(improve_add_pairs(&p, by, "z", c), ST_FORMAT);
    assert_int_equal(p.n, 20);
    json_decref(c);
    json_decref(by);
}

/* Recipes. ----------------------------------------------------------------------------------------------- */

static char *words_of(const json_t *recipe, const char *stage)
{
    const json_t *run = json_object_get(json_object_get(json_object_get(recipe, "stages"), stage), "run");
    Str out = {0};
    if (!run)
        fail_msg("there is no stage %s", stage);
    for (size_t i = 0; i < json_array_size(run); i++)
        str_addf(&out, "%s%s", i ? " " : "", json_string_value(json_array_get(run, i)));
    char *text = mem_str(str_c(&out));
    str_drop(&out);
    return text;
}

static void expect_stage(const json_t *recipe, const char *stage, const char *words)
{
    char *is = words_of(recipe, stage);
    assert_string_equal(is, words);
    mem_free(is);
}

static size_t stages_in(const json_t *recipe)
{
    return json_object_size(json_object_get(recipe, "stages"));
}

static const json_t *stage_key(const json_t *recipe, const char *stage, const char *key)
{
    return json_object_get(json_object_get(json_object_get(recipe, "stages"), stage), key);
}

static void a_round_is_stages(void **state)
{
    (void)state;
    Improve im = begin("words, household");
    assert_int_equal(improve_add_eval(&im, "steps=4", false), ST_OK);
    assert_int_equal(improve_add_eval(&im, "top-p=0.9", true), ST_OK);
    assert_int_equal(improve_add_eval(&im, "feedback-gold", true), ST_OK);
    improve_begin(&im);
    json_t *r = improve_recipe(&im);
    expect_stage(r, "held-words", "env make words -o {out} --train 1 --test 200 --seed 1 --draw 0");
    expect_stage(r, "r1-words-tasks", "env make words -o {out} --train 200 --test 200 --seed 1 --draw 1");
    expect_stage(r, "held-household", "env make household -o {out} --train 1 --test 200 --seed 1 --draw 0");
    expect_stage(r, "r1-household-tasks",
                 "env make household -o {out} --train 200 --test 200 --seed 1 --draw 1");
    expect_stage(r, "base-words-test",
                 "eval -m /m/{{x} --tasks tasks --data {held-words}/test --fold 1/2 --wikipedia none "
                 "--steps=4 --seed 1 -o "
                 "{out}");
    expect_stage(r, "base-household-final",
                 "eval -m /m/{{x} --tasks alfworld --data {held-household}/test --fold 2/2 --wikipedia none "
                 "--steps=4 --seed 1 "
                 "-o {out}");
    expect_stage(r, "r1-words-try2",
                 "eval -m /m/{{x} --tasks tasks --data {r1-words-tasks}/train --wikipedia none --steps=4 "
                 "--seed 1001005 "
                 "--temperature 0.8 --top-p=0.9 --feedback-gold -o {out}");
    expect_stage(r, "r1-keep",
                 "study keep {r1-words-try1} {r1-words-try2} {r1-household-try1} {r1-household-try2} --apart "
                 "{base-words-test} --apart {base-words-final} --apart {base-household-test} --apart "
                 "{base-household-final} --most 2 -o {out}");
    assert_string_equal(
        json_string_value(json_object_get(
            json_object_get(stage_key(r, "base-words-test", "settings"), "improve"), "model")),
        "00000000000000aa");
    assert_int_equal(stages_in(r), 2 + 4 + 2 + 4 + 1);
    json_decref(r);
    end(&im);
}

static void later_rounds_stand_on_the_best_model(void **state)
{
    (void)state;
    Improve im = begin("words");
    assert_int_equal(improve_add_tune(&im, "learning_rate=1e-3"), ST_OK);
    assert_int_equal(improve_add_tune(&im, "system=Say {x}."), ST_OK);
    assert_int_equal(improve_add_replay(&im, "old,1.jsonl,0.25"), ST_OK);
    keep(&im, 3);
    json_t *r = improve_recipe(&im);
    assert_null(stage_key(r, "r1-tune", "run"));
    json_decref(r);
    keep(&im, 20);
    r = improve_recipe(&im);
    expect_stage(
        r, "r2-words-try1",
        "eval -m /m/{{x} --tasks tasks --data {r2-words-tasks}/train --wikipedia none --seed 1002004 "
        "--temperature 0.8 -o {out}");
    expect_stage(r, "r2-tune", "tune -m /m/{{x} --recipe {recipe} -o {out}");
    expect_stage(r, "r2-words-test",
                 "eval -m {r2-tune} --tasks tasks --data {held-words}/test --fold 1/2 --wikipedia none "
                 "--seed 1 -o {out}");
    char *settings = json_dumps(stage_key(r, "r2-tune", "settings"), JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(
        settings,
        "{\"improve\":{\"model\":\"00000000000000aa\"},\"tune\":{\"learning_rate\":0.001,\"seed\":3,"
        "\"sources\":["
        "{\"format\":\"transcript\",\"kind\":\"code\",\"name\":\"kept\",\"path\":[\"{r1-keep}/kept.jsonl\","
        "\"{r2-keep}/kept.jsonl\"],\"share\":0.75},{\"kind\":\"code\",\"name\":\"replay1\",\"path\":"
        "\"old,1.jsonl\",\"share\":0.25}],\"system\":\"Say {{x}.\"}}");
    free(settings);
    assert_string_equal(json_string_value(json_array_get(stage_key(r, "r2-tune", "inputs"), 0)),
                        "old,1.jsonl");
    json_t *before = json_deep_copy(json_object_get(r, "stages"));
    json_decref(r);

    assert_int_equal(decide(&im, 0, 8), IMPROVE_ACCEPTED);
    improve_begin(&im);
    r = improve_recipe(&im);
    const char *name;
    json_t *stage;
    json_object_foreach(before, name, stage) /* what was there stays as it was */
        assert_true(json_equal(stage, json_object_get(json_object_get(r, "stages"), name)));
    json_decref(before);
    expect_stage(
        r, "r3-words-try1",
        "eval -m {r2-tune} --tasks tasks --data {r3-words-tasks}/train --wikipedia none --seed 1003004 "
        "--temperature 0.8 -o {out}");
    assert_null(stage_key(r, "r2-words-final", "run"));
    json_decref(r);
    improve_keep(&im, &(KeepCounts){.kept = 20});
    r = improve_recipe(&im);
    expect_stage(r, "r3-tune", "tune -m {r2-tune} --recipe {recipe} -o {out}");
    json_decref(r);
    decide(&im, 5, 2);
    improve_end(&im);
    r = improve_recipe(&im);
    expect_stage(r, "r2-words-final",
                 "eval -m {r2-tune} --tasks tasks --data {held-words}/test --fold 2/2 --wikipedia none "
                 "--seed 1 -o {out}");
    json_decref(r);
    end(&im);
}

static void a_data_folder_is_cut_in_fifths(void **state)
{
    (void)state;
    config_defaults(&improve_table, &config);
    config.samples = 1;
    Improve im = {.config = &config, .model = mem_str("m"), .given = mem_str("m")};
    assert_int_equal(improve_add_data(&im, "mint_gsm8k,ic_sql", "/d"), ST_OK);
    im.data_hash = mem_str("dd");
    improve_begin(&im);
    json_t *r = improve_recipe(&im);
    expect_stage(r, "base-ic_sql-test",
                 "eval -m m --tasks ic_sql --data /d --fold 1/5 --limit 100 --draw-seed 2 "
                 "--wikipedia none --seed 1 -o {out}");
    expect_stage(r, "base-ic_sql-final",
                 "eval -m m --tasks ic_sql --data /d --fold 2/5 --limit 100 --draw-seed 2 "
                 "--wikipedia none --seed 1 -o {out}");
    expect_stage(r, "r1-mint_gsm8k-try1",
                 "eval -m m --tasks mint_gsm8k --data /d --fold 3-5/5 --limit 200 --draw-seed "
                 "1000002 --wikipedia none --seed 1001004 --temperature 0.8 -o {out}");
    assert_string_equal(json_string_value(json_object_get(
                            json_object_get(stage_key(r, "r1-ic_sql-try1", "settings"), "improve"), "data")),
                        "dd");
    assert_int_equal(stages_in(r), 4 + 2 + 1);
    json_decref(r);
    end(&im);
}

static void forecasts_come_from_stages_of_a_kind(void **state)
{
    (void)state;
    Improve im = begin("words");
    improve_note_seconds(&im, "r1-words-tasks", 1);
    improve_note_seconds(&im, "r1-words-try1", 25);
    improve_note_seconds(&im, "r1-words-try2", 30);
    improve_note_seconds(&im, "r1-keep", 2);
    improve_note_seconds(&im, "base-words-test", 10);
    assert_true(improve_round_seconds(&im) == 0); /* tuning is not known */
    improve_note_seconds(&im, "r1-tune", 100);
    assert_true(improve_round_seconds(&im) == 1 + 2 * 30 + 2 + 10 + 100);
    improve_begin(&im);
    json_t *r = improve_recipe(&im);
    assert_true(json_number_value(stage_key(r, "r1-words-try2", "minutes")) == 0.5);
    assert_null(stage_key(r, "held-words", "minutes"));
    json_decref(r);
    end(&im);
}

/* Lineage, slips. ---------------------------------------------------------------------------------------- */

static json_t *at(json_t *o, const char *path)
{
    for (size_t n; o && *path; path += n + (path[n] == '.')) {
        n = strcspn(path, ".");
        char *key = mem_strn(path, n);
        o = json_is_array(o) ? json_array_get(o, (size_t)atoi(key)) : json_object_get(o, key);
        mem_free(key);
    }
    return o;
}

static void the_lineage_tells_what_was_decided(void **state)
{
    (void)state;
    Improve im = begin("words");
    keep(&im, 20);
    snprintf(im.rounds.at[0].hash, sizeof im.rounds.at[0].hash, "%s", "00000000000000b1");
    decide(&im, 0, 8);
    keep(&im, 4);
    improve_begin(&im); /* not decided yet: no entry */
    json_t *l = improve_lineage(&im);
    assert_int_equal(json_array_size(at(l, "rounds")), 2);
    assert_string_equal(json_string_value(at(l, "rounds.0.decision")), "accepted");
    assert_string_equal(json_string_value(at(l, "rounds.0.parent.hash")), "00000000000000aa");
    assert_string_equal(json_string_value(at(l, "rounds.0.model.folder")), "r1-tune");
    assert_int_equal(json_integer_value(at(l, "rounds.0.seeds.rollouts.1")), 1001005);
    assert_int_equal(json_integer_value(at(l, "rounds.0.test.second_alone")), 8);
    assert_int_equal(json_integer_value(at(l, "rounds.0.rollouts.kept")), 20);
    assert_string_equal(json_string_value(at(l, "rounds.1.decision")), "not tuned");
    assert_string_equal(json_string_value(at(l, "rounds.1.parent.hash")), "00000000000000b1");
    assert_null(at(l, "rounds.1.test"));
    assert_int_equal(json_integer_value(at(l, "rounds.1.learned_rounds.0")), 2);
    assert_int_equal(json_integer_value(at(l, "best.round")), 1);
    assert_null(at(l, "settings.rounds"));
    assert_true(json_is_null(at(l, "untouched")));
    json_decref(l);
    json_t *by = json_object();
    improve_judge(&im, &(ImprovePairs){.n = 40, .before = 10, .after = 18, .first = 2, .second = 10}, by);
    json_decref(by);
    l = improve_lineage(&im);
    assert_true(fabs(json_number_value(at(l, "untouched.difference")) - 0.2) < 1e-12);
    double low = json_number_value(at(l, "untouched.ci95.0")),
           high = json_number_value(at(l, "untouched.ci95.1"));
    assert_true(low > 0 && low < 0.2 && high > 0.2 && high < 0.45);
    json_decref(l);
    end(&im);
}

static void slips_are_told(void **state)
{
    (void)state;
    Improve im = begin("words");
    assert_int_equal(improve_add_families(&im, "wrods", known, KNOWN), ST_ARG);
    expect_words("did you mean words?); there are: words, sql, household");
    assert_int_equal(improve_add_families(&im, "sql,words", known, KNOWN), ST_ARG);
    expect_words("words is named twice");
    assert_int_equal(improve_add_families(&im, " , ", known, KNOWN), ST_ARG);
    expect_words("no tasks are named");
    assert_int_equal(improve_add_replay(&im, "x,y"), ST_ARG);
    expect_words("a share such as 0.3");
    assert_int_equal(improve_add_replay(&im, "x,0"), ST_ARG);
    assert_int_equal(improve_add_tune(&im, "epochs"), ST_ARG);
    expect_words("write KEY=VALUE");
    static const char *const ours[] = {"sources=1", "lora=true", "output=x", "seed=3", "=3"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_int_equal(improve_add_tune(&im, ours[i]), ST_ARG);
    assert_int_equal(improve_add_eval(&im, "draw_seed=3", false), ST_ARG);
    expect_words("--eval draw_seed: that is chosen by the study itself");
    assert_int_equal(improve_add_eval(&im, "seed=3", true), ST_ARG);
    expect_words("--rollout seed");
    assert_int_equal(improve_add_eval(&im, "", true), ST_ARG);
    end(&im);
    im = begin("words");
    assert_int_equal(improve_add_replay(&im, "x,0.6"), ST_OK);
    assert_int_equal(improve_add_replay(&im, "y,0.4"), ST_ARG);
    expect_words("leave some of 1");
    end(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_better_models_are_accepted),
        cmocka_unit_test(the_level_and_not_worse_decide_otherwise),
        cmocka_unit_test(few_examples_wait_for_the_next_round),
        cmocka_unit_test(pairs_are_added_up),
        cmocka_unit_test(a_round_is_stages),
        cmocka_unit_test(later_rounds_stand_on_the_best_model),
        cmocka_unit_test(a_data_folder_is_cut_in_fifths),
        cmocka_unit_test(forecasts_come_from_stages_of_a_kind),
        cmocka_unit_test(the_lineage_tells_what_was_decided),
        cmocka_unit_test(slips_are_told),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
