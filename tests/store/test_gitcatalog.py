"""Runs that are read from Git itself."""

from __future__ import annotations

from indexed import save_many

from exptrack.backends.git.repository import find_repository
from exptrack.store import gitcatalog
from exptrack.store.catalog import Asked
from exptrack.store.gitcatalog import GitCatalog


class Watcher:
    def __init__(self) -> None:
        self.heard: list[object] = []

    def begin(self, task: str, total: int | None = None, *, is_bytes: bool = False) -> None:
        self.heard.append((task, total, is_bytes))

    def advance(self, done: int) -> None:
        self.heard.append(done)

    def end(self) -> None:
        self.heard.append("end")


def test_many_runs_are_told_how_far_they_are_and_few_are_not(repository, monkeypatch):
    repo = find_repository(repository)
    save_many(repo, 5)
    watcher = Watcher()
    assert len(GitCatalog(repo, watcher).select(Asked()).rows) == 5
    assert set(watcher.heard) <= {"end"}
    monkeypatch.setattr(gitcatalog, "_MANY", 5)
    monkeypatch.setattr(gitcatalog, "_STEP", 2)
    for asked in (Asked(), Asked(number=1)):
        watcher.heard.clear()
        GitCatalog(repo, watcher).select(asked)
        assert watcher.heard == [("reading runs", 5, False), 2, 2, "end"]
