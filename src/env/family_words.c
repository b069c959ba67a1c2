/* Arithmetic word problems, answered with Python by MINT's protocol: the benchmark `tasks`. */
#include <stdio.h>
#include <string.h>

#include "env/family_draw.h"

/* A text with holes, and what is to be formed of the numbers x, y, z: x op y, or (x op y) then z, or with
 * `right` x op (y then z).  z has no bounds where there is no second step.
 * Holes: {x} {y} {z} numbers, {w} one that has nothing to do with the answer, {who} {other} two names,
 * {what} a thing. */
typedef struct {
    const char *text;
    char op, then;
    bool right;
    int x[2], y[2], z[2];
} Form;

static const Form forms[] = {
    /* One step. */
    {"What is {x} + {y}?", '+', 0, 0, {10, 99}, {10, 99}, {0}},
    {"What is {x} - {y}?", '-', 0, 0, {30, 99}, {10, 99}, {0}},
    {"What is {x} times {y}?", '*', 0, 0, {3, 99}, {3, 99}, {0}},
    {"What is {x} divided by {y}?", '/', 0, 0, {20, 999}, {2, 12}, {0}},
    {"{who} has {x} {what} and gets {y} more. How many {what} does {who} have now?",
     '+',
     0,
     0,
     {10, 99},
     {10, 99},
     {0}},
    {"{who} has {x} {what} and gives away {y}. How many {what} are left?",
     '-',
     0,
     0,
     {30, 99},
     {10, 99},
     {0}},
    {"There are {x} boxes with {y} {what} in each. How many {what} are there?",
     '*',
     0,
     0,
     {3, 30},
     {10, 99},
     {0}},
    {"{x} {what} are shared by {y} children. How many {what} does each child get?",
     '/',
     0,
     0,
     {20, 400},
     {2, 12},
     {0}},
    {"{who} has {x} {what}, {other} has {y}. How many {what} do they have together?",
     '+',
     0,
     0,
     {10, 99},
     {10, 99},
     {0}},
    {"{who} has {x} {what}, {other} has {y}. How many more {what} does {who} have?",
     '-',
     0,
     0,
     {30, 99},
     {10, 99},
     {0}},
    {"One of the {what} costs {y} coins. How much do {x} of the {what} cost?",
     '*',
     0,
     0,
     {3, 40},
     {3, 60},
     {0}},
    {"{who} is {w} years old and has {x} {what}. {other} brings {y} more. How many {what} are there?",
     '+',
     0,
     0,
     {10, 99},
     {10, 99},
     {0}},
    {"A train with {w} seats goes {x} miles an hour. How far does it go in {y} hours?",
     '*',
     0,
     0,
     {20, 99},
     {2, 12},
     {0}},
    /* Two steps. */
    {"{who} has {x} {what}, buys {y} and gives {z} away. How many {what} does {who} have now?",
     '+',
     '-',
     0,
     {10, 99},
     {10, 99},
     {5, 60}},
    {"{who} has {x} {what}, loses {y} and finds {z}. How many {what} does {who} have now?",
     '-',
     '+',
     0,
     {30, 99},
     {10, 60},
     {5, 60}},
    {"{who} fills {x} bags with {y} {what} each and keeps {z} more. How many {what} are there?",
     '*',
     '+',
     0,
     {3, 20},
     {3, 40},
     {5, 60}},
    {"{who} has {x} bags with {y} {what} each and sells {z} of the {what}. How many are left?",
     '*',
     '-',
     0,
     {3, 20},
     {5, 40},
     {5, 60}},
    {"{who} has {x} {what} and {other} has {y}. They share them among {z} children. How many {what} does "
     "each child get?",
     '+',
     '/',
     0,
     {10, 99},
     {10, 99},
     {2, 9}},
    {"{who} had {x} coins and bought {y} {what} for {z} coins each. How many coins are left?",
     '-',
     '*',
     1,
     {100, 999},
     {2, 20},
     {2, 20}},
    {"{who} has {x} {what} and buys {y} boxes with {z} {what} in each. How many {what} does {who} have now?",
     '+',
     '*',
     1,
     {10, 99},
     {2, 20},
     {2, 30}},
    {"{who} and {other} work {x} and {y} hours. An hour is paid with {z} coins. How many coins do they get "
     "together?",
     '+',
     '*',
     0,
     {3, 40},
     {3, 40},
     {5, 30}},
    {"Of {x} {what} {y} are broken. The others are put into boxes of {z}. How many boxes are filled?",
     '-',
     '/',
     0,
     {30, 300},
     {5, 90},
     {2, 12}},
    {"{who} reads {x} pages a day. How many pages are left of a book of {z} pages after {y} days?",
     '*',
     'r',
     0,
     {5, 40},
     {2, 9},
     {100, 600}},
    {"A shop has {x} shelves with {y} rows of {z} {what}. How many {what} does it have?",
     '*',
     '*',
     0,
     {2, 12},
     {2, 12},
     {3, 30}},
};

