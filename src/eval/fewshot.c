#include "eval/fewshot.h"

#include "base/check.h"
#include "eval/sample_line.h"

void fewshot_add(Fewshot *f, Span shot)
{
    str_add(&f->shots, shot.at, shot.n);
    array_push(&f->ends, f->shots.n);
}

void fewshot_drop(Fewshot *f)
{
    str_drop(&f->head);
    str_drop(&f->shots);
    str_drop(&f->before);
    str_drop(&f->after);
    array_drop(&f->ends);
}

static void add(Str *out, Span s)
{
    if (s.n)
        str_add(out, s.at, s.n);
}

void fewshot_prompt(Str *out, const Fewshot *f, int64_t n, Span question)
{
    check(n >= 0 && (size_t)n <= f->ends.n);
    add(out, str_span(&f->head));
    add(out, (Span){f->shots.at, n ? f->ends.at[n - 1] : 0});
    add(out, str_span(&f->before));
    add(out, question);
    add(out, str_span(&f->after));
}

Status fewshot_count(int64_t *n, const Fewshot *f, int64_t asked, int64_t own, const char *where)
{
    int64_t want = asked < 0 ? own : asked;
    if (want > (int64_t)f->ends.n)
        return fail(ST_ARG, "%lld examples are asked for, %s has %zu; ask for fewer with --shots",
                    (long long)want, where, f->ends.n);
    *n = want;
    return ST_OK;
}

json_t *fewshot_facts(const Fewshot *f, size_t prompts, int64_t n, const char *what)
{
    Str text = {0};
    char hash[65];
    for (size_t i = 0; i < prompts; i++)
        fewshot_prompt(&text, &f[i], n, (Span){0});
    text_hash(hash, str_span(&text));
    str_drop(&text);
    return json_pack("{s:I, s:s, s:s}", "shots", (json_int_t)n, "prompt", what, "prompt_sha256", hash);
}
