"""Values change in a JSON text, and its layout stays."""

from __future__ import annotations

import json

import pytest

from exptrack.analysis.editing.jsonedit import update_json

TEXT = """\
{
    "lr": 1e-3,
    "layers": [1, 2, 3],
    "model":  {"a": 1 , "b": [ ]},
    "deep": {
        "list": [
            1,
            2
        ]
    },
    "last": null
}
"""


def changed(path: str, value: object = ...) -> str:
    """The lines that differ after one value was set or, without a value, removed."""
    new = branch = json.loads(TEXT)
    *keys, leaf = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in keys:
        branch = branch[key]
    if value is ...:
        del branch[leaf]
    else:
        branch[leaf] = value
    text = update_json(TEXT, new)
    assert json.loads(text) == new
    before, after = TEXT.splitlines(), text.splitlines()
    return "\n".join(
        [*(f"- {line}" for line in before if line not in after), *(f"+ {line}" for line in after if line not in before)]
    )


def test_a_value_changes_in_its_place():
    assert changed("lr", 0.5) == '-     "lr": 1e-3,\n+     "lr": 0.5,'
    assert changed("layers.1", 7) == '-     "layers": [1, 2, 3],\n+     "layers": [1, 7, 3],'
    assert changed("layers", [4]) == '-     "layers": [1, 2, 3],\n+     "layers": [4],'
    assert changed("deep.list.0", "x") == '-             1,\n+             "x",'
    assert changed("model.b", 1) == '-     "model":  {"a": 1 , "b": [ ]},\n+     "model":  {"a": 1 , "b": 1},'


def test_a_new_key_comes_at_the_end_as_the_others_stand():
    assert (
        changed("model.c", [1])
        == '-     "model":  {"a": 1 , "b": [ ]},\n+     "model":  {"a": 1 , "b": [ ], "c": [1]},'
    )
    assert (
        changed("new", {"x": 1}) == '-     "last": null\n+     "last": null,\n+     "new": {\n+         "x": 1\n+     }'
    )


def test_a_removed_key_leaves_the_others_alone():
    assert changed("lr") == '-     "lr": 1e-3,'
    assert changed("last") == '-     },\n-     "last": null\n+     }'
    assert changed("model.a") == '-     "model":  {"a": 1 , "b": [ ]},\n+     "model":  {"b": [ ]},'
    assert (
        changed("deep.list")
        == '-     "deep": {\n-         "list": [\n-             1,\n-             2\n-         ]\n-     },\n+     "deep": {},'
    )


@pytest.mark.parametrize(
    ("text", "new", "wanted"),
    [
        ('{"a":1,"b":2}', {"b": 2, "c": 3}, '{"b":2,"c":3}'),
        ('{"a":1}\n', {"a": 1, "b": 2}, '{"a":1, "b":2}\n'),
        (" { } ", {"a": 1}, ' {"a": 1} '),
        ('{"a": 1, "a": 2}', {"a": 3}, '{"a": 1, "a": 3}'),
        ('{"a": 1, "a": 2, "b": 1}', {"b": 1}, '{"b": 1}'),
        ('{"é": "ü"}', {"é": "ö"}, '{"é": "ö"}'),
        ('{"\\u00e9": 1, "b": 1}', {"é": "ö", "b": 1}, '{"\\u00e9": "\\u00f6", "b": 1}'),
        ('{"a": "]}\\"", "b": 1}', {"a": ']}"', "b": 2}, '{"a": "]}\\"", "b": 2}'),
        ("[1]", {"a": 1}, '{\n  "a": 1\n}\n'),
        ("{a: 1", {"a": 1}, '{\n  "a": 1\n}\n'),
        ('{\n\t"a": 1\n}', {"a": [1]}, '{\n\t"a": [\n\t\t1\n\t]\n}'),
    ],
)  # fmt: skip
def test_any_layout_is_kept(text, new, wanted):
    assert update_json(text, new) == wanted
