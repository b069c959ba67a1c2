#include "cli/tune_inspect.h"

#include "cli/show.h"
#include "corpus/instruct_inspect.h"

typedef struct {
    FILE *out;
    int64_t n;
    bool terminal;
} Inspection;

static bool show(void *context, const InstructSeen *e)
{
    Inspection *x = context;
    const char *begin = x->terminal ? "\033[32m" : "\xE2\x9F\xA6",
               *end = x->terminal ? "\033[0m" : "\xE2\x9F\xA7";
    fprintf(x->out, "--- example %lld, of %s (%s): %lld tokens, %lld learned\n", (long long)e->number, e->source,
            e->code ? "code" : "text", (long long)e->tokens, (long long)e->learned);
    for (size_t i = 0; i < e->stretches.n; i++) {
        const InstructStretch *s = &e->stretches.at[i];
        fputs(s->learned ? begin : "", x->out);
        show_text(x->out, (Span){str_c(&e->text) + s->at, s->n}, x->terminal);
        fputs(s->learned ? end : "", x->out);
    }
    fputc('\n', x->out);
    return e->number < x->n;
}

Status tune_inspect(FILE *out, const char *folder, int64_t n, bool terminal)
{
    Inspection x = {out, n, terminal};
    return instruct_look(folder, 0, show, &x);
}
