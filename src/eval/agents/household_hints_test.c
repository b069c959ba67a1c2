/* Made games, played by a seeker, with an expert who hints: by commands and by Python. */
#include "agent/hints.h"
#include "agent/scripted_test.h"
#include "base/scratch_test.h"
#include "env/household_games.h"
#include "env/household_hints.h"
#include "env/household_make_games.h"
#include "env/household_seek.h"
#include "env/household_tools.h"
#include "env/needs_sandbox_test.h"
#include "eval/agents/alfworld.h"
#include "eval/agents/household_tasks.h"

enum { GAMES = 8 };

/* What is said in each game, after an id that is its question's. */
typedef struct {
    char *id;
    Array(char *) commands, cells;
} Way;
static Way ways[GAMES];
static size_t ways_n;
static Str lines;

static Status keep(void *context, const HouseholdMade *made, const char *id)
{
    Way *w = &ways[ways_n++];
    HouseholdPlan plan = {0};
    Rng rng;
    (void)context;
    rng_seed(&rng, made->seed);
    w->id = mem_str(id);
    TRY(household_seek(made->game, &rng, &plan));
    for (size_t i = 0; i < plan.n; i++) {
        Str cell = {0};
        str_adds(&cell, "<execute>print(");
        assert_true(household_call(&cell, plan.at[i]));
        str_adds(&cell, ")</execute>");
        array_push(&w->commands, mem_format("> %s", plan.at[i]));
        array_push(&w->cells, cell.at);
    }
    array_push(&w->commands, NULL);
    array_push(&w->cells, NULL);
    json_t *hints = household_hints(made->game, made->task, made->object, made->target);
    char *text = json_dumps(hints, 0);
    str_addf(&lines, "%s\n", text);
    free(text);
    json_decref(hints);
    array_drop(&plan);
    return ST_OK;
}

static int make_games(void **state)
{
    if (scratch_make(state))
        return -1;
    HouseholdMadeGames made;
    HouseholdMakeGames how = {.folder = in_scratch(HOUSEHOLD_GAMES),
                              .games = GAMES,
                              .seed = 40,
                              .task = HOUSEHOLD_ANY,
                              .each = keep};
    if (household_make_games(&made, &how) != ST_OK)
        return -1;
    scratch_text("hints.jsonl", str_c(&lines));
    return 0;
}

static int drop_games(void **state)
{
    for (size_t i = 0; i < ways_n; i++) {
        for (size_t j = 0; j < ways[i].commands.n; j++) {
            mem_free(ways[i].commands.at[j]);
            mem_free(ways[i].cells.at[j]);
        }
        array_drop(&ways[i].commands);
        array_drop(&ways[i].cells);
        mem_free(ways[i].id);
    }
    str_drop(&lines);
    return scratch_remove(state);
}

static const Way *way_of(const Question *q)
{
    for (size_t i = 0; i < ways_n; i++)
        if (strcmp(ways[i].id, q->id) == 0)
            return &ways[i];
    fail_msg("no way of %s", q->id);
    return NULL;
}

/* Won; the first answer of the game's has a hint, and none is said twice in a row. */
static void check_episode(const Sample *s)
{
    size_t i;
    const json_t *m;
    int64_t hinted = 0;
    const char *before = "";
    assert_true(json_number_value(json_object_get(s->metrics, "success")) == 1);
    json_array_foreach(json_object_get(s->transcript, "messages"), i, m)
    {
        const char *text = json_string_value(json_object_get(m, "content"));
        const char *hint = strstr(text, "\nExpert feedback:\n");
        assert_true(i != 2 || hint);
        if (!hint)
            continue;
        assert_string_equal(json_string_value(json_object_get(m, "role")), "user");
        assert_string_not_equal(hint, before);
        before = hint;
        hinted++;
    }
    assert_true(hinted >= 1 && hinted <= 5);
    assert_int_equal(json_number_value(json_object_get(s->metrics, "feedback")), hinted);
    assert_string_equal(json_string_value(json_object_get(s->transcript, "feedback")), "hints:hints.jsonl");
}

static void play(const Benchmark *b)
{
    EvalSettings settings = eval_settings();
    Questions questions = {0};
    void *state = NULL;
    Scripted script = {.fails = ST_PEER};
    EvalRun run = {.data = scratch, .settings = &settings, .models.chat = scripted_model(&script)};
    if (hints_open(&run.models.hints, in_scratch("hints.jsonl")) != ST_OK ||
        b->open(&run, &questions, &state) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(questions.all.n, GAMES);
    for (size_t i = 0; i < questions.all.n; i++) {
        const Question *q = &questions.all.at[i];
        Sample s;
        sample_init(&s);
        script.said = 0;
        script.lines = (const char *const *)(b == &alfworld ? way_of(q)->commands.at : way_of(q)->cells.at);
        if (b->ask(&run, state, q, &s) != ST_OK)
            fail_msg("%s: %s", q->id, error_text());
        check_episode(&s);
        sample_drop(&s);
    }
    b->close(state);
    questions_drop(&questions);
    chatmodel_close(run.models.chat);
    hints_close(run.models.hints);
}

static void by_commands(void **state)
{
    (void)state;
    play(&alfworld);
}

static void by_code(void **state)
{
    (void)state;
    needs_sandbox();
    play(&alfworld_python);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_commands), cmocka_unit_test(by_code)};
    return cmocka_run_group_tests(tests, make_games, drop_games);
}
