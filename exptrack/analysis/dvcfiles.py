"""The pointers in DVC's files, `.dvc` files and `dvc.lock`, without DVC.

Reading them here takes a millisecond; importing DVC takes 350. Paths that no file of the repository can have (absolute ones, those of
a remote, those above the root, those that Git or DVC obeys) are left out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from typing import Any

from exptrack.analysis.dvcyaml import Pipeline, find_inside, load_file
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

_LEGACY = "md5-dos2unix"
_WORD = re.compile(r"[0-9a-z]+(?:\.dir)?", re.ASCII)  # what cannot lead out of a cache


def parse_pointers(
    path: str, text: str, pipeline: Pipeline | None = None, load: Callable[[str], Value] | None = None
) -> tuple[Pointer, ...]:
    """The pointers in the `.dvc` file or `dvc.lock` at `path` (relative to the root of the repository); dependencies are none.

    A `dvc.lock` says neither which folder a stage runs in, which its paths are relative to, nor which outs are not cached, private or of
    a remote of their own: with the `pipeline` of the `dvc.yaml` beside it, all that is known, and stages and outs that are no longer in it
    are left out. Without, every stage is taken to run beside the file, and every out to be cached and of the default remote.

    `load` parses YAML in place of `load_yaml`. Raises DataError that names the file and the key.
    """
    top = load_file(path, text, load)
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
            path, digest = find_inside(folder, read_text(out, "path")), _digest(out)
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
