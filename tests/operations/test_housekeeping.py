"""Loose refs and objects stay few, however many runs are recorded, and nobody waits for it."""

import fcntl
import os
import threading
import time

import pytest

from exptrack.operations.record import record
from exptrack.operations.recording.housekeeping import tidy_in_background
from exptrack.operations.recording.request import Request
from exptrack.project import Project

PATIENCE = 60.0


@pytest.fixture
def project(repository):
    (repository / ".git" / "exptrack").mkdir()  # as after the first run
    return Project(repository)


def count_refs(repository):
    return sum(len(files) for _, _, files in os.walk(repository / ".git" / "refs" / "exptrack" / "runs"))


def count_objects(repository):
    walked = os.walk(repository / ".git" / "objects")  # over folders that go meanwhile, too
    return sum(len(files) for folder, _, files in walked if len(os.path.basename(folder)) == 2)  # noqa: PTH119


def make_objects(git, repository, number):
    """So many loose objects that nothing refers to."""
    paths = []
    (repository / "many").mkdir()
    for one in range(number):
        path = repository / "many" / str(one)
        path.write_text(f"{one}\n")
        paths.append(str(path))
    git("hash-object", "-w", "--stdin-paths", cwd=repository, stdin="\n".join(paths))


def make_refs(git, repository, number, month="2026-01"):
    head = git("rev-parse", "HEAD", cwd=repository)
    lines = "".join(f"create refs/exptrack/runs/{month}/run-{one} {head}\n" for one in range(number))
    git("update-ref", "--stdin", cwd=repository, stdin=lines)


def wait_until(holds):
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "nobody tidied up"
        time.sleep(0.05)


def is_locked(repository):
    with (repository / ".git" / "exptrack" / "tidy.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_many_runs_leave_few_loose_files(project, repository, git):
    for _ in range(130):
        assert record(project.context, Request(("true",), repository, dict(os.environ))).finished
    wait_until(lambda: not is_locked(repository))
    assert count_refs(repository) < 100
    assert count_objects(repository) < 1000
    assert len(git("for-each-ref", "refs/exptrack/runs", cwd=repository).splitlines()) == 130
    git("fsck", "--no-dangling", cwd=repository)


def test_refs_of_another_month_count(project, repository, git):
    make_refs(git, repository, 60, "2026-01")
    make_refs(git, repository, 60, "2026-02")
    tidy_in_background(project.context.repository)
    wait_until(lambda: count_refs(repository) == 0)


def test_many_objects_of_few_runs_are_packed_and_none_is_lost(project, repository, git):
    make_objects(git, repository, 4000)
    tidy_in_background(project.context.repository)
    wait_until(lambda: count_objects(repository) == 0)
    assert git("cat-file", "blob", git("hash-object", "--stdin", cwd=repository, stdin="7\n"), cwd=repository) == "7"


def test_few_are_left_alone(project, repository, git):
    make_refs(git, repository, 60)
    tidy_in_background(project.context.repository)
    assert not (repository / ".git" / "exptrack" / "tidy.lock").exists()


def test_one_process_tidies_at_a_time(project, repository, git):
    make_refs(git, repository, 120)
    with (repository / ".git" / "exptrack" / "tidy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tidy_in_background(project.context.repository)
    # Had it begun, it would hold the lock, or be done.
    assert not is_locked(repository)
    assert count_refs(repository) == 120
    tidy_in_background(project.context.repository)
    wait_until(lambda: count_refs(repository) == 0)


def test_objects_are_left_alone_where_git_is_told_so(project, repository, git):
    git("config", "gc.auto", "0", cwd=repository)
    before = count_objects(repository)
    make_refs(git, repository, 120)
    tidy_in_background(project.context.repository)
    wait_until(lambda: count_refs(repository) == 0 and not is_locked(repository))
    assert count_objects(repository) == before


def test_objects_that_another_repository_lends_are_not_taken_over(repository, git, tmp_path):
    clone = tmp_path / "clone"
    git("clone", "--quiet", "--shared", repository, clone)
    (clone / ".git" / "exptrack").mkdir()
    make_refs(git, clone, 120)
    git("commit", "--quiet", "--allow-empty", "-m", "own", cwd=clone)
    tidy_in_background(Project(clone).context.repository)
    wait_until(lambda: count_objects(clone) == 0 and not is_locked(clone))
    assert git("count-objects", "-v", cwd=clone).splitlines()[2] == "in-pack: 1"


def test_objects_that_cannot_be_packed_are_not_tried_with_every_run(project, repository, git):
    make_objects(git, repository, 4000)
    shared = repository / ".git" / "exptrack"
    (shared / "tidy.lock").touch()
    tidy_in_background(project.context.repository)
    assert not is_locked(repository)
    os.utime(shared / "tidy.lock", (0, time.time() - 3600))
    tidy_in_background(project.context.repository)
    wait_until(lambda: count_objects(repository) == 0)


def test_a_run_that_ends_while_refs_are_packed_waits_for_it(project, repository, git):
    packed = repository / ".git" / "packed-refs.lock"
    with (repository / ".git" / "exptrack" / "tidy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        packed.touch()
        release = threading.Timer(1.0, packed.unlink)
        release.start()
        recorded = record(project.context, Request(("true",), repository, dict(os.environ)))
        release.join()
    assert recorded.finished
    assert not recorded.finished.warnings
    assert git("for-each-ref", "refs/exptrack/active", cwd=repository) == ""
