/* Studies of hand-made stages, in the forms that the verbs write. */
#include "study/harmony.h"

#include <math.h>

#include "base/json_file.h"
#include "base/scratch_test.h"
#include "study/report.h"

static void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

static void write_json(const char *name, const char *file, json_t *o)
{
    char *path = mem_format("%s/%s", name, file), *text = json_dumps(o, 0);
    scratch_text(path, text);
    json_decref(o);
    free(text);
    mem_free(path);
}

static void packed(double code, double text, int rows_code, int rows_text)
{
    char *name = mem_format("packed-%g-%g", code, text);
    write_json(name, "manifest.json",
               json_pack("{s:s, s:i, s:i, s:{s:f, s:f}, s:[{s:s, s:f}, {s:s, s:f}]}", "format",
                         "lemur-shards", "rows_code", rows_code, "rows_text", rows_text, "pack", "ratio_code",
                         code, "ratio_text", text, "ledger", "kind", "code", "repeats", 0.5, "kind", "text",
                         "repeats", rows_text > rows_code ? 1.5 : 0.5));
    mem_free(name);
}

/* The folders of one mixture and seed, by absolute paths as a run records them. */
static void base(double code, double text, int seed, double code_loss, double text_loss)
{
    char *name = mem_format("base-%g-%g-%d", code, text, seed),
         *data = mem_format("packed-%g-%g", code, text);
    write_json(name, "config.json",
               json_pack("{s:s, s:n, s:{s:i}}", "data", in_scratch(data), "init", "settings", "seed", seed));
    write_json(name, "results.json",
               json_pack("{s:s, s:i, s:{s:{s:{s:f}, s:{s:f}}}}", "status", "done", "tokens", 1000, "held_out",
                         "kinds", "code", "bits_per_byte", code_loss, "text", "bits_per_byte", text_loss));
    mem_free(name);
    mem_free(data);
}

static void tuned(double code, double text, int seed, double episodes)
{
    char *name = mem_format("tuned-%g-%g-%d", code, text, seed),
         *init = mem_format("base-%g-%g-%d/model", code, text, seed), *data = mem_format("%s/data", name);
    write_json(name, "config.json",
               json_pack("{s:s, s:s, s:{s:i}, s:{s:s}}", "data", in_scratch(data), "init", in_scratch(init),
                         "settings", "seed", 1, "facts", "data", "abc"));
    write_json(name, "results.json",
               json_pack("{s:s, s:{s:{s:{s:f}}}}", "status", "done", "held_out", "sources", "words",
                         "loss_nats", episodes));
    mem_free(name);
    mem_free(init);
    mem_free(data);
}

static void scores(double code, double text, int seed, const char *benchmark, double score)
{
    char *name = mem_format("scores-%g-%g-%d-%s", code, text, seed, benchmark),
         *model = mem_format("tuned-%g-%g-%d/model", code, text, seed);
    write_json(name, "results.json",
               json_pack("{s:{s:{s:f}}, s:{s:s}, s:{s:{s:s, s:s, s:s}}}", "results", benchmark,
                         "success,none", score, "metrics", benchmark, "success", "config", "model", "kind",
                         "local", "model", in_scratch(model), "name", "tuned"));
    mem_free(name);
    mem_free(model);
}

static void cell(double code, double text, int seed, double code_loss, double text_loss, double score)
{
    base(code, text, seed, code_loss, text_loss);
    tuned(code, text, seed, 1);
    scores(code, text, seed, "tasks", score);
}

/* All folders of the scratch folder. */
static Status read_all(Harmony *h)
{
    FolderList list;
    Array(char *) paths = {0};
    must(folder_list(&list, scratch));
    for (size_t i = 0; i < list.n; i++)
        array_push(&paths, path_join(scratch, list.at[i]));
    Status st = harmony_read(h, (const char *const *)paths.at, paths.n);
    for (size_t i = 0; i < paths.n; i++)
        mem_free(paths.at[i]);
    array_drop(&paths);
    folder_list_drop(&list);
    return st;
}

static int anew(void **state)
{
    scratch_make(state);
    scratch_text("family/family.json", "{\"family\": \"words\", \"benchmark\": \"tasks\"}");
    packed(1, 0, 100, 0);
    packed(10, 1, 91, 9);
    packed(1, 1, 50, 50);
    packed(0, 1, 0, 100);
    return 0;
}

