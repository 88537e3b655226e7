"""Files that a script logs: whole in the journal when the call returns, and in the run whatever happens then."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import threading
import warnings
from pathlib import Path

import pytest
from sharing import make_team

from exptrack.errors import ExptrackWarning
from exptrack.tracking import NOTHING, ActiveRun

MANY = 20


@pytest.fixture
def journal(tmp_path):
    folder = tmp_path / "journal"
    folder.mkdir()
    (folder / "stream").touch()
    return folder


@pytest.fixture
def run(journal):
    run = ActiveRun("one", journal)
    yield run
    run.end()


def logged(journal: Path) -> dict[str, bytes]:
    place = journal / "artifacts"
    return {
        path.relative_to(place).as_posix(): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()
    }


def entries(journal: Path, kind: str) -> list[str]:
    told = [json.loads(line) for line in (journal / "stream").read_text().splitlines()]
    return [entry["path" if kind == "artifact" else "text"] for entry in told if entry["kind"] == kind]


def warned(call, *words) -> str:
    with pytest.warns(ExptrackWarning) as caught:
        call(*words)
    [one] = caught
    return str(one.message)


def test_a_file_is_kept_as_it_was_when_it_was_logged(run, journal, tmp_path):
    file = tmp_path / "model.bin"
    file.write_bytes(b"one")
    run.log_artifact(file)
    file.write_bytes(b"two")
    run.log_artifact(str(file), "best/model")
    run.log_artifact(file, "checkpoints/")
    file.unlink()
    assert logged(journal) == {"model.bin": b"one", "best/model": b"two", "checkpoints/model.bin": b"two"}
    assert entries(journal, "artifact") == ["model.bin", "best/model", "checkpoints/model.bin"]
    assert not list((journal / "partial").iterdir())


def test_of_one_name_the_later_content_stays(run, journal):
    run.log_text("one", "note.txt")
    run.log_text("zwei ü", "note.txt")
    run.log_text(b"\0\xff", "bytes")
    assert logged(journal) == {"note.txt": "zwei ü".encode(), "bytes": b"\0\xff"}


def test_names_may_be_any_text_and_differ_by_case(run, journal):
    names = ["图/épo que.txt", "Model", "model" if sys.platform == "linux" else "other", "a.dvc", "-x"]
    for name in names:
        run.log_text(name, name)
    assert logged(journal) == {name: name.encode() for name in names}


def test_a_folder_is_logged_with_all_below_it(run, journal, tmp_path):
    folder = tmp_path / "plots"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/a.txt").write_text("a")
    (folder / "b.txt").write_text("b")
    (folder / "link").symlink_to("b.txt")
    (folder / "again").symlink_to("deep")
    run.log_artifact(folder)
    run.log_artifacts(folder, "other")
    run.log_artifacts(f"{folder}/", ".")
    below = {"deep/a.txt": b"a", "again/a.txt": b"a", "b.txt": b"b", "link": b"b"}
    assert logged(journal) == {above + name: data for above in ("", "plots/", "other/") for name, data in below.items()}


def test_what_of_a_folder_is_left_out_is_named(run, journal, tmp_path):
    folder = tmp_path / "out"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git/config").write_text("x")
    (tmp_path / "elsewhere").write_text("x")
    (folder / "a.txt").write_text("a")
    (folder / ".env").write_text("TOKEN=1")
    (folder / "away").symlink_to("../elsewhere")
    (folder / "loop").symlink_to(".")
    (folder / "broken").symlink_to("nothing")
    (folder / "up").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    (folder / os.fsdecode(b"\xff")).write_text("x")
    said = warned(run.log_artifacts, folder)
    assert logged(journal) == {"out/a.txt": b"a"}
    assert entries(journal, "problem") == [said]
    for named in (
        ".env (looks secret)", ".git (of Git, DVC or exptrack)", "away (a link that leaves the folder)", "broken (a broken link)",
        "loop (a link to a folder that it lies in)", "pipe (not a regular file)", "up (a link that leaves the folder)", "udcff (has a name",
    ):  # fmt: skip
        assert named in said


def test_what_cannot_be_kept_warns_and_is_named_and_nothing_is_raised(run, journal, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "id_rsa").write_text("key")
    run.log_text("x", "a/b")
    said = [
        warned(run.log_artifact, tmp_path / "nothing"),
        warned(run.log_artifact, tmp_path / "pipe"),
        warned(run.log_artifact, tmp_path / "id_rsa", "innocent"),
        warned(run.log_artifact, None),
        warned(run.log_artifact, 3),
        warned(run.log_artifacts, tmp_path / "nothing"),
        warned(run.log_text, "x", "../up"),
        warned(run.log_text, "x", "secrets.json"),
        warned(run.log_text, "x", "a"),
        warned(run.log_text, "x", "a/b/c"),
    ]
    for words, one in zip(
        ("No such file", "no regular file", "looks secret", "the path of a file", "the path of a file", "no such folder", "cannot be named",
         "looks secret", "a folder of this name", "a file where that would be a folder"), said, strict=True,
    ):  # fmt: skip
        assert words in one
    assert entries(journal, "problem") == said
    assert logged(journal) == {"a/b": b"x"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.log_text("x", "a")  # said once


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_named(run, tmp_path):
    (tmp_path / "closed").write_text("x")
    (tmp_path / "closed").chmod(0)
    assert "Permission denied" in warned(run.log_artifact, tmp_path / "closed")


def test_holes_stay_holes(run, journal, tmp_path):
    file = tmp_path / "sparse"
    with file.open("wb") as writer:
        writer.seek(50_000_000)
        writer.write(b"middle")
        writer.truncate(100_000_000)
    run.log_artifact(file)
    copied = journal / "artifacts/sparse"
    assert hashlib.md5(copied.read_bytes()).digest() == hashlib.md5(file.read_bytes()).digest()
    assert copied.stat().st_blocks <= file.stat().st_blocks + 64


def test_threads_and_forked_processes_log_at_once_and_each_file_is_whole(run, journal):
    """All write the same name as well, which is whole at any time."""

    def log(letter: str) -> None:
        for number in range(MANY):
            run.log_text(letter * 200_000, "shared")
            run.log_text(letter, f"{letter}/{number}")

    children = []
    for letter in "ab":
        if not (child := os.fork()):
            log(letter)
            os._exit(0)
        children.append(child)
    threads = [threading.Thread(target=log, args=(letter,)) for letter in "cd"]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        with contextlib.suppress(FileNotFoundError):
            assert len(set((journal / "artifacts/shared").read_bytes())) == 1
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    found = logged(journal)
    assert len(found.pop("shared")) == 200_000
    assert found == {f"{letter}/{number}": letter.encode() for letter in "abcd" for number in range(MANY)}


def test_on_a_full_disk_the_script_goes_on_and_hears_of_it_once(small_disk):
    disk = small_disk(1)
    (disk / "stream").touch()
    run = ActiveRun("one", disk)
    run.log_text("x" * 500_000, "first")
    said = warned(run.log_text, "y" * 700_000, "second")
    assert "cannot be written down: No space left on device" in said
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.log_text("z" * 700_000, "first")
        run.log_text("small", "third")
    assert {name: data[:5] for name, data in logged(disk).items()} == {"first": b"xxxxx", "third": b"small"}
    told = entries(disk, "problem")
    assert [text for text in told if "'second'" in text]
    assert [text for text in told if "'first'" in text]
    run.end()


def test_what_records_nothing_takes_no_artifact(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for run in (NOTHING, ended(tmp_path)):
        run.log_artifact("nothing")
        run.log_artifacts("nothing")
        run.log_text("x", "../up")
        run.log_figure(None, "a")
        run.log_image(None, "a")
        run.log_table(None, "a")
    assert not list(tmp_path.rglob("artifacts"))


def ended(folder: Path) -> ActiveRun:
    (folder / "stream").touch()
    run = ActiveRun("one", folder)
    run.end()
    return run


# Whole runs

LARGE = 1_200_000  # bytes; more than Git is to hold
KEPT = f"""
import exptrack, os, signal
run = exptrack.start_run()
run.log_text("small", "notes/a.txt")
run.log_text(b"\\0", "notes/no-pointer.dvc")
run.log_text("x" * {LARGE}, "models/net.bin")
"""


def test_without_a_dvc_project_large_ones_are_in_the_run_itself_up_to_64_mib_and_what_is_not_is_told_at_once(
    stage, only, git
):
    huge = 'open("huge.bin", "wb").truncate((64 << 20) + 1)\nrun.log_artifact("huge.bin")\nprint("told", flush=True)\n'
    done = stage.play(KEPT + huge)
    record = only()
    lost, advice = record["problems"]
    assert lost == (
        "artifact 'huge.bin' is not kept: it is over 64 MiB, and there is no DVC project to keep it in; run `exptrack init`"
    )
    assert lost in done.stderr
    assert record["artifacts"] == ["models/net.bin", "notes/a.txt", "notes/no-pointer.dvc"]
    assert advice == (
        "large artifacts are in the run's commit (models/net.bin): `exptrack init` keeps large files out of Git"
    )
    assert advice in done.stderr
    ref = stage.witness.refs()[record["name"]]
    assert git("show", f"{ref}:.exptrack/artifacts/models/net.bin", cwd=stage.folder) == "x" * LARGE


def test_what_the_dvc_cache_does_not_take_is_in_the_run_itself(stage, only, git):
    (stage.folder / ".dvc").mkdir()
    (stage.folder / "no-folder").touch()
    (stage.folder / ".dvc/config").write_text("[cache]\n    dir = ../no-folder\n")
    stage.play(KEPT)
    told = only()
    assert told["artifacts"] == ["models/net.bin", "notes/a.txt", "notes/no-pointer.dvc"]
    assert "artifact 'models/net.bin' is in the run's commit, not in the DVC cache" in told["problems"][0]
    ref = stage.witness.refs()[told["name"]]
    assert git("show", f"{ref}:.exptrack/artifacts/models/net.bin", cwd=stage.folder) == "x" * LARGE


def test_after_a_kill_the_artifacts_are_there_and_whole(stage, only, git):
    stage.play(
        """
        import exptrack, os, signal, threading
        run = exptrack.start_run()
        run.log_text("first" * 10_000, "whole")
        def write(new):
            new.write_bytes(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
        from exptrack.tracking import artifacts
        artifacts._put(run, "half", write)
        """
    )
    record = only()
    assert record["status"] in {"crashed", "failed"}  # as the system tells how it ended, or not
    assert record["artifacts"] == ["whole"]
    ref = stage.witness.refs()[record["name"]]
    assert git("show", f"{ref}:.exptrack/artifacts/whole", cwd=stage.folder) == "first" * 10_000


DIGEST = hashlib.md5(b"x" * LARGE).hexdigest()


def record(person, name: str, script: str) -> None:
    (person.folder / "train.py").write_text(script)
    person("run", "-q", "--name", name, "--", sys.executable, "train.py")


def test_small_artifacts_are_in_git_and_large_ones_in_the_dvc_cache(tmp_path, repository):
    _, ada, _ = make_team(tmp_path, repository)
    record(ada, "one", KEPT)
    record(ada, "two", KEPT.replace("small", "other").replace('"x"', '"y"'))
    shown = ada("show", "one").stdout
    assert "artifacts:\n  models/net.bin        1.1 MiB  md5:" + DIGEST[:12] in shown
    assert "  notes/a.txt           5 B      git:" in shown
    assert ada("show", "one", "--file", ".exptrack/artifacts/notes/a.txt").stdout == "small"
    assert ada("show", "one", "--file", ".exptrack/artifacts/models/net.bin").stdout == "x" * LARGE
    told = json.loads(ada("show", "one", "--json").stdout)
    assert told["artifacts"] == ["models/net.bin", "notes/a.txt", "notes/no-pointer.dvc"]
    assert [one["path"] for one in told["kept"]] == [".exptrack/artifacts/models/net.bin"]
    assert "outputs" not in told
    changed = ada("diff", "one", "two", "--only", "data").stdout
    assert ".exptrack/artifacts/models/net.bin" in changed
    assert ".exptrack/artifacts/notes/a.txt" in changed


def test_artifacts_go_where_the_run_goes_but_never_into_a_work_tree(tmp_path, repository):
    remote, ada, bob = make_team(tmp_path, repository)
    record(ada, "one", KEPT)
    ada("push")
    assert remote.holds(DIGEST)
    bob("pull")
    assert bob("show", "one", "--file", ".exptrack/artifacts/models/net.bin").stdout == "x" * LARGE
    assert "all is well" in bob("fsck").stdout
    collected = bob("gc", "--dry-run").stdout
    assert "kept 1 object (1.1 MiB), which is used" in collected
    assert "not known" not in collected
    bob("branch", "one", "kept")
    assert not bob.git("ls-tree", "-r", "--name-only", "kept", "--", ".exptrack")
    bob("apply", "one")
    assert not (bob.folder / ".exptrack").exists()


def test_a_run_that_makes_artifacts_is_reproduced(repository, exptrack):
    (repository / "train.py").write_text(KEPT.replace("small", "{os.getpid()}"))
    exptrack("init")
    assert exptrack("run", "-q", "--name", "one", "--", sys.executable, "train.py").returncode == 0
    done = exptrack("reproduce", "one")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "artifact" not in done.stdout
    names = json.loads(exptrack("show", "@", "--json").stdout)
    assert names["artifacts"] == ["models/net.bin", "notes/a.txt", "notes/no-pointer.dvc"]
    assert names["name"] != "one"
