#include "train/clip.h"

#include <math.h>

#include "base/check.h"
#include "ops/ops.h"

Status clip_open(Clip *c, Device *dev)
{
    *c = (Clip){.dev = dev};
    return device_alloc(dev, &c->sum, sizeof(double), "the gradient norm");
}

void clip_close(Clip *c)
{
    if (c->sum)
        device_free(c->dev, c->sum, sizeof(double));
    *c = (Clip){0};
}

Status clip_norm(Clip *c, const Tensor *gradients, double scale, double *norm)
{
    double squares = 0;
    Tensor out = tensor_view(c->sum, DTYPE_F64, 1, 1);
    sum_squares(c->dev, &out, gradients);
    device_download(c->dev, &squares, c->sum, sizeof squares);
    TRY(device_sync(c->dev));
    *norm = sqrt(squares) * fabs(scale);
    return ST_OK;
}

double clip_factor(double norm, double limit)
{
    check(isfinite(norm));
    return limit > 0 && norm > limit ? limit / norm : 1;
}
