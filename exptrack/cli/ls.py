"""`exptrack ls`: list runs."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from exptrack.analysis.columns import (
    Choice,
    all_columns,
    data_columns,
    default_columns,
    pick_columns,
    rank_columns,
)
from exptrack.analysis.query import merge_words, names_in, parse_query
from exptrack.analysis.wording import counted
from exptrack.cli.common import (
    NO_RUN_YET,
    count,
    join_number,
    mention_broken,
    mention_dead,
    nothing_holds,
    open_project,
    say,
)
from exptrack.cli.terminal import find_width, has_color, show, show_pieces
from exptrack.errors import ExptrackError
from exptrack.operations.listing import Runs
from exptrack.project import Project

_DESCENDING = re.compile(r"-[^-\d].*", re.DOTALL)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "query",
        nargs="*",
        metavar="QUERY",
        help="only runs for which this holds, as in 'metrics.accuracy > 0.9 and tag = best'; quote it",
    )
    parser.add_argument("-n", "--number", type=count, metavar="N", help="the first N of them only")
    parser.add_argument(
        "--since", metavar="WHEN", help="runs that started then or later: 2026-11-01 (UTC), 2.weeks, yesterday"
    )
    parser.add_argument(
        "--sort",
        metavar="KEY",
        help="by a field, metrics.KEY or params.KEY; -KEY for the largest first (else the latest)",
    )
    parser.add_argument(
        "--columns",
        action="append",
        metavar="NAMES",
        help="these columns, separated by commas; globs match: 'name,status,metrics.*'",
    )
    parser.add_argument("--all-columns", action="store_true", help="every field, metric and parameter")
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help="the records, as JSON")
    formats.add_argument("--csv", action="store_true", help="a table for other programs, with every column in full")


def run(arguments: argparse.Namespace) -> int:
    project = open_project(arguments)
    mention_dead(project)
    query = _read_query(arguments.query)
    found = project.runs(query, since=arguments.since, sort=arguments.sort, number=arguments.number)
    if arguments.json:
        from exptrack.render.records import write_records

        show_pieces(write_records(found), is_paged=False)
    elif arguments.csv:
        from exptrack.render.records import write_csv

        picked = _pick(arguments.columns, project, found)
        sys.stdout.writelines(write_csv(found.rows, picked or data_columns(found.rows, project.settings.metrics)))
    elif found:
        _show(arguments, project, found, query)
    elif not found.among:
        say(NO_RUN_YET)
    elif arguments.number != 0:
        say(nothing_holds([query] if query else []))
    mention_broken(found.broken)
    return 0


def _read_query(words: Sequence[str]) -> str | None:
    whole = " ".join(words)
    if len(words) > 1 and (query := merge_words(words)):
        import shlex

        how = "quote it" if query == whole else "join them"
        raise ExptrackError(f"a query is one word, so {how}: exptrack ls {shlex.quote(query)}")
    return whole if words else None


def _show(arguments: argparse.Namespace, project: Project, found: Runs, query: str | None) -> None:
    from exptrack.render.listing import format_listing

    picked, declared = _pick(arguments.columns, project, found), project.settings.metrics
    asked = _asked(arguments.sort, query)
    if arguments.all_columns:
        choice, width = Choice(picked or all_columns(found.rows, declared)), None
    else:
        choice = Choice(picked) if picked else default_columns(found.rows, declared, asked)
        width = find_width()
    ranks = None if picked or width is None else rank_columns(choice.columns, asked)
    table = format_listing(found.rows, choice.columns, datetime.now(UTC), width, ranks, is_colored=has_color())
    show(table.text, is_paged=not arguments.no_pager, is_wide=True)
    if more := choice.more + table.dropped:
        where = f"`--all-columns` shows {'it' if more == 1 else 'them'}"
        where = "widen the terminal, or pipe the table into `less -S`" if picked else where
        say(f"{counted(more, 'more column')}: {where}")


def _asked(sort: str | None, query: str | None) -> tuple[str, ...]:
    """The metrics and parameters that the order and the query name."""
    named = ((sort or "").removeprefix("-"), *(names_in(parse_query(query)) if query else ()))
    return tuple(name for name in named if "." in name)


def _pick(asked: Sequence[str] | None, project: Project, found: Runs) -> tuple[str, ...]:
    """The columns that were asked for. One may be missing in the runs that are listed, if another run has it."""
    patterns = [pattern.strip() for text in asked or () for pattern in text.split(",") if pattern.strip()]
    if not patterns and asked:
        raise ExptrackError("no column is named: give names with commas between, such as 'name,status,metrics.*'")
    if not patterns:
        return ()
    known = all_columns(found.rows, project.settings.metrics)
    try:
        return pick_columns(patterns, known)
    except ExptrackError:
        return pick_columns(patterns, (*known, *all_columns(project.runs().rows, project.settings.metrics)))


def join_words(words: Sequence[str]) -> list[str]:
    """`--sort -started` as one word, which argparse would take for two options (but not `--sort -n` and `--sort -h`); `-3` as `-n3`."""
    taken: list[str] = []
    for word in join_number(words):
        if taken and taken[-1] == "--sort" and _DESCENDING.fullmatch(word) and not re.fullmatch(r"-n\d*|-h", word):
            taken[-1] = f"--sort={word}"
        else:
            taken.append(word)
    return taken
