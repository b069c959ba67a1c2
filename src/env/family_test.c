/* What is made is read again from its files. */
#include "env/family.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/scratch_test.h"
#include "env/family_draw.h"

enum { TRAIN = 400, TEST = 60 };

static void make(FamilyCounts *counts, const Family *f, const char *name, int64_t train, int64_t test,
                 uint64_t seed)
{
    FamilySpec spec = {in_scratch(name), train, test, seed, 0};
    if (family_make(counts, f, &spec) != ST_OK)
        fail_msg("%s", error_text());
}

/* The JSON values of a file of lines or of one array; the caller's reference. */
static json_t *values_in(const char *name)
{
    Str text = scratch_read(name);
    json_t *all = text.n && text.at[0] == '[' ? json_loads(str_c(&text), 0, NULL) : json_array();
    for (const char *at = str_c(&text); text.at[0] != '[' && *at; at += strcspn(at, "\n") + 1) {
        json_t *one = json_loadb(at, strcspn(at, "\n"), 0, NULL);
        assert_true(json_is_object(one));
        json_array_append_new(all, one);
    }
    str_drop(&text);
    return all;
}

static const char *text(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static const char *question_of(const json_t *record)
{
    return text(record, "query") ? text(record, "query") : text(record, "prompt");
}

/* What the expert does, without what it is answered with: the last turn that is no bare number.  In a
 * household many do the same at the end, there it is the question once more. */
static const char *doing(const Family *f, const json_t *expert)
{
    const json_t *turns = json_object_get(expert, "turns");
    size_t n = json_array_size(turns);
    if (!f->questions)
        return text(expert, "contains");
    const char *last = json_string_value(json_array_get(turns, n - 1));
    assert_non_null(last);
    return n > 1 && strncmp(last, "<solution>", 10) == 0 ? json_string_value(json_array_get(turns, n - 2))
                                                         : last;
}

static void remember(Map *m, const char *question)
{
    Str normal = {0};
    family_normal_text(&normal, span(question));
    *map_put(m, str_c(&normal), normal.n) += 1;
    str_drop(&normal);
}

/* Each question once, its expert beside it; the texts and doings go into the maps. */
static void read_part(const Family *f, const char *part, const char *expert_file, int64_t n, Map *texts,
                      Map *doings)
{
    char *name = f->questions ? mem_format("%s/%s/%s", f->name, part, f->questions) : NULL;
    char *expert_name = mem_format("%s/%s", f->name, expert_file);
    json_t *records = name ? values_in(name) : NULL, *expert = values_in(expert_name);
    assert_true(!name || json_array_size(records) == (size_t)n);
    assert_int_equal(json_array_size(expert), n);
    for (size_t i = 0; i < (size_t)n; i++) {
        const json_t *e = json_array_get(expert, i);
        if (records)
            assert_string_equal(question_of(json_array_get(records, i)), text(e, "contains"));
        remember(texts, text(e, "contains"));
        *map_put(doings, doing(f, e), strlen(doing(f, e))) += 1;
    }
    assert_int_equal(map_count(texts), n);
    json_decref(records);
    json_decref(expert);
    mem_free(name);
    mem_free(expert_name);
}

static int64_t shared(const Map *a, const Map *b)
{
    int64_t n = 0;
    for (int64_t i = 0; i < map_count(a); i++)
        n += map_find(b, map_key_at(a, i).at, map_key_at(a, i).n) != NULL;
    return n;
}

static void no_task_for_testing_is_one_for_training(void **state)
{
    (void)state;
    for (size_t i = 0; families[i]; i++) {
        FamilyCounts counts;
        Map *texts[2] = {map_new(), map_new()}, *doings[2] = {map_new(), map_new()};
        make(&counts, families[i], families[i]->name, TRAIN, TEST, 7);
        read_part(families[i], "train", "expert.jsonl", TRAIN, texts[0], doings[0]);
        read_part(families[i], "test", "expert_test.jsonl", TEST, texts[1], doings[1]);
        assert_int_equal(shared(texts[1], texts[0]), 0);
        assert_int_equal(shared(doings[1], doings[0]), 0);
        assert_true(counts.shared == 0 && counts.train == TRAIN && counts.test == TEST);
        assert_true(counts.slips > TRAIN / 20 && counts.slips < TRAIN / 3);
        for (int j = 0; j < 2; j++) {
            map_free(texts[j]);
            map_free(doings[j]);
        }
    }
}

static bool same_file(const char *a, const char *b, const char *name)
{
    char *x = mem_format("%s/%s", a, name), *y = mem_format("%s/%s", b, name);
    Str in_x = scratch_read(x), in_y = scratch_read(y);
    bool same = in_x.n == in_y.n && memcmp(in_x.at, in_y.at, in_x.n) == 0;
    str_drop(&in_x);
    str_drop(&in_y);
    mem_free(x);
    mem_free(y);
    return same;
}

static void one_seed_gives_one_family(void **state)
{
    (void)state;
    for (size_t i = 0; families[i]; i++) {
        FamilyCounts counts;
        make(&counts, families[i], "a", 50, 20, 1);
        make(&counts, families[i], "b", 50, 20, 1);
        make(&counts, families[i], "more", 90, 20, 1);
        make(&counts, families[i], "other", 50, 20, 2);
        assert_true(same_file("a", "b", "expert.jsonl"));
        assert_true(same_file("a", "b", "expert_test.jsonl"));
        assert_true(same_file("a", "more", "expert_test.jsonl")); /* however many there are for training */
        assert_false(same_file("a", "more", "expert.jsonl"));
        assert_false(same_file("a", "other", "expert.jsonl"));
        assert_false(same_file("a", "other", "expert_test.jsonl"));
    }
}

/* Of a family that has ten texts and five things to ask. */
static Status open_ten(void **state, Rng *rng, const char *data)
{
    (void)rng;
    (void)data;
    *state = NULL;
    return ST_OK;
}

static Status draw_ten(void *state, Rng *rng, FamilyTask *out)
{
    (void)state;
    int64_t n = draw_between(rng, 0, 9);
    str_addf(&out->question, "%s %lld?", draw_chance(rng, 2) ? "What is" : "what  is:", (long long)n);
    str_addf(&out->key, "%lld", (long long)n / 2);
    out->record = json_pack("{s:s}", "prompt", str_c(&out->question));
    family_say(out, "%lld", (long long)n);
    return ST_OK;
}

static const Family ten = {
    .name = "ten", .benchmark = "none", .questions = "q.jsonl", .open = open_ten, .draw = draw_ten};

/* Of a family that has ten texts, each of which may ask anything. */
static Status draw_loose(void *state, Rng *rng, FamilyTask *out)
{
    TRY(draw_ten(state, rng, out));
    str_addf(&out->key, " %llu", (unsigned long long)rng_next(rng));
    return ST_OK;
}

static const Family loose = {
    .name = "loose", .benchmark = "none", .questions = "q.jsonl", .open = open_ten, .draw = draw_loose};

static void what_there_is_not_is_refused(void **state)
{
    (void)state;
    FamilyCounts counts;
    FamilySpec spec = {in_scratch("ten"), 4, 3, 1, 0};
    assert_int_equal(family_make(&counts, &ten, &spec), ST_OK); /* three keys of five: four texts are left */
    assert_true(counts.refused > 0);
    spec.n_train = 5;
    assert_int_equal(family_make(&counts, &ten, &spec), ST_LIMIT);
    expect_words("making ten: the family ten has about 4 different tasks for training");
    spec.n_test = 6;
    assert_int_equal(family_make(&counts, &loose, &spec), ST_LIMIT);
    expect_words("about 4 different tasks for training"); /* six texts of ten are for testing */
    spec = (FamilySpec){in_scratch("ten"), 1, 6, 1, 0};
    assert_int_equal(family_make(&counts, &ten, &spec), ST_LIMIT);
    expect_words("about 5 different tasks for testing");
    spec.n_test = 0;
    assert_int_equal(family_make(&counts, &ten, &spec), ST_ARG);
    scratch_text("file", "");
    spec = (FamilySpec){in_scratch("file"), 1, 1, 1, 0};
    assert_int_equal(family_make(&counts, &family_words, &spec), ST_IO);
}

static void texts_are_compared_without_their_dress(void **state)
{
    (void)state;
    Str out = {0};
    family_normal_text(&out, span("  How many\n `Pens`, has \"Anna\"? 3 + 4 - 1."));
    assert_string_equal(str_c(&out), "how many pens has anna 3 + 4 - 1");
    family_normal_text(&out, span(" ?!"));
    assert_string_equal(str_c(&out), "");
    str_drop(&out);
}

static void families_are_found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(family_find("sql"), &family_sql);
    assert_null(family_find("sq"));
}

