#include "eval/python_number.h"

#include <math.h>
#include <string.h>

static const PythonValue raises = {.kind = PYTHON_RAISES}, beyond = {.kind = PYTHON_BEYOND};

PythonValue python_int(int64_t whole)
{
    return (PythonValue){.kind = PYTHON_INT, .whole = whole, .real = (double)whole};
}

PythonValue python_bool(bool truth)
{
    return (PythonValue){.kind = PYTHON_BOOL, .whole = truth, .real = truth};
}

PythonValue python_real(double real)
{
    return (PythonValue){.kind = PYTHON_FLOAT, .real = real};
}

static PythonValue big(double real)
{
    return isfinite(real) ? (PythonValue){.kind = PYTHON_BIG, .real = real} : beyond;
}

static bool is_int(PythonValue v)
{
    return v.kind == PYTHON_INT || v.kind == PYTHON_BOOL;
}

bool python_is_number(const PythonValue *v)
{
    return v->kind >= PYTHON_BOOL && v->kind <= PYTHON_FLOAT;
}

static PythonValue int_power(int64_t a, int64_t b)
{
    if (b < 0)
        return a == 0 ? raises : python_real(pow((double)a, (double)b));
    int64_t result = 1;
    if (a == 0 || a == 1 || a == -1)
        return python_int(b == 0 ? 1 : a == -1 && b % 2 == 0 ? 1 : a);
    for (int64_t i = 0; i < b; i++)
        if (__builtin_mul_overflow(result, a, &result))
            return big(pow((double)a, (double)b));
    return python_int(result);
}

static int64_t floor_mod(int64_t a, int64_t b)
{
    int64_t mod = b == -1 ? 0 : a % b;
    return mod && (mod < 0) != (b < 0) ? mod + b : mod;
}

static PythonValue int_shift(int64_t a, int64_t b, bool left)
{
    if (b < 0)
        return raises;
    if (!left)
        return python_int(b > 63 ? (a < 0 ? -1 : 0) : a >> b);
    if (a == 0)
        return python_int(0);
    int64_t result;
    if (b > 62 || __builtin_mul_overflow(a, (int64_t)1 << b, &result))
        return big(ldexp((double)a, b > 2000 ? 2000 : (int)b));
    return python_int(result);
}

static PythonValue int_binary(Span op, int64_t a, int64_t b)
{
    int64_t r;
    if (span_is(op, "+"))
        return __builtin_add_overflow(a, b, &r) ? big((double)a + (double)b) : python_int(r);
    if (span_is(op, "-"))
        return __builtin_sub_overflow(a, b, &r) ? big((double)a - (double)b) : python_int(r);
    if (span_is(op, "*"))
        return __builtin_mul_overflow(a, b, &r) ? big((double)a * (double)b) : python_int(r);
    if (span_is(op, "**"))
        return int_power(a, b);
    if (span_is(op, "<<") || span_is(op, ">>"))
        return int_shift(a, b, op.at[0] == '<');
    if (span_is(op, "|"))
        return python_int(a | b);
    if (span_is(op, "&"))
        return python_int(a & b);
    if (span_is(op, "^"))
        return python_int(a ^ b);
    if (span_is(op, "@") || b == 0)
        return raises;
    if (span_is(op, "/"))
        return python_real((double)a / (double)b);
    if (span_is(op, "%"))
        return python_int(floor_mod(a, b));
    if (b == -1)
        return a == INT64_MIN ? big(-(double)a) : python_int(-a);
    return python_int((a - floor_mod(a, b)) / b);
}

/* CPython, Objects/floatobject.c, float_pow: a negative base to a broken power is complex. */
static PythonValue real_power(double a, double b)
{
    if (a == 0 && b < 0)
        return raises;
    if (isfinite(a) && isfinite(b) && a < 0 && b != floor(b))
        return (PythonValue){.kind = PYTHON_COMPLEX, .real = pow(-a, b) * cos(acos(-1) * b)};
    double r = pow(a, b);
    return isinf(r) && isfinite(a) && isfinite(b) ? raises : python_real(r);
}

/* _float_div_mod */
static PythonValue real_divide(double a, double b, bool want_mod)
{
    double mod = fmod(a, b), div = (a - mod) / b;
    if (mod != 0 && (b < 0) != (mod < 0)) {
        mod += b;
        div -= 1;
    }
    if (want_mod)
        return python_real(mod);
    double whole = floor(div);
    return python_real(div - whole > 0.5 ? whole + 1 : whole);
}

static PythonValue real_binary(Span op, double a, double b)
{
    if (span_is(op, "+"))
        return python_real(a + b);
    if (span_is(op, "-"))
        return python_real(a - b);
    if (span_is(op, "*"))
        return python_real(a * b);
    if (span_is(op, "**"))
        return real_power(a, b);
    if (!strchr("/%", op.at[0]) || b == 0)
        return raises;
    return span_is(op, "/") ? python_real(a / b) : real_divide(a, b, span_is(op, "%"));
}

