"""The hook that looks at claims, called by git for real commits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sharing import Person, make_team
from workflows import TEMPLATES

from exptrack.analysis.yaml12 import load_yaml

HOOK = TEMPLATES / "hooks" / "commit-msg"
CONFIG = TEMPLATES / "hooks" / "pre-commit-config.yaml"
SHELLCHECK = Path(sys.executable).with_name("shellcheck")


class Committer:
    """Ada with the hook; `log` has a line for each exptrack that the hook started."""

    def __init__(self, ada: Person, folder: Path) -> None:
        self.ada, self.log, self.bin = ada, folder / "log", folder / "bin"
        self.bin.mkdir()
        program = self.bin / "exptrack"
        program.write_text(f'#!/bin/sh\necho "$@" >> {self.log}\nexec {sys.executable} -m exptrack "$@"\n')
        program.chmod(0o755)

    def __call__(self, message: str, *options: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", "commit", "--allow-empty", "-m", message, *options],
            cwd=self.ada.folder,
            env={**os.environ, "PATH": path or f"{self.bin}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    def claim(self, name: str) -> str:
        return f"better\n\nExptrack-Run: {name} {self.ada.oid(name)}\n"

    def started(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


@pytest.fixture
def commit(tmp_path, repository):
    _, ada, _ = make_team(tmp_path, repository)
    hook = repository / ".git" / "hooks" / "commit-msg"
    hook.parent.mkdir(exist_ok=True)
    shutil.copy(HOOK, hook)
    ada.run("pushed")
    ada("push", "pushed")
    ada.run("kept")
    return Committer(ada, tmp_path)


def test_only_a_claim_of_a_run_that_was_pushed_passes(commit):
    assert commit("plain").returncode == 0
    assert commit.started() == 0
    done = commit(commit.claim("pushed"))
    assert done.returncode == 0, done.stderr
    assert commit.started() == 1
    done = commit(commit.claim("kept"))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "exptrack push kept" in done.stderr
    done = commit(f"better\n\nExptrack-Run: never {'1' * 40}")
    assert done.returncode == 1
    assert "never" in done.stderr
    assert commit.ada.git("log", "--format=%s", "-3").split() == ["better", "plain", "dvc"]
    assert commit(commit.claim("kept"), "--no-verify").returncode == 0


def test_a_claim_passes_with_a_warning_where_nobody_can_look(commit, tmp_path):
    commit.ada.git("remote", "set-url", "origin", str(tmp_path / "nowhere"))
    done = commit(commit.claim("kept"))
    assert done.returncode == 0
    assert len([line for line in done.stderr.splitlines() if line.startswith("exptrack: ")]) == 1
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("git", "sh", "grep"):
        (tools / name).symlink_to(shutil.which(name) or name)
    done = commit(commit.claim("kept"), path=str(tools))
    assert done.returncode == 0
    assert done.stderr.startswith("commit-msg: exptrack is not on PATH")


def test_an_exptrack_that_cannot_look_keeps_nobody_from_work(commit):
    (commit.bin / "exptrack").write_text("#!/bin/sh\necho \"exptrack: 'check' is no command\" >&2\nexit 2\n")
    done = commit(commit.claim("kept"))
    assert done.returncode == 0
    assert "is no command" in done.stderr


def test_the_hook_works_in_a_work_tree_and_with_files_on_the_command_line(commit, tmp_path):
    """Git then names another index, and another repository, to its hooks."""
    commit.ada.git("worktree", "add", "-q", str(tmp_path / "other"))
    commit.ada.folder = tmp_path / "other"
    (tmp_path / "other" / "params.yaml").write_text("lr: 0.5\n")
    assert commit(commit.claim("kept"), "params.yaml").returncode == 1
    assert commit(commit.claim("pushed"), "params.yaml").returncode == 0


def test_the_line_for_another_hook_does_the_same(commit, exptrack):
    hook = commit.ada.folder / ".git" / "hooks" / "commit-msg"
    hook.write_text("#!/bin/sh\n")
    line = exptrack("init", "--hooks").stdout.splitlines()[-1]
    hook.write_text(f"#!/bin/sh\n{line}\n")
    assert commit("plain").returncode == 0
    assert commit(commit.claim("kept")).returncode == 1
    assert commit(commit.claim("pushed")).returncode == 0


def test_the_hook_is_a_clean_script_of_any_shell():
    done = subprocess.run([SHELLCHECK, "--shell=sh", HOOK], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_configuration_of_pre_commit_calls_the_check_for_messages_alone():
    [repo] = load_yaml(CONFIG.read_text())["repos"]
    [hook] = repo["hooks"]
    assert repo["repo"] == "local"
    assert (hook["entry"], hook["language"], hook["stages"]) == ("exptrack check --message", "system", ["commit-msg"])
