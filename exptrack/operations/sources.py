"""What the project's own files say: which parameters, metrics, outs and pointers there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from exptrack.analysis.dvcfiles import Pipeline, parse_pipeline, parse_pointers
from exptrack.analysis.fields import finite
from exptrack.analysis.patterns import flatten, merge, numbers_only
from exptrack.analysis.trees import decode_tree
from exptrack.backends import dvc
from exptrack.errors import DataError
from exptrack.model.data import Pointer
from exptrack.model.run import Tree, Value

_KINDS = {".json": "json", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml"}


@dataclass(frozen=True, slots=True)
class Sources:
    """Paths relative to the repository's root. `outs` are all files and folders that DVC answers for, metric files included."""

    params: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    outs: tuple[str, ...] = ()
    pointer_files: tuple[str, ...] = ()
    pointers: tuple[Pointer, ...] = ()
    problems: tuple[str, ...] = ()


def below(project: str, path: str) -> str:
    """A path inside the project, seen from the root of the repository."""
    return path if project == "." else f"{project}/{path}"


def find_sources(top: Path, project: str, dvc_files: Sequence[str]) -> Sources:
    """Read the project's `dvc.yaml` files and every pointer of the repository. What is broken is named in `problems`."""
    problems: list[str] = []
    files = [path for path in dvc_files if path.rpartition("/")[2] == "dvc.yaml"]
    pipelines = {path: pipeline for path in files if (pipeline := _read_pipeline(top, path, problems)) is not None}
    locks = [str(PurePosixPath(path).with_name("dvc.lock")) for path in files]
    pointer_files = tuple(dict.fromkeys([*(path for path in dvc_files if path not in files), *locks]))
    pointers = [one for path in pointer_files for one in read_pointers(top, path, problems, pipelines)]
    mine = [pipeline for path, pipeline in pipelines.items() if project == "." or path.startswith(f"{project}/")]
    params = [below(project, "params.yaml"), *(path for pipeline in mine for path in pipeline.params)]
    metrics = [below(project, "metrics.json"), *(path for pipeline in mine for path in pipeline.metrics)]
    outs = [out.path for pipeline in pipelines.values() for out in pipeline.outs]
    return Sources(
        params=tuple(path for path in dict.fromkeys(params) if (top / path).is_file()),
        metrics=tuple(dict.fromkeys(metrics)),
        outs=tuple(dict.fromkeys([*outs, *metrics, *(pointer.path for pointer in pointers)])),
        pointer_files=pointer_files,
        pointers=tuple(pointers),
        problems=tuple(problems),
    )


def _read_pipeline(top: Path, path: str, problems: list[str]) -> Pipeline | None:
    """What a `dvc.yaml` names; None if it is not there or broken, which then is added to `problems`."""
    try:
        pipeline = parse_pipeline(path, (top / path).read_text(encoding="utf-8"))
        root = dvc.find_root((top / path).parent, top) if pipeline.templated else None
        return dvc.resolve_pipeline(root, top, [top / path]) if root else pipeline
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, DataError) as error:
        problems.append(_named(path, error))
        return None


def read_pointers(
    top: Path, path: str, problems: list[str], pipelines: Mapping[str, Pipeline] | None = None
) -> tuple[Pointer, ...]:
    """The pointers in a `.dvc` file or `dvc.lock`; none if it is not there; a broken one is added to `problems`.

    The `dvc.yaml` beside a lock says which of its outs are pointers; it is read unless `pipelines` holds it.
    """
    try:
        text = (top / path).read_text(encoding="utf-8")
        beside = str(PurePosixPath(path).with_name("dvc.yaml"))
        if not path.endswith("dvc.lock"):
            return parse_pointers(path, text)
        pipeline = (pipelines or {}).get(beside) or _read_pipeline(top, beside, problems)
        return parse_pointers(path, text, pipeline)
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError, DataError) as error:
        problems.append(_named(path, error))
        return ()


def read_params(top: Path, project: str, paths: Iterable[str], problems: list[str]) -> dict[str, Tree]:
    """The parameters in each file, by its path inside the project; a file that cannot be read is added to `problems`."""
    found = {}
    for path in paths:
        tree = _read_tree(top, path, problems)
        if tree is not None:
            found[path if project == "." else path.removeprefix(f"{project}/")] = finite(tree)
    return found


def read_metrics(top: Path, project: str, paths: Iterable[str], problems: list[str]) -> Tree:
    """The metrics in all files together. Where two files give the same key, the later one's stand below its path."""
    merged: dict[str, Value] = {}
    for path in paths:
        tree = _read_tree(top, path, problems)
        if tree is None:
            continue
        numbers, refused = numbers_only(tree, path)
        problems += refused
        if flatten(merged).keys() & flatten(numbers).keys():
            numbers = {path if project == "." else path.removeprefix(f"{project}/"): numbers}
        merged = merge(merged, numbers)
    return merged


def _read_tree(top: Path, path: str, problems: list[str]) -> Tree | None:
    kind = _KINDS.get(PurePosixPath(path).suffix.lower(), "yaml")
    try:
        return decode_tree((top / path).read_bytes(), kind)
    except (OSError, ValueError) as error:
        problems.append(_named(path, error))
        return None


def _named(path: str, error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) else str(error)
    return said if said and said.startswith(path) else f"{path}: {said}"
