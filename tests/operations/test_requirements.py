"""A file of the user's is never lost, whoever writes at the same time."""

from __future__ import annotations

import threading

import pytest

from exptrack.errors import ExptrackError
from exptrack.operations.requirements import write_new


def test_of_many_writers_exactly_one_makes_the_file(tmp_path):
    won: list[int] = []

    def write(number: int) -> None:
        try:
            write_new(tmp_path / "file", f"{number}".encode())
            won.append(number)
        except ExptrackError as error:
            assert "exists" in str(error)  # noqa: PT017

    threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "file").read_text() == f"{won[0]}"
    assert len(won) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_new_file_has_the_usual_rights(tmp_path):
    write_new(tmp_path / "file", b"x")
    (tmp_path / "usual").write_bytes(b"x")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_failure_leaves_nothing(tmp_path):
    with pytest.raises(ExptrackError, match=r"^.* cannot be written: File name too long: .*; choose another place$"):
        write_new(tmp_path / ("x" * 300), b"x")
    assert list(tmp_path.iterdir()) == []
