"""How often `compare` says "better" where nothing differs, and where something does: `python benchmarks/calibration.py`.

Made-up studies, in units of the run-to-run standard deviation, go through the product's own function, `exptrack.analysis.verdicts.decide`.
Prints a table of each scenario and its bound; the exit status is 1 if one is not kept. The same seed gives the same studies.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

# As a script it has its own folder on the path, and not the one that holds the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from exptrack.analysis.experiments.concluding import find_look
from exptrack.analysis.verdicts import decide
from exptrack.model.comparison import Rules, Sample, Verdict, Word
from exptrack.model.experiment import Noise
from exptrack.model.selection import PastConclusion
from exptrack.model.settings import Goal

STUDIES = 1_000
MOST_FALSE = 0.04  # "better" in so many of the studies that have no difference, nominally .025
LEAST_POWER = 0.70  # of a gain of 2 deviations at 5 beside 5 runs, in theory .77
RULES = Rules("metric", Goal.MAXIMIZE, is_declared=True)
LOOKS = (3, 5, 10)
PLANS = ("planned", "looks", "conclude")
WORST = 0.15  # the share of a candidate's runs that fail where failures are played: the worst
_WIDE = 8
_CLAIMS = {Word.BETTER, Word.WORSE}
_START = datetime(2026, 1, 1, tzinfo=UTC)


class Scenario(NamedTuple):
    """Studies of `k` candidates beside a baseline, `n` runs of each; the first candidate's are `gain` deviations better than `other` or the baseline's noise.

    `most` and `least` bound the share of studies in which a candidate is called better; without them it is shown only. `failures` are of
    a candidate's worst runs: `told`, or `hidden` as if they had never been. `peeks`: it is looked at 3, 5 and 10 runs until there is a
    claim, with `no plan`, with 10 runs `planned`, with `looks` declared, or to `conclude` each time. `is_common`: one noise is declared
    for all, which `spread`, the baseline's deviation, may belie.
    """

    noise: str
    n: int
    k: int = 1
    gain: float = 0.0
    planned: int | None = None
    min_effect: float | None = None
    other: str = ""
    most: float | None = None
    least: float | None = None
    failures: str = ""
    peeks: str = ""
    is_common: bool = False
    spread: float = 1.0


class Outcome(NamedTuple):
    """Shares of the studies: in which a candidate was called better, worse or either, and how often the first one got each word.

    `contradicted` counts verdicts whose interval does not say what their word says.
    """

    scenario: Scenario
    studies: int
    better: float
    worse: float
    claimed: float
    words: Mapping[str, float]
    contradicted: int

    @property
    def is_kept(self) -> bool:
        """Whether the bounds are kept."""
        most, least = self.scenario.most, self.scenario.least
        return (
            not self.contradicted and (most is None or self.better <= most) and (least is None or self.better >= least)
        )


def _normal(generator: random.Random) -> float:
    return generator.gauss(0.0, 1.0)


def _skewed(generator: random.Random) -> float:
    """Exponential, its long tail to the worse side, as that of accuracies near 1."""
    return 1.0 - generator.expovariate(1.0)


def _heavy(generator: random.Random) -> float:
    """Student's t with 3 degrees of freedom, over its deviation."""
    chi2 = generator.gammavariate(1.5, 2.0)
    return generator.gauss(0.0, 1.0) / math.sqrt(chi2 / 3) / math.sqrt(3)


def _bimodal(generator: random.Random) -> float:
    """One of two optima, equally often, 3 deviations of each apart."""
    return (generator.choice((-1.5, 1.5)) + generator.gauss(0.0, 1.0)) / math.sqrt(1 + 1.5**2)


def _collapsing(generator: random.Random) -> float:
    """Usually fine, and in one of ten runs 5 deviations worse."""
    drop = 5.0 if generator.random() < 0.1 else 0.0
    return (0.5 - drop + generator.gauss(0.0, 1.0)) / math.sqrt(1 + 25 * 0.09)


