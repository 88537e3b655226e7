"""What a templated `dvc.yaml` says once DVC has put the values in."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from exptrack.analysis.dvcyaml import Pipeline, parse_pipeline
from exptrack.backends.dvc.project import one_line
from exptrack.errors import DataError


def resolve_pipeline(root: Path, top: Path, files: Sequence[Path] = ()) -> Pipeline:
    """The given `dvc.yaml` files of the DVC project at `root` (its own one if none is given) as one pipeline without templates.

    `foreach`, `matrix` and `${}` are resolved by DVC, and the files that values came from count as params. Paths are relative to `top`.
    It takes 0.2 s, most of it to import. Raises DataError if DVC refuses a file.
    """
    found = [
        parse_pipeline(
            file.relative_to(top).as_posix(), json.dumps(_resolve(root, file), default=str, ensure_ascii=False)
        )
        for file in files or (root / "dvc.yaml",)
    ]
    return Pipeline(
        metrics=tuple(sorted({path for pipeline in found for path in pipeline.metrics})),
        params=tuple(sorted({path for pipeline in found for path in pipeline.params})),
        outs=tuple(sorted({out for pipeline in found for out in pipeline.outs}, key=lambda out: out.path)),
        plots=tuple(sorted({path for pipeline in found for path in pipeline.plots})),
        folders={stage: folder for pipeline in found for stage, folder in pipeline.folders.items()},
        stages=tuple(stage for pipeline in found for stage in pipeline.stages),
    )


class _Project(NamedTuple):
    """What the resolver asks of a `dvc.repo.Repo`. Opening a real one would write `.dvc/tmp` and ask Git."""

    fs: Any
    config: Any


def _resolve(root: Path, file: Path) -> dict[str, Any]:
    from dvc.config import Config
    from dvc.exceptions import DvcException
    from dvc.fs import localfs
    from dvc.parsing import DataResolver
    from dvc.schema import COMPILED_MULTI_STAGE_SCHEMA
    from dvc.utils import strictyaml

    try:
        content, _ = strictyaml.load(str(file), COMPILED_MULTI_STAGE_SCHEMA, localfs)
        resolver = DataResolver(_Project(localfs, Config(str(root / ".dvc"))), str(file.parent), content)
        stages = {name: stage for key in resolver.get_keys() for name, stage in resolver.resolve_one(key).items()}
        sources = {os.path.relpath(path, file.parent) for used in resolver.tracked_vars.values() for path in used}
        return {
            "stages": stages,
            "metrics": resolver.resolve_metrics(),
            "params": [*resolver.resolve_params(), *sorted(sources)],
            "plots": resolver.resolve_plots(),
        }
    except (DvcException, OSError) as error:
        raise DataError(f"cannot resolve {file}: {one_line(error)}") from error
