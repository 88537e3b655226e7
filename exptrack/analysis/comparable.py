"""What a run used, as trees that can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from posixpath import splitext
from typing import TYPE_CHECKING

from exptrack.analysis.arguments import ARGUMENTS
from exptrack.analysis.patterns import numbers_only
from exptrack.analysis.stats import same_bits
from exptrack.analysis.trees import KINDS, decode_tree
from exptrack.model.data import Pointer
from exptrack.model.run import Record
from exptrack.model.tree import Tree, Value, flatten, unite

if TYPE_CHECKING:
    from exptrack.model.environment import Environment, Package

MODIFIED = " modified"

_VALUES = (".json", ".yaml", ".yml", ".toml", ".dvc")


def params_tree(params: Mapping[str, Tree], *, with_arguments: bool = True) -> Tree:
    """Parameters of all sources in one tree, those that only the command line gave left out on request."""
    return unite("params.yaml", {key: tree for key, tree in params.items() if with_arguments or key != ARGUMENTS})


def is_value_file(path: str) -> bool:
    """Whether a file may hold parameters, metrics or pointers, and no code: only such a one is compared by its values alone."""
    return path.lower().endswith(_VALUES) or path.rpartition("/")[2] == "dvc.lock"


def pointers_of(record: Record, *, with_outputs: bool = True) -> dict[str, Pointer]:
    """By path what stands for the data of a run: its pointers, its outputs, and large files that are known by their digest alone.

    An output that had a pointer before the command wrote it anew is what the command wrote.
    """
    if not with_outputs:
        return {pointer.path: pointer for pointer in record.data}
    listed = (
        Pointer(one.path, one.digest.removeprefix("sha256:"), "sha256", one.size)
        for one in record.not_captured
        if one.digest and one.digest.startswith("sha256:")
    )
    return {pointer.path: pointer for pointer in (*listed, *record.data, *record.outputs)}


def plain_outs(record: Record) -> dict[str, Pointer]:
    """By path the outs of a pipeline's stages that DVC does not cache: no pointer stands for them, but their digests are known."""
    known = {pointer.path for pointer in record.data}
    return {
        path: Pointer(path, digest, algorithm, stage=stage.name)
        for stage in record.stages or ()
        for path, (algorithm, _, digest) in ((path, value.partition(":")) for path, value in stage.outs.items())
        if path not in known
    }


def holds_metrics(record: Record, path: str, content: bytes) -> bool:
    """Whether a file that a run wrote is one of those that its metrics were read from: all its numbers are among them."""
    try:
        numbers, _ = numbers_only(decode_tree(content, KINDS.get(splitext(path)[1].lower(), "yaml")), path)
    except ValueError:
        return False
    found, known = flatten(numbers), flatten(record.metrics)
    # Where two files give the same key, those of one stand below its path.
    short = path if record.project == "." else path.removeprefix(f"{record.project}/")
    return bool(found) and any(
        all(same_bits(known.get(f"{above}{key}"), value) for key, value in found.items()) for above in ("", f"{short}.")
    )


def data_tree(pointers: Iterable[Pointer]) -> Tree:
    """The digest of the data at each path, with a remark if the data was not what the pointer stands for."""
    return {one.path: f"{one.algorithm}:{one.digest}{MODIFIED if one.modified else ''}" for one in pointers}


def environment_tree(environment: Environment) -> Tree:
    """Interpreter, packages, platform, hardware and variables; what is not known is left out."""
    interpreter, platform, hardware = environment.interpreter, environment.platform, environment.hardware
    gpus: list[Value] = [gpu.name for gpu in hardware.gpus]
    facts: dict[str, dict[str, Value]] = {
        "interpreter": {"implementation": interpreter.implementation, "version": interpreter.version}
        if interpreter
        else {},
        "packages": {package.name: _version(package) for package in environment.packages},
        "platform": dict(platform._asdict()),
        "hardware": {"cpu": hardware.cpu, "cores": hardware.cores, "memory": hardware.memory, "gpus": gpus or None},
        "variables": dict(environment.variables),
    }
    known = {name: {key: value for key, value in fact.items() if value is not None} for name, fact in facts.items()}
    return {name: fact for name, fact in known.items() if fact}


def _version(package: Package) -> str:
    """The version, and where it came from if not from an index: a commit says more than a version that nobody raised."""
    parts = [package.version]
    if package.url is not None:
        parts.append(f"from {package.url}")
    if package.commit is not None:
        parts.append(f"at {package.commit[:10]}")
    if package.dirty:
        parts.append("with uncommitted changes")
    return " ".join(parts)
