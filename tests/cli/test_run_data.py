"""`exptrack run` and data: pointers, `-o`, large files, through real DVC."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import run

PYTHON = sys.executable


@pytest.fixture
def dvc(repository: Path) -> Callable[..., str]:
    def call(*words: str, cwd: Path | None = None) -> str:
        done = run([PYTHON, "-m", "dvc", *words], cwd=cwd or repository, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


@pytest.fixture
def data(repository: Path, exptrack, dvc, git) -> Path:
    """The repository with DVC, and a file and a folder in it."""
    assert exptrack("init").returncode == 0
    (repository / "data").mkdir()
    (repository / "data" / "raw.csv").write_text("1,2\n")
    (repository / "images").mkdir()
    for number in range(3):
        (repository / "images" / f"{number}.img").write_bytes(bytes([number]) * 100)
    dvc("add", "--quiet", "data/raw.csv", "images")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "data", cwd=repository)
    return repository


def test_pointers_are_recorded_and_compared_with_the_disk(data, run):
    record = run("pass")
    assert [(one["path"], one["modified"], one.get("files")) for one in record["data"]] == [
        ("data/raw.csv", False, None),
        ("images", False, 3),
    ]
    assert "not_captured" not in record


def test_data_that_changed_without_its_pointer_is_named(data, exptrack, look):
    (data / "data" / "raw.csv").chmod(0o644)
    (data / "data" / "raw.csv").write_text("1,3\n")
    (data / "images" / "9.img").write_bytes(b"new")
    done = exptrack("run", "--name", "one", "--", "true")
    assert [one["modified"] for one in look.record("one")["data"]] == [True, True]
    assert "exptrack: one: images was not what images.dvc stands for: `dvc add` or `dvc commit` it" in done.stderr
    assert "MODIFIED" in exptrack("show", "one").stdout
    shutil.rmtree(data / "images")
    exptrack("run", "--name", "two", "--", "true")
    assert "modified" not in look.record("two")["data"][1]


def test_what_a_run_writes_is_kept_with_o_and_comes_back_by_dvc(data, exptrack, look, dvc, git, tmp_path):
    code = "import os; open('model.bin','wb').write(b'weights'); os.mkdir('plots'); open('plots/a.txt','w').write('a')"
    done = exptrack("run", "--name", "one", "-o", "model.bin", "-o", "plots", "--", PYTHON, "-c", code)
    assert done.returncode == 0, done.stderr
    assert look.changes("one") == [".gitignore", "metrics.json", "model.bin.dvc", "plots.dvc"]
    outputs = look.record("one")["outputs"]
    assert [(one["path"], one["size"]) for one in outputs] == [("model.bin", 7), ("plots", 1)]
    assert (data / ".gitignore").read_text() == "metrics.json\n/images\n"
    assert not (data / "model.bin.dvc").exists()
    git("worktree", "add", "--quiet", "--detach", tmp_path / "checkout", look.ref("one"), cwd=data)
    dvc("checkout", "--quiet", "model.bin.dvc", "plots.dvc", cwd=_with_cache(tmp_path / "checkout", data))
    assert (tmp_path / "checkout" / "model.bin").read_bytes() == b"weights"
    assert (tmp_path / "checkout" / "plots" / "a.txt").read_text() == "a"
    assert git("status", "--porcelain", cwd=tmp_path / "checkout") == ""


def _with_cache(folder: Path, data: Path) -> Path:
    (folder / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {data / '.dvc' / 'cache'}\n")
    return folder


def test_an_output_that_the_run_did_not_write_is_a_warning(data, exptrack, look):
    (data / "old.bin").write_bytes(b"old")
    done = exptrack("run", "--name", "one", "-o", "old.bin", "-o", "missing.bin", "--", "true")
    assert done.returncode == 0
    assert "-o old.bin: was not written by this run; nothing was kept of it" in done.stderr
    assert "-o missing.bin: is not there; nothing was kept of it" in done.stderr
    assert len(look.record("one")["problems"]) == 2
    assert "outputs" not in look.record("one")


def test_outputs_of_a_failed_run_are_kept_too(data, exptrack, look):
    exptrack(
        "run",
        "--name",
        "one",
        "-o",
        "ckpt",
        "--",
        PYTHON,
        "-c",
        "open('ckpt','w').write('so far'); raise SystemExit(1)",
    )
    assert [one["path"] for one in look.record("one")["outputs"]] == ["ckpt"]


def test_declared_outputs_are_kept_without_an_option(data, run):
    (data / "exptrack.yaml").write_text("capture: {outputs: [model.bin]}\n")
    assert [one["path"] for one in run("open('model.bin','w').write('x')")["outputs"]] == ["model.bin"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("../outside", "lies outside the DVC project"),
        ("train.py", "is tracked by Git"),
        (".", "lies outside the DVC project"),
    ],
)
def test_an_output_that_could_not_be_kept_is_refused_before_the_command_starts(data, exptrack, look, path, said):
    done = exptrack("run", "-o", path, "--", PYTHON, "-c", "open('started', 'w')")
    assert done.returncode == 125
    assert said in done.stderr
    assert not (data / "started").exists()
    assert look.refs("refs/exptrack") == []


def test_without_dvc_an_output_is_refused_naming_init(exptrack, repository):
    done = exptrack("run", "-o", "x", "--", PYTHON, "-c", "open('started', 'w')")
    assert (done.returncode, done.stderr) == (
        125,
        "exptrack: `-o` needs a DVC project to keep data in: run `exptrack init` first\n",
    )
    assert not (repository / "started").exists()


def test_large_untracked_files_go_into_the_cache(data, exptrack, look, git):
    (data / "large.npy").write_bytes(os.urandom(1_500_000))
    done = exptrack("run", "--name", "one", "--", "true")
    assert "not captured: large.npy (too large)" in done.stderr
    [left] = look.record("one")["not_captured"]
    assert (left["path"], left["pointer"]) == ("large.npy", True)
    assert "large.npy.dvc" in look.changes("one")
    assert git("status", "--porcelain", cwd=data) == "?? large.npy"


def test_large_files_are_only_listed_if_the_settings_say_so(data, exptrack, look):
    (data / "large.npy").write_bytes(b"\0" * 1_500_000)
    (data / "exptrack.yaml").write_text("capture: {large: list}\n")
    exptrack("run", "--name", "one", "--", "true")
    [left] = look.record("one")["not_captured"]
    assert left["digest"].startswith("sha256:")
    assert "pointer" not in left


def test_a_pipeline_run_by_dvc_itself_gives_its_lock_metrics_and_pointers(data, exptrack, look, repository):
    (data / "dvc.yaml").write_text(
        "stages:\n  train:\n    cmd: python train.py && cp params.yaml model.txt\n    deps: [train.py]\n    params: [lr]\n"
        "    outs: [model.txt]\n    metrics: [{metrics.json: {cache: false}}]\n"
    )
    done = exptrack("run", "--name", "one", "--", PYTHON, "-m", "dvc", "repro", "--quiet")
    assert done.returncode == 0, done.stderr
    record = look.record("one")
    assert record["metrics"] == {"accuracy": 0.75}
    assert ("model.txt", False) in [(one["path"], one["modified"]) for one in record["data"]]
    assert {"dvc.lock", "metrics.json"} <= set(look.changes("one"))
    assert "model.txt" not in look.git("ls-tree", "-r", "--name-only", look.ref("one")).split()


def test_an_out_rewritten_by_a_plain_script_is_named_as_modified(data, run):
    record = run("import os; os.remove('data/raw.csv'); open('data/raw.csv','w').write('9,9\\n')")
    assert record["data"][0]["modified"] is True


def test_a_broken_pointer_file_is_named_and_the_run_recorded(data, exptrack, look):
    (data / "images.dvc").write_text("outs: 7\n")
    done = exptrack("run", "--name", "one", "--", "true")
    assert done.returncode == 0
    assert "exptrack: images.dvc: " in done.stderr
    assert [one["path"] for one in look.record("one")["data"]] == ["data/raw.csv"]


def test_a_templated_pipeline_is_resolved_by_dvc(data, run):
    (data / "dvc.yaml").write_text(
        "stages:\n  each:\n    foreach: [a, b]\n    do:\n      cmd: echo ${item}\n      metrics:\n      - m-${item}.json: {cache: false}\n"
    )
    code = "import json; [open(f'm-{x}.json','w').write(json.dumps({x: 1})) for x in 'ab']"
    assert run(code)["metrics"] == {"a": 1, "b": 1}


def test_init_says_what_it_did_and_leaves_the_index_alone(exptrack, repository, git):
    index = (repository / ".git" / "index").read_bytes()
    done = exptrack("init")
    assert done.stdout.splitlines() == [
        "wrote exptrack.yaml: all settings, most of them commented out",
        "set up DVC: .dvc/ and .dvcignore",
    ]
    assert (repository / ".git" / "index").read_bytes() == index
    assert exptrack("init").stdout.splitlines() == ["exptrack.yaml is there already", "DVC is set up already"]
    assert exptrack("run", "--name", "one", "--", "true").returncode == 0
    assert json.loads(exptrack("show", "one", "--json").stdout)["name"] == "one"


def test_an_output_named_through_a_link_to_the_project_is_kept(data, exptrack, look, tmp_path):
    (tmp_path / "link").symlink_to(data)
    code = "open('model.bin', 'w').write('w')"
    done = exptrack(
        "run", "--name", "one", "-o", tmp_path / "link" / "model.bin", "--", PYTHON, "-c", code, cwd=tmp_path / "link"
    )
    assert done.returncode == 0, done.stderr
    assert [one["path"] for one in look.record("one")["outputs"]] == ["model.bin"]


def test_an_output_folder_that_is_a_link_is_not_said_to_be_unwritten(data, exptrack, tmp_path):
    (tmp_path / "big").mkdir()
    (data / "models").symlink_to(tmp_path / "big")
    done = exptrack("run", "--name", "one", "-o", "models", "--", PYTHON, "-c", "open('models/w', 'w').write('w')")
    assert done.returncode == 0
    assert "not written by this run" not in done.stderr


def test_an_output_that_the_next_run_would_take_for_code_is_named(data, exptrack):
    code = "open('model.bin', 'w').write('w')"
    words = ("run", "-o", "model.bin", "--", PYTHON, "-c", code)
    assert "model.bin is not ignored by Git: add it to .gitignore" in exptrack(*words).stderr
    (data / ".gitignore").write_text("model.bin\n")
    assert "is not ignored" not in exptrack(*words).stderr


def test_an_output_that_lies_there_already_is_no_part_of_an_isolated_run(data, exptrack, look, git):
    (data / "out.txt").write_text("old")
    (data / "kept.txt").write_text("old")
    (data / "exptrack.yaml").write_text("capture: {outputs: [kept.txt]}\n")
    code = "open('out.txt', 'w').write('new'); open('kept.txt', 'w').write('new')"
    done = exptrack("run", "-S", "lr=1", "--name", "one", "-o", "out.txt", "--", PYTHON, "-c", code)
    assert (done.returncode, done.stderr) == (0, "exptrack: recorded one (completed)\n")
    assert [pointer["path"] for pointer in look.record("one")["outputs"]] == ["kept.txt", "out.txt"]
    assert (data / "out.txt").read_text() == "old"
    refused = exptrack("run", "--isolated", "-o", "train.py", "--", "true")
    assert refused.returncode == 125
    assert refused.stderr.startswith("exptrack: -o train.py: is tracked by Git; run `git rm --cached train.py` first")
