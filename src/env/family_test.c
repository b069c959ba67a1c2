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

/* How many files a part of n tasks has. */
static size_t files_for(const Family *f, size_t n)
{
    size_t files = f->files ? (size_t)f->files : 1;
    while (f->tasks_a_file && files * (size_t)f->tasks_a_file < n)
        files++;
    return files;
}

/* The values of the files of records, in the order in which the tasks were drawn; NULL: there are none. */
static json_t *records_of(const Family *f, const char *part, size_t n)
{
    if (!f->questions)
        return NULL;
    json_t *all = json_array(), *files[8];
    size_t files_n = files_for(f, n);
    assert_true(files_n <= 8);
    const char *hole = f->files ? strstr(f->questions, "%d") : f->questions + strlen(f->questions);
    for (size_t i = 0; i < files_n; i++) {
        char *name = mem_format("%s/%s/%.*s", f->name, part, (int)(hole - f->questions), f->questions);
        char *whole = f->files ? mem_format("%s%zu%s", name, i + 1, hole + 2) : mem_str(name);
        files[i] = values_in(whole);
        assert_int_equal(json_array_size(files[i]), n / files_n + (i < n % files_n));
        mem_free(name);
        mem_free(whole);
    }
    if (f->files) { /* no further one, which would be read as well */
        char *next = mem_format("%s/%s/%.*s%zu%s", f->name, part, (int)(hole - f->questions), f->questions,
                                files_n + 1, hole + 2);
        assert_false(folder_holds(scratch, next));
        mem_free(next);
    }
    for (size_t i = 0; i < n; i++)
        json_array_append(all, json_array_get(files[i % files_n], i / files_n));
    for (size_t i = 0; i < files_n; i++)
        json_decref(files[i]);
    return all;
}

/* Each question once, its expert beside it; the texts and doings go into the maps. */
static void read_part(const Family *f, const char *part, const char *expert_file, int64_t n, Map *texts,
                      Map *doings)
{
    char *expert_name = mem_format("%s/%s", f->name, expert_file);
    json_t *records = records_of(f, part, (size_t)n), *expert = values_in(expert_name);
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
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(folder_remove(in_scratch((const char *const[]){"a", "b", "more", "other"}[k])),
                             ST_OK);
    }
}

static const json_t *turn_at(const json_t *expert, size_t i)
{
    return json_array_get(json_object_get(expert, "turns"), i);
}

static Span said(const json_t *turn)
{
    const json_t *text = json_is_object(turn) ? json_object_get(turn, "text") : turn;
    return (Span){json_string_value(text), json_string_length(text)};
}

/* What is said to a turn, the world's answer to it being no error. */
static const char *hint_to(const json_t *line, const json_t *turn)
{
    HintSaid heard = {{said(turn), said(turn), span("<out>"), span("<out>")}};
    return hint_choose(line, &heard);
}

/* Each task has a line; what the expert does in the end needs no hint but the last one, what it errs with
 * gets another, and no hint holds the answer. */
static void hints_tell_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; families[i]; i++) {
        FamilyCounts counts;
        int64_t slips = 0, told = 0;
        assert_int_equal(folder_remove(in_scratch(families[i]->name)), ST_OK); /* of another draw */
        make(&counts, families[i], families[i]->name, TRAIN, TEST, 11);
        char *names[] = {mem_format("%s/hints.jsonl", families[i]->name),
                         mem_format("%s/expert_hinted.jsonl", families[i]->name)};
        if (!folder_holds(scratch, names[0]))
            fail_msg("%s has no hints", families[i]->name);
        json_t *hints = values_in(names[0]), *expert = values_in(names[1]);
        assert_int_equal(json_array_size(hints), TRAIN);
        assert_int_equal(json_array_size(expert), TRAIN);
        for (size_t j = 0; j < TRAIN; j++) {
            const json_t *line = json_array_get(hints, j), *e = json_array_get(expert, j);
            const char *otherwise = text(line, "otherwise");
            assert_int_equal(hint_check(line), ST_OK);
            assert_string_equal(text(line, "contains"), text(e, "contains"));
            if (!families[i]->questions) /* a household's hints go by its answers: household_hints_test.c */
                continue;
            size_t n = json_array_size(json_object_get(e, "turns"));
            for (size_t k = 0; k < n; k++) {
                bool slip = json_is_object(turn_at(e, k));
                assert_null(json_object_get(turn_at(e, k), "unhinted"));
                const char *hint = hint_to(line, turn_at(e, k));
                bool answer = span_starts(said(turn_at(e, k)), "<solution>") && said(turn_at(e, k)).n < 30;
                slips += slip;
                told += slip && strcmp(hint, otherwise) != 0;
                if (!slip && !answer && strcmp(hint, otherwise) != 0)
                    fail_msg("\"%s\" to %s", hint, said(turn_at(e, k)).at);
            }
        }
        printf("%s: %lld of %lld mistakes are told apart\n", families[i]->name, (long long)told,
               (long long)slips);
        assert_true(!families[i]->questions || slips > TRAIN / 20);
        assert_true(told * 10 >= slips * 7); /* of programs that cannot be read Python tells as well */
        json_decref(hints);
        json_decref(expert);
        mem_free(names[0]);
        mem_free(names[1]);
    }
}

/* Who sees few file systems learns their names: there is one for 50 tasks, with its script, and four of few.
 */
