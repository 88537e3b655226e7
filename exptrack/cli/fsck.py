"""`exptrack fsck`: verify runs, their data and the repository."""

from __future__ import annotations

import argparse

from exptrack.cli.common import open_project
from exptrack.cli.progress import watched
from exptrack.cli.terminal import find_width, has_color, show
from exptrack.render.page import Page
from exptrack.render.verification import format_verification
from exptrack.render.verificationjson import format_json

_WELL, _FAULTY = 0, 1


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="REV | QUERY",
        help="only these runs, and not the repository around them: runs by their revs, queries, ranges A..B",
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="also read all objects of git that belong to runs and all their data in the DVC cache, and compare them with their hashes",
    )
    parser.add_argument("--offline", action="store_true", help="ask no DVC remote for what the cache lacks")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: argparse.Namespace) -> int:
    project = open_project(arguments)
    with watched() as progress:
        found = project.verify(*arguments.words, full=arguments.full, offline=arguments.offline, progress=progress)
    if arguments.json:
        show(format_json(found), is_paged=False)
    else:
        show(format_verification(found, Page(find_width(), has_color())), is_paged=not arguments.no_pager)
    return _WELL if found.is_well else _FAULTY
