"""`exptrack unseal`: a holdout is seen once, and who saw it is noted."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from experiments import SETTINGS, annotations, declare, measure, once


@pytest.fixture
def selected(repository, exptrack, tmp_path_factory):
    once(tmp_path_factory, repository, exptrack, [0.1, 0.2, 0.3])
    assert exptrack("select", "-e", "rate", "--fresh", "3").returncode == 0


def unseal(exptrack, *words):
    done = exptrack("unseal", "-e", "rate", "--reason", "the paper", "--json", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_the_holdout_of_what_was_selected_and_of_the_baseline_is_shown(selected, exptrack):
    given = unseal(exptrack)
    assert (given["metric"], given["spent"], given["earlier"]) == ("test", False, [])
    assert [(one["configuration"], one["n"], one["baseline"]) for one in given["configurations"]] == [
        ("lr=0.3", 3, True),
        ("lr=0.1", 3, False),
    ]
    assert [round(one["mean"], 1) for one in given["configurations"]] == [7.6, 7.8]
    assert given["verdict"]["word"] == "better"
    assert given["notes"] == [
        "of runs that took part in the choice, too: of fresh ones there are 0 and 0, and 3 of each are needed"
    ]


def test_who_when_why_and_what_was_seen_is_noted_with_the_runs(selected, repository, exptrack):
    given = unseal(exptrack)
    [line] = annotations(repository, "r1-0", "unsealing")
    assert annotations(repository, "r3-2", "unsealing") == [line]
    assert annotations(repository, "r2-0", "unsealing") == []
    assert line["author"] == "Ada Lovelace <ada@example.com>"
    value = line["value"]
    assert (value["experiment"], value["metric"], value["reason"]) == ("rate", "test", "the paper")
    assert value["seen"] == {one["configuration"]: one["mean"] for one in given["configurations"]}
    assert value["verdict"] == given["verdict"]["line"]


def test_pairs_that_were_declared_beforehand_are_taken_for_that(repository, exptrack):
    declare(repository, f"{SETTINGS}    pair_by: seed\n")
    measure(exptrack, [0.2, 0.3], range(3))
    assert exptrack("select", "-e", "rate", "--fresh", "3").returncode == 0
    verdict = unseal(exptrack)["verdict"]
    assert "3 pairs of seeds, paired t" in verdict["line"]
    assert not [note for note in verdict["notes"] if "declared before" in note]


def test_a_second_unsealing_says_that_it_is_spent(selected, exptrack):
    first = unseal(exptrack)
    given = unseal(exptrack)
    assert given["spent"]
    assert (given["verdict"]["word"], given["verdict"]["p"]) == ("withheld", None)
    [earlier] = given["earlier"]
    assert (earlier["reason"], earlier["verdict"]) == ("the paper", first["verdict"]["line"])
    done = exptrack("unseal", "-e", "rate", "--reason", "once more")
    assert done.returncode == 0
    assert "the holdout is spent: what is chosen after it was seen is no longer confirmed by it" in done.stdout
    assert done.stdout.count(" by Ada Lovelace: the paper") == 2


def test_of_two_at_once_no_more_than_one_is_the_first(selected, repository, exptrack):
    words = [sys.executable, "-m", "exptrack", "unseal", "-e", "rate", "--reason", "at once", "--json"]
    started = [subprocess.Popen(words, cwd=repository, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    given = [json.loads(one.communicate(timeout=60)[0]) for one in started]
    assert sum(not one["spent"] for one in given) <= 1
    assert len(annotations(repository, "r1-0", "unsealing")) == 2


def test_fresh_runs_alone_count_where_there_are_enough(selected, exptrack):
    measure(exptrack, [0.1, 0.3], [3, 4, 5])
    given = unseal(exptrack)
    assert given["notes"] == ["of fresh runs, which took no part in the choice"]
    assert [one["n"] for one in given["configurations"]] == [3, 3]


def test_until_then_nobody_sees_it(selected, exptrack):
    for words in (
        ["ls"],
        ["show", "r1-0"],
        ["select", "-e", "rate"],
        ["conclude", "-e", "rate"],
        ["compare", "-e", "rate"],
    ):
        done = exptrack(*words)
        assert done.returncode == 0
        assert "7.79" not in done.stdout
        assert "7.80" not in done.stdout


def test_nothing_is_unsealed_before_something_was_selected(repository, exptrack, look, tmp_path_factory):
    once(tmp_path_factory, repository, exptrack, [0.1, 0.2, 0.3])
    done = exptrack("unseal", "-e", "rate", "--reason", "why not")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nothing was selected of 'rate' yet" in done.stderr
    assert look.refs("refs/notes") == []


def test_what_was_selected_may_be_gone(selected, exptrack):
    assert exptrack("rm", "r1-0", "r1-1", "r1-2").returncode == 0
    done = exptrack("unseal", "-e", "rate", "--reason", "the paper")
    assert (done.returncode, done.stderr) == (
        2,
        "exptrack: no run of the configuration that was selected is here any more: choose anew with `exptrack select -e rate --again`\n",
    )


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_reason_is_needed(selected, repository, exptrack, reason):
    done = exptrack("unseal", "-e", "rate", "--reason", reason)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "exptrack: no reason is given: say with --reason why the holdout is looked at now\n"
    assert annotations(repository, "r1-0", "unsealing") == []


def test_a_metric_that_is_no_holdout_is_not_unsealed(selected, exptrack):
    done = exptrack("unseal", "-e", "rate", "--reason", "why", "--metric", "accuracy")
    assert (done.returncode, done.stderr) == (
        2,
        "exptrack: metric 'accuracy' is no holdout: `exptrack compare` shows it\n",
    )


def test_without_a_holdout_there_is_nothing_to_unseal(repository, exptrack):
    declare(repository, SETTINGS.replace(", holdout: true", ""))
    measure(exptrack, [0.2, 0.3], range(3))
    assert exptrack("select", "-e", "rate").returncode == 0
    done = exptrack("unseal", "-e", "rate", "--reason", "why")
    assert (done.returncode, done.stderr) == (
        2,
        "exptrack: 'rate' has no holdout: declare one with `holdout` below the experiment in exptrack.yaml\n",
    )


def test_a_credential_in_the_reason_is_masked(selected, repository, exptrack):
    token = "ghp_" + "a1B2" * 9
    assert exptrack("unseal", "-e", "rate", "--reason", f"used {token}").returncode == 0
    [line] = annotations(repository, "r1-0", "unsealing")
    assert token not in line["value"]["reason"]


def test_what_was_seen_is_told_by_compare_in_place_of_the_flag_and_by_show(selected, exptrack):
    before = next(one for one in ask_compare(exptrack) if one["label"] == "lr=0.1")
    assert "selected_on_this_split" in before["flags"]
    given = unseal(exptrack)
    after = next(one for one in ask_compare(exptrack) if one["label"] == "lr=0.1")
    assert "selected_on_this_split" not in after["flags"]
    [note] = [note for note in after["notes"] if "its holdout test was unsealed on" in note]
    assert note.endswith(given["verdict"]["line"])
    card = exptrack("show", "r1-0").stdout
    assert "because: the paper; seen: " in " ".join(card.split())
    assert "unsealed" not in exptrack("show", "r2-0").stdout


def ask_compare(exptrack):
    return json.loads(exptrack("compare", "-e", "rate", "--json").stdout)["verdicts"]
