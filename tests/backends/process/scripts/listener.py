"""Say which signals come. Usage: listener.py SIGNAL MODE.

Mode `once`: end with 5 after the first. `count`: count them until a line is typed, then end with 5. `parent`: as `once`, with a child
of mode `child`, which says on stderr that it is ready.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

kind, mode = getattr(signal, sys.argv[1]), sys.argv[2]
count = 0


def got(*_: object) -> None:
    global count  # noqa: PLW0603 - the shortest way
    count += 1
    os.write(1, f"{mode} got {count}\n".encode())
    if mode == "parent":
        child.wait()
    if mode != "count":
        os._exit(5)


signal.signal(kind, got)
if mode == "parent":
    child = subprocess.Popen([sys.executable, __file__, sys.argv[1], "child"], stderr=subprocess.PIPE)
    child.stderr.readline()
os.write(2 if mode == "child" else 1, b"ready\n")
if mode == "count":
    sys.stdin.readline()
    os.write(1, f"in all {count}\n".encode())
    sys.exit(5)
while True:
    signal.pause()
