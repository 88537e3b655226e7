"""`exptrack unseal`: look at the holdout of what was selected, and note that."""

from __future__ import annotations

import argparse

from exptrack.cli.common import open_project
from exptrack.cli.terminal import find_width, show


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-e", "--experiment", required=True, metavar="NAME", help="the experiment, as exptrack.yaml declares it"
    )
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why it is looked at now; kept with the runs")
    parser.add_argument("--metric", metavar="M", help="the holdout, where there is more than one")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: argparse.Namespace) -> int:
    from exptrack.operations.unseal import unseal
    from exptrack.render.selection import format_unsealed, format_unsealed_json

    project = open_project(arguments)
    unsealed = unseal(project.context, arguments.experiment, arguments.reason, arguments.metric)
    told = format_unsealed_json(unsealed) if arguments.json else format_unsealed(unsealed, width=find_width())
    show(told, is_paged=False)
    return 0
