/* theoremqa.  Source: xingyaoww/mint-bench, mint/tasks/reasoning.py, class TheoremqaTask (current), and the
 * same file in OpenLemur/mint-bench (legacy), after wenhuchen/TheoremQA, predict_accuracy.py. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <math.h>
#include <pcre2.h>
#include <stdlib.h>

#include "agent/python_text.h"
#include "base/check.h"
#include "base/mem.h"
#include "eval/mark.h"
#include "eval/python_value.h"

/* Python's re and PCRE2 with UTF and UCP agree on these patterns. */
static pcre2_code *compile(const char *pattern)
{
    int code;
    PCRE2_SIZE at;
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, &code, &at, NULL);
    check(re);
    return re;
}

/* re.match(pattern, s); group 1, when it took part, replaces s. */
static bool match(const char *pattern, Str *s, bool keep_group)
{
    pcre2_code *re = compile(pattern);
    pcre2_match_data *m = pcre2_match_data_create_from_pattern(re, NULL);
    int rc = pcre2_match(re, (PCRE2_SPTR)str_c(s), s->n, 0, PCRE2_ANCHORED, m, NULL);
    if (rc > 1 && keep_group) {
        PCRE2_SIZE *at = pcre2_get_ovector_pointer(m);
        Str group = {0};
        str_add(&group, s->at + at[2], at[3] - at[2]);
        str_drop(s);
        *s = group;
    }
    pcre2_match_data_free(m);
    pcre2_code_free(re);
    return rc > 0;
}

static void set(Str *s, Span text)
{
    Str copy = {0};
    str_add(&copy, text.at, text.n);
    str_drop(s);
    *s = copy;
}

/* s.replace(what, with) */
static void replace(Str *s, const char *what, const char *with)
{
    Str out = {0};
    Span text = str_span(s), w = span(what);
    for (size_t at = 0, i;; at = i + w.n) {
        i = python_find(text, w, at);
        bool last = i > text.n;
        str_add(&out, text.at + at, (last ? text.n : i) - at);
        if (last)
            break;
        str_adds(&out, with);
    }
    str_drop(s);
    *s = out;
}

static bool has(const Str *s, const char *what)
{
    return python_in(span(what), str_span(s));
}

static void take_symbols(Str *s)
{
    static const char *const before[] = {"=", "\xE2\x89\x88"}; /* U+2248, almost equal */
    for (int i = 0; i < 2; i++)
        if (has(s, before[i]))
            set(s, python_strip(python_after_last(str_span(s), before[i])));
    replace(s, "`", "");
    replace(s, "$", "");
    replace(s, "\xC2\xB0", ""); /* degree */
}

static void take_words(Str *s)
{
    Span said = str_span(s);
    if (span_is(said, "true") || span_is(said, "yes") || has(s, "True"))
        set(s, span("True"));
    else if (span_is(said, "false") || span_is(said, "no") || has(s, "False"))
        set(s, span("False"));
    if (has(s, "approximately")) {
        replace(s, "approximately", "");
        set(s, python_strip(str_span(s)));
    }
    size_t i = python_find(str_span(s), span(" or "), 0);
    if (i <= s->n)
        set(s, (Span){str_c(s), i});
}

#define NUMBER "[-+]?(?:[\\d,]*\\.*\\d+)"

static void take_number(Str *s)
{
    match("(" NUMBER ") [^0-9 ]+$", s, true);
    match("[^0-9 ]+ (" NUMBER ")$", s, true);
    match("(" NUMBER ")[^\\d]{1,2}$", s, true);
    match("[^-+\\d]{1,2}((?:[\\d,]*\\.*\\d+))$", s, true);
    /* Every 10^n becomes math.pow(10, n); math is no name there, so eval raises: the name alone does that. */
    if (match("(?s).*10\\^-?\\d", s, false))
        replace(s, "10^", "math.pow*");
    replace(s, " x ", "*");
    replace(s, " \xC3\x97 ", "*");
    if (match("[-+]?(\\d{1,3}(,\\d{3})*|(\\d+))(\\.\\d+)?$", s, false))
        replace(s, ",", "");
}

static void take_option(Str *s, MarkRule rule)
{
    for (char letter = 'a'; letter <= 'd'; letter++) {
        char close[] = {letter, ')', 0}, apart[] = {letter, ' ', ')', 0}, alone[] = {letter, 0};
        Str lower = {0};
        python_lower(&lower, str_span(s));
        bool bare = rule == MARK_CURRENT && span_is(python_strip(str_span(&lower)), alone);
        str_drop(&lower);
        if (has(s, close) || has(s, apart) || bare) {
            char quoted[] = {'"', '(', letter, ')', '"', 0};
            set(s, span(quoted));
        }
    }
}

/* compare_two_numbers; *raises where round() does. */
static bool numbers_meet(const PythonValue *p, const json_t *gold, bool *raises)
{
    double want = json_number_value(gold);
    if (json_is_real(gold)) {
        double eps = fabs(want) * 0.04;
        return p->real >= want - eps && p->real <= want + eps;
    }
    if (p->kind == PYTHON_INT || p->kind == PYTHON_BOOL)
        return p->whole == (json_is_boolean(gold) ? json_is_true(gold) : json_integer_value(gold));
    if (p->kind == PYTHON_FLOAT && !isfinite(p->real)) {
        *raises = true;
        return false;
    }
    return p->kind == PYTHON_FLOAT && rint(p->real) == want; /* half to even, as Python's round */
}

static int by_value(const void *a, const void *b)
{
    double x = ((const PythonValue *)a)->real, y = ((const PythonValue *)b)->real;
    return (x > y) - (x < y);
}

