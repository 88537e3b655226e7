"""`exptrack log`: runs one after the other, as `git log` shows commits."""

from __future__ import annotations

import argparse

from exptrack.cli.common import NO_RUN_YET, count, join_number, mention_broken, mention_dead, open_project, say
from exptrack.cli.terminal import find_width, has_color, show_pieces
from exptrack.errors import ExptrackError, RevError
from exptrack.operations.ranges import read_stats
from exptrack.project import Project
from exptrack.render.log import write_log, write_oneline
from exptrack.render.page import Page
from exptrack.render.records import write_records

join_words = join_number
_WIDTH = 200  # cells, where there is no terminal that has an edge
_REASONS = {
    "commits": "no run was made on these commits: a run counts for the commit that it started from",
    "runs": "no run between them",
    "query": "no run for which that holds",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="QUERY | RANGE | REV",
        help="only runs for which all of these hold: a query, as in 'metrics.accuracy > 0.9'; A..B, the runs that started after A up to "
        "B, or of two branches or commits those made on B and not on A; a run, and those before it; a branch or commit, and the "
        "runs made on it",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--oneline", action="store_true", help="a line for each run")
    form.add_argument("--json", action="store_true", help="the records, as JSON")
    parser.add_argument(
        "--stat",
        action="store_true",
        help="also the code that the run had beyond its base, as `git diff --stat` says it",
    )
    parser.add_argument("-n", "--number", type=count, metavar="N", help="the latest N of them only")
    parser.add_argument(
        "--since", metavar="WHEN", help="only runs that started since, as in 2026-11-01, 2.weeks or yesterday"
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.json and arguments.stat:
        raise ExptrackError("--stat has no form as JSON: leave one of the two out")
    project = open_project(arguments)
    mention_dead(project)
    listed = project.log(*arguments.words, since=arguments.since, number=arguments.number)
    if arguments.json:
        show_pieces(write_records(listed), is_paged=False)
    elif listed:
        width, color = find_width(), has_color()
        page = Page(width or _WIDTH, color)
        stats = read_stats(project.context, listed, width, color=color) if arguments.stat else None
        first = tuple(project.settings.metrics)
        write = write_oneline if arguments.oneline else write_log
        show_pieces(write(listed, first=first, stats=stats, page=page), is_paged=not arguments.no_pager)
    elif arguments.number != 0:
        say(_nothing(project, arguments, is_empty=not listed.among))
    mention_broken(listed.broken)
    return 0


def _nothing(project: Project, arguments: argparse.Namespace, *, is_empty: bool) -> str:
    if is_empty:
        return NO_RUN_YET
    if len(arguments.words) == 1 and arguments.since is None:
        return _REASONS[_kind(project, arguments.words[0])]
    if arguments.words:
        return "no run for which all of that holds"
    return f"no run since {arguments.since}" if arguments.since else "no run that can be read"


def _kind(project: Project, word: str) -> str:
    """What a word that was understood means."""
    from exptrack.operations.sides import find

    context = project.context._replace(notice=lambda _: None)  # said before
    try:
        ends = [find(context, one) for one in word.split("..") if one]
    except RevError:
        return "query"
    return "runs" if any(end.run for end in ends) else "commits"
