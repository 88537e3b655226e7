"""Where the time of a command goes is told whole: the parts are there, and they add up."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "startup.py"


def test_the_parts_of_a_start_add_up():
    done = subprocess.run([sys.executable, str(SCRIPT), "--rounds", "4"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "- `git rev-parse`" in done.stdout
    table = done.stdout.partition("| part of")[2]
    rows = re.findall(r"^\| (.+?) \| \**([0-9.]+)\** \|$", table, re.MULTILINE)
    whole = [float(taken) for name, taken in rows if name.startswith("**")]
    parts = [float(taken) for name, taken in rows if not name.startswith(("-", "**", "the whole"))]
    assert abs(sum(parts) - whole[0]) < 0.1 * len(parts)  # as they are rounded
