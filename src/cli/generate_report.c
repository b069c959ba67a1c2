#include "cli/generate_report.h"

/* On one line, in quotes; what would break it is escaped. */
static void add_quoted(Str *out, Span s)
{
    str_addc(out, '"');
    for (size_t i = 0; i < s.n;) {
        uint32_t c;
        int n = utf8_decode(&c, s.at + i, s.n - i);
        if (n == 0 || c < 32 || c == 127)
            str_addf(out, c == '\n' && n ? "\\n" : "\\x%02X", (unsigned char)s.at[i]);
        else if (c == '"' || c == '\\')
            str_addf(out, "\\%c", (char)c);
        else
            str_add(out, s.at + i, (size_t)n);
        i += n ? (size_t)n : 1;
    }
    str_addc(out, '"');
}

/* Ids of a model's spare rows have no token. */
static Span text_of(const Tokenizer *t, int32_t id)
{
    return id < tokenizer_vocab_size(t) ? tokenizer_text(t, id) : span("");
}

void generate_report_token(FILE *out, const Tokenizer *t, const RequestEvent *event)
{
    Str line = {0};
    if (event->has_logprob)
        str_addf(&line, "%9.4f %6lld  ", (double)event->logprob, (long long)event->rank);
    else
        str_addf(&line, "%9s %6s  ", "-", "-");
    add_quoted(&line, text_of(t, event->id));
    for (int64_t i = 0; i < event->top_n; i++) {
        str_addf(&line, "%s %.4f ", i ? "," : "   |", (double)event->top[i].logprob);
        add_quoted(&line, text_of(t, event->top[i].id));
    }
    str_addc(&line, '\n');
    fwrite(line.at, 1, line.n, out);
    str_drop(&line);
}

json_t *generate_report_text(Span s)
{
    Str clean = {0};
    for (size_t i = 0; i < s.n;) {
        uint32_t c;
        int n = utf8_decode(&c, s.at + i, s.n - i);
        str_add_utf8(&clean, n ? c : 0xFFFD);
        i += n ? (size_t)n : 1;
    }
    json_t *text = json_stringn(str_c(&clean), clean.n);
    str_drop(&clean);
    return text;
}

json_t *generate_report_token_json(const Tokenizer *t, const RequestEvent *event)
{
    json_t *o =
        json_pack("{s:i s:o}", "id", (int)event->id, "text", generate_report_text(text_of(t, event->id)));
    json_object_set_new(o, "logprob", event->has_logprob ? json_real((double)event->logprob) : json_null());
    if (event->has_logprob)
        json_object_set_new(o, "rank", json_integer(event->rank));
    if (event->top_n) {
        json_t *top = json_array();
        for (int64_t i = 0; i < event->top_n; i++)
            json_array_append_new(top, json_pack("{s:i s:o s:f}", "id", (int)event->top[i].id, "text",
                                                 generate_report_text(text_of(t, event->top[i].id)),
                                                 "logprob", (double)event->top[i].logprob));
        json_object_set_new(o, "top", top);
    }
    return o;
}

double generate_report_rate(int64_t n, double seconds)
{
    return seconds > 0 ? (double)n / seconds : 0;
}

json_t *generate_report_result(const RequestResult *r, const char *const *stops)
{
    int64_t computed = r->prompt_tokens - r->cached_tokens;
    json_t *o = json_pack("{s:I s:I s:I s:s s:f s:f s:f s:f}", "prompt_tokens", (json_int_t)r->prompt_tokens,
                          "cached_tokens", (json_int_t)r->cached_tokens, "tokens", (json_int_t)r->tokens,
                          "end", finish_name(r->finish), "prompt_s", r->prompt_s, "tokens_s", r->tokens_s,
                          "prompt_tokens_per_s", generate_report_rate(computed, r->prompt_s), "tokens_per_s",
                          generate_report_rate(r->tokens, r->tokens_s));
    if (r->cut)
        json_object_set_new(o, "cut", json_true());
    if (r->stop >= 0)
        json_object_set_new(o, "stop", json_string(stops[r->stop]));
    return o;
}
