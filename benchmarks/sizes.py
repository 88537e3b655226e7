"""How large the measured repositories are."""

from __future__ import annotations

from typing import NamedTuple


class Sizes(NamedTuple):
    """Files in the large repository of the groups of recording; runs in each repository of the groups of reading."""

    files: int = 20_000
    runs: tuple[int, ...] = (100, 1_000, 10_000)
