"""A run is a commit on a ref of its month; what is none is named and costs the others nothing."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone

import pytest

from exptrack.analysis.codec import encode_record
from exptrack.backends.git import command
from exptrack.backends.git.repository import find_repository
from exptrack.errors import RepositoryError
from exptrack.model.run import BrokenRun, Record, Run, Status
from exptrack.store import runs

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
PEOPLE = b"author Ada <ada@example.com> 1769860800 +0000\ncommitter Ada <ada@example.com> 1769860800 +0000\n"
ODD = [
    "with space",
    "new\nline",
    'quo"te',
    "ünï",
    "deep/er/x",
    "-dash",
    "end\r",
    "back\\slash",
    os.fsdecode(b"latin-\xe9"),
    ":colon",
    "[glob]*",
]


@pytest.fixture
def repo(repository):
    return find_repository(repository)


@pytest.fixture
def save(repo, git, repository):
    """Write a run on HEAD and point its ref at it; gives the ref and oid."""

    def call(name: str, files: dict[str, bytes] | None = None, started: datetime = START) -> tuple[str, str]:
        record = {runs.RECORD: encode_record(Record(name, Status.COMPLETED, started))}
        head = git("rev-parse", "HEAD", cwd=repository)
        oid = runs.write_run(repo, head, record if files is None else files, f"{name}\n", PEOPLE)
        git("update-ref", ref := runs.ref_of(name, started), oid, cwd=repository)
        return ref, oid

    return call


@pytest.mark.parametrize(
    ("started", "month"),
    [
        (START, "2026-01"),
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), "2026-12"),
        (datetime(2026, 2, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), "2026-01"),
        (datetime(2026, 1, 31, 23, 30, tzinfo=timezone(timedelta(hours=-1))), "2026-02"),
    ],
)
def test_a_run_is_filed_under_the_month_in_which_it_started(started, month):
    assert runs.ref_of("one", started) == f"refs/exptrack/runs/{month}/one"
    assert runs.name_of(f"refs/exptrack/runs/{month}/one") == "one"


def test_a_run_is_its_snapshot_and_what_came_out(repo, save, git, repository):
    ref, oid = save("one", {**dict.fromkeys(ODD, b"x\r\n\0"), "train.py": b"new"})
    head = git("rev-parse", "HEAD", cwd=repository)
    assert git("log", "-1", "--format=%P|%s|%an", ref, cwd=repository) == f"{head}|one|Ada"
    listed = command.split(command.run(repository, "ls-tree", "-r", "-z", "--name-only", oid))
    assert set(listed) == {".gitignore", "params.yaml", "train.py", *ODD}
    changed = command.split(command.run(repository, "diff", "-z", "--name-only", f"{oid}^", oid))
    assert set(changed) == {"train.py", *ODD}
    git("fsck", "--strict", cwd=repository)
    assert git("status", "--porcelain", cwd=repository) == ""


def test_files_come_back_byte_for_byte_and_those_missing_not_at_all(repo, save):
    files = {name: os.fsencode(name) + b"\0" for name in ODD}
    _, oid = save("one", files)
    assert runs.read_files(repo, oid, [*ODD, "nothing", "no\nsuch"]) == files
    assert runs.read_files(repo, oid, []) == {}
    assert runs.read_files(repo, "1" * 40, ODD) == {}


def test_runs_are_listed_oldest_month_first_and_read_back(repo, save):
    for name, month in (("zebra", 1), ("apple", 3), ("mango", 2)):
        save(name, started=START.replace(month=month, day=1))
    listed = runs.list_run_refs(repo)
    read = list(runs.read_runs(repo, listed))
    assert [run.name for run in read] == ["zebra", "mango", "apple"]
    assert all(isinstance(run, Run) for run in read)
    assert {run.ref: run.oid for run in read} == listed
    assert list(runs.list_run_refs(repo, f"{runs.RUNS}2026-02/")) == [f"{runs.RUNS}2026-02/mango"]
    assert list(runs.read_runs(repo, {})) == []


def test_what_is_no_run_is_named_with_the_reason_and_costs_the_others_nothing(repo, save, git, repository):
    expected = {"good": None}
    save("good")
    for name, content, reason in (
        ("broken", b"{", "broken record: not JSON"),
        ("list", b"[]", "broken record: not a mapping"),
        ("future", b'{"schema": 99}', "later version of exptrack (schema 99)"),
        ("other", encode_record(Record("good", Status.COMPLETED, START)), "its record is that of 'good'"),
        ("binary", b"\xff\0", "broken record"),
    ):
        save(name, {runs.RECORD: content})
        expected[name] = reason
    save("empty", {"x": b""})
    expected["empty"] = f"there is no {runs.RECORD} in it"
    git("update-ref", f"{runs.RUNS}2026-01/tree", "HEAD^{tree}", cwd=repository)
    git("update-ref", f"{runs.RUNS}2026-01/blob", "HEAD:train.py", cwd=repository)
    git("tag", "-a", "-m", "x", "v1", "HEAD", cwd=repository)
    git("update-ref", f"{runs.RUNS}2026-01/tag", "refs/tags/v1", cwd=repository)
    expected |= {"tree": "it is no commit", "blob": "it is no commit", "tag": f"there is no {runs.RECORD} in it"}
    for ref in ("elsewhere/good", "2026-01/deep/er", "2026-01/Upper", "2026-01/line\u2028separator"):
        git("update-ref", runs.RUNS + ref, "HEAD", cwd=repository)
        expected[ref.rpartition("/")[2]] = "its ref is not refs/exptrack/runs/<yyyy-mm>/<name>"
    found = {
        runs.name_of(run.ref): run
        for run in runs.read_runs(repo, runs.list_run_refs(repo))
        if isinstance(run, BrokenRun)
    }
    assert found.keys() | {"good"} == expected.keys()
    for name, run in found.items():
        assert expected[name] in run.reason
        assert "\n" not in run.reason
    [good] = [run for run in runs.read_runs(repo, runs.list_run_refs(repo)) if isinstance(run, Run)]
    assert good.name == "good"


def test_an_annotated_tag_on_a_run_reads_as_the_run(repo, save, git, repository):
    ref, oid = save("one")
    git("tag", "-a", "-m", "x", "v1", oid, cwd=repository)
    git("update-ref", ref, "refs/tags/v1", cwd=repository)
    [run] = runs.read_runs(repo, runs.list_run_refs(repo))
    assert run.name == "one"


def test_a_failing_signer_is_named_and_the_unsigned_run_stays(repo, save, git, repository):
    git("config", "gpg.program", "false", cwd=repository)
    _, oid = save("one")
    with pytest.raises(RepositoryError, match=r"^git commit-tree failed: "):
        runs.sign_run(repo, oid, git("rev-parse", f"{oid}^", cwd=repository), "one\n")
    assert [run.oid for run in runs.read_runs(repo, runs.list_run_refs(repo))] == [oid]


LOST = "an object of it is missing from the repository, or broken; `git fsck` tells more"


@pytest.mark.parametrize("part", ["", "^{tree}", f":{runs.RECORD}"])
def test_a_run_with_a_missing_object_is_named_and_costs_the_others_nothing(repo, save, git, repository, part):
    _, good = save("good", {runs.RECORD: encode_record(Record("good", Status.COMPLETED, START)), "x": b"1"})
    _, oid = save("lost", {runs.RECORD: encode_record(Record("lost", Status.COMPLETED, START)), "x": b"2"})
    lost = git("rev-parse", f"{oid}{part}", cwd=repository)
    (repository / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    found = list(runs.read_runs(repo, runs.list_run_refs(repo)))
    assert [one.oid for one in found] == [good, oid]
    assert isinstance(found[0], Run)
    assert found[1] == BrokenRun("lost", oid, found[1].ref, LOST)


def test_what_git_cannot_read_in_a_pack_costs_the_others_nothing(repo, save, git, repository):
    names = [f"run-{number}" for number in range(7)]
    oids = {}
    for name in names:
        padding = os.urandom(3000).hex()
        record = encode_record(Record(name, Status.COMPLETED, START, note=padding))
        oids[name] = save(name, {runs.RECORD: record})[1]
    git("repack", "-a", "-d", "-q", "--window=0", cwd=repository)
    [pack] = (repository / ".git" / "objects" / "pack").glob("*.pack")
    listed = git("verify-pack", "-v", pack, cwd=repository).splitlines()
    blob = git("rev-parse", f"{oids['run-3']}:{runs.RECORD}", cwd=repository)
    [(size, start)] = [(int(line.split()[3]), int(line.split()[4])) for line in listed if line.startswith(blob)]
    pack.chmod(0o644)
    content = bytearray(pack.read_bytes())
    content[start + size // 2] ^= 0xFF
    pack.write_bytes(content)
    found = list(runs.read_runs(repo, runs.list_run_refs(repo)))
    assert [(one.name, isinstance(one, Run)) for one in found] == [(name, name != "run-3") for name in names]


def test_many_records_are_gathered_in_order(repo, save):
    oids = [save(name)[1] for name in ("one", "two", "three")] + ["1" * 40]
    wanted = [oids[number % 4] for number in range(1501)]
    found = runs.gather_records(repo, wanted)
    known = dict(zip(oids, runs.read_records(repo, oids), strict=True))
    assert found == [known[oid] for oid in wanted]
    assert [known[oid] is None for oid in oids] == [False, False, False, True]


def test_a_repository_that_can_read_nothing_is_given_up(repo, save, git, repository):
    _, oid = save("one")
    git("repack", "-a", "-d", "-q", cwd=repository)
    [pack] = (repository / ".git" / "objects" / "pack").glob("*.pack")
    listed = git("verify-pack", "-v", pack, cwd=repository).splitlines()
    blob = git("rev-parse", f"{oid}:{runs.RECORD}", cwd=repository)
    [(size, start)] = [(int(line.split()[3]), int(line.split()[4])) for line in listed if line.startswith(blob)]
    pack.chmod(0o644)
    content = bytearray(pack.read_bytes())
    content[start + size // 2] ^= 0xFF
    pack.write_bytes(content)
    some = list(runs.read_records(repo, [oid] * 3))
    assert [type(one) for one in some] == [RepositoryError] * 3
    for read in (runs.gather_records, lambda *words: list(runs.read_records(*words))):
        with pytest.raises(RepositoryError, match=r"^git cat-file "):
            read(repo, [oid] * 1200)
