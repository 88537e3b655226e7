"""Isolated runs when something goes wrong: kill -9 at any moment, a full disk, what cannot be had; nothing of the user's changes."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from scene import Scene
from witness import PATIENCE, SCRIPTS, Witness, argv

PYTHON = sys.executable
MOMENTS = 10


@pytest.fixture
def witness(repository, git) -> Witness:
    """A project with a submodule-free work tree that differs from its last commit, and takes a moment to check out."""
    (repository / "exptrack.yaml").write_text("capture:\n  patterns: ['number=(?P<number>\\d+)']\n")
    for number in range(200):
        folder = repository / f"package{number % 10}"
        folder.mkdir(exist_ok=True)
        (folder / f"module{number}.py").write_text(f"# {number}\n" * 50)
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "second", cwd=repository)
    (repository / "train.py").write_text("# edited\n")
    (repository / "staged.py").write_text("# staged\n")
    git("add", "staged.py", cwd=repository)
    (repository / "untracked.py").write_text("# untracked\n")
    return Witness(repository)


@pytest.fixture
def scene(witness, tmp_path) -> Iterator[Scene]:
    outside = tmp_path / "outside"
    outside.mkdir()
    scene = Scene(witness, outside)
    yield scene
    scene.clear()


def count(scene: Scene, name: str) -> list[str]:
    script = [PYTHON, str(SCRIPTS / "counting.py"), str(scene.folder(name)), "10", "0.03"]
    return argv("run", "--isolated", "--name", name, "--", *script)


def slots(repository: Path) -> list[str]:
    return sorted(path.name for path in (repository / ".git" / "exptrack" / "worktrees").glob("w*") if path.is_dir())


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("slot", ["warm", "gone"])
def test_an_isolated_run_killed_at_any_moment_is_recovered_and_its_slot_used_again(scene, git, slot):
    witness, rng = scene.witness, random.Random(slot)
    things = witness.users_things()
    worktrees = witness.folder / ".git" / "exptrack" / "worktrees"
    life = 0.0
    for name in ("first", "second"):  # with an empty slot, and one that was used before
        if slot == "gone":
            shutil.rmtree(worktrees, ignore_errors=True)
        began = time.monotonic()
        assert scene.launch(count(scene, name)).wait(PATIENCE) == 0, scene.told
        life = time.monotonic() - began
    for number in range(MOMENTS):
        name = f"run-{number}"
        if slot == "gone":
            shutil.rmtree(worktrees, ignore_errors=True)
        began = time.monotonic()
        child = (scene.show if number % 2 else scene.launch)(count(scene, name))
        time.sleep(max(0, began + life * (number + rng.random()) / MOMENTS - time.monotonic()))
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL) if number % 2 else child.kill()
        assert child.wait(PATIENCE) in {0, -signal.SIGKILL}, scene.told
        logged, is_begun = scene.look(name)
        scene.recover(name)
        scene.judge(name, logged, is_begun=is_begun)
        status, out, err = scene.call("run", "--isolated", "--", "cat", "train.py", "staged.py", "untracked.py")
        assert (status, out) == (0, "# edited\n# staged\n# untracked\n"), err
        assert slots(witness.folder) == ["w0"]
        assert witness.users_things() == things
    check_git(witness)
    assert witness.users_things() == things


def check_git(witness: Witness) -> None:
    """The user's own git works, and finds nothing wrong."""
    witness.check_objects()
    listed = witness.git("worktree", "list").splitlines()
    assert len(listed) == 2, listed
    assert not [line for line in listed if "prunable" in line or "locked" in line]
    witness.git("gc", "--quiet")
    witness.check_objects()
    assert not list((witness.folder / ".git").rglob("*.lock")) or all(
        path.parent.name == "worktrees" for path in (witness.folder / ".git").rglob("*.lock")
    )
    witness.git("worktree", "add", "--quiet", "--detach", "../mine")
    witness.git("worktree", "remove", "../mine")
    witness.git("worktree", "prune")


@pytest.fixture
def refused(witness, exptrack):
    """Assert that an isolated run is refused in one line, and that nothing is left behind; gives the line."""

    def call(*words: str, status: int = 125, **options: object) -> str:
        things = witness.users_things()
        done = exptrack("run", "--isolated", *(words or ("--", "touch", "started")), **options)
        assert (done.returncode, done.stdout) == (status, ""), done.stderr
        assert done.stderr.startswith("exptrack: ")
        assert done.stderr.count("\n") == 1, done.stderr
        assert witness.left_over() == []
        assert witness.refs() == {}
        assert witness.users_things() == things
        assert exptrack("run", "--", "true").returncode == 0
        return done.stderr

    return call


