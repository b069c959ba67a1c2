#include "train/runlog.h"

#include <jansson.h>
#include <math.h>

#include "base/scratch_test.h"

static char *path;

static int set_up(void **state)
{
    int made = scratch_make(state);
    path = scratch_path("log.jsonl");
    return made;
}

static int tear_down(void **state)
{
    mem_free(path);
    return scratch_remove(state);
}

static char *contents(void)
{
    static Str all;
    str_clear(&all);
    assert_int_equal(file_read(&all, path, 0), ST_OK);
    return all.at;
}

static void write_steps(RunLog *l, int64_t first, int64_t last)
{
    for (int64_t step = first; step <= last; step++) {
        runlog_begin(l, step);
        runlog_real(l, "loss_nats", 1.0 / (double)step);
        assert_int_equal(runlog_end(l), ST_OK);
    }
}

static void records_are_json(void **state)
{
    (void)state;
    RunLog l;
    assert_int_equal(runlog_open(&l, path, -1), ST_OK);
    runlog_begin(&l, 7);
    runlog_int(&l, "tokens", 4096);
    runlog_real(&l, "loss_nats", NAN);
    runlog_push(&l, "sources");
    runlog_push(&l, "a \"b\"\n\xff");
    runlog_real(&l, "bits_per_byte", 1.25);
    runlog_pop(&l);
    runlog_pop(&l);
    runlog_text(&l, "event", "eval\\");
    assert_int_equal(runlog_end(&l), ST_OK);
    json_t *j = json_loads(contents(), 0, NULL);
    assert_non_null(j);
    assert_int_equal(json_integer_value(json_object_get(j, "step")), 7);
    assert_true(json_is_null(json_object_get(j, "loss_nats")));
    json_t *source = json_object_get(json_object_get(j, "sources"), "a \"b\"\n\xEF\xBF\xBD");
    assert_true(json_real_value(json_object_get(source, "bits_per_byte")) == 1.25);
    assert_string_equal(json_string_value(json_object_get(j, "event")), "eval\\");
    json_decref(j);
    int64_t before = mem_allocations();
    write_steps(&l, 8, 60);
    assert_int_equal(mem_allocations(), before);
    runlog_close(&l);
}

static void a_resumed_log_ends_at_the_checkpoint(void **state)
{
    (void)state;
    RunLog l;
    assert_int_equal(runlog_open(&l, path, -1), ST_OK);
    write_steps(&l, 1, 5);
    char *through_five = mem_str(contents());
    write_steps(&l, 6, 9);
    runlog_close(&l);
    FILE *f = fopen(path, "ab");
    fputs("{\"step\":10,\"lo", f); /* a kill in the middle of a line */
    fclose(f);
    assert_int_equal(runlog_open(&l, path, 100), ST_OK);
    assert_null(strstr(contents(), "\"step\":10"));
    assert_non_null(strstr(contents(), "\"step\":9"));
    runlog_close(&l);
    assert_int_equal(runlog_open(&l, path, 5), ST_OK);
    assert_string_equal(contents(), through_five);
    write_steps(&l, 6, 6);
    assert_non_null(strstr(contents(), "\"step\":6"));
    runlog_close(&l);
    mem_free(through_five);
}

static void a_full_disk_is_said(void **state)
{
    (void)state;
    RunLog l;
    if (!path_exists("/dev/full")) {
        print_message("SKIP no /dev/full here\n");
        skip();
    }
    assert_int_equal(runlog_open(&l, "/dev/full", -1), ST_OK);
    runlog_begin(&l, 1);
    assert_int_equal(runlog_end(&l), ST_IO);
    assert_non_null(strstr(error_text(), "/dev/full"));
    runlog_close(&l);
    assert_int_equal(runlog_open(&l, "/nonexistent/log.jsonl", 3), ST_IO);
    runlog_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_json),
        cmocka_unit_test(a_resumed_log_ends_at_the_checkpoint),
        cmocka_unit_test(a_full_disk_is_said),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
