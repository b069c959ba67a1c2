/* The parts of the functions, and what each does. */
#include "env/family_programs.h"

#include <ctype.h>
#include <string.h>

/* `words` has a hole for the things ("the numbers"), `code` one for the item.  {k}, {j}, {c}: as of Program.
 */
typedef struct {
    const char *words, *code;
} Part;

enum { ALL, EVEN, ODD, ABOVE, BELOW, DIVISIBLE, NUMBER_FILTERS };
static const Part number_filters[NUMBER_FILTERS] = {
    [ALL] = {"all numbers", NULL},
    [EVEN] = {"the even numbers", "n % 2 == 0"},
    [ODD] = {"the odd numbers", "n % 2 == 1"},
    [ABOVE] = {"the numbers above {k}", "n > {k}"},
    [BELOW] = {"the numbers below {k}", "n < {k}"},
    [DIVISIBLE] = {"the numbers divisible by {k}", "n % {k} == 0"},
};
enum { SAME, SQUARE, DOUBLE, PLUS, TIMES, NUMBER_CHANGES };
static const Part number_changes[NUMBER_CHANGES] = {
    [SAME] = {"", "n"},
    [SQUARE] = {"the squares of ", "n * n"},
    [DOUBLE] = {"twice ", "2 * n"},
    [PLUS] = {"{j} more than each of ", "n + {j}"},
    [TIMES] = {"{j} times each of ", "n * {j}"},
};
enum { LIST, SUM, LARGEST, SMALLEST, COUNT, NUMBER_GATHERS };
static const Part number_gathers[NUMBER_GATHERS] = {
    [LIST] = {"a list of ", "[{e} for n in numbers{f}]"},
    [SUM] = {"the sum of ", "sum({e} for n in numbers{f})"},
    [LARGEST] = {"the largest of ", "max({e} for n in numbers{f})"},
    [SMALLEST] = {"the smallest of ", "min({e} for n in numbers{f})"},
    [COUNT] = {"the count of ", "len([{e} for n in numbers{f}])"},
};

enum { EVERY, LONGER, SHORTER, BEGINS, ENDS, HOLDS, WORD_FILTERS };
static const Part word_filters[WORD_FILTERS] = {
    [EVERY] = {"all words", NULL},
    [LONGER] = {"the words longer than {k}", "len(w) > {k}"},
    [SHORTER] = {"the words shorter than {k}", "len(w) < {k}"},
    [BEGINS] = {"the words that begin with {c}", "w[0] == '{c}'"},
    [ENDS] = {"the words that end with {c}", "w[-1] == '{c}'"},
    [HOLDS] = {"the words that contain {c}", "'{c}' in w"},
};
enum { PLAIN, UPPER, REVERSED, LENGTH, FIRST, WORD_CHANGES };
static const Part word_changes[WORD_CHANGES] = {
    [PLAIN] = {"", "w"},
    [UPPER] = {"the upper case of ", "w.upper()"},
    [REVERSED] = {"the reverse of ", "w[::-1]"},
    [LENGTH] = {"the lengths of ", "len(w)"},
    [FIRST] = {"the first letters of ", "w[0]"},
};
enum { WORD_LIST, WORD_COUNT, WORD_JOINED, WORD_SORTED, WORD_GATHERS };
static const Part word_gathers[WORD_GATHERS] = {
    [WORD_LIST] = {"a list of ", "[{e} for w in text.split(){f}]"},
    [WORD_COUNT] = {"the count of ", "len([{e} for w in text.split(){f}])"},
    [WORD_JOINED] = {"one text, joined by '-', of ", "'-'.join({e} for w in text.split(){f})"},
    [WORD_SORTED] = {"a sorted list of ", "sorted({e} for w in text.split(){f})"},
};

static const Part *filter_of(const Program *p)
{
    return p->text ? &word_filters[p->filter] : &number_filters[p->filter];
}

static const Part *change_of(const Program *p)
{
    return p->text ? &word_changes[p->change] : &number_changes[p->change];
}

static const Part *gather_of(const Program *p)
{
    return p->text ? &word_gathers[p->gather] : &number_gathers[p->gather];
}

/* Drawing. ----------------------------------------------------------------------------------------------- */

static const char letters[] = "aeiorstnlcdmp";

/* A count of changed items says no more than one of the items; what is joined is text. */
static bool makes_sense(const Program *p)
{
    if (!p->text)
        return p->gather != COUNT || (p->change == SAME && p->filter != ALL);
    return (p->gather != WORD_COUNT || p->change == PLAIN) &&
           (p->gather != WORD_JOINED || p->change != LENGTH);
}

