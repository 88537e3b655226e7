"""Which words of a command are the script's own."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SCRIPT = re.compile(r".*\.(?:py|sh|bash|zsh|r|jl|ipynb)", re.IGNORECASE | re.DOTALL)
_PYTHON = re.compile(r"(?:i?python|pypy)[\d.]*t?")
_SHELL = re.compile(r"(?:ba|da|fi|tc|c|k|z)?sh")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
# They start another program, or Python itself: `uv run python -m train`, `srun bash job.sh`, `torchrun -m train`.
_LAUNCHERS = frozenset(
    {
        "accelerate", "apptainer", "catchsegv", "chrt", "composer", "conda", "coverage", "deepspeed", "doas", "env", "gdb", "hatch",
        "horovodrun", "ionice", "jsrun", "kernprof", "ltrace", "mamba", "micromamba", "mpiexec", "mpirun", "ncu", "nice", "nohup", "nsys",
        "numactl", "nvprof", "orterun", "pdm", "perf", "pipenv", "pixi", "poetry", "prterun", "py-spy", "rye", "scalene", "setsid",
        "singularity", "srun", "stdbuf", "strace", "sudo", "taskset", "time", "timeout", "torchrun", "unbuffer", "uv", "uvx", "valgrind",
        "xvfb-run",
    }
)  # fmt: skip
_MODULE_LAUNCHERS = frozenset({"accelerate", "composer", "coverage", "deepspeed", "kernprof", "scalene", "torchrun"})
# Options of an interpreter whose value is the next word, and those that say what runs: the next word, or the rest of this one.
_PYTHON_VALUES = re.compile(r"-[XW]|--check-hash-based-pycs")
_PYTHON_RUNS = re.compile(r"-[bBdEiIOPqsSuvx]*[cm](.*)", re.DOTALL)
_SHELL_VALUES = re.compile(r"[-+][A-Za-z]*[oO]|--rcfile|--init-file")
_SHELL_RUNS = re.compile(r"-[A-Za-z]*c()")


def script_words(argv: Sequence[str]) -> tuple[str, ...]:
    """The words of a command after its script: what the script itself was told.

    Options of an interpreter (`python -u -X dev train.py`, `bash -e`) and of a launcher (`torchrun --nproc-per-node 2 train.py`) come
    before the script, and are not the script's. The script is, in this order: the program itself, if it is given by a path (`./train`)
    and is no interpreter or launcher; what an interpreter runs (a file, `-m MODULE`, `-c CODE`); the first word that ends as a script
    does (.py .sh .R .jl .ipynb); the first word behind a launcher that is a path; the program.
    """
    words = tuple(argv)
    if not words:
        return ()
    program = words[0].rpartition("/")[2]
    if _interpreter(program):
        return _after_interpreted(words, 0)
    launcher = program in _LAUNCHERS
    if not launcher and (words[0].startswith(("./", "../")) or _SCRIPT.fullmatch(program)):
        return words[1:]
    return _after_launched(words, program) if launcher else _after_script(words)


def _interpreter(program: str) -> bool:
    return bool(_PYTHON.fullmatch(program) or _SHELL.fullmatch(program))


def _after_script(words: tuple[str, ...]) -> tuple[str, ...]:
    for index, word in enumerate(words):
        if _SCRIPT.fullmatch(word):
            return words[index + 1 :]
    return words[1:]


def _after_launched(words: tuple[str, ...], program: str) -> tuple[str, ...]:
    for index, word in enumerate(words[1:], 1):
        if _interpreter(word.rpartition("/")[2]):
            return _after_interpreted(words, index)
        if word in {"-m", "--module"} and program in _MODULE_LAUNCHERS:
            return words[index + 2 :]
        if _SCRIPT.fullmatch(word):
            return words[index + 1 :]
    for index, word in enumerate(words[1:], 1):
        if word.startswith(("./", "../", "/")):
            return words[index + 1 :]
    return _after_settings(words[1:])


def _after_settings(words: tuple[str, ...]) -> tuple[str, ...]:
    """What is left behind the options and variables of `env`, and behind the program that they are for."""
    for index, word in enumerate(words):
        if not word.startswith("-") and not _ASSIGNMENT.fullmatch(word):
            return words[index + 1 :]
    return ()


def _after_interpreted(words: tuple[str, ...], interpreter: int) -> tuple[str, ...]:
    python = _PYTHON.fullmatch(words[interpreter].rpartition("/")[2])
    valued, runs = (_PYTHON_VALUES, _PYTHON_RUNS) if python else (_SHELL_VALUES, _SHELL_RUNS)
    index = interpreter + 1
    while index < len(words):
        word = words[index]
        program = runs.fullmatch(word)
        if program:
            return words[index + (1 if program[1] else 2) :]
        if word == "--" or not word.startswith(("-", "+")) or word == "-":
            return words[index + (2 if word == "--" else 1) :]
        index += 2 if valued.fullmatch(word) else 1
    return ()
