"""The message of a run commit: a subject that a person can read, the note, trailers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from exptrack.errors import ExptrackError
from exptrack.model.pipeline import StageState
from exptrack.model.run import PIPELINE, Record, Status
from exptrack.model.tree import Value, flatten

# A NUL would make git refuse the commit, and the others act on a terminal.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SHOWN = 3
_WIDTH = 40


def format_message(record: Record, primary: str | None = None) -> str:
    """Subject, note and trailers. `primary` names the metric that the subject shows (else the first few)."""
    parts = [f"{record.name}: {_summary(record, primary)}"]
    if record.note:
        parts.append(record.note.replace("\r\n", "\n").strip())
    trailers = [f"Exptrack-Run: {record.name}", f"Exptrack-Status: {record.status}"]
    if record.experiment:
        trailers.append(f"Exptrack-Experiment: {_on_one_line(record.experiment)}")
    parts.append("\n".join(trailers))
    return _CONTROL.sub("\ufffd", "\n\n".join(parts)) + "\n"


def format_branch_message(record: Record, oid: str, notes: Sequence[str], primary: str | None = None) -> str:
    """The message of an ordinary commit that claims the run whose commit is `oid`: the subject, the notes, the claim.

    A line of a note that could be taken for a claim is quoted: somebody else may have recorded it.
    """
    from exptrack.analysis.claims import find_key, split_lines

    subject = f"{record.name}: {_summary(record, primary)}"
    parts = [f"run {subject}" if find_key(subject) else subject]
    lines = [[f"> {line}" if find_key(line) else line for line in split_lines(note.strip())] for note in notes]
    parts += ["\n".join(some) for some in lines if some]
    parts.append(f"Exptrack-Run: {record.name} {oid}")
    return _CONTROL.sub("\ufffd", "\n\n".join(parts)) + "\n"


def check_note(note: str) -> str:
    """`note`, unless a line of it could be taken for a trailer or for the claim of a run; then ExptrackError."""
    if not note:
        return note
    from exptrack.analysis.claims import find_key, split_lines

    for line in split_lines(note):
        if key := find_key(line):
            raise ExptrackError(
                f"a note cannot hold a line that begins with '{key}:', which would forge a trailer: reword it"
            )
    return note


def _summary(record: Record, primary: str | None) -> str:
    told = [*map(_override, record.overrides), *([] if record.is_pipeline else _texts(_told(record)))]
    given = ", ".join(_first(told)) or (PIPELINE if record.is_pipeline else "")
    result = ", ".join(_first(_texts(_results(record, primary))))
    if record.status is not Status.COMPLETED:
        result = f"{record.status}{_cause(record)}" + (f", {result}" if result else "")
    words = [word for word in (given, result) if word]
    return " → ".join(words) or str(record.status)


def _cause(record: Record) -> str:
    failed = next((stage.name for stage in record.stages or () if stage.state is StageState.FAILED), None)
    where = f" in stage '{_on_one_line(failed)}'" if failed else ""
    return where + _reason(record)


def _reason(record: Record) -> str:
    if record.signal:
        return f" ({record.signal})"
    return (
        f" (exit status {record.exit_code})" if record.status is Status.FAILED and record.exit_code is not None else ""
    )


def _told(record: Record) -> dict[str, Value]:
    """The parameters that the command line gave, in its order."""
    known = {
        key: value for source, tree in record.params.items() if source != "args" for key, value in flatten(tree).items()
    }
    words = " ".join(record.command)
    named = (key for key in known if key in words and re.search(rf"(^|[\s-]){re.escape(key)}[= ]", words))
    told = {key: known[key] for key in named}
    told |= flatten(record.params.get("args", {}))
    return dict(sorted(told.items(), key=lambda item: words.find(item[0])))


def _results(record: Record, primary: str | None) -> dict[str, Value]:
    metrics = flatten(record.metrics)
    return {primary: metrics[primary]} if primary and primary in metrics else metrics


def _override(word: str) -> str:
    key, sign, value = word.partition("=")
    return f"{_shorten(key)}{sign}{_shorten(value)}"


def _texts(values: Mapping[str, Value]) -> list[str]:
    # One more than is shown, so that it is known that there are more.
    return [f"{_shorten(key)}={_shorten(value)}" for key, value in list(values.items())[: _SHOWN + 1]]


def _first(texts: Sequence[str]) -> list[str]:
    return [*texts[:_SHOWN], "…"] if len(texts) > _SHOWN else list(texts)


def _shorten(value: Value) -> str:
    """A value in few characters: numbers to six digits, text on one line and cut."""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = _on_one_line(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
