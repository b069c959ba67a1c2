#include "eval/runner.h"

#include "base/http_server_test.h"
#include "base/json_file.h"
#include "base/scratch_test.h"
#include "eval/eval_folder.h"

/* base/status.h's, not cmocka's */
#undef fail

/* A benchmark whose questions are numbers; even ones are solved.  What fails, and when, is set by a test. */
static struct {
    Status fails;
    int64_t from, until; /* calls that fail, counted from 0 */
    int64_t calls, questions, stop_at, twice; /* twice: a question with the id of the first */
    ChatModel *chat; /* NULL: nobody is asked */
} set;

static Status numbers_open(const EvalRun *run, Questions *out, void **state)
{
    (void)run, (void)state;
    char id[32];
    for (int64_t i = 0; i < set.questions; i++) {
        json_t *doc = json_pack("{s:I}", "n", (json_int_t)i);
        snprintf(id, sizeof id, "q%lld", (long long)(i == set.twice ? 0 : i));
        questions_add(out, id, i % 3 ? "rest" : "thirds", doc);
        json_decref(doc);
    }
    return ST_OK;
}

static Status numbers_ask(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    (void)state;
    int64_t call = __atomic_fetch_add(&set.calls, 1, __ATOMIC_SEQ_CST);
    int64_t n = json_integer_value(json_object_get(q->doc, "n"));
    if (set.fails != ST_OK && call >= set.from && call < set.until)
        return fail(set.fails, "call %lld fails", (long long)call);
    out->target = json_integer(n % 2);
    if (set.chat) {
        Str text = {0};
        Status st = ask_text(run, out, span(q->id), &(AskText){0}, &text);
        str_drop(&text);
        if (st != ST_OK)
            return st;
    } else {
        json_array_append_new(out->prompts, json_string(q->id));
        json_array_append_new(out->answers, json_stringn("ev\0en", 5)); /* a model may write a NUL */
    }
    sample_metric(out, "acc", n % 2 == 0 && out->kind == SAMPLE_FINE);
    out->transcript = json_pack("{s:i, s:s}", "transcript", 1, "task", q->id);
    return ST_OK;
}

static const Benchmark numbers = {.name = "numbers", .groups = "all_numbers", .about = "", .source = "",
                                  .metric = "acc", .version = 1, .open = numbers_open, .ask = numbers_ask};
static const Benchmark *const chosen[] = {&numbers};


static char *folder;

static bool stop_now(void *context)
{
    (void)context;
    return set.stop_at && __atomic_load_n(&set.calls, __ATOMIC_SEQ_CST) >= set.stop_at;
}

static Fold fold; /* of run_as; put back by `begin` */
static uint64_t draw_seed;

static Status run_as(RunnerReport *report, const char *model, int parallel, int64_t limit, bool restart)
{
    EvalSettings settings = eval_settings();
    json_t *identity = json_pack("{s:{s:s}}", "model", "name", model);
    RunnerSpec spec = {.folder = folder,
                       .chosen = chosen,
                       .chosen_n = 1,
                       .run = {.settings = &settings, .models.chat = set.chat, .stopped = stop_now},
                       .fold = fold,
                       .limit = limit,
                       .draw_seed = draw_seed,
                       .parallel = parallel,
                       .restart = restart,
                       .identity = identity};
    *report = (RunnerReport){0};
    Status st = runner_run(report, &spec);
    json_decref(identity);
    return st;
}

static int begin(void **state)
{
    (void)state;
    memset(&set, 0, sizeof set);
    set.questions = 40;
    fold = (Fold){0};
    draw_seed = 0;
    folder = scratch_path("run");
    return folder_remove(folder) == ST_OK ? 0 : 1;
}

static int end(void **state)
{
    (void)state;
    mem_free(folder);
    return 0;
}

static json_t *lines(const char *name)
{
    json_t *all;
    char *path = path_join(folder, name);
    assert_int_equal(line_file_read(&all, path), ST_OK);
    mem_free(path);
    return all;
}

/* Each question once, and each episode. */
static void expect_whole(size_t n)
{
    json_t *samples = lines("samples_numbers.jsonl"), *transcripts = lines("transcripts_numbers.jsonl"), *line;
    json_t *seen = json_object();
    size_t i;
    assert_int_equal(json_array_size(samples), n);
    assert_int_equal(json_array_size(transcripts), n);
    json_array_foreach(samples, i, line)
        json_object_set_new(seen, json_string_value(json_object_get(line, "id")), json_true());
    assert_int_equal(json_object_size(seen), n);
    json_decref(seen);
    json_decref(samples);
    json_decref(transcripts);
}

