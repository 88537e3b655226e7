"""What the project's own files say: which parameters, metrics, outs and pointers there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from exptrack.analysis.dvcfiles import parse_pointers
from exptrack.analysis.dvcyaml import Pipeline, Stage, parse_pipeline
from exptrack.analysis.fields import finite
from exptrack.analysis.patterns import numbers_only
from exptrack.analysis.trees import KINDS, decode_tree
from exptrack.backends import dvc
from exptrack.errors import DataError
from exptrack.model.data import Pointer
from exptrack.model.tree import Tree, Value, flatten, merge
from exptrack.operations.files import Files


class Sources(NamedTuple):
    """Paths relative to the repository's root. `outs` are all files and folders that DVC answers for, metric files included.

    `own` are outs of stages, `plain` those and plots that DVC does not cache, so that Git may hold them; `stages` are those of the project.
    """

    params: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    outs: tuple[str, ...] = ()
    pointer_files: tuple[str, ...] = ()
    pointers: tuple[Pointer, ...] = ()
    own: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()


def below(project: str, path: str) -> str:
    """A path inside the project, seen from the root of the repository."""
    return path if project == "." else f"{project}/{path}"


def is_at(path: str, places: Iterable[str]) -> bool:
    """Whether a path is one of `places`, or lies below one."""
    return any(path == place or path.startswith(f"{place}/") for place in places)


class Reader:
    """Reads a project's files. One that cannot be read is left out: its path is in `refused`, and why in `problems`.

    `load` parses YAML (else PyYAML does, by the rules of YAML 1.2).
    """

    def __init__(self, files: Files, project: str, load: Callable[[str], Value] | None = None) -> None:
        self.problems: list[str] = []
        self.refused: set[str] = set()
        self._files = files
        self._project = project
        self._load = load
        self._pipelines: dict[str, Pipeline | None] = {}

    def find_sources(self, dvc_files: Sequence[str], directory: str = ".") -> Sources:
        """Read the project's `dvc.yaml` files and every pointer of the repository. The command runs in `directory`."""
        files = [path for path in dvc_files if path.rpartition("/")[2] == "dvc.yaml"]
        locks = [str(PurePosixPath(path).with_name("dvc.lock")) for path in files]
        pointer_files = tuple(dict.fromkeys([*(path for path in dvc_files if path not in files), *locks]))
        pipelines = {path: pipeline for path in files if (pipeline := self._pipeline(path)) is not None}
        pointers = [pointer for path in pointer_files for pointer in self.pointers(path)]
        mine = [pipeline for path, pipeline in pipelines.items() if self._is_inside(path)]
        params = [self._below("params.yaml"), *(path for pipeline in mine for path in pipeline.params)]
        metrics = [
            self._below("metrics.json"),
            below(directory, "metrics.json"),
            *(path for pipeline in mine for path in pipeline.metrics),
        ]
        declared = [out for pipeline in pipelines.values() for out in pipeline.outs]
        outs = [out.path for out in declared]
        cached = [out.path for out in declared if out.cached]
        plots = [path for pipeline in mine for path in pipeline.plots if not is_at(path, cached)]
        return Sources(
            params=tuple(path for path in dict.fromkeys(params) if self._files.has(path)),
            metrics=tuple(dict.fromkeys(metrics)),
            outs=tuple(dict.fromkeys([*outs, *metrics, *(pointer.path for pointer in pointers)])),
            pointer_files=pointer_files,
            pointers=tuple(pointers),
            own=tuple(dict.fromkeys(outs)),
            plain=tuple(dict.fromkeys([*(out.path for out in declared if not out.cached), *plots])),
            stages=tuple(stage for pipeline in mine for stage in pipeline.stages),
        )

    def pointers(self, path: str) -> tuple[Pointer, ...]:
        """The pointers in a `.dvc` file or `dvc.lock`; none if it is not there.

        The `dvc.yaml` beside a lock says which of its outs are pointers.
        """
        try:
            text = self._text(path)
            beside = str(PurePosixPath(path).with_name("dvc.yaml"))
            pipeline = self._pipeline(beside) if path.endswith("dvc.lock") else None
            return parse_pointers(path, text, pipeline, self._load)
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError, DataError) as error:
            self._refuse(path, error)
            return ()

    def params(self, paths: Iterable[str]) -> dict[str, Tree]:
        """The parameters in each file, by its path inside the project."""
        return {self._short(path): finite(tree) for path in paths if (tree := self._tree(path)) is not None}

    def metrics(self, paths: Iterable[str]) -> Tree:
        """The metrics in all files together. Where two files give the same key, the later one's stand below its path."""
        merged: dict[str, Value] = {}
        for path in paths:
            numbers, refused = numbers_only(self._tree(path) or {}, path)
            self.problems += refused
            is_clash = flatten(merged).keys() & flatten(numbers).keys()
            merged = merge(merged, {self._short(path): numbers} if is_clash else numbers)
        return merged

    def _pipeline(self, path: str) -> Pipeline | None:
        """What a `dvc.yaml` names; None if it is not there or broken."""
        if path not in self._pipelines:
            self._pipelines[path] = self._read_pipeline(path)
        return self._pipelines[path]

    def _read_pipeline(self, path: str) -> Pipeline | None:
        try:
            pipeline = parse_pipeline(path, self._text(path), self._load)
            return (self._resolve(path) or pipeline) if pipeline.templated else pipeline
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, DataError) as error:
            self._refuse(path, error)
            return None

    def _resolve(self, path: str) -> Pipeline | None:
        """The same with its templates filled in; None outside of a DVC project."""
        with self._files.folder() as top:
            file = top / path
            root = dvc.find_root(file.parent, top)
            return dvc.resolve_pipeline(root, top, [file]) if root else None

    def _text(self, path: str) -> str:
        return self._files.read(path).decode("utf-8")

    def _tree(self, path: str) -> Tree | None:
        kind = KINDS.get(PurePosixPath(path).suffix.lower(), "yaml")
        try:
            return decode_tree(self._files.read(path), kind, self._load)
        except (OSError, ValueError) as error:
            self._refuse(path, error)
            return None

    def _refuse(self, path: str, error: Exception) -> None:
        self.refused.add(path)
        said = error.strerror if isinstance(error, OSError) else str(error)
        self.problems.append(said if said and said.startswith(path) else f"{path}: {said}")

    def _below(self, path: str) -> str:
        return below(self._project, path)

    def _short(self, path: str) -> str:
        return path if self._project == "." else path.removeprefix(f"{self._project}/")

    def _is_inside(self, path: str) -> bool:
        return self._project == "." or path.startswith(f"{self._project}/")
