"""Wherever a pointer is, its data is used."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from exptrack.backends.git.repository import find_repository
from exptrack.errors import RepositoryError
from exptrack.operations import usage
from exptrack.operations.usage import find_repositories, find_used

_UNREADABLE = ("crypt.dvc", "latin.dvc", "lfs.dvc")


@pytest.fixture
def pointer(repository):
    """Write a pointer file of its own to `folder`, and give its digest."""

    def write(name: str, folder: Path = repository) -> str:
        digest = hashlib.md5(name.encode()).hexdigest()
        path = folder / f"{name}.dvc"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(f"outs:\n- md5: {digest}\n  size: 4\n  hash: md5\n  path: {Path(name).name}\n")
        return digest

    return write


@pytest.fixture
def commit(git, repository, pointer):
    """Commit a pointer file of its own, and give its digest."""

    def call(name: str, folder: Path = repository) -> str:
        digest = pointer(name, folder)
        git("add", ".", cwd=folder)
        git("commit", "-qm", name, cwd=folder)
        return digest

    return call


@pytest.fixture
def forget(git, repository):
    """What only a reflog of HEAD or of a branch knows is known no more."""

    def call() -> None:
        git("reflog", "expire", "--expire=now", "HEAD", "main", cwd=repository)

    return call


@pytest.fixture
def used(repository):
    return lambda **options: find_used(find_repository(repository), **options).digests


def test_what_any_commit_ever_named_is_used_whatever_the_user_has_set(git, repository, commit, used):
    git("config", "log.showRoot", "false", cwd=repository)
    git("config", "diff.relative", "true", cwd=repository)
    git("config", "log.follow", "true", cwd=repository)
    git("checkout", "-q", "--orphan", "other", cwd=repository)
    root = commit("sub/odd näme\n")
    git("checkout", "-q", "main", cwd=repository)
    old = commit("data")
    git("rm", "-q", "data.dvc", cwd=repository)
    git("commit", "-qm", "gone", cwd=repository)
    assert used() == {root, old}


def test_a_side_that_was_merged_and_whose_branch_is_gone_is_used(git, repository, commit, used, forget):
    git("checkout", "-qb", "side", cwd=repository)
    one, two = commit("a"), commit("b")
    git("rm", "-q", "b.dvc", cwd=repository)
    git("commit", "-qm", "without b", cwd=repository)
    git("checkout", "-q", "main", cwd=repository)
    git("commit", "-q", "--allow-empty", "-m", "on", cwd=repository)
    git("merge", "-q", "--no-ff", "--no-commit", "side", cwd=repository)
    git("rm", "-qf", "a.dvc", cwd=repository)
    git("commit", "-qm", "merged, without a", cwd=repository)
    git("branch", "-qD", "side", cwd=repository)
    forget()
    assert used() == {one, two}


def test_what_only_a_merge_itself_names_is_used_however_the_user_has_merges_shown(git, repository, pointer, used):
    git("checkout", "-qb", "side", cwd=repository)
    git("commit", "-q", "--allow-empty", "-m", "side", cwd=repository)
    git("checkout", "-q", "main", cwd=repository)
    git("commit", "-q", "--allow-empty", "-m", "main", cwd=repository)
    git("merge", "-q", "--no-ff", "--no-commit", "side", cwd=repository)
    digest = pointer("data")
    git("add", ".", cwd=repository)
    git("commit", "-qm", "merged", cwd=repository)
    git("branch", "merged", cwd=repository)
    git("reset", "-q", "--hard", "HEAD~1", cwd=repository)
    for manner in ("separate", "combined", "off"):
        git("config", "log.diffMerges", manner, cwd=repository)
        assert used() == {digest}


def test_stashes_are_used_also_older_ones_and_what_git_does_not_track_in_them(git, repository, pointer, used, forget):
    older = pointer("older")
    git("stash", "-uq", cwd=repository)
    newer = pointer("newer")
    git("add", ".", cwd=repository)
    git("stash", "-q", cwd=repository)
    forget()
    assert used() == {older, newer}
    git("stash", "drop", "-q", cwd=repository)
    assert used() == {older}


def test_other_work_trees_are_used_head_index_and_files(tmp_path, git, repository, commit, pointer, used):
    tree = tmp_path / "tree"
    git("worktree", "add", "-q", "--detach", tree, cwd=repository)
    head = commit("head", tree)
    staged = pointer("staged", tree)
    git("add", ".", cwd=tree)
    (tree / "staged.dvc").unlink()
    untracked = pointer("untracked", tree)
    (tree / ".gitignore").write_text("hidden/\n")
    ignored = pointer("hidden/ignored", tree)
    assert used() == {head, staged, untracked, ignored}
    shutil.rmtree(tree)
    git("reflog", "expire", "--expire=now", "HEAD", cwd=repository)
    assert used() == {head, staged}


def test_what_is_staged_is_used_and_what_lies_there_changed(git, repository, pointer, used):
    staged = pointer("data")
    git("add", ".", cwd=repository)
    file = repository / "data.dvc"
    file.write_text(file.read_text().replace(staged, "0" * 32))
    assert used() == {staged, "0" * 32}


def test_conflicts_are_used_on_all_sides(git, repository, commit, used, forget):
    base = commit("data")
    git("checkout", "-qb", "side", cwd=repository)
    file = repository / "data.dvc"
    ours, theirs = "1" * 32, "2" * 32
    for branch, digest in (("side", theirs), ("main", ours)):
        git("checkout", "-q", branch, cwd=repository)
        file.write_text(file.read_text().replace(base, digest))
        git("commit", "-qam", digest, cwd=repository)
    with pytest.raises(AssertionError):
        git("merge", "-q", "side", cwd=repository)
    assert used() == {base, ours, theirs}
    git("add", ".", cwd=repository)  # with the marks of the conflict in it
    git("commit", "-qm", "not solved", cwd=repository)
    git("branch", "-D", "side", cwd=repository)
    assert {ours, theirs} <= used()


def test_tags_and_hidden_refs_are_used(git, repository, commit, used, forget):
    digests = {}
    for name in ("tag", "run", "trash", "active", "remote", "tree", "odd"):
        git("checkout", "-q", "--detach", "main", cwd=repository)
        digests[name] = commit(name)
        if name == "run":  # in its snapshot, and not in its own commit
            git("rm", "-q", "run.dvc", cwd=repository)
            git("commit", "-qm", "run", cwd=repository)
        tip = "HEAD^{tree}" if name == "tree" else "HEAD"
        if name in {"tag", "tree"}:
            git("tag", "-a", "-m", name, name, tip, cwd=repository)
            git("tag", "-a", "-m", "of a tag", f"{name}-2", name, cwd=repository)
            git("tag", "-d", name, cwd=repository)
        else:
            folder = {
                "run": "exptrack/runs/2026-01",
                "trash": "exptrack/trash/20260101",
                "active": "exptrack/active",
                "remote": "remotes/origin",
            }
            git("update-ref", f"refs/{folder.get(name, 'odd')}/{name}", "HEAD", cwd=repository)
    git("checkout", "-q", "main", cwd=repository)
    forget()
    assert used() == set(digests.values())
    trash = "refs/exptrack/trash/20260101/trash"
    assert used(without=[trash]) == set(digests.values()) - {digests["trash"]}
    also = git("rev-parse", trash, cwd=repository)
    assert used(without=[trash], also=[also]) == set(digests.values())


def test_what_is_amended_away_is_used_as_long_as_a_reflog_knows_it(git, repository, commit, used, forget):
    digest = commit("data")
    git("rm", "-q", "data.dvc", cwd=repository)
    git("commit", "-q", "--amend", "--allow-empty", "-m", "without", cwd=repository)
    assert used() == {digest}
    forget()
    assert used() == frozenset()


def test_a_run_under_way_uses_what_its_journal_names(repository, used):
    journal = repository / ".git" / "exptrack" / "active" / "one"
    journal.mkdir(parents=True)
    (journal / "found-large.json").write_text('{"model.bin": {"md5": "' + "a" * 32 + '"}}')
    (journal / "output-head").write_text("b" * 32)
    assert used() == {"a" * 32}


@pytest.fixture
def try_git(repository):
    """Run git in the repository, which stops at a conflict."""

    def call(*words: str) -> None:
        done = subprocess.run(["git", *words], cwd=repository, capture_output=True, check=False)
        assert done.returncode == 1

    return call


@pytest.fixture
def side(git, repository, commit):
    """A branch whose last commit, in conflict with that of `main`, removes the data whose digest this is."""
    git("checkout", "-qb", "side", cwd=repository)
    digest = commit("data")
    for branch in ("side", "main"):
        git("checkout", "-q", branch, cwd=repository)
        git("rm", "-q", "--ignore-unmatch", "data.dvc", cwd=repository)
        (repository / "params.yaml").write_text(f"lr: {branch}\n")
        git("commit", "-qam", branch, cwd=repository)
    return digest


@pytest.mark.parametrize("command", ["merge", "cherry-pick"])
def test_what_git_merges_or_picks_just_now_is_used(git, repository, side, try_git, used, forget, command):
    try_git(command, "side")
    git("branch", "-qD", "side", cwd=repository)
    forget()
    assert used() == {side}


def test_what_a_rebase_has_put_aside_is_used(git, repository, side, pointer, try_git, used):
    git("checkout", "-q", "side", cwd=repository)
    aside = pointer("aside")
    git("add", ".", cwd=repository)
    try_git("rebase", "--autostash", "main")
    assert not (repository / "aside.dvc").exists()
    assert used() == {side, aside}


def test_the_refs_of_another_work_tree_are_used(git, tmp_path, repository, commit, used):
    tree = tmp_path / "tree"
    git("worktree", "add", "-q", "--detach", tree, cwd=repository)
    for ref in ("bisect/bad", "worktree/own"):
        git("checkout", "-q", "main", "--detach", cwd=tree)
        commit(ref.replace("/", "-"), tree)
        git("update-ref", f"refs/{ref}", "HEAD", cwd=tree)
    git("checkout", "-q", "main", "--detach", cwd=tree)
    git("reflog", "expire", "--expire=now", "--all", cwd=repository)
    found = used()
    assert len(found) == 2
    assert find_used(find_repository(tree)).digests == found


def test_what_was_fetched_last_is_used_as_far_as_git_still_has_it(git, tmp_path, repository, commit, used):
    git("init", "-q", "other")
    old, new = (commit(name, tmp_path / "other") for name in ("old", "new"))
    git("fetch", "-q", tmp_path / "other", "HEAD", cwd=repository)
    assert used() == {old, new}
    gone = git("rev-parse", "FETCH_HEAD~1", cwd=repository)
    (repository / ".git" / "objects" / gone[:2] / gone[2:]).unlink()
    assert used() == frozenset()


def test_before_the_first_commit_index_work_tree_and_reflog_are_used(git, tmp_path, pointer, commit):
    folder = tmp_path / "new"
    git("init", "-q", folder)
    lost = commit("lost", folder)
    git("rm", "-q", "lost.dvc", cwd=folder)
    git("commit", "-qm", "without", cwd=folder)
    git("update-ref", "-d", "HEAD", cwd=folder)
    here = pointer("here", folder)
    assert find_used(find_repository(folder)).digests == {lost, here}
    (folder / ".git" / "logs" / "HEAD").unlink()
    assert find_used(find_repository(folder)).digests == {here}


def test_what_moves_meanwhile_is_found_at_one_of_its_places(git, repository, pointer, monkeypatch):
    real = usage.list_history
    popped = pointer("popped")
    git("stash", "-uq", cwd=repository)

    def list_then_move(*arguments, **options):
        git("stash", "pop", "-q", cwd=repository)
        found = real(*arguments, **options)
        (repository / "stashed.dvc").unlink()
        return found

    stashed = pointer("stashed")
    monkeypatch.setattr(usage, "list_history", list_then_move)
    assert find_used(find_repository(repository)).digests == {popped, stashed}


def test_locks_records_and_listings_in_a_pointer_are_read(git, repository, used):
    one, two, three, member = ("1" * 32, "2" * 32 + ".dir", "3" * 32, "4" * 32)
    (repository / "dvc.lock").write_text(
        f"stages:\n  train:\n    deps: [{{path: a, md5: {one}}}]\n    outs:\n    - {{path: b, md5: {two}}}\n"
    )
    (repository / "Dvcfile").write_text(f"outs: [{{path: old, md5: {'6' * 32}}}]\n")
    (repository / ".exptrack").mkdir()
    (repository / ".exptrack" / "run.json").write_text(f'{{"outputs": [{{"digest": "{three}"}}], "oid": "{"5" * 40}"}}')
    (repository / "cloud.dvc").write_text(
        f"outs:\n- path: cloud\n  hash: md5\n  files:\n  - relpath: a\n    md5: {member}\n    cloud: {{r: {{etag: x}}}}\n"
    )
    git("add", ".", cwd=repository)
    found = used()
    named = {one, two, three, member, "6" * 32}
    assert named < found
    [listing] = found - named
    assert listing.endswith(".dir")


def test_what_cannot_be_read_is_named(git, repository):
    (repository / "crypt.dvc").write_bytes(b"\0GITCRYPT\0abc")
    (repository / "lfs.dvc").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\n")
    (repository / "latin.dvc").write_bytes(b"# \xe9\n")
    (repository / "gone.dvc").symlink_to("nowhere")
    git("add", ".", cwd=repository)
    found = find_used(find_repository(repository))
    staged = {f"{git('hash-object', name, cwd=repository)[:10]} ({name})" for name in _UNREADABLE}
    assert set(found.unreadable) == {*staged, *(str(repository / name) for name in _UNREADABLE)}


def test_a_history_that_is_not_whole_is_an_error(git, repository, commit):
    commit("data")
    oid = git("rev-parse", "HEAD^{tree}", cwd=repository)
    (repository / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    with pytest.raises(RepositoryError):
        find_used(find_repository(repository))


def test_a_shallow_clone_uses_what_it_has(tmp_path, git, repository, commit):
    old, new = commit("old"), commit("new")
    git("clone", "-q", "--depth", "1", f"file://{repository}", tmp_path / "clone")
    assert find_used(find_repository(tmp_path / "clone")).digests == {old, new}


def test_experiments_of_dvc_under_way_count(git, repository):
    experiments = repository / ".dvc/tmp/exps"
    (experiments / "broken/.git").mkdir(parents=True)
    (repository / ".dvc/config").touch()
    for place in ("standalone/one", "two"):
        git("clone", "-q", repository, experiments / place)
    found = find_repositories(find_repository(repository), [])
    assert {one.top for one in found} == {repository, experiments / "standalone/one", experiments / "two"}


def test_submodules_count_and_what_is_no_repository_is_an_error(tmp_path, git, repository):
    inner = tmp_path / "inner"
    git("init", "-q", inner)
    git("commit", "-q", "--allow-empty", "-m", "inner", cwd=inner)
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner, "sub", cwd=repository)
    own = find_repository(repository)
    found = find_repositories(own, [inner, inner])
    assert [one.top.name for one in found] == ["project", "inner", "sub"]
    with pytest.raises(RepositoryError, match="not a Git repository"):
        find_repositories(own, [tmp_path])
