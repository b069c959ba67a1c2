#include "recipe/recipe.h"

#include "base/scratch_test.h"

static Recipe r; /* the last that was read */

static Status read_text(const char *text, const char *set)
{
    recipe_drop(&r);
    scratch_text("r.yaml", text);
    return recipe_read(&r, in_scratch("r.yaml"), &set, set != NULL);
}

static void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

static const char good[] = "name: small\n"
                           "vars: {steps: 20, rate: 1e-3, who: me}\n"
                           "stages:\n"
                           "  model:\n"
                           "    run: train --data {rows} -o {out} --recipe {recipe}\n"
                           "    settings: {train: {steps: \"{steps}\", name: \"of {who}: {{steps}\"}}\n"
                           "    minutes: 1.5\n"
                           "    disk: 20M\n"
                           "  rows:\n"
                           "    program: [cp, a b, \"{out}\", \"{words}/x\", \"{words}\"]\n"
                           "  words:\n"
                           "    run: tokenizer train -o {out}\n"
                           "    inputs: [\"*.c\"]\n"
                           "    about: learns words\n";

static void stages_come_in_order(void **state)
{
    (void)state;
    must(read_text(good, NULL));
    assert_string_equal(r.name, "small");
    assert_string_equal(r.store, "run/store");
    assert_int_equal(r.stages.n, 3);
    assert_string_equal(r.stages.at[0].name, "words");
    assert_string_equal(r.stages.at[0].about, "learns words");
    assert_string_equal(r.stages.at[0].inputs.at[0], "*.c");
    assert_int_equal(r.stages.at[0].after.n, 0);
    assert_string_equal(r.stages.at[1].name, "rows");
    assert_true(r.stages.at[1].program);
    assert_int_equal(r.stages.at[1].words.n, 5);
    assert_string_equal(r.stages.at[1].words.at[1], "a b");
    assert_int_equal(r.stages.at[1].after.n, 1);
    assert_int_equal(r.stages.at[1].after.at[0], 0);
    assert_string_equal(r.stages.at[2].name, "model");
    assert_int_equal(r.stages.at[2].after.at[0], 1);
    assert_true(r.stages.at[2].minutes == 1.5);
    assert_int_equal(r.stages.at[2].disk, 20000000);
    size_t at;
    must(recipe_find(&at, &r, "rows"));
    assert_int_equal(at, 1);
    assert_int_equal(recipe_find(&at, &r, "row"), ST_ARG);
    expect_words("did you mean rows");
}

static json_t *look(void *context, Span name)
{
    (void)context;
    if (span_is(name, "steps"))
        return json_integer(20);
    return span_is(name, "who") ? json_string("me") : NULL;
}

/* A text that is one name becomes the value; else the value's words; two braces are one. */
static void names_are_filled_in(void **state)
{
    (void)state;
    static const struct {
        const char *text, *becomes;
    } cases[] = {{"{who}", "me"},
                 {"{steps} steps", "20 steps"},
                 {"{{who}", "{who}"},
                 {"{other}", "{other}"},
                 {"{", "{"},
                 {"{who", "{who"},
                 {"{3}", "{3}"},
                 {"{}", "{}"},
                 {"a{who}b{who}", "amebme"},
                 {"{{{who}}", "{me}"},
                 {"", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Str out = {0};
        recipe_fill(&out, cases[i].text, &(RecipeFiller){look, NULL, false});
        assert_string_equal(str_c(&out), cases[i].becomes);
        str_drop(&out);
    }
    json_t *in = json_pack("{s:[s, s, i], s:{s:s}}", "a", "{steps}", "{steps}.", 7, "b", "c", "{who}"),
           *want = json_pack("{s:[i, s, i], s:{s:s}}", "a", 20, "20.", 7, "b", "c", "me"),
           *out = recipe_fill_json(in, &(RecipeFiller){look, NULL, false});
    assert_true(json_equal(out, want));
    json_decref(in);
    json_decref(want);
    json_decref(out);
}

static void long_names_are_refused(void **state)
{
    (void)state;
    char *text = mem_format("stages:\n  a:\n    each: {x: [y%0300d]}\n    run: t {out}\n", 1);
    assert_int_equal(read_text(text, NULL), ST_ARG);
    expect_words("a name of more than 200 bytes");
    mem_free(text);
}

static void settings_are_set(void **state)
{
    (void)state;
    must(read_text(good, "steps=7"));
    assert_int_equal(json_integer_value(json_object_get(r.vars, "steps")), 7);
    must(read_text(good, "stages.model.settings.train.steps=9"));
    const json_t *train = json_object_get(r.stages.at[2].settings, "train");
    assert_int_equal(json_integer_value(json_object_get(train, "steps")), 9);
    must(read_text(good, "stages.model.minutes=3"));
    assert_true(r.stages.at[2].minutes == 3);
    must(read_text(good, "store=elsewhere"));
    assert_string_equal(r.store, "elsewhere");
    static const struct {
        const char *set, *says;
    } slips[] = {{"step=7", "did you mean steps"},
                 {"stages.modell.minutes=3", "did you mean model"},
                 {"steps", "write key=value"},
                 {"=3", "write key=value"},
                 {"stages.model.minuts=3", "did you mean minutes"},
                 {"vars.steps.x=3", "steps is no map"}};
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        assert_int_equal(read_text(good, slips[i].set), ST_ARG);
        expect_words(slips[i].says);
    }
}

