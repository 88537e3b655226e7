"""`exptrack experiments`: the experiments of the project, and how far they have come."""

from __future__ import annotations

import argparse

from exptrack.cli.common import mention_dead, open_project, say
from exptrack.cli.terminal import find_width, show


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", nargs="?", metavar="NAME", help="this one in full, a line for each configuration")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: argparse.Namespace) -> int:
    from exptrack.operations.experiments import list_experiments
    from exptrack.render.experiments import format_experiment, format_experiments, format_experiments_json

    project = open_project(arguments)
    mention_dead(project)
    states = list_experiments(project.context, arguments.experiment)
    if arguments.json:
        print(format_experiments_json(states))
    elif not states:
        say("no experiment yet: declare one below `experiments` in exptrack.yaml")
    elif arguments.experiment is not None:
        show(format_experiment(states[0]), is_paged=not arguments.no_pager)
    else:
        show(format_experiments(states, width=find_width()), is_paged=not arguments.no_pager, is_wide=True)
    return 0
