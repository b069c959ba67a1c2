#include "tokenizer/presplit.h"

#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct SplitStep {
    pcre2_code *code;
    char *pattern; /* as it was given */
    size_t pattern_n;
    SplitBehaviour behaviour;
    bool invert, literal;
};

/* Rewriting patterns --------------------------------------------------------------------------------------
 * tokenizer.json files are written for Oniguruma (Hugging Face tokenizers).  Where PCRE2 reads a construct
 * otherwise it is either spelled out for PCRE2 or refused. */

typedef struct {
    const char *at, *end;
    Str *out;
    bool in_class;
} Rewrite;

static Status one_escape(Rewrite *r)
{
    if (r->end - r->at < 2)
        return fail(ST_FORMAT, "pattern ends in a lone backslash");
    char c = r->at[1];
    r->at += 2;
    bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (c == 's') {
        str_adds(r->out, "\\p{White_Space}"); /* PCRE2's own \s holds U+180E */
    } else if (c == 'S') {
        str_adds(r->out, "\\P{White_Space}");
    } else if (c == 'w') {
        str_adds(r->out, r->in_class ? "\\p{L}\\p{M}\\p{N}\\p{Pc}" : "[\\p{L}\\p{M}\\p{N}\\p{Pc}]");
    } else if (c == 'u') {
        if (r->end - r->at < 4)
            return fail(ST_FORMAT, "\\u wants four hexadecimal digits");
        str_addf(r->out, "\\x{%.4s}", r->at);
        r->at += 4;
    } else if (letter_or_digit && !strchr("dDpPrntfx", c)) {
        return fail(ST_UNSUPPORTED, "\\%c does not mean the same to every regular-expression library", c);
    } else {
        str_addc(r->out, '\\');
        str_addc(r->out, c);
    }
    return ST_OK;
}

static Status rewrite(Str *out, Span pattern)
{
    Rewrite r = {.at = pattern.at, .end = pattern.at + pattern.n, .out = out};
    while (r.at < r.end) {
        char c = *r.at;
        if (c == '\\') {
            TRY(one_escape(&r));
            continue;
        }
        if (r.in_class && ((c == '[' && !(r.end - r.at > 1 && r.at[1] == ':')) ||
                           (c == '&' && r.end - r.at > 1 && r.at[1] == '&')))
            return fail(ST_UNSUPPORTED, "sets inside a character class ('[' or '&&')");
        if (!r.in_class && c == '^')
            return fail(ST_UNSUPPORTED, "the anchor '^'");
        if (!r.in_class && c == '$') { /* Oniguruma's is the end of any line */
            str_adds(out, "(?=\\n|\\z)");
            r.at++;
            continue;
        }
        if (!r.in_class && c == '[') {
            r.in_class = true;
            str_addc(out, c);
            r.at++;
            if (r.at < r.end && *r.at == '^')
                str_addc(out, *r.at++);
            if (r.at < r.end && *r.at == ']')
                str_addc(out, *r.at++);
            continue;
        }
        if (r.in_class && c == '[') { /* [:alpha:] */
            const char *close = memmem(r.at, (size_t)(r.end - r.at), ":]", 2);
            if (!close)
                return fail(ST_FORMAT, "'[:' without ':]'");
            str_add(out, r.at, (size_t)(close + 2 - r.at));
            r.at = close + 2;
            continue;
        }
        if (r.in_class && c == ']')
            r.in_class = false;
        str_addc(out, c);
        r.at++;
    }
    return ST_OK;
}

/* Building ---------------------------------------------------------------------------------------------- */

static Status compile(Presplit *p, Span given, Span pattern, SplitBehaviour behaviour, bool invert,
                      bool literal)
{
    int error;
    PCRE2_SIZE at;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern.at, pattern.n, PCRE2_UTF | PCRE2_UCP, &error, &at, NULL);
    if (!code) {
        char why[128];
        pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof why);
        return fail(ST_FORMAT, "pre-split pattern '%.*s': %s", (int)given.n, given.at, why);
    }
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* without JIT it is slower, not different */
    SplitStep *step = mem_new(SplitStep);
    *step = (SplitStep){code, mem_strn(given.at, given.n), given.n, behaviour, invert, literal};
    array_push(&p->steps, step);
    return ST_OK;
}

