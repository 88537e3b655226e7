"""Which untracked files go into a snapshot, and which stay out and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from exptrack.analysis.secrets import looks_secret
from exptrack.model.data import Omission, Reason
from exptrack.model.settings import Limits

# A cap must cut data before it cuts programs: these come first.
_SOURCES = frozenset((
    ".bash", ".c", ".cc", ".cfg", ".clj", ".conf", ".cpp", ".cs", ".cu", ".cuh", ".f90", ".go", ".h", ".hpp", ".ini",
    ".ipynb", ".java", ".jl", ".js", ".json", ".kt", ".lua", ".m", ".md", ".ml", ".php", ".pl", ".proto", ".py",
    ".pyi", ".pyx", ".qmd", ".r", ".rb", ".rmd", ".rs", ".rst", ".scala", ".sh", ".sql", ".stan", ".swift", ".toml",
    ".ts", ".txt", ".xml", ".yaml", ".yml", ".zsh",
))  # fmt: skip
_SOURCE_NAMES = frozenset({"Makefile", "Dockerfile", "Snakefile", "Rakefile", "Justfile", "CMakeLists.txt", "dvc.lock"})


class Candidate(NamedTuple):
    """An untracked file. `size` in bytes; a symbolic link has its own size."""

    path: str
    size: int
    readable: bool = True
    regular: bool = True


def is_source(path: str) -> bool:
    """Whether a path looks like something that a person wrote: a program, a notebook, a setting."""
    pure = PurePosixPath(path)
    return pure.suffix.lower() in _SOURCES or pure.name in _SOURCE_NAMES


def choose(
    candidates: Iterable[Candidate], limits: Limits, secrets: Sequence[str]
) -> tuple[tuple[str, ...], tuple[Omission, ...]]:
    """Paths to take in, sorted, and what is left out, with the reason.

    Sources are taken before anything else, small files before much larger ones, and those near the root before deeper ones. What
    does not fit under the limits for all is left out; what comes after it and fits is taken.
    """
    taken: list[str] = []
    left: list[Omission] = []
    crowded: list[Candidate] = []
    total = 0
    for candidate in sorted(candidates, key=_rank):
        reason = _objection(candidate, limits, secrets)
        if reason is not None:
            left.append(Omission(candidate.path, reason, candidate.size))
        elif len(taken) >= limits.files or total + candidate.size > limits.total_size:
            crowded.append(candidate)
        else:
            taken.append(candidate.path)
            total += candidate.size
    return tuple(sorted(taken)), tuple(sorted([*left, *_collapse(crowded)], key=lambda omission: omission.path))


def _rank(candidate: Candidate) -> tuple[bool, int, int, str]:
    return (not is_source(candidate.path), candidate.size.bit_length() // 4, candidate.path.count("/"), candidate.path)


def _objection(candidate: Candidate, limits: Limits, secrets: Sequence[str]) -> Reason | None:
    if looks_secret(candidate.path, secrets):
        return Reason.SECRET
    if not candidate.regular:
        return Reason.SPECIAL
    if not candidate.readable:
        return Reason.UNREADABLE
    return Reason.TOO_LARGE if candidate.size > limits.file_size else None


def _collapse(candidates: Sequence[Candidate]) -> list[Omission]:
    """One omission a top folder, so that a hundred thousand images are one line."""
    folders: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        head, slash, _ = candidate.path.partition("/")
        folders.setdefault(head + slash, []).append(candidate)
    return [
        Omission(path, Reason.TOO_MANY, sum(item.size for item in items), len(items) if path.endswith("/") else None)
        for path, items in folders.items()
    ]
