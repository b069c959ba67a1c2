#include "ops/select.h"

int ops_tables(OpsTable *out, const CpuFeatures *cpu)
{
    int n = 0;
    out[n++] = (OpsTable){"ref", &ops_ref};
    out[n++] = (OpsTable){"onednn", &ops_onednn};
    if (cpu->avx2)
        out[n++] = (OpsTable){"avx2", &ops_avx2};
    if (cpu->avx512bf16 && !cpu->bf16_dots) /* below the next, which does all that it does, and faster */
        out[n++] = (OpsTable){"avx512bf16", &ops_avx512bf16};
    if (cpu->avx512)
        out[n++] = (OpsTable){"avx512", &ops_avx512};
    if (cpu->avx512vnni)
        out[n++] = (OpsTable){"avx512vnni", &ops_avx512vnni};
    if (cpu->bf16_dots)
        out[n++] = (OpsTable){"avx512bf16", &ops_avx512bf16};
    if (cpu->amx)
        out[n++] = (OpsTable){"amx", &ops_amx};
    return n;
}
