"""Queries are parsed, never evaluated, and every text that is none is refused with a caret."""

from __future__ import annotations

import fnmatch
import json
import math
import operator
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.codec import encode_record
from exptrack.analysis.fieldnames import FIELDS, advise_name
from exptrack.analysis.frame import make_frame
from exptrack.analysis.matching import matches
from exptrack.analysis.query import (
    Comparison,
    Joined,
    Operand,
    check_names,
    exact_patterns,
    format_query,
    merge_words,
    names_in,
    parse_moment,
    parse_query,
)
from exptrack.analysis.rows import RunRows
from exptrack.errors import ExptrackError, QueryError
from exptrack.model.run import Record, Run, Status
from exptrack.render.records import write_records

PAGE = Path(__file__).parent.parent.parent / "docs" / "query.md"
FACTS = {
    "name": "brave-otter-k3f9",
    "status": "completed",
    "started": datetime(2026, 11, 1, 12, 30, tzinfo=UTC),
    "ended": None,
    "duration": 61.5,
    "seed": 7,
    "tag": ("baseline", "v2"),
    "note": 'a "note", don\'t',
    "metrics.acc": 0.93,
    "metrics.loss": math.nan,
    "params.lr": 0.01,
    "params.on": True,
    "params.one": 1,
    "params.opt": "adam",
    "params.word": "7",
    "params.nothing": None,
    "params.list": [],
    "params.a b.c": 3,
    "params.": "empty",
}

KEYS = st.sampled_from(["", "x", "a.b", "a b.c", "a.", '"', "\\", "and", "1", "é\n"]) | st.text(max_size=4)
TEXTS = st.sampled_from(["adam", "true", "not", "7", "2026-11-01", "a*", "[", '\\"', "'", ""]) | st.text(max_size=4)
NUMBERS = st.integers(-2, 2) | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.5, 10**30])
MOMENTS = st.datetimes(timezones=st.just(UTC)) | st.sampled_from([datetime(2026, 11, 1, 12, tzinfo=UTC)])
DAYS = MOMENTS.map(lambda time: time.replace(hour=0, minute=0, second=0, microsecond=0))
ORDERS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
SAME = st.sampled_from(["=", "!="])
TOPS = st.sampled_from(["name", "experiment", "author", "host", "command", "commit", "tag", "note"])
FREE = KEYS.map("params.{}".format) | st.just("seed")


def table(mark):
    """The rows below the header of the page's table that follows `<!-- mark -->`, cell by cell."""
    _, found, rest = PAGE.read_text(encoding="utf-8").partition(f"<!-- {mark} -->\n")
    assert found, f"no table is marked {mark}"
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in rest.split("\n\n")[0].splitlines()[2:]]


def code(cell):
    return re.match(r"`([^`]+)`", cell)[1]


def comparisons(fields, signs, kind, values):
    return st.builds(Comparison, fields, signs, st.builds(Operand, st.just(kind), values))


LEAVES = st.one_of(
    comparisons(TOPS | FREE, ORDERS, "text", TEXTS),
    comparisons(TOPS | FREE | KEYS.map("metrics.{}".format), st.just("~"), "text", TEXTS),
    comparisons(FREE | KEYS.map("metrics.{}".format) | st.just("duration"), ORDERS, "number", NUMBERS),
    comparisons(KEYS.map("metrics.{}".format), ORDERS, "number", st.sampled_from([math.inf, -math.inf])),
    comparisons(FREE, SAME, "boolean", st.booleans()),
    comparisons(st.just("status"), SAME, "text", st.sampled_from([status.value for status in Status])),
    comparisons(st.just("status"), st.just("~"), "text", TEXTS),
    comparisons(st.sampled_from(["started", "ended"]), ORDERS, "day", DAYS),
    comparisons(st.sampled_from(["started", "ended"]), ORDERS, "time", MOMENTS),
)


def negated(query):
    return Joined("not", (query,))


def trees(leaves):
    return st.recursive(
        leaves,
        lambda inner: (
            inner.map(negated)
            | st.builds(Joined, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3).map(tuple))
        ),
        max_leaves=6,
    )


