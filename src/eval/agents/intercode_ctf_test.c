#include "eval/agents/intercode.h"

#include <stdlib.h>

#include "agent/scripted_test.h"
#include "base/data_test.h"
#include "base/scratch_test.h"
#include "env/sandbox.h"

static void need_all(void)
{
    Str says = {0};
    Status st = sandbox_probe(&says);
    str_drop(&says);
    if (!folder_holds(data_folder(), "intercode/ctf/task_assets")) {
        printf("SKIP no intercode/ctf/task_assets in %s (set LEMUR_DATA)\n", data_folder());
        skip();
    } else if (st != ST_OK) {
        printf("SKIP sandbox: %s\n", error_text());
        skip();
    }
}

static double play(const EvalRun *run, void *world, const Question *q, Scripted *script,
                   const char *const *lines)
{
    Sample s;
    sample_init(&s);
    script->lines = lines;
    script->said = 0;
    if (ic_ctf.ask(run, world, q, &s) != ST_OK)
        fail_msg("%s", error_text());
    double success = json_number_value(json_object_get(s.metrics, "success"));
    assert_true(json_is_object(s.transcript));
    sample_drop(&s);
    return success;
}

/* Each task whose files are here: the gold flag wins after a look around, another does not. */
static void flags_win(void **state)
{
    (void)state;
    need_all();
    Scripted script = {.fails = ST_PEER};
    EvalSettings settings = eval_settings();
    EvalRun run = {.data = data_folder(), .settings = &settings};
    Questions all = {0};
    void *world;
    run.models.chat = scripted_model(&script);
    if (ic_ctf.open(&run, &all, &world) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(all.all.n + (size_t)all.left_out, 100);
    assert_true(all.all.n >= 12);
    assert_true(json_array_size(json_object_get(all.lacking, "a live host")) >= 15);
    assert_true(json_array_size(json_object_get(all.lacking, "mmls")) < 10); /* few ask for it */
    for (size_t i = 0; i < all.all.n; i++) {
        const Question *q = &all.all.at[i];
        char *submit = mem_format("submit %s", doc_text(q->doc, "gold").at);
        const char *const right[] = {"ls", "Action: cat nothing\nAction: rm -rf .", submit, NULL};
        const char *const wrong[] = {"submit picoCTF{no}", "submit", "skip", NULL};
        assert_true(play(&run, world, q, &script, right) == 1);
        assert_true(play(&run, world, q, &script, wrong) == 0);
        mem_free(submit);
    }
    const Conversation *c = &script.asked; /* of the last task's "skip" */
    assert_int_equal(c->messages.n, 6);
    assert_true(c->messages.at[0].role == CHAT_SYSTEM);
    assert_true(span_is(c->messages.at[2].content, "Action: submit picoCTF{no}"));
    assert_true(span_is(c->messages.at[3].content, "Output: Submitted flag is incorrect. Keep trying!"));
    ic_ctf.close(world);
    questions_drop(&all);
    chatmodel_close(run.models.chat);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(flags_win)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
