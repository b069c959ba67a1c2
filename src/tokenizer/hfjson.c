#include "tokenizer/hfjson.h"

#include <string.h>

#include "tokenizer/unicode.h"

const char *hfjson_text(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

bool hfjson_flag(const json_t *object, const char *key, bool otherwise)
{
    const json_t *v = json_object_get(object, key);
    return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

/* Model ------------------------------------------------------------------------------------------------- */

static Status read_model_settings(Tokenizer *t, const json_t *model)
{
    const char *type = hfjson_text(model, "type");
    if (*type && strcmp(type, "BPE") != 0)
        return fail(ST_UNSUPPORTED, "a tokenizer.json with a model of type '%s'; only BPE is read", type);
    if (json_number_value(json_object_get(model, "dropout")) > 0)
        return fail(ST_UNSUPPORTED, "BPE dropout");
    if (*hfjson_text(model, "continuing_subword_prefix") || *hfjson_text(model, "end_of_word_suffix"))
        return fail(ST_UNSUPPORTED, "continuing_subword_prefix and end_of_word_suffix");
    t->spm.byte_fallback = hfjson_flag(model, "byte_fallback", false);
    t->spm.fuse_unknown = hfjson_flag(model, "fuse_unk", false);
    t->bbpe.ignore_merges = hfjson_flag(model, "ignore_merges", false);
    if (t->kind == VOCAB_BBPE &&
        t->spm.byte_fallback) /* every byte is a piece, so there is nothing to fall back from */
        t->spm.byte_fallback = false;
    if (t->kind == VOCAB_SPM && t->bbpe.ignore_merges)
        return fail(ST_UNSUPPORTED, "ignore_merges without a byte-level pre_tokenizer");
    return ST_OK;
}

static Status read_vocab(Tokenizer *t, const json_t *model)
{
    json_t *vocab = json_object_get(model, "vocab");
    const char *unknown = hfjson_text(model, "unk_token"), *piece;
    size_t piece_n;
    json_t *id;
    json_int_t most = -1;
    if (!json_is_object(vocab))
        return fail(ST_FORMAT, "no model.vocab");
    json_object_foreach(vocab, piece, id)
    {
        if (!json_is_integer(id) || json_integer_value(id) < 0)
            return fail(ST_FORMAT, "the id of '%s' is not a whole number from 0 on", piece);
        most = json_integer_value(id) > most ? json_integer_value(id) : most;
    }
    TRY(vocab_reach(t, most < VOCAB_MAX ? most + 1 : most));
    json_object_keylen_foreach(vocab, piece, piece_n, id)
    {
        Span p = {piece, piece_n};
        if (piece_n == 0)
            return fail(ST_FORMAT, "an empty piece at id %lld", (long long)json_integer_value(id));
        PieceKind kind = strcmp(piece, unknown) == 0                        ? PIECE_UNKNOWN
                         : t->spm.byte_fallback && vocab_byte_piece(p) >= 0 ? PIECE_BYTE
                                                                            : PIECE_NORMAL;
        TRY(vocab_place(t, json_integer_value(id), p, kind));
        if (kind == PIECE_UNKNOWN)
            t->unk = (int32_t)json_integer_value(id);
    }
    return ST_OK;
}

static Status read_merges(Tokenizer *t, const json_t *model)
{
    const json_t *merges = json_object_get(model, "merges"), *m;
    size_t i;
    if (!json_is_array(merges))
        return fail(ST_FORMAT, "no model.merges");
    json_array_foreach(merges, i, m)
    {
        Span left = {"", 0}, right = {"", 0};
        if (json_is_string(m)) {
            const char *s = json_string_value(m), *gap = memchr(s, ' ', json_string_length(m));
            if (gap) {
                left = (Span){s, (size_t)(gap - s)};
                right = (Span){gap + 1, json_string_length(m) - left.n - 1};
            }
        } else if (json_is_array(m) && json_array_size(m) == 2) {
            const json_t *a = json_array_get(m, 0), *b = json_array_get(m, 1);
            if (json_is_string(a) && json_is_string(b)) {
                left = (Span){json_string_value(a), json_string_length(a)};
                right = (Span){json_string_value(b), json_string_length(b)};
            }
        }
        if (left.n == 0 || right.n == 0)
            return fail(ST_FORMAT, "merge %zu is not a pair of pieces", i);
        TRY(bbpe_add_merge(t, left, right, (uint32_t)i));
    }
    return ST_OK;
}

/* Added tokens ------------------------------------------------------------------------------------------ */

/* A token that is sought after the normaliser is normalised itself (Hugging Face does the same when it loads
 * them). */
static Span normalised(Tokenizer *t, Span content)
{
    Str s = {0};
    if (t->kind == VOCAB_BBPE && t->bbpe.nfc) {
        unicode_nfc(&s, content.at, content.n);
    } else if (t->kind == VOCAB_SPM && t->spm.normaliser) {
        str_adds(&s, t->spm.prefix_in_normaliser ? " " : "");
        str_add(&s, content.at, content.n);
    } else {
        str_add(&s, content.at, content.n);
    }
    Span kept = {arena_strn(&t->strings, s.at, s.n), s.n};
    str_drop(&s);
    return kept;
}

static Status add_token(Tokenizer *t, const json_t *token, size_t i)
{
    const json_t *content = json_object_get(token, "content"), *number = json_object_get(token, "id");
    if (!json_is_string(content) || !json_is_integer(number) || json_integer_value(number) < 0)
        return fail(ST_FORMAT, "added token %zu lacks its content or its id", i);
    Span text = {json_string_value(content), json_string_length(content)};
    if (text.n == 0)
        return ST_OK;
    bool special = hfjson_flag(token, "special", false), normal = hfjson_flag(token, "normalized", !special);
    json_int_t id = json_integer_value(number);
    int32_t known = vocab_find(t, text.at, text.n);
    if (known >= 0 && known != id)
        return fail(ST_FORMAT, "added token '%s' has id %lld here and %d in the vocabulary", text.at,
                    (long long)id, known);
    if (known < 0) {
        TRY(vocab_reach(t, id < VOCAB_MAX ? (id + 1 > t->n ? id + 1 : t->n) : id));
        TRY(vocab_place(t, id, text, PIECE_CONTROL));
    }
    t->kinds[id] = special ? PIECE_CONTROL : PIECE_USER;
    Needle needle = {.text = normal ? normalised(t, text) : t->pieces[id],
                     .id = (int32_t)id,
                     .left_strip = hfjson_flag(token, "lstrip", false),
                     .right_strip = hfjson_flag(token, "rstrip", false),
                     .single_word = hfjson_flag(token, "single_word", false)};
    Matcher *m = normal    ? (special ? &t->normal_special : &t->normal_plain)
                 : special ? &t->raw_special
                           : &t->raw_plain;
    matcher_add(m, needle);
    return ST_OK;
}

static Status read_added_tokens(Tokenizer *t, const json_t *root)
{
    const json_t *tokens = json_object_get(root, "added_tokens"), *token;
    size_t i;
    json_array_foreach(tokens, i, token) TRY(add_token(t, token, i));
    bool normalises = t->kind == VOCAB_SPM ? t->spm.normaliser : t->bbpe.nfc;
    if (!normalises && t->raw_special.needles.n + t->raw_plain.needles.n == 0) {
        Matcher none = t->raw_special; /* text before and after a normaliser that is not there is the same */
        t->raw_special = t->normal_special;
        t->raw_plain = t->normal_plain;
        t->normal_special = t->normal_plain = none;
    }
    return ST_OK;
}

/* Whole file -------------------------------------------------------------------------------------------- */

static int32_t first_known(const Tokenizer *t, const char *const *names)
{
    for (; *names; names++) {
        int32_t id = vocab_find(t, *names, strlen(*names));
        if (id >= 0 && t->kinds[id] == PIECE_CONTROL)
            return id;
    }
    return -1;
}

/* The file itself does not say which tokens begin and end a text; the post_processor may,
 * tokenizer_config.json does. */
static void guess_bos_eos(Tokenizer *t)
{
    static const char *const bos[] = {"<s>", "<|begin_of_text|>", "<|endoftext|>", "<bos>", NULL};
    static const char *const eos[] = {"</s>", "<|end_of_text|>", "<|endoftext|>", "<eos>", NULL};
    if (t->bos < 0)
        t->bos = first_known(t, bos);
    if (t->eos < 0)
        t->eos = first_known(t, eos);
}

static Status read_root(Tokenizer *t, const json_t *root)
{
    const json_t *model = json_object_get(root, "model");
    TRY(read_model_settings(t, model));
    TRY(hfjson_read_pipeline(t, root));
    TRY(read_vocab(t, model));
    TRY(read_merges(t, model));
    TRY(read_added_tokens(t, root));
    TRY(hfjson_read_post_processor(t, root));
    guess_bos_eos(t);
    return vocab_ready(t);
}

Status hfjson_read(Tokenizer **out, const char *text, size_t n)
{
    json_error_t error;
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!root)
        return fail(ST_FORMAT, "line %d, column %d: %s", error.line, error.column, error.text);
    Tokenizer *t = NULL;
    VocabKind kind = VOCAB_BBPE;
    Status st = json_is_object(json_object_get(root, "model"))
                    ? hfjson_kind(&kind, root)
                    : fail(ST_FORMAT, "not a tokenizer.json: it has no model");
    if (st == ST_OK) {
        t = vocab_new(kind, "tokenizer.json");
        st = read_root(t, root);
    }
    json_decref(root);
    if (st != ST_OK) {
        tokenizer_close(t);
        return st;
    }
    *out = t;
    return ST_OK;
}

/* tokenizer_config.json --------------------------------------------------------------------------------- */

/* A token is a string, or an object with "content"; null says that there is none, unless the vocabulary
 * itself puts one there; absent leaves *id alone. */
static Status read_token_name(const Tokenizer *t, const json_t *config, const char *key, bool fixed,
                              int32_t *id)
{
    const json_t *v = json_object_get(config, key);
    if (json_is_null(v) && !fixed)
        *id = -1;
    const char *name = json_is_object(v) ? hfjson_text(v, "content") : json_string_value(v);
    if (!name || !*name)
        return ST_OK;
    int32_t found = vocab_find(t, name, strlen(name));
    if (found < 0)
        return fail(ST_FORMAT, "%s is '%s', which the vocabulary lacks", key, name);
    *id = found;
    return ST_OK;
}

Status hfjson_read_config(Tokenizer *t, const char *text, size_t n)
{
    json_error_t error;
    json_t *config = json_loadb(text, n, JSON_ALLOW_NUL, &error);
    if (!config)
        return fail(ST_FORMAT, "line %d, column %d: %s", error.line, error.column, error.text);
    Status st = read_token_name(t, config, "bos_token", t->kind == VOCAB_BBPE && t->add_bos, &t->bos);
    if (st == ST_OK)
        st = read_token_name(t, config, "eos_token", t->add_eos, &t->eos);
    const char *pad = hfjson_text(config, "pad_token"); /* may name one that only later programs add */
    if (*pad)
        t->pad = vocab_find(t, pad, strlen(pad));
    t->add_bos = hfjson_flag(config, "add_bos_token", t->add_bos) && t->bos >= 0;
    t->add_eos = hfjson_flag(config, "add_eos_token", t->add_eos) && t->eos >= 0;
    /* transformers' LlamaTokenizer: "legacy" puts the dummy space behind special tokens as well. */
    if (t->by_scores && t->spm.prefix != PREFIX_NEVER)
        t->spm.prefix = hfjson_flag(config, "legacy", false) ? PREFIX_ALWAYS : PREFIX_FIRST;
    json_decref(config);
    return st;
}
