/* A report of small folders in the forms that the verbs write. */
#include "study/report.h"

#include "base/log.h"
#include "corpus/instruct_fixture_test.h"
#include "corpus/small_corpus_test.h"
#include "study/html.h"

static void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

static void text_cannot_become_html(void **state)
{
    (void)state;
    Str page = {0};
    html_add(&page, "<p>%s %5.1f%% %d %zu %lld", "<script>alert('x')</script> & \"\x01\xff", 2.5, 3,
             (size_t)4, 5LL);
    assert_string_equal(
        str_c(&page),
        "<p>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;\xEF\xBF\xBD\xEF\xBF\xBD"
        "   2.5% 3 4 5");
    str_clear(&page);
    HtmlTable t = html_table(&page, "lr");
    html_cell(&t, "%s", "a<b");
    html_cell(&t, "n");
    html_cell(&t, "x");
    html_cell(&t, "%d", 7);
    html_table_end(&t);
    assert_string_equal(str_c(&page),
                        "<div class=\"wide\"><table>\n<tr><th>a&lt;b</th><th class=\"r\">n</th></tr>\n"
                        "<tr><td>x</td><td class=\"r\">7</td></tr>\n</table></div>\n");
    str_drop(&page);
}

static void write_folders(void)
{
    scratch_text(
        "crawl/manifest.json",
        "{\"format\": \"lemur-corpus\", \"sources\": [{\"name\": \"py<thon\", \"kind\": \"code\", \"input\": "
        "{\"documents\": 9, \"bytes\": 9000}, \"dropped\": {\"a\": {\"documents\": 2}, \"b\": "
        "{\"documents\": 1}}, "
        "\"train\": {\"bytes\": 7000}, \"held_out\": {\"bytes\": 500}}]}");
    scratch_text(
        "packed/manifest.json",
        "{\"format\": \"lemur-shards\", \"row_tokens\": 513, \"rows_code\": 20, \"rows_text\": 2, "
        "\"ledger\": "
        "[{\"source\": \"python\", \"kind\": \"code\", \"tokens\": 10000, \"share\": 0.909, \"rows\": 20}]}");
    scratch_text("base/results.json",
                 "{\"status\": \"done\", \"steps\": 3, \"tokens\": 300, \"parameters\": 5000000, "
                 "\"held_out\": {\"loss_nats\": 2.5, \"bits_per_byte\": 1.25, \"kinds\": {\"code\": "
                 "{\"bytes\": 77, \"bits_per_byte\": 1.125}}}}");
    scratch_text("base/log.jsonl",
                 "{\"step\":1,\"loss_nats\":4,\"lr\":1,\"tokens\":100}\n{\"step\":2,\"loss_nats\":3,"
                 "\"lr\":1,\"tokens\":200}\n{\"event\":\"checkpoint\"}\n{\"step\":3,\"loss_n");
    scratch_text("score/results.json",
                 "{\"results\": {\"mint_gsm8k\": {\"success,none\": 0.5, \"success_ci95,none\": [0.3, 0.7], "
                 "\"success@1,none\": 0, \"success@1_ci95,none\": [0.1, 0.3], \"success@2,none\": 0.5, "
                 "\"sample_len\": 2}}, \"metrics\": {\"mint_gsm8k\": \"success\", \"mmlu\": \"acc\"}, "
                 "\"curves\": {\"mint_gsm8k\": "
                 "{\"success\": [0, 0.5]}}, \"errors\": {\"mint_gsm8k\": {\"budget\": 7}, \"mmlu\": "
                 "{\"unreadable\": 3}}, \"config\": "
                 "{\"model\": {\"name\": \"small\"}}}");
    scratch_text(
        "score/samples_mint_gsm8k.jsonl",
        "{\"id\": \"1\", \"metrics\": {\"success\": 1}, \"doc\": {\"question\": \"How many?\"}}\n"
        "{\"id\": \"2\", \"metrics\": {\"success\": 0}, \"doc\": {\"question\": \"How many then?\"}}\n");
    scratch_text(
        "score/transcripts_mint_gsm8k.jsonl",
        "{\"task\": \"1\", \"success\": true, \"end\": \"task_success\", \"messages\": [{\"role\": \"user\", "
        "\"content\": \"<b>How many?</b>\"}], \"steps\": [{}, {}]}\n{\"task\": \"2\", \"success\": false, "
        "\"end\": \"max_steps\", \"messages\": []}\n{cut");
    scratch_text("run/lock.json",
                 "{\"lock\": 1, \"machine\": {\"program\": \"lemur\"}, \"stages\": {\"scores\": {\"folder\": "
                 "\"none\", \"words\": [\"eval\"], \"key\": \"0123456789\"}}}");
}