static void draws_differ_in_what_is_for_training(void **state)
{
    (void)state;
    static const char *const same[] = {"test/tasks/questions.jsonl", "expert_test.jsonl"};
    FamilyCounts counts;
    for (uint64_t draw = 0; draw < 3; draw++) {
        char *name = mem_format("draw-%d", (int)draw);
        FamilySpec spec = {in_scratch(name), 50, TEST, 9, draw};
        assert_int_equal(family_make(&counts, &family_words, &spec), ST_OK);
        assert_int_equal(counts.shared, 0);
        mem_free(name);
    }
    for (size_t i = 0; i < 2; i++) {
        char *command = mem_format("cmp -s draw-0/%s draw-1/%s && cmp -s draw-0/%s draw-2/%s", same[i],
                                   same[i], same[i], same[i]);
        scratch_run(command);
        mem_free(command);
    }
    scratch_run("! cmp -s draw-0/expert.jsonl draw-1/expert.jsonl && ! cmp -s draw-1/expert.jsonl "
                "draw-2/expert.jsonl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_task_for_testing_is_one_for_training),
        cmocka_unit_test(one_seed_gives_one_family),
        cmocka_unit_test(what_there_is_not_is_refused),
        cmocka_unit_test(texts_are_compared_without_their_dress),
        cmocka_unit_test(families_are_found_by_name),
        cmocka_unit_test(draws_differ_in_what_is_for_training),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
