"""Faults of the world around: the run is still recorded, or kept for `recover`, and the message says which."""

from __future__ import annotations

import contextlib
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PYTHON = sys.executable


def test_a_stale_lock_of_packed_refs_costs_a_moment_and_no_run(exptrack, look, repository, git):
    git("pack-refs", "--all", cwd=repository)
    lock = repository / ".git" / "packed-refs.lock"
    lock.write_text("")
    done = exptrack("run", "--name", "one", "--", "true")
    assert done.returncode == 0
    assert f"one: recorded, but git could not tidy up: if no git is running, remove {lock}" in done.stderr
    assert look.record("one")["status"] == "completed"
    assert exptrack("run", "--name", "two", "--", "true").returncode == 0
    assert "one" in exptrack("ls").stdout
    lock.unlink()
    assert exptrack("recover").returncode == 0
    assert look.refs("refs/exptrack/active") == []


def test_a_failing_signer_gives_an_unsigned_run_and_a_warning(exptrack, look, repository, git):
    git("config", "commit.gpgSign", "true", cwd=repository)
    git("config", "gpg.program", "false", cwd=repository)
    done = exptrack("run", "--name", "one", "--", "true")
    assert done.returncode == 0
    assert "one: commit.gpgSign is set, but signing failed: the run is recorded unsigned" in done.stderr
    assert look.record("one")["status"] == "completed"


def test_a_working_signer_signs_the_run_and_not_the_snapshot(exptrack, look, repository, git, tmp_path):
    if shutil.which("ssh-keygen") is None:
        pytest.skip("no ssh-keygen to sign with")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    for key, value in {"commit.gpgSign": "true", "gpg.format": "ssh", "user.signingKey": str(tmp_path / "key")}.items():
        git("config", key, value, cwd=repository)
    done = exptrack("run", "--name", "one", "--", "true")
    assert "unsigned" not in done.stderr
    assert "gpgsig" in look.git("cat-file", "commit", look.ref("one"))
    assert "gpgsig" not in look.git("cat-file", "commit", f"{look.ref('one')}^")


def test_a_repository_with_sha_256(exptrack, git, tmp_path):
    folder = tmp_path / "sha256"
    git("init", "--quiet", "--object-format=sha256", folder)
    (folder / "a.py").write_text("print('loss=1')")
    git("add", ".", cwd=folder)
    git("commit", "--quiet", "-m", "first", cwd=folder)
    assert exptrack("run", "--name", "one", "--", PYTHON, "a.py", cwd=folder).returncode == 0
    assert exptrack("tag", "best", "one", cwd=folder).returncode == 0
    assert exptrack("note", "one", "-m", "again", cwd=folder).returncode == 0
    assert "best" in exptrack("ls", cwd=folder).stdout
    assert len(git("rev-parse", "refs/notes/exptrack", cwd=folder)) == 64
    assert exptrack("show", "best", cwd=folder).returncode == 0
    git("fsck", "--strict", cwd=folder)


