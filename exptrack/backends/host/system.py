"""The operating system, without the processes that the `platform` module starts."""

from __future__ import annotations

import os
import re
from pathlib import Path

from exptrack.model.environment import Platform

_OS_RELEASE = (Path("/etc/os-release"), Path("/usr/lib/os-release"))
_MACOS_VERSION = Path("/System/Library/CoreServices/SystemVersion.plist")


def capture_platform() -> Platform:
    """The kernel's name, release and machine, the distribution, and the C library."""
    kernel = os.uname()
    return Platform(
        system=kernel.sysname,
        release=kernel.release,
        machine=kernel.machine,
        distribution=_macos() if kernel.sysname == "Darwin" else _distribution(),
        libc=_libc(),
    )


def parse_os_release(text: str) -> str | None:
    """The name that `/etc/os-release` gives for people, as in `Debian GNU/Linux 12 (bookworm)`."""
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    for key in ("PRETTY_NAME", "NAME", "ID"):
        if name := values.get(key, "").strip().strip("\"'"):
            return name
    return None


def parse_macos_version(text: str) -> str | None:
    """The product's name and version, as in `macOS 14.5`, from `SystemVersion.plist`."""
    values = dict(re.findall(r"<key>(\w+)</key>\s*<string>([^<]*)</string>", text))
    words = [values[key] for key in ("ProductName", "ProductVersion") if key in values]
    return " ".join(words) or None


def _distribution() -> str | None:
    for path in _OS_RELEASE:
        try:
            return parse_os_release(path.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue
    return None


def _macos() -> str | None:
    try:
        return parse_macos_version(_MACOS_VERSION.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None


def _libc() -> str | None:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (OSError, ValueError):
        return "musl" if any(Path("/lib").glob("ld-musl-*.so.1")) else None
