"""What a run ran on: interpreter, packages, platform, hardware."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Package(NamedTuple):
    """An installed distribution; `name` is normalised (PEP 503).

    `url` is where it came from if not from an index (PEP 610): an absolute path, a repository (`git+https://…`, `#subdirectory=` after
    it), or an archive (`#sha256=` after it); credentials in it are masked. `commit` is the commit of that repository, or of the work
    tree that the path lies in; `dirty` whether that work tree had uncommitted changes, `editable` whether it is used in place.
    """

    name: str
    version: str
    url: str | None = None
    commit: str | None = None
    dirty: bool | None = None
    editable: bool = False


class Interpreter(NamedTuple):
    """The Python that the command used; `version` is `unknown` if it did not answer.

    `found` says how it was found: `command` (named in the command, or in the shell text that it runs), `shebang` (of a script that it
    runs), or, for a command that names none, the Python of its surroundings: `virtualenv`, `conda`, or `path`, the first on PATH.
    """

    path: str
    version: str
    implementation: str
    found: str


class Platform(NamedTuple):
    """The operating system; `libc` as in `glibc 2.36`."""

    system: str
    release: str
    machine: str
    distribution: str | None = None
    libc: str | None = None


class Gpu(NamedTuple):
    """A GPU as `nvidia-smi` names it; `memory` in bytes."""

    name: str
    memory: int | None = None
    driver: str | None = None


class Hardware(NamedTuple):
    """CPU model, logical cores that the process may use, memory in bytes, GPUs."""

    cpu: str | None = None
    cores: int | None = None
    memory: int | None = None
    gpus: tuple[Gpu, ...] = ()


class Environment(NamedTuple):
    """All of it. `variables` holds allow-listed environment variables only."""

    platform: Platform
    hardware: Hardware
    interpreter: Interpreter | None = None
    packages: tuple[Package, ...] = ()
    variables: Mapping[str, str] = {}
