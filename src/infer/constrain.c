#include "infer/constrain.h"

#include <pthread.h>
#include <string.h>

#include "base/check.h"
#include "infer/constrain_trigger.h"
#include "infer/json_schema.h"
#include "infer/pushdown.h"
#include "infer/regex.h"

struct ConstrainVocab {
    TokenTrie trie;
    Array(int32_t) ends; /* those that are in the vocabulary */
};

struct Constraint {
    const ConstrainVocab *v;
    Grammar *g;
    pthread_mutex_t lock; /* of what follows */
    Pushdown *p;
};

struct ConstrainState {
    Constraint *c;
    SavedState saved; /* the state, in any generation */
    PushState at;     /* the same in this generation */
    int64_t generation;
    bool may_end, may_go_on, ended; /* ended: an end id was taken */
};

/* Vocabulary --------------------------------------------------------------------------------------------- */

ConstrainVocab *constrain_vocab_new(const Tokenizer *t, const int32_t *ends, size_t ends_n)
{
    ConstrainVocab *v = mem_new(ConstrainVocab);
    for (size_t i = 0; i < ends_n; i++)
        if (ends[i] >= 0 && ends[i] < tokenizer_vocab_size(t))
            array_push(&v->ends, ends[i]);
    token_trie_init(&v->trie, t, v->ends.at, v->ends.n);
    return v;
}

void constrain_vocab_free(ConstrainVocab *v)
{
    if (!v)
        return;
    token_trie_drop(&v->trie);
    array_drop(&v->ends);
    mem_free(v);
}

size_t constrain_mask_words(const ConstrainVocab *v)
{
    return ((size_t)v->trie.vocab + 63) / 64;
}

static bool is_end(const ConstrainVocab *v, int32_t id)
{
    for (size_t i = 0; i < v->ends.n; i++)
        if (v->ends.at[i] == id)
            return true;
    return false;
}

/* Constraints -------------------------------------------------------------------------------------------- */

typedef Status BuildBody(Grammar *g, Span source, bool compact, int32_t next, int32_t *start);

static Status build_regex(Grammar *g, Span source, bool compact, int32_t next, int32_t *start)
{
    Regex *r;
    (void)compact;
    TRY(regex_parse(&r, source, REGEX_WHOLE));
    *start = regex_build(r, g, grammar_chars, next);
    regex_free(r);
    return ST_OK;
}

static Status build_triggered(Constraint *c, BuildBody *body, Span source, const ConstrainOptions *o,
                              int32_t *start)
{
    int32_t rule = grammar_rule(c->g), once;
    TRY(body(c->g, source, o->compact, grammar_return(c->g), &once));
    grammar_rule_set(c->g, rule, once);
    return constrain_trigger_build(c->g, &c->v->trie, o, rule, start);
}

static Status build(Constraint *c, BuildBody *body, Span source, const ConstrainOptions *o)
{
    PushState state;
    int32_t start;
    if (o->trigger)
        TRY(build_triggered(c, body, source, o, &start));
    else
        TRY(body(c->g, source, o->compact, grammar_return(c->g), &start));
    if (o->leading_space && !o->trigger)
        start = grammar_either(c->g, start, grammar_text(c->g, span(" "), start));
    TRY(grammar_finish(c->g, start));
    c->p = pushdown_new(c->g, &c->v->trie);
    return pushdown_start(c->p, &state);
}

static Status make(Constraint **out, const ConstrainVocab *v, BuildBody *body, Span source,
                   const ConstrainOptions *options)
{
    ConstrainOptions o = {0};
    Constraint *c = mem_new(Constraint);
    c->v = v;
    c->g = grammar_new();
    check(pthread_mutex_init(&c->lock, NULL) == 0);
    Status st = build(c, body, source, options ? options : &o);
    if (st == ST_OK)
        *out = c;
    else
        constraint_free(c);
    return st;
}

Status constrain_regex(Constraint **out, const ConstrainVocab *v, Span pattern,
                       const ConstrainOptions *options)
{
    return make(out, v, build_regex, pattern, options);
}

Status constrain_json_schema(Constraint **out, const ConstrainVocab *v, Span schema,
                             const ConstrainOptions *options)
{
    return make(out, v, json_schema_build, schema, options);
}

void constraint_free(Constraint *c)
{
    if (!c)
        return;
    pushdown_free(c->p);
    grammar_free(c->g);
    pthread_mutex_destroy(&c->lock);
    mem_free(c);
}

/* States ------------------------------------------------------------------------------------------------- */

static void settle(ConstrainState *s, PushState at)
{
    const Pushdown *p = s->c->p;
    s->at = at;
    s->generation = pushdown_generation(p);
    s->may_end = pushdown_may_end(p, at);
    s->may_go_on = pushdown_may_go_on(p, at);
    pushdown_save(p, at, &s->saved);
}

