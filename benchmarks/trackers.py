"""One tracker at work, as a process of its own: `python benchmarks/trackers.py TOOL time|kill|read FOLDER [SECONDS|NOTES]`, for `tracking.py`.

Each tool logs three metrics a step in the way that its documentation shows, by one call where it has one for several metrics.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter, process_time, sleep
from typing import Any, NamedTuple

Log = Callable[[dict[str, float], int], object]

_NAMES = ("loss", "accuracy", "lr")
_TIMED, _LOOPED = 20_000, 200_000  # calls at most
_WARM = 20
_PATIENCE = 300.0  # seconds for a recorder to end


class Tool(NamedTuple):
    """A tracker: the module that it is, how it starts (gives what logs and what ends), and how it reads the steps of a run back."""

    module: str
    start: Callable[[], tuple[Log, Callable[[], object]]]
    read: Callable[[], list[float]]


def values_of(step: int) -> dict[str, float]:
    """Three numbers as training has them, other ones for each step."""
    return {"loss": 1.234567 / (step + 1), "accuracy": 0.98765432 - 1e-7 * step, "lr": 0.001}


def _start_exptrack() -> tuple[Log, Callable[[], object]]:
    run = import_module("exptrack").start_run("measured")
    return run.log_metrics, run.end


def _start_functions() -> tuple[Log, Callable[[], object]]:
    exptrack = import_module("exptrack")
    exptrack.start_run("measured")
    return exptrack.log_metrics, exptrack.end_run


def _read_exptrack() -> list[float]:
    from exptrack.project import Project

    begun = perf_counter()
    while Path(".git/exptrack/active/measured").exists() and perf_counter() - begun < _PATIENCE:
        sleep(0.05)
    project = Project(".")
    found = [[float(str(step)) for step in project.history("measured", name).steps] for name in _NAMES]
    return min(found, key=len)


def _start_dvclive() -> tuple[Log, Callable[[], object]]:
    live = import_module("dvclive").Live(save_dvc_exp=False)

    def log(values: dict[str, float], _step: int) -> None:
        for name, value in values.items():
            live.log_metric(name, value)
        live.next_step()

    return log, live.end


def _read_dvclive() -> list[float]:
    found = []
    for name in _NAMES:
        lines = Path(f"dvclive/plots/metrics/{name}.tsv").read_text(encoding="utf-8").splitlines()
        found.append([float(line.split("\t")[0]) for line in lines[1:] if line.count("\t") == 1])
    return min(found, key=len)


_STORE = "sqlite:///mlflow.db"


def _start_mlflow() -> tuple[Log, Callable[[], object]]:
    mlflow = import_module("mlflow")
    mlflow.set_tracking_uri(_STORE)
    mlflow.start_run()
    return mlflow.log_metrics, mlflow.end_run


def _read_mlflow() -> list[float]:
    client = import_module("mlflow").MlflowClient(_STORE)
    [run] = client.search_runs(["0"])
    found = [[float(one.step) for one in client.get_metric_history(run.info.run_id, name)] for name in _NAMES]
    return min(found, key=len)


def _start_tensorboard() -> tuple[Log, Callable[[], object]]:
    writer = import_module("tensorboardX").SummaryWriter("logs")

    def log(values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            writer.add_scalar(name, value, step)

    return log, writer.close


def _start_flushed() -> tuple[Log, Callable[[], object]]:
    writer = import_module("tensorboardX").SummaryWriter("logs")

    def log(values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            writer.add_scalar(name, value, step)
        writer.flush()

    return log, writer.close


def _read_tensorboard() -> list[float]:
    """Records of a file of events: eight bytes of length, four of a checksum, the event, four more. The last one may be cut."""
    event = import_module("tensorboardX.proto.event_pb2").Event
    found: dict[str, list[float]] = {name: [] for name in _NAMES}
    [file] = Path("logs").iterdir()
    data, place = file.read_bytes(), 0
    while place + 12 <= len(data):
        end = place + 12 + int.from_bytes(data[place : place + 8], "little")
        if end > len(data):
            break
        one: Any = event.FromString(data[place + 12 : end])
        for value in one.summary.value:
            found[value.tag].append(float(one.step))
        place = end + 4
    return min(found.values(), key=len)


def _start_trackio() -> tuple[Log, Callable[[], object]]:
    os.environ["TRACKIO_DIR"] = str(Path("trackio").absolute())
    trackio = import_module("trackio")
    trackio.init(project="measured", name="measured", embed=False)
    return lambda values, step: trackio.log(values, step=step), trackio.finish


def _read_trackio() -> list[float]:
    os.environ["TRACKIO_DIR"] = str(Path("trackio").absolute())
    storage = import_module("trackio.sqlite_storage").SQLiteStorage
    return [float(one["step"]) for one in storage.get_logs("measured", "measured")]


TOOLS: Mapping[str, Tool] = {
    "exptrack, run.log_metrics": Tool("exptrack", _start_exptrack, _read_exptrack),
    "exptrack.log_metrics": Tool("exptrack", _start_functions, _read_exptrack),
    "DVCLive": Tool("dvclive", _start_dvclive, _read_dvclive),
    "MLflow, SQLite": Tool("mlflow", _start_mlflow, _read_mlflow),
    "tensorboardX": Tool("tensorboardX", _start_tensorboard, _read_tensorboard),
    "tensorboardX, flush()": Tool("tensorboardX", _start_flushed, _read_tensorboard),
    "trackio": Tool("trackio", _start_trackio, _read_trackio),
}


def time_calls(log: Log, seconds: float) -> dict[str, float]:
    """For about so long each: the median of single calls in seconds, and calls a second, and processor time a call, of a tight loop."""
    for step in range(_WARM):
        log(values_of(step), step)
    single: list[float] = []
    begun = perf_counter()
    for step in range(_WARM, _TIMED):
        values = values_of(step)
        before = perf_counter()
        log(values, step)
        after = perf_counter()
        single.append(after - before)
        if after - begun > seconds:
            break
    first = _WARM + len(single)
    calls = min(_LOOPED, max(1, int(seconds / median(single))))
    before, computed = perf_counter(), process_time()
    for step in range(first, first + calls):
        log({"loss": 1.234567 / step, "accuracy": 0.98765432 - 1e-7 * step, "lr": 0.001}, step)
    taken, computed = perf_counter() - before, process_time() - computed
    return {"call": median(single), "rate": calls / taken, "cpu": computed / calls, "calls": first + calls}


def log_until_killed(log: Log, notes: Path) -> None:
    """Log on and on; that a call has returned is a byte in a file before the next one."""
    file = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for step in count():
        log(values_of(step), step)
        os.write(file, b".")


def read_back(tool: Tool) -> dict[str, object]:
    """How many steps the tool knows, and whether they are the first ones, in order, each once."""
    steps = tool.read()
    return {"steps": len(steps), "whole": steps == list(range(len(steps)))}


def main() -> None:
    """Do what the words say; an answer is a line of JSON, the last one of the output."""
    name, action, folder, *rest = sys.argv[1:]
    tool = TOOLS[name]
    os.chdir(folder)
    if action == "read":
        print(json.dumps(read_back(tool)))
        return
    log, end = tool.start()
    if action == "kill":
        log_until_killed(log, Path(rest[0]))
    answer = time_calls(log, float(rest[0]))
    end()
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