static void many_tasks_stand_in_many_file_systems(void **state)
{
    (void)state;
    FamilyCounts counts;
    make(&counts, &family_shell, "systems", 301, 20, 5);
    assert_true(folder_holds(scratch, "systems/train/intercode/bash/nl2bash_fs_7.json"));
    assert_true(folder_holds(scratch, "systems/train/intercode/bash/setup_nl2b_fs_7.sh"));
    assert_false(folder_holds(scratch, "systems/train/intercode/bash/nl2bash_fs_8.json"));
    assert_true(folder_holds(scratch, "systems/test/intercode/bash/nl2bash_fs_4.json"));
    assert_false(folder_holds(scratch, "systems/test/intercode/bash/nl2bash_fs_5.json"));
}

/* Of a family that has ten texts and five things to ask. */
static Status open_ten(void **state, Rng *rng, const char *data, size_t files)
{
    (void)rng;
    (void)data;
    assert_int_equal(files, 1);
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
    assert_int_equal(family_make(&counts, &ten, &spec), ST_ARG);
    expect_words("holds another draw already");
    spec.folder = in_scratch("more of ten");
    assert_int_equal(family_make(&counts, &ten, &spec), ST_LIMIT);
    expect_words("making ten: the family ten has about 4 different tasks for training");
    spec.n_test = 6;
    assert_int_equal(family_make(&counts, &loose, &spec), ST_LIMIT);
    expect_words("about 4 different tasks for training"); /* six texts of ten are for testing */
    spec = (FamilySpec){in_scratch("six of ten"), 1, 6, 1, 0};
    assert_int_equal(family_make(&counts, &ten, &spec), ST_LIMIT);
    expect_words("about 5 different tasks for testing");
    spec.n_test = 0;
    assert_int_equal(family_make(&counts, &ten, &spec), ST_ARG);
    spec = (FamilySpec){in_scratch("ten"), 9, 3, 1, 0};
    assert_int_equal(family_make(&counts, &family_shell, &spec), ST_ARG);
    expect_words("the family shell needs a task for each of its 4 files");
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

/* Of families whose expert says too much. */
static Status draw_telling(void *state, Rng *rng, FamilyTask *out)
{
    TRY(draw_ten(state, rng, out));
    family_say(out, "<execute>print(70 + 7)</execute>");
    family_hint_on(out, HINT_LAST, "a", NULL, "Look again.");
    family_hint_otherwise(out, "It is 70 + 7.");
    return ST_OK;
}

static Status draw_lacking(void *state, Rng *rng, FamilyTask *out)
{
    TRY(draw_ten(state, rng, out));
    family_hint(out, "x\ngroup by", "You must group by it.");
    return ST_OK;
}

static void hints_that_say_too_much_are_refused(void **state)
{
    (void)state;
    FamilyCounts counts;
    FamilySpec spec = {in_scratch("telling"), 2, 1, 1, 0};
    Family telling = ten;
    telling.draw = draw_telling;
    assert_int_equal(family_make(&counts, &telling, &spec), ST_FORMAT);
    expect_words("the hint \"It is 70 + 7.\" to \"");
    expect_words("gives away \"<execute>print(70 + 7)</execute>\"");
    telling.draw = draw_lacking;
    assert_int_equal(family_make(&counts, &telling, &spec), ST_FORMAT);
    expect_words("hint 1: it says what is lacking, \"group by\"");
    assert_false(folder_holds(scratch, "telling/hints_test.jsonl"));
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

/* The rows of one database, as its dump inserts them; the caller's. */
static char *rows_of(const char *dump, const char *database)
{
    char *use = mem_format("USE `%s`;", database), *from = strstr(dump, use);
    assert_non_null(from);
    char *end = strstr(from, "CREATE DATABASE");
    char *rows =
        mem_strn(from + strlen(use), end ? (size_t)(end - from) - strlen(use) : strlen(from + strlen(use)));
    mem_free(use);
    return rows;
}

static void a_schema_is_filled_several_times(void **state)
{
    (void)state;
    FamilyCounts counts;
    make(&counts, &family_sql, "filled", 60, 20, 5);
    Str dump = scratch_read("filled/train/intercode/sql/ic_spider_dbs.sql");
    char *first = rows_of(str_c(&dump), "zoo_db_1"), *other = rows_of(str_c(&dump), "zoo_db_2");
    assert_string_not_equal(first, other);
    json_t *questions = values_in("filled/train/intercode/sql/ic_spider_dev.json"), *q;
    size_t i, later = 0;
    json_array_foreach(questions, i, q) later += strcmp(text(q, "db") + strlen(text(q, "db")) - 2, "_1") != 0;
    assert_true(later > 30); /* of 60, were they drawn evenly of eight: 52 */
    json_decref(questions);
    mem_free(first);
    mem_free(other);
    str_drop(&dump);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_task_for_testing_is_one_for_training),
        cmocka_unit_test(one_seed_gives_one_family),
        cmocka_unit_test(hints_tell_mistakes),
        cmocka_unit_test(what_there_is_not_is_refused),
        cmocka_unit_test(hints_that_say_too_much_are_refused),
        cmocka_unit_test(texts_are_compared_without_their_dress),
        cmocka_unit_test(families_are_found_by_name),
        cmocka_unit_test(draws_differ_in_what_is_for_training),
        cmocka_unit_test(a_schema_is_filled_several_times),
        cmocka_unit_test(many_tasks_stand_in_many_file_systems),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
