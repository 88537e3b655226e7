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
    return re.sub(r" +\d+(?:s|min) ", lambda match: "0s ".rjust(len(match[0])), text)


def test_runs_are_listed_newest_first_with_what_differs(exptrack, repository):
    (repository / "params.yaml").write_text("lr: 0.25\ndepth: 3\n")
    record(exptrack, "first", '{"accuracy": 0.5}')
    record(exptrack, "second", '{"accuracy": 0.875, "loss": NaN}', "lr=0.5")
    record(exptrack, "third", "", "lr=1")
    exptrack("tag", "best", "second")
    done = exptrack("ls")
    assert (done.returncode, done.stderr) == (0, "")
    assert without_ages(done.stdout) == (
        "name    age  status     tags  accuracy  loss    lr\n"
        "third    0s  failed              -         -  1\n"
        "second   0s  completed  best     0.875   nan  0.5\n"
        "first    0s  completed           0.5       -  0.25\n"
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


def test_a_query_chooses(exptrack):
    record(exptrack, "first", '{"accuracy": 0.5}', "lr=0.1")
    record(exptrack, "second", '{"accuracy": 0.9}', "lr=0.01")
    record(exptrack, "third", "", "lr=0.01")
    exptrack("tag", "best", "second")

    def names(*words: str) -> list[str]:
        done = exptrack("ls", *words)
        assert done.returncode == 0, done.stderr
        return [line.split()[0] for line in done.stdout.splitlines()[1:]]

    assert names("metrics.accuracy > 0.6") == ["second"]
    assert names("params.lr <= 0.01 and status != failed") == ["second"]
    assert names("tag = best or name = first") == ["second", "first"]
    assert names("not tag = best", "-n", "1") == ["third"]
    assert names("started > 2020-01-01") == ["third", "second", "first"]
    assert exptrack("ls", "metrics.accuracy > 2").stderr == "exptrack: no run for which that holds\n"


def test_a_fault_in_a_query_is_pointed_at(exptrack):
    record(exptrack, "first", '{"accuracy": 0.5}')
    done = exptrack("ls", "metrics.accuray > 0.6")
    assert (done.returncode, done.stdout) == (2, "")
    message, query, caret = done.stderr.splitlines()
    assert "accuracy" in message
    assert (query, caret) == ("metrics.accuray > 0.6", "^")
    done = exptrack("ls", "metrics.accuracy >")
    assert done.returncode == 2
    assert done.stderr.splitlines()[2].strip() == "^"
    assert "quote" in exptrack("ls", "metrics.accuracy").stderr
