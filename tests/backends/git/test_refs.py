"""Refs are created once, moved by compare-and-swap, and a lock that nobody holds costs a moment."""

from __future__ import annotations

import time

import pytest

from exptrack.backends.git.objects import empty_oid
from exptrack.backends.git.refs import create_and_delete, create_ref, delete_ref, find_locks, list_refs, move_ref
from exptrack.backends.git.repository import find_repository
from exptrack.errors import RepositoryError

REF = "refs/exptrack/runs/2026-01/one"


@pytest.fixture
def commits(repository, git):
    tree = git("rev-parse", "HEAD^{tree}", cwd=repository)
    return [git("commit-tree", "-m", str(number), tree, cwd=repository) for number in range(9)]


def test_a_ref_is_created_once(repo, commits):
    assert create_ref(repo, REF, commits[0], "record one")
    assert not create_ref(repo, REF, commits[1], "record one")
    assert not create_ref(repo, REF, commits[0], "record one")
    assert list_refs(repo, REF) == {REF: commits[0]}


def test_of_eight_processes_exactly_one_creates_a_ref(repo, commits, at_once):
    code = f"print(*(refs.create_ref(repo, f'{REF}-{{i}}', {commits!r}[number], 'x') for i in range(10)))"
    answers = [answer.split() for answer in at_once(code)]
    listed = list_refs(repo, "refs/exptrack/")
    for i in range(10):
        [winner] = [number for number, answer in enumerate(answers) if answer[i] == "True"]
        assert listed[f"{REF}-{i}"] == commits[winner]
    assert {word for answer in answers for word in answer} == {"True", "False"}


def test_of_eight_processes_exactly_one_moves_a_ref_from_each_place(repo, commits, at_once):
    create_ref(repo, REF, commits[8], "x")
    answers = at_once(f"print(refs.move_ref(repo, {REF!r}, {commits!r}[number], {commits[8]!r}, 'x'))")
    assert sorted(answers) == ["False"] * 7 + ["True"]
    assert list_refs(repo, REF)[REF] == commits[answers.index("True")]


def test_a_lost_race_is_told_from_a_lock_in_the_way(repo, repository, commits):
    create_ref(repo, REF, commits[0], "x")
    assert not move_ref(repo, REF, commits[2], commits[1], "x")
    lock = repository / ".git" / f"{REF}.lock"
    lock.touch()
    with pytest.raises(RepositoryError, match=rf"^{REF} cannot be written: .*\.lock': File exists") as caught:
        move_ref(repo, REF, commits[1], commits[0], "x")
    assert "\n" not in str(caught.value)
    assert not move_ref(repo, REF, commits[2], commits[1], "x"), "a lost race stays one, lock or not"
    lock.unlink()
    assert move_ref(repo, REF, commits[1], commits[0], "x")


def test_an_object_that_is_not_there_is_named(repo):
    with pytest.raises(RepositoryError, match=r"cannot be written: .*nonexistent object"):
        create_ref(repo, REF, "1" * 40, "x")


def test_a_ref_that_stands_where_a_folder_is_needed_is_named(repo, commits):
    create_ref(repo, REF, commits[0], "x")
    with pytest.raises(RepositoryError, match=rf"^{REF}/below cannot be written: .*'{REF}' exists"):
        create_ref(repo, f"{REF}/below", commits[0], "x")


def test_refs_are_listed_by_prefix_in_the_order_of_names(repo, commits):
    for name in ("2026-02/a", "2026-01/z", "2026-01/b"):
        create_ref(repo, f"refs/exptrack/runs/{name}", commits[0], "x")
    assert list(list_refs(repo, "refs/exptrack/runs/")) == [
        f"refs/exptrack/runs/{name}" for name in ("2026-01/b", "2026-01/z", "2026-02/a")
    ]
    assert list(list_refs(repo, "refs/exptrack/runs/2026-02/", "refs/heads/")) == [
        "refs/exptrack/runs/2026-02/a",
        "refs/heads/main",
    ]
    assert list_refs(repo, "refs/exptrack/none/") == {}
    assert list_refs(repo, "refs/exptrack/runs/2026-01/b") == {"refs/exptrack/runs/2026-01/b": commits[0]}


