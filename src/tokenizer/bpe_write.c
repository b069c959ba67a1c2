#include "tokenizer/bpe_write.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/check.h"
#include "tokenizer/chat_templates.h"
#include "tokenizer/open.h"
#include "tokenizer/presplit.h"
#include "tokenizer/vocab.h"

static const char *const specials[BPE_SPECIALS] = {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<pad>"};

struct BpeVocab {
    Map *ids;       /* piece in byte characters -> id */
    json_t *merges; /* "left right" */
};

BpeVocab *bpe_vocab_new(void)
{
    BpeVocab *v = mem_new(BpeVocab);
    v->ids = map_new();
    v->merges = json_array();
    for (int i = 0; i < BPE_SPECIALS; i++) {
        Span s = span(specials[i]);
        *map_put(v->ids, s.at, s.n) = i;
    }
    for (unsigned b = 0; b < 256; b++) {
        Str c = {0};
        str_add_utf8(&c, vocab_byte_char(b));
        *map_put(v->ids, c.at, c.n) = BPE_SPECIALS + (int64_t)b;
        str_drop(&c);
    }
    return v;
}

void bpe_vocab_free(BpeVocab *v)
{
    if (!v)
        return;
    map_free(v->ids);
    json_decref(v->merges);
    mem_free(v);
}

int32_t bpe_vocab_size(const BpeVocab *v)
{
    return (int32_t)map_count(v->ids);
}

int32_t bpe_vocab_merge(BpeVocab *v, int32_t left, int32_t right)
{
    Span l = map_key_at(v->ids, left), r = map_key_at(v->ids, right);
    Str pair = {0}, joined = {0};
    str_addf(&pair, "%.*s %.*s", (int)l.n, l.at, (int)r.n, r.at);
    str_add(&joined, l.at, l.n);
    str_add(&joined, r.at, r.n);
    json_array_append_new(v->merges, json_stringn(pair.at, pair.n));
    int64_t size = map_count(v->ids), *id = map_put(v->ids, joined.at, joined.n);
    if (map_count(v->ids) > size)
        *id = size;
    int32_t merged = (int32_t)*id;
    str_drop(&pair);
    str_drop(&joined);
    return merged;
}

static json_t *added_tokens(void)
{
    json_t *list = json_array();
    for (int i = 0; i < BPE_SPECIALS; i++)
        json_array_append_new(list, json_pack("{s:i, s:s, s:b, s:b, s:b, s:b, s:b}", "id", i, "content",
                                              specials[i], "single_word", 0, "lstrip", 0, "rstrip", 0,
                                              "normalized", 0, "special", 1));
    return list;
}

static json_t *model(const BpeVocab *v)
{
    json_t *vocab = json_object();
    for (int64_t id = 0; id < map_count(v->ids); id++) {
        Span p = map_key_at(v->ids, id);
        json_object_setn_new(vocab, p.at, p.n, json_integer(id));
    }
    return json_pack("{s:s, s:n, s:n, s:n, s:n, s:b, s:b, s:b, s:o, s:O}", "type", "BPE", "dropout",
                     "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", 0,
                     "byte_fallback", 0, "ignore_merges", 0, "vocab", vocab, "merges", v->merges);
}

static json_t *tokenizer_json(const BpeVocab *v, BpeDigits digits)
{
    const char *pattern = digits == BPE_DIGITS_SINGLE ? presplit_qwen2_pattern : presplit_llama3_pattern;
    json_t *split = json_pack("{s:s, s:{s:s}, s:s, s:b}", "type", "Split", "pattern", "Regex", pattern,
                              "behavior", "Isolated", "invert", 0);
    json_t *bytes = json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", 0,
                              "trim_offsets", 1, "use_regex", 0);
    json_t *pre = json_pack("{s:s, s:[o, O]}", "type", "Sequence", "pretokenizers", split, bytes);
    return json_pack("{s:s, s:n, s:n, s:o, s:n, s:o, s:O, s:o, s:o}", "version", "1.0", "truncation",
                     "padding", "added_tokens", added_tokens(), "normalizer", "pre_tokenizer", pre,
                     "post_processor", bytes, "decoder", bytes, "model", model(v));
}

static json_t *tokenizer_config(void)
{
    Str jinja = {0};
    ChatTemplate *chatml = chat_template_of_style(chat_styles[0]);
    chat_add_jinja(chatml, false, &jinja);
    chat_template_free(chatml);
    json_t *config =
        json_pack("{s:s, s:s, s:s, s:s, s:b, s:[s, s], s:s, s:b}", "tokenizer_class",
                  "PreTrainedTokenizerFast", "bos_token", specials[0], "eos_token", specials[0], "pad_token",
                  specials[3], "add_bos_token", 0, "additional_special_tokens", specials[1], specials[2],
                  "chat_template", str_c(&jinja), "clean_up_tokenization_spaces", 0);
    str_drop(&jinja);
    return config;
}

static json_t *special_tokens_map(void)
{
    return json_pack("{s:s, s:s, s:s, s:[s, s]}", "bos_token", specials[0], "eos_token", specials[0],
                     "pad_token", specials[3], "additional_special_tokens", specials[1], specials[2]);
}

static Str as_text(json_t *value)
{
    check(value);
    char *text = json_dumps(value, JSON_INDENT(1));
    check(text);
    Str s = {0};
    str_adds(&s, text);
    str_addc(&s, '\n');
    free(text);
    json_decref(value);
    return s;
}

Status bpe_vocab_open(const BpeVocab *v, BpeDigits digits, Tokenizer **out)
{
    Str json = as_text(tokenizer_json(v, digits)), config = as_text(tokenizer_config()),
        map = as_text(special_tokens_map());
    Status st = tokenizer_open_bytes(out, &json, NULL, &config);
    if (st == ST_OK) {
        VocabFile f = {mem_str("special_tokens_map.json"), map};
        array_push(&(*out)->files, f);
        map = (Str){0};
    }
    str_drop(&json);
    str_drop(&config);
    str_drop(&map);
    return st;
}