VALUES = st.one_of(st.none(), st.booleans(), NUMBERS, st.just(math.nan), TEXTS, st.just([]))
SOME = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXTS,
        "tag": st.lists(TEXTS, max_size=2).map(tuple),
        "started": MOMENTS,
        "duration": NUMBERS,
        "params.x": VALUES,
        "params.y": VALUES,
        "metrics.x": NUMBERS | st.just(math.nan),
    },
)
FEW = st.one_of(
    comparisons(st.sampled_from(["name", "tag", "params.x", "params.y"]), ORDERS | st.just("~"), "text", TEXTS),
    comparisons(st.sampled_from(["duration", "metrics.x", "params.x"]), ORDERS, "number", NUMBERS),
    comparisons(st.sampled_from(["params.x", "params.y"]), SAME, "boolean", st.booleans()),
    comparisons(st.just("started"), ORDERS, "day", DAYS),
    comparisons(st.just("started"), ORDERS, "time", MOMENTS),
)


def naive(query, facts):
    """The rules of the docstring, written down once more and slowly."""
    if isinstance(query, Joined):
        if query.word == "not":
            return not naive(query.terms[0], facts)
        held = [naive(term, facts) for term in query.terms]
        return all(held) if query.word == "and" else any(held)
    field, sign, (kind, value) = query
    if facts.get(field) is None:
        return False
    if field == "tag" and sign == "!=":
        return value not in facts["tag"]
    facts_here = facts["tag"] if field == "tag" else [facts[field]]
    return any(naive_one(sign, fact, kind, value) for fact in facts_here)


def naive_one(sign, fact, kind, value):
    if sign == "~":
        text = fact if type(fact) is str else None if fact == [] else str(fact).lower()
        return text is not None and fnmatch.fnmatchcase(text, value)
    types = {"text": (str,), "number": (int, float), "boolean": (bool,), "day": (datetime,), "time": (datetime,)}
    if type(fact) not in types[kind]:
        return sign == "!="
    if kind == "day" and sign in {"=", "!="}:
        fact, value = fact.date(), value.date()
    compare = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}[sign]
    return getattr(operator, compare)(fact, value)


@given(trees(LEAVES))
def test_a_query_that_is_formatted_and_parsed_is_the_same(query):
    assert parse_query(format_query(query)) == query


@given(trees(FEW), SOME)
def test_a_query_means_what_a_slow_reading_of_the_rules_means(query, facts):
    assert matches(query, facts) is naive(query, facts)


@given(FEW, SOME)
def test_not_is_the_complement_and_on_present_values_not_equal_is_not_equal(query, facts):
    assert matches(negated(query), facts) is not matches(query, facts)
    if query.operator == "=" and facts.get(query.field) is not None:
        assert matches(query._replace(operator="!="), facts) is matches(negated(query), facts)


@given(
    st.text()
    | st.lists(
        st.sampled_from(
            [
                "metrics.a",
                "tag",
                "started",
                "seed",
                "and",
                "or",
                "not",
                "(",
                ")",
                "=",
                ">",
                "~",
                "!",
                '"',
                "'",
                "1",
                "2026-02-30",
                "\\",
            ]
        )
    ).map(" ".join)
)
def test_any_text_is_a_query_or_refused_with_one_line_and_a_caret(text):
    try:
        query = parse_query(text)
    except QueryError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - both ways are right, and each has its law
        shown, caret = error.caret.split("\n")
        assert len(shown) == len(text)
        assert caret.strip() == "^"
    else:
        assert parse_query(format_query(query)) == query


@pytest.mark.parametrize(
    "text",
    [
        "metrics.acc > 0.9 and params.lr <= 0.01 and tag = baseline and status != failed and started > 2026-11-01",
        "metrics.acc>.9", "params.lr == 1e-2", "name ~ brave-* and note ~ '*don\\'t'", "started = 2026-11-01",
        "started > 2026-11-01", "started = 2026-11-01T12:30", "started < 2026-11-01T12:30:00.5Z", "tag = v2 and tag = baseline",
        "tag != v3", "seed = 7", "name > a", "params.on = true", "params.on != 1", "params.one != true", "params.word = '7'",
        "params.word != 7", 'params."a b".c = 3', "params.'a b.c' = 3", 'params."" = empty', "metrics.loss != 1", "metrics.loss ~ nan",
        "metrics.acc < inf", "params.list != 1", "params.on ~ tr?e", "params.lr ~ 0.0*", "params.opt != 3",
        "not (seed = 1 or seed = 2)", "seed = 1 and seed = 2 or seed = 7", "not seed = 1 and seed = 7", "not params.x = 1",
    ],
)  # fmt: skip
def test_these_hold(text):
    assert matches(parse_query(text), FACTS)


