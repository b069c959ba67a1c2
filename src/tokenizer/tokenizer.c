#include "tokenizer/tokenizer.h"

#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "tokenizer/open.h"
#include "tokenizer/unicode.h"
#include "tokenizer/vocab.h"

#define TEXT_MAX ((size_t)INT32_MAX)

/* Scratch ----------------------------------------------------------------------------------------------- */

static void scratch_free(TokenizerScratch *s)
{
    wordcache_drop(&s->words);
    mergework_drop(&s->merges);
    presplitwork_drop(&s->presplit);
    array_drop(&s->ranges);
    array_drop(&s->symbols);
    array_drop(&s->ids);
    str_drop(&s->text);
    str_drop(&s->normal);
    str_drop(&s->chunk);
    mem_free(s->seen);
    mem_free(s);
}

/* The tokenizer itself never changes; the pool of scratches beside it does, under its lock. */
TokenizerScratch *tokenizer_scratch_take(const Tokenizer *t)
{
    Tokenizer *pool = (Tokenizer *)(uintptr_t)t;
    pthread_mutex_lock(&pool->pool_lock);
    TokenizerScratch *s = pool->pool;
    if (s)
        pool->pool = s->next;
    pthread_mutex_unlock(&pool->pool_lock);
    if (!s) {
        s = mem_new(TokenizerScratch);
        s->t = t;
        wordcache_init(&s->words);
    }
    s->next = NULL;
    return s;
}

void tokenizer_scratch_give(TokenizerScratch *s)
{
    if (!s)
        return;
    Tokenizer *pool = (Tokenizer *)(uintptr_t)s->t;
    pthread_mutex_lock(&pool->pool_lock);
    s->next = pool->pool;
    pool->pool = s;
    pthread_mutex_unlock(&pool->pool_lock);
}

void tokenizer_close(Tokenizer *t)
{
    if (!t)
        return;
    for (TokenizerScratch *s = t->pool, *next; s; s = next) {
        next = s->next;
        scratch_free(s);
    }
    pthread_mutex_destroy(&t->pool_lock);
    mem_free(t->pieces);
    mem_free(t->texts);
    mem_free(t->scores);
    mem_free(t->kinds);
    map_free(t->index);
    map_free(t->reserved);
    pairs_drop(&t->pairs);
    matcher_drop(&t->raw_special);
    matcher_drop(&t->raw_plain);
    matcher_drop(&t->normal_special);
    matcher_drop(&t->normal_plain);
    spm_drop(&t->spm);
    presplit_drop(&t->bbpe.presplit);
    str_drop(&t->unknown_text);
    for (size_t i = 0; i < t->files.n; i++) {
        mem_free(t->files.at[i].name);
        str_drop(&t->files.at[i].bytes);
    }
    array_drop(&t->files);
    arena_drop(&t->strings);
    mem_free(t);
}

/* Questions --------------------------------------------------------------------------------------------- */

int32_t tokenizer_vocab_size(const Tokenizer *t)
{
    return t->n;
}

int32_t tokenizer_bos(const Tokenizer *t)
{
    return t->bos;
}

int32_t tokenizer_eos(const Tokenizer *t)
{
    return t->eos;
}

int32_t tokenizer_unk(const Tokenizer *t)
{
    return t->unk;
}

int32_t tokenizer_pad(const Tokenizer *t)
{
    return t->pad;
}

bool tokenizer_adds_bos(const Tokenizer *t)
{
    return t->add_bos;
}

bool tokenizer_adds_eos(const Tokenizer *t)
{
    return t->add_eos;
}

VocabKind tokenizer_kind(const Tokenizer *t)
{
    return t->kind;
}

const char *tokenizer_format(const Tokenizer *t)
{
    return t->format;
}

int32_t tokenizer_find(const Tokenizer *t, const char *piece)
{
    return vocab_find(t, piece, strlen(piece));
}

bool tokenizer_is_special(const Tokenizer *t, int32_t id)
{
    return id >= 0 && vocab_is_reserved(t, id);
}

Span tokenizer_piece(const Tokenizer *t, int32_t id)
{
    return id >= 0 && id < t->n ? t->pieces[id] : (Span){"", 0};
}

Span tokenizer_text(const Tokenizer *t, int32_t id)
{
    return id >= 0 && id < t->n ? t->texts[id] : (Span){"", 0};
}

uint64_t tokenizer_hash(const Tokenizer *t)
{
    return t->hash;
}

/* Encoding ---------------------------------------------------------------------------------------------- */

