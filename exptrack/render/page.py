"""What is written on: how wide it is, whether it knows colours, and how much may be left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from exptrack.model.pipeline import StageState
from exptrack.model.run import Record, Status
from exptrack.render.text import GREEN, RED, clip, display_width, inert, paint

YELLOW = "\x1b[33m"
STATUS_COLORS = {
    Status.COMPLETED: GREEN, Status.FAILED: RED, Status.CRASHED: RED, Status.INTERRUPTED: YELLOW
}  # fmt: skip


class Page(NamedTuple):
    """`width` in cells (None: no line is clipped); on one that `is_whole` nothing is left out."""

    width: int | None = None
    is_colored: bool = False
    is_whole: bool = False

    def line(self, *parts: str | tuple[str, str]) -> str:
        """Parts beside each other as one inert line, clipped at the edge; of a pair the second is the colour of the first."""
        pairs = [(inert(part), "") if isinstance(part, str) else (inert(part[0]), part[1]) for part in parts]
        whole = "".join(text for text, _ in pairs)
        shown = whole if self.width is None else clip(whole, self.width)
        if not self.is_colored:
            return shown
        painted, position = [], 0
        for number, (text, color) in enumerate(pairs, 1):
            end = len(shown) if number == len(pairs) else position + len(text)
            painted.append(paint(shown[position:end], color))
            position = end
        return "".join(painted)

    def wrap(self, text: str, taken: int) -> list[str]:
        """Text as lines that fit beside so many cells, broken at blanks; a word that is wider by itself is clipped with its line."""
        room = self.room(taken)
        if room is None or display_width(text) <= room:
            return [text]
        lines: list[str] = []
        for word in text.split(" "):
            if lines and display_width(lines[-1]) + 1 + display_width(word) <= room:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        return lines

    def room(self, taken: int) -> int | None:
        """The cells that are left beside so many, at least 20."""
        return None if self.width is None else max(20, self.width - taken)


def fit(words: Sequence[str], count: int, width: int | None) -> str:
    """As many of the words as there is room for, with commas between, and how many more of all `count` there are."""
    kept, cells = list(words), [display_width(word) + 2 for word in words]
    while True:
        more = f"and {count - len(kept):,} more" if count > len(kept) else ""
        if len(kept) < 2 or width is None or sum(cells[: len(kept)]) - 2 + (len(more) + 2 if more else 0) <= width:
            return ", ".join([*kept, *([more] if more else [])])
        kept.pop()


def format_ending(record: Record) -> str:
    """How the command ended, and in which stage of a pipeline, where its status alone does not say it."""
    failed = next((stage.name for stage in record.stages or () if stage.state is StageState.FAILED), None)
    where = f" in stage {failed}" if failed else ""
    if record.signal:
        return f"{where} by {record.signal}"
    return f"{where}, exit status {record.exit_code}" if record.exit_code else where
