"""`exptrack gc`: what nothing uses goes, and nothing else."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import garbage
import pytest
from garbage import objects

from exptrack.cli import main
from exptrack.operations import collect as collecting

DAY = 86_400


@pytest.fixture
def project(repository: Path, git) -> Path:
    """The repository as a DVC project, which needs no DVC."""
    return make_project(repository, git)


def make_project(folder: Path, git) -> Path:
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "config").touch()
    (folder / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    git("add", ".", cwd=folder)
    git("commit", "-qm", "dvc", cwd=folder)
    return folder


@pytest.fixture
def add() -> Callable[..., str]:
    return add_data


def add_data(project: Path, path: str, content: str | dict[str, str]) -> str:
    """As `garbage.add_data`, ignored by Git; its digest."""
    pointer = garbage.add_data(project, path, content)
    with (project / ".gitignore").open("a") as file:
        file.write(f"/{path}\n")
    return pointer.digest


@pytest.fixture
def cached(project: Path):
    return lambda: objects(project / ".dvc" / "cache")


@pytest.fixture
def gc(repository: Path, capsys, monkeypatch):
    """Run `exptrack gc` so many days from now, and give what was printed."""

    def call(*words: str | Path, days: float = 15, cwd: Path = repository, status: int = 0) -> str:
        with monkeypatch.context() as clock:
            later = time.time() + days * DAY
            clock.setattr(collecting.time, "time", lambda: later)
            found = main(["-C", str(cwd), "gc", *map(str, words)])
        out, err = capsys.readouterr()
        assert found == status, err
        return out if status == 0 else err

    return call


def test_garbage_is_listed_and_deleted_only_by_force(project, git, add, cached, gc):
    used = add(project, "used.bin", "used")
    git("add", ".", cwd=project)
    git("commit", "-qm", "data", cwd=project)
    garbage = add(project, "garbage.bin", "garbage" * 1000)
    (project / "garbage.bin.dvc").unlink()
    assert gc() == (
        f"nothing uses 1 object (6.8 KiB) in {project}/.dvc/cache\n"
        f"  6.8 KiB  {garbage}\n"
        "kept 1 object (4 B), which is used\n"
        "to delete it: exptrack gc --force\n"
    )
    assert gc("--force", "--dry-run") == gc("-n")
    assert cached() == {used, garbage}
    assert gc("--force") == (
        f"deleted 1 object (6.8 KiB) from {project}/.dvc/cache\nkept 1 object (4 B), which is used\n"
    )
    assert cached() == {used}
    assert gc("--force").startswith("nothing to delete in ")


def test_what_is_younger_than_two_weeks_stays(project, add, cached, gc):
    digest = add(project, "data.bin", "young")
    (project / "data.bin.dvc").unlink()
    assert "kept 1 object (5 B), which nothing uses, for being younger than 14 days" in gc("--force", days=13)
    assert cached() == {digest}
    (project / "exptrack.yaml").write_text("keep: {grace: 20}\n")
    assert "younger than 20 days" in gc("--force", days=19)
    assert "deleted 1 object" in gc("--force", days=21)


def test_old_files_that_came_late_are_young(project, add, cached, gc):
    digest = add(project, "data.bin", "old")
    (project / "data.bin.dvc").unlink()
    [file] = (project / ".dvc/cache/files/md5").glob("??/*")
    file.chmod(0o644)
    os.utime(file, (0, 0))
    gc("--force", days=1)
    assert cached() == {digest}


def test_folders_are_whole_or_gone(project, git, add, cached, gc):
    add(project, "images", {"a": "one", "b/c": "two", "d": "shared"})
    git("add", ".", cwd=project)
    git("commit", "-qm", "data", cwd=project)
    used = cached()
    garbage = add(project, "other", {"a": "three", "d": "shared"})
    (project / "other.dvc").unlink()
    assert "deleted 2 objects" in gc("--force")
    assert cached() == used
    assert garbage not in used


def test_the_files_of_a_young_folder_are_young(project, add, cached, gc):
    digest = add(project, "images", {"a": "one"})
    (project / "images.dvc").unlink()
    [member] = cached() - {digest}
    listing = project / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    listing.chmod(0o644)
    future = time.time() + 10 * DAY
    os.utime(listing, (future, future))
    gc("--force")
    assert cached() == {digest, member}


def test_a_folder_without_its_listing_is_told(project, git, add, cached, gc):
    digest = add(project, "images", {"a": "one"})
    git("add", ".", cwd=project)
    git("commit", "-qm", "data", cwd=project)
    (project / ".dvc/cache/files/md5" / digest[:2] / digest[2:]).unlink()
    assert "1 folder of data is used and not there" in gc()


def test_a_broken_listing_stops_it(project, git, add, cached, gc):
    digest = add(project, "images", {"a": "one"})
    listing = project / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    listing.chmod(0o644)
    listing.write_text('[{"md5"')
    assert "what these use is not known" in gc()
    before = cached()
    assert "cannot be read, so what it uses is not known: mend it, or give --force twice" in gc("--force", status=2)
    assert cached() == before
    gc("--force", "--force")
    assert cached() == {digest}


def test_what_is_no_object_stays_and_dvc_2_objects_go(project, gc):
    cache = project / ".dvc" / "cache"
    old, unpacked = cache / "ab" / ("c" * 30), cache / "ab" / ("d" * 30 + ".dir")
    stay = [cache / "runs/ab/abcd/1", cache / "files/md5/ab/temp", cache / "ab/short", cache / "files/md5/xyz" / ("a" * 30), cache / "files/tmp"]  # fmt: skip
    for file in (old, unpacked, *stay, unpacked.with_name(f"{unpacked.name}.unpacked") / "file"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("[]")
    (cache / "files/md5/ab" / ("e" * 30)).symlink_to(stay[0])
    assert "deleted 2 objects" in gc("--force")
    assert [file for file in (*stay, old, unpacked) if file.exists()] == stay
    assert not unpacked.with_name(f"{unpacked.name}.unpacked").exists()


def test_runs_that_the_policy_does_not_keep_lose_their_data(project, exptrack, add, cached, gc):
    for name in ("one", "two"):
        done = exptrack("run", "--name", name, "-o", "model.bin", "--", "sh", "-c", f"echo {name} > model.bin")
        assert done.returncode == 0, done.stderr
    (project / "model.bin.dvc").unlink(missing_ok=True)
    assert exptrack("tag", "paper", "one").returncode == 0
    both = cached()
    assert len(both) == 2
    (project / "exptrack.yaml").write_text("keep: {data: tag = paper}\n")
    assert "nothing to delete" in gc("--force", days=29)
    out = gc("--force", days=31)
    assert "1 run lost data, by `keep` in exptrack.yaml: two" in out
    assert len(cached()) == 1
    assert exptrack("show", "two").returncode == 0
    (project / "exptrack.yaml").write_text("keep: {data: metrics.typo > 3}\n")
    assert "no run has" in gc(status=2)


def test_removed_runs_count_until_they_expire(project, git, exptrack, cached, gc):
    done = exptrack("run", "--name", "one", "-o", "model.bin", "--", "sh", "-c", "echo one > model.bin")
    assert done.returncode == 0, done.stderr
    (project / "model.bin.dvc").unlink(missing_ok=True)
    assert exptrack("rm", "-y", "one").returncode == 0
    before = cached()
    gc("--force", days=29)
    assert cached() == before
    listed = gc(days=32)
    assert "1 removed run can no longer be restored then: one" in listed
    assert "\n  4 B  model.bin\n" in listed
    assert "1 removed run cannot be restored any more: one" in gc("--force", days=32)
    assert cached() == set()
    assert git("for-each-ref", "refs/exptrack", cwd=project) == ""


def test_a_run_that_comes_back_just_then_keeps_its_data(project, git, exptrack, cached, gc):
    done = exptrack("run", "--name", "one", "-o", "model.bin", "--", "sh", "-c", "echo one > model.bin")
    assert done.returncode == 0, done.stderr
    (project / "model.bin.dvc").unlink(missing_ok=True)
    ref = git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs", cwd=project)
    oid = git("rev-parse", ref, cwd=project)
    assert exptrack("rm", "-y", "one").returncode == 0
    git("update-ref", ref, oid, cwd=project)
    before = cached()
    assert "'one' is back among the runs; nothing was deleted, do it once more" in gc("--force", days=32, status=2)
    gc("--force", days=32)
    assert cached() == before


def test_a_cache_outside_needs_the_other_projects(tmp_path, project, git, add, gc):
    shared = tmp_path / "shared"
    shared.mkdir()
    (project / ".dvc" / "cache").symlink_to(shared)
    other = tmp_path / "other"
    git("init", "-q", other)
    make_project(other, git)
    (other / ".dvc/config").write_text(f"[cache]\n    dir = {shared}\n")
    theirs = add(other, "theirs.bin", "theirs")
    add(project, "garbage.bin", "garbage")
    (project / "garbage.bin.dvc").unlink()
    for words in ([], ["--force"]):
        assert "lies outside of the repository, and others may use it: name their folders with `--projects DIR…`" in gc(
            *words, status=2
        )
    assert "not a Git repository" in gc("--projects", tmp_path, status=2)
    assert "to delete it: exptrack gc --force --projects ../other" in gc("--projects", "../other")
    gc("--force", "--projects", other)
    assert objects(shared) == {theirs}


def test_all_projects_of_a_repository_count(project, git, add, cached, gc):
    inner = project / "inner"
    inner.mkdir()
    make_project(inner, git)
    (inner / ".dvc/config").write_text(f"[cache]\n    dir = {project}/.dvc/cache\n")
    used = add(inner, "data.bin", "data")
    gc("--force")
    assert cached() == {used}
    gc("--force", cwd=inner)
    assert cached() == {used}


def test_a_project_in_a_subfolder_is_found_from_inside(repository, git, add, gc):
    inner = repository / "inner"
    inner.mkdir()
    make_project(inner, git)
    add(inner, "data.bin", "data")
    (inner / "data.bin.dvc").unlink()
    assert f"there is no DVC project at {repository}" in gc(cwd=repository, status=2)
    assert f"deleted 1 object (4 B) from {inner}/.dvc/cache" in gc("--force", cwd=inner)


def test_nothing_goes_while_dvc_works(project, add, cached, gc):
    import zc.lockfile

    add(project, "data.bin", "data")
    (project / "data.bin.dvc").unlink()
    (project / ".dvc/tmp").mkdir()
    before = cached()
    lock = zc.lockfile.LockFile(str(project / ".dvc/tmp/lock"))
    try:
        assert "another process works with DVC in" in gc("--force", status=2)
    finally:
        lock.close()
    assert cached() == before
    gc("--force")
    assert cached() == set()


def test_without_dvc_there_is_nothing_to_collect(tmp_path, git, gc):
    git("init", "-q", tmp_path / "plain")
    assert "there is no DVC project at" in gc(cwd=tmp_path / "plain", status=2)


def test_json_has_the_same(project, add, gc):
    digest = add(project, "data.bin", "data")
    (project / "data.bin.dvc").unlink()
    found = json.loads(gc("--json"))
    assert (found["objects"], found["size"], found["done"], found["kept"]) == (1, 4, False, 0)
    assert found["largest"] == [{"digest": digest, "size": 4, "path": None}]
