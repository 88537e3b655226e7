"""`exptrack ls`."""

from __future__ import annotations

import json
import re
import sys

PYTHON = sys.executable


def record(exptrack, name: str, metrics: str, *words: str) -> None:
    code = f"import sys; open('metrics.json', 'w').write({metrics!r}); sys.exit({metrics!r} == '')"
    exptrack("run", "--name", name, "--", PYTHON, "-c", code, *words)


def without_ages(text: str) -> str:
    return re.sub(r"\b\d+(s|min) ", lambda match: "0s" + " " * (len(match[0]) - 2), text)


def test_runs_are_listed_newest_first_with_what_differs(exptrack, repository):
    (repository / "params.yaml").write_text("lr: 0.25\ndepth: 3\n")
    record(exptrack, "first", '{"accuracy": 0.5}')
    record(exptrack, "second", '{"accuracy": 0.875, "loss": NaN}', "lr=0.5")
    record(exptrack, "third", "", "lr=1")
    exptrack("tag", "best", "second")
    done = exptrack("ls")
    assert (done.returncode, done.stderr) == (0, "")
    assert without_ages(done.stdout) == (
        "name    age  status     tags  accuracy  loss  lr\n"
        "third   0s   failed           -         -     1\n"
        "second  0s   completed  best  0.875     nan   0.5\n"
        "first   0s   completed        0.5       -     0.25\n"
    )
    assert exptrack("ls", "-n", "1").stdout.count("\n") == 2


def test_json_holds_the_records(exptrack, look):
    record(exptrack, "one", '{"accuracy": Infinity}')
    [listed] = json.loads(exptrack("ls", "--json").stdout)
    assert {key: listed[key] for key in look.record("one")} == look.record("one")
    assert (listed["ref"], listed["oid"]) == (look.ref("one"), look.git("rev-parse", look.ref("one")).strip())


def test_without_a_run_it_says_how_to_make_one(exptrack):
    done = exptrack("ls")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "exptrack: no run yet: make one with `exptrack run -- COMMAND`\n"
    assert exptrack("ls", "--json").stdout == "[]\n"


def test_terminal_escapes_in_values_are_shown_not_obeyed(exptrack):
    exptrack("run", "--name", "one", "--", "true", "x=\x1b[31mred\u202e", "y=two\nlines")
    exptrack("run", "--name", "two", "--", "true", "x=1", "y=2")
    out = exptrack("ls").stdout
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert r"\x1b[31mred" in out
    assert r"two\nlines" in out
