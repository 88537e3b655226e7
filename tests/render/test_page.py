"""Lines within a page."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exptrack.render.page import Page, fit
from exptrack.render.text import display_width

TEXTS = st.lists(st.tuples(st.text(max_size=30), st.sampled_from(["", "\x1b[31m", "\x1b[33m"])), max_size=5)


@given(TEXTS, st.integers(1, 60))
def test_colours_change_nothing_but_colours(parts, width):
    plain = Page(width).line(*parts)
    assert display_width(plain) <= width
    assert plain.isprintable()
    colored = Page(width, is_colored=True).line(*parts)
    for code in ("\x1b[31m", "\x1b[33m", "\x1b[m"):
        colored = colored.replace(code, "")
    assert colored == plain


@given(st.lists(st.text("ab数", min_size=1, max_size=9), max_size=12), st.integers(0, 5), st.integers(20, 80))
def test_what_is_left_out_is_counted(words, more, width):
    text = fit(words, len(words) + more, width)
    shown = text.split(", ") if text else []
    left = int(shown.pop().split()[1].replace(",", "")) if shown and shown[-1].startswith("and ") else 0
    assert words[: len(shown)] == shown
    assert len(shown) + left == len(words) + more
    assert display_width(text) <= width or len(shown) <= 1


def test_without_an_edge_nothing_is_clipped():
    assert Page().line("x" * 1000, ("y" * 1000, "")) == "x" * 1000 + "y" * 1000
    assert Page().wrap("a " * 500, 4) == ["a " * 500]
    assert fit(["x" * 100] * 3, 3, None) == ", ".join(["x" * 100] * 3)


@given(st.text("ab 数", max_size=200), st.integers(0, 30), st.integers(40, 90))
def test_wrapping_loses_no_word(text, taken, width):
    lines = Page(width).wrap(text, taken)
    assert " ".join(lines) == text
    assert all(display_width(line) <= max(20, width - taken) or " " not in line.strip(" ") for line in lines)
