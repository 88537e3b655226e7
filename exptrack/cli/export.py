"""`exptrack export`: runs as files for other programs."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from exptrack.analysis.query import merge_words
from exptrack.analysis.wording import counted
from exptrack.cli.common import NO_RUN_YET, mention_broken, mention_dead, nothing_holds, open_project, say
from exptrack.cli.progress import watched
from exptrack.errors import ExptrackError
from exptrack.model.progress import Silence
from exptrack.operations.export import Asked, Exported, export, export_stream
from exptrack.operations.exporting.formats import FORMATS, PARQUET

_FOLDER = "exptrack-export"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "query",
        nargs="*",
        metavar="QUERY",
        help="only runs for which this holds, as in 'metrics.accuracy > 0.9 and tag = best'; quote it",
    )
    parser.add_argument(
        "--since", metavar="WHEN", help="runs that started then or later: 2026-11-01 (UTC), 2.weeks, yesterday"
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default=PARQUET,
        help="of the files (parquet, for which pyarrow has to be installed)",
    )
    parser.add_argument("--history", action="store_true", help="also the histories of metrics, one row a point")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FOLDER",
        default=_FOLDER,
        help=f"into this folder ({_FOLDER}); - for standard output, of csv and jsonl, with --history the histories alone",
    )
    parser.add_argument(
        "--repository", metavar="NAME", help="what the files are called (by the remote's URL, else by the folder)"
    )


def run(arguments: argparse.Namespace) -> int:
    query = _read_query(arguments.query)
    project = open_project(arguments)
    mention_dead(project)
    asked = Asked(query, arguments.since, arguments.format, arguments.history, arguments.repository)
    is_shown = arguments.output == "-" and sys.stdout.isatty()  # then a bar would be drawn among the lines
    with nullcontext(Silence()) if is_shown else watched() as progress:
        if arguments.output == "-":
            done = export_stream(project.context, sys.stdout.buffer, asked, progress)
        else:
            done = export(project.context, project.directory / arguments.output, asked, progress)
    if not (done.runs or done.broken):
        is_chosen = query is not None or arguments.since is not None
        say(nothing_holds([query] if query else []) if is_chosen else NO_RUN_YET)
    if arguments.output != "-":
        _tell(done, arguments.output, has_history=arguments.history)
    if done.thinned:
        what = "1 history is" if done.thinned == 1 else f"{done.thinned:,} histories are"
        say(f"{what} not whole here: `exptrack pull` brings the whole of those that were pushed")
    mention_broken(done.broken)
    return 0


def _tell(done: Exported, folder: str, *, has_history: bool) -> None:
    if not done.runs:
        say(f"{folder} has no files of {done.repository}")
        return
    where = Path(folder) / "*" / "*" / f"{done.repository}.*"
    points = f" and {counted(done.points, 'point')} of histories" if has_history else ""
    say(f"{counted(done.runs, 'run')}{points} of {counted(len(done.months), 'month')} in {where}")


def _read_query(words: Sequence[str]) -> str | None:
    if len(words) > 1 and (query := merge_words(words)):
        raise ExptrackError(f"a query is one word, so quote it: exptrack export {shlex.quote(query)}")
    return " ".join(words) if words else None
