"""Values change, and what a person wrote around them stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exptrack.analysis.editing.yamledit import update_yaml
from exptrack.analysis.yaml12 import dump_yaml, load_yaml

TEXT = """\
# What the model is made of.
model:  # inner
  lr: 1e-3   # tried 1e-2: diverges
  name: "resnet"
  layers:
      - 64   # first
      - 128

  mask: 0x1F
  big: 1_000
  date: 2020-01-01
seeds: [1, 2, 3]
# the end
"""
WORDS = st.text("ab1._-", min_size=1, max_size=4) | st.sampled_from(
    ["on", "yes", "1e-5", "010", "~", "null", "x: y", "# no", "", " ", "ü", "two\nlines", "<<"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
TREES = st.dictionaries(WORDS, VALUES, max_size=4)
LINES = st.lists(
    st.sampled_from(
        ["a: 1", "a: 1 # why", "b:", "  c: [1, 2]", "  d: x", "  - 1", "- 2", "# note", "", "e: &x {f: 1}", "g: *x", "<<: *x", "h: |", "  text", "---", "...",
         "? k", ": v", "i: !!str 1", "j: 'it''s'", "\tbad", 'k: "', "%YAML 1.1", "l: 2020-01-01", "m: 1_0", "n: .nan", "o: ~", "a: 2", "p: >-", "q: {r: }"]
    ),
    max_size=7,
).map("\n".join)  # fmt: skip


def exact(value):
    """A value that compares as itself: the type counts, and NaN equals NaN."""
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    return [exact(item) for item in value] if isinstance(value, list) else (type(value), repr(value))


def changed(path: str, value: object, text: str = TEXT) -> str:
    """The lines that differ after one value was set, `- old` and `+ new`."""
    new = branch = load_yaml(text)
    *keys, leaf = path.split(".")
    for key in keys:
        branch = branch[key]
    branch[leaf] = value
    before, after = text.splitlines(), update_yaml(text, new).splitlines()
    assert exact(load_yaml("\n".join(after))) == exact(new)
    return "\n".join(
        [*(f"- {line}" for line in before if line not in after), *(f"+ {line}" for line in after if line not in before)]
    )


def test_a_value_changes_in_its_place():
    assert changed("model.lr", 0.5) == "-   lr: 1e-3   # tried 1e-2: diverges\n+   lr: 0.5    # tried 1e-2: diverges"


def test_comments_lists_and_ways_to_write_a_number_stay():
    text = update_yaml(TEXT, {**load_yaml(TEXT), "seeds": [4]})
    for line in TEXT.splitlines():
        if "seeds" not in line:
            assert line in text.splitlines()


def test_a_new_key_comes_at_the_end():
    assert changed("args", {"epochs": 3}) == "+ args:\n+   epochs: 3"
    assert changed("model.depth", 7) == "+   depth: 7"


def test_what_has_its_values_already_is_not_touched():
    for text in (TEXT, TEXT.replace("\n", "\r\n"), "a: .nan\n", "{a: 1,b: [ ]}", "--- # c\na: 1\n..."):
        assert update_yaml(text, load_yaml(text)) == text


def test_a_text_of_comments_alone_keeps_them():
    assert update_yaml("# nothing yet", {"a": 1}) == "# nothing yet\na: 1\n"
    assert update_yaml("", {"a": 1}).strip() == "a: 1"


@pytest.mark.parametrize(
    "text", ["- a list", "a scalar", "a: [", "a: 1\na: 2", "a: !thing x", "--- 1\n--- 2", "\x07", "a: 1\n\ud800"]
)
def test_a_text_that_is_no_mapping_is_written_anew(text):
    assert update_yaml(text, {"a": {"b": 1}}) == "a:\n  b: 1\n"


def test_types_are_told_apart():
    assert load_yaml(update_yaml("a: 1 # int\n", {"a": True})) == {"a": True}
    for value in (True, 1, 1.0, "1", "true", "1.0", None, "null", [], {}, ""):
        for text in ("a: 1 # c\n", "a: 'x' # c\n", "a: true # c\n", "a: # c\n"):
            assert exact(load_yaml(update_yaml(text, {"a": value}))) == exact({"a": value})


def test_what_is_merged_in_is_not_changed_elsewhere():
    text = "base: &base\n  lr: 1\n  x: 2\none:\n  <<: *base\n  x: 3 # own\n"
    new = {"base": {"lr": 1, "x": 2}, "one": {"lr": 9, "x": 3}}
    assert load_yaml(update_yaml(text, new)) == new
    assert "# own" in update_yaml(text, {"base": {"lr": 1, "x": 2}, "one": {"lr": 1, "x": 4}})


@settings(max_examples=300)
@given(TREES, TREES)
def test_what_was_written_reads_as_the_new_values(old, new):
    wanted = {**old, **new}
    assert exact(load_yaml(update_yaml(dump_yaml(old), wanted))) == exact(wanted)


@settings(max_examples=500)
@given(LINES, TREES)
def test_also_in_a_text_that_a_person_wrote(text, new):
    try:
        old = load_yaml(text)
    except ValueError:
        old = {}
    wanted = {**old, **new} if isinstance(old, dict) else new
    assert exact(load_yaml(update_yaml(text, wanted))) == exact(wanted)


@settings(max_examples=500)
@given(LINES, st.data())
def test_keys_can_go_from_a_text_that_a_person_wrote(text, data):
    try:
        old = load_yaml(text)
    except ValueError:
        return
    if not isinstance(old, dict):
        return
    wanted = {key: value for key, value in old.items() if data.draw(st.booleans())}
    for value in wanted.values():
        if isinstance(value, dict) and value and data.draw(st.booleans()):
            del value[next(iter(value))]
    assert exact(load_yaml(update_yaml(text, wanted)) or {}) == exact(wanted)
