/* Writes a vocabulary as the files other programs read: those it came from, byte for byte, or, for one that
 * was handed over as arrays, the tokenizer.json and tokenizer_config.json that say the same. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "tokenizer/vocab.h"

static json_t *text_value(Span s)
{
    json_t *v = json_stringn(s.at, s.n);
    return v ? v : json_string(""); /* a piece that is not UTF-8: refused before this is written */
}

static json_t *replace(const char *from, const char *to)
{
    return json_pack("{s:s, s:{s:s}, s:s}", "type", "Replace", "pattern", "String", from, "content", to);
}

/* Merges of a SentencePiece vocabulary ------------------------------------------------------------------ */

static int by_rank(const void *a, const void *b)
{
    const Pair *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->key < y->key ? -1 : x->key > y->key;
}

static void add_merge(const Tokenizer *t, json_t *list, int32_t left, int32_t right)
{
    json_array_append_new(list,
                          json_pack("[o, o]", text_value(t->pieces[left]), text_value(t->pieces[right])));
}

static json_t *merges(const Tokenizer *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i + 1 < t->merge_pairs.n; i += 2)
        add_merge(t, list, t->merge_pairs.at[i], t->merge_pairs.at[i + 1]);
    if (t->kind == VOCAB_BBPE)
        return list;
    Array(Pair) pairs = {0};
    for (uint64_t i = 0; i <= t->pairs.mask; i++)
        if (t->pairs.slots[i].key != PAIR_FREE)
            array_push(&pairs, t->pairs.slots[i]);
    if (pairs.n)
        qsort(pairs.at, pairs.n, sizeof *pairs.at, by_rank);
    for (size_t i = 0; i < pairs.n; i++)
        add_merge(t, list, (int32_t)(pairs.at[i].key >> 32), (int32_t)(pairs.at[i].key & UINT32_MAX));
    array_drop(&pairs);
    return list;
}

/* Parts ------------------------------------------------------------------------------------------------- */

static json_t *model(const Tokenizer *t)
{
    json_t *vocab = json_object();
    for (int32_t id = 0; id < t->n; id++)
        json_object_setn_new(vocab, t->pieces[id].at, t->pieces[id].n, json_integer(id));
    json_t *unknown = t->unk >= 0 ? text_value(t->pieces[t->unk]) : json_null();
    return json_pack("{s:s, s:n, s:o, s:n, s:n, s:b, s:b, s:b, s:o, s:o}", "type", "BPE", "dropout",
                     "unk_token", unknown, "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
                     t->spm.fuse_unknown, "byte_fallback", t->spm.byte_fallback && t->kind == VOCAB_SPM,
                     "ignore_merges", t->bbpe.ignore_merges, "vocab", vocab, "merges", merges(t));
}

static json_t *added_tokens(const Tokenizer *t)
{
    json_t *list = json_array();
    for (int32_t id = 0; id < t->n; id++) {
        bool special = tokenizer_is_special(t, id);
        if (special || t->kinds[id] == PIECE_USER)
            json_array_append_new(list, json_pack("{s:i, s:o, s:b, s:b, s:b, s:b, s:b}", "id", id, "content",
                                                  text_value(t->pieces[id]), "single_word", 0, "lstrip", 0,
                                                  "rstrip", 0, "normalized", 0, "special", special));
    }
    return list;
}

static json_t *normalizer(const Tokenizer *t)
{
    if (t->kind == VOCAB_BBPE)
        return json_null();
    if (t->spm.prefix == PREFIX_NEVER)
        return replace(" ", SPACE_SYMBOL);
    return json_pack("{s:s, s:[{s:s, s:s}, o]}", "type", "Sequence", "normalizers", "type", "Prepend",
                     "prepend", SPACE_SYMBOL, replace(" ", SPACE_SYMBOL));
}

static json_t *byte_level(void)
{
    return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", 0, "trim_offsets", 1,
                     "use_regex", 0);
}

static json_t *pre_tokenizer(const Tokenizer *t)
{
    if (t->kind == VOCAB_SPM)
        return json_null();
    json_t *list = json_array();
    for (size_t i = 0; i < t->bbpe.presplit.steps.n; i++) {
        Span pattern = presplit_pattern(&t->bbpe.presplit, i);
        json_array_append_new(list, json_pack("{s:s, s:{s:o}, s:s, s:b}", "type", "Split", "pattern", "Regex",
                                              text_value(pattern), "behavior", "Isolated", "invert", 0));
    }
    json_array_append_new(list, byte_level());
    return json_pack("{s:s, s:o}", "type", "Sequence", "pretokenizers", list);
}