static void expect(const Str *page, const char *text)
{
    if (!strstr(str_c(page), text))
        fail_msg("the page has no %s", text);
}

static void a_page_tells_all(void **state)
{
    (void)state;
    Report r = {0};
    Str page = {0};
    write_folders();
    static const char *const folders[] = {"crawl", "packed", "base", "score"};
    for (size_t i = 0; i < 4; i++)
        must(report_add(&r, in_scratch(folders[i])));
    report_write(&page, &r);
    static const char *const has[] = {"py&lt;thon",   "<td class=\"r\">3</td>",
                                      "20 : 2 rows",  "10.00 : 1",
                                      "90.9 %",       "5.00 M",
                                      "1.250",        "1.125",
                                      "<b>50.0</b>",  "30.0 to 70.0",
                                      "58.3",         "93.8",
                                      "unreadable 3", "&lt;b&gt;How many?",
                                      "not solved",   "small",
                                      "<td class=\"r\">0</td><td class=\"r\">3</td>"}; /* unusable, dropped */
    for (size_t i = 0; i < sizeof has / sizeof *has; i++)
        expect(&page, has[i]);
    assert_null(strstr(str_c(&page), "http://www.google"));
    assert_null(strstr(str_c(&page), "src="));     /* nothing from outside */
    assert_null(strstr(str_c(&page), "budget 7")); /* episodes are told of by their classes */
    expect(&page, "<a href=\"#episode-3-mint_gsm8k-0\">50</a>");
    expect(&page, "<a id=\"episode-3-mint_gsm8k-0\">");
    expect(&page, "<a href=\"#errors\">Why episodes failed</a>");
    if (!r.no_plots)
        expect(&page, "<svg");
    str_drop(&page);
    report_drop(&r);
}

/* A family is hard while all runs solve less than a tenth of it; the best of them is told. */
static void what_stays_hard_is_said(void **state)
{
    (void)state;
    static const char *const scores[][2] = {{"before", "0"}, {"after", "0.03"}, {"later", "0.1"}};
    for (size_t n = 0; n < 3; n++) {
        Report r = {0};
        Str page = {0};
        for (size_t i = 0; i <= n; i++) {
            char *file = mem_format("%s/results.json", scores[i][0]);
            char *text = mem_format("{\"results\": {\"alfworld\": {\"success,none\": %s, \"success_ci95,none\": "
                                    "[0, 0.11], \"sample_len\": 100}}, \"metrics\": {\"alfworld\": \"success\"}, "
                                    "\"config\": {\"model\": {\"name\": \"small\"}}}",
                                    scores[i][1]);
            scratch_text(file, text);
            mem_free(text);
            mem_free(file);
            must(report_add(&r, in_scratch(scores[i][0])));
        }
        report_write(&page, &r);
        const char *hard = strstr(str_c(&page), "Hard for every model");
        assert_int_equal(hard != NULL, n < 2);
        if (n == 1)
            expect(&page, "(at best 3.0 %; 95 % interval 0.0 to 11.0)");
        str_drop(&page);
        report_drop(&r);
    }
}

