#include "recipe/recipe.h"

#include <string.h>

#include "base/config.h"

#define STORE "run/store"

enum { STAGES_MOST = 1000 };

void recipe_drop(Recipe *r)
{
    for (size_t i = 0; i < r->stages.n; i++) {
        RecipeStage *s = &r->stages.at[i];
        for (size_t k = 0; k < s->words.n; k++)
            mem_free(s->words.at[k]);
        for (size_t k = 0; k < s->inputs.n; k++)
            mem_free(s->inputs.at[k]);
        array_drop(&s->words);
        array_drop(&s->inputs);
        array_drop(&s->after);
        json_decref(s->settings);
        json_decref(s->lined);
        mem_free(s->name);
        mem_free(s->about);
    }
    array_drop(&r->stages);
    json_decref(r->vars);
    mem_free(r->path);
    mem_free(r->name);
    mem_free(r->about);
    mem_free(r->store);
    *r = (Recipe){0};
}

/* Words that are wrong. ---------------------------------------------------------------------------------- */

typedef struct {
    const char **at;
    size_t n, cap;
} Names;

static Status no_such(const char *what, Span word, const Names *names)
{
    char *w = mem_strn(word.at, word.n);
    const char *near = nearest_name(w, names->at, names->n);
    Status st = fail(ST_ARG, "there is no %s '%.100s'%s%s%s", what, w, near ? " (did you mean " : "",
                     near ? near : "", near ? "?)" : "");
    mem_free(w);
    return st;
}

static Status check_keys(const json_t *object, const char *const *known, size_t n)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        bool found = key[0] == '\001';
        for (size_t i = 0; i < n; i++)
            found = found || strcmp(key, known[i]) == 0;
        if (!found) {
            Names names = {(const char **)known, n, n};
            return no_such("key", span(key), &names);
        }
    }
    return ST_OK;
}

static Status in_place(Status st, const Recipe *r, const char *name, int line)
{
    return st == ST_OK ? ST_OK : fail_in(st, "%s, line %d: stage %s", r->path, line, name);
}

/* Keys of a stage. --------------------------------------------------------------------------------------- */

static Status take_text(char **out, const json_t *object, const char *key, const char *otherwise)
{
    const json_t *v = json_object_get(object, key);
    if (v && !json_is_string(v))
        return fail(ST_ARG, "%s must be text", key);
    *out = mem_str(v ? json_string_value(v) : otherwise);
    return ST_OK;
}

/* A number, or a text with a suffix: 500M. */
static Status take_bytes(int64_t *out, const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    if (json_is_integer(v))
        *out = json_integer_value(v);
    else if (json_is_string(v))
        TRY(parse_int(out, json_string_value(v)));
    else if (v)
        return fail(ST_ARG, "%s must be a number of bytes, such as 500M", key);
    return *out < 0 ? fail(ST_ARG, "%s is below 0", key) : ST_OK;
}

static Status take_words(RecipeStage *s, const json_t *command)
{
    if (json_is_string(command)) {
        const char *at = json_string_value(command);
        for (Span w; (w = words_next(&at)).n;)
            array_push(&s->words, mem_strn(w.at, w.n));
    }
    for (size_t i = 0; i < json_array_size(command); i++) {
        json_t *word = json_array_get(command, i);
        char *text =
            json_is_string(word) ? mem_str(json_string_value(word)) : json_dumps(word, JSON_ENCODE_ANY);
        array_push(&s->words, text);
    }
    return s->words.n ? ST_OK : fail(ST_ARG, "the command is no text and no list of words");
}

static Status take_inputs(RecipeStage *s, const json_t *v)
{
    size_t n = json_is_array(v) ? json_array_size(v) : v != NULL;
    for (size_t i = 0; i < n; i++) {
        const char *pattern = json_string_value(json_is_array(v) ? json_array_get(v, i) : v);
        if (!pattern || !*pattern)
            return fail(ST_ARG, "inputs must be a pattern of files or a list of them");
        array_push(&s->inputs, mem_str(pattern));
    }
    return ST_OK;
}

