"""Which Python a command line leads to: by name, through wrappers and shells, by shebang."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from exptrack.backends.host.activation import is_builtin, run_builtin
from exptrack.backends.host.runner import CONDA_PROGRAMS, prefix_of_conda, prefix_of_project, python_of_script
from exptrack.backends.host.scene import (
    COMMAND,
    CONDA,
    ELSEWHERE,
    SHEBANG,
    VIRTUALENV,
    Found,
    Scene,
    from_surroundings,
    python_of,
)
from exptrack.backends.host.shell import ASSIGNMENT, expand, is_open, place, split_assignments, split_commands

_PYTHON = re.compile(r"(?:pythonw?|pypy|graalpy)[\d.]*[dmtu]*(?:-dbg|-intel64|-arm64)?", re.IGNORECASE)

# They run the first of their words that is a program; what else they do changes nothing here.
_WRAPPERS = (
    "time", "gtime", "nice", "ionice", "nohup", "stdbuf", "gstdbuf", "setsid", "timeout", "gtimeout", "taskset", "numactl", "chrt",
    "prlimit", "unbuffer", "caffeinate", "catchsegv", "strace", "ltrace", "valgrind", "perf", "nsys", "ncu", "xvfb-run", "srun",
    "mpirun", "mpiexec", "orterun", "sudo", "doas", "systemd-run", "systemd-inhibit", "flock", "pyenv", "direnv",
)  # fmt: skip
_SHELLS = ("sh", "bash", "dash", "zsh", "ksh", "ash")
_PROJECT_RUNNERS = ("uv", "poetry", "pdm", "rye", "pipenv")

# What they run sees other files than ours, or an environment that they alone know: no interpreter would be a true answer.
_ELSEWHERE = (
    "docker", "podman", "nerdctl", "apptainer", "singularity", "enroot", "kubectl", "ssh", "uvx", "pipx", "tox", "nox", "hatch",
)  # fmt: skip

# pip and uv write this below `#!/bin/sh` where a shebang would be too long, or hold a space.
_LONG_SHEBANG = re.compile(r"'''exec' (.+) \"\$0\" \"\$@\"")
_SCRIPT_BYTES = 64 * 1024


def find(command: Sequence[str], scene: Scene) -> Found | None:
    """The Python that `command` uses, else the one of its surroundings; None if there is none, or the command runs elsewhere."""
    found = follow(command, scene) or from_surroundings(scene)
    return None if found is None or found.how == ELSEWHERE else found


def follow(words: Sequence[str], scene: Scene) -> Found | None:
    """The Python that these words lead to, None if they do not say."""
    path = scene.which(words[0]) if words and scene.depth else None
    if path is None:
        return None
    deeper = scene._replace(depth=scene.depth - 1)
    if is_python(path):
        flags, module = parse_options(words[1:])
        return None if module == "dvc" else Found(path, scene.how, deeper, flags)
    return _THROUGH.get(path.name, _script)(path, tuple(words[1:]), deeper)


def is_python(path: Path) -> bool:
    """Whether a program is a Python interpreter, by its name or by that of the file that it is a link to."""
    return any(_PYTHON.fullmatch(name) for name in (path.name, Path(os.path.realpath(path)).name))


def parse_options(words: Sequence[str]) -> tuple[str, str | None]:
    """Those of Python's own options that change `sys.path` (of `E`, `I`, `S`, `s`), and the module that `-m` names."""
    flags, queue = set(), list(words)
    while queue and queue[0].startswith("-") and not queue[0].startswith("--"):
        word = queue.pop(0)
        letters = word[1:]
        taker = next((index for index, letter in enumerate(letters) if letter in "cmWX"), len(letters))
        flags |= set(letters[:taker]) & set("EIsS")
        if taker == len(letters):
            continue
        value = letters[taker + 1 :] or (queue.pop(0) if queue else "")
        if letters[taker] in "cm":
            return "".join(sorted(flags)), value if letters[taker] == "m" else None
    return "".join(sorted(flags)), None


def _wrapper(_path: Path, rest: Sequence[str], scene: Scene) -> Found | None:
    for index, word in enumerate(rest):
        if not word.startswith("-") and scene.which(word):
            return follow(rest[index:], scene)
    return None


def _env(_path: Path, rest: Sequence[str], scene: Scene) -> Found | None:
    queue = list(rest)
    environ = dict(scene.environ)
    directory = scene.directory
    while queue and (queue[0].startswith("-") or ASSIGNMENT.fullmatch(queue[0])):
        word = queue.pop(0)
        if match := ASSIGNMENT.fullmatch(word):
            environ[match[1]] = match[2]
            continue
        letter, value = _env_option(word, queue)
        if letter == "i":
            environ = {}
        elif letter == "u":
            environ.pop(value, None)
        elif letter == "C":
            directory /= value
        elif letter == "S":
            queue[:0] = _split(value)
    return follow(queue, scene._replace(environ=environ, directory=directory))