/* No document held out is no loss of 0. */
static void what_was_not_measured_is_left_out(void **state)
{
    (void)state;
    Report r = {0};
    Str page = {0};
    scratch_text("unheld/results.json", "{\"status\": \"done\", \"steps\": 3}");
    scratch_text("unheld/log.jsonl", "");
    must(report_add(&r, in_scratch("unheld")));
    report_write(&page, &r);
    expect(&page, ">unheld<");
    assert_null(strstr(str_c(&page), "0.000"));
    assert_null(strstr(str_c(&page), "Held-out documents"));
    assert_false(r.no_plots); /* a training without a step has no curve */
    str_drop(&page);
    report_drop(&r);
}

static void without_gnuplot_there_is_a_page(void **state)
{
    (void)state;
    Report r = {0};
    Str page = {0};
    char *path = mem_str(getenv("PATH"));
    setenv("PATH", in_scratch("nowhere"), 1);
    log_level_set(LOG_ERROR);
    must(report_add(&r, in_scratch("base")));
    must(report_add(&r, in_scratch("score")));
    report_write(&page, &r);
    setenv("PATH", path, 1);
    expect(&page, "Plots are missing here: there is no gnuplot");
    expect(&page, "<b>50.0</b>");
    assert_null(strstr(str_c(&page), "<svg"));
    str_drop(&page);
    report_drop(&r);
    mem_free(path);
}

/* Runs. -------------------------------------------------------------------------------------------------- */

/* A run of `lemur eval` on tasks with such questions, of which those marked '1' were solved. */
static void write_eval(const char *name, const char *model, const char *question, const char *solved,
                       bool feedback)
{
    Str samples = {0}, transcripts = {0}, head = {0}, results = {0};
    double n = (double)strlen(solved), hits = 0;
    for (int i = 0; solved[i]; i++) {
        bool hit = solved[i] == '1';
        hits += hit;
        str_addf(&samples,
                 "{\"doc_id\": %d, \"id\": \"%d\", \"doc\": {\"prompt\": \"%s %d\"}, \"target\": \"7\", "
                 "\"metrics\": "
                 "{\"success\": %d}, \"resps\": [\"I say %d\"]}\n",
                 i, i, question, i, hit, i);
        str_addf(
            &transcripts,
            "{\"transcript\": 1, \"task\": \"%d\", \"success\": %s, \"end\": \"max_steps\", \"steps\": [{}], "
            "\"messages\": [{\"role\": \"user\", \"content\": \"%s %d\"}, {\"role\": \"assistant\", "
            "\"content\": "
            "\"I say %d\"}]}\n",
            i, hit ? "true" : "false", question, i, i);
    }
    str_addf(&head,
             "{\"format\": \"lemur eval\", \"format_version\": 1, \"model\": {\"kind\": \"local\", \"name\": "
             "\"%s\", "
             "\"hash\": \"%s\"}, %s\"settings\": {\"seed\": 0, \"feedback\": \"text\"}, \"benchmarks\": "
             "{\"tasks\": "
             "{\"data_sha256\": \"%s\"}}}",
             model, model, feedback ? "\"feedback_model\": {\"kind\": \"hints\"}, " : "", question);
    str_addf(&results,
             "{\"results\": {\"tasks\": {\"alias\": \"zoos\", \"success,none\": %g, \"success_ci95,none\": [0.1, 0.9], "
             "\"sample_len\": %g}}, "
             "\"metrics\": {\"tasks\": \"success\"}, \"config\": %s}",
             hits / n, n, str_c(&head));
    const struct {
        const char *file;
        const Str *text;
    } files[] = {{"run.json", &head},
                 {"results.json", &results},
                 {"samples_tasks.jsonl", &samples},
                 {"transcripts_tasks.jsonl", &transcripts}};
    for (size_t i = 0; i < 4; i++) {
        char *path = path_join(name, files[i].file);
        scratch_write(path, files[i].text->at, files[i].text->n);
        mem_free(path);
    }
    str_drop(&samples);
    str_drop(&transcripts);
    str_drop(&head);
    str_drop(&results);
}

