"""Environment variables, by an allow-list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def select(environ: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Those variables that `names` lists, which may be patterns as in `fnmatch`; sorted by name, values as they are."""
    plain = {name for name in names if not set(name) & set("*?[")}
    chosen = {name for name in plain if name in environ}
    if patterns := [name for name in names if name not in plain]:
        from fnmatch import fnmatchcase

        chosen |= {name for name in environ if any(fnmatchcase(name, pattern) for pattern in patterns)}
    return {name: environ[name] for name in sorted(chosen)}