static Status take_stage(RecipeStage *s, json_t *object)
{
    static const char *const keys[] = {"run",   "program", "settings", "inputs",
                                       "about", "minutes", "memory",   "disk"};
    if (!json_is_object(object))
        return fail(ST_ARG, "a map with \"run\" is wanted");
    TRY(check_keys(object, keys, sizeof keys / sizeof *keys));
    json_t *run = json_object_get(object, "run"), *program = json_object_get(object, "program"),
           *settings = json_object_get(object, "settings"), *minutes = json_object_get(object, "minutes");
    if (!run == !program)
        return fail(ST_ARG, "either \"run\" (a lemur command) or \"program\" (another) is wanted");
    s->program = program != NULL;
    TRY(take_words(s, run ? run : program));
    if (settings && !json_is_object(settings))
        return fail(ST_ARG, "settings must be a map");
    if (minutes && !(json_is_number(minutes) && json_number_value(minutes) >= 0))
        return fail(ST_ARG, "minutes must be a number");
    s->minutes = json_number_value(minutes);
    s->lined = json_incref(settings);
    s->settings = json_deep_copy(settings);
    config_forget_lines(s->settings);
    TRY(take_inputs(s, json_object_get(object, "inputs")));
    TRY(take_text(&s->about, object, "about", ""));
    TRY(take_bytes(&s->memory, object, "memory"));
    return take_bytes(&s->disk, object, "disk");
}

static Status check_name(const Recipe *r, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    if (!*name || name[strspn(name, letters)] || strspn(name, letters + 52) || strlen(name) > 60)
        return fail(ST_ARG, "a name is a letter, then up to 59 letters, digits, '_' and '-'");
    if (strcmp(name, "out") == 0 || strcmp(name, "recipe") == 0)
        return fail(ST_ARG, "{%s} is a stage's own", name);
    if (json_object_get(r->vars, name))
        return fail(ST_ARG, "a variable has that name, too");
    return ST_OK;
}

static Status take_stages(Recipe *r, json_t *stages)
{
    const char *name;
    json_t *object;
    if (!json_is_object(stages) || json_object_size(stages) > STAGES_MOST)
        return fail(ST_ARG, "%s: stages must be a map of at most %d stages", r->path, STAGES_MOST);
    json_object_foreach(stages, name, object)
    {
        if (name[0] == '\001')
            continue;
        RecipeStage s = {.name = mem_str(name),
                         .line = config_line(json_is_object(object) ? object : stages)};
        Status st = check_name(r, name);
        if (st == ST_OK)
            st = take_stage(&s, object);
        int line = s.line;
        array_push(&r->stages, s);
        TRY(in_place(st, r, name, line));
    }
    return r->stages.n ? ST_OK : fail(ST_ARG, "%s: no stages", r->path);
}

/* Names between braces. ---------------------------------------------------------------------------------- */

typedef struct {
    const Recipe *recipe;
    RecipeStage *stage;
    Status st;
    bool makes; /* {out} is among them */
} Check;

static json_t *look(void *context, Span name)
{
    Check *c = context;
    char *word = mem_strn(name.at, name.n);
    Names names = {0};
    bool known = json_object_get(c->recipe->vars, word) != NULL || span_is(name, "recipe");
    if (span_is(name, "out"))
        known = c->makes = true;
    for (size_t i = 0; i < c->recipe->stages.n; i++) {
        if (strcmp(c->recipe->stages.at[i].name, word) == 0) {
            bool seen = false;
            for (size_t k = 0; k < c->stage->after.n; k++)
                seen = seen || c->stage->after.at[k] == i;
            if (!seen)
                array_push(&c->stage->after, i);
            known = true;
        }
        array_push(&names, c->recipe->stages.at[i].name);
    }
    const char *key;
    json_t *value;
    json_object_foreach(c->recipe->vars, key, value) array_push(&names, key);
    if (!known && c->st == ST_OK) {
        c->st = no_such("stage and no variable", name, &names);
        c->st = fail_in(c->st, "{%s} (a brace itself is written {{)", word);
    }
    array_drop(&names);
    mem_free(word);
    return NULL;
}

static Status find_names(Recipe *r)
{
    for (size_t i = 0; i < r->stages.n; i++) {
        RecipeStage *s = &r->stages.at[i];
        Check c = {.recipe = r, .stage = s};
        Str text = {0};
        for (size_t k = 0; k < s->words.n; k++)
            recipe_fill(&text, s->words.at[k], look, &c);
        for (size_t k = 0; k < s->inputs.n; k++)
            recipe_fill(&text, s->inputs.at[k], look, &c);
        json_decref(recipe_fill_json(s->settings, look, &c));
        str_drop(&text);
        if (c.st == ST_OK && !c.makes)
            c.st = fail(ST_ARG, "its command does not write to {out}");
        TRY(in_place(c.st, r, s->name, s->line));
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

/* --set key=value. --------------------------------------------------------------------------------------- */

static json_t *value_of(const char *text)
{
    json_t *v = NULL;
    if (config_parse_yaml(&v, text, strlen(text), "--set") != ST_OK)
        v = json_string(text);
    return v;
}

static void add_names(Names *names, const json_t *object)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)object, key, v) if (key[0] != '\001') array_push(names, key);
}