static const char test_question[] =
    "How many keepers of lions and of bears does the zoo by the river have in year";
static const char lesson[] = "Which of all the rooms of the house by the sea has a lamp and a bed and window";

/* A corpus, a tuning on a lesson, tests of two models, and of one with feedback: without the lesson's
 * questions. */
static void add_all(Report *r)
{
    static const char *const folders[] = {"corpus", "tuned=tuning", "taught", "base=eval1", "eval2", "eval3"};
    write_eval("taught", "old", lesson, "11110000", false);
    write_eval("eval1", "old", test_question, "11000000", false);
    write_eval("eval2", "new", test_question, "11111111", false);
    write_eval("eval3", "old", test_question, "11111111", true);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *equals = strchr(folders[i], '=');
        char *what =
            equals ? mem_format("%.*s%s", (int)(equals - folders[i]) + 1, folders[i], in_scratch(equals + 1))
                   : mem_str(in_scratch(folders[i]));
        must(report_add(r, what));
        mem_free(what);
    }
}

static void prepare_tuning(void)
{
    Fixture f;
    write_eval("taught", "old", lesson, "11110000", false);
    fixture_open(&f, "{held_out: 0, context: 300, sources: [{name: episodes, kind: code, path: "
                     "$/taught/transcripts_*.jsonl}]}");
    json_decref(fixture_prepare(&f, "tuning/data", NULL));
    fixture_close(&f);
    scratch_text("tuning/log.jsonl", "");
    scratch_text("tuning/results.json", "{\"status\": \"done\", \"steps\": 3}");
}

static void checks_and_gains_stand_there(void **state)
{
    (void)state;
    Report r = {0};
    Str page = {0};
    prepare_tuning();
    add_all(&r);
    report_write(&page, &r);
    assert_int_equal(r.wrong, 0);
    must(report_add(&r, in_scratch("eval1"))); /* a name twice is told apart */
    char *again = mem_format("base=%s", in_scratch("eval2"));
    must(report_add(&r, again));
    assert_string_equal(r.parts.at[r.parts.n - 1].name, "base 2");
    mem_free(again);
    static const char *const has[] = {
        "8 transcripts",
        "<span class=\"good\">equal</span>", /* computed once more */
        "zoos (base)",
        "<b class=\"good\">0</b>", /* tasks looked for */
        "of episodes (code)",
        "<mark>I say ",                                                             /* what is learned */
        "<span class=\"small good\">+75.0 against old, p&nbsp;=&nbsp;0.031</span>", /* models */
        "What language feedback gains",
        "<b>+75.0</b>",
        "xz -9",
        "zstd -19"};
    for (size_t i = 0; i < sizeof has / sizeof *has; i++)
        expect(&page, has[i]);
    assert_null(strstr(str_c(&page), "tasks (taught)")); /* a lesson is no test */
    assert_int_equal(json_array_size(json_object_get(r.summary, "scores")), 4);
    assert_int_equal(json_array_size(json_object_get(r.summary, "rechecked")), 4);
    assert_int_equal(json_array_size(json_object_get(r.summary, "feedback")), 1);
    json_t *overlap = json_array_get(json_object_get(r.summary, "overlap"), 0);
    assert_in_range(json_integer_value(json_object_get(overlap, "texts")), 60 + 8,
                    120); /* the corpus, less what is held out, and 8 lessons */
    report_drop(&r);
    str_drop(&page);
}

