"""`-S KEY=VALUE`: how words are read, and what becomes of the parameters."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exptrack.analysis.editing.overrides import Action, Override, apply_overrides, parse_overrides, seed_overrides
from exptrack.analysis.yaml12 import parse_scalar
from exptrack.errors import ExptrackError
from exptrack.model.tree import flatten

PARAMS = {
    "lr": 0.1,
    "nothing": None,
    "model": {"hidden": 64, "opt": {"name": "sgd"}},
    "layers": [1, 2, 3],
    "blocks": [{"a": 1}],
    "empty": {},
    "none": [],
    "a.b": 3,
    "val/loss": 1,
}
TREES = {"params.yaml": PARAMS, "conf/other.toml": {"depth": 3, "model": {"width": 2}}}
SPECIAL = "\\'\"${}[](),:=~ \t#<>é\n"


def exact(value):
    """A value that compares as itself: the type counts."""
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    return [exact(item) for item in value] if isinstance(value, list) else (type(value), repr(value))


def one(word: str) -> Override:
    (override,) = parse_overrides([word])
    assert override.text == word
    return override


def outcome(word: str) -> Override | str:
    try:
        return one(word)
    except ExptrackError as error:
        return str(error)


def applied(*words: str, trees=TREES) -> dict:
    return apply_overrides(trees, parse_overrides(words))


def params(*words: str) -> dict:
    return applied(*words)["params.yaml"]


def refusal(*words: str, trees=TREES) -> str:
    with pytest.raises(ExptrackError) as caught:
        applied(*words, trees=trees)
    said = str(caught.value)
    assert "\n" not in said
    assert not said.endswith(".")
    return said


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("a=0.1", 0.1), ("a=1", 1), ("a=-5", -5), ("a=+5", 5), ("a=1e-5", 1e-5), ("a=1_000", 1000), ("a=1.", 1.0), ("a=.5", 0.5),
        ("a=true", True), ("a=False", False), ("a=TRUE", True), ("a=null", None), ("a=NULL", None), ("a=", ""), ("a= ", ""),
        ("a=on", "on"), ("a=None", "None"), ("a=2020-01-01", "2020-01-01"), ("a=1:30", "1:30"), ("a=1.0.0", "1.0.0"),
        ("a=010", 10), ("a=0x1F", 31), ("a=01e5", 1e5), ("a='010'", "010"), ('a="1"', "1"), ("a=''", ""), ("a='${x}'", "${x}"),
        ("a=x y", "x y"), ("a= 3 ", 3), ("a='it\\'s'", "it's"), ("a='x\ny'", "x\ny"), ("a='größe'", "größe"), ("a=x\\,y", "x,y"),
        ("a=http://x:80/y", "http://x:80/y"), ("a='1,2'", "1,2"), ("a='nan'", "nan"),
        ("a=[1,2]", [1, 2]), ("a=[1, 010, '010', x y]", [1, 10, "010", "x y"]), ("a=[]", []), ("a=[[1],{b: null}]", [[1], {"b": None}]),
        ("a={name: sgd, lr: 1e-5}", {"name": "sgd", "lr": 1e-5}), ("a={}", {}), ("a={1: x}", {"1": "x"}), ("a={b.c: [x]}", {"b.c": ["x"]}),
        ("a=str(010)", "010"), ("a=int(3.4)", 3), ("a=float(1)", 1.0), ("a=bool(1)", True), ("a=[str(1),2]", ["1", 2]), ("a=str([1])", ["1"]),
        ("a=sort([3,1])", [1, 3]),
    ],
)  # fmt: skip
def test_a_value_is_typed_as_in_a_yaml_file_and_quoted_as_in_hydra(word, value):
    assert exact(one(word).value) == exact(value)
    assert one(word)[:3] == (None, ("a",), Action.set)


@pytest.mark.parametrize(
    ("word", "file", "key", "action"),
    [
        ("model.hidden=1", None, ("model", "hidden"), Action.set),
        ("+a.b=1", None, ("a", "b"), Action.add),
        ("++a=1", None, ("a",), Action.put),
        ("~a=1", None, ("a",), Action.remove),
        ("layers.0=1", None, ("layers", "0"), Action.set),
        ("a-b_c=1", None, ("a-b_c",), Action.set),
        ("val/loss=1", None, ("val/loss",), Action.set),
        ("f.toml:a.b=1", "f.toml", ("a", "b"), Action.set),
        ("./conf//a.yaml:+b=1", "conf/a.yaml", ("b",), Action.add),
        ("conf/a b.yaml:++b=1", "conf/a b.yaml", ("b",), Action.put),
    ],
)
def test_a_word_names_a_file_a_key_and_what_to_do(word, file, key, action):
    assert one(word) == Override(file, key, action, 1, word)


def test_a_removal_needs_no_value():
    assert one("~a.b") == Override(None, ("a", "b"), Action.remove, None, "~a.b")
    assert one("f.json:~a") == Override("f.json", ("a",), Action.remove, None, "f.json:~a")


@pytest.mark.parametrize(
    "value",
    ["0.1,0.2", "choice(1,2)", "range(1,3)", "interval(0,1)", "glob(*)", "[1,choice(1,2)]", "{x: range(1,3)}", "x, y", "shuffle([1,2])",
     "tag(t,choice(1,2))", "sort(2,1)", "nan,1"],
)  # fmt: skip
def test_a_sweep_is_refused_by_name(value):
    said = refusal(f"lr={value}")
    assert said.startswith(f"{f'lr={value}'!r} is a sweep, and those come later: give one value")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("lr", "'lr' gives no value: write KEY=VALUE, or ~KEY to remove a parameter"),
        ("", "'' gives no value: write KEY=VALUE, or ~KEY to remove a parameter"),
        ("=1", "'=1' names no parameter: write KEY=VALUE"),
        ("~", "'~' names no parameter: write KEY=VALUE"),
        (":lr=1", "':lr=1' names no file before the ':'"),
        ("db@x=1", "'db@x=1' overrides a config group, which only Hydra has: write KEY=VALUE"),
        ("@x=1", "'@x=1' overrides a config group, which only Hydra has: write KEY=VALUE"),
        ("+++lr=1", "'+++lr=1' begins with '+++': only +, ++ and ~ mean something there"),
        ("lr=nan", "'lr=nan' gives a number that is not finite, and parameters are: give another, or put the text in quotes"),
        ("lr=${x}", "'lr=${x}' has an interpolation, which only Hydra resolves: give the value itself, or put the text in quotes"),
        ("lr=a=b", "'lr=a=b' cannot be read: if the value is a text, put it in quotes, lr='a=b', and those in quotes of the shell"),
        ("lr=x\ny", "'lr=x\\ny' cannot be read: if the value is a text, put it in quotes, lr='…', and those in quotes of the shell"),
        ("größe=1", "'größe=1' has a key that Hydra's grammar lacks (letters a to z, digits, _, - and dots): change 'größe' in its file"),
        ("lr={true: 1}", "'lr={true: 1}' has the key True in a mapping: keys must be words or whole numbers"),
        ("lr=int(x)", "'lr=int(x)' cannot be read: ValueError while evaluating 'int(x)': invalid literal for int() with base 10: 'x'"),
        ("lr='\udcff'", "\"lr='\\udcff'\" is not UTF-8: change the value in its file"),
    ],
)  # fmt: skip
def test_what_is_no_override_says_why_in_a_line(word, said):
    assert refusal(word) == said


@pytest.mark.parametrize(
    "value", ["nan", "NaN", "inf", "-Inf", ".nan", ".inf", "-.inf", "1e999", "[1,.nan]", "{a: inf}", "float(nan)"]
)
def test_parameters_are_finite(value):
    assert "not finite" in refusal(f"lr={value}")


@pytest.mark.parametrize(
    "word", ["lr=[", "lr='", "lr=(x)", "lr=foo(1)", "lr=~", "lr=#x", "lr={'x':1}", "lr=[1,,2]", 'lr="x"y', "lr=é"]
)
def test_what_cannot_be_read_could_be_a_text(word):
    assert "put it in quotes" in refusal(word)


def test_what_is_nested_without_end_is_refused():
    for word in ("a=" + "[" * 2000 + "]" * 2000, "a=" + "[" * 210 + "]" * 210):
        assert "nested more than 200 deep" in refusal(word)
    assert "cannot be read" in refusal("a=" + "9" * 5000)


@settings(deadline=None)
@given(st.text(st.sampled_from("ab01.+~:=@/$-_[]{}()'\" ,\\é"), max_size=8))
def test_any_word_is_read_or_refused_in_a_line(word):
    said = outcome(word)
    assert "\n" not in said if isinstance(said, str) else said.key != ("",)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(SPECIAL), max_size=8))
def test_any_text_can_be_given_in_quotes(text):
    from hydra.core.override_parser.types import Quote, QuotedString

    assert one(f"a={QuotedString(text, Quote.single).with_quotes()}").value == text


@settings(deadline=None)
@given(st.from_regex(r"[-+]?[0-9_.a-fxoeEN]{1,6}", fullmatch=True))
def test_a_plain_word_is_what_it_is_in_a_yaml_file(text):
    said = outcome(f"a={text}")
    assert "not finite" in said if isinstance(said, str) else exact(said.value) == exact(parse_scalar(text))


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("lr=0.5", {"lr": 0.5}),
        ("model.opt.name=adam model.hidden=1", {"model": {"hidden": 1, "opt": {"name": "adam"}}}),
        ("layers=[5] layers.0=9", {"layers": [9]}),
        ("layers.0=9 layers.2=[]", {"layers": [9, 2, []]}),
        ("blocks.0.a=2 +blocks.0.b=3", {"blocks": [{"a": 2, "b": 3}]}),
        ("a.b=4", {"a.b": 4}),
        ("val/loss=4", {"val/loss": 4}),
        ("model={hidden:1}", {"model": {"hidden": 1, "opt": {"name": "sgd"}}}),
        ("model={opt:{name:3}} +model={new:1}", {"model": {"hidden": 64, "opt": {"name": 3}, "new": 1}}),
        ("++model={hidden:{x:1}}", {"model": {"hidden": {"x": 1}, "opt": {"name": "sgd"}}}),
        ("++model=3", {"model": 3}),
        ("empty=3", {"empty": 3}),
        ("lr={a:1}", {"lr": {"a": 1}}),
        ("+lr.x.y=1", {"lr": {"x": {"y": 1}}}),
        ("+new.a.b=1", {"new": {"a": {"b": 1}}}),
        ("+new={} +new.x=1", {"new": {"x": 1}}),
        ("++lr=1 ++new=2", {"lr": 1, "new": 2}),
        ("+nothing=1", {"nothing": 1}),
        ("+empty.x=1", {"empty": {"x": 1}}),
        ("lr=1 lr=1", {"lr": 1}),
        ("~model +model=[1]", {"model": [1]}),
    ],
)
def test_what_overrides_do(words, changes):
    assert exact(params(*words.split(" "))) == exact({**PARAMS, **changes})


@pytest.mark.parametrize("word", ["~lr", "~lr=0.1", "~nothing", "~model", "~layers=[1,2,3]", "~a.b", "~val/loss"])
def test_a_parameter_is_removed(word):
    key = word[1:].partition("=")[0]
    assert params(word) == {name: value for name, value in PARAMS.items() if name != key}


def test_only_named_files_are_in_the_result_and_nothing_given_is_changed():
    before = copy.deepcopy(TREES)
    assert applied("conf/other.toml:model.width=5") == {"conf/other.toml": {"depth": 3, "model": {"width": 5}}}
    assert applied("lr=1", "~model.opt.name", "+blocks.0.c=1", "conf/other.toml:depth=4").keys() == TREES.keys()
    assert before == TREES
    assert applied() == {}
    assert apply_overrides(TREES, parse_overrides(["depth=1"]), "conf/other.toml")["conf/other.toml"]["depth"] == 1


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("lrr=1", "'lrr=1' names 'lrr', which params.yaml does not have, did you mean 'lr'? ('+lrr=1' would add it)"),
        ("hidden=1", "'hidden=1' names 'hidden', which params.yaml does not have, did you mean 'model.hidden'? ('+hidden=1' would add it)"),
        ("depth=1", "'depth=1' names 'depth', which params.yaml does not have, did you mean 'conf/other.toml:depth'? ('+depth=1' would add it)"),
        ("xyz=1", "'xyz=1' names 'xyz', which params.yaml does not have: '+xyz=1' would add it"),
        ("lr.x=1", "'lr.x=1' names 'lr.x', which params.yaml does not have, did you mean 'lr'? ('+lr.x=1' would add it)"),
        ("empty={qqqqq: 1}", "'empty={qqqqq: 1}' names 'empty.qqqqq', which params.yaml does not have, where 'empty' has no keys ('+empty={qqqqq: 1}' would add it)"),
        ("model.x=1", "'model.x=1' names 'model.x', which params.yaml does not have, where 'model' has hidden, opt ('+model.x=1' would add it)"),
        ("model.hiden=1", "'model.hiden=1' names 'model.hiden', which params.yaml does not have, did you mean 'model.hidden'? ('+model.hiden=1' would add it)"),
        ("model.lr=1", "'model.lr=1' names 'model.lr', which params.yaml does not have, did you mean 'lr'? ('+model.lr=1' would add it)"),
        ("~model.op.name", "'~model.op.name' names 'model.op.name', which params.yaml does not have, did you mean 'model.opt.name'?"),
        ("model=1", "'model=1' would replace all of 'model' in params.yaml, a section with hidden, opt: name one of these, or force it with '++model=1'"),
        ("model=", "'model=' would replace all of 'model' in params.yaml, a section with hidden, opt: name one of these, or force it with '++model='"),
        ("+model={opt: null}", "'+model={opt: null}' would replace all of 'model.opt' in params.yaml, a section with name: name one of these, or force it with '++model={opt: null}'"),
        ("conf/other.toml:model=1", "'conf/other.toml:model=1' would replace all of 'model' in conf/other.toml, a section with width: name one of these, or force it with 'conf/other.toml:++model=1'"),
        ("conf/other.toml:qq=1", "'conf/other.toml:qq=1' names 'qq', which conf/other.toml does not have: 'conf/other.toml:+qq=1' would add it"),
        ("~lrr", "'~lrr' names 'lrr', which params.yaml does not have, did you mean 'lr'?"),
        ("~xyz", "'~xyz' names 'xyz', which params.yaml does not have: leave it out"),
        ("+lr=3", "'+lr=3' adds a parameter that params.yaml has: leave the + out to change it"),
        ("~lr=3", "'~lr=3' removes another value than params.yaml has, 0.1: leave the value out"),
        ("~layers.0", "'~layers.0' removes an item of a list: give the whole list without it"),
        ("layers.3=1", "'layers.3=1' names item '3' of a list of 3, counted from 0: give the whole list"),
        ("++layers.x=1", "'++layers.x=1' names item 'x' of a list of 3, counted from 0: give the whole list"),
        ("layers={a: 1}", "'layers={a: 1}' puts a mapping where params.yaml has a list: change that in the file"),
        ("++model=[1]", "'++model=[1]' puts a list where params.yaml has a mapping: change that in the file"),
        ("model={opt: [1]}", "'model={opt: [1]}' puts a list where params.yaml has a mapping: change that in the file"),
        ("conf/othr.toml:depth=1", "'conf/othr.toml:depth=1' names conf/othr.toml, which is no parameter file here, did you mean 'conf/other.toml'?"),
        ("../x:depth=1", "'../x:depth=1' names ../x, which is no parameter file here, known are conf/other.toml, params.yaml"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_what_to_do(word, said):
    assert refusal(word) == said


def test_a_project_without_the_default_file_says_which_to_name():
    trees = {"conf/a.yaml": {"lr": 1}}
    assert (
        refusal("lr=2", trees=trees)
        == "'lr=2' needs params.yaml, which is no parameter file here: name another, such as conf/a.yaml:lr=2"
    )
    assert refusal("lr=2", trees={}) == "'lr=2' needs params.yaml, which is no parameter file here: write one"


def test_one_parameter_has_one_value():
    twice = "'lr=2' and 'lr=1' give one parameter two values: leave one out"
    assert refusal("lr=1", "lr=2") == twice
    assert refusal("lr=1", "lr=true") == twice.replace("lr=2", "lr=true")
    assert refusal("lr=1", "params.yaml:++lr=2") == twice.replace("lr=2", "params.yaml:++lr=2")
    seeded = [*parse_overrides(["lr=1"]), *seed_overrides("lr", 7, TREES)]
    with pytest.raises(ExptrackError, match="'--seed 7' and 'lr=1' give one parameter two values"):
        apply_overrides(TREES, seeded)


def test_a_seed_is_set_in_every_file_that_has_it():
    trees = {
        "params.yaml": {"train": {"seed": 1}},
        "a.json": {"train": {"seed": 2}},
        "b.json": {"train": {}, "seed": {"x": 1}},
    }
    changed = apply_overrides(trees, seed_overrides("train.seed", 5, trees))
    assert changed == {"params.yaml": {"train": {"seed": 5}}, "a.json": {"train": {"seed": 5}}}
    with pytest.raises(
        ExptrackError,
        match=r"names 'seed' as the seed, which is a value in no parameter file, did you mean 'train[.]seed'",
    ):
        seed_overrides("seed", 5, {"params.yaml": {"train": {"seed": 1}}})
    with pytest.raises(ExptrackError, match="in no parameter file: add it to one"):
        seed_overrides("größe", 5, {})


NAMES = st.sampled_from(["a", "b", "lr", "x-y", "c_1"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-99, 99)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab ", max_size=3)
)
NESTED = st.recursive(
    LEAVES, lambda inner: st.dictionaries(NAMES, inner, max_size=3) | st.lists(inner, max_size=3), max_leaves=8
)
SOME = st.dictionaries(NAMES, NESTED, min_size=1, max_size=4)


@settings(deadline=None)
@given(SOME, st.data())
def test_exactly_the_named_leaves_differ(tree, data):
    known = sorted(key for key, value in flatten(tree).items() if not isinstance(value, (dict, list)))
    chosen = data.draw(st.dictionaries(st.sampled_from(known), LEAVES, max_size=3)) if known else {}
    words = [f"{key}={json.dumps(value)}" for key, value in chosen.items()]
    new = applied(*words, trees={"params.yaml": tree}).get("params.yaml", tree)
    assert exact(flatten(new)) == exact({**flatten(tree), **chosen})
    assert list(flatten(new)) == list(flatten(tree))


def hydra(value) -> str:
    """A value in the words of Hydra; its mappings have no quotes around keys."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {hydra(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(map(hydra, value)) + "]" if isinstance(value, list) else json.dumps(value)


