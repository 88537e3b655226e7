"""YAML that was parsed before: the texts themselves, and what they held. A cache, so that a run need not load a YAML parser (10 ms)."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from exptrack.model.tree import Value

_MOST = 64  # texts
_LONGEST = 64 * 1024  # letters


class ParsedYaml:
    """Texts and their values. They are compared whole, so that a stale entry cannot be taken for another text's."""

    def __init__(self, shared: Path) -> None:
        self._file = shared / "cache" / "yaml-1.2.json"
        self._known: dict[str, Value] | None = None
        self._new: dict[str, Value] = {}

    def load(self, text: str) -> Value:
        """The value of a YAML text; raises ValueError as `load_yaml` does."""
        if self._known is None:
            self._known = self._read()
        if text in self._known:
            return self._known[text]
        from exptrack.analysis.yaml12 import load_yaml

        value = load_yaml(text)
        if len(text) <= _LONGEST:
            self._known[text] = self._new[text] = value
        return value

    def _read(self) -> dict[str, Value]:
        with suppress(OSError, ValueError):
            known = json.loads(self._file.read_bytes())
            return known if isinstance(known, dict) else {}
        return {}

    def save(self) -> None:
        """Write down what is new, as far as that can be."""
        if not self._new:
            return
        newest = dict(list({**(self._known or {}), **self._new}.items())[-_MOST:])
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            partial = self._file.with_name(f"{self._file.name}.{os.urandom(6).hex()}")
            partial.write_text(json.dumps(newest))
            partial.replace(self._file)
