"""The command line: finds the command's module, and turns errors into one line and an exit status."""

from __future__ import annotations

import argparse
import errno
import gc as collector  # `gc` is the name of a command here, and its module would take the place
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from exptrack.cli.helptext import Formatter, Overview
from exptrack.errors import ExptrackError

COMMANDS = {
    "init": "make a project ready: exptrack.yaml, and DVC where it is missing",
    "run": "run a command and record it",
    "status": "what runs now, and what died",
    "recover": "turn dead runs into recorded ones",
    "ls": "list runs",
    "log": "runs one after the other, as `git log` shows commits",
    "show": "one run in full",
    "environment": "the packages that a run had, for pip or uv",
    "diff": "what differs between runs, commits and the work tree",
    "export": "write runs as Parquet, CSV or JSON lines, a month a file",
    "experiments": "what is planned, recorded and failed of each experiment",
    "plot": "the curves of metrics over the steps of runs",
    "compare": "which configuration is better, as far as it may be said",
    "reproduce": "execute runs again, and say how well they reproduce",
    "apply": "bring a run's code, parameters and data into the work tree",
    "branch": "make an ordinary branch of a run",
    "push": "share runs: their data first, then the runs",
    "fetch": "get runs of others",
    "pull": "get runs of others, and their data",
    "rm": "remove runs, or bring removed ones back",
    "gc": "collect data that nothing uses",
    "fsck": "verify runs, their data and the repository",
    "check": "are the runs that commits claim true, and do they reproduce?",
    "select": "choose a configuration of an experiment, and confirm it on fresh runs",
    "unseal": "look at the holdout of what was selected, and note that",
    "conclude": "accept or reject the hypothesis of an experiment, or say not yet",
    "tag": "put tags on runs, or take them off",
    "note": "add a note to a run",
    "completion": "print the completion script for a shell",
    "demo": "walk through the main job on real data",
}
_WITHOUT_PROJECT = {"completion", "demo"}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
EXIT_BAD_INPUT, EXIT_BUG, EXIT_RUN_FAILED, EXIT_INTERRUPTED = 2, 3, 125, 130


class Parser(argparse.ArgumentParser):
    """Reports wrong usage as one line, with exptrack's name first; the help of a command ends with examples."""

    def error(self, message: str) -> NoReturn:
        raise ExptrackError(f"{message}; see `{self.prog} --help`")

    def format_help(self) -> str:
        from exptrack.cli.examples import EXAMPLES

        lines = EXAMPLES.get(self.prog.removeprefix("exptrack "), ())
        examples = "".join(f"  {line}\n" for line in lines)
        return super().format_help() + (f"\nexamples:\n{examples}" if examples else "")


def entry() -> NoReturn:
    """The console scripts: as `main`, and then the process ends at once. Taking 170 modules apart first took 4 ms of 90."""
    status = main()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit status."""
    collector.disable()  # until all is imported: walking over the same modules again and again took 15 ms of 150
    _open_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that has no letter for it shows its number
    options = _parse(sys.argv[1:] if argv is None else argv)
    if isinstance(options, int):
        return options
    options.is_alone = argv is None  # the process is ours, and ends with the command
    try:
        return _dispatch(options)
    except ExptrackError as error:
        return _complain(error, options.command)
    except KeyboardInterrupt:
        print("exptrack: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone: as other programs do, end without a word.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13
    except Exception as error:
        if os.environ.get("EXPTRACK_DEBUG"):
            raise
        return _report(error, options.command)


def _report(error: Exception, command: str | None) -> int:
    """One line about what nobody foresaw: a full disk under the answer, else a bug."""
    status = EXIT_BUG
    if isinstance(error, OSError) and error.errno in _FULL:
        status, said = EXIT_BAD_INPUT, f"cannot write: {error.strerror}; make room and try again"
    else:
        said = f"bug: {type(error).__name__}: {error}; EXPTRACK_DEBUG=1 shows where; please report it"
    print(f"exptrack: {said}", file=sys.stderr)
    return EXIT_RUN_FAILED if command == "run" else status


def _parse(words: Sequence[str]) -> argparse.Namespace | int:
    """The options before the command, the command, and all that follows it as it is: argparse would take a `--` out of that."""
    own = 0
    while own < len(words) and words[own].startswith("-"):
        own += 2 if words[own] == "-C" else 1
    try:
        options = _parser().parse_args(words[:own])
    except ExptrackError as error:
        return _complain(error, None)
    options.command, options.rest = next(iter(words[own:]), None), list(words[own + 1 :])
    return options


def _dispatch(options: argparse.Namespace) -> int:
    if options.version:
        print(f"exptrack {_version()}")
        return 0
    if options.command is None:
        _parser().print_help()
        return EXIT_BAD_INPUT
    if options.command == "help":
        return main([*options.rest[:1], "--help"])
    return _call(_known(options.command), options)


def _open_standard_streams() -> None:
    """Where one of the three is closed, the next file that is opened would take its place, and be written to."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(descriptor, "w" if descriptor else "r", encoding="utf-8", closefd=False))  # noqa: SIM115


