/* A reader of Python's expressions, one pass, values as it goes.  Grammar:
 * docs.python.org/3.11/reference/expressions.
 *
 * Three flags end in two answers.  `broken` (no expression) and `raised` (evaluating it raises) are both
 * PYTHON_RAISES, so which comes first does not matter; `beyond` (a construct whose names are bound inside it)
 * gives up at once.  What may not be evaluated (the right side of a decided `and`, the other side of an `if`)
 * is read with `unasked`, where nothing raises. */
#include "eval/python_value.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "eval/python_names.h"
#include "eval/python_number.h"

enum { DEPTH_MAX = 150 }; /* below CPython's own limit of 200 brackets */

typedef struct {
    Arena *arena;
    const char *at, *end;
    int brackets, depth, unasked;
    bool broken, beyond, raised;
} Parser;

typedef Array(PythonValue) Values;

static const PythonValue beyond = {.kind = PYTHON_BEYOND}, other = {.kind = PYTHON_OTHER};

static PythonValue read_test(Parser *p);

static bool stopped(const Parser *p)
{
    return p->broken || p->beyond;
}

static PythonValue break_off(Parser *p)
{
    if (!p->beyond)
        p->broken = true;
    return beyond;
}

static PythonValue give_up(Parser *p)
{
    if (!p->broken)
        p->beyond = true;
    return beyond;
}

/* A value that an operation gave; PYTHON_RAISES is noted and goes on as unknown. */
static PythonValue noted(Parser *p, PythonValue v)
{
    if (v.kind != PYTHON_RAISES)
        return v;
    if (!p->unasked)
        p->raised = true;
    return beyond;
}

static PythonValue fails(Parser *p)
{
    return noted(p, (PythonValue){.kind = PYTHON_RAISES});
}

