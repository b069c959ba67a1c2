/* Words are 64-bit hashes; a text becomes an array of them, and windows of it are looked up by a polynomial
 * of their words.  What a look-up finds is compared word by word: only equal hashes of words could deceive.
 */
#include "study/overlap.h"

#include <string.h>

#include "base/map.h"

enum { KEY_MOST = 8 }; /* words by which a needle is looked up, or all of it where it is shorter */
enum { FILTER_BITS = 20 };
enum { LABEL_MOST = 2 };                          /* words of a label, as in "12. How many are there?" */
static const uint64_t base = 0x9E3779B97F4A7C15u; /* odd: multiplying by it loses nothing */

typedef struct {
    uint64_t hash;
    bool begins; /* a line, a quote or a tag begins before it, or a sentence behind no more than a label */
    bool ends;   /* a line, a sentence, a quote or a tag ends behind it */
} Word;
typedef Array(Word) Words;

typedef struct {
    size_t task, next; /* next + 1 of the same key; 0: none */
    bool answer;
    uint64_t *words;
    size_t n;
} Needle;

typedef struct {
    size_t task, next;
} Ngram;

typedef struct {
    size_t set;
    char *id, *question;
    bool found, answered, shared;
} Task;

struct Overlap {
    Array(OverlapTally) tallies;
    Array(OverlapFind) finds;
    Array(Task) tasks;
    Array(Needle) needles;
    Array(Ngram) ngrams;
    Map *keys[KEY_MOST + 1]; /* of windows of that many words -> 1 + index of the first needle; NULL: none */
    Map *asked;              /* set, id and question of each task */
    Map *runs;               /* of windows of OVERLAP_NGRAM -> 1 + index of the first of ngrams */
    uint8_t filter[(1 << FILTER_BITS) / 8]; /* of the keys of all: most windows are turned away here */
    int64_t texts, bytes;
    Words words; /* of the text at hand */
    Str folded;
    Array(uint64_t) sums;
};

Overlap *overlap_new(void)
{
    Overlap *o = mem_new(Overlap);
    o->asked = map_new();
    o->runs = map_new();
    return o;
}

void overlap_free(Overlap *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->tallies.n; i++)
        mem_free(o->tallies.at[i].name);
    for (size_t i = 0; i < o->finds.n; i++) {
        mem_free(o->finds.at[i].id);
        mem_free(o->finds.at[i].question);
        mem_free(o->finds.at[i].place);
    }
    for (size_t i = 0; i < o->tasks.n; i++) {
        mem_free(o->tasks.at[i].id);
        mem_free(o->tasks.at[i].question);
    }
    for (size_t i = 0; i < o->needles.n; i++)
        mem_free(o->needles.at[i].words);
    for (int i = 0; i <= KEY_MOST; i++)
        map_free(o->keys[i]);
    map_free(o->asked);
    map_free(o->runs);
    array_drop(&o->tallies);
    array_drop(&o->finds);
    array_drop(&o->tasks);
    array_drop(&o->needles);
    array_drop(&o->ngrams);
    array_drop(&o->words);
    array_drop(&o->sums);
    str_drop(&o->folded);
    mem_free(o);
}

/* Characters. -------------------------------------------------------------------------------------------- */

/* Of characters that web pages and editors put in the place of ASCII's: that one; else 0. */
static unsigned char ascii_for(uint32_t c)
{
    if (c == 0xA0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200B) || c == 0x202F || c == 0x205F || c == 0xFEFF)
        return ' ';
    if (c == 0x2018 || c == 0x2019 || c == 0x201A || c == 0x201B || c == 0x2032)
        return '\'';
    if (c == 0x201C || c == 0x201D || c == 0x201E || c == 0x201F || c == 0xAB || c == 0xBB)
        return '"';
    if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212)
        return '-';
    if (c == 0x2026 || c == 0x3002)
        return '.';
    if (c == 0x3001)
        return ',';
    if (c >= 0x300C && c <= 0x300F)
        return '"';
    return c >= 0xFF01 && c <= 0xFF5E ? (unsigned char)(c - 0xFF01 + '!') : 0; /* full width */
}

