/* A pipeline in one YAML file: stages, each a command with its settings, that read what others wrote.
 *
 *     name: mini
 *     vars: {steps: 2000}
 *     stages:
 *       corpus:
 *         run: corpus build {recipe} -o {out}
 *         settings: {corpus: {sources: [{name: c, kind: code, path: src/base/x.c}]}}
 *         inputs: src/base/x.c
 *       vocab:
 *         run: tokenizer train --vocab-size 8192 -o {out} {corpus}/train
 *
 * A variable may be a list, which "each" takes by name, and `quick:` names other values for variables.
 * In words and settings {out} is the stage's own folder, {recipe} a file of its settings, {NAME} a variable
 * or the folder of another stage, which must then be done before.  A stage with "each" is many, one for every
 * choice of the values; {NAME} between two of these means the one of the same values, {NAME*} all of them.
 * docs/formats/recipe.md has every key. */
#ifndef RECIPE_RECIPE_H
#define RECIPE_RECIPE_H

#include <jansson.h>

#include "base/array.h"
#include "base/str.h"

typedef struct {
    char *name;     /* "packed", of one with "each" "packed.10-1.3" */
    char *group;    /* "packed" */
    json_t *values; /* what "each" makes of it: {"mix": "10-1", "seed": "3"}; empty without */
    int line;
    bool program;         /* another program than lemur */
    Array(char *) words;  /* of the command, as written */
    json_t *settings;     /* object or NULL, as written; lines forgotten */
    json_t *lined;        /* the same with lines (base/config.h) */
    Array(char *) inputs; /* patterns of files outside (base/glob.h) */
    Array(size_t) after;  /* the stages that it names, each once */
    char *about;          /* a line; "" */
    char *fetch;          /* where inputs that are missing are to be had; "" */
    double minutes;       /* forecasts that take the place of the program's; 0: none */
    int64_t memory, disk; /* bytes */
} RecipeStage;

typedef struct {
    char *path, *name, *about;
    char *store;               /* folder that stages of many recipes share; "run/store" where none is named */
    json_t *vars;              /* as set */
    Array(RecipeStage) stages; /* in an order in which each comes behind those that it names */
} Recipe;

/* Reads and checks a recipe; `sets` are "key=value", where a key is a variable, "store", or a path such as
 * stages.base.settings.train.steps.  *out is the caller's to drop in any case.
 *   ST_IO      cannot read
 *   ST_FORMAT  no YAML
 *   ST_ARG     an unknown key, name or variable (the nearest is named), a cycle, a value of the wrong type;
 * with file and line */
MUST_CHECK Status recipe_read(Recipe *out, const char *path, const char *const *sets, size_t sets_n);
/* The same, with what its key "quick" sets first.  ST_ARG: it has none, too. */
MUST_CHECK Status recipe_read_quick(Recipe *out, const char *path, const char *const *sets, size_t sets_n);
/* The same of what such a file holds; `path` stands for it in what is told. */
MUST_CHECK Status recipe_take(Recipe *out, const json_t *all, const char *path);
void recipe_drop(Recipe *r);
/* ST_ARG: no such stage; the sentence has the nearest. */
MUST_CHECK Status recipe_find(size_t *out, const Recipe *r, const char *name);

typedef struct {
    /* What a name between braces stands for; NULL: it stays as it is.  New reference. */
    json_t *(*lookup)(void *context, Span name);
    void *context;
    bool again; /* "{{" stays, for it will be filled again; else it is one brace */
} RecipeFiller;
/* Appends the text with every "{name}" filled in. */
void recipe_fill(Str *out, const char *text, const RecipeFiller *f);
/* The same in every text of a value; a text that is nothing but "{name}" becomes the value itself, so that a
 * number stays one.  New reference. */
json_t *recipe_fill_json(const json_t *value, const RecipeFiller *f);
json_t *recipe_vars_look(void *recipe, Span name); /* a lookup: variables alone */

#endif
