/* Writes a vocabulary as the files other programs read: those it came from, byte for byte, or, for one that
 * was handed over as arrays, the tokenizer.json or tokenizer.model and the tokenizer_config.json that say the
 * same. */
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

/* Parts ------------------------------------------------------------------------------------------------- */

static json_t *merges(const Tokenizer *t)
{
    size_t n;
    Pair *pairs = vocab_merges(t, &n);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("[o, o]", text_value(t->pieces[pairs[i].key >> 32]),
                                              text_value(t->pieces[pairs[i].key & UINT32_MAX])));
    mem_free(pairs);
    return list;
}

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

/* Hugging Face's Metaspace says what Prepend and Replace cannot. */
static bool wants_metaspace(const Tokenizer *t)
{
    return t->spm.prefix == PREFIX_FIRST || t->spm.prefix_unless_space || t->spm.split_at_spaces;
}

static bool wants_prepend(const Tokenizer *t)
{
    return t->spm.prefix == PREFIX_ALWAYS && !t->spm.prefix_unless_space;
}

static json_t *normalizer(const Tokenizer *t)
{
    if (t->kind == VOCAB_BBPE)
        return t->bbpe.nfc ? json_pack("{s:s}", "type", "NFC") : json_null();
    if (wants_prepend(t))
        return json_pack("{s:s, s:[{s:s, s:s}, o]}", "type", "Sequence", "normalizers", "type", "Prepend",
                         "prepend", SPACE_SYMBOL, replace(" ", SPACE_SYMBOL));
    return wants_metaspace(t) ? json_null() : replace(" ", SPACE_SYMBOL);
}

static json_t *byte_level(bool prefix_space)
{
    return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", prefix_space,
                     "trim_offsets", 1, "use_regex", prefix_space);
}

static json_t *metaspace(const Tokenizer *t)
{
    const char *scheme = wants_prepend(t) || t->spm.prefix == PREFIX_NEVER ? "never"
                         : t->spm.prefix == PREFIX_FIRST                   ? "first"
                                                                           : "always";
    return json_pack("{s:s, s:s, s:s, s:b}", "type", "Metaspace", "replacement", SPACE_SYMBOL,
                     "prepend_scheme", scheme, "split", t->spm.split_at_spaces);
}

static json_t *pre_tokenizer(const Tokenizer *t)
{
    if (t->kind == VOCAB_SPM)
        return wants_metaspace(t) ? metaspace(t) : json_null();
    if (t->bbpe.add_prefix_space)
        return byte_level(true);
    json_t *list = json_array();
    for (size_t i = 0; i < t->bbpe.presplit.steps.n; i++) {
        Span pattern = presplit_rule(&t->bbpe.presplit, i).pattern;
        json_array_append_new(list, json_pack("{s:s, s:{s:o}, s:s, s:b}", "type", "Split", "pattern", "Regex",
                                              text_value(pattern), "behavior", "Isolated", "invert", 0));
    }
    json_array_append_new(list, byte_level(false));
    return json_pack("{s:s, s:o}", "type", "Sequence", "pretokenizers", list);
}

static json_t *sequence(const char *name, int type)
{
    return json_pack("{s:{s:s, s:i}}", "Sequence", "id", name, "type_id", type);
}

/* Puts a token into a template and into the list of those that templates name. */
static void add_end(const Tokenizer *t, json_t *list, json_t *tokens, int32_t id)
{
    Span p = t->pieces[id];
    json_t *name = text_value(p);
    json_object_setn_new(tokens, p.at, p.n,
                         json_pack("{s:O, s:[i], s:[O]}", "id", name, "ids", id, "tokens", name));
    json_array_append_new(list, json_pack("{s:{s:o, s:i}}", "SpecialToken", "id", name, "type_id", 0));
}

static json_t *post_processor(const Tokenizer *t)
{
    if (!t->add_bos && !t->add_eos)
        return json_null();
    json_t *single = json_array(), *pair = json_array(), *tokens = json_object();
    for (int both = 0; both < 2; both++) {
        json_t *list = both ? pair : single;
        if (t->add_bos)
            add_end(t, list, tokens, t->bos);
        json_array_append_new(list, sequence("A", 0));
        if (both)
            json_array_append_new(list, sequence("B", 1));
        if (t->add_eos)
            add_end(t, list, tokens, t->eos);
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "type", "TemplateProcessing", "single", single, "pair", pair,
                     "special_tokens", tokens);
}

