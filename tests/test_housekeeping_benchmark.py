"""`benchmarks/housekeeping.py` records as many runs as it is asked for, and says what lay around."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent / "benchmarks" / "housekeeping.py"


def test_a_few_runs_are_recorded_and_counted():
    command = [sys.executable, str(SCRIPT), "--runs", "10", "--many", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr  # 1: the last run took longer than the first, on a busy machine
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    assert [row[0].strip("| ") for row in rows[1:]] == [str(number) for number in range(1, 11)]
    assert int(rows[-1][-1].strip("| ")) >= 10
    assert "The last tenth takes" in done.stdout
