"""The index says what Git says, whatever was done to the refs, the notes or the file itself since it was opened last."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from indexed import START, Look, point, save, save_many

from exptrack.backends.git.notes import list_notes
from exptrack.backends.git.repository import find_identity, find_repository
from exptrack.model.annotation import AnnotationKind
from exptrack.model.run import Links, Status
from exptrack.store import annotation
from exptrack.store.index import place
from exptrack.store.index.file import opened, reopened

ANEW = "the index is damaged, of another version, or another user's: it is built anew"
ODD = "odd \udcff\0'\"?\n"


@pytest.fixture
def repo(repository):
    return find_repository(repository)


def annotate(repo, oid, kind=AnnotationKind.TAG, value="best", removes=()):
    ada = find_identity(repo)
    one = annotation.make(kind, value, ada, removes)
    annotation.add_to(repo, ada, [(oid, one)])
    return one


def look_again(repo, before: Look, *, is_new: bool = False, is_less: bool = False) -> Look:
    """Open it, which changes it; then it stays as it is."""
    is_damaged = is_new and before.path.exists()
    now = Look(repo)
    assert (now.is_used, now.told) == (True, [ANEW] if is_damaged else [])
    assert (before.seal in now.seals) == (not is_new and not is_less)
    assert is_new or now.inode == before.inode
    stamp = now.path.stat().st_mtime_ns
    after = Look(repo)
    assert (after.seal, after.told) == (now.seal, [])
    assert after.path.stat().st_mtime_ns == stamp, "what is fresh is not written again"
    return now


def test_without_runs_nothing_is_made(repo):
    look = Look(repo)
    assert (look.is_used, look.told) == (False, [])
    assert not (repo.shared / place.INDEX).exists()


def test_every_value_comes_back_as_it_was(repo):
    values = {
        "big": 2**63, "small": -(2**70), "nan": float("nan"), "inf": float("-inf"), "zero": -0.0, "true": True, "whole": 1, "float": 1.0,
        "none": {}, "list": [], "deep": {"a": [1, {"b": 2.5}], "a.b": 3}, ODD: 1,
    }  # fmt: skip
    params = {
        **{key: value for key, value in values.items() if key not in {"nan", "inf"}},
        "text": ODD,
        "empty": "",
        "null": None,
        "é": "é",
    }
    save(
        repo, "full", status=Status.FAILED, ended=START + timedelta(microseconds=7), duration=0.1, author=ODD, host="é", command=("a b", ODD),
        branch=ODD, experiment="e", seed=2**64, note=ODD, tags=(ODD, "x", "x"), params={"params.yaml": params, "args": {"whole": 2}},
        metrics=values, sealed=("holdout.accuracy", ODD), links=Links("one", "two", "three", "four"),
    )  # fmt: skip
    save(repo, "bare")
    save(
        repo,
        "late",
        seed=ODD,
        duration=3,
        params={"args": {"text": 1, "big": 1.5}},
        started=START + timedelta(days=900),
    )
    look = Look(repo)
    assert look.is_used
    with opened(repo) as index:
        odd = "SELECT name FROM keys WHERE odd = 1 ORDER BY name"
        found = [name for (name,) in index.connection.execute(odd)]
    assert found == ["metrics.big", "metrics.small", "params.big", "params.small", "seed"]


def test_runs_that_come_move_and_go_are_read_once(repo):
    saved = save_many(repo, 4)
    first = Look(repo)
    assert first.tasks == [], "a bar for four runs would be noise"
    save_many(repo, 3, "more")
    second = look_again(repo, first)
    point(repo, saved[0][0], None)
    third = look_again(repo, second, is_less=True)
    _, other = save(repo, "run-1", metrics={"loss": 1}, sealed=("test",), tags=("x",), seed=3)
    fourth = look_again(repo, third, is_less=True)
    point(repo, saved[1][0], saved[1][1])
    fifth = look_again(repo, fourth, is_less=True)
    point(repo, saved[0][0], saved[0][1])
    point(repo, saved[1][0], other)
    point(repo, saved[2][0].replace("2026-01", "2027-01"), saved[2][1])
    sixth = look_again(repo, fifth, is_less=True)
    for ref, _ in saved:
        point(repo, ref, None)
    look_again(repo, sixth, is_less=True)


def test_an_id_is_never_given_to_another_run(repo):
    saved = save_many(repo, 3)
    with opened(repo) as index:
        before = {row for (row,) in index.connection.execute("SELECT id FROM runs")}
    for ref, _ in saved[1:]:
        point(repo, ref, None)
    assert index.seal not in Look(repo).seals
    for ref, oid in saved[1:]:
        point(repo, ref, oid)
    with opened(repo) as index:
        after = {row for (row,) in index.connection.execute("SELECT id FROM runs")}
    assert len(after) == 3
    assert max(before) < max(after)
    assert len(after & before) == 1


def test_annotations_are_those_that_stand_now(repo, git):
    saved = save_many(repo, 3)
    save(repo, "tagged", tags=("first", "second"), note="why")
    first = Look(repo)
    tag = annotate(repo, saved[0][1])
    annotate(repo, saved[0][1], AnnotationKind.NOTE, f"a note\n{ODD}")
    second = look_again(repo, first)
    annotate(repo, saved[0][1], AnnotationKind.TAG, "other")
    annotate(repo, saved[0][1], AnnotationKind.REMOVAL, None, (tag.id,))
    annotate(repo, saved[1][1], AnnotationKind.TOMBSTONE, None)
    annotate(repo, git("rev-parse", "HEAD", cwd=repo.top))
    third = look_again(repo, second)
    git("update-ref", "refs/before", annotation.NOTES, cwd=repo.top)
    point(repo, annotation.NOTES, None)
    fourth = look_again(repo, third)
    git("update-ref", annotation.NOTES, "refs/before", cwd=repo.top)
    fifth = look_again(repo, fourth)
    late = save(repo, "late")
    annotate(repo, late[1])
    sixth = look_again(repo, fifth)
    point(repo, late[0], None)
    seventh = look_again(repo, sixth, is_less=True)
    point(repo, late[0], late[1])
    look_again(repo, seventh)


def test_notes_that_two_clones_merged_are_read_again(repo, git, tmp_path):
    [(_, oid), _] = save_many(repo, 2)
    annotate(repo, oid, value="here")
    before = Look(repo)
    git("clone", "--quiet", repo.top, tmp_path / "clone")
    there = find_repository(tmp_path / "clone")
    git("fetch", "--quiet", "origin", f"{annotation.NOTES}:{annotation.NOTES}", cwd=there.top)
    annotate(there, oid, value="there")
    annotate(repo, oid, value="again")
    git("fetch", "--quiet", there.top, f"+{annotation.NOTES}:refs/notes/other", cwd=repo.top)
    git(
        "notes",
        f"--ref={annotation.NOTES}",
        "merge",
        "--quiet",
        "-s",
        "cat_sort_uniq",
        "refs/notes/other",
        cwd=repo.top,
    )
    look_again(repo, before)
    with opened(repo) as index:
        assert {tag for (tag,) in index.connection.execute("SELECT tag FROM tags")} == {"here", "there", "again"}


def hide(repo, oid: str) -> tuple[Path, Path]:
    """Take a loose object out of the repository; gives from where, and where it is."""
    path = repo.common_dir / "objects" / oid[:2] / oid[2:]
    hidden = repo.top / "hidden"
    path.rename(hidden)
    return path, hidden


def test_a_note_that_is_lost_is_looked_for_at_every_opening(repo, git):
    [(_, oid), _] = save_many(repo, 2)
    annotate(repo, oid)
    git("config", "transfer.unpackLimit", "1000", cwd=repo.top)
    before = Look(repo)
    annotate(repo, oid, value="second")
    path, hidden = hide(repo, list_notes(repo, annotation.NOTES)[oid])
    lost = look_again(repo, before)
    assert lost.lost == {oid}
    hidden.rename(path)
    found = look_again(repo, lost)
    assert found.lost == frozenset()
    hide(repo, list_notes(repo, annotation.NOTES)[oid])
    (repo.shared / place.INDEX).unlink()
    assert look_again(repo, found, is_new=True).lost == {oid}


def test_a_broken_run_is_read_again_until_it_is_mended_without_its_ref_being_moved(repo, git):
    save_many(repo, 2)
    before = Look(repo)
    ref, oid = save(repo, "mended", tags=("x",))
    save(repo, "other", b"{")
    point(repo, "refs/exptrack/runs/2026-01/elsewhere", oid)
    point(repo, "refs/exptrack/runs/2026-01/no/name-\udcff", oid)
    point(repo, "refs/exptrack/runs/2026-02/no-commit", git("rev-parse", "HEAD^{tree}", cwd=repo.top))
    path, hidden = hide(repo, git("rev-parse", f"{oid}:.exptrack/run.json", cwd=repo.top))
    broken = look_again(repo, before)
    assert [one.name for one in broken.broken] == ["elsewhere", "mended", "name-\udcff", "other", "no-commit"]
    hidden.rename(path)
    mended = look_again(repo, broken)
    assert ref not in {one.ref for one in mended.broken}
    assert len(mended.broken) == 4
    path, hidden = hide(repo, git("rev-parse", f"{oid}:.exptrack/run.json", cwd=repo.top))
    (repo.shared / place.INDEX).unlink()
    assert len(look_again(repo, mended, is_new=True).broken) == 5


def test_a_run_that_is_found_broken_when_it_is_annotated_is_taken_out(repo, git):
    [(ref, oid), _] = save_many(repo, 2)
    before = Look(repo)
    annotate(repo, oid)
    hide(repo, git("rev-parse", f"{oid}:.exptrack/run.json", cwd=repo.top))
    assert [one.ref for one in look_again(repo, before, is_less=True).broken] == [ref]


def test_many_runs_are_told_how_far_they_are(repo, monkeypatch):
    from exptrack.store.index import changing

    monkeypatch.setattr(changing, "_MANY", 5)
    monkeypatch.setattr(changing, "_STEP", 2)
    save_many(repo, 5)
    look = Look(repo)
    assert (look.tasks, look.done, look.ended) == ([("indexing runs", 5)], 4, 1)


@pytest.mark.parametrize(("chunk", "together"), [(1, 50), (2, 2), (100, 2), (100, 3)])
def test_many_are_written_in_parts(repo, monkeypatch, chunk, together):
    from exptrack.store.index import writing

    monkeypatch.setattr(writing, "_CHUNK", chunk)
    monkeypatch.setattr(writing, "_TOGETHER", together)
    save_many(repo, 5)
    save(repo, "other", seed=1, metrics={"x": 2**65, ODD: 1}, tags=("x",))
    save(repo, "later", seed="1", metrics={"x": 0.5, "y": float("nan")})
    assert Look(repo).is_used


@pytest.mark.parametrize("share", [0, 1, 100, 4096, 0.3, 0.5, 0.99])
def test_a_truncated_file_is_made_anew(repo, share):
    save_many(repo, 3)
    before = Look(repo)
    size = before.path.stat().st_size
    os.truncate(before.path, int(share * size) if isinstance(share, float) else share)
    look_again(repo, before, is_new=True)


def test_a_deleted_file_is_made_anew(repo):
    save_many(repo, 2)
    before = Look(repo)
    before.path.unlink()
    second = look_again(repo, before, is_new=True)
    shutil.rmtree(repo.shared)
    look_again(repo, second, is_new=True)


def test_noise_in_the_file_is_noticed_wherever_it_is(repo):
    save_many(repo, 3)
    look = Look(repo)
    size = look.path.stat().st_size
    for begin, noise in (
        (0, os.urandom(size)),
        (size // 2, b"x"),
        (24, b"\0"),
        (size - 1, b"y"),
        (size, b"more"),
        (0, b""),
    ):
        with look.path.open("r+b") as file:
            file.seek(begin)
            file.write(noise)
            if not noise:
                file.truncate(size)
                os.utime(look.path)
        look = look_again(repo, look, is_new=True)


def test_what_is_damaged_behind_a_seal_that_holds_is_made_anew_or_left_alone(repo):
    saved = save_many(repo, 40)
    look = Look(repo)
    seal = look.path.stat().st_mtime_ns
    size = look.path.stat().st_size
    with look.path.open("r+b") as file:
        for page in range(4096, size, 4096):
            file.seek(page)
            file.write(b"\xff" * 100)
    os.utime(look.path, ns=(seal, seal))
    point(repo, saved[0][0], None)
    with opened(repo) as index:
        assert index is None or index.seal != look.seal


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE meta SET value = 99 WHERE name = 'version'", "UPDATE meta SET value = 'x' WHERE name = 'seal'", "DELETE FROM meta", "DROP TABLE meta",
        "UPDATE meta SET value = value + 2 WHERE name = 'seal'",
    ],
)  # fmt: skip
def test_one_of_another_version_or_seal_is_made_anew(repo, change):
    save_many(repo, 2)
    before = Look(repo)
    stamp = before.path.stat().st_mtime_ns
    with sqlite3.connect(before.path) as connection:
        connection.execute(change)
    connection.close()
    os.utime(before.path, ns=(stamp, stamp))
    look_again(repo, before, is_new=True)


def test_what_is_no_file_is_left_alone_with_a_line(repo):
    save_many(repo, 2)
    (repo.shared / place.INDEX).mkdir(parents=True)
    look = Look(repo)
    assert (look.is_used, look.told) == (
        False,
        [f"the index is not used: {repo.shared / place.INDEX} is a folder: remove it"],
    )


def test_where_nothing_can_be_written_git_is_read_with_a_line(repo):
    save_many(repo, 2)
    shutil.rmtree(repo.shared)
    repo.shared.write_text("a file where the folder should be")
    look = Look(repo)
    assert not look.is_used
    [told] = look.told
    assert told.startswith("the index is not used: ")
    assert "\n" not in told


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_in_a_folder_that_is_read_only_it_is_used_while_it_is_fresh(repo):
    saved = save_many(repo, 2)
    before = Look(repo)
    repo.shared.chmod(0o555)
    before.path.chmod(0o444)
    try:
        again = Look(repo)
        assert (again.is_used, again.seal, again.told) == (True, before.seal, [])
        point(repo, saved[0][0], None)
        stale = Look(repo)
        assert not stale.is_used
        assert len(stale.told) == 1
    finally:
        repo.shared.chmod(0o755)


@pytest.mark.parametrize("value", ["1", "yes"])
def test_it_can_be_turned_off(repo, monkeypatch, value):
    save_many(repo, 1)
    monkeypatch.setenv("EXPTRACK_NO_INDEX", value)
    look = Look(repo)
    assert (look.is_used, look.told) == (False, ["the index is not used: EXPTRACK_NO_INDEX is set"])
    assert not (repo.shared / place.INDEX).exists()


@pytest.mark.parametrize("value", ["", "0"])
def test_nothing_and_0_leave_it_on(repo, monkeypatch, value):
    save_many(repo, 1)
    monkeypatch.setenv("EXPTRACK_NO_INDEX", value)
    assert Look(repo).is_used


def test_on_a_network_file_system_nothing_is_written(repo, monkeypatch, tmp_path):
    from exptrack.store.index import mounts

    save_many(repo, 1)
    listed = tmp_path / "mountinfo"
    listed.write_text("22 1 252:0 / / rw,relatime shared:1 - nfs4 server:/ rw\n")
    monkeypatch.setattr(mounts, "_MOUNTS", listed)
    look = Look(repo)
    assert (look.is_used, len(look.told)) == (False, 1)
    assert "nfs4" in look.told[0]
    assert not (repo.shared / place.INDEX).exists()
    assert not (repo.shared / place.LOCK).exists()


def test_while_another_process_writes_it_git_is_read_with_a_line(repo, monkeypatch):
    monkeypatch.setattr(place, "_PATIENCE", 0.1)
    save_many(repo, 2)
    before = Look(repo)
    with (repo.shared / place.LOCK).open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert Look(repo).is_used, "what is fresh is read without the lock"
        save(repo, "late")
        look = Look(repo)
        assert (look.is_used, look.told) == (False, ["the index is not used: another process is writing it"])
    look_again(repo, before)


def test_who_still_reads_holds_back_who_writes_and_loses_nothing(repo, monkeypatch):
    monkeypatch.setattr(place, "_PATIENCE", 0.1)
    save_many(repo, 2)
    with opened(repo) as index:
        save(repo, "late")
        look = Look(repo)
        assert (look.is_used, look.told) == (False, ["the index is not used: database is locked"])
        assert index.connection.execute("SELECT count(*) FROM runs").fetchone() == (2,)
    after = Look(repo)
    assert index.seal in after.seals


def test_leftovers_of_killed_writers_are_removed(repo):
    save_many(repo, 2)
    before = Look(repo)
    for name in (f"{place.INDEX}.0123456789ab", f"{place.INDEX}.0123456789ab-journal", f"{place.INDEX}-journal"):
        (repo.shared / name).write_bytes(b"half")
    before.path.unlink()
    look_again(repo, before, is_new=True)
    assert [path.name for path in repo.shared.glob("index*")] == [place.INDEX]


def test_it_is_opened_again_as_long_as_no_row_can_be_gone(repo):
    saved = save_many(repo, 2)
    with opened(repo) as index:
        pass
    known = (index.path, index.seal)
    save(repo, "late")
    annotate(repo, saved[0][1])
    Look(repo)
    with reopened(*known) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (3,)
    with reopened(index.path, index.seal + 1) as connection:
        assert connection is None
    point(repo, saved[0][0], None)
    look = Look(repo)
    with reopened(*known) as connection:
        assert connection is None
    os.truncate(index.path, 100)
    with reopened(look.path, look.seal) as connection:
        assert connection is None
    shutil.rmtree(repo.shared)
    with reopened(*known) as connection:
        assert connection is None
    assert not repo.shared.exists(), "nothing is made in order to look"


def test_a_folder_with_any_name_can_hold_it(tmp_path, git):
    folder = tmp_path / "50% of it? #1 é '\""
    git("init", "--quiet", folder)
    git("commit", "--quiet", "--allow-empty", "-m", "first", cwd=folder)
    repo = find_repository(folder)
    save_many(repo, 2)
    assert Look(repo).is_used
    assert (folder / ".git" / "exptrack" / place.INDEX).is_file()


def test_the_oids_of_sha256_are_as_good(tmp_path, git):
    git("init", "--quiet", "--object-format=sha256", tmp_path / "long")
    git("commit", "--quiet", "--allow-empty", "-m", "first", cwd=tmp_path / "long")
    repo = find_repository(tmp_path / "long")
    saved = save_many(repo, 2)
    before = Look(repo)
    annotate(repo, saved[0][1])
    point(repo, saved[1][0], None)
    look_again(repo, before, is_less=True)


LISTING = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from exptrack.backends.git.repository import find_repository
from indexed import Look
repo = find_repository(Path({top!r}))
print("ready", flush=True)
sys.stdin.readline()
for _ in range({times}):
    look = Look(repo)
    assert look.is_used or "another process" in look.told[0] or "locked" in look.told[0], look.told
"""