static json_t *decoder(const Tokenizer *t)
{
    if (t->kind == VOCAB_BBPE)
        return byte_level(false);
    json_t *list =
        json_pack("[o, {s:s}, {s:s}]", replace(SPACE_SYMBOL, " "), "type", "ByteFallback", "type", "Fuse");
    if (t->spm.strip_first_space)
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:i, s:i}", "type", "Strip", "content", " ", "start", 1, "stop", 0));
    return json_pack("{s:s, s:o}", "type", "Sequence", "decoders", list);
}

/* transformers' LlamaTokenizer reads tokenizer.model; "legacy" is its name for a dummy space behind special
 * tokens too.  A token that is not there is null, so that nobody guesses one. */
static json_t *config(const Tokenizer *t)
{
    json_t *c = json_pack("{s:s, s:b, s:b, s:b}", "tokenizer_class",
                          t->by_scores ? "LlamaTokenizer" : "PreTrainedTokenizerFast", "add_bos_token",
                          t->add_bos, "add_eos_token", t->add_eos, "clean_up_tokenization_spaces", 0);
    static const char *const names[] = {"bos_token", "eos_token", "unk_token", "pad_token"};
    const int32_t ids[] = {t->bos, t->eos, t->unk, t->pad};
    for (int i = 0; i < 4; i++)
        json_object_set_new(c, names[i], ids[i] >= 0 ? text_value(t->pieces[ids[i]]) : json_null());
    if (t->by_scores)
        json_object_set_new(c, "legacy", json_boolean(t->spm.prefix == PREFIX_ALWAYS));
    return c;
}

/* Files ------------------------------------------------------------------------------------------------- */

static Status add_json(VocabFiles *out, const char *name, json_t *value)
{
    check(value);
    VocabFile f = {.name = mem_str(name)};
    char *text = json_dumps(value, JSON_INDENT(1));
    if (text)
        str_adds(&f.bytes, text);
    Status st = text ? ST_OK : fail(ST_FORMAT, "%s cannot be written as JSON", name);
    array_push(out, f);
    free(text);
    json_decref(value);
    return st;
}

static Status add_model(const Tokenizer *t, VocabFiles *out)
{
    VocabFile f = {.name = mem_str("tokenizer.model")};
    Status st = spm_model_write(t, &f.bytes);
    array_push(out, f);
    return st;
}

static Status add_tokenizer_json(const Tokenizer *t, VocabFiles *out)
{
    if (t->bbpe.add_prefix_space && t->bbpe.presplit.known != KNOWN_GPT2)
        return fail(ST_UNSUPPORTED,
                    "tokenizer.json puts a space in front before GPT-2's pre-split pattern only");
    if (t->spm.remove_extra_spaces || (t->spm.prefix == PREFIX_FIRST && !t->spm.prefix_unless_space))
        return fail(ST_UNSUPPORTED,
                    "tokenizer.json has no words for remove_extra_spaces, and for prefix_first only "
                    "together with prefix_unless_space");
    for (int32_t id = 0; id < t->n; id++)
        if (!utf8_valid(t->pieces[id].at, t->pieces[id].n))
            return fail(ST_UNSUPPORTED, "piece %d is not UTF-8, which JSON needs", id);
    return add_json(out, "tokenizer.json",
                    json_pack("{s:s, s:n, s:n, s:o, s:o, s:o, s:o, s:o, s:o}", "version", "1.0",
                              "truncation", "padding", "added_tokens", added_tokens(t), "normalizer",
                              normalizer(t), "pre_tokenizer", pre_tokenizer(t), "post_processor",
                              post_processor(t), "decoder", decoder(t), "model", model(t)));
}

Status vocab_make_files(const Tokenizer *t, VocabFiles *out)
{
    TRY(t->by_scores ? add_model(t, out) : add_tokenizer_json(t, out));
    return add_json(out, "tokenizer_config.json", config(t));
}

void vocab_drop_files(VocabFiles *files)
{
    for (size_t i = 0; i < files->n; i++) {
        mem_free(files->at[i].name);
        str_drop(&files->at[i].bytes);
    }
    array_drop(files);
}

static Status write_files(const VocabFiles *files, const char *folder)
{
    Status st = folder_make(folder);
    for (size_t i = 0; st == ST_OK && i < files->n; i++) {
        char *path = path_join(folder, files->at[i].name);
        st = file_replace(path, str_c(&files->at[i].bytes), files->at[i].bytes.n);
        mem_free(path);
    }
    return st;
}

Status tokenizer_save(const Tokenizer *t, const char *folder)
{
    VocabFiles made = {0};
    Status st = t->files.n ? ST_OK : vocab_make_files(t, &made);
    if (st == ST_OK)
        st = write_files(t->files.n ? &t->files : &made, folder);
    vocab_drop_files(&made);
    return st == ST_OK ? st : fail_in(st, "writing the vocabulary to %s", folder);
}
