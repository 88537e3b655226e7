"""`exptrack show`."""

from __future__ import annotations

import json
import re
import sys

PYTHON = sys.executable


def test_one_run_in_full(exptrack, look, repository, git):
    (repository / "params.yaml").write_text("lr: 0.25\ndeep: {er: text}\n")
    code = "open('metrics.json', 'w').write('{\"accuracy\": 0.5}')"
    exptrack("run", "--name", "one", "-m", "a note", "-t", "first", "--", PYTHON, "-c", code, "--seed", "7")
    exptrack("note", "one", "-m", "another")
    exptrack("tag", "second", "one")
    done = exptrack("show", "one")
    assert (done.returncode, done.stderr) == (0, "")
    head, environment = done.stdout.split("\nenvironment:\n")
    head = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, took \d+\.\ds", "TIME", head)
    assert head == (
        f"run       one  {git('rev-parse', look.ref('one'), cwd=repository)}\n"
        "status    completed\n"
        "started   TIME\n"
        f"author    Ada Lovelace <ada@example.com> on {look.record('one')['host']}\n"
        f"command   {PYTHON} -c 'open('\"'\"'metrics.json'\"'\"', '\"'\"'w'\"'\"').write('\"'\"'"
        "{\"accuracy\": 0.5}'\"'\"')' --seed 7\n"
        f"base      {git('rev-parse', 'HEAD', cwd=repository)}\n"
        "seed      7\n"
        "tags      first, second\n"
        "note      a note\n"
        "note      another\n"
        "\n"
        "metrics:\n"
        "  accuracy  0.5\n"
        "\n"
        "parameters (args):\n"
        "  seed  7\n"
        "\n"
        "parameters (params.yaml):\n"
        "  deep.er  text\n"
        "  lr       0.25\n"
    )
    assert "packages" in environment


def test_without_a_rev_it_is_the_latest_recorded_here(exptrack):
    exptrack("run", "--name", "zulu", "--", "true")
    exptrack("run", "--name", "alpha", "--", "true")
    assert exptrack("show").stdout.startswith("run       alpha ")
    assert exptrack("show", "@~1").stdout.startswith("run       zulu ")
    done = exptrack("show", "@~2")
    assert (done.returncode, done.stderr) == (2, "exptrack: '@~2': only 2 runs recorded here\n")


def test_every_kind_of_rev_is_understood_and_ambiguity_names_the_candidates(exptrack, look):
    exptrack("run", "--name", "brave-otter", "--", "true")
    exptrack("run", "--name", "brave-fox", "-t", "baseline", "--", "true")
    oid = look.git("rev-parse", look.ref("brave-otter")).strip()
    for rev in ("brave-otter", "brave-o", oid, oid[:10]):
        assert exptrack("show", rev).stdout.startswith("run       brave-otter "), rev
    assert exptrack("show", "baseline").stdout.startswith("run       brave-fox ")
    assert exptrack("show", "brave").stderr == "exptrack: 'brave' is ambiguous: brave-fox, brave-otter\n"
    done = exptrack("show", "brave-oter")
    assert (done.returncode, done.stderr) == (
        2,
        "exptrack: no run is named 'brave-oter', did you mean 'brave-otter'?\n",
    )


def test_the_record_and_the_output_come_as_they_are(exptrack, look):
    exptrack("run", "--name", "one", "--", "echo", "hello")
    assert exptrack("show", "one", "--output").stdout == "hello\n"
    assert exptrack("show", "one", "--json").stdout == look.file("one", ".exptrack/run.json")
    assert json.loads(exptrack("show", "one", "--json").stdout)["schema"] == 1