static void a_leak_is_told(void **state)
{
    (void)state;
    Report r = {0};
    Str page = {0};
    prepare_tuning();
    add_all(&r);
    write_eval("eval4", "new", lesson, "11111111", false); /* asked what was taught */
    must(report_add(&r, in_scratch("eval4")));
    report_write(&page, &r);
    assert_int_equal(r.wrong, 1);
    expect(&page, "<b class=\"bad\">8</b>");
    expect(&page, "stands in");
    report_drop(&r);
    str_clear(&page);
    r = (Report){0};
    must(report_add(&r, in_scratch("eval1")));
    scratch_run("sed -i 's/success\": true/success\": false/' eval1/transcripts_tasks.jsonl");
    report_write(&page, &r);
    assert_int_equal(r.wrong, 1);
    expect(&page, "success is 0.2500 in results.json and 0.0000 by its transcripts");
    report_drop(&r);
    str_drop(&page);
}

static void stages_without_their_run_are_told(void **state)
{
    (void)state;
    Report r = {0};
    Str page = {0};
    char *command = mem_format(
        "{\"key\": \"0123456789abcdef\", \"seconds\": 3, \"command\": [\"lemur\", \"eval\", \"-o\", "
        "\"%s/store/eval-0123456789abcdef/out\"]}",
        scratch);
    write_eval("store/eval-0123456789abcdef/out", "m", test_question, "10", false);
    scratch_text("store/eval-0123456789abcdef/stage.json", command);
    must(report_add(&r, in_scratch("store/eval-0123456789abcdef/out")));
    report_write(&page, &r);
    expect(&page, "<code>eval -o {eval-01234567}</code>");
    expect(&page, "<code>01234567</code>");
    expect(&page, "3.0 s");
    report_drop(&r);
    r = (Report){0};
    scratch_run("mkdir mini && ln -s $PWD/store/eval-0123456789abcdef/out mini/scores.words");
    must(report_add(&r, in_scratch("store/eval-0123456789abcdef/out")));
    assert_string_equal(r.parts.at[0].name, "scores.words"); /* as the run beside the store calls it */
    report_drop(&r);
    r = (Report){0};
    must(report_add(&r, in_scratch("mini"))); /* it has not come to its end: no lock.json */
    assert_int_equal(r.parts.n, 1);
    assert_string_equal(r.parts.at[0].name, "scores.words");
    assert_non_null(json_object_get(json_object_get(r.stages, "stages"), "scores.words"));
    report_drop(&r);
    str_drop(&page);
    mem_free(command);
}

/* A stage of a recipe: a training, and its model, whose files are named by `hash`. */
static void write_training(const char *name, const char *stage)
{
    char *out = mem_format("store/%s/out", stage), *log = mem_format("%s/log.jsonl", out),
         *results = mem_format("%s/results.json", out), *done = mem_format("store/%s/stage.json", stage),
         *model = mem_format("%s/model/config.json", out),
         *link = mem_format("mkdir -p trio && ln -s $PWD/%s trio/%s", out, name);
    char *const files[] = {log, results, done, model};
    static const char *const texts[] = {"", "{\"status\": \"done\", \"steps\": 3}", "{\"command\": []}",
                                        "{}"};
    for (size_t i = 0; i < 4; i++)
        scratch_text(files[i], texts[i]);
    scratch_run(link);
    char *const all[] = {out, log, results, done, model, link};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        mem_free(all[i]);
}

/* Scores of the model of a stage, with the settings that decide which tasks are asked. */
static void write_scores(const char *name, const char *stage, const char *solved, const char *settings,
                         bool feedback)
{
    char *edit = mem_format("sed -i 's|\"name\": \"%s\"|\"name\": \"model\", \"model\": "
                            "\"%s/store/%s/out/model\"|; s|\"seed\": 0|\"seed\": 0, %s|' %s/*.json",
                            stage, scratch, stage, settings, name);
    write_eval(name, stage, test_question, solved, feedback);
    scratch_run(edit);
    mem_free(edit);
}