Status presplit_add_regex(Presplit *p, Span pattern, SplitBehaviour behaviour, bool invert)
{
    Str ours = {0};
    Status st = rewrite(&ours, pattern);
    if (st != ST_OK)
        st = fail_in(st, "pre-split pattern '%.*s'", (int)pattern.n, pattern.at);
    else
        st = compile(p, pattern, str_span(&ours), behaviour, invert, false);
    str_drop(&ours);
    return st;
}

Status presplit_add_literal(Presplit *p, Span text, SplitBehaviour behaviour, bool invert)
{
    Str ours = {0};
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c < 128)
            str_addf(&ours, "\\x{%02x}", c);
        else
            str_addc(&ours, text.at[i]);
    }
    Status st = text.n ? compile(p, text, str_span(&ours), behaviour, invert, true)
                       : fail(ST_FORMAT, "a Split with an empty pattern");
    str_drop(&ours);
    return st;
}

static const char spaced_letters[] =
    "\\s?["
    "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ"
    "-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-"
    "ώᾀ-"
    "ᾴᾶ-"
    "ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ"
    "-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-"
    "𐓻𐲀-"
    "𐲲"
    "𐳀-𐳲𑢠-𑣟𞤀-𞥃"
    "]+"; /* those with two cases */

/* What tokenizer.ggml.pre may name (the first of each list is what we write) and the steps it stands for, as
 * llama.cpp's llama-vocab.cpp pairs them; where its own patterns are only near those of the models'
 * tokenizer.json, it is the latter's. */