class TestRefused:
    def test_a_private_folder_that_cannot_be_written(self, refused, repository):
        (repository / ".git" / "exptrack").mkdir()
        (repository / ".git" / "exptrack" / "worktrees").write_text("a file")
        line = refused()
        assert "cannot write below" in line
        assert "nothing was started" in line

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_a_private_folder_without_rights(self, refused, repository):
        folder = repository / ".git" / "exptrack" / "worktrees"
        folder.mkdir(parents=True)
        folder.chmod(0o500)
        assert "Permission denied" in refused()
        folder.chmod(0o700)

    @pytest.mark.parametrize("path", ["../outside", "/etc", ".git/config", "train.py"])
    def test_a_link_that_leads_out_or_hides_what_git_has(self, refused, repository, path):
        (repository / "exptrack.yaml").write_text(f"capture: {{links: ['{path}']}}\n")
        assert f"'{path}' cannot be linked: " in refused()

    @pytest.mark.parametrize("kind", ["link", "file"])
    def test_a_slot_that_is_full_of_something_else_is_made_anew(self, exptrack, repository, tmp_path, kind):
        """No refusal: it is ours to rebuild; but what a link leads to is not."""
        precious = tmp_path / "precious"
        precious.mkdir()
        (precious / "x").touch()
        folder = repository / ".git" / "exptrack" / "worktrees"
        folder.mkdir(parents=True)
        (folder / "w0").symlink_to(precious) if kind == "link" else (folder / "w0").write_text("x")
        assert exptrack("run", "--isolated", "--", "cat", "params.yaml").stdout == "lr: 0.25\n"
        assert (precious / "x").exists()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
    @pytest.mark.parametrize("place", ["exptrack/worktrees/w0", "exptrack/worktrees/w0/.git", "worktrees/exptrack-w0"])
    def test_a_slot_that_came_to_belong_to_somebody_else_is_made_anew(self, exptrack, repository, place):
        exptrack("run", "--isolated", "--", "true")
        os.chown(repository / ".git" / place, 12345, 12345)
        done = exptrack("run", "--isolated", "--", "git", "status", "--porcelain")
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert slots(repository) == ["w0"]

    def test_a_broken_config_of_dvc(self, refused, repository, git):
        (repository / ".dvc").mkdir()
        (repository / ".dvc" / "config").write_text("[core\nremote = store\n")
        git("add", ".dvc", cwd=repository)
        assert str(repository) in refused()

    def test_a_command_that_does_not_exist(self, refused):
        assert "no-such-program" in refused("--", "no-such-program", status=127)

    def test_a_file_that_may_not_be_so_large(self, repository, exptrack, witness, git):
        """As a quota: a file of 2 MB cannot be checked out where none may pass 900 KB."""
        (repository / "large").write_bytes(bytes(2_000_000))
        git("add", "large", cwd=repository)
        git("commit", "--quiet", "-m", "large", cwd=repository)
        things = witness.users_things()

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, resource.RLIM_INFINITY))

        done = exptrack("run", "--isolated", "--", "touch", "started", preexec_fn=limit)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (125, "", 1), done.stderr
        assert "File too large" in done.stderr
        assert (witness.left_over(), witness.refs(), witness.users_things()) == ([], {}, things)
        again = exptrack("run", "--isolated", "--", "wc", "-c", "large")
        assert (again.returncode, again.stdout.split()[0]) == (0, "2000000")


class TestFullDisk:
    @pytest.fixture
    def disk(self, small_disk) -> Path:
        """A repository whose private folder lies on a file system of 3 MiB."""
        return small_disk(3)

    def test_a_disk_that_fills_while_the_slot_is_filled_is_told_and_nothing_is_left(self, disk, exptrack, git):
        git("init", "--quiet", disk)
        for number in range(8):
            (disk / f"alike{number}").write_bytes(b"x" * 200_000)  # small in Git, large in a work tree
        git("add", ".", cwd=disk)
        git("commit", "--quiet", "-m", "first", cwd=disk)
        witness = Witness(disk)
        things = witness.users_things()
        done = exptrack("run", "--isolated", "--", "touch", "started", cwd=disk)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (125, "", 1), done.stderr
        assert "No space left on device" in done.stderr
        assert (witness.left_over(), witness.refs(), witness.users_things()) == ([], {}, things)
        assert not (disk / ".git" / "exptrack" / "worktrees" / "w0").exists(), "the disk is as full as it was"
        subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
        again = exptrack("run", "--isolated", "--", "sh", "-c", "cat alike* | wc -c", cwd=disk)
        assert (again.returncode, again.stdout) == (0, "1600000\n"), again.stderr
        witness.check_objects()


