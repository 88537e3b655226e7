"""What somebody, or some other program, may do around the index: no answer changes, and nobody is stuck."""

from __future__ import annotations

import os
import shutil
import stat
import threading
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from indexed import START, Look, point, save, save_many

from exptrack.backends.git.repository import find_repository
from exptrack.errors import RecordError
from exptrack.operations import listing
from exptrack.project import Project
from exptrack.store.index import indexrows, place

NOBODY = 65534


@pytest.fixture
def repo(repository):
    return find_repository(repository)


@pytest.fixture
def both(exptrack):
    """What a command says with the index, which is what it says without."""

    def ask(*words):
        found = [exptrack(*words, env={**os.environ, "EXPTRACK_NO_INDEX": value}) for value in ("0", "1")]
        said, plain = [(one.returncode, one.stdout, one.stderr) for one in found]
        assert said == plain
        return said

    return ask


def save_monthly(repo, number):
    return [
        save(repo, f"run-{place}", started=START + timedelta(days=31 * place), metrics={"a": place})
        for place in range(number)
    ]


def test_runs_that_are_filed_under_a_wrong_month_are_listed_alike(repo, both):
    saved = save_monthly(repo, 5)
    for ref, oid, month in ((*saved[4], "2020-01"), (*saved[0], "2027-01")):
        point(repo, ref, None)
        point(repo, f"refs/exptrack/runs/{month}/{ref.rpartition('/')[2]}", oid)
    for number in range(1, 7):
        both("ls", "--csv", "--columns=name", "-n", str(number))
    both("log", "--oneline", "-n", "1")
    both("ls", "--csv", "--columns=name", "-n", "2", "--since", "2026-03-01")


def test_broken_runs_are_named_in_one_order(repo, both):
    saved = save_monthly(repo, 4)
    for month in ("2026-01", "2026-03", "2026-04"):
        for name in ("b", "a"):
            point(repo, f"refs/exptrack/runs/{month}/{name}", saved[0][1])
    for words in (["ls"], ["ls", "-n", "2"], ["ls", "-n", "4"], ["ls", "--since", "2026-03-01"]):
        assert "cannot be read" in both(*words)[2]


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 10**30])
def test_any_number_of_runs_can_be_asked_for(repo, number):
    save_many(repo, 2)
    assert len(Project(repo.top).runs(number=number)) == 2


def test_objects_that_are_replaced_are_read_as_git_reads_them(repo, git, monkeypatch):
    [(ref, old), *_] = save_many(repo, 2)
    before = Look(repo)
    new = save(repo, "run-0", metrics={"accuracy": 77})[1]
    point(repo, ref, old)
    git("replace", old, new, cwd=repo.top)
    during = Look(repo)
    assert before.seal not in during.seals
    assert [*Project(repo.top).runs("metrics.accuracy = 77").rows.column("name")] == ["run-0"]
    save(repo, "late")
    assert during.seal in Look(repo).seals, "what is replaced stays so"
    with monkeypatch.context() as patch:
        patch.setenv("GIT_NO_REPLACE_OBJECTS", "1")
        assert [*Project(repo.top).runs("name = run-0").rows.column("metrics.accuracy")] == [0.0]
    assert [*Project(repo.top).runs("name = run-0").rows.column("metrics.accuracy")] == [77]
    git("replace", "-d", old, cwd=repo.top)
    assert during.seal not in Look(repo).seals


def test_a_run_whose_objects_have_gone_is_named_once_and_the_others_are_listed_then(repo, both, exptrack):
    saved = save_many(repo, 3)
    assert both("log", "--oneline")[0] == 0
    oid = saved[1][1]
    (repo.common_dir / "objects" / oid[:2] / oid[2:]).unlink()
    said = exptrack("ls", "--json")
    assert (said.returncode, said.stdout) == (2, "")
    assert "the run run-1 cannot be read" in said.stderr
    assert "run this again" in said.stderr
    for words in (["ls", "--json"], ["log"], ["ls"]):
        status, out, told = both(*words)
        assert (status, "run-1" in out, "'run-1' cannot be read" in told) == (0, False, True)


def test_runs_are_picked_as_often_as_they_are_asked_for(repo):
    save_many(repo, 3)
    runs = Project(repo.top).runs()
    picked = runs.pick([2, 0, 0, 1, 2])
    names = ["run-0", "run-2", "run-2", "run-1", "run-0"]
    assert [run.name for run in picked] == [picked[place].name for place in range(5)] == names
    assert [run.name for run in runs[::-2]] == ["run-0", "run-2"]
    assert runs[-1].name == "run-0"


