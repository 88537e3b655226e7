"""A slot is one run's at a time, is exactly the commit, comes back from any state, and nothing of it touches the user's things."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path

import pytest
from processes import run
from witness import Witness, put_git_in_front, until

from exptrack.backends.git import command
from exptrack.backends.git.repository import Repository, find_repository
from exptrack.errors import ExptrackError, RepositoryError
from exptrack.store import journal, locks
from exptrack.store.slotlinks import link_paths
from exptrack.store.slots import add_submodules, claim, prepare

ODD = "quo\"te 'and new\nline ünï $HOME"
FILES = {
    "plain.py": b"print(1)\n",
    "folder/deep/er.txt": b"deep\n",
    "with space": b"x",
    f"odd/{ODD}": b"odd\n",
    ".gitignore": b"*.log\ndata/\n",
}


def commit(folder: Path, git, files: dict[str, bytes] | None = None, message: str = "next") -> str:
    for name, content in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    git("add", "--all", cwd=folder)
    git("commit", "--quiet", "--allow-empty", "-m", message, cwd=folder)
    return git("rev-parse", "HEAD", cwd=folder)


@pytest.fixture
def project(repository, git) -> Path:
    commit(repository, git, FILES)
    (repository / "run.sh").write_text("#!/bin/sh\n")
    (repository / "run.sh").chmod(0o755)
    (repository / "link").symlink_to("folder/deep")
    (repository / "dangling").symlink_to("/nowhere at all")
    commit(repository, git)
    (repository / "plain.py").write_text("print('edited')\n")
    (repository / "staged.py").write_text("staged")
    git("add", "staged.py", cwd=repository)
    (repository / "untracked.py").write_text("untracked")
    return repository


@pytest.fixture
def place(project) -> Repository:
    return find_repository(project)


@pytest.fixture
def head(project, git) -> str:
    return git("rev-parse", "HEAD", cwd=project)


@pytest.fixture
def slot(place, head):
    with claim(place, "one") as claimed:
        prepare(claimed, head)
        yield claimed


def see(folder: Path) -> dict[str, object]:
    """Everything below a folder but `.git`, byte for byte; a folder counts only if it is empty."""
    seen: dict[str, object] = {}
    for root, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(root, name)
            inside = str(path.relative_to(folder))
            if inside == ".git":
                continue
            if path.is_symlink():
                seen[inside] = str(path.readlink())
            elif path.is_file():
                seen[inside] = (path.read_bytes(), bool(path.stat().st_mode & 0o100))
            elif path.is_dir():
                if not any(path.iterdir()):
                    seen[inside] = "empty"
            else:
                seen[inside] = "special"
        folders[:] = [name for name in folders if Path(root, name) != folder / ".git"]
    return seen


def fresh(repository: Path, oid: str, folder: Path) -> dict[str, object]:
    """What a new checkout of a commit holds."""
    git = ["git", "-c", "core.sparseCheckout=false", "-c", "core.hooksPath=/dev/null"]
    subprocess.run([*git, "worktree", "add", "--quiet", "--detach", folder, oid], cwd=repository, check=True)
    seen = see(folder)
    subprocess.run([*git, "worktree", "remove", "--force", folder], cwd=repository, check=True)
    return seen


@pytest.fixture
def check(place, tmp_path):
    """Assert that a slot is exactly a commit, as a fresh checkout has it, and that git sees it so."""
    numbers = count()

    def call(slot, oid, extra: dict[str, object] | None = None):
        assert see(slot.repository.top) == {
            **fresh(place.top, oid, tmp_path / f"fresh-{next(numbers)}"),
            **(extra or {}),
        }
        inside = {"cwd": slot.repository.top, "capture_output": True, "text": True}
        status = ["git", "--no-optional-locks", "status", "--porcelain", "--ignored", "--untracked-files=all"]
        listed = subprocess.run(status, check=True, **inside).stdout.splitlines()
        assert [line for line in listed if line[3:].split("/")[0] not in (extra or {})] == []
        assert subprocess.run(["git", "rev-parse", "HEAD"], check=True, **inside).stdout.strip() == oid
        assert subprocess.run(["git", "symbolic-ref", "-q", "HEAD"], check=False, **inside).returncode == 1
        assert subprocess.run(["git", "ls-files", "-v"], check=True, **inside).stdout.replace("H ", "") == (
            subprocess.run(["git", "ls-tree", "-r", "--name-only", oid], check=True, **inside).stdout
        )
        assert find_repository(slot.repository.top) == slot.repository

    return call


@pytest.fixture
def untouched(place):
    """What must be the same afterwards."""
    witness = Witness(place.top)

    def look() -> tuple[object, ...]:
        settings = (place.common_dir / "config").read_bytes()
        stash = witness.git("for-each-ref")
        return (
            *witness.users_things(),
            settings,
            stash,
            sorted(path.name for path in (place.common_dir / "hooks").iterdir()),
        )

    return look


# Claiming


def owners(place: Repository) -> dict[int, str]:
    """The run that each slot has, or had last."""
    files = (place.shared / "worktrees").glob("w*.owner")
    return {int(path.stem[1:]): path.read_text().strip() for path in files}


def is_free(place: Repository, number: int) -> bool:
    """Whether nobody holds the slot, and its owner has no journal."""
    file = place.shared / "worktrees" / f"w{number}.lock"
    with locks.opened(file) as lock:
        is_held = lock is not None and not locks.try_lock(lock, fcntl.LOCK_SH)
    path = file.with_suffix(".owner")
    owner = path.read_text(errors="replace").strip() if path.exists() else ""
    is_waiting = owner.isalnum() and journal.folder_of(place.shared, owner).exists()
    return not is_held and not is_waiting


def test_slots_are_taken_from_the_first_free_one(place):
    first, second = claim(place, "one"), claim(place, "two")
    assert (first.number, second.number) == (0, 1)
    assert first.repository.top == place.shared / "worktrees" / "w0"
    assert owners(place) == {0: "one", 1: "two"}
    assert not any(is_free(place, number) for number in (0, 1))
    first.close()
    first.close()
    assert is_free(place, 0)
    with claim(place, "three") as third:
        assert third.number == 0
    second.close()


def test_the_slot_of_a_dead_run_waits_until_it_is_recovered(place):
    recorder = journal.claim(place.shared, "dead")
    claim(place, "dead").close()
    recorder.close()
    assert (owners(place), is_free(place, 0)) == ({0: "dead"}, False)
    with claim(place, "next") as other:
        assert other.number == 1
    recorder.remove()
    assert is_free(place, 0)
    with claim(place, "next") as other:
        assert other.number == 0


@pytest.mark.parametrize("content", [b"", b"\xff\n", b"../../active\n", b"a\0b", b"..\n", b"\n\n"])
def test_an_owner_that_is_no_name_is_nobody(place, content):
    journal.claim(place.shared, "live").close()
    claim(place, "one").close()
    (place.shared / "worktrees" / "w0.owner").write_bytes(content)
    assert is_free(place, 0)
    with claim(place, "two") as slot:
        assert slot.number == 0


CLAIM = """
import os, sys, time
from pathlib import Path
from exptrack.backends.git.repository import find_repository
from exptrack.store.slots import claim, prepare
place = find_repository(Path(sys.argv[1]))
print("ready", flush=True)
while not os.path.exists(sys.argv[2]): time.sleep(0.001)
slot = claim(place, sys.argv[3])
if sys.argv[4]: prepare(slot, sys.argv[4])
print(slot.number, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def processes(place, tmp_path):
    """Start eight processes that claim at once (and prepare), and give their slots; they hold them until the test ends."""
    children: list[subprocess.Popen[str]] = []

    def call(oid: str = "", environ: dict[str, str] | None = None) -> list[int]:
        gate = tmp_path / f"gate-{len(children)}"
        new = [
            subprocess.Popen(
                [sys.executable, "-c", CLAIM, str(place.top), str(gate), f"run-{number}", oid],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ,
            )
            for number in range(8)
        ]  # fmt: skip
        children.extend(new)
        assert [child.stdout.readline() for child in new] == ["ready\n"] * 8
        gate.touch()
        return [int(child.stdout.readline()) for child in new]

    yield call
    for child in children:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()


def test_eight_processes_at_once_have_eight_slots_each_right(place, head, processes, check, untouched, git):
    before = untouched()
    assert sorted(processes(head)) == list(range(8))
    assert not any(is_free(place, number) for number in range(8))
    for number in range(8):
        top = place.shared / "worktrees" / f"w{number}"
        assert git("status", "--porcelain", "--ignored", cwd=top) == ""
        assert git("rev-parse", "HEAD", cwd=top) == head
    assert untouched() == before


def test_a_slot_that_is_free_is_taken_by_exactly_one_of_eight(place, processes):
    claimed = [claim(place, f"old-{number}") for number in range(4)]
    claimed[2].close()
    assert sorted(processes()) == [2, *range(4, 11)]
    for slot in claimed:
        slot.close()


def test_a_command_that_outlives_its_recorder_keeps_the_slot(place, head):
    slot = claim(place, "one")
    prepare(slot, head)
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=[slot.lock]
    )
    slot.close()
    assert (owners(place), is_free(place, 0)) == ({0: "one"}, False)
    assert (slot.repository.git_dir / "locked").exists(), "git keeps it too"
    with claim(place, "two") as other:
        assert other.number == 1
    child.communicate()
    assert is_free(place, 0)


