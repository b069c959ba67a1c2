/* For the tests of tuning sets: a vocabulary of bytes with ChatML's marks, sources in the scratch folder, and
 * a job over them. */
#ifndef CORPUS_INSTRUCT_FIXTURE_TEST_H
#define CORPUS_INSTRUCT_FIXTURE_TEST_H

#include "corpus/instruct_set.h"
#include "corpus/scratch_test.h"
#include "tokenizer/extend.h"

typedef struct {
    InstructRecipe recipe;
    Tokenizer *tok;
    ChatTemplate *tmpl;
    InstructJob job;
} Fixture;

/* `section` is a recipe's section tune: in YAML's flow style, $ standing for the scratch folder. */
static inline void fixture_open(Fixture *f, const char *section)
{
    Str text = {0};
    json_t *object;
    Tokenizer *bytes = scratch_vocabulary();
    *f = (Fixture){0};
    for (; *section; section++)
        if (*section == '$')
            str_adds(&text, scratch);
        else
            str_addc(&text, *section);
    assert_int_equal(chat_template_open(&f->tmpl, "chatml"), ST_OK);
    assert_int_equal(tokenizer_extend(&f->tok, bytes, chat_template_markers(f->tmpl)), ST_OK);
    tokenizer_close(bytes);
    instruct_recipe_defaults(&f->recipe);
    f->recipe.config.context = 100;
    if (config_parse_yaml(&object, str_c(&text), text.n, "tune") != ST_OK ||
        instruct_recipe_take(&f->recipe, object) != ST_OK)
        fail_msg("%s", error_text());
    json_decref(object);
    str_drop(&text);
    f->job = (InstructJob){.recipe = &f->recipe, .tok = f->tok, .tmpl = f->tmpl, .seed = 7, .threads = 2};
}

static inline void fixture_close(Fixture *f)
{
    instruct_recipe_drop(&f->recipe);
    tokenizer_close(f->tok);
    chat_template_free(f->tmpl);
}

/* n sound examples in Alpaca's form, each its own: "NAME question 3" -> "answer 3". */
static inline void fixture_examples(const char *name, int n)
{
    Str text = {0};
    for (int i = 0; i < n; i++)
        str_addf(&text, "{\"instruction\":\"%s question %d\",\"output\":\"answer %d\"}\n", name, i, i);
    scratch_write(name, text.at, text.n);
    str_drop(&text);
}

/* Prepares the set into a folder of the scratch folder; the caller's to free. */
static inline json_t *fixture_prepare(const Fixture *f, const char *folder, bool *reused)
{
    json_t *manifest = NULL;
    bool again;
    if (instruct_prepare(&f->job, in_scratch(folder), &manifest, reused ? reused : &again) != ST_OK)
        fail_msg("%s", error_text());
    return manifest;
}

/* A number of a source's line in the ledger: "used.tokens". */
static inline int64_t fixture_number(const json_t *manifest, size_t source, const char *group,
                                     const char *key)
{
    const json_t *s = json_array_get(json_object_get(json_object_get(manifest, "tune"), "ledger"), source);
    const json_t *v = json_object_get(*group ? json_object_get(s, group) : s, key);
    return (int64_t)json_number_value(v);
}

#endif
