"""`exptrack show`: one run in full."""

from __future__ import annotations

import argparse
import sys

from exptrack.cli.common import open_project
from exptrack.render.card import format_card


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rev", nargs="?", default="@", metavar="REV", help="the run (else the latest recorded here)")
    parser.add_argument("--json", action="store_true", help="the record, as it stands in the run's commit")
    parser.add_argument("--output", action="store_true", help="what the command printed")


def run(arguments: argparse.Namespace) -> int:
    project = open_project(arguments)
    shown = project.run(arguments.rev)
    if arguments.json or arguments.output:
        path = ".exptrack/run.json" if arguments.json else ".exptrack/output.log"
        sys.stdout.write(project.files(shown.oid, [path]).get(path, b"").decode(errors="replace"))
        return 0
    print(format_card(shown, project.environment(shown)))
    return 0
