/* Answers as models write them, and recorded ones under $LEMUR_DATA or ../shared/data.  What Python's re
 * makes of each text was computed with CPython 3.11. */
#include "eval/extract.h"
#include "base/data_test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "base/scratch_test.h"

typedef bool ViewRule(Span *, Span);

/* want NULL: nothing is found. */
static void view(ViewRule *rule, const char *text, const char *want)
{
    Span out = {0};
    bool found = rule(&out, span(text));
    if (found != (want != NULL) || (want && !span_is(out, want)))
        fail_msg("'%s' gives '%.*s'", text, (int)out.n, out.at ? out.at : "");
}

static void numbers_of_the_harness(void **state)
{
    (void)state;
    view(extract_gsm8k_strict, "x\n#### 72", "72");
    view(extract_gsm8k_strict, "#### -1,234.50. More #### 3", "-1,234.50.");
    view(extract_gsm8k_strict, "####72", NULL);
    view(extract_gsm8k_strict, "#### $72", NULL);
    view(extract_gsm8k_strict, "", NULL);
    view(extract_gsm8k_sentence, "So 3. The answer is 29.", "29");
    view(extract_gsm8k_sentence, "The answer is 1,029.", "1,029");
    view(extract_gsm8k_sentence, "The answer is 29", "2"); /* the harness's dot is any character */
    view(extract_gsm8k_sentence, "The answer is 9", NULL);
    view(extract_gsm8k_sentence, "the answer is 29.", NULL);
    view(extract_gsm8k_flexible, "She has 5 and then $18.00.", "$18.00.");
    view(extract_gsm8k_flexible, "first 12, then 7", "7");
    view(extract_gsm8k_flexible, "it is -7", "-7");
    view(extract_gsm8k_flexible, "7 of them...", "...");
    view(extract_gsm8k_flexible, "none", NULL);
    view(extract_gsm8k_flexible, "\xff 8 \xfe", "8");
    view(extract_gsm8k_strict, "\xff#### 1\xff", "1");
}

static void lemur(const char *text, const char *want, bool found)
{
    Str out = {0};
    if (extract_gsm8k_lemur(&out, span(text)) != found || strcmp(str_c(&out), want))
        fail_msg("'%s' gives '%s'", text, str_c(&out));
    str_drop(&out);
}

static void numbers_of_lemur(void **state)
{
    (void)state;
    lemur("It is 1,234,567 dollars", "1234567", true);
    lemur("1,2,3", "3", true); /* re.sub leaves "12,3" */
    lemur("-5", "5", true);
    lemur("-5.5", "-5.5", true);
    lemur("+.5 then", "+.5", true);
    lemur("so $18.00.", "18.00", true);
    lemur("no number, none", "no number, none", false);
    lemur("", "", false);
    lemur("\xd9\xa1\xd9\xa2", "\xd9\xa1\xd9\xa2", true); /* Arabic digits are digits */
}

static void marked(const char *text, const char *marker, const char *want)
{
    Str out = {0};
    bool found = extract_gsm8k_marker(&out, span(text), marker);
    if (found != (want != NULL) || strcmp(str_c(&out), want ? want : ""))
        fail_msg("'%s' gives '%s'", text, str_c(&out));
    str_drop(&out);
}

static void numbers_behind_a_marker(void **state)
{
    (void)state;
    marked("x\nA: 1,080", "A: ", "1080");
    marked("A: 1\nA: -2", "A: ", "-2");
    marked("a\n#### 7", "#### ", "7");
    marked("A: none", "A: ", NULL);
    marked("7", "A: ", NULL);
    marked("A: ", "A: ", NULL);
}

static void equal_numbers(void **state)
{
    (void)state;
    assert_true(exact_gsm8k(span("$1,234."), span("so\n#### 1234")));
    assert_true(exact_gsm8k(span("ABC"), span("abc")));
    assert_false(exact_gsm8k(span("18.00"), span("#### 18")));
    assert_false(exact_gsm8k(span("[invalid]"), span("#### 18")));
    assert_true(exact_folded(span("18.00"), span("1800")));
    assert_true(exact_folded(span("(A)"), span("a")));
    assert_true(exact_folded(span("\xc3\x84."), span("\xc3\xa4")));
    assert_false(exact_folded(span("18"), span("18.00")));
    assert_true(exact_folded((Span){"a\0b", 3}, (Span){"A\0b", 3}));
    assert_false(exact_folded((Span){"a\0b", 3}, (Span){"a\0c", 3}));
}

