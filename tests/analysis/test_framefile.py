"""Columns of Parquet files; pyarrow, which reads them, need not be installed."""

from __future__ import annotations

import sys
from io import BytesIO

import pandas as pd
import pytest

from exptrack.analysis.experiments.predictions import make_examples
from exptrack.analysis.framefile import read_rows
from exptrack.errors import DataError
from exptrack.model.experiment import Predictions

COLUMNS = ("id", "label", "prediction")


def test_without_pyarrow_a_parquet_file_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        DataError, match=r"^p.parquet of a is a Parquet file: `pip install pyarrow` to read it, or keep a CSV file$"
    ):
        read_rows(b"PAR1", COLUMNS, "p.parquet of a")


def test_the_columns_of_a_parquet_file_are_read_in_whatever_order():
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(
        {"prediction": [0.0, 1.0, 1.0], "label": [0, 1, 0], "more": ["x", "y", "z"], "id": ["007", "1e5", "c"]}
    )
    written = BytesIO()
    frame.to_parquet(written)
    found = make_examples(read_rows(written.getvalue(), COLUMNS, "p"), Predictions("p"), "p")
    assert dict(found.labels) == {"007": "0", "1e5": "1", "c": "0"}
    assert dict(found.predictions) == {"007": "0", "1e5": "1", "c": "1"}
    with pytest.raises(DataError, match=r"^p has no column 'name': it has prediction, label, more, id; name it in pre"):
        read_rows(written.getvalue(), ("name", "label", "prediction"), "p")


def test_a_broken_parquet_file_says_so():
    pytest.importorskip("pyarrow")
    with pytest.raises(DataError, match=r"^p.parquet of a is no Parquet file: .*[^.]$"):
        read_rows(b"nothing of the kind", COLUMNS, "p.parquet of a")