NOISES: Mapping[str, Callable[[random.Random], float]] = {
    "normal": _normal,
    "skewed": _skewed,
    "heavy-tailed": _heavy,
    "bimodal": _bimodal,
    "collapsing": _collapsing,
}


def list_scenarios() -> Iterator[Scenario]:
    """Those with a bound first, then those that are shown."""
    yield from _list_bounded()
    yield Scenario("normal", 3, gain=2.0, planned=3)
    yield Scenario("normal", 10, gain=2.0, planned=10)
    yield Scenario("normal", 5, k=5, gain=2.0, planned=5)
    yield Scenario("normal", 10, planned=10, min_effect=1.5)
    yield from (Scenario("normal", n, other="collapsing") for n in (5, 10))
    yield from (Scenario("normal", n, failures="hidden") for n in (10, 20))
    yield Scenario("normal", LOOKS[-1], peeks="no plan")
    yield from (Scenario("normal", LOOKS[-1], gain=1.3, peeks=way) for way in PLANS)
    yield from (Scenario("normal", 3, 5, gain=2.0, is_common=common) for common in (False, True))
    yield from (Scenario("normal", n, 5, is_common=True, spread=3.0) for n in (3, 5, 10))


def _list_bounded() -> Iterator[Scenario]:
    for noise in NOISES:
        for n in (3, 5, 10):
            for k in (1, 5):
                yield Scenario(noise, n, k, most=MOST_FALSE)
    yield from (Scenario("normal", n, failures="told", most=MOST_FALSE) for n in (10, 20))
    yield from (Scenario("normal", LOOKS[-1], peeks=way, most=MOST_FALSE) for way in PLANS)
    yield from (Scenario("normal", n, 5, most=MOST_FALSE, is_common=True) for n in (3, 5, 10))
    yield Scenario("normal", 5, gain=2.0, planned=5, least=LEAST_POWER)


def play(scenario: Scenario, studies: int, seed: int = 0) -> Outcome:
    """So many studies of a scenario, decided; the same for the same scenario, number and seed."""
    generator = random.Random(f"{seed} {scenario}")
    noise = Noise.COMMON if scenario.is_common else Noise.UNEQUAL
    rules = RULES._replace(planned=scenario.planned, min_effect=scenario.min_effect, noise=noise)
    found = [_study(scenario, rules, generator) for _ in range(studies)]
    words = [{one.word for one in verdicts} for verdicts in found]
    first = Counter(str(verdicts[0].word) for verdicts in found)
    return Outcome(
        scenario,
        studies,
        better=sum(Word.BETTER in some for some in words) / studies,
        worse=sum(Word.WORSE in some for some in words) / studies,
        claimed=sum(bool(some & _CLAIMS) for some in words) / studies,
        words={word: number / studies for word, number in sorted(first.items())},
        contradicted=sum(contradicts(verdict) for verdicts in found for verdict in verdicts),
    )


def contradicts(verdict: Verdict) -> bool:
    """Whether the interval says otherwise than the word: it is on one side of 0 exactly where one is better or worse."""
    if verdict.interval is None or verdict.word in {Word.WITHHELD, Word.NOT_COMPARABLE}:
        return False
    low, high, _ = verdict.interval
    if verdict.word is Word.BETTER:
        return low <= 0
    if verdict.word is Word.WORSE:
        return high >= 0
    return not low <= 0 <= high


def main() -> int:
    """Play all scenarios, print the table, and give the exit status."""
    options = _parser().parse_args()
    print(f"{options.studies:,} studies of each scenario, seed {options.seed}; shares in percent\n")
    print(f"{'noise':27} {'n':>3} {'k':>2} {'gain':>5} {'better':>7} {'worse':>6} {'either':>7}  bound")
    outcomes = []
    for scenario in list_scenarios():
        outcomes.append(play(scenario, options.studies, options.seed))
        print(_tell(outcomes[-1]), flush=True)
    if options.json:
        written = [{**one._asdict(), "scenario": one.scenario._asdict(), "is_kept": one.is_kept} for one in outcomes]
        options.json.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    missed = sum(not one.is_kept for one in outcomes)
    print(f"\n{len(outcomes)} scenarios, {missed or 'no'} bound{'' if missed == 1 else 's'} missed")
    return 1 if missed else 0


