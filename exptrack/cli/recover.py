"""`exptrack recover`: turn dead runs into recorded ones."""

from __future__ import annotations

import argparse

from exptrack.cli.common import open_project, say
from exptrack.operations.recover import recover


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="which (else all that died)")
    parser.add_argument(
        "--force", action="store_true", help="also runs whose command still runs, and runs of other hosts"
    )


def run(arguments: argparse.Namespace) -> int:
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        say(line)

    context = open_project(arguments).context._replace(notice=tell)
    finished = recover(context, arguments.names, force=arguments.force)
    for one in finished:
        for warning in one.warnings:
            say(f"{one.run.name}: {warning}")
        print(f"recovered {one.run.name} ({one.run.record.status})")
    if not finished and not told:
        print("nothing to recover")
    return 0
