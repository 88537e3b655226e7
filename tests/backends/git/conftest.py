"""Repositories as the functions of backends/git take them, and functions called in many processes at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from exptrack.backends.git.repository import Identity, Repository, find_repository

ADA = Identity("Ada Lovelace", "ada@example.com")


@pytest.fixture
def repo(repository: Path) -> Repository:
    return find_repository(repository)


@pytest.fixture
def identity() -> Identity:
    return ADA


@pytest.fixture
def people() -> bytes:
    """The author and committer lines of a commit."""
    return f"author {ADA} 1769860800 +0000\ncommitter {ADA} 1769860801 +0100\n".encode()


@pytest.fixture
def at_once(repository: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """What each of `count` processes prints, which run a piece of code with `repo`, `ada` and its `number`, and begin together."""

    def call(code: str, count: int = 8) -> list[str]:
        gate = tmp_path / "gate"
        gate.unlink(missing_ok=True)
        opening = (
            "import sys, time\n"
            "from pathlib import Path\n"
            "from exptrack.backends.git import notes, objects, refs\n"
            "from exptrack.backends.git.repository import Identity, find_repository\n"
            f"repo, number = find_repository(Path({str(repository)!r})), int(sys.argv[1])\n"
            f"ada = Identity({ADA.name!r}, {ADA.email!r})\n"
            "print('ready', flush=True)\n"
            f"while not Path({str(gate)!r}).exists(): time.sleep(0.001)\n"
        )
        children = [
            subprocess.Popen(
                [sys.executable, "-c", opening + code, str(number)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for number in range(count)
        ]
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        gate.touch()
        answers = [child.communicate() for child in children]
        assert [child.returncode for child in children] == [0] * count, [err for _, err in answers]
        return [out.strip() for out, _ in answers]

    return call
