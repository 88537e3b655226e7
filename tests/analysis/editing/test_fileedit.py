"""Parameter files get other values, and all else in them stays as somebody wrote it."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exptrack.analysis.editing.fileedit import edit_text
from exptrack.analysis.editing.overrides import apply_overrides, parse_overrides
from exptrack.analysis.same import is_same
from exptrack.analysis.trees import decode_tree
from exptrack.analysis.yaml12 import dump_yaml
from exptrack.errors import ExptrackError

YAML = """\
# What is learned, and how.
seed: 0                  # decides the split

# The model.
model:   # inner
    hidden: 32           # units
    opt: {name: sgd,lr: 1e-3}

# How it is trained.
train:
  lr:   0.1              # how far a step goes
  layers:
  - 64    # first
  - 128   # second
  gone: 1                # not needed
  # about l2
  l2: 1_000
names: [a,  'b', "c"]
"""
TOML = """\
# What is learned, and how.
seed = 0      # decides the split
day = 2020-01-01
names = [ "a",  'b',  # two
  "c" ]

[model]   # inner
hidden = 32 # units
opt.name = "sgd"

[train]
lr   = 1e-1      # how far a step goes
gone = 1   # not needed
layers = [
  64,    # first
  128,   # second
]
# about l2
l2 = 1_000

