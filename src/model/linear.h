/* The linear layers of a Llama's layer, by the products that compute them: q, k and v read the same rows and
 * are one product, and so are gate and up. */
#ifndef MODEL_LINEAR_H
#define MODEL_LINEAR_H

#include "model/params.h"

typedef enum { LINEAR_QKV, LINEAR_O, LINEAR_GATE_UP, LINEAR_DOWN, LINEARS } Linear;

enum { LINEAR_MATRICES = 3 }; /* at most, of one product */

typedef struct {
    ParamKind first; /* its matrices are first, first + 1, ... */
    int count;
    int64_t in, out;                /* columns of x and of y */
    int64_t rows[LINEAR_MATRICES]; /* of y's columns, each matrix's */
} LinearShape;

LinearShape linear_shape(const HParams *h, Linear which);

#endif
