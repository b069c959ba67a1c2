/* The experts of the families solve all their tasks, in the benchmarks that ask them; with hints too, of
 * which each of their mistakes gets one. */
#include "base/scratch_test.h"

#include "agent/hints.h"
#include "env/family.h"
#include "env/needs_sandbox_test.h"
#include "eval/benchmark.h"

enum { TRAIN = 24, TEST = 8 };

typedef struct {
    EvalSettings settings;
    EvalRun run;
    Questions questions;
    void *state;
    char *data;
} Opened;

static void open_part(Opened *o, const Benchmark *b, const char *folder, const char *part, const char *expert,
                      const char *hints)
{
    char *script = path_join(folder, expert), *lines = path_join(folder, hints ? hints : "");
    *o = (Opened){.settings = eval_settings()};
    o->data = path_join(folder, part);
    o->run = (EvalRun){.data = o->data, .settings = &o->settings};
    if ((hints && hints_open(&o->run.models.hints, lines) != ST_OK) ||
        chatmodel_script_open(&o->run.models.chat, script, SCRIPT_BY_HASH) != ST_OK ||
        b->open(&o->run, &o->questions, &o->state) != ST_OK)
        fail_msg("%s", error_text());
    mem_free(script);
    mem_free(lines);
}

static void close_part(Opened *o, const Benchmark *b)
{
    b->close(o->state);
    questions_drop(&o->questions);
    chatmodel_close(o->run.models.chat);
    hints_close(o->run.models.hints);
    mem_free(o->data);
}

/* How many of its answers are not to be learned, and how many there are. */
static void count_muted(const Sample *s, int64_t *muted, int64_t *answers)
{
    size_t i;
    const json_t *m;
    json_array_foreach(json_object_get(s->transcript, "messages"), i, m)
    {
        if (strcmp(json_string_value(json_object_get(m, "role")), "assistant") != 0)
            continue;
        *answers += 1;
        *muted += json_object_get(m, "weight") != NULL;
    }
}

static const char *content_at(const json_t *messages, size_t i)
{
    return json_string_value(json_object_get(json_array_get(messages, i), "content"));
}

/* A hint stands behind the world's answer to a mistake, and to all else but where a household's was said
 * before; nowhere else. */
static void check_hints(const Sample *s, bool always)
{
    const json_t *messages = json_object_get(s->transcript, "messages");
    const json_t *steps = json_object_get(s->transcript, "steps");
    size_t hinted = 0, said = 0;
    bool answered = false, muted = false; /* the world is to answer; what it answers is a mistake */
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *m = json_array_get(messages, i);
        bool user = strcmp(json_string_value(json_object_get(m, "role")), "user") == 0;
        bool expert = strstr(content_at(messages, i), "\nExpert feedback:\n") != NULL;
        if ((expert && !(user && answered)) || (user && answered && !expert && (always || muted)))
            fail_msg("%s", content_at(messages, i));
        hinted += expert;
        answered |= strcmp(json_string_value(json_object_get(m, "role")), "assistant") == 0;
        muted = json_object_get(m, "weight") != NULL;
    }
    for (size_t i = 0; i < json_array_size(steps); i++)
        said += json_is_true(json_object_get(json_array_get(steps, i), "feedback"));
    assert_true(said == hinted && (!always || hinted + 1 == json_array_size(steps)));
    assert_int_equal(json_number_value(json_object_get(s->metrics, "feedback")), hinted);
    const char *who = json_string_value(json_object_get(s->transcript, "feedback"));
    assert_true(span_starts(span(who), "hints:hints"));
}

static void play(const Family *f, const char *part, const char *expert, const char *hints, int64_t n)
{
    const Benchmark *b = benchmark_find(f->benchmark);
    int64_t muted = 0, answers = 0;
    Opened o;
    assert_non_null(b);
    open_part(&o, b, in_scratch(f->name), part, expert, hints);
    assert_int_equal(o.questions.all.n, n);
    assert_int_equal(o.questions.bad, 0);
    for (size_t i = 0; i < o.questions.all.n; i++) {
        Sample s;
        sample_init(&s);
        if (b->ask(&o.run, o.state, &o.questions.all.at[i], &s) != ST_OK)
            fail_msg("%s %s: %s", f->name, o.questions.all.at[i].id, error_text());
        if (json_number_value(json_object_get(s.metrics, "success")) != 1)
            fail_msg("%s %s %s: the expert fails", f->name, part, o.questions.all.at[i].id);
        count_muted(&s, &muted, &answers);
        if (hints)
            check_hints(&s, f->questions != NULL);
        else
            assert_null(json_object_get(s.transcript, "feedback"));
        sample_drop(&s);
    }
    assert_true(n < TRAIN || (muted > 0 && muted < answers / 2));
    close_part(&o, b);
}

static void experts_solve_all(void **state)
{
    (void)state;
    for (size_t i = 0; families[i]; i++) {
        FamilyCounts counts;
        FamilySpec spec = {in_scratch(families[i]->name), TRAIN, TEST, 3, 0};
        assert_int_equal(family_make(&counts, families[i], &spec), ST_OK);
        if (benchmark_find(families[i]->benchmark)->needs & NEEDS_SANDBOX)
            needs_sandbox();
        play(families[i], "train", "expert.jsonl", NULL, TRAIN);
        play(families[i], "test", "expert_test.jsonl", NULL, TEST);
        play(families[i], "train", "expert.jsonl", "hints.jsonl", TRAIN);
        play(families[i], "train", "expert_hinted.jsonl", "hints.jsonl", TRAIN);
        play(families[i], "test", "expert_hinted_test.jsonl", "hints_test.jsonl", TEST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(experts_solve_all)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
