r"""What a command prints, as settled text: a progress line counts in its last state only.

`\r` takes the line back to its start, and what is written then replaces it whole; `\r\n` is a newline. Escape sequences (colours,
titles), backspaces and bells are dropped, but the moves to the first column count as `\r`. Bars that move the cursor up leave each
state that they showed.
"""

from __future__ import annotations

import re

LONGEST_LINE = 64 * 1024

# A sequence longer than this is none. What is cut off by the end of a chunk waits for the next one: `_CUT` matches just that.
_ESCAPE = re.compile(
    rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]"  # control sequences
    rb"|\][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)"  # titles, links
    rb"|[PX^_][^\x1b\n]{0,4096}\x1b\\"  # strings for the terminal
    rb"|[ -/]{1,8}[0-~]|[0-~]?)"  # character sets, and what has two bytes
)
_CUT = re.compile(
    rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}|\][^\x07\x1b\n]{0,4096}\x1b?|[PX^_][^\x1b\n]{0,4096}\x1b?|[ -/]{0,8})\Z"
)
_LONGEST_ESCAPE = 4200
_TO_START = re.compile(rb"\x1b\[(?:[01]?G|\d{3,}D)")
_DROPPED = b"\x07\x08"


class Collapser:
    """Turns chunks of output into lines, wherever the chunks were cut: every way to cut them gives the same text.

    A line longer than 64 KiB is given in pieces of that size, so that memory and time stay bounded.
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._returned = False
        self._cut = b""

    @property
    def pending(self) -> bytes:
        """The line that is not finished yet, as it stands."""
        return bytes(self._line)

    def feed(self, chunk: bytes) -> bytes:
        """Take in more output; give the lines that are complete since last time, each with its newline."""
        data = self._cut + chunk
        cut = _CUT.search(data, max(0, len(data) - _LONGEST_ESCAPE))
        self._cut = data[cut.start() :] if cut else b""
        text = data[: cut.start()] if cut else data
        if b"\x1b" in text:
            text = _ESCAPE.sub(_meaning, text)
        *finished, last = text.translate(None, _DROPPED).split(b"\n")
        done = bytearray()
        for part in finished:
            self._write(part, done)
            done += self._line
            done += b"\n"
            self._line.clear()
            self._returned = False
        self._write(last, done)
        return bytes(done)

    def _write(self, text: bytes, done: bytearray) -> None:
        for index, part in enumerate(text.split(b"\r")):
            if index:
                self._returned = True
            if not part:
                continue
            if self._returned:
                self._line.clear()
                self._returned = False
            self._line += part
            if len(self._line) > LONGEST_LINE:
                self._cut_line(done)

    def _cut_line(self, done: bytearray) -> None:
        start = 0
        while len(self._line) - start > LONGEST_LINE:
            end = start + LONGEST_LINE
            # Not inside a character of UTF-8, which has at most three bytes after its first.
            while end > start + LONGEST_LINE - 3 and self._line[end] & 0xC0 == 0x80:
                end -= 1
            done += self._line[start:end]
            done += b"\n"
            start = end
        del self._line[:start]


def shorten(head: bytes, tail: bytes, left_out: int) -> bytes:
    """The beginning and the end of a log, and between them a line that says how many bytes are left out."""
    if not left_out:
        return head + tail
    newline = b"" if not head or head.endswith(b"\n") else b"\n"
    return head + newline + f"[… {left_out:,} bytes left out …]\n".encode() + tail


def decode_log(data: bytes) -> str:
    """A log as text: what is not UTF-8 becomes U+FFFD, and a NUL, at which terminals and editors stop, its picture U+2400."""
    return data.decode("utf-8", "replace").replace("\0", "\u2400")


def _meaning(escape: re.Match[bytes]) -> bytes:
    return b"\r" if _TO_START.fullmatch(escape[0]) else b""
