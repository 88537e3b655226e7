"""A process that is forked for a call is as a new interpreter would be."""

from __future__ import annotations

import os
import subprocess
import sys

import processes
import pytest
from processes import run

pytestmark = pytest.mark.skipif(not processes.IS_ON, reason="processes are not forked here")
FORKED = "import sys; assert 'dvc.repo' in sys.modules\n"
LOOK = """
import os, signal, sys, threading
first = sys.path[0]
print(first, sys.argv[1:], sys.orig_argv[1:2], os.getcwd(), sorted(os.environ.items()))
print(os.getpgid(0), os.getsid(0), os.umask(0), threading.active_count(), [f for f in range(3, 200) if os.path.exists(f"/proc/self/fd/{f}")])
print([signal.getsignal(number) for number in sorted(signal.valid_signals())], signal.pthread_sigmask(signal.SIG_BLOCK, []))
for stream in sys.stdin, sys.stdout, sys.stderr: print(stream.encoding, stream.errors, stream.isatty(), stream.line_buffering)
print(__name__, sorted(globals()), sys.modules["__main__"].__dict__ is globals(), sys.stdin.read())
"""


@pytest.mark.parametrize("environ", [{}, {"EXPTRACK_SEED": "12", "ODD": "\udcff\n"}])
@pytest.mark.parametrize("stdin", [{}, {"stdin": subprocess.DEVNULL}])
@pytest.mark.parametrize("safe", [[], ["-P"]])
def test_it_finds_what_a_new_interpreter_finds(tmp_path, environ, stdin, safe):
    options = {"cwd": tmp_path, "env": {**os.environ, **environ}, "capture_output": True, "text": True} | stdin
    same = {"check": False, **options}
    words = [sys.executable, *safe, "-c", LOOK, "a b", "--c"]
    forked, new = run(words, **same), subprocess.run(words, **same)  # noqa: PLW1510
    assert (forked.args, forked.returncode, forked.stderr) == (new.args, new.returncode, new.stderr)
    assert forked.stdout == new.stdout
    assert run([sys.executable, "-c", FORKED], **same).returncode == 0


@pytest.mark.parametrize(
    ("code", "status"),
    [("sys.exit(7)", 7), ("1 / 0", 1), ("import os; os.kill(os.getpid(), 9)", -9), ("import os; os._exit(3)", 3)],
)
def test_its_end_is_told(code, status):
    done = run([sys.executable, "-c", f"{FORKED}print('out', flush=True)\n{code}"], capture_output=True, check=False)
    assert (done.returncode, done.stdout, b"ZeroDivisionError" in done.stderr) == (status, b"out\n", "/" in code)
    with pytest.raises(subprocess.CalledProcessError):
        run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_process_that_takes_too_long_is_killed_and_the_next_call_works():
    code = f"{FORKED}import time\ntime.sleep(600)"
    with pytest.raises(subprocess.TimeoutExpired):
        run([sys.executable, "-c", code], capture_output=True, timeout=3)
    assert run([sys.executable, "-c", FORKED], check=True).returncode == 0


@pytest.mark.parametrize("name", ["yaml.py", "random/__init__.py"])
def test_modules_of_the_folder_are_imported_by_a_new_interpreter(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("print('mine')")
    code = f"import {name.partition('.')[0].partition('/')[0]}"
    assert run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True).stdout == "mine\n"


@pytest.mark.parametrize("variable", ["PYTHONHASHSEED", "LC_ALL", "TZ", "LD_LIBRARY_PATH"])
def test_what_is_read_when_python_starts_is_read_by_a_new_interpreter(variable):
    environ = {**os.environ, variable: "7"}
    done = run([sys.executable, "-c", "import sys; print('dvc.repo' in sys.modules)"], env=environ, capture_output=True)
    assert done.stdout == b"False\n"
