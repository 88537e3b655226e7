"""Runs put straight on their refs, many in a moment, as a study of several configurations would leave them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from exptrack.analysis.codec import encode_record
from exptrack.backends.git.importing import format_files, import_commit
from exptrack.backends.git.repository import find_repository
from exptrack.model.run import Record, Status
from exptrack.store import runs

PEOPLE = b"author Ada <ada@example.com> 1769860800 +0000\ncommitter Ada <ada@example.com> 1769860800 +0000\n"
BEGAN = datetime(2026, 1, 5, 8, tzinfo=UTC)

# A metric, an experiment by it, and values that are low, hardly higher, and clearly higher.
GOAL = "metrics:\n  accuracy: {goal: maximize, min_effect: 0.02}\n  loss: minimize\n"
EXPERIMENT = """\
experiments:
  rate:
    metric: accuracy
    secondary: [loss]
    variables: {lr: [0.1, 0.2, 0.3]}
    seeds: 4
    baseline: {lr: 0.1}
"""
LOW, MIDDLE, HIGH = [0.80, 0.81, 0.79, 0.805], [0.801, 0.812, 0.788, 0.806], [0.90, 0.91, 0.89, 0.905]


class Study:
    """Adds runs to a repository. Each stands on a snapshot of the commit that is checked out, a minute after the one before."""

    def __init__(self, folder: Path, git: Callable[..., str]) -> None:
        self.folder = folder
        self.git = git
        self.count = 0

    def declare(self, text: str) -> None:
        """Write `exptrack.yaml` and commit it."""
        (self.folder / "exptrack.yaml").write_text(text)
        self.commit("declare")

    def commit(self, message: str) -> str:
        self.git("add", "-A", cwd=self.folder)
        self.git("commit", "--quiet", "--allow-empty", "-m", message, cwd=self.folder)
        return self.git("rev-parse", "HEAD", cwd=self.folder)

    def add(
        self,
        params: Mapping[str, Any],
        metrics: Mapping[str, Any],
        *,
        name: str | None = None,
        files: Mapping[str, bytes] | None = None,
        **fields: Any,
    ) -> str:
        """A run with these parameters and metrics, its `seed` among the parameters; gives its name."""
        self.count += 1
        name, started = name or f"run-{self.count:03}", BEGAN + timedelta(minutes=self.count)
        record = Record(
            name,
            fields.pop("status", Status.COMPLETED),
            started,
            command=fields.pop("command", ("python", "train.py")),
            seed=params.get("seed"),
            params={"params.yaml": dict(params)},
            metrics=dict(metrics),
            **fields,
        )
        snapshot = self.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", f"snapshot of {name}", cwd=self.folder)
        content = {runs.RECORD: encode_record(record), **(files or {})}
        oid = import_commit(find_repository(self.folder), PEOPLE, f"{name}\n", snapshot, format_files(content))
        self.git("update-ref", runs.ref_of(name, started), oid, cwd=self.folder)
        return name

    def fill(self, params: Mapping[str, Any], values: Sequence[float], metric: str = "accuracy", **fields: Any) -> None:
        """Replicates: a run for each value, with the seeds 0, 1, ...."""
        for seed, value in enumerate(values):
            self.add({**params, "seed": seed}, {metric: value}, **fields)
