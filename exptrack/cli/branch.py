"""`exptrack branch`: make an ordinary branch of a run."""

from __future__ import annotations

import argparse
import shlex

from exptrack.cli.common import open_project
from exptrack.store.runs import ABBREVIATED


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rev", metavar="REV", help="the run")
    parser.add_argument("name", metavar="NAME", help="the name of the new branch")


def run(arguments: argparse.Namespace) -> int:
    project = open_project(arguments)
    chosen = project.run(arguments.rev)
    made = project.branch(chosen, arguments.name)
    base = f"on {made.base[:ABBREVIATED]}" if made.base else "without a base"
    name = shlex.quote(made.name)
    print(
        f"{made.name} holds {chosen.name} {base}: look at it with `git switch {name}`, share it with `git push origin {name}`"
    )
    return 0
