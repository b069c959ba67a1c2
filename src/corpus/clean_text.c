/* Rules for prose: the quality rules of Gopher (Rae et al. 2021, arXiv:2112.11446, A1.1) and its rules about
 * repetition (table A1 there), all numbers as they stand there, and one rule of C4's.  What the papers leave
 * open is ours: a word is what stands between white space; stop words are counted once each, whatever their
 * case; lines count when they hold more than white space; a paragraph ends at an empty line; bullets are
 * those of begins_with_bullet; shares of repetition are of the bytes, where Gopher counts characters, in
 * lines, paragraphs or words. */
#include <string.h>
#include <xxhash.h>

#include "corpus/clean.h"

#define GOPHER "Gopher, arXiv:2112.11446, A1.1"
#define GOPHER_A1 "Gopher, arXiv:2112.11446, table A1"
#define C4 "C4, arXiv:1910.10683, 2.2"

static const Field text_fields[] = {
    F_INT(CleanText, min_words, 50, 0, 1e12, "words"),
    F_INT(CleanText, max_words, 100000, 1, 1e12, "words"),
    F_INT(CleanText, min_stop_words, 2, 0, 8, "different words of: the be to of and that have with"),
    F_FLOAT(CleanText, min_word_length, 3, 0, 1e9, "mean characters of a word"),
    F_FLOAT(CleanText, max_word_length, 10, 1, 1e9, "mean characters of a word"),
    F_FLOAT(CleanText, max_symbols_per_word, 0.1, 0, 1e9, "'#' or ellipses, each over words"),
    F_FLOAT(CleanText, max_bullet_lines, 0.9, 0, 1, "share of lines that begin with a bullet"),
    F_FLOAT(CleanText, max_ellipsis_lines, 0.3, 0, 1, "share of lines that end in an ellipsis"),
    F_FLOAT(CleanText, min_alphabetic_words, 0.8, 0, 1, "share of words that hold a letter"),
    F_FLOAT(CleanText, max_repeated_lines, 0.3, 0, 1, "share of lines that stood before"),
    F_FLOAT(CleanText, max_repeated_line_bytes, 0.2, 0, 1, "share of bytes in such lines"),
    F_FLOAT(CleanText, max_repeated_paragraphs, 0.3, 0, 1, "share of paragraphs that stood before"),
    F_FLOAT(CleanText, max_repeated_paragraph_bytes, 0.2, 0, 1, "share of bytes in such paragraphs"),
    F_FLOAT(CleanText, max_top_2gram, 0.2, 0, 1, "share of bytes in the commonest 2 words in a row"),
    F_FLOAT(CleanText, max_top_3gram, 0.18, 0, 1, "the same of 3"),
    F_FLOAT(CleanText, max_top_4gram, 0.16, 0, 1, "the same of 4"),
    F_FLOAT(CleanText, max_repeated_5gram, 0.15, 0, 1,
            "share of bytes in 5 words in a row that stood before"),
    F_FLOAT(CleanText, max_repeated_10gram, 0.1, 0, 1, "the same of 10"),
    F_BOOL(CleanText, lorem_ipsum, true, "drop what holds \"lorem ipsum\""),
};
const FieldTable clean_text_table = FIELD_TABLE(text_fields);