def test_a_folder_that_cannot_be_written_is_named(place):
    place.shared.mkdir()
    (place.shared / "worktrees").touch()
    with pytest.raises(ExptrackError, match=r"^cannot write below .*/exptrack/worktrees: .*; nothing was started$"):
        claim(place, "one")


# What a slot holds


def test_a_slot_is_exactly_the_commit_and_nothing_of_the_users_changes(place, head, check, untouched):
    before = untouched()
    with claim(place, "one") as slot:
        prepare(slot, head)
        check(slot, head)
        assert slot.submodules == {}
    assert untouched() == before


def test_it_follows_from_commit_to_commit(place, slot, project, head, git, check):
    for name in ("plain.py", "link", "folder/deep/er.txt", "run.sh"):
        (project / name).unlink()
    (project / "link").mkdir()
    (project / "link" / "file").write_text("where a link was")
    (project / "folder" / "deep").rmdir()
    (project / "folder" / "deep").write_text("where a folder was")
    (project / "plain.py").symlink_to("run.sh")
    (project / "run.sh").write_text("#!/bin/sh\n")
    other = commit(project, git)
    for oid in (other, head, other, head):
        prepare(slot, oid)
        check(slot, oid)


def soil(top: Path) -> None:
    """Do what runs and their users do to a work tree."""
    (top / "plain.py").write_text("changed")
    (top / "run.sh").chmod(0o644)
    (top / "with space").unlink()
    (top / "new.py").write_text("new")
    (top / "ignored.log").write_text("ignored")
    (top / "data").mkdir()
    (top / "data" / "x.csv").write_text("ignored")
    (top / "empty" / "folder").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", top / "nested"], check=True)
    subprocess.run(["git", "init", "--quiet", top / "odd"], check=True)
    subprocess.run(["git", "init", "--quiet", "--bare", top / "bare.git"], check=True)
    os.mkfifo(top / "pipe")
    (top / "locked" / "in").mkdir(parents=True)
    (top / "locked" / "in" / "file").write_text("x")
    (top / "locked" / "in").chmod(0o000)
    (top / "locked").chmod(0o500)
    (top / "dangling").unlink()
    (top / "dangling").mkdir()
    (top / "link").unlink()
    (top / "link").write_text("a file now")
    (top / "folder" / "deep" / "er.txt").chmod(0o000)
    (top / "folder" / "deep").chmod(0o000)
    (top / ".hidden").touch()


def test_nothing_is_left_of_an_earlier_run(slot, head, check):
    soil(slot.repository.top)
    prepare(slot, head)
    check(slot, head)


CLEAR = """
import os, shutil, subprocess, sys
from pathlib import Path
from exptrack.backends.git.repository import find_repository
from exptrack.store.slots import claim, prepare
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
slot = claim(find_repository(Path(sys.argv[1])), "one")
prepare(slot, sys.argv[2])
top = slot.repository.top
(top / "shut" / "in").mkdir(parents=True)
(top / "shut" / "in" / "file").touch()
for path in ("shut/in", "shut", "folder/deep", "plain.py", "folder", "."): (top / path).chmod(0)
prepare(slot, sys.argv[2])
assert not (top / "shut").exists()
print((top / "folder/deep/er.txt").read_text(), (top / "plain.py").read_text())
print(subprocess.run(["git", "status", "--porcelain", "--ignored"], cwd=top, capture_output=True, check=True, text=True).stdout)
"""


