#include "corpus/instruct_rows.h"

#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "corpus/shuffle.h"
#include "corpus/stop.h"

typedef struct {
    const InstructJob *job;
    ExampleStore *store;
    InstructLine *lines; /* [sources] */
    ShardSetWriter *writer;
    Str *notes;
    int32_t *ids; /* a row */
    uint32_t *starts;
    uint8_t *mask, *bits; /* of a row: a byte, and a bit, an id */
} Set;

/* A row before it is written: examples [first, first + n) of `members`. */
typedef struct {
    int64_t first, n;
    uint32_t source;
} RowPlan;

typedef struct {
    Array(RowPlan) rows;
    Array(int64_t) members; /* numbers of stored examples, row by row */
} Rows;

static int32_t room_of(const Set *s)
{
    return (int32_t)s->job->recipe->config.context + 1;
}

/* Choosing ----------------------------------------------------------------------------------------------- */

typedef Array(int64_t) Numbers;

/* The stored examples of one source and side. */
static void examples_of(const Set *s, uint32_t source, bool held_out, Numbers *out)
{
    array_clear(out);
    for (int64_t i = 0; i < example_store_count(s->store); i++) {
        const StoredExample *e = example_store_at(s->store, i);
        if (e->source == source && e->held_out == held_out && !e->left_out)
            array_push(out, i);
    }
}

static void tally(const Set *s, const Numbers *numbers, InstructTally *t)
{
    for (size_t i = 0; i < numbers->n; i++) {
        const StoredExample *e = example_store_at(s->store, numbers->at[i]);
        t->examples++;
        t->tokens += e->n;
        t->learned += e->learned;
    }
}

/* Each repetition of a source takes a stream of its own, 2^32 apart from the next source's. */
static uint64_t stream_of(uint32_t source)
{
    return ((uint64_t)source + 1) << 32;
}

static void lengths_of(const Set *s, const int64_t *numbers, size_t n, uint32_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = example_store_at(s->store, numbers[i])->n;
}

/* Rows --------------------------------------------------------------------------------------------------- */

/* Puts examples into rows of one source, behind those that `rows` has. */
static int64_t rows_make(const Set *s, uint32_t source, const int64_t *numbers, size_t n, Rows *rows)
{
    uint32_t *lengths = mem_array(uint32_t, n + 1);
    int64_t *row = mem_array(int64_t, n + 1), base = (int64_t)rows->members.n;
    lengths_of(s, numbers, n, lengths);
    bool single = strcmp(s->job->recipe->config.packing, "single") == 0;
    int64_t made = instruct_plan_rows(row, lengths, (int64_t)n, (uint32_t)room_of(s), single);
    size_t first = rows->rows.n;
    for (int64_t r = 0; r < made; r++) {
        RowPlan plan = {.source = source};
        array_push(&rows->rows, plan);
    }
    RowPlan *of = rows->rows.at + first;
    for (size_t i = 0; i < n; i++)
        of[row[i]].n++;
    for (int64_t r = 0; r < made; r++) {
        of[r].first = base;
        base += of[r].n;
        of[r].n = 0;
    }
    array_reserve(&rows->members, n);
    rows->members.n += n;
    for (size_t i = 0; i < n; i++)
        rows->members.at[of[row[i]].first + of[row[i]].n++] = numbers[i];
    mem_free(lengths);
    mem_free(row);
    return made;
}

static void rows_drop(Rows *rows)
{
    array_drop(&rows->rows);
    array_drop(&rows->members);
}

static int32_t filler_of(const Tokenizer *tok)
{
    int32_t pad = tokenizer_pad(tok), eos = tokenizer_eos(tok);
    return pad >= 0 ? pad : eos >= 0 ? eos : 0;
}

static Status row_write(Set *s, const char *split, const Rows *rows, const RowPlan *plan)
{
    int32_t room = room_of(s), at = 0, filler = filler_of(s->job->tok);
    int64_t bytes = 0;
    ShardRow row = {.starts = s->starts, .source = (int32_t)plan->source, .mask = s->bits};
    for (int64_t i = 0; i < plan->n; i++) {
        int64_t number = rows->members.at[plan->first + i];
        const StoredExample *e = example_store_at(s->store, number);
        example_store_read(s->store, number, s->ids + at, s->mask + at);
        s->starts[row.starts_n++] = (uint32_t)at;
        bytes += e->bytes;
        at += (int32_t)e->n;
    }
    row.padding = room - at;
    row.bytes = bytes;
    for (; at < room; at++) {
        s->ids[at] = filler;
        s->mask[at] = 0;
    }
    memset(s->bits, 0, (size_t)shard_mask_bytes(room));
    for (int32_t t = 0; t < room; t++)
        s->bits[t / 8] = (uint8_t)(s->bits[t / 8] | s->mask[t] << (t % 8));
    return shards_add(s->writer, split, s->ids, &row);
}

