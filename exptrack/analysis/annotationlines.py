"""Annotations as lines of a note, and back. `docs/format.md` is the norm for what is written here."""

from __future__ import annotations

from typing import Any

from exptrack.analysis.fields import (
    WrongFieldError,
    find_text,
    finite,
    format_json,
    format_time,
    parse_json,
    read_choice,
    read_text,
    read_texts,
    read_time,
)
from exptrack.model.annotation import Annotation, AnnotationKind

_KINDS = {kind.value: kind for kind in AnnotationKind}


def encode_annotation(annotation: Annotation) -> str:
    """One line of a note, without a newline."""
    fields: dict[str, Any] = {
        "id": annotation.id,
        "kind": annotation.kind.value,
        "time": format_time(annotation.time),
        "author": annotation.author,
    }
    if annotation.value is not None:
        fields["value"] = finite(annotation.value)
    if annotation.removes:
        fields["removes"] = list(annotation.removes)
    return format_json(fields, indent=None)


def decode_annotations(text: str) -> tuple[Annotation, ...]:
    """The annotations of a note, in its order, each id once.

    A line that cannot be read is skipped: one from a later version, or half a line of a broken merge, must not cost the others.
    """
    found: dict[str, Annotation] = {}
    for line in text.split("\n"):
        try:
            annotation = _annotation(parse_json(line)) if line.strip() else None
        except (ValueError, WrongFieldError):
            continue
        if annotation is not None:
            found.setdefault(annotation.id, annotation)
    return tuple(found.values())


def _annotation(fields: Any) -> Annotation:
    if type(fields) is not dict:
        raise WrongFieldError("annotation", "is not a mapping")
    return Annotation(
        id=read_text(fields, "id"),
        kind=read_choice(fields, "kind", _KINDS),
        time=read_time(fields, "time"),
        author=find_text(fields, "author") or "",
        value=fields.get("value"),
        removes=read_texts(fields, "removes"),
    )
