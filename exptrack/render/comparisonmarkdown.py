"""A comparison as Markdown, for a pull request: the table first, then the verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from exptrack.model.comparison import Comparison
from exptrack.render.comparisonparts import (
    HEADER,
    Told,
    find_decimals,
    format_interval,
    list_notes,
    list_rows,
    list_secondary,
    list_told,
    list_words,
    say_head,
    say_shared,
)
from exptrack.render.gfm import code_span, quote_names, sentence
from exptrack.render.sheet import Block, Items, Rows, fit

_NUMBERS = (1, 2, 3, 4, 5, 6)
_COMMAND = "`exptrack compare`"


def format_markdown(comparison: Comparison, *, more: Sequence[Block] = (), limit: int = 60_000) -> str:
    """Head, table, a sentence for each verdict, and notes, then `more`; at most `limit` characters."""
    return fit([*list_blocks(comparison), *more], limit, _COMMAND)


def list_blocks(comparison: Comparison) -> list[Block]:
    """The parts of the page, one below the other."""
    shared = say_shared(comparison)
    told, common = list_told(comparison)
    blocks: list[Block] = [
        f"### {sentence(say_head(comparison))}",
        *([sentence(shared)] if shared else []),
        _table(comparison),
    ]
    if told:
        blocks.append(Items([f"{code_span(one.label)}: {_tell(one)}" for one in told]))
    notes = [f"{code_span(one.label)}: {sentence(note)}" for one in told for note in one.notes]
    if secondary := list_secondary(comparison):
        blocks.append(Items([_explore(*line) for line in secondary], "secondary metrics, exploratory"))
    labels = {one.label for one in comparison.configurations}
    notes += [sentence(quote_names(line, labels)) for line in (*common, *list_notes(comparison))]
    if notes:
        blocks += ["#### Notes", Items(notes)]
    return blocks


def _table(comparison: Comparison) -> Rows:
    header = (*HEADER, "95% CI", "verdict")
    decimals = find_decimals(comparison.configurations)
    intervals = [format_interval(one, decimals) for one in comparison.configurations]
    rows = [
        [_name(label), *numbers, interval, word]
        for (label, *numbers), interval, word in zip(
            list_rows(comparison), intervals, list_words(comparison), strict=True
        )
    ]
    return Rows(header, rows, numbers=_NUMBERS)


def _tell(one: Told) -> str:
    """The word in bold, and what it rests on as it stands."""
    basis = one.line.removeprefix(f"{one.word}:").strip()
    return f"**{one.word}** {code_span(basis)}"


def _explore(label: str, line: str) -> str:
    return f"{code_span(label)}: {code_span(line.removeprefix('exploratory:').strip())}"


def _name(label: str) -> str:
    end = " (baseline)"
    return f"{code_span(label.removesuffix(end))}{end}" if label.endswith(end) else code_span(label)
