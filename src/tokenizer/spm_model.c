/* Reads SentencePiece's tokenizer.model: a protobuf message ModelProto, as sentencepiece_model.proto defines
 * it:
 *   1 pieces {1 piece, 2 score, 3 type}   2 trainer_spec   3 normalizer_spec   5 denormalizer_spec */
#include <string.h>

#include "base/cursor.h"
#include "tokenizer/vocab.h"

typedef struct {
    uint32_t number;
    uint64_t value; /* varint and fixed fields           */
    Span bytes;     /* length-delimited fields           */
} ProtoField;

/* The next field of a message; false at its end, or where it is damaged (c->bad). */
static bool next_field(Cursor *c, ProtoField *f)
{
    if (c->bad || cursor_left(c) == 0)
        return false;
    uint64_t tag = cursor_varint(c);
    *f = (ProtoField){.number = (uint32_t)(tag >> 3)};
    switch (tag & 7) {
    case 0: f->value = cursor_varint(c); break;
    case 1: f->value = cursor_u64(c); break;
    case 2: f->bytes = cursor_bytes(c, cursor_varint(c)); break;
    case 5: f->value = cursor_u32(c); break;
    default: c->bad = true;
    }
    return !c->bad && f->number != 0;
}

static float as_float(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float v;
    memcpy(&v, &low, sizeof v);
    return v;
}

static Status read_piece(Tokenizer *t, Span message)
{
    Cursor c = cursor_over(message.at, message.n);
    ProtoField f;
    Span piece = {"", 0};
    float score = 0;
    uint64_t kind = PIECE_NORMAL;
    while (next_field(&c, &f)) {
        if (f.number == 1)
            piece = f.bytes;
        else if (f.number == 2)
            score = as_float(f.value);
        else if (f.number == 3)
            kind = f.value;
    }
    if (c.bad || cursor_left(&c))
        return fail(ST_FORMAT, "piece %d is damaged", t->n);
    if (kind < PIECE_NORMAL || kind > PIECE_BYTE)
        return fail(ST_FORMAT, "piece %d has the unknown type %llu", t->n, (unsigned long long)kind);
    if (kind == PIECE_UNKNOWN && t->unk >= 0)
        return fail(ST_FORMAT, "pieces %d and %d are both the unknown piece", t->unk, t->n);
    if (kind == PIECE_UNKNOWN)
        t->unk = t->n;
    return vocab_add(t, piece, (PieceKind)kind, score);
}

typedef struct {
    uint64_t model_type, byte_fallback, whitespace_as_suffix;
    int64_t bos, eos, pad;
    Span bos_piece, eos_piece;
} TrainerSpec;

static Status read_trainer_spec(Tokenizer *t, TrainerSpec *spec, Span message)
{
    Cursor c = cursor_over(message.at, message.n);
    ProtoField f;
    while (next_field(&c, &f))
        switch (f.number) {
        case 3: spec->model_type = f.value; break;
        case 24: spec->whitespace_as_suffix = f.value; break;
        case 35: spec->byte_fallback = f.value; break;
        case 41: spec->bos = (int32_t)(uint32_t)f.value; break;
        case 42: spec->eos = (int32_t)(uint32_t)f.value; break;
        case 43: spec->pad = (int32_t)(uint32_t)f.value; break;
        case 46: spec->bos_piece = f.bytes; break;
        case 47: spec->eos_piece = f.bytes; break;
        case 44:
            str_clear(&t->unknown_text);
            str_add(&t->unknown_text, f.bytes.at, f.bytes.n);
            break;
        default: break;
        }
    if (c.bad || cursor_left(&c))
        return fail(ST_FORMAT, "the trainer's settings are damaged");
    static const char *const types[] = {"", "unigram", "bpe", "word", "char"};
    if (spec->model_type != 2)
        return fail(ST_UNSUPPORTED, "a SentencePiece model of type %s; only bpe is read",
                    spec->model_type < 5 ? types[spec->model_type] : "unknown");
    if (spec->whitespace_as_suffix)
        return fail(ST_UNSUPPORTED, "treat_whitespace_as_suffix");
    return ST_OK;
}