/* Makes room where there is none, and the state's number valid. */
static void enter(ConstrainState *s)
{
    pthread_mutex_lock(&s->c->lock);
    pushdown_trim(s->c->p);
    if (s->generation != pushdown_generation(s->c->p)) {
        s->at = pushdown_restore(s->c->p, &s->saved);
        s->generation = pushdown_generation(s->c->p);
    }
}

static void leave(ConstrainState *s)
{
    pthread_mutex_unlock(&s->c->lock);
}

ConstrainState *constrain_start(Constraint *c)
{
    ConstrainState *s = mem_new(ConstrainState);
    PushState at;
    s->c = c;
    pthread_mutex_lock(&c->lock);
    pushdown_trim(c->p);
    Status st = pushdown_start(c->p, &at);
    check(st == ST_OK); /* as when the constraint was made */
    settle(s, at);
    pthread_mutex_unlock(&c->lock);
    return s;
}

ConstrainState *constrain_copy(const ConstrainState *s)
{
    ConstrainState *copy = mem_copy(s, sizeof *s);
    copy->saved = (SavedState){
        .at = mem_copy(s->saved.at, s->saved.n * sizeof *s->saved.at), .n = s->saved.n, .cap = s->saved.n};
    return copy;
}

void constrain_free(ConstrainState *s)
{
    if (!s)
        return;
    array_drop(&s->saved);
    mem_free(s);
}

/* What could come, for people: "a" "b" or more. */
static void describe_bytes(Str *out, const ByteSet *set)
{
    int n = 0;
    for (unsigned b = 0; b < 256 && n < 8; b++)
        if (byteset_has(set, b))
            str_addf(out, b >= 0x20 && b < 0x7F ? "%s'%c'" : "%s0x%02X", n++ ? ", " : "", b);
}

static Status nothing_allowed(ConstrainState *s)
{
    Str bytes = {0};
    ByteSet set = pushdown_bytes(s->c->p, s->at);
    describe_bytes(&bytes, &set);
    Status st =
        s->may_end
            ? fail(ST_UNSUPPORTED, "the constrained text is complete, and the vocabulary has no end token")
            : fail(
                  ST_UNSUPPORTED,
                  "no token of the vocabulary goes on with the constrained text, which needs "
                  "one of the bytes %s ... (or it is nested more than %d deep): use a vocabulary with tokens "
                  "for single bytes",
                  str_c(&bytes), PUSHDOWN_DEPTH);
    str_drop(&bytes);
    return st;
}

static bool any_bit(const uint64_t *mask, size_t words)
{
    for (size_t w = 0; w < words; w++)
        if (mask[w])
            return true;
    return false;
}

Status constrain_mask(ConstrainState *s, uint64_t *mask)
{
    const ConstrainVocab *v = s->c->v;
    size_t words = constrain_mask_words(v);
    Status st = ST_OK;
    memset(mask, 0, words * sizeof *mask);
    enter(s);
    if (!s->ended)
        st = pushdown_mask(s->c->p, s->at, mask);
    if (s->may_end)
        for (size_t i = 0; i < v->ends.n; i++)
            mask[v->ends.at[i] / 64] |= 1ull << (v->ends.at[i] % 64);
    if (st == ST_OK && !any_bit(mask, words))
        st = nothing_allowed(s);
    leave(s);
    return st;
}

static Status not_allowed(const ConstrainState *s, int32_t id)
{
    if (s->ended)
        return fail(ST_ARG, "token %d cannot come: the constrained text has ended", id);
    if (is_end(s->c->v, id))
        return fail(ST_ARG, "token %d cannot come: the constrained text may not end yet", id);
    return fail(ST_ARG, "token %d cannot come here in the constrained text", id);
}

Status constrain_advance(ConstrainState *s, int32_t id)
{
    const ConstrainVocab *v = s->c->v;
    PushState to;
    if (is_end(v, id) && s->may_end) {
        s->ended = true;
        return ST_OK;
    }
    Span text = token_trie_text(&v->trie, id);
    if (s->ended || !text.n)
        return not_allowed(s, id);
    enter(s);
    Status st = pushdown_step(s->c->p, s->at, text, &to);
    if (st == ST_OK && !to)
        st = not_allowed(s, id);
    if (st == ST_OK)
        settle(s, to);
    leave(s);
    return st;
}

bool constrain_may_end(const ConstrainState *s)
{
    return s->may_end;
}

bool constrain_done(const ConstrainState *s)
{
    return s->ended || (s->may_end && !s->may_go_on);
}
