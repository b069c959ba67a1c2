#include "corpus/instruct_read.h"

#include <string.h>
#include <xxhash.h>

#include "base/check.h"
#include "base/json_file.h"
#include "corpus/jsonl_write.h"
#include "corpus/shuffle.h"

enum { PEEK_RECORDS = 64 };
static const uint32_t LEARNED = UINT32_C(1) << 31; /* in BatchItem.ids */

/* What became of one example, between the threads that render and the one that takes: these follow each other
 * in BatchItem.line, their sentences in store.why, their tokens in ids. */
typedef struct {
    InstructReject reason;
    bool trimmed, cut, unproved;
    uint32_t n, learned, bytes, why_n;
    uint64_t high, low;
} Outcome;

/* The tokens' bytes -------------------------------------------------------------------------------------- */

void instruct_read_start(InstructReading *r)
{
    int32_t n = tokenizer_vocab_size(r->tok);
    r->id_bytes = mem_array(uint16_t, n);
    r->scratch = mem_array(InstructScratch, r->threads + 1);
    for (int32_t id = 0; id < n; id++) {
        size_t bytes = tokenizer_is_special(r->tok, id) ? 0 : tokenizer_text(r->tok, id).n;
        r->id_bytes[id] = (uint16_t)(bytes < UINT16_MAX ? bytes : UINT16_MAX);
    }
}

void instruct_read_drop(InstructReading *r)
{
    for (int i = 0; r->scratch && i <= r->threads; i++) {
        instruct_examples_drop(&r->scratch[i].examples);
        array_drop(&r->scratch[i].ids);
        array_drop(&r->scratch[i].mask);
    }
    mem_free(r->scratch);
    mem_free(r->id_bytes);
    batches_drop(&r->batches);
    str_drop(&r->line);
    str_drop(&r->first_why);
}

/* One record, on any thread ------------------------------------------------------------------------------ */

static void outcome_add(BatchItem *item, const Outcome *o)
{
    str_add(&item->line, o, sizeof *o);
}

static void reject(BatchItem *item, InstructReject reason, const char *why)
{
    Outcome o = {.reason = reason, .why_n = (uint32_t)strlen(why)};
    str_adds(&item->store.why, why);
    outcome_add(item, &o);
}

static Status render(const InstructReading *r, InstructScratch *s, const Conversation *c)
{
    array_clear(&s->ids);
    array_clear(&s->mask);
    return chat_render(r->tok, r->tmpl, c, 0, &s->ids, &s->mask);
}

/* The longest beginning of a conversation that ends behind an answer and fits into `room` tokens: sets
 * messages.n to it; false: there is none. */
static bool cut(const InstructReading *r, InstructScratch *s, Conversation *c, size_t room)
{
    size_t best = 0, low = 1, high = c->messages.n;
    Str why = {0};
    while (low <= high) { /* longer beginnings are longer renderings */
        size_t middle = low + (high - low) / 2, at = middle;
        while (at > 0 && c->messages.at[at - 1].role != CHAT_ASSISTANT)
            at--;
        c->messages.n = at;
        bool fits = at > 0 && render(r, s, c) == ST_OK && s->ids.n <= room;
        if (fits || at == 0)
            low = middle + 1;
        else
            high = at - 1;
        if (fits && instruct_check(c, &why) == REJECT_NONE)
            best = at;
    }
    (void)error_take();
    str_drop(&why);
    c->messages.n = best;
    return best > 0 && render(r, s, c) == ST_OK;
}

static void tokens_add(const InstructReading *r, const InstructScratch *s, BatchItem *item, Outcome *o)
{
    array_reserve(&item->ids, s->ids.n);
    for (size_t i = 0; i < s->ids.n; i++) {
        bool learned = s->mask.at[i];
        array_push(&item->ids, (int32_t)((uint32_t)s->ids.at[i] | (learned ? LEARNED : 0)));
        o->learned += learned;
        o->bytes += learned ? r->id_bytes[s->ids.at[i]] : 0;
    }
    const int32_t *from = item->ids.at + item->ids.n - s->ids.n;
    XXH128_hash_t sum = XXH3_128bits(from, s->ids.n * sizeof *from);
    o->n = (uint32_t)s->ids.n;
    o->high = sum.high64;
    o->low = sum.low64;
}