typedef struct {
    const Tokenizer *t;
    TokenizerScratch *s;
    Ids *out;
    int flags;
} Encoding;

typedef Status EncodeStretch(const Encoding *e, const char *text, size_t n, bool first);

static Found earlier(Found a, Found b)
{
    if (a.start != b.start)
        return a.start < b.start ? a : b;
    return a.end >= b.end ? a : b;
}

/* Takes added tokens out of the text, leftmost and longest first, and hands what is between them to `encode`.
 */
static Status around_tokens(const Encoding *e, const Matcher *plain, const Matcher *special, const char *text,
                            size_t n, bool first, EncodeStretch *encode)
{
    const Found none = {n, n, -1};
    size_t from = 0;
    Found p = matcher_next(plain, text, n, 0), s = special ? matcher_next(special, text, n, 0) : none;
    for (;;) {
        Found f = earlier(p, s);
        if (f.start > from)
            TRY(encode(e, text + from, f.start - from, first && from == 0));
        if (f.id < 0)
            return ST_OK;
        array_push(e->out, f.id);
        from = f.end;
        if (p.id >= 0 && p.start < from)
            p = matcher_next(plain, text, n, from);
        if (s.id >= 0 && s.start < from)
            s = matcher_next(special, text, n, from);
    }
}

static Status encode_bytes(const Encoding *e, const char *text, size_t n, bool first)
{
    (void)first;
    return bbpe_encode(e->t, e->s, e->out, text, n);
}

static Status encode_pieces(const Encoding *e, const char *text, size_t n, bool first)
{
    const Spm *m = &e->t->spm;
    bool prefix =
        !(e->flags & TOK_RAW) && (m->prefix == PREFIX_ALWAYS || (m->prefix == PREFIX_FIRST && first));
    return spm_encode(e->t, e->s, e->out, text, n, prefix);
}

static Status encode_pieces_unprefixed(const Encoding *e, const char *text, size_t n, bool first)
{
    (void)first;
    return spm_encode(e->t, e->s, e->out, text, n, false);
}

/* ' ' for U+2581, the dummy space in front: what a tokenizer.json's normalizer makes, in this program's
 * spelling. */
static void normalise_spaces(Str *out, const char *text, size_t n, bool prefix)
{
    str_clear(out);
    str_adds(out, prefix ? " " : "");
    for (size_t i = 0; i < n; i++) {
        bool symbol = n - i >= 3 && memcmp(text + i, SPACE_SYMBOL, 3) == 0;
        str_addc(out, symbol ? ' ' : text[i]);
        i += symbol ? 2 : 0;
    }
}

/* A stretch without the tokens that are sought in the text as given: normalise it and seek those that come
 * after that. */
static Status encode_between(const Encoding *e, const char *text, size_t n, bool first)
{
    const Tokenizer *t = e->t;
    const Matcher *special =
        e->flags & TOK_SPECIAL && t->normal_special.needles.n ? &t->normal_special : NULL;
    bool seek = special || t->normal_plain.needles.n;
    EncodeStretch *encode = t->kind == VOCAB_BBPE ? encode_bytes : encode_pieces;
    if (t->bbpe.nfc || (seek && t->spm.normaliser)) {
        Str normal = e->s->text;
        e->s->text = (Str){0};
        if (t->bbpe.nfc) {
            str_clear(&normal);
            unicode_nfc(&normal, text, n);
        } else {
            normalise_spaces(&normal, text, n, t->spm.prefix_in_normaliser && !(e->flags & TOK_RAW));
            encode = t->spm.prefix_in_normaliser ? encode_pieces_unprefixed : encode_pieces;
        }
        Status st = around_tokens(e, &t->normal_plain, special, str_c(&normal), normal.n, first, encode);
        e->s->text = normal;
        return st;
    }
    return seek ? around_tokens(e, &t->normal_plain, special, text, n, first, encode)
                : encode(e, text, n, first);
}

Status tokenizer_encode_with(const Tokenizer *t, TokenizerScratch *s, Ids *out, const char *text, size_t n,
                             int flags)
{
    check(s->t == t);
    if (n > TEXT_MAX)
        return fail(ST_LIMIT, "a text of %zu bytes; at most %zu are encoded at once", n, TEXT_MAX);
    Encoding e = {t, s, out, flags};
    if (flags & TOK_BOS && t->add_bos)
        array_push(out, t->bos);
    const Matcher *special = flags & TOK_SPECIAL && t->raw_special.needles.n ? &t->raw_special : NULL;
    if (special || t->raw_plain.needles.n)
        TRY(around_tokens(&e, &t->raw_plain, special, text, n, true, encode_between));
    else if (n)
        TRY(encode_between(&e, text, n, true));
    if (flags & TOK_EOS && t->eos >= 0)
        array_push(out, t->eos);
    return ST_OK;
}

