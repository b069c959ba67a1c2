#!/usr/bin/env python3
"""Makes tests/golden/muon.json: matrices, gradients, and where Muon moves the matrices, in double precision.

    python3 tools/make_golden_muon.py        (from the repository root)

Written from the pages that src/train/muon.h names; needs Python alone.
"""
import json
import math
import random

MOMENTUM, LR, DECAY, SCALE, STEPS = 0.95, 0.02, 0.1, 0.5, 3


def product(x, y):
    return [[sum(p * q for p, q in zip(row, column)) for column in zip(*y)] for row in x]


def transposed(x):
    return [list(column) for column in zip(*x)]


def combined(*terms):
    """Sum of factor * matrix."""
    return [[sum(f * v for (f, _), v in zip(terms, values)) for values in zip(*rows)]
            for rows in zip(*(m for _, m in terms))]


def orthogonal_factor(u):
    length = math.sqrt(sum(v * v for row in u for v in row))
    x = combined((1 / length, u))
    flat = len(x) > len(x[0])
    x = transposed(x) if flat else x
    for _ in range(5):
        gram = product(x, transposed(x))
        x = combined((3.4445, x), (1, product(combined((-4.7750, gram), (2.0315, product(gram, gram))), x)))
    return transposed(x) if flat else x


def case(rng, rows, cols):
    matrix = lambda size: [[round(rng.gauss(0, size), 4) for _ in range(cols)] for _ in range(rows)]
    w, gradients, after = matrix(0.1), [matrix(1) for _ in range(STEPS)], []
    made = {"rows": rows, "cols": cols, "w": w, "gradients": gradients, "after": after}
    m = [[0.0] * cols for _ in range(rows)]
    for g in gradients:
        m = combined((MOMENTUM, m), ((1 - MOMENTUM) * SCALE, g))
        o = orthogonal_factor(combined((MOMENTUM, m), ((1 - MOMENTUM) * SCALE, g)))
        w = combined((1 - LR * DECAY, w), (-LR * 0.2 * math.sqrt(max(rows, cols)), o))
        after.append([[round(v, 8) for v in row] for row in w])
    return made


def main():
    rng = random.Random(1)
    made = {"momentum": MOMENTUM, "lr": LR, "weight_decay": DECAY, "grad_scale": SCALE,
            "cases": [case(rng, rows, cols) for rows, cols in ((4, 7), (7, 4), (5, 5), (1, 6), (16, 3))]}
    with open("tests/golden/muon.json", "w") as f:
        json.dump(made, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
