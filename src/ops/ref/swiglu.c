#include <math.h>

#include "ops/ref/ref.h"

static double sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

void ref_swiglu(Device *dev, Tensor *out, const Tensor *gate_up)
{
    int64_t F = out->cols;
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < out->rows; n++) {
        for (int64_t f = 0; f < F; f++) {
            double gate = tensor_get(gate_up, n, f), up = tensor_get(gate_up, n, F + f);
            tensor_set(out, n, f, gate * sigmoid(gate) * up);
        }
    }
}

/* silu(z) = z s with s = sigmoid(z), s' = s (1 - s), so silu' = s + z s (1 - s) = s (1 + z (1 - s)). */
void ref_swiglu_back(Device *dev, Tensor *dgate_up, const Tensor *dout, const Tensor *gate_up)
{
    int64_t F = dout->cols;
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < dout->rows; n++) {
        for (int64_t f = 0; f < F; f++) {
            double gate = tensor_get(gate_up, n, f), up = tensor_get(gate_up, n, F + f),
                   d = tensor_get(dout, n, f);
            double s = sigmoid(gate);
            tensor_set(dgate_up, n, f, d * up * s * (1 + gate * (1 - s)));
            tensor_set(dgate_up, n, F + f, d * gate * s);
        }
    }
}