static double result_of(const char *key)
{
    json_t *results;
    char *path = path_join(folder, "results.json");
    assert_int_equal(json_file_read(&results, path), ST_OK);
    mem_free(path);
    double value = json_number_value(
        json_object_get(json_object_get(json_object_get(results, "results"), "numbers"), key));
    json_decref(results);
    return value;
}

static void runs_to_the_end(void **state)
{
    (void)state;
    RunnerReport r;
    assert_int_equal(run_as(&r, "a", 8, 0, false), ST_OK);
    assert_int_equal(r.asked, 40);
    assert_int_equal(r.answered, 40);
    expect_whole(40);
    assert_true(result_of("acc,none") == 0.5);
    /* once more: nothing is asked again */
    assert_int_equal(run_as(&r, "a", 3, 0, false), ST_OK);
    assert_int_equal(r.before, 40);
    assert_int_equal(set.calls, 40);
}

static void earlier_sittings_count(void **state)
{
    (void)state;
    RunnerReport r;
    assert_int_equal(run_as(&r, "a", 8, 0, false), ST_OK);
    char *command =
        mem_format("sed -i 's/\"seconds\":[^,}]*/\"seconds\":30/' %s/samples_numbers.jsonl", folder);
    scratch_run(command);
    mem_free(command);
    assert_int_equal(run_as(&r, "a", 3, 0, false), ST_OK);
    assert_true(r.seconds >= 400 && r.seconds < 500);
}

static void goes_on_where_it_stopped(void **state)
{
    (void)state;
    RunnerReport r;
    set.stop_at = 11;
    assert_int_equal(run_as(&r, "a", 1, 0, false), ST_CANCELLED);
    assert_non_null(strstr(error_text(), "goes on"));
    assert_int_equal(r.answered, 11);
    assert_false(folder_holds(folder, "results.json"));
    set.stop_at = 0;
    assert_int_equal(run_as(&r, "a", 4, 0, false), ST_OK);
    assert_int_equal(r.before, 11);
    assert_int_equal(set.calls, 40);
    expect_whole(40);
}

static void append_text(const char *name, const char *text)
{
    char *path = path_join(folder, name);
    FILE *f = fopen(path, "a");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    mem_free(path);
}

/* As a kill leaves them: half a sample, and an episode whose sample was not written. */
static void half_lines_are_cut_off(void **state)
{
    (void)state;
    RunnerReport r;
    set.stop_at = 5;
    assert_int_equal(run_as(&r, "a", 1, 0, false), ST_CANCELLED);
    append_text("transcripts_numbers.jsonl", "{\"transcript\":1,\"task\":\"q5\"}\n{\"trans");
    append_text("samples_numbers.jsonl", "{\"doc_id\":5,\"id\":\"q5\",\"acc");
    set.stop_at = 0;
    assert_int_equal(run_as(&r, "a", 2, 0, false), ST_OK);
    expect_whole(40);
    assert_int_equal(set.calls, 40);
}

static void a_broken_line_in_the_middle_is_named(void **state)
{
    (void)state;
    RunnerReport r;
    set.stop_at = 2;
    assert_int_equal(run_as(&r, "a", 1, 0, false), ST_CANCELLED);
    append_text("samples_numbers.jsonl", "nonsense\n{\"doc_id\":9,\"id\":\"q9\",\"acc\":1}\n");
    set.stop_at = 0;
    assert_int_equal(run_as(&r, "a", 1, 0, false), ST_FORMAT);
    assert_non_null(strstr(error_text(), "line 3"));
}

static void another_run_is_refused(void **state)
{
    (void)state;
    RunnerReport r;
    assert_int_equal(run_as(&r, "a", 2, 0, false), ST_OK);
    assert_int_equal(run_as(&r, "b", 2, 0, false), ST_ARG);
    assert_non_null(strstr(error_text(), "model.name was \"a\" and is now \"b\""));
    set.questions = 41; /* other data */
    assert_int_equal(run_as(&r, "a", 2, 0, false), ST_ARG);
    set.questions = 40;
    assert_int_equal(run_as(&r, "b", 2, 0, true), ST_OK);
    assert_int_equal(set.calls, 80);
    expect_whole(40);
}

static void a_folder_of_something_else_stays(void **state)
{
    (void)state;
    RunnerReport r;
    assert_int_equal(folder_make(folder), ST_OK);
    append_text("letter.txt", "dear");
    assert_int_equal(run_as(&r, "a", 2, 0, false), ST_ARG);
    assert_int_equal(run_as(&r, "a", 2, 0, true), ST_ARG);
    assert_true(folder_holds(folder, "letter.txt"));
    char *whole = folder;
    folder = path_join(whole, "letter.txt");
    assert_int_equal(run_as(&r, "a", 2, 0, false), ST_ARG);
    assert_non_null(strstr(error_text(), "is a file"));
    mem_free(folder);
    folder = whole;
}