def test_threads_that_share_runs_each_get_their_own(repo, monkeypatch):
    monkeypatch.setattr(listing, "_CHUNK", 2)
    save_many(repo, 6)
    runs = Project(repo.top).runs()
    wrong = []

    def read(first):
        for step in range(6):
            asked = (first + 2 * step) % 6
            if runs[asked].name != f"run-{5 - asked}":
                wrong.append(asked)

    threads = [threading.Thread(target=read, args=(first,)) for first in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("is_sealed", [False, True])
def test_a_pipe_in_the_place_of_the_index_is_not_waited_for(repo, is_sealed):
    save_many(repo, 2)
    look = Look(repo)
    seal = look.path.stat().st_mtime_ns
    look.path.unlink()
    os.mkfifo(look.path)
    if is_sealed:
        os.utime(look.path, ns=(seal, seal))
    assert Look(repo).is_used
    assert stat.S_ISREG(look.path.stat().st_mode)


def test_ctrl_c_amid_a_query_ends_it(repo, monkeypatch):
    from exptrack.store.index import sql

    def interrupt(*_):
        raise KeyboardInterrupt

    save_many(repo, 2)
    monkeypatch.setattr(sql, "fnmatchcase", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Project(repo.top).runs("name ~ 'run-*'")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files that belong to others")
def test_an_index_that_is_somebody_elses_is_replaced_by_who_may(repo, git, monkeypatch):
    save_many(repo, 2)
    Look(repo)
    save(repo, "late")
    Look(repo)  # all modules are loaded now
    save(repo, "later")
    git("pack-refs", "--all", cwd=repo.top)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    with TemporaryDirectory() as place_of_all:
        folder = Path(place_of_all) / "project"
        shutil.copytree(repo.top, folder)
        theirs = find_repository(folder)
        kept = {theirs.shared / place.INDEX, theirs.shared / place.LOCK}
        for path in (folder.parent, folder, *folder.rglob("*")):
            if path not in kept:
                os.chown(path, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        try:
            look = Look(theirs)
        finally:
            os.seteuid(0)
        assert (look.is_used, len(look.told), look.path.stat().st_uid) == (True, 1, NOBODY)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_cannot_be_written_is_replaced(repo):
    save_many(repo, 2)
    look = Look(repo)
    look.path.chmod(0o444)
    save(repo, "late")
    assert Look(repo).is_used


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is another user everywhere")
def test_root_leaves_no_folder_in_somebody_elses_repository(repo):
    save_many(repo, 2)
    shutil.rmtree(repo.shared)
    os.chown(repo.common_dir, NOBODY, NOBODY)
    look = Look(repo)
    assert not look.is_used
    assert "root" in look.told[0]
    assert not repo.shared.exists()


def test_a_record_that_cannot_be_read_any_more_is_an_error_that_names_it(repo, monkeypatch):
    [(_, oid), _] = save_many(repo, 2)
    runs = Project(repo.top).runs()
    (repo.common_dir / "objects" / oid[:2] / oid[2:]).unlink()
    monkeypatch.setattr(place, "unseal", lambda path: False)
    with pytest.raises(RecordError, match="EXPTRACK_NO_INDEX=1"):
        list(runs)


def test_for_many_columns_of_few_runs_these_are_read_whole_once(repo, monkeypatch):
    metrics = {f"m{number}": number for number in range(400)}
    for name in ("one", "two"):
        save(repo, name, metrics=metrics)
    opened = []
    reopened = indexrows.reopened
    monkeypatch.setattr(indexrows, "reopened", lambda *place: opened.append(place) or reopened(*place))
    rows = Project(repo.top).runs().rows
    assert [[*rows.column(f"metrics.{key}")] for key in metrics] == [[value] * 2 for value in metrics.values()]
    assert len(opened) < 200


def test_a_number_of_more_than_64_bits_that_is_gone_is_in_no_way(repo):
    save(repo, "small", metrics={"a": 3})
    large = save(repo, "large", metrics={"a": 2**70})[0]
    told = []
    project = Project(repo.top, verbose=told.append)
    assert [*project.runs("metrics.a > 3").rows.column("name")] == ["large"]
    assert len(told) == 1
    point(repo, large, None)
    assert [*project.runs("metrics.a > 2").rows.column("name")] == ["small"]
    assert len(told) == 1


def test_rows_are_not_taken_from_a_backup_that_came_back_and_gives_their_numbers_to_others(repo):
    save_many(repo, 2)
    look = Look(repo)
    backup = shutil.copy2(look.path, repo.top / "backup")
    gone = save(repo, "gone", metrics={"accuracy": 7})[0]
    rows = Project(repo.top).runs("name = gone").rows
    shutil.copy2(backup, look.path)
    point(repo, gone, None)
    save(repo, "other", metrics={"accuracy": 8})
    assert Look(repo).is_used
    assert [*rows.column("metrics.accuracy")] == [7]


def test_runs_that_were_removed_and_pruned_meanwhile_leave_the_index_as_it_is(repo):
    [(ref, oid), _] = save_many(repo, 2)
    runs = Project(repo.top).runs()
    point(repo, ref, None)
    (repo.common_dir / "objects" / oid[:2] / oid[2:]).unlink()
    look = Look(repo)
    with pytest.raises(RecordError, match="the run run-0 cannot be read"):
        list(runs)
    assert Look(repo).seal == look.seal
