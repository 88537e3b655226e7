"""Nothing that is used is ever collected, and all that is not is: random histories, two clones, kill -9."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from enemy import Enemy
from garbage import Oracle, Walk, add_data, check_whole, closure, gc, git, make_project, objects

from exptrack.backends import dvc
from exptrack.backends.dvc import objects as dvc_objects
from exptrack.backends.dvc.collecting import delete, list_objects
from exptrack.backends.dvc.config import Cache
from exptrack.errors import DataError, RepositoryError
from exptrack.model.data import Pointer
from exptrack.model.run import Run
from exptrack.operations import annotate
from exptrack.project import Project


@pytest.mark.parametrize("seed", range(4))
def test_a_random_history_keeps_what_it_uses_and_nothing_else(repository, seed):
    project = make_project(repository)
    walk = Walk(project, seed)
    cache = project / ".dvc" / "cache"
    deleted = 0
    for _ in range(10):
        for _ in range(8):
            walk.step()
        walk.churn()
        deleted += gc(project).objects
        check_whole(cache, walk.used())
    assert deleted > 5


@pytest.fixture
def clones(tmp_path, repository):
    """Two clones with a bare Git remote and a DVC remote in common."""
    store = tmp_path / "store"
    store.mkdir()
    project = make_project(repository)
    (project / ".dvc" / "config").write_text(f"[core]\n    remote = store\n['remote \"store\"']\n    url = {store}\n")
    git(project, "commit", "-qam", "a remote")
    git(tmp_path, "clone", "-q", "--bare", project, "bare.git")
    git(project, "remote", "add", "origin", tmp_path / "bare.git")
    git(tmp_path, "clone", "-q", "bare.git", "other")
    return (project, tmp_path / "other"), tmp_path / "bare.git", store


def _push(walk: Walk) -> None:
    """Data first, then refs; what the other has pushed is not overwritten, since each has names of its own."""
    sent = dvc.push(walk.project, sorted(walk.oracle.pointers("--all")))
    assert not sent.missing
    own = walk.project.name
    specs = [f"+refs/{kind}/*:refs/{kind}/{own}/*" for kind in ("heads", "tags", "exptrack/runs")]
    git(walk.project, "push", "-q", "--prune", "origin", *specs)


@pytest.mark.parametrize("seed", range(2))
def test_two_clones_collect_one_remote_and_keep_what_either_has_pushed(clones, seed):
    projects, bare, store = clones
    walks = [Walk(project, seed * 2 + number) for number, project in enumerate(projects)]
    shared = Oracle(bare)
    chance = random.Random(seed)
    deleted = 0
    for _ in range(10):
        walk = chance.choice(walks)
        for _ in range(8):
            walk.step()
        _push(walk)
        walk.churn()
        _push(walk)
        collector = chance.choice(walks)
        there = objects(store)
        deleted += gc(collector.project, remote="store").objects
        own = closure(collector.project / ".dvc" / "cache", collector.used())
        check_whole(store, shared.pointers("--all"), own & there)
    assert deleted > 5


def test_data_whose_refs_are_still_to_come_stays(clones):
    (one, two), _, store = clones
    pointer = add_data(two, "data.bin", "data")
    dvc.push(two, [pointer])
    assert gc(one, days=13, remote="store").young == 1
    assert objects(store) == {pointer.digest}
    assert gc(one, days=15, remote="store").objects == 1


def test_without_all_git_remotes_nothing_is_collected_in_a_remote(clones):
    (one, two), bare, store = clones
    dvc.push(two, [add_data(two, "data.bin", "data")])
    refs = git(one, "for-each-ref")
    bare.rename(bare.with_name("moved.git"))
    with pytest.raises(
        RepositoryError, match="nothing was deleted, since what the Git remote 'origin' uses is not known"
    ):
        gc(one, remote="store")
    bare.with_name("moved.git").rename(bare)
    assert len(objects(store)) == 1
    gc(one, remote="store")
    assert (objects(store), git(one, "for-each-ref")) == (set(), refs)
    assert not (one / ".git" / "FETCH_HEAD").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("url = ../nowhere", "there is no .*/nowhere, which the remote 'odd' is: mount it"),
        ("url = https://127.0.0.1:1/store", "cannot list what it holds"),
        ("url = s3://bucket/store\n    version_aware = true", "keeps files and not hashes"),
    ],
)
def test_a_remote_that_cannot_be_listed_is_refused(repository, settings, said):
    project = make_project(repository)
    (project / ".dvc" / "config").write_text(f"['remote \"odd\"']\n    {settings}\n")
    with pytest.raises(DataError, match=said):
        gc(project, remote="odd")
    assert not (project / "nowhere").exists()
    with pytest.raises(DataError, match="no remote 'none'"):
        gc(project, remote="none")


def test_what_is_used_again_while_garbage_is_deleted_stays(repository, monkeypatch):
    monkeypatch.setattr(dvc_objects, "_YOUNG", 0)
    project = make_project(repository)
    cache = Cache(project / ".dvc" / "cache")
    pointers = {add_data(project, f"{number}.bin", f"content {number}") for number in range(300)}
    time.sleep(0.05)  # of a clock that ticks every 4 ms
    before = time.time()
    found = list(list_objects(cache))
    thread = Thread(target=delete, args=(cache, found, before, lambda _: None))
    thread.start()
    for pointer in sorted(pointers, reverse=True):
        dvc.add_to_cache(project, project / pointer.path, project)
    thread.join()
    assert objects(cache.folder) == {pointer.digest for pointer in pointers}


_GC = """
import sys, time
from pathlib import Path
from garbage import gc
import exptrack.operations.collect, exptrack.backends.dvc.collecting
import dvc.config, dvc.lock
print("ready", flush=True)
sys.stdin.readline()
gc(Path(sys.argv[1]), **({"remote": sys.argv[2]} if sys.argv[2:] else {}))
print("done", flush=True)
"""


@contextmanager
def _collecting(project: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process that begins to collect now; it is ended, and waited for, in the end."""
    command = [sys.executable, "-c", _GC, str(project), *words]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=Path(__file__).parent, text=True, **pipes) as child:
        assert child.stdout.readline() == "ready\n"
        child.stdin.write("\n")
        child.stdin.flush()
        yield child