/* Small letters for the capitals of Latin, Greek and Cyrillic. */
static uint32_t small(uint32_t c)
{
    if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F))
        return c + 0x20;
    if (c >= 0x400 && c <= 0x40F)
        return c + 0x50;
    bool odd_is_capital = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
    if (c >= 0x100 && c <= 0x17E && c != 0x130 && c != 0x131 && c != 0x138 && c != 0x149 && c != 0x178)
        return c % 2 == odd_is_capital ? c + 1 : c;
    return c;
}

/* Scripts that put no blanks between words: each character is one. */
static bool stands_alone(uint32_t c)
{
    return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0x20000 && c <= 0x3FFFF);
}

/* Valid UTF-8 of a character. */
static void add_char(Str *out, uint32_t c)
{
    if (stands_alone(c))
        str_addc(out, ' ');
    str_add_utf8(out, c);
    if (stands_alone(c))
        str_addc(out, ' ');
}

/* The text as it is compared, but for ASCII's capitals and what is no UTF-8. */
static Span folded(Str *out, Span text)
{
    bool ascii = true;
    for (size_t i = 0; ascii && i < text.n; i++)
        ascii = (unsigned char)text.at[i] < 0x80;
    if (ascii)
        return text;
    str_clear(out);
    for (size_t i = 0; i < text.n;) {
        uint32_t c;
        int n = utf8_decode(&c, text.at + i, text.n - i);
        if (n == 0)
            str_addc(out, text.at[i]);
        else if (ascii_for(c))
            str_addc(out, (char)ascii_for(c));
        else
            add_char(out, small(c));
        i += n ? (size_t)n : 1;
    }
    return str_span(out);
}

/* Words. ------------------------------------------------------------------------------------------------- */

typedef enum { LETTER, SIGN, BLANK, STOP, EDGE, EDGE_SIGN, QUOTE } CharKind;

