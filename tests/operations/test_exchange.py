"""Files are exchanged all or none."""

from __future__ import annotations

import pytest

from exptrack.errors import ExptrackError
from exptrack.operations.applying.exchange import Step, exchange


@pytest.fixture
def scene(tmp_path):
    """A work tree of files and folders, and new ones beside it."""
    top, new, aside = tmp_path / "top", tmp_path / "new", tmp_path / "apply-1"
    for folder in (top / "data", top / "only", new, aside):
        folder.mkdir(parents=True)
    for path in ("kept", "changed", "removed", "data/old", "only/one"):
        (top / path).write_text(f"old {path}")
    (top / "link").symlink_to("kept")
    (top / ".new-data").mkdir()
    (top / ".new-data" / "x").write_text("new data")
    for path in ("changed", "added", "link"):
        (new / path).write_text(f"new {path}")
    (new / "linked").symlink_to("added")
    return top, new, aside


def steps_of(top, new) -> list[Step]:
    return [
        Step(top / "removed", None),
        Step(top / "only" / "one", None),
        Step(top / "data", top / ".new-data"),
        Step(top / "changed", new / "changed"),
        Step(top / "deep" / "er" / "added", new / "added"),
        Step(top / "link", new / "link"),
        Step(top / "kept", new / "linked"),
    ]


def tree(top) -> dict:
    return {
        str(path.relative_to(top)): path.readlink()
        if path.is_symlink()
        else path.read_text()
        if path.is_file()
        else None
        for path in top.rglob("*")
    }


def test_all_steps_are_taken_and_empty_folders_go(scene):
    top, new, aside = scene
    exchange(steps_of(top, new), top, aside)
    found = {path: str(content) for path, content in tree(top).items() if content is not None}
    assert found == {
        "changed": "new changed", "data/x": "new data", "deep/er/added": "new added", "kept": "added", "link": "new link",
    }  # fmt: skip
    assert not (top / "only").exists()
    assert list(aside.iterdir()) == []


@pytest.mark.parametrize("place", range(8))
def test_an_error_at_any_step_undoes_those_before(scene, place):
    top, new, aside = scene
    before = tree(top)
    steps = steps_of(top, new)
    steps.insert(place, Step(top / "other" / "file", new / "is not there"))
    with pytest.raises(ExptrackError, match=r"No such file.*; all files are as they were"):
        exchange(steps, top, aside)
    assert tree(top) == before


def test_what_cannot_be_put_back_is_named_with_the_place_of_its_content(scene):
    top, new, aside = scene

    class Spoiling(Step):
        """Makes the folder of the first step a file before it fails itself."""

        __slots__ = ()

        def __iter__(self):
            (top / "only").write_text("in the way")
            return iter((top / "x", new / "is not there"))

    with pytest.raises(ExptrackError, match=r"could not be put back: only/one \(.*its content is in .*apply-1/0\)"):
        exchange([Step(top / "only" / "one", None), Spoiling(top / "x", None)], top, aside)
    assert (aside / "0").read_text() == "old only/one"