enum {
    FEW_WORDS,
    MANY_WORDS,
    WORD_LENGTH,
    SYMBOLS,
    BULLETS,
    ELLIPSES,
    FEW_ALPHABETIC,
    STOP_WORDS,
    LOREM_IPSUM,
    REPEATED_LINES,
    REPEATED_PARAGRAPHS,
    TOP_NGRAM,
    REPEATED_NGRAMS,
    RULES
};
const CleanRule clean_text_rules[] = {
    [FEW_WORDS] = {"text_few_words", "fewer than min_words", GOPHER},
    [MANY_WORDS] = {"text_many_words", "more than max_words", GOPHER},
    [WORD_LENGTH] = {"text_word_length", "mean word length outside min_word_length .. max_word_length",
                     GOPHER},
    [SYMBOLS] = {"text_symbols", "more than max_symbols_per_word", GOPHER},
    [BULLETS] = {"text_bullet_lines", "more than max_bullet_lines", GOPHER},
    [ELLIPSES] = {"text_ellipsis_lines", "more than max_ellipsis_lines", GOPHER},
    [FEW_ALPHABETIC] = {"text_few_alphabetic_words", "fewer than min_alphabetic_words", GOPHER},
    [STOP_WORDS] = {"text_few_stop_words", "fewer than min_stop_words (English only)", GOPHER},
    [LOREM_IPSUM] = {"text_lorem_ipsum", "a printer's filler", C4},
    [REPEATED_LINES] = {"text_repeated_lines", "over max_repeated_lines or max_repeated_line_bytes",
                        GOPHER_A1},
    [REPEATED_PARAGRAPHS] = {"text_repeated_paragraphs", "over max_repeated_paragraphs or their bytes",
                             GOPHER_A1},
    [TOP_NGRAM] = {"text_top_ngram", "over max_top_2gram, 3gram or 4gram", GOPHER_A1},
    [REPEATED_NGRAMS] = {"text_repeated_ngrams", "over max_repeated_5gram .. 10gram", GOPHER_A1},
};
const int clean_text_rules_n = RULES;
_Static_assert(sizeof clean_text_rules / sizeof clean_text_rules[0] == RULES, "one entry a rule");

void clean_scratch_drop(CleanScratch *s)
{
    array_drop(&s->hashes);
    array_drop(&s->ends);
    array_drop(&s->keys);
    array_drop(&s->counts);
}

/* Counting ----------------------------------------------------------------------------------------------- */

/* Empties the table and makes it large enough for n keys at half load. */
static void table_start(CleanScratch *s, size_t n)
{
    size_t size = 64;
    while (size < 2 * n)
        size *= 2;
    array_clear(&s->keys);
    array_clear(&s->counts);
    array_reserve(&s->keys, size);
    array_reserve(&s->counts, size);
    s->keys.n = s->counts.n = size;
    memset(s->counts.at, 0, size * sizeof *s->counts.at);
}

/* Counts a key; returns how often it was seen, this time included. */
static uint32_t table_count(CleanScratch *s, uint64_t key)
{
    size_t mask = s->keys.n - 1, at = (size_t)key & mask;
    while (s->counts.at[at] && s->keys.at[at] != key)
        at = (at + 1) & mask;
    s->keys.at[at] = key;
    return ++s->counts.at[at];
}

/* Words and lines ---------------------------------------------------------------------------------------- */

typedef struct {
    size_t words, characters, bytes, alphabetic, hashes, ellipses; /* over words */
    unsigned stop_words;                                           /* a bit each */
    size_t lines, bullets, ellipsis_lines;
} TextMeasures;

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static unsigned stop_word(const char *s, size_t n)
{
    static const char *const words[] = {"the", "be", "to", "of", "and", "that", "have", "with"};
    if (n < 2 || n > 4)
        return 0;
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == n && strncasecmp(words[i], s, n) == 0)
            return 1u << i;
    return 0;
}

static void word_measure(TextMeasures *m, CleanScratch *s, const char *word, size_t n)
{
    bool letter = false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)word[i];
        m->characters += (c & 0xC0) != 0x80;
        letter |= (unsigned)((c | 32) - 'a') < 26 || c >= 128;
        m->hashes += c == '#';
    }
    for (const char *dots = word; (dots = memmem(dots, n - (size_t)(dots - word), "...", 3)); dots += 3)
        m->ellipses++;
    if (memmem(word, n, "\xE2\x80\xA6", 3))
        m->ellipses++;
    m->words++;
    m->bytes += n;
    m->alphabetic += letter;
    m->stop_words |= stop_word(word, n);
    array_push(&s->hashes, XXH3_64bits(word, n));
    array_push(&s->ends, (uint32_t)m->bytes);
}

