"""What `exptrack.yaml` says."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from exptrack.model.tree import Tree

if TYPE_CHECKING:
    from exptrack.model.experiment import Experiment
    from exptrack.model.rules import Rule

MIB = 1024 * 1024

SECRET_PATTERNS = (
    "!.env.example", "!.env.sample", "!.env.template", ".env*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "credentials*", "secrets.*", ".netrc", ".pgpass", ".pypirc", ".npmrc",
    ".htpasswd", ".git-credentials", "kaggle.json", "service-account*.json",
)  # fmt: skip

ENVIRONMENT_VARIABLES = (
    "CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "JAX_PLATFORMS", "XLA_FLAGS",
    "TF_DETERMINISTIC_OPS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "PYTHONHASHSEED",
    "EXPTRACK_SEED", "LANG", "LC_ALL", "TZ", "RANK", "LOCAL_RANK", "WORLD_SIZE", "SLURM_JOB_ID", "SLURM_NTASKS", "SLURM_CPUS_PER_TASK",
    "CONDA_DEFAULT_ENV",
)  # fmt: skip


class Goal(StrEnum):
    """Which way a metric is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


class Large(StrEnum):
    """What becomes of files over the size limit: into the DVC cache, or only listed."""

    CACHE = "cache"
    LIST = "list"


class MetricDeclaration(NamedTuple):
    """A metric; `min_effect` is the smallest absolute difference that matters, in the metric's `unit`."""

    name: str
    goal: Goal | None = None
    unit: str | None = None
    min_effect: float | None = None
    evaluated_on: tuple[str, ...] = ()
    holdout: bool = False


class Limits(NamedTuple):
    """Bytes and counts: of one untracked file, of all of them, and of what may go into the DVC cache instead."""

    file_size: int = MIB
    total_size: int = 10 * MIB
    files: int = 2000
    cached_file_size: int = 100 * MIB
    cached_total_size: int = 1024 * MIB


class Capture(NamedTuple):
    """What a run takes in. `patterns` are regular expressions whose named groups are metrics, tried on each line of output.

    `system` is how many seconds lie between two looks at what the run uses of the machine; None: nobody looks.
    """

    patterns: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    large: Large = Large.CACHE
    limits: Limits = Limits()
    secrets: tuple[str, ...] = SECRET_PATTERNS
    environment: tuple[str, ...] = ENVIRONMENT_VARIABLES
    system: float | None = 10.0


class Keep(NamedTuple):
    """What `gc` keeps. Runs for which the query `data` does not hold lose their data once they are older than `days` (None: no run does).

    `grace` is the age in days below which no data goes, `trash` how many days a removed run can be restored.
    """

    data: str | None = None
    days: int = 30
    grace: int = 14
    trash: int = 30


class Settings(NamedTuple):
    """The whole file. `seed` names the parameter that is the seed. `check` and `compare` are kept as they were read.

    What an experiment declares as its holdout is one among `metrics`, too, the last of them.
    """

    metrics: Mapping[str, MetricDeclaration] = {}
    capture: Capture = Capture()
    seed: str | None = None
    experiments: Mapping[str, Experiment] = {}
    check: Tree = {}
    compare: Tree = {}
    keep: Keep = Keep()
    rules: tuple[Rule, ...] = ()
