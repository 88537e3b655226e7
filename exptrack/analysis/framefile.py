"""Columns of a Parquet file, by pandas and pyarrow, which is not installed with exptrack."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from exptrack.analysis.wording import name_few
from exptrack.errors import DataError

_NAMED = 8


def read_rows(data: bytes, columns: Sequence[str], source: str) -> list[tuple[object, ...]]:
    """The rows of a Parquet file, of these columns, in their order. Raises DataError that names `source`, also where pyarrow is missing."""
    import pandas as pd

    try:
        frame = pd.read_parquet(BytesIO(data), engine="pyarrow")
    except ImportError as error:
        raise DataError(f"{source} is a Parquet file: `pip install pyarrow` to read it, or keep a CSV file") from error
    except (ValueError, OSError) as error:  # what pyarrow says of a broken file is one of both
        raise DataError(f"{source} is no Parquet file: {str(error).partition(chr(10))[0].rstrip('.')}") from error
    named = [str(name) for name in frame.columns]
    for name in columns:
        if named.count(name) != 1:
            why = "more than one column" if name in named else "no column"
            raise DataError(
                f"{source} has {why} '{name}': it has {name_few(named, _NAMED) or 'none'}; name it in predictions of the experiment in exptrack.yaml"
            )
    places = [named.index(name) for name in columns]
    return list(zip(*(frame.iloc[:, place].astype(object).tolist() for place in places), strict=True))