@pytest.mark.parametrize(
    "text",
    [
        "params.x = 1", "params.x != 1", "params.x < 1", "params.x ~ *", "params.nothing != 1", "ended > 2026-11-01",
        "started != 2026-11-01", "started = 2026-11-02", "started <= 2026-11-01", "metrics.loss = 0", "metrics.loss < 1",
        "metrics.loss >= 1", "params.word = 7", "params.on = 1", "params.one = true", "params.opt > 3", "params.lr > a", "tag != v2",
        "name = brave-otter", "name ~ BRAVE*", "name ~ otter", "params.Lr = 0.01", "seed = 7 and seed = 8", "params.list ~ *",
        "not seed = 7 or seed = 8",
    ],
)  # fmt: skip
def test_these_do_not_hold(text):
    assert not matches(parse_query(text), FACTS)


def test_a_run_without_tags_has_none_and_a_run_of_unknown_tags_fulfils_nothing():
    query = parse_query("tag != baseline")
    assert matches(query, {"tag": ()})
    assert not matches(query, {})


def test_times_are_compared_in_utc_and_without_zone_taken_for_it():
    late = datetime.fromisoformat("2026-11-02T01:00:00+02:00")
    assert matches(parse_query("started = 2026-11-01"), {"started": late})
    assert matches(parse_query("started = 2026-11-01T23:00"), {"started": late})
    assert matches(parse_query("started = 2026-11-02"), {"started": late.replace(tzinfo=None)})


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("", "expected a comparison at the end, such as 'status = failed'", 0),
        ("metrics.acc", "'metrics.acc' is not compared: quote the query, since the shell takes > and <", 11),
        ("metrics.acc and tag = x", "'metrics.acc' is not compared: quote the query, since the shell takes > and <", 11),
        ("relu-1", "'relu-1' is not compared: quote the query, since the shell takes > and <; `exptrack show relu-1` shows one run", 6),
        ("relu-1 and tag = x", "'relu-1' is not compared: quote the query, since the shell takes > and <", 6),
        ("Status", "'Status' is not compared: quote the query, since the shell takes > and <", 6),
        ("status", "'status' is not compared: quote the query, since the shell takes > and <", 6),
        ("tagz = x", "'tagz' is no field: did you mean 'tag'?", 0),
        ("metric.acc > 1", "'metric.acc' is no field: did you mean 'metrics.acc'?", 0),
        ("tag = x and model.size > 1", "'model.size' is no field: use 'metrics.model.size', 'params.model.size'", 12),
        ("metrics > 1", "'metrics' is no field: did you mean 'metrics.KEY'?", 0),
        ("params. > 1", "'params.' is no field: did you mean 'params.KEY'?", 0),
        ("metrics.acc > high", "'metrics.acc' is compared with a number, such as 0.9", 14),
        ("metrics.acc = nan", "'metrics.acc' is compared with a number; nan equals nothing, find it with '~ nan'", 14),
        ("params.x > 1e999", "'1e999' is too large for a number: give a smaller one", 11),
        ("params.x > true", "'true' has no order: use '=' or '!='", 11),
        ("started > 2026-02-30", "'started' is compared by = != < <= > >= with a date, such as 2026-01-31 or 2026-01-31T12:00; `--since` takes words such as yesterday", 10),
        ("ended < yesterday", "'ended' is compared by = != < <= > >= with a date, such as 2026-01-31 or 2026-01-31T12:00; `--since` takes words such as yesterday", 8),
        ("seed = 1 && tag = x", "expected 'and' or 'or' before '&&': write 'and' for '&&', or quote a value that has spaces", 9),
        ("seed = 1 || tag = x", "expected 'and' or 'or' before '||': write 'or' for '||', or quote a value that has spaces", 9),
        ("seed=1&&tag=x", "expected 'and' or 'or' before '=': write 'and' for '&&', or quote a value that has spaces", 11),
        ("seed = 1, tag = x", "expected 'and' or 'or' before 'tag': write 'and' for ',', or quote a value that has spaces", 10),
        ("seed = 1 , tag = x", "expected 'and' or 'or' before ',': write 'and' for ',', or quote a value that has spaces", 9),
        ("seed = 1 OR tag = x", "expected 'and' or 'or' before 'OR': write it in small letters, 'or', or quote a value that has spaces", 9),
        ("metrics.a > 1, tag = x", "'1,' is no number: write 'and' for ','", 12),
        ("metrics.a>1||tag=x", "'1||tag' is no number: write 'or' for '||'", 10),
        ("note = 'a, b' c", "expected 'and' or 'or' before 'c': quote a value that has spaces", 14),

        ("tag =", "expected a value at the end: quote it if it is a text", 5),
        ("tag = and", "expected a value before 'and': quote it if it is a text", 6),
        ("= x", "expected a comparison before '=', such as 'status = failed'", 0),
        ("tag = x and", "expected a comparison at the end, such as 'status = failed'", 11),
        ("note = my run", "expected 'and' or 'or' before 'run': quote a value that has spaces", 10),
        ("(tag = x", "'(' is not closed: add ')'", 0),
        ("tag = x)", "')' closes nothing: remove it, or open it with '('", 7),
        ("tag = 'x", "the quote is not closed", 6),
        ("!tag = x", "'!' is no operator: use '!=' or 'not'", 0),
        ("note = 日本 b", "expected 'and' or 'or' before 'b': quote a value that has spaces", 12),
        ("tag = x\x1b b", "expected 'and' or 'or' before 'b': quote a value that has spaces", 9),
    ],
)  # fmt: skip
def test_a_fault_is_named_and_has_its_caret(text, message, column):
    with pytest.raises(QueryError) as caught:
        parse_query(text)
    assert str(caught.value) == message
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    assert caught.value.caret == f"{shown}\n{' ' * column}^"
    assert isinstance(caught.value, ExptrackError)