static const struct {
    bool ignore_merges;
    const char *names[14], *steps[7];
} named_splits[] = {
    {false,
     {"gpt-2", "phi-2", "jina-es", "jina-de", "jina-v1-en", "jina-v2-es", "jina-v2-de", "mpt", "olmo", "jais",
      "roberta-bpe", "gigachat", "mellum"},
     {presplit_gpt2_pattern}},
    {true,
     {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"},
     {presplit_llama3_pattern}},
    {false, {"smaug-bpe", "dbrx", "lemur"}, {presplit_llama3_pattern}},
    {false, {"qwen2", "deepseek-r1-qwen", "stablelm2", "megrez"}, {presplit_qwen2_pattern}},
    {false,
     {"starcoder", "refact", "command-r", "smollm", "codeshell", "exaone"},
     {"\\p{N}", presplit_gpt2_pattern}},
    {false,
     {"deepseek-coder"},
     {"[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[一-龥ࠀ-一가-퟿]+", "\\p{N}"}},
    {false,
     {"deepseek-llm"},
     {"[\r\n]", spaced_letters, "\\s?[!-/:-~！-／：-～‘-‟　-。]+", "\\s+$", "[一-龥ࠀ-一가-퟿]+",
      "\\p{N}"}},
    {true,
     {"tekken"},
     {"[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|"
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|"
      "\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}},
    {false,
     {"seed-coder"},
     {"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}|"
      " ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"}},
    {false,
     {"default"},
     {"[\\p{P}\\$\\+<=>\\^~\\|]+",
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)", "\\p{N}+",
      "[0-9][0-9][0-9]"}},
};
enum { NAMED_SPLITS = sizeof named_splits / sizeof *named_splits };

static Status add_steps(Presplit *p, int which)
{
    for (const char *const *step = named_splits[which].steps; *step; step++)
        TRY(presplit_add_regex(p, span(*step), SPLIT_ISOLATED, false));
    return ST_OK;
}

Status presplit_add_named(Presplit *p, const char *name, bool *ignore_merges)
{
    Str known = {0};
    for (int i = 0; i < NAMED_SPLITS; i++) {
        for (const char *const *is = named_splits[i].names; *is; is++)
            if (strcmp(name, *is) == 0) {
                str_drop(&known);
                *ignore_merges = named_splits[i].ignore_merges;
                return add_steps(p, i);
            }
        str_addf(&known, "%s%s", i ? ", " : "", named_splits[i].names[0]);
    }
    Status st =
        fail(ST_UNSUPPORTED, "pre-split pattern '%s' is not known here; known are %s and their aliases", name,
             str_c(&known));
    str_drop(&known);
    return st;
}

static bool step_is(const SplitStep *s, const char *pattern)
{
    bool all_kept =
        (s->behaviour == SPLIT_ISOLATED && !s->invert) || (s->behaviour == SPLIT_REMOVED && s->invert);
    return all_kept && !s->literal && s->pattern_n == strlen(pattern) &&
           memcmp(s->pattern, pattern, s->pattern_n) == 0;
}

void presplit_ready(Presplit *p)
{
    p->known = KNOWN_NONE;
    SplitStep **s = p->steps.at;
    if (p->steps.n == 1 && step_is(s[0], presplit_gpt2_pattern))
        p->known = KNOWN_GPT2;
    if (p->steps.n == 1 && step_is(s[0], presplit_llama3_pattern))
        p->known = KNOWN_LLAMA3;
    if (p->steps.n == 1 && step_is(s[0], presplit_qwen2_pattern))
        p->known = KNOWN_QWEN2;
    if (p->steps.n == 2 && step_is(s[0], "\\p{N}") && s[0]->behaviour == SPLIT_ISOLATED &&
        step_is(s[1], presplit_gpt2_pattern))
        p->known = KNOWN_STARCODER;
}

SplitRule presplit_rule(const Presplit *p, size_t step)
{
    const SplitStep *s = p->steps.at[step];
    return (SplitRule){{s->pattern, s->pattern_n}, s->behaviour, s->invert, s->literal};
}

static bool same_steps(const Presplit *a, const Presplit *b)
{
    if (a->known || b->known)
        return a->known == b->known;
    bool same = a->steps.n == b->steps.n;
    for (size_t i = 0; same && i < a->steps.n; i++)
        same =
            step_is(a->steps.at[i], b->steps.at[i]->pattern) && a->steps.at[i]->behaviour == SPLIT_ISOLATED;
    return same;
}

const char *presplit_name(const Presplit *p, bool ignore_merges)
{
    for (int i = 0; i < NAMED_SPLITS; i++) {
        Presplit named = {0};
        bool same = named_splits[i].ignore_merges == ignore_merges && add_steps(&named, i) == ST_OK;
        presplit_ready(&named);
        same = same && same_steps(p, &named);
        presplit_drop(&named);
        if (same)
            return named_splits[i].names[0];
    }
    return NULL;
}

void presplit_drop(Presplit *p)
{
    for (size_t i = 0; i < p->steps.n; i++) {
        pcre2_code_free(p->steps.at[i]->code);
        mem_free(p->steps.at[i]->pattern);
        mem_free(p->steps.at[i]);
    }
    array_drop(&p->steps);
}

/* Running ----------------------------------------------------------------------------------------------- */

void presplitwork_drop(PresplitWork *w)
{
    array_drop(&w->a);
    array_drop(&w->b);
    array_drop(&w->pieces);
    str_drop(&w->patched);
    pcre2_match_data_free(w->match);
    pcre2_match_context_free(w->context);
    pcre2_jit_stack_free(w->stack);
    *w = (PresplitWork){0};
}

static void work_ready(PresplitWork *w)
{
    if (w->match)
        return;
    w->match = pcre2_match_data_create(1, NULL);
    w->stack = pcre2_jit_stack_create(32 << 10, 16 << 20, NULL);
    w->context = pcre2_match_context_create(NULL);
    pcre2_jit_stack_assign(w->context, NULL, w->stack);
}

/* Matches and the gaps between them, in order; an odd number of ranges, gaps first, possibly empty. */
static Status matches_and_gaps(const SplitStep *s, PresplitWork *w, const char *text, size_t n)
{
    const PCRE2_SIZE *found = pcre2_get_ovector_pointer(w->match);
    size_t from = 0, gap = 0;
    array_clear(&w->pieces);
    while (from <= n) {
        int rc = pcre2_match(s->code, (PCRE2_SPTR)text, n, from, PCRE2_NO_UTF_CHECK, w->match, w->context);
        if (rc == PCRE2_ERROR_NOMATCH)
            break;
        if (rc < 0)
            return fail(ST_LIMIT, "pre-split pattern '%s' backtracks without end on this text", s->pattern);
        Range before = {gap, found[0]}, match = {found[0], found[1]};
        array_push(&w->pieces, before);
        array_push(&w->pieces, match);
        gap = from = found[1];
        if (found[1] == found[0])
            do
                from++;
            while (from < n && ((unsigned char)text[from] & 0xC0) == 0x80);
    }
    Range rest = {gap, n};
    array_push(&w->pieces, rest);
    return ST_OK;
}

/* The behaviours as Hugging Face's NormalizedString::split defines them; empty ranges vanish at the end. */
static void add_pieces(const SplitStep *s, const Ranges *pieces, size_t base, Ranges *out)
{
    size_t first = out->n;
    bool previous = false;
    for (size_t k = 0; k < pieces->n; k++) {
        size_t i = s->behaviour == SPLIT_WITH_NEXT ? pieces->n - 1 - k : k;
        Range r = {base + pieces->at[i].start, base + pieces->at[i].end};
        bool is_gap = i % 2 == 0, is_match = is_gap == s->invert;
        if (is_gap && r.start == r.end)
            continue;
        Range *last = out->n > first ? &out->at[out->n - 1] : NULL;
        if (s->behaviour == SPLIT_REMOVED && is_match)
            continue;
        if (s->behaviour == SPLIT_WITH_PREVIOUS && is_match && !previous && last)
            last->end = r.end;
        else if (s->behaviour == SPLIT_WITH_NEXT && is_match && !previous && last)
            last->start = r.start;
        else if (s->behaviour == SPLIT_CONTIGUOUS && last && is_match == previous)
            last->end = r.end;
        else
            array_push(out, r);
        previous = is_match;
    }
    for (size_t a = first, b = out->n; s->behaviour == SPLIT_WITH_NEXT && a + 1 < b; a++, b--) {
        Range swap = out->at[a];
        out->at[a] = out->at[b - 1];
        out->at[b - 1] = swap;
    }
    size_t kept = first;
    for (size_t i = first; i < out->n; i++)
        if (out->at[i].end > out->at[i].start)
            out->at[kept++] = out->at[i];
    out->n = kept;
}

/* PCRE2 wants valid UTF-8: in a copy, every byte that is not part of it becomes U+0001, so places stay the
 * same. */
static const char *patched(PresplitWork *w, const char *text, size_t n)
{
    if (utf8_valid(text, n))
        return text;
    str_clear(&w->patched);
    str_add(&w->patched, text, n);
    for (size_t i = 0; i < n;) {
        uint32_t c;
        int k = utf8_decode(&c, text + i, n - i);
        if (k == 0)
            w->patched.at[i++] = '\x01';
        else
            i += (size_t)k;
    }
    return w->patched.at;
}

Status presplit_run(const Presplit *p, PresplitWork *w, Ranges *out, const char *text, size_t n)
{
    KnownNext *next = presplit_known(p->known);
    for (size_t at = 0; next && at < n;) {
        Range r = {at, next(text, at, n)};
        array_push(out, r);
        at = r.end;
    }
    if (next || n == 0)
        return ST_OK;
    work_ready(w);
    const char *valid = patched(w, text, n);
    Range whole = {0, n};
    array_clear(&w->a);
    array_push(&w->a, whole);
    for (size_t i = 0; i < p->steps.n; i++) {
        array_clear(&w->b);
        for (size_t k = 0; k < w->a.n; k++) {
            Range r = w->a.at[k];
            TRY(matches_and_gaps(p->steps.at[i], w, valid + r.start, r.end - r.start));
            add_pieces(p->steps.at[i], &w->pieces, r.start, &w->b);
        }
        Ranges swap = w->a;
        w->a = w->b;
        w->b = swap;
    }
    for (size_t k = 0; k < w->a.n; k++)
        array_push(out, w->a.at[k]);
    return ST_OK;
}