/* A stage with "each" is many; those of the same values belong together. */
static void one_stage_may_be_many(void **state)
{
    (void)state;
    static const char text[] = "stages:\n"
                               "  rows:\n"
                               "    each: {mix: [{name: \"10:1\", code: 10}, {name: \"1:1\", code: 1}]}\n"
                               "    run: pack -o {out} --code {mix-code} {{mix}\n"
                               "  base:\n"
                               "    each: {mix: [{name: \"10:1\"}, {name: \"1:1\"}], seed: [1, 2]}\n"
                               "    run: train {rows} -o {out}\n"
                               "    settings: {seed: \"{seed}\", of: \"{mix}\"}\n"
                               "  all:\n"
                               "    run: [study, \"{base*}\", -o, \"{out}\"]\n"
                               "  one:\n"
                               "    run: look {base.1-1.2}/x {out}\n";
    size_t at, rows;
    must(read_text(text, NULL));
    assert_int_equal(r.stages.n, 8);
    must(recipe_find(&rows, &r, "rows.10-1"));
    assert_string_equal(r.stages.at[rows].words.at[4], "10");
    assert_string_equal(r.stages.at[rows].words.at[5], "{{mix}");
    must(recipe_find(&at, &r, "base.10-1.2"));
    const RecipeStage *s = &r.stages.at[at];
    assert_string_equal(s->group, "base");
    assert_string_equal(s->words.at[1], "{rows.10-1}");
    assert_int_equal(s->after.n, 1);
    assert_int_equal(s->after.at[0], rows);
    assert_int_equal(json_integer_value(json_object_get(s->settings, "seed")), 2);
    assert_string_equal(json_string_value(json_object_get(s->settings, "of")), "10:1");
    assert_string_equal(json_string_value(json_object_get(s->values, "mix")), "10-1");
    must(recipe_find(&at, &r, "all"));
    assert_int_equal(r.stages.at[at].words.n, 7);
    assert_int_equal(r.stages.at[at].after.n, 4);
    must(recipe_find(&at, &r, "one"));
    assert_string_equal(r.stages.at[at].words.at[1], "{base.1-1.2}/x");
    static const struct {
        const char *text, *says;
    } slips[] = {
        {"stages:\n  a:\n    each: {x: [1, 2]}\n    run: t {out}\n  b:\n    run: t {a} {out}\n",
         "{a} is 2 stages; {a*}"},
        {"stages:\n  a:\n    each: [1]\n    run: t {out}\n", "a map of lists"},
        {"stages:\n  a:\n    each: {x: 1}\n    run: t {out}\n", "x must be a list"},
        {"stages:\n  a:\n    each: {x: [{y: 1}]}\n    run: t {out}\n", "a map with a name"},
        {"vars: {y: 1}\nstages:\n  a:\n    each: {x: \"{y}\"}\n    run: t {out}\n",
         "\"{NAME}\" of a variable"},
        {"stages:\n  a:\n    each: {x: \"{y}\"}\n    run: t {out}\n", "x must be a list"},
        {"stages:\n  a:\n    each: {x: [b c, b-c]}\n    run: t {out}\n", "stage a.b-c: two choices"},
        {"vars: {x: 1}\nstages:\n  a:\n    each: {x: [1]}\n    run: t {out}\n", "a variable is called x"},
        {"stages:\n  a:\n    each: {x: [1, 2]}\n    run: t {out}\n  b:\n    run: t {a*}/y {out}\n",
         "stage b: {a*} stands as a word of its own"},
        {"stages:\n  a:\n    each: {x: [1, 2]}\n    run: t {out}\n  b:\n    run: t {out}\n    settings: {z: "
         "\"{a*}\"}\n",
         "stage b: {a*} stands as a word of its own"},
    };
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        assert_int_equal(read_text(slips[i].text, NULL), ST_ARG);
        expect_words(slips[i].says);
    }
}

