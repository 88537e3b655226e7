"""The snapshot is byte for byte what is on disk, and the user's things stay the user's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading

import pytest

from exptrack.model.data import Reason
from exptrack.model.settings import Capture, Limits


def test_it_holds_what_is_modified_deleted_and_untracked(repository, snapshot, untouched, git):
    (repository / "train.py").write_text("print('edited')\n")
    (repository / "params.yaml").unlink()
    (repository / "new.py").write_text("print('new')\n")
    before = untouched()
    taken = snapshot(repository)
    assert taken.files == {
        ".gitignore": b"metrics.json\n",
        "new.py": b"print('new')\n",
        "train.py": b"print('edited')\n",
    }
    assert not taken.left_out
    assert untouched() == before
    assert git("rev-parse", f"{taken.oid}^", cwd=repository) == git("rev-parse", "HEAD", cwd=repository)


def test_a_second_snapshot_follows_every_kind_of_change(repository, snapshot, git):
    (repository / "a.py").write_text("1")
    (repository / "b.py").write_text("1")
    assert {"a.py", "b.py"} <= set(snapshot(repository).files)
    (repository / "a.py").unlink()
    (repository / "b.py").write_text("2")
    (repository / "c.py").write_text("3")
    taken = snapshot(repository)
    assert "a.py" not in taken.files
    assert (taken.files["b.py"], taken.files["c.py"]) == (b"2", b"3")
    (repository / ".gitignore").write_text("metrics.json\nb.py\n")
    assert "b.py" not in snapshot(repository).files
    git("add", "-f", "b.py", cwd=repository)
    assert snapshot(repository).files["b.py"] == b"2"
    git("rm", "--quiet", "--cached", "b.py", cwd=repository)
    assert "b.py" not in snapshot(repository).files


def test_a_change_of_same_size_and_time_is_seen(repository, snapshot):
    path = repository / "train.py"
    path.write_text("aaaa")
    for letter in "bcdefgh":
        path.write_text(letter * 4)
        assert snapshot(repository).files["train.py"] == letter.encode() * 4


def test_staged_and_unstaged_states_of_a_file_give_what_is_on_disk(repository, snapshot, git, untouched):
    (repository / "train.py").write_text("staged")
    git("add", "train.py", cwd=repository)
    (repository / "train.py").write_text("on disk")
    before = untouched()
    assert snapshot(repository).files["train.py"] == b"on disk"
    assert untouched() == before


def test_a_detached_head_and_a_subdirectory_work(repository, snapshot, git):
    git("checkout", "--quiet", "--detach", cwd=repository)
    (repository / "deep" / "er").mkdir(parents=True)
    (repository / "deep" / "er" / "x.py").write_text("x")
    assert snapshot(repository / "deep" / "er").files["deep/er/x.py"] == b"x"


def test_a_linked_worktree_has_a_snapshot_of_its_own(repository, snapshot, git, tmp_path):
    git("worktree", "add", "--quiet", "-b", "other", tmp_path / "linked", cwd=repository)
    (tmp_path / "linked" / "only-here.py").write_text("here")
    assert snapshot(tmp_path / "linked").files["only-here.py"] == b"here"
    assert "only-here.py" not in snapshot(repository).files


def test_a_repository_without_a_commit_gives_a_root_commit(tmp_path, snapshot, git):
    git("init", "--quiet", tmp_path / "empty")
    assert snapshot(tmp_path / "empty").files == {}
    (tmp_path / "empty" / "a.py").write_text("a")
    taken = snapshot(tmp_path / "empty")
    assert taken.files == {"a.py": b"a"}
    assert git("rev-list", "--count", taken.oid, cwd=tmp_path / "empty") == "1"
    git("add", "a.py", cwd=tmp_path / "empty")
    assert snapshot(tmp_path / "empty").files == {"a.py": b"a"}


NAMES = [
    "with space.py",
    'quo"te.py',
    "new\nline.py",
    "ünï—code.py",
    "tab\t.py",
    "-dash.py",
    "back\\slash.py",
    "[glob]*.py",
    ":colon.py",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_file_name_survives(repository, snapshot, git, name):
    (repository / name).write_text("untracked")
    assert snapshot(repository).files[name] == b"untracked"
    git("--literal-pathspecs", "add", "--", name, cwd=repository)
    (repository / name).write_text("changed")
    assert snapshot(repository).files[name] == b"changed"


def test_a_name_that_is_not_utf_8_survives(repository, snapshot):
    name = os.fsdecode(b"latin-\xe9.py")
    try:
        (repository / name).write_text("bytes")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert snapshot(repository).files[name] == b"bytes"


def test_symbolic_links_and_mode_bits_are_kept(repository, snapshot):
    (repository / "link.py").symlink_to("train.py")
    (repository / "dangling").symlink_to("nowhere")
    (repository / "train.py").chmod(0o755)
    modes = snapshot(repository).modes
    assert (modes["link.py"], modes["dangling"], modes["train.py"]) == ("120000", "120000", "100755")


def test_a_file_that_became_a_folder_and_the_other_way_round(repository, snapshot, git):
    (repository / "thing").write_text("file")
    (repository / "pack").mkdir()
    (repository / "pack" / "a.py").write_text("a")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "both", cwd=repository)
    (repository / "thing").unlink()
    (repository / "thing").mkdir()
    (repository / "thing" / "b.py").write_text("b")
    (repository / "pack" / "a.py").unlink()
    (repository / "pack").rmdir()
    (repository / "pack").write_text("now a file")
    files = snapshot(repository).files
    assert files["thing/b.py"] == b"b"
    assert files["pack"] == b"now a file"
    assert "thing" not in files
    assert "pack/a.py" not in files


def test_what_is_assumed_unchanged_or_skipped_counts_as_it_is_on_disk(repository, snapshot, git, untouched):
    git("update-index", "--assume-unchanged", "train.py", cwd=repository)
    git("update-index", "--skip-worktree", "params.yaml", cwd=repository)
    (repository / "train.py").write_text("hidden edit")
    (repository / "params.yaml").write_text("hidden: edit")
    before = untouched()
    files = snapshot(repository).files
    assert files["train.py"] == b"hidden edit"
    assert files["params.yaml"] == b"hidden: edit"
    assert untouched() == before


def test_a_sparse_checkout_keeps_what_is_not_on_disk(repository, snapshot, git):
    for folder in ("here", "there"):
        (repository / folder).mkdir()
        (repository / folder / "x.py").write_text(folder)
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "folders", cwd=repository)
    git("sparse-checkout", "set", "--cone", "--sparse-index", "here", cwd=repository)
    assert not (repository / "there").exists()
    (repository / "here" / "x.py").write_text("edited")
    files = snapshot(repository).files
    assert files["there/x.py"] == b"there"
    assert files["here/x.py"] == b"edited"


def test_a_conflict_is_recorded_as_it_stands_on_disk(repository, snapshot, git):
    git("checkout", "--quiet", "-b", "side", cwd=repository)
    (repository / "train.py").write_text("side\n")
    git("commit", "--quiet", "-am", "side", cwd=repository)
    git("checkout", "--quiet", "main", cwd=repository)
    (repository / "train.py").write_text("main\n")
    git("commit", "--quiet", "-am", "main", cwd=repository)
    subprocess.run(["git", "merge", "side"], cwd=repository, capture_output=True, check=False)
    assert b"<<<<<<<" in snapshot(repository).files["train.py"]


def test_a_submodule_is_recorded_and_a_dirty_one_named(repository, snapshot, git, tmp_path):
    library = tmp_path / "library"
    git("init", "--quiet", library)
    (library / "lib.py").write_text("1")
    git("add", ".", cwd=library)
    git("commit", "--quiet", "-m", "library", cwd=library)
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "lib", cwd=repository)
    git("commit", "--quiet", "-m", "submodule", cwd=repository)
    taken = snapshot(repository)
    assert taken.modes["lib"] == "160000"
    assert not taken.left_out
    (repository / "lib" / "lib.py").write_text("2")
    assert snapshot(repository).left_out["lib"].reason is Reason.DIRTY_SUBMODULE
    git("commit", "--quiet", "-am", "moved", cwd=repository / "lib")
    taken = snapshot(repository)
    assert not taken.left_out
    listed = git("ls-tree", taken.oid, "lib", cwd=repository)
    assert git("rev-parse", "HEAD", cwd=repository / "lib") in listed


def test_nested_repositories_are_named_with_their_commit(repository, snapshot, git):
    git("init", "--quiet", repository / "nested")
    (repository / "nested" / "x.py").write_text("x")
    assert snapshot(repository).left_out["nested/"].reason is Reason.NESTED_REPOSITORY
    git("add", ".", cwd=repository / "nested")
    git("commit", "--quiet", "-m", "x", cwd=repository / "nested")
    taken = snapshot(repository)
    assert taken.left_out["nested/"].digest == git("rev-parse", "HEAD", cwd=repository / "nested")
    assert not any(path.startswith("nested") for path in taken.modes)


def test_filters_clean_what_is_stored(repository, snapshot, git):
    (repository / ".gitattributes").write_text("*.up filter=upper\n")
    git("config", "filter.upper.clean", "tr a-z A-Z", cwd=repository)
    (repository / "x.up").write_text("loud")
    assert snapshot(repository).files["x.up"] == b"LOUD"


def test_a_file_that_a_required_filter_refuses_costs_only_itself(repository, snapshot, git):
    (repository / ".gitattributes").write_text("*.bad filter=broken\n")
    git("config", "filter.broken.clean", "false", cwd=repository)
    git("config", "filter.broken.required", "true", cwd=repository)
    (repository / "x.bad").write_text("x")
    (repository / "y.py").write_text("y")
    taken = snapshot(repository)
    assert taken.files["y.py"] == b"y"
    assert taken.left_out["x.bad"].reason is Reason.UNREADABLE


def test_line_endings_that_git_would_refuse_are_taken(repository, snapshot, git):
    git("config", "core.autocrlf", "input", cwd=repository)
    git("config", "core.safecrlf", "true", cwd=repository)
    (repository / "dos.txt").write_bytes(b"a\r\nb\n")
    assert "dos.txt" in snapshot(repository).files


SECRETS = [
    ".env",
    ".env.local",
    "server.pem",
    "private.key",
    "id_rsa",
    "id_ed25519.pub",
    "credentials.json",
    "deep/er/.env",
]


@pytest.mark.parametrize("name", SECRETS)
def test_what_looks_secret_stays_out(repository, snapshot, name):
    (repository / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / name).write_text("s")
    taken = snapshot(repository)
    assert taken.left_out[name].reason is Reason.SECRET
    assert name not in taken.modes


def test_a_tracked_secret_stays_as_it_was_committed(repository, snapshot, git):
    (repository / ".env").write_text("committed")
    git("add", "-f", ".env", cwd=repository)
    git("commit", "--quiet", "-m", "careless", cwd=repository)
    assert not snapshot(repository).left_out
    (repository / ".env").write_text("a new secret")
    (repository / "staged.pem").write_text("staged only")
    git("add", "-f", "staged.pem", cwd=repository)
    taken = snapshot(repository)
    assert taken.files[".env"] == b"committed"
    assert "staged.pem" not in taken.files
    assert {taken.left_out[name].reason for name in (".env", "staged.pem")} == {Reason.SECRET}


def test_the_list_of_secrets_can_be_changed(repository, snapshot):
    (repository / ".env").write_text("public")
    (repository / "mine.txt").write_text("private")
    taken = snapshot(repository, Capture()._replace(secrets=("mine.*",)))
    assert ".env" in taken.files
    assert "mine.txt" in taken.left_out


def test_large_files_stay_out(repository, snapshot):
    (repository / "large.bin").write_bytes(b"\0" * (1024 * 1024 + 1))
    (repository / "limit.bin").write_bytes(b"\0" * 1024 * 1024)
    taken = snapshot(repository)
    assert taken.left_out["large.bin"].size == 1024 * 1024 + 1
    assert taken.left_out["large.bin"].reason is Reason.TOO_LARGE
    assert "limit.bin" in taken.files


def test_the_caps_cut_data_before_programs(repository, snapshot):
    (repository / "data").mkdir()
    for number in range(30):
        (repository / "data" / f"{number}.img").write_bytes(b"x" * 1000)
    (repository / "zebra.py").write_text("print()" * 200)
    taken = snapshot(repository, Capture(limits=Limits(files=10)))
    assert "zebra.py" in taken.files
    left = taken.left_out["data/"]
    assert (left.reason, left.files) == (Reason.TOO_MANY, 21)
    taken = snapshot(repository, Capture(limits=Limits(total_size=5000)))
    assert "zebra.py" in taken.files
    assert taken.left_out["data/"].files == 27


def test_virtual_environments_stay_out_whole(repository, snapshot):
    (repository / "env" / "lib").mkdir(parents=True)
    (repository / "env" / "pyvenv.cfg").write_text("home = /usr/bin")
    (repository / "env" / "lib" / "x.py").write_text("x")
    taken = snapshot(repository)
    assert taken.left_out["env/"].reason is Reason.VIRTUAL_ENVIRONMENT
    assert not any(path.startswith("env") for path in taken.files)


def test_folders_of_exptrack_stay_out_tracked_or_not(repository, snapshot, git):
    for folder in (".exptrack", "sub/.exptrack"):
        (repository / folder).mkdir(parents=True)
        (repository / folder / "run.json").write_text("{}")
    assert not any(".exptrack" in path for path in snapshot(repository).files)
    git("add", "-f", ".exptrack", cwd=repository)
    taken = snapshot(repository)
    assert not any(".exptrack" in path for path in taken.files)
    assert taken.left_out[".exptrack/"].reason is Reason.EXPTRACK


def test_excluded_paths_stay_out_without_a_line_unless_git_tracks_them(repository, snapshot, git):
    (repository / "model").mkdir()
    (repository / "model" / "weights.bin").write_text("w")
    (repository / "tracked.json").write_text("{}")
    git("add", "tracked.json", cwd=repository)
    taken = snapshot(repository, excluded=frozenset({"model", "tracked.json"}))
    assert "tracked.json" in taken.files
    assert "model/weights.bin" not in taken.files
    assert not taken.left_out


def test_unreadable_files_and_folders_are_named_and_cost_only_themselves(repository, tmp_path):
    (repository / "locked").mkdir()
    (repository / "locked" / "x.py").write_text("x")
    (repository / "locked.py").write_text("x")
    (repository / "train.py").write_text("tracked, changed, and locked")
    for name in ("locked", "locked.py", "train.py"):
        (repository / name).chmod(0)
    code = _UNREADABLE_SCRIPT.format(folder=str(repository), scratch=str(tmp_path))
    done = subprocess.run(
        [*_without_roots_powers(), sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["locked.py", "locked/", "train.py"], done.stderr


def _without_roots_powers() -> list[str]:
    """As root nothing is unreadable, so root has to lay that down first."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root reads everything, and there is no setpriv to change that")
    powers = "-dac_override,-dac_read_search"
    return ["setpriv", "--bounding-set", powers, "--inh-caps", powers]


