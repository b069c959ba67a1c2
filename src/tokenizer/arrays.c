/* Vocabularies handed over as arrays, as GGUF carries them, and handed out again. */
#include <string.h>

#include "tokenizer/vocab.h"

/* From arrays ------------------------------------------------------------------------------------------- */

/* Types as this program's readers would give them, so that a vocabulary is the same whatever it came as. */
static PieceKind kind_of(const VocabArrays *v, bool by_scores, int32_t id)
{
    PieceKind kind = v->kinds ? (PieceKind)v->kinds[id] : PIECE_NORMAL;
    if (v->pieces[id].n == 0)
        kind = PIECE_UNUSED;
    if (id == v->unk && kind == PIECE_NORMAL)
        return PIECE_UNKNOWN;
    if (kind == PIECE_UNUSED && !by_scores)
        return PIECE_NORMAL; /* a filler: no merge leads there */
    return kind == PIECE_BYTE && v->kind == VOCAB_BBPE ? PIECE_NORMAL : kind;
}

static Status add_pieces(Tokenizer *t, const VocabArrays *v, bool by_scores)
{
    for (int32_t id = 0; id < v->n; id++) {
        if (v->kinds && (v->kinds[id] < PIECE_NORMAL || v->kinds[id] > PIECE_BYTE))
            return fail(ST_FORMAT, "piece %d has the unknown type %d", id, v->kinds[id]);
        PieceKind kind = kind_of(v, by_scores, id);
        Span piece = v->pieces[id];
        char hole[32];
        if (piece.n == 0)
            piece = (Span){hole, vocab_hole_name(hole, id)};
        TRY(vocab_add(t, piece, kind, v->scores ? v->scores[id] : 0));
        if (vocab_is_reserved(t, id))
            matcher_add(&t->raw_special, (Needle){.text = t->pieces[id], .id = id});
        else if (kind == PIECE_USER && !by_scores)
            matcher_add(&t->raw_plain, (Needle){.text = t->pieces[id], .id = id});
        if (kind == PIECE_UNKNOWN && t->unk < 0)
            t->unk = id;
    }
    return ST_OK;
}

static Status add_merges(Tokenizer *t, const VocabArrays *v)
{
    for (int32_t i = 0; i < v->merges_n; i++) {
        Span m = v->merges[i];
        const char *gap = m.n > 1 ? memchr(m.at + 1, ' ', m.n - 1) : NULL;
        if (!gap || gap + 1 == m.at + m.n)
            return fail(ST_FORMAT, "merge %d is not two pieces with a space between", i);
        Span left = {m.at, (size_t)(gap - m.at)}, right = {gap + 1, m.n - left.n - 1};
        TRY(bbpe_add_merge(t, left, right, (uint32_t)i));
    }
    return ST_OK;
}

static bool is_pattern(const char *pre)
{
    return strpbrk(pre, "\\[(|") != NULL;
}

static Status add_presplit(Tokenizer *t, const char *pre)
{
    const char *name = pre && *pre ? pre : "default";
    if (is_pattern(name))
        return presplit_add_regex(&t->bbpe.presplit, span(name), SPLIT_ISOLATED, false);
    return presplit_add_named(&t->bbpe.presplit, name, &t->bbpe.ignore_merges);
}

static Status check_end(const VocabArrays *v, const char *what, int32_t id)
{
    if (id < -1 || id >= v->n)
        return fail(ST_FORMAT, "the %s id %d is outside the vocabulary of %d", what, id, v->n);
    return ST_OK;
}

static void set_spm(Spm *m, const VocabArrays *v, bool by_scores)
{
    m->prefix = !v->add_space_prefix ? PREFIX_NEVER : v->prefix_first ? PREFIX_FIRST : PREFIX_ALWAYS;
    m->prefix_unless_space = v->prefix_unless_space;
    m->split_at_spaces = v->split_at_spaces;
    m->remove_extra_spaces = v->remove_extra_spaces;
    m->strip_first_space = v->add_space_prefix || v->remove_extra_spaces;
    m->fuse_unknown = true;
    m->keeps_user_whole = by_scores;
}