static void skip_space(Parser *p)
{
    while (p->at < p->end) {
        if (strchr(" \t\f", *p->at) && *p->at)
            p->at++;
        else if (p->brackets && (*p->at == '\n' || *p->at == '\r'))
            p->at++;
        else if (*p->at == '\\' && p->end - p->at > 1 && p->at[1] == '\n')
            p->at += 2;
        else if (*p->at == '#')
            while (p->at < p->end && *p->at != '\n')
                p->at++;
        else
            return;
    }
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (c & 0x80);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static Span word_at(const Parser *p)
{
    size_t n = 0;
    if (p->at < p->end && is_name_char(*p->at) && !is_digit(*p->at))
        while (p->at + n < p->end && is_name_char(p->at[n]))
            n++;
    return (Span){p->at, n};
}

static bool take_word(Parser *p, const char *word)
{
    skip_space(p);
    Span w = word_at(p);
    if (!span_is(w, word))
        return false;
    p->at += w.n;
    return true;
}

static Span operator_at(Parser *p)
{
    static const char *const operators[] = {
        "**=", "//=", ">>=", "<<=", "...", "**", "//", ">>", "<<", "<=", ">=", "==", "!=", "->", "+=", "-=",
        "*=",  "/=",  "%=",  "&=",  "|=",  "^=", "@=", ":=", "+",  "-",  "*",  "/",  "%",  "@",  "&",  "|",
        "^",   "~",   "<",   ">",   "(",   ")",  "[",  "]",  "{",  "}",  ",",  ":",  ".",  ";",  "="};
    skip_space(p);
    Span rest = {p->at, (size_t)(p->end - p->at)};
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (span_starts(rest, operators[i]))
            return (Span){p->at, strlen(operators[i])};
    return (Span){p->at, 0};
}

static char next_char(Parser *p)
{
    skip_space(p);
    return p->at < p->end ? *p->at : 0;
}

static bool take(Parser *p, const char *op)
{
    Span o = operator_at(p);
    if (!span_is(o, op))
        return false;
    p->at += o.n;
    return true;
}

static bool is_among(Span word, const char *const *words)
{
    for (; *words; words++)
        if (span_is(word, *words))
            return true;
    return false;
}

/* A word that stands for a value. */
static PythonValue read_name(Parser *p, Span word)
{
    if (is_among(word, python_binding_words))
        return give_up(p);
    if (is_among(word, python_statement_words))
        return break_off(p);
    p->at += word.n;
    if (span_is(word, "True") || span_is(word, "False"))
        return python_bool(word.n == 4);
    if (span_is(word, "None") || is_among(word, python_known_names))
        return other;
    return is_among(word, python_local_names) || span_ends(word, "Error") || span_ends(word, "Exception")
               ? beyond
               : fails(p);
}

/* Digits of the base, single underscores between them, without these into *out. */
static void take_digits(Parser *p, Str *out, const char *digits)
{
    while (p->at < p->end && *p->at && strchr(digits, *p->at)) {
        str_addc(out, *p->at++);
        if (p->end - p->at > 1 && *p->at == '_' && p->at[1] && strchr(digits, p->at[1]))
            p->at++;
    }
}

/* The value of a literal of digits in the base. */
static PythonValue whole_literal(const Str *digits, int base)
{
    int64_t whole = 0;
    double real = 0;
    bool fits = true;
    for (size_t i = 0; i < digits->n; i++) {
        int d = is_digit(digits->at[i]) ? digits->at[i] - '0' : (digits->at[i] | 0x20) - 'a' + 10;
        fits =
            fits && !__builtin_mul_overflow(whole, base, &whole) && !__builtin_add_overflow(whole, d, &whole);
        real = real * base + d;
    }
    if (fits)
        return python_int(whole);
    return (PythonValue){.kind = real < 1e300 ? PYTHON_BIG : PYTHON_BEYOND, .real = real};
}

static PythonValue read_based(Parser *p, Str *digits)
{
    char mark = p->at[1] | 0x20;
    const char *all = mark == 'x' ? "0123456789abcdefABCDEF" : mark == 'o' ? "01234567" : "01";
    p->at += 2;
    if (p->at < p->end && *p->at == '_')
        p->at++;
    take_digits(p, digits, all);
    return digits->n ? whole_literal(digits, mark == 'x' ? 16 : mark == 'o' ? 8 : 2) : break_off(p);
}

/* Takes "e", "e+", "e-" where digits follow. */
static bool take_exponent(Parser *p, Str *text)
{
    ptrdiff_t left = p->end - p->at;
    if (left < 2 || (*p->at | 0x20) != 'e')
        return false;
    bool sign = p->at[1] == '+' || p->at[1] == '-';
    if (!(sign ? left > 2 && is_digit(p->at[2]) : is_digit(p->at[1])))
        return false;
    str_add(text, p->at, sign ? 2 : 1);
    p->at += sign ? 2 : 1;
    take_digits(p, text, "0123456789");
    return true;
}

static PythonValue read_decimal(Parser *p, Str *text)
{
    bool real = false;
    take_digits(p, text, "0123456789");
    bool zero_first = text->n > 1 && text->at[0] == '0';
    if (p->at < p->end && *p->at == '.') {
        real = true;
        str_addc(text, *p->at++);
        take_digits(p, text, "0123456789");
    }
    real = take_exponent(p, text) || real;
    if (p->at < p->end && (*p->at | 0x20) == 'j') {
        p->at++;
        return (PythonValue){.kind = PYTHON_COMPLEX};
    }
    if (real)
        return python_real(strtod(str_c(text), NULL));
    return zero_first && strspn(text->at, "0") < text->n ? break_off(p) : whole_literal(text, 10);
}

static PythonValue read_number(Parser *p)
{
    Str text = {0};
    bool based = p->end - p->at > 1 && *p->at == '0' && p->at[1] && strchr("xXoObB", p->at[1]);
    PythonValue v = based ? read_based(p, &text) : read_decimal(p, &text);
    str_drop(&text);
    Span word = p->at < p->end && is_name_char(*p->at) ? word_at(p) : (Span){p->at, 0};
    bool glued = p->at < p->end && is_name_char(*p->at) && !is_among(word, python_operator_words);
    return glued ? break_off(p) : v;
}

/* Where a string literal's quote stands when one begins here, else NULL. */
static const char *quote_at(const Parser *p)
{
    const char *q = p->at;
    while (q < p->end && q - p->at < 2 && *q && strchr("rRbBuUfF", *q))
        q++;
    return q < p->end && (*q == '\'' || *q == '"') ? q : NULL;
}

static PythonValue read_string(Parser *p)
{
    const char *q = quote_at(p);
    bool raw = false, bytes = false, format = false, escapes = false;
    for (; p->at < q; p->at++) {
        raw = raw || (*p->at | 0x20) == 'r';
        bytes = bytes || (*p->at | 0x20) == 'b';
        format = format || (*p->at | 0x20) == 'f';
    }
    bool triple = p->end - q > 2 && q[1] == *q && q[2] == *q;
    const char *from = q + (triple ? 3 : 1);
    for (p->at = from; p->at < p->end; p->at++) {
        if (*p->at == '\\') {
            escapes = !raw;
            p->at++;
        } else if (*p->at == '\n' && !triple) {
            return break_off(p);
        } else if (*p->at == *q && (!triple || (p->end - p->at > 2 && p->at[1] == *q && p->at[2] == *q))) {
            Span text = {from, (size_t)(p->at - from)};
            p->at += triple ? 3 : 1;
            if (format)
                return beyond;
            return bytes ? other
                         : (PythonValue){.kind = PYTHON_STR, .text = {escapes ? NULL : text.at, text.n}};
        }
    }
    return break_off(p);
}

/* Literals side by side are one. */
static PythonValue read_strings(Parser *p)
{
    PythonValue v = read_string(p);
    for (skip_space(p); !stopped(p) && quote_at(p); skip_space(p)) {
        PythonValue next = read_string(p);
        if ((v.kind == PYTHON_OTHER) != (next.kind == PYTHON_OTHER))
            return break_off(p); /* bytes beside text */
        v = v.kind == next.kind ? (PythonValue){.kind = v.kind} : beyond;
    }
    return v;
}

static PythonValue kept(Parser *p, PythonKind kind, Values *values)
{
    for (size_t i = 0; kind == PYTHON_SET && i < values->n; i++)
        if (values->at[i].kind == PYTHON_BEYOND)
            return beyond; /* perhaps equal to another */
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
static bool closed(Parser *p, const char *close)
{
    if (close)
        return take(p, close);
    skip_space(p);
    return p->at == p->end || *p->at == '\n' || *p->at == '\r';
}

/* After an item: whether another may follow. */
static bool comma_follows(Parser *p, const char *close, bool *comma)
{
    if (take_word(p, "for") || take_word(p, "async") || take(p, ":=")) {
        if (close)
            give_up(p);
        else
            break_off(p);
        return false;
    }
    if (take(p, ",")) {
        *comma = true;
        return true;
    }
    if (close && !take(p, close))
        break_off(p);
    return false;
}

/* Items between commas, after those that *values has, up to `close`; *comma tells whether a comma stood
 * there. */
static void read_items(Parser *p, Values *values, const char *close, bool *comma)
{
    *comma = false;
    while (!stopped(p) && (!values->n || comma_follows(p, close, comma)) && !closed(p, close)) {
        if (take(p, "*"))
            give_up(p);
        else
            array_push(values, read_test(p));
    }
}

static PythonValue read_group(Parser *p, const char *close)
{
    Values values = {0};
    bool comma;
    read_items(p, &values, close, &comma);
    PythonValue v = beyond;
    if (!stopped(p)) {
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
static PythonValue read_braces(Parser *p)
{
    if (take(p, "}"))
        return other;
    if (operator_at(p).n == 2 && *p->at == '*')
        return give_up(p);
    PythonValue first = take(p, "*") ? give_up(p) : read_test(p);
    if (stopped(p))
        return beyond;
    if (!take(p, ":")) {
        Values values = {0};
        bool comma, hashable = true;
        array_push(&values, first);
        read_items(p, &values, "}", &comma);
        for (size_t i = 0; i < values.n; i++)
            hashable = hashable && values.at[i].kind != PYTHON_LIST && values.at[i].kind != PYTHON_SET;
        PythonValue set = stopped(p) ? beyond : hashable ? kept(p, PYTHON_SET, &values) : fails(p);
        array_drop(&values);
        return set;
    }
    if (first.kind == PYTHON_LIST || first.kind == PYTHON_SET)
        fails(p);
    read_test(p);
    while (!stopped(p) && take(p, ",") && next_char(p) != '}') {
        read_test(p);
        if (!take(p, ":"))
            return take(p, "**") ? give_up(p) : break_off(p);
        read_test(p);
    }
    if (take_word(p, "for"))
        return give_up(p);
    return stopped(p) || take(p, "}") ? other : break_off(p);
}

static PythonValue read_atom(Parser *p)
{
    Span op = operator_at(p);
    if (p->at == p->end)
        return break_off(p);
    bool point = *p->at == '.' && p->end - p->at > 1 && is_digit(p->at[1]);
    if (is_digit(*p->at) || point)
        return read_number(p);
    if (quote_at(p))
        return read_strings(p);
    Span word = word_at(p);
    if (word.n)
        return read_name(p, word);
    if (span_is(op, "...")) {
        p->at += 3;
        return other;
    }
    if (op.n != 1 || !strchr("([{", *op.at))
        return break_off(p);
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
static PythonValue read_call(Parser *p, PythonValue callee)
{
    while (!stopped(p) && !take(p, ")")) {
        if (!take(p, "**"))
            take(p, "*");
        const char *start = p->at;
        skip_space(p);
        Span word = word_at(p);
        p->at += word.n;
        if (!word.n || !take(p, "="))
            p->at = start;
        read_test(p);
        if (take_word(p, "for") || take_word(p, "async") || take(p, ":="))
            return give_up(p);
        if (!take(p, ",") && next_char(p) != ')')
            return break_off(p);
        if (p->at == p->end)
            return break_off(p);
    }
    return can_be_used(callee) ? beyond : fails(p);
}

/* After "[": an index or a slice. */
static PythonValue read_index(Parser *p, PythonValue base)
{
    bool any = false;
    while (!stopped(p) && !take(p, "]")) {
        if (!take(p, ":") && !take(p, ",")) {
            if (p->at == p->end)
                return break_off(p);
            read_test(p);
            if (take_word(p, "for"))
                return give_up(p);
            Span op = operator_at(p);
            if (!op.n || !strchr(":,]", *op.at))
                return break_off(p);
        }
        any = true;
    }
    if (!any)
        return break_off(p);
    return python_is_number(&base) || base.kind == PYTHON_COMPLEX ? fails(p) : beyond;
}

static PythonValue read_primary(Parser *p)
{
    PythonValue v = read_atom(p);
    while (!stopped(p)) {
        Span op = operator_at(p);
        if (op.n != 1 || !strchr("([.", *op.at))
            return v;
        p->at++;
        if (*op.at == '.') {
            skip_space(p);
            Span word = word_at(p);
            p->at += word.n;
            v = word.n && !is_among(word, python_statement_words) ? beyond : break_off(p);
            continue;
        }
        p->brackets++;
        v = *op.at == '(' ? read_call(p, v) : read_index(p, v);
        p->brackets--;
    }
    return beyond;
}

static PythonValue read_unary(Parser *p)
{
    if (++p->depth > DEPTH_MAX)
        return give_up(p);
    PythonValue v;
    Span op = operator_at(p);
    if (op.n == 1 && strchr("+-~", *op.at)) {
        p->at++;
        v = noted(p, python_unary(*op.at, read_unary(p)));
    } else {
        v = read_primary(p);
        Span power = operator_at(p);
        if (!stopped(p) && take(p, "**"))
            v = noted(p, python_binary(p->arena, power, v, read_unary(p)));
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

static PythonValue read_binary(Parser *p, int level)
{
    PythonValue v = read_unary(p);
    while (!stopped(p)) {
        Span op = operator_at(p);
        int found = level_of(op);
        if (!found || found < level)
            return v;
        p->at += op.n;
        v = noted(p, python_binary(p->arena, op, v, read_binary(p, found + 1)));
    }
    return beyond;
}

static bool take_comparison(Parser *p, Span *op)
{
    static const char *const marks[] = {"<", ">", "<=", ">=", "==", "!=", NULL};
    *op = operator_at(p);
    if (op->n && is_among(*op, marks)) {
        p->at += op->n;
        return true;
    }
    *op = (Span){p->at, 0};
    const char *start = p->at;
    if (take_word(p, "in"))
        return true;
    if (take_word(p, "is"))
        return take_word(p, "not"), true;
    if (take_word(p, "not") && take_word(p, "in"))
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
static PythonValue read_comparison(Parser *p)
{
    PythonValue v = read_binary(p, 1), left = v;
    Span op;
    int asked = 1; /* as truth: have all links so far been true? */
    while (!stopped(p) && take_comparison(p, &op)) {
        p->unasked += asked != 1;
        PythonValue right = read_binary(p, 1);
        p->unasked -= asked != 1;
        if (asked == 1)
            v = op.n ? python_compare(op, left, right) : beyond;
        asked = asked == 1 ? truth(v) : asked;
        left = right;
    }
    return asked < 0 ? beyond : v;
}

static PythonValue read_not(Parser *p)
{
    if (!take_word(p, "not"))
        return read_comparison(p);
    if (++p->depth > DEPTH_MAX)
        return give_up(p);
    int t = truth(read_not(p));
    p->depth--;
    return t < 0 ? beyond : python_bool(!t);
}

/* `and` (deciding = 0) or `or` (deciding = 1). */
static PythonValue read_logical(Parser *p, int deciding)
{
    PythonValue v = deciding ? read_logical(p, 0) : read_not(p);
    while (!stopped(p) && take_word(p, deciding ? "or" : "and")) {
        int t = truth(v);
        p->unasked += t < 0 || t == deciding;
        PythonValue right = deciding ? read_logical(p, 0) : read_not(p);
        p->unasked -= t < 0 || t == deciding;
        v = t < 0 ? beyond : t == deciding ? v : right;
    }
    return v;
}

static PythonValue read_test(Parser *p)
{
    if (++p->depth > DEPTH_MAX)
        return give_up(p);
    bool raised = p->raised;
    PythonValue v = read_logical(p, 1);
    if (!stopped(p) && take_word(p, "if")) {
        bool first_raised = p->raised;
        p->raised = raised;
        int t = truth(read_logical(p, 1));
        if (!stopped(p) && !take_word(p, "else"))
            break_off(p);
        p->unasked += t != 0;
        PythonValue last = stopped(p) ? beyond : read_test(p);
        p->unasked -= t != 0;
        p->raised = p->raised || (t == 1 && first_raised);
        v = t < 0 ? beyond : t ? v : last;
    }
    p->depth--;
    return v;
}

/* Nothing but empty lines and comments may follow. */
static bool at_end(Parser *p)
{
    p->brackets++;
    skip_space(p);
    p->brackets--;
    return p->at == p->end;
}

PythonValue python_eval(Arena *arena, Span text)
{
    Parser p = {.arena = arena, .at = text.at, .end = text.at + text.n};
    Values values = {0};
    bool comma;
    while (p.at < p.end && (*p.at == ' ' || *p.at == '\t'))
        p.at++;
    at_end(&p); /* empty lines before are nothing, too */
    read_items(&p, &values, NULL, &comma);
    if (!stopped(&p) && (!at_end(&p) || !values.n))
        break_off(&p);
    PythonValue v = {.kind = PYTHON_BEYOND};
    if (p.broken || (p.raised && !p.beyond))
        v.kind = PYTHON_RAISES;
    else if (!p.beyond)
        v = values.n == 1 && !comma ? values.at[0] : kept(&p, PYTHON_TUPLE, &values);
    array_drop(&values);
    return v;
}