static void a_folder_where_another_works_is_refused(void **state)
{
    (void)state;
    RunnerReport r;
    int fd;
    set.stop_at = 5;
    assert_int_equal(run_as(&r, "a", 1, 0, false), ST_CANCELLED);
    set.stop_at = 0;
    char *path = path_join(folder, ".lock");
    assert_int_equal(file_lock(&fd, path), ST_OK); /* as a second process has it */
    for (int restart = 0; restart < 2; restart++) {
        assert_int_equal(run_as(&r, "a", 1, 0, restart), ST_ARG);
        assert_non_null(strstr(error_text(), "another process works in"));
    }
    json_t *kept = lines("samples_numbers.jsonl");
    assert_int_equal(json_array_size(kept), 5);
    json_decref(kept);
    close(fd);
    assert_int_equal(run_as(&r, "a", 1, 0, false), ST_OK);
    assert_int_equal(r.before, 5);
    expect_whole(40);
    /* what alone is left of a run that could not begin is no run's, and nobody else's */
    assert_int_equal(folder_remove(folder), ST_OK);
    assert_int_equal(folder_make(folder), ST_OK);
    assert_int_equal(file_replace(path, "", 0), ST_OK);
    assert_int_equal(run_as(&r, "a", 1, 0, false), ST_OK);
    mem_free(path);
}

static void an_id_is_one_questions(void **state)
{
    (void)state;
    RunnerReport r;
    set.twice = 7;
    assert_int_equal(run_as(&r, "a", 2, 0, false), ST_FORMAT);
    assert_non_null(strstr(error_text(), "two questions have the id \"q0\""));
    assert_false(path_exists(folder));
}

/* A server that is away for a moment costs nothing; one that stays away ends the run, which can go on. */
static void passing_failures_are_asked_again(void **state)
{
    (void)state;
    RunnerReport r;
    set.fails = ST_PEER, set.from = 3, set.until = 5;
    assert_int_equal(run_as(&r, "a", 2, 0, false), ST_OK);
    expect_whole(40);
    assert_int_equal(set.calls, 42);
    assert_int_equal(folder_remove(folder), ST_OK);
    set.calls = 0, set.until = 1000;
    assert_int_equal(run_as(&r, "a", 2, 0, false), ST_PEER);
    assert_true(set.calls < 15);
    assert_int_equal(r.answered, 3);
    set.fails = ST_OK;
    assert_int_equal(run_as(&r, "a", 2, 0, false), ST_OK);
    expect_whole(40);
}

static void a_refused_key_ends_it_at_once(void **state)
{
    (void)state;
    RunnerReport r;
    set.fails = ST_ARG, set.from = 2, set.until = 1000;
    assert_int_equal(run_as(&r, "a", 1, 0, false), ST_ARG);
    assert_int_equal(set.calls, 3);
    assert_non_null(strstr(error_text(), "call 2 fails"));
}

#define TAKEN "{\"choices\": [{\"message\": {\"content\": \"4\"}, \"finish_reason\": \"stop\"}]}"
#define FILTERED "{\"error\": {\"message\": \"content management policy\", \"code\": \"content_filter\"}}"

/* A server that takes what `taken` has a mark for, request by request, and refuses the others. */
static void ask_server(TestServer *server, const char *taken, const char *status)
{
    server_start(server);
    for (const char *c = taken; *c; c++)
        server_answers(server, *c == '+' ? "200 OK" : status, "", *c == '+' ? TAKEN : FILTERED);
    ChatRemoteSetup setup = {.base_url = server->url, .model = "tiny", .retries = -1};
    assert_int_equal(chatmodel_remote_open(&set.chat, &setup), ST_OK);
}

static void leave_server(TestServer *server)
{
    chatmodel_close(set.chat);
    set.chat = NULL;
    server_stop(server);
}

/* The others are asked; what is refused twice is kept, with the server's words, and scores 0. */
static void a_refused_question_stops_no_other(void **state)
{
    (void)state;
    static const char *const statuses[] = {"400 No", "413 No", "422 No"};
    for (size_t i = 0; i < 3; i++) {
        RunnerReport r;
        TestServer server;
        ask_server(&server, "-+++-", statuses[i]);
        set.questions = 4;
        assert_int_equal(run_as(&r, "a", 1, 0, true), ST_OK);
        assert_int_equal(server.requests, 5);
        assert_int_equal(r.answered, 4);
        assert_true(result_of("acc,none") == 0.25); /* q2; q0 would be right, too */
        json_t *samples = lines("samples_numbers.jsonl");
        const json_t *first = json_array_get(samples, 0);
        assert_string_equal(json_string_value(json_object_get(first, "id")), "q0");
        assert_string_equal(json_string_value(json_object_get(first, "kind")), "refused");
        assert_non_null(strstr(json_string_value(json_object_get(json_object_get(first, "more"), "refused")),
                               "content management policy"));
        json_decref(samples);
        assert_int_equal(run_as(&r, "a", 1, 0, false), ST_OK); /* it is whole */
        assert_int_equal(server.requests, 5);
        leave_server(&server);
    }
}

