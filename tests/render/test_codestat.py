"""The stat of the code: as git's, and within the terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exptrack.model.change import Kind
from exptrack.model.difference import FileChange
from exptrack.render.codestat import format_stat, name_file
from exptrack.render.text import display_width

COUNTS = st.integers(0, 10) | st.integers(0, 10**6)
FILES = st.lists(
    st.builds(
        FileChange,
        st.text(min_size=1, max_size=90),
        st.sampled_from(Kind),
        COUNTS,
        COUNTS,
        st.none() | st.text(max_size=90),
    ),
    max_size=5,
)


def test_small_changes_are_drawn_line_by_line():
    files = [
        FileChange("a.py", Kind.CHANGED, 3, 2),
        FileChange("b", Kind.CHANGED, 0, 1),
        FileChange("c", Kind.CHANGED, 0, 0),
    ]
    assert format_stat(files, None) == ["a.py | 5 +++--", "b    | 1 -", "c    | 0"]


def test_a_file_that_moved_names_both_places():
    assert name_file(FileChange("b\n", Kind.CHANGED, 0, 0, "a")) == "a → b\\n"


def test_nothing_is_no_line():
    assert format_stat([], 80) == []


@given(FILES, st.integers(40, 120))
def test_every_line_fits_and_every_change_has_a_bar(files, width):
    lines = format_stat(files, width)
    assert len(lines) == len(files)
    for line, file in zip(lines, files, strict=True):
        assert display_width(line) <= width
        bar = line.rpartition("| ")[2].split()[1:]
        assert ("+" in "".join(bar), "-" in "".join(bar)) == (bool(file.added), bool(file.removed))