static const char *const names[] = {"Anna", "Ben",   "Carla", "David", "Emma", "Felix", "Greta", "Hugo",
                                    "Ida",  "Jonas", "Kim",   "Lena",  "Max",  "Nora",  "Oscar", "Paula"};
static const char *const things[] = {"apples", "books",  "rings",   "eggs",  "letters", "nails",
                                     "pens",   "stones", "tickets", "trees", "cups",    "keys",
                                     "lamps",  "shells", "maps",    "bricks"};

typedef struct {
    int64_t x, y, z, w, answer;
    const char *who, *other, *what;
} Drawn;

/* False where the result is no number of things: below 1, or no whole one. */
static bool combine(int64_t *out, int64_t a, char op, int64_t b)
{
    if (op == '/' && a % b)
        return false;
    *out = op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : op == '/' ? a / b : b - a;
    return *out >= 1;
}

static bool solve(const Form *f, Drawn *d)
{
    int64_t first;
    if (!f->then)
        return combine(&d->answer, d->x, f->op, d->y);
    if (f->right)
        return combine(&first, d->y, f->then, d->z) && combine(&d->answer, d->x, f->op, first);
    return combine(&first, d->x, f->op, d->y) && combine(&d->answer, first, f->then, d->z);
}

static void draw_numbers(const Form *f, Drawn *d, Rng *rng)
{
    do {
        d->x = draw_between(rng, f->x[0], f->x[1]);
        d->y = draw_between(rng, f->y[0], f->y[1]);
        d->z = draw_between(rng, f->z[0], f->z[1]);
    } while (!solve(f, d));
    d->w = draw_between(rng, 20, 70);
    d->who = DRAW_OF(rng, names);
    do
        d->other = DRAW_OF(rng, names);
    while (d->other == d->who);
    d->what = DRAW_OF(rng, things);
}

static void fill(Str *out, const char *text, const Drawn *d)
{
    const struct {
        const char *hole;
        const char *word; /* NULL: a number */
        int64_t number;
    } holes[] = {{"{x}", NULL, d->x},  {"{y}", NULL, d->y},      {"{z}", NULL, d->z},   {"{w}", NULL, d->w},
                 {"{who}", d->who, 0}, {"{other}", d->other, 0}, {"{what}", d->what, 0}};
    while (*text) {
        size_t i = 0, n = sizeof holes / sizeof *holes;
        while (i < n && strncmp(text, holes[i].hole, strlen(holes[i].hole)) != 0)
            i++;
        if (i == n)
            str_addc(out, *text++);
        else if (holes[i].word)
            str_adds(out, holes[i].word);
        else
            str_addf(out, "%lld", (long long)holes[i].number);
        text += i < n ? strlen(holes[i].hole) : 0;
    }
}

static const char *python_of(char op)
{
    return op == '+' ? "+" : op == '-' ? "-" : op == '*' ? "*" : "//";
}

