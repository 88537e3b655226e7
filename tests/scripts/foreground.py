"""Become the foreground of the terminal that is our stdin, and then the program. Usage: foreground.py PROGRAM…."""

from __future__ import annotations

import fcntl
import os
import sys
import termios

fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