def _study(scenario: Scenario, rules: Rules, generator: random.Random) -> tuple[Verdict, ...]:
    def draw(label: str, noise: str, gain: float, spread: float = 1.0) -> Sample:
        values = {str(seed): gain + spread * NOISES[noise](generator) for seed in range(scenario.n)}
        return Sample(label, values)

    baseline = draw("baseline", scenario.noise, 0.0, scenario.spread)
    candidates = [
        draw(f"candidate {place}", scenario.other or scenario.noise, 0.0 if place else scenario.gain)
        for place in range(scenario.k)
    ]
    if scenario.failures:
        candidates = [_fail(one, is_told=scenario.failures == "told") for one in candidates]
    return _peek(scenario.peeks, rules, baseline, candidates) if scenario.peeks else decide(rules, baseline, candidates)


def _fail(sample: Sample, *, is_told: bool) -> Sample:
    """The sample without what is among the worst of all runs there might be."""
    kept = {seed: value for seed, value in sample.values.items() if value > NormalDist().inv_cdf(WORST)}
    return sample._replace(values=kept, failed=len(sample.values) - len(kept) if is_told else 0)


def _peek(way: str, rules: Rules, baseline: Sample, candidates: list[Sample]) -> tuple[Verdict, ...]:
    """The verdicts of the first look that claims something, else of the last."""
    rules = rules._replace(planned=LOOKS[-1] if way == "planned" else None, looks=LOOKS if way == "looks" else ())
    found: tuple[Verdict, ...] = ()
    past: list[PastConclusion] = []
    for n in LOOKS:
        x, *others = (one._replace(values=dict([*one.values.items()][:n])) for one in (baseline, *candidates))
        if way == "conclude":
            look = find_look(rules, n, past, str(n))
            past.append(PastConclusion(str(n), _START, "a", rules.metric, "not yet", str(n), look.spent))
            found = decide(rules._replace(alpha=look.alpha), x, others)
        else:
            found = decide(rules, x, others)
        if any(one.word in _CLAIMS for one in found):
            break
    return found


def _tell(outcome: Outcome) -> str:
    scenario = outcome.scenario
    noise = f"{scenario.noise} v {scenario.other}" if scenario.other else scenario.noise
    shares = f"{outcome.better:7.1%} {outcome.worse:6.1%} {outcome.claimed:7.1%}"
    bounds = [
        f"{sign} {bound:.0%}" for sign, bound in (("<=", scenario.most), (">=", scenario.least)) if bound is not None
    ]
    said = [*bounds, *([] if outcome.is_kept else ["MISSED"]), *_tell_kind(scenario)]
    if outcome.contradicted:
        said.append(f"{outcome.contradicted} intervals contradict their words")
    if scenario.min_effect is not None:
        said.append(f"equivalent {outcome.words.get(Word.EQUIVALENT, 0.0):.1%} within {scenario.min_effect:g}")
    return (
        f"{noise:27} {scenario.n:3} {scenario.k:2} {scenario.gain:{_WIDE - 3}.1f} {shares}  {', '.join(said)}".rstrip()
    )


def _tell_kind(scenario: Scenario) -> Iterator[str]:
    if scenario.failures:
        yield f"the worst {WORST:.0%} of runs fail, {scenario.failures}"
    if scenario.peeks:
        yield f"at 3, 5 and 10 runs, {scenario.peeks}"
    if scenario.is_common:
        yield "one noise declared" + (f", the baseline's {scenario.spread:g} times" if scenario.spread != 1 else "")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/calibration.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "-n",
        dest="studies",
        type=_positive,
        default=STUDIES,
        metavar="N",
        help=f"studies of each scenario ({STUDIES:,})",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another seed gives other studies (0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the shares there, too")
    return parser


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


if __name__ == "__main__":
    sys.exit(main())
