"""A number without a name on the command line is told where it makes a configuration of each run."""

from __future__ import annotations

import pytest

from exptrack.analysis.experiments.grouping import Grouping, Row
from exptrack.analysis.experiments.positional import note_positional
from exptrack.model.run import Status


def rows(*commands, seed=None, params=None):
    return [
        Row(f"r{place}", Status.COMPLETED, seed, params or {}, 0.5, command=command)
        for place, command in enumerate(commands)
    ]


def test_a_number_that_alone_tells_runs_apart_may_be_the_seed():
    [line] = note_positional(
        rows("python train.py 1 big", "python train.py 2 big", "python train.py 3 small"), Grouping()
    )
    assert line == (
        "2 configurations differ in nothing but a number of `python train.py N big`: if it is the seed, give it a name (--seed N), "
        "or take it from $EXPTRACK_SEED and run with `exptrack run --seed N`, and they are replicates"
    )


def test_so_may_a_number_in_the_text_of_a_script():
    [line] = note_positional(rows(*(f"sh -c 'echo seed: {seed}; python train.py'" for seed in range(3))), Grouping())
    assert line.startswith(
        "3 configurations differ in nothing but a number of `sh -c 'echo seed: N; python train.py'`: if it is the seed"
    )
    [line] = note_positional(rows(*(f"sh -c '{'x' * 90}; a {seed}; {'y' * 90}'" for seed in range(3))), Grouping())
    assert f"`…{'x' * 36}; a N; {'y' * 38}…`" in line


@pytest.mark.parametrize(
    "some",
    [
        rows("python train.py a", "python train.py b"),
        rows("python train.py 1", "python other.py 2"),
        rows("python train.py 1", "python train.py 1"),
        rows("python train.py 1", "python train.py 2", seed=3),
        [*rows("python train.py 1", params={"lr": 1}), *rows("python train.py 2", params={"lr": 2})],
        rows("python train.py 0.1", "python train.py 0.2"),
        rows("python train.py a1", "python train.py a2"),
        rows("", ""),
        [],
    ],
)
def test_what_differs_otherwise_is_none(some):
    assert note_positional(some, Grouping()) == ()


def test_where_parameters_alone_group_the_command_tells_nothing():
    assert note_positional(rows("a 1", "a 2"), Grouping(by=("lr",))) == ()


def test_code_parts_unless_it_is_merged():
    one, two = rows("a 1", "a 2")
    parted = [one._replace(code="x"), two._replace(code="y")]
    assert note_positional(parted, Grouping()) == ()
    assert len(note_positional(parted, Grouping(is_code_merged=True))) == 1
