#include "eval/wording.h"

#include <string.h>

/* Each line is one complaint in its versions' words.  '*' stands for the same text in all of them. */
enum { VERSIONS = 3, LONGEST = 4096 /* an observation is cut before */ };
static const char *const rewordings[][VERSIONS] = {
    {"UnboundLocalError: local variable '*' referenced before assignment",
     "UnboundLocalError: cannot access local variable '*' where it is not associated with a value"},
    {"NameError: free variable '*' referenced before assignment in enclosing scope",
     "NameError: cannot access free variable '*' where it is not associated with a value in enclosing scope"},
    {"ZeroDivisionError: integer division or modulo by zero", "ZeroDivisionError: integer modulo by zero",
     "ZeroDivisionError: division by zero"},
    {"ZeroDivisionError: float divmod()", "ZeroDivisionError: float floor division by zero",
     "ZeroDivisionError: float modulo"},
    {"ZeroDivisionError: float modulo", "ZeroDivisionError: float modulo by zero"},
    {"TypeError: can't convert complex to float", "TypeError: must be real number, not complex",
     "TypeError: float() argument must be a string or a real number, not 'complex'"},
    {"TypeError: can't convert complex to int",
     "TypeError: int() argument must be a string, a bytes-like object or a real number, not 'complex'"},
    {"TypeError: float() argument must be a string or a number, not '*'",
     "TypeError: float() argument must be a string or a real number, not '*'"},
    {"TypeError: int() argument must be a string, a bytes-like object or a number, not '*'",
     "TypeError: int() argument must be a string, a bytes-like object or a real number, not '*'"},
    {"TypeError: can't multiply sequence by non-int of type '*'",
     "TypeError: cannot multiply sequence by non-int of type '*'"},
    {"TypeError: 'type' object is not subscriptable", "TypeError: type '*' is not subscriptable"},
    {"ValueError: too many values to unpack (expected *)",
     "ValueError: too many values to unpack (expected *, got *)"},
    {"ValueError: Exceeds the limit (*) for integer string conversion*",
     "ValueError: Exceeds the limit (* digits) for integer string conversion*"},
    {"ImportError: cannot import name '*' from '*' (*)", "ImportError: cannot import name '*' from '*' (*)"},
    {"RecursionError: maximum recursion depth exceeded*",
     "RecursionError: maximum recursion depth exceeded*"},
};

/* Does `text` follow `pattern`?  What the first star stands for goes to *star. */
static bool follows(Span text, const char *pattern, Span *star)
{
    const char *hole = strchr(pattern, '*');
    size_t head = hole ? (size_t)(hole - pattern) : strlen(pattern);
    if (text.n < head || memcmp(text.at, pattern, head) != 0)
        return false;
    if (!hole)
        return text.n == head;
    Span inner, rest = {text.at + head, text.n - head};
    for (size_t n = 0; n <= rest.n; n++)
        if (follows((Span){rest.at + n, rest.n - n}, hole + 1, &inner)) {
            *star = (Span){rest.at, n};
            return true;
        }
    return false;
}

static bool equal(Span a, Span b)
{
    return a.n == b.n && memcmp(a.at, b.at, a.n) == 0;
}

/* The versions' first holes hold the same, where both have one; those of paths and depths are not asked. */
static bool one_complaint(const char *const *versions, Span a, Span b)
{
    for (int i = 0; i < VERSIONS && versions[i]; i++)
        for (int k = 0; k < VERSIONS && versions[k]; k++) {
            Span in_a = {NULL, 0}, in_b = {NULL, 0};
            if (!follows(a, versions[i], &in_a) || !follows(b, versions[k], &in_b))
                continue;
            bool asked = strchr(versions[i], '*') && strchr(versions[k], '*') &&
                         !span_starts(a, "RecursionError") && !span_starts(a, "ValueError");
            if (!asked || equal(in_a, in_b))
                return true;
        }
    return false;
}

static bool is_syntax(Span line)
{
    return span_starts(line, "SyntaxError: ") || span_starts(line, "IndentationError: ") ||
           span_starts(line, "TabError: ");
}

/* 3.10 names a method by its class in "TypeError: A.add() missing 1 required positional argument"; before, by
 * itself.  The line from the function's name on; empty where it is no such line. */
static Span from_name(Span line, bool *qualified)
{
    Span head = span("TypeError: ");
    const char *call = span_starts(line, head.at) ? memmem(line.at, line.n, "() ", 3) : NULL;
    if (!call || memchr(line.at + head.n, ' ', (size_t)(call - line.at) - head.n))
        return (Span){NULL, 0};
    const char *name = call;
    while (name > line.at + head.n && name[-1] != '.')
        name--;
    *qualified = name > line.at + head.n;
    return (Span){name, (size_t)(line.at + line.n - name)};
}

Wording wording_compare(Span a, Span b)
{
    bool a_qualified = false, b_qualified = false;
    if (equal(a, b))
        return WORDING_EQUAL;
    if (a.n > LONGEST || b.n > LONGEST)
        return WORDING_DIFFERENT;
    if (is_syntax(a) && is_syntax(b))
        return WORDING_REWORDED;
    Span call_a = from_name(a, &a_qualified), call_b = from_name(b, &b_qualified);
    if (call_a.n && a_qualified != b_qualified && equal(call_a, call_b))
        return WORDING_REWORDED;
    for (size_t i = 0; i < sizeof rewordings / sizeof rewordings[0]; i++)
        if (one_complaint(rewordings[i], a, b))
            return WORDING_REWORDED;
    return WORDING_DIFFERENT;
}
