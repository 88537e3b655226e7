"""What several commands share."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence

from exptrack.analysis.wording import counted
from exptrack.model.run import BrokenRun
from exptrack.model.settings import Settings
from exptrack.operations.context import silence
from exptrack.project import Project
from exptrack.render.text import inert

NO_RUN_YET = "no run yet: make one with `exptrack run -- COMMAND`"
_NAMED = 5
_VALUED = frozenset({"-n", "--number", "--since", "--sort", "--columns"})
_SHORTEST, _LONGEST = 0.1, 86400  # seconds
_COUNT = re.compile(r"-[0-9]+")


def say(line: str) -> None:
    """A line to stderr: standard output holds only the answer."""
    print(f"exptrack: {inert(line)}", file=sys.stderr, flush=True)


def open_project(arguments: argparse.Namespace, settings: Settings | None = None) -> Project:
    """The project of the working directory, or of `-C`; `settings` count instead of its `exptrack.yaml`."""
    progress = None
    if sys.stderr.isatty():
        from exptrack.cli.progress import Bars

        progress = Bars()
    verbose = say if arguments.verbose else silence
    return Project(arguments.directory, say, settings=settings, verbose=verbose, progress=progress)


def mention_dead(project: Project) -> None:
    """One line on stderr if runs died and wait to be recovered."""
    try:
        if not any((project.context.repository.shared / "active").iterdir()):
            return
    except OSError:
        return
    from exptrack.operations.active import count_dead  # 10 ms, for what mostly is not there

    dead = count_dead(project.context)
    if dead:
        say(f"{counted(dead, 'run')} died: `exptrack recover` records {'it' if dead == 1 else 'them'}")


def mention_broken(broken: Sequence[BrokenRun]) -> None:
    """One line on stderr for each run that cannot be read, the first few at least."""
    shown = broken if len(broken) <= _NAMED + 1 else broken[:_NAMED]
    for one in shown:
        say(inert(f"'{one.name}' cannot be read: {one.reason}; look at it with `git show {one.ref}`"))
    if len(broken) > len(shown):
        say(f"{len(broken) - len(shown):,} more cannot be read")


def nothing_holds(queries: Iterable[str]) -> str:
    """What is said where queries could be read and hold for no run."""
    from exptrack.analysis.query import exact_patterns, parse_query  # 7 ms, which other commands do without

    patterns = [pattern for query in queries for pattern in exact_patterns(parse_query(query))]
    advice = (
        inert(f": '~' matches the whole text, so write '*{patterns[0][:60]}*' for a part of it") if patterns else ""
    )
    return f"no run for which that holds{advice}"


def join_number(words: Sequence[str]) -> list[str]:
    """Words of a command line with `-3` as `-n3`, as git takes it; not behind `--`, nor where it is the value of an option."""
    options = words[: words.index("--")] if "--" in words else words
    before = ("", *options)
    joined = [
        f"-n{word[1:]}" if _COUNT.fullmatch(word) and previous not in _VALUED else word
        for previous, word in zip(before, options, strict=False)
    ]
    return [*joined, *words[len(options) :]]


def count(text: str) -> int:
    """The type of an option that takes a number of things."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text[:60]}' is no whole number") from None
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is below zero")
    return number


def add_follow_options(parser: argparse.ArgumentParser, what: str) -> None:
    """`--follow` and `--interval`."""
    parser.add_argument("-f", "--follow", action="store_true", help=what)
    parser.add_argument(
        "-n", "--interval", type=_seconds, default=1.0, metavar="SECONDS", help="with --follow: how often to look (1)"
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not _SHORTEST <= seconds <= _LONGEST:
        raise argparse.ArgumentTypeError(f"{text} is not from {_SHORTEST} to {_LONGEST:,}")
    return seconds