static void answers_of_big_bench_hard(void **state)
{
    (void)state;
    view(extract_bbh_published, "So the answer is (B).", "(B)");
    view(extract_bbh_published, "So the answer is } ] >.\n\nQ: the answer is no", "} ] >");
    view(extract_bbh_published, "the answer is -50 \r\nmore", "-50");
    view(extract_bbh_published, "the answer is ", "");
    view(extract_bbh_published, "The answer:", NULL);
    view(extract_bbh_harness, "So the answer is (B).\nthe answer is no.", "(B)");
    view(extract_bbh_harness, "So the answer is (B)", "(B");
    view(extract_bbh_harness, "the answer is x", "");
    view(extract_bbh_harness, "the answer is \nx", NULL);
    view(extract_bbh_lemur_chat, "Well. So the answer is (B). Done.", "(B)");
    Span out;
    assert_false(extract_bbh_lemur_chat(&out, span(" the answer is\n(B). ")));
    assert_true(span_is(out, "the answer is\n(B)."));
    view(extract_bbh_lemur, " (B). Because", "(B)");
    view(extract_bbh_lemur, "It is (C) or (D). x", "(C)");
    view(extract_bbh_lemur, "] ) >. x", "] ) >");
    view(extract_bbh_lemur, "line\nanswer. x\n\nnext", "answer");
    view(extract_bbh_lemur, ".", "");
    assert_false(extract_bbh_lemur(&out, span("yes\n\nQ: a.")));
    assert_true(span_is(out, "yes"));
}

static void choice(const char *text, char want)
{
    char letter = 0;
    bool found = extract_choice(&letter, span(text), 4);
    if (found != (want != 0) || letter != want)
        fail_msg("'%s' gives '%c'", text, letter ? letter : '-');
}

static void letters_of_choices(void **state)
{
    (void)state;
    choice(" B", 'B');
    choice("B. Paris\n\nA is wrong", 'B');
    choice("(C) because of A", 'C');
    choice("**D**", 'D');
    choice("The correct answer is (B), not A.", 'B');
    choice("I think the answer is B because A is not.", 'B');
    choice("Answer: C", 'C');
    choice("answer is option D", 'D');
    choice("A good question. It must be C", 'C');
    choice("A Roman emperor", 'A');
    choice("It can only be (D)", 'D');
    choice("The vitamin E answer: E. So B", 'B'); /* of four choices */
    choice("CAB DAD", 0);
    choice("no idea", 0);
    choice("D's and C's", 0);
    choice("", 0);
    choice("\xff\xff", 0);
    choice("\xff \xc3\xa9, C\xe2\x82", 'C');
    assert_true(span_is(extract_first_line(span(" B \nC")), "B"));
    assert_true(span_is(extract_first_line(span("")), ""));
}

/* A long answer without what is looked for must not take forever. */
static void long_texts(void **state)
{
    (void)state;
    Str text = {0};
    Span out;
    char letter;
    Str number = {0};
    for (int i = 0; i < 1 << 20; i++)
        str_addc(&text, i % 64 ? '1' : '(');
    Span s = str_span(&text);
    assert_false(extract_gsm8k_strict(&out, s));
    assert_true(extract_gsm8k_flexible(&out, s));
    assert_true(extract_gsm8k_lemur(&number, s));
    assert_false(extract_bbh_lemur(&out, s));
    assert_false(extract_bbh_lemur_chat(&out, s));
    assert_false(extract_choice(&letter, s, 4));
    str_clear(&text);
    for (int i = 0; i < 1 << 18; i++)
        str_adds(&text, "1,2 Z ");
    s = str_span(&text);
    assert_true(extract_gsm8k_flexible(&out, s));
    assert_true(span_is(out, "1,2"));
    assert_true(extract_gsm8k_lemur(&number, s));
    assert_false(extract_choice(&letter, s, 4));
    str_drop(&text);
    str_drop(&number);
}

