"""`exptrack tag`: put tags on runs, or take them off."""

from __future__ import annotations

import argparse

from exptrack.cli.common import open_project
from exptrack.operations.annotate import tag


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tag", metavar="TAG", help="the tag")
    parser.add_argument("revs", nargs="+", metavar="REV", help="the runs")
    parser.add_argument("-d", "--delete", action="store_true", help="take the tag off")


def run(arguments: argparse.Namespace) -> int:
    project = open_project(arguments)
    chosen = [project.run(rev) for rev in arguments.revs]
    add, remove = ([], [arguments.tag]) if arguments.delete else ([arguments.tag], [])
    tag(project.context, chosen, add, remove)
    return 0