/* What no part looks at is 0, so that equal programs have equal keys. */
static void tidy(Program *p)
{
    const char *filter = filter_of(p)->words, *change = change_of(p)->words;
    p->k = strstr(filter, "{k}") ? p->k : 0;
    p->c = strstr(filter, "{c}") ? p->c : 0;
    p->j = strstr(change, "{j}") ? p->j : 0;
}

static int draw_bound(const Program *p, Rng *rng)
{
    if (p->text)
        return (int)draw_between(rng, 2, 6);
    return (int)(p->filter == DIVISIBLE ? draw_between(rng, 3, 7) : draw_between(rng, 5, 40));
}

static void draw_part(Program *p, int which, Rng *rng)
{
    if (which == 0)
        p->filter = (int)rng_below(rng, p->text ? WORD_FILTERS : NUMBER_FILTERS);
    if (which == 1)
        p->change = (int)rng_below(rng, p->text ? WORD_CHANGES : NUMBER_CHANGES);
    if (which == 2)
        p->gather = (int)rng_below(rng, p->text ? WORD_GATHERS : NUMBER_GATHERS);
    if (which == 0)
        p->k = draw_bound(p, rng);
    p->c = which == 0 ? letters[rng_below(rng, sizeof letters - 1)] : p->c;
    p->j = which == 1 ? (int)draw_between(rng, 3, 20) : p->j;
}

void program_draw(Program *p, Rng *rng)
{
    do {
        *p = (Program){.text = rng_below(rng, 3) == 0};
        for (int which = 0; which < 3; which++)
            draw_part(p, which, rng);
    } while (!makes_sense(p));
    tidy(p);
}

void program_draw_wrong(Program *out, const Program *p, Rng *rng)
{
    do {
        *out = *p;
        draw_part(out, (int)rng_below(rng, 3), rng);
    } while (!makes_sense(out));
    tidy(out);
}

void program_key(Str *out, const Program *p)
{
    str_addf(out, "%d %d %d %d %d %d %d", p->text, p->filter, p->change, p->gather, p->k, p->j, p->c);
}

/* Words and code. ---------------------------------------------------------------------------------------- */

/* {e} and {f}: the expression and the condition. */
static void add(Str *out, const Program *p, const char *form)
{
    for (; *form; form++) {
        if (form[0] != '{') {
            str_addc(out, *form);
            continue;
        }
        if (form[1] == 'k' || form[1] == 'j')
            str_addf(out, "%d", form[1] == 'k' ? p->k : p->j);
        else if (form[1] == 'c')
            str_addc(out, p->c);
        else if (form[1] == 'e')
            add(out, p, change_of(p)->code);
        else if (filter_of(p)->code) {
            str_adds(out, " if ");
            add(out, p, filter_of(p)->code);
        }
        form += 2;
    }
}

void program_words(Str *out, const Program *p, const char *name)
{
    str_addf(out, "Write a function %s(%s) that returns ", name, p->text ? "text" : "numbers");
    add(out, p, gather_of(p)->words);
    add(out, p, change_of(p)->words);
    add(out, p, filter_of(p)->words);
    str_addc(out, '.');
}

void program_code(Str *out, const Program *p, const char *name)
{
    str_addf(out, "def %s(%s):\n    return ", name, p->text ? "text" : "numbers");
    add(out, p, gather_of(p)->code);
}

/* Inputs and results. ------------------------------------------------------------------------------------ */

static const char *const vocabulary[] = {"red",   "apple",  "in",    "tree",  "moon",  "cat",   "silver",
                                         "to",    "lamp",   "ocean", "dust",  "pilot", "small", "end",
                                         "rain",  "market", "an",    "music", "door",  "salt",  "cloud",
                                         "paper", "island", "corn",  "dream", "night", "pond"};

void program_input_draw(ProgramInput *in, const Program *p, Rng *rng)
{
    int64_t high = p->k > 20 ? 60 : 30;
    for (int i = 0; i < PROGRAM_ITEMS; i++) {
        in->numbers[i] = draw_between(rng, 1, high);
        memset(in->words[i], 0, PROGRAM_WORD);
        const char *word = DRAW_OF(rng, vocabulary);
        memcpy(in->words[i], word, strlen(word));
    }
}

void program_argument(Str *out, const Program *p, const ProgramInput *in)
{
    str_adds(out, p->text ? "'" : "[");
    for (int i = 0; i < PROGRAM_ITEMS; i++) {
        if (p->text)
            str_addf(out, "%s%s", i ? " " : "", in->words[i]);
        else
            str_addf(out, "%s%lld", i ? ", " : "", (long long)in->numbers[i]);
    }
    str_adds(out, p->text ? "'" : "]");
}