static void numbers_stay_as_they_are_written(void **state)
{
    (void)state;
    size_t at;
    must(read_text("stages:\n  a:\n    each: {rate: [0.1, 3.0e-4]}\n"
                   "    run: [train, 0.1, \"{rate}\", 7, -o, \"{out}\"]\n",
                   NULL));
    must(recipe_find(&at, &r, "a.0-1"));
    assert_string_equal(r.stages.at[at].words.at[1], "0.1");
    assert_string_equal(r.stages.at[at].words.at[2], "0.1");
    assert_string_equal(r.stages.at[at].words.at[3], "7");
    must(recipe_find(&at, &r, "a.0-0003"));
}

static const char sized[] =
    "vars: {seeds: [1, 2, 3], mixes: [{name: \"10:1\", code: 10}], steps: 900, minutes: 4, shape: {n: 6}}\n"
    "quick: {seeds: [7, 8], steps: 30, minutes: 0.5, shape: {n: 2}}\n"
    "stages:\n"
    "  base:\n"
    "    each: {mix: \"{mixes}\", seed: \"{seeds}\"}\n"
    "    run: train --code {mix-code} --steps {steps} --seed {seed} -o {out}\n"
    "    settings: {model: \"{shape}\"}\n"
    "    minutes: \"{minutes}\"\n";

static const RecipeStage *stage(const char *name)
{
    size_t at;
    must(recipe_find(&at, &r, name));
    return &r.stages.at[at];
}

/* Lists of "each" come from variables, whose values `quick` changes; --set has the last word. */
static void a_recipe_has_a_small_form(void **state)
{
    (void)state;
    must(read_text(sized, NULL));
    assert_int_equal(r.stages.n, 3);
    const RecipeStage *s = stage("base.10-1.3");
    assert_string_equal(s->words.at[2], "10");
    assert_string_equal(s->words.at[6], "3");
    assert_true(s->minutes == 4);
    assert_string_equal(json_string_value(json_object_get(s->settings, "model")), "{shape}");
    assert_int_equal(json_integer_value(json_object_get(r.vars, "steps")), 900);

    const char *set = "steps=40";
    recipe_drop(&r);
    must(recipe_read_quick(&r, in_scratch("r.yaml"), &set, 1));
    assert_int_equal(r.stages.n, 2);
    assert_true(stage("base.10-1.8")->minutes == 0.5);
    assert_int_equal(json_integer_value(json_object_get(r.vars, "steps")), 40);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(r.vars, "shape"), "n")), 2);

    must(read_text(sized, "seeds=[5]"));
    assert_int_equal(r.stages.n, 1);
    (void)stage("base.10-1.5");

    must(read_text(good, NULL));
    recipe_drop(&r);
    assert_int_equal(recipe_read_quick(&r, in_scratch("r.yaml"), NULL, 0), ST_ARG);
    expect_words("r.yaml has no \"quick:\"");
}