def _env_option(word: str, queue: list[str]) -> tuple[str, str]:
    """The letter and value of an option of `env`; a value in the next word is taken out of `queue`."""
    long = {"ignore-environment": "i", "unset": "u", "chdir": "C", "split-string": "S"}
    if word.startswith("--"):
        name, equals, value = word[2:].partition("=")
        letter = long.get(name, "")
        return letter, value if equals or letter not in {"u", "C", "S"} else _pop(queue)
    for index, letter in enumerate(word[1:], start=2):
        if letter in "uCSP":
            return letter, word[index:] or _pop(queue)
    return ("i" if "i" in word or word == "-" else ""), ""


def _shell(_path: Path, rest: Sequence[str], scene: Scene) -> Found | None:
    scene = scene._replace(how=COMMAND)
    text, arguments = _shell_text(list(rest), scene)
    for command in split_commands(text):
        environ, words = split_assignments(expand(command, scene.environ, arguments), scene.environ)
        if is_open(environ.get("PATH", "")) or (words and is_open(words[0])):
            return None
        if not words:
            scene = scene._replace(environ=environ)
        elif is_builtin(words):
            after = run_builtin(words, scene)
            if after is None:
                return None
            scene = after
        elif found := follow(words, scene._replace(environ=environ)):
            return found
    return None


def _shell_text(queue: list[str], scene: Scene) -> tuple[str, Sequence[str]]:
    """What a shell with these arguments runs, and the arguments of that: the text after `-c`, or that of a script."""
    is_text = False
    while queue and queue[0][:1] in {"-", "+"}:
        word = queue.pop(0)
        if word.startswith("--"):
            continue
        is_text |= "c" in word
        if {"o", "O"} & set(word):
            _pop(queue)
    if is_text or not queue:
        return _pop(queue), queue[1:]
    script = scene.directory / queue[0]
    return place(_read(script), script.parent), queue[1:]


def _project_run(path: Path, rest: Sequence[str], scene: Scene) -> Found | None:
    """`uv run`, `poetry run` and their like: the project's environment, and what is run in it."""
    if "run" not in rest:
        return _script(path, rest, scene)
    before, words = rest[: rest.index("run")], rest[rest.index("run") + 1 :]
    if "tool" in before:
        return _elsewhere(path, rest, scene)
    prefix = prefix_of_project(path, rest, scene)
    inside = scene.enter(prefix) if prefix else scene
    for index, (previous, word) in enumerate(pairwise(("", *words))):
        if path.name == "uv" and word.endswith(".py"):
            answer = python_of_script(path, word, inside)
            if answer is not None:
                return Found(Path(answer), VIRTUALENV, inside) if answer else Found(path, ELSEWHERE, inside)
            break
        if word[:1] != "-" and previous not in {"-p", "--python"} and inside.which(word):
            return follow(words[index:], inside)
    return python_of(prefix, VIRTUALENV, inside) if prefix else None


def _conda_run(path: Path, rest: Sequence[str], scene: Scene) -> Found | None:
    if "run" not in rest:
        return _script(path, rest, scene)
    words = rest[rest.index("run") + 1 :]
    names = [word for option, word in pairwise(words) if option in {"-n", "--name", "-p", "--prefix"}]
    names += [word.partition("=")[2] for word in words if word.startswith(("--name=", "--prefix="))]
    prefix = prefix_of_conda(names[0], scene, program=path) if names else None
    if prefix is None:
        return _wrapper(path, words, scene)
    inside = scene.enter(prefix, "CONDA_PREFIX")
    return _wrapper(path, words, inside) or python_of(prefix, CONDA, inside)


def _script(path: Path, rest: Sequence[str], scene: Scene) -> Found | None:
    """A file whose first line says what reads it; a shell's is read on."""
    text = _read(path)
    if not text.startswith("#!"):
        return None
    if match := _LONG_SHEBANG.search(text[: 8 * 1024]):
        return follow(_long_shebang(match[1], path), scene._replace(how=SHEBANG))
    # The kernel gives all that follows the program as one word.
    words = text.partition("\n")[0][2:].strip().split(maxsplit=1)
    return follow([*words, str(path), *rest], scene._replace(how=SHEBANG))


def _long_shebang(text: str, path: Path) -> Sequence[str]:
    if text.startswith('"$(dirname'):  # relative to the script, as uv writes it in relocatable environments
        return (str(Path(os.path.realpath(path)).parent / text.rpartition("/")[2].strip(chr(39) + chr(34))),)
    return _split(text)


def _elsewhere(path: Path, _rest: Sequence[str], scene: Scene) -> Found | None:
    return Found(path, ELSEWHERE, scene)


def _silent(_path: Path, _rest: Sequence[str], _scene: Scene) -> Found | None:
    """DVC is a Python script, but its stages are shell commands: what they use is what the surroundings offer."""
    return None


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_SCRIPT_BYTES).decode(errors="surrogateescape")
    except (OSError, ValueError):
        return ""


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _pop(queue: list[str]) -> str:
    return queue.pop(0) if queue else ""


_Through = Callable[[Path, Sequence[str], Scene], Found | None]
_THROUGH: Mapping[str, _Through] = {
    "env": _env,
    "dvc": _silent,
    **dict.fromkeys(_WRAPPERS, _wrapper),
    **dict.fromkeys(_SHELLS, _shell),
    **dict.fromkeys(_PROJECT_RUNNERS, _project_run),
    **dict.fromkeys(CONDA_PROGRAMS, _conda_run),
    **dict.fromkeys(_ELSEWHERE, _elsewhere),
}
