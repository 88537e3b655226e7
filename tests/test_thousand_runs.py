"""A thousand runs with data: how many processes it takes to share them. How long is in `benchmarks/`, where the machine is known."""

from __future__ import annotations

import os
import subprocess

import pytest
from sharing import Person, Remote
from witness import put_git_in_front

from benchmarks.populate import make_runs, store_data

COUNT = 1000


@pytest.fixture
def counting(tmp_path):
    """Run exptrack for somebody; gives what it said. No more than `most` git processes are started for it."""
    calls = tmp_path / "calls"
    environ = put_git_in_front(tmp_path / "front", f'echo "$1" >> {calls}\nexec "$git" "$@"\n')

    def call(person, *words, most):
        calls.write_text("")
        done = person(*words, env=environ)
        started = calls.read_text().splitlines()
        assert len(started) <= most, started
        return done.stdout

    return call


def test_a_thousand_runs_are_shared_by_few_processes_and_nothing_to_do_is_seen_by_fewer(tmp_path, counting):
    remote = Remote(tmp_path)
    ada = Person(tmp_path / "ada", remote)
    make_runs(ada.folder, COUNT, dict(os.environ))
    (ada.folder / ".dvc").mkdir(exist_ok=True)
    (ada.folder / ".dvc/config").write_text(
        f"[core]\n    remote = store\n['remote \"store\"']\n    url = {remote.store}\n"
    )
    store_data(ada.folder, COUNT)
    ada.git("remote", "add", "origin", str(remote.bare))
    ada.git("push", "--quiet", "origin", "main")
    assert "pushed 1,000 runs" in counting(ada, "push", most=30)
    assert len(remote.refs()) == COUNT
    kept = {path.name: path.read_bytes() for path in (ada.folder / ".dvc/cache").rglob("*") if path.is_file()}
    assert {path.name: path.read_bytes() for path in (remote.store / "files").rglob("*") if path.is_file()} == kept
    assert "everything is shared" in counting(ada, "push", "--all", most=15)
    subprocess.run(["git", "clone", "--quiet", remote.bare, tmp_path / "bob"], check=True)
    bob = Person(tmp_path / "bob", remote)
    assert "fetched 1,000 runs" in counting(bob, "fetch", most=35)
    assert "nothing new" in counting(bob, "fetch", most=12)
    assert bob.names() == ada.names() == remote.names()
    counting(ada, "rm", "--yes", "duration >= 0", most=30)
    assert "moved 1,000 removed runs to the trash" in counting(ada, "push", most=40)
    assert remote.names() == set()
    assert len(remote.refs("refs/exptrack/trash")) == COUNT