/* Each is refused before anything runs, with the line and the remedy. */
static void bad_recipes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"stages: [", "r.yaml:2:1"},
        {"[1, 2]\n", "a map with \"stages\""},
        {"stagse: {a: {run: \"x {out}\"}}\n", "did you mean stages"},
        {"name: x\n", "stages must be a map"},
        {"corpus: {seed: 1}\n", "a section \"corpus\", which is its verb's: lemur corpus build"},
        {"stages: {}\n", "no stages"},
        {"stages:\n  a:\n    run: train -o {out}\n    setings: {}\n",
         "line 3: stage a: there is no key 'setings' (did you mean settings?)"},
        {"stages:\n  a:\n    settings: {}\n", "either \"run\""},
        {"stages:\n  a:\n    run: x {out}\n    program: y\n", "either \"run\""},
        {"stages:\n  a: train\n", "a map with \"run\""},
        {"stages:\n  a:\n    run: train\n", "does not write to {out}"},
        {"stages:\n  a:\n    run: train {b} -o {out}\n", "no stage and no variable 'b'"},
        {"vars: {steps: 1}\nstages:\n  a:\n    run: train {step} -o {out}\n", "did you mean steps"},
        {"stages:\n  a:\n    run: x {b} {out}\n  b:\n    run: y {c} {out}\n  c:\n    run: z {a} {out}\n",
         "a -> b -> c -> a"},
        {"stages:\n  a:\n    run: x {a} {out}\n", "a -> a"},
        {"stages:\n  out:\n    run: x {out}\n", "a stage's own"},
        {"stages:\n  3a:\n    run: x {out}\n", "a name is a letter"},
        {"stages:\n  a/b:\n    run: x {out}\n", "a name is a letter"},
        {"vars: {a: 1}\nstages:\n  a:\n    run: x {out}\n", "a variable has that name"},
        {"vars: {a: null}\nstages:\n  b:\n    run: x {out}\n", "variable a must have a value"},
        {"vars: {a: [1]}\nstages:\n  b:\n    run: x {a} {out}\n", "variable a is a list or a map"},
        {"vars: {a: {b: 1}}\nstages:\n  b:\n    run: x {out}\n    inputs: \"{a}\"\n",
         "variable a is a list or a map"},
        {"vars: {a: long}\nstages:\n  b:\n    run: x {out}\n    minutes: \"{a}\"\n",
         "minutes must be a number"},
        {"vars: {a: 1}\nquick: [a]\nstages:\n  b:\n    run: x {out}\n", "quick must be a map"},
        {"vars: {steps: 1}\nquick:\n  step: 1\nstages:\n  b:\n    run: x {out}\n",
         "line 3: quick: there is no variable 'step' (did you mean steps?)"},
        {"stages:\n  a:\n    run: x {out}\n    minutes: long\n", "minutes must be a number"},
        {"stages:\n  a:\n    run: x {out}\n    minutes: -1\n", "minutes must be a number"},
        {"stages:\n  a:\n    run: x {out}\n    disk: much\n", "much"},
        {"stages:\n  a:\n    run: x {out}\n    inputs: {a: b}\n", "inputs must be"},
        {"stages:\n  a:\n    run: x {out}\n  b:\n    run: x {a} {out}\n    inputs: \"{a}/x\"\n",
         "stage b: inputs are files from outside, and {a} is a stage's"},
        {"stages:\n  a:\n    run: x {out}\n    inputs: \"{out}/x\"\n", "and {out} is a stage's"},
        {"store: \"\"\nstages:\n  a:\n    run: x {out}\n", "store names no folder"},
        {"vars: {out: 1}\nstages:\n  a:\n    run: x {out}\n", "a variable cannot be called out"},
        {"stages:\n  a:\n    run: x {out}\n    fetch: [1]\n", "fetch must be text"},
        {"stages:\n  a:\n    run: {a: b}\n", "the command is no text"},
        {"stages:\n  a:\n    run: x {out}\n    settings: [1]\n", "settings must be a map"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (read_text(cases[i].text, NULL) == ST_OK)
            fail_msg("taken: %s", cases[i].text);
        expect_words(cases[i].says);
    }
    recipe_drop(&r);
    assert_int_equal(recipe_read(&r, in_scratch("none.yaml"), NULL, 0), ST_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_come_in_order),      cmocka_unit_test(names_are_filled_in),
        cmocka_unit_test(long_names_are_refused),    cmocka_unit_test(settings_are_set),
        cmocka_unit_test(one_stage_may_be_many),     cmocka_unit_test(numbers_stay_as_they_are_written),
        cmocka_unit_test(a_recipe_has_a_small_form), cmocka_unit_test(bad_recipes_are_refused),
    };
    int failed = cmocka_run_group_tests(tests, scratch_make, scratch_remove);
    recipe_drop(&r);
    return failed;
}
