/* Any bytes as a recipe, behind the first NUL what --set says: stages that come behind those that they name,
 * each found by its name, or a sentence. */
#include <string.h>

#include "fuzz_folder.h"
#include "fuzz_libfyaml.h"
#include "recipe/recipe.h"

static void see(const Recipe *r)
{
    check(r->stages.n > 0 && r->name && r->store && json_is_object(r->vars));
    for (size_t i = 0; i < r->stages.n; i++) {
        const RecipeStage *s = &r->stages.at[i];
        size_t at;
        check(recipe_find(&at, r, s->name) == ST_OK && at == i);
        check(s->words.n > 0 && s->memory >= 0 && s->disk >= 0 && s->minutes >= 0);
        for (size_t k = 0; k < s->after.n; k++)
            check(s->after.at[k] < i);
    }
}

static void fill(const Recipe *r)
{
    RecipeFiller vars = {recipe_vars_look, (void *)(uintptr_t)r, false};
    Str word = {0};
    for (size_t i = 0; i < r->stages.n; i++) {
        const RecipeStage *s = &r->stages.at[i];
        json_t *settings = recipe_fill_json(s->settings, &vars);
        check(!s->settings == !settings);
        json_decref(settings);
        for (size_t k = 0; k < s->words.n; k++)
            recipe_fill(&word, s->words.at[k], &vars);
    }
    str_drop(&word);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Span rest = {(const char *)bytes, n}, text = fuzz_part(&rest);
    char *path = fuzz_file("r.yaml", text.at, text.n);
    char *set = rest.n ? mem_strn(rest.at, rest.n) : NULL;
    const char *sets[] = {set};
    for (int quick = 0; quick < 2; quick++) {
        Recipe r;
        Status st =
            quick ? recipe_read_quick(&r, path, sets, set != NULL) : recipe_read(&r, path, sets, set != NULL);
        if (st == ST_OK) {
            see(&r);
            fill(&r);
        } else {
            check(*error_text());
        }
        recipe_drop(&r);
    }
    mem_free(set);
    mem_free(path);
    return 0;
}
