"""What a command prints, as settled text."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exptrack.analysis.output import LONGEST_LINE, Collapser, decode_log, shorten


def collapse(*chunks: bytes) -> bytes:
    """All that comes out, with the unfinished line at its end."""
    collapser = Collapser()
    return b"".join(map(collapser.feed, chunks)) + collapser.pending


@pytest.mark.parametrize(
    ("raw", "settled"),
    [
        (b"a\nb\n", b"a\nb\n"),
        (b"a\r\nb\r\n", b"a\nb\n"),
        (b"a\r\r\nb", b"a\nb"),
        (b"10%\r20%\r30%\n", b"30%\n"),
        (b"\r10%\r20%", b"20%"),
        (b"\r10%\r20%\r", b"20%"),
        (b"10%\r20%\r\ndone\n", b"20%\ndone\n"),
        (b"long line\rshort\n", b"short\n"),
        (b"\n\n\n", b"\n\n\n"),
        (b"", b""),
        (b"ab\b\bcd\x07\n", b"abcd\n"),
        (b"a\tb\x00c\n", b"a\tb\x00c\n"),
        (b"\x1b[31mred\x1b[0m \x1b[1;38;5;200mbold\x1b[m\n", b"red bold\n"),
        (b"\x1b]0;title\x07a\x1b]8;;http://h\x1b\\link\x1b]8;;\x1b\\\n", b"alink\n"),
        (b"\x1b(B\x1b[?25la\x1b[?25h\x1b7b\x1b8\x1bP1;2|data\x1b\\c\n", b"abc\n"),
        (b"10%\x1b[2K\x1b[1G20%\x1b[G30%\x1b[1000D40%\n", b"40%\n"),
        (b"a\x1b\x1b[31mb\x1b\n", b"ab\n"),
        (b"a\x1b]never closed\nb\n", b"anever closed\nb\n"),
        (b"a\x1b[31", b"a"),
        (b"a\x1b", b"a"),
        ("ü\rñandú\n".encode(), "ñandú\n".encode()),
        (b"\xff\xfe\n", b"\xff\xfe\n"),
        (b" 10%|#         | 1/10\r 20%|##        | 2/10\r100%|##########| 10/10\nloss=1\n", b"100%|##########| 10/10\nloss=1\n"),
        (b"epoch 1\r          \repoch 2\n", b"epoch 2\n"),
    ],
)  # fmt: skip
def test_a_line_counts_in_its_last_state(raw, settled):
    assert collapse(raw) == settled
    assert collapse(*(raw[index : index + 1] for index in range(len(raw)))) == settled


PIECES = st.lists(
    st.sampled_from(
        [b"a", b"word ", b"\r", b"\n", b"\r\n", b"\x1b", b"[", b"]", b"\\", b"\x07", b"\x1b[31m", b"\x1b]0;t\x07", b"\x1b[G", b"\x1b[", b"0", b";", b"P",
         b"\x08", b"\x00", b"\xc3\xbc", b"\xf0\x9f\x98\x80", b"\xff", b"(", b"\x1b\\", b"0" * 70, b"x" * 4100, b" " * 9]
    ),
    max_size=25,
).map(b"".join)  # fmt: skip


@given(PIECES | st.binary(max_size=60), st.lists(st.integers(0, 200), max_size=12))
@example(b"\x1b]" + b"x" * 4095 + b"\x1b\\z", [4097, 4098])
@example(b"\x1b]" + b"x" * 4097 + b"\x1b\\z", [4098, 4099])
def test_every_way_to_cut_the_output_gives_the_same_text(raw, cuts):
    places = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    chunks = [raw[start:end] for start, end in itertools.pairwise(places)]
    assert collapse(*chunks) == collapse(raw)


@given(PIECES | st.binary(max_size=60))
def test_byte_by_byte_gives_the_same_text(raw):
    assert collapse(*(raw[index : index + 1] for index in range(len(raw)))) == collapse(raw)


@given(PIECES | st.binary(max_size=60))
def test_nothing_that_moves_the_cursor_is_left(raw):
    assert not set(b"\r\x08\x07\x1b") & set(collapse(raw))


@given(st.text(st.characters(exclude_characters="\r\b\a\x1b", exclude_categories=["Cs"])))
def test_plain_text_stays_as_it_is(text):
    assert collapse(text.encode()) == text.encode()


def test_lines_are_given_once_they_are_complete():
    collapser = Collapser()
    assert collapser.feed(b"loss=1\nlo") == b"loss=1\n"
    assert collapser.pending == b"lo"
    assert collapser.feed(b"ss=2\r") == b""
    assert collapser.pending == b"loss=2"
    assert collapser.feed(b"\nx\rloss") == b"loss=2\n"
    assert collapser.pending == b"loss"
    assert collapser.feed(b"") == b""


def test_a_very_long_line_comes_in_pieces_wherever_it_is_cut():
    raw = b"x" * (LONGEST_LINE * 2 + 5) + b"\ny\n"
    settled = b"x" * LONGEST_LINE + b"\n" + b"x" * LONGEST_LINE + b"\nxxxxx\ny\n"
    assert collapse(raw) == settled
    for size in (1, 1000, LONGEST_LINE, LONGEST_LINE + 1):
        assert collapse(*(raw[start : start + size] for start in range(0, len(raw), size))) == settled
    assert collapse(b"x" * LONGEST_LINE + b"\n") == b"x" * LONGEST_LINE + b"\n"


def test_a_very_long_line_is_not_cut_inside_a_character():
    for text in ("x" + "ü" * LONGEST_LINE, "xx" + "😀" * LONGEST_LINE):
        settled = collapse(text.encode())
        assert settled.decode().replace("\n", "") == text
        assert max(map(len, settled.split(b"\n"))) <= LONGEST_LINE
    assert collapse(b"\x80" * (LONGEST_LINE + 9)).replace(b"\n", b"") == b"\x80" * (LONGEST_LINE + 9)


def test_a_line_that_never_ends_takes_bounded_memory():
    collapser = Collapser()
    for _ in range(500):
        collapser.feed(b"x" * 10_000)
        assert len(collapser.pending) <= LONGEST_LINE


@pytest.mark.parametrize(
    "piece",
    [
        b"x",
        b"\r",
        b"\n",
        b"\x1b",
        b"\x1b]",
        b"\x1b]x",
        b"\x1b[",
        b"\x1b[0",
        b"\x1bP",
        b"ab\r",
        b"\x80",
        b"\x1b]" + b"x" * 4000,
    ],
)
def test_hostile_output_takes_no_more_than_linear_time(piece):
    def seconds(size):
        collapser, raw = Collapser(), piece * (size // len(piece))
        started = time.perf_counter()
        for start in range(0, len(raw), 4096):
            collapser.feed(raw[start : start + 4096])
        return time.perf_counter() - started

    small = min(seconds(64 * 1024) for _ in range(3))
    # 8 times the output takes about 8 times as long; quadratic would be 64.
    assert any(seconds(512 * 1024) < 32 * small + 0.05 for _ in range(5))


def test_what_is_left_out_is_said():
    assert shorten(b"a\n", b"z\n", 12345) == "a\n[… 12,345 bytes left out …]\nz\n".encode()
    assert shorten(b"a", b"z", 1) == "a\n[… 1 bytes left out …]\nz".encode()
    assert shorten(b"", b"z", 7) == "[… 7 bytes left out …]\nz".encode()
    assert shorten(b"a", b"z", 0) == b"az"


def test_a_log_is_text_whatever_it_holds():
    assert decode_log("a\0ü\n".encode() + b"\xff\xc3") == "a\u2400ü\n\ufffd\ufffd"
