"""docs/tracking.md is played from its first line to its last; its tables name what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pages import Shell, blocks, is_shown, read, read_blocks, table

import exptrack
from exptrack import ActiveRun
from exptrack.model.run import Status
from exptrack.tracking.ranks import _VARIABLES

PAGE = Path(__file__).parent.parent / "docs" / "tracking.md"


def test_the_page_shows_what_happens(tmp_path):
    shell = Shell(tmp_path, tmp_path / "scripts")
    shell.lend_all()
    played = []
    for step, came in shell.play(PAGE):
        assert is_shown(step.shown, came), f"$ {step.command}\n" + "\n".join(came)
        played.append(step.command)
    scripts = [block.file for block in read_blocks(PAGE) if block.language == "python"]
    assert len(scripts) >= 4
    for script in scripts:
        assert any(command.startswith(f"python {script}") for command in played), script


def test_the_three_lines_of_the_readme_run(monkeypatch):
    monkeypatch.setenv("EXPTRACK_DISABLED", "1")
    [lines] = blocks(PAGE.parent.parent / "README.md", "python")
    known = {"loss": 0.5, "step": 1}
    exec(lines, known)
    assert exptrack.active_run() is known["run"]
    exptrack.end_run()


def test_each_block_is_one_that_is_played():
    assert len(read_blocks(PAGE)) == len(blocks(PAGE, "console", "python"))


@pytest.mark.parametrize("face", ["run", "exptrack"])
def test_every_call_that_it_names_is_there(face):
    names = set(re.findall(rf"\b{face}\.([a-z_]+)\(", read(PAGE))) - (
        {"log", "alert", "finish"} if face == "run" else set()
    )
    assert len(names) > 8
    for name in names:
        assert hasattr(ActiveRun if face == "run" else exptrack, name), name


def test_it_names_every_function_for_scripts():
    for name in exptrack.__all__:
        if name.islower():
            assert re.search(rf"\b{name}\b", read(PAGE)), name


def test_it_names_every_status_that_an_end_has():
    cells = [cell for row in table(PAGE, "endings") for cell in row[1:]]
    assert {word for cell in cells for word in re.findall(r"`([a-z]+)`", cell)} - {"problems"} == set(Status)


def test_it_names_the_variables_of_launchers_in_their_order():
    [line] = [line for line in read(PAGE).splitlines() if line.startswith("The rank is that of")]
    assert re.findall(r"`([A-Z0-9_]+)`", line) == list(_VARIABLES)
