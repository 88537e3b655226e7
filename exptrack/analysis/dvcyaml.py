"""What a `dvc.yaml` says, without DVC: the files and folders that it names, and its stages.

Reading it here takes a millisecond; importing DVC takes 350. Paths that no file of the repository can have (absolute ones, those of a
remote, those above the root) are left out.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from exptrack.analysis.fields import WrongFieldError, find_bool, find_text, read_mapping
from exptrack.errors import DataError
from exptrack.model.tree import Value

_DEFAULT_PARAMS = "params.yaml"


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


def parse_pipeline(path: str, text: str, load: Callable[[str], Value] | None = None) -> Pipeline:
    """What the `dvc.yaml` at `path` (relative to the root of the repository) names. Raises DataError that names the file and the key."""
    top = load_file(path, text, load)
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


def load_file(path: str, text: str, load: Callable[[str], Value] | None) -> dict[str, Any]:
    """The top of a file of DVC's, by `load` or else `load_yaml`; raises DataError that names the file at `path` if it is no mapping."""
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


def find_inside(folder: str, path: str) -> str | None:
    """A path from `folder` as one from the root of the repository, or None if it is not below that."""
    if "://" in path or path.startswith("/"):
        return None
    whole = posixpath.normpath(posixpath.join(folder, path))
    return None if whole.startswith(("../", "/")) or whole in {".", ".."} else whole


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
        inside = find_inside(folder, path)
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
