"""The whole of long histories as one file, a row a point: Parquet with pyarrow, else compressed tab-separated lines. docs/format.md has the columns."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from exptrack.analysis.history import as_header, format_epoch, parse_epoch, parse_step
from exptrack.analysis.points import Epoch, Points
from exptrack.errors import DataError
from exptrack.model.tree import Value

PARQUET: Final = ".exptrack/history.parquet"
TSV: Final = ".exptrack/history.tsv.gz"

_EXACT = 2**53  # below it every whole number is exact as a float
_LONGEST = 4096  # bytes of a line
_QUICK = 1  # of gzip: a million points in 0.5 s instead of 4, and 15 % larger
_HEADER = b"metric\ttime\tstep\tepoch\tvalue\n"


def encode_whole(histories: Mapping[str, Points]) -> tuple[str, bytes]:
    """The path that the file has in the run's commit, which says its kind, and its content."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        return TSV, _encode_tsv(histories)
    return PARQUET, _encode_parquet(histories)


def decode_whole(path: str, data: bytes, count: int, only: str | None = None) -> dict[str, Points]:
    """The histories in a file of `count` points in all, by name as it stands in files; or that of `only`.

    Raises DataError for a file that is none, or another than that of so many points, and for Parquet where pyarrow is missing.
    """
    if path == TSV:
        return _decode_tsv(data, count, only)
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise DataError("to read whole histories in Parquet `pip install pyarrow`") from error
    try:
        return _decode_parquet(data, count, only)
    except (ValueError, TypeError, LookupError, OSError, NotImplementedError, AttributeError) as error:
        raise DataError(f"{path} is broken: {str(error).partition(chr(10))[0].rstrip('.')}") from error


def _name(metric: str) -> str:
    return as_header(metric).encode(errors="replace").decode()


def _encode_tsv(histories: Mapping[str, Points]) -> bytes:
    from gzip import compress

    parts = [_HEADER]
    for metric, points in histories.items():
        name = _name(metric)
        epochs = [""] * len(points) if points.epochs is None else map(format_epoch, points.epochs)
        rows = zip(map(repr, points.times), map(str, points.steps), epochs, map(repr, points.values), strict=True)
        parts.append(
            "".join([f"{name}\t{time}\t{step}\t{epoch}\t{value}\n" for time, step, epoch, value in rows]).encode(
                errors="replace"
            )
        )
    return compress(b"".join(parts), _QUICK, mtime=0)


def _decode_tsv(data: bytes, count: int, only: str | None) -> dict[str, Points]:
    from gzip import BadGzipFile, GzipFile
    from io import BytesIO
    from zlib import error as ZlibError  # noqa: N812 - as the others are called

    found: dict[str, Points] = {}
    try:
        with GzipFile(fileobj=BytesIO(data)) as file:
            if file.readline(_LONGEST) != _HEADER:
                raise DataError(f"{TSV} is broken: it has another header")
            for number, line in enumerate(iter(lambda: file.readline(_LONGEST), b"")):
                if number >= count:
                    raise DataError(f"{TSV} is broken: it has more points than were logged")
                name, time, step, epoch, value = line.decode().rstrip("\n").split("\t")
                if only in {None, name}:
                    found.setdefault(name, Points()).add(
                        float(time), parse_step(step), float(value), parse_epoch(epoch)
                    )
    except (BadGzipFile, ZlibError, EOFError, ValueError, OverflowError) as error:
        raise DataError(f"{TSV} is broken: {error}") from error
    return found