def _parser() -> Parser:
    width = max(map(len, COMMANDS))
    listing = "\n".join(f"  {name:<{width}}  {what}" for name, what in COMMANDS.items())
    parser = Parser(
        prog="exptrack",
        description="Git-native experiment versioning: every run is a commit, comparison is a diff.",
        epilog=f"commands:\n{listing}\n\n`exptrack COMMAND --help` tells more.",
        formatter_class=Overview,
        usage="exptrack [-C DIR] COMMAND ...",
    )
    add_common_options(parser)
    return parser


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """The options that stand before the command."""
    parser.add_argument(
        "-C", dest="directory", metavar="DIR", action="append", default=[], help="work as if started in DIR"
    )
    parser.add_argument("--no-pager", action="store_true", help="print long output without a pager")
    parser.add_argument("--verbose", action="store_true", help="say on stderr what is done beyond the answer")
    parser.add_argument("--version", action="store_true", help="print the version")


def _version() -> str:
    from importlib.metadata import version

    return version("exptrack")


def _known(command: str) -> str:
    if command not in COMMANDS:
        from difflib import get_close_matches

        near = get_close_matches(command, COMMANDS, n=1)
        raise ExptrackError(
            f"'{command}' is no command" + (f", did you mean '{near[0]}'?" if near else "; see `exptrack --help`")
        )
    return command


def parser_of(command: str) -> Parser:
    """The parser of one command, for a call, its page and its completion alike."""
    parser = Parser(
        prog=f"exptrack {command}",
        description=_sentence(COMMANDS[command]),
        formatter_class=Formatter,
        allow_abbrev=False,
    )
    import_module(f"exptrack.cli.{command}").configure(parser)
    return parser


def parse(command: str, words: Sequence[str]) -> argparse.Namespace:
    """The arguments of a command; raises ExptrackError. A command may have `join_words`, for what argparse cannot read as it is typed."""
    join_words = getattr(import_module(f"exptrack.cli.{command}"), "join_words", list)
    return parser_of(command).parse_args(join_words(words))


def _call(command: str, options: argparse.Namespace) -> int:
    directory = _working_directory().joinpath(*options.directory)
    if options.is_alone and command not in _WITHOUT_PROJECT and not {"-h", "--help"} & set(options.rest):
        from exptrack.backends.git.repository import ask_early

        ask_early(directory)  # git takes as long as importing the command
    module = import_module(f"exptrack.cli.{command}")
    collector.freeze()
    collector.set_threshold(100_000, 50, 100)
    collector.enable()
    arguments = parse(command, options.rest)
    arguments.no_pager, arguments.verbose = options.no_pager, options.verbose
    arguments.directory = directory
    status: int = module.run(arguments)
    sys.stdout.flush()
    return status


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise ExptrackError("the working directory is gone: go to one that exists") from error


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _complain(error: ExptrackError, command: str | None) -> int:
    if os.environ.get("EXPTRACK_DEBUG"):
        raise error
    from exptrack.render.text import inert

    print(f"exptrack: {inert(str(error))}", file=sys.stderr)
    for hint in error.hints:
        print(inert(hint), file=sys.stderr)
    return getattr(error, "exit_code", EXIT_RUN_FAILED) if command == "run" else EXIT_BAD_INPUT
