"""`exptrack reproduce`: execute runs again, and say at which level they reproduce."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from exptrack.analysis.bar import parse_time
from exptrack.cli.common import open_project, say
from exptrack.cli.output import output_aside
from exptrack.cli.terminal import find_width, has_color, show
from exptrack.errors import ExptrackError
from exptrack.model.reproduction import PRESENT, RECORDED, Level, Reproduction
from exptrack.model.run import Status
from exptrack.model.settings import Settings
from exptrack.operations.reproduce import execute, plan
from exptrack.operations.reproducing.replay import Manner
from exptrack.render.text import inert

_INTERRUPTED = 130


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("revs", nargs="+", metavar="REV", help="a run")
    parser.add_argument(
        "--at",
        metavar="COMMIT",
        help="execute other code and data: a branch or commit of Git, a run, or `worktree` (else the run's own snapshot)",
    )
    parser.add_argument(
        "--environment",
        choices=(PRESENT, RECORDED),
        default=PRESENT,
        help="the packages as they are here (and say what differs), or those that were recorded, in a virtual environment",
    )
    parser.add_argument("--reruns", type=_positive, default=1, metavar="M", help="execute it M times")
    parser.add_argument(
        "--timeout", type=_seconds, metavar="TIME", help="end an execution that takes longer (90, 30m, 2h)"
    )
    parser.add_argument("--keep", action="store_true", help="keep the work tree, and say where it is")
    parser.add_argument("--anyway", action="store_true", help="also if what the run used is not all there")
    parser.add_argument(
        "--require",
        choices=tuple(level.value for level in Level),
        metavar="LEVEL",
        help=f"exit with 1 below this level: {', '.join(Level)}",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--markdown", action="store_true", help="as Markdown, for a pull request")
    parser.epilog = (
        "What the command prints goes to stderr. The exit status is 1 if a run does not end as it did when it was recorded, or is "
        "below the level of --require; else 0."
    )


def run(arguments: argparse.Namespace) -> int:
    # The work tree's exptrack.yaml does not count: what ran is in the snapshot.
    context = open_project(arguments, Settings()).context
    manner = Manner(
        environ=dict(os.environ),
        at=arguments.at,
        environment=arguments.environment,
        reruns=arguments.reruns,
        timeout=arguments.timeout,
        anyway=arguments.anyway,
        is_kept=arguments.keep,
    )
    # What can be refused is refused before anything is executed.
    planned = [plan(context, rev, manner) for rev in arguments.revs]
    found: list[Reproduction] = []
    refused: list[ExptrackError] = []
    for one in planned:
        if len(planned) > 1:
            say(f"executing {one.replay.run.name}")
        try:
            with output_aside():
                found.append(execute(one))
        except ExptrackError as error:
            refused.append(error)
            continue
        if found[-1].reruns[-1].status is Status.INTERRUPTED:
            break
    if found:
        show(_format(found, arguments), is_paged=False)
    return _status(found, arguments.require) if not refused else _complain(refused, is_last=not found)


def _complain(refused: Sequence[ExptrackError], *, is_last: bool) -> int:
    """Tell what could not be executed, beside the answers for what could."""
    *others, last = refused
    for error in others if is_last else refused:
        say(inert(str(error)))
    if is_last:
        raise last
    return 2


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of executions: give 1 or more")
    return int(text)


def _seconds(text: str) -> float:
    seconds = parse_time(text)
    if seconds is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no time: give seconds, or 30m, or 2h")
    return seconds


def _format(found: Sequence[Reproduction], arguments: argparse.Namespace) -> str:
    if arguments.json:
        from exptrack.render.reproductionjson import format_json

        return format_json(found)
    if arguments.markdown:
        from exptrack.render.reproductionmarkdown import format_markdown

        return format_markdown(found, found[0].declared)
    from exptrack.render.reproduction import format_reproduction

    return "\n\n".join(format_reproduction(one, one.declared, width=find_width(), color=has_color()) for one in found)


def _status(found: Sequence[Reproduction], required: str | None) -> int:
    if any(rerun.status is Status.INTERRUPTED for one in found for rerun in one.reruns):
        return _INTERRUPTED
    if any(rerun.status is not one.original.status for one in found for rerun in one.reruns):
        return 1
    return int(required is not None and not all(one.meets(Level(required)) for one in found))