@pytest.mark.parametrize(
    "text", ["(" * 100_000, "not " * 100_000 + "seed = 1", "params.x = " + "9" * 10_000, "'" * 99_999]
)
def test_a_text_that_is_too_much_is_refused(text):
    with pytest.raises(QueryError):
        parse_query(text)


@pytest.mark.parametrize(
    ("text", "advice", "column"),
    [
        ("lr > 0.8", ": did you mean 'params.train.lr'?", 0),
        ("tag = x and LR > 0.8", ": did you mean 'params.train.lr'?", 12),
        ("train.lr > 0.8", ": did you mean 'params.train.lr'?", 0),
        ("acuracy > 0.8", ": did you mean 'metrics.accuracy'?", 0),
        ("loss < 1", ": did you mean 'metrics.loss' or 'params.loss' or 'metrics.val.loss'?", 0),
        ("rate = 1", """: did you mean 'params."my rate"'?""", 0),
        ("metric.accuracy > 1", ": did you mean 'metrics.accuracy'?", 0),
        ("stats = failed", ": did you mean 'status'?", 0),
        ("metrics > 1", ": did you mean 'metrics.KEY'?", 0),
        ("zzz = 1", " and no key of a run: `exptrack ls --all-columns` shows what they have", 0),
    ],
)
def test_a_bare_key_is_refused_with_the_names_that_runs_have(text, advice, column):
    known = ("params.train.lr", "metrics.accuracy", "metrics.loss", "metrics.val.loss", "params.loss", "params.my rate")
    with pytest.raises(QueryError) as caught:
        parse_query(text, lambda: known)
    word = text[column:].split()[0]
    assert str(caught.value) == f"'{word}' is no field{advice}"
    assert caught.value.caret == f"{text}\n{' ' * column}^"


def test_what_runs_have_is_asked_for_only_where_a_field_is_unknown():
    def known():
        raise AssertionError

    assert parse_query("params.lr = 1", known)
    for text in ("tag =", "params. = 1", "seed = 1 && tag = x"):
        with pytest.raises(QueryError):
            parse_query(text, known)