static json_t *post_processor(const Tokenizer *t)
{
    if (!t->add_bos)
        return json_null();
    json_t *name = text_value(t->pieces[t->bos]);
    json_t *tokens = json_object();
    json_object_setn_new(tokens, t->pieces[t->bos].at, t->pieces[t->bos].n,
                         json_pack("{s:O, s:[i], s:[O]}", "id", name, "ids", t->bos, "tokens", name));
    json_t *bos = json_pack("{s:{s:o, s:i}}", "SpecialToken", "id", name, "type_id", 0);
    return json_pack("{s:s, s:[O, {s:{s:s, s:i}}], s:[o, {s:{s:s, s:i}}, {s:{s:s, s:i}}], s:o}", "type",
                     "TemplateProcessing", "single", bos, "Sequence", "id", "A", "type_id", 0, "pair", bos,
                     "Sequence", "id", "A", "type_id", 0, "Sequence", "id", "B", "type_id", 1,
                     "special_tokens", tokens);
}

static json_t *decoder(const Tokenizer *t)
{
    if (t->kind == VOCAB_BBPE)
        return byte_level();
    json_t *list =
        json_pack("[o, {s:s}, {s:s}]", replace(SPACE_SYMBOL, " "), "type", "ByteFallback", "type", "Fuse");
    if (t->spm.strip_first_space)
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:i, s:i}", "type", "Strip", "content", " ", "start", 1, "stop", 0));
    return json_pack("{s:s, s:o}", "type", "Sequence", "decoders", list);
}

static json_t *config(const Tokenizer *t)
{
    json_t *c = json_pack("{s:s, s:b, s:b}", "tokenizer_class", "PreTrainedTokenizerFast", "add_bos_token",
                          t->add_bos, "clean_up_tokenization_spaces", 0);
    if (t->bos >= 0)
        json_object_set_new(c, "bos_token", text_value(t->pieces[t->bos]));
    if (t->eos >= 0)
        json_object_set_new(c, "eos_token", text_value(t->pieces[t->eos]));
    if (t->unk >= 0)
        json_object_set_new(c, "unk_token", text_value(t->pieces[t->unk]));
    return c;
}

/* Files ------------------------------------------------------------------------------------------------- */

static Status write_json(const char *folder, const char *name, json_t *value)
{
    check(value);
    char *text = json_dumps(value, JSON_INDENT(1)), *path = path_join(folder, name);
    Status st =
        text ? file_replace(path, text, strlen(text)) : fail(ST_FORMAT, "%s cannot be written as JSON", name);
    free(text);
    mem_free(path);
    json_decref(value);
    return st;
}

static Status write_from_arrays(const Tokenizer *t, const char *folder)
{
    if (t->spm.has_unused || t->spm.symbols_n > t->n)
        return fail(
            ST_UNSUPPORTED,
            "tokenizer.json has no words for a vocabulary that merges through unused or missing pieces; "
            "keep the file it came from");
    if (t->bbpe.add_prefix_space)
        return fail(ST_UNSUPPORTED, "tokenizer.json cannot put a space in front before a pre-split pattern");
    for (int32_t id = 0; id < t->n; id++)
        if (!utf8_valid(t->pieces[id].at, t->pieces[id].n))
            return fail(ST_UNSUPPORTED, "piece %d is not UTF-8, which JSON needs", id);
    TRY(write_json(folder, "tokenizer.json",
                   json_pack("{s:s, s:n, s:n, s:o, s:o, s:o, s:o, s:o, s:o}", "version", "1.0", "truncation",
                             "padding", "added_tokens", added_tokens(t), "normalizer", normalizer(t),
                             "pre_tokenizer", pre_tokenizer(t), "post_processor", post_processor(t),
                             "decoder", decoder(t), "model", model(t))));
    return write_json(folder, "tokenizer_config.json", config(t));
}

static Status write_files(const Tokenizer *t, const char *folder)
{
    TRY(folder_make(folder));
    if (t->files.n == 0)
        return write_from_arrays(t, folder);
    for (size_t i = 0; i < t->files.n; i++) {
        const VocabFile *f = &t->files.at[i];
        char *path = path_join(folder, f->name);
        Status st = file_replace(path, str_c(&f->bytes), f->bytes.n);
        mem_free(path);
        TRY(st);
    }
    return ST_OK;
}

Status tokenizer_save(const Tokenizer *t, const char *folder)
{
    Status st = write_files(t, folder);
    return st == ST_OK ? st : fail_in(st, "writing the vocabulary to %s", folder);
}
