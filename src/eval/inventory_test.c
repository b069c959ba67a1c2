#include "eval/inventory.h"

#include "base/log.h"
#include "base/scratch_test.h"

/* printf 0123456789 | sha256sum */
static const char sum[] = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";
static const DataFile files[] = {
    {"q.json", "https://x.example/q", NULL}, {"p.txt", "https://x.example/p", sum}, {0}};
static const char *const programs[] = {"sh", "no-such-program-at-all", NULL};
static int opened, closed;

static bool take(Questions *q, int64_t number, json_t *object)
{
    (void)number;
    const char *id = json_string_value(json_object_get(object, "id"));
    if (id)
        questions_add(q, id, NULL, object);
    return id;
}

static Status open_it(const EvalRun *run, Questions *out, void **state)
{
    opened++;
    *state = &opened;
    return questions_read(out, run->data, "q.json", take);
}

static void close_it(void *state)
{
    closed += state == &opened;
}

static const Benchmark plain = {.name = "plain",
                                .groups = "small all_small",
                                .about = "a",
                                .source = "s",
                                .metric = "m",
                                .version = 3,
                                .files = files,
                                .open = open_it,
                                .close = close_it},
                       boxed = {.name = "boxed",
                                .metric = "m",
                                .needs = NEEDS_SANDBOX | NEEDS_LIKELIHOOD,
                                .programs = programs,
                                .files = files,
                                .open = open_it};

static const char *text(const json_t *o, const char *key)
{
    const char *t = json_string_value(json_object_get(o, key));
    return t ? t : "";
}

static const json_t *file_at(const json_t *b, size_t i)
{
    return json_array_get(json_object_get(b, "files"), i);
}

static bool misses(const json_t *b, const char *word)
{
    const json_t *m = json_object_get(b, "missing");
    for (size_t i = 0; i < json_array_size(m); i++)
        if (strcmp(json_string_value(json_array_get(m, i)), word) == 0)
            return true;
    return false;
}

static void files_and_questions(void **state)
{
    (void)state;
    Inventory *v = inventory_new(in_scratch("data"));
    json_t *b = inventory_of(v, &plain, true);
    assert_true(misses(b, "data") && json_is_false(json_object_get(b, "ready")));
    assert_string_equal(text(file_at(b, 0), "state"), "absent");
    assert_true(json_is_null(json_object_get(b, "questions")));
    assert_non_null(strstr(text(b, "questions_why"), "q.json is not there"));
    opened = closed = 0;
    json_decref(b);
    scratch_text("data/q.json", "{\"id\": \"1\"}\n{\"id\": \"2\"}\n{\"no\": 1}\n");
    scratch_text("data/p.txt", "0123456789");
    b = inventory_of(v, &plain, true);
    assert_string_equal(text(file_at(b, 0), "state"), "present");
    assert_string_equal(text(file_at(b, 1), "state"), "right");
    assert_int_equal(json_integer_value(json_object_get(b, "questions")), 2);
    assert_int_equal(json_integer_value(json_object_get(b, "bad_lines")), 1);
    assert_int_equal(json_array_size(json_object_get(b, "groups")), 2);
    assert_int_equal(json_array_size(json_object_get(b, "missing")), 0);
    assert_true(json_is_true(json_object_get(b, "ready")));
    assert_null(json_object_get(b, "sandbox"));
    assert_true(opened == 1 && closed == 1);
    json_decref(b);
    scratch_text("data/p.txt", "another");
    b = inventory_of(v, &plain, true);
    assert_string_equal(text(file_at(b, 1), "state"), "wrong");
    json_decref(b);
    b = inventory_of(v, &plain, false); /* not looked into */
    assert_string_equal(text(file_at(b, 1), "state"), "present");
    json_decref(b);
    scratch_text("data/q.json", "garbage");
    b = inventory_of(v, &plain, false);
    assert_true(misses(b, "data"));
    assert_non_null(strstr(text(b, "questions_why"), "q.json"));
    json_decref(b);
    assert_int_equal(unlink(in_scratch("data/q.json")), 0);
    scratch_text("data/q.jsonl", "{}");
    b = inventory_of(v, &plain, false); /* by its other name */
    assert_string_equal(text(file_at(b, 0), "state"), "present");
    json_decref(b);
    inventory_free(v);
}

static void sandbox_and_programs(void **state)
{
    (void)state;
    Inventory *v = inventory_new(in_scratch("none"));
    json_t *b = inventory_of(v, &boxed, false);
    const json_t *box = json_object_get(b, "sandbox"), *p = json_object_get(b, "programs");
    assert_true(*text(box, "says") != 0);
    assert_true(json_is_true(json_object_get(b, "likelihood")));
    assert_true(json_is_false(json_object_get(p, "no-such-program-at-all")));
    assert_true(misses(b, "no-such-program-at-all"));
    if (json_is_true(json_object_get(box, "here"))) {
        assert_true(json_is_true(json_object_get(p, "sh")));
        assert_false(misses(b, "sandbox"));
    } else {
        assert_true(misses(b, "sandbox") && misses(b, "sh"));
    }
    json_decref(b);
    inventory_free(v);
    inventory_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_and_questions),
        cmocka_unit_test(sandbox_and_programs),
    };
    log_level_set(LOG_ERROR);
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
