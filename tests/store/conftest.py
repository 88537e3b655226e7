"""Snapshots of a work tree, taken as `run` takes them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from exptrack.backends.git.objects import resolve
from exptrack.backends.git.repository import find_repository
from exptrack.model.data import Omission
from exptrack.model.settings import Capture
from exptrack.store.private_index import survey
from exptrack.store.snapshot import take


@dataclass(frozen=True)
class Taken:
    """A snapshot: its commit, what it holds by path, and what it left out by path."""

    oid: str
    files: dict[str, bytes]
    modes: dict[str, str]
    left_out: dict[str, Omission]


@pytest.fixture
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Taken]:
    def snap(folder: Path, capture: Capture | None = None, excluded: frozenset[str] = frozenset()) -> Taken:
        capture = capture or Capture()
        repository = find_repository(folder)
        [base] = resolve(repository, ["HEAD^{commit}"])
        scratch = tmp_path_factory.mktemp("scratch")
        taken = take(repository, "test", survey(repository, base, capture, scratch), capture, excluded)
        files, modes = read_tree(folder, taken.oid)
        return Taken(taken.oid, files, modes, {omission.path: omission for omission in taken.omissions})

    return snap


def read_tree(folder: Path, commit: str) -> tuple[dict[str, bytes], dict[str, str]]:
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "-z", "--full-tree", commit], cwd=folder, capture_output=True, check=True
    ).stdout
    files, modes = {}, {}
    for line in listed.decode(errors="surrogateescape").split("\0"):
        if line:
            facts, _, path = line.partition("\t")
            mode, kind, oid = facts.split()
            modes[path] = mode
            if kind == "blob":
                files[path] = subprocess.run(
                    ["git", "cat-file", "blob", oid], cwd=folder, capture_output=True, check=True
                ).stdout
    return files, modes


@pytest.fixture
def untouched(repository: Path) -> Callable[[], bytes]:
    """All that a snapshot must leave alone: index, HEAD, branches, tags, status, as bytes to compare."""

    def look() -> bytes:
        parts = [(repository / ".git" / "index").read_bytes(), (repository / ".git" / "HEAD").read_bytes()]
        for words in (
            ["for-each-ref", "refs/heads", "refs/tags", "refs/stash"],
            ["status", "--porcelain", "-z", "--ignored"],
        ):
            environ = {"GIT_OPTIONAL_LOCKS": "0", "PATH": "/usr/bin:/bin"}
            parts.append(
                subprocess.run(["git", *words], cwd=repository, capture_output=True, check=True, env=environ).stdout
            )
        return b"\0".join(parts)

    return look
