"""The machine and the Python that a command runs on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from exptrack.backends.host.command import find
from exptrack.backends.host.hardware import capture_hardware
from exptrack.backends.host.interpreter import capture_facts
from exptrack.backends.host.packages import capture_packages
from exptrack.backends.host.scene import Scene
from exptrack.backends.host.system import capture_platform
from exptrack.backends.host.variables import select
from exptrack.model.environment import Environment, Interpreter, Package

__all__ = ["capture"]


def capture(
    command: Sequence[str], *, directory: Path, environ: Mapping[str, str], variables: Sequence[str], cache: Path
) -> Environment:
    """The environment that `command` runs in when it is started in `directory` with `environ`.

    Interpreter and packages are those of the Python that the command uses, not of this process; there are none if it uses none, or runs
    in a container. `variables` are the names, or patterns as in `fnmatch`, of the variables to keep; their values are kept as they are.
    `cache` is a folder for answers that cost time, made when needed. What cannot be found out is left out: nothing is raised.
    """
    found = find(command, Scene(directory.absolute(), environ, cache))
    interpreter: Interpreter | None = None
    packages: tuple[Package, ...] = ()
    if found is not None:
        facts = capture_facts(found, cache)
        interpreter = Interpreter(facts.executable, facts.version, facts.implementation, found.how)
        packages = capture_packages(facts.path, environ=environ, cache=cache)
    return Environment(
        platform=capture_platform(),
        hardware=capture_hardware(environ, cache),
        interpreter=interpreter,
        packages=packages,
        variables=select(environ, variables),
    )
