"""`exptrack init`: make a project ready."""

from __future__ import annotations

import argparse

from exptrack.cli.common import open_project
from exptrack.operations.init import init


def configure(parser: argparse.ArgumentParser) -> None:
    del parser


def run(arguments: argparse.Namespace) -> int:
    project = open_project(arguments)
    for line in init(project.context.repository, project.directory):
        print(line)
    return 0
