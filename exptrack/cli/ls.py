"""`exptrack ls`: list runs."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

from exptrack.analysis.codec import encode_record
from exptrack.analysis.facts import facts_of
from exptrack.analysis.matching import matches
from exptrack.analysis.query import Query, check_names, parse_query
from exptrack.cli.common import count, mention_dead, open_project, say
from exptrack.model.run import BrokenRun, Run
from exptrack.project import Project
from exptrack.render.listing import format_listing


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "query",
        nargs="?",
        metavar="QUERY",
        help="only runs for which this holds, as in 'metrics.accuracy > 0.9 and tag = best'",
    )
    parser.add_argument("-n", "--number", type=count, metavar="N", help="the latest N runs only")
    parser.add_argument("--json", action="store_true", help="the records, as JSON")


def run(arguments: argparse.Namespace) -> int:
    query = parse_query(arguments.query) if arguments.query is not None else None
    project = open_project(arguments)
    mention_dead(project)
    found = list(project.runs())
    listed = sorted((one for one in found if isinstance(one, Run)), key=lambda one: one.record.started, reverse=True)
    listed = select(project, listed, query) if query else listed
    listed = listed[: arguments.number] if arguments.number is not None else listed
    if arguments.json:
        print(
            json.dumps(
                [{"oid": one.oid, "ref": one.ref, **json.loads(encode_record(one.record))} for one in listed], indent=2
            )
        )
    elif listed:
        annotations = project.annotations(listed)
        print(format_listing(listed, annotations, datetime.now(UTC), _width()))
    elif found:
        say("no run for which that holds")
    else:
        say("no run yet: make one with `exptrack run -- COMMAND`")
    for one in found:
        if isinstance(one, BrokenRun):
            say(f"'{one.name}' cannot be read: {one.reason}; look at it with `git show {one.ref}`")
    return 0


def select(project: Project, listed: list[Run], query: Query) -> list[Run]:
    """Those for which the query holds; raises QueryError if it names a metric or parameter that none of them has."""
    annotations = project.annotations(listed)
    facts = [facts_of(one, annotations[one.oid]) for one in listed]
    check_names(query, {name for one in facts for name in one})
    return [one for one, known in zip(listed, facts, strict=True) if matches(query, known)]


def _width() -> int | None:
    if not sys.stdout.isatty():
        return None
    from shutil import get_terminal_size

    return get_terminal_size().columns
