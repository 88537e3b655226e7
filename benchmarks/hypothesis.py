"""A study from its declaration to its conclusion, in full: `python benchmarks/hypothesis.py`.

Does what docs/tutorial-hypothesis.md says, command by command, in a folder of its own: 2 kinds of model x 3 optimizers x 3 epoch budgets, three
seeds of each, and ten fresh ones of what is chosen. Prints what each command took, and what was concluded; `--write` puts what the commands
print into the page.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

# As a script it has its own folder on the path, and not the one that holds the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.measure import BenchmarkError
from benchmarks.report import describe_machine
from benchmarks.worlds import seal

PAGE = Path(__file__).resolve().parent.parent / "docs" / "tutorial-hypothesis.md"
_BLOCK = re.compile(
    r"(?:`(?P<file>[^`\n]+)`:\n\n)?^(?P<fence>`{3,})(?P<language>\w*)\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
_STEP = re.compile(r"^\$ (?P<command>.*)\n(?P<shown>(?:(?!\$ ).*\n)*)", re.MULTILINE)
_LEFT_OUT = "…"


class Done(NamedTuple):
    """A command of the page, the lines that it printed, and the seconds that it took."""

    command: str
    lines: tuple[str, ...]
    seconds: float


def main() -> int:
    """Play the page, print the table, and give the exit status."""
    options = _parser().parse_args()
    page = PAGE.read_text(encoding="utf-8")
    done: list[Done] = []
    with tempfile.TemporaryDirectory(prefix="exptrack-benchmark-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary).resolve()
        environ = seal(folder / "home")
        print(f"{'; '.join(describe_machine(folder / 'cache'))}\n\n{'seconds':>8}", flush=True)
        try:
            for one in play(page, folder, environ):
                print(f"{one.seconds:8.2f}  {one.command}", flush=True)
                done.append(one)
        except BenchmarkError as error:
            print(f"benchmarks: {error}", file=sys.stderr)
            return 2
    print(f"{sum(one.seconds for one in done):8.2f}  all of them\n")
    print("\n".join(line for one in done for line in _told(one)))
    if options.write:
        PAGE.write_text(fill(page, done), encoding="utf-8")
    return 0


def play(page: str, folder: Path, environ: Mapping[str, str]) -> Iterator[Done]:
    """Do what a page says: write its files, run its commands, each in a shell of its own that begins where the last one ended.

    Raises BenchmarkError if one fails.
    """
    where, place = folder / "where", folder
    for block in _BLOCK.finditer(page):
        if block["file"]:
            (place / block["file"]).write_text(block["text"], encoding="utf-8")
        elif block["language"] == "console":
            for step in _STEP.finditer(block["text"]):
                yield _run(step["command"], place, environ, where)
                place = Path(where.read_text(encoding="utf-8").strip())


def find_commands(page: str) -> list[str]:
    """The commands of a page, in order."""
    blocks = (block for block in _BLOCK.finditer(page) if block["language"] == "console" and not block["file"])
    return [step["command"] for block in blocks for step in _STEP.finditer(block["text"])]


def fill(page: str, done: list[Done]) -> str:
    """The page with what its commands printed. Where it leaves lines out (`…`), as many as before stand at the beginning and at the end."""
    found = iter(done)

    def step(match: re.Match[str]) -> str:
        shown, came = match["shown"].splitlines(), next(found).lines
        return "".join(f"{line}\n" for line in (f"$ {match['command']}", *_leave_out(shown, came)))

    def block(match: re.Match[str]) -> str:
        return _STEP.sub(step, match[0]) if match["language"] == "console" and not match["file"] else match[0]

    return _BLOCK.sub(block, page)


def _leave_out(shown: Sequence[str], came: Sequence[str]) -> list[str]:
    """What came, but for what the page leaves out: a part in the middle begins with a line that has the same words."""
    parts = [list(some) for is_left_out, some in groupby(shown, key=lambda line: line == _LEFT_OUT) if not is_left_out]
    if _LEFT_OUT not in shown:
        return list(came)
    kept, place = [], 0
    for number, part in enumerate(parts):
        is_last = number == len(parts) - 1 and shown[-1] != _LEFT_OUT
        if is_last:
            place = len(came) - len(part)
        elif number or shown[0] == _LEFT_OUT:
            place = next((at for at in range(place, len(came)) if _words(came[at]) == _words(part[0])), place)
        kept += [_LEFT_OUT] if number or shown[0] == _LEFT_OUT else []
        kept += came[place : place + len(part)]
        place += len(part)
    return [*kept, *([_LEFT_OUT] if shown[-1] == _LEFT_OUT else [])]


def _words(line: str) -> str:
    return " ".join(re.findall(r"[^\W\d_]+(?:=[\w.]+)?", line))


def _run(command: str, folder: Path, environ: Mapping[str, str], where: Path) -> Done:
    begun = perf_counter()
    ended = subprocess.run(
        ["bash", "-c", f"set -e\n{command}\npwd > {where}\n"], cwd=folder, env=environ, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    if ended.returncode:
        raise BenchmarkError(f"{command!r} ended with {ended.returncode}: {ended.stdout.strip()[-300:]}")
    return Done(command, tuple(ended.stdout.splitlines()), perf_counter() - begun)


def _told(one: Done) -> list[str]:
    """What a command found out: sentences with a number of seeds, and the answer."""
    if not re.match(r"exptrack (select|unseal|conclude)", one.command):
        return []
    return [
        f"{line.strip()}"
        for line in one.lines
        if re.search(r"^### |\d pairs of seeds, .*p[=<]|^selected:|^noise ", line)
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/hypothesis.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="put what the commands print into the page")
    return parser


if __name__ == "__main__":
    sys.exit(main())
