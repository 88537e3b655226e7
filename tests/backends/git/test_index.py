"""Copies of the index know what git knows, take any path, and never touch the user's. Snapshots are in tests/store."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from exptrack.backends.git.index import (
    Entry,
    clear_flags,
    copy_index,
    find_head,
    is_dirty_submodule,
    is_tracked,
    list_changed,
    list_entries,
    list_tree,
    reset_entries,
    signature,
    survey,
    take_in,
    take_out,
)
from exptrack.errors import RepositoryError

ODD = ["new\nline.py", "with space.py", 'quo"te.py', "ünï.py", "-dash.py", ":colon.py", "[glob]*.py", "tab\t.py"]
if sys.platform != "darwin":  # where file names are UTF-8
    ODD.append(os.fsdecode(b"latin-\xe9.py"))


@pytest.fixture
def mine(repo, tmp_path):
    copy_index(repo.index_file, tmp_path / "mine")
    return tmp_path / "mine"


def test_a_copy_has_the_signature_of_its_source_until_git_writes_one_of_them(repo, mine, repository):
    assert signature(mine) == signature(repo.index_file)
    (repository / "new.py").write_text("x")
    assert take_in(repo, mine, ["new.py"]) == {}
    assert signature(mine) != signature(repo.index_file)
    copy_index(mine.with_name("nothing"), mine)
    assert not mine.exists()
    assert signature(mine) == "none"


def test_odd_paths_are_taken_in_listed_and_taken_out(repo, mine, repository):
    for name in ODD:
        (repository / name).write_text(name[0])
    before = repo.index_file.read_bytes()
    assert take_in(repo, mine, ODD) == {}
    assert set(ODD) <= set(list_entries(repo, mine)[0])
    assert list_changed(repo, mine) == []
    for name in ODD:
        (repository / name).write_text("changed")
    assert list_changed(repo, mine) == sorted(ODD)
    take_out(repo, mine, ODD[1:])
    assert set(ODD) & set(list_entries(repo, mine)[0]) == {ODD[0]}
    assert repo.index_file.read_bytes() == before


def test_entries_carry_mode_oid_stage_and_flags(repo, mine, repository, git):
    oid = git("rev-parse", "HEAD:train.py", cwd=repository)
    git("update-index", "--assume-unchanged", "train.py", cwd=repository)
    git("update-index", "--skip-worktree", "params.yaml", cwd=repository)
    copy_index(repo.index_file, mine)
    by_path = {entry.path: entry for entry in list_entries(repo, mine)[1]}
    assert by_path["train.py"] == Entry("train.py", "100644", oid, 0, "h")
    assert by_path["params.yaml"].tag == "S"
    (repository / "train.py").write_text("hidden")
    assert list_changed(repo, mine) == []
    clear_flags(repo, mine, ["train.py", "params.yaml"])
    assert list_changed(repo, mine) == ["train.py"]
    assert list_entries(repo, mine)[1] == []


def test_one_bad_file_of_many_costs_only_itself(repo, mine, repository, git):
    (repository / ".gitattributes").write_text("*.bad filter=broken\n")
    git("config", "filter.broken.clean", "false", cwd=repository)
    git("config", "filter.broken.required", "true", cwd=repository)
    names = [f"{number}.py" for number in range(20)] + ["a.bad", "z.bad"]
    for name in names:
        (repository / name).write_text("x")
    refused = take_in(repo, mine, names)
    assert set(refused) == {"a.bad", "z.bad"}
    assert all("\n" not in reason and "fatal" not in reason for reason in refused.values())
    assert {f"{number}.py" for number in range(20)} <= set(list_entries(repo, mine)[0])


def test_a_file_that_vanished_is_taken_out(repo, mine, repository):
    (repository / "train.py").unlink()
    assert list_changed(repo, mine) == ["train.py"]
    assert take_in(repo, mine, ["train.py", "never there.py"]) == {}
    assert "train.py" not in set(list_entries(repo, mine)[0])


def test_a_tree_is_looked_up_by_path_also_for_thousands(repo, repository, git):
    names = [f"secret {number}.key" for number in range(450)] + ODD
    for name in names:
        (repository / name).write_text(name[0])
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "many", cwd=repository)
    found = list_tree(repo, "HEAD", [*names, "nowhere.key"])
    assert found.keys() == set(names)
    assert found["secret 7.key"] == ("100644", git("rev-parse", "HEAD:secret 7.key", cwd=repository))
    assert list_tree(repo, "HEAD", []) == {}


def test_entries_are_put_back_as_they_were_committed(repo, mine, repository):
    (repository / "train.py").write_text("edited")
    committed = list_tree(repo, "HEAD", ["train.py"])
    take_in(repo, mine, ["train.py"])
    assert list_changed(repo, mine) == []
    reset_entries(repo, mine, [(mode, oid, path) for path, (mode, oid) in committed.items()])
    assert list_changed(repo, mine) == ["train.py"]


def test_what_is_tracked_is_known_by_file_and_folder(repo, repository, git):
    (repository / "pack").mkdir()
    for name in ("pack/new\nline.py", "*.py"):
        (repository / name).write_text("x")
    git("--literal-pathspecs", "add", "pack", cwd=repository)
    assert is_tracked(repo, "pack")
    assert is_tracked(repo, "pack/new\nline.py")
    assert is_tracked(repo, "train.py")
    assert not is_tracked(repo, "*.py"), "a pattern is a name here"
    assert not is_tracked(repo, "tra")


def test_a_survey_tells_changed_untracked_ignored_and_unreadable(repo, mine, repository):
    (repository / "train.py").write_text("edited")
    (repository / "params.yaml").unlink()
    (repository / "metrics.json").write_text("{}")
    for name in ODD:
        (repository / name).write_text("x")
    changed, untracked = survey(repo, mine)
    assert changed == ["params.yaml", "train.py"]
    assert set(untracked.paths) == set(ODD)
    assert (untracked.ignored, untracked.unreadable) == (("metrics.json",), ())


def test_a_survey_with_more_names_than_a_pipe_holds_comes_to_an_end(repo, mine, repository):
    folder = repository / "many"
    folder.mkdir()
    (repository / ".gitignore").write_text("*.ignored\n")
    for number in range(1500):
        (folder / f"{number}-{'x' * 100}.py").touch()
        (folder / f"{number}-{'x' * 100}.ignored").touch()
    (folder / "listed.py").touch()
    _, untracked = survey(repo, mine)
    assert (len(untracked.paths), len(untracked.ignored)) == (1501, 1500)


def test_a_survey_that_fails_is_no_empty_one(repo, mine, repository):
    repo.index_file.write_bytes(b"DIRC" + b"\0" * 40)
    with pytest.raises(RepositoryError, match=r"^git ls-files failed: .*index"):
        survey(repo, mine)


def test_a_nested_repository_has_a_head_of_its_own(repo, repository, git, tmp_path, monkeypatch):
    nested = repository / "nested"
    git("init", "--quiet", nested)
    assert find_head(nested) is None
    git("commit", "--quiet", "--allow-empty", "-m", "x", cwd=nested)
    oid = git("rev-parse", "HEAD", cwd=nested)
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    assert find_head(nested) == oid, "as in a hook of the outer one"


def test_a_submodule_is_dirty_by_what_its_commit_does_not_hold(repo, repository, git, tmp_path):
    library = tmp_path / "library"
    git("init", "--quiet", library)
    (library / "lib.py").write_text("1")
    git("add", ".", cwd=library)
    git("commit", "--quiet", "-m", "library", cwd=library)
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "lib", cwd=repository)
    assert not is_dirty_submodule(repo, "lib")
    (repository / "lib" / "new.py").write_text("untracked counts")
    assert is_dirty_submodule(repo, "lib")
    subprocess.run(["git", "submodule", "deinit", "-q", "-f", "lib"], cwd=repository, check=True)
    assert not is_dirty_submodule(repo, "lib"), "what is not checked out has no changes"
