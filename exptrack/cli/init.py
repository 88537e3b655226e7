"""`exptrack init`: make a project ready."""

from __future__ import annotations

import argparse

from exptrack.cli.common import open_project
from exptrack.operations.init import init
from exptrack.operations.installing import FORGES


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ci",
        choices=FORGES,
        action="append",
        default=[],
        help="also install the jobs that check claimed runs in pull or merge requests, and each night; may be repeated",
    )
    parser.add_argument(
        "--hooks",
        action="store_true",
        help="also install a hook that refuses a commit which claims a run that does not exist or was not pushed",
    )
    parser.epilog = "What is there is never overwritten: init says what to add to it."


def run(arguments: argparse.Namespace) -> int:
    project = open_project(arguments)
    for line in init(project.context.repository, project.directory, ci=arguments.ci, has_hooks=arguments.hooks):
        print(line)
    return 0
