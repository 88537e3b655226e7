"""`exptrack gc`: collect data that nothing uses."""

from __future__ import annotations

import argparse
import shlex
import sys

from exptrack.cli.common import open_project
from exptrack.cli.progress import watched
from exptrack.operations.collect import collect
from exptrack.render.collection import format_collected, format_json


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-n", "--dry-run", action="store_true", help="list what would go, and delete nothing (the default)"
    )
    parser.add_argument(
        "-f", "--force", action="count", default=0, help="delete it; twice: even if some pointer files cannot be read"
    )
    parser.add_argument("-r", "--remote", metavar="NAME", help="collect in this DVC remote, not in the cache")
    parser.add_argument(
        "--projects",
        nargs="+",
        action="extend",
        default=[],
        metavar="DIR",
        help="other repositories that use the same cache or remote",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    context = open_project(arguments).context
    force = 0 if arguments.dry_run else arguments.force
    with watched() as progress:
        collected = collect(
            context,
            force=force > 0,
            remote=arguments.remote,
            projects=[arguments.directory / folder for folder in arguments.projects],
            progress=progress,
            despite=force > 1,
            folder=arguments.directory,
        )
    if arguments.json:
        sys.stdout.write(format_json(collected))
    else:
        sys.stdout.write(format_collected(collected, _command(arguments), context.settings.keep.grace))
    return 0


def _command(arguments: argparse.Namespace) -> str:
    words = ["exptrack", "gc", "--force"]
    if arguments.remote:
        words += ["--remote", arguments.remote]
    if arguments.projects:
        words += ["--projects", *arguments.projects]
    return shlex.join(words)
