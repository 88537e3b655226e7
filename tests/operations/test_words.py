"""Words of a recorded command that name places."""

from __future__ import annotations

from pathlib import Path

import pytest

from exptrack.operations.recording.surroundings import Move
from exptrack.operations.recording.words import find_named, lead


@pytest.fixture
def move(tmp_path: Path) -> Move:
    """A work tree with a virtual environment that Git ignores, and a slot with the script alone."""
    main, top = tmp_path / "main", tmp_path / "main" / ".git" / "exptrack" / "worktrees" / "w0"
    for folder in (main / ".venv" / "bin", top / "src", main / "src"):
        folder.mkdir(parents=True)
    (main / ".venv" / "pyvenv.cfg").touch()
    (main / ".venv" / "bin" / "python").touch()
    (tmp_path / "shared.py").touch()
    for root in (main, top):
        (root / "src" / "train.py").touch()
    return Move(main, top)


@pytest.mark.parametrize(
    "word",
    ["{}/src/train.py", "{}", "--out={}/new/model.bin", "cd {} && python '{}/src/train.py' >{}/log", "-I{}/src:{}/lib"],
)
def test_a_path_in_the_work_tree_becomes_the_slots(move, word):
    led = lead(move, move.top, ["python", word.replace("{}", str(move.main))], [])
    assert led.command == ("python", word.replace("{}", str(move.top)))
    assert len(led.taken) == 1


@pytest.mark.parametrize(
    "word", ["{}-2/train.py", "/x{}/train.py", "{}.old", "{}/.git/config", "src/train.py", "--lr=1"]
)
def test_other_words_stay(move, word):
    word = word.replace("{}", str(move.main))
    assert lead(move, move.top, ["python", word], []).command == ("python", word)


def test_programs_of_a_virtual_environment_stay_where_they_are(move):
    python = str(move.main / ".venv" / "bin" / "python")
    assert lead(move, move.top, [python, "train.py"], []).command[0] == python
    assert lead(move, move.top, [".venv/bin/python", "train.py"], []).command[0] == python
    assert lead(move, move.top / "src", ["../.venv/bin/python", "train.py"], []).command[0] == python
    (move.top / ".venv" / "bin").mkdir(parents=True)
    (move.top / ".venv" / "bin" / "python").touch()
    assert lead(move, move.top, [".venv/bin/python"], []).command == (".venv/bin/python",)


def test_a_path_out_of_the_repository_leads_where_it_led_and_is_told(move):
    led = lead(move, move.top / "src", ["python", "../../shared.py", "../train.py", "../../nothing"], [])
    assert led.command == ("python", str(move.main.parent / "shared.py"), "../train.py", "../../nothing")
    assert led.outside == ("../../shared.py lies outside of the repository: it is used as it is now",)


def test_a_path_of_another_machine_is_the_file_of_the_commit(move):
    led = lead(
        move, move.top, ["python", "/nowhere/at/all/src/train.py", "/nowhere/data.csv"], ["train.py", "src/train.py"]
    )
    assert led.command == ("python", str(move.top / "src" / "train.py"), "/nowhere/data.csv")
    assert "is not on this machine" in led.taken[0]


def test_a_text_names_the_work_tree_or_not(move):
    assert find_named(move, f"cmd: python {move.main}/src/train.py x") == f"{move.main}/src/train.py"
    assert find_named(move, f"cmd: {move.main}/.venv/bin/python src/train.py") is None
    assert find_named(move, "cmd: python src/train.py") is None
