/* Which stages a stage names, and the order that follows. */
#include <string.h>

#include "recipe/recipe_inside.h"

Status recipe_no_such(const char *what, Span word, const RecipeNames *names)
{
    char *w = mem_strn(word.at, word.n);
    const char *near = nearest_name(w, names->at, names->n);
    Status st = fail(ST_ARG, "there is no %s '%.100s'%s%s%s", what, w, near ? " (did you mean " : "",
                     near ? near : "", near ? "?)" : "");
    mem_free(w);
    return st;
}

Status recipe_in_place(Status st, const Recipe *r, const char *name, int line)
{
    return st == ST_OK ? ST_OK : fail_in(st, "%s, line %d: stage %s", r->path, line, name);
}

/* Names between braces. ---------------------------------------------------------------------------------- */

typedef struct {
    const Recipe *recipe;
    RecipeStage *stage;
    Status st;   /* of the first name that is wrong */
    bool makes;  /* {out} is among them */
    bool text;   /* text is being filled, in which a list or map has no place */
    bool whole;  /* a word of the command that is nothing but {NAME*} */
    bool inputs; /* patterns of files from outside */
} Check;

/* Of two stages of "each" those belong together whose common names have the same values. */
static bool agree(const json_t *a, const json_t *b)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)a, name, value)
    {
        const json_t *other = json_object_get(b, name);
        if (other && !json_equal(value, other))
            return false;
    }
    return true;
}

static void add_after(RecipeStage *s, size_t at)
{
    for (size_t i = 0; i < s->after.n; i++)
        if (s->after.at[i] == at)
            return;
    array_push(&s->after, at);
}

/* The stages that are meant, as names between braces with blanks between; nothing where there is none. */
static size_t find_stages(Str *out, Check *c, Span name)
{
    size_t found = 0;
    bool many = name.at[name.n - 1] == '*';
    Span plain = {name.at, name.n - many};
    for (size_t i = 0; i < c->recipe->stages.n; i++) {
        const RecipeStage *s = &c->recipe->stages.at[i];
        if (!span_is(plain, s->name) && !(span_is(plain, s->group) && agree(s->values, c->stage->values)))
            continue;
        str_addf(out, "%s{%s}", found++ ? " " : "", s->name);
        add_after(c->stage, i);
    }
    return found;
}

static Status unknown(const Check *c, Span name)
{
    RecipeNames names = {0};
    const char *key;
    json_t *value;
    for (size_t i = 0; i < c->recipe->stages.n; i++)
        array_push(&names, c->recipe->stages.at[i].group);
    json_object_foreach(c->recipe->vars, key, value) array_push(&names, key);
    (void)recipe_no_such("stage and no variable", name, &names);
    array_drop(&names);
    return fail_in(ST_ARG, "{%.*s} (a brace itself is written {{)", (int)name.n, name.at);
}

static Status check_found(const Check *c, Span name, size_t found)
{
    bool many = name.at[name.n - 1] == '*';
    if (!found)
        return unknown(c, name);
    if (c->inputs)
        return fail(ST_ARG, "inputs are files from outside, and {%.*s} is a stage's: the command names it",
                    (int)name.n, name.at);
    if (found > 1 && !many)
        return fail(ST_ARG, "{%.*s} is %zu stages; {%.*s*} as a word of its own takes all of them",
                    (int)name.n, name.at, found, (int)name.n, name.at);
    if (many && !c->whole)
        return fail(ST_ARG, "{%.*s} stands as a word of its own in a command, and nowhere else", (int)name.n,
                    name.at);
    return ST_OK;
}

static json_t *look(void *context, Span name)
{
    Check *c = context;
    Str stages = {0};
    char *word = mem_strn(name.at, name.n);
    bool variable =
        json_object_get(c->recipe->vars, word) != NULL || span_is(name, "recipe") || span_is(name, "out");
    const json_t *value = json_object_get(c->recipe->vars, word);
    if (c->st == ST_OK && c->text && (json_is_array(value) || json_is_object(value)))
        c->st = fail(ST_ARG, "variable %s is a list or a map: it may stand in settings and in \"each\" only",
                     word);
    c->makes = c->makes || span_is(name, "out");
    mem_free(word);
    if (variable && !(c->inputs && !value))
        return NULL;
    size_t found = variable ? 1 : find_stages(&stages, c, name);
    if (c->st == ST_OK)
        c->st = check_found(c, name, found);
    json_t *filled = json_string(str_c(&stages));
    str_drop(&stages);
    return filled;
}