/* With an int that does not fit: + - * / ** are near enough, digits of it are not to be had. */
static PythonValue big_binary(Span op, PythonValue a, PythonValue b)
{
    bool real = a.kind == PYTHON_FLOAT || b.kind == PYTHON_FLOAT || span_is(op, "/");
    if (span_is(op, "@") || (strchr("|&^<>", op.at[0]) && real))
        return raises;
    if (!strchr("+-*/", op.at[0]) || span_is(op, "//") || (span_is(op, "**") && b.kind == PYTHON_BIG))
        return beyond;
    PythonValue v = real_binary(op, a.real, b.real);
    return v.kind == PYTHON_FLOAT && !real && !(span_is(op, "**") && b.real < 0) ? big(v.real) : v;
}

static PythonValue joined(Arena *arena, PythonValue a, PythonValue b)
{
    if (a.kind == PYTHON_STR)
        return (PythonValue){.kind = PYTHON_STR};
    PythonValue *items = arena_alloc(arena, (a.n + b.n + 1) * sizeof *items);
    for (size_t i = 0; i < a.n + b.n; i++)
        items[i] = i < a.n ? a.items[i] : b.items[i - a.n];
    return (PythonValue){.kind = a.kind, .items = items, .n = a.n + b.n};
}

static bool is_sequence(PythonValue v)
{
    return v.kind == PYTHON_STR || v.kind == PYTHON_LIST || v.kind == PYTHON_TUPLE;
}

static PythonValue other_binary(Arena *arena, Span op, PythonValue a, PythonValue b)
{
    bool unknown =
        a.kind == PYTHON_OTHER || b.kind == PYTHON_OTHER || a.kind == PYTHON_SET || b.kind == PYTHON_SET;
    if (unknown || (span_is(op, "%") && a.kind == PYTHON_STR))
        return beyond;
    if (span_is(op, "+") && a.kind == b.kind && is_sequence(a))
        return joined(arena, a, b);
    if (span_is(op, "*") && ((is_sequence(a) && is_int(b)) || (is_sequence(b) && is_int(a))))
        return beyond;
    return raises;
}

static bool is_complex_or_number(PythonValue v)
{
    return v.kind == PYTHON_COMPLEX || python_is_number(&v);
}

PythonValue python_binary(Arena *arena, Span op, PythonValue a, PythonValue b)
{
    if (a.kind <= PYTHON_BEYOND || b.kind <= PYTHON_BEYOND)
        return beyond;
    if (!is_complex_or_number(a) || !is_complex_or_number(b))
        return other_binary(arena, op, a, b);
    if (a.kind == PYTHON_COMPLEX || b.kind == PYTHON_COMPLEX) {
        if (!span_is(op, "+") && !span_is(op, "-"))
            return beyond;
        return (PythonValue){.kind = PYTHON_COMPLEX,
                             .real = op.at[0] == '+' ? a.real + b.real : a.real - b.real};
    }
    if (a.kind == PYTHON_BIG || b.kind == PYTHON_BIG)
        return big_binary(op, a, b);
    if (is_int(a) && is_int(b)) {
        PythonValue v = int_binary(op, a.whole, b.whole);
        bool logical = a.kind == PYTHON_BOOL && b.kind == PYTHON_BOOL && strchr("|&^", op.at[0]);
        return logical ? python_bool(v.whole != 0) : v;
    }
    return real_binary(op, a.real, b.real);
}

PythonValue python_unary(char op, PythonValue a)
{
    if (a.kind <= PYTHON_BEYOND)
        return beyond;
    if (!is_complex_or_number(a) || (op == '~' && (a.kind == PYTHON_FLOAT || a.kind == PYTHON_COMPLEX)))
        return raises;
    if (op == '~')
        return is_int(a) ? python_int(~a.whole) : beyond;
    if (is_int(a)) {
        if (op == '-' && a.whole == INT64_MIN)
            return big(-a.real);
        return python_int(op == '-' ? -a.whole : a.whole);
    }
    a.real = op == '-' ? -a.real : a.real;
    return a;
}

PythonValue python_compare(Span op, PythonValue a, PythonValue b)
{
    if (!python_is_number(&a) || !python_is_number(&b))
        return beyond;
    bool exact = is_int(a) && is_int(b);
    bool less = exact ? a.whole < b.whole : a.real < b.real,
         equal = exact ? a.whole == b.whole : a.real == b.real;
    bool more = exact ? a.whole > b.whole : a.real > b.real;
    if (op.n == 1)
        return python_bool(op.at[0] == '<' ? less : more);
    if (op.at[0] == '=' || op.at[0] == '!')
        return python_bool(op.at[0] == '=' ? equal : !equal);
    return python_bool(equal || (op.at[0] == '<' ? less : more));
}