/* Code alone is best at code, text alone at text, 10:1 as an agent; 1:1 is worse than 10:1 in all. */
static void known_front(void)
{
    static const double jitter[] = {-0.01, 0, 0.01};
    for (int seed = 1; seed <= 3; seed++) {
        double j = jitter[seed - 1];
        cell(1, 0, seed, 1.0 + j, 4.0 + j, 0.2 + j);
        cell(10, 1, seed, 1.5 + j, 2.0 + j, 0.8 + j);
        cell(1, 1, seed, 2.5 + j, 2.5 + j, 0.5 + j);
        cell(0, 1, seed, 4.0 + j, 1.0 + j, 0.1 + j);
    }
}

static const HarmonyMix *mix(const Harmony *h, const char *name)
{
    for (size_t i = 0; i < h->mixes.n; i++)
        if (strcmp(h->mixes.at[i].name, name) == 0)
            return &h->mixes.at[i];
    fail_msg("no mixture %s", name);
    return NULL;
}

static void near(double got, double want)
{
    if (!(fabs(got - want) < 1e-9))
        fail_msg("%.12g is not %.12g", got, want);
}

static void expect(const Str *text, const char *words)
{
    if (!strstr(str_c(text), words))
        fail_msg("there is no \"%s\" in\n%s", words, str_c(text));
}

/* Where Student's t would go beyond all tasks. */
static void intervals_of_shares_end_at_all(void **state)
{
    (void)state;
    Harmony h;
    Str text = {0};
    for (int seed = 1; seed <= 3; seed++)
        cell(1, 0, seed, 1 + 0.1 * seed, 1, 1.1 - 0.1 * seed);
    must(read_all(&h));
    must(harmony_weigh(&h, NULL));
    harmony_solve(&h);
    double half = 4.302652729749353 * 0.1 / sqrt(3);
    const HarmonyValue *agent = &h.mixes.at[0].values[HARMONY_AGENT];
    near(h.mixes.at[0].values[HARMONY_CODE].high, 1.2 + half);
    near(agent->mean, 0.9);
    near(agent->low, 0.9 - half);
    near(agent->high, 1);
    near(h.mixes.at[0].values[HARMONY_FAMILIES].high, 1);
    harmony_text(&text, &h);
    expect(&text, "agent, %");
    str_drop(&text);
    harmony_drop(&h);
}

static void a_front_is_found(void **state)
{
    (void)state;
    Harmony h;
    known_front();
    must(read_all(&h));
    must(harmony_weigh(&h, NULL));
    harmony_solve(&h);
    assert_int_equal(h.mixes.n, 4);
    assert_string_equal(h.mixes.at[0].name, "1:0"); /* most code first */
    assert_string_equal(h.mixes.at[3].name, "0:1");
    assert_string_equal(h.measures[HARMONY_FAMILIES].name, "words");
    const HarmonyMix *m = mix(&h, "10:1");
    near(m->share, 0.91);
    near(m->values[HARMONY_CODE].mean, 1.5);
    /* scipy.stats.t.ppf(.975, 2) * 0.01 / sqrt(3) */
    near(m->values[HARMONY_CODE].high - 1.5, 4.302652729749353 * 0.01 / sqrt(3));
    near(m->values[HARMONY_AGENT].mean, 0.8);
    near(m->values[HARMONY_EPISODES].mean, 1);
    assert_true(mix(&h, "1:0")->front && m->front && mix(&h, "0:1")->front && !mix(&h, "1:1")->front);
    near(m->front_share, 1); /* the jitter is far smaller than what lies between */
    near(mix(&h, "1:1")->front_share, 0);
    assert_true(m->best && !mix(&h, "1:0")->best);
    near(m->best_share, 1);
    /* Means of -code: -1 -1.5 -2.5 -4, centre -2.25; of -text: -4 -2 -2.5 -1, centre -2.375; of agent .2 .8
     * .5 .1, centre .4; over their standard deviations (numpy.std). */
    near(m->utility, (0.75 / sqrt(1.3125) + 0.375 / sqrt(1.171875) + 0.4 / sqrt(0.075)) / 3);
    assert_int_equal(h.notes.n, 0);
    harmony_drop(&h);
}