/* Letters are ASCII's, digits, '_' and every byte of a longer UTF-8 character. */
static CharKind kind_of(unsigned char c)
{
    if (c >= 0x80 || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return LETTER;
    if (memchr(".;!?", c, 4))
        return STOP;
    if (c == '\n' || c == ':' || c == '"' || c == '`')
        return EDGE;
    if (c == '\'')
        return QUOTE;
    if (c == '<' || c == '>' || c == '|')
        return EDGE_SIGN;
    return c <= ' ' || c == ',' ? BLANK : SIGN;
}

static uint64_t add_byte(uint64_t hash, unsigned char c)
{
    return (hash ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * 0x100000001B3u;
}

/* FNV's low bits are weak, and sums of windows need good ones. */
static uint64_t mix(uint64_t h)
{
    h ^= h >> 33;
    h *= 0xFF51AFD7ED558CCDu;
    return h ^ (h >> 33);
}

static void push_word(Words *out, uint64_t hash, bool *edge)
{
    array_push(out, ((Word){mix(hash), *edge, false}));
    *edge = false;
}

/* The next character that is not blank, before or behind one, is part of a word. */
static bool word_beside(Span text, size_t at, bool behind)
{
    for (size_t i = at; behind ? ++i < text.n : i-- > 0;)
        if (kind_of((unsigned char)text.at[i]) != BLANK)
            return kind_of((unsigned char)text.at[i]) == LETTER;
    return false;
}

/* A single quote within a sentence, as in "whose country is 'India' and whose age ...", is no edge. */
static void meet_quote(Words *out, Span text, size_t at, bool *edge)
{
    if (out->n && !word_beside(text, at, true))
        out->at[out->n - 1].ends = true;
    if (!word_beside(text, at, false))
        *edge = true;
}

static void split(Overlap *o, Span given)
{
    Words *out = &o->words;
    Span text = folded(&o->folded, given);
    const uint64_t start = 0xCBF29CE484222325u;
    bool edge = true;
    size_t line = 0; /* words before which the line, quote or tag began */
    array_clear(out);
    for (size_t i = 0; i < text.n;) {
        unsigned char c = (unsigned char)text.at[i];
        CharKind kind = kind_of(c);
        uint64_t hash = start;
        i++;
        if (kind == QUOTE)
            meet_quote(out, text, i - 1, &edge);
        if (kind == BLANK || kind == QUOTE)
            continue;
        if ((kind == STOP || kind == EDGE || kind == EDGE_SIGN) && out->n)
            out->at[out->n - 1].ends = true;
        if (kind == EDGE || kind == EDGE_SIGN)
            line = out->n;
        edge = edge || line == out->n || (kind == STOP && out->n - line <= LABEL_MOST);
        if (kind == STOP || kind == EDGE)
            continue;
        hash = add_byte(hash, c);
        for (; kind == LETTER && i < text.n && kind_of((unsigned char)text.at[i]) == LETTER; i++)
            hash = add_byte(hash, (unsigned char)text.at[i]);
        push_word(out, hash, &edge);
        if (kind == EDGE_SIGN) {
            out->at[out->n - 1].ends = true;
            line = out->n;
            edge = true;
        }
    }
    if (out->n)
        out->at[out->n - 1].ends = true;
}

/* Windows: of the words [i, i + k) it is sums[i + k] - sums[i] * base^k, for all of which the sums are made
 * once. */
static void add_up(Overlap *o)
{
    uint64_t sum = 0;
    array_clear(&o->sums);
    array_push(&o->sums, 0);
    for (size_t i = 0; i < o->words.n; i++) {
        sum = sum * base + o->words.at[i].hash;
        array_push(&o->sums, sum);
    }
}

static uint64_t power(size_t k)
{
    uint64_t p = 1;
    while (k--)
        p *= base;
    return p;
}

static uint64_t window(const Overlap *o, size_t i, size_t k, uint64_t p)
{
    return o->sums.at[i + k] - o->sums.at[i] * p;
}

static size_t filter_bit(uint64_t key, size_t k)
{
    return (size_t)(mix(key + k) >> (64 - FILTER_BITS));
}

static int64_t *put_key(Overlap *o, Map *map, uint64_t key, size_t k)
{
    size_t bit = filter_bit(key, k);
    o->filter[bit / 8] = (uint8_t)(o->filter[bit / 8] | 1u << bit % 8);
    return map_put(map, (const char *)&key, sizeof key);
}

static int64_t *find_key(const Overlap *o, const Map *map, uint64_t key, size_t k)
{
    size_t bit = filter_bit(key, k);
    return o->filter[bit / 8] >> bit % 8 & 1 ? map_find(map, (const char *)&key, sizeof key) : NULL;
}

/* Tasks. ------------------------------------------------------------------------------------------------- */

static size_t set_of(Overlap *o, const char *name)
{
    for (size_t i = o->tallies.n; i-- > 0;)
        if (strcmp(o->tallies.at[i].name, name) == 0)
            return i;
    OverlapTally tally = {.name = mem_str(name)};
    array_push(&o->tallies, tally);
    return o->tallies.n - 1;
}

/* The words at hand become a needle.  False: too few. */
static bool add_needle(Overlap *o, size_t task, bool answer)
{
    size_t n = o->words.n, k = n < KEY_MOST ? n : KEY_MOST;
    if (n < OVERLAP_LEAST)
        return false;
    Needle needle = {.task = task, .answer = answer, .words = mem_array(uint64_t, n), .n = n};
    for (size_t i = 0; i < n; i++)
        needle.words[i] = o->words.at[i].hash;
    add_up(o);
    o->keys[k] = o->keys[k] ? o->keys[k] : map_new();
    int64_t *first = put_key(o, o->keys[k], window(o, 0, k, power(k)), k);
    needle.next = (size_t)*first;
    array_push(&o->needles, needle);
    *first = (int64_t)o->needles.n;
    return true;
}

static void add_ngrams(Overlap *o, size_t task)
{
    uint64_t p = power(OVERLAP_NGRAM);
    for (size_t i = 0; i + OVERLAP_NGRAM <= o->words.n; i++) {
        int64_t *first = put_key(o, o->runs, window(o, i, OVERLAP_NGRAM, p), OVERLAP_NGRAM);
        array_push(&o->ngrams, ((Ngram){task, (size_t)*first}));
        *first = (int64_t)o->ngrams.n;
    }
}

/* Several runs ask the same tasks. */
static bool is_known(Overlap *o, size_t set, const char *id, Span question)
{
    char *key = mem_format("%zu %s\n%.*s", set, id, (int)question.n, question.at);
    int64_t *seen = map_put(o->asked, key, strlen(key)), times = (*seen)++;
    mem_free(key);
    return times > 0;
}

void overlap_task(Overlap *o, const char *name, const char *id, Span question, Span answer)
{
    size_t set = set_of(o, name), task = o->tasks.n;
    if (is_known(o, set, id, question))
        return;
    array_push(&o->tasks,
               ((Task){.set = set, .id = mem_str(id), .question = mem_strn(question.at, question.n)}));
    o->tallies.at[set].tasks++;
    split(o, question);
    if (add_needle(o, task, false))
        add_ngrams(o, task);
    else
        o->tallies.at[set].short_ones++;
    split(o, answer);
    add_needle(o, task, true);
}

/* Texts. ------------------------------------------------------------------------------------------------- */

static bool stands_at(const Overlap *o, const Needle *needle, size_t i)
{
    const Word *w = o->words.at + i;
    if (i + needle->n > o->words.n)
        return false;
    if (needle->n < OVERLAP_ALONE_BELOW && !(w->begins && w[needle->n - 1].ends))
        return false;
    for (size_t k = 0; k < needle->n; k++)
        if (w[k].hash != needle->words[k])
            return false;
    return true;
}

static void find(Overlap *o, const Needle *needle, const char *place)
{
    Task *t = &o->tasks.at[needle->task];
    OverlapTally *tally = &o->tallies.at[t->set];
    if (needle->answer) {
        tally->answers += !t->answered;
        t->answered = true;
    } else if (!t->found) {
        t->found = true;
        tally->questions++;
        array_push(&o->finds, ((OverlapFind){t->set, mem_str(t->id), mem_str(t->question), mem_str(place)}));
    }
}

static void search_needles(Overlap *o, size_t k, const char *place)
{
    uint64_t p = power(k);
    for (size_t i = 0; i + k <= o->words.n; i++) {
        const int64_t *first = find_key(o, o->keys[k], window(o, i, k, p), k);
        for (size_t at = first ? (size_t)*first : 0; at; at = o->needles.at[at - 1].next)
            if (stands_at(o, &o->needles.at[at - 1], i))
                find(o, &o->needles.at[at - 1], place);
    }
}

/* What one window has in common with tasks is told once: the list is then empty. */
static void search_ngrams(Overlap *o)
{
    uint64_t p = power(OVERLAP_NGRAM);
    for (size_t i = 0; i + OVERLAP_NGRAM <= o->words.n; i++) {
        int64_t *first = find_key(o, o->runs, window(o, i, OVERLAP_NGRAM, p), OVERLAP_NGRAM);
        for (size_t at = first ? (size_t)*first : 0; at; at = o->ngrams.at[at - 1].next) {
            Task *t = &o->tasks.at[o->ngrams.at[at - 1].task];
            o->tallies.at[t->set].ngrams += !t->shared;
            t->shared = true;
        }
        if (first)
            *first = 0;
    }
}

void overlap_search(Overlap *o, const char *place, Span text)
{
    o->texts++;
    o->bytes += (int64_t)text.n;
    split(o, text);
    add_up(o);
    for (size_t k = 1; k <= KEY_MOST; k++)
        if (o->keys[k])
            search_needles(o, k, place);
    search_ngrams(o);
}

int64_t overlap_texts(const Overlap *o)
{
    return o->texts;
}

int64_t overlap_bytes(const Overlap *o)
{
    return o->bytes;
}

size_t overlap_tallies(const Overlap *o, const OverlapTally **out)
{
    *out = o->tallies.at;
    return o->tallies.n;
}

size_t overlap_finds(const Overlap *o, const OverlapFind **out)
{
    *out = o->finds.at;
    return o->finds.n;
}
