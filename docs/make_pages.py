"""Write cli.md and the man pages from the parsers of the command line: `python docs/make_pages.py`, or `--check` to compare only."""  # noqa: INP001 - a script

from __future__ import annotations

import argparse
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from page_texts import (
    DESCRIPTION,
    EXAMPLES,
    FILES,
    LINKS,
    MORE,
    OF_RUN,
    OPTIONS,
    REVS,
    RUN_STATUS,
    STATUS,
    VARIABLES,
)

from exptrack.cli import COMMANDS, parser_of

HERE = Path(__file__).resolve().parent


def main(words: list[str]) -> int:
    """Write all pages; with `--check` say which of them is not up to date, and give 1 if one is not."""
    os.environ["COLUMNS"] = "80"
    pages = {
        "cli.md": render_markdown(),
        "exptrack.1": render_man("exptrack"),
        "git-exptrack.1": render_man("git exptrack"),
    }
    stale = [name for name, text in pages.items() if _read(HERE / name) != text]
    if "--check" not in words:
        for name in stale:
            (HERE / name).write_text(pages[name], encoding="utf-8")
    elif stale:
        sys.stderr.write(f"not up to date: {', '.join(stale)}; run `python docs/make_pages.py`\n")
        return 1
    return 0


def render_markdown() -> str:
    """The page of all commands: what each does, and its help as it is printed at 80 columns."""
    sections = [
        "# Commands",
        "Each is also there as `git exptrack COMMAND`, with man pages. Below stands what `exptrack COMMAND --help` prints.",
        " · ".join(f"[{command}](#{command})" for command in COMMANDS),
        *(part for command in COMMANDS for part in _section(command)),
        "## Naming a run",
        _markdown(REVS),
        "## Exit status",
        _table(STATUS),
        _markdown(RUN_STATUS),
        _table(OF_RUN),
        "<!-- Written by docs/make_pages.py: change that or the command line, and run it again. -->",
    ]
    return "\n\n".join(sections) + "\n"


def _section(command: str) -> Iterator[str]:
    yield f"## {command}"
    if command in MORE:
        yield MORE[command]
    yield f"```text\n{parser_of(command).format_help()}```"
    if command in LINKS:
        yield f"More: {LINKS[command]}"


def _what(command: str) -> str:
    what = COMMANDS[command]
    return "\n\n".join([f"{what[0].upper()}{what[1:]}.", *filter(None, [MORE.get(command)])])


def _markdown(text: str) -> str:
    """The same marks as in `_prose`; code and an emphasised word without a space between them become one piece of code."""
    return re.sub(r"`([^`]*)`<([^>]*)>`([^`]*)`<([^>]*)>", r"`\1<\2>\3<\4>`", text)


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(["| status | means |", "|---|---|", *(f"| {title} | {text} |" for title, text in rows)])


def render_man(program: str) -> str:
    """The man page of `program`, which is `exptrack` or `git exptrack`."""
    name = program.replace(" ", "-")
    other = "git-exptrack" if name == "exptrack" else "exptrack"
    sections = {
        "NAME": [rf"{_escape(name)} \- every machine-learning run becomes a Git commit"],
        "SYNOPSIS": [_prose(f"`{program}` [`-C` <DIR>] <COMMAND> [<ARGUMENT> ...]")],
        "DESCRIPTION": _paragraphs(DESCRIPTION),
        "OPTIONS": _items(OPTIONS),
        "COMMANDS": [line for command in COMMANDS for line in _command(program, command)],
        "NAMING A RUN": _paragraphs(REVS),
        "EXIT STATUS": [*_items(STATUS), *_paragraphs(RUN_STATUS), *_items(OF_RUN)],
        "ENVIRONMENT": _items(VARIABLES),
        "FILES": _items(FILES),
        "EXAMPLES": [line for what, words in EXAMPLES for line in _example(what, f"{program} {words}")],
        "SEE ALSO": [_prose(f"`git`(1), `{other}`(1)")],
    }
    lines = [
        r".\" Written by docs/make_pages.py: change that or the command line, and run it again.",
        f'.TH {name.upper()} 1 "" "exptrack {_version()}" "exptrack"',
        *(line for title, body in sections.items() for line in (f'.SH "{title}"', *body)),
    ]
    return "\n".join(lines) + "\n"


def _command(program: str, command: str) -> Iterator[str]:
    added = parser_of(command)._actions  # noqa: SLF001 - argparse has no public list of what was added to a parser
    actions = [action for action in added if action.dest != "help" and action.help != argparse.SUPPRESS]
    actions.sort(key=lambda action: not action.option_strings)
    yield f'.SS "{command}"'
    yield _prose(" ".join([f"`{program} {command}`", *map(_in_synopsis, actions)]))
    yield from _paragraphs(_what(command))
    yield from _items((_title(action), (action.help or "") % vars(action)) for action in actions)


def _in_synopsis(action: argparse.Action) -> str:
    value = _value(action)
    if action.option_strings:
        text = f"`{action.option_strings[0]}` {value}".strip()
        return text if action.required else f"[{text}]"
    shapes = {
        "?": f"[{value}]",
        "*": f"[{value} ...]",
        "+": f"{value} ...",
        argparse.REMAINDER: f"[`--`] {value} [<ARGUMENT> ...]",
    }
    return shapes.get(str(action.nargs), value)


def _title(action: argparse.Action) -> str:
    names = ", ".join(f"`{name}`" for name in action.option_strings)
    return f"{names} {_value(action)}".strip()


def _value(action: argparse.Action) -> str:
    return "" if action.nargs == 0 else f"<{action.metavar or action.dest.upper()}>"


def _items(items: Iterable[tuple[str, str]]) -> list[str]:
    return [line for title, text in items for line in (".TP", _prose(title), _prose(text))]


def _paragraphs(text: str) -> list[str]:
    return [line for part in text.split("\n\n") for line in (".PP", _prose(part))]


def _example(what: str, line: str) -> list[str]:
    return [".PP", _prose(what), ".PP", ".RS 4", ".nf", _escape(f"$ {line}"), ".fi", ".RE"]


def _prose(text: str) -> str:
    """Text with words in backticks bold and words in angle brackets italic, one paragraph on one line."""
    parts = re.split(r"`([^`]*)`|<([^>]*)>", " ".join(text.split()))
    shown = []
    for plain, bold, italic in zip(parts[::3], [*parts[1::3], None], [*parts[2::3], None], strict=True):
        shown += [_escape(plain), _bold(bold) if bold else "", _italic(italic) if italic else ""]
    line = "".join(shown)
    return rf"\&{line}" if line.startswith((".", "'")) else line


def _escape(text: str) -> str:
    for letter, written in (
        ("\\", r"\e"),
        ("-", r"\-"),
        ("'", r"\(aq"),
        ("`", r"\(ga"),
        ("^", r"\(ha"),
        ("~", r"\(ti"),
    ):
        text = text.replace(letter, written)
    return text


def _bold(text: str) -> str:
    return rf"\fB{_escape(text)}\fR"


def _italic(text: str) -> str:
    return rf"\fI{_escape(text)}\fR"


def _version() -> str:
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
