/* The parts of the functions, and what each does. */
#include "env/family_programs.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* `words` has a hole for the things ("the numbers"), `code` one for the item.  {k}, {j}, {c}: as of Program.
 * hint: what an expert says where the part is another. */
typedef struct {
    const char *words, *code, *hint;
} Part;

enum { ALL, EVEN, ODD, ABOVE, BELOW, DIVISIBLE, NUMBER_FILTERS };
static const Part number_filters[NUMBER_FILTERS] = {
    [ALL] = {"all numbers", NULL, "All of them count."},
    [EVEN] = {"the even numbers", "n % 2 == 0", "Only the even ones count."},
    [ODD] = {"the odd numbers", "n % 2 == 1", "Only the odd ones count."},
    [ABOVE] = {"the numbers above {k}", "n > {k}", "Only large ones count, and the bound does not."},
    [BELOW] = {"the numbers below {k}", "n < {k}", "Only small ones count, and the bound does not."},
    [DIVISIBLE] = {"the numbers divisible by {k}", "n % {k} == 0", "Only those without a remainder count."},
};
enum { SAME, SQUARE, DOUBLE, PLUS, TIMES, NUMBER_CHANGES };
static const Part number_changes[NUMBER_CHANGES] = {
    [SAME] = {"", "n", "They are taken as they are."},
    [SQUARE] = {"the squares of ", "n * n", "Each is multiplied by itself."},
    [DOUBLE] = {"twice ", "2 * n", "Each counts twofold."},
    [PLUS] = {"{j} more than each of ", "n + {j}", "Something is added to each."},
    [TIMES] = {"{j} times each of ", "n * {j}", "Each is multiplied."},
};
enum { LIST, SUM, LARGEST, SMALLEST, COUNT, NUMBER_GATHERS };
static const Part number_gathers[NUMBER_GATHERS] = {
    [LIST] = {"a list of ", "[{e} for n in numbers{f}]", "All of them are wanted, one after the other."},
    [SUM] = {"the sum of ", "sum({e} for n in numbers{f})", "They are added up."},
    [LARGEST] = {"the largest of ", "max({e} for n in numbers{f})", "Only the largest is wanted."},
    [SMALLEST] = {"the smallest of ", "min({e} for n in numbers{f})", "Only the smallest is wanted."},
    [COUNT] = {"the count of ", "len([{e} for n in numbers{f}])", "How many there are is wanted."},
};

enum { EVERY, LONGER, SHORTER, BEGINS, ENDS, HOLDS, WORD_FILTERS };
static const Part word_filters[WORD_FILTERS] = {
    [EVERY] = {"all words", NULL, "All of them count."},
    [LONGER] = {"the words longer than {k}", "len(w) > {k}", "Only long ones count, and the bound does not."},
    [SHORTER] = {"the words shorter than {k}", "len(w) < {k}",
                 "Only short ones count, and the bound does not."},
    [BEGINS] = {"the words that begin with {c}", "w[0] == '{c}'", "How they begin decides."},
    [ENDS] = {"the words that end with {c}", "w[-1] == '{c}'", "How they end decides."},
    [HOLDS] = {"the words that contain {c}", "'{c}' in w", "Any of their letters may decide."},
};
enum { PLAIN, UPPER, REVERSED, LENGTH, FIRST, WORD_CHANGES };
static const Part word_changes[WORD_CHANGES] = {
    [PLAIN] = {"", "w", "They are taken as they are."},
    [UPPER] = {"the upper case of ", "w.upper()", "Capital letters are wanted."},
    [REVERSED] = {"the reverse of ", "w[::-1]", "Each runs backwards."},
    [LENGTH] = {"the lengths of ", "len(w)", "How long they are is wanted."},
    [FIRST] = {"the first letters of ", "w[0]", "Only how they begin is wanted."},
};
enum { WORD_LIST, WORD_COUNT, WORD_JOINED, WORD_SORTED, WORD_GATHERS };
static const Part word_gathers[WORD_GATHERS] = {
    [WORD_LIST] = {"a list of ", "[{e} for w in text.split(){f}]",
                   "All of them are wanted, one after the other."},
    [WORD_COUNT] = {"the count of ", "len([{e} for w in text.split(){f}])", "How many there are is wanted."},
    [WORD_JOINED] = {"one text, joined by '-', of ", "'-'.join({e} for w in text.split(){f})",
                     "One text is wanted."},
    [WORD_SORTED] = {"a sorted list of ", "sorted({e} for w in text.split(){f})", "Mind the order."},
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

/* Hints: of each part that a function lacks. */
static void hint_at_parts(FamilyTask *t, const Program *p)
{
    const Part *filter = filter_of(p), *change = change_of(p), *gather = gather_of(p);
    Str condition = {0}, change_code = {0}, lacks = {0};
    if (filter->code) {
        add(&condition, p, filter->code);
        family_hint(t, "if\nfilter", "Not all of them count.");
        family_hint(t, str_c(&condition), filter->hint);
    } else {
        family_hint_on(t, HINT_LAST, "if\nfilter", NULL, filter->hint);
    }
    add(&change_code, p, change->code);
    str_addf(&lacks, "(%s for\n[%s for", str_c(&change_code), str_c(&change_code));
    family_hint(t, str_c(&lacks), change->hint);
    str_clear(&lacks);
    str_adds(&lacks, "return ");
    str_add(&lacks, gather->code, (size_t)(strstr(gather->code, "{e}") - gather->code));
    family_hint(t, str_c(&lacks), gather->hint);
    str_drop(&condition);
    str_drop(&change_code);
    str_drop(&lacks);
}

void program_hints(FamilyTask *t, const Program *p, const char *name)
{
    char header[64];
    snprintf(header, sizeof header, "def %s(", name);
    family_hint(t, "<execute>\n```\n<solution>", "Write Python or a solution, marked as you were told.");
    family_hint_on(t, HINT_ANSWER, "SyntaxError\nIndentationError", NULL,
                   "Python does not understand it: look at brackets and colons.");
    family_hint_on(t, HINT_ANSWER, "Traceback", NULL, "Python stops there: read its last line.");
    family_hint(t, header, "The function has another name.");
    hint_at_parts(t, p);
    family_hint_otherwise(t, "If it does all that the task says, give it as your solution.");
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
