"""`exptrack run`: run a command and record it."""

from __future__ import annotations

import argparse
import os

from exptrack.cli.common import mention_dead, open_project, say
from exptrack.errors import ExptrackError
from exptrack.operations.record import Recorded, record
from exptrack.operations.recording.request import Request

_FAILED = 125


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "exptrack run [OPTIONS] [--] [COMMAND [ARGUMENT ...]]"
    parser.add_argument("-m", "--note", help="a note on the run")
    parser.add_argument(
        "-e",
        "--experiment",
        help="file the run under this experiment; parameters must be as exptrack.yaml declares them",
    )
    parser.add_argument(
        "--anyway", action="store_true", help="with -e: run though parameters are not as the experiment declares them"
    )
    parser.add_argument(
        "-t", "--tag", action="append", default=[], dest="tags", metavar="TAG", help="tag the run (repeatable)"
    )
    parser.add_argument("--name", help="the run's name (else one is made up)")
    parser.add_argument(
        "-o", "--output", action="append", default=[], dest="outputs", metavar="PATH",
        help="keep this file or folder, which the command writes, through DVC (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "-S", "--set-param", action="append", default=[], dest="overrides", metavar="KEY=VALUE",
        help="run with another parameter, in a work tree of its own (repeatable; +KEY=VALUE adds, ~KEY removes, FILE:KEY=VALUE)",
    )  # fmt: skip
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="set EXPTRACK_SEED, PYTHONHASHSEED, and the parameter that is the seed: what exptrack.yaml names, else seed or random_state",
    )
    parser.add_argument("--isolated", action="store_true", help="run in a work tree of its own, made from the snapshot")
    parser.add_argument(
        "-f", "--force", action="store_true", help="without a command: run stages that have not changed, too"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no line about the recorded run")
    parser.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help="what to run, with its arguments; without it the DVC pipeline (dvc.yaml) runs, stage by stage",
    )
    parser.epilog = "The exit status is the command's own; 125 if exptrack failed, 126 if the command cannot be executed, 127 if it is not found."


def run(arguments: argparse.Namespace) -> int:
    command = tuple(arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command)
    if command and arguments.force:
        raise ExptrackError("-f makes all stages of the DVC pipeline run: it does not go with a command")
    if arguments.anyway and arguments.experiment is None:
        raise ExptrackError("--anyway is about the parameters of an experiment: name it with -e")
    project = open_project(arguments)
    mention_dead(project)
    request = Request(
        command=command,
        directory=arguments.directory,
        environ=dict(os.environ),
        name=arguments.name,
        note=arguments.note,
        experiment=arguments.experiment,
        tags=tuple(arguments.tags),
        outputs=tuple(arguments.outputs),
        overrides=tuple(arguments.overrides),
        seed=arguments.seed,
        is_isolated=arguments.isolated,
        is_forced=arguments.force,
        is_anyway=arguments.anyway,
    )
    return _report(record(project.context, request), quiet=arguments.quiet)


def _report(recorded: Recorded, *, quiet: bool) -> int:
    if recorded.finished is None:
        say(
            f"{recorded.name} ended, but could not be recorded: {recorded.failure}; all of it is kept for `exptrack recover`"
        )
        return _FAILED
    for warning in recorded.finished.warnings:
        say(f"{recorded.name}: {warning}")
    if not quiet:
        run = recorded.finished.run
        say(f"recorded {run.name} ({run.record.status})")
    return recorded.ending.shell_code