/* A word that stood for many stages becomes many words. */
static void find_in_words(RecipeStage *s, Check *c, const RecipeFiller *filler)
{
    RecipeStage found = {0};
    for (size_t i = 0; i < s->words.n; i++) {
        Str word = {0};
        const char *written = s->words.at[i];
        size_t n = strlen(written);
        c->whole =
            n > 2 && written[0] == '{' && written[n - 2] == '*' && strcspn(written, "} \t\r\n") == n - 1;
        recipe_fill(&word, written, filler);
        const char *at = str_c(&word);
        if (c->whole)
            for (Span w; (w = words_next(&at)).n;)
                array_push(&found.words, mem_strn(w.at, w.n));
        else
            array_push(&found.words, mem_str(at));
        mem_free(s->words.at[i]);
        str_drop(&word);
    }
    mem_free(s->words.at);
    s->words.at = found.words.at;
    s->words.n = found.words.n;
    s->words.cap = found.words.cap;
}

static Status find_names(Recipe *r)
{
    for (size_t i = 0; i < r->stages.n; i++) {
        RecipeStage *s = &r->stages.at[i];
        Check c = {.recipe = r, .stage = s, .text = true};
        RecipeFiller filler = {look, &c, true};
        find_in_words(s, &c, &filler);
        c.whole = false;
        c.inputs = true;
        for (size_t k = 0; k < s->inputs.n; k++) {
            Str input = {0};
            recipe_fill(&input, s->inputs.at[k], &filler);
            mem_free(s->inputs.at[k]);
            s->inputs.at[k] = mem_str(str_c(&input));
            str_drop(&input);
        }
        c.inputs = c.text = false;
        json_t *settings = recipe_fill_json(s->settings, &filler);
        json_decref(s->settings);
        s->settings = settings;
        if (c.st == ST_OK && !c.makes)
            c.st = fail(ST_ARG, "its command does not write to {out}");
        TRY(recipe_in_place(c.st, r, s->name, s->line));
    }
    return ST_OK;
}

/* Order. ------------------------------------------------------------------------------------------------- */

enum { UNSEEN, OPEN, PLACED };

/* Places a stage behind all that it names; `path` says how a cycle goes. */
static Status place(const Recipe *r, size_t at, char *marks, size_t *order, size_t *n, Str *path)
{
    const RecipeStage *s = &r->stages.at[at];
    size_t length = path->n;
    if (marks[at] == PLACED)
        return ST_OK;
    str_addf(path, "%s%s", path->n ? " -> " : "", s->name);
    if (marks[at] == OPEN)
        return fail(ST_ARG, "%s, line %d: stages wait for one another: %.300s", r->path, s->line,
                    str_c(path));
    marks[at] = OPEN;
    for (size_t i = 0; i < s->after.n; i++)
        TRY(place(r, s->after.at[i], marks, order, n, path));
    path->n = length;
    path->at[length] = 0;
    marks[at] = PLACED;
    order[(*n)++] = at;
    return ST_OK;
}

static void reorder(Recipe *r, const size_t *order)
{
    size_t n = r->stages.n, *place_of = mem_array(size_t, n);
    RecipeStage *sorted = mem_array(RecipeStage, n);
    for (size_t i = 0; i < n; i++) {
        place_of[order[i]] = i;
        sorted[i] = r->stages.at[order[i]];
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < sorted[i].after.n; k++)
            sorted[i].after.at[k] = place_of[sorted[i].after.at[k]];
    memcpy(r->stages.at, sorted, n * sizeof *sorted);
    mem_free(sorted);
    mem_free(place_of);
}

static Status sort_stages(Recipe *r)
{
    size_t n = 0, *order = mem_array(size_t, r->stages.n);
    char *marks = mem_zeroed(r->stages.n, 1);
    Str path = {0};
    Status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < r->stages.n; i++)
        st = place(r, i, marks, order, &n, &path);
    if (st == ST_OK)
        reorder(r, order);
    str_drop(&path);
    mem_free(order);
    mem_free(marks);
    return st;
}

Status recipe_order(Recipe *r)
{
    TRY(find_names(r));
    return sort_stages(r);
}
