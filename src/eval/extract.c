#define PCRE2_CODE_UNIT_WIDTH 8
#include "eval/extract.h"

#include <pcre2.h>
#include <pthread.h>
#include <string.h>

#include "agent/python_text.h"
#include "base/check.h"

/* Patterns. ---------------------------------------------------------------------------------------------- */

typedef enum {
    RE_STRICT,
    RE_SENTENCE,
    RE_FLEXIBLE,
    RE_LEMUR_NUMBER,
    RE_COMMA,
    RE_DIGITS,
    RE_BBH_HARNESS,
    RE_LEMUR_DOT,
    RE_LEMUR_CHAT,
    RE_BRACKETED,
    RE_CHOICE_SAID,
    RE_CHOICE_FIRST,
    RE_CHOICE_BRACKETED,
    RE_CHOICE_WORD,
    RE_COUNT
} Pattern;

/* Those before the choices' are of the sources named in the header.  Choices are taken among A to Z and
 * looked at afterwards. */
static const char *const patterns[RE_COUNT] = {
    [RE_STRICT] = "#### (-?[0-9.,]+)",
    [RE_SENTENCE] = "The answer is (-?[0-9.,]+).",
    [RE_FLEXIBLE] = "(-?[$0-9.,]{2,})|(-?[0-9]+)",
    [RE_LEMUR_NUMBER] = "[-+]?\\d*\\.\\d+|\\d+",
    [RE_COMMA] = "(\\d),(\\d)",
    [RE_DIGITS] = "\\A-?[0-9.,]+",
    [RE_BBH_HARNESS] = "(?<=the answer is )(.*)(?=.)",
    [RE_LEMUR_DOT] = "(.*?)\\.",
    [RE_LEMUR_CHAT] = "So the answer is (.*?)\\.",
    [RE_BRACKETED] = "\\(\\w\\)",
    [RE_CHOICE_SAID] = ("(?i)\\banswer(?:\\s+is)?\\s*:?\\s*(?:(?:option|choice)\\s+)?"
                        "[*(\\[\"']*(?-i:([A-Z]))(?![\\p{L}\\p{N}])"),
    [RE_CHOICE_FIRST] = "\\A\\s*[*(\\[\"']*([A-Z])(?:[*)\\]\".,:]|'(?!\\p{L})|[^\\S\\n]*(?:\\n|\\z))",
    [RE_CHOICE_BRACKETED] = "\\(([A-Z])\\)",
    [RE_CHOICE_WORD] = "(?<![\\p{L}\\p{N}'])(?!A +\\p{Ll})([A-Z])(?![\\p{L}\\p{N}'])",
};

static pcre2_code *compiled[RE_COUNT];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A line ends with "\n" alone, and \d and \w are Unicode's, as for Python's re. */
static void compile_all(void)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    check(context && pcre2_set_newline(context, PCRE2_NEWLINE_LF) == 0);
    for (int i = 0; i < RE_COUNT; i++) {
        int code;
        PCRE2_SIZE at;
        compiled[i] = pcre2_compile((PCRE2_SPTR)patterns[i], PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP,
                                    &code, &at, context);
        check(compiled[i]);
    }
    pcre2_compile_context_free(context);
}

/* A text as PCRE2 is shown it, checked once and not for each match: in the place of each byte that is no
 * UTF-8 stands a control character, so that offsets are those of the text. */
typedef struct {
    Span text;
    Str copy; /* empty where the text is valid */
} Subject;

static Subject subject_of(Span text)
{
    Subject s = {.text = text};
    if (!text.n || utf8_valid(text.at, text.n))
        return s;
    for (size_t at = 0; at < text.n;) {
        uint32_t c;
        int n = utf8_decode(&c, text.at + at, text.n - at);
        if (n)
            str_add(&s.copy, text.at + at, (size_t)n);
        else
            str_addc(&s.copy, '\x01');
        at += n ? (size_t)n : 1;
    }
    return s;
}