static void words_measure(TextMeasures *m, CleanScratch *s, Span text)
{
    array_clear(&s->hashes);
    array_clear(&s->ends);
    for (size_t i = 0; i < text.n;) {
        while (i < text.n && is_blank(text.at[i]))
            i++;
        size_t start = i;
        while (i < text.n && !is_blank(text.at[i]))
            i++;
        if (i > start)
            word_measure(m, s, text.at + start, i - start);
    }
}

/* The next line at *at, trimmed. */
static bool line_next(Span text, size_t *at, Span *line)
{
    if (*at >= text.n)
        return false;
    const char *newline = memchr(text.at + *at, '\n', text.n - *at);
    size_t n = newline ? (size_t)(newline - text.at) - *at : text.n - *at;
    *line = span_trim((Span){text.at + *at, n});
    *at += n + 1;
    return true;
}

static bool begins_with_bullet(Span line)
{
    return span_starts(line, "- ") || span_starts(line, "* ") ||
           span_starts(line, "\xE2\x80\xA2") /* bullet */ || span_starts(line, "\xE2\x80\xA3") ||
           span_starts(line, "\xC2\xB7") || span_starts(line, "=item *");
}

static void lines_measure(TextMeasures *m, Span text)
{
    Span line;
    for (size_t at = 0; line_next(text, &at, &line);) {
        if (!line.n)
            continue;
        m->lines++;
        m->bullets += begins_with_bullet(line);
        m->ellipsis_lines += span_ends(line, "...") || span_ends(line, "\xE2\x80\xA6");
    }
}

/* Repetition --------------------------------------------------------------------------------------------- */

static bool exceeds(size_t part, double share, size_t whole)
{
    return (double)part > share * (double)whole;
}

static bool lines_repeat(const CleanText *c, CleanScratch *s, Span text, size_t lines)
{
    size_t bytes = 0, repeated = 0, repeated_bytes = 0;
    Span line;
    table_start(s, lines);
    for (size_t at = 0; line_next(text, &at, &line);) {
        if (!line.n)
            continue;
        bytes += line.n;
        if (table_count(s, XXH3_64bits(line.at, line.n)) > 1) {
            repeated++;
            repeated_bytes += line.n;
        }
    }
    return exceeds(repeated, c->max_repeated_lines, lines) ||
           exceeds(repeated_bytes, c->max_repeated_line_bytes, bytes);
}

/* A paragraph ends at an empty line. */
static bool paragraphs_repeat(const CleanText *c, CleanScratch *s, Span text, size_t lines)
{
    size_t n = 0, bytes = 0, repeated = 0, repeated_bytes = 0, at = 0, length = 0;
    XXH64_hash_t hash = 0;
    Span line = {0};
    table_start(s, lines + 1);
    for (bool more = true; more;) {
        more = line_next(text, &at, &line);
        if (more && line.n) {
            hash = XXH3_64bits_withSeed(line.at, line.n, hash);
            length += line.n;
        } else if (length) {
            bool again = table_count(s, hash) > 1;
            n++;
            bytes += length;
            repeated += again;
            repeated_bytes += again ? length : 0;
            hash = length = 0;
        }
    }
    return exceeds(repeated, c->max_repeated_paragraphs, n) ||
           exceeds(repeated_bytes, c->max_repeated_paragraph_bytes, bytes);
}

static uint64_t ngram_hash(const uint64_t *words, size_t n)
{
    uint64_t h = 0;
    for (size_t i = 0; i < n; i++)
        h = (h ^ words[i]) * UINT64_C(0x9E3779B97F4A7C15) + (h >> 29);
    return h ^ (h >> 32);
}

static size_t ngram_bytes(const CleanScratch *s, size_t first, size_t n)
{
    return s->ends.at[first + n - 1] - (first ? s->ends.at[first - 1] : 0);
}

static bool top_ngram_exceeds(CleanScratch *s, size_t n, double share, size_t bytes)
{
    size_t words = s->hashes.n, best = 0;
    if (words < n)
        return false;
    table_start(s, words);
    for (size_t i = 0; i + n <= words; i++) {
        size_t times = table_count(s, ngram_hash(s->hashes.at + i, n));
        size_t covered = times > 1 ? times * ngram_bytes(s, i, n) : 0;
        best = covered > best ? covered : best;
    }
    return exceeds(best, share, bytes);
}