_UNREADABLE_SCRIPT = """
from pathlib import Path
from exptrack.backends.git.repository import find_repository
from exptrack.backends.git.objects import resolve
from exptrack.model.settings import Capture
from exptrack.store.private_index import survey
from exptrack.store.snapshot import take
repository = find_repository(Path({folder!r}))
[base] = resolve(repository, ["HEAD^{{commit}}"])
taken = take(repository, "test", survey(repository, base, Capture(), Path({scratch!r})), Capture(), frozenset())
print(*sorted(omission.path for omission in taken.omissions))
"""


def test_files_that_change_and_vanish_while_it_is_taken_cost_nothing_else(repository, snapshot):
    stop = threading.Event()

    def churn() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            path = repository / f"churn-{number % 40}.txt"
            if path.exists():
                path.unlink()
            else:
                path.write_bytes(os.urandom(20_000))
            (repository / "train.py").write_text(f"{number}\n" * (number % 50 + 1))

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(15):
            files = snapshot(repository).files
            assert files["params.yaml"] == b"lr: 0.25\n"
            assert "train.py" in files
    finally:
        stop.set()
        thread.join()


def test_a_broken_private_index_is_rebuilt(repository, snapshot):
    (repository / "new.py").write_text("new")
    snapshot(repository)
    private = repository / ".git" / "exptrack"
    for damage in (b"", b"garbage", None):
        for name in ("index", "index.json"):
            if damage is None:
                (private / name).unlink()
            else:
                (private / name).write_bytes(damage)
            assert snapshot(repository).files["new.py"] == b"new"


