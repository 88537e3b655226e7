"""Roots are found in few calls: each may be an integral of its own."""

from __future__ import annotations

import math

import pytest

from exptrack.analysis.stats.quadrature import root


@pytest.mark.parametrize(
    ("function", "low", "high", "where"),
    [
        (lambda x: 2 - x**2, 1.0, 2.0, math.sqrt(2)),
        (lambda x: math.exp(-x) - 0.05, 0.0, 20.0, math.log(20)),
        (lambda x: 0.05 - math.erf(x - 3), 2.0, 5.0, 3.04434038791),
        (lambda x: 1 - x, 1.0, 2.0, 1.0),
        (lambda x: 1 - x, 0.5, 1.0, 1.0),
    ],
)
def test_a_root_takes_some_ten_calls_where_halving_takes_forty(function, low, high, where):
    calls = []
    found = root(lambda x: calls.append(x) or function(x), low, high)
    assert found == pytest.approx(where, rel=1e-9)
    assert len(calls) <= 20