/* The first match at or after `from`: all of it, and its first group that took part and is not empty, or all
 * of it again where there is none; both in the text.  Text that costs too much to search (PCRE2's match
 * limit) has no match. */
static bool find(Pattern p, const Subject *s, size_t from, Span *whole, Span *group)
{
    const char *seen = s->copy.n ? s->copy.at : s->text.n ? s->text.at : "";
    pthread_once(&once, compile_all);
    pcre2_match_data *m = pcre2_match_data_create_from_pattern(compiled[p], NULL);
    check(m);
    int rc = pcre2_match(compiled[p], (PCRE2_SPTR)seen, s->text.n, from, PCRE2_NO_UTF_CHECK, m, NULL);
    if (rc > 0) {
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(m);
        *whole = *group = (Span){s->text.at + at[0], at[1] - at[0]};
        for (int i = 1; i < rc; i++)
            if (at[2 * i] != PCRE2_UNSET && at[2 * i + 1] > at[2 * i]) {
                *group = (Span){s->text.at + at[2 * i], at[2 * i + 1] - at[2 * i]};
                break;
            }
    }
    pcre2_match_data_free(m);
    return rc > 0;
}

static bool find_once(Pattern p, Span text, Span *whole, Span *group)
{
    Subject s = subject_of(text);
    bool found = find(p, &s, 0, whole, group);
    str_drop(&s.copy);
    return found;
}

static size_t end_of(const Subject *s, Span match)
{
    return (size_t)(match.at - s->text.at) + match.n;
}

/* None of the patterns for which it is asked matches the empty text. */
static bool find_last(Pattern p, Span *out, Span text)
{
    Subject s = subject_of(text);
    Span whole, group;
    bool any = false;
    for (size_t from = 0; find(p, &s, from, &whole, &group); any = true) {
        *out = python_strip(group);
        from = end_of(&s, whole);
    }
    str_drop(&s.copy);
    return any;
}

static bool find_first(Pattern p, Span *out, Span text)
{
    Span whole, group;
    if (!find_once(p, text, &whole, &group))
        return false;
    *out = python_strip(group);
    return true;
}

/* GSM8K. ------------------------------------------------------------------------------------------------- */

bool extract_gsm8k_strict(Span *out, Span text)
{
    return find_first(RE_STRICT, out, text);
}

bool extract_gsm8k_sentence(Span *out, Span text)
{
    return find_first(RE_SENTENCE, out, text);
}

bool extract_gsm8k_flexible(Span *out, Span text)
{
    return find_last(RE_FLEXIBLE, out, text);
}

/* re.sub(r"(\d),(\d)", r"\1\2", text): matches do not overlap, so that "1,2,3" keeps its second comma. */
static void drop_commas(Str *out, Span text)
{
    Subject s = subject_of(text);
    Span whole, group;
    size_t at = 0;
    while (find(RE_COMMA, &s, at, &whole, &group)) {
        size_t comma = end_of(&s, group);
        str_add(out, text.at + at, comma - at);
        at = end_of(&s, whole);
        str_add(out, text.at + comma + 1, at - comma - 1);
    }
    if (at < text.n)
        str_add(out, text.at + at, text.n - at);
    str_drop(&s.copy);
}

bool extract_gsm8k_lemur(Str *out, Span text)
{
    Str plain = {0};
    Span number;
    drop_commas(&plain, text);
    bool found = find_last(RE_LEMUR_NUMBER, &number, str_span(&plain));
    if (!found)
        number = str_span(&plain);
    if (number.n)
        str_add(out, number.at, number.n);
    str_drop(&plain);
    return found;
}

bool extract_gsm8k_marker(Str *out, Span text, const char *marker)
{
    Span after = python_after_last(text, marker), number, group;
    if (!python_in(span(marker), text) || !find_once(RE_DIGITS, after, &number, &group))
        return false;
    for (size_t i = 0; i < number.n; i++)
        if (number.at[i] != ',')
            str_addc(out, number.at[i]);
    return true;
}

