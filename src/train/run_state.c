#include "train/run_state.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_file.h"
#include "base/log.h"
#include "base/str.h"

void run_state_init(RunState *s, const TrainConfig *c)
{
    *s = (RunState){
        .loss_nats = (double)NAN, .held_out_nats = (double)NAN, .held_out_bits_per_byte = (double)NAN};
    spike_init(&s->loss_window, c->spike_window);
    spike_init(&s->norm_window, c->spike_window);
}

json_t *run_state_real(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static double real_from(const json_t *v)
{
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

/* In the order in which differences are told. */
static json_t *facts_to_json(const RunFacts *f)
{
    json_t *j =
        json_pack("{s:o, s:o, s:I, s:s, s:I, s:I}", "data", json_hex(f->data_hash), "tokenizer",
                  json_hex(f->tokenizer_hash), "context", (json_int_t)f->context, "compute",
                  dtype_name(f->compute), "threads", (json_int_t)f->threads, "ranks", (json_int_t)f->ranks);
    if (f->has_base)
        json_object_set_new(j, "base", json_hex(f->base_hash));
    return j;
}

/* The fields of a RunState that are plain numbers. */
typedef struct {
    const char *key;
    size_t at;
} Number;
static const Number counts[] = {
    {"step", offsetof(RunState, step)},
    {"total_steps", offsetof(RunState, total_steps)},
    {"tokens", offsetof(RunState, tokens)},
    {"updates", offsetof(RunState, updates)},
    {"skipped_in_a_row", offsetof(RunState, skipped_in_a_row)},
};
static const Number reals[] = {
    {"seconds", offsetof(RunState, seconds)},
    {"loss_nats", offsetof(RunState, loss_nats)},
    {"held_out_nats", offsetof(RunState, held_out_nats)},
    {"held_out_bits_per_byte", offsetof(RunState, held_out_bits_per_byte)},
};
enum { COUNTS = sizeof counts / sizeof counts[0], REALS = sizeof reals / sizeof reals[0] };

json_t *run_state_to_json(const RunState *s, const TrainConfig *c, const RunFacts *f)
{
    json_t *j = json_pack("{s:i}", "version", RUN_STATE_VERSION);
    for (int i = 0; i < COUNTS; i++)
        json_object_set_new(j, counts[i].key,
                            json_integer(*(const int64_t *)((const char *)s + counts[i].at)));
    for (int i = 0; i < REALS; i++)
        json_object_set_new(j, reals[i].key,
                            run_state_real(*(const double *)((const char *)s + reals[i].at)));
    json_object_set_new(j, "eval_rows", json_integer(s->eval_rows));
    json_object_set_new(j, "evaluation_due", json_boolean(s->evaluation_due));
    if (s->row_shift != 0)
        json_object_set_new(j, "row_shift", json_integer(s->row_shift));
    json_object_set_new(j, "loss_window", spike_to_json(&s->loss_window));
    json_object_set_new(j, "norm_window", spike_to_json(&s->norm_window));
    json_object_set_new(j, "divergence", divergence_to_json(&s->divergence));
    json_object_set_new(j, "settings", config_to_json(&train_table, c));
    json_object_set_new(j, "facts", facts_to_json(f));
    json_object_set_new(j, "model", hparams_to_json(&f->h));
    json_object_set_new(j, "processor", json_string(f->processor));
    return j;
}

static const int64_t COUNT_MAX = 1000000000000000000; /* far above every run, far below an overflow */

static Status take_count(int64_t *out, const json_t *json, const char *key)
{
    json_t *v = json_object_get(json, key);
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > COUNT_MAX)
        return fail(ST_FORMAT, "the checkpoint's state has no count '%s' that can be", key);
    *out = json_integer_value(v);
    return ST_OK;
}

Status run_state_from_json(RunState *s, const TrainConfig *c, const json_t *json)
{
    int64_t version;
    TRY(take_count(&version, json, "version"));
    if (version != RUN_STATE_VERSION)
        return fail(ST_UNSUPPORTED, "the checkpoint's state is of version %lld, and this program reads %d",
                    (long long)version, RUN_STATE_VERSION);
    run_state_init(s, c);
    for (int i = 0; i < COUNTS; i++)
        TRY(take_count((int64_t *)((char *)s + counts[i].at), json, counts[i].key));
    for (int i = 0; i < REALS; i++)
        *(double *)((char *)s + reals[i].at) = real_from(json_object_get(json, reals[i].key));
    if (json_object_get(json, "eval_rows")) /* absent from checkpoints of earlier programs, as are the next */
        TRY(take_count(&s->eval_rows, json, "eval_rows"));
    s->evaluation_due = json_is_true(json_object_get(json, "evaluation_due"));
    s->row_shift = json_integer_value(json_object_get(json, "row_shift"));
    TRY(divergence_from_json(&s->divergence, json_object_get(json, "divergence")));
    TRY(spike_from_json(&s->loss_window, json_object_get(json, "loss_window")));
    return spike_from_json(&s->norm_window, json_object_get(json, "norm_window"));
}

Status run_state_keep_place(RunState *s, const json_t *json, int64_t rows)
{
    const json_t *settings = json_object_get(json, "settings"), *facts = json_object_get(json, "facts");
    __int128 then = (__int128)json_integer_value(json_object_get(settings, "batch")) *
                    json_integer_value(json_object_get(settings, "grad_accumulation")) *
                    json_integer_value(json_object_get(facts, "ranks"));
    if (then <= 0 || then > COUNT_MAX)
        return fail(ST_FORMAT, "the checkpoint's state does not say of how many rows its steps were");
    __int128 seen = then * s->step + s->row_shift, shift = seen - (__int128)rows * s->step;
    if (seen < 0 || seen > COUNT_MAX || shift < -COUNT_MAX || shift > COUNT_MAX)
        return fail(ST_FORMAT, "the checkpoint's state has a place in the data that cannot be");
    s->row_shift = (int64_t)shift;
    return ST_OK;
}

/* Differences --------------------------------------------------------------------------------- */

static void add_line(Str *lines, const char *key, const json_t *was, const json_t *is)
{
    char *a = was ? json_dumps(was, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    char *b = json_dumps(is, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
    str_addf(lines, "\n  %s: was %s, is %s", key, a ? a : "not set", b ? b : "unknown");
    free(a);
    free(b);
}

static bool is_default(const char *key, const json_t *value)
{
    TrainConfig c = {0};
    config_defaults(&train_table, &c);
    json_t *all = config_to_json(&train_table, &c);
    bool is = json_equal(json_object_get(all, key), value);
    json_decref(all);
    config_drop(&train_table, &c);
    return is;
}

/* Whether the number of steps follows from a key: of tokens and epochs they are made by the size of steps and
 * of the data. */
static bool decides_length(const char *key, const TrainConfig *c)
{
    static const char *const keys[] = {"steps", "tokens", "epochs", "minutes", "batch", "grad_accumulation",
                                       "data",  "context"};
    size_t n = sizeof keys / sizeof keys[0], always = 4;
    for (size_t i = 0; i < (c->steps > 0 || c->minutes > 0 ? always : n); i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* One line per key of `is` whose value in `was` is another. */
static void compare_objects(Str *lines, const json_t *was, const json_t *is, bool settings,
                            const TrainConfig *c, bool *length_changed)
{
    const char *key;
    json_t *now;
    json_object_foreach((json_t *)(uintptr_t)is, key, now)
    {
        json_t *then = json_object_get(was, key);
        if ((then && json_equal(then, now)) || (settings && train_config_is_harmless(key)))
            continue;
        if (!then && settings && is_default(key, now))
            continue; /* a setting that the program which wrote it did not have */
        if (json_is_number(then) && json_is_number(now) &&
            json_number_value(then) >= json_number_value(now) &&
            json_number_value(then) <= json_number_value(now))
            continue; /* 1 and 1.0 */
        add_line(lines, key, then, now);
        *length_changed |= decides_length(key, c);
    }
}

typedef struct {
    Str shape, others; /* lines */
    bool length;
} Differences;

static Differences find_differences(const json_t *json, const TrainConfig *c, const RunFacts *f)
{
    Differences d = {0};
    bool ignored = false;
    json_t *settings = config_to_json(&train_table, c), *facts = facts_to_json(f),
           *h = hparams_to_json(&f->h);
    json_t *then = json_object_get(json, "facts"), *ranks = json_object_get(then, "ranks");
    if (ranks && !json_equal(ranks, json_object_get(facts, "ranks")))
        add_line(&d.shape, "ranks", ranks, json_object_get(facts, "ranks"));
    compare_objects(&d.shape, json_object_get(json, "model"), h, false, c, &ignored);
    compare_objects(&d.others, json_object_get(json, "settings"), settings, true, c, &d.length);
    compare_objects(&d.others, then, facts, false, c, &d.length);
    json_decref(settings);
    json_decref(facts);
    json_decref(h);
    return d;
}

static void differences_drop(Differences *d)
{
    str_drop(&d->shape);
    str_drop(&d->others);
}

bool run_state_same(const json_t *json, const TrainConfig *c, const RunFacts *f)
{
    Differences d = find_differences(json, c, f);
    bool same = !d.shape.n && !d.others.n;
    differences_drop(&d);
    return same;
}

Status run_state_compare(const json_t *json, const TrainConfig *c, const RunFacts *f, bool accept,
                         bool *length_changed)
{
    Status st = ST_OK;
    Differences d = find_differences(json, c, f);
    *length_changed = d.length;
    if (d.shape.n)
        st = fail(ST_ARG, "the checkpoint is of another model or number of ranks:%s", d.shape.at);
    else if (d.others.n && !accept)
        st = fail(ST_ARG,
                  "the run to resume was made with other settings:%s\nPut them back, or pass "
                  "--accept-changes to go on with the new ones (the result will then differ from an "
                  "undisturbed run's)",
                  d.others.at);
    else if (d.others.n)
        log_warn("resuming with changed settings:%s", d.others.at);
    const char *processor = json_string_value(json_object_get(json, "processor"));
    if (st == ST_OK && processor && strcmp(processor, f->processor) != 0)
        log_warn("the checkpoint was made on another processor (%s): the last bits may differ from an "
                 "undisturbed run's",
                 processor);
    differences_drop(&d);
    return st;
}