static Status fill(Tokenizer *t, const VocabArrays *v)
{
    bool by_scores = v->kind == VOCAB_SPM && v->merges_n == 0;
    TRY(check_end(v, "bos", v->bos));
    TRY(check_end(v, "eos", v->eos));
    TRY(check_end(v, "unknown", v->unk));
    TRY(check_end(v, "padding", v->pad));
    t->bos = v->bos;
    t->eos = v->eos;
    t->unk = v->unk;
    t->pad = v->pad;
    t->add_bos = v->add_bos && v->bos >= 0;
    t->add_eos = v->add_eos && v->eos >= 0;
    TRY(add_pieces(t, v, by_scores));
    if (v->kind == VOCAB_BBPE) {
        t->bbpe.add_prefix_space = v->add_space_prefix;
        t->bbpe.nfc = v->nfc;
        TRY(add_presplit(t, v->pre));
        t->bbpe.ignore_merges = t->bbpe.ignore_merges || v->ignore_merges;
    } else {
        set_spm(&t->spm, v, by_scores);
    }
    TRY(by_scores ? spm_add_merges_from_scores(t) : add_merges(t, v));
    TRY(vocab_ready(t));
    vocab_set_hash(t);
    return ST_OK;
}

Status tokenizer_from_arrays(Tokenizer **out, const VocabArrays *v)
{
    if (v->n <= 0)
        return fail(ST_FORMAT, "a vocabulary without pieces");
    Tokenizer *t = vocab_new(v->kind, "arrays");
    Status st = fill(t, v);
    if (st != ST_OK) {
        tokenizer_close(t);
        return fail_in(st, "taking over a vocabulary");
    }
    *out = t;
    return ST_OK;
}

/* To arrays --------------------------------------------------------------------------------------------- */

static void give_pieces(const Tokenizer *t, Arena *arena, VocabArrays *v)
{
    Span *pieces = arena_alloc(arena, (size_t)t->n * sizeof *pieces);
    int32_t *kinds = arena_alloc(arena, (size_t)t->n * sizeof *kinds);
    for (int32_t id = 0; id < t->n; id++) {
        char hole[32];
        pieces[id] = t->pieces[id];
        kinds[id] = t->kinds[id];
        if (pieces[id].n == 0) {
            size_t n = vocab_hole_name(hole, id);
            pieces[id] = (Span){arena_strn(arena, hole, n), n};
        }
    }
    v->n = t->n;
    v->pieces = pieces;
    v->kinds = kinds;
}

static Status give_merges(const Tokenizer *t, Arena *arena, VocabArrays *v, const Pair *merges, size_t n)
{
    Span *list = arena_alloc(arena, n * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        Span left = t->pieces[merges[i].key >> 32], right = t->pieces[merges[i].key & UINT32_MAX];
        if (memchr(left.at, ' ', left.n) || memchr(right.at, ' ', right.n))
            return fail(ST_UNSUPPORTED,
                        "the merge of '%.*s' and '%.*s' has a space inside, and GGUF puts one "
                        "between the two",
                        (int)left.n, left.at, (int)right.n, right.at);
        char *text = arena_alloc(arena, left.n + 1 + right.n);
        memcpy(text, left.at, left.n);
        text[left.n] = ' ';
        memcpy(text + left.n + 1, right.at, right.n);
        list[i] = (Span){text, left.n + 1 + right.n};
    }
    v->merges = list;
    v->merges_n = (int32_t)n;
    return ST_OK;
}

/* For programs that know scores only: minus the place of the first merge that makes the piece; all others
 * come after the last, as SentencePiece's trainer numbers them. */
static void give_scores(const Tokenizer *t, Arena *arena, VocabArrays *v, const Pair *merges, size_t n)
{
    float *scores = arena_alloc(arena, (size_t)t->n * sizeof *scores);
    for (int32_t id = 0; id < t->n; id++)
        scores[id] = t->by_scores ? t->scores[id] : -(float)n;
    for (size_t i = t->by_scores ? 0 : n; i-- > 0;)
        scores[merges[i].id] = -(float)i;
    v->scores = scores;
}

