#include "recipe/recipe_inside.h"

#include <string.h>

#include "base/config.h"

#define STORE "run/store"

enum { STAGES_MOST = 1000, NAME_MOST = 200 /* of a link's name, which file systems bound */ };

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
        json_decref(s->values);
        mem_free(s->name);
        mem_free(s->group);
        mem_free(s->about);
        mem_free(s->fetch);
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
            RecipeNames names = {(const char **)known, n, n};
            return recipe_no_such("key", span(key), &names);
        }
    }
    return ST_OK;
}

/* Forecasts may be variables', for what is forecast goes with the size of the job. */
static void fill_forecasts(const Recipe *r, json_t *stage)
{
    static const char *const keys[] = {"minutes", "memory", "disk"};
    RecipeFiller vars = {recipe_vars_look, (void *)(uintptr_t)r, false};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (json_is_string(json_object_get(stage, keys[i])))
            json_object_set_new(stage, keys[i], recipe_fill_json(json_object_get(stage, keys[i]), &vars));
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
        Str word = {0};
        recipe_add_value(&word, json_array_get(command, i));
        array_push(&s->words, mem_str(str_c(&word)));
        str_drop(&word);
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
    static const char *const keys[] = {"run",     "program", "settings", "inputs", "about",
                                       "minutes", "memory",  "disk",     "fetch"};
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
    TRY(take_text(&s->fetch, object, "fetch", ""));
    TRY(take_bytes(&s->memory, object, "memory"));
    return take_bytes(&s->disk, object, "disk");
}

static bool is_own(const char *name)
{
    return strcmp(name, "out") == 0 || strcmp(name, "recipe") == 0;
}

static Status check_name(const Recipe *r, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    if (!*name || name[strspn(name, letters)] || strspn(name, letters + 52) || strlen(name) > 60)
        return fail(ST_ARG, "a name is a letter, then up to 59 letters, digits, '_' and '-'");
    if (is_own(name))
        return fail(ST_ARG, "{%s} is a stage's own", name);
    if (json_object_get(r->vars, name))
        return fail(ST_ARG, "a variable has that name, too");
    return ST_OK;
}

/* Names of stages that "each" makes lose what tells "a b" from "a-b". */
static Status check_new(const Recipe *r, const char *name)
{
    if (strlen(name) > NAME_MOST)
        return fail(ST_ARG, "\"each\" makes a name of more than %d bytes: give its values shorter ones",
                    NAME_MOST);
    for (size_t i = 0; i < r->stages.n; i++)
        if (strcmp(r->stages.at[i].name, name) == 0)
            return fail(ST_ARG, "two choices of \"each\" make this name: give the values others");
    return ST_OK;
}

/* One stage, or one of those that "each" makes. */
static Status add_stage(Recipe *r, const char *group, json_t *object, int line, const RecipeChoice *choice)
{
    RecipeStage s = {.name = mem_format("%s%s", group, choice ? str_c(&choice->suffix) : ""),
                     .group = mem_str(group),
                     .values = choice ? json_incref(choice->values) : json_object(),
                     .line = line};
    Status st = check_name(r, group);
    if (st == ST_OK)
        st = check_new(r, s.name);
    if (st == ST_OK && json_is_object(object))
        fill_forecasts(r, object);
    if (st == ST_OK)
        st = take_stage(&s, object);
    array_push(&r->stages, s);
    return recipe_in_place(st, r, s.name, line);
}

static Status add_each(Recipe *r, const char *group, json_t *object, int line)
{
    RecipeChoices choices = {0};
    Status st = recipe_choices(&choices, json_object_get(object, "each"), r->vars);
    st = recipe_in_place(st, r, group, line);
    for (size_t i = 0; st == ST_OK && i < choices.n; i++) {
        json_t *filled = recipe_choice_fill(&choices.at[i], object);
        json_object_del(filled, "each");
        st = add_stage(r, group, filled, line, &choices.at[i]);
        json_decref(filled);
    }
    recipe_choices_drop(&choices);
    return st;
}

static Status take_stages(Recipe *r, json_t *stages)
{
    const char *name;
    json_t *object;
    if (!json_is_object(stages))
        return fail(ST_ARG, "%s: stages must be a map", r->path);
    json_object_foreach(stages, name, object)
    {
        int line = config_line(json_is_object(object) ? object : stages);
        if (name[0] == '\001')
            continue;
        if (json_is_object(object) && json_object_get(object, "each"))
            TRY(add_each(r, name, object, line));
        else
            TRY(add_stage(r, name, object, line, NULL));
        if (r->stages.n > STAGES_MOST)
            return fail(ST_LIMIT, "%s: more than %d stages", r->path, STAGES_MOST);
    }
    return r->stages.n ? ST_OK : fail(ST_ARG, "%s: no stages", r->path);
}

/* --set key=value. --------------------------------------------------------------------------------------- */

static json_t *value_of(const char *text)
{
    json_t *v = NULL;
    if (config_parse_yaml(&v, text, strlen(text), "--set") != ST_OK)
        v = json_string(text);
    return v;
}

static void add_names(RecipeNames *names, const json_t *object)
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
    if (!path[n]) {
        json_object_set(object, key, value);
    } else if (json_is_object(inner)) {
        st = set_at(inner, path + n + 1, value);
    } else if (inner) {
        st = fail(ST_ARG, "%s is no map, in which a key could be set", key);
    } else {
        RecipeNames names = {0};
        add_names(&names, object);
        st = recipe_no_such("map", span(key), &names);
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
    } else if (strcmp(key, "store") == 0) {
        json_object_set(all, key, value);
    } else {
        RecipeNames names = {0};
        add_names(&names, vars);
        st = recipe_no_such("variable", span(key), &names);
        array_drop(&names);
    }
    json_decref(value);
    mem_free(key);
    return st == ST_OK ? ST_OK : fail_in(st, "--set %.100s", set);
}

