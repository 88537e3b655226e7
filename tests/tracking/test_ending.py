"""What nobody can hear of a script's end is not made up."""

from __future__ import annotations

import pytest

from exptrack.backends.process import exits
from exptrack.tracking.ending import UNHEARD

START = "import exptrack\nexptrack.start_run()\n"


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (f"{START}raise SystemExit(3)", 3),
        (f"{START}def main():\n    try:\n        raise SystemExit(4)\n    finally:\n        print(1)\nmain()", 4),
        (f"from sys import exit\n{START}exit(5)", 5),
        (f"{START}import sys\nsys.excepthook = print\n1 / 0", 1),
    ],
)
def test_an_end_by_an_exception_that_nobody_heard_is_no_success(stage, only, script, code):
    assert stage.play(script).returncode == code
    record = only()
    assert record["status"] == "failed"
    if exits.can_tell():
        assert record["exit_code"] == code
    else:
        assert "exit_code" not in record
        assert UNHEARD in record["problems"]


@pytest.mark.skipif(not exits.can_tell(), reason="this system tells nobody but the parent how a process ended")
def test_a_success_that_nobody_heard_is_one_where_the_system_tells(stage, only):
    assert stage.play(f"{START}raise SystemExit(0)").returncode == 0
    assert (only()["status"], only()["exit_code"]) == ("completed", 0)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (f"{START}exit(4)", 4),
        (f"{START}quit()", 0),
        (f"{START}with exptrack.start_run(nested=True): pass\nfor number in range(3): pass", 0),
        (f"{START}try:\n    raise SystemExit(4)\nexcept SystemExit:\n    pass", 0),
        (f"import threading\n{START}threading.Thread(target=lambda: 1 / 0).start()", 0),
        ("import threading, exptrack\nthreading.Thread(target=exptrack.start_run).start()", 0),
        (f"{START}import runpy\nrunpy.run_path('other.py')", 0),
    ],
)
def test_any_other_end_is_known(stage, script, code):
    stage.write("x = 1\n", "other.py")
    assert stage.play(script).returncode == code
    records = stage.await_runs(script.count("start_run"))
    assert {record.get("exit_code") for record in records.values()} <= {code, 0}
    assert code in {record.get("exit_code") for record in records.values()}
    assert not any("problems" in record for record in records.values())
