"""The runs of a plot put together as `compare` does it: the replicates of a configuration, reruns of a seed as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from exptrack.analysis.curves import Band, Curve, Series, draw_band
from exptrack.analysis.experiments.grouping import Grouping, Row, group, name_unit
from exptrack.analysis.wording import counted, name_few
from exptrack.model.run import Run
from exptrack.operations.comparing.codestates import digest_files
from exptrack.operations.comparing.counting import leave_out
from exptrack.operations.comparing.gather import gather
from exptrack.operations.context import Context
from exptrack.operations.plotting.sources import Source

if TYPE_CHECKING:
    from exptrack.operations.plot import Asked

_NAMED = 3


def draw_bands(
    context: Context, asked: Asked, sources: Sequence[Source], series: Mapping[str, Series], metric: str
) -> tuple[list[Curve], list[str]]:
    """A curve for each configuration, and lines on what is not in it.

    Runs count whatever their status, so that the band does not hide those that ended early; not those that only execute another
    again, unless the user named them.
    """
    own = [one.run for one in sources if not (one.is_named or one.is_active)]
    counting, notes = leave_out(own)
    names = {run.name for run in counting}
    kept = [one for one in sources if one.is_named or one.is_active or one.name in names]
    rows = _gather(context, kept, metric)
    grouping = _make_grouping(context, asked.experiment)
    grouped = group(rows, grouping)
    curves, told = [], [*notes, *grouped.notes]
    by_name = {row.name: row for row in rows}
    for one in grouped.configurations:
        some = [by_name[name] for name in one.runs]
        units: dict[str, list[tuple[str, Series]]] = {}
        for row in some:
            units.setdefault(name_unit(row, some, grouping), []).append((row.name, series[row.name]))
        curve = draw_band(one.label, list(units.values()), asked.band or Band.INTERVAL, asked.smoothing)
        if curve is None:
            told.append(
                f"left out: {one.label}, of which no two runs have a value of {metric} at the same {asked.axis}"
            )
            continue
        curves.append(curve)
        told += [f"{one.label} mixes {name_few(one.mixed, _NAMED)}"] if one.mixed else []
        if curve.buckets:
            told.append(
                f"{one.label}: its runs have few places in common, so they are averaged in {counted(curve.buckets, 'equal part')} of the {asked.axis}"
            )
    return curves, told


def _make_grouping(context: Context, name: str | None) -> Grouping:
    experiment = context.settings.experiments.get(name) if name is not None else None
    return Grouping(None, experiment.pair_by, experiment.pair_key) if experiment else Grouping()


def _gather(context: Context, sources: Sequence[Source], metric: str) -> list[Row]:
    """The runs as rows; the code of one under way is that of its snapshot, which is all the commit that it has."""
    found = {row.name: row for row in gather(context, [one.run for one in sources], metric)}
    for one in sources:
        if one.is_active:
            run = Run(one.record, one.run.oid, "")
            _, code = digest_files(context, [run], run.oid)
            found[one.name] = found[one.name]._replace(code=code.get(run.oid, ""))
    return list(found.values())