Status tokenizer_encode(const Tokenizer *t, Ids *out, const char *text, size_t n, int flags)
{
    TokenizerScratch *s = tokenizer_scratch_take(t);
    Status st = tokenizer_encode_with(t, s, out, text, n, flags);
    tokenizer_scratch_give(s);
    return st;
}

/* Opening ----------------------------------------------------------------------------------------------- */

enum { FILE_MAX = 256 << 20 };

static Status keep_file(Tokenizer *t, const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    VocabFile f = {0};
    Status st = ST_OK;
    if (path_exists(path)) {
        st = file_read(&f.bytes, path, FILE_MAX);
        if (st == ST_OK) {
            f.name = mem_str(name);
            array_push(&t->files, f);
        } else {
            str_drop(&f.bytes);
        }
    }
    mem_free(path);
    return st;
}

static void keep_bytes(Tokenizer *t, const char *name, Str *bytes)
{
    VocabFile f = {mem_str(name), *bytes};
    *bytes = (Str){0};
    array_push(&t->files, f);
}

static Status read_config(Tokenizer *t)
{
    for (size_t i = 0; i < t->files.n; i++)
        if (strcmp(t->files.at[i].name, "tokenizer_config.json") == 0) {
            Status st = hfjson_read_config(t, str_c(&t->files.at[i].bytes), t->files.at[i].bytes.n);
            if (st != ST_OK)
                return fail_in(st, "tokenizer_config.json");
        }
    vocab_set_hash(t);
    return ST_OK;
}

static bool looks_like_json(const Str *bytes)
{
    Span s = span_trim(str_span(bytes));
    if (span_starts(s, "\xEF\xBB\xBF"))
        s = span_trim((Span){s.at + 3, s.n - 3});
    return s.n && s.at[0] == '{';
}

Status tokenizer_open_bytes(Tokenizer **out, Str *bytes, const char *folder, Str *config)
{
    Tokenizer *t = NULL;
    Status st;
    bool json = looks_like_json(bytes);
    TRY(json ? hfjson_read(&t, bytes->at, bytes->n) : spm_model_read(&t, bytes->at, bytes->n));
    keep_bytes(t, json ? "tokenizer.json" : "tokenizer.model", bytes);
    if (config)
        keep_bytes(t, "tokenizer_config.json", config);
    else if (folder)
        TRY_TO(undo, keep_file(t, folder, "tokenizer_config.json"));
    if (folder)
        TRY_TO(undo, keep_file(t, folder, "special_tokens_map.json"));
    if (folder)
        TRY_TO(undo, keep_file(t, folder, "chat_template.jinja"));
    if (folder && json)
        TRY_TO(undo, keep_file(t, folder, "tokenizer.model"));
    TRY_TO(undo, read_config(t));
    *out = t;
    return ST_OK;
undo:
    tokenizer_close(t);
    return st;
}

/* The vocabulary that `path` means: itself, or one of two names inside the folder.  Caller frees. */
static Status find_file(char **file, char **folder, const char *path)
{
    if (!path_is_folder(path)) {
        size_t n = (size_t)(path_base(path) - path);
        *file = mem_str(path);
        *folder = n ? mem_strn(path, n) : mem_str(".");
        return ST_OK;
    }
    *file = path_join(path, "tokenizer.json");
    if (!path_exists(*file)) {
        mem_free(*file);
        *file = path_join(path, "tokenizer.model");
    }
    if (!path_exists(*file)) {
        mem_free(*file);
        return fail(
            ST_IO,
            "%s holds neither tokenizer.json nor tokenizer.model; make one with `lemur tokenizer train`",
            path);
    }
    *folder = mem_str(path);
    return ST_OK;
}

Status tokenizer_open(Tokenizer **out, const char *path)
{
    char *file = NULL, *folder = NULL;
    Str bytes = {0};
    TRY(find_file(&file, &folder, path));
    Status st = file_read(&bytes, file, FILE_MAX);
    if (st == ST_OK && bytes.n == 0)
        st = fail(ST_FORMAT, "it is empty");
    if (st == ST_OK)
        st = tokenizer_open_bytes(out, &bytes, folder, NULL);
    if (st != ST_OK)
        st = fail_in(st, "opening the vocabulary %s", file);
    str_drop(&bytes);
    mem_free(file);
    mem_free(folder);
    return st;
}
