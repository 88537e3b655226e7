"""What a script told of itself while it ran: parameters, tags, a note, its seeding, and what could not be recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exptrack.analysis.message import check_note
from exptrack.analysis.names import check_tag
from exptrack.analysis.secrets import mask, mask_tree
from exptrack.analysis.wording import explain_second
from exptrack.errors import ExptrackError
from exptrack.model.run import Record
from exptrack.model.seeding import Seeding
from exptrack.model.tree import Tree, Value, grow, list_leaves, unite

LOGGED = "logged"  # the source of parameters that the script told


def add_told(record: Record, entries: Sequence[Mapping[str, Value]]) -> Record:
    """The record with what the entries of the journal say. Of a parameter that was told twice the first value stays."""
    problems: list[str] = []
    logged = _read_params(record, entries, problems)
    note, tags = record.note, list(record.tags)
    for entry in entries:
        if entry["kind"] == "note" and isinstance(entry.get("note"), str):
            note = _check_note(mask(str(entry["note"])), problems) or note
        elif entry["kind"] == "tags":
            tags += _check_tags(entry.get("tags"), problems)
        elif entry["kind"] == "problem":
            problems.append(mask(str(entry.get("text"))))
    record = _add_seeding(record, entries, problems)
    params = {**record.params, LOGGED: logged} if logged else record.params
    told = tuple(dict.fromkeys(problems))
    return record._replace(
        params=params, note=note, tags=tuple(dict.fromkeys(tags)), problems=(*record.problems, *told)
    )


def _read_params(record: Record, entries: Sequence[Mapping[str, Value]], problems: list[str]) -> Tree:
    """What the script told and no other source has."""
    first: dict[tuple[str, ...], Value] = {}
    for entry in entries:
        tree = entry.get("params") if entry["kind"] == "params" else None
        for path, value in list_leaves(tree) if isinstance(tree, Mapping) else ():
            if first.setdefault(path, value) != value:
                problems.append(explain_second(path, first[path], value))
    known = dict(list_leaves(unite("params.yaml", record.params)))
    return mask_tree(grow((path, value) for path, value in first.items() if path not in known or known[path] != value))


def _add_seeding(record: Record, entries: Sequence[Mapping[str, Value]], problems: list[str]) -> Record:
    """What the script seeded; its seed is the run's, if there is no other one."""
    found = [entry for entry in entries if entry["kind"] == "seeding" and type(entry.get("seed")) is int]
    if not found:
        return record
    seeds = list(dict.fromkeys(int(str(entry["seed"])) for entry in found))
    if len(seeds) > 1:
        problems.append(f"seed_everything was called with {', '.join(map(str, seeds))}: the first counts")
    alike = [entry for entry in found if entry["seed"] == seeds[0]]
    seeding = Seeding(seeds[0], _join(alike, "set"), _join(alike[-1:], "open"))
    seed = seeding.seed if record.seed is None else record.seed
    if str(seed) != str(seeding.seed):
        problems.append(f"the run's seed is {seed}, and seed_everything was called with {seeding.seed}")
    return record._replace(seed=seed, seeding=seeding)


def _join(entries: Sequence[Mapping[str, Value]], key: str) -> tuple[str, ...]:
    """The texts of several entries, each once."""
    lists = [entry.get(key) for entry in entries]
    return tuple(dict.fromkeys(str(text) for texts in lists if isinstance(texts, list) for text in texts))


def _check_tags(tags: Value, problems: list[str]) -> list[str]:
    kept = []
    for tag in tags if isinstance(tags, list) else ():
        try:
            kept.append(check_tag(str(tag)))
        except ExptrackError as error:
            problems.append(str(error))
    return kept


def _check_note(note: str, problems: list[str]) -> str | None:
    try:
        check_note(note)
    except ExptrackError as error:
        problems.append(str(error))
        return None
    return note