def test_a_repository_with_reftable(exptrack, tmp_path):
    folder = tmp_path / "reftable"
    made = subprocess.run(
        ["git", "init", "--quiet", "--ref-format=reftable", folder], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip("this git cannot make a repository with reftable")
    assert exptrack("run", "--name", "one", "--", "true", cwd=folder).returncode == 0
    assert "one" in exptrack("ls", cwd=folder).stdout


def test_a_disk_that_fills_while_the_command_runs_loses_no_run(small_disk, exptrack, git):
    disk = small_disk(4)
    git("init", "--quiet", disk)
    (disk / "exptrack.yaml").write_text("capture:\n  patterns: ['loss=(?P<loss>.+)']\n")
    code = (
        "print('loss=1', flush=True)\n"
        "try:\n"
        "    with open('filler', 'wb') as file:\n"
        "        while True: file.write(bytes(4096)); file.flush()\n"
        "except OSError: print('loss=2', flush=True)\n"
    )
    done = exptrack("run", "--name", "one", "--", PYTHON, "-c", code, cwd=disk)
    assert done.returncode == 125
    assert done.stdout == "loss=1\nloss=2\n"
    assert "one ended, but could not be recorded: " in done.stderr
    assert done.stderr.rstrip().endswith("all of it is kept for `exptrack recover`")
    (disk / "filler").unlink()
    recovered = exptrack("recover", cwd=disk)
    assert recovered.stdout == "recovered one (completed)\n", recovered.stderr
    assert '"loss": 2' in git("cat-file", "-p", f"{_ref(git, disk)}:metrics.json", cwd=disk)


def test_a_full_disk_refuses_before_the_command_starts(small_disk, exptrack, git):
    disk = small_disk(4)
    git("init", "--quiet", disk)
    with (disk / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    done = exptrack("run", "--", PYTHON, "-c", "print('started')", cwd=disk)
    assert (done.returncode, done.stdout) == (125, "")
    assert done.stderr.startswith("exptrack: ")
    assert done.stderr.count("\n") == 1
    assert "No space left on device" in done.stderr


def _ref(git, folder: Path) -> str:
    return git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs", cwd=folder)


def test_a_limit_on_file_sizes_loses_no_run(repository, exptrack, look):
    """As a full disk or a quota: no file of ours may pass 100 KB, and the output is larger."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    code = "for i in range(6000): print('a line of output', i)"
    done = subprocess.run(
        [PYTHON, "-m", "exptrack", "run", "--name", "one", "--", PYTHON, "-c", code],
        cwd=repository, capture_output=True, text=True, check=False, preexec_fn=limit,
    )  # fmt: skip
    assert (done.returncode, done.stdout.count("\n")) == (0, 6000)
    assert "one: some of the output and its metrics could not be written down: File too large" in done.stderr
    assert look.record("one")["status"] == "completed"
    assert look.file("one", ".exptrack/output.log").startswith("a line of output 0\n")


def test_a_record_that_is_broken_or_from_the_future_is_named_and_the_rest_listed(exptrack, look, repository, git):
    exptrack("run", "--name", "good", "--", "true")
    month = look.ref("good").split("/")[3]
    for name, content in {
        "broken": "{", "empty": "", "list": "[]", "future": '{"schema": 99, "name": "future"}', "other": '{"schema": 1, "name": "good"}',
    }.items():  # fmt: skip
        blob = git("hash-object", "-w", "--stdin", stdin=content, cwd=repository)
        inner = git("mktree", stdin=f"100644 blob {blob}\trun.json\n", cwd=repository)
        tree = git("mktree", stdin=f"040000 tree {inner}\t.exptrack\n", cwd=repository)
        commit = git("commit-tree", "-m", "by hand", tree, cwd=repository)
        git("update-ref", f"refs/exptrack/runs/{month}/{name}", commit, cwd=repository)
    git("update-ref", f"refs/exptrack/runs/{month}/no-run", "HEAD", cwd=repository)
    done = exptrack("ls")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].startswith("good")
    lines = {line.split("'")[1]: line for line in done.stderr.splitlines()}
    assert set(lines) == {"broken", "empty", "list", "future", "other", "no-run"}
    assert "later version of exptrack" in lines["future"]
    for name in lines:
        shown = exptrack("show", name)
        assert shown.returncode == 2
        assert shown.stderr.startswith(f"exptrack: run '{name}' cannot be read: ")
        assert shown.stderr.count("\n") == 1


def test_a_read_only_repository_can_be_read(exptrack, look, repository):
    exptrack("run", "--name", "one", "--", "true")
    before = _state(repository)
    for command in (["ls"], ["show", "one"], ["diff", "one", "one"], ["status"]):
        assert exptrack(*command).returncode == 0
    assert _state(repository) == before


def _state(folder: Path) -> dict[str, float]:
    """All files but the index of runs, a cache."""
    kept = (path for path in folder.rglob("*") if path.is_file() and path.name not in {"index.sqlite", "runs.lock"})
    return {str(path): path.stat().st_mtime_ns for path in kept}


def test_a_run_whose_note_is_gone_is_named_and_the_rest_listed(exptrack, look, repository, git):
    for name in ("one", "two"):
        exptrack("run", "--name", name, "--", "true")
        exptrack("tag", f"tag-{name}", name)
    blob = git("notes", "--ref=refs/notes/exptrack", "list", look.ref("one") + "^{commit}", cwd=repository)
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    done = exptrack("ls", "--columns", "name,tags")
    assert (done.returncode, done.stdout) == (0, "name  tags\ntwo   tag-two\none\n")
    assert done.stderr.startswith("exptrack: 'one' cannot be read: its tags and notes are not in the repository")
    assert exptrack("show", "two").returncode == 0
    done = exptrack("tag", "more", "one")
    assert done.returncode == 2
    assert "is not in the repository: run `git fsck`" in done.stderr
