/* Recorded episodes of our own making, which must be found wrong where they are. */
#include "eval/replay_mint.h"

#include "base/scratch_test.h"

#define EPISODE(id, propose, end, success)                                                                 \
    "{\"state\":{\"history\":[{\"role\":\"user\",\"content\":\"5 2 T E Task:\\nq\"},"                      \
    "{\"role\":\"assistant\",\"content\":\"Assistant:\\n<solution>4</solution>\\n\"},"                     \
    "{\"role\":\"user\",\"content\":\"Observation:\\nYour answer is wrong.\\nYou have 4 steps left and 1 " \
    "chances "                                                                                             \
    "to propose solution left.\\n\"},"                                                                     \
    "{\"role\":\"assistant\",\"content\":\"Assistant:\\n<solution>5</solution>\\n\"}],\"finished\":true,"  \
    "\"success\":" success                                                                                 \
    ",\"latest_output\":{\"content\":\"Observation:\\nYour answer is wrong.\\nYou have 4 "                 \
    "steps left and 1 chances to propose solution "                                                        \
    "left.\\n\"},\"agent_action_count\":{\"propose_solution\":" propose                                    \
    ",\"use_tool\":0,\"invalid_action\":0},\"terminate_reason\":\"" end "\"},\"task\":{\"task_id\":" id    \
    ",\"prompt\":\"q\",\"reference\":\"5\"}}\n"

#define FOLDER "m/F=None/max5_p2+tool+cd/reasoning/"

static void prompts(void)
{
    scratch_text("mint/prompt/templates/template_with_tool.txt",
                 "{max_total_steps} {max_propose_solution} {tool_desc}{in_context_example} {task_prompt}");
    scratch_text("mint/prompt/tools/reasoning.txt", "T");
    scratch_text("mint/prompt/in_context_examples/reasoning/with_tool.txt", "E");
}

static Status replay_text(ReplayReport *r, ReplayRule rule, const char *name, const char *text)
{
    ReplaySpec spec = {.data = scratch, .checks = REPLAY_ALL, .threads = 1, .rule = rule};
    *r = (ReplayReport){0};
    scratch_text(name, text);
    return replay_mint_file(r, &spec, NULL, in_scratch(name));
}

static void what_is_wrong_is_found(void **state)
{
    (void)state;
    ReplayReport r;
    prompts();
    assert_int_equal(replay_text(&r, REPLAY_RULE_RECORDING, FOLDER "gsm8k/results.jsonl",
                                 EPISODE("1", "2", "task_success", "true")       /* right but for R1 */
                                 EPISODE("1", "2", "task_success", "true")       /* double           */
                                 EPISODE("2", "2", "max_propose_steps", "false") /* the verdict      */
                                 EPISODE("3", "1", "task_success", "true")       /* a counter        */
                                 "{\"state\":{}}\n[]\n\n{\"sta"),
                     ST_OK);
    assert_int_equal(r.counts[REPLAY_R1].compared, 3); /* the tools end a line */
    assert_int_equal(r.counts[REPLAY_R1].agreed, 0);
    assert_int_equal(r.counts[REPLAY_R2].compared, 6);
    assert_int_equal(r.counts[REPLAY_R2].agreed, 5);
    assert_int_equal(r.counts[REPLAY_R3].compared, 6);
    assert_int_equal(r.counts[REPLAY_R3].agreed, 5);
    assert_int_equal(r.doubles, 1);
    assert_int_equal(r.bad_lines, 3);
    assert_int_equal(r.troubles.n, 3);
    assert_non_null(strstr(r.troubles.at[2], "results.jsonl:8: no JSON"));
    assert_int_equal(r.mismatches.n, 5);
    const ReplayMismatch *last = &r.mismatches.at[4]; /* verdicts come when the file is read */
    assert_int_equal(last->check, REPLAY_R3);
    assert_int_equal(last->line, 3);
    assert_non_null(strstr(last->what, "(wrong): 5"));
    assert_int_equal(r.scores.n, 1);
    const ReplayScore *s = &r.scores.at[0];
    assert_string_equal(s->model, "m");
    assert_string_equal(s->setting, "F=None/max5_p2+tool+cd");
    assert_string_equal(s->task, "gsm8k");
    assert_true(s->episodes == 3 && s->solved == 2 && s->ours == 3 && s->unmarked == 0);
    replay_report_drop(&r);
}

/* One proposal, right or wrong, of a question with this gold. */
#define PROPOSAL(id, answer, gold, end, success)                                                       \
    "{\"state\":{\"history\":[{\"role\":\"user\",\"content\":\"5 2 TE q\"},{\"role\":\"assistant\","   \
    "\"content\":\"Assistant:\\n<solution>" answer                                                     \
    "</solution>\\n\"}],\"finished\":true,\"success\":" success                                        \
    ",\"latest_output\":{\"content\":\"5 2 TE q\"},\"agent_action_count\":{\"propose_solution\":1,"    \
    "\"use_tool\":0,\"invalid_action\":0},\"terminate_reason\":\"" end "\"},\"task\":{\"task_id\":" id \
    ",\"prompt\":\"q\",\"reference\":" gold "}}\n"

