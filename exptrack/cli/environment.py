"""`exptrack environment`: the packages that a run had, for pip or uv."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path

from exptrack.analysis.wording import counted
from exptrack.cli.common import open_project, say
from exptrack.cli.show import find_environment
from exptrack.errors import ExptrackError
from exptrack.model.environment import Environment
from exptrack.operations.requirements import write_new
from exptrack.store.runs import ENVIRONMENT

_REQUIREMENTS = ".exptrack/requirements.txt"
_RELEASE = re.compile(r"[0-9]+(\.[0-9]+)*")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rev", nargs="?", default="@", metavar="REV", help="the run (else the latest recorded here)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("-o", "--output", metavar="FILE", help="write them to this file, which must not exist yet")
    form.add_argument("--json", action="store_true", help="all of the environment, as JSON")
    parser.add_argument("--force", action="store_true", help="with -o: replace the file if it exists")


def run(arguments: argparse.Namespace) -> int:
    if arguments.force and arguments.output is None:
        raise ExptrackError("--force is about the file of -o: name one, or leave it out")
    project = open_project(arguments)
    shown = project.run(arguments.rev)
    data = find_environment(project, shown, ENVIRONMENT if arguments.json else _REQUIREMENTS)
    if arguments.output is not None:
        write_new(Path(arguments.directory, arguments.output), data, is_replacing=arguments.force)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    if not arguments.json:
        say(_advise(data.decode(errors="replace"), project.environment(shown), arguments.output))
    return 0


def _advise(requirements: str, environment: Environment | None, file: str | None) -> str:
    """Which Python it was, and how to go on."""
    lines = requirements.splitlines()
    pinned = sum(bool(line) and not line.startswith("#") for line in lines)
    others = max(0, sum(line.startswith("#") for line in lines) - 2)  # the first two are the header
    said = counted(pinned, "package")
    comments = (
        f" ({others} more, which no index has, as {'a comment' if others == 1 else 'comments'})" if others else ""
    )
    found = environment.interpreter if environment else None
    release = _RELEASE.match(found.version) if found else None
    if found is None or release is None:
        return f"{said}{comments}; which Python they were of is not known: `uv pip install -r {shlex.quote(file or 'FILE')}` in one that suits"
    said += f" of Python {found.version}" + (f" ({found.implementation})" if found.implementation != "cpython" else "")
    said += comments
    if file is None:
        return f"{said}; `-o requirements.txt` saves them"
    return f"{said}; rebuild them: `uv venv --python {release[0]} && uv pip install -r {shlex.quote(file)}`"