[[blocks]]
a = 1 # one
"""
JSON = """\
{
   "seed": 0,
   "model": {"hidden": 32, "opt": {"name": "sgd"}},
   "train": {
      "lr": 1e-1,
      "gone": 1,
      "layers": [64,  128],
      "l2": 1000
   },
   "names": ["a",
             "b"]
}
"""
TEXTS = {"params.yaml": YAML, "a.toml": TOML, "b.json": JSON}
KINDS = {"yaml": "yaml", "yml": "yaml", "toml": "toml", "json": "json"}


def read(path: str, text: str):
    return decode_tree(text.encode(), KINDS[path.rpartition(".")[2]])


def overridden(path: str, text: str, *words: str) -> str:
    tree = read(path, text)
    new = apply_overrides({path: tree}, parse_overrides(words), path)[path]
    edited = edit_text(path, text, new)
    assert is_same(read(path, edited), new)
    return edited


def difference(path: str, *words: str, text: str | None = None) -> str:
    """The lines that differ, `- old` and `+ new`."""
    old = TEXTS[path] if text is None else text
    before, after = old.splitlines(), overridden(path, old, *words).splitlines()
    gone, come = [line for line in before if line not in after], [line for line in after if line not in before]
    return "\n".join([*(f"- {line}" for line in gone), *(f"+ {line}" for line in come)])


@pytest.mark.parametrize("path", TEXTS)
def test_a_file_whose_values_are_right_is_not_touched(path):
    for text in (TEXTS[path], TEXTS[path].replace("\n", "\r\n"), TEXTS[path].rstrip("\n"), "\ufeff" + TEXTS[path]):
        assert edit_text(path, text, read(path, text)) == text


def test_a_yaml_file_changes_where_it_must():
    assert (
        difference("params.yaml", "train.lr=0.005")
        == "-   lr:   0.1              # how far a step goes\n+   lr:   0.005            # how far a step goes"
    )
    assert (
        difference("params.yaml", "model.opt.lr=0.5")
        == "-     opt: {name: sgd,lr: 1e-3}\n+     opt: {name: sgd,lr: 0.5}"
    )
    assert difference("params.yaml", "~train.gone") == "-   gone: 1                # not needed"
    assert difference("params.yaml", "~model.opt.name") == "-     opt: {name: sgd,lr: 1e-3}\n+     opt: {lr: 1e-3}"
    assert difference("params.yaml", "train.layers.0=7") == "-   - 64    # first\n+   - 7     # first"
    assert (
        difference("params.yaml", "train.layers=[1,x,{a: 1}]")
        == "-   - 64    # first\n-   - 128   # second\n+   - 1\n+   - x\n+   - {a: 1}"
    )
    assert (
        difference("params.yaml", "train.layers=7")
        == "-   layers:\n-   - 64    # first\n-   - 128   # second\n+   layers: 7"
    )
    assert difference("params.yaml", "names.2=d", "names.1=e") == """- names: [a,  'b', "c"]\n+ names: [a,  'e', "d"]"""
    assert difference("params.yaml", "+top={x: [1,2]}") == "+ top:\n+   x:\n+   - 1\n+   - 2"
    assert (
        difference("params.yaml", "~train.l2", "+train.new=1", "~names")
        == "-   l2: 1_000\n- names: [a,  'b', \"c\"]\n+   new: 1"
    )


def test_a_new_key_stands_in_its_mapping_and_not_below_the_next_comment():
    edited = overridden("params.yaml", YAML, "+model.depth=3", "+model.opt.eps=1e-8")
    assert "    opt: {name: sgd,lr: 1e-3, eps: 1.0e-08}\n    depth: 3\n\n# How it is trained.\n" in edited


@pytest.mark.parametrize(
    ("text", "words", "wanted"),
    [
        ("a:  # none\nb: 1\n", "a=1", "a: 1  # none\nb: 1\n"),
        ("a: |\n  x\n  y\n# end\nb: 1\n", "a=1", "a: 1\n# end\nb: 1\n"),
        ("a: |\n  x\n\n# end\nb: 1\n", "~a", "\n# end\nb: 1\n"),
        ("a:\n  b:\n    c: 1 # c\n", "+a.b.d=2 +a.e=3 +f=4", "a:\n  b:\n    c: 1 # c\n    d: 2\n  e: 3\nf: 4\n"),
        ("a:\n  b: 1\n  c: 2\nd: 3\ne: 4\n", "~a.c +a.f=5 ~d", "a:\n  b: 1\n  f: 5\ne: 4\n"),
        ("a: {}\nb: 1\n", "+a.x=1", "a: {x: 1}\nb: 1\n"),
        ("a: {x: 1, y: 2, z: 3} # f\n", "~a.x ~a.z +a.w=[1,'x,y']", 'a: {y: 2, w: [1, "x,y"]} # f\n'),
        ("a: !!str 1 # t\n", "a=2", "a: 2       # t\n"),
        ("a: 'it' # q\n", "a=x", "a: 'x'  # q\n"),
        ("m:\n  x: 1\n\nb: 1\n", "++m=3", "m: 3\n\nb: 1\n"),
        ("l:\n  - a: 1 # one\n    b: 2\n  - c: 3\n", "l.0.a=5 ~l.0.b +l.1.d=4", "l:\n  - a: 5 # one\n  - c: 3\n    d: 4\n"),
        ("%YAML 1.2\n---\na: 1 # c\n...\n", "a=2", "%YAML 1.2\n---\na: 2 # c\n...\n"),
        ("base: &b\n  lr: 1 # l\none:\n  <<: *b\n  x: 3   # own\n", "one.x=4", "base: &b\n  lr: 1 # l\none:\n  <<: *b\n  x: 4   # own\n"),
    ],
)  # fmt: skip
def test_any_yaml_is_changed_in_its_own_manner(text, words, wanted):
    assert overridden("params.yaml", text, *words.split(" ")) == wanted


def test_a_toml_file_changes_where_it_must():
    assert (
        difference("a.toml", "train.lr=0.5")
        == "- lr   = 1e-1      # how far a step goes\n+ lr   = 0.5      # how far a step goes"
    )
    assert difference("a.toml", "~train.gone") == "- gone = 1   # not needed"
    assert difference("a.toml", "+train.new=x") == '+ new = "x"'
    assert difference("a.toml", "train.layers.0=7") == "-   64,    # first\n+   7,    # first"
    assert difference("a.toml", "model.opt.name=adam") == '- opt.name = "sgd"\n+ opt.name = "adam"'
    assert difference("a.toml", "blocks.0.a=2") == "- a = 1 # one\n+ a = 2 # one"
    assert difference("a.toml", "+top=1") == "+ top = 1"
    assert difference("a.toml", "+top={x: 1}") == "+ [top]\n+ x = 1"


def test_a_json_file_changes_where_it_must():
    assert difference("b.json", "train.lr=0.5") == '-       "lr": 1e-1,\n+       "lr": 0.5,'
    assert difference("b.json", "~train.gone") == '-       "gone": 1,'
    assert difference("b.json", "train.layers=[1]") == '-       "layers": [64,  128],\n+       "layers": [1],'


@pytest.mark.parametrize("path", TEXTS)
@pytest.mark.parametrize(
    "words", ["train.lr=0.5", "~train.gone|+train.new=1|seed=3", "+new={x: {y: [1,{z: 2}]}}|model.hidden=1"]
)
def test_line_ends_a_missing_last_one_and_a_byte_order_mark_stay(path, words):
    wanted = overridden(path, TEXTS[path], *words.split("|"))
    assert wanted.endswith("\n")
    for text, changed in (
        (TEXTS[path].replace("\n", "\r\n"), wanted.replace("\n", "\r\n")),
        (TEXTS[path].rstrip("\n"), wanted.rstrip("\n")),
        ("\ufeff" + TEXTS[path], "\ufeff" + wanted),
    ):
        assert overridden(path, text, *words.split("|")) == changed


@pytest.mark.parametrize("path", ["params.yaml", "a.yml", "b.json", "c.toml"])
@pytest.mark.parametrize("text", ["", "\n", "# nothing", "{", "[1]", "1", "a: [", "a = ", "\x07", "{}"])
def test_a_text_that_holds_nothing_gets_the_values(path, text):
    new = {"a": {"b": 1, "c": [1, {"d": "x"}]}}
    assert read(path, edit_text(path, text, new)) == new


def test_what_a_format_cannot_hold_is_refused():
    with pytest.raises(
        ExptrackError, match=r"^a.toml: TOML has no null for 'model.x': remove it with ~model.x, or give another value$"
    ):
        edit_text("a.toml", "", {"model": {"x": None}})
    with pytest.raises(ExptrackError, match=r"TOML has no null for 'x.1.y'"):
        edit_text("a.toml", "", {"x": [1, {"y": None}]})
    with pytest.raises(
        ExptrackError, match=r"^a.yaml: cannot be written as YAML with the new values: change it by hand$"
    ):
        edit_text("a.yaml", "a: 1\n", {"a": "\udcff"})
    with pytest.raises(
        ExptrackError,
        match=r"^params.py: only .yaml, .yml, .json and .toml files can be changed: move the parameter to one$",
    ):
        edit_text("params.py", "lr = 1", {"lr": 2})


WORDS = st.text("ab1._- é", min_size=1, max_size=4) | st.sampled_from(
    ["on", "1e-5", "010", "~", "null", "x: y", "# no", "", '"', "'", "two\nlines", "<<", "]"]
)
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
SOME = st.dictionaries(WORDS, VALUES, max_size=4)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(["a.yaml", "b.json", "c.toml"]), SOME, SOME, st.sampled_from([None, 1, 4, "\t"]))
def test_what_was_written_reads_as_the_new_values(path, old, new, indent):
    import tomlkit

    write = {"a.yaml": dump_yaml, "b.json": lambda tree: json.dumps(tree, indent=indent), "c.toml": tomlkit.dumps}
    assert is_same(read(path, edit_text(path, write[path](old), new)), new)
    assert is_same(read(path, edit_text(path, write[path](old), {**old, **new})), {**old, **new})


def leaves(value, prefix=()):
    """The paths of all values that hold no others."""
    if not value or not isinstance(value, (dict, list)):
        return [prefix]
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return [path for key, item in pairs for path in leaves(item, (*prefix, key))]


@settings(deadline=None)
@given(st.sampled_from(list(TEXTS)), st.data(), st.integers(5, 99) | st.sampled_from(["x", True, 0.5]))
def test_one_other_value_is_one_other_line(path, data, value):
    new = branch = copy.deepcopy(read(path, TEXTS[path]))
    *above, last = data.draw(st.sampled_from(leaves(new)))
    for key in above:
        branch = branch[key]
    branch[last] = value
    before, after = TEXTS[path].split("\n"), edit_text(path, TEXTS[path], new).split("\n")
    assert len(before) == len(after)
    differing = sum(one != other for one, other in zip(before, after, strict=True))
    assert differing == (not is_same(read(path, TEXTS[path]), new))


@settings(deadline=None)
@given(st.sampled_from(list(TEXTS)), st.data())
def test_a_removed_key_takes_its_own_lines_and_no_other(path, data):
    new = branch = copy.deepcopy(read(path, TEXTS[path]))
    *above, last = data.draw(st.sampled_from([one for one in leaves(new) if isinstance(one[-1], str)]))
    for key in above:
        branch = branch[key]
    if len(branch) == 1:
        return
    del branch[last]
    before, after = TEXTS[path].split("\n"), edit_text(path, TEXTS[path], new).split("\n")
    # In JSON the line before it may lose its comma, and what stands in one line with others changes that line.
    assert len([line for line in after if line not in before]) <= 1
    assert [line for line in before if "#" in line and last not in line] == [
        line for line in after if "#" in line and (last not in line)
    ]
