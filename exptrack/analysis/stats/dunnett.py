"""Several groups beside one control, taken to vary alike (Dunnett 1955), by quadrature: no random numbers, so always the same p."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from exptrack.analysis.stats.checks import require_alpha
from exptrack.analysis.stats.plain import deviation, is_constant, mean, require
from exptrack.analysis.stats.quadrature import nodes, normal_nodes, root
from exptrack.analysis.stats.student import quantile

if TYPE_CHECKING:
    from exptrack.analysis.stats.quadrature import Numbers


class Dunnett(NamedTuple):
    """Of each group: its mean less the control's, the standard error of that, and the p over all groups; and the SD pooled over all.

    `loadings` are sqrt(n_i/(n_i + n_0)), the products of which are the correlations of the differences.
    """

    differences: tuple[float, ...]
    errors: tuple[float, ...]
    p: tuple[float, ...]
    sd: float
    df: int
    loadings: tuple[float, ...]

    def critical(self, alpha: float) -> float:
        """The c by which differences +- c * errors cover all true ones with probability 1 - alpha. ValueError unless 0 < alpha < 1."""
        return critical(self.loadings, self.df, alpha)


def dunnett(x: Sequence[float], groups: Sequence[Sequence[float]], untested: Sequence[int] = ()) -> Dunnett:
    """Dunnett's two-sided test of each group's mean against that of the control x.

    `untested` are the sizes of groups whose values are not known, and which are corrected for all the same.

    t_i = (mean_i - mean_0) / (s * sqrt(1/n_i + 1/n_0)), s pooled over all with N - k - 1 degrees of freedom; p_i is the probability that
    the largest of |T_1| ... |T_k| is above |t_i| if no mean differs. Sizes may differ, and be 1. Source: Dunnett 1955, A multiple comparison
    procedure for comparing several treatments with a control, JASA 50. ValueError for values that are not finite, without a group, and
    where nothing varies (SciPy answers with p = 1 or 0).
    """
    require("Dunnett's test", x, *groups, fewest=1)
    df = len(x) + sum(map(len, groups)) - len(groups) - 1
    if not groups or df < 1:
        raise ValueError(f"no Dunnett's test of {len(groups)} groups with {df} degrees of freedom")
    samples = [sample for sample in (x, *groups) if len(sample) > 1]
    if all(map(is_constant, samples)):
        raise ValueError("no Dunnett's test of values that do not vary")
    sd = math.hypot(*(deviation(sample) * math.sqrt((len(sample) - 1) / df) for sample in samples))
    differences = tuple(mean(group) - mean(x) for group in groups)
    errors = tuple(sd * math.sqrt(1 / len(group) + 1 / len(x)) for group in groups)
    sizes = (*map(len, groups), *untested)
    loadings = tuple(math.sqrt(size / (size + len(x))) for size in sizes)
    ts = (abs(difference / error) for difference, error in zip(differences, errors, strict=True))
    return Dunnett(differences, errors, tuple(excess(t, loadings, df) for t in ts), sd, df, loadings)


def critical(loadings: Sequence[float], df: int, alpha: float) -> float:
    """The value that the largest of the |T_i| exceeds with probability alpha: between Student's quantile for one and Bonferroni's for all."""
    require_alpha(alpha)
    low, high = quantile(df, 1 - alpha / 2), quantile(df, 1 - alpha / 2 / len(loadings))
    return root(lambda t: excess(t, loadings, df) - alpha, low, high)


def excess(t: float, loadings: Sequence[float], df: int) -> float:
    """P(max |T_i| > t), with T_i = (sqrt(1 - l_i^2) e_i + l_i u) / s, e_i and u standard normal, s^2 df chi-squared with df.

    Given u and s the T_i are independent, so that it is a double integral of 1 - prod(1 - P(|T_i| > t | u, s)), whatever their number;
    it is even in u.
    Source: Dunnett 1955.
    """
    import numpy as np
    from scipy.special import ndtr

    if t <= 0:
        return 1.0
    sharpest = math.sqrt(1 - max(loadings) ** 2)
    # More nodes where loadings are near to 1 (many runs beside a control of few), and where s may be small: off by 3e-8
    # at the worst, for 50 groups.
    u, u_weights = normal_nodes(min(512, 32 * math.ceil(0.71 / sharpest)))
    s, s_weights = _deviation_nodes(df, (192 if df < 3 else 96 if df < 8 else 48) * (1 if sharpest > 0.25 else 2))
    log_none = np.zeros((len(u), len(s)))
    for loading, count in Counter(loadings).items():
        rest = math.sqrt(1 - loading**2)
        shift = loading * u[:, None]
        with np.errstate(divide="ignore"):
            log_none += count * np.log1p(-np.minimum(1, ndtr((shift - t * s) / rest) + ndtr((-shift - t * s) / rest)))
    return min(1.0, float(u_weights @ -np.expm1(log_none) @ s_weights))


def _deviation_nodes(df: int, count: int) -> tuple[Numbers, Numbers]:
    """Nodes and weights for s = sqrt(chi2(df)/df), evenly in log s, where it is smooth for one degree of freedom as for a thousand."""
    import numpy as np
    from scipy.special import gammainccinv, gammaincinv, gammaln

    low = math.log(2 * float(gammaincinv(df / 2, 1e-16)) / df) / 2
    high = math.log(2 * float(gammainccinv(df / 2, 1e-16)) / df) / 2
    logs, weights = nodes(low, high, count)
    half = df / 2
    # The density of log s: 2 (df/2)^(df/2) / Gamma(df/2) * s^df * exp(-df s^2 / 2).
    density = np.exp(math.log(2) + half * math.log(half) - float(gammaln(half)) + df * logs - half * np.exp(2 * logs))
    return np.exp(logs), weights * density
