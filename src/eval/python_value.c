/* A reader of Python's expressions, one pass, values as it goes.  Grammar:
 * docs.python.org/3.11/reference/expressions. */
#include "eval/python_value.h"

#include <string.h>

#include "base/array.h"
#include "eval/python_literal.h"
#include "eval/python_names.h"
#include "eval/python_number.h"

enum { DEPTH_MAX = 150 }; /* below CPython's own limit of 200 brackets */

typedef Array(PythonValue) Values;

static PythonValue read_test(PythonReader *p);

/* A word that stands for a value. */
static PythonValue read_name(PythonReader *p, Span word)
{
    if (python_is_among(word, python_binding_words))
        return python_give_up(p);
    if (python_is_among(word, python_statement_words))
        return python_break_off(p);
    p->at += word.n;
    if (span_is(word, "True") || span_is(word, "False"))
        return python_bool(word.n == 4);
    if (span_is(word, "None") || python_is_among(word, python_known_names))
        return python_other;
    return python_is_among(word, python_local_names) || span_ends(word, "Error") ||
                   span_ends(word, "Exception")
               ? python_beyond
               : python_fails(p);
}

static PythonValue kept(PythonReader *p, PythonKind kind, Values *values)
{
    for (size_t i = 0; kind == PYTHON_SET && i < values->n; i++)
        if (values->at[i].kind == PYTHON_BEYOND)
            return python_beyond; /* perhaps equal to another */
    PythonValue *items = arena_alloc(p->arena, (values->n + 1) * sizeof *items);
    size_t n = 0;
    for (size_t i = 0; i < values->n; i++) {
        bool known = false;
        for (size_t j = 0; kind == PYTHON_SET && j < n; j++)
            known = known || (python_is_number(&items[j]) && python_is_number(&values->at[i]) &&
                              items[j].real == values->at[i].real);
        if (!known)
            items[n++] = values->at[i];
    }
    return (PythonValue){.kind = kind, .items = items, .n = n};
}

/* At `close`, which is taken; NULL: at the end of the line. */
static bool closed(PythonReader *p, const char *close)
{
    if (close)
        return python_take(p, close);
    python_skip_space(p);
    return p->at == p->end || *p->at == '\n' || *p->at == '\r';
}

/* After an item: whether another may follow. */
static bool comma_follows(PythonReader *p, const char *close, bool *comma)
{
    if (python_take_word(p, "for") || python_take_word(p, "async") || python_take(p, ":=")) {
        if (close)
            python_give_up(p);
        else
            python_break_off(p);
        return false;
    }
    if (python_take(p, ",")) {
        *comma = true;
        return true;
    }
    if (close && !python_take(p, close))
        python_break_off(p);
    return false;
}

/* Items between commas, after those that *values has, up to `close`; *comma tells whether a comma stood
 * there. */
static void read_items(PythonReader *p, Values *values, const char *close, bool *comma)
{
    *comma = false;
    while (!python_stopped(p) && (!values->n || comma_follows(p, close, comma)) && !closed(p, close)) {
        if (python_take(p, "*"))
            python_give_up(p);
        else
            array_push(values, read_test(p));
    }
}

static PythonValue read_group(PythonReader *p, const char *close)
{
    Values values = {0};
    bool comma;
    read_items(p, &values, close, &comma);
    PythonValue v = python_beyond;
    if (!python_stopped(p)) {
        if (*close == ']')
            v = kept(p, PYTHON_LIST, &values);
        else if (values.n == 1 && !comma)
            v = values.at[0];
        else
            v = kept(p, PYTHON_TUPLE, &values);
    }
    array_drop(&values);
    return v;
}

/* After "{": a set, or a dict, whose content nobody asks for. */
static PythonValue read_braces(PythonReader *p)
{
    if (python_take(p, "}"))
        return python_other;
    if (python_operator_at(p).n == 2 && *p->at == '*')
        return python_give_up(p);
    PythonValue first = python_take(p, "*") ? python_give_up(p) : read_test(p);
    if (python_stopped(p))
        return python_beyond;
    if (!python_take(p, ":")) {
        Values values = {0};
        bool comma, hashable = true;
        array_push(&values, first);
        read_items(p, &values, "}", &comma);
        for (size_t i = 0; i < values.n; i++)
            hashable = hashable && values.at[i].kind != PYTHON_LIST && values.at[i].kind != PYTHON_SET;
        PythonValue set = python_stopped(p) ? python_beyond
                          : hashable        ? kept(p, PYTHON_SET, &values)
                                            : python_fails(p);
        array_drop(&values);
        return set;
    }
    if (first.kind == PYTHON_LIST || first.kind == PYTHON_SET)
        python_fails(p);
    read_test(p);
    while (!python_stopped(p) && python_take(p, ",") && python_next_char(p) != '}') {
        read_test(p);
        if (!python_take(p, ":"))
            return python_take(p, "**") ? python_give_up(p) : python_break_off(p);
        read_test(p);
    }
    if (python_take_word(p, "for"))
        return python_give_up(p);
    return python_stopped(p) || python_take(p, "}") ? python_other : python_break_off(p);
}