/* A server that refuses whatever it is asked, or the key, scores nobody. */
static void a_server_that_takes_nothing_ends_it(void **state)
{
    (void)state;
    RunnerReport r;
    TestServer server;
    ask_server(&server, "-", "400 No");
    set.questions = 3;
    assert_int_equal(run_as(&r, "a", 1, 0, false), ST_ARG);
    assert_non_null(strstr(error_text(), "of 3 questions the server has taken none"));
    assert_non_null(strstr(error_text(), "content management policy"));
    assert_false(folder_holds(folder, "results.json"));
    set.questions = 40;
    int before = server.requests;
    assert_int_equal(run_as(&r, "a", 1, 0, true), ST_ARG);
    assert_int_equal(server.requests - before, 20);
    leave_server(&server);
    ask_server(&server, "-", "401 No");
    assert_int_equal(run_as(&r, "a", 1, 0, true), ST_ARG);
    assert_int_equal(server.requests, 1);
    leave_server(&server);
}

static void a_limit_draws_the_same_questions(void **state)
{
    (void)state;
    RunnerReport r;
    assert_int_equal(run_as(&r, "a", 2, 7, false), ST_OK);
    assert_int_equal(r.asked, 7);
    json_t *first = lines("samples_numbers.jsonl");
    assert_int_equal(run_as(&r, "a", 2, 7, false), ST_OK);
    assert_int_equal(set.calls, 7);
    json_decref(first);
}

/* The sum of doc_ids that were asked, as a mark of which they were. */
static int64_t asked_sum(int64_t limit, int64_t n)
{
    RunnerReport r;
    int64_t sum = 0;
    assert_int_equal(run_as(&r, "a", 2, limit, true), ST_OK);
    assert_int_equal(r.asked, n);
    json_t *all = lines("samples_numbers.jsonl");
    for (size_t i = 0; i < json_array_size(all); i++)
        sum += json_integer_value(json_object_get(json_array_get(all, i), "doc_id"));
    json_decref(all);
    return sum;
}

static void parts_and_draws_choose(void **state)
{
    (void)state;
    RunnerReport r;
    fold = (Fold){1, 1, 4};
    int64_t first = asked_sum(0, 10);
    fold = (Fold){2, 4, 4};
    assert_int_equal(first + asked_sum(0, 30), 39 * 40 / 2);
    int64_t drawn = asked_sum(5, 5);
    draw_seed = 3;
    assert_int_not_equal(asked_sum(5, 5), drawn);
    set.questions = 2;
    fold = (Fold){2, 2, 4};
    draw_seed = 0;
    assert_int_equal(run_as(&r, "a", 1, 0, true), ST_OK);
    fold = (Fold){1, 1, 4};
    assert_int_equal(run_as(&r, "a", 1, 0, true), ST_FORMAT);
    assert_non_null(strstr(error_text(), "no questions in that part"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_to_the_end, begin, end),
        cmocka_unit_test_setup_teardown(earlier_sittings_count, begin, end),
        cmocka_unit_test_setup_teardown(goes_on_where_it_stopped, begin, end),
        cmocka_unit_test_setup_teardown(half_lines_are_cut_off, begin, end),
        cmocka_unit_test_setup_teardown(a_broken_line_in_the_middle_is_named, begin, end),
        cmocka_unit_test_setup_teardown(another_run_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_folder_of_something_else_stays, begin, end),
        cmocka_unit_test_setup_teardown(a_folder_where_another_works_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(an_id_is_one_questions, begin, end),
        cmocka_unit_test_setup_teardown(passing_failures_are_asked_again, begin, end),
        cmocka_unit_test_setup_teardown(a_refused_key_ends_it_at_once, begin, end),
        cmocka_unit_test_setup_teardown(a_refused_question_stops_no_other, begin, end),
        cmocka_unit_test_setup_teardown(a_server_that_takes_nothing_ends_it, begin, end),
        cmocka_unit_test_setup_teardown(a_limit_draws_the_same_questions, begin, end),
        cmocka_unit_test_setup_teardown(parts_and_draws_choose, begin, end),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