def start_listing(repo, times: int) -> subprocess.Popen[str]:
    code = LISTING.format(paths=[str(Path(__file__).parents[2])], top=str(repo.top), times=times)
    return subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_many_that_build_it_at_once_all_have_it_whole(repo):
    save_many(repo, 30)
    children = [start_listing(repo, 1) for _ in range(3)]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        _, said = child.communicate(timeout=120)
        assert (child.returncode, said) == (0, "")
    assert Look(repo).is_used
    assert [path.name for path in repo.shared.glob("index*")] == [place.INDEX]


@pytest.mark.parametrize("is_there", [False, True], ids=["amid a build", "amid a refresh"])
def test_a_kill_at_any_moment_costs_nothing(repo, is_there):
    save_many(repo, 20)
    if is_there:
        Look(repo)
    begin = time.monotonic()
    child = start_listing(repo, 1)
    child.stdin.write("go\n")
    child.stdin.flush()
    assert child.wait(timeout=120) == 0
    lasted = time.monotonic() - begin
    for stream in (child.stdin, child.stdout, child.stderr):
        stream.close()
    for step in range(8):
        if is_there:
            save(repo, f"new-{step}", metrics={"x": step})
        else:
            (repo.shared / place.INDEX).unlink(missing_ok=True)
        child = start_listing(repo, 1)
        assert child.stdout.readline() == "ready\n"
        child.stdin.write("go\n")
        child.stdin.flush()
        time.sleep(lasted / 3 * step / 8)
        child.kill()
        child.communicate(timeout=120)
        look = Look(repo)
        assert (look.is_used, look.told) == (True, [])
