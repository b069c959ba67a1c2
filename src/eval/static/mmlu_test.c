/* MMLU on questions of our own in the published layout: folders and archive, by what is written and by
 * likelihood. */
#include "eval/static/text_benchmarks.h"

#include <archive.h>
#include <archive_entry.h>
#include <math.h>

#include "eval/static/mmlu_data.h"

#include "eval/static/answers_test.h"
#include "infer/cycle_test.h"
#include "infer/engine.h"
#include "infer/scheduler.h"

/* Quotes, commas and a line end inside fields, as in the published files. */
#define DEV                                         \
    "What is 1+1?,1,2,3,4,B\n"                      \
    "\"One, or \"\"two\"\"?\",\"a, b\",c,d,e,A\r\n" \
    "Third?,a,b,c,d,C\nFourth?,a,b,c,d,D\nFifth?,a,b,c,d,A\n"
#define TEST                                      \
    "\"Two lines\nof text?\",w,\"x\"\"\",y,z,B\n" \
    "five fields?,a,b,c,B\n"                      \
    "no letter?,a,b,c,d,E\n"                      \
    "a byte \xff?,a,b,c,d,A\n"                    \
    "Last?,a,b,c,d,C\n"
#define FIRST_TWO                                         \
    "What is 1+1?\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer: B\n\n" \
    "One, or \"two\"?\nA. a, b\nB. c\nC. d\nD. e\nAnswer: A\n\n"
#define QUESTION "Two lines\nof text?\nA. w\nB. x\"\nC. y\nD. z\nAnswer:"

static void write_subject(const char *folder, const char *subject, const char *dev, const char *test)
{
    char name[160];
    snprintf(name, sizeof name, "%s/dev/%s_dev.csv", folder, subject);
    scratch_text(name, dev);
    snprintf(name, sizeof name, "%s/test/%s_test.csv", folder, subject);
    scratch_text(name, test);
}

static void clear_data(void)
{
    assert_int_equal(folder_remove(in_scratch("mmlu")), ST_OK);
}

/* The published file of abstract_algebra has no byte that is no text; the folders' reader wants UTF-8. */
static const char *test_rows(int subject)
{
    return subject ? "Only?,a,b,c,d,D\n"
                   : "\"Two lines\nof text?\",w,\"x\"\"\",y,z,B\nfive fields?,a,b,c,B\n"
                     "no letter?,a,b,c,d,E\nLast?,a,b,c,d,C\n";
}

static void write_folders(const char *folder)
{
    clear_data();
    for (int i = 0; i < MMLU_SUBJECTS; i++)
        write_subject(folder, mmlu_subjects[i], DEV, test_rows(i));
}

static void ask(size_t question, const char *answer, double acc, double exact)
{
    bench_hears(question, answer);
    bench_says("acc", acc);
    bench_says("exact_match", exact);
}

static void categories_hold_every_subject_once(void **state)
{
    (void)state;
    static const Benchmark *const all[] = {&mmlu_stem_benchmark, &mmlu_humanities_benchmark,
                                           &mmlu_social_sciences_benchmark, &mmlu_other_benchmark};
    static const size_t subjects[] = {18, 13, 12, 14}; /* hendrycks/test, categories.py */
    write_folders("mmlu");
    for (size_t i = 0; i < 4; i++) {
        bench_open(all[i], scratch, eval_settings());
        size_t first = i == 0; /* abstract_algebra has two */
        assert_int_equal(bench.questions.all.n, subjects[i] + first);
        assert_int_equal(bench.questions.bad, 2 * first);
        for (size_t j = 0; j < bench.questions.all.n; j++)
            for (size_t k = 0; k < j; k++)
                assert_string_not_equal(bench.questions.all.at[j].id, bench.questions.all.at[k].id);
        bench_close();
    }
}

