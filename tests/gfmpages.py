"""Markdown as a forge reads it: what is our own in it, and that all else is no more than letters."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

OWN_HTML = re.compile(r"(<details><summary>[\w ,:;+−.'-]+</summary>\n?|</details>\n?)+|<br>|<!-- exptrack check -->\n?")  # noqa: RUF001
OWN_TEXT = re.compile(r"[\w .,;:·()→✓✗?⚠'+±=%–−-]*")  # noqa: RUF001
_INLINE = {"text", "code_inline", "strong_open", "strong_close", "html_inline"}


def parse(markdown: str) -> list[Token]:
    """The tokens, each folded part closed again, all text our own or plain."""
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
    depth = 0
    for token in tokens:
        if token.type == "html_block":
            assert OWN_HTML.fullmatch(token.content), token.content
            depth += token.content.count("<details>") - token.content.count("</details>")
            assert 0 <= depth <= 2
        for inline in token.children or ():
            assert inline.type in _INLINE, inline
            assert inline.type != "text" or OWN_TEXT.fullmatch(inline.content), inline.content
            assert inline.type != "html_inline" or OWN_HTML.fullmatch(inline.content), inline.content
    assert depth == 0
    return tokens


def rows(markdown: str) -> list[list[str]]:
    """The cells of all tables that are not folded."""
    open_part = re.sub(r"<details>.*</details>", "", markdown, flags=re.DOTALL)
    lines = [line for line in open_part.split("\n") if line.startswith("| ")]
    return [line.strip("| ").split(" | ") for line in lines if not line.startswith("| ---")]