static Status rows_write(Set *s, const char *split, const Rows *rows, bool shuffled)
{
    Shuffle order;
    int64_t n = (int64_t)rows->rows.n;
    Progress progress = progress_start("writing rows", (double)n, "rows");
    shuffle_start(&order, (uint64_t)n, s->job->seed, 0);
    Status st = ST_OK;
    for (int64_t i = 0; st == ST_OK && i < n; i++) {
        int64_t r = shuffled ? (int64_t)shuffle_at(&order, (uint64_t)i) : i;
        st = row_write(s, split, rows, &rows->rows.at[r]);
        if (st == ST_OK && i % 256 == 0)
            st = stop_check();
        progress_at(&progress, (double)(i + 1));
    }
    progress_end(&progress);
    return st;
}

/* The two splits ----------------------------------------------------------------------------------------- */

static Status mix_plan(Set *s)
{
    const InstructRecipe *r = s->job->recipe;
    InstructPlanSource *plan = mem_array(InstructPlanSource, r->sources_n);
    for (size_t i = 0; i < r->sources_n; i++)
        plan[i] = (InstructPlanSource){.examples = s->lines[i].train.examples,
                                       .tokens = s->lines[i].train.tokens,
                                       .weight = r->sources[i].weight,
                                       .share = r->sources[i].share};
    Status st = instruct_plan(&r->config, plan, r->sources, r->sources_n, s->notes);
    for (size_t i = 0; i < r->sources_n; i++)
        s->lines[i].plan = plan[i];
    mem_free(plan);
    return st;
}

/* The examples of one source in the order and number in which they are used. */
static void source_use(Set *s, uint32_t source, const Numbers *there, Rows *rows)
{
    InstructLine *l = &s->lines[source];
    InstructOrder order = {0};
    Numbers used = {0};
    uint32_t *lengths = mem_array(uint32_t, there->n + 1);
    lengths_of(s, there->at, there->n, lengths);
    instruct_plan_order(&order, lengths, (int64_t)there->n, l->plan.granted,
                        strcmp(s->job->recipe->config.mix, "tokens") == 0, s->job->seed, stream_of(source));
    array_reserve(&used, order.n);
    for (size_t i = 0; i < order.n; i++)
        array_push(&used, there->at[order.at[i]]);
    tally(s, &used, &l->used);
    l->used.rows = rows_make(s, source, used.at, used.n, rows);
    if (there->n && used.n == 0 && l->plan.granted > 0)
        str_addf(s->notes,
                 "%s gives none of %.0f %s: the first example that was drawn has more than twice as many\n",
                 s->job->recipe->sources[source].name, l->plan.granted, s->job->recipe->config.mix);
    array_drop(&order);
    array_drop(&used);
    mem_free(lengths);
}

static Status train_write(Set *s)
{
    size_t n = s->job->recipe->sources_n;
    Numbers *there = mem_array(Numbers, n);
    Rows rows = {0};
    for (size_t i = 0; i < n; i++) {
        examples_of(s, (uint32_t)i, false, &there[i]);
        tally(s, &there[i], &s->lines[i].train);
    }
    Status st = mix_plan(s);
    for (size_t i = 0; i < n; i++) {
        if (st == ST_OK)
            source_use(s, (uint32_t)i, &there[i], &rows);
        array_drop(&there[i]);
    }
    mem_free(there);
    if (st == ST_OK)
        st = rows_write(s, "train", &rows, true);
    rows_drop(&rows);
    return st;
}

static Status held_out_write(Set *s)
{
    Rows rows = {0};
    Numbers there = {0};
    for (size_t i = 0; i < s->job->recipe->sources_n; i++) {
        InstructTally *t = &s->lines[i].held_out;
        examples_of(s, (uint32_t)i, true, &there);
        tally(s, &there, t);
        t->rows = rows_make(s, (uint32_t)i, there.at, there.n, &rows);
    }
    Status st = rows_write(s, "held_out", &rows, false);
    array_drop(&there);
    rows_drop(&rows);
    return st;
}

Status instruct_rows_write(const InstructJob *job, ExampleStore *store, InstructLine *lines,
                           ShardSetWriter *writer, Str *notes)
{
    Set s = {.job = job, .store = store, .lines = lines, .writer = writer, .notes = notes};
    int64_t room = room_of(&s);
    s.ids = mem_array(int32_t, room);
    s.starts = mem_array(uint32_t, room);
    s.mask = mem_array(uint8_t, room);
    s.bits = mem_array(uint8_t, shard_mask_bytes(room));
    Status st = train_write(&s);
    if (st == ST_OK)
        st = held_out_write(&s);
    mem_free(s.ids);
    mem_free(s.starts);
    mem_free(s.mask);
    mem_free(s.bits);
    return st;
}