static void prompts_are_the_publishers(void **state)
{
    (void)state;
    write_folders("mmlu/data"); /* as the archive unpacks */
    bench_open(&mmlu_stem_benchmark, scratch, bench_shots(2));
    ask(0, " B", 1, 1);
    assert_string_equal(str_c(&bench.prompt), FIRST_TWO QUESTION);
    assert_string_equal(str_c(&bench.stops), "\n\n|");
    assert_string_equal(bench.questions.all.at[0].part, "abstract_algebra");
    assert_string_equal(bench.questions.all.at[1].id, "abstract_algebra/3");
    assert_string_equal(json_string_value(bench.sample.target), "B");
    json_t *plain = json_incref(bench.questions.facts);
    assert_string_equal(json_string_value(json_object_get(plain, "prompt")), "plain");
    bench_close();
    scratch_text("mmlu/prompt.txt", "Questions about {subject}.\n");
    bench_open(&mmlu_stem_benchmark, scratch, bench_shots(2));
    ask(0, "B", 1, 1);
    assert_string_equal(str_c(&bench.prompt), "Questions about abstract algebra.\n\n" FIRST_TWO QUESTION);
    assert_string_equal(json_string_value(json_object_get(bench.questions.facts, "prompt")),
                        "mmlu/prompt.txt");
    assert_false(json_equal(json_object_get(plain, "prompt_sha256"),
                            json_object_get(bench.questions.facts, "prompt_sha256")));
    json_decref(plain);
    bench_close();
    scratch_text("mmlu/prompt.txt", "Questions about {topic}.\n");
    bench_refuses(&mmlu_stem_benchmark, scratch, bench_shots(0), ST_FORMAT, "mmlu/prompt.txt");
}

static void letters_that_are_written(void **state)
{
    (void)state;
    write_folders("mmlu");
    bench_open(&mmlu_stem_benchmark, scratch, eval_settings());
    ask(0, "(B).", 1, 1);
    ask(0, "b", 0, 1); /* the harness ignores case */
    assert_int_equal(bench.sample.kind, SAMPLE_UNREADABLE);
    ask(0, "The answer is B.", 1, 0);
    ask(0, " B\n\nNext?\nAnswer: A", 1, 1);
    ask(0, "A", 0, 0);
    ask(0, "x\"", 0, 0);
    ask(0, "", 0, 0);
    assert_int_equal(bench.sample.kind, SAMPLE_UNREADABLE);
    for (size_t i = 0; i < bench.questions.all.n; i++) /* the right letter is right, all others are wrong */
        for (char letter[2] = "A"; letter[0] <= 'D'; letter[0]++) {
            double right =
                json_integer_value(json_object_get(bench.questions.all.at[i].doc, "answer")) + 'A' ==
                letter[0];
            ask(i, letter, right, right);
        }
    bench_close();
}

static void examples_are_left_out_until_the_prompt_fits(void **state)
{
    (void)state;
    write_folders("mmlu");
    bench_open(&mmlu_stem_benchmark, scratch, bench_shots(5));
    bench.most = strlen(FIRST_TWO QUESTION);
    ask(0, "B", 1, 1);
    assert_string_equal(str_c(&bench.prompt), FIRST_TWO QUESTION);
    assert_int_equal(json_integer_value(json_object_get(bench.sample.more, "shots")), 2);
    assert_int_equal(json_array_size(bench.sample.prompts), 1);
    assert_int_equal(json_array_size(bench.sample.answers), 1);
    assert_int_equal(bench.calls, 4);
    assert_int_equal(bench.sample.kind, SAMPLE_FINE);
    bench.most = 10;
    ask(0, "B", 0, 0);
    assert_int_equal(bench.sample.kind, SAMPLE_CONTEXT);
    assert_int_equal(bench.calls, 4 + 6);
    bench_close();
}

