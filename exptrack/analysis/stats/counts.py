"""Exact tests of counts: two models on the same examples, failures in two groups of runs."""

from __future__ import annotations

from math import comb


def mcnemar(b: int, c: int) -> float:
    """The exact two-sided p of McNemar's test, from the numbers of examples that only one (b) and only the other (c) has right.

    2 * P(X <= min(b, c)) with X binomial (b + c, 1/2), at most 1; 1 if they agree on all examples. It speaks of these two models, not of
    the configurations that made them. Source: McNemar 1947, Psychometrika 12; exact in Edwards 1948. ValueError for negative numbers.
    """
    if min(b, c) < 0:
        raise ValueError(f"no McNemar's test of {b} and {c} examples: they are counts")
    if b == c:
        return 1.0
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(b, c), b + c, 0.5)))


def fisher(a: int, n: int, b: int, m: int) -> float:
    """Fisher's exact two-sided p of the rates a of n and b of m (failed runs, say) being one.

    The sum, over the tables of the same margins, of the hypergeometric probabilities that are not above that of the table seen, as R's
    `fisher.test` has it; counted in whole numbers, so that no tie is missed. Source: Fisher 1935, The Design of Experiments.
    ValueError where a is not among n, or b not among m.
    """
    if not (0 <= a <= n and 0 <= b <= m):
        raise ValueError(f"no Fisher's test of {a} of {n} and {b} of {m}")
    total = a + b
    first, last = max(0, total - m), min(n, total)
    weights = _hypergeometric(first, last, n, m, total)
    seen = weights[a - first]
    return sum(weight for weight in weights if weight <= seen) / sum(weights)


def _hypergeometric(first: int, last: int, n: int, m: int, total: int) -> list[int]:
    """C(n, i) * C(m, total - i) for i from `first` to `last`, each from the one before."""
    weights = [comb(n, first) * comb(m, total - first)]
    for i in range(first, last):
        weights.append(weights[-1] * (n - i) * (total - i) // ((i + 1) * (m - total + i + 1)))
    return weights
