"""A script that tracks itself, and what exptrack takes of it: `python benchmarks/training.py PART`, for `tracking.py`.

Writes what it found as JSON into the file that BENCHMARK_ANSWER names. Times are seconds, memory is bytes.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from threading import Thread
from time import perf_counter, process_time, sleep
from typing import Any

Found = dict[str, float]

_WORKERS = 4


def cost() -> Found:
    """Of an empty run: the import, what the first use of tracking imports, `start_run`, and `end`; processor time of the last two."""
    begun = perf_counter()
    import exptrack

    imported = perf_counter()
    start_run = exptrack.start_run
    found, computed = perf_counter(), process_time()
    run = start_run()
    started = perf_counter()
    run.end()
    ended, computed = perf_counter(), process_time() - computed
    return {
        "import": imported - begun,
        "tracking": found - imported,
        "start": started - found,
        "end": ended - started,
        "cpu": computed,
        "recorder": _children_cpu(),
    }


def many(calls: int, metrics: int) -> Found:
    """So many calls of so many metrics: the loop, what comes after it, and what the recorder takes during both."""
    run = import_module("exptrack").start_run("many")
    recorder = _recorder()
    before, begun, computed = _cpu(recorder), perf_counter(), process_time()
    if metrics == 1:
        for step in range(calls):
            run.log_metrics({"loss": 1.234567 / (step + 1)}, step)
    else:
        for step in range(calls):
            run.log_metrics({"loss": 1.234567 / (step + 1), "accuracy": 0.98765432 - 1e-7 * step, "lr": 0.001}, step)
    looped, computed, during = perf_counter(), process_time() - computed, _cpu(recorder) - before
    run.end()
    return {
        "loop": looped - begun,
        "loop cpu": computed,
        "recorder during": during,
        "end": perf_counter() - looped,
        "end cpu": _children_cpu() - before - during,
        "end memory": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _UNIT,
    }


def idle(seconds: float) -> Found:
    """What the recorder takes of a script that only waits."""
    run = import_module("exptrack").start_run()
    recorder = _recorder()
    sleep(1)  # until it has looked at the environment
    before = _cpu(recorder)
    sleep(seconds)
    found = {"cpu": (_cpu(recorder) - before) / seconds, "memory": float(recorder.memory_info().rss)}
    run.end()
    return found


def steady(seconds: float, rate: float) -> Found:
    """What the recorder takes of a script that makes so many calls a second, in bursts of a hundredth of a second."""
    run = import_module("exptrack").start_run()
    recorder = _recorder()
    sleep(1)
    before, begun, step = _cpu(recorder), perf_counter(), 0
    while (now := perf_counter() - begun) < seconds:
        for _ in range(min(int(now * rate) - step, int(rate))):
            run.log_metrics({"loss": 1.234567 / (step + 1), "accuracy": 0.98765432 - 1e-7 * step, "lr": 0.001}, step)
            step += 1
        sleep(0.01)
    found = {
        "rate": step / now,
        "cpu": (_cpu(recorder) - before) / now,
        "memory": float(recorder.memory_info().rss),
    }
    run.end()
    return found


def threads(calls: int) -> Found:
    """Calls a second of four threads that log at once, and of one thread that logs as much."""
    run = import_module("exptrack").start_run()
    alone = _time(lambda: _log(run, _WORKERS * calls))
    workers = [Thread(target=_log, args=(run, calls)) for _ in range(_WORKERS)]

    def together() -> None:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    found = _time(together)
    run.end()
    return {
        "alone": _WORKERS * calls / alone[0],
        "alone cpu": alone[1] / calls / _WORKERS,
        "together": _WORKERS * calls / found[0],
        "together cpu": found[1] / calls / _WORKERS,
    }


def processes(calls: int) -> Found:
    """The same with four forked processes."""
    run = import_module("exptrack").start_run()
    alone = _time(lambda: _log(run, _WORKERS * calls))
    begun, before = perf_counter(), _children_cpu()
    for pid in [_fork(run, calls) for _ in range(_WORKERS)]:
        os.waitpid(pid, 0)
    taken, computed = perf_counter() - begun, _children_cpu() - before
    run.end()
    return {
        "alone": _WORKERS * calls / alone[0],
        "alone cpu": alone[1] / calls / _WORKERS,
        "together": _WORKERS * calls / taken,
        "together cpu": computed / calls / _WORKERS,
    }


def _log(run: Any, calls: int) -> None:
    for step in range(calls):
        run.log_metrics({"loss": 1.234567 / (step + 1), "accuracy": 0.98765432 - 1e-7 * step, "lr": 0.001}, step)


def _fork(run: Any, calls: int) -> int:
    pid = os.fork()
    if pid == 0:
        _log(run, calls)
        os._exit(0)
    return pid


def _time(call: Callable[[], None]) -> tuple[float, float]:
    begun, computed = perf_counter(), process_time()
    call()
    return perf_counter() - begun, process_time() - computed


_UNIT = 1 if sys.platform == "darwin" else 1024  # of a maximal resident size


def _recorder() -> Any:
    """The process that records this one: its child, or `exptrack run` above it."""
    psutil = import_module("psutil")
    me = psutil.Process()
    return (me.children() or [me.parent()])[0]


def _cpu(process: Any) -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


PARTS: dict[str, Callable[..., Found]] = {
    "cost": cost, "many": many, "idle": idle, "steady": steady, "threads": threads, "processes": processes,
}  # fmt: skip


def main() -> None:
    """Do one part, in the folder where it is started."""
    part, *numbers = sys.argv[1:]
    found = PARTS[part](*(float(one) if "." in one else int(one) for one in numbers))
    answer = Path(os.environ["BENCHMARK_ANSWER"])  # under `exptrack run` the output goes another way
    answer.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
