#include "tokenizer/extend.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tokenizer/open.h"
#include "tokenizer/vocab.h"

typedef struct {
    const char *text;
    int32_t id;
} Added;
typedef Array(Added) AddedList;

/* Files as they are kept --------------------------------------------------------------------------------- */

static VocabFile *file_named(const Tokenizer *t, const char *name)
{
    for (size_t i = 0; i < t->files.n; i++)
        if (strcmp(t->files.at[i].name, name) == 0)
            return &t->files.at[i];
    return NULL;
}

static Status parse(json_t **out, const VocabFile *f)
{
    json_error_t error;
    *out = json_loadb(str_c(&f->bytes), f->bytes.n, JSON_ALLOW_NUL, &error);
    return json_is_object(*out) ? ST_OK : fail(ST_FORMAT, "%s: line %d: %s", f->name, error.line, error.text);
}

/* Takes the reference. */
static Str as_text(json_t *value)
{
    Str s = {0};
    char *text = json_dumps(value, JSON_INDENT(1));
    check(text);
    str_adds(&s, text);
    str_addc(&s, '\n');
    free(text);
    json_decref(value);
    return s;
}

static void file_set(Tokenizer *t, const char *name, Str bytes)
{
    VocabFile *f = file_named(t, name);
    if (f) {
        str_drop(&f->bytes);
        f->bytes = bytes;
        return;
    }
    VocabFile added = {mem_str(name), bytes};
    array_push(&t->files, added);
}

static void file_copy(Tokenizer *t, const VocabFile *f)
{
    Str copy = {0};
    str_add(&copy, f->bytes.at, f->bytes.n);
    file_set(t, f->name, copy);
}

/* Added tokens ------------------------------------------------------------------------------------------- */

static json_t *added_json(const Added *a, bool with_id)
{
    json_t *o = json_object();
    if (with_id)
        json_object_set_new(o, "id", json_integer(a->id));
    json_object_set_new(o, "content", json_string(a->text));
    static const char *const off[] = {"single_word", "lstrip", "rstrip", "normalized"};
    for (size_t i = 0; i < sizeof off / sizeof off[0]; i++)
        json_object_set_new(o, off[i], json_false());
    json_object_set_new(o, "special", json_true());
    return o;
}

/* tokenizer.json: one that is listed with the same id becomes special, others are appended. */
static Status json_grow(Str *out, const VocabFile *f, const AddedList *added)
{
    json_t *root, *one;
    TRY(parse(&root, f));
    json_t *list = json_object_get(root, "added_tokens");
    if (!list) {
        list = json_array();
        json_object_set_new(root, "added_tokens", list);
    }
    for (size_t i = 0; i < added->n; i++) {
        size_t k, at = json_array_size(list);
        json_array_foreach(list, k,
                           one) if (json_integer_value(json_object_get(one, "id")) == added->at[i].id) at = k;
        json_t *entry = added_json(&added->at[i], true);
        if (at < json_array_size(list))
            json_array_set_new(list, at, entry);
        else
            json_array_append_new(list, entry);
    }
    *out = as_text(root);
    return ST_OK;
}

/* tokenizer.model: a message's repeated field goes on behind its end, so new pieces are appended as they are:
 * ModelProto.pieces (1) { piece (1), score (2) 0, type (3) CONTROL }. */
static Status model_grow(Str *out, const VocabFile *f, const AddedList *added)
{
    str_add(out, f->bytes.at, f->bytes.n);
    for (size_t i = 0; i < added->n; i++) {
        size_t n = strlen(added->at[i].text);
        check(n < 100); /* lengths are varints of one byte */
        str_addc(out, 0x0A);
        str_addc(out, (char)(2 + n + 5 + 2));
        str_addc(out, 0x0A);
        str_addc(out, (char)n);
        str_add(out, added->at[i].text, n);
        str_add(out, "\x15\0\0\0\0\x18\x03", 7);
    }
    return ST_OK;
}

/* Appends the texts to a list of Hugging Face's, whose entries are texts or objects. */
static void names_add(json_t *object, const AddedList *added)
{
    json_t *list = json_object_get(object, "additional_special_tokens"), *one;
    if (!json_is_array(list)) {
        list = json_array();
        json_object_set_new(object, "additional_special_tokens", list);
    }
    for (size_t i = 0; i < added->n; i++) {
        bool there = false;
        size_t k;
        json_array_foreach(list, k, one)
        {
            const char *text = json_string_value(json_is_object(one) ? json_object_get(one, "content") : one);
            there |= text && strcmp(text, added->at[i].text) == 0;
        }
        if (!there)
            json_array_append_new(list, json_string(added->at[i].text));
    }
}

/* tokenizer_config.json and special_tokens_map.json. */
static Status names_grow(Str *out, const VocabFile *f, const AddedList *added, bool decoder)
{
    json_t *root;
    TRY(parse(&root, f));
    names_add(root, added);
    json_t *table = json_object_get(root, "added_tokens_decoder");
    if (!table && decoder) {
        table = json_object();
        json_object_set_new(root, "added_tokens_decoder", table);
    }
    for (size_t i = 0; table && i < added->n; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", added->at[i].id);
        json_object_set_new(table, id, added_json(&added->at[i], false));
    }
    *out = as_text(root);
    return ST_OK;
}

/* Growing ------------------------------------------------------------------------------------------------ */

static Status lacking(AddedList *out, const Tokenizer *t, const char *const *specials, bool json)
{
    int32_t next = tokenizer_vocab_size(t);
    for (size_t i = 0; specials[i]; i++) {
        int32_t id = tokenizer_find(t, specials[i]);
        if (id >= 0 && tokenizer_is_special(t, id))
            continue;
        if (id >= 0 && !json)
            return fail(ST_UNSUPPORTED,
                        "the vocabulary has %s as an ordinary piece, which a SentencePiece model cannot "
                        "have twice; spell the marks out with --markers text",
                        specials[i]);
        Added a = {specials[i], id >= 0 ? id : next};
        next += id < 0;
        array_push(out, a);
    }
    return ST_OK;
}