static void weights_choose(void **state)
{
    (void)state;
    static const struct {
        const char *weights, *best;
    } good[] = {
        {"code=1", "1:0"}, {"text=2.5,code=0", "0:1"}, {"words=1", "10:1"}, {" code=1 , text=3 ", "0:1"}};
    static const struct {
        const char *weights, *says;
    } slips[] = {{"cod=1", "did you mean code?"},
                 {"code", "measure=weight"},
                 {"code=x", "x"},
                 {"code=-1", "0 or more"},
                 {"code=nan", "nan"},
                 {"code=0,text=0", "no weight is above 0"},
                 {"code=1,code=2", "named twice"},
                 {"", "no weight is above 0"}};
    Harmony h;
    known_front();
    must(read_all(&h));
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        must(harmony_weigh(&h, good[i].weights));
        harmony_solve(&h);
        assert_true(mix(&h, good[i].best)->best);
    }
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        assert_int_equal(harmony_weigh(&h, slips[i].weights), ST_ARG);
        expect_words(slips[i].says);
    }
    harmony_drop(&h);
}

/* What is the same in everything is on the front and best together; where only one is better in one, it alone
 * is. */
static void ties_are_shared(void **state)
{
    (void)state;
    Harmony h;
    for (int seed = 1; seed <= 2; seed++) {
        cell(1, 0, seed, 2, 2, 0.5);
        cell(10, 1, seed, 2, 2, 0.5);
        cell(1, 1, seed, 2, 2, 0.25);
    }
    must(read_all(&h));
    must(harmony_weigh(&h, NULL));
    harmony_solve(&h);
    assert_true(mix(&h, "1:0")->front && mix(&h, "10:1")->front && !mix(&h, "1:1")->front);
    assert_true(mix(&h, "1:0")->best && mix(&h, "10:1")->best && !mix(&h, "1:1")->best);
    near(mix(&h, "1:0")->best_share, 0.5);
    near(mix(&h, "10:1")->best_share, 0.5);
    near(mix(&h, "1:0")->front_share, 1);
    near(mix(&h, "1:0")->values[HARMONY_CODE].high, 2); /* no spread, no width */
    harmony_drop(&h);
}

/* Seeds that disagree: the front is as sure as the bootstrap says. */
static void doubt_is_counted(void **state)
{
    (void)state;
    Harmony h;
    cell(1, 0, 1, 1.0, 2, 0.5);
    cell(1, 0, 2, 3.0, 2, 0.5);
    cell(1, 1, 1, 1.9, 2, 0.5);
    cell(1, 1, 2, 1.9, 2, 0.5);
    must(read_all(&h));
    must(harmony_weigh(&h, "code=1"));
    harmony_solve(&h);
    assert_true(!mix(&h, "1:0")->front && mix(&h, "1:1")->front); /* 2.0 against 1.9 */
    double share = mix(&h, "1:0")->front_share;                   /* both draws are seed 1: a quarter */
    assert_true(share > 0.2 && share < 0.3);
    near(share + mix(&h, "1:1")->front_share, 1);
    near(share, mix(&h, "1:0")->best_share);
    harmony_drop(&h);
}

