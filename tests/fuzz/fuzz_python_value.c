/* Any bytes as a Python expression, and as the answer to questions of every kind of gold: a value or none,
 * and a mark. */
#include <jansson.h>
#include <string.h>

#include "agent/python_text.h"
#include "base/check.h"
#include "base/python_repr.h"
#include "eval/mark.h"
#include "eval/python_value.h"
#include "eval/wording.h"

static void walk(const PythonValue *v, int depth)
{
    check(v->kind <= PYTHON_OTHER && depth < 1000);
    if (v->kind == PYTHON_STR && v->text.at)
        (void)python_in(span("x"), v->text);
    if (v->kind == PYTHON_LIST || v->kind == PYTHON_TUPLE || v->kind == PYTHON_SET)
        for (size_t i = 0; i < v->n; i++)
            walk(&v->items[i], depth + 1);
}

static void marks(Span text)
{
    static const char *const golds[] = {"true", "3", "0.25", "[1, 2.5]", "\"(a)\"", "\"b\""};
    for (size_t i = 0; i < sizeof golds / sizeof *golds; i++) {
        json_t *gold = json_loads(golds[i], JSON_DECODE_ANY, NULL);
        for (int rule = MARK_LEGACY; rule <= MARK_CURRENT; rule++)
            check(mark_theoremqa((MarkRule)rule, text, gold) <= MARK_UNDECIDED);
        json_decref(gold);
    }
    for (int rule = MARK_LEGACY; rule <= MARK_CURRENT; rule++) {
        check(mark_reasoning((MarkRule)rule, text, text) != MARK_UNDECIDED);
        check(mark_reasoning((MarkRule)rule, text, span("-3")) <= MARK_RIGHT);
    }
    check(mark_exact(text, text) == MARK_RIGHT);
    check(mark_choice(text, text, span("a")) <= MARK_RAISES);
    check(mark_choice(span("b"), text, text) <= MARK_RAISES);
    check(wording_compare(text, text) != WORDING_DIFFERENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Span text = {(const char *)bytes, n};
    Arena arena = {0};
    Str lower = {0};
    PythonValue v = python_eval(&arena, text);
    walk(&v, 0);
    double real;
    if (python_float(&real, text)) {
        Str shown = {0};
        double back;
        python_repr_real(&shown, real);
        check(python_float(&back, str_span(&shown)) &&
              (memcmp(&back, &real, sizeof real) == 0 || back != back));
        str_drop(&shown);
    }
    python_lower(&lower, text);
    check(python_strip(text).n <= n);
    marks(text);
    str_drop(&lower);
    arena_drop(&arena);
    return 0;
}