def test_a_field_may_be_called_as_its_column():
    assert parse_query("tags = best and notes ~ *odd*") == parse_query("tag = best and note ~ *odd*")


@pytest.mark.parametrize(
    ("words", "query"),
    [
        (["tag", "=", "best"], "tag = best"),
        (["not", "tag = best"], "not tag = best"),
        (["params.lr ~ nan", "tag = x"], "params.lr ~ nan and tag = x"),
        (["tag = x or tag = y", "not seed = 1"], "(tag = x or tag = y) and not seed = 1"),
        (["tag = x", "best"], None),
        (["one", "two"], None),
        (["tag", "="], None),
        ([], None),
    ],
)
def test_words_of_a_command_line_are_merged_to_one_query(words, query):
    assert merge_words(words) == query
    assert query is None or parse_query(query)


def test_a_pattern_without_a_letter_of_a_glob_is_found():
    assert exact_patterns(parse_query("name ~ relu and not (tag ~ a* or tag ~ [a] or tag ~ a? or note ~ 'b c')")) == (
        "relu",
        "b c",
    )
    assert exact_patterns(parse_query("metrics.loss ~ nan and name = relu")) == ()


def test_brackets_side_by_side_are_not_deep():
    query = parse_query(" or ".join(["(not seed = 1)"] * 500))
    assert len(query.terms) == 500


def test_the_names_of_a_query_come_once_and_in_order():
    assert names_in(parse_query("params.b = 1 or not (tag = x and params.b = 2) or metrics.a > 1")) == (
        "params.b",
        "tag",
        "metrics.a",
    )


@pytest.mark.parametrize(
    ("text", "message", "caret"),
    [
        ("metrics.acx > 1", "no run has 'metrics.acx': did you mean 'metrics.acc'?", "metrics.acx > 1\n^"),
        ("seed=1 and metrics.lr>1", "no run has 'metrics.lr': did you mean 'params.lr'?", f"seed = 1 and metrics.lr > 1\n{' ' * 13}^"),
        ("params.zzzzzz = 1", "no run has 'params.zzzzzz': `exptrack ls --all-columns` shows what they have", "params.zzzzzz = 1\n^"),
        ("tag = 'params.q' and params.q = 1", None, f"tag = params.q and params.q = 1\n{' ' * 19}^"),
    ],
)  # fmt: skip
def test_a_name_that_no_run_has_is_refused_with_the_nearest(text, message, caret):
    with pytest.raises(QueryError) as caught:
        check_names(parse_query(text), ["metrics.acc", "params.lr"])
    assert message is None or str(caught.value) == message
    assert caught.value.caret == caret


def test_names_that_some_run_has_and_fields_pass():
    check_names(parse_query("metrics.acc > 1 and tag = x and ended < 2026-01-01"), iter(["metrics.acc"]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("status = complted", "'complted' is no status: did you mean 'completed'?"),
        ("status != Failed", "'Failed' is no status: did you mean 'failed'?"),
        ("status == 7", "'7' is no status: use completed, failed, interrupted or crashed"),
    ],
)
def test_a_status_that_there_is_not_is_refused(text, message):
    with pytest.raises(QueryError) as caught:
        parse_query(text)
    assert str(caught.value) == message
    assert caught.value.caret == f"{text}\n{' ' * (text.rindex(' ') + 1)}^"


def test_a_glob_on_the_status_is_free():
    assert matches(parse_query("status ~ comp*"), FACTS)
    assert not matches(parse_query("status ~ complted"), FACTS)


