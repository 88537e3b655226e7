"""Where the baseline is several configurations, as a branch with a sweep is: each candidate is held against the one with its own parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from exptrack.analysis.experiments.declaration import canonical
from exptrack.analysis.verdicts import decide_pairs
from exptrack.analysis.wording import counted, name_few
from exptrack.errors import ExptrackError
from exptrack.model.comparison import Configuration, Rules, Sample, Verdict
from exptrack.model.experiment import Pairing

_NAMED = 5


class Bases(NamedTuple):
    """The configurations that are the baseline, which was asked for as `told`. Of `keys` they have other values than candidates by intent."""

    told: str = ""
    configurations: tuple[Configuration, ...] = ()
    keys: frozenset[str] = frozenset()

    @property
    def label(self) -> str | None:
        """What the baseline is called; None if there is none."""
        return self.configurations[0].label if len(self.configurations) == 1 else self.told or None

    @property
    def labels(self) -> frozenset[str]:
        """The labels of its configurations."""
        return frozenset(one.label for one in self.configurations)

    @property
    def runs(self) -> frozenset[str]:
        """The names of its runs."""
        return frozenset(name for one in self.configurations for name in one.runs)


def find_again(bases: Bases, configurations: Sequence[Configuration]) -> Bases:
    """The same runs as a baseline among other configurations, where they may have other labels, and some may be missing."""
    kept = tuple(one for one in configurations if not bases.runs.isdisjoint(one.runs))
    return bases._replace(configurations=kept)


def find_partners(bases: Bases, configurations: Sequence[Configuration]) -> dict[str, Configuration]:
    """By the label of each candidate the configuration that it is held against: the only one, else that with the same parameters.

    Candidates without such a one are left out. Raises ExptrackError if several have them, or none of the candidates has a partner.
    """
    if not bases.configurations:
        return {}
    labels = bases.labels
    candidates = [one for one in configurations if one.label not in labels]
    if len(bases.configurations) == 1:
        return {one.label: bases.configurations[0] for one in candidates}
    groups: dict[frozenset[tuple[str, str]], list[Configuration]] = {}
    for base in bases.configurations:
        groups.setdefault(_key(base, bases.keys), []).append(base)
    found: dict[str, Configuration] = {}
    for one in candidates:
        alike = groups.get(_key(one, bases.keys), [])
        same = [base for base in alike if base.code == one.code] if len(alike) > 1 else alike
        if len(same) == 1:
            found[one.label] = same[0]
        elif alike:
            raise refuse_several(bases.told, alike)
    if not found:
        raise refuse_several(bases.told, bases.configurations)
    return found


def check_partners(bases: Bases, rules: Rules) -> None:
    """Raise ExptrackError if there are several baselines, and the rules are about one."""
    if len(bases.configurations) > 1 and rules.pair_by is Pairing.DATASET:
        raise refuse_several(bases.told, bases.configurations)


def tell_partners(
    bases: Bases, partners: Mapping[str, Configuration], configurations: Sequence[Configuration]
) -> list[str]:
    """Lines on which baseline each candidate is held against, where there are several."""
    if len(bases.configurations) < 2:
        return []
    lone = len(configurations) - len(bases.configurations) - len(partners)
    what = f"the baseline {bases.told} is {len(bases.configurations)} configurations"
    lines = [f"{what}: each candidate is held against the one with the same parameters"]
    if lone:
        lines.append(
            f"{counted(lone, 'configuration')} without a verdict: the baseline has none with the same parameters"
        )
    return lines


def decide_beside(
    rules: Rules, samples: Sequence[Sample], partners: Mapping[str, Configuration], *, is_forced: bool
) -> tuple[Verdict, ...]:
    """A verdict for each candidate that has a partner; where there are several of these, a note names it."""
    pairs = pair_up(samples, partners)
    is_one = len({one.label for one in partners.values()}) < 2
    verdicts = decide_pairs(rules, pairs, is_forced=is_forced)
    return tuple(
        one if is_one else one._replace(notes=(f"{one.label}: held against {base.label}", *one.notes))
        for one, (base, _) in zip(verdicts, pairs, strict=True)
    )


def pair_up(samples: Sequence[Sample], partners: Mapping[str, Configuration]) -> list[tuple[Sample, Sample]]:
    """The baseline's sample and its own of each candidate that has a partner."""
    by_label = {one.label: one for one in samples}
    return [(by_label[partners[one.label].label], one) for one in samples if one.label in partners]


def _key(one: Configuration, keys: Collection[str]) -> frozenset[tuple[str, str]]:
    return frozenset((key, canonical(value)) for key, value in one.params.items() if key not in keys)


def refuse_several(told: str, found: Sequence[Configuration]) -> ExptrackError:
    """What is said where one baseline is needed, and several configurations are meant."""
    labels = name_few([f"'{one.label}'" for one in found], _NAMED)
    return ExptrackError(
        f"which baseline? {told} means {counted(len(found), 'configuration')}, {labels}: name a run of one with --baseline, or narrow it by a query"
    )
