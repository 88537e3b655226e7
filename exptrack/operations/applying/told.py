"""Files of parameters with what the command's words said in place of their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from exptrack.analysis.arguments import ARGUMENTS
from exptrack.analysis.editing.fileedit import edit_text
from exptrack.analysis.fields import finite
from exptrack.analysis.secretshapes import MASK
from exptrack.analysis.trees import decode_tree
from exptrack.backends.git import objects
from exptrack.backends.git.staging import File, write_content
from exptrack.errors import ExptrackError
from exptrack.model.run import Run
from exptrack.operations.context import Context
from exptrack.operations.sources import below

_KINDS = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml"}


def find_told(context: Context, run: Run, snapshot: Mapping[str, File]) -> Iterator[tuple[str, File]]:
    """The parameter files of a snapshot that do not say what the run had, by path, each with a file that does."""
    for source, tree in run.record.params.items():
        path = below(run.record.project, source)
        kind = _KINDS.get(PurePosixPath(path).suffix)
        mode, oid = snapshot.get(path, ("", ""))
        if source == ARGUMENTS or kind is None or not mode.startswith("100"):
            continue
        try:
            data = objects.read(context.repository, oid) or b""
            old = decode_tree(data, kind, context.yaml.load)
            new = _overlay(old, tree)
            text = data.decode("utf-8")
            edited = edit_text(path, text, new)
        except (ValueError, ExptrackError) as error:
            context.notice(f"{path} is as it was before {run.name}, without what its command was told: {error}")
            continue
        if edited != text:
            yield path, (mode, write_content(context.repository, edited.encode()))


def _overlay(old: Any, new: Any) -> Any:
    """The old value with what is another in the new; what the record masks, or has not, stays."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        added = {key: value for key, value in new.items() if key not in old}
        return {key: _overlay(value, new[key]) if key in new else value for key, value in old.items()} | added
    return old if finite(old) == new or MASK in str(new) else new
