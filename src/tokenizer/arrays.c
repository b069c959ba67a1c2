/* Vocabularies handed over as arrays, as GGUF carries them. */
#include <string.h>

#include "tokenizer/vocab.h"

static Status add_pieces(Tokenizer *t, const VocabArrays *v)
{
    for (int32_t id = 0; id < v->n; id++) {
        int32_t kind = v->kinds ? v->kinds[id] : PIECE_NORMAL;
        if (kind < PIECE_NORMAL || kind > PIECE_BYTE)
            return fail(ST_FORMAT, "piece %d has the unknown type %d", id, kind);
        if (v->kind == VOCAB_BBPE && (kind == PIECE_BYTE || kind == PIECE_UNUSED))
            kind = kind == PIECE_BYTE ? PIECE_NORMAL : PIECE_CONTROL; /* fillers, never made from text */
        TRY(vocab_add(t, v->pieces[id], (PieceKind)kind, v->scores ? v->scores[id] : 0));
        if (kind == PIECE_CONTROL)
            matcher_add(&t->raw_special, (Needle){.text = t->pieces[id], .id = id});
        else if (kind == PIECE_USER && v->kind == VOCAB_BBPE)
            matcher_add(&t->raw_plain, (Needle){.text = t->pieces[id], .id = id});
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
        array_push(&t->merge_pairs, vocab_find(t, left.at, left.n));
        array_push(&t->merge_pairs, vocab_find(t, right.at, right.n));
    }
    return ST_OK;
}

static Status add_presplit(Tokenizer *t, const char *pre)
{
    t->pre_name = mem_str(pre && *pre ? pre : "default");
    vocab_mix_hash(t, t->pre_name, strlen(t->pre_name));
    bool is_pattern = strpbrk(t->pre_name, "\\[(|") != NULL;
    if (is_pattern)
        return presplit_add_regex(&t->bbpe.presplit, span(t->pre_name), SPLIT_ISOLATED, false);
    return presplit_add_named(&t->bbpe.presplit, t->pre_name, &t->bbpe.ignore_merges);
}

static Status check_end(const VocabArrays *v, const char *what, int32_t id)
{
    if (id < -1 || id >= v->n)
        return fail(ST_FORMAT, "the %s id %d is outside the vocabulary of %d", what, id, v->n);
    return ST_OK;
}

static Status fill(Tokenizer *t, const VocabArrays *v)
{
    TRY(check_end(v, "bos", v->bos));
    TRY(check_end(v, "eos", v->eos));
    TRY(check_end(v, "unknown", v->unk));
    TRY(add_pieces(t, v));
    t->bos = v->bos;
    t->eos = v->eos;
    t->unk = v->unk;
    t->add_bos = v->add_bos && v->bos >= 0;
    if (v->kind == VOCAB_BBPE) {
        t->bbpe.add_prefix_space = v->add_space_prefix;
        TRY(add_presplit(t, v->pre));
        TRY(add_merges(t, v));
    } else {
        t->spm.prefix = v->add_space_prefix ? PREFIX_FIRST : PREFIX_NEVER;
        t->spm.strip_first_space = v->add_space_prefix;
        t->spm.fuse_unknown = t->spm.keeps_user_whole = true;
        TRY(spm_add_merges_from_scores(t));
    }
    return vocab_ready(t);
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
