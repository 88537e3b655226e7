"""The expressions of GitHub's workflows, as far as the templates use them: names, texts, `||`, `&&`, `==`, `!=`, `!`, calls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(r"\s*(\|\||&&|==|!=|[!(),]|'(?:[^']|'')*'|[A-Za-z_][\w.-]*|\d+)")
_CONSTANTS = {"true": True, "false": False, "null": None}
_PLACE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def evaluate(text: str, table: Mapping[str, Any]) -> Any:
    """The value of an expression. A name that the table lacks is an error; None is GitHub's null, a callable a function."""
    tokens, at = [], 0
    while text[at:].strip():
        token = _TOKEN.match(text, at)
        assert token, f"cannot read {text[at:]!r}"
        tokens.append(token[1])
        at = token.end()
    reader = _Reader(tokens, table)
    value = reader.either()
    assert not reader.tokens, f"{reader.tokens} are left over in {text!r}"
    return value


def fill(text: Any, table: Mapping[str, Any]) -> str:
    """The text with its `${{ }}` filled in."""
    return _PLACE.sub(lambda place: as_text(evaluate(place[1], table)), as_text(text))


def as_text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    return str(value)


class _Reader:
    """One function a precedence; both sides are always read, which has no effect but on what the table must hold."""

    def __init__(self, tokens: list[str], table: Mapping[str, Any]) -> None:
        self.tokens, self.table = tokens, table

    def takes(self, token: str) -> bool:
        if self.tokens and self.tokens[0] == token:
            self.tokens.pop(0)
            return True
        return False

    def either(self) -> Any:
        value = self.both()
        while self.takes("||"):
            other = self.both()
            value = value or other
        return value

    def both(self) -> Any:
        value = self.equal()
        while self.takes("&&"):
            other = self.equal()
            value = value and other
        return value

    def equal(self) -> Any:
        value = self.single()
        while self.tokens and self.tokens[0] in {"==", "!="}:
            is_equal = self.tokens.pop(0) == "=="
            value = (value == self.single()) is is_equal
        return value

    def single(self) -> Any:
        if self.takes("!"):
            return not self.single()
        if self.takes("("):
            value = self.either()
            assert self.takes(")")
            return value
        token = self.tokens.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token in _CONSTANTS or token.isdigit():
            return int(token) if token.isdigit() else _CONSTANTS[token]
        assert token in self.table, f"the test's table lacks {token}"
        return self.table[token](*self.arguments()) if self.takes("(") else self.table[token]

    def arguments(self) -> list[Any]:
        given: list[Any] = []
        while not self.takes(")"):
            given.append(self.either())
            self.takes(",")
        return given
