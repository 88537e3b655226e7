"""The distributions that an interpreter finds, read from the names of their folders: a hundred times faster than importlib.metadata."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from exptrack.analysis.requirements import normalise
from exptrack.backends.host.cache import Slot, Stamp, recall, remember, stamps
from exptrack.backends.host.checkout import Checkouts
from exptrack.model.environment import Package

# pip renames what it removes to `~name`; a crash leaves that behind.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")

_EDITABLE = "__editable__."
_VERSION_LINE = re.compile(r"^Version:[ \t]*(\S+)", re.MULTILINE)
_USER = re.compile(r"(?<=://)([^/?#]*)@")
_REFERENCE = re.compile(r"\$\{[\w-]+\}(?::\$\{[\w-]+\})?")
_SECRET = re.compile(
    r"((?:^|[?&;])[^=&;]*(?:token|secret|signature|password|credential|key|sig|auth)[^=&;]*=)[^&;#]+", re.IGNORECASE
)


def capture_packages(path: Iterable[str], *, environ: Mapping[str, str], cache: Path) -> tuple[Package, ...]:
    """The packages on `path` (folders, in the order of `sys.path`), sorted by name.

    What is installed is read anew when a folder changes; the commits of packages that come from a local folder are looked at each time.
    """
    found: dict[str, Package] = {}
    for folder in path:
        for package in _of_folder(folder, cache):
            found.setdefault(package.name, package)
    checkouts = Checkouts(environ)
    return tuple(_with_commit(found[name], checkouts) for name in sorted(found))


def mask_url(url: str) -> str:
    """The URL without what lets somebody in: `https://***@host/…`. The user of an ssh URL stays, as do references to variables."""

    def mask(match: re.Match[str]) -> str:
        user = match[1]
        is_open = not user or _REFERENCE.fullmatch(user) or (":" not in user and "ssh" in url.partition("://")[0])
        return match[0] if is_open else "***@"

    return _SECRET.sub(r"\1***", _USER.sub(mask, url))


def _with_commit(package: Package, checkouts: Checkouts) -> Package:
    if package.url is None or not package.url.startswith("/") or not Path(package.url).is_dir():
        return package
    state = checkouts.look(package.url)
    return package._replace(commit=state.commit, dirty=state.dirty)


def _of_folder(folder: str, cache: Path) -> tuple[Package, ...]:
    slot = Slot(cache, "packages", folder)
    known = recall(slot)
    if known is not None:
        return tuple(Package(**values) for values in known)
    watch = stamps([folder])
    packages = tuple(_scan(Path(folder), watch))
    remember(slot, [package._asdict() for package in packages], watch=watch)
    return packages


def _scan(folder: Path, watch: dict[str, Stamp]) -> Iterator[Package]:
    """What one folder holds; files inside that the answer depends on are added to `watch`."""
    if folder.suffix == ".egg":
        yield from _of_egg_name(folder.stem)
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # an archive, or not there
        return
    editable = dict(_editable(path) for path in entries if path.name.startswith(_EDITABLE) and path.suffix == ".pth")
    for path in entries:
        if path.suffix == ".dist-info":
            yield from _of_dist_info(path, editable)
        elif path.suffix == ".egg-info":
            yield from _of_egg_info(path, watch)


def _editable(path: Path) -> tuple[str, str | None]:
    """The name of the package that `__editable__.name-version.pth` makes importable, and the folder, if it is no import hook."""
    line = _text(path).partition("\n")[0].strip()
    return normalise(path.name.removeprefix(_EDITABLE).rpartition("-")[0]), line if line.startswith("/") else None


def _of_dist_info(path: Path, editable: Mapping[str, str | None]) -> Iterator[Package]:
    name, _, version = path.stem.rpartition("-")
    if not _NAME.fullmatch(name):
        return
    package = Package(normalise(name), version)
    try:
        origin = json.loads((path / "direct_url.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        origin = None
    if isinstance(origin, dict) and isinstance(origin.get("url"), str) and origin["url"]:
        yield _with_origin(package, origin, path)
    elif package.name in editable:
        yield package._replace(url=editable[package.name], editable=True)
    else:
        yield package


def _of_egg_info(path: Path, watch: dict[str, Stamp]) -> Iterator[Package]:
    """`name-version-py3.11.egg-info` is installed; `name.egg-info` lies beside its sources, which are used in place."""
    if "-" in path.stem:
        yield from _of_egg_name(path.stem)
    elif _NAME.fullmatch(path.stem):
        file = path / "PKG-INFO"
        watch |= stamps([file])
        match = _VERSION_LINE.search(_text(file))
        yield Package(normalise(path.stem), match[1] if match else "", url=str(path.parent), editable=True)


def _of_egg_name(stem: str) -> Iterator[Package]:
    name, version, *_ = [*stem.split("-"), ""]
    if _NAME.fullmatch(name):
        yield Package(normalise(name), version)


def _with_origin(package: Package, origin: Mapping[str, Any], path: Path) -> Package:
    """With what PEP 610 says of where it came from."""
    url: str = origin["url"]
    version_control, folder, archive = (_mapping(origin.get(key)) for key in ("vcs_info", "dir_info", "archive_info"))
    inside = f"#subdirectory={origin['subdirectory']}" if origin.get("subdirectory") else ""
    if version_control:
        commit = version_control.get("commit_id")
        kind = version_control.get("vcs", "git")
        return package._replace(url=f"{kind}+{mask_url(url)}{inside}", commit=str(commit) if commit else None)
    if url.startswith("file:"):
        local = _local_path(url)
        if not Path(local).exists() and _text(path / "INSTALLER").strip() == "conda":
            return package  # the folder on the build machine that made the conda package: it came from a channel
        return package._replace(url=local, editable=bool(folder.get("editable")))
    digest = _sha256(archive)
    return package._replace(url=f"{mask_url(url)}#sha256={digest}" if digest else f"{mask_url(url)}{inside}")


def _sha256(archive: Mapping[str, Any]) -> str | None:
    """The digest of an archive, in the present form (`hashes`) or the older one (`hash`)."""
    algorithm, _, digest = str(archive.get("hash") or "").partition("=")
    return _mapping(archive.get("hashes")).get("sha256") or (digest if algorithm == "sha256" else None)


def _local_path(url: str) -> str:
    from urllib.parse import unquote

    path = url.removeprefix("file:").removeprefix("//").removeprefix("localhost").partition("#")[0]
    return unquote(path, errors="surrogateescape")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
