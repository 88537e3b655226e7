"""What a script seeded."""

from __future__ import annotations

from typing import NamedTuple


class Seeding(NamedTuple):
    """The seed, what was `set` with it, and what is `open`: what may still differ from one execution to the next."""

    seed: int
    set: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
