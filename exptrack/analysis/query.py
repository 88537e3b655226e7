"""The query language of `ls` and `log`: parsed into a small tree, never evaluated as code.

    metrics.acc > 0.9 and params.lr <= 0.01 and (tag = baseline or not status = failed) and started > 2026-11-01

Fields are those of FIELDS (by an alias, too), `metrics.KEY` and `params.KEY`, named exactly; KEY is dotted, and quoted where it holds odd characters
(`params."a b".c`). Operators are `=`, `!=`, `<`, `<=`, `>`, `>=`, and `~`, which matches the whole text with a glob (`*`, `?`, `[a-z]`;
case counts). `not` binds before `and`, `and` before `or`.

A value is a number, `true` or `false`, a text (a bare word, or anything in quotes), or a date in UTC: `2026-11-01` is the start of that
day, `= 2026-11-01` means on it, `2026-11-01T12:00` is that instant. What a bare word is depends on the field: `name = 7` is about a text.

A missing value (null is missing too) fulfils no comparison, not even `!=`; values of different types are unequal and have no order. NaN
equals nothing; `metrics.loss ~ nan` finds it. A status that there is not is refused, as is a name that no run has. `not` holds wherever its operand does not: `not params.x = 1` also finds runs without x.
A run's tags are a set: `tag = a` asks whether any of them is a, `tag != a` whether none is, and a run without tags has the empty set.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from math import inf
from typing import NamedTuple, TypeAlias

from exptrack.analysis.fieldnames import (
    ALIASES,
    AREAS,
    FIELDS,
    WORDS,
    advise_field,
    advise_joining,
    advise_name,
    find_nearest,
    format_name,
    format_text,
    shown,
)
from exptrack.analysis.names import is_name
from exptrack.errors import QueryError
from exptrack.model.run import Status
from exptrack.model.tree import Value

# Recursion over what somebody typed must end before Python's stack does.
DEEPEST = 50

Fact: TypeAlias = "Value | datetime | tuple[str, ...]"
Query: TypeAlias = "Joined | Comparison"

_TOKEN = re.compile(
    r"""(?s)\s*(?:(?P<operator><=|>=|!=|==|[=<>~])|(?P<bracket>[()])"""
    r"""|(?P<word>(?:[^\s()=<>!~"']+|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')+))"""
)
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.DOTALL)
_ESCAPE = re.compile(r"""\\([\\"'])""")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?inf(?:inity)?", re.IGNORECASE)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?Z?)?")
_GLOB = re.compile(r"[*?\[]")
_STATUSES = tuple(status.value for status in Status)
_ANY_STATUS = f"{', '.join(_STATUSES[:-1])} or {_STATUSES[-1]}"


class Operand(NamedTuple):
    """A value and its kind, since True == 1: text, number, boolean, time (in UTC), or day (its start)."""

    kind: str
    value: bool | float | str | datetime


class Comparison(NamedTuple):
    """One field, one of `= != < <= > >= ~`, and what it is compared with."""

    field: str
    operator: str
    operand: Operand


class Joined(NamedTuple):
    """Two or more terms of which all (`and`) or at least one (`or`) must hold, or one that must not (`not`)."""

    word: str
    terms: tuple[Query, ...]


class _Token(NamedTuple):
    kind: str
    text: str
    start: int


def parse_query(text: str, known: Callable[[], Iterable[str]] = tuple) -> Query:
    """The query that a text states. QueryError, with a caret under the fault, if it states none or names an unknown field.

    `known` gives the names that runs have (`metrics.acc`, `params.lr`); it is called for the advice about an unknown field only.
    """
    parser = _Parser(text, known)
    query = parser.joined("or")
    rest = parser.tokens[parser.position]
    if rest.text == ")":
        raise parser.fault("')' closes nothing: remove it, or open it with '('")
    if rest.kind != "end":
        joining = advise_joining(parser.tokens[parser.position - 1].text) or advise_joining(rest.text)
        advice = f"{joining}, or quote" if joining else "quote"
        raise parser.fault(f"expected 'and' or 'or' before {shown(rest.text)}: {advice} a value that has spaces")
    return query


def merge_words(words: Sequence[str]) -> str | None:
    """The query that several words of a command line are, taken together or else all of them at once; None if they are none."""
    whole = " ".join(words)
    if _find_query(whole):
        return whole
    queries = [_find_query(word) for word in words]
    if not queries or not all(queries):
        return None
    pairs = zip(words, queries, strict=True)
    return " and ".join(
        f"({word})" if isinstance(query, Joined) and query.word == "or" else word for word, query in pairs
    )


def exact_patterns(query: Query) -> tuple[str, ...]:
    """What a query compares by `~` although no letter in it is one of a glob; `metrics.loss ~ nan` is meant so."""
    if isinstance(query, Joined):
        return tuple(pattern for term in query.terms for pattern in exact_patterns(term))
    pattern = str(query.operand.value)
    is_exact = query.operator == "~" and pattern != "nan" and not _GLOB.search(pattern)
    return (pattern,) if is_exact else ()


def format_query(query: Query) -> str:
    """The text of a query: `parse_query(format_query(query)) == query`."""
    if isinstance(query, Comparison):
        return f"{format_name(query.field)} {query.operator} {_format_operand(query.operand)}"
    texts = [
        f"({format_query(term)})" if isinstance(term, Joined) and term.word != "not" else format_query(term)
        for term in query.terms
    ]
    return f"not {texts[0]}" if query.word == "not" else f" {query.word} ".join(texts)


def names_in(query: Query) -> tuple[str, ...]:
    """The fields that a query names, each once, in their order."""
    if isinstance(query, Comparison):
        return (query.field,)
    return tuple(dict.fromkeys(name for term in query.terms for name in names_in(term)))


def check_names(query: Query, known: Iterable[str], text: str | None = None) -> None:
    """QueryError, with the nearest name, for a metric or parameter that is not among the `known` (`metrics.acc`, `params.lr`).

    The caret stands in `text`, which is the query as it was typed.
    """
    names = {*known, *FIELDS}
    for name in names_in(query):
        if name not in names:
            text = format_query(query) if text is None else text
            # In front of an operator it is the field, elsewhere a value.
            pairs = pairwise(_tokens(text))
            place = next(one.start for one, sign in pairs if sign.kind == "operator" and _unquote(one.text) == name)
            raise QueryError(f"no run has {shown(format_name(name))}: {advise_name(name, names)}", text, place)


def parse_moment(text: str) -> datetime | None:
    """A date (its start) or a date and a time, in UTC; None for any other text."""
    match = _TIME.fullmatch(text)
    try:
        return datetime.fromisoformat(text.rstrip("Z")).replace(tzinfo=UTC) if match else None
    except ValueError:
        return None


class _Parser:
    """A descent over the tokens of a text."""

    def __init__(self, text: str, known: Callable[[], Iterable[str]]) -> None:
        self.text, self.tokens, self.known = text, list(_tokens(text)), known
        self.position = self.depth = 0

    def joined(self, word: str) -> Query:
        terms = [self.joined("and") if word == "or" else self.term()]
        while self.taken(word):
            terms.append(self.joined("and") if word == "or" else self.term())
        return terms[0] if len(terms) == 1 else Joined(word, tuple(terms))

    def term(self) -> Query:
        opening = self.tokens[self.position]
        if opening.text not in {"not", "("}:
            return self.comparison()
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fault(f"nested more than {DEEPEST} deep: use fewer parentheses and 'not'")
        self.position += 1
        query: Query = Joined("not", (self.term(),)) if opening.text == "not" else self.joined("or")
        if opening.text == "(" and not self.taken(")"):
            raise self.fault("'(' is not closed: add ')'", opening)
        self.depth -= 1
        return query

    def comparison(self) -> Comparison:
        name = self.word("expected a comparison {}, such as 'status = failed'")
        sign = self.tokens[self.position]
        typed = _unquote(name.text)
        field = ALIASES.get(typed, typed)
        if sign.kind != "operator":
            message = f"{shown(name.text)} is not compared: quote the query, since the shell takes > and <"
            if name.text == self.text.strip() and is_name(field) and field not in FIELDS:
                message += f"; `exptrack show {field}` shows one run"
            raise QueryError(message, self.text, name.start + len(name.text))
        area, dot, _ = field.partition(".")
        kind = AREAS.get(area) if dot and not name.text.endswith(".") else FIELDS.get(field)
        if kind is None:
            raise self.fault(f"{shown(field)} is no field{advise_field(field, self.known)}", name)
        self.position += 1
        value = self.word("expected a value {}: quote it if it is a text")
        try:
            return Comparison(field, sign.text.replace("==", "="), _read_operand(value.text, kind, sign.text, field))
        except ValueError as error:
            raise self.fault(str(error), value) from None

    def word(self, expected: str) -> _Token:
        token = self.tokens[self.position]
        if token.kind != "word" or token.text in WORDS:
            raise self.fault(expected.format(f"before {shown(token.text)}" if token.text else "at the end"))
        self.position += 1
        return token

    def taken(self, text: str) -> bool:
        found = self.tokens[self.position].text == text
        self.position += found
        return found

    def fault(self, message: str, token: _Token | None = None) -> QueryError:
        return QueryError(message, self.text, (token or self.tokens[self.position]).start)


def _tokens(text: str) -> Iterator[_Token]:
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            start = len(text) - len(text[position:].lstrip())
            problem = "'!' is no operator: use '!=' or 'not'" if text[start] == "!" else "the quote is not closed"
            raise QueryError(problem, text, start)
        kind = match.lastgroup or ""
        yield _Token(kind, match[kind], match.start(kind))
        position = match.end()
    yield _Token("end", "", end)


def _unquote(word: str) -> str:
    return _QUOTED.sub(lambda quoted: _ESCAPE.sub(r"\1", quoted[0][1:-1]), word)


def _read_operand(word: str, kind: str, sign: str, field: str) -> Operand:
    text = _unquote(word)
    if kind == "time":
        return _read_time(text, sign, field)
    if kind == "status" and sign in {"=", "==", "!="} and text not in _STATUSES:
        near = find_nearest(text, _STATUSES)
        raise ValueError(
            f"{shown(text)} is no status: " + (f"did you mean '{near}'?" if near else f"use {_ANY_STATUS}")
        )
    if kind in {"text", "status"} or sign == "~" or (kind == "any" and word[0] in "\"'"):
        return Operand("text", text)
    if _NUMBER.fullmatch(word) or (kind == "number" and _INFINITY.fullmatch(word)):
        # Python refuses to read a whole number of more than 4,300 digits.
        number = int(word) if word.lstrip("+-").isdecimal() and len(word) < 4000 else float(word)
        if number in {inf, -inf} and not _INFINITY.fullmatch(word):
            raise ValueError(f"{shown(word)} is too large for a number: give a smaller one")
        return Operand("number", number)
    if kind == "number" and (joining := advise_joining(word)):
        raise ValueError(f"{shown(word)} is no number: {joining}")
    if kind == "number":
        advice = "; nan equals nothing, find it with '~ nan'" if text.lower() == "nan" else ", such as 0.9"
        raise ValueError(f"{shown(field)} is compared with a number{advice}")
    if word in {"true", "false"} and sign not in {"=", "==", "!="}:
        raise ValueError(f"'{word}' has no order: use '=' or '!='")
    return Operand("boolean", word == "true") if word in {"true", "false"} else Operand("text", text)


def _read_time(text: str, sign: str, field: str) -> Operand:
    moment = parse_moment(text)
    if moment is not None and sign != "~":
        return Operand("time" if "T" in text else "day", moment)
    forms = "such as 2026-01-31 or 2026-01-31T12:00; `--since` takes words such as yesterday"
    raise ValueError(f"'{field}' is compared by = != < <= > >= with a date, {forms}")


def _format_operand(operand: Operand) -> str:
    kind, value = operand
    if isinstance(value, datetime):
        return value.date().isoformat() if kind == "day" else value.replace(tzinfo=None).isoformat()
    return format_text(value) if isinstance(value, str) else str(value).lower()


def _find_query(text: str) -> Query | None:
    try:
        return parse_query(text)
    except QueryError:
        return None
