/* Where the function's head ends and its inside begins is told by names, brackets and indentation: no
 * language is parsed.  What is refused by a compiler afterwards counts as the model's fault, so a doubtful
 * answer is left as it is. */
#include "eval/static/code_splice.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Names. ------------------------------------------------------------------------------------------------- */

static bool is_name_part(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* has_close_elements, hasCloseElements and HasCloseElements are one name. */
static bool same_name(Span a, Span b)
{
    size_t i = 0, j = 0;
    for (;;) {
        while (i < a.n && a.at[i] == '_')
            i++;
        while (j < b.n && b.at[j] == '_')
            j++;
        if (i == a.n || j == b.n)
            return i == a.n && j == b.n;
        if (tolower((unsigned char)a.at[i++]) != tolower((unsigned char)b.at[j++]))
            return false;
    }
}

/* "HumanEval_0_has_close_elements" -> "has_close_elements" */
static Span function_part(const char *name)
{
    const char *at = strchr(name, '_');
    at = at ? strchr(at + 1, '_') : NULL;
    return span(at ? at + 1 : name);
}

static bool next_name(Span s, size_t *at, Span *name)
{
    while (*at < s.n && !is_name_part(s.at[*at]))
        ++*at;
    size_t from = *at;
    while (*at < s.n && is_name_part(s.at[*at]))
        ++*at;
    *name = (Span){s.at + from, *at - from};
    return name->n > 0;
}

/* Heads. ------------------------------------------------------------------------------------------------- */

typedef struct {
    Span line;    /* that the function's name stands in           */
    size_t start; /* of the line, in its text                     */
    size_t after; /* behind the name, in its text                 */
    Span name;
    Span before; /* what stands in front of it, trimmed           */
} Head;

static Span trimmed_before(Span line, Span name)
{
    return span_trim((Span){line.at, (size_t)(name.at - line.at)});
}

/* The prompt ends in the head: the last line that has the name; in Haskell the first of those that begin with
 * it. */
static bool prompt_head(Span prompt, Span function, Head *h)
{
    size_t at = 0, start = 0;
    bool found = false, run = false;
    Span line, name;
    for (; code_line(prompt, &at, &line); start = at) {
        size_t i = 0;
        bool has = false, begins = false;
        while (next_name(line, &i, &name))
            if (same_name(name, function)) {
                begins = name.at == line.at;
                if (!(run && begins))
                    *h = (Head){line, start, start + i, name, trimmed_before(line, name)};
                has = found = true;
                break;
            }
        run = has && begins;
    }
    return found;
}

static Span last_word(Span s)
{
    size_t n = 0;
    while (n < s.n && is_name_part(s.at[s.n - 1 - n]))
        n++;
    return (Span){s.at + s.n - n, n};
}

static bool same(Span a, Span b)
{
    return a.n == b.n && memcmp(a.at, b.at, a.n) == 0;
}

static bool is_keyword(Span word)
{
    static const char *const words[] = {"def", "function", "fn", "func", "sub", "let"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (span_is(word, words[i]))
            return true;
    return false;
}

/* Is `before` what stands in front of a definition, where the prompt has h->before? */
static bool introduces(const Head *h, Span before, Span line)
{
    Span word = last_word(h->before), theirs = last_word(before);
    if (h->before.n == 0)
        return before.n == 0 ? code_indent(line) == 0 : span_is(before, "function");
    if (is_keyword(word))
        return same(word, theirs) || span_is(theirs, "rec") || span_is(theirs, "const");
    if (h->before.at[0] == '(') /* Lisp */
        return same(before, h->before);
    return before.n && (isalpha((unsigned char)before.at[0]) || before.at[0] == '_') &&
           !memchr(before.at, '=', before.n) && !memchr(before.at, '(', before.n) &&
           !span_starts(before, "return") && !span_ends(span_trim(line), ";");
}

static bool answer_head(Span answer, const Head *of, Head *h)
{
    size_t at = 0, start = 0;
    Span line, name;
    for (; code_line(answer, &at, &line); start = at) {
        size_t i = 0;
        while (next_name(line, &i, &name)) {
            if (!same(name, of->name))
                continue;
            Span before = trimmed_before(line, name);
            if (introduces(of, before, line)) {
                *h = (Head){line, start, start + i, name, before};
                return true;
            }
        }
    }
    return false;
}

/* Brackets. ---------------------------------------------------------------------------------------------- */

/* Where the bracket that opens at `at` is closed; s.n where it is not.  Texts between quotes are passed over,
 * a single quote that is not closed in its line (Rust's lifetimes) is none. */
static size_t closing(Span s, size_t at)
{
    char open = s.at[at], close = open == '(' ? ')' : '}';
    int depth = 0;
    for (size_t i = at; i < s.n; i++) {
        char c = s.at[i];
        if (c == '"' || c == '\'') {
            size_t j = i + 1;
            while (j < s.n && s.at[j] != c && s.at[j] != '\n')
                j += s.at[j] == '\\' ? 2 : 1;
            i = j < s.n && s.at[j] == c ? j : i;
        } else if (c == open) {
            depth++;
        } else if (c == close && --depth == 0) {
            return i;
        }
    }
    return s.n;
}

static size_t find(Span s, char c, size_t from)
{
    const char *at = from < s.n ? memchr(s.at + from, c, s.n - from) : NULL;
    return at ? (size_t)(at - s.at) : s.n;
}

/* What is between the braces of the function whose head is h: to the brace that closes it in the same line,
 * or to the first line that begins with one and stands no further in than the head.  Empty at: there are
 * none. */
static Span function_inside(Span answer, const Head *h)
{
    size_t at = find(answer, '(', h->after);
    at = at < answer.n ? closing(answer, at) : h->after;
    size_t open = find(answer, '{', at);
    if (open >= answer.n)
        return (Span){0};
    size_t close = closing(answer, open), line_end = find(answer, '\n', open), i = line_end + 1, from = i;
    if (close < line_end)
        return (Span){answer.at + open + 1, close - open - 1};
    Span line;
    for (; code_line(answer, &i, &line); from = i)
        if (code_indent(line) <= code_indent(h->line) && span_starts(span_trim(line), "}"))
            return (Span){answer.at + open + 1, from - open - 1};
    return (Span){answer.at + open + 1, answer.n - open - 1};
}

/* Lines in front. ---------------------------------------------------------------------------------------- */

static bool begins_with_any(Span line, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        if (span_starts(line, words[i]))
            return true;
    return false;
}

static bool is_import(Span line)
{
    static const char *const words[] = {"import ", "using ", "#include", "use ",     "from ", "require",
                                        "#lang",   "<?php",  "#!",       "package ", NULL};
    return begins_with_any(line, words);
}

static bool is_class(Span line)
{
    static const char *const words[] = {
        "class ",        "public class ",        "final class ", "public final class ",
        "static class ", "public static class ", "object ",      NULL};
    return begins_with_any(line, words) || span_is(line, "{");
}

static bool has_line(Span text, Span wanted)
{
    size_t at = 0;
    Span line;
    while (code_line(text, &at, &line))
        if (same(span_trim(line), wanted))
            return true;
    return false;
}

static void add_line(Str *out, Span line)
{
    str_add(out, line.at, line.n);
    str_addc(out, '\n');
}

typedef enum { FRONT_IMPORTS, FRONT_OTHERS } Front;

/* The lines in front of the answer's function that the prompt does not have, of one kind. */
static void add_front(Str *out, Span front, Span prompt, Front which)
{
    size_t at = 0;
    Span line;
    while (code_line(front, &at, &line)) {
        Span text = span_trim(line);
        bool import = is_import(text);
        if (import != (which == FRONT_IMPORTS) || (import && has_line(prompt, text)) || is_class(text))
            continue;
        add_line(out, line);
    }
}

/* Go wants imports in front of everything, each package once: those of the answer that the prompt does not
 * name. */
static Span go_imports(Str *out, Span answer, Span preamble)
{
    size_t at = 0, rest = 0;
    bool group = false;
    Span line;
    while (code_line(answer, &at, &line)) {
        Span text = span_trim(line);
        bool closing_group = group && span_starts(text, ")");
        if (!(text.n == 0 || group || span_starts(text, "package ") || span_starts(text, "import") ||
              span_starts(text, "//")))
            break;
        size_t quote = find(text, '"', 0);
        size_t end = find(text, '"', quote + 1);
        if (end < text.n && (group || span_starts(text, "import"))) {
            Span path = {text.at + quote, end + 1 - quote};
            if (!has_line(preamble, path))
                str_addf(out, "import %.*s\n", (int)path.n, path.at);
        }
        group = (group && !closing_group) || (span_starts(text, "import") && span_ends(text, "("));
        rest = at;
    }
    return (Span){answer.at + rest, answer.n - rest};
}

/* Rules. ------------------------------------------------------------------------------------------------- */

static void spliced(Str *out, const CodeSplice *c, Span answer, const Head *ours, const Head *theirs,
                    Span inside)
{
    Span front = {answer.at, theirs->start};
    bool in_class = code_indent(ours->line) > 0;
    if (in_class)
        add_front(out, front, c->prompt, FRONT_IMPORTS);
    str_add(out, c->prompt.at, ours->start);
    if (!in_class)
        add_front(out, front, c->prompt, FRONT_IMPORTS);
    add_front(out, front, c->prompt, FRONT_OTHERS);
    str_add(out, c->prompt.at + ours->start, c->prompt.n - ours->start);
    str_add(out, inside.at, inside.n);
}

static void whole(Str *out, const CodeSplice *c, Span answer, const Head *ours)
{
    Span preamble = {c->prompt.at, ours->start};
    str_add(out, preamble.at, preamble.n);
    if (strcmp(c->language, "go") == 0)
        answer = go_imports(out, answer, preamble);
    size_t at = 0;
    Span line;
    while (code_line(answer, &at, &line)) {
        Span text = span_trim(line);
        if (!(is_import(text) && has_line(preamble, text)) && !span_is(text, "?>"))
            add_line(out, line);
    }
}

/* How much of the answer is the prompt again; 0: it does not begin with it.  White space at its end may
 * differ. */
static size_t repeated(Span prompt, Span answer)
{
    size_t n = prompt.n;
    while (n && isspace((unsigned char)prompt.at[n - 1]))
        n--;
    if (n == 0 || answer.n < n || memcmp(answer.at, prompt.at, n) != 0)
        return 0;
    return answer.n > prompt.n && memcmp(answer.at, prompt.at, prompt.n) == 0 ? prompt.n : n;
}

static CodeRule continues(Str *out, const CodeSplice *c, Span answer, size_t known)
{
    Span cut = code_cut((Span){answer.at + known, answer.n - known}, c->stops, c->stops_n);
    size_t blank = known && known < c->prompt.n ? c->prompt.n - known : 0; /* the answer has its own */
    str_add(out, c->prompt.at, c->prompt.n - blank);
    str_add(out, cut.at, cut.n);
    return known ? CODE_REPEATS : CODE_CONTINUES;
}

CodeRule code_splice(Str *out, const CodeSplice *c, Span answer)
{
    Head ours = {0}, theirs = {0};
    char name[128];
    Span function = function_part(c->name);
    if (strcmp(c->language, "py") == 0) { /* whose docstrings stand behind the head, and name the function */
        snprintf(name, sizeof name, "%.*s", (int)function.n, function.at);
        return code_python_module(out, c->prompt, name, answer, c->plain, c->stops, c->stops_n);
    }
    size_t known = c->plain ? 0 : repeated(c->prompt, answer);
    if (c->plain || known)
        return continues(out, c, answer, known);
    if (!prompt_head(c->prompt, function, &ours) || !answer_head(answer, &ours, &theirs))
        return continues(out, c, answer, 0);
    if (!span_starts(span_trim(c->tests), "}")) {
        whole(out, c, answer, &ours);
        return CODE_WHOLE;
    }
    Span inside = function_inside(answer, &theirs);
    if (!inside.at)
        return continues(out, c, answer, 0);
    spliced(out, c, answer, &ours, &theirs, inside);
    return CODE_SPLICED;
}