/* x, y and z are their names or numbers.  'r': what is left of z. */
static void add_sum(Str *out, const Form *f, const char *x, const char *y, const char *z)
{
    bool brackets = (f->op == '+' || f->op == '-') && (f->then == '*' || f->then == '/');
    if (!f->then)
        str_addf(out, "%s %s %s", x, python_of(f->op), y);
    else if (f->then == 'r')
        str_addf(out, "%s - %s %s %s", z, x, python_of(f->op), y);
    else if (f->right)
        str_addf(out, "%s %s %s %s %s", x, python_of(f->op), y, python_of(f->then), z);
    else
        str_addf(out, brackets ? "(%s %s %s) %s %s" : "%s %s %s %s %s", x, python_of(f->op), y,
                 python_of(f->then), z);
}

static void add_numbers(Str *out, const Form *f, const Drawn *d)
{
    char x[24], y[24], z[24];
    snprintf(x, sizeof x, "%lld", (long long)d->x);
    snprintf(y, sizeof y, "%lld", (long long)d->y);
    snprintf(z, sizeof z, "%lld", (long long)d->z);
    add_sum(out, f, x, y, z);
}

/* Another sum of the same numbers: as one may form it who has not understood the question. */
static bool draw_wrong(Form *wrong, const Form *f, const Drawn *d, Rng *rng)
{
    static const char ops[] = "+-*";
    Drawn other = *d;
    *wrong = *f;
    wrong->op = ops[rng_below(rng, 3)];
    return f->then != 'r' && wrong->op != f->op && solve(wrong, &other) && other.answer != d->answer;
}

/* Names that were never given numbers. */
static void slip_by_names(FamilyTask *t, const Form *f)
{
    Str sum = {0};
    add_sum(&sum, f, "x", "y", "z");
    family_slip(t, "<execute>print(%s)</execute>", str_c(&sum));
    str_drop(&sum);
}

/* A wrong sum, its answer, and the word that it is wrong. */
static void slip_by_sum(FamilyTask *t, const Form *f, const Drawn *d, Rng *rng)
{
    Str sum = {0};
    Form wrong;
    Drawn other = *d;
    if (!draw_wrong(&wrong, f, d, rng))
        return;
    add_numbers(&sum, &wrong, d);
    if (solve(&wrong, &other)) {
        family_slip(t, "<execute>print(%s)</execute>", str_c(&sum));
        family_slip_unhinted(t, "<solution>%lld</solution>", (long long)other.answer);
    }
    str_drop(&sum);
}

/* Hints. ------------------------------------------------------------------------------------------------- */

/* a op b, and what is the same: lines of one text. */
static void add_pair(Str *out, const char *a, char op, const char *b)
{
    str_addf(out, "%s %s %s", a, python_of(op), b);
    if (op == '+' || op == '*')
        str_addf(out, "\n%s %c %s", b, op, a);
    if (op == '/')
        str_addf(out, "\n%s / %s", a, b);
}

/* Which numbers are put together first, how, and what is done with the third. */
typedef struct {
    const char *a, *b, *third; /* third NULL: there is one step */
    char op;
} Steps;

/* What shows the second step: its sign beside the third number; with `apart` beside the bracket as well,
 * where one is needed. */
static void add_second(Str *out, const Form *f, const Steps *s, bool apart)
{
    char op = f->right ? f->op : f->then;
    const char *close = apart ? ") " : "", *open = apart ? " (" : "";
    if (f->then == 'r' || (f->right && op == '-'))
        str_addf(out, "%s -", s->third);
    else
        str_addf(out, "%s%s %s", close, python_of(op), s->third);
    if (op == '+' || op == '*')
        str_addf(out, "\n%s %c%s", s->third, op, open);
    if (op == '/')
        str_addf(out, "\n%s/ %s", close, s->third);
}

