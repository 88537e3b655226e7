"""`exptrack select`: choose a configuration of an experiment, and confirm the choice on fresh runs."""

from __future__ import annotations

import argparse

from exptrack.cli.common import count, open_project
from exptrack.cli.terminal import find_width, show


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-e", "--experiment", required=True, metavar="NAME", help="the experiment, as exptrack.yaml declares it"
    )
    parser.add_argument(
        "--fresh",
        type=count,
        metavar="N",
        help="confirm with N fresh runs of each (else the experiment's `seeds`, else 10); set once, when it is chosen",
    )
    parser.add_argument("--again", action="store_true", help="choose anew, from all runs that there are now")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: argparse.Namespace) -> int:
    from exptrack.operations.select import select
    from exptrack.render.selection import format_selected, format_selected_json

    project = open_project(arguments)
    selected = select(project.context, arguments.experiment, fresh=arguments.fresh, is_again=arguments.again)
    told = format_selected_json(selected) if arguments.json else format_selected(selected, width=find_width())
    show(told, is_paged=not arguments.json)
    return 0