static void each_recording_has_its_rule(void **state)
{
    (void)state;
    ReplayReport r;
    const char *current = PROPOSAL("1", "(a)", "\"a\"", "task_success", "true"),
               *legacy = PROPOSAL("1", "(a)", "\"a\"", "max_steps", "false"),
               *name = FOLDER "theoremqa/results.jsonl";
    assert_int_equal(replay_text(&r, REPLAY_RULE_RECORDING, name, current), ST_OK);
    const ReplayCount *c = &r.counts[REPLAY_R4_OPTION];
    assert_true(c->compared == 1 && c->agreed == 1 && c->current == 1 && c->legacy == 0);
    assert_int_equal(r.scores.at[0].ours, 1);
    replay_report_drop(&r);
    assert_int_equal(replay_text(&r, REPLAY_RULE_LEGACY, name, current), ST_OK);
    assert_true(c->compared == 1 && c->agreed == 0 && c->current == 0 && c->legacy == 1);
    assert_int_equal(r.scores.at[0].ours, 0);
    replay_report_drop(&r);
    assert_int_equal(replay_text(&r, REPLAY_RULE_RECORDING, name, legacy), ST_OK);
    assert_true(c->compared == 1 && c->agreed == 1 && c->current == 0 && c->legacy == 1);
    replay_report_drop(&r);
    /* The rule is the recording's: one of both kinds disagrees. */
    char *both = mem_format("%s%s", current, PROPOSAL("2", "(a)", "\"a\"", "max_steps", "false"));
    assert_int_equal(replay_text(&r, REPLAY_RULE_RECORDING, name, both), ST_OK);
    assert_true(c->compared == 2 && c->agreed == 1 && c->either == 1);
    mem_free(both);
    replay_report_drop(&r);
}

static void hostile_types_and_missing_files(void **state)
{
    (void)state;
    ReplayReport r;
    static const char *const lines[] = {
        PROPOSAL("{\"a\":[1]}", "x", "5", "task_success", "true"), /* gold of another type: not compared */
        PROPOSAL("1.5", "x", "null", "task_success", "true"),
        "{\"state\":{\"history\":[{\"role\":\"user\",\"content\":\"\"}],\"agent_action_count\":{},"
        "\"latest_output\":7,\"terminate_reason\":[]},\"task\":{\"task_id\":\"\\u0000\"}}\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_int_equal(replay_text(&r, REPLAY_RULE_RECORDING, FOLDER "mmlu/results.jsonl", lines[i]),
                         ST_OK);
        assert_int_equal(r.counts[REPLAY_R3].compared, 0);
        assert_int_equal(r.counts[REPLAY_R3].undecided[REPLAY_BROKEN], i < 2);
        assert_int_equal(r.bad_lines, 0);
        replay_report_drop(&r);
    }
    /* Without programs, code has no verdicts; without its example file, the opening none. */
    assert_int_equal(replay_text(&r, REPLAY_RULE_RECORDING,
                                 "m/F=None/max5_p2+tool+cd/code_generation/mbpp/results.jsonl",
                                 PROPOSAL("1", "x", "\"assert x\"", "task_success", "true")),
                     ST_OK);
    assert_int_equal(r.counts[REPLAY_R5].undecided[REPLAY_NO_SANDBOX], 1);
    assert_int_equal(r.counts[REPLAY_R1].undecided[REPLAY_NO_PROMPTS], 1);
    assert_int_equal(r.troubles.n, 1);
    assert_int_equal(r.scores.at[0].unmarked, 1);
    replay_report_drop(&r);
    ReplaySpec spec = {.checks = REPLAY_ALL, .threads = 1};
    assert_int_equal(replay_mint_file(&r, &spec, NULL, in_scratch("m/F=None/max5_p2/reasoning/math/none")),
                     ST_IO);
    replay_report_drop(&r);
}

/* Every beginning of a file is read without harm, and its last line is then bad or an episode. */
static void every_truncation(void **state)
{
    (void)state;
    ReplayReport r;
    Str text = {0};
    str_adds(&text, EPISODE("1", "2", "task_success", "true") EPISODE("2", "2", "task_success", "true"));
    for (size_t n = text.n; n-- > text.n / 2;) {
        text.at[n] = 0;
        assert_int_equal(replay_text(&r, REPLAY_RULE_RECORDING, FOLDER "gsm8k/results.jsonl", text.at),
                         ST_OK);
        assert_true(r.episodes + r.bad_lines <= 2 && r.episodes >= 1);
        replay_report_drop(&r);
    }
    str_drop(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_found),
        cmocka_unit_test(each_recording_has_its_rule),
        cmocka_unit_test(hostile_types_and_missing_files),
        cmocka_unit_test(every_truncation),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
