#include "eval/static/code_task.h"

#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "eval/sample_line.h"
#include "eval/static/code_answer.h"
#include "eval/stats.h"

const char *const code_verdict_names[CODE_VERDICTS] = {"right",      "wrong", "raised",
                                                       "no program", "time",  "unreadable"};

enum { TAIL = 600 };

static SampleKind kind_of(CodeVerdict v)
{
    static const SampleKind kinds[CODE_VERDICTS] = {SAMPLE_FINE,       SAMPLE_FINE, SAMPLE_TOOL_ERROR,
                                                    SAMPLE_TOOL_ERROR, SAMPLE_TIME, SAMPLE_UNREADABLE};
    return kinds[v];
}

static json_t *list_in(json_t *object, const char *key)
{
    json_t *list = json_object_get(object, key);
    if (!list)
        json_object_set_new(object, key, list = json_array());
    return list;
}

static void keep(Sample *out, const CodeMark *m)
{
    sample_read(out, str_span(&m->program));
    json_array_append_new(list_in(out->more, "rules"), json_string(m->rule ? m->rule : ""));
    json_array_append_new(list_in(out->more, "verdicts"), json_string(code_verdict_names[m->verdict]));
    json_array_append_new(list_in(out->more, "says"), json_text(str_span(&m->says)));
}

static Status one(const EvalRun *run, Sample *out, const Question *q, const Conversation *messages,
                  const CodeTask *task, const AskText *how, CodeMark *mark)
{
    Str text = {0};
    Status st = ask_messages(run, out, messages, how, &text);
    if (st == ST_OK && code_blank(str_span(&text)))
        mark->verdict = CODE_UNREADABLE;
    else if (st == ST_OK)
        st = task->mark(run, task->state, q, str_span(&text), mark);
    str_drop(&text);
    if (st == ST_OK)
        keep(out, mark);
    return st;
}

static void metrics(Sample *out, int64_t n, int64_t right)
{
    static const int64_t ks[] = {1, 10, 100};
    static const char *const names[] = {"pass@1", "pass@10", "pass@100"};
    for (size_t i = 0; i < sizeof ks / sizeof ks[0]; i++)
        if (n >= ks[i])
            sample_metric(out, names[i], stats_pass_at_k(n, right, ks[i]));
}

Status code_task_ask(const EvalRun *run, Sample *out, const Question *q, const Conversation *messages,
                     const CodeTask *task)
{
    int64_t n = run->settings->samples > 0 ? run->settings->samples : 1, right = 0;
    SampleKind first = SAMPLE_FINE;
    AskText how = task->how;
    if (n > 1) {
        how.temperature = task->sampled;
        how.top_p = 0.95; /* Chen et al. 2021, section 2.1; MultiPL-E's too */
    }
    for (int64_t i = 0; i < n; i++) {
        if (i && run->stopped && run->stopped(run->stopped_context))
            return fail(ST_CANCELLED, "stopped after %lld of %lld answers to %s", (long long)i, (long long)n,
                        q->id);
        CodeMark mark = {0};
        how.nth = i;
        Status st = one(run, out, q, messages, task, &how, &mark);
        right += st == ST_OK && mark.verdict == CODE_RIGHT;
        first = i ? first : kind_of(mark.verdict);
        str_drop(&mark.program);
        str_drop(&mark.says);
        TRY(st);
        if (out->kind == SAMPLE_CONTEXT || out->kind == SAMPLE_REFUSED)
            break; /* the other answers would find no room, or be refused, either */
    }
    while (json_array_size(out->prompts) > 1)
        json_array_remove(out->prompts, json_array_size(out->prompts) - 1);
    if (out->kind == SAMPLE_FINE && right == 0)
        out->kind = first;
    metrics(out, n, right);
    return ST_OK;
}

CodeVerdict code_verdict_of(const SandboxResult *r, CodeVerdict bad)
{
    switch (r->end) {
    case SANDBOX_EXITED: return r->code == 0 ? CODE_RIGHT : bad;
    case SANDBOX_WALL_TIME:
    case SANDBOX_CPU_TIME: return CODE_TIME;
    default: return CODE_RAISED;
    }
}

void code_tail(Str *out, const SandboxResult *r)
{
    Span text = span_trim(str_span(r->err.n ? &r->err : &r->out));
    size_t from = text.n > TAIL ? text.n - TAIL : 0;
    str_add(out, text.at + from, text.n - from);
    if (r->end != SANDBOX_EXITED)
        str_addf(out, "%s[%s]", out->n ? "\n" : "", sandbox_end_name(r->end));
}

Status code_run_python(CodeMark *out, const ProgramSpec *spec)
{
    static const CodeVerdict verdicts[PROGRAM_ENDS] = {CODE_RIGHT, CODE_WRONG, CODE_RAISED, CODE_TIME,
                                                       CODE_RAISED};
    static const char *const syntax[] = {"SyntaxError", "IndentationError", "TabError"};
    ProgramVerdict v = {0};
    Status st = program_run(&v, spec);
    if (st == ST_OK) {
        out->verdict = verdicts[v.end];
        str_add(&out->says, v.said.at, v.said.n);
        for (size_t i = 0; i < sizeof syntax / sizeof syntax[0]; i++)
            if (v.end == PROGRAM_RAISED && span_starts(str_span(&v.said), syntax[i]))
                out->verdict = CODE_NO_PROGRAM;
    }
    program_verdict_drop(&v);
    return st;
}

Status code_form_read(Str *form, bool *there, Questions *q, const char *data, const char *file)
{
    char *path = path_join(data, file), sum[65];
    str_clear(form);
    *there = path_exists(path);
    Status st = *there ? file_read(form, path, 1 << 20) : ST_OK;
    mem_free(path);
    TRY(st);
    if (!q->facts)
        q->facts = json_object();
    text_hash(sum, str_span(form));
    json_object_set_new(q->facts, file, *there ? json_string(sum) : json_null());
    return ST_OK;
}

Status code_questions_read(Questions *q, const char *data, const char *file,
                           bool (*take)(Questions *q, int64_t number, json_t *object))
{
    if (folder_holds(data, file))
        return questions_read(q, data, file, take);
    char *packed = mem_format("%s.gz", file);
    Status st = questions_read(q, data, packed, take);
    mem_free(packed);
    return st;
}
