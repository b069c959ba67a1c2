/* For tests that start from a corpus: "corpus" in the scratch folder, with sources c (code) and notes
 * (text). */
#ifndef CORPUS_SMALL_CORPUS_TEST_H
#define CORPUS_SMALL_CORPUS_TEST_H

#include "corpus/corpus_build.h"
#include "corpus/scratch_test.h"

static inline int small_corpus(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    Str c = {0}, notes = {0};
    for (int i = 0; i < 60; i++) {
        str_addf(&c,
                 "{\"text\":\"int f%d(int x)\\n{\\n    return x + %d;\\n}\\n/* so much for number %d "
                 "*/\\n\",\"id\":\"c%d\"}\n",
                 i, i, i, i);
        str_addf(&notes, "{\"text\":\"note %d, of caf\xC3\xA9s and roads and people\",\"id\":\"n%d\"}\n", i,
                 i);
    }
    scratch_write("c.jsonl", c.at, c.n);
    scratch_write("notes.jsonl", notes.at, notes.n);
    str_drop(&c);
    str_drop(&notes);
    CorpusRecipe r;
    char *recipe = mem_format("corpus:\n  held_out: 0.2\n  clean: {text: {min_words: 1, min_stop_words: 0, "
                              "min_alphabetic_words: 0}}\n"
                              "  sources:\n    - {name: c, kind: code, language: c, path: %s/c.jsonl}\n"
                              "    - {name: notes, kind: text, language: en, path: %s/notes.jsonl}\n",
                              scratch, scratch);
    char *folder = scratch_path("corpus");
    Status st = corpus_recipe_parse(&r, recipe, strlen(recipe), "recipe");
    if (st == ST_OK)
        st = corpus_build(&r, folder, 1, NULL);
    if (st != ST_OK)
        print_error("%s\n", error_text());
    corpus_recipe_drop(&r);
    mem_free(recipe);
    mem_free(folder);
    return st == ST_OK ? 0 : -1;
}

#endif
