"""What DVC's files say, without DVC: pointers in `.dvc` files and `dvc.lock`, files and folders named in `dvc.yaml`.

Reading them here takes a millisecond; importing DVC takes 350. Paths that no file of the repository can have (absolute ones, those of
a remote, those above the root, those that Git or DVC obeys) are left out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from exptrack.analysis.fields import (
    WrongFieldError,
    find_bool,
    find_int,
    find_text,
    read_mapping,
    read_text,
)
from exptrack.analysis.trust import is_inside
from exptrack.errors import DataError
from exptrack.model.data import Pointer
from exptrack.model.tree import Value

_DEFAULT_PARAMS = "params.yaml"
_LEGACY = "md5-dos2unix"
_WORD = re.compile(r"[0-9a-z]+(?:\.dir)?", re.ASCII)  # what cannot lead out of a cache


class Out(NamedTuple):
    """A file or folder that DVC answers for; `cached` says that its content is in DVC's cache, not in Git.

    `remote` names the remote that its data belongs to, `is_private` says that it goes to none (`push: false`).
    """

    path: str
    cached: bool = True
    remote: str | None = None
    is_private: bool = False


class Stage(NamedTuple):
    """What a stage runs in `folder`, and what it depends on: paths from the root of the repository, or absolute ones of outside."""

    folder: str
    commands: tuple[str, ...] = ()
    deps: tuple[str, ...] = ()


class Pipeline(NamedTuple):
    """What a `dvc.yaml` names; paths are relative to the root of the repository, sorted, each once.

    `outs` holds every out of a stage, metrics and plots included. `templated` says that a path holds `${…}`, or that stages are made by
    `foreach` or `matrix`: DVC alone knows the paths then, and those that need no DVC are here. `folders` maps each stage, as in
    `sub/dvc.yaml:train`, to the folder that it runs in; a stage whose folder is templated is not in it. `stages` are in the order of the
    file.
    """

    metrics: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    outs: tuple[Out, ...] = ()
    plots: tuple[str, ...] = ()
    templated: bool = False
    folders: Mapping[str, str] = {}
    stages: tuple[Stage, ...] = ()


def parse_pointers(
    path: str, text: str, pipeline: Pipeline | None = None, load: Callable[[str], Value] | None = None
) -> tuple[Pointer, ...]:
    """The pointers in the `.dvc` file or `dvc.lock` at `path` (relative to the root of the repository); dependencies are none.

    A `dvc.lock` says neither which folder a stage runs in, which its paths are relative to, nor which outs are not cached, private or of
    a remote of their own: with the `pipeline` of the `dvc.yaml` beside it, all that is known, and stages and outs that are no longer in it
    are left out. Without, every stage is taken to run beside the file, and every out to be cached and of the default remote.

    `load` parses YAML in place of `load_yaml`. Raises DataError that names the file and the key.
    """
    top = _load(path, text, load)
    try:
        if posixpath.basename(path) == "dvc.lock":
            return tuple(_locked_pointers(path, top, pipeline))
        folder = posixpath.join(posixpath.dirname(path), find_text(top, "wdir") or "")
        outs = _outs(top, "outs")
        return tuple(
            _pointers(path, folder, [out for out in outs if find_bool(out, "cache") is not False], "outs", None)
        )
    except WrongFieldError as wrong:
        raise DataError(f"{path}: {wrong}") from None


def parse_pipeline(path: str, text: str, load: Callable[[str], Value] | None = None) -> Pipeline:
    """What the `dvc.yaml` at `path` (relative to the root of the repository) names. Raises DataError that names the file and the key."""
    top = _load(path, text, load)
    found = _Found(path)
    try:
        found.read(top)
    except WrongFieldError as wrong:
        raise DataError(f"{path}: {wrong}") from None
    return Pipeline(
        metrics=tuple(sorted(found.metrics)),
        params=tuple(sorted(found.params)),
        outs=tuple(found.outs[path] for path in sorted(found.outs)),
        plots=tuple(sorted(found.plots)),
        templated=found.templated,
        folders=found.folders,
        stages=tuple(found.stages),
    )


def _load(path: str, text: str, load: Callable[[str], Value] | None) -> dict[str, Any]:
    from exptrack.analysis.yaml12 import load_yaml

    try:
        tree = (load or load_yaml)(text)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise DataError(f"{path}: not a mapping")
    return tree


def _inside(folder: str, path: str) -> str | None:
    """A path from `folder` as one from the root of the repository, or None if it is not below that."""
    if "://" in path or path.startswith("/"):
        return None
    whole = posixpath.normpath(posixpath.join(folder, path))
    return None if whole.startswith(("../", "/")) or whole in {".", ".."} else whole


def _locked_pointers(path: str, top: dict[str, Any], pipeline: Pipeline | None) -> Iterator[Pointer]:
    if top and str(top.get("schema")) != "2.0":
        raise WrongFieldError("schema", "is not '2.0', the format of DVC 2 and 3")
    beside = posixpath.dirname(path)
    stages = read_mapping(top, "stages")
    known = {out.path: out for out in pipeline.outs} if pipeline else {}
    others = pipeline is None or pipeline.templated
    for name in stages:
        folder = beside if pipeline is None else _folder(pipeline, posixpath.join(beside, "dvc.yaml"), name)
        if folder is None:
            continue
        where = f"stages.{name}.outs"
        outs = _outs(read_mapping(stages, name), "outs", where)
        for pointer in _pointers(path, folder, outs, where, name):
            out = known.get(pointer.path)
            if out is None and others:
                yield pointer
            elif out is not None and out.cached:
                yield pointer._replace(remote=out.remote, is_private=out.is_private)


def _folder(pipeline: Pipeline, file: str, stage: str) -> str | None:
    found = pipeline.folders.get(f"{file}:{stage}")
    return found if found is not None else pipeline.folders.get(f"{file}:{stage.rpartition('@')[0]}")


def _outs(fields: dict[str, Any], key: str, where: str = "") -> list[dict[str, Any]]:
    outs = fields.get(key)
    if outs is None:
        return []
    if not isinstance(outs, list) or not all(isinstance(out, dict) for out in outs):
        raise WrongFieldError(where or key, "is not a list of mappings")
    return outs


def _pointers(file: str, folder: str, outs: list[dict[str, Any]], where: str, stage: str | None) -> Iterator[Pointer]:
    for index, out in enumerate(outs):
        try:
            path, digest = _inside(folder, read_text(out, "path")), _digest(out)
            if path is None or digest is None or not is_inside(path, is_data=True):
                continue
            yield Pointer(
                path=path,
                digest=digest,
                algorithm=find_text(out, "hash") or _LEGACY,
                size=find_int(out, "size"),
                files=find_int(out, "nfiles"),
                source=file,
                stage=stage,
                remote=find_text(out, "remote"),
                is_private=find_bool(out, "push") is False,
            )
        except WrongFieldError as wrong:
            raise WrongFieldError(f"{where}[{index}].{wrong.key}", wrong.problem) from None


def _digest(out: dict[str, Any]) -> str | None:
    """The hash of an out; None if it has none: only imported and never fetched, or known to a remote alone."""
    digest = out.get(find_text(out, "hash") or "md5")
    if digest is None and out.get("files"):
        return _digest_of_listing(out)
    if digest is not None and type(digest) not in {str, int}:
        raise WrongFieldError("md5", "is not a text")
    if digest and not _WORD.fullmatch(str(digest).lower()):
        raise WrongFieldError("md5", "is no digest")
    return str(digest).lower() if digest else None


def _digest_of_listing(out: dict[str, Any]) -> str | None:
    """The hash of a folder whose files are listed in the out itself, as in version-aware remotes; as `dvc_data` computes it."""
    import hashlib
    import json

    entries = [(read_text(file, "relpath"), _digest(file) or "") for file in _outs(out, "files")]
    if not all(digest for _, digest in entries):
        return None
    listing = json.dumps([{"md5": digest, "relpath": relpath} for relpath, digest in sorted(entries)])
    return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest() + ".dir"


class _Found:
    """What is found in a `dvc.yaml`, while it is read."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.metrics: set[str] = set()
        self.params: set[str] = set()
        self.outs: dict[str, Out] = {}
        self.plots: set[str] = set()
        self.folders: dict[str, str] = {}
        self.stages: list[Stage] = []
        self.templated = False

    def read(self, top: dict[str, Any]) -> None:
        beside = posixpath.dirname(self.path)
        for key, found in (("metrics", self.metrics), ("params", self.params), ("plots", self.plots)):
            for path, properties in _entries(top, key):
                for source in _plot_sources(path, properties) if key == "plots" else (path,):
                    self.add(found, beside, source)
        self.read_vars(top, beside)
        stages = read_mapping(top, "stages")
        for name in stages:
            try:
                self.read_stage(name, read_mapping(stages, name))
            except WrongFieldError as wrong:
                key = name if wrong.key == name else f"{name}.{wrong.key}"
                raise WrongFieldError(f"stages.{key}", wrong.problem) from None

    def read_stage(self, name: str, stage: dict[str, Any]) -> None:
        if "foreach" in stage or "matrix" in stage:
            self.templated = True
        stage = read_mapping(stage, "do") if "foreach" in stage else stage
        wdir = find_text(stage, "wdir") or "."
        if _is_template(wdir):
            self.templated = True
            return
        folder = posixpath.normpath(posixpath.join(posixpath.dirname(self.path), wdir))
        self.folders[f"{self.path}:{name}"] = folder
        self.stages.append(_stage(stage, folder))
        for key, found in (("outs", None), ("metrics", self.metrics), ("plots", self.plots)):
            for path, properties in _entries(stage, key):
                inside = self.add(found, folder, path)
                if inside is not None:
                    self.outs[inside] = _out(inside, properties)
        for path, keys in _entries(stage, "params"):
            self.add(self.params, folder, _DEFAULT_PARAMS if keys is _BARE else path)
        self.read_vars(stage, folder)

    def read_vars(self, fields: dict[str, Any], folder: str) -> None:
        for path, values in _entries(fields, "vars"):
            if values is _BARE:
                # `file.yaml:key,key` takes only these keys of the file.
                self.add(self.params, folder, path.partition(":")[0])

    def add(self, found: set[str] | None, folder: str, path: str) -> str | None:
        if _is_template(path):
            self.templated = True
            return None
        inside = _inside(folder, path)
        if inside is not None and found is not None:
            found.add(inside)
        return inside