static const char *const trio[] = {"store/train-00000000000000aa/out",
                                   "store/tune-00000000000000bb/out",
                                   "store/tune-00000000000000cc/out",
                                   "t-agent",
                                   "t-agent-hinted",
                                   "t-base",
                                   "t-chat",
                                   "t-fold"};

static void write_trio(void)
{
    write_training("base", "train-00000000000000aa");
    write_training("chat", "tune-00000000000000bb");
    write_training("agent", "tune-00000000000000cc");
    write_scores("t-base", "train-00000000000000aa", "000000", "\"limit\": 6", false);
    write_scores("t-chat", "tune-00000000000000bb", "100000", "\"limit\": 6", false);
    write_scores("t-agent", "tune-00000000000000cc", "11111111", "\"limit\": 0", false);
    write_scores("t-agent-hinted", "tune-00000000000000cc", "00001111", "\"limit\": 0", true);
    write_scores("t-fold", "tune-00000000000000cc", "00000000", "\"fold\": \"2/2\"", false);
}

/* Stages' models, all in a folder "model", in one matrix: tasks that both were asked are compared. */
static void stages_stand_in_one_matrix(void **state)
{
    (void)state;
    Report r = {.no_plots = true};
    Str page = {0};
    write_trio();
    for (size_t i = 0; i < sizeof trio / sizeof *trio; i++)
        must(report_add(&r, in_scratch(trio[i])));
    report_write(&page, &r);
    static const char *const has[] = {
        "Lemur: trio, t-agent",
        "<th class=\"w\">tasks</th><th class=\"w\">base</th><th class=\"w\">chat</th>"
        "<th class=\"w\">agent</th>",
        "<b>100.0</b> <span class=\"small\">10.0 to 90.0, n 8</span><br><span class=\"small good\">+100.0 "
        "against base "
        "(n 6), p&nbsp;=&nbsp;0.031</span><br><span class=\"small\">+83.3 against chat (n 6), "
        "p&nbsp;=&nbsp;0.062</span>",
        "<td class=\"w\">zoos, with hints</td>",
        "<td class=\"w\">zoos (t-fold)</td>",
        "<td class=\"w\">zoos</td><td>base</td><td class=\"r\">6</td>"};
    for (size_t i = 0; i < sizeof has / sizeof *has; i++)
        expect(&page, has[i]);
    const json_t *models = json_object_get(r.summary, "models"), *agent = json_array_get(models, 2);
    assert_int_equal(json_array_size(models), 5);
    assert_string_equal(json_string_value(json_object_get(agent, "model")), "agent");
    assert_int_equal(json_array_size(json_object_get(agent, "against")), 2);
    report_drop(&r);
    str_drop(&page);
}

static void what_is_no_run_is_refused(void **state)
{
    (void)state;
    Report r = {0};
    assert_int_equal(report_add(&r, in_scratch("absent")), ST_IO);
    scratch_text("other/x", "");
    assert_int_equal(report_add(&r, in_scratch("other")), ST_ARG);
    expect_words("nothing that a report tells of");
    assert_int_equal(report_add(&r, in_scratch("run")), ST_IO); /* its stages are gone */
    expect_words("names folders that are not there, such as none");
    scratch_text("broken/manifest.json", "{");
    assert_int_equal(report_add(&r, in_scratch("broken")), ST_ARG);
    report_drop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_cannot_become_html),
        cmocka_unit_test(a_page_tells_all),
        cmocka_unit_test(what_stays_hard_is_said),
        cmocka_unit_test(what_was_not_measured_is_left_out),
        cmocka_unit_test(without_gnuplot_there_is_a_page),
        cmocka_unit_test(checks_and_gains_stand_there),
        cmocka_unit_test(a_leak_is_told),
        cmocka_unit_test(stages_without_their_run_are_told),
        cmocka_unit_test(stages_stand_in_one_matrix),
        cmocka_unit_test(what_is_no_run_is_refused),
    };
    return cmocka_run_group_tests(tests, small_corpus, scratch_remove);
}
