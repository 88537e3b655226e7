"""Print `number=0`, `number=1`, …, and write each number to a file once it is printed. Usage: counting.py FOLDER COUNT PAUSE [wait].

FOLDER gets `pid` at the start, `printed` meanwhile, and `ended` at the end; with `wait` that is when there is a file named `go`.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

folder, count, pause = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
(folder / "pid.part").write_text(str(os.getpid()))
(folder / "pid.part").rename(folder / "pid")
for number in range(count):
    os.write(1, f"number={number}\n".encode())
    with (folder / "printed").open("a") as printed:
        printed.write(f"{number}\n")
    time.sleep(pause)
while "wait" in sys.argv and not (folder / "go").exists():
    time.sleep(0.01)
(folder / "ended").touch()
