/* Processors without kernels of their own: the reference, and oneDNN's products. */
#include "ops/select.h"

int ops_tables(OpsTable *out, const CpuFeatures *cpu)
{
    (void)cpu;
    out[0] = (OpsTable){"ref", &ops_ref};
    out[1] = (OpsTable){"onednn", &ops_onednn};
    return 2;
}
