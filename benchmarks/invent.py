"""Made-up runs: what a few months of training a classifier might have left. The same number gives the same runs, on any machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import md5
from math import exp
from random import Random
from typing import Any

from exptrack.analysis.history import Point
from exptrack.analysis.names import make_up
from exptrack.model.data import Pointer
from exptrack.model.environment import Environment, Hardware, Interpreter, Package, Platform
from exptrack.model.run import Record, Status

AUTHOR = "Ada Lovelace <ada@example.com>"
BEGAN = datetime(2026, 1, 5, 8, tzinfo=UTC)
# Runs that stand on one base, with the same data and environment. In real life these change at different times.
PER_BASE = 250
_LASTED = timedelta(days=180)
_EXPERIMENTS = ("digits", "digits-wider", "augmentation", "distillation", None)
_STATUSES = (Status.FAILED, Status.INTERRUPTED, Status.CRASHED)
_COMPLETED = 0.85
_KNOWN = (
    "numpy", "scipy", "pandas", "torch", "torchvision", "scikit-learn", "matplotlib", "pillow", "pyyaml", "tqdm", "requests", "dvc",
    "jinja2", "networkx", "sympy", "fsspec", "filelock", "packaging", "certifi", "rich",
)  # fmt: skip
_PACKAGES = 150


def invent_records(number: int, seed: int = 0) -> Iterator[Record]:
    """That many records, one after the other, spread over six months; 85 % are completed."""
    random = Random(seed)
    names: set[str] = set()
    for place in range(number):
        name = make_up(random.randrange)
        while name in names:
            name = make_up(random.randrange)
        names.add(name)
        started = BEGAN + _LASTED * place / number + timedelta(microseconds=random.randrange(10**6))
        yield _invent(random, name, started, place)


def _invent(random: Random, name: str, started: datetime, place: int) -> Record:
    params = _params(random)
    status = Status.COMPLETED if random.random() < _COMPLETED else random.choice(_STATUSES)
    metrics = _metrics(random, params)
    if status is not Status.COMPLETED:
        metrics = {key: metrics[key] for key in ("accuracy", "loss")}
    duration = round(random.uniform(20, 4000), 6)
    return Record(
        name=name,
        status=status,
        started=started,
        ended=started + timedelta(seconds=duration),
        duration=duration,
        exit_code={Status.COMPLETED: 0, Status.FAILED: 1, Status.INTERRUPTED: 130}.get(status),
        author=AUTHOR,
        host=f"node{random.randrange(4)}",
        command=("python", "train.py", "--config", "params.yaml"),
        experiment=random.choice(_EXPERIMENTS),
        seed=params["train"]["seed"],
        note="as in the paper, with a wider last layer" if random.random() < 0.1 else None,
        tags=("sweep",) if random.random() < 0.1 else (),
        params={"params.yaml": params},
        metrics=metrics,
        data=(data_of(place // PER_BASE),),
    )


def _params(random: Random) -> dict[str, Any]:
    return {
        "model": {
            "kind": random.choice(["resnet", "vit", "mlp"]),
            "depth": random.randint(2, 8),
            "width": 2 ** random.randint(4, 9),
            "dropout": round(random.uniform(0, 0.5), 2),
        },
        "optimizer": {
            "name": random.choice(["adam", "sgd"]),
            "lr": random.choice([0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03]),
            "weight_decay": random.choice([0.0, 0.001, 0.01]),
            "momentum": round(random.uniform(0.8, 0.99), 3),
        },
        "train": {
            "epochs": random.choice([10, 20, 40]),
            "batch_size": 2 ** random.randint(4, 8),
            "augment": random.random() < 0.5,
            "seed": random.randrange(5),
        },
    }


def _metrics(random: Random, params: Mapping[str, Any]) -> dict[str, Any]:
    accuracy = min(
        0.999, 0.84 + 0.02 * params["model"]["depth"] - 2 * params["optimizer"]["lr"] + random.gauss(0, 0.03)
    )
    loss = round(1.2 * (1 - accuracy) + random.uniform(0, 0.1), 6)
    return {
        "accuracy": round(accuracy, 6),
        "f1": round(accuracy - random.uniform(0, 0.03), 6),
        "loss": loss,
        "seconds_per_epoch": round(random.uniform(1, 90), 4),
        "train": {"accuracy": round(min(1.0, accuracy + 0.02), 6), "loss": round(loss * 0.8, 6)},
    }


def data_of(state: int) -> Pointer:
    """The pointer to the training data, which differs between states of the project."""
    content = content_of(state)
    digest = md5(content, usedforsecurity=False).hexdigest()
    return Pointer("data/train.csv", digest, size=len(content), source="data/train.csv.dvc", modified=False)


def content_of(state: int) -> bytes:
    """That data."""
    return b"data %d" % state


def environment_of(state: int) -> Environment:
    """150 packages; one of them is newer in each state of the project."""
    names = sorted([*_KNOWN, *(f"dependency-{number:03}" for number in range(_PACKAGES - len(_KNOWN)))])
    packages = tuple(
        Package(name, f"{place % 7 + 1}.{place % 13}.{(state + _PACKAGES - 1 - place) // _PACKAGES}")
        for place, name in enumerate(names)
    )
    return Environment(
        Platform("Linux", "6.1.0", "x86_64", "Debian GNU/Linux 12 (bookworm)", "glibc 2.36"),
        Hardware("AMD EPYC 7543", 32, 270_000_000_000),
        Interpreter("/home/ada/digits/.venv/bin/python", "3.11.9", "cpython", "command"),
        packages,
        {"CUDA_VISIBLE_DEVICES": "0", "OMP_NUM_THREADS": "8"},
    )


def curve_of(record: Record) -> list[Point]:
    """The history of the accuracy: one value an epoch, up to the last that the record holds."""
    last, epochs = _accuracy_and_epochs(record)
    pause = (record.duration or 0.0) / epochs
    began = record.started.timestamp()
    return [
        Point(began + pause * (step + 1), step, round(last * (1 - exp(-4 * (step + 1) / epochs)) / (1 - exp(-4)), 6))
        for step in range(epochs)
    ]


def output_of(record: Record) -> str:
    """What the command printed: a line an epoch, and why it failed."""
    curve = curve_of(record)
    lines = [f"epoch {point.step}: accuracy {point.value:.4f}" for point in curve]
    if record.status is Status.FAILED:
        lines += ["Traceback (most recent call last):", '  File "train.py", line 41, in <module>', "MemoryError"]
    return "\n".join([*lines, ""])


def _accuracy_and_epochs(record: Record) -> tuple[float, int]:
    metrics: Mapping[str, Any] = record.metrics
    params: Mapping[str, Any] = record.params["params.yaml"]
    return metrics["accuracy"], params["train"]["epochs"]
