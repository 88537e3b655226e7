"""Runs of notebooks, executed as nbclient does it, in a real kernel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from exptrack.backends.process import exits
from exptrack.tracking.notebook import as_html
from exptrack.tracking.run import ActiveRun

# What `jupyter execute` does, with each output printed; a cell that is only `kill` kills the kernel.
EXECUTE = """
import json, nbformat, sys
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

cells = json.loads(sys.argv[1])
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
try:
    NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=sys.argv[2] == "on").execute()
except (CellExecutionError, DeadKernelError):
    pass
for cell in notebook.cells:
    for output in cell.outputs:
        data = output.get("data", {})
        print(data.get("text/html") or data.get("text/plain") or output.get("text") or output.get("evalue"))
"""


@pytest.fixture
def execute(stage, monkeypatch, tmp_path):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    (stage.folder / "execute.py").write_text(EXECUTE)

    def play(*cells: str, errors: str = "stop") -> str:
        words = [sys.executable, "execute.py", json.dumps(cells), errors]
        done = subprocess.run(words, cwd=stage.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return play


def read_cells(stage, git, name: str) -> str:
    return git("show", f"{stage.witness.refs()[name]}:.exptrack/notebook.py", cwd=stage.folder)


def test_a_notebook_is_one_run_with_the_cells_that_ran_as_its_code(execute, stage, only, git):
    printed = execute(
        "early = 1",
        "import exptrack\nrun = exptrack.start_run('one', params={'lr': 0.5})",
        "exptrack.log_metrics({'loss': 0.25}, step=1)\npassword = 'hunter2-hunter2'",
        "run",
        "print('the end')",
    )
    record = only()
    assert (record["name"], record["status"], record["exit_code"]) == ("one", "completed", 0)
    assert record["metrics"] == {"loss": 0.25}
    assert stage.history("one", "loss") == [("1", "0.25")]
    assert read_cells(stage, git, "one") == (
        "# %% [1]\nearly = 1\n\n# %% [2]\nimport exptrack\nrun = exptrack.start_run('one', params={'lr': 0.5})\n\n"
        "# %% [3]\nexptrack.log_metrics({'loss': 0.25}, step=1)\npassword = '***'\n\n# %% [4]\nrun\n\n"
        "# %% [5]\nprint('the end')"
    )
    for shown in ("one", "under way", "lr", "0.5", "loss", "0.25"):
        assert f">{shown}</t" in printed
    assert record["command"][1:] == ["-m", "IPython"]
    [problem] = record["problems"]
    assert problem.startswith("the notebook's file is not known")


def test_a_failing_cell_does_not_end_the_run_and_a_second_start_says_what_to_do(execute, only):
    printed = execute(
        "import exptrack\nexptrack.start_run('one')",
        "1 / 0",
        "exptrack.start_run('two')",
        "exptrack.log_metric('loss', 1.0)",
        errors="on",
    )
    assert "run 'one' is under way: end it first" in printed
    record = only()
    assert (record["name"], record["status"], record["metrics"]) == ("one", "completed", {"loss": 1.0})


def test_a_notebook_that_stops_at_an_error_has_failed(execute, only):
    execute("import exptrack\nexptrack.start_run()", "1 / 0", "never")
    assert (only()["status"], only()["exit_code"]) == ("failed", 1)


def test_the_cell_that_ends_the_run_is_kept_whole_and_none_after_it(execute, stage, only, git):
    execute(
        "import exptrack\nexptrack.start_run('one')",
        "exptrack.end_run()\nprint('same cell')",
        "print('later')",
    )
    assert only()["status"] == "completed"
    assert read_cells(stage, git, "one").endswith("exptrack.end_run()\nprint('same cell')")


def test_a_kernel_that_is_killed_leaves_the_cells_so_far(execute, stage, only, git):
    execute(
        "import exptrack, os, signal\nexptrack.start_run('one')",
        "exptrack.log_metric('loss', 1.0)\nos.kill(os.getpid(), signal.SIGKILL)",
        "never",
    )
    record = only()
    # The system tells how it ended once its parent has asked; a busy one may ask too late.
    assert record["status"] in ({"failed", "crashed"} if exits.can_tell() else {"crashed"})
    assert record["metrics"] == {"loss": 1.0}
    assert "SIGKILL" in read_cells(stage, git, "one")
    assert "never" not in read_cells(stage, git, "one")


def test_the_file_of_a_notebook_is_recorded_where_jupyter_tells_it(execute, stage, only, monkeypatch):
    (stage.folder / "train.ipynb").write_text("{}")
    monkeypatch.setenv("JPY_SESSION_NAME", str(stage.folder / "train.ipynb"))
    execute("import exptrack\nwith exptrack.start_run():\n    print(exptrack.params())")
    assert only()["command"][1:] == ["-m", "jupyter", "execute", "train.ipynb"]
    assert "problems" not in only()


def test_the_file_that_jupyter_execute_is_given_is_recorded_and_reproduced(
    stage, only, exptrack, monkeypatch, tmp_path
):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    cells = [
        {"cell_type": "code", "source": "import exptrack\nexptrack.start_run('one')\nexptrack.log_metric('loss', 0.5)"}
    ]
    for cell in cells:
        cell |= {"metadata": {}, "outputs": [], "execution_count": None, "id": "a"}
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (stage.folder / "train.ipynb").write_text(json.dumps(notebook))
    done = exptrack.python("-m", "jupyter", "execute", "train.ipynb")
    assert done.returncode == 0, done.stderr
    assert only()["command"][1:] == ["-m", "jupyter", "execute", "train.ipynb"]
    assert "problems" not in only()
    assert exptrack("reproduce", "one", "--require", "exact").returncode == 0


def test_a_run_outside_of_notebooks_is_a_table_too(tmp_path):
    assert as_html(ActiveRun(None, None)).count("nothing is recorded") == 1
    (tmp_path / "stream").write_text(
        '{"kind":"metrics","values":{"<b>":1.23456789}}\nbroken\n[]\n{"kind":"metrics","values":{"x":"nan"}}\n'
    )
    run = ActiveRun("one", Path(tmp_path))
    run.log_params({f"p{number}": number for number in range(22)})
    page = as_html(run)
    assert "<td>1.23457</td>" in page
    assert "&lt;b&gt;" in page
    assert "<td>2 more</td>" in page