static bool number_passes(const Program *p, int64_t n)
{
    switch (p->filter) {
    case EVEN: return n % 2 == 0;
    case ODD: return n % 2 == 1;
    case ABOVE: return n > p->k;
    case BELOW: return n < p->k;
    case DIVISIBLE: return n % p->k == 0;
    default: return true;
    }
}

static int64_t number_changed(const Program *p, int64_t n)
{
    switch (p->change) {
    case SQUARE: return n * n;
    case DOUBLE: return 2 * n;
    case PLUS: return n + p->j;
    case TIMES: return n * p->j;
    default: return n;
    }
}

static bool number_result(Str *out, const Program *p, const ProgramInput *in)
{
    int64_t kept[PROGRAM_ITEMS], sum = 0, largest = 0, smallest = 0;
    int n = 0;
    for (int i = 0; i < PROGRAM_ITEMS; i++)
        if (number_passes(p, in->numbers[i]))
            kept[n++] = number_changed(p, in->numbers[i]);
    for (int i = 0; i < n; i++) {
        sum += kept[i];
        largest = i == 0 || kept[i] > largest ? kept[i] : largest;
        smallest = i == 0 || kept[i] < smallest ? kept[i] : smallest;
    }
    if (p->gather == LIST) {
        str_addc(out, '[');
        for (int i = 0; i < n; i++)
            str_addf(out, "%s%lld", i ? ", " : "", (long long)kept[i]);
        str_addc(out, ']');
        return true;
    }
    int64_t one = p->gather == SUM        ? sum
                  : p->gather == LARGEST  ? largest
                  : p->gather == SMALLEST ? smallest
                                          : n;
    str_addf(out, "%lld", (long long)one);
    return n || p->gather == SUM || p->gather == COUNT;
}

static bool word_passes(const Program *p, const char *w)
{
    switch (p->filter) {
    case LONGER: return (int)strlen(w) > p->k;
    case SHORTER: return (int)strlen(w) < p->k;
    case BEGINS: return w[0] == p->c;
    case ENDS: return w[strlen(w) - 1] == p->c;
    case HOLDS: return strchr(w, p->c) != NULL;
    default: return true;
    }
}

static void word_changed(char out[PROGRAM_WORD], const Program *p, const char *w)
{
    size_t n = strlen(w);
    memset(out, 0, PROGRAM_WORD);
    for (size_t i = 0; i < n; i++)
        out[i] = p->change == UPPER      ? (char)toupper((unsigned char)w[i])
                 : p->change == REVERSED ? w[n - 1 - i]
                                         : w[i];
    if (p->change == FIRST)
        out[1] = 0;
    if (p->change == LENGTH) {
        out[0] = (char)('0' + n); /* no word has ten letters */
        out[1] = 0;
    }
}

static void sort(char words[][PROGRAM_WORD], int n)
{
    for (int i = 1; i < n; i++)
        for (int j = i; j > 0 && strcmp(words[j - 1], words[j]) > 0; j--) {
            char kept[PROGRAM_WORD];
            memcpy(kept, words[j], PROGRAM_WORD);
            memcpy(words[j], words[j - 1], PROGRAM_WORD);
            memcpy(words[j - 1], kept, PROGRAM_WORD);
        }
}

static void word_result(Str *out, const Program *p, const ProgramInput *in)
{
    char kept[PROGRAM_ITEMS][PROGRAM_WORD];
    int n = 0;
    for (int i = 0; i < PROGRAM_ITEMS; i++)
        if (word_passes(p, in->words[i]))
            word_changed(kept[n++], p, in->words[i]);
    if (p->gather == WORD_COUNT) {
        str_addf(out, "%d", n);
        return;
    }
    if (p->gather == WORD_SORTED)
        sort(kept, n);
    bool joined = p->gather == WORD_JOINED;
    const char *quote = joined || p->change == LENGTH ? "" : "'";
    str_adds(out, joined ? "'" : "[");
    for (int i = 0; i < n; i++)
        str_addf(out, "%s%s%s%s", !i ? "" : joined ? "-" : ", ", quote, kept[i], quote);
    str_adds(out, joined ? "'" : "]");
}

bool program_result(Str *out, const Program *p, const ProgramInput *in)
{
    if (!p->text)
        return number_result(out, p, in);
    word_result(out, p, in);
    return true;
}