static int by_number(const void *a, const void *b)
{
    double x = json_number_value(*(json_t *const *)a), y = json_number_value(*(json_t *const *)b);
    return (x > y) - (x < y);
}

static Mark sorted_meet(PythonValue *said, json_t **gold, size_t n)
{
    qsort(said, n, sizeof *said, by_value);
    qsort(gold, n, sizeof *gold, by_number);
    for (size_t i = 0; i < n; i++) {
        bool raises = false;
        if (!numbers_meet(&said[i], gold[i], &raises))
            return raises ? MARK_RAISES : MARK_WRONG;
    }
    return MARK_RIGHT;
}

/* compare_two_list. */
static Mark lists_meet(const PythonValue *v, const json_t *gold)
{
    if (v->n != json_array_size(gold))
        return MARK_WRONG;
    for (size_t i = 0; i < v->n; i++)
        if (v->items[i].kind == PYTHON_BEYOND || isnan(v->items[i].real))
            return MARK_UNDECIDED; /* where a NaN is sorted to depends on the algorithm */
    for (size_t i = 0; i < v->n; i++)
        if (!python_is_number(&v->items[i]))
            return MARK_WRONG;
    PythonValue *said = mem_array(PythonValue, v->n + 1);
    json_t **wanted = mem_array(json_t *, v->n + 1);
    for (size_t i = 0; i < v->n; i++) {
        said[i] = v->items[i];
        wanted[i] = json_array_get(gold, i);
    }
    Mark mark = sorted_meet(said, wanted, v->n);
    mem_free(said);
    mem_free(wanted);
    return mark;
}

/* The end of extract_answer: sets and tuples are lists, a complex number is its real part. */
static Mark convert(PythonValue *v, Arena *arena)
{
    if (v->kind == PYTHON_COMPLEX)
        v->kind = PYTHON_FLOAT;
    if (v->kind != PYTHON_SET && v->kind != PYTHON_TUPLE)
        return MARK_RIGHT;
    if (v->n == 0)
        return MARK_RAISES;
    bool any = false;
    for (size_t i = 0; i < v->n; i++)
        any = any || v->items[i].kind == PYTHON_COMPLEX;
    if (v->kind == PYTHON_SET && any)
        return MARK_UNDECIDED; /* which is first, its hash tells */
    PythonValue *items = arena_alloc(arena, v->n * sizeof *items);
    bool real = v->items[0].kind == PYTHON_COMPLEX;
    for (size_t i = 0; i < v->n; i++) {
        items[i] = v->items[i];
        if (real && items[i].kind != PYTHON_COMPLEX && !python_is_number(&items[i]))
            return items[i].kind == PYTHON_BEYOND ? MARK_UNDECIDED : MARK_RAISES;
        if (real && items[i].kind == PYTHON_COMPLEX)
            items[i].kind = PYTHON_FLOAT;
    }
    v->items = items;
    v->kind = PYTHON_LIST;
    return MARK_RIGHT;
}

/* `prediction == gold`, current also `prediction == "(" gold ")"`. */
static bool word_meets(MarkRule rule, const PythonValue *v, Span word)
{
    Span s = v->text;
    if (v->kind != PYTHON_STR)
        return false;
    if (s.n == word.n && python_in(s, word))
        return true;
    return rule == MARK_CURRENT && s.n == word.n + 2 && s.at[0] == '(' && s.at[s.n - 1] == ')' &&
           python_in(word, (Span){s.at + 1, word.n});
}

/* success */
static Mark compare(MarkRule rule, const PythonValue *v, const json_t *gold)
{
    bool right = false, raises = false;
    if (v->kind == PYTHON_BEYOND)
        return MARK_UNDECIDED;
    if (json_is_array(gold))
        return v->kind == PYTHON_LIST ? lists_meet(v, gold) : MARK_WRONG;
    if (v->kind == PYTHON_STR && !v->text.at && (json_is_string(gold) || json_is_boolean(gold)))
        return MARK_UNDECIDED;
    if (json_is_string(gold)) {
        right = word_meets(rule, v, (Span){json_string_value(gold), json_string_length(gold)});
    } else if (json_is_boolean(gold)) {
        right = python_is_number(v) ? v->real == (json_is_true(gold) ? 1 : 0)
                                    : rule == MARK_CURRENT && v->kind == PYTHON_STR &&
                                          span_is(v->text, json_is_true(gold) ? "(True)" : "(False)");
    } else if (python_is_number(v)) {
        right = numbers_meet(v, gold, &raises);
    }
    return right ? MARK_RIGHT : raises ? MARK_RAISES : MARK_WRONG;
}

void mark_theoremqa_expression(Str *out, MarkRule rule, Span answer)
{
    str_add(out, answer.at, answer.n);
    take_symbols(out);
    take_words(out);
    take_number(out);
    take_option(out, rule);
    if (!out->n)
        str_adds(out, "0");
}

Mark mark_theoremqa_value(MarkRule rule, Span literal, const json_t *gold)
{
    Arena arena = {0};
    PythonValue v = python_eval(&arena, literal);
    Mark mark = MARK_WRONG;
    if (v.kind != PYTHON_RAISES) {
        mark = convert(&v, &arena);
        if (mark == MARK_RIGHT)
            mark = compare(rule, &v, gold);
    }
    arena_drop(&arena);
    return mark;
}

Mark mark_theoremqa(MarkRule rule, Span answer, const json_t *gold)
{
    Str expression = {0};
    mark_theoremqa_expression(&expression, rule, answer);
    Mark mark = mark_theoremqa_value(rule, str_span(&expression), gold);
    str_drop(&expression);
    return mark;
}
