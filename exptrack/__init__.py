"""Git-native experiment versioning: every run is a commit, comparison is a diff."""

from __future__ import annotations

__all__: list[str] = []
