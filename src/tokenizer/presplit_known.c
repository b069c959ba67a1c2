/* The well-known pre-split patterns by hand.  Each function is its pattern read aloud; presplit_known_test.c
 * compares them with PCRE2 running the pattern itself. */
#include "tokenizer/presplit.h"
#include "tokenizer/unicode.h"

const char presplit_gpt2_pattern[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const char presplit_llama3_pattern[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,"
                                       "3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|"
                                       "\\s+(?!\\S)|\\s+";
const char presplit_qwen2_pattern[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "
                                      "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|"
                                      "\\s+(?!\\S)|\\s+";

/* Class and length of the character at text[at]; a byte outside UTF-8 is one OTHER. */
static inline CharClass class_at(const char *text, size_t at, size_t n, size_t *length)
{
    unsigned char b = (unsigned char)text[at];
    *length = 1;
    if (b < 128)
        return unicode_ascii_class[b];
    uint32_t c;
    int k = utf8_decode(&c, text + at, n - at);
    if (k == 0)
        return CLASS_OTHER;
    *length = (size_t)k;
    return unicode_class(c);
}

static inline size_t skip_class(const char *text, size_t at, size_t n, CharClass class)
{
    size_t length;
    while (at < n && class_at(text, at, n, &length) == class)
        at += length;
    return at;
}

/* `\s+(?!\S)|\s+` over the run [at, end): without its last character when something else follows. */
static size_t spaces_before(const char *text, size_t at, size_t end, size_t n)
{
    size_t last = at, length;
    if (end == n)
        return end;
    for (size_t i = at; i < end; i += length) {
        class_at(text, i, n, &length);
        last = i;
    }
    return last > at ? last : end;
}

/* 's|'t|'re|'ve|'m|'ll|'d : bytes behind the quote, 0 for none. */
static size_t contraction(const char *s, size_t n)
{
    if (n >= 1 && (s[0] == 's' || s[0] == 't' || s[0] == 'm' || s[0] == 'd'))
        return 1;
    if (n >= 2 &&
        ((s[0] == 'r' && s[1] == 'e') || (s[0] == 'v' && s[1] == 'e') || (s[0] == 'l' && s[1] == 'l')))
        return 2;
    return 0;
}

/* The same in either case; U+017F (long s) folds to s. */
static size_t contraction_any_case(const char *s, size_t n)
{
    char lower[2] = {0, 0};
    for (size_t i = 0; i < 2 && i < n; i++)
        lower[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] + 32 : s[i]);
    if (n >= 2 && s[0] == '\xC5' && s[1] == '\xBF')
        return 2;
    return contraction(lower, n < 2 ? n : 2);
}

static inline size_t gpt2(const char *text, size_t at, size_t n, bool lone_digits)
{
    size_t length, k;
    if (text[at] == '\'' && (k = contraction(text + at + 1, n - at - 1)) > 0)
        return at + 1 + k;
    CharClass class = class_at(text, at, n, &length);
    if (text[at] == ' ' && at + 1 < n) {
        size_t next_length;
        CharClass next = class_at(text, at + 1, n, &next_length);
        if (next != CLASS_SPACE && !(lone_digits && next == CLASS_NUMBER))
            return skip_class(text, at + 1 + next_length, n, next);
    }
    if (lone_digits && class == CLASS_NUMBER)
        return at + length;
    size_t end = skip_class(text, at + length, n, class);
    if (class != CLASS_SPACE)
        return end;
    if (lone_digits && end < n && class_at(text, end, n, &length) == CLASS_NUMBER)
        return end; /* the digit was cut off before: the run ends its stretch */
    return spaces_before(text, at, end, n);
}

static size_t gpt2_next(const char *text, size_t at, size_t n)
{
    return gpt2(text, at, n, false);
}

/* `\p{N}` isolated first, then GPT-2's pattern between the digits. */
static size_t starcoder_next(const char *text, size_t at, size_t n)
{
    return gpt2(text, at, n, true);
}

/* `\s*[\r\n]+` over the run [at, end): up to the last line end, 0 where there is none. */
static size_t through_line_end(const char *text, size_t at, size_t end)
{
    for (size_t i = end; i > at; i--)
        if (text[i - 1] == '\n' || text[i - 1] == '\r')
            return i;
    return 0;
}

static inline size_t llama3(const char *text, size_t at, size_t n, int digits)
{
    size_t length, next_length = 0, k;
    if (text[at] == '\'' && (k = contraction_any_case(text + at + 1, n - at - 1)) > 0)
        return at + 1 + k;
    CharClass class = class_at(text, at, n, &length), next = CLASS_OTHER;
    if (class == CLASS_LETTER)
        return skip_class(text, at + length, n, CLASS_LETTER);
    if (class == CLASS_NUMBER) {
        size_t end = at + length;
        for (int i = 1; i < digits && end < n && class_at(text, end, n, &length) == CLASS_NUMBER; i++)
            end += length;
        return end;
    }
    bool has_next = at + length < n;
    if (has_next)
        next = class_at(text, at + length, n, &next_length);
    if (has_next && next == CLASS_LETTER && text[at] != '\n' && text[at] != '\r')
        return skip_class(text, at + length + next_length, n, CLASS_LETTER);
    if (class == CLASS_OTHER || (text[at] == ' ' && has_next && next == CLASS_OTHER)) {
        size_t end = skip_class(text, at + length, n, CLASS_OTHER);
        while (end < n && (text[end] == '\n' || text[end] == '\r'))
            end++;
        return end;
    }
    size_t end = skip_class(text, at + length, n, CLASS_SPACE), lines = through_line_end(text, at, end);
    return lines ? lines : spaces_before(text, at, end, n);
}

static size_t llama3_next(const char *text, size_t at, size_t n)
{
    return llama3(text, at, n, 3);
}

static size_t qwen2_next(const char *text, size_t at, size_t n)
{
    return llama3(text, at, n, 1);
}

KnownNext *presplit_known(KnownSplit known)
{
    switch (known) {
    case KNOWN_GPT2: return gpt2_next;
    case KNOWN_STARCODER: return starcoder_next;
    case KNOWN_LLAMA3: return llama3_next;
    case KNOWN_QWEN2: return qwen2_next;
    default: return NULL;
    }
}
