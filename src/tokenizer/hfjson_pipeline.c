#include <string.h>

#include "tokenizer/hfjson.h"

/* A part is null, one object with a "type", or a Sequence of such under `list_key`; calls `each` for every
 * one in order. */
typedef Status EachPart(Tokenizer *t, const json_t *part, const char *type, int index);

static Status each_part(Tokenizer *t, const json_t *part, const char *list_key, const char *what, int *index,
                        int depth, EachPart *each)
{
    if (!part || json_is_null(part))
        return ST_OK;
    const char *type = hfjson_text(part, "type");
    if (strcmp(type, "Sequence") != 0) {
        Status st = each(t, part, type, (*index)++);
        return st == ST_OK ? st : fail_in(st, "%s", what);
    }
    const json_t *list = json_object_get(part, list_key), *member;
    size_t i;
    if (depth > 8)
        return fail(ST_FORMAT, "%s: sequences inside sequences", what);
    json_array_foreach(list, i, member) TRY(each_part(t, member, list_key, what, index, depth + 1, each));
    return ST_OK;
}

/* Whether a part or a member of it is of that type; `t` is unused. */
static bool holds(const json_t *part, const char *list_key, const char *type, int depth)
{
    if (strcmp(hfjson_text(part, "type"), type) == 0)
        return true;
    const json_t *list = json_object_get(part, list_key), *member;
    size_t i;
    json_array_foreach(list, i,
                       member) if (depth < 8 && holds(member, list_key, type, depth + 1)) return true;
    return false;
}

Status hfjson_kind(VocabKind *kind, const json_t *root)
{
    const json_t *pre = json_object_get(root, "pre_tokenizer"),
                 *normalizer = json_object_get(root, "normalizer");
    if (holds(pre, "pretokenizers", "ByteLevel", 0))
        *kind = VOCAB_BBPE;
    else if (holds(pre, "pretokenizers", "Metaspace", 0) || holds(normalizer, "normalizers", "Replace", 0))
        *kind = VOCAB_SPM;
    else
        return fail(
            ST_UNSUPPORTED,
            "a BPE vocabulary that is neither byte-level (pre_tokenizer ByteLevel) nor SentencePiece's "
            "(U+2581 for space); its pre_tokenizer is '%s'",
            hfjson_text(pre, "type"));
    return ST_OK;
}

static Status not_done(const char *type)
{
    return fail(ST_UNSUPPORTED, "'%s' is not something this program does", type);
}

/* Normalizer -------------------------------------------------------------------------------------------- */

static bool replaces(const json_t *part, const char *from, const char *to)
{
    return strcmp(hfjson_text(json_object_get(part, "pattern"), "String"), from) == 0 &&
           strcmp(hfjson_text(part, "content"), to) == 0;
}

static Status read_normalizer(Tokenizer *t, const json_t *part, const char *type, int index)
{
    (void)index;
    if (t->kind == VOCAB_BBPE && strcmp(type, "NFC") == 0) {
        t->bbpe.nfc = true;
        return ST_OK;
    }
    if (t->kind == VOCAB_SPM && strcmp(type, "Prepend") == 0 &&
        strcmp(hfjson_text(part, "prepend"), SPACE_SYMBOL) == 0) {
        t->spm.prefix = PREFIX_ALWAYS;
        t->spm.normaliser = t->spm.prefix_in_normaliser = true;
        return ST_OK;
    }
    if (t->kind == VOCAB_SPM && strcmp(type, "Replace") == 0 && replaces(part, " ", SPACE_SYMBOL)) {
        t->spm.normaliser = t->spm.spaces_become_symbols = true;
        return ST_OK;
    }
    return not_done(type);
}

/* Pre-tokenizer ----------------------------------------------------------------------------------------- */

static Status read_behaviour(SplitBehaviour *out, const char *name)
{
    static const char *const names[] = {"Isolated", "Removed", "MergedWithPrevious", "MergedWithNext",
                                        "Contiguous"};
    for (int i = 0; i < 5; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (SplitBehaviour)i;
            return ST_OK;
        }
    return fail(ST_UNSUPPORTED, "Split with behavior '%s'", name);
}

static Status read_split(Tokenizer *t, const json_t *part)
{
    const json_t *pattern = json_object_get(part, "pattern");
    const json_t *regex = json_object_get(pattern, "Regex"), *literal = json_object_get(pattern, "String");
    SplitBehaviour behaviour = SPLIT_ISOLATED;
    TRY(read_behaviour(&behaviour, hfjson_text(part, "behavior")));
    bool invert = hfjson_flag(part, "invert", false);
    if (t->kind == VOCAB_SPM) { /* after the Replace there is no ' ' left to split at */
        if (json_is_string(literal) && strcmp(json_string_value(literal), " ") == 0 && !invert &&
            t->spm.spaces_become_symbols)
            return ST_OK;
        return not_done("Split");
    }
    if (json_is_string(regex))
        return presplit_add_regex(&t->bbpe.presplit,
                                  (Span){json_string_value(regex), json_string_length(regex)}, behaviour,
                                  invert);
    if (json_is_string(literal))
        return presplit_add_literal(&t->bbpe.presplit,
                                    (Span){json_string_value(literal), json_string_length(literal)},
                                    behaviour, invert);
    return fail(ST_FORMAT, "Split without a pattern");
}