/* A path of keys ends in a key that may be new, if what it is in is a map of settings. */
static Status set_at(json_t *object, const char *path, json_t *value)
{
    size_t n = strcspn(path, ".");
    char *key = mem_strn(path, n);
    json_t *inner = json_object_get(object, key);
    Status st = ST_OK;
    if (!path[n] && (inner || object)) {
        json_object_set(object, key, value);
    } else if (json_is_object(inner)) {
        st = set_at(inner, path + n + 1, value);
    } else {
        Names names = {0};
        add_names(&names, object);
        st = no_such("map", span(key), &names);
        array_drop(&names);
    }
    mem_free(key);
    return st;
}

static Status set_one(json_t *all, const char *set)
{
    const char *equals = strchr(set, '=');
    if (!equals || equals == set)
        return fail(ST_ARG, "--set %.100s: write key=value", set);
    char *key = mem_strn(set, (size_t)(equals - set));
    json_t *vars = json_object_get(all, "vars"), *value = value_of(equals + 1);
    Status st = ST_OK;
    if (strchr(key, '.')) {
        st = set_at(all, key, value);
    } else if (json_object_get(vars, key)) {
        json_object_set(vars, key, value);
    } else {
        Names names = {0};
        add_names(&names, vars);
        st = no_such("variable", span(key), &names);
        array_drop(&names);
    }
    json_decref(value);
    mem_free(key);
    return st == ST_OK ? ST_OK : fail_in(st, "--set %.100s", set);
}

/* ----------------------------------------------------------------------------------------------------------
 */

static Status check_vars(Recipe *r, json_t *vars)
{
    const char *key;
    json_t *value;
    if (vars && !json_is_object(vars))
        return fail(ST_ARG, "%s: vars must be a map", r->path);
    r->vars = vars ? json_deep_copy(vars) : json_object();
    config_forget_lines(r->vars);
    json_object_foreach(
        r->vars, key,
        value) if (json_is_object(value) || json_is_array(value) ||
                   json_is_null(
                       value)) return fail(ST_ARG,
                                           "%s: variable %s must be a text, a number or a truth value",
                                           r->path, key);
    return ST_OK;
}

static Status take_recipe(Recipe *r, json_t *all)
{
    static const char *const keys[] = {"name", "about", "store", "vars", "stages"};
    if (!json_is_object(all))
        return fail(ST_ARG, "%s: a map with \"stages\" is wanted", r->path);
    Status st = check_keys(all, keys, sizeof keys / sizeof *keys);
    if (st == ST_OK)
        st = take_text(&r->name, all, "name", "");
    if (st == ST_OK)
        st = take_text(&r->about, all, "about", "");
    if (st == ST_OK)
        st = take_text(&r->store, all, "store", STORE);
    if (st != ST_OK)
        return fail_in(st, "%s, line %d", r->path, config_line(all));
    TRY(check_vars(r, json_object_get(all, "vars")));
    TRY(take_stages(r, json_object_get(all, "stages")));
    TRY(find_names(r));
    return sort_stages(r);
}

Status recipe_read(Recipe *out, const char *path, const char *const *sets, size_t sets_n)
{
    json_t *all = NULL;
    *out = (Recipe){.path = mem_str(path)};
    Status st = config_read_yaml(&all, path);
    for (size_t i = 0; st == ST_OK && i < sets_n; i++)
        st = set_one(all, sets[i]);
    if (st == ST_OK)
        st = take_recipe(out, all);
    json_decref(all);
    return st;
}

Status recipe_find(size_t *out, const Recipe *r, const char *name)
{
    Names names = {0};
    for (size_t i = 0; i < r->stages.n; i++) {
        if (strcmp(r->stages.at[i].name, name) == 0) {
            *out = i;
            array_drop(&names);
            return ST_OK;
        }
        array_push(&names, r->stages.at[i].name);
    }
    Status st = no_such("stage", span(name), &names);
    array_drop(&names);
    return st;
}
