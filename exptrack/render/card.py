"""One run in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from exptrack.analysis.patterns import flatten
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.data import Omission, Pointer
from exptrack.model.environment import Environment
from exptrack.model.run import Record, Run, Value
from exptrack.render.text import format_command, format_duration, format_size, format_value, inert

_MOST_IGNORED = 8


def format_card(run: Run, annotations: Sequence[Annotation], environment: Environment | None) -> str:
    """Everything that the record says, what matters most first."""
    return "\n".join([*_head(run, annotations), *_body(run.record), *_environment(environment)])


def _head(run: Run, annotations: Sequence[Annotation]) -> Iterator[str]:
    record = run.record
    yield f"run       {run.name}  {run.oid}"
    yield f"status    {record.status}{_ending(record)}"
    yield f"started   {record.started:%Y-%m-%d %H:%M:%S} UTC, took {format_duration(record.duration)}"
    yield f"author    {inert(record.author)} on {inert(record.host)}"
    yield f"command   {format_command(record.command)}" + (
        f"  (in {inert(record.directory)})" if record.directory != "." else ""
    )
    if run.base:
        yield f"base      {run.base}"
    elif run.snapshot:
        yield "base      none: there was no commit yet"
    links = {
        "experiment": record.experiment,
        "seed": record.seed,
        "parent": record.links.parent,
        "resumes": record.links.resumes,
    }
    yield from (f"{name:<9} {inert(str(value))}" for name, value in links.items() if value is not None)
    tags = [str(one.value) for one in annotations if one.kind is AnnotationKind.TAG]
    if tags:
        yield f"tags      {inert(', '.join(tags))}"
    yield from (f"note      {inert(str(one.value))}" for one in annotations if one.kind is AnnotationKind.NOTE)


def _ending(record: Record) -> str:
    if record.signal:
        return f" by {record.signal}"
    return f", exit status {record.exit_code}" if record.exit_code else ""


def _body(record: Record) -> Iterator[str]:
    yield from _values("metrics", flatten(record.metrics))
    for source, tree in record.params.items():
        yield from _values(f"parameters ({inert(source)})", flatten(tree))
    yield from _section("data", (_pointer(pointer) for pointer in record.data))
    yield from _section("outputs", (_content(pointer) for pointer in record.outputs))
    yield from _section("changed while it ran", map(inert, record.changed))
    yield from _section("ran beside it in the same work tree", map(inert, record.concurrent))
    yield from _section("written while another run was under way", map(inert, record.ambiguous))
    yield from _section("not captured", _omissions(record.not_captured))
    yield from _section("problems", map(inert, record.problems))


def _values(title: str, values: Mapping[str, Value]) -> Iterator[str]:
    width = max(map(len, values), default=0)
    yield from _section(title, (f"{inert(key):<{width}}  {format_value(value)}" for key, value in values.items()))


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    rows = list(lines)
    if rows:
        yield ""
        yield f"{title}:"
        yield from (f"  {row}" for row in rows)


def _pointer(pointer: Pointer) -> str:
    state = {True: "  MODIFIED: not what the pointer stands for", None: "  not on disk"}.get(pointer.modified, "")
    return _content(pointer) + state


def _content(pointer: Pointer) -> str:
    files = f", {pointer.files} files" if pointer.files is not None else ""
    return f"{inert(pointer.path)}  {pointer.algorithm}:{pointer.digest[:12]}  {format_size(pointer.size)}{files}"


def _omissions(omissions: Sequence[Omission]) -> Iterator[str]:
    ignored = [omission for omission in omissions if omission.reason == "ignored by git"]
    for omission in [*(one for one in omissions if one not in ignored), *ignored[:_MOST_IGNORED]]:
        facts = [str(omission.reason)]
        facts += [f"{omission.files} files"] if omission.files else []
        facts += [format_size(omission.size)] if omission.size is not None else []
        facts += ["kept in the DVC cache"] if omission.pointer else []
        facts += [omission.digest[:19]] if omission.digest else []
        yield f"{inert(omission.path)}  ({', '.join(facts)})"
    if len(ignored) > _MOST_IGNORED:
        yield f"and {len(ignored) - _MOST_IGNORED} more that Git ignores"


def _environment(environment: Environment | None) -> Iterator[str]:
    if environment is None:
        return
    lines = []
    if environment.interpreter:
        lines.append(
            f"{environment.interpreter.implementation} {environment.interpreter.version}  {inert(environment.interpreter.path)}"
        )
    lines.append(f"{len(environment.packages)} packages")
    lines.append(f"{environment.platform.system} {environment.platform.release} {environment.platform.machine}")
    hardware = environment.hardware
    lines.append(f"{inert(hardware.cpu or 'unknown CPU')}, {hardware.cores} cores, {format_size(hardware.memory)}")
    lines += [f"{inert(gpu.name)}, {format_size(gpu.memory)}" for gpu in hardware.gpus]
    yield from _section("environment", iter(lines))