static void what_is_missing_is_told(void **state)
{
    (void)state;
    Harmony h;
    Str text = {0}, markdown = {0};
    cell(1, 0, 1, 1, 2, 0.5);
    cell(1, 0, 2, 1, 2, 0.5);
    cell(10, 1, 2, 2, 1, 0.25);
    cell(1, 1, 1, 3, 3, 0.75);
    cell(1, 1, 2, 3, 3, 0.75);
    base(0, 1, 1, 4, 0.5); /* neither tuned nor scored */
    scores(1, 0, 1, "ic_sql", 0.25);
    scores(1, 0, 2, "ic_sql", 0.25);
    scores(1, 1, 1, "ic_sql", 0.5);
    scores(9, 9, 9, "ic_sql", 0.5);
    scratch_text("base-1-1-2/results.json", "{\"status\": \"diverged\", \"tokens\": 900}");
    must(read_all(&h));
    must(harmony_weigh(&h, NULL));
    harmony_solve(&h);
    harmony_text(&text, &h);
    static const char *const says[] = {"note: 10:1 has no run of seed 1",
                                       "note: 10:1, seed 2: nothing is known of ic_sql",
                                       "note: 1:1, seed 2: nothing is known of code",
                                       "note: 1:1, seed 2: the training diverged",
                                       "note: 1:1, seed 2 was trained on 900 tokens, another on 1000",
                                       "note: 0:1 has no run of seed 2",
                                       "note: 0:1, seed 1: nothing is known of words",
                                       "note: scores of tuned are passed over",
                                       "note: 10:1 is left out of front and best",
                                       "note: 0:1 is left out",
                                       "note: 0:1 repeats its text: 1.5 times",
                                       "On the front: 1:0, 1:1. "};
    for (size_t i = 0; i < sizeof says / sizeof *says; i++)
        expect(&text, says[i]);
    assert_int_equal(mix(&h, "1:1")->values[HARMONY_CODE].n, 1);
    assert_string_equal(h.measures[HARMONY_FAMILIES + 1].name, "words");
    assert_int_equal(mix(&h, "1:1")->values[HARMONY_FAMILIES + 1].n, 2);
    assert_int_equal(mix(&h, "10:1")->values[HARMONY_AGENT].n, 0); /* one family of two is no mean */
    near(mix(&h, "1:0")->values[HARMONY_AGENT].mean, 0.375);
    assert_false(mix(&h, "0:1")->known);
    near(mix(&h, "0:1")->front_share, 0);
    harmony_markdown(&markdown, &h);
    expect(&markdown, "| code:text | code, % | seeds | code, bits/byte |");
    expect(&markdown, "|---|--:|--:|--:|");
    expect(&markdown, "| 1:0 | 100.0 | 2 | 1.000 ±0.000 |");
    expect(&markdown, "| 0:1 | 0.0 | 1 | 4.000 | 0.500 | - |");
    expect(&markdown, "- 10:1 has no run of seed 1");
    str_drop(&text);
    str_drop(&markdown);
    harmony_drop(&h);
}

/* Losses alone are a study, too; the agent cannot be weighed then. */
static void without_scores(void **state)
{
    (void)state;
    Harmony h;
    Str text = {0};
    base(1, 0, 1, 1, 2);
    base(1, 1, 1, 2, 1);
    base(0, 1, 1, 2, 2);
    must(read_all(&h));
    assert_int_equal(harmony_weigh(&h, "agent=1"), ST_ARG);
    expect_words("no run has anything to tell of agent");
    must(harmony_weigh(&h, NULL));
    harmony_solve(&h);
    harmony_text(&text, &h);
    expect(&text, "On the front: 1:0, 1:1. Best: 1:0, 1:1.");
    expect(&text, "one seed: there are no intervals");
    str_drop(&text);
    harmony_drop(&h);
}

static void other_tuning_is_told(void **state)
{
    (void)state;
    Harmony h;
    cell(1, 0, 1, 1, 2, 0.5);
    cell(1, 1, 1, 1, 2, 0.5);
    char *text = mem_format(
        "{\"data\": \"x\", \"init\": \"%s\", \"settings\": {\"seed\": 2}, \"facts\": {\"data\": \"abc\"}}",
        in_scratch("base-1-1-1/model"));
    scratch_text("tuned-1-1-1/config.json", text);
    mem_free(text);
    must(read_all(&h));
    expect(&h.notes, "was tuned otherwise than");
    harmony_drop(&h);
}

/* A run's lock names its stages, which recorded relative paths. */
static void a_run_is_read(void **state)
{
    (void)state;
    Harmony h;
    scratch_text("store/pack-1/out/manifest.json",
                 "{\"format\": \"lemur-shards\", \"rows_code\": 10, \"rows_text\": 1, "
                 "\"pack\": {\"ratio_code\": 10, \"ratio_text\": 1}}");
    scratch_text("store/train-1/out/config.json",
                 "{\"data\": \"./store/pack-1/out\", \"settings\": {\"seed\": 7}}");
    scratch_text("store/train-1/out/results.json",
                 "{\"tokens\": 5, \"held_out\": {\"kinds\": {\"code\": {\"bits_per_byte\": 2}, \"text\": "
                 "{\"bits_per_byte\": 3}}}}");
    scratch_text("store/corpus-1/out/manifest.json", "{\"format\": \"lemur-corpus\"}");
    char *text = mem_format(
        "{\"lock\": 1, \"stages\": {\"b\": {\"folder\": \"%s\"}, \"p\": {\"folder\": \"%s\"}, \"c\": "
        "{\"folder\": \"%s\"}}}",
        in_scratch("store/train-1"), in_scratch("store/pack-1"), in_scratch("store/corpus-1"));
    scratch_text("run/lock.json", text);
    mem_free(text);
    const char *twice[] = {in_scratch("run"), in_scratch("store/train-1/out")};
    must(harmony_read(&h, twice, 2));
    assert_int_equal(h.mixes.n, 1);
    assert_string_equal(h.mixes.at[0].name, "10:1");
    assert_int_equal(h.mixes.at[0].runs.at[0].seed, 7);
    near(h.mixes.at[0].runs.at[0].values[HARMONY_TEXT], 3);
    harmony_drop(&h);
}

