"""One run in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from exptrack.model.data import Omission, Pointer, Reason
from exptrack.model.environment import Environment
from exptrack.model.run import Record, Run
from exptrack.model.tree import Value, flatten
from exptrack.render.text import (
    display_width,
    format_command,
    format_duration,
    format_size,
    format_value,
    inert,
    pad,
)

_MOST_IGNORED = 8


def format_card(run: Run, environment: Environment | None) -> str:
    """What the record says, what matters most first. No line of it can do more than be a line: all of them are inert."""
    return "\n".join(map(inert, [*_head(run), *_body(run.record), *_environment(environment)]))


def _head(run: Run) -> Iterator[str]:
    record = run.record
    yield f"run       {run.name}  {run.oid}"
    yield f"status    {record.status}{_ending(record)}"
    yield f"started   {record.started:%Y-%m-%d %H:%M:%S} UTC, took {format_duration(record.duration)}"
    yield f"author    {record.author} on {record.host}"
    yield f"command   {format_command(record.command)}" + (
        f"  (in {record.directory})" if record.directory != "." else ""
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
    yield from (f"{name:<9} {value}" for name, value in links.items() if value is not None)
    if tags := run.tags:
        yield f"tags      {', '.join(tags)}"
    for note in run.notes:
        first, *more = note.split("\n")
        yield f"note      {first}"
        yield from (f"          {line}" for line in more)


def _ending(record: Record) -> str:
    if record.signal:
        return f" by {record.signal}"
    return f", exit status {record.exit_code}" if record.exit_code else ""


def _body(record: Record) -> Iterator[str]:
    yield from _values("metrics", flatten(record.metrics))
    for source, tree in record.params.items():
        yield from _values(f"parameters ({source})", flatten(tree))
    yield from _section("data", (_pointer(pointer) for pointer in record.data))
    yield from _section("outputs", (_content(pointer) for pointer in record.outputs))
    yield from _section("changed while it ran", record.changed)
    yield from _section("ran beside it in the same work tree", record.concurrent)
    yield from _section("written while another run was under way", record.ambiguous)
    yield from _section("not captured", _omissions(record.not_captured))
    yield from _section("problems", record.problems)


def _values(title: str, leaves: Mapping[str, Value]) -> Iterator[str]:
    width = max((display_width(inert(key)) for key in leaves), default=0)
    yield from _section(title, (f"{pad(inert(key), width)}  {format_value(value)}" for key, value in leaves.items()))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
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
    return f"{pointer.path}  {pointer.algorithm}:{pointer.digest[:12]}  {format_size(pointer.size)}{files}"


def _omissions(omissions: Sequence[Omission]) -> Iterator[str]:
    ignored = [omission for omission in omissions if omission.reason is Reason.IGNORED]
    others = [omission for omission in omissions if omission.reason is not Reason.IGNORED]
    for omission in [*others, *ignored[:_MOST_IGNORED]]:
        facts = [str(omission.reason)]
        facts += [f"{omission.files} files"] if omission.files else []
        facts += [format_size(omission.size)] if omission.size is not None else []
        facts += ["kept in the DVC cache"] if omission.pointer else []
        facts += [omission.digest[:19]] if omission.digest else []
        yield f"{omission.path}  ({', '.join(facts)})"
    if more := sum(omission.files or 1 for omission in ignored[_MOST_IGNORED:]):
        yield f"and {more} more that Git ignores"


def _environment(environment: Environment | None) -> Iterator[str]:
    if environment is None:
        return
    interpreter, platform, hardware = environment.interpreter, environment.platform, environment.hardware
    facts = [hardware.cpu or "unknown CPU"]
    facts += [f"{hardware.cores} cores"] if hardware.cores is not None else []
    facts += [format_size(hardware.memory)] if hardware.memory is not None else []
    lines = [f"{interpreter.implementation} {interpreter.version}  {interpreter.path}"] if interpreter else []
    lines.append(f"{len(environment.packages)} packages")
    lines.append(f"{platform.system} {platform.release} {platform.machine}")
    lines.append(", ".join(facts))
    lines += [f"{gpu.name}, {format_size(gpu.memory)}" for gpu in hardware.gpus]
    yield from _section("environment", lines)
