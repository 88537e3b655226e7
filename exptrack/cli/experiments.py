"""`exptrack experiments`: the experiments of the project, and how far they have come."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from exptrack.cli.common import mention_dead, open_project, say
from exptrack.cli.terminal import find_width, show
from exptrack.errors import ExptrackError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", nargs="?", metavar="NAME", help="this one in full, a line for each configuration")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--commands",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help="print a command line for each run of NAME that is planned and missing, to be piped into a shell; what follows is the command "
        "that they execute, else it is that of earlier runs",
    )


def join_words(words: Sequence[str]) -> list[str]:
    """Without the `--` in front of the command, which `run` has and argparse refuses here."""
    at = words.index("--") if "--" in words else 0
    return [*words[:at], *words[at + 1 :]] if at and words[at - 1] == "--commands" else list(words)


def run(arguments: argparse.Namespace) -> int:
    if arguments.commands is not None:
        return _print_commands(arguments)
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


def _print_commands(arguments: argparse.Namespace) -> int:
    from exptrack.operations.experiments import write_commands

    name = arguments.experiment
    if name is None:
        raise ExptrackError("--commands needs the name of an experiment: `exptrack experiments NAME --commands`")
    lines = write_commands(open_project(arguments).context, name, arguments.commands)
    for line in lines:
        print(line)
    if not lines:
        say(f"all planned runs of {name} are recorded or under way")
    return 0
