"""docs/export.md is played from its first line to its last; its tables name what is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pages import Shell, blocks, code, is_shown, read_blocks, table

from exptrack.operations.exporting.tables import HISTORY, RUNS

PAGE = Path(__file__).parent.parent / "docs" / "export.md"


def quiet(lines):
    """Without the number of points: what a slow machine used is measured, too, and then has a history."""
    return tuple(re.sub(r"\d+ points?", "points", line) for line in lines)


def test_the_page_shows_what_happens(tmp_path):
    pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    shell = Shell(tmp_path, tmp_path / "scripts")
    shell.lend_all()
    played = []
    for step, came in shell.play(PAGE):
        assert is_shown(quiet(step.shown), list(quiet(came))), f"$ {step.command}\n" + "\n".join(came)
        played.append(step.command)
    scripts = [block.file for block in read_blocks(PAGE) if block.language == "python" and block.file]
    assert scripts == ["train.py", "best.py", "frame.py"]
    for script in scripts:
        assert any(command.startswith(f"python {script}") for command in played), script


def test_only_what_wants_spark_is_not_played():
    assert [block for block in blocks(PAGE, "python") if "pyspark" in block] == [
        block.text for block in read_blocks(PAGE) if block.language == "python" and block.file is None
    ]


@pytest.mark.parametrize(("mark", "columns"), [("runs", RUNS), ("history", HISTORY)])
def test_its_tables_name_every_column_with_its_type(mark, columns):
    rows = table(PAGE, f"table: {mark}")
    assert {code(row[0]): row[1] for row in rows} == columns
    assert [code(row[0]) for row in rows] == list(columns)
    assert {row[1] for row in rows} <= {row[0] for row in table(PAGE, "table: types")}