static Status read_one(Harmony *h, const char *name)
{
    const char *path = in_scratch(name);
    return harmony_read(h, &path, 1);
}

static void what_is_no_study_is_refused(void **state)
{
    (void)state;
    Harmony h;
    assert_int_equal(read_one(&h, "absent"), ST_IO);
    harmony_drop(&h);
    scratch_text("other/x", "");
    assert_int_equal(read_one(&h, "other"), ST_ARG);
    expect_words("holds nothing of this study");
    harmony_drop(&h);
    assert_int_equal(read_one(&h, "packed-1-1"), ST_ARG);
    expect_words("no training on a mixture");
    harmony_drop(&h);
    must(folder_remove(in_scratch("other")));
    cell(1, 1, 1, 1, 1, 1);
    scratch_run("cp -r base-1-1-1 base-again");
    assert_int_equal(read_all(&h), ST_ARG);
    expect_words("two trainings on 1:1 with seed 1");
    harmony_drop(&h);
    scratch_run("rm -r base-again; cp -r tuned-1-1-1 tuned-again");
    assert_int_equal(read_all(&h), ST_ARG);
    expect_words("two tunings of 1:1 with seed 1");
    harmony_drop(&h);
    scratch_run("rm -r tuned-again; cp -r scores-1-1-1-tasks again");
    assert_int_equal(read_all(&h), ST_ARG);
    expect_words("two scores in words of 1:1 with seed 1");
    expect_words("is the second: name those that are meant");
    harmony_drop(&h);
    scratch_run("rm -r again");
    for (int i = 0; i < HARMONY_FAMILIES_MOST; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%d", i);
        scores(1, 1, 1, name, 0.5);
    }
    assert_int_equal(read_all(&h), ST_LIMIT);
    harmony_drop(&h);
}

static void a_page_shows_it(void **state)
{
    (void)state;
    Harmony h;
    Report r = {0};
    Str page = {0};
    known_front();
    must(read_all(&h));
    must(harmony_weigh(&h, NULL));
    harmony_solve(&h);
    json_t *json = harmony_json(&h);
    must(folder_make(in_scratch("study")));
    must(json_file_write(in_scratch("study/study.json"), json));
    must(report_add(&r, in_scratch("study")));
    report_write(&page, &r);
    expect(&page, "Harmony of code and text");
    expect(&page, "1.500 ±0.025");
    expect(&page, "80.0 ±2.5");
    expect(&page, "On the front: 1:0, 10:1, 0:1. Best: 10:1.");
    if (!r.no_plots)
        expect(&page, "<svg");
    str_drop(&page);
    report_drop(&r);
    json_decref(json);
    harmony_drop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_front_is_found, anew, scratch_remove),
        cmocka_unit_test_setup_teardown(intervals_of_shares_end_at_all, anew, scratch_remove),
        cmocka_unit_test_setup_teardown(weights_choose, anew, scratch_remove),
        cmocka_unit_test_setup_teardown(ties_are_shared, anew, scratch_remove),
        cmocka_unit_test_setup_teardown(doubt_is_counted, anew, scratch_remove),
        cmocka_unit_test_setup_teardown(what_is_missing_is_told, anew, scratch_remove),
        cmocka_unit_test_setup_teardown(without_scores, anew, scratch_remove),
        cmocka_unit_test_setup_teardown(other_tuning_is_told, anew, scratch_remove),
        cmocka_unit_test_setup_teardown(a_run_is_read, anew, scratch_remove),
        cmocka_unit_test_setup_teardown(what_is_no_study_is_refused, anew, scratch_remove),
        cmocka_unit_test_setup_teardown(a_page_shows_it, anew, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