static Status read_metaspace(Tokenizer *t, const json_t *part)
{
    const char *scheme = hfjson_text(part, "prepend_scheme");
    if (strcmp(hfjson_text(part, "replacement"), SPACE_SYMBOL) != 0)
        return fail(ST_UNSUPPORTED, "Metaspace with a replacement other than U+2581");
    if (!*scheme)
        scheme = hfjson_flag(part, "add_prefix_space", true) ? "always" : "never";
    if (strcmp(scheme, "always") != 0 && strcmp(scheme, "first") != 0 && strcmp(scheme, "never") != 0)
        return fail(ST_UNSUPPORTED, "Metaspace with prepend_scheme '%s'", scheme);
    if (t->spm.prefix_in_normaliser && strcmp(scheme, "never") != 0)
        return fail(ST_UNSUPPORTED, "a dummy space from the normalizer and another from Metaspace");
    if (!t->spm.prefix_in_normaliser)
        t->spm.prefix = scheme[0] == 'a' ? PREFIX_ALWAYS : scheme[0] == 'f' ? PREFIX_FIRST : PREFIX_NEVER;
    t->spm.prefix_unless_space = !t->spm.prefix_in_normaliser;
    t->spm.spaces_become_symbols = true;
    t->spm.split_at_spaces = hfjson_flag(part, "split", true);
    return ST_OK;
}

static Status read_pre_tokenizer(Tokenizer *t, const json_t *part, const char *type, int index)
{
    if (strcmp(type, "Split") == 0)
        return read_split(t, part);
    if (t->kind == VOCAB_SPM)
        return strcmp(type, "Metaspace") == 0 ? read_metaspace(t, part) : not_done(type);
    if (strcmp(type, "Digits") == 0)
        return presplit_add_regex(&t->bbpe.presplit,
                                  span(hfjson_flag(part, "individual_digits", false) ? "\\p{N}" : "\\p{N}+"),
                                  SPLIT_ISOLATED, false);
    if (strcmp(type, "ByteLevel") != 0)
        return not_done(type);
    if (hfjson_flag(part, "add_prefix_space", true)) {
        if (index > 0)
            return fail(ST_UNSUPPORTED, "ByteLevel with add_prefix_space behind another pre_tokenizer");
        t->bbpe.add_prefix_space = true;
    }
    if (hfjson_flag(part, "use_regex", true))
        return presplit_add_regex(&t->bbpe.presplit, span(presplit_gpt2_pattern), SPLIT_ISOLATED, false);
    return ST_OK;
}

/* Decoder ----------------------------------------------------------------------------------------------- */

static Status read_decoder(Tokenizer *t, const json_t *part, const char *type, int index)
{
    (void)index;
    if (t->kind == VOCAB_BBPE)
        return strcmp(type, "ByteLevel") == 0 ? ST_OK : not_done(type);
    if (strcmp(type, "ByteFallback") == 0 || strcmp(type, "Fuse") == 0 ||
        (strcmp(type, "Replace") == 0 && replaces(part, SPACE_SYMBOL, " ")))
        return ST_OK;
    if (strcmp(type, "Metaspace") == 0) {
        const char *scheme = hfjson_text(part, "prepend_scheme");
        t->spm.strip_first_space =
            *scheme ? strcmp(scheme, "never") != 0 : hfjson_flag(part, "add_prefix_space", true);
        return ST_OK;
    }
    if (strcmp(type, "Strip") == 0 && strcmp(hfjson_text(part, "content"), " ") == 0 &&
        json_integer_value(json_object_get(part, "start")) == 1 &&
        json_integer_value(json_object_get(part, "stop")) == 0) {
        t->spm.strip_first_space = true;
        return ST_OK;
    }
    return not_done(type);
}

Status hfjson_read_pipeline(Tokenizer *t, const json_t *root)
{
    int index = 0;
    TRY(each_part(t, json_object_get(root, "normalizer"), "normalizers", "normalizer", &index, 0,
                  read_normalizer));
    index = 0;
    TRY(each_part(t, json_object_get(root, "pre_tokenizer"), "pretokenizers", "pre_tokenizer", &index, 0,
                  read_pre_tokenizer));
    index = 0;
    TRY(each_part(t, json_object_get(root, "decoder"), "decoders", "decoder", &index, 0, read_decoder));
    if (t->kind == VOCAB_SPM && !t->spm.spaces_become_symbols)
        return fail(ST_UNSUPPORTED, "a vocabulary with U+2581 pieces that does not replace spaces by it");
    return ST_OK;
}

/* Post-processor ---------------------------------------------------------------------------------------- */

static Status read_template(Tokenizer *t, const json_t *part)
{
    const json_t *single = json_object_get(part, "single"), *item;
    bool behind = false;
    size_t i;
    json_array_foreach(single, i, item)
    {
        if (json_object_get(item, "Sequence")) {
            behind = true;
            continue;
        }
        const char *name = hfjson_text(json_object_get(item, "SpecialToken"), "id");
        int32_t id = vocab_find(t, name, strlen(name));
        if (id < 0)
            return fail(ST_FORMAT, "TemplateProcessing names '%s', which the vocabulary lacks", name);
        if (behind ? t->add_eos : t->add_bos)
            return fail(ST_UNSUPPORTED, "TemplateProcessing with two tokens %s the text",
                        behind ? "behind" : "in front of");
        if (behind) {
            t->eos = id;
            t->add_eos = true;
        } else {
            t->bos = id;
            t->add_bos = true;
        }
    }
    return ST_OK;
}

static Status read_post_processor(Tokenizer *t, const json_t *part, const char *type, int index)
{
    (void)index;
    if (strcmp(type, "ByteLevel") == 0) /* moves offsets, no ids */
        return ST_OK;
    return strcmp(type, "TemplateProcessing") == 0 ? read_template(t, part) : not_done(type);
}

Status hfjson_read_post_processor(Tokenizer *t, const json_t *root)
{
    int index = 0;
    return each_part(t, json_object_get(root, "post_processor"), "processors", "post_processor", &index, 0,
                     read_post_processor);
}