static void example_render(const InstructReading *r, InstructScratch *s, InstructExample *e, BatchItem *item)
{
    size_t room = (size_t)r->recipe->config.context + 1, all = e->conversation.messages.n;
    Outcome o = {.trimmed = e->trimmed};
    if (e->reason != REJECT_NONE) {
        reject(item, e->reason, str_c(&e->why));
        return;
    }
    Status st = render(r, s, &e->conversation);
    if (st != ST_OK) {
        reject(item, st == ST_LIMIT ? REJECT_TOO_LONG : REJECT_TEMPLATE, error_take().text);
        return;
    }
    size_t n = s->ids.n;
    if (n > room && strcmp(r->recipe->config.too_long, "cut") == 0)
        o.cut = cut(r, s, &e->conversation, room);
    if (n > room && !o.cut) {
        char why[96];
        snprintf(why, sizeof why, "%zu tokens, and a row has room for %zu", n, room);
        reject(item, REJECT_TOO_LONG, why);
    } else {
        tokens_add(r, s, item, &o);
        if (chat_prove(r->tok, r->tmpl, &e->conversation, 0, s->ids.at, s->mask.at, s->ids.n) != ST_OK) {
            Error error = error_take();
            o.unproved = true;
            o.why_n = (uint32_t)strlen(error.text);
            str_adds(&item->store.why, error.text);
        }
        outcome_add(item, &o);
    }
    e->conversation.messages.n = all; /* what was cut off still owns memory */
}

static void record_work(const InstructReading *r, BatchItem *item, InstructScratch *s)
{
    json_error_t error;
    json_t *record = json_load_lenient(item->doc.text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!record) {
        bool utf8 = utf8_valid(item->doc.text.at, item->doc.text.n);
        reject(item, utf8 ? REJECT_NOT_JSON : REJECT_NOT_UTF8, error.text);
        return;
    }
    instruct_convert(&s->examples, &r->options, r->count->format, record);
    for (size_t i = 0; i < s->examples.n; i++)
        example_render(r, s, &s->examples.at[i], item);
    json_decref(record);
}

static void item_work(void *context, BatchItem *item, int thread)
{
    const InstructReading *r = context;
    str_clear(&item->line);
    switch (item->doc.reason) {
    case READ_GOOD:
        str_clear(&item->store.why);
        record_work(r, item, &r->scratch[thread]);
        break;
    case READ_TOO_LONG:
        str_clear(&item->store.why);
        reject(item, REJECT_TOO_LONG, "a record of more than max_record_bytes");
        break;
    default: {
        char *why = mem_strn(item->doc.why.at ? item->doc.why.at : "", item->doc.why.n);
        str_clear(&item->store.why);
        reject(item, REJECT_UNREADABLE, *why ? why : read_reason_names[item->doc.reason]);
        mem_free(why);
    }
    }
}

/* In order ----------------------------------------------------------------------------------------------- */

static void text_escape(Str *out, Span text)
{
    if (utf8_valid(text.at, text.n)) {
        jsonl_escape(out, text);
        return;
    }
    Str valid = {0};
    uint32_t c;
    for (size_t i = 0; i < text.n;) {
        int n = utf8_decode(&c, text.at + i, text.n - i);
        str_add_utf8(&valid, n ? c : 0xFFFD);
        i += n ? (size_t)n : 1;
    }
    jsonl_escape(out, str_span(&valid));
    str_drop(&valid);
}

/* Examples that are kept aside by somebody's wish are not broken. */
static bool is_broken(InstructReject reason)
{
    return reason != REJECT_NONE && reason != REJECT_DUPLICATE && reason != REJECT_LANGUAGE &&
           reason != REJECT_LOW_REWARD;
}

static Status rejected_add(InstructReading *r, const BatchItem *item, InstructReject reason, Span why)
{
    Str *l = &r->line;
    r->count->rejected[reason]++;
    if (is_broken(reason) && !r->first_why.n) {
        str_add(&r->first_why, item->doc.id.at, item->doc.id.n);
        str_addf(&r->first_why, ": %.*s", (int)why.n, why.at);
    }
    str_clear(l);
    str_addf(l, "{\"reason\":\"%s\",\"why\":", instruct_reject_names[reason]);
    text_escape(l, why);
    str_addf(l, ",\"source\":\"%s\",\"place\":", r->recipe->sources[r->source].name);
    text_escape(l, item->doc.id);
    str_adds(l, ",\"record\":");
    text_escape(l, item->doc.text);
    str_adds(l, "}\n");
    return file_write(r->rejected, l->at, l->n);
}

/* Decides on which side all examples of a record fall: paths of one tree have answers in common.  The same
 * whatever the seed, so that runs with several are held against the same examples. */
static uint64_t draw_of(const Outcome *first)
{
    enum { SPLIT_SEED = 1 };
    uint64_t key[2] = {first->high, first->low};
    return XXH3_64bits_withSeed(key, sizeof key, SPLIT_SEED);
}

