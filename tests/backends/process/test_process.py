"""How the user's command starts and ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from exptrack.backends import process
from exptrack.errors import CommandError, ExptrackError
from exptrack.model.run import Ending


def run_here(folder: Path, *argv: str, environ: dict[str, str] | None = None) -> Ending:
    return process.run(argv, directory=folder, environ=environ or os.environ, output=lambda _: None)


@pytest.mark.parametrize("code", [0, 3])
def test_the_exit_code_is_the_commands_own(bench, code):
    bench.drive("sh", "-c", f"exit {code}")
    assert bench.ending == (code, None, False)


def test_a_death_by_signal_is_told_by_its_number(bench):
    bench.drive("sh", "-c", "kill -KILL $$")
    assert bench.ending == (None, signal.SIGKILL, False)


def test_an_exit_code_survives_a_parent_that_ignores_sigchld(bench):
    # Not by sh: a shell sets SIGCHLD for itself.
    ignoring = "import os, sys; from signal import *; signal(SIGCHLD, SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    subprocess.run([sys.executable, "-c", ignoring, *bench.argv("sh", "-c", "exit 3")], cwd=bench.folder, check=True)
    assert bench.ending == (3, None, False)


def test_in_a_thread_it_runs_without_handlers(bench):
    done = bench.drive("sh", "-c", "echo hello; exit 3", thread=True)
    assert done.stdout == b"hello\n"
    assert bench.ending == (3, None, False)


def test_the_callers_handlers_come_back(bench):
    bench.drive("true")
    assert bench.report["handlers_restored"]


def test_the_caller_learns_the_process_id(bench):
    done = bench.drive("sh", "-c", "echo $$")
    assert int(done.stdout) == bench.pid


def test_the_caller_hears_each_second_that_it_runs(bench):
    bench.drive("sh", "-c", ": >> ticks; until test $(wc -c < ticks) -ge 2; do sleep 0.05; done")
    assert bench.ending == (0, None, False)


@pytest.mark.parametrize("name", ["exptrack-no-such-program", "./no-such-file", "./dangling", ""])
def test_a_command_that_is_not_there_gives_127(tmp_path, name):
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(CommandError, match=f"cannot find '{name}'") as caught:
        run_here(tmp_path, name)
    assert caught.value.exit_code == 127


def test_a_file_without_permission_gives_126(tmp_path):
    (tmp_path / "train.py").write_text("#!/bin/sh\n")
    with pytest.raises(CommandError, match=r"'\./train\.py': permission denied; .*chmod") as caught:
        run_here(tmp_path, "./train.py")
    assert caught.value.exit_code == 126


def test_a_directory_gives_126(tmp_path):
    (tmp_path / "train").mkdir()
    for argv, path in ((["./train"], os.environ["PATH"]), (["train"], str(tmp_path))):
        with pytest.raises(CommandError, match="is a directory") as caught:
            run_here(tmp_path, *argv, environ={"PATH": path})
        assert caught.value.exit_code == 126


def test_a_missing_interpreter_is_named(tmp_path):
    (tmp_path / "train").write_text("#!/no/such/python -u\n")
    (tmp_path / "train").chmod(0o755)
    with pytest.raises(CommandError, match=r"'\./train'.*'/no/such/python'") as caught:
        run_here(tmp_path, "./train")
    assert caught.value.exit_code == 127


def test_too_long_an_argument_gives_126(tmp_path):
    with pytest.raises(CommandError, match="argument list too long") as caught:
        run_here(tmp_path, "true", *["x" * 100_000] * 100)
    assert caught.value.exit_code == 126


@pytest.mark.parametrize("name", ["gone", "x" * 300])
def test_a_directory_that_is_not_there_is_named(tmp_path, name):
    with pytest.raises(ExptrackError, match=name) as caught:
        run_here(tmp_path / name, "true")
    assert not isinstance(caught.value, CommandError)


def test_a_file_is_no_directory_to_run_in(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExptrackError, match=r"cannot enter .*file") as caught:
        run_here(tmp_path / "file", "/bin/sh")
    assert not isinstance(caught.value, CommandError)


def test_a_script_without_shebang_is_run_by_sh(bench):
    (bench.folder / "job").write_text('echo "$0 has $1 and $2"\nexit 4\n')
    (bench.folder / "job").chmod(0o755)
    done = bench.drive("./job", "a b", "c")
    by_env = subprocess.run(["env", "./job", "a b", "c"], cwd=bench.folder, capture_output=True, check=False)
    assert done.stdout == by_env.stdout
    assert done.stdout == b"./job has a b and c\n"
    assert bench.ending == (4, None, False)


def test_the_command_is_looked_up_in_the_path_that_it_gets(tmp_path):
    for folder, text in (("first", "exit 1"), ("second", "exit 2"), ("third", "exit 3")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "job").write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / folder / "job").chmod(0o644 if folder == "first" else 0o755)
    ending = run_here(tmp_path, "job", environ={"PATH": f"missing:first:second:{tmp_path}/third"})
    assert ending.exit_code == 2


def test_inherited_descriptors_stay_open(tmp_path):
    reader, writer = os.pipe()
    writing = [sys.executable, "-c", f"import os; os.write({writer}, b'hello')"]
    process.run(writing, directory=tmp_path, environ=os.environ, output=lambda _: None, inherit=(writer,))
    os.close(writer)
    with os.fdopen(reader) as file:
        assert file.read() == "hello"