static Status give_presplit(const Tokenizer *t, Arena *arena, VocabArrays *v)
{
    const Presplit *p = &t->bbpe.presplit;
    v->pre = presplit_name(p, t->bbpe.ignore_merges);
    v->ignore_merges = t->bbpe.ignore_merges;
    if (!v->pre)
        v->pre = presplit_name(p, false);
    if (v->pre)
        return ST_OK;
    SplitRule r = p->steps.n == 1 ? presplit_rule(p, 0) : (SplitRule){.literal = true};
    v->pre = arena_strn(arena, r.pattern.at ? r.pattern.at : "", r.pattern.n);
    if (r.literal || r.invert || r.behaviour != SPLIT_ISOLATED || !is_pattern(v->pre))
        return fail(ST_UNSUPPORTED,
                    "the vocabulary cuts text in a way (pre_tokenizer, %zu steps) that no name of "
                    "tokenizer.ggml.pre stands for; keep its tokenizer.json beside the weights",
                    p->steps.n);
    return ST_OK;
}

static bool plain_needles(const Matcher *m)
{
    for (size_t i = 0; i < m->needles.n; i++)
        if (m->needles.at[i].left_strip || m->needles.at[i].right_strip || m->needles.at[i].single_word)
            return false;
    return true;
}

static bool sought(const Matcher *m, int32_t id)
{
    for (size_t i = 0; i < m->needles.n; i++)
        if (m->needles.at[i].id == id)
            return true;
    return false;
}

/* What tokenizer_from_arrays cannot give back, or NULL. */
static const char *what_is_lost(const Tokenizer *t)
{
    if (!plain_needles(&t->raw_special) || !plain_needles(&t->raw_plain) ||
        !plain_needles(&t->normal_special) || !plain_needles(&t->normal_plain))
        return "added tokens that swallow the space beside them, or want to stand alone (lstrip, rstrip, "
               "single_word)";
    if (t->normal_special.needles.n + t->normal_plain.needles.n)
        return "added tokens that are sought after the normaliser (normalized)";
    if (t->kind == VOCAB_SPM && !t->spm.fuse_unknown && !t->spm.byte_fallback)
        return "an unknown id for every unknown character (fuse_unk off)";
    if (t->unk >= 0 && !sought(&t->raw_special, t->unk))
        return "an unknown piece that is no special token";
    return NULL;
}

Status tokenizer_to_arrays(const Tokenizer *t, Arena *arena, VocabArrays *v, const char **lost)
{
    const Spm *m = &t->spm;
    bool spm = t->kind == VOCAB_SPM;
    *v = (VocabArrays){.kind = t->kind,
                       .bos = t->bos,
                       .eos = t->eos,
                       .unk = t->unk,
                       .pad = t->pad,
                       .add_bos = t->add_bos,
                       .add_eos = t->add_eos,
                       .add_space_prefix = spm ? m->prefix != PREFIX_NEVER : t->bbpe.add_prefix_space,
                       .remove_extra_spaces = m->remove_extra_spaces,
                       .prefix_first = m->prefix == PREFIX_FIRST,
                       .prefix_unless_space = m->prefix_unless_space && m->prefix != PREFIX_NEVER,
                       .split_at_spaces = m->split_at_spaces,
                       .nfc = t->bbpe.nfc};
    *lost = what_is_lost(t);
    size_t n;
    Pair *merges = vocab_merges(t, &n);
    give_pieces(t, arena, v);
    Status st = ST_OK;
    if (spm)
        give_scores(t, arena, v, merges, n);
    else
        st = give_presplit(t, arena, v);
    if (st == ST_OK && !t->by_scores)
        st = give_merges(t, arena, v, merges, n);
    mem_free(merges);
    return st == ST_OK ? st : fail_in(st, "a vocabulary as GGUF carries it");
}