static void data_that_is_missing_or_bad(void **state)
{
    (void)state;
    clear_data();
    bench_refuses(&mmlu_stem_benchmark, scratch, eval_settings(), ST_IO, "mmlu/data.tar is not there");
    write_folders("mmlu");
    bench_refuses(&mmlu_other_benchmark, scratch, bench_shots(6), ST_ARG, "has 5");
    write_subject("mmlu", "virology", DEV, "\"cut off,a,b,c,d,A\n");
    bench_refuses(&mmlu_other_benchmark, scratch, eval_settings(), ST_FORMAT,
                  "test/virology_test.csv: line 1: a quote is never closed");
    write_subject("mmlu", "virology", DEV, "a,b\n");
    bench_refuses(&mmlu_other_benchmark, scratch, eval_settings(), ST_FORMAT,
                  "virology_test.csv has no question");
    write_subject("mmlu", "virology", DEV "bad,row\n", test_rows(1));
    bench_refuses(&mmlu_other_benchmark, scratch, eval_settings(), ST_FORMAT,
                  "virology_dev.csv: line 6 is no example");
    write_subject("mmlu", "virology", "", test_rows(1));
    bench_refuses(&mmlu_other_benchmark, scratch, eval_settings(), ST_FORMAT, "virology_dev.csv is empty");
    assert_int_equal(unlink(in_scratch("mmlu/test/virology_test.csv")), 0);
    write_subject("mmlu", "astronomy", DEV, TEST);
    bench_refuses(&mmlu_stem_benchmark, scratch, eval_settings(), ST_FORMAT,
                  "astronomy_test.csv is no UTF-8");
    bench_open(&mmlu_humanities_benchmark, scratch, eval_settings()); /* the others' files are not its own */
    bench_close();
    EvalSettings settings = eval_settings();
    settings.likelihood = true;
    bench_refuses(&mmlu_humanities_benchmark, scratch, settings, ST_ARG, "not of a server");
}

/* The archive. ------------------------------------------------------------------------------------------- */

static void add_member(struct archive *a, const char *name, const char *text)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)strlen(text));
    assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(a, text, strlen(text)), (la_ssize_t)strlen(text));
    archive_entry_free(entry);
}

/* As data.tar, with `left_out` missing, and members beside it that are not to be taken. */
static void write_archive(const char *left_out)
{
    clear_data();
    assert_int_equal(folder_make(in_scratch("mmlu")), ST_OK);
    struct archive *a = archive_write_new();
    archive_write_set_format_ustar(a);
    assert_int_equal(archive_write_open_filename(a, in_scratch("mmlu/data.tar")), ARCHIVE_OK);
    add_member(a, "data/README.txt", "read me");
    for (int i = 0; i < MMLU_SUBJECTS; i++)
        for (int dev = 0; dev < 2; dev++) {
            char name[160];
            snprintf(name, sizeof name, "data/%s/%s_%s.csv", dev ? "dev" : "test", mmlu_subjects[i],
                     dev ? "dev" : "test");
            if (left_out && strcmp(name, left_out) == 0)
                continue;
            add_member(a, name, dev ? DEV : i ? test_rows(i) : TEST);
            snprintf(name, sizeof name, "data/val/%s_val.csv", mmlu_subjects[i]);
            add_member(a, name, "no,question\n");
            snprintf(name, sizeof name, "otherdata/%s/%s_%s.csv", dev ? "dev" : "test", mmlu_subjects[i],
                     dev ? "dev" : "test");
            add_member(a, name, "no,question\n");
        }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
}

static void the_archive_is_read_as_it_is(void **state)
{
    (void)state;
    write_archive(NULL);
    bench_open(&mmlu_stem_benchmark, scratch, bench_shots(2));
    assert_int_equal(bench.questions.all.n, 19);
    assert_int_equal(bench.questions.bad, 3); /* one with a byte that is no UTF-8 */
    ask(0, "B", 1, 1);
    assert_string_equal(str_c(&bench.prompt), FIRST_TWO QUESTION);
    bench_close();
    write_archive("data/test/virology_test.csv");
    bench_refuses(&mmlu_other_benchmark, scratch, eval_settings(), ST_IO,
                  "no questions or no examples of virology");
    bench_open(&mmlu_stem_benchmark, scratch, eval_settings());
    bench_close();
    write_archive(NULL);
    assert_int_equal(truncate(in_scratch("mmlu/data.tar"), 30000), 0);
    bench_refuses(&mmlu_other_benchmark, scratch, eval_settings(), ST_FORMAT, "mmlu/data.tar");
}

/* By likelihood. ----------------------------------------------------------------------------------------- */

/* Each row's logits are all 0 but that of one letter's byte. */
static char liked;

static Status likes_a_letter(void *context, const DecoderRun *runs, int64_t count, float *logits)
{
    (void)context;
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < runs[i].logits; j++, logits += CYCLE_V) {
            memset(logits, 0, CYCLE_V * sizeof *logits);
            logits[CYCLE_BYTES + liked] = 5;
        }
    return ST_OK;
}