def test_a_caret_stands_in_the_query_as_it_was_typed():
    text = "( tag='metrics.x'  and metrics.x>1)"
    with pytest.raises(QueryError) as caught:
        check_names(parse_query(text), ["metrics.acc"], text)
    assert caught.value.caret == f"{text}\n{' ' * text.rindex('metrics')}^"


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("accuracy", "did you mean 'metrics.accuracy'?"),
        ("acuracy", "did you mean 'metrics.accuracy'?"),
        ("lr", "did you mean 'params.lr'?"),
        ("metrics.lr", "did you mean 'params.lr'?"),
        ("params.Lr", "did you mean 'params.lr'?"),
        ("statsu", "did you mean 'status'?"),
        ("rate", "did you mean 'params.opt.rate'?"),
        ("metrics.rate", "did you mean 'params.opt.rate'?"),
        ("params.rate", "did you mean 'params.opt.rate'?"),
        ("agee", "did you mean 'age'?"),
        ("params.zzz", "`exptrack ls --all-columns` shows what they have"),
        ("", "`exptrack ls --all-columns` shows what they have"),
    ],
)
def test_the_nearest_name_is_found_with_or_without_its_area(name, advice):
    assert advise_name(name, ["metrics.accuracy", "params.lr", "params.opt.rate", "age", *FIELDS]) == advice


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T12:00", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("2026-11-01T12:00:00.5Z", datetime(2026, 11, 1, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-02-30", None),
        ("2026-11-01T25:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_moment_is_a_date_or_a_date_and_a_time_in_utc(text, moment):
    assert parse_moment(text) == moment


class TestPage:
    """What docs/query.md says is so."""

    def test_its_fields_are_those_of_the_language(self):
        assert {code(row[0]): row[1] for row in table("table: fields")} == dict(FIELDS)

    def test_its_operators_are_those_of_the_language(self):
        signs = [code(row[0]) for row in table("table: operators")]
        assert [parse_query(f"params.x {sign} 1").operator for sign in signs] == signs

    def test_its_values_are_read_as_it_says(self):
        kinds = {}
        for name, examples in table("table: values"):
            words = [word for word in re.findall(r"`([^`]+)`", examples) if "\\" not in word and word != "inf"]
            field = "started" if name.startswith("time") else "params.x"
            kinds[name] = {parse_query(f"{field} = {word}").operand.kind for word in words}
        assert kinds == {
            "number": {"number"}, "truth": {"boolean"}, "text": {"text"}, "time, in UTC": {"day", "time"},
        }  # fmt: skip
        assert parse_query("metrics.x < inf").operand == Operand("number", math.inf)
        assert parse_query("params.x = inf").operand == Operand("text", "inf")

    def test_its_examples_can_be_parsed(self):
        [block] = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
        for line in block.splitlines():
            command, verb, query = shlex.split(line)
            assert (command, verb) == ("exptrack", "ls")
            assert parse_query(format_query(parse_query(query))) == parse_query(query)

    @pytest.mark.parametrize(
        ("query", "is_so"),
        [
            ("name = 7", False), ('params.word = "7"', True), ("params.word = 7", False), ("started = 2026-11-01", True),
            ("started > 2026-11-01", True), ("not params.x = 0.1", True), ("params.x != 0.1", False), ("params.opt != 0.1", True),
            ("params.opt < 0.1", False), ("params.opt > 0.1", False), ("params.on != 1", True), ("params.one = 1.0", True),
            ("metrics.loss ~ nan", True), ("tag = v2", True), ("tag != v2", False), ("tag = baseline and tag = v2", True),
            ("params.lr ~ 0.0*", True), ("params.on ~ tr?e", True),
        ],
    )  # fmt: skip
    def test_what_it_says_of_values_holds(self, query, is_so):
        assert matches(parse_query(query), FACTS) is is_so

    def test_its_keys_are_those_that_a_listed_run_has_beyond_its_record(self):
        record = Record("one", Status.COMPLETED, datetime(2026, 11, 1, tzinfo=UTC))
        [listed] = json.loads("".join(write_records([Run(record, "oid", "ref")])))
        beyond = listed.keys() - json.loads(encode_record(record)).keys()
        assert {code(row[0]) for row in table("keys: listed")[:-1]} == beyond

    def test_its_types_are_those_of_a_frame(self):
        record = Record("one", Status.COMPLETED, datetime(2026, 11, 1, tzinfo=UTC), metrics={"KEY": 1})
        frame = make_frame(RunRows([Run(record, "oid", "ref")]))
        said = {name: kinds for names, kinds in table("table: frame") for name in re.findall(r"`([^`]+)`", names)}
        assert said.keys() == {*frame.columns, "params.KEY"}
        assert all(f"`{kind}`" in said[name] for name, kind in frame.dtypes.items())