/* Bytes of words that lie in an n-gram which stood before, each word counted once. */
static bool repeated_ngrams_exceed(CleanScratch *s, size_t n, double share, size_t bytes)
{
    size_t words = s->hashes.n, covered = 0, counted_to = 0;
    if (words < n)
        return false;
    table_start(s, words);
    for (size_t i = 0; i + n <= words; i++) {
        if (table_count(s, ngram_hash(s->hashes.at + i, n)) < 2)
            continue;
        size_t from = i > counted_to ? i : counted_to;
        covered += ngram_bytes(s, from, i + n - from);
        counted_to = i + n;
    }
    return exceeds(covered, share, bytes);
}

/* The thresholds between 5 and 10 words lie on a line in Gopher's table, too: 0.15, 0.14, ... 0.10. */
static bool ngrams_repeat(const CleanText *c, CleanScratch *s, size_t bytes)
{
    for (size_t n = 5; n <= 10; n++) {
        double share =
            c->max_repeated_5gram + (c->max_repeated_10gram - c->max_repeated_5gram) * (double)(n - 5) / 5;
        if (repeated_ngrams_exceed(s, n, share, bytes))
            return true;
        if (share >= 1)
            break;
    }
    return false;
}

static bool holds_lorem_ipsum(Span text)
{
    const char *at = text.at, *end = text.at + text.n;
    while ((at = memmem(at, (size_t)(end - at), "orem ipsum", 10))) {
        if (at > text.at && (at[-1] == 'l' || at[-1] == 'L'))
            return true;
        at += 10;
    }
    return false;
}

static int quality(const CleanText *c, const TextMeasures *m, bool english)
{
    double words = (double)m->words;
    if ((int64_t)m->words < c->min_words)
        return FEW_WORDS;
    if ((int64_t)m->words > c->max_words)
        return MANY_WORDS;
    double length = m->words ? (double)m->characters / words : 0;
    if (m->words && (length < c->min_word_length || length > c->max_word_length))
        return WORD_LENGTH;
    if (exceeds(m->hashes, c->max_symbols_per_word, m->words) ||
        exceeds(m->ellipses, c->max_symbols_per_word, m->words))
        return SYMBOLS;
    if (exceeds(m->bullets, c->max_bullet_lines, m->lines))
        return BULLETS;
    if (exceeds(m->ellipsis_lines, c->max_ellipsis_lines, m->lines))
        return ELLIPSES;
    if ((double)m->alphabetic < c->min_alphabetic_words * words)
        return FEW_ALPHABETIC;
    if (english && __builtin_popcount(m->stop_words) < (int)c->min_stop_words)
        return STOP_WORDS;
    return -1;
}

int clean_text(const CleanText *c, CleanScratch *s, Span text, bool english)
{
    TextMeasures m = {0};
    if (text.n > UINT32_MAX)
        return MANY_WORDS; /* the word table counts bytes in 32 bits */
    words_measure(&m, s, text);
    lines_measure(&m, text);
    int broken = quality(c, &m, english);
    if (broken >= 0)
        return broken;
    if (c->lorem_ipsum && holds_lorem_ipsum(text))
        return LOREM_IPSUM;
    if (lines_repeat(c, s, text, m.lines))
        return REPEATED_LINES;
    if (paragraphs_repeat(c, s, text, m.lines))
        return REPEATED_PARAGRAPHS;
    if (top_ngram_exceeds(s, 2, c->max_top_2gram, m.bytes) ||
        top_ngram_exceeds(s, 3, c->max_top_3gram, m.bytes) ||
        top_ngram_exceeds(s, 4, c->max_top_4gram, m.bytes))
        return TOP_NGRAM;
    return ngrams_repeat(c, s, m.bytes) ? REPEATED_NGRAMS : -1;
}