/* Recordings. -------------------------------------------------------------------------------------------- */

static bool found(const char *path, char **whole)
{
    *whole = path_join(data_folder(), path);
    if (path_exists(*whole))
        return true;
    printf("SKIP %s is not there (set LEMUR_DATA)\n", *whole);
    mem_free(*whole);
    return false;
}

static Span text_of(const json_t *object, const char *key)
{
    const json_t *s = json_object_get(object, key);
    assert_true(json_is_string(s));
    return (Span){json_string_value(s), json_string_length(s)};
}

/* Solutions of four models; *differs counts marks of theirs that are not ours. */
static void mark_solutions(const json_t *line, int64_t *compared, int64_t *differs)
{
    Str gold = {0};
    const char *key;
    json_t *value;
    assert_true(extract_gsm8k_marker(&gold, text_of(line, "ground_truth"), "A: "));
    json_object_foreach((json_t *)line, key, value)
    {
        Str answer = {0};
        if (!json_is_object(value))
            continue;
        bool right = extract_gsm8k_marker(&answer, text_of(value, "solution"), "A: ") &&
                     strcmp(str_c(&answer), str_c(&gold)) == 0;
        *differs += right != json_is_true(json_object_get(value, "is_correct"));
        (*compared)++;
        str_drop(&answer);
    }
    str_drop(&gold);
}

static void recorded_gsm8k_marks(void **state)
{
    (void)state;
    char *path;
    if (!found("gsm8k/replay/example_model_solutions.jsonl", &path))
        skip();
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    int64_t compared = 0, differs = 0;
    char *line = NULL;
    size_t cap = 0;
    while (getline(&line, &cap, f) > 0) {
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        mark_solutions(object, &compared, &differs);
        json_decref(object);
    }
    free(line);
    fclose(f);
    printf("gsm8k: %lld of %lld recorded marks are ours\n", (long long)(compared - differs),
           (long long)compared);
    assert_true(compared >= 4);
    assert_true(differs <= 1); /* the whole file has one solution marked false that equals gold */
    mem_free(path);
}

static void recorded_bbh_accuracy(const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    json_t *recorded, *metrics, *one;
    size_t i, right = 0;
    assert_int_equal(json_file_read(&recorded, path), ST_OK);
    char *beside = mem_format("%.*s_eval_metrics.jsonl", (int)(strlen(path) - 5), path);
    assert_int_equal(json_file_read(&metrics, beside), ST_OK);
    json_t *outputs = json_object_get(recorded, "outputs");
    json_array_foreach(outputs, i, one)
    {
        Span answer;
        Span gold = text_of(one, "target");
        right += extract_bbh_published(&answer, text_of(one, "prediction")) && answer.n == gold.n &&
                 memcmp(answer.at, gold.at, gold.n) == 0;
    }
    double ours = 100.0 * (double)right / (double)json_array_size(outputs);
    double theirs = json_real_value(json_object_get(metrics, "accuracy"));
    printf("bbh: %s: %.4f, published %.4f\n", name, ours, theirs);
    assert_true(ours - theirs < 1e-9 && theirs - ours < 1e-9);
    json_decref(recorded);
    json_decref(metrics);
    mem_free(beside);
    mem_free(path);
}

static void recorded_bbh_accuracies(void **state)
{
    (void)state;
    char *folder;
    if (!found("bbh/replay", &folder))
        skip();
    FolderList list;
    int files = 0;
    assert_int_equal(folder_list(&list, folder), ST_OK);
    for (size_t i = 0; i < list.n; i++)
        if (span_ends(span(list.at[i]), ".json")) {
            recorded_bbh_accuracy(folder, list.at[i]);
            files++;
        }
    assert_true(files > 0);
    folder_list_drop(&list);
    mem_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_the_harness),
        cmocka_unit_test(numbers_of_lemur),
        cmocka_unit_test(numbers_behind_a_marker),
        cmocka_unit_test(equal_numbers),
        cmocka_unit_test(answers_of_big_bench_hard),
        cmocka_unit_test(letters_of_choices),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(recorded_gsm8k_marks),
        cmocka_unit_test(recorded_bbh_accuracies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