/* The files of t, changed, as a vocabulary of their own. */
static Status reopen(Tokenizer **out, const Tokenizer *t, const AddedList *added)
{
    const VocabFile *json = file_named(t, "tokenizer.json"), *model = file_named(t, "tokenizer.model");
    const VocabFile *config = file_named(t, "tokenizer_config.json"),
                    *map = file_named(t, "special_tokens_map.json"),
                    *jinja = file_named(t, "chat_template.jinja");
    Str main = {0}, settings = {0}, names = {0};
    Status st = json ? json_grow(&main, json, added) : model_grow(&main, model, added);
    if (st == ST_OK && config)
        st = names_grow(&settings, config, added, !json);
    if (st == ST_OK && map)
        st = names_grow(&names, map, added, false);
    if (st == ST_OK)
        st = tokenizer_open_bytes(out, &main, NULL, config ? &settings : NULL);
    if (st == ST_OK && map) {
        file_set(*out, "special_tokens_map.json", names);
        names = (Str){0};
    }
    if (st == ST_OK && json && model) /* other programs take it together with the added tokens */
        file_copy(*out, model);
    if (st == ST_OK && jinja)
        file_copy(*out, jinja);
    str_drop(&main);
    str_drop(&settings);
    str_drop(&names);
    return st;
}

/* One that came as arrays. */
static Status grow_arrays(Tokenizer **out, const Tokenizer *t, const AddedList *added)
{
    Arena arena = {0};
    VocabArrays v;
    const char *lost;
    Status st = tokenizer_to_arrays(t, &arena, &v, &lost);
    if (st == ST_OK) {
        size_t n = (size_t)v.n, all = n + added->n;
        Span *pieces = mem_array(Span, all);
        float *scores = mem_array(float, all);
        int32_t *kinds = mem_array(int32_t, all);
        for (size_t i = 0; i < all; i++) {
            pieces[i] = i < n ? v.pieces[i] : span(added->at[i - n].text);
            scores[i] = i < n && v.scores ? v.scores[i] : 0;
            kinds[i] = i >= n ? PIECE_CONTROL : v.kinds ? v.kinds[i] : PIECE_NORMAL;
        }
        v.n = (int32_t)all;
        v.pieces = pieces;
        v.scores = v.scores ? scores : NULL;
        v.kinds = kinds;
        st = tokenizer_from_arrays(out, &v);
        mem_free(pieces);
        mem_free(scores);
        mem_free(kinds);
    }
    arena_drop(&arena);
    return st;
}

Status tokenizer_extend(Tokenizer **out, const Tokenizer *t, const char *const *specials)
{
    AddedList added = {0};
    bool files = t->files.n > 0;
    Status st = lacking(&added, t, specials, file_named(t, "tokenizer.json"));
    if (st == ST_OK)
        st = files ? reopen(out, t, &added) : grow_arrays(out, t, &added);
    for (size_t i = 0; st == ST_OK && i < added.n; i++)
        check(tokenizer_find(*out, added.at[i].text) == added.at[i].id);
    array_drop(&added);
    return st == ST_OK ? ST_OK : fail_in(st, "adding special tokens to the vocabulary");
}

/* For chat ----------------------------------------------------------------------------------------------- */

static void generation_write(Tokenizer *t, const int32_t *ends, size_t ends_n)
{
    json_t *list = json_array(), *o = json_object();
    for (size_t i = 0; i < ends_n; i++)
        json_array_append_new(list, json_integer(ends[i]));
    if (tokenizer_bos(t) >= 0)
        json_object_set_new(o, "bos_token_id", json_integer(tokenizer_bos(t)));
    if (ends_n > 0)
        json_object_set(o, "eos_token_id", list);
    if (tokenizer_pad(t) >= 0)
        json_object_set_new(o, "pad_token_id", json_integer(tokenizer_pad(t)));
    json_decref(list);
    file_set(t, "generation_config.json", as_text(o));
}

/* The tokenizer_config.json that a vocabulary without one would be given. */
static Status config_make(Tokenizer *t)
{
    VocabFiles made = {0};
    Status st = vocab_make_files(t, &made);
    for (size_t i = 0; st == ST_OK && i < made.n; i++) {
        Str copy = {0};
        str_add(&copy, str_c(&made.at[i].bytes), made.at[i].bytes.n);
        if (strcmp(made.at[i].name, "tokenizer_config.json") == 0)
            file_set(t, made.at[i].name, copy);
        else
            str_drop(&copy);
    }
    vocab_drop_files(&made);
    return st;
}

Status tokenizer_set_chat(Tokenizer *t, Span jinja, const int32_t *ends, size_t ends_n)
{
    json_t *root = NULL;
    if (t->files.n == 0) /* it came as arrays */
        TRY(vocab_make_files(t, &t->files));
    if (!file_named(t, "tokenizer_config.json"))
        TRY(config_make(t));
    TRY(parse(&root, file_named(t, "tokenizer_config.json")));
    json_object_set_new(root, "chat_template", json_stringn(jinja.at, jinja.n));
    file_set(t, "tokenizer_config.json", as_text(root));
    if (file_named(t, "chat_template.jinja")) { /* which goes before the key */
        Str copy = {0};
        str_add(&copy, jinja.at, jinja.n);
        file_set(t, "chat_template.jinja", copy);
    }
    generation_write(t, ends, ends_n);
    return ST_OK;
}