def test_what_has_lost_its_rights_is_cleared_by_a_user_who_is_not_root(project, head, tmp_path_factory):
    folder = Path(tempfile.mkdtemp())  # where everybody may go
    try:
        shutil.copytree(project, folder / "project", symlinks=True)
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "65534:65534", folder], check=True)
        environ = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
        words = [sys.executable, "-c", CLEAR, str(folder / "project"), head]
        for _ in range(2):
            done = subprocess.run(words, capture_output=True, text=True, check=False, env=environ)
            assert (done.returncode, done.stdout, done.stderr) == (0, "deep\n print(1)\n\n\n", "")
            # What only root can delete is put out of the way, where there is one.
            (folder / "project" / ".git" / "exptrack" / "worktrees" / "w0" / "of root" / "in").mkdir(parents=True)
    finally:
        shutil.rmtree(folder)


def test_links_are_deleted_and_never_followed(slot, head, check, tmp_path):
    precious = tmp_path / "precious"
    (precious / "er").mkdir(parents=True)
    (precious / "er.txt").write_text("precious")
    top = slot.repository.top
    (top / "way out").symlink_to(precious)
    (top / "new").mkdir()
    (top / "new" / "way out").symlink_to(precious)
    shutil.rmtree(top / "folder" / "deep")
    (top / "folder" / "deep").symlink_to(precious)
    prepare(slot, head)
    check(slot, head)
    (top / "folder").rename(tmp_path / "moved out")
    (top / "folder").symlink_to(tmp_path / "moved out")  # the same files, at the same time, behind a link
    prepare(slot, head)
    check(slot, head)
    assert see(precious) == {"er": "empty", "er.txt": (b"precious", False)}
    assert (tmp_path / "moved out" / "deep" / "er.txt").exists()


def test_a_file_that_is_linked_to_elsewhere_is_written_anew_not_through(slot, head, check, tmp_path):
    top = slot.repository.top
    (top / "plain.py").unlink()
    (tmp_path / "cache").write_text("cached data")
    os.link(tmp_path / "cache", top / "plain.py")
    os.link(top / "with space", tmp_path / "other")
    prepare(slot, head)
    check(slot, head)
    assert (tmp_path / "cache").read_text() == "cached data"
    (tmp_path / "other").write_text("through the other name")
    prepare(slot, head)
    check(slot, head)