static Status example_take(InstructReading *r, const BatchItem *item, const Outcome *o, const int32_t *tokens,
                           uint64_t draw)
{
    InstructScratch *s = &r->scratch[r->threads]; /* batches are taken while later ones are worked on */
    bool seen = false;
    if (r->dedup)
        TRY(dedup_add(r->dedup, o->high, o->low, &seen));
    if (seen)
        return rejected_add(r, item, REJECT_DUPLICATE, span("the same as an earlier example"));
    array_clear(&s->ids);
    array_clear(&s->mask);
    array_reserve(&s->ids, o->n);
    array_reserve(&s->mask, o->n);
    for (uint32_t i = 0; i < o->n; i++) {
        s->ids.at[i] = (int32_t)((uint32_t)tokens[i] & ~LEARNED);
        s->mask.at[i] = ((uint32_t)tokens[i] & LEARNED) != 0;
    }
    StoredExample about = {
        .draw = draw, .learned = o->learned, .bytes = o->bytes, .source = (uint32_t)r->source};
    about.held_out = (double)(about.draw >> 11) * 0x1p-53 < r->recipe->sources[r->source].held_out;
    r->count->examples++;
    r->count->cut += o->cut;
    r->count->trimmed += o->trimmed;
    return example_store_add(r->store, s->ids.at, s->mask.at, o->n, &about);
}

static Status item_take(InstructReading *r, const BatchItem *item)
{
    size_t why_at = 0, token_at = 0;
    uint64_t draw = 0;
    bool drawn = false;
    r->count->records++;
    for (size_t at = 0; at + sizeof(Outcome) <= item->line.n; at += sizeof(Outcome)) {
        Outcome o;
        memcpy(&o, item->line.at + at, sizeof o);
        Span why = {str_c(&item->store.why) + why_at, o.why_n};
        if (o.unproved)
            return fail(
                ST_FORMAT,
                "%.*s: the loss mask is wrong: %.*s; nothing was trained.  This template hides what is to "
                "be learned: name another one with --template",
                (int)item->doc.id.n, item->doc.id.at, (int)why.n, why.at);
        if (o.reason == REJECT_NONE && !drawn) {
            draw = draw_of(&o);
            drawn = true;
        }
        if (o.reason != REJECT_NONE)
            TRY(rejected_add(r, item, o.reason, why));
        else
            TRY(example_take(r, item, &o, item->ids.at + token_at, draw));
        why_at += o.why_n;
        token_at += o.n;
    }
    return ST_OK;
}

static Status batch_take(void *context, const Batch *batch, bool *enough)
{
    InstructReading *r = context;
    for (int64_t i = 0; i < batch->n; i++)
        TRY(item_take(r, &batch->items[i]));
    r->count->files = batch->files;
    progress_at(r->progress, (r->done_bytes + (double)batch->consumed) / 1e6);
    *enough = false;
    return ST_OK;
}

/* The format --------------------------------------------------------------------------------------------- */

/* What the first records of a source are. */
typedef struct {
    InstructFormat format; /* AUTO: none was recognised                  */
    Str of;                /* ... first seen in this record              */
    Str unknown;           /* the first that is JSON and was not         */
    Str unread;            /* what is wrong with the first of all, where it could not be read */
    int64_t records, json;
} Peek;

static Status record_peek(Peek *p, const Document *d)
{
    json_error_t error;
    json_t *record = d->reason == READ_GOOD ? json_load_lenient(d->text, JSON_DECODE_ANY, &error) : NULL;
    if (p->records++ == 0 && d->reason == READ_UNREADABLE)
        str_addf(&p->unread, "%.*s: %.*s", (int)d->id.n, d->id.at, (int)d->why.n, d->why.at);
    if (!record)
        return ST_OK;
    InstructFormat format = instruct_recognise(record);
    p->json++;
    if (format == INSTRUCT_AUTO && !p->unknown.n) {
        str_addf(&p->unknown, "%.*s is ", (int)d->id.n, d->id.at);
        instruct_describe(&p->unknown, record);
    }
    json_decref(record);
    if (format == INSTRUCT_AUTO || format == p->format)
        return ST_OK;
    if (p->format != INSTRUCT_AUTO)
        return fail(
            ST_ARG,
            "%s is written as %s and %.*s as %s: name the format of the source, or give each a source of its "
            "own",
            str_c(&p->of), instruct_format_names[p->format], (int)d->id.n, d->id.at,
            instruct_format_names[format]);
    p->format = format;
    str_add(&p->of, d->id.at, d->id.n);
    return ST_OK;
}

