#include "ops/select.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"

void ops_overlay(Ops *ops, const Ops *over)
{
#define OP(name, params, args) \
    if (over->name)            \
        ops->name = over->name;
#include "ops/ops.def"
#undef OP
}

static const char *const op_names[] = {
#define OP(name, params, args) #name,
#include "ops/ops.def"
#undef OP
};

int ops_count(void)
{
    return (int)(sizeof op_names / sizeof op_names[0]);
}

const char *ops_name(int i)
{
    check(i >= 0 && i < ops_count());
    return op_names[i];
}

bool ops_has(const Ops *table, int i)
{
    int at = 0;
#define OP(name, params, args) \
    if (at++ == i)             \
        return table->name != NULL;
#include "ops/ops.def"
#undef OP
    return false;
}

const char *ops_variant(int i, const CpuFeatures *cpu)
{
    OpsTable tables[OPS_TABLES_MAX];
    int n = ops_tables(tables, cpu);
    while (n-- > 0)
        if (ops_has(tables[n].ops, i))
            return tables[n].name;
    return "none";
}

Status ops_attach(Device *dev, const char *name)
{
    CpuFeatures cpu = cpu_features();
    OpsTable tables[OPS_TABLES_MAX];
    int n = ops_tables(tables, &cpu), last = n - 1;
    if (name)
        for (last = n - 1; last >= 0 && strcmp(tables[last].name, name) != 0;)
            last--;
    if (last < 0)
        return fail(ST_UNSUPPORTED, "this processor cannot run the operations called '%s'", name);
    Ops *ops = mem_new(Ops);
    for (int i = 0; i <= last; i++)
        ops_overlay(ops, tables[i].ops);
    mem_free((void *)(uintptr_t)dev->ops);
    dev->ops = ops;
    return ST_OK;
}

bool ops_bf16_fast(const CpuFeatures *cpu)
{
    return cpu->bf16_dots || cpu->amx;
}

Status ops_open(Device **out, const char *table, int threads)
{
    Device *dev;
    TRY(device_open_cpu(&dev, threads));
    Status st = ops_attach(dev, table);
    if (st != ST_OK) {
        device_close(dev);
        return st;
    }
    *out = dev;
    return ST_OK;
}

static DType compute_of(const char *name, bool bf16_fast)
{
    bool bf16 = strcmp(name, "auto") == 0 ? bf16_fast : strcmp(name, "bf16") == 0;
    return bf16 ? DTYPE_BF16 : DTYPE_F32;
}

DType ops_compute(const char *name)
{
    CpuFeatures cpu = cpu_features();
    return compute_of(name, ops_bf16_fast(&cpu));
}

DType ops_compute_packed(const char *name)
{
    CpuFeatures cpu = cpu_features();
    return compute_of(name, cpu.avx2);
}
