"""Packages as a requirements file that pip and uv can read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from exptrack.model.environment import Interpreter, Package

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")

# PEP 440, appendix B. pip refuses a whole file for one version that does not follow it.
_VERSION = re.compile(
    r"""v?(?:\d+!)?\d+(?:\.\d+)*
        (?:[-_.]?(?:alpha|a|beta|b|preview|pre|c|rc)[-_.]?\d*)?
        (?:-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?
        (?:[-_.]?dev[-_.]?\d*)?
        (?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_ADDRESS = re.compile(r"(?!(?:\w+\+)?file:)[a-z][a-z0-9+.-]*://[^/?#@].*", re.IGNORECASE | re.ASCII | re.DOTALL)
_UNSAFE = re.compile(r"[^!-~]")


def normalise(name: str) -> str:
    """The name as PEP 503 compares names: lower case, with single dashes."""
    return re.sub(r"[-_.]+", "-", name).lower()


def format_requirements(packages: Sequence[Package], interpreter: Interpreter | None) -> str:
    """All packages, pinned, one a line, sorted by normalised name; ends with a newline.

    A package that no index or repository can give back, as one installed from a local folder, is a comment that says where it came from.
    Masked credentials are left out of URLs, so that git, netrc or a keyring can supply them.
    """
    header = [
        "# Written by exptrack. To rebuild these packages: pip install -r, or uv pip install -r.",
        f"# Python {_one_line(interpreter.version)} ({_one_line(interpreter.implementation)})"
        if interpreter
        else "# No Python was found.",
    ]
    ordered = sorted(packages, key=lambda package: (normalise(package.name), package.version))
    return "".join(f"{line}\n" for line in [*header, *map(_format, ordered)])


def _format(package: Package) -> str:
    if not _NAME.fullmatch(package.name):
        return f"# {_pin(package)}: not a name that pip can read"
    if package.editable or (package.url is not None and not _ADDRESS.fullmatch(package.url)):
        return f"# {_pin(package)}: {_local_origin(package)}; no index can give it back"
    if package.url is not None:
        return f"{package.name} @ {_remote(package.url, package.commit)}"
    if not _VERSION.fullmatch(package.version):
        return f"# {_pin(package)}: not a version that pip can read"
    return f"{package.name}=={package.version}"


def _remote(url: str, commit: str | None) -> str:
    address, hash_, fragment = url.replace("://***@", "://").partition("#")
    pinned = f"{address}@{commit}" if commit else address
    return _UNSAFE.sub(lambda match: _quote(match[0]), f"{pinned}{hash_}{fragment}")


def _local_origin(package: Package) -> str:
    verb = "used in place from" if package.editable else "installed from"
    words = [f"{verb} {_one_line(package.url or 'an unknown folder')}"]
    if package.commit:
        words.append(f"commit {_one_line(package.commit)}")
    if package.dirty:
        words.append("with uncommitted changes")
    return ", ".join(words)


def _pin(package: Package) -> str:
    return _one_line(f"{package.name}=={package.version}" if package.version else package.name)


def _one_line(text: str) -> str:
    """Without anything that could end a comment: a path may hold a newline."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _quote(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode(errors="surrogateescape"))
