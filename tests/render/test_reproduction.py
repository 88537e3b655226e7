"""A reproduction on a terminal: the verdict first, nothing that says nothing, and nothing of others can act on it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reproductions import ALL_HOSTILE, AT, EXACT, FAILED, REPRODUCTIONS, STATISTICAL, levels, run

from exptrack.model.reproduction import Answer, Divergence, LevelAnswer, Reproduction
from exptrack.model.run import Status
from exptrack.render.reproduction import format_reproduction, list_command, say_verdict
from exptrack.render.text import display_width

YES, NO, CANNOT, WEAK = Answer.YES, Answer.NO, Answer.CANNOT_ASSESS, Answer.TOO_WEAK

AT_MAIN = """\
brave-otter-k3f9 at main does not reproduce

exact           no                differs: 2 of 2 files
statistical     too weak to tell  loss: 0.5 lies inside 0.41 ± 0.3, which is
                                    wider than min_effect (0.01)
methodological  no                code, data and parameters differ
conceptual      cannot assess     no baseline is declared

first diverged:
  metric loss at step 3  0.61 → 0.7

parameters:
  key  old  new
  lr   0.1  0.2

metrics:
  key   old   new  delta  relative
  loss  0.41  0.5  +0.09  +22.0%

data:
  data/raw.csv  changed   md5:aa → md5:bb

code: 1 file, +1 −1
  train.py | 2 +-

`exptrack diff brave-otter-k3f9 calm-fox-a1b2` shows all of it

recorded:
  calm-fox-a1b2  completed, took 3.1s"""  # noqa: RUF001 - a minus sign


def shown(reproduction: Reproduction, *, width: int | None = 80, color: bool = False) -> str:
    return format_reproduction(reproduction, {}, width=width, color=color)


def test_exact_says_little():
    assert (
        shown(EXACT)
        == """\
brave-otter-k3f9 reproduces: exact

exact           yes            2 files and 3 metrics are the same
statistical     cannot assess  1 earlier run of this configuration, 3 are
                                 needed
methodological  yes            the same code, data and parameters, and the
                                 same metrics
conceptual      cannot assess  no baseline is declared

recorded:
  calm-fox-a1b2  completed, took 3.1s"""
    )


def test_statistical_but_not_exact_says_where_it_diverged_and_what_differs():
    assert (
        shown(STATISTICAL)
        == """\
brave-otter-k3f9 reproduces: statistical, not exact

exact           no             differs: 1 of 2 files, the first `model.pkl`
                               loss: 0.41 → 0.42
statistical     yes            loss: 0.42 lies inside 0.41 ± 0.05, from 5
                                 earlier seeds and 2 reruns
methodological  yes            loss: 2.4 % away, 5 % are allowed
conceptual      cannot assess  no baseline is declared

nondeterministic: the seed is recorded and environment and hardware agree, so
  exact was expected: first diverges at model.pkl

first diverged:
  stage train, output model.pkl  md5:aaaaaaaaaaaa → md5:bbbbbbbbbbbb

metrics:
  key   old   new   delta  relative
  loss  0.41  0.42  +0.01  +2.4%

environment: 1 changed; packages 12 changed
  hardware.cpu  Xeon → EPYC
  packages changed:
    p00  1.0 → 1.1
    p01  1.0 → 1.1
    p02  1.0 → 1.1
    p03  1.0 → 1.1
    p04  1.0 → 1.1
    p05  1.0 → 1.1
    p06  1.0 → 1.1
    p07  1.0 → 1.1
    p08  1.0 → 1.1
    p09  1.0 → 1.1
  and 2 more packages

`exptrack diff brave-otter-k3f9 calm-fox-a1b2` shows all of it

notes:
  loss is the only metric that is declared
  same.csv was modified on both sides

recorded, with the packages of the original:
  calm-fox-a1b2   completed, took 3.1s
  dear-crow-77aa  completed, took 1h 6min"""
    )


def test_an_execution_that_failed_says_how_to_see_why():
    assert (
        shown(FAILED)
        == """\
brave-otter-k3f9 does not reproduce: the rerun failed, exit status 1

exact           no             the execution failed
statistical     cannot assess  no execution completed
methodological  no             the execution failed
conceptual      cannot assess  no baseline is declared

metrics:
  key   old   new
  loss  0.41  -

recorded:
  calm-fox-a1b2  failed, exit status 1, took 3.1s
  `exptrack show calm-fox-a1b2 --output` shows what it printed"""
    )


def test_at_other_code_and_data_it_names_what_differs():
    assert shown(AT) == AT_MAIN


def test_in_a_pipe_and_on_a_narrow_terminal():
    assert (
        "\nstatistical     yes            loss: 0.42 lies inside 0.41 ± 0.05, from 5 earlier seeds and 2 reruns\n"
        in shown(STATISTICAL, width=None)
    )
    assert (
        shown(EXACT, width=40).split("\n\n")[1]
        == """\
exact           yes
  2 files and 3 metrics are the same
statistical     cannot assess
  1 earlier run of this configuration,
    3 are needed
methodological  yes
  the same code, data and parameters,
    and the same metrics
