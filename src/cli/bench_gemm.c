/* lemur bench gemm: the figures that all other speeds are stated against. */
#include <dnnl.h>
#include <stdio.h>

#include "base/cpu.h"
#include "cli/bench.h"
#include "cli/cmd.h"
#include "ops/measure.h"
#include "ops/select.h"

typedef struct {
    int64_t threads;
    bool json;
} GemmConfig;

static const Field gemm_fields[] = {
    F_INT(GemmConfig, threads, 0, 0, 4096, "threads; 0: all this process may use"),
    F_BOOL(GemmConfig, json, false, "print the result as JSON"),
};
static const FieldTable gemm_table = FIELD_TABLE(gemm_fields);

typedef struct {
    double bf16, f32, read;
} Figures;

static Status measure_all(Device *dev, Figures *f)
{
    f->bf16 = measure_gemm(dev, DTYPE_BF16, MEASURE_WELL);
    f->f32 = measure_gemm(dev, DTYPE_F32, MEASURE_WELL);
    f->read = measure_read(dev, MEASURE_WELL);
    return device_sync(dev);
}

static void print(const Figures *f, int threads, bool json)
{
    CpuFeatures cpu = cpu_features();
    const dnnl_version_t *v = dnnl_version();
    const char *name = cpu.name[0] ? cpu.name : "unknown";
    if (json) {
        json_t *o = json_pack("{s:f s:f s:f s:i s:s s:b s:o}", "gemm_bf16_flops_per_s", f->bf16,
                              "gemm_f32_flops_per_s", f->f32, "read_bytes_per_s", f->read, "threads", threads,
                              "processor", name, "bf16_fast", ops_bf16_fast(&cpu), "onednn",
                              json_sprintf("%d.%d.%d", v->major, v->minor, v->patch));
        cmd_print_json(o, 6);
        json_decref(o);
        return;
    }
    const char *remark = ops_bf16_fast(&cpu) ? "" : "   (slow: training takes f32 here)";
    printf("processor       %s, %d thread%s, oneDNN %d.%d.%d\n", name, threads, threads == 1 ? "" : "s",
           v->major, v->minor, v->patch);
    printf("products bf16   %8.1f GFLOP/s%s\n", f->bf16 * 1e-9, remark);
    printf("products f32    %8.1f GFLOP/s\n", f->f32 * 1e-9);
    printf("read            %8.1f GB/s\n", f->read * 1e-9);
}

static Status run(const Args *args, void *context)
{
    (void)args;
    const GemmConfig *set = context;
    Device *dev = NULL;
    Figures f;
    TRY(ops_open(&dev, NULL, (int)set->threads));
    Status st = measure_all(dev, &f);
    if (st == ST_OK)
        print(&f, dev->threads, set->json);
    device_close(dev);
    return st;
}

int bench_gemm(int argc, char **argv)
{
    GemmConfig set = {0};
    const ArgsTable tables[] = {{&gemm_table, &set}};
    const Command c = {
        .usage = "[flags]",
        .about =
            "Measures what this machine can do at best, in about four seconds: large matrix products\n"
            "in bf16 and f32, and reading a buffer that no cache holds.  Run it when nothing else runs.\n"
            "example: lemur bench gemm --json",
        COMMAND_TABLES(tables),
    };
    return cmd_run(&c, argc, argv, run, &set);
}
