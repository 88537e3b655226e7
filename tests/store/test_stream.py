"""Reading the stream of a journal while others append to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.store import stream
from exptrack.store.stream import StreamReader, read_stream


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stream").touch()
    return tmp_path


def _line(number: int) -> bytes:
    return json.dumps({"kind": "metrics", "time": 1.5, "values": {"a": number}}, separators=(",", ":")).encode() + b"\n"


def _append(folder: Path, data: bytes) -> None:
    with (folder / "stream").open("ab") as file:
        file.write(data)


def _numbers(entries: object) -> list[int]:
    return [entry["values"]["a"] for entry in entries]  # type: ignore[attr-defined]


def test_a_reader_gives_each_entry_once(folder: Path) -> None:
    reader = StreamReader(folder)
    _append(folder, _line(1) + _line(2))
    assert _numbers(reader.read()) == [1, 2]
    assert reader.read() == []
    _append(folder, b"\n" + _line(3))
    assert _numbers(reader.read()) == [3]


def test_a_torn_last_line_waits_for_its_end(folder: Path) -> None:
    reader = StreamReader(folder)
    line = _line(2)
    _append(folder, _line(1) + line[:20])
    assert _numbers(reader.read()) == [1]
    _append(folder, line[20:])
    assert _numbers(reader.read()) == [2]


def test_a_stream_that_is_not_there_has_no_entries(tmp_path: Path) -> None:
    assert StreamReader(tmp_path / "gone").read() == []
    assert list(read_stream(tmp_path / "gone")) == []


@pytest.mark.parametrize(
    "torn",
    [b'{"kind":"metrics","time":1.5,"val', b"\0" * 5000, b"\xff\xfe", b"[1,2", b"null", b"[" * 100_000, b'{"kind":"x"}'],
    ids=["half", "zeros", "no text", "list", "null", "deep", "timeless"],
)  # fmt: skip
def test_a_torn_line_costs_nothing_but_itself(folder: Path, torn: bytes) -> None:
    _append(folder, _line(1) + torn + b"\n" + _line(2) + torn)
    assert _numbers(read_stream(folder)) == [1, 2]


@pytest.mark.parametrize("torn", [b'{"kind":"metrics","time":1.5,"val', b"\0" * 50], ids=["half", "zeros"])
def test_an_entry_behind_a_torn_one_in_its_line_is_read(folder: Path, torn: bytes) -> None:
    _append(folder, _line(1) + torn + _line(2))
    assert _numbers(read_stream(folder)) == [1, 2]


def test_a_last_line_that_lacks_only_its_end_is_read(folder: Path) -> None:
    _append(folder, _line(1) + _line(2)[:-1])
    assert _numbers(read_stream(folder)) == [1, 2]


def test_two_halves_do_not_come_to_a_whole(folder: Path) -> None:
    _append(folder, b'{"kind":"metrics","time":1,"values":[1\n2]}\n' + _line(1))
    assert _numbers(read_stream(folder)) == [1]


@given(st.lists(st.integers(0, 300), max_size=30), st.integers(1, 200))
def test_pieces_of_any_size_give_the_same_entries(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], chunk: int
) -> None:
    folder = tmp_path_factory.mktemp("run")
    entries = [{"kind": "note", "time": 1.0, "note": "x" * size} for size in sizes]
    _append(folder, b"".join(json.dumps(entry).encode() + b"\n" for entry in entries))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "_CHUNK", chunk)
        assert list(read_stream(folder)) == entries
