"""The packages of a run, written where the user wants them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from exptrack.errors import ExptrackError, explain


def write_new(path: Path, data: bytes, *, is_replacing: bool = False) -> None:
    """Write a file that appears as a whole or not at all. Raises ExptrackError if there is one and it is not to be replaced."""
    target = path.resolve() if is_replacing else path
    if os.path.lexists(target) and not (is_replacing and target.is_file()):
        advice = "`--force` replaces it" if target.is_file() else "it is no regular file"
        raise ExptrackError(f"{path} exists: {advice}, or choose another place")
    partial = target.with_name(f".{target.name[:100]}.{os.urandom(6).hex()}")
    try:
        partial.write_bytes(data)
        if is_replacing:
            with suppress(FileNotFoundError):
                partial.chmod(target.stat().st_mode)
            partial.replace(target)
        else:
            _move(partial, target)
    except FileExistsError as error:
        raise ExptrackError(f"{path} exists by now: `--force` replaces it, or choose another place") from error
    except OSError as error:
        raise ExptrackError(f"{path} cannot be written: {explain(error)}; choose another place") from error
    finally:
        with suppress(OSError):
            partial.unlink()


def _move(partial: Path, target: Path) -> None:
    """A link fails where a file has come up meanwhile, a rename would replace it; but not every file system has links."""
    try:
        os.link(partial, target)
    except FileExistsError:
        raise
    except OSError:
        partial.rename(target)