class TestWhatIsMissing:
    def test_what_git_pruned_meanwhile_is_taken_in_anew(self, exptrack, witness):
        assert exptrack("run", "--isolated", "--", "true").returncode == 0
        for ref in witness.refs().values():
            witness.git("update-ref", "-d", ref)
        shutil.rmtree(witness.folder / ".git" / "exptrack" / "worktrees")  # what a slot has checked out is kept
        witness.git("worktree", "prune")
        witness.git("-c", "gc.reflogExpire=now", "gc", "--quiet", "--prune=now")
        done = exptrack("run", "--isolated", "--", "cat", "untracked.py")
        assert (done.returncode, done.stdout) == (0, "# untracked\n"), done.stderr
        witness.check_objects()

    def test_a_submodule_that_is_not_on_this_machine_is_named(self, exptrack, repository, git, tmp_path):
        git("init", "--quiet", tmp_path / "library")
        git("commit", "--quiet", "--allow-empty", "-m", "one", cwd=tmp_path / "library")
        add = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", tmp_path / "library", "library")
        git(*add, cwd=repository)
        git("commit", "--quiet", "-m", "with it", cwd=repository)
        shutil.rmtree(repository / ".git" / "modules")
        shutil.rmtree(repository / "library")
        (repository / "library").mkdir()
        done = exptrack("run", "--isolated", "--name", "one", "--", "ls", "library/x")
        assert done.returncode != 0
        told = "the submodule library is empty in the run's own work tree: its commit is not on this machine"
        assert f"exptrack: one: {told}\n" in done.stderr

    def test_data_that_no_cache_has_is_named_again_when_the_run_fails(self, exptrack, repository, git, look_at):
        subprocess.run([PYTHON, "-m", "dvc", "init", "-q"], cwd=repository, check=True, capture_output=True)
        (repository / "data.dvc").write_text(f"outs:\n- md5: {'a' * 32}\n  size: 4\n  hash: md5\n  path: data\n")
        (repository / ".gitignore").write_text("metrics.json\n/data\n")
        done = exptrack("run", "--isolated", "--name", "one", "--", "cat", "data")
        told = "data is not there for it: the DVC cache lacks its data; get it with `dvc fetch data.dvc`"
        *_, last, recorded = done.stderr.splitlines()
        assert (done.returncode, recorded) == (1, "exptrack: recorded one (failed)")
        assert last.startswith(f"exptrack: one: {told}")
        assert look_at("one")["problems"][0].startswith(told)

    @pytest.fixture
    def look_at(self, repository):
        return Witness(repository).record


def test_a_run_whose_slot_was_deleted_is_recovered_all_the_same(scene):
    recorder = scene.launch(
        argv(
            "run",
            "--isolated",
            "--name",
            "one",
            "--",
            PYTHON,
            str(SCRIPTS / "counting.py"),
            str(scene.folder("one")),
            "3",
            "0",
            "wait",
        )
    )
    scene.pid("one")
    recorder.kill()
    recorder.wait()
    os.kill(scene.pid("one"), signal.SIGKILL)
    shutil.rmtree(scene.witness.folder / ".git" / "exptrack" / "worktrees")
    scene.recover("one")
    assert (
        "its own work tree is gone, and with it the files that the command made"
        in scene.witness.record("one")["problems"]
    )
    assert scene.call("run", "--isolated", "--", "cat", "train.py")[:2] == (0, "# edited\n")


@pytest.mark.parametrize(
    "code",
    [
        "rm -rf .git; echo new > new",
        "echo new > new; git add new; git commit -qm own",
        "echo new > new; git checkout -q -b own; git rm -rq --cached .",
        'echo new > new; rm -f "$(git rev-parse --git-dir)/index"',
    ],
)
def test_what_a_command_does_to_git_in_its_slot_hides_no_new_file(exptrack, witness, code):
    things = witness.users_things()[:1], witness.users_things()[2:]
    assert exptrack("run", "--isolated", "--name", "one", "--", "sh", "-c", code).returncode == 0
    ref = witness.refs()["one"]
    added = witness.git("diff", "--name-only", "--diff-filter=A", f"{ref}^", ref).split()
    assert [path for path in added if not path.startswith(".exptrack/")] == ["metrics.json", "new"]
    assert "changed" not in witness.record("one")
    assert (witness.users_things()[:1], witness.users_things()[2:]) == things
    assert exptrack("run", "--isolated", "--", "cat", "train.py").stdout == "# edited\n"
    check_git(witness)
