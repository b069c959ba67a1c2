/* What this machine can do at best: matrix products per second and bytes read per second.  All speeds are
 * stated as a share of these.  The fastest of several runs counts, since whatever else the machine does only
 * takes away. */
#ifndef OPS_MEASURE_H
#define OPS_MEASURE_H

#include "tensor/device.h"
#include "tensor/dtype.h"

typedef enum {
    MEASURE_BRIEFLY, /* about a quarter of a second: the yardstick of a training run */
    MEASURE_WELL     /* about a second: what `lemur bench gemm` prints               */
} MeasureEffort;

/* Floating-point operations per second of matmul on `dev`, from two matrices of `type` (f32 or bf16) to f32
 * or, for bf16, to the faster of f32 and bf16; large shapes, of which the fastest counts.  0 when the device
 * fails, which then knows why.  Takes up to 50 MB from the device for the time of the call. */
double measure_gemm(Device *dev, DType type, MeasureEffort effort);

/* So much memory that none of it is in a cache once all of it has been walked through: 64 MB a thread, at
 * least 256 MB and at least twice the last cache, which on servers may hold half a gigabyte; but at most an
 * eighth of what is free.  A multiple of 64 kB. */
size_t measure_cold_bytes(int threads);

/* Bytes per second that all threads of `dev` together read from host memory, from a buffer of
 * measure_cold_bytes.  0 when it cannot be had; the device then knows why. */
double measure_read(Device *dev, MeasureEffort effort);

#endif