static PythonValue read_atom(PythonReader *p)
{
    Span op = python_operator_at(p);
    if (p->at == p->end)
        return python_break_off(p);
    bool point = *p->at == '.' && p->end - p->at > 1 && python_is_digit(p->at[1]);
    if (python_is_digit(*p->at) || point)
        return python_read_number(p);
    if (python_quote_at(p))
        return python_read_strings(p);
    Span word = python_word_at(p);
    if (word.n)
        return read_name(p, word);
    if (span_is(op, "...")) {
        p->at += 3;
        return python_other;
    }
    if (op.n != 1 || !strchr("([{", *op.at))
        return python_break_off(p);
    p->at++;
    p->brackets++;
    PythonValue v = *op.at == '{' ? read_braces(p) : read_group(p, *op.at == '(' ? ")" : "]");
    p->brackets--;
    return v;
}

static bool can_be_used(PythonValue v)
{
    return v.kind == PYTHON_BEYOND || v.kind == PYTHON_OTHER;
}

/* After "(": arguments, whose values do not matter. */
static PythonValue read_call(PythonReader *p, PythonValue callee)
{
    while (!python_stopped(p) && !python_take(p, ")")) {
        if (!python_take(p, "**"))
            python_take(p, "*");
        const char *start = p->at;
        python_skip_space(p);
        Span word = python_word_at(p);
        p->at += word.n;
        if (!word.n || !python_take(p, "="))
            p->at = start;
        read_test(p);
        if (python_take_word(p, "for") || python_take_word(p, "async") || python_take(p, ":="))
            return python_give_up(p);
        if (!python_take(p, ",") && python_next_char(p) != ')')
            return python_break_off(p);
        if (p->at == p->end)
            return python_break_off(p);
    }
    return can_be_used(callee) ? python_beyond : python_fails(p);
}

/* After "[": an index or a slice. */
static PythonValue read_index(PythonReader *p, PythonValue base)
{
    bool any = false;
    while (!python_stopped(p) && !python_take(p, "]")) {
        if (!python_take(p, ":") && !python_take(p, ",")) {
            if (p->at == p->end)
                return python_break_off(p);
            read_test(p);
            if (python_take_word(p, "for"))
                return python_give_up(p);
            Span op = python_operator_at(p);
            if (!op.n || !strchr(":,]", *op.at))
                return python_break_off(p);
        }
        any = true;
    }
    if (!any)
        return python_break_off(p);
    return python_is_number(&base) || base.kind == PYTHON_COMPLEX ? python_fails(p) : python_beyond;
}

static PythonValue read_primary(PythonReader *p)
{
    PythonValue v = read_atom(p);
    while (!python_stopped(p)) {
        Span op = python_operator_at(p);
        if (op.n != 1 || !strchr("([.", *op.at))
            return v;
        p->at++;
        if (*op.at == '.') {
            python_skip_space(p);
            Span word = python_word_at(p);
            p->at += word.n;
            v = word.n && !python_is_among(word, python_statement_words) ? python_beyond
                                                                         : python_break_off(p);
            continue;
        }
        p->brackets++;
        v = *op.at == '(' ? read_call(p, v) : read_index(p, v);
        p->brackets--;
    }
    return python_beyond;
}

static PythonValue read_unary(PythonReader *p)
{
    if (++p->depth > DEPTH_MAX)
        return python_give_up(p);
    PythonValue v;
    Span op = python_operator_at(p);
    if (op.n == 1 && strchr("+-~", *op.at)) {
        p->at++;
        v = python_noted(p, python_unary(*op.at, read_unary(p)));
    } else {
        v = read_primary(p);
        Span power = python_operator_at(p);
        if (!python_stopped(p) && python_take(p, "**"))
            v = python_noted(p, python_binary(p->arena, power, v, read_unary(p)));
    }
    p->depth--;
    return v;
}

static int level_of(Span op)
{
    static const char *const levels[] = {"|", "^", "&", "<< >>", "+ -", "* / // % @"};
    for (int i = 0; op.n && i < 6; i++)
        for (const char *s = levels[i]; *s; s += strcspn(s, " "), s += *s == ' ')
            if (strcspn(s, " ") == op.n && !memcmp(s, op.at, op.n))
                return i + 1;
    return 0;
}

