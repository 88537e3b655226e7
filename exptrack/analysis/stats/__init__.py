"""Statistics of a few runs. The one package that imports SciPy, and only in the functions that need it.

It is `scipy.special` and not `scipy.stats`: both give the same quantiles of Student's t, but importing the one takes 0.2 s, the other 0.6
to 1.3 s.

`plain` has what needs no SciPy, `student` the t tests, `power` the numbers of runs, `effects` the sizes of differences, `intervals` what
is to come, `order` the best of several, `corrections` many p-values, `dunnett` many candidates beside one baseline, `ranks` the tests without
a distribution, `counts` those of counts, `resampling` the bootstraps.
"""

from __future__ import annotations

from exptrack.analysis.stats.intervals import prediction_half_width
from exptrack.analysis.stats.plain import NOISE, deviation, is_constant, is_same_but_noise, mean, same_bits
from exptrack.analysis.stats.student import Equivalence, quantile, tost

__all__ = [
    "NOISE",
    "Equivalence",
    "deviation",
    "is_constant",
    "is_same_but_noise",
    "mean",
    "prediction_half_width",
    "quantile",
    "same_bits",
    "tost",
]
