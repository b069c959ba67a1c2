/* Ids back to text, all at once or as they arrive. */
#include <string.h>

#include "tokenizer/vocab.h"

/* The text of one id at this point of the output; `started` says whether anything stands before it. */
static Status text_of(const Tokenizer *t, int32_t id, bool with_special, bool *started, Span *text)
{
    if (id < 0 || id >= t->n)
        return fail(ST_ARG, "id %d is outside the vocabulary of %d", id, t->n);
    *text = t->texts[id];
    if (t->kinds[id] == PIECE_CONTROL && !with_special) {
        *text = (Span){"", 0};
        return ST_OK;
    }
    bool may_strip =
        !*started && t->spm.strip_first_space && (t->kinds[id] == PIECE_NORMAL || t->kinds[id] == PIECE_USER);
    if (may_strip && text->n && text->at[0] == ' ') {
        *started = true;
        *text = (Span){text->at + 1, text->n - 1};
    }
    *started = *started || text->n > 0;
    return ST_OK;
}

Status tokenizer_decode(const Tokenizer *t, Str *out, const int32_t *ids, size_t n, bool with_special)
{
    bool started = false;
    for (size_t i = 0; i < n; i++) {
        Span text;
        TRY(text_of(t, ids[i], with_special, &started, &text));
        str_add(out, text.at, text.n);
    }
    return ST_OK;
}

void detok_start(Detok *d, const Tokenizer *t, bool with_special)
{
    d->t = t;
    d->with_special = with_special;
    d->started = false;
    str_clear(&d->held);
}

/* Could s[0..n), shorter than a character, still become one?  utf8_decode refuses it now; it is hopeless when
 * its first byte begins nothing, or when filling it up with either end of the continuation range gives
 * nothing valid. */
static bool may_become_character(const char *s, size_t n)
{
    int length = utf8_length((unsigned char)s[0]);
    uint32_t c;
    char low[4], high[4];
    if (length < 2 || n >= (size_t)length)
        return false;
    memset(low, 0x80, 4);
    memset(high, 0xBF, 4);
    memcpy(low, s, n);
    memcpy(high, s, n);
    return utf8_decode(&c, low, (size_t)length) == length || utf8_decode(&c, high, (size_t)length) == length;
}

Status detok_push(Detok *d, Str *out, int32_t id)
{
    Span text;
    TRY(text_of(d->t, id, d->with_special, &d->started, &text));
    str_add(&d->held, text.at, text.n);
    size_t i = 0;
    while (i < d->held.n) {
        uint32_t c;
        int k = utf8_decode(&c, d->held.at + i, d->held.n - i);
        if (k == 0 && may_become_character(d->held.at + i, d->held.n - i))
            break;
        i += k ? (size_t)k : 1;
    }
    if (i == 0)
        return ST_OK;
    str_add(out, d->held.at, i);
    memmove(d->held.at, d->held.at + i, d->held.n - i);
    d->held.n -= i;
    d->held.at[d->held.n] = '\0';
    return ST_OK;
}

void detok_flush(Detok *d, Str *out)
{
    str_add(out, str_c(&d->held), d->held.n);
    str_clear(&d->held);
}

void detok_drop(Detok *d)
{
    str_drop(&d->held);
}