def test_a_ref_made_by_hand_with_an_odd_name_hides_no_other(repo, repository, git, commits):
    for name in ("a", "line\u2028separator", "ünï"):
        git("update-ref", f"refs/exptrack/runs/2026-01/{name}", commits[0], cwd=repository)
    assert len(list_refs(repo, "refs/exptrack/runs/")) == 3


def test_packed_refs_are_listed_moved_and_deleted_as_loose_ones(repo, repository, git, commits):
    create_ref(repo, REF, commits[0], "x")
    git("pack-refs", "--all", cwd=repository)
    assert list_refs(repo, REF) == {REF: commits[0]}
    assert not create_ref(repo, REF, commits[1], "x")
    assert move_ref(repo, REF, commits[1], commits[0], "x")
    git("pack-refs", "--all", cwd=repository)
    assert delete_ref(repo, REF, commits[1])
    assert list_refs(repo, REF) == {}


def test_a_ref_is_deleted_only_from_where_it_was_seen(repo, commits):
    create_ref(repo, REF, commits[0], "x")
    assert not delete_ref(repo, REF, commits[1])
    assert list_refs(repo, REF) == {REF: commits[0]}
    assert delete_ref(repo, REF, commits[0])
    assert not delete_ref(repo, REF, commits[0])


def test_a_stale_lock_of_packed_refs_costs_a_delete_a_moment_and_creating_nothing(repo, repository, git, commits):
    create_ref(repo, REF, commits[0], "x")
    git("pack-refs", "--all", cwd=repository)
    lock = repository / ".git" / "packed-refs.lock"
    assert find_locks(repo) == []
    lock.touch()
    assert find_locks(repo) == [lock]
    started = time.monotonic()
    git("config", "core.packedRefsTimeout", "60000", cwd=repository)
    assert not delete_ref(repo, REF, commits[0])
    assert time.monotonic() - started < 60, "git's own setting would have had it wait a minute"
    assert list_refs(repo, REF) == {REF: commits[0]}
    assert create_ref(repo, f"{REF}-more", commits[0], "x")
    lock.unlink()
    assert delete_ref(repo, REF, commits[0])


def test_what_a_killed_git_left_beside_packed_refs_is_found(repo, repository):
    (repository / ".git" / "packed-refs.new").touch()
    assert find_locks(repo) == [repository / ".git" / "packed-refs.new"]


def test_refs_of_a_linked_worktree_are_those_of_all(repo, repository, git, commits, tmp_path):
    git("worktree", "add", "--quiet", "-b", "other", tmp_path / "linked", cwd=repository)
    assert create_ref(find_repository(tmp_path / "linked"), REF, commits[0], "x")
    assert list_refs(repo, REF) == {REF: commits[0]}


def test_zeros_are_as_long_as_the_oids(tmp_path, git, repo):
    git("init", "--quiet", "--object-format=sha256", tmp_path / "new")
    assert (len(empty_oid(repo)), len(empty_oid(find_repository(tmp_path / "new")))) == (40, 64)


def test_a_ref_is_created_and_another_deleted_or_only_created(repo, repository, git, commits):
    active = "refs/exptrack/active/one"
    create_ref(repo, active, commits[0], "x")
    assert create_and_delete(repo, (REF, commits[1]), (active, commits[0]), "record one") == (True, True)
    assert list_refs(repo, "refs/exptrack/") == {REF: commits[1]}
    create_ref(repo, active, commits[0], "x")
    assert create_and_delete(repo, (REF, commits[2]), (active, commits[0]), "record one") == (False, False)
    assert list_refs(repo, "refs/exptrack/") == {REF: commits[1], active: commits[0]}
    assert create_and_delete(repo, (f"{REF}-2", commits[2]), (active, commits[5]), "record one") == (True, False)
    git("pack-refs", "--all", cwd=repository)
    (repository / ".git" / "packed-refs.lock").touch()
    assert create_and_delete(repo, (f"{REF}-3", commits[2]), (active, commits[0]), "record one") == (True, False)
    assert list_refs(repo, "refs/exptrack/") == {
        REF: commits[1], f"{REF}-2": commits[2], f"{REF}-3": commits[2], active: commits[0],
    }  # fmt: skip
