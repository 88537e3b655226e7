"""`exptrack diff`: what differs between two runs."""

from __future__ import annotations

import argparse
import os
import sys

from exptrack.cli.common import open_project
from exptrack.operations.diff import diff
from exptrack.render.difference import format_difference


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", metavar="A", help="a run")
    parser.add_argument("new", metavar="B", help="another run")


def run(arguments: argparse.Namespace) -> int:
    project = open_project(arguments)
    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    print(format_difference(diff(project.context, project.run(arguments.old), project.run(arguments.new), color=color)))
    return 0