conceptual      cannot assess
  no baseline is declared"""
    )


def test_answers_have_colours_if_the_terminal_has():
    text = shown(STATISTICAL, color=True)
    assert text.startswith("\x1b[32mbrave-otter-k3f9 reproduces: statistical, not exact\x1b[m\n")
    assert "\nexact           \x1b[31mno\x1b[m             differs" in text
    assert "\nconceptual      \x1b[33mcannot assess\x1b[m  no" in text
    assert "\x1b[33mnondeterministic:\x1b[m the seed" in text
    assert re.sub(r"\x1b\[\d*m", "", text) == shown(STATISTICAL)
    assert "\x1b[31mfailed\x1b[m, exit status 1" in shown(FAILED, color=True)


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ((YES, YES, YES, YES), "reproduces: exact"),
        ((NO, NO, YES, CANNOT), "reproduces: methodological, not exact or statistical"),
        ((NO, CANNOT, YES, NO), "reproduces: methodological, not exact"),
        ((CANNOT, YES, YES, CANNOT), "reproduces: statistical"),
        ((NO, WEAK, CANNOT, CANNOT), "does not reproduce"),
        ((CANNOT, WEAK, CANNOT, CANNOT), "is not known to reproduce"),
    ],
)
def test_the_verdict_names_the_strongest_level_and_those_that_were_missed(answers, verdict):
    assert say_verdict(EXACT._replace(levels=levels(*answers))) == verdict


@pytest.mark.parametrize(
    ("original", "reruns", "verdict"),
    [
        (Status.COMPLETED, [Status.INTERRUPTED], "does not reproduce: the rerun was interrupted"),
        (Status.COMPLETED, [Status.COMPLETED, Status.CRASHED], "does not reproduce: 1 of 2 reruns ended otherwise"),
        (Status.FAILED, [Status.COMPLETED], "does not reproduce: the rerun completed, the recorded run failed"),
        (Status.FAILED, [Status.FAILED], "does not reproduce"),
        (Status.COMPLETED, [], "does not reproduce"),
    ],
)
def test_an_execution_that_ended_otherwise_is_part_of_the_verdict(original, reruns, verdict):
    runs = tuple(run(status=status, exit_code=None) for status in reruns)
    missed = EXACT._replace(original=run(status=original), reruns=runs, levels=levels(NO, CANNOT, NO, CANNOT))
    assert say_verdict(missed) == verdict


@pytest.mark.parametrize(
    ("divergence", "line"),
    [
        (Divergence("train", "model.pkl", old="md5:a", new="md5:b"), "stage train, output model.pkl  md5:a → md5:b"),
        (
            Divergence("train", "model.pkl", old="md5:a", new="md5:b", input="a b "),
            'stage train (its input "a b " differs), output model.pkl  md5:a → md5:b',
        ),
        (Divergence("train", "model.pkl", old="md5:a"), "stage train, output model.pkl  md5:a → -"),
        (Divergence(output="a b ", old="md5:a", new="md5:b"), 'output "a b "  md5:a → md5:b'),
        (
            Divergence(output="m", old=f"md5:{'a' * 32}", new=f"md5:{'b' * 32}.dir"),
            f"output m  md5:{'a' * 12} → md5:{'b' * 12}",
        ),
        (Divergence(output="m", new=f"sha256:{'a' * 64}"), f"output m  - → sha256:{'a' * 12}"),
        (Divergence(metric="loss", old=0.1, new=0.1 + 1e-9), "metric loss  0.1 → 0.100000001"),
        (Divergence(metric="loss", step=0, old=1, new=None), "metric loss at step 0  1 → -"),
    ],
)
def test_where_it_diverged_is_one_line(divergence, line):
    assert f"\n\nfirst diverged:\n  {line}\n\n" in shown(EXACT._replace(divergence=divergence))


def test_evidence_that_is_too_wide_stands_below_its_level():
    long = (LevelAnswer("exact", NO, (f"differs: {'x' * 70}",)),)
    assert shown(EXACT._replace(levels=long)).split("\n\n")[1] == f"exact  no\n  differs:\n    {'x' * 70}"


def test_the_command_that_repeats_it_says_what_was_asked():
    assert list_command(EXACT) == ["exptrack", "reproduce", "brave-otter-k3f9"]
    assert list_command(AT._replace(environment="recorded")) == [
        "exptrack", "reproduce", "brave-otter-k3f9", "--at", "main", "--environment", "recorded",
    ]  # fmt: skip


@pytest.mark.parametrize("hostile", ALL_HOSTILE, ids=range(len(ALL_HOSTILE)))
def test_no_text_breaks_out_of_its_line(hostile):
    text = shown(hostile)
    assert text.replace("\n", "").isprintable()
    _, *others = [line for line in text.split("\n") if line and not line.startswith(" ")]
    own = r"(exact|statistical|methodological|conceptual) |nondeterministic:|first diverged:$|(parameters|metrics|data|notes):$"
    own += r"|(environment|code): |`exptrack |recorded, with the packages of the original:$"
    assert [line for line in others if not re.match(own, line)] == []
    assert len(others) == len(set(others))


@given(REPRODUCTIONS, st.sampled_from([None, 40, 80, 200]))
def test_whatever_it_holds_the_answers_are_there_and_no_line_is_wider_than_the_terminal(reproduction, width):
    text = shown(reproduction, width=width)
    assert text.replace("\n", "").isprintable()
    assert "\n\n\n" not in text
    for one in reproduction.levels:
        assert re.search(rf"^{one.level} +{one.answer}( |$)", text, re.MULTILINE)
    head, answers = text.split("\n\n")[:2]
    assert all(display_width(line) <= (width or 200) for line in [*head.split("\n"), *answers.split("\n")])