/* Those that can be told must be of one format; broken ones among them are counted when they are read. */
static Status recognise(InstructReading *r, Reader *reader, Peek *p)
{
    Document d;
    char first[256] = "";
    while (p->records < PEEK_RECORDS) {
        TRY(reader_next_raw(reader, &d));
        if (!d.id.at)
            break;
        if (p->records == 0)
            snprintf(first, sizeof first, "%.*s", (int)d.id.n, d.id.at);
        TRY(record_peek(p, &d));
    }
    r->count->format = p->format != INSTRUCT_AUTO ? p->format : INSTRUCT_MESSAGES;
    if (p->format != INSTRUCT_AUTO || p->records == 0)
        return ST_OK;
    if (p->json == 0 && p->unread.n)
        return fail(ST_IO, "%s", str_c(&p->unread));
    if (p->json == 0)
        return fail(
            ST_ARG,
            "%s and what follows is no JSON: a set of examples is a file of JSON lines, or one array of "
            "objects; documents are for `lemur corpus build`",
            first);
    return fail(
        ST_ARG,
        "%s: no set of examples that is known here.  Known are messages, transcript, completion, alpaca, "
        "sharegpt, orca and oasst (docs/formats/instruct.md)",
        str_c(&p->unknown));
}

static Status choose_format(InstructReading *r, const ReaderSpec *spec)
{
    Reader *reader;
    r->count->format = instruct_format_named(r->recipe->sources[r->source].format);
    if (r->count->format != INSTRUCT_AUTO)
        return ST_OK;
    Peek p = {0};
    TRY(reader_open(&reader, spec));
    Status st = recognise(r, reader, &p);
    reader_close(reader);
    str_drop(&p.of);
    str_drop(&p.unknown);
    str_drop(&p.unread);
    return st;
}

/* The whole ---------------------------------------------------------------------------------------------- */

static Status judge(const InstructReading *r)
{
    const char *name = r->recipe->sources[r->source].name;
    int64_t broken = 0;
    int most = 0;
    for (int i = 0; i < REJECT_REASONS; i++) {
        broken += is_broken((InstructReject)i) ? r->count->rejected[i] : 0;
        if (is_broken((InstructReject)i) && r->count->rejected[i] > r->count->rejected[most])
            most = i;
    }
    double all = (double)(broken + r->count->examples);
    if (r->count->files == 0 && !r->recipe->sources[r->source].optional)
        return fail(ST_ARG, "source %s: no file matches %s", name, r->recipe->sources[r->source].path.at[0]);
    if (broken == 0 || (double)broken <= r->recipe->config.max_rejected * all)
        return ST_OK;
    return fail(
        ST_FORMAT,
        "source %s: %lld of %.0f examples are broken, most of them %s, and max_rejected is %g; the first: %s",
        name, (long long)broken, all, instruct_reject_names[most], r->recipe->config.max_rejected,
        str_c(&r->first_why));
}

/* Draws `limit` examples of all that the source has. */
static void limit_to(InstructReading *r, int64_t first)
{
    int64_t limit = r->recipe->sources[r->source].limit, n = example_store_count(r->store) - first;
    if (limit <= 0 || limit >= n)
        return;
    Shuffle order;
    shuffle_start(&order, (uint64_t)n, r->seed, ((uint64_t)r->source + 1) << 32);
    for (int64_t i = limit; i < n; i++)
        example_store_at(r->store, first + (int64_t)shuffle_at(&order, (uint64_t)i))->left_out = true;
}

/* A source gives at least one held-out example, and its record's others, where it is to give some and others
 * are left to learn. */
static void held_out_one(InstructReading *r, int64_t first)
{
    int64_t n = example_store_count(r->store);
    const StoredExample *least = NULL;
    bool others = false;
    for (int64_t i = first; i < n; i++) {
        const StoredExample *e = example_store_at(r->store, i);
        if (e->left_out)
            continue;
        if (e->held_out)
            return;
        others = others || (least && e->draw != least->draw);
        least = !least || e->draw < least->draw ? e : least;
    }
    if (r->recipe->sources[r->source].held_out <= 0 || !others)
        return;
    uint64_t draw = least->draw;
    for (int64_t i = first; i < n; i++)
        if (example_store_at(r->store, i)->draw == draw)
            example_store_at(r->store, i)->held_out = true;
}

Status instruct_read(InstructReading *r, size_t source, InstructCount *count)
{
    Reader *reader;
    ReaderSpec spec = instruct_recipe_spec(r->recipe, source);
    int64_t first = example_store_count(r->store);
    r->source = source;
    r->count = count;
    r->options = instruct_recipe_options(&r->recipe->sources[source]);
    str_clear(&r->first_why);
    Status st = choose_format(r, &spec);
    if (st == ST_OK)
        st = reader_open(&reader, &spec);
    if (st != ST_OK)
        return fail_in(st, "source %s", r->recipe->sources[source].name);
    st = batches_run(&r->batches, reader, r->threads, item_work, batch_take, r);
    count->files = reader_files(reader);
    r->done_bytes += (double)reader_consumed(reader);
    reader_close(reader);
    TRY(st);
    limit_to(r, first);
    held_out_one(r, first);
    return judge(r);
}
