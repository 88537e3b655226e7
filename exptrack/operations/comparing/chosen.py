"""Which runs are compared, and which of their configurations is the baseline."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from exptrack.analysis.experiments.grouping import Grouped, find_configurations, tell_lacking
from exptrack.analysis.experiments.labels import tell_values
from exptrack.analysis.query import names_in, parse_query
from exptrack.analysis.wording import name_few
from exptrack.backends.git import objects
from exptrack.backends.git.ancestry import find_reachable
from exptrack.errors import ExptrackError, RevError
from exptrack.model.comparison import Configuration
from exptrack.model.run import Run
from exptrack.model.tree import Value, flatten
from exptrack.operations.comparing.codestates import digest_files
from exptrack.operations.comparing.partners import Bases
from exptrack.operations.context import Context
from exptrack.operations.listing import list_runs
from exptrack.operations.ranges import find_refs, is_query, refuse_torn
from exptrack.operations.sides import find

_NAMED = 5
_BETWEEN = re.compile(r",(?![^\[{]*[\]}])")


class Meant(NamedTuple):
    """What a word means: names of runs, and whether their whole configurations are meant. `notes` are lines on how it was understood."""

    names: frozenset[str]
    is_whole: bool = False
    notes: tuple[str, ...] = ()


def understand(context: Context, words: Sequence[str], runs: Sequence[Run]) -> list[Meant]:
    """What each word means among the runs: a query or a range those it holds for, a run its configuration, a branch or commit the runs with its code."""
    refuse_torn(words, lambda: {"status"}, "compare")
    return [_understand_one(context, word, runs) for word in words]


def _understand_one(context: Context, word: str, runs: Sequence[Run]) -> Meant:
    known = frozenset(one.name for one in runs)
    if is_query(word):
        names = known.intersection(map(str, list_runs(context, word).rows.column("name")))
        if not names:
            raise RevError(f"no run for which '{word}' holds: `exptrack ls` lists the runs")
        asked = [name for name in names_in(parse_query(word)) if name.startswith("metrics.")]
        note = f"runs were chosen by {name_few(asked, _NAMED)}: what is chosen by its results differs by that alone"
        return Meant(names, notes=(note,) if asked else ())
    if ".." in word:
        refs = find_refs(context, [word], "compare")
        return Meant(frozenset(ref.rpartition("/")[2] for ref in refs) & known)
    return mean_runs(context, word, runs)


def mean_runs(context: Context, word: str, runs: Sequence[Run]) -> Meant:
    """The runs that a rev means: a run alone, or of a branch or commit those whose code was that of it.

    If no run had its code, those count that had, unmodified, the code of the commit behind it on which a run started last.
    """
    found = find(context, word)
    if found.run is not None:
        if found.run.name not in {one.name for one in runs}:
            if (source := found.run.record.links.reproduces) is not None:
                raise RevError(
                    f"run '{found.run.name}' only executes {source} again: it counts where its whole name is given"
                )
            raise RevError(f"run '{found.run.name}' is not among the runs that are compared")
        return Meant(frozenset([found.run.name]), is_whole=True)
    if found.commit is None:
        raise RevError(f"'{word}' is no run, branch or commit: give a run whose configuration is meant")
    return _mean_code(context, word, found.commit, runs)


def _mean_code(context: Context, word: str, commit: str, runs: Sequence[Run]) -> Meant:
    had, wanted = digest_files(context, runs, commit)
    names = frozenset(one.name for one in runs if one.oid in had and had[one.oid] == wanted.get(one.oid))
    if names:
        return Meant(names)
    bases = dict(
        zip(
            [one.oid for one in runs],
            objects.resolve(context.repository, [f"{one.oid}^^" for one in runs]),
            strict=True,
        )
    )
    behind = find_reachable(context.repository, {base for base in bases.values() if base}, commit)
    for last in sorted((one for one in runs if bases[one.oid] in behind), key=lambda one: one.started, reverse=True):
        base = str(bases[last.oid])
        _, then = digest_files(context, runs, base)
        names = frozenset(one.name for one in runs if one.oid in had and had[one.oid] == then.get(one.oid))
        if names:
            return Meant(
                names,
                notes=(f"no run had the code of '{word}': the last on it that had that of its commit had {base[:10]}",),
            )
        behind.discard(base)
    raise RevError(f"no run had the code of '{word}': check it out and record one with `exptrack run`")


def find_baselines(
    context: Context,
    asked: str | Mapping[str, Value],
    grouped: Grouped,
    runs: Sequence[Run],
    *,
    is_code_merged: bool = False,
) -> tuple[Bases, tuple[str, ...]]:
    """The configurations that are the baseline: by values of parameters (`lr=0.1,depth=3`), by a run, a branch or a commit; and lines on it.

    Of several those count that have a usable run. Raises ExptrackError if there is none, or if it is a branch or commit and runs of
    other code are in one configuration with its own (`is_code_merged`), RevError.
    """
    wanted = _parse_values(context, asked) if isinstance(asked, str) else asked
    if wanted is not None:
        found = find_configurations(grouped, wanted)
        if not found:
            raise ExptrackError(tell_lacking(grouped, wanted))
        return Bases(tell_values(wanted), _usable(found), frozenset(flatten(wanted))), ()
    meant = mean_runs(context, str(asked), runs)
    found = tuple(one for one in grouped.configurations if not meant.names.isdisjoint(one.runs))
    if not found:
        raise ExptrackError(f"no baseline: the configuration of '{asked}' is not among those that are compared")
    if is_code_merged and not meant.is_whole and any(not meant.names.issuperset(one.runs) for one in found):
        raise ExptrackError(
            f"'{asked}' means the runs with its code, which --merge-code puts together with others: leave --merge-code out, or give values as the baseline"
        )
    return Bases(f"'{asked}'", _usable(found)), meant.notes


def _usable(found: Sequence[Configuration]) -> tuple[Configuration, ...]:
    return tuple(one for one in found if one.mean is not None) or tuple(found)


def _parse_values(context: Context, asked: str) -> dict[str, Value] | None:
    """`lr=0.1,params.depth=3` as values by parameter; None if it is a rev. A comma inside of brackets parts nothing."""
    if "=" not in asked:
        return None
    wanted: dict[str, Value] = {}
    for part in _BETWEEN.split(asked):
        key, sign, text = part.partition("=")
        if not sign or not key.strip():
            raise ExptrackError(
                f"baseline '{asked}' cannot be read: give values such as lr=0.1,depth=3, or a run, branch or commit"
            )
        try:
            wanted[key.strip().removeprefix("params.")] = context.yaml.load(text)
        except ValueError:
            wanted[key.strip().removeprefix("params.")] = text.strip()
    return wanted


def with_configurations(names: Collection[str], grouped: Grouped) -> frozenset[str]:
    """The names of all runs of the configurations that have one of these."""
    wanted = set(names)
    return frozenset(name for one in grouped.configurations if not wanted.isdisjoint(one.runs) for name in one.runs)
