"""Whatever two records hold: the text, the Markdown and the JSON hold the same changes, and each is well formed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

import pytest
from differences import ALL_TREES, DIFFERENCES, HOSTILE, TREES, difference
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from exptrack.analysis.diff import diff, patch, same
from exptrack.model.change import Change
from exptrack.model.difference import Area, Difference
from exptrack.render.deltas import TITLES, is_package
from exptrack.render.difference import format_difference
from exptrack.render.differencejson import format_json
from exptrack.render.markdown import format_markdown
from exptrack.render.text import clip, display_width
from exptrack.render.values import name_keys, name_path

Seen = set[tuple[str, str, str]]  # area (of packages in the text: the heading above them), name, kind
OWN_HTML = re.compile(r"<details><summary>[\w ,]+</summary>\n?|</details>\n?")
OWN_TEXT = re.compile(r"[\w .,;:·()→▲▼'+\-−%]*")  # noqa: RUF001
NUMBERS = {text: number for number, text in enumerate(HOSTILE)}
EVERYTHING = difference(
    {
        "params": NUMBERS,
        "metrics": {"m": NUMBERS},
        "data": {text: "md5:1" for text in HOSTILE if text},
        "environment": {"packages": dict.fromkeys(HOSTILE, "one"), "variables": dict.fromkeys(HOSTILE, "one")},
    },
    {
        "params": {text: text for text in HOSTILE},
        "metrics": {"m": {text: number + 0.5 for text, number in NUMBERS.items()}},
        "data": {text: f"md5:{text}" for text in HOSTILE if text},
        "environment": {name: {text: text for text in HOSTILE} for name in ("packages", "platform")},
    },
)


def named(difference: Difference, *, is_text: bool) -> Seen:
    """The changes by name, as a form should have them; in the text packages have headings and no word in front."""
    groups: dict[str, list[Change]] = {}
    for change in difference.changes:
        is_apart = is_text and change.area == Area.ENVIRONMENT and is_package(change)
        part = f"packages {change.kind}" if is_apart else TITLES[Area(change.area)]
        groups.setdefault(part, []).append(change._replace(key=change.key[1:]) if is_apart else change)
    seen: Seen = set()
    for part, changes in groups.items():
        keys = [change.key for change in changes]
        names = map(name_path, map(".".join, keys)) if part == "data" else name_keys(keys)
        seen |= {(part, name, str(change.kind)) for name, change in zip(names, changes, strict=True)}
    return seen


# The text, read as a person would: by its columns.


def read_text(text: str, names: Sequence[str]) -> Seen:
    head, *sections = text.split("\n\n")
    assert head == "old → new"
    return {row for section in sections for row in read_section(section.split("\n"), names)}


def read_section(lines: Sequence[str], names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    part, header, rows = lines[0].partition(":")[0], "", list[list[str]]()
    for line in lines[1:]:
        if heading := re.fullmatch("  (packages (?:changed|added|removed)):", line):
            yield from (read_row(part, row, header, names) for row in rows)
            part, rows = heading[1], []
        elif re.match("  key +old +new", line) and not rows:
            header = line
        elif line[4 if part.startswith("packages") else 2] == " ":
            rows[-1].append(line)
        else:
            rows.append([line.removeprefix("  ") if part.startswith("packages") else line])
    yield from (read_row(part, row, header, names) for row in rows)


def read_row(part: str, row: Sequence[str], header: str, names: Sequence[str]) -> tuple[str, str, str]:
    name = max((name for name in names if f"{row[0]}  ".startswith(f"  {name}  ")), key=len)
    rest = row[0][2 + len(name) :].lstrip()
    return part, name, read_kind(part, row, header, rest)


def read_kind(part: str, row: Sequence[str], header: str, rest: str) -> str:
    if part == "data":
        what = rest or row[1].lstrip()
        return next((word for word in ("added", "removed") if re.match(f"{word}( |$)", what)), "changed")
    if len(row) > 1:
        sides = [line.split()[0] for line in row[1:]]
        return "changed" if sides[:2] == ["old", "new"] else {"old": "removed", "new": "added"}[sides[0]]
    if part.startswith("packages"):
        return part.split()[1]
    if part == "environment":
        return "added" if re.match("- +→ ", rest) else "removed" if rest.endswith(" → -") else "changed"
    old, new = (cut(row[0], re.search(f" {side}( |$)", header).start() + 1) for side in ("old", "new"))
    return "added" if re.match(r"-(  |$)", old) else "removed" if re.match(r"-(  |$)", new) else "changed"


def cut(line: str, start: int) -> str:
    """The line from that cell on."""
    number = next((number for number in range(len(line)) if display_width(line[:number]) >= start), len(line))
    return line[number:].lstrip()


# The Markdown, read by a parser of its dialect.


def parse(markdown: str) -> list[Token]:
    """Tokens; none of them is HTML that is not ours, a link, an image, or text that could mean anything to anybody."""
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
    depth = 0
    for token in tokens:
        assert token.type not in {"blockquote_open", "hr", "code_block", "ordered_list_open"}, token
        if token.type == "html_block":
            assert OWN_HTML.fullmatch(token.content), token.content
            depth += 1 if "<details>" in token.content else -1
            assert depth in {0, 1}
        for inline in token.children or ():
            assert inline.type in {"text", "code_inline", "strong_open", "strong_close"}, inline
            assert inline.type != "text" or OWN_TEXT.fullmatch(inline.content), inline.content
    assert depth == 0
    return tokens


def read_markdown(markdown: str) -> Seen:
    seen: Seen = set()
    area, row = "", list[str]()
    previous = ""
    for token in parse(markdown):
        if previous == "heading_open" and token.type == "inline":
            area = token.content.lower()
        elif token.type == "tr_open":
            row = []
        elif previous == "td_open" and token.type == "inline":
            row.append(
                "".join(f"={one.content}" if one.type == "code_inline" else one.content for one in token.children)
            )
        elif token.type == "tr_close" and row:
            kind = row[1].partition(";")[0] if area == "data" else read_sides(*row[1:3])
            seen.add((area, row[0].removeprefix("="), kind if kind in {"added", "removed"} else "changed"))
        previous = token.type
    return seen


def read_sides(old: str, new: str) -> str:
    assert "" not in {old, new}
    return "added" if old == "-" else "removed" if new == "-" else "changed"


def read_json(text: str) -> Seen:
    changes = json.loads(text)["changes"]
    groups: dict[str, list[dict]] = {}
    for change in changes:
        groups.setdefault(TITLES[change["area"]], []).append(change)
    seen: Seen = set()
    for area, group in groups.items():
        keys = [tuple(change["key"]) for change in group]
        names = map(name_path, map(".".join, keys)) if area == "data" else name_keys(keys)
        seen |= {(area, name, change["kind"]) for name, change in zip(names, group, strict=True)}
    return seen


@given(DIFFERENCES, st.sampled_from([80, 200, None]))
@example(EVERYTHING, 80)
@example(EVERYTHING, None)
def test_the_text_holds_the_changes(difference, width):
    text = format_difference(difference, {}, width=width, color=False)
    expected = named(difference, is_text=True)
    assert text.replace("\n", "").isprintable()
    shown = {(part, name if part == "data" else clip(name, 200), kind) for part, name, kind in expected}
    assert read_text(text, [name for _, name, _ in shown]) == shown


@given(DIFFERENCES)
@example(EVERYTHING)
def test_the_markdown_holds_the_changes(difference):
    expected = {(part, clip(name, 200), kind) for part, name, kind in named(difference, is_text=False)}
    assert read_markdown(format_markdown(difference, {}, limit=10**6)) == expected


@given(DIFFERENCES)
@example(EVERYTHING)
def test_the_json_holds_the_changes(difference):
    assert read_json(format_json(difference)) == named(difference, is_text=False)


@given(ALL_TREES, ALL_TREES)
def test_the_changes_applied_to_the_old_side_give_the_new_side(old, new):
    for area in TREES:
        assert same(patch(old[area], diff(old[area], new[area], area)), new[area])


@given(DIFFERENCES)
def test_a_side_is_its_own_equal(difference):
    for side in (difference.old, difference.new):
        text = format_difference(Difference(side, side), {}, width=80, color=False)
        assert text.endswith("\n\nno difference in parameters, metrics, data, environment or code")


@given(DIFFERENCES, st.integers(0, 3000))
@example(EVERYTHING, 2000)
def test_markdown_keeps_to_any_limit_and_stays_whole(difference, limit):
    patched = difference._replace(patch="".join(f"+{text}\n" for text in HOSTILE))
    markdown = format_markdown(patched, {}, limit=limit)
    assert len(markdown) <= limit
    parse(markdown)


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_says_every_text_to_the_letter(text):
    if not text.isprintable() or len(text) > 100:
        return
    tokens = parse(format_markdown(difference({"params": {"k": 0}}, {"params": {"k": text}}), {}))
    cells = [one.content for token in tokens for one in token.children or () if one.type == "code_inline"]
    cell = cells[-1]
    assert text in {cell, json.loads(cell) if cell.startswith('"') else cell}
