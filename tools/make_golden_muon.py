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


def solved(rows, right):
    """x of rows x = right, by elimination."""
    n, m = len(rows), [row + [r] for row, r in zip(rows, right)]
    for i in range(n):
        p = max(range(i, n), key=lambda k: abs(m[k][i]))
        m[i], m[p] = m[p], m[i]
        for k in range(n):
            if k != i:
                f = m[k][i] / m[i][i]
                m[k] = [x - f * y for x, y in zip(m[k], m[i])]
    return [m[i][n] / m[i][i] for i in range(n)]


def best_quintic(low, high):
    """a, b, c of the odd polynomial which is nearest to 1 on [low, high], and its error, by Remez' exchange."""
    inner = [(3 * low + high) / 4, (low + 3 * high) / 4]
    for _ in range(60):
        points = [low, *inner, high]
        a, b, c, error = solved([[x, x ** 3, x ** 5, s] for x, s in zip(points, (1, -1, 1, -1))], [1] * 4)
        root = math.sqrt(9 * b * b - 20 * a * c)
        inner = sorted(math.sqrt((-3 * b + s * root) / (10 * c)) for s in (-1, 1))
    return (a, b, c), error


def rounds_from(least, n):
    low, high, rounds = least, 1, []
    for i in range(n):
        (a, b, c), error = best_quintic(low, high)
        f = 1.01 if i + 1 < n else 1
        rounds.append((a / f, b / f ** 3, c / f ** 5))
        low, high = 1 - error, 1 + error
    return rounds


ROUNDS = {512: rounds_from(1e-2, 3), 4096: rounds_from(3e-3, 4), math.inf: rounds_from(1e-3, 5)}


def orthogonal_factor(u):
    length = math.sqrt(sum(v * v for row in u for v in row))
    x = combined((1 / length, u))
    flat = len(x) > len(x[0])
    x = transposed(x) if flat else x
    for a, b, c in next(rounds for most, rounds in ROUNDS.items() if len(x) <= most):
        gram = product(x, transposed(x))
        x = combined((a, x), (1, product(combined((b, gram), (c, product(gram, gram))), x)))
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
