#include "eval/agents/intercode.h"

#include "agent/scripted_test.h"
#include "base/scratch_test.h"
#include "env/needs_sandbox_test.h"

static void actions_are_read_as_the_original_does(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"```bash\nls -A\n  /x\n```", "ls -a /x"},
                                           {"Try ```sh\nls``` or ```rm```", "ls"},
                                           {"```BASH\nls```", "ls"},
                                           {"```bash```", "bash"},
                                           {"``````", "``````"},
                                           {"bash: ls -A", "ls -A"},
                                           {"The command: ls\n-l", " ls -l"},
                                           {"ls -A\npwd", "ls -A pwd"},
                                           {"```ls", "```ls"},
                                           {"", ""}};
    Str action = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bash_action_read(&action, span(cases[i][0]));
        if (strcmp(str_c(&action), cases[i][1]) != 0)
            fail_msg("%s: \"%s\"", cases[i][0], str_c(&action));
    }
    str_drop(&action);
}

/* Four file systems of our own, a task in each. ----------------------------------------------------------- */

static void write_data(void)
{
    scratch_text("intercode/prompt/templates.json",
                 "{\"bash\": {\"init\": \"Rules.\", \"query\": \"Task: {query}\", \"observation\": \"Output: {observation} "
                 "({reward})\", \"empty_observation\": \"Nothing ({reward})\", \"retry\": \"?\"}}");
    scratch_text("intercode/bash/docker.gitignore", "usr\nroot\nvar\netc\nhome\nrun\nsrv\nmnt\nopt\n");
    for (int i = 1; i <= 4; i++) {
        char *tasks = mem_format("intercode/bash/nl2bash_fs_%d.json", i),
             *setup = mem_format("intercode/bash/setup_nl2b_fs_%d.sh", i);
        scratch_text(tasks, "[{\"query\": \"Copy the note.\", \"gold\": \"cp /w/note.txt /w/copy.txt && cat /w/copy.txt\"}]");
        scratch_text(setup, "mkdir -p /w\necho buy some milk > /w/note.txt\n");
        mem_free(tasks);
        mem_free(setup);
    }
}

static void an_episode_is_played(void **state)
{
    (void)state;
    needs_sandbox();
    write_data();
    Scripted script = {.fails = ST_PEER};
    EvalSettings settings = eval_settings();
    EvalRun run = {.data = scratch, .settings = &settings};
    Questions all = {0};
    void *world;
    run.models.chat = scripted_model(&script);
    if (ic_bash.open(&run, &all, &world) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(all.all.n, 4);
    assert_string_equal(all.all.at[3].id, "4-0");
    assert_string_equal(all.all.at[3].part, "fs_4");
    /* The gold command after a look; a copy without its text, and another file besides. */
    static const struct {
        const char *lines[4];
        double success, reward;
    } cases[] = {
        {{"```bash\nls /w\n```", "bash: cp /w/note.txt /w/copy.txt && cat /w/copy.txt", NULL}, 1, 1},
        {{"cp /w/note.txt /w/copy.txt", "skip", NULL}, 0, 0.67},
        {{"touch /w/other.txt", "skip", NULL}, 0, 0.01},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Sample s;
        sample_init(&s);
        script.lines = cases[i].lines;
        script.said = 0;
        if (ic_bash.ask(&run, world, &all.all.at[i], &s) != ST_OK)
            fail_msg("%s", error_text());
        double success = json_number_value(json_object_get(s.metrics, "success")),
               reward = json_number_value(json_object_get(s.metrics, "reward"));
        if (success != cases[i].success || reward < cases[i].reward - 1e-9 || (i < 2 && reward > cases[i].reward + 1e-9))
            fail_msg("case %zu: success %g, reward %g", i, success, reward);
        sample_drop(&s);
    }
    assert_true(span_is(script.asked.messages.at[1].content, "Rules.Task: Copy the note."));
    ic_bash.close(world);
    questions_drop(&all);
    chatmodel_close(run.models.chat);
}

static void missing_data_is_named(void **state)
{
    (void)state;
    EvalSettings settings = eval_settings();
    EvalRun run = {.data = in_scratch("nothing"), .settings = &settings};
    Questions all = {0};
    void *world;
    assert_int_equal(ic_bash.open(&run, &all, &world), ST_IO);
    expect_words("nl2bash_fs_1.json");
    questions_drop(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actions_are_read_as_the_original_does),
        cmocka_unit_test(an_episode_is_played),
        cmocka_unit_test(missing_data_is_named),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