static void copies_nothing(void *context, int32_t to, int32_t from)
{
    (void)context, (void)to, (void)from;
}

static void with_engine(int64_t positions, void (*then)(void))
{
    PassModel model = {.pass = likes_a_letter,
                       .copy_page = copies_nothing,
                       .vocab = CYCLE_V,
                       .max_rows = 256,
                       .max_logits = 16,
                       .pages = 200,
                       .positions = positions};
    EngineSetup setup = {.inline_passes = true};
    Engine *engine;
    Tokenizer *tokenizer = cycle_tokenizer();
    if (engine_open_model(&engine, &model, tokenizer, &setup) != ST_OK)
        fail_msg("%s", error_text());
    bench.run.models = (EvalModels){.engine = engine, .tokenizer = tokenizer};
    EvalSettings settings = bench_shots(2);
    settings.likelihood = true;
    bench_open(&mmlu_stem_benchmark, scratch, settings);
    then();
    bench_close();
    engine_close(engine);
    tokenizer_close(tokenizer);
}

static void the_liked_letter_is_chosen(void)
{
    for (liked = 'A'; liked <= 'D'; liked++)
        for (size_t i = 0; i < bench.questions.all.n; i++) {
            bench_hears(i, "");
            double right =
                json_integer_value(json_object_get(bench.questions.all.at[i].doc, "answer")) + 'A' == liked;
            bench_says("acc", right);
            bench_says("acc_norm", right);
            const char letter[] = {liked, 0};
            assert_string_equal(json_string_value(json_array_get(bench.sample.read, 0)), letter);
        }
    /* log softmax of 5 among 287 zeros behind the space's, for a choice of space and letter */
    double best = json_real_value(json_array_get(json_array_get(bench.sample.answers, 3), 0));
    double all = log(287 + exp(5));
    assert_true(fabs(best - (5 - 2 * all)) < 1e-5);
    assert_int_equal(json_array_size(bench.sample.answers), 4);
    assert_int_equal(bench.calls, 0);
    assert_string_equal(json_string_value(json_object_get(bench.questions.facts, "way")), "likelihood");
    bench_hears(0, "");
    assert_string_equal(json_string_value(json_array_get(bench.sample.prompts, 0)), FIRST_TWO QUESTION);
    assert_int_equal(json_integer_value(json_object_get(bench.sample.more, "shots")), 2);
}

static void one_example_less(void)
{
    liked = 'B';
    bench_hears(0, "");
    bench_says("acc", 1);
    assert_int_equal(json_integer_value(json_object_get(bench.sample.more, "shots")), 1);
    assert_int_equal(json_array_size(bench.sample.prompts), 1);
    assert_int_equal(json_array_size(bench.sample.answers), 4);
}

static void no_room_at_all(void)
{
    bench_hears(0, "");
    bench_says("acc", 0);
    bench_says("acc_norm", 0);
    assert_int_equal(bench.sample.kind, SAMPLE_CONTEXT);
}

static bool always(void *context)
{
    (void)context;
    return true;
}

static void a_stopped_run_scores_nothing(void)
{
    Sample s;
    sample_init(&s);
    bench.run.stopped = always;
    assert_int_equal(bench.b->ask(&bench.run, bench.state, &bench.questions.all.at[0], &s), ST_CANCELLED);
    assert_int_equal(json_object_size(s.metrics), 0);
    sample_drop(&s);
}

static void letters_by_likelihood(void **state)
{
    (void)state;
    write_folders("mmlu");
    with_engine(1000, the_liked_letter_is_chosen);
    with_engine((int64_t)strlen(FIRST_TWO QUESTION), one_example_less); /* bytes are tokens, and one begins */
    with_engine(20, no_room_at_all);
    with_engine(1000, a_stopped_run_scores_nothing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(categories_hold_every_subject_once),
        cmocka_unit_test(prompts_are_the_publishers),
        cmocka_unit_test(letters_that_are_written),
        cmocka_unit_test(examples_are_left_out_until_the_prompt_fits),
        cmocka_unit_test(data_that_is_missing_or_bad),
        cmocka_unit_test(the_archive_is_read_as_it_is),
        cmocka_unit_test(letters_by_likelihood),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