/* Of code by what it says; of a wrong solution by all that was said. */
static void hint_at_steps(FamilyTask *t, const Form *f, const Steps *s, HintOver over, const char *has)
{
    Str first = {0}, second = {0}, apart = {0};
    bool brackets = !f->right && (f->op == '+' || f->op == '-') && (f->then == '*' || f->then == '/');
    add_pair(&first, s->a, s->op, s->b);
    family_hint_on(t, over, has, s->a, "One of the numbers is not the text's.");
    family_hint_on(t, over, has, s->b, "One of the numbers is not the text's.");
    if (s->third)
        family_hint_on(t, over, has, s->third, "A step is missing.");
    family_hint_on(t, over, has, str_c(&first), "Look at the operation once more.");
    if (s->third) {
        add_second(&second, f, s, false);
        family_hint_on(t, over, has, str_c(&second), "Look at the second step once more.");
    }
    if (s->third && brackets) {
        add_second(&apart, f, s, true);
        family_hint_on(t, over, has, str_c(&apart), "Mind which step comes first.");
    }
    str_drop(&first);
    str_drop(&second);
    str_drop(&apart);
}

static void add_hints(FamilyTask *t, const Form *f, const Drawn *d, const char *answer)
{
    static const char code[] = "<execute>\n```";
    char x[24], y[24], z[24];
    snprintf(x, sizeof x, "%lld", (long long)d->x);
    snprintf(y, sizeof y, "%lld", (long long)d->y);
    snprintf(z, sizeof z, "%lld", (long long)d->z);
    Steps s = {.a = x, .b = y, .op = f->op, .third = f->then ? z : NULL};
    if (f->right)
        s = (Steps){.a = y, .b = z, .op = f->then, .third = x};
    family_hint(t, "<execute>\n```\n<solution>", "Write Python or the answer, marked as you were told.");
    family_hint_on(t, HINT_ANSWER, "NameError", NULL, "Write the numbers themselves.");
    family_hint_on(t, HINT_ANSWER, "Traceback\nSyntaxError\nIndentationError", NULL,
                   "Python stops there: read its last line.");
    family_hint_on(t, HINT_ANSWER, answer, NULL, "That is right: answer with it.");
    hint_at_steps(t, f, &s, HINT_LAST, code);
    family_hint_on(t, HINT_ALL, NULL, code, "Let Python do the sum first.");
    hint_at_steps(t, f, &s, HINT_ALL, NULL);
    family_hint_otherwise(t, "Let Python show the result, and answer with it.");
}

static Status draw_words(void *state, Rng *rng, FamilyTask *out)
{
    (void)state;
    const Form *f = &DRAW_OF(rng, forms);
    Drawn d;
    draw_numbers(f, &d, rng);
    fill(&out->question, f->text, &d);
    add_numbers(&out->key, f, &d);
    char answer[24];
    snprintf(answer, sizeof answer, "%lld", (long long)d.answer);
    out->record = json_pack("{s:I, s:s, s:s}", "id", (json_int_t)out->number, "prompt", str_c(&out->question),
                            "reference", answer);
    if (draw_chance(rng, 10))
        slip_by_names(out, f);
    else if (draw_chance(rng, 10))
        slip_by_sum(out, f, &d, rng);
    family_say(out, "<execute>print(%s)</execute>", str_c(&out->key));
    family_say(out, "<solution>%s</solution>", answer);
    add_hints(out, f, &d, answer);
    return ST_OK;
}

static const char prompt[] = "Use Python in <execute>, then answer in <solution>.\n{task_prompt}";

static Status open_words(void **state, Rng *rng, const char *data, size_t files)
{
    (void)files;
    (void)state;
    (void)rng;
    TRY(family_write(data, "tasks/prompt.txt", prompt));
    return family_write_feedback(data);
}

const Family family_words = {
    .name = "words",
    .about = "arithmetic word problems of one step or two, answered with Python by MINT's protocol",
    .benchmark = "tasks",
    .questions = "tasks/questions.jsonl",
    .open = open_words,
    .draw = draw_words,
};