static PythonValue read_binary(PythonReader *p, int level)
{
    PythonValue v = read_unary(p);
    while (!python_stopped(p)) {
        Span op = python_operator_at(p);
        int found = level_of(op);
        if (!found || found < level)
            return v;
        p->at += op.n;
        v = python_noted(p, python_binary(p->arena, op, v, read_binary(p, found + 1)));
    }
    return python_beyond;
}

static bool take_comparison(PythonReader *p, Span *op)
{
    static const char *const marks[] = {"<", ">", "<=", ">=", "==", "!=", NULL};
    *op = python_operator_at(p);
    if (op->n && python_is_among(*op, marks)) {
        p->at += op->n;
        return true;
    }
    *op = (Span){p->at, 0};
    const char *start = p->at;
    if (python_take_word(p, "in"))
        return true;
    if (python_take_word(p, "is"))
        return python_take_word(p, "not"), true;
    if (python_take_word(p, "not") && python_take_word(p, "in"))
        return true;
    p->at = start;
    return false;
}

/* 1 true, 0 false, -1 not known. */
static int truth(PythonValue v)
{
    if (python_is_number(&v))
        return v.real != 0;
    if (v.kind == PYTHON_STR)
        return v.text.at ? v.text.n > 0 : -1;
    return v.kind >= PYTHON_LIST && v.kind <= PYTHON_SET ? v.n > 0 : -1;
}

/* a < b < c is a < b and b < c, with b asked once. */
static PythonValue read_comparison(PythonReader *p)
{
    PythonValue v = read_binary(p, 1), left = v;
    Span op;
    int asked = 1; /* as truth: have all links so far been true? */
    while (!python_stopped(p) && take_comparison(p, &op)) {
        p->unasked += asked != 1;
        PythonValue right = read_binary(p, 1);
        p->unasked -= asked != 1;
        if (asked == 1)
            v = op.n ? python_compare(op, left, right) : python_beyond;
        asked = asked == 1 ? truth(v) : asked;
        left = right;
    }
    return asked < 0 ? python_beyond : v;
}

static PythonValue read_not(PythonReader *p)
{
    if (!python_take_word(p, "not"))
        return read_comparison(p);
    if (++p->depth > DEPTH_MAX)
        return python_give_up(p);
    int t = truth(read_not(p));
    p->depth--;
    return t < 0 ? python_beyond : python_bool(!t);
}

/* `and` (deciding = 0) or `or` (deciding = 1). */
static PythonValue read_logical(PythonReader *p, int deciding)
{
    PythonValue v = deciding ? read_logical(p, 0) : read_not(p);
    while (!python_stopped(p) && python_take_word(p, deciding ? "or" : "and")) {
        int t = truth(v);
        p->unasked += t < 0 || t == deciding;
        PythonValue right = deciding ? read_logical(p, 0) : read_not(p);
        p->unasked -= t < 0 || t == deciding;
        v = t < 0 ? python_beyond : t == deciding ? v : right;
    }
    return v;
}

static PythonValue read_test(PythonReader *p)
{
    if (++p->depth > DEPTH_MAX)
        return python_give_up(p);
    bool raised = p->raised;
    PythonValue v = read_logical(p, 1);
    if (!python_stopped(p) && python_take_word(p, "if")) {
        bool first_raised = p->raised;
        p->raised = raised;
        int t = truth(read_logical(p, 1));
        if (!python_stopped(p) && !python_take_word(p, "else"))
            python_break_off(p);
        p->unasked += t != 0;
        PythonValue last = python_stopped(p) ? python_beyond : read_test(p);
        p->unasked -= t != 0;
        p->raised = p->raised || (t == 1 && first_raised);
        v = t < 0 ? python_beyond : t ? v : last;
    }
    p->depth--;
    return v;
}

/* Nothing but empty lines and comments may follow. */
static bool at_end(PythonReader *p)
{
    p->brackets++;
    python_skip_space(p);
    p->brackets--;
    return p->at == p->end;
}

PythonValue python_eval(Arena *arena, Span text)
{
    PythonReader p = {.arena = arena, .at = text.at, .end = text.at + text.n};
    Values values = {0};
    bool comma;
    while (p.at < p.end && (*p.at == ' ' || *p.at == '\t'))
        p.at++;
    at_end(&p); /* empty lines before are nothing, too */
    read_items(&p, &values, NULL, &comma);
    if (!python_stopped(&p) && (!at_end(&p) || !values.n))
        python_break_off(&p);
    PythonValue v = {.kind = PYTHON_BEYOND};
    if (p.broken || (p.raised && !p.beyond))
        v.kind = PYTHON_RAISES;
    else if (!p.beyond)
        v = values.n == 1 && !comma ? values.at[0] : kept(&p, PYTHON_TUPLE, &values);
    array_drop(&values);
    return v;
}