static Status read_normaliser(Tokenizer *t, Span message)
{
    Cursor c = cursor_over(message.at, message.n);
    ProtoField f;
    Span name = {"", 0};
    bool has_map = false, escape = true, dummy = true, remove_extra = true; /* the proto's defaults */
    while (next_field(&c, &f))
        switch (f.number) {
        case 1: name = f.bytes; break;
        case 2: has_map = f.bytes.n > 0; break;
        case 3: dummy = f.value != 0; break;
        case 4: remove_extra = f.value != 0; break;
        case 5: escape = f.value != 0; break;
        case 6: has_map = has_map || f.bytes.n > 0; break;
        default: break;
        }
    if (c.bad || cursor_left(&c))
        return fail(ST_FORMAT, "the normaliser's settings are damaged");
    if (has_map)
        return fail(ST_UNSUPPORTED, "the normaliser '%.*s'; only identity is done", (int)name.n, name.at);
    if (!escape)
        return fail(ST_UNSUPPORTED, "a normaliser that keeps white space (escape_whitespaces off)");
    t->spm.prefix = dummy ? PREFIX_FIRST : PREFIX_NEVER;
    t->spm.strip_first_space = dummy || remove_extra;
    t->spm.remove_extra_spaces = remove_extra;
    return ST_OK;
}

static Status read_all(Tokenizer *t, Cursor c)
{
    ProtoField f;
    Span trainer = {"", 0}, normaliser = {"", 0};
    while (next_field(&c, &f)) {
        if (f.number == 1)
            TRY(read_piece(t, f.bytes));
        else if (f.number == 2)
            trainer = f.bytes;
        else if (f.number == 3)
            normaliser = f.bytes;
        else if (f.number == 5 && f.bytes.n) {
            Cursor d = cursor_over(f.bytes.at, f.bytes.n);
            ProtoField g;
            while (next_field(&d, &g))
                if (g.number == 2 && g.bytes.n)
                    return fail(ST_UNSUPPORTED, "a denormaliser");
        }
    }
    if (c.bad || cursor_left(&c))
        return fail(ST_FORMAT, "not a SentencePiece model, or cut short, behind piece %d", t->n);
    if (t->n == 0)
        return fail(ST_FORMAT, "not a SentencePiece model: no pieces");
    if (t->unk < 0)
        return fail(ST_FORMAT, "no unknown piece");
    TrainerSpec spec = {
        .model_type = 1, .bos = 1, .eos = 2, .pad = -1, .bos_piece = span("<s>"), .eos_piece = span("</s>")};
    TRY(read_trainer_spec(t, &spec, trainer));
    TRY(read_normaliser(t, normaliser));
    for (int32_t id = 0; id < t->n; id++)
        if (t->kinds[id] == PIECE_BYTE && !spec.byte_fallback)
            return fail(ST_FORMAT, "byte piece %d in a model without byte fallback", id);
    const int64_t *bos = map_find(t->reserved, spec.bos_piece.at, spec.bos_piece.n);
    const int64_t *eos = map_find(t->reserved, spec.eos_piece.at, spec.eos_piece.n);
    t->bos = bos && spec.bos >= 0 ? (int32_t)*bos : -1;
    t->eos = eos && spec.eos >= 0 ? (int32_t)*eos : -1;
    t->pad = spec.pad >= 0 && spec.pad < t->n ? (int32_t)spec.pad : -1;
    t->add_bos = t->bos >= 0;
    t->spm.fuse_unknown = t->spm.keeps_user_whole = true;
    for (int32_t id = 0; id < t->n; id++)
        if (vocab_is_reserved(t, id))
            matcher_add(&t->raw_special, (Needle){.text = t->pieces[id], .id = id});
    return spm_add_merges_from_scores(t);
}

Status spm_model_read(Tokenizer **out, const void *bytes, size_t n)
{
    Tokenizer *t = vocab_new(VOCAB_SPM, "SentencePiece model");
    Status st = read_all(t, cursor_over(bytes, n));
    if (st == ST_OK)
        st = vocab_ready(t);
    if (st != ST_OK) {
        tokenizer_close(t);
        return st;
    }
    *out = t;
    return ST_OK;
}
