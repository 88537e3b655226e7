"""One run in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from exptrack.model.data import Omission, Pointer, Reason
from exptrack.model.environment import Environment
from exptrack.model.run import Record, Run, Status
from exptrack.model.settings import MetricDeclaration
from exptrack.model.tree import Value, flatten
from exptrack.render.page import STATUS_COLORS, YELLOW, Page, format_ending
from exptrack.render.text import (
    clip,
    display_width,
    format_command,
    format_counted,
    format_duration,
    format_size,
    format_value,
    inert,
    pad,
)

_MOST = 40  # lines of a section
_MOST_IGNORED = 8
_TAIL = 10  # lines of output
_WIDEST = 40  # cells of a key or path, so that what stands beside it is still seen
_LABEL = 10


class _Row(NamedTuple):
    text: str
    color: str = ""


def format_card(
    run: Run,
    environment: Environment | None,
    *,
    output: str = "",
    declared: Mapping[str, MetricDeclaration] = {},
    page: Page = Page(),  # noqa: B008 - a tuple
) -> str:
    """What the record says, what matters most first: `declared` metrics before others, of a run that did not complete the end of its `output`.

    No line of it can do more than be a line: all of them are inert.
    """
    sections = [_head(run, page), *_body(run.record, output, declared, page), _environment(environment, page)]
    return "\n\n".join("\n".join(lines) for lines in map(list, sections) if lines)


def _head(run: Run, page: Page) -> Iterator[str]:
    record = run.record
    facts = {
        "run": run.name,
        "commit": run.oid,
        "status": f"{record.status}{format_ending(record)}",
        "started": f"{record.started:%Y-%m-%d %H:%M:%S} UTC" + _duration(record),
        "author": " on ".join(filter(None, [record.author, record.host])) or None,
        "command": _command(record),
        "base": run.base or ("none: there was no commit yet" if run.snapshot else None),
        "experiment": record.experiment,
        "seed": record.seed,
        **{what.replace("_", " "): name for what, name in record.links._asdict().items()},
        "tags": ", ".join(run.tags) or None,
    }
    known = {label: str(value) for label, value in facts.items() if value is not None}
    width = max(_LABEL, *(len(label) + 2 for label in known))
    for label, value in known.items():
        color = STATUS_COLORS[record.status] if label == "status" else ""
        yield page.line(f"{label:<{width}}", (value, color))
    for note in run.notes:
        label = "note"
        for line in note.split("\n"):
            for part in page.wrap(inert(line.rstrip("\r")), width):
                yield page.line(f"{label:<{width}}{part}")
                label = ""


def _command(record: Record) -> str | None:
    inside = f"  (in {record.directory})" if record.directory != "." else ""
    return format_command(record.command) + inside if record.command else None


def _duration(record: Record) -> str:
    return "" if record.duration is None else f", took {format_duration(record.duration)}"


def _body(
    record: Record, output: str, declared: Mapping[str, MetricDeclaration], page: Page
) -> Iterator[Iterable[str]]:
    if record.status is not Status.COMPLETED:
        yield _tail(output, page)
    metrics = flatten(record.metrics)
    units = {name: f" {one.unit}" for name, one in declared.items() if one.unit}
    ordered = {name: metrics[name] for name in [*(name for name in declared if name in metrics), *metrics]}
    yield _section("metrics", _values(ordered, units, page), page)
    most = _MOST
    for source in sorted(record.params, key=lambda source: (source != "args", source)):
        leaves = flatten(record.params[source])
        yield _section(f"parameters ({source})", _values(leaves, {}, page), page, most)
        most = max(0, most - len(leaves))
    yield _section("data", _pointers(record.data, page), page)
    yield _section("outputs", _pointers(record.outputs, page, are_looked_at=False), page)
    yield _section("changed while it ran", map(_Row, record.changed), page)
    yield _section("ran beside it in the same work tree", map(_Row, record.concurrent), page)
    yield _section("written while another run was under way", map(_Row, record.ambiguous), page)
    yield _section("not captured", _omissions(record.not_captured, page), page)
    yield _section("problems", map(_Row, record.problems), page)


def _tail(output: str, page: Page) -> Iterator[str]:
    lines = output.rstrip().split("\n") if output.strip() else []
    rows = [_Row(line.rstrip("\r").expandtabs()) for line in lines[-_TAIL:]]
    title = "output" if len(lines) <= _TAIL else f"output, the last {_TAIL} of {len(lines):,} lines"
    return _section(title, rows, page)


def _section(title: str, rows: Iterable[_Row], page: Page, most: int = _MOST) -> Iterator[str]:
    """A title and its lines; nothing if there are none. One line too many is shown: to say so takes a line as well."""
    listed = list(rows)
    if not listed:
        return
    shown = listed if page.is_whole or len(listed) <= most + 1 else listed[:most]
    yield page.line(f"{title}:")
    yield from (page.line("  ", row) for row in shown)
    if len(shown) < len(listed):
        yield f"  and {len(listed) - len(shown):,} more: --all shows them"


def _values(leaves: Mapping[str, Value], units: Mapping[str, str], page: Page) -> Iterator[_Row]:
    keys = [_name(key, page) for key in leaves]
    width = max(map(display_width, keys), default=0)
    for shown, (key, value) in zip(keys, leaves.items(), strict=True):
        yield _Row(f"{pad(shown, width)}  {format_value(value)}{units.get(key, '')}")


def _name(text: str, page: Page) -> str:
    return inert(text) if page.is_whole else clip(inert(text), _WIDEST)


def _pointers(pointers: Sequence[Pointer], page: Page, *, are_looked_at: bool = True) -> Iterator[_Row]:
    """Path, size and hash; what is not as it should be stands before the hash, which can be spared at the edge."""
    paths = [_name(pointer.path, page) for pointer in pointers]
    sizes = [_extent(pointer) for pointer in pointers]
    widths = [max(map(len, sizes), default=0), max(map(display_width, paths), default=0)]
    for pointer, path, size in zip(pointers, paths, sizes, strict=True):
        state = {True: "MODIFIED: not what the pointer stands for  ", None: "not on disk  "}.get(pointer.modified, "")
        text = f"{pad(path, widths[1])}  {size:<{widths[0]}}  {state if are_looked_at else ''}"
        yield _Row(
            f"{text}{pointer.algorithm}:{pointer.digest[:12]}", YELLOW if are_looked_at and pointer.modified else ""
        )


def _extent(pointer: Pointer) -> str:
    files = f", {format_counted(pointer.files, 'file')}" if pointer.files is not None else ""
    return format_size(pointer.size) + files


def _omissions(omissions: Sequence[Omission], page: Page) -> Iterator[_Row]:
    ignored = [omission for omission in omissions if omission.reason is Reason.IGNORED]
    others = [omission for omission in omissions if omission.reason is not Reason.IGNORED]
    shown = ignored if page.is_whole or len(ignored) <= _MOST_IGNORED + 1 else ignored[:_MOST_IGNORED]
    for omission in [*others, *shown]:
        facts = [str(omission.reason)]
        facts += [format_counted(omission.files, "file")] if omission.files else []
        facts += [format_size(omission.size)] if omission.size is not None else []
        facts += ["kept in the DVC cache"] if omission.pointer else []
        facts += [omission.digest[:19]] if omission.digest else []
        yield _Row(f"{omission.path}  ({', '.join(facts)})")
    if more := sum(omission.files or 1 for omission in ignored[len(shown) :]):
        yield _Row(f"and {more:,} more that Git ignores")


def _environment(environment: Environment | None, page: Page) -> Iterator[str]:
    if environment is None:
        return iter(())
    interpreter, platform, hardware = environment.interpreter, environment.platform, environment.hardware
    facts = [hardware.cpu or "unknown CPU"]
    facts += [format_counted(hardware.cores, "core")] if hardware.cores is not None else []
    facts += [format_size(hardware.memory)] if hardware.memory is not None else []
    lines = [f"{interpreter.implementation} {interpreter.version}  {interpreter.path}"] if interpreter else []
    lines.append(format_counted(len(environment.packages), "package"))
    lines.append(f"{platform.system} {platform.release} {platform.machine}")
    lines.append(", ".join(facts))
    lines += [f"{gpu.name}, {format_size(gpu.memory)}" for gpu in hardware.gpus]
    return _section("environment", map(_Row, lines), page)