def test_a_change_that_hides_its_time_and_size_is_seen(slot, head, check):
    path = slot.repository.top / "plain.py"
    status = path.stat()
    path.write_bytes(path.read_bytes().replace(b"1", b"2"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    prepare(slot, head)
    check(slot, head)


def test_what_a_command_does_to_git_there_does_not_outlive_it(place, slot, head, check, git, untouched):
    top = slot.repository.top
    before = untouched()
    git("update-index", "--skip-worktree", "plain.py", cwd=top)
    git("update-index", "--assume-unchanged", "with space", cwd=top)
    git("update-index", "--split-index", cwd=top)
    git("rm", "--quiet", "--cached", "run.sh", cwd=top)
    (top / "plain.py").write_text("hidden")
    (top / "with space").write_text("hidden")
    git("bisect", "start", cwd=top)
    (slot.repository.git_dir / "MERGE_HEAD").write_text("0" * 40)
    (slot.repository.git_dir / "config.worktree").write_text("[core]\n\tsparseCheckout = true\n\tautocrlf = true\n")
    (slot.repository.git_dir / "info").mkdir(exist_ok=True)
    (slot.repository.git_dir / "info" / "sparse-checkout").write_text("/none\n")
    prepare(slot, head)
    check(slot, head)
    assert untouched() == before
    allowed = {"HEAD", "commondir", "gitdir", "index", "locked", "exptrack-slot", "exptrack-index", "exptrack-key"}
    assert {path.name for path in slot.repository.git_dir.iterdir()} == allowed


def test_a_branch_that_a_command_went_to_is_let_go_of_and_stays_where_it_is(place, slot, head, check, git, project):
    git("switch", "--quiet", "-c", "mine", cwd=slot.repository.top)
    git("commit", "--quiet", "--allow-empty", "-m", "in the slot", cwd=slot.repository.top)
    tip = git("rev-parse", "mine", cwd=project)
    prepare(slot, head)
    check(slot, head)
    assert git("rev-parse", "mine", cwd=project) == tip
    git("branch", "-D", "mine", cwd=project)


def test_what_is_to_be_kept_stays_unless_it_is_in_the_way(slot, head, check, project, git):
    top = slot.repository.top
    for name in (
        ".dvc/tmp/lock",
        ".dvc/config.local",
        ".dvc/other",
        "venv/bin/python",
        "folder/deep/more/x",
        "plain.py.d/x",
    ):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(name)
    prepare(slot, head, keep=[".dvc/tmp", ".dvc/config.local", "venv/", "folder/deep/more", "never/there", "nor"])
    kept = {
        name: (name.encode(), False)
        for name in (".dvc/tmp/lock", ".dvc/config.local", "venv/bin/python", "folder/deep/more/x")
    }
    assert {name: content for name, content in see(top).items() if name in kept} == kept
    assert not (top / ".dvc" / "other").exists()
    assert not (top / "plain.py.d").exists()
    assert not (top / "never").exists()
    other = commit(project, git, {"venv": b"a file of the commit", ".dvc/config.local": b"of the commit"})
    prepare(slot, other, keep=[".dvc", "venv"])
    assert (top / "venv").read_bytes() == b"a file of the commit"
    assert (top / ".dvc" / "config.local").read_bytes() == b"of the commit"
    assert (top / ".dvc" / "tmp" / "lock").exists()
    prepare(slot, head)
    check(slot, head)


def test_a_commit_that_is_not_there_is_refused_and_costs_nothing(place, slot, head, check, git, project):
    (slot.repository.top / "plain.py").write_text("as it was")
    for oid in ("0" * 39 + "1", git("rev-parse", "HEAD^{tree}", cwd=project)):
        with pytest.raises(RepositoryError, match=r"^git ls-tree failed: "):
            prepare(slot, oid)
    assert (slot.repository.top / "plain.py").read_text() == "as it was"
    with claim(place, "two") as other:
        with pytest.raises(RepositoryError):
            prepare(other, "0" * 39 + "1")
        assert not other.repository.git_dir.exists()
    git("fsck", "--strict", cwd=project)


# Filters, attributes, settings


def test_line_ends_and_filters_are_those_of_a_checkout(place, slot, project, head, git, check):
    git("config", "filter.rotate.smudge", "tr a-z b-za", cwd=project)
    git("config", "filter.rotate.clean", "tr b-za a-z", cwd=project)
    attributes = b"*.py filter=rotate\n*.txt text eol=crlf\n"
    # The script changes as well, so that it goes through the filter.
    filtered = commit(project, git, {".gitattributes": attributes, "a.txt": b"1\n2\n", "train.py": b"import json\n"})
    prepare(slot, filtered)
    check(slot, filtered)
    assert (slot.repository.top / "train.py").read_bytes().startswith(b"import json")
    assert (slot.repository.top / "folder" / "deep" / "er.txt").read_bytes() == b"deep\r\n", "whose blob did not change"
    git("config", "filter.rotate.smudge", "cat", cwd=project)
    prepare(slot, filtered)
    assert (slot.repository.top / "train.py").read_bytes().startswith(b"hlonqs irnm")
    git("config", "core.autocrlf", "true", cwd=project)
    prepare(slot, head)
    assert (slot.repository.top / "with space").read_bytes() == b"x"
    assert (slot.repository.top / "params.yaml").read_bytes() == b"lr: 0.25\r\n"
    git("config", "core.autocrlf", "false", cwd=project)
    (place.common_dir / "info" / "attributes").write_text("params.yaml text eol=crlf\n")
    prepare(slot, head)
    assert (slot.repository.top / "params.yaml").read_bytes() == b"lr: 0.25\r\n"
    (place.common_dir / "info" / "attributes").unlink()
    prepare(slot, head)
    check(slot, head)


def test_a_filter_that_fails_and_is_required_is_told(slot, project, head, git, check):
    git("config", "filter.broken.smudge", "false", cwd=project)
    git("config", "filter.broken.clean", "cat", cwd=project)
    git("config", "filter.broken.required", "true", cwd=project)
    broken = commit(project, git, {".gitattributes": b"*.bad filter=broken\n", "x.bad": b"x"})
    with pytest.raises(RepositoryError, match=r"^git read-tree failed: .*x\.bad: smudge filter broken failed$"):
        prepare(slot, broken)
    prepare(slot, head)
    check(slot, head)


@pytest.mark.parametrize("cone", ["--cone", "--no-cone"])
def test_a_sparse_checkout_of_the_user_leaves_nothing_out(place, head, git, project, check, cone):
    git("stash", "--quiet", cwd=project)
    git("sparse-checkout", "set", cone, "odd", cwd=project)
    assert not (project / "folder").exists()
    with claim(place, "one") as slot:
        for _ in range(2):
            prepare(slot, head)
            assert (slot.repository.top / "folder" / "deep" / "er.txt").exists()
            assert git("status", "--porcelain", "--ignored", cwd=slot.repository.top) == ""
            assert "S " not in git("ls-files", "-v", cwd=slot.repository.top)
    assert not (project / "folder").exists()


def test_the_users_settings_of_his_work_tree_hold_in_the_slot(place, slot, head, project, git):
    git("config", "extensions.worktreeConfig", "true", cwd=project)
    git("config", "--worktree", "core.autocrlf", "true", cwd=project)
    git("config", "--worktree", "core.worktree", str(project), cwd=project)
    prepare(slot, head)
    assert (slot.repository.top / "params.yaml").read_bytes() == b"lr: 0.25\r\n"
    assert git("rev-parse", "--show-toplevel", cwd=slot.repository.top) == str(slot.repository.top)


def test_no_hook_runs(place, head, tmp_path):
    for name in ("post-checkout", "post-index-change", "reference-transaction"):
        hook = place.common_dir / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch '{tmp_path}/hooked'\n")
        hook.chmod(0o755)
    with claim(place, "one") as slot:
        prepare(slot, head)
    assert not (tmp_path / "hooked").exists()


@pytest.mark.parametrize("words", [[], ["-a"]])
def test_the_variables_of_a_hook_do_not_reach_the_slot(place, head, project, git, words, untouched):
    code = (
        "import os\nfrom pathlib import Path\nfrom exptrack.backends.git.repository import find_repository\n"
        "from exptrack.store.slots import claim, prepare\n"
        "assert 'GIT_INDEX_FILE' in os.environ\n"
        f"prepare(claim(find_repository(Path('.')), 'one'), {head!r})\n"
    )
    hook = place.common_dir / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    (project.parent / "hook.py").write_text(code)
    hook.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{project.parent / 'hook.py'}'\n")
    hook.chmod(0o755)
    git("commit", "--quiet", *words, "-m", "hooked", cwd=project)
    assert "staged.py" in git("show", "--stat", "--format=", "HEAD", cwd=project)
    assert git("status", "--porcelain", "--ignored", cwd=place.shared / "worktrees" / "w0") == ""


def test_what_git_finds_by_its_variables_is_the_slot(slot, monkeypatch, place):
    monkeypatch.setenv("GIT_DIR", str(place.git_dir))
    monkeypatch.setenv("GIT_INDEX_FILE", str(place.index_file))
    out = command.run(slot.repository.top, "rev-parse", "--show-toplevel", environ=slot.repository.environ)
    assert os.fsdecode(out).rstrip("\n") == str(slot.repository.top)
    assert not command.run(slot.repository.top, "status", "--porcelain", environ=slot.repository.environ)


# Layouts


@pytest.fixture(
    params=["linked", "submodule", "bare", "separate", "sha256", "odd name", "nested in a slot", "symlinked"]
)
def layout(request, project, git, tmp_path, head) -> tuple[Path, str]:  # noqa: PLR0911
    """A work tree that is not as most are, and a commit of it."""
    source = ["clone", "--quiet", "--no-local", project]
    match request.param:
        case "linked":
            git("worktree", "add", "--quiet", "-b", "other", tmp_path / "linked", cwd=project)
            return tmp_path / "linked", head
        case "submodule":
            git("init", "--quiet", tmp_path / "outer")
            git(
                "-c",
                "protocol.file.allow=always",
                "submodule",
                "--quiet",
                "add",
                project,
                "inner",
                cwd=tmp_path / "outer",
            )
            return tmp_path / "outer" / "inner", head
        case "bare":
            git("clone", "--quiet", "--bare", project, tmp_path / "bare.git")
            git("worktree", "add", "--quiet", "--detach", tmp_path / "tree", cwd=tmp_path / "bare.git")
            return tmp_path / "tree", head
        case "separate":
            git(*source, tmp_path / "tree", f"--separate-git-dir={tmp_path / 'elsewhere'}")
            return tmp_path / "tree", head
        case "sha256":
            git("init", "--quiet", "--object-format=sha256", tmp_path / "tree")
            return tmp_path / "tree", commit(tmp_path / "tree", git, FILES)
        case "odd name":
            git(*source, tmp_path / ODD)
            return tmp_path / ODD, head
        case "nested in a slot":
            slot = claim(find_repository(project), "outer")
            prepare(slot, head)
            request.addfinalizer(slot.close)  # noqa: PT021
            return slot.repository.top, head
        case _:
            (tmp_path / "short").symlink_to(project)
            return tmp_path / "short", head


def test_it_works_in_every_layout(layout, tmp_path):
    folder, oid = layout
    place = find_repository(folder)
    status = ["git", "status", "--porcelain", "--ignored"]
    before = subprocess.run(status, cwd=folder, capture_output=True, check=True).stdout
    with claim(place, "one") as slot:
        for _ in range(2):
            prepare(slot, oid)
            soil(slot.repository.top) if (slot.repository.top / "run.sh").exists() else None
        prepare(slot, oid)
        assert see(slot.repository.top) == fresh(folder, oid, tmp_path / "fresh")
        found = find_repository(slot.repository.top)
        assert found == slot.repository
        assert subprocess.run(status, cwd=slot.repository.top, capture_output=True, check=True).stdout == b""
        listed = subprocess.run(
            ["git", "worktree", "list"], cwd=folder, capture_output=True, text=True, check=True
        ).stdout
        assert re.search(r"exptrack/worktrees/w\d+ ", listed)
    assert subprocess.run(status, cwd=folder, capture_output=True, check=True).stdout == before
    subprocess.run(["git", "fsck", "--strict"], cwd=folder, capture_output=True, check=True)


# Broken slots


BREAKAGE = {
    "the folder is gone": lambda slot: shutil.rmtree(slot.repository.top),
    "the folder is a file": lambda slot: (shutil.rmtree(slot.repository.top), slot.repository.top.write_text("x")),
    "the folder is a link": lambda slot: (
        slot.repository.top.rename(slot.repository.top.with_name("away")),
        slot.repository.top.symlink_to("away"),
    ),
    "no .git": lambda slot: (slot.repository.top / ".git").unlink(),
    ".git leads elsewhere": lambda slot: (slot.repository.top / ".git").write_text("gitdir: /nowhere\n"),
    ".git leads to the user's": lambda slot: (slot.repository.top / ".git").write_text(
        f"gitdir: {slot.main.git_dir}\n"
    ),
    ".git is a repository": lambda slot: (
        (slot.repository.top / ".git").unlink(),
        subprocess.run(["git", "init", "--quiet", slot.repository.top], check=True),
    ),
    "no git dir": lambda slot: shutil.rmtree(slot.repository.git_dir),
    "no HEAD": lambda slot: (slot.repository.git_dir / "HEAD").unlink(),
    "HEAD is torn": lambda slot: (slot.repository.git_dir / "HEAD").write_text("ref"),
    "no commondir": lambda slot: (slot.repository.git_dir / "commondir").unlink(),
    "gitdir leads elsewhere": lambda slot: (slot.repository.git_dir / "gitdir").write_text("/nowhere/.git\n"),
    "no index": lambda slot: (slot.repository.git_dir / "index").unlink(),
    "a corrupt index": lambda slot: (slot.repository.git_dir / "index").write_bytes(b"DIRC" + b"\0" * 90),
    "corrupt indexes": lambda slot: [path.write_bytes(b"\0") for path in slot.repository.git_dir.glob("*index")],
    "locks of a dead git": lambda slot: [
        (slot.repository.git_dir / name).touch()
        for name in ("index.lock", "exptrack-index.lock", "HEAD.lock", "exptrack-index.copy", "HEAD.exptrack-new")
    ],
    "folders where files belong": lambda slot: [
        ((slot.repository.git_dir / name).unlink(), (slot.repository.git_dir / name / "x").mkdir(parents=True))
        for name in ("index", "exptrack-index", "exptrack-key")
    ],
    "no key": lambda slot: (slot.repository.git_dir / "exptrack-key").unlink(),
    "no mark": lambda slot: (slot.repository.git_dir / "exptrack-slot").unlink(),
    "pruned": lambda slot: (
        (slot.repository.top / ".git").unlink(),
        (slot.repository.git_dir / "locked").unlink(),
        subprocess.run(["git", "worktree", "prune"], cwd=slot.main.top, check=True),
    ),
    "removed with git": lambda slot: (
        subprocess.run(["git", "worktree", "remove", "-f", "-f", slot.repository.top], cwd=slot.main.top, check=True),
    ),
    "only the locks are left": lambda slot: [
        shutil.rmtree(path) for path in (slot.repository.top, slot.repository.git_dir.parent)
    ],
    "all is gone": lambda slot: [
        shutil.rmtree(path) for path in (slot.main.shared / "worktrees", slot.repository.git_dir.parent)
    ],
}


@pytest.mark.parametrize("how", BREAKAGE)
def test_a_broken_slot_is_mended_or_made_anew(place, head, check, untouched, how, git):
    before = untouched()
    with claim(place, "one") as slot:
        prepare(slot, head)
        BREAKAGE[how](slot)
    with claim(place, "two") as slot:
        assert slot.number == 0
        prepare(slot, head)
        check(slot, head)
        assert git("worktree", "list", cwd=place.top).count("exptrack/worktrees/w0") == 1
    assert untouched() == before
    git("fsck", "--strict", cwd=place.top)


def test_a_project_that_was_moved_takes_its_slots_along(place, head, project, check, git, tmp_path):
    with claim(place, "one") as slot:
        prepare(slot, head)
        inode = (slot.repository.top / "run.sh").stat().st_ino
    project.rename(tmp_path / "renamed")
    moved = find_repository(tmp_path / "renamed")
    with claim(moved, "two") as slot:
        prepare(slot, head)
        assert find_repository(slot.repository.top) == slot.repository
        assert git("status", "--porcelain", "--ignored", cwd=slot.repository.top) == ""
        assert (slot.repository.top / "run.sh").stat().st_ino == inode, "it was mended, not made anew"
        listed = git("worktree", "list", cwd=moved.top)
        assert str(slot.repository.top) in listed
        assert len(listed.splitlines()) == 2


def test_a_copy_of_the_project_does_not_work_in_the_slots_of_the_original(place, head, project, git, tmp_path):
    with claim(place, "one") as slot:
        prepare(slot, head)
        shutil.copytree(project, tmp_path / "copy", symlinks=True)
        copy = find_repository(tmp_path / "copy")
        with claim(copy, "two") as other:
            assert other.number == 0
            prepare(other, head)
            (other.repository.top / "plain.py").write_text("in the copy")
            assert other.repository.top.is_relative_to(tmp_path / "copy")
        assert git("status", "--porcelain", cwd=slot.repository.top) == ""


def test_a_worktree_of_the_users_with_our_name_is_left_alone(place, head, project, git, tmp_path, check):
    git("worktree", "add", "--quiet", "--detach", tmp_path / "exptrack-w0", cwd=project)
    (tmp_path / "exptrack-w0" / "plain.py").write_text("the user's")
    with claim(place, "one") as slot:
        prepare(slot, head)
        check(slot, head)
        assert slot.repository.git_dir.name == "exptrack-w0-1"
    assert git("status", "--porcelain", cwd=tmp_path / "exptrack-w0") == "M plain.py"


def test_git_may_keep_house_at_any_time(place, slot, head, check, git, project):
    for words in (
        ["gc", "--quiet"],
        ["maintenance", "run", "--task=gc"],
        ["worktree", "prune", "--expire=now"],
        ["worktree", "repair"],
    ):
        git(*words, cwd=project)
        check(slot, head)
    slot.close()
    git("worktree", "prune", "--expire=now", cwd=project)
    with claim(place, "two") as other:
        prepare(other, head)
        check(other, head)


def test_what_a_slot_has_checked_out_is_not_collected(place, slot, project, git):
    tree = git("write-tree", cwd=project)
    lonely = git("commit-tree", "-m", "on no ref", tree, cwd=project)
    prepare(slot, lonely)
    git("gc", "--quiet", "--prune=now", cwd=project)
    assert git("cat-file", "-t", lonely, cwd=project) == "commit"


def test_a_slot_in_use_is_locked_and_a_free_one_can_be_removed(place, head, project, git):
    with claim(place, "one") as slot:
        prepare(slot, head)
        assert "locked the run one of exptrack works here" in git("worktree", "list", "--porcelain", cwd=project)
        done = subprocess.run(
            ["git", "worktree", "remove", "--force", slot.repository.top],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert "the run one of exptrack works here" in done.stderr
    assert "\nlocked" not in git("worktree", "list", "--porcelain", cwd=project)
    git("worktree", "remove", slot.repository.top, cwd=project)
    assert len(git("worktree", "list", cwd=project).splitlines()) == 1


def test_no_branch_is_held(place, slot, project, git):
    git("branch", "other", cwd=project)
    git("stash", "--quiet", cwd=project)
    git("checkout", "--quiet", "other", cwd=project)
    git("branch", "-D", "main", cwd=project)


def test_a_disk_that_refuses_is_told_in_one_line(place, slot, head):
    if os.getuid() == 0:
        shutil.rmtree(slot.repository.top)
        shutil.rmtree(slot.repository.git_dir.parent)
        slot.repository.git_dir.parent.write_text("in the way")
    else:
        shutil.rmtree(slot.repository.top)
        slot.repository.top.parent.chmod(0o500)
    with pytest.raises(ExptrackError, match=r"^the slot .*/w0 cannot be filled: [^\n]+[^.]$"):
        prepare(slot, head)
    slot.repository.top.parent.chmod(0o700)


# Submodules


@pytest.fixture
def outer(project, git, tmp_path, monkeypatch) -> tuple[Path, str]:
    """A project with a submodule, which has one itself."""
    for variable, value in {"COUNT": "1", "KEY_0": "protocol.file.allow", "VALUE_0": "always"}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{variable}", value)
    library, deep = tmp_path / "library", tmp_path / "deep"
    for folder in (library, deep):
        git("init", "--quiet", folder)
        commit(folder, git, {"lib.py": folder.name.encode(), "sub dir/x": b"x"})
    git("submodule", "--quiet", "add", deep, "in/deep", cwd=library)
    commit(library, git)
    git("submodule", "--quiet", "add", "--name", "named so", library, f"libs/{ODD[:5]}", cwd=project)
    git("submodule", "--quiet", "update", "--init", "--recursive", cwd=project)
    git("restore", "--staged", "staged.py", cwd=project)
    git("commit", "--quiet", "-m", "submodule", cwd=project)
    for gone in (library, deep):
        shutil.rmtree(gone)  # nothing can be fetched
    return project, git("rev-parse", "HEAD", cwd=project)


LIBRARY = f"libs/{ODD[:5]}"


def test_submodules_come_from_the_local_modules(outer, git):
    project, head = outer
    place = find_repository(project)
    status = git("status", "--porcelain", cwd=project)
    inner = {path: git("status", "--porcelain", cwd=project / path) for path in (LIBRARY, f"{LIBRARY}/in/deep")}
    with claim(place, "one") as slot:
        top = slot.repository.top
        for _ in range(3):
            prepare(slot, head)
            assert list((top / LIBRARY).iterdir()) == []
            assert dict(slot.submodules).keys() == {LIBRARY}
            assert add_submodules(slot, place) == ()
            assert (top / LIBRARY / "lib.py").read_text() == "library"
            assert (top / LIBRARY / "in" / "deep" / "lib.py").read_text() == "deep"
            assert git("status", "--porcelain", "--ignored", cwd=top) == ""
            for path in inner:
                assert git("status", "--porcelain", "--ignored", cwd=top / path) == ""
                assert find_repository(top / path).top == top / path
            kept = (top / LIBRARY / "sub dir" / "x").stat().st_ino
            (top / LIBRARY / "lib.py").write_text("dirty")
            (top / LIBRARY / "in" / "deep" / "new").write_text("dirty")
            (top / LIBRARY / "new").write_text("dirty")
            git("init", "--quiet", top / LIBRARY / "sub dir")
        prepare(slot, head)
        assert add_submodules(slot, place) == ()
        assert (top / LIBRARY / "sub dir" / "x").stat().st_ino == kept, "what did not change was not written again"
    assert git("status", "--porcelain", cwd=project) == status
    for path, said in inner.items():
        assert git("status", "--porcelain", cwd=project / path) == said == ""
        assert git("fsck", cwd=project / path) == ""


def test_a_commit_of_a_submodule_that_only_the_user_has_is_had(outer, git):
    project, _ = outer
    commit(project / LIBRARY, git, {"lib.py": b"edited here"})
    git("add", LIBRARY, cwd=project)
    git("commit", "--quiet", "-m", "moved on", cwd=project)
    place = find_repository(project)
    with claim(place, "one") as slot:
        prepare(slot, git("rev-parse", "HEAD", cwd=project))
        assert add_submodules(slot, place) == ()
        assert (slot.repository.top / LIBRARY / "lib.py").read_text() == "edited here"


def test_submodules_that_cannot_be_had_are_named_and_stay_empty(outer, git):
    project, head = outer
    place = find_repository(project)
    git("update-index", "--cacheinfo", f"160000,{'1' * 40},{LIBRARY}", cwd=project)
    git("update-index", "--add", "--cacheinfo", f"160000,{head},nowhere", cwd=project)
    git("commit", "--quiet", "-m", "broken", cwd=project)
    with claim(place, "one") as slot:
        for _ in range(2):
            prepare(slot, git("rev-parse", "HEAD", cwd=project))
            assert sorted(add_submodules(slot, place)) == [LIBRARY, "nowhere"]
            assert list((slot.repository.top / LIBRARY).iterdir()) == []
        assert git("fsck", cwd=project / LIBRARY) == ""
        prepare(slot, head)
        assert add_submodules(slot, place) == ()
    shutil.rmtree(project / ".git" / "modules" / "named so" / "modules")
    with claim(place, "one") as slot:
        prepare(slot, head)
        assert add_submodules(slot, place) == (f"{LIBRARY}/in/deep",)


def test_a_submodule_that_is_not_checked_out_comes_from_what_it_once_was(outer, git):
    project, head = outer
    place = find_repository(project)
    git("submodule", "--quiet", "deinit", "--force", LIBRARY, cwd=project)
    with claim(place, "one") as slot:
        prepare(slot, head)
        assert add_submodules(slot, place) == ()
        assert (slot.repository.top / LIBRARY / "lib.py").read_text() == "library"


def test_from_a_linked_worktree_and_a_slot_submodules_are_found(outer, git, tmp_path):
    project, head = outer
    git("worktree", "add", "--quiet", "--detach", tmp_path / "linked", cwd=project)
    linked = find_repository(tmp_path / "linked")
    with claim(linked, "one") as slot:
        prepare(slot, head)
        assert add_submodules(slot, linked) == ()
        with claim(slot.repository, "two") as inner:
            prepare(inner, head)
            assert add_submodules(inner, slot.repository) == ()
            assert (inner.repository.top / LIBRARY / "in" / "deep" / "lib.py").read_text() == "deep"
            assert git("status", "--porcelain", cwd=slot.repository.top / LIBRARY) == ""


def test_a_submodule_has_slots_of_its_own(outer, git):
    project, head = outer
    whole, part = find_repository(project), find_repository(project / LIBRARY)
    with claim(whole, "one") as slot, claim(part, "two") as other:
        prepare(slot, head)
        prepare(other, git("rev-parse", "HEAD", cwd=project / LIBRARY))
        assert add_submodules(slot, whole) == ()
        assert add_submodules(other, part) == ()
        (other.repository.top / "in" / "deep" / "lib.py").write_text("only here")
        assert git("status", "--porcelain", cwd=slot.repository.top / LIBRARY / "in" / "deep") == ""
        assert (slot.repository.top / LIBRARY / "in" / "deep" / "lib.py").read_text() == "deep"


def test_a_name_that_leads_out_of_the_modules_is_not_followed(outer, git, tmp_path):
    project, _ = outer
    git("clone", "--quiet", "--bare", project, project.parent / "evil")
    (project / ".gitmodules").write_text(
        '[submodule "../../../evil"]\n\tpath = nowhere\n\turl = x\n[submodule "/"]\n\tpath = other\n\turl = x\n'
    )
    for path in ("nowhere", "other"):
        git(
            "update-index",
            "--add",
            "--cacheinfo",
            f"160000,{git('rev-parse', 'HEAD', cwd=project)},{path}",
            cwd=project,
        )
    git("commit", "--quiet", "-m", "evil", ".gitmodules", "--include", cwd=project)
    place = find_repository(project)
    with claim(place, "one") as slot:
        prepare(slot, git("rev-parse", "HEAD", cwd=project))
        assert {"nowhere", "other"} <= set(add_submodules(slot, place))


# Links


@pytest.fixture
def raw(project) -> Path:
    (project / "data" / "raw").mkdir(parents=True)
    (project / "data" / "raw" / "x.csv").write_text("1,2")
    (project / "train.log").write_text("log")
    return project


def test_what_git_ignores_is_linked_in_and_survives_the_slot(slot, raw, head, check):
    top = slot.repository.top
    paths = ["data/", "./train.log", "not there", "data/raw", "data/raw/none", "folder/not there"]
    assert link_paths(slot, raw, paths) == ("not there", "data/raw/none", "folder/not there")
    assert (top / "data" / "raw" / "x.csv").read_text() == "1,2"
    assert ((top / "data").readlink(), (top / "train.log").readlink()) == (raw / "data", raw / "train.log")
    assert link_paths(slot, raw, ["data"]) == (), "once more"
    prepare(slot, head)
    check(slot, head)
    assert (raw / "data" / "raw" / "x.csv").read_text() == "1,2"
    assert link_paths(slot, raw, ["data/raw", "data/raw/x.csv"]) == ()
    assert not (top / "data").is_symlink()
    assert (top / "data" / "raw").is_symlink()


def test_a_link_of_the_users_is_linked_as_it_is(slot, raw, tmp_path):
    (raw / "data").rename(tmp_path / "disk")
    (raw / "data").symlink_to(tmp_path / "disk")
    (raw / "gone.log").symlink_to("/nowhere")
    assert link_paths(slot, raw, ["data", "gone.log"]) == ()
    assert (slot.repository.top / "data" / "raw" / "x.csv").read_text() == "1,2"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("../other", "name a file or folder below the root of the repository"),
        ("data/../../other", "name a file or folder below the root of the repository"),
        ("/etc", "name a file or folder below the root of the repository"),
        ("", "name a file or folder below the root of the repository"),
        (".", "name a file or folder below the root of the repository"),
        ("a\0b", "name a file or folder below the root of the repository"),
        (".git/config", "it belongs to Git"),
        ("data/.GIT", "it belongs to Git"),
        ("plain.py", "the snapshot holds it already; name only what Git ignores"),
        ("folder", "the snapshot holds files of it already; name only what Git ignores"),
        ("link", "the snapshot holds it already; name only what Git ignores"),
        ("dangling", "the snapshot holds it already; name only what Git ignores"),
        ("link/er.txt", "'link' is a link, which may lead out of the repository"),
        ("plain.py/x", "'plain.py' is a file that Git tracks"),
    ],
)
def test_what_must_not_be_linked_is_refused_before_anything_is(slot, raw, head, check, path, says):
    if path == "plain.py/x":
        (raw / "plain.py").unlink()
        (raw / "plain.py").mkdir()
        (raw / "plain.py" / "x").touch()
    with pytest.raises(ExptrackError, match=f"^{re.escape(repr(path))} cannot be linked: {re.escape(says)}$"):
        link_paths(slot, raw, ["data", path])
    check(slot, head)


# Kills

# A git that kills its parent before or after it did its work, if it is the one whose turn it is.
KILLING_GIT = """
set -o noclobber
turn=1
until true > "$folder/turns/$turn"; do turn=$((turn + 1)); done 2> /dev/null
if [ "$turn-$when" = "$last-before" ]; then kill -9 $PPID; sleep 0.05; fi
"$git" "$@"
status=$?
if [ "$turn-$when" = "$last-after" ]; then kill -9 $PPID; fi
exit $status
"""

WORK = """
import os, sys
from pathlib import Path
from exptrack.backends.git.repository import find_repository
from exptrack.store.slotlinks import link_paths
from exptrack.store.slots import add_submodules, claim, prepare
place = find_repository(Path(sys.argv[1]))
with claim(place, sys.argv[2]) as slot:
    prepare(slot, sys.argv[3])
    add_submodules(slot, place)
    link_paths(slot, place.top, ["data"])
"""

DYING = """
import os, signal, sys
turn = int(sys.argv[4])
KINDS = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.symlink", "os.utime", "fcntl.flock", "subprocess.Popen"}
def strike(event, arguments):
    global turn
    if event in KINDS or event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        turn -= 1
        if not turn: os.kill(os.getpid(), signal.SIGKILL)
sys.dont_write_bytecode = True
import exptrack.backends.git.index, shutil, subprocess
sys.addaudithook(strike)
"""


@pytest.fixture
def survivor(outer, raw, git, check, tmp_path, untouched):
    """Assert, after a kill, that the next claim and all that follows works, and that nothing of the user's changed."""
    project, head = outer
    place = find_repository(project)
    (project / "plain.py").write_text("the user's")
    (project / "data" / "raw" / "x.csv").write_text("precious")
    before = untouched()
    expected = fresh(project, head, tmp_path / "expected")
    del expected[LIBRARY]
    expected["data"] = str(project / "data")

    def call() -> None:
        until(lambda: is_free(place, 0))  # a git that outlives its parent keeps the slot
        with claim(place, "next") as slot:
            assert slot.number == 0
            prepare(slot, head)
            assert add_submodules(slot, place) == ()
            assert link_paths(slot, project, ["data"]) == ()
            seen = see(slot.repository.top)
            inside = {
                path: content
                for path, content in seen.items()
                if path.startswith(LIBRARY) and not path.endswith("/.git")
            }
            assert inside.keys() == {
                f"{LIBRARY}/{path}"
                for path in ("lib.py", "sub dir/x", ".gitmodules", "in/deep/lib.py", "in/deep/sub dir/x")
            }
            assert {path: content for path, content in seen.items() if not path.startswith(LIBRARY)} == expected
            assert git("status", "--porcelain", cwd=slot.repository.top) == "?? data"
            beside = {path.name for path in slot.repository.top.parent.iterdir()}
            assert beside - {"w0.aside"} == {"w0", "w0.lock", "w0.owner"}
        assert git("worktree", "list", cwd=project).count("\n") == 1
        git("fsck", "--strict", cwd=project)
        git("fsck", "--strict", cwd=project / LIBRARY)
        assert untouched() == before
        assert (project / "data" / "raw" / "x.csv").read_text() == "precious"

    return call


def spoil(place: Repository) -> None:
    """Take back what earlier work has done, in part, so that the next one has all to do."""
    top = place.shared / "worktrees" / "w0"
    shutil.rmtree(place.common_dir / "worktrees" / "exptrack-w0", ignore_errors=True)
    if top.exists():
        (top / "plain.py").write_text("dirty")
        (top / "new folder").mkdir(exist_ok=True)
        (top / "new folder" / "x").touch()
        (top / ".git").unlink()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_at_any_call_of_git_costs_nothing(outer, survivor, tmp_path, when, is_first):
    project, head = outer
    place = find_repository(project)
    if not is_first:
        survivor()
    for last in count(1):
        bench = tmp_path / f"bench-{last}"
        (bench / "turns").mkdir(parents=True)
        environ = put_git_in_front(bench / "bin", f"folder={bench}\nlast={last}\nwhen={when}\n{KILLING_GIT}")
        words = [sys.executable, "-c", WORK, str(project), f"run-{last}", head]
        done = run(words, env=environ, capture_output=True, check=False)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        survivor()
        if is_first:
            spoil(place)
    assert last >= 10, "git was not called from where it was thought to be"


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("chunk", range(1, 5))
def test_a_kill_between_any_two_effects_costs_nothing(outer, survivor, chunk):
    project, head = outer
    place = find_repository(project)
    for last in count(chunk, 4):
        words = [sys.executable, "-c", DYING + WORK, str(project), f"run-{last}", head, str(last)]
        done = run(words, capture_output=True, check=False)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        survivor()
        spoil(place)
    assert last >= 40, "the effects were not where they were thought to be"


def test_a_git_that_outlives_its_recorder_keeps_the_slot_until_it_ends(place, head, tmp_path):
    script = f'case "$*" in *read-tree*) kill -9 $PPID; await "{tmp_path}/go";; esac\nexec "$git" "$@"\n'
    environ = put_git_in_front(tmp_path / "bin", script)
    done = subprocess.run(
        [sys.executable, "-c", WORK, str(place.top), "one", head], env=environ, check=False, capture_output=True
    )
    assert done.returncode == -signal.SIGKILL
    assert (owners(place), is_free(place, 0)) == ({0: "one"}, False)
    with claim(place, "two") as slot:
        assert slot.number == 1
        prepare(slot, head)
    (tmp_path / "go").touch()
    until(lambda: is_free(place, 0))