@settings(deadline=None, max_examples=200)
@given(data=st.data(), tree=SOME, value=NESTED, sign=st.sampled_from(["", "+", "++", "~"]))
def test_as_dvc_does_where_dvc_does_anything(tmp_path_factory, data, tree, value, sign):
    from dvc.exceptions import InvalidArgumentError
    from dvc.utils.hydra import apply_overrides as apply_by_dvc

    new_key = st.lists(NAMES | st.sampled_from(["0", "1"]), min_size=1, max_size=3).map(".".join)
    key = data.draw(st.sampled_from([*tree, *flatten(tree)]) | new_key)
    word = f"{sign}{key}" + ("" if sign == "~" else "=" + hydra(value))
    path = tmp_path_factory.mktemp("dvc") / "params.json"
    path.write_text(json.dumps(tree))
    wanted = None
    try:
        apply_by_dvc(path, [word])
        wanted = json.loads(path.read_text())
    except InvalidArgumentError:
        pass
    except (TypeError, ValueError):
        return  # DVC ends with a traceback
    new = None if isinstance(outcome(word), str) else after(word, tree)
    if new is None and sign in {"", "+"} and after(f"++{word.lstrip('+')}", tree) is not None and wanted is not None:
        assert "would replace all of" in refusal(
            word, trees={"params.yaml": tree}
        )  # DVC does so without being told twice
    elif wanted is not None or sign != "~" or new is None:  # only here null can be removed
        assert exact(new) == exact(wanted)


def after(word: str, tree) -> dict | None:
    try:
        return applied(word, trees={"params.yaml": tree})["params.yaml"]
    except ExptrackError:
        return None