def _collect(project: Path, *words: str) -> float:
    """Collect to the end; how many seconds that took."""
    begun = time.monotonic()
    with _collecting(project, *words) as child:
        assert child.wait() == 0
    return time.monotonic() - begun


def _litter(place: Path) -> None:
    for count in range(500):
        name = f"{count:032x}"
        (place / "files/md5" / name[:2]).mkdir(parents=True, exist_ok=True)
        (place / "files/md5" / name[:2] / name[2:]).touch()


@pytest.mark.parametrize("words", [(), ("store",)])
def test_a_kill_at_any_instant_loses_nothing_that_is_used(clones, words):
    (project, _), _, store = clones
    place = store if words else project / ".dvc" / "cache"
    walk = Walk(project, 1)
    for _ in range(20):
        walk.step()
    _push(walk)
    gc(project, remote="store") if words else gc(project)
    used = objects(place)
    chance = random.Random(0)
    _litter(place)
    took = _collect(project, *words)
    killed = 0
    for number in range(10):
        _litter(place)
        with _collecting(project, *words) as child:
            if number % 2:  # as soon as something is gone
                while child.poll() is None and (place / "files/md5/00" / f"{chance.randrange(500):030x}").exists():
                    time.sleep(0.001)
            else:
                time.sleep(chance.uniform(0, took))
            child.kill()
        killed += child.returncode == -signal.SIGKILL
        assert used <= objects(place)
        if sys.platform != "linux":  # where its mark keeps others out for ten minutes
            shutil.rmtree(store / "exptrack", ignore_errors=True)
    assert killed > 0
    _collect(project, *words)
    assert objects(place) == used
    git(project, "fsck", "--connectivity-only")


def _record_run(folder: Path, name: str, pointer: Pointer) -> Run:
    fields = {"outputs": [{"path": pointer.path, "digest": pointer.digest, "algorithm": "md5"}]}
    Enemy(folder).run(name, fields)
    (folder / f"{pointer.path}.dvc").unlink(missing_ok=True)
    return Project(folder).run(name)


def test_the_policy_drops_runs_and_not_names_and_asks_all_remotes_for_tags(clones):
    (one, two), _, store = clones
    own, namesake, tagged = (add_data(two, f"{name}.bin", name) for name in ("own", "namesake", "tagged"))
    dvc.push(two, [own, namesake, tagged])
    _record_run(one, "same", own)
    _record_run(two, "same", namesake)
    run = _record_run(two, "tagged", tagged)
    git(two, "push", "-q", "origin", "refs/exptrack/*:refs/exptrack/*")
    git(one, "fetch", "-q", "origin", f"{run.ref}:{run.ref}")
    annotate.tag(Project(two).context, [run], ["paper"])
    git(two, "push", "-q", "origin", "refs/notes/exptrack")
    (one / "exptrack.yaml").write_text("keep: {data: tag = paper}\n")
    assert gc(one, days=60, remote="store").losing == ("same",)
    assert objects(store) == {namesake.digest, tagged.digest}


def test_what_was_pushed_to_another_url_than_one_fetches_from_is_used(clones):
    (one, _), bare, store = clones
    git(one, "clone", "-q", "--bare", bare, bare.with_name("mirror.git"))
    git(one, "remote", "set-url", "origin", bare.with_name("mirror.git"))
    git(one, "remote", "set-url", "--push", "origin", bare)
    pointer = add_data(one, "data.bin", "data")
    dvc.push(one, [pointer])
    run = _record_run(one, "run", pointer)
    git(one, "push", "-q", "origin", run.ref)
    git(one, "update-ref", "-d", run.ref)
    gc(one, remote="store")
    assert objects(store) == {pointer.digest}


def test_a_shallow_clone_does_not_know_what_a_remote_is_used_for(clones, tmp_path):
    (one, _), bare, store = clones
    pointer = add_data(one, "data.bin", "data")
    dvc.push(one, [pointer])
    git(one, "add", ".")
    git(one, "commit", "-qm", "data")
    git(one, "rm", "-q", "data.bin.dvc")
    git(one, "commit", "-qm", "no data")
    git(one, "push", "-q", "origin", "HEAD")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{bare}", "shallow")
    with pytest.raises(RepositoryError, match=r"is a shallow clone, .*: `git fetch --unshallow`"):
        gc(tmp_path / "shallow", remote="store")
    git(tmp_path / "shallow", "fetch", "-q", "--unshallow")
    gc(tmp_path / "shallow", remote="store")
    assert objects(store) == {pointer.digest}


def test_a_hostile_run_is_in_nobodys_way(repository):
    project = make_project(repository)
    _record_run(project, "evil", Pointer("../x", "../../../etc.dir"))
    (project / "exptrack.yaml").write_text("keep: {data: tag = paper}\n")
    pointer = add_data(project, "data.bin", "data")
    (project / "data.bin.dvc").unlink()
    assert gc(project, days=60).largest[0].digest == pointer.digest
