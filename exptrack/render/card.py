"""One run in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple

from exptrack.analysis.artifacts import FOLDER
from exptrack.analysis.wording import counted, name_few
from exptrack.model.annotation import AnnotationKind
from exptrack.model.data import Omission, Pointer, Reason
from exptrack.model.difference import FileChange
from exptrack.model.environment import Environment
from exptrack.model.pipeline import StageRun, StageState
from exptrack.model.run import PIPELINE, Record, Run, Status
from exptrack.model.settings import MetricDeclaration
from exptrack.model.tree import Value, flatten
from exptrack.render.codestat import name_file
from exptrack.render.decisions import list_decisions
from exptrack.render.page import STATUS_COLORS, YELLOW, Page, format_ending
from exptrack.render.text import (
    clip,
    display_width,
    format_command,
    format_duration,
    format_size,
    format_value,
    inert,
    pad,
    wrap,
)

_MOST = 40  # lines of a section
_MOST_IGNORED = 8
_TAIL = 10  # lines of output
_WIDEST = 40  # cells of a key or path, so that what stands beside it is still seen
_LABEL = 10
_STATES = {True: "MODIFIED: not what the pointer stands for", None: "not on disk"}
_MOST_NAMED = 3  # files of the code
_SHORT = 10  # digits of an oid that is to be typed


class _Row(NamedTuple):
    """A line of a section, which may be clipped, and lines `below` it, further in."""

    text: str
    color: str = ""
    below: tuple[str, ...] = ()


def format_card(  # noqa: PLR0913 - those that are keyword-only may be left out
    run: Run,
    environment: Environment | None,
    *,
    code: Sequence[FileChange] | None = None,
    output: str = "",
    artifacts: Sequence[Pointer] = (),
    declared: Mapping[str, MetricDeclaration] = {},
    page: Page = Page(),  # noqa: B008 - a tuple
) -> str:
    """What the record says, what matters most first: `declared` metrics before others, of a run that did not complete the end of its `output`.

    `artifacts` are the files that its script logged, with their sizes. `code` are the files of the code that were not as committed in the base (None: not known). No line of it can do more than be a line:
    all of them are inert. What warns is never clipped away: it goes on below.
    """
    body = _body(run.record, output, artifacts, declared, page)
    sections = [_head(run, code, page), *body, _environment(environment, page)]
    return "\n\n".join("\n".join(lines) for lines in map(list, sections) if lines)


def _head(run: Run, code: Sequence[FileChange] | None, page: Page) -> Iterator[str]:
    record = run.record
    facts = {
        "run": run.name,
        "commit": run.oid,
        "status": f"{record.status}{_ending(record)}",
        "started": f"{record.started:%Y-%m-%d %H:%M:%S} UTC" + _duration(record),
        "author": _author(record, page.room(_LABEL)),
        "command": _command(record),
        "overrides": format_command(record.overrides) or None,
        "base": run.base or ("none: there was no commit yet" if run.snapshot else None),
        "code": None if code is None or run.base is None else _code(run.name, run.base, code),
        "experiment": record.experiment,
        "seed": record.seed,
        "seeded": ", ".join(record.seeding.set) if record.seeding else None,
        "open": "; ".join(record.seeding.open) or None if record.seeding else None,
        **{what.replace("_", " "): name for what, name in record.links._asdict().items()},
        "tags": ", ".join(run.tags) or None,
        "removed": _removal(run),
        "data": "not shared: it was pushed without its data" if run.is_unshared else None,
    }
    known = {label: value for label, value in facts.items() if value is not None}
    decisions = list_decisions(run)
    width = max(_LABEL, *(len(label) + 2 for label in (*known, *(label for label, _ in decisions))))
    for label, value in known.items():
        color = STATUS_COLORS[record.status] if label == "status" else ""
        pieces = value if isinstance(value, tuple) else (str(value),)
        lines = pieces if label == "command" else _wrap(pieces, width, page)
        for title, line in zip_longest([label], lines, fillvalue=""):
            yield page.line(f"{title:<{width}}", (line, color))
    texts = [*(("note", note) for note in run.notes), *decisions]
    for name, text in texts:
        label = name
        for line in text.split("\n"):
            for part in page.wrap(inert(line.rstrip("\r")), width):
                yield page.line(f"{label:<{width}}{part}")
                label = ""


def _removal(run: Run) -> str | None:
    """By whom it was removed, when and why, if its ref is still here."""
    stones = [one for one in run.annotations if one.kind is AnnotationKind.TOMBSTONE]
    if not stones:
        return None
    why = f": {stones[0].value}" if isinstance(stones[0].value, str) else ""
    return f"by {stones[0].author} on {stones[0].time:%Y-%m-%d %H:%M} UTC{why}"


def _command(record: Record) -> str | None:
    inside = f"  (in {record.directory})" if record.directory != "." else ""
    if record.is_pipeline:
        return PIPELINE + inside
    return format_command(record.command) + inside if record.command else None


def _ending(record: Record) -> str:
    if record.status is Status.CRASHED and record.exit_code is None and record.signal is None:
        return ": its end was not seen, as after a kill"
    return format_ending(record)


def _duration(record: Record) -> str:
    if record.duration is None:
        return ""
    until = ", up to the last sign of life" if record.status is Status.CRASHED else ""
    return f", took {format_duration(record.duration)}{until}"


def _author(record: Record, room: int | None) -> str | None:
    """Who, and on which host; the address is left out where there is no room for it."""
    author = inert(record.author)
    whole = " on ".join(filter(None, [author, inert(record.host)]))
    if room is None or display_width(whole) <= room:
        return whole or None
    return " on ".join(filter(None, [author.partition(" <")[0], inert(record.host)]))


def _code(name: str, base: str, files: Sequence[FileChange]) -> tuple[str, ...]:
    """What was not as committed, and how to see it."""
    if not files:
        return ("as committed in the base",)
    added, removed = sum(one.added or 0 for one in files), sum(one.removed or 0 for one in files)
    differ = f"{counted(len(files), 'file')} {'differs' if len(files) == 1 else 'differ'} from the base"
    lines = f"+{added:,} −{removed:,}"  # noqa: RUF001 - as wide as the plus
    names = name_few(list(map(name_file, files)), _MOST_NAMED)
    them = "it" if len(files) == 1 else "them"
    return f"{differ}, {lines} ({names}):", f"`exptrack diff {base[:_SHORT]} {name} --only code`", f"shows {them}"


def _body(
    record: Record, output: str, artifacts: Sequence[Pointer], declared: Mapping[str, MetricDeclaration], page: Page
) -> Iterator[Iterable[str]]:
    if record.status is not Status.COMPLETED:
        yield _tail(output, page)
    metrics = flatten(record.shown_metrics)
    units = {name: f" {one.unit}" for name, one in declared.items() if one.unit}
    ordered = {name: metrics[name] for name in [*(name for name in declared if name in metrics), *metrics]}
    yield _section("metrics", _values(ordered, units, page), page)
    most = _MOST
    for source in sorted(record.params, key=lambda source: (source != "args", source)):
        leaves = flatten(record.params[source])
        yield _section(f"parameters ({source})", _values(leaves, {}, page), page, most)
        most = max(0, most - len(leaves))
    yield _section("stages", _stages(record.stages or ()), page)
    yield _section("data", _pointers(record.data, page), page)
    yield _section("outputs", _pointers(record.outputs, page, are_looked_at=False), page)
    named = [one._replace(path=one.path.removeprefix(FOLDER)) for one in artifacts]
    yield _section("artifacts", _pointers(named, page, are_looked_at=False), page)
    yield _section("changed while it ran", map(_Row, record.changed), page)
    yield _section("ran beside it in the same work tree", map(_Row, record.concurrent), page)
    yield _section("written while another run was under way", map(_Row, record.ambiguous), page)
    yield _section("not captured", _omissions(record.not_captured, page), page)
    yield _section("problems", (_wrapped([problem], page) for problem in record.problems), page)


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
    for row in shown:
        yield page.line("  ", (row.text, row.color))
        yield from (page.line("    ", (part, row.color)) for part in row.below)
    if len(shown) < len(listed):
        yield f"  and {len(listed) - len(shown):,} more: --all shows them"


def _wrap(pieces: Iterable[str], taken: int, page: Page) -> list[str]:
    """Pieces of text as lines that fit beside so many cells, no piece broken that fits by itself."""
    room = page.room(taken)
    inerted = [inert(piece) for piece in pieces]
    return [" ".join(inerted)] if room is None else wrap(inerted, room)


def _wrapped(pieces: Iterable[str], page: Page) -> _Row:
    first, *below = _wrap(pieces, 4, page)
    return _Row(first, below=tuple(below))


def _values(leaves: Mapping[str, Value], units: Mapping[str, str], page: Page) -> Iterator[_Row]:
    keys = [_name(key, page) for key in leaves]
    width = max(map(display_width, keys), default=0)
    for shown, (key, value) in zip(keys, leaves.items(), strict=True):
        yield _Row(f"{pad(shown, width)}  {format_value(value)}{units.get(key, '')}")


def _name(text: str, page: Page) -> str:
    if page.is_whole:
        return inert(text)
    return clip(inert(text), _WIDEST if page.width is None else min(_WIDEST, page.width // 2))


def _stages(stages: Sequence[StageRun]) -> Iterator[_Row]:
    """State, name and duration; of one that the pipeline died in there is none."""
    names = [inert(stage.name) for stage in stages]
    width, widest = max(map(display_width, names), default=0), max(map(len, StageState))
    for stage, name in zip(stages, names, strict=True):
        duration = "" if stage.duration is None else format_duration(stage.duration)
        color = STATUS_COLORS[Status.FAILED] if stage.state is StageState.FAILED else ""
        yield _Row(f"{stage.state:<{widest}}  {pad(name, width)}  {duration}".rstrip(), color)


def _pointers(pointers: Sequence[Pointer], page: Page, *, are_looked_at: bool = True) -> Iterator[_Row]:
    """Path, size and hash; what is not as it should be stands before the hash, or below. Where there is no room the hash is left out."""
    paths = [_name(pointer.path, page) for pointer in pointers]
    sizes = [_extent(pointer) for pointer in pointers]
    widths = [max(map(len, sizes), default=0), max(map(display_width, paths), default=0)]
    room = page.room(2)
    for pointer, path, size in zip(pointers, paths, sizes, strict=True):
        state = _STATES.get(pointer.modified, "") if are_looked_at else ""
        color = YELLOW if are_looked_at and pointer.modified else ""
        extent, digest = f"{pad(path, widths[1])}  {size:<{widths[0]}}", f"{pointer.algorithm}:{pointer.digest[:12]}"
        whole = "  ".join(filter(None, [extent, state, digest]))
        if room is None or display_width(inert(whole)) <= room:
            yield _Row(whole, color)
            continue
        below = tuple(_wrap([state], 4, page)) if state else ()
        without = f"{extent}  {digest}"
        yield _Row(without if display_width(inert(without)) <= room else extent.rstrip(), color, below)


def _extent(pointer: Pointer) -> str:
    files = f", {counted(pointer.files, 'file')}" if pointer.files is not None else ""
    return format_size(pointer.size) + files


def _omissions(omissions: Sequence[Omission], page: Page) -> Iterator[_Row]:
    ignored = [omission for omission in omissions if omission.reason is Reason.IGNORED]
    others = [omission for omission in omissions if omission.reason is not Reason.IGNORED]
    shown = ignored if page.is_whole or len(ignored) <= _MOST_IGNORED + 1 else ignored[:_MOST_IGNORED]
    for omission in [*others, *shown]:
        facts = [str(omission.reason)]
        facts += [counted(omission.files, "file")] if omission.files else []
        facts += [format_size(omission.size)] if omission.size is not None else []
        facts += ["kept in the DVC cache"] if omission.pointer else []
        facts += [omission.digest[:19]] if omission.digest else []
        yield _wrapped([f"{omission.path} ", f"({', '.join(facts)})"], page)
    if more := sum(omission.files or 1 for omission in ignored[len(shown) :]):
        yield _Row(f"and {more:,} more that Git ignores")


def _environment(environment: Environment | None, page: Page) -> Iterator[str]:
    if environment is None:
        return iter(())
    interpreter, platform, hardware = environment.interpreter, environment.platform, environment.hardware
    facts = [hardware.cpu or "unknown CPU"]
    facts += [counted(hardware.cores, "core")] if hardware.cores is not None else []
    facts += [format_size(hardware.memory)] if hardware.memory is not None else []
    lines = [f"{interpreter.implementation} {interpreter.version}  {interpreter.path}"] if interpreter else []
    lines.append(counted(len(environment.packages), "package"))
    lines.append(f"{platform.system} {platform.release} {platform.machine}")
    lines.append(", ".join(facts))
    lines += [f"{gpu.name}, {format_size(gpu.memory)}" for gpu in hardware.gpus]
    return _section("environment", map(_Row, lines), page)
