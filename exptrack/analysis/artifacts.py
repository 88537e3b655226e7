"""Names of artifacts, and where they lie in the commit of a run."""

from __future__ import annotations

from exptrack.analysis.trust import is_inside
from exptrack.errors import ExptrackError

FOLDER = ".exptrack/artifacts/"
_LONGEST_PART = 250  # bytes; file systems take 255, and `.dvc` comes behind it
_LONGEST = 1000  # bytes


def check_name(name: object) -> str:
    """The name of an artifact, in its plainest form: parts with slashes between them. Raises ExptrackError for one that cannot be."""
    if not isinstance(name, str) or not name.strip():
        raise ExptrackError(f"an artifact cannot be named {_clip(name)}: give a text")
    if name.startswith("/"):
        raise ExptrackError(f"an artifact cannot be named {_clip(name)}: give a path without a slash at its beginning")
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if not parts or ".." in parts or name.endswith("/"):
        raise ExptrackError(f"an artifact cannot be named {_clip(name)}: give the path of a file, without `..`")
    plain = "/".join(parts)
    try:
        data = plain.encode()
    except UnicodeEncodeError:
        raise ExptrackError(f"an artifact cannot be named {_clip(name)}: it is not UTF-8") from None
    if len(data) > _LONGEST or max(len(part.encode()) for part in parts) > _LONGEST_PART:
        raise ExptrackError(
            f"an artifact cannot be named {_clip(name)}: a part has at most {_LONGEST_PART} bytes, the whole {_LONGEST}"
        )
    if any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in plain):
        raise ExptrackError(f"an artifact cannot be named {_clip(name)}: it has control characters")
    if not is_inside(FOLDER + plain, is_data=True):
        raise ExptrackError(f"an artifact cannot be named {_clip(name)}: Git and DVC keep such names for themselves")
    return plain


def explain_homeless(name: str) -> str:
    """Why an artifact that is too large for Git is not kept, and what to do."""
    return f"artifact '{name}' is not kept: it is over 64 MiB, and there is no DVC project to keep it in; run `exptrack init`"


def _clip(name: object) -> str:
    text = repr(name)
    return text if len(text) <= 100 else f"{text[:99]}…"