def _encode_parquet(histories: Mapping[str, Points]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    kind = _kind([points.steps for points in histories.values()])
    types = {"whole": pa.int64(), "number": pa.float64(), "text": pa.string()}
    schema = pa.schema(
        [
            pa.field("metric", pa.dictionary(pa.int32(), pa.string()), nullable=False),
            pa.field("time", pa.float64(), nullable=False),
            pa.field("step", types[kind], nullable=False),
            pa.field("epoch", pa.float64()),
            pa.field("value", pa.float64(), nullable=False),
        ]
    )
    encoding = {"time": "BYTE_STREAM_SPLIT", "value": "BYTE_STREAM_SPLIT", "epoch": "BYTE_STREAM_SPLIT"}
    if kind == "whole":
        encoding["step"] = "DELTA_BINARY_PACKED"
    sink = pa.BufferOutputStream()
    with parquet.ParquetWriter(
        sink, schema, compression="zstd", use_dictionary=["metric"], column_encoding=encoding
    ) as writer:
        for metric, points in histories.items():
            columns = [
                pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), len(points)), [_name(metric)]),
                _floats(points.times),
                _steps(points.steps, kind, types[kind]),
                pa.nulls(len(points), pa.float64()) if points.epochs is None else _epochs(points.epochs),
                _floats(points.values),
            ]
            # A row group for each metric, so that one can be read alone.
            writer.write_table(pa.Table.from_arrays(columns, schema=schema), row_group_size=max(len(points), 1))
    return bytes(sink.getvalue())


def _kind(columns: Sequence[Sequence[Value]]) -> str:
    if all(isinstance(steps, array) for steps in columns):
        return "whole"
    exact = (_is_exact(step) for steps in columns if not isinstance(steps, array) for step in steps)
    small = (
        min(steps, default=0) >= -_EXACT and max(steps, default=0) <= _EXACT
        for steps in columns
        if isinstance(steps, array)
    )
    return "number" if all(exact) and all(small) else "text"


def _is_exact(step: Value) -> bool:
    return isinstance(step, float) or (isinstance(step, int) and abs(step) <= _EXACT)


def _floats(values: array[float]) -> Any:
    import pyarrow as pa

    return pa.Array.from_buffers(pa.float64(), len(values), [None, pa.py_buffer(values)])


def _steps(steps: array[int] | list[Value], kind: str, type_: Any) -> Any:
    import pyarrow as pa

    if kind == "whole":
        return pa.Array.from_buffers(type_, len(steps), [None, pa.py_buffer(steps)])
    return pa.array(list(map(float if kind == "number" else _text, steps)), type_)  # type: ignore[arg-type]


def _text(step: Value) -> str:
    return str(step).encode(errors="replace").decode()


def _epochs(epochs: Sequence[Epoch]) -> Any:
    import pyarrow as pa

    return pa.array([None if epoch is None else float(epoch) for epoch in epochs], pa.float64())


def _decode_parquet(data: bytes, count: int, only: str | None) -> dict[str, Points]:
    import pyarrow as pa
    from pyarrow import parquet

    # Without threads: once in some thousand times a process that had ended was aborted over those of pyarrow.
    file = parquet.ParquetFile(pa.BufferReader(data), read_dictionary=["metric"])
    if file.metadata.num_rows != count:
        raise ValueError(f"it has {file.metadata.num_rows:,} points, and {count:,} were logged")
    found: dict[str, Points] = {}
    for number in range(file.num_row_groups):
        named = file.read_row_group(number, columns=["metric"], use_threads=False).column(0).combine_chunks()
        names = named.dictionary.to_pylist()
        if only is not None and only not in names:
            continue
        table = file.read_row_group(number, use_threads=False)
        for place, name in enumerate(names):
            if only in {None, name}:
                part = table if len(names) == 1 else table.filter(pa.compute.equal(named.indices, place))
                _add(found.setdefault(name, Points()), part)
    return found


def _add(points: Points, table: Any) -> None:
    for name, column in (("time", points.times), ("value", points.values)):
        column.frombytes(table.column(name).to_numpy().astype("float64").tobytes())
    steps = table.column("step")
    if str(steps.type) == "int64" and isinstance(points.steps, array):
        points.steps.frombytes(steps.to_numpy().tobytes())
    else:
        read = parse_step if str(steps.type) == "string" else _whole
        points.steps = [*points.steps, *map(read, steps.to_pylist())]
    epochs = table.column("epoch")
    if epochs.null_count < len(epochs) or points.epochs is not None:
        before = points.epochs or [None] * (len(points) - len(epochs))
        points.epochs = [*before, *_read_epochs(epochs.to_pylist())]


def _read_epochs(epochs: Iterable[float | None]) -> list[Epoch]:
    return [None if epoch is None else _whole(epoch) for epoch in epochs]


def _whole(number: float) -> float | int:
    return int(number) if abs(number) < _EXACT and number == int(number) else number
