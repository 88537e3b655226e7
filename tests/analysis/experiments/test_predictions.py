"""What runs predicted: files that are read or refused, two models on the same examples, and where the noise comes from."""

from __future__ import annotations

import random

import pytest

from exptrack.analysis.experiments.predictions import compare_models, make_examples, parse_examples, split_variance
from exptrack.errors import DataError
from exptrack.model.experiment import Predictions

COLUMNS = Predictions("p.csv")


def examples(labels, predictions, source="p.csv of a"):
    return make_examples(zip(range(len(labels)), labels, predictions, strict=True), COLUMNS, source)


def models(labels, first, second):
    return compare_models(examples(labels, first), examples(labels, second, "p.csv of b"), ("a", "b"))


def test_two_models_are_told_apart_by_what_one_alone_has_right():
    labels = ["cat"] * 100
    first = ["cat"] * 62 + ["dog"] * 38
    second = ["cat"] * 50 + ["dog"] * 12 + ["cat"] * 20 + ["dog"] * 18
    found = models(labels, first, second)
    assert (found.examples, found.both, found.only_first, found.only_second) == (100, 50, 12, 20)
    assert found.p == pytest.approx(0.2153, abs=5e-5)  # R: binom.test(12, 32)
    assert found.line == (
        "these two models, a and b, on these 100 examples: accuracy 0.62 and 0.70, +0.08 [95% bootstrap CI -0.03, +0.19]; "
        "right where the other is wrong: 20 against 12, McNemar exact p=0.22"
    )


def test_numbers_are_compared_by_how_near_they_are():
    generator = random.Random(5)
    labels = [generator.gauss(0, 1) for _ in range(200)]
    first = [label + generator.gauss(0, 0.5) for label in labels]
    second = [label + generator.gauss(0, 0.4) for label in labels]
    found = models(labels, first, second)
    assert [gap.metric for gap in found.gaps] == ["mean absolute error", "mean squared error"]
    assert found.p is None
    for gap in found.gaps:
        assert gap.interval.low < gap.difference < gap.interval.high < 0
    assert found == models(labels, first, second)
    assert "these two models" in found.line


def test_numbers_that_are_the_same_are_one_label():
    found = models(["1", "0", "1"], ["1.0", "0", "2"], [1, 0.0, True])
    assert (found.both, found.only_first, found.only_second) == (2, 0, 0)


def test_the_noise_of_runs_is_split_into_that_of_runs_and_that_of_examples():
    labels = ["x"] * 100
    runs = [examples(labels, ["x"] * right + ["y"] * (100 - right)) for right in (90, 92, 88)]
    found = split_variance("lr=1", runs)
    assert (found.accuracy, found.run_sd, found.sample_error) == pytest.approx((0.9, 0.02, 0.03))
    assert found.line == (
        "lr=1: accuracy 0.9 over 3 runs; standard deviation from run to run 0.02, standard error by the choice of 100 examples 0.03"
    )
    assert split_variance("lr=1", runs[:2]) is None
    assert split_variance("lr=1", [examples(["1.5"], ["2.5"])] * 3) is None


def test_columns_are_found_by_their_names_in_whatever_order():
    data = b'\xef\xbb\xbftruth,name,guess\r\n"a, b",007,x\r\n\r\nc,1e5,c\r\n'
    found = parse_examples(data, Predictions("p.csv", id="name", label="truth", prediction="guess"), "p.csv of a")
    assert dict(found.labels) == {"007": "a, b", "1e5": "c"}
    assert dict(found.predictions) == {"007": "x", "1e5": "c"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "p.csv of a has no column 'id': it has none; name it in predictions of the experiment in exptrack.yaml"),
        (b"id,label,guess\n1,a,a\n", "p.csv of a has no column 'prediction': it has id, label, guess; name it in predictions of the experiment in exptrack.yaml"),
        (b"id,id,label,prediction\n", "p.csv of a has more than one column 'id': it has id, id, label, prediction; name it in predictions of the experiment in exptrack.yaml"),
        (b"id,label,prediction\n", "p.csv of a has no example"),
        (b"id,label,prediction\n1,a,a\n2,b\n", "p.csv of a, line 3: 2 columns where 3 are named"),
        (b"id,label,prediction\n1,a,\n", "p.csv of a: no prediction of example 1"),
        (b"id,label,prediction\n,a,a\n", "p.csv of a: no id of an example"),
        (b"id,label,prediction\n1,a,a\n1,b,b\n", "p.csv of a: example 1 is there twice; give each its own id"),
        (b"PAR1\xff\x00", "p.csv of a is no CSV file in UTF-8: 'utf-8' codec can't decode byte 0xff in position 4: invalid start byte"),
        (b'id,label,prediction\n1,a,"b', "p.csv of a is no CSV file in UTF-8: unexpected end of data"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_says_why(data, message):
    with pytest.raises(DataError) as caught:
        parse_examples(data, COLUMNS, "p.csv of a")
    assert str(caught.value) == message


def test_other_examples_and_other_labels_are_refused():
    first = examples(["a", "b", "c"], ["a", "b", "c"])
    with pytest.raises(
        DataError, match=r"^2 examples of p.csv of a \(such as 1\) are not in p.csv of b: predict the same"
    ):
        compare_models(first, examples(["a"], ["a"], "p.csv of b"), ("a", "b"))
    with pytest.raises(
        DataError, match=r"^1 example of p.csv of b \(such as 3\) is not in p.csv of a: predict the same"
    ):
        compare_models(first, examples(["a", "b", "c", "d"], ["a", "b", "c", "c"], "p.csv of b"), ("a", "b"))
    with pytest.raises(DataError, match=r"^the labels of 1 example differ: 2 is c in p.csv of a, d in p.csv of b$"):
        compare_models(first, examples(["a", "b", "d"], ["a", "b", "d"], "p.csv of b"), ("a", "b"))


def test_the_order_of_rows_changes_nothing():
    rows = [(str(number), "a", "ab"[number % 3 == 0]) for number in range(50)]
    other = [(str(number), "a", "ab"[number % 5 == 0]) for number in range(50)]
    one, two = make_examples(rows, COLUMNS, "x"), make_examples(other, COLUMNS, "y")
    assert compare_models(one, two, ("a", "b")) == compare_models(
        make_examples(rows[::-1], COLUMNS, "x"), two, ("a", "b")
    )
