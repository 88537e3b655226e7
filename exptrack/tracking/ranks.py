"""Which of a launcher's processes this one is."""

from __future__ import annotations

from collections.abc import Mapping

# torchrun and accelerate, then MPI's and SLURM's own.
_VARIABLES = (
    "RANK",
    "OMPI_COMM_WORLD_RANK",
    "PMI_RANK",
    "PMIX_RANK",
    "MV2_COMM_WORLD_RANK",
    "SLURM_PROCID",
    "LOCAL_RANK",
)


def find_rank(environ: Mapping[str, str]) -> int | None:
    """The rank that a launcher gave this process, from 0; None if no launcher did."""
    for variable in _VARIABLES:
        if (text := environ.get(variable, "")).isdecimal():
            return int(text)
    return None