def test_index_features_of_large_repositories_are_understood(repository, snapshot, git, untouched):
    git("config", "feature.manyFiles", "true", cwd=repository)
    git("config", "core.splitIndex", "true", cwd=repository)
    (repository / "more.py").write_text("more")
    git("add", "more.py", cwd=repository)
    (repository / "more.py").write_text("changed")
    before = untouched()
    assert snapshot(repository).files["more.py"] == b"changed"
    assert untouched() == before


def test_objects_that_were_pruned_behind_its_back_are_stored_again(repository, snapshot, git):
    (repository / "new.py").write_text("print('new')")
    (repository / "train.py").write_text("print('changed')")
    first = snapshot(repository)
    git("reflog", "expire", "--expire=now", "--all", cwd=repository)
    git("gc", "--quiet", "--prune=now", cwd=repository)
    assert not _has(repository, first.oid)
    (repository / "more.py").write_text("print('more')")
    for _ in range(2):
        taken = snapshot(repository)
        assert taken.files["new.py"] == b"print('new')"
        assert taken.files["train.py"] == b"print('changed')"
    git("gc", "--quiet", "--prune=now", cwd=repository)
    assert snapshot(repository).files["new.py"] == b"print('new')"


def _has(repository, oid: str) -> bool:
    return (
        subprocess.run(["git", "cat-file", "-e", oid], cwd=repository, capture_output=True, check=False).returncode == 0
    )
