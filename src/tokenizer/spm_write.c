/* Writes SentencePiece's tokenizer.model, the protobuf message that spm_model.c reads. */
#include <string.h>

#include "tokenizer/vocab.h"

/* The wire types of protobuf that occur. */
enum { WIRE_VARINT = 0, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

static void add_varint(Str *out, uint64_t v)
{
    for (; v >= 128; v >>= 7)
        str_addc(out, (char)(v | 128));
    str_addc(out, (char)v);
}

/* A negative int32 is sign-extended to 64 bits, as protobuf wants it. */
static void add_number(Str *out, uint32_t field, int64_t v)
{
    add_varint(out, field << 3 | WIRE_VARINT);
    add_varint(out, (uint64_t)v);
}

static void add_bytes(Str *out, uint32_t field, Span bytes)
{
    add_varint(out, field << 3 | WIRE_BYTES);
    add_varint(out, bytes.n);
    str_add(out, bytes.at, bytes.n);
}

static void add_float(Str *out, uint32_t field, float v)
{
    add_varint(out, field << 3 | WIRE_FIXED32);
    str_add(out, &v, sizeof v); /* little-endian, as all that this program is built for */
}

static void add_pieces(const Tokenizer *t, Str *out, Str *message)
{
    for (int32_t id = 0; id < t->n; id++) {
        str_clear(message);
        add_bytes(message, 1, t->pieces[id]);
        add_float(message, 2, t->scores[id]);
        add_number(message, 3, t->kinds[id]);
        add_bytes(out, 1, str_span(message));
    }
}

static void add_trainer_spec(const Tokenizer *t, Str *out, Str *message)
{
    const int32_t ends[] = {t->unk, t->bos, t->eos, t->pad};
    str_clear(message);
    add_number(message, 3, 2); /* model_type: BPE */
    add_number(message, 4, t->n);
    add_number(message, 35, t->spm.byte_fallback);
    for (uint32_t i = 0; i < 4; i++) /* 40..43 unk_id, bos_id, eos_id, pad_id; 45..48 their pieces */
        add_number(message, 40 + i, ends[i]);
    for (uint32_t i = 0; i < 4; i++)
        if (ends[i] >= 0)
            add_bytes(message, 45 + i, t->pieces[ends[i]]);
    add_bytes(out, 2, str_span(message));
}

static void add_normaliser(const Tokenizer *t, Str *out, Str *message)
{
    str_clear(message);
    add_bytes(message, 1, span("identity"));
    add_number(message, 3, t->spm.prefix != PREFIX_NEVER);
    add_number(message, 4, t->spm.remove_extra_spaces);
    add_number(message, 5, 1); /* escape_whitespaces */
    add_bytes(out, 3, str_span(message));
}

Status spm_model_write(const Tokenizer *t, Str *out)
{
    if (t->spm.prefix_unless_space || t->spm.split_at_spaces)
        return fail(ST_UNSUPPORTED,
                    "tokenizer.model has no words for prefix_unless_space and split_at_spaces");
    if (t->unk < 0)
        return fail(ST_UNSUPPORTED, "tokenizer.model needs an unknown piece; this vocabulary has none");
    for (int32_t id = 0; id < t->n; id++)
        if ((t->kinds[id] == PIECE_UNKNOWN) != (id == t->unk))
            return fail(ST_UNSUPPORTED,
                        "tokenizer.model has one unknown piece; id %d is one more, or the "
                        "unknown id %d is of another type",
                        id, t->unk);
    Str message = {0};
    add_pieces(t, out, &message);
    add_trainer_spec(t, out, &message);
    add_normaliser(t, out, &message);
    str_drop(&message);
    return ST_OK;
}
