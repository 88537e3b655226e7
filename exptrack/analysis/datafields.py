"""The pointers and omissions of a record, as mappings and back."""

from __future__ import annotations

from typing import Any

from exptrack.analysis.fields import find_bool, find_int, find_text, read_choice, read_text, text_or, without
from exptrack.model.data import Omission, Pointer, Reason

_REASONS = {reason.value: reason for reason in Reason}


def encode_pointer(pointer: Pointer) -> dict[str, Any]:
    """What of a pointer differs from its defaults."""
    return without(
        {key: getattr(pointer, key) for key in Pointer._fields}, algorithm="md5", source="", is_private=False
    )


def decode_pointer(fields: dict[str, Any]) -> Pointer:
    """A pointer; raises WrongFieldError."""
    return Pointer(
        path=read_text(fields, "path"),
        digest=read_text(fields, "digest"),
        algorithm=text_or(fields, "algorithm", "md5"),
        size=find_int(fields, "size"),
        files=find_int(fields, "files"),
        source=find_text(fields, "source") or "",
        stage=find_text(fields, "stage"),
        modified=find_bool(fields, "modified"),
        remote=find_text(fields, "remote"),
        is_private=find_bool(fields, "is_private") or False,
    )


def encode_omission(omission: Omission) -> dict[str, Any]:
    """What of an omission differs from its defaults."""
    return without({key: getattr(omission, key) for key in Omission._fields}, pointer=False)


def decode_omission(fields: dict[str, Any]) -> Omission:
    """An omission; raises WrongFieldError."""
    return Omission(
        path=read_text(fields, "path"),
        reason=read_choice(fields, "reason", _REASONS),
        size=find_int(fields, "size"),
        files=find_int(fields, "files"),
        digest=find_text(fields, "digest"),
        pointer=find_bool(fields, "pointer") or False,
    )