/* --quick. ----------------------------------------------------------------------------------------------- */

static Status check_quick(const json_t *all, const char *path)
{
    const json_t *quick = json_object_get(all, "quick"), *vars = json_object_get(all, "vars");
    const char *key;
    json_t *value;
    RecipeNames names = {0};
    Status st = ST_OK;
    if (quick && !json_is_object(quick))
        return fail(ST_ARG, "%s: quick must be a map of variables", path);
    add_names(&names, vars);
    json_object_foreach((json_t *)quick, key, value)
    {
        if (st == ST_OK && key[0] != '\001' && !json_object_get(vars, key))
            st = recipe_no_such("variable", span(key), &names);
    }
    array_drop(&names);
    return st == ST_OK ? ST_OK : fail_in(st, "%s, line %d: quick", path, config_line(quick));
}

static Status set_quick(json_t *all, const char *path)
{
    json_t *quick = json_object_get(all, "quick"), *value;
    const char *key;
    if (!quick)
        return fail(ST_ARG, "%s has no \"quick:\", which says what --quick sets", path);
    json_object_foreach(quick, key, value)
    {
        if (key[0] != '\001')
            json_object_set(json_object_get(all, "vars"), key, value);
    }
    return ST_OK;
}

/* The whole. --------------------------------------------------------------------------------------------- */

static Status check_vars(Recipe *r, json_t *vars)
{
    const char *key;
    json_t *value;
    if (vars && !json_is_object(vars))
        return fail(ST_ARG, "%s: vars must be a map", r->path);
    r->vars = vars ? json_deep_copy(vars) : json_object();
    config_forget_lines(r->vars);
    json_object_foreach(r->vars, key, value)
    {
        if (json_is_null(value))
            return fail(ST_ARG, "%s: variable %s must have a value", r->path, key);
        if (is_own(key))
            return fail(ST_ARG, "%s: a variable cannot be called %s: {%s} is a stage's own", r->path, key,
                        key);
    }
    return ST_OK;
}

/* A recipe of the other form, as recipes/machine.yaml is. */
static Status refuse_sections(const Recipe *r, const json_t *all)
{
    static const char *const sections[] = {"corpus", "pack", "model", "train", "tune"};
    static const char *const verbs[] = {"corpus build", "pack -r", "train -r", "train -r", "tune -r"};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (json_object_get(all, sections[i]) && !json_object_get(all, "stages"))
            return fail(ST_ARG,
                        "%s has no \"stages\" but a section \"%s\", which is its verb's: lemur %s %s; "
                        "docs/formats/recipe.md has both forms",
                        r->path, sections[i], verbs[i], r->path);
    return ST_OK;
}

static Status take_recipe(Recipe *r, json_t *all)
{
    static const char *const keys[] = {"name", "about", "store", "vars", "quick", "stages"};
    if (!json_is_object(all))
        return fail(ST_ARG, "%s: a map with \"stages\" is wanted", r->path);
    TRY(refuse_sections(r, all));
    Status st = check_keys(all, keys, sizeof keys / sizeof *keys);
    if (st == ST_OK)
        st = take_text(&r->name, all, "name", "");
    if (st == ST_OK)
        st = take_text(&r->about, all, "about", "");
    if (st == ST_OK)
        st = take_text(&r->store, all, "store", STORE);
    if (st == ST_OK && !*r->store)
        st = fail(ST_ARG, "store names no folder");
    if (st != ST_OK)
        return fail_in(st, "%s, line %d", r->path, config_line(all));
    TRY(check_vars(r, json_object_get(all, "vars")));
    TRY(take_stages(r, json_object_get(all, "stages")));
    return recipe_order(r);
}

static Status read_recipe(Recipe *out, const char *path, bool quick, const char *const *sets, size_t sets_n)
{
    json_t *all = NULL;
    *out = (Recipe){.path = mem_str(path)};
    Status st = config_read_yaml(&all, path);
    if (st == ST_OK)
        st = check_quick(all, path);
    if (st == ST_OK && quick)
        st = set_quick(all, path);
    for (size_t i = 0; st == ST_OK && i < sets_n; i++)
        st = set_one(all, sets[i]);
    if (st == ST_OK)
        st = take_recipe(out, all);
    json_decref(all);
    return st;
}

Status recipe_read(Recipe *out, const char *path, const char *const *sets, size_t sets_n)
{
    return read_recipe(out, path, false, sets, sets_n);
}

Status recipe_read_quick(Recipe *out, const char *path, const char *const *sets, size_t sets_n)
{
    return read_recipe(out, path, true, sets, sets_n);
}

Status recipe_take(Recipe *out, const json_t *all, const char *path)
{
    json_t *copy = json_deep_copy(all);
    *out = (Recipe){.path = mem_str(path)};
    Status st = take_recipe(out, copy);
    json_decref(copy);
    return st;
}

Status recipe_find(size_t *out, const Recipe *r, const char *name)
{
    RecipeNames names = {0};
    const char *member = NULL;
    for (size_t i = 0; i < r->stages.n; i++) {
        if (strcmp(r->stages.at[i].name, name) == 0) {
            *out = i;
            array_drop(&names);
            return ST_OK;
        }
        array_push(&names, r->stages.at[i].name);
        if (strcmp(r->stages.at[i].group, name) == 0)
            member = r->stages.at[i].name;
    }
    Status st = member ? fail(ST_ARG, "'%s' is many stages; name one of them, such as %s", name, member)
                       : recipe_no_such("stage", span(name), &names);
    array_drop(&names);
    return st;
}
