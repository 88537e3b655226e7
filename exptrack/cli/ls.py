"""`exptrack ls`: list runs."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

from exptrack.analysis.codec import encode_record
from exptrack.cli.common import count, mention_dead, open_project, say
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
    project = open_project(arguments)
    mention_dead(project)
    found = project.runs(arguments.query)
    listed = found[: arguments.number] if arguments.number is not None else found
    if arguments.json:
        print(
            json.dumps(
                [{"oid": one.oid, "ref": one.ref, **json.loads(encode_record(one.record))} for one in listed], indent=2
            )
        )
    elif listed:
        print(format_listing(listed, datetime.now(UTC), _width()))
    elif arguments.query is not None or found:
        say("no run for which that holds")
    else:
        say("no run yet: make one with `exptrack run -- COMMAND`")
    for one in found.broken:
        say(f"'{one.name}' cannot be read: {one.reason}; look at it with `git show {one.ref}`")
    return 0


def _width() -> int | None:
    if not sys.stdout.isatty():
        return None
    from shutil import get_terminal_size

    return get_terminal_size().columns
