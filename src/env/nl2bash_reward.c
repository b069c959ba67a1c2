#include "env/nl2bash_reward.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "base/map.h"

static const double share = 0.33, floor_of_all = 0.01;

/* Words. ------------------------------------------------------------------------------------------------- */

static locale_t letters; /* 0: there is no such locale, and all beyond ASCII is a letter */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void open_letters(void)
{
    letters = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static bool is_word(uint32_t c)
{
    if (c == '_' || (c < 128 && ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'))))
        return true;
    return c >= 128 && (!letters || iswalnum_l((wint_t)c, letters));
}

static uint32_t lower(uint32_t c)
{
    if (c < 128)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return letters ? (uint32_t)towlower_l((wint_t)c, letters) : c;
}

/* Counts of a word in the two texts, in one value of the map. */
enum { HALF = 32 };

static void count_words(Map *words, Span text, int which)
{
    Str word = {0};
    size_t characters = 0;
    for (size_t at = 0; at <= text.n;) {
        uint32_t c = 0;
        int n = at < text.n ? utf8_decode(&c, text.at + at, text.n - at) : 1;
        if (at < text.n && n && is_word(c)) {
            str_add_utf8(&word, lower(c));
            characters++;
        } else {
            if (characters > 1)
                *map_put(words, str_c(&word), word.n) += (int64_t)1 << HALF * which;
            str_clear(&word);
            characters = 0;
        }
        at += n ? (size_t)n : 1;
    }
    str_drop(&word);
}

double tfidf_cosine(Span a, Span b)
{
    pthread_once(&once, open_letters);
    Map *words = map_new();
    double both = 0, of_a = 0, of_b = 0;
    count_words(words, a, 0);
    count_words(words, b, 1);
    int64_t n = map_count(words);
    for (int64_t i = 0; i < n; i++) {
        int64_t counts = map_value_at(words, i);
        double x = (double)(counts & UINT32_MAX), y = (double)(counts >> HALF);
        double idf =
            log(3.0 / (x > 0 && y > 0 ? 3.0 : 2.0)) + 1; /* ln((1 + texts)/(1 + texts with it)) + 1 */
        both += x * idf * y * idf;
        of_a += x * idf * x * idf;
        of_b += y * idf * y * idf;
    }
    map_free(words);
    if (n == 0)
        return a.n == b.n && (a.n == 0 || memcmp(a.at, b.at, a.n) == 0);
    return of_a > 0 && of_b > 0 ? both / (sqrt(of_a) * sqrt(of_b)) : 0;
}

/* Parts. ------------------------------------------------------------------------------------------------- */

/* Python's round(x, 2), which like C's printf goes by the exact value. */
static double rounded(double x)
{
    char text[64];
    snprintf(text, sizeof text, "%.2f", x);
    return strtod(text, NULL);
}

Nl2BashReward nl2bash_reward(const Nl2BashDiff *diff, Span agent, Span gold)
{
    Nl2BashReward r = {.file_changes = share};
    r.file_diff = rounded(share * (1 - erf((double)(diff->missing + diff->extra))));
    if (diff->added)
        r.file_changes = rounded(share * ((double)diff->equal / (double)diff->added));
    r.similarity = agent.at && gold.at ? tfidf_cosine(agent, gold) : !agent.at && !gold.at;
    r.answer_similarity = rounded(share * r.similarity);
    r.total = floor_of_all + r.file_diff;
    r.total += r.file_changes;
    r.total += r.answer_similarity;
    return r;
}
