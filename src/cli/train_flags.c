#include "cli/train_flags.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* Names ----------------------------------------------------------------------------------------- */

/* The same things under the names that other trainers use. */
static const struct {
    const char *theirs, *ours;
} other_names[] = {
    {"--micro-batch-size", "--batch"},
    {"--device-batch-size", "--batch"},
    {"--gradient-accumulation-steps", "--grad-accumulation"},
    {"--num-epochs", "--epochs"},
    {"--max-steps", "--steps"},
    {"--lr-scheduler", "--schedule"},
    {"--adam-beta1", "--beta1"},
    {"--adam-beta2", "--beta2"},
    {"--adam-epsilon", "--eps"},
    {"--max-grad-norm", "--grad-clip"},
    {"--rank", "--lora-rank"},
    {"--lora-r", "--lora-rank"},
    {"--alpha", "--lora-alpha"},
    {"--lora-target-modules", "--lora-targets"},
    {"--lora-modules-to-save", "--lora-save"},
};

char *train_flags_our_name(const char *word)
{
    const char *equals = strchr(word, '=');
    size_t n = equals ? (size_t)(equals - word) : strlen(word);
    for (size_t i = 0; i < sizeof other_names / sizeof other_names[0]; i++) {
        char *name = mem_strn(word, n);
        bool same = config_same_name(name, other_names[i].theirs);
        mem_free(name);
        if (same)
            return mem_format("%s%s", other_names[i].ours, word + n);
    }
    return NULL;
}

char **train_flags_rename(int argc, char **argv)
{
    char **words = mem_array(char *, argc + 1);
    for (int i = 0; i < argc; i++) {
        char *ours = i > 0 && argv[i][0] == '-' ? train_flags_our_name(argv[i]) : NULL;
        words[i] = ours ? ours : mem_str(argv[i]);
    }
    return words;
}

void train_flags_rename_drop(char **words, int argc)
{
    for (int i = 0; i < argc; i++)
        mem_free(words[i]);
    mem_free(words);
}

Status train_words_read(TrainWords *out, const Command *c, const RecipeAsk *ask)
{
    *out = (TrainWords){.n = (int)ask->words_n};
    out->words = train_flags_rename(out->n, (char **)(uintptr_t)ask->words);
    return args_parse(&out->args, out->n, out->words, c->flags, c->flags_n, c->tables, c->tables_n);
}

void train_words_drop(TrainWords *w)
{
    args_drop(&w->args);
    train_flags_rename_drop(w->words, w->n);
}

/* Lengths ------------------------------------------------------------------------------------- */

bool train_flags_has_length(const TrainConfig *c)
{
    return c->steps > 0 || c->tokens > 0 || c->epochs > 0 || c->minutes > 0;
}

void train_flags_forget_length(TrainConfig *c)
{
    c->steps = c->tokens = 0;
    c->epochs = c->minutes = 0;
}

bool train_flags_names_length(const json_t *settings)
{
    return json_object_get(settings, "steps") || json_object_get(settings, "tokens") ||
           json_object_get(settings, "epochs") || json_object_get(settings, "minutes");
}

/* Results --------------------------------------------------------------------------------------- */

void train_flags_print_result(const char *run, const TrainResult *r)
{
    json_t *j =
        json_pack("{s:s, s:s, s:I, s:I, s:f}", "run", run, "status", r->diverged ? "diverged" : "done",
                  "steps", (json_int_t)r->steps, "tokens", (json_int_t)r->tokens, "seconds", r->seconds);
    if (isfinite(r->loss_nats))
        json_object_set_new(j, "loss_nats", json_real(r->loss_nats));
    if (isfinite(r->held_out_nats))
        json_object_set_new(j, "held_out_loss_nats", json_real(r->held_out_nats));
    if (isfinite(r->held_out_bits_per_byte))
        json_object_set_new(j, "held_out_bits_per_byte", json_real(r->held_out_bits_per_byte));
    if (r->held_out_rows > 0)
        json_object_set_new(j, "held_out_rows", json_integer(r->held_out_rows));
    cmd_print_json(j, 8);
    json_decref(j);
}
