"""One seed for all that draws random numbers in a script, and what it does not reach."""

from __future__ import annotations

import os
import random
import sys
from typing import Any

from exptrack.errors import ExptrackError
from exptrack.model.seeding import Seeding
from exptrack.tracking.run import ActiveRun
from exptrack.tracking.telling import tell

_HIGHEST = 2**32 - 1  # NumPy takes no higher one
_HASHING = "PYTHONHASHSEED"
_is_hashing_set = os.environ.get(_HASHING, "random") != "random"  # by whoever started this process, we hope

_waiting: list[Seeding] = []  # what the next run is told


def seed_everything(seed: int | None = None) -> Seeding:
    """Seed Python's `random`, and of NumPy, PyTorch, TensorFlow and Keras those that are imported; says what it set and what stays open.

    Without a seed it takes that of `exptrack run --seed`, else the parameter that is the seed, else makes one up. PyTorch and TensorFlow
    are told to use deterministic algorithms alone: an operation that has none then raises an error. PYTHONHASHSEED is set for the
    processes that this one starts; Python reads it only at its start. The active run records it, else the next one that starts here.

    Raises ExptrackError if the seed is not a whole number from 0 to 2**32 - 1.
    """
    from exptrack.tracking.active import active_run

    seeding = _set_all(_check(_find_seed() if seed is None else seed))
    tell(f"seed {seeding.seed} set: {', '.join(seeding.set)}")
    tell(f"still open: {'; '.join(seeding.open)}")
    run = active_run()
    if run is None or run.name is None:
        _waiting[:] = [seeding]
    else:
        _write(run, seeding)
    return seeding


def tell_run(run: ActiveRun) -> None:
    """Tell a run that starts what was seeded before it."""
    if run.name is not None:
        while _waiting:
            _write(run, _waiting.pop())


def _write(run: ActiveRun, seeding: Seeding) -> None:
    run.write("seeding", **seeding._asdict())


def _find_seed() -> object:
    if given := os.environ.get("EXPTRACK_SEED"):
        return int(given) if given.isdecimal() else given
    from exptrack.tracking.parameters import find_seed

    found = find_seed()
    return random.SystemRandom().randrange(_HIGHEST) if found is None else found


def _check(seed: object) -> int:
    whole = seed if type(seed) is int else _read_index(seed)
    if whole is None or not 0 <= whole <= _HIGHEST:
        raise ExptrackError(f"the seed is {seed!r}: give a whole number from 0 to {_HIGHEST}")
    return whole


def _read_index(seed: object) -> int | None:
    """Whole numbers of NumPy are whole numbers."""
    if isinstance(seed, bool | float | str) or type(seed).__name__.startswith("bool"):
        return None
    try:
        return int(seed.__index__())  # type: ignore[attr-defined]
    except (AttributeError, TypeError):
        return None


def _set_all(seed: int) -> Seeding:
    done: list[str] = []
    left: list[str] = []
    # Keras and TensorFlow seed Python and NumPy, too.
    for name, label, seeder in _SEEDERS:
        module = sys.modules.get(name)
        if module is not None:
            done.append(label)
            left += seeder(module, seed)
    later = [label.partition(" ")[0] for name, label, _ in _SEEDERS if sys.modules.get(name) is None]
    if later:
        left.append(f"{', '.join(later)} if imported later")
    return Seeding(seed, (*done, *_set_hashing(seed)), tuple(left if _is_hashing_set else [_name_hashing(seed), *left]))


def _set_hashing(seed: int) -> list[str]:
    if os.environ.get(_HASHING, "random") == "random":
        os.environ[_HASHING] = str(seed)
    return [f"{_HASHING} for processes started from now on"]


def _name_hashing(seed: int) -> str:
    return f"the order of sets of texts in this process (start it with {_HASHING}={seed})"


def _seed_python(module: Any, seed: int) -> list[str]:
    module.seed(seed)
    return []


def _seed_numpy(module: Any, seed: int) -> list[str]:
    module.random.seed(seed)
    return ["generators of numpy.random.default_rng() without a seed"]


def _seed_torch(module: Any, seed: int) -> list[str]:
    module.manual_seed(seed)  # of the CPU and of every GPU
    module.use_deterministic_algorithms(True)
    module.backends.cudnn.deterministic = True
    module.backends.cudnn.benchmark = False
    left = ["PyTorch with another number of threads, device or version"]
    if module.version.cuda is not None and "CUBLAS_WORKSPACE_CONFIG" not in os.environ:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
        if module.cuda.is_initialized():
            left.append("cuBLAS, since CUDA was in use already")
    return left


def _seed_tensorflow(module: Any, seed: int) -> list[str]:
    module.keras.utils.set_random_seed(seed)
    module.config.experimental.enable_op_determinism()
    return ["TensorFlow with another number of threads, device or version"]


def _seed_keras(module: Any, seed: int) -> list[str]:
    module.utils.set_random_seed(seed)
    return []


_SEEDERS = (
    ("random", "Python's random", _seed_python),
    ("tensorflow", "TensorFlow (deterministic operations)", _seed_tensorflow),
    ("keras", "Keras", _seed_keras),
    ("numpy", "NumPy's global generator", _seed_numpy),
    ("torch", "PyTorch (deterministic algorithms)", _seed_torch),
)
