"""What may be said of configurations beside a baseline: the gates, the test, the correction, the word and its sentence, in this order."""

from __future__ import annotations

from exptrack.analysis.verdicts.decide import decide, decide_pairs, explore
from exptrack.analysis.verdicts.looks import look_alphas
from exptrack.analysis.verdicts.several import describe_winner, noise_gain

__all__ = ["decide", "decide_pairs", "describe_winner", "explore", "look_alphas", "noise_gain"]
