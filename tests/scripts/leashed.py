"""Run a command until it ends or standard input does. Usage: leashed.py COMMAND…."""

from __future__ import annotations

import subprocess
import sys
import threading


def end() -> None:
    sys.stdin.read()
    server.terminate()


server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
threading.Thread(target=end, daemon=True).start()
sys.exit(server.wait())
