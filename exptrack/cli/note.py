"""`exptrack note`: add a note to a run."""

from __future__ import annotations

import argparse

from exptrack.cli.common import open_project
from exptrack.operations.annotate import note


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rev", metavar="REV", help="the run")
    parser.add_argument("-m", "--message", required=True, metavar="NOTE", help="the note")


def run(arguments: argparse.Namespace) -> int:
    project = open_project(arguments)
    note(project.context, project.run(arguments.rev), arguments.message)
    return 0