def _out(path: str, properties: Any) -> Out:
    if not isinstance(properties, dict):
        return Out(path)
    return Out(
        path,
        cached=find_bool(properties, "cache") is not False,
        remote=find_text(properties, "remote"),
        is_private=find_bool(properties, "push") is False,
    )


def _stage(fields: dict[str, Any], folder: str) -> Stage:
    commands = fields.get("cmd")
    commands = commands if isinstance(commands, list) else [commands]
    deps = [path for path, _ in _entries(fields, "deps") if "://" not in path]
    return Stage(
        folder,
        tuple(command for command in commands if isinstance(command, str)),
        tuple(posixpath.normpath(posixpath.join(folder, path)) for path in deps),
    )


_BARE = object()


def _entries(fields: dict[str, Any], key: str) -> Iterator[tuple[str, Any]]:
    """The items of a list of names and mappings from names: the name, and what it maps to (`_BARE` for a name alone)."""
    entries = fields.get(key)
    if entries is None:
        return
    for entry in entries if isinstance(entries, list) else [entries]:
        if isinstance(entry, dict):
            yield from entry.items()
        elif isinstance(entry, str) and isinstance(entries, list):
            yield entry, _BARE
        else:
            raise WrongFieldError(key, "is not a list of texts and mappings")


def _plot_sources(name: str, properties: Any) -> Iterator[str]:
    """The files that a plot is drawn from: its name, unless its `y` says which."""
    axes = [properties.get(axis) for axis in ("x", "y")] if isinstance(properties, dict) else [None, None]
    if not isinstance(axes[1], dict):
        yield name
    for axis in axes:
        if isinstance(axis, dict):
            yield from axis


def _is_template(text: str) -> bool:
    return "${" in text
