/* Which kernel does an operation on this machine.  Tables are overlaid: ref is complete, the others bring
 * what they speed up.  A CUDA back end will be one more table and one more Device. */
#ifndef OPS_SELECT_H
#define OPS_SELECT_H

#include "base/cpu.h"
#include "ops/ops.h"

typedef struct {
    const char *name; /* "ref", "onednn", "avx2", ... */
    const Ops *ops;   /* NULL entries: not in this table */
} OpsTable;

extern const Ops ops_ref, ops_onednn;
/* x86-64 only: named by select_x86.c alone */
extern const Ops ops_avx2, ops_avx512, ops_avx512vnni, ops_avx512bf16, ops_amx;

/* The tables this processor can run, lowest first; returns how many (at most OPS_TABLES_MAX). */
enum { OPS_TABLES_MAX = 8 };
int ops_tables(OpsTable *out, const CpuFeatures *cpu);

void ops_overlay(Ops *ops, const Ops *over); /* NULL entries of `over` keep what is there */

/* Gives `dev` the best table for this processor, or only the first `name`d tables ("ref" alone for a
 * reference run); name NULL: the best.  The table is owned by the device. */
MUST_CHECK Status ops_attach(Device *dev, const char *name);

/* The operations, in the order of ops.def: how many, the name of number i, whether a table has it, and the
 * name of the table that provides it on this processor. */
int ops_count(void);
const char *ops_name(int i);
bool ops_has(const Ops *table, int i);
const char *ops_variant(int i, const CpuFeatures *cpu);

/* Opens the device that this machine computes on, with its operations: a build for other devices chooses
 * here, and what trains, infers or measures names no kind.  `table` as in ops_attach; threads 0: as many as
 * this process may use. */
MUST_CHECK Status ops_open(Device **out, const char *table, int threads);
/* What that device's products compute in: "bf16", "f32", or "auto": bf16 where it is fast. */
DType ops_compute(const char *name);
/* The same of inference, which is bound by reading weights and caches: "auto" is bf16 wherever packed weights
 * of bf16 have kernels, for they are half as long. */
DType ops_compute_packed(const char *name);

/* Whether oneDNN's bf16 products are faster here than those of f32. */
bool ops_bf16_fast(const CpuFeatures *cpu);

#endif
