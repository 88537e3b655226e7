"""What the user of a script hears: lines to stderr, as the commands give them."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def tell(line: str) -> None:
    """A line, unless `EXPTRACK_QUIET` asks for silence."""
    if os.environ.get("EXPTRACK_QUIET", "") in {"", "0"} and sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(f"exptrack: {line}\n")
            sys.stderr.flush()
