"""What came from outside cannot act on the terminal, and columns stand under each other."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.render.text import (
    GREEN,
    align,
    clip,
    clip_left,
    display_width,
    fill,
    format_age,
    format_command,
    format_duration,
    format_pairs,
    format_size,
    format_value,
    inert,
    inert_page,
    pad,
    paint,
    strip_colors,
    wrap,
)

HOSTILE = [
    "\x1b[31mred", "\x1b]0;title\x07", "\x1bP+q\x1b\\", "\x9b31m", "a\0b", "two\nlines", "over\rwritten", "tab\tbed", "back\x08space", "\x7f",
    "\u202eright-to-left override", "\u2066isolate", "\u200bzero width", "\ufeffmark", "line\u2028separator", "next\x85line", "\udcff", "\U000e0041",
]  # fmt: skip
WIDE = ["数字", "한국어", "\uff46\uff55", "😀", "e\u0301", "שלום", "مرحبا", "plain", "", "❤\ufe0f" * 20]


@pytest.mark.parametrize("text", HOSTILE)
def test_control_characters_are_shown_not_obeyed(text):
    shown = inert(text)
    assert shown.isprintable()
    assert "\\" in shown
    assert inert(shown) == shown
    for word in (format_value(text), format_command(["run", text]), format_pairs({text: text})):
        assert word.isprintable()


@given(st.text(st.characters()))
def test_inert_text_is_one_printable_line(text):
    shown = inert(text)
    assert shown.isprintable()
    assert shown.splitlines() in ([shown], [])
    assert not any(unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for letter in shown)
    if text.isprintable():
        assert shown == text


def test_a_page_keeps_its_lines_tabs_and_colours_alone():
    page = "\x1b[1mdiff\x1b[m\r\n\x1b[32m+\tcode\x1b[m\n\x1b[38;5;208mnew\x1b[0m\n"
    assert inert_page(page) == page
    assert inert_page("a\x1b[2Jb\rc\x1b[8mhidden\x1b[1;8mtoo\x1b]0;t\x07\0") == (
        "a\\x1b[2Jb\\rc\\x1b[8mhidden\\x1b[1;8mtoo\\x1b]0;t\\x07\\x00"
    )
    assert inert_page("\u202eif admin:\n") == "\\u202eif admin:\n"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])) | st.sampled_from(WIDE), st.integers(-1, 30))
def test_what_is_clipped_fits_and_says_so(text, width):
    cut = clip(text, width)
    assert display_width(cut) <= max(width, 0)
    if display_width(text) <= width:
        assert cut == text
    elif width > 0:
        assert cut.endswith("…")
        assert text.startswith(cut[:-1])


def test_a_text_of_a_megabyte_is_clipped_in_no_time():
    assert clip("数" * 1_000_000, 41) == "数" * 20 + "…"
    assert clip("x" * 1_000_000, 3) == "xx…"


@given(st.sampled_from(WIDE), st.integers(0, 30))
def test_what_is_padded_has_the_width_or_is_wider(text, width):
    assert display_width(pad(text, width)) == max(width, display_width(text))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.1 + 0.2, "0.3"), (1e-7, "1e-07"), (float("nan"), "nan"), (float("-inf"), "-inf"), (3, "3"), (True, "true"), (None, "-"), ("text", "text"),
        ([], "[]"), (123456789, "123456789"),
    ],
)  # fmt: skip
def test_a_value_is_short_and_exact_enough(value, shown):
    assert format_value(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0s"), (0, "0s"), (59, "59s"), (60, "1min"), (3599, "59min"), (3600, "1h"), (86399, "23h"), (86400, "1d"), (604800, "1w"),
        (86400 * 30, "1mo"), (86400 * 365, "1y"),
    ],
)  # fmt: skip
def test_an_age_is_told_in_its_largest_unit(seconds, shown):
    now = datetime(2026, 1, 31, tzinfo=UTC)
    assert format_age(now - timedelta(seconds=seconds), now) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "-"), (0, "0.0s"), (59.94, "59.9s"), (59.97, "1min 0s"), (61.2, "1min 1s"), (3599.4, "59min 59s"), (3599.6, "1h 0min"), (90000, "25h 0min")],
)  # fmt: skip
def test_a_duration_reads_as_a_person_says_it(seconds, shown):
    assert format_duration(seconds) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [(None, "-"), (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1024**2 - 1, "1.0 MiB"), (1536, "1.5 KiB"), (1024**5, "1024.0 TiB")],
)  # fmt: skip
def test_a_size_reads_as_a_person_says_it(size, shown):
    assert format_size(size) == shown


def test_a_command_is_quoted_as_it_would_be_typed():
    assert (
        format_command(["python", "train.py", "--note=two words", "$x", ""])
        == "python train.py '--note=two words' '$x' ''"
    )


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])) | st.sampled_from(WIDE), st.integers(-1, 30))
def test_what_is_clipped_at_the_left_keeps_its_end(text, width):
    cut = clip_left(text, width)
    assert display_width(cut) <= max(width, 0)
    if display_width(text) <= width:
        assert cut == text
    elif width > 0:
        assert cut.startswith("…")
        assert text.endswith(cut[1:])


def test_numbers_of_a_column_have_their_points_under_each_other():
    assert align(["old", "0.5", "-12", "1e-07", "-", "1.5%", "nan", "scale", "1.26.4"]) == [
        "old    ", "  0.5  ", "-12    ", "  1e-07", "  -    ", "  1.5% ", "nan    ", "scale  ", "1.26.4 ",
    ]  # fmt: skip
    assert align(["a", "-"]) == ["a", "-"]
    assert align([]) == []


@given(st.lists(st.text(), max_size=5))
def test_the_cells_of_a_column_have_one_width(cells):
    for column in (fill(list(map(inert, cells))), align(list(map(inert, cells)))):
        assert len(set(map(display_width, column))) <= 1
        assert [cell.strip(" ") for cell in column] == [inert(cell).strip(" ") for cell in cells]


def test_pieces_are_wrapped_between_each_other_and_inside_only_if_they_must():
    pieces = ["one two,", "three  ", "four five six seven eight"]
    assert wrap(pieces, 99) == ["one two, three   four five six seven eight"]
    assert wrap(pieces, 12) == ["one two,", "three", "four five", "six seven", "eight"]
    assert wrap(pieces, 5) == ["one", "two,", "three", "four", "five", "six", "seven", "eight"]
    assert wrap(["abcdef"], 4) == ["abc…"]
    assert wrap([], 9) == [""]


@given(st.lists(st.text(st.sampled_from("ab 数")), max_size=5), st.integers(1, 20))
def test_what_is_wrapped_fits(pieces, width):
    assert all(display_width(line) <= width for line in wrap(pieces, width))


def test_blanks_are_not_painted():
    assert paint("  +1 ", GREEN) == "  \x1b[32m+1\x1b[m "
    assert paint("  ", GREEN) == "  "
    assert paint("a", "") == "a"


def test_colors_can_be_taken_out_again():
    assert strip_colors("\x1b[1m\x1b[38;5;208ma\x1b[m\x1b[2Jb") == "a\x1b[2Jb"
