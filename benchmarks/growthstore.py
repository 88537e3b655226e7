"""A store of MLflow on SQLite: `python benchmarks/growthstore.py fill STORE ROWS`, or `latest`, `best` or `all` and the store, for `growth.py`.

It needs MLflow and nothing of exptrack, so that it can be run by another Python. The store is made by MLflow itself; runs go in by bulk
inserts into its tables, since its API takes minutes for 10,000. A run has one value of each metric, in both tables that MLflow has for them.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from hashlib import md5
from importlib import import_module
from pathlib import Path
from typing import Any

_AUTHOR, _PAGE, _LATEST = "ada", 50_000, 20  # 50,000 is the most that MLflow gives at once


def fill(store: str, rows: str) -> None:
    """One line of JSON a run: name, status, started and ended in ms, params, metrics."""
    import_module("mlflow").MlflowClient(f"sqlite:///{store}").search_experiments()
    with sqlite3.connect(store) as database, Path(rows).open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            _insert(database, row)


def _insert(database: sqlite3.Connection, row: dict[str, Any]) -> None:
    run, ended = md5(row["name"].encode(), usedforsecurity=False).hexdigest(), row["ended"]
    database.execute(
        "INSERT INTO runs(run_uuid, name, source_type, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri, experiment_id) "
        "VALUES(?, ?, 'LOCAL', ?, ?, ?, ?, 'active', ?, 0)",
        (run, row["name"], _AUTHOR, row["status"], row["started"], ended, f"mlruns/0/{run}/artifacts"),
    )
    values = [(key, value, ended, run) for key, value in row["metrics"].items()]
    for table in ("metrics", "latest_metrics"):
        database.executemany(
            f"INSERT INTO {table}(key, value, timestamp, run_uuid, step, is_nan) VALUES(?, ?, ?, ?, 0, 0)",
            values,
        )
    params = [(key, value, run) for key, value in row["params"].items()]
    database.executemany("INSERT INTO params(key, value, run_uuid) VALUES(?, ?, ?)", params)
    tags = {
        "mlflow.runName": row["name"],
        "mlflow.user": _AUTHOR,
        "mlflow.source.name": "train.py",
        "mlflow.source.type": "LOCAL",
    }
    database.executemany(
        "INSERT INTO tags(key, value, run_uuid) VALUES(?, ?, ?)", [(*tag, run) for tag in tags.items()]
    )


def search(store: str, what: str) -> Iterator[Any]:
    """The latest runs, the best of those that are good, or all."""
    client, found = import_module("mlflow").MlflowClient(f"sqlite:///{store}"), None
    by_time, by_accuracy = ["attributes.start_time DESC"], ["metrics.accuracy DESC"]
    if what == "latest":
        yield from client.search_runs(["0"], max_results=_LATEST, order_by=by_time)
    elif what == "best":
        yield from client.search_runs(["0"], "metrics.accuracy > 0.5", max_results=_LATEST, order_by=by_accuracy)
    else:
        while found is None or found.token:
            found = client.search_runs(["0"], max_results=_PAGE, order_by=by_time, page_token=found and found.token)
            yield from found


def main() -> None:
    """Do what the words say; a line for each run that is found."""
    what, store, *rest = sys.argv[1:]
    if what == "fill":
        fill(store, *rest)
        return
    for run in search(store, what):
        print(run.info.run_name, run.info.status, run.data.metrics.get("accuracy"), run.data.params.get("model.depth"))


if __name__ == "__main__":
    main()