static void gsm8k_plain(Str *out, Span s)
{
    Str bare = {0};
    s = python_after_last(s, "#### ");
    for (size_t i = 0; i < s.n; i++)
        if (s.at[i] != ',' && s.at[i] != '$')
            str_addc(&bare, s.at[i]);
    if (span_ends(str_span(&bare), "."))
        bare.n--;
    python_lower(out, str_span(&bare));
    str_drop(&bare);
}

static void folded(Str *out, Span s)
{
    Str bare = {0};
    for (size_t i = 0; i < s.n; i++)
        if (!s.at[i] || !strchr("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", s.at[i]))
            str_addc(&bare, s.at[i]);
    python_lower(out, str_span(&bare));
    str_drop(&bare);
}

static bool same(void (*made)(Str *, Span), Span a, Span b)
{
    Str x = {0}, y = {0};
    made(&x, a);
    made(&y, b);
    bool equal = x.n == y.n && memcmp(str_c(&x), str_c(&y), x.n) == 0;
    str_drop(&x);
    str_drop(&y);
    return equal;
}

bool exact_gsm8k(Span answer, Span gold)
{
    return same(gsm8k_plain, answer, gold);
}

/* BIG-Bench Hard. ---------------------------------------------------------------------------------------- */

static Span up_to(Span s, const char *mark)
{
    size_t at = python_find(s, span(mark), 0);
    return (Span){s.at, at < s.n ? at : s.n};
}

bool extract_bbh_published(Span *out, Span text)
{
    static const char mark[] = "the answer is ";
    size_t at = python_find(text, span(mark), 0), n = strlen(mark);
    if (at > text.n)
        return false;
    Span line = python_strip(up_to((Span){text.at + at + n, text.n - at - n}, "\n"));
    if (span_ends(line, "."))
        line.n--;
    *out = line;
    return true;
}

bool extract_bbh_harness(Span *out, Span text)
{
    return find_first(RE_BBH_HARNESS, out, text);
}

static bool has(Span s, char c)
{
    return s.n && memchr(s.at, c, s.n);
}

bool extract_bbh_lemur(Span *out, Span text)
{
    Span paragraph = python_strip(up_to(python_strip(text), "\n\n")), whole, bracketed;
    size_t dot = 0;
    bool found = find_once(RE_LEMUR_DOT, paragraph, &whole, out);
    if (found) { /* group 1, also where it is empty */
        dot = whole.n - 1;
        *out = python_strip((Span){whole.at, dot});
    } else {
        *out = paragraph;
    }
    if (has(*out, '(') && has(*out, ')') && !has(*out, '[') && !has(*out, ']') &&
        find_once(RE_BRACKETED, *out, &whole, &bracketed))
        *out = whole;
    return found;
}

bool extract_bbh_lemur_chat(Span *out, Span text)
{
    static const char mark[] = "So the answer is ";
    Span whole, group;
    bool found = find_once(RE_LEMUR_CHAT, text, &whole, &group);
    size_t n = strlen(mark);
    *out = python_strip(found ? (Span){whole.at + n, whole.n - n - 1} : text);
    return found;
}

bool exact_folded(Span answer, Span gold)
{
    return same(folded, answer, gold);
}

/* Multiple choice. --------------------------------------------------------------------------------------- */

static bool find_letter(Pattern p, const Subject *s, char *letter, int choices)
{
    Span whole, group;
    for (size_t from = 0; find(p, s, from, &whole, &group); from = end_of(s, whole))
        if (group.at[0] < 'A' + choices) {
            *letter = group.at[0];
            return true;
        }
    return false;
}

bool extract_choice(char *letter, Span text, int choices)
{
    check(choices >= 1 && choices <= 26);
    Subject s = subject_of(text);
    bool found = false;
    for (int p = RE_CHOICE_SAID; p <= RE_CHOICE_WORD && !found; p++)
        found = find_letter((Pattern)p, &s, letter, choices);
    str_drop(&s.copy);
    return found;
}

Span extract_first_line(Span text)
{
    return python_strip(up_to(text, "\n"));
}
