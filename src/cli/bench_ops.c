/* lemur bench ops: each kernel at the shapes of a training step, beside what this machine can do at best. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/str.h"
#include "cli/bench.h"
#include "cli/cmd.h"
#include "ops/measure.h"
#include "ops/select.h"
#include "ops/time_ops.h"

typedef struct {
    char *preset, *compute, *op;
    int64_t threads;
    double peak_flops, peak_read;
    bool json;
} OpsConfig;

static const char *const compute_names[] = {"auto", "bf16", "f32", NULL};

static const Field ops_fields[] = {
    F_STRING(OpsConfig, preset, "110m", "shape of the model: 15m, 60m, 110m, 1b"),
    F_CHOICE(OpsConfig, compute, "auto", compute_names, "type of activations; auto: bf16 where it is fast"),
    F_STRING(OpsConfig, op, "", "only this operation, as `lemur doctor` names it"),
    F_INT(OpsConfig, threads, 0, 0, 4096, "threads; 0: all this process may use"),
    F_FLOAT(OpsConfig, peak_flops, 0, 0, 1e20, "FLOP/s that count as 100 %; 0: measure a product first"),
    F_FLOAT(OpsConfig, peak_read, 0, 0, 1e20, "bytes/s that count as 100 %; 0: measure reading first"),
    F_BOOL(OpsConfig, json, false, "print the result as JSON"),
};
static const FieldTable ops_table = FIELD_TABLE(ops_fields);

typedef struct {
    const OpsConfig *set;
    const TimeShape *shape;
    DType act;
    int threads;
    double peak_flops, peak_read; /* per second */
    json_t *list;                 /* NULL: lines are printed as they come */
    int timed;
} OpsBench;

/* The work of a kernel is its arithmetic where it has some to speak of, else the bytes it moves. */
static double work_rate(const OpTime *t)
{
    return (t->flops > 0 ? t->flops : t->bytes) / t->seconds;
}

static double share_of_peak(const OpsBench *b, const OpTime *t)
{
    return work_rate(t) / (t->flops > 0 ? b->peak_flops : b->peak_read);
}

static void print_time(const OpsBench *b, const OpTime *t)
{
    printf("%-16s %-10s %-26s %10.3f %9.1f %-8s %4.0f%%\n", t->op, t->variant, t->shape, t->seconds * 1e3,
           work_rate(t) * 1e-9, t->flops > 0 ? "GFLOP/s" : "GB/s", 100 * share_of_peak(b, t));
    fflush(stdout);
}

static json_t *time_to_json(const OpsBench *b, const OpTime *t)
{
    return json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f}", "op", t->op, "variant", t->variant, "shape",
                     t->shape, "ms", t->seconds * 1e3, "bytes_per_s", t->bytes / t->seconds, "flops_per_s",
                     t->flops / t->seconds, "share_of_peak", share_of_peak(b, t));
}

static Status measure_peaks(OpsBench *b)
{
    Device *dev;
    TRY(ops_open(&dev, NULL, (int)b->set->threads));
    b->threads = dev->threads;
    if (!(b->peak_flops > 0))
        b->peak_flops = measure_gemm(dev, b->act, MEASURE_BRIEFLY);
    if (!(b->peak_read > 0))
        b->peak_read = measure_read(dev, MEASURE_BRIEFLY);
    Status st = device_sync(dev);
    device_close(dev);
    return st;
}

static Status time_op(OpsBench *b, const char *name)
{
    OpTime times[TIME_OPS_MAX];
    int n;
    TRY(time_ops(times, &n, b->shape, b->act, b->threads, name));
    for (int i = 0; i < n; i++)
        if (b->list)
            json_array_append_new(b->list, time_to_json(b, &times[i]));
        else
            print_time(b, &times[i]);
    b->timed += n;
    return ST_OK;
}

static Status time_all(OpsBench *b)
{
    if (*b->set->op)
        TRY(time_op(b, b->set->op));
    for (int i = 0; i < ops_count() && !*b->set->op; i++)
        TRY(time_op(b, ops_name(i)));
    if (b->timed == 0)
        return fail(ST_UNSUPPORTED, "this processor has only the reference of '%s', which is not timed",
                    b->set->op);
    return ST_OK;
}

static Status check_op(const char *op)
{
    const char *names[TIME_OPS_MAX];
    size_t n = (size_t)ops_count();
    check(n <= TIME_OPS_MAX);
    for (size_t i = 0; i < n; i++) {
        names[i] = ops_name((int)i);
        if (strcmp(op, names[i]) == 0)
            return ST_OK;
    }
    const char *near = nearest_name(op, names, n);
    return near ? fail(ST_ARG, "--op: there is no operation '%s'; did you mean '%s'?", op, near)
                : fail(ST_ARG, "--op: there is no operation '%s'; `lemur doctor` lists them", op);
}

static Status find_shape(const TimeShape **out, const char *preset)
{
    Str known = {0};
    for (const TimeShape *s = time_shapes; s->name; s++) {
        if (strcmp(s->name, preset) == 0) {
            *out = s;
            str_drop(&known);
            return ST_OK;
        }
        str_addf(&known, "%s%s", known.n ? ", " : "", s->name);
    }
    Status st =
        fail(ST_ARG, "--preset: there are no shapes for '%s'; there are for %s", preset, str_c(&known));
    str_drop(&known);
    return st;
}

static Status run(const Args *args, void *context)
{
    (void)args;
    const OpsConfig *set = context;
    OpsBench b = {.set = set, .peak_flops = set->peak_flops, .peak_read = set->peak_read};
    b.act = ops_compute(set->compute);
    TRY(find_shape(&b.shape, set->preset));
    if (*set->op)
        TRY(check_op(set->op));
    TRY(measure_peaks(&b));
    if (set->json) {
        b.list = json_array();
    } else {
        printf("%s, %s, %d thread%s; 100%%: products %.1f GFLOP/s, reading %.1f GB/s\n", b.shape->name,
               dtype_name(b.act), b.threads, b.threads == 1 ? "" : "s", b.peak_flops * 1e-9,
               b.peak_read * 1e-9);
        printf("%-16s %-10s %-26s %10s %9s %-8s %5s\n", "operation", "variant", "shape", "ms", "rate", "",
               "share");
    }
    Status st = time_all(&b);
    if (st == ST_OK && set->json) {
        json_t *o = json_pack("{s:s, s:s, s:i, s:f, s:f, s:O}", "preset", b.shape->name, "compute",
                              dtype_name(b.act), "threads", b.threads, "gemm_flops_per_s", b.peak_flops,
                              "read_bytes_per_s", b.peak_read, "operations", b.list);
        cmd_print_json(o, 6);
        json_decref(o);
    }
    json_decref(b.list);
    return st;
}

int bench_ops(int argc, char **argv)
{
    OpsConfig set = {0};
    const ArgsTable tables[] = {{&ops_table, &set}};
    const Command command = {
        .usage = "[flags]",
        .about = "Times every operation in every table this processor can run, at the shapes of a training\n"
                 "step: about a minute.  A share is GFLOP/s beside the fastest product or, where one\n"
                 "moves more than it computes, the bytes that must move (operands read, results written,\n"
                 "each once) beside the speed of reading.  Operands are in memory, not in a cache.  Run it\n"
                 "when nothing else runs.\n"
                 "example: lemur bench ops --preset 1b --op matmul_packed",
        COMMAND_TABLES(tables),
    };
    return cmd_run(&command, argc, argv, run, &set);
}
