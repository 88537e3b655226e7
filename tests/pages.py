"""Pages: their links, blocks and tables, and those whose examples are run and compared with what comes out."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

from exptrack.model.comparison import Word

# What no two days have in common: (pattern, what stands for it).
FICKLE = (
    (r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?( ?UTC|Z|(?= ))?", "<time>"),
    (r"\b\d{4}-\d\d\b(?!-)", "<month>"),
    (r"(?<!\w)(?<!\d\.)[0-9a-f]{7,64}\b", "<oid>"),
    (r"\b\d+(\.\d+)?(ms|s|min|m|h|d|w|mo|y)\b", "<age>"),
    (r" on \S+$", " on <host>"),
    (r"\b[a-z]+-[a-z]+-[a-z0-9]{4}\b(?!-)", "<name>"),
    (r"[ \t]+", " "),
)


ROOT = Path(__file__).parent.parent


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[str]:
    """The contents of fenced code blocks in one of the languages."""
    found = re.findall(r"^ *(`{3,})(\w*)\n(.*?)^ *\1$", read(page), re.MULTILINE | re.DOTALL)
    return [text for _, language, text in found if language in languages]


def prose(page: Path) -> str:
    """The page without its fenced code."""
    return re.sub(r"^ *(`{3,}).*?^ *\1$", "", read(page), flags=re.MULTILINE | re.DOTALL)


def table(page: Path, mark: str) -> list[list[str]]:
    """The rows below the header of the table that follows `<!-- mark -->`, cell by cell."""
    _, found, rest = read(page).partition(f"<!-- {mark} -->\n")
    assert found, f"{named(page)} has no table marked {mark}"
    lines = rest.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def code(cell: str) -> str:
    """The first word in backticks."""
    found = re.match(r"`([^`]+)`", cell)
    assert found, f"{cell!r} does not begin with code"
    return found[1]


class Block(NamedTuple):
    """A fenced block: its language, its text, and the file that the line before it names (`` `train.py`: ``), if any."""

    language: str
    text: str
    file: str | None


class Step(NamedTuple):
    """A command of a console block, and the lines that the page shows below it."""

    command: str
    shown: tuple[str, ...]


def read_blocks(page: Path, smaller: Mapping[str, str] = {}) -> list[Block]:
    """All fenced blocks of a page, in order; with `smaller`, what stands there is replaced beforehand."""
    content = page.read_text(encoding="utf-8")
    for text, other in smaller.items():
        assert text in content, f"{page.name} no longer has {text!r}"
        content = content.replace(text, other)
    pattern = r"(?:`([^`\n]+)`:\n\n)?^(`{3,})(\w*)\n(.*?)^\2$"
    found = re.findall(pattern, content, re.MULTILINE | re.DOTALL)
    return [Block(language, text, file or None) for file, _, language, text in found]


def read_steps(text: str) -> Iterator[Step]:
    """The commands of a console block."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield Step(command, tuple(shown))


def normalise(line: str) -> str:
    """A line without what differs from day to day: oids, times, ages, the host, and how wide columns are."""
    for pattern, name in FICKLE:
        line = re.sub(pattern, name, line)
    return line.strip()


def is_shown(shown: tuple[str, ...], came: list[str]) -> bool:
    """Whether the lines are those that came; `…` alone on a line stands for any number of them."""
    lines = [normalise(line) for line in shown]
    pattern = "".join(r"(?:.*\n)*" if line == "…" else re.escape(line) + r"\n" for line in lines)
    return re.fullmatch(pattern, "".join(normalise(line) + "\n" for line in came)) is not None


_WORDS = "|".join(Word)
# What depends on the numbers of a study: (pattern, what stands for it).
_FOUND = (
    (r"(?:[\w.]+=[\w.]+, )+[\w.]+=[\w.]+", "<parameters>"),
    (r"[├─●┤│·][├─●┤│· ]*", "<bar> "),
    (rf"\b(?:{_WORDS})(?:$|: .*| within .*)", "<verdict>"),
    (r"[+-]?\d[\d.,]*", "#"),
)


def shape(line: str) -> str:
    """A line without its numbers, what they are drawn as, and what was found by them."""
    line = normalise(line)
    for pattern, name in _FOUND:
        line = re.sub(pattern, name, line)
    return line.strip()


# What pages call beside git and the tools of every machine, as words of this Python.
_PROGRAMS = {"exptrack": "-m exptrack", "dvc": "-m dvc", "gto": "-c 'from gto.cli import app; app()'"}


class Shell:
    """Runs lines one after the other, each in a bash of its own, from the folder that the one before ended in."""

    def __init__(self, folder: Path, scripts: Path) -> None:
        self.folder = folder
        self.scripts = scripts
        # A Python without packages: an installation that is worked on would be another one from run to run.
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", scripts], check=True)
        for name, words in _PROGRAMS.items():
            (scripts / "bin" / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words} "$@"\n')
            (scripts / "bin" / name).chmod(0o755)
        self.path = f"{scripts / 'bin'}{os.pathsep}{os.environ['PATH']}"

    def lend(self, *names: str) -> None:
        """Give its Python some of the packages that this one has."""
        [site] = (self.scripts / "lib").glob("python*/site-packages")
        for name in names:
            found = distribution(name)
            for top in {path.parts[0] for path in found.files or ()} - {"..", "__pycache__"}:
                (site / top).symlink_to(Path(str(found.locate_file(top))).resolve())

    def lend_all(self) -> None:
        """Give its Python all that this one has, exptrack among it."""
        [site] = (self.scripts / "lib").glob("python*/site-packages")
        (site / "lent.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")

    def play(self, page: Path, smaller: Mapping[str, str] = {}) -> Iterator[tuple[Step, list[str]]]:
        """Do what a page says, block by block, and give each of its commands with the lines that came."""
        for block in read_blocks(page, smaller):
            if block.file is not None:
                (self.folder / block.file).write_text(block.text)
            elif block.language == "console":
                for step in read_steps(block.text):
                    yield step, self.run(step.command)

    def run(self, line: str) -> list[str]:
        """The lines that it prints, to both streams."""
        where = self.scripts / "where"
        script = f"{line}\npwd > {shlex.quote(str(where))}\n"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env={**os.environ, "PATH": self.path},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True,
        )  # fmt: skip
        self.folder = Path(where.read_text().strip())
        return done.stdout.splitlines()
