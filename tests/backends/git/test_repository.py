"""The repository is found wherever one stands in it, and what is none is named in one line with what to do."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from exptrack.backends.git.command import together
from exptrack.backends.git.repository import (
    Identity,
    ask_committing,
    ask_early,
    find_identity,
    find_repository,
    parse_committing,
)
from exptrack.errors import RepositoryError


def test_a_sub_folder_lies_in_its_repository(repository):
    (repository / "deep" / "er").mkdir(parents=True)
    found = find_repository(repository / "deep" / "er")
    assert (found.top, found.git_dir, found.common_dir) == (repository, repository / ".git", repository / ".git")
    assert (found.index_file, found.object_format) == (repository / ".git" / "index", "sha1")


def test_a_linked_worktree_shares_the_common_folder(repository, git, tmp_path):
    git("worktree", "add", "--quiet", "-b", "other", tmp_path / "linked", cwd=repository)
    found = find_repository(tmp_path / "linked")
    assert found.top == tmp_path / "linked"
    assert found.common_dir == repository / ".git"
    assert found.private == repository / ".git" / "worktrees" / "linked" / "exptrack"
    assert found.shared == repository / ".git" / "exptrack"
    assert found.index_file == repository / ".git" / "worktrees" / "linked" / "index"


def test_sha_256_is_seen(tmp_path, git):
    git("init", "--quiet", "--object-format=sha256", tmp_path / "new")
    assert find_repository(tmp_path / "new").object_format == "sha256"


@pytest.mark.parametrize(
    "name", ["with space", "new\nline", "line\u2028separator", "form\ffeed", "ünï", "-dash", "end\n"]
)
def test_any_folder_name_is_taken(tmp_path, git, name):
    git("init", "--quiet", tmp_path / name)
    found = find_repository(tmp_path / name)
    assert (found.top, found.git_dir) == (tmp_path / name, tmp_path / name / ".git")
    assert found.index_file == tmp_path / name / ".git" / "index"


def test_no_repository_says_how_to_make_one(tmp_path):
    with pytest.raises(RepositoryError, match=rf"^not a Git repository: {tmp_path}; run `git init` there first"):
        find_repository(tmp_path)


def test_the_advice_does_not_depend_on_the_language(tmp_path, monkeypatch):
    monkeypatch.setenv("LANGUAGE", "de")
    with pytest.raises(RepositoryError, match=r"^not a Git repository: "):
        find_repository(tmp_path)


def test_a_bare_repository_is_refused(tmp_path, git):
    git("init", "--quiet", "--bare", tmp_path / "bare.git")
    with pytest.raises(
        RepositoryError, match=rf"^a bare repository has no work tree to run in: {tmp_path}/bare.git; clone"
    ):
        find_repository(tmp_path / "bare.git")


def test_inside_the_git_folder_is_no_work_tree(repository):
    with pytest.raises(RepositoryError, match=r"^not inside a work tree: .*; go to the folder"):
        find_repository(repository / ".git")


def test_a_broken_repository_is_named_with_gits_reason(repository):
    (repository / ".git" / "config").write_text("[core]\n\trepositoryFormatVersion = 99\n")
    with pytest.raises(RepositoryError, match=rf"^git cannot use the repository at {repository}: .*99"):
        find_repository(repository)


def test_a_repository_of_another_user_gives_advice_that_works(repository, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    monkeypatch.delenv("SUDO_UID", raising=False)
    (repository / "sub").mkdir()
    for path in (repository, repository / ".git"):
        shutil.chown(path, 65534)
    with pytest.raises(RepositoryError) as caught:
        find_repository(repository / "sub")
    said = str(caught.value)
    assert said.startswith(f"the repository at {repository} belongs to another user: run `git config ")
    subprocess.run(said.split("`")[1], shell=True, check=True)
    assert find_repository(repository / "sub").top == repository


@pytest.mark.parametrize("text", ["true", "Yes", "on", "1", "2", "-1", "0", "no", "off", "false"])
def test_commits_are_signed_where_git_takes_the_setting_for_true(repo, repository, git, text):
    git("config", "commit.gpgSign", text, cwd=repository)
    assert committing(repo).is_signing == (git("config", "--type=bool", "commit.gpgSign", cwd=repository) == "true")


def test_a_setting_without_a_value_is_true(repo, repository):
    assert not committing(repo).is_signing
    with (repository / ".git" / "config").open("a") as file:
        file.write("[commit]\n\tgpgSign\n")
    assert committing(repo).is_signing


def committing(repo):
    [answer] = together(repo.top, ask_committing())
    return parse_committing(repo, answer)


def test_the_identity_is_that_of_a_commit(repo, git, repository, monkeypatch):
    assert find_identity(repo) == Identity("Ada Lovelace", "ada@example.com")
    monkeypatch.setenv("GIT_COMMITTER_NAME", "Grace <Hopper> ünï")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "grace@example.com")
    git("commit", "--quiet", "--allow-empty", "-m", "x", cwd=repository)
    assert str(find_identity(repo)) == git("log", "-1", "--format=%cn <%ce>", cwd=repository)
    assert committing(repo).author == Identity("Ada Lovelace", "ada@example.com")


def test_no_identity_says_how_to_set_one(repo, sealed_world):
    (sealed_world / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    with pytest.raises(RepositoryError, match=r"^Git does not know who you are: run `git config --global user.name"):
        find_identity(repo)


def test_what_git_was_asked_early_counts_once(repository, tmp_path):
    ask_early(repository)
    before = find_repository(repository)
    assert before == find_repository(repository)
    ask_early(tmp_path / "nowhere")
    with pytest.raises(RepositoryError, match="no such folder"):
        find_repository(tmp_path / "nowhere")
