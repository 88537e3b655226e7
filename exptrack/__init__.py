"""Git-native experiment versioning: every run is a commit, comparison is a diff.

`Project` is the face of the library. It is imported when it is asked for: `import exptrack` costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` takes 2 ms to import; type checkers know this name
if TYPE_CHECKING:
    from exptrack.project import Project

__all__ = ["Project"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'exptrack' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("exptrack.project"), name)
