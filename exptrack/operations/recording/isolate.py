"""A work tree of its own for a run: a slot, filled with the snapshot of the user's work tree, overrides applied, data brought in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os.path import normpath
from pathlib import Path
from typing import NamedTuple

from exptrack.analysis.wording import name_few
from exptrack.model.data import Omission, Pointer, Reason
from exptrack.model.tree import Tree
from exptrack.operations.context import Context
from exptrack.operations.environment import environment_cache
from exptrack.operations.files import Disk
from exptrack.operations.recording.given import change_params, write_params
from exptrack.operations.recording.needs import Needs, bring_data
from exptrack.operations.recording.surroundings import Move, surround
from exptrack.operations.recording.words import lead
from exptrack.operations.sources import Reader, Sources, below
from exptrack.store import journal, slots
from exptrack.store.private_index import survey
from exptrack.store.slotlinks import link_paths
from exptrack.store.slots import Slot
from exptrack.store.snapshot import take

_NAMED = 3


class Place(NamedTuple):
    """Where a command works: `context` and `directory` are those of the slot, `command` has its words led there.

    `omissions` are what the user's work tree has and the slot has not, `links` paths that lead back into the user's work tree, `lock`
    what the command inherits, so that the slot stays taken as long as it lives. `problems` are lines for the user and the record.
    """

    context: Context
    directory: Path
    command: tuple[str, ...]
    environ: Mapping[str, str]
    omissions: tuple[Omission, ...]
    links: tuple[str, ...]
    lock: int
    problems: tuple[str, ...]


class _Draft(NamedTuple):
    """The user's work tree as a commit, and what it says."""

    commit: str
    omissions: tuple[Omission, ...]
    sources: Sources
    params: Mapping[str, Tree]


class Wish(NamedTuple):
    """What is asked for: where the command would run in the user's work tree, with what, and what is to be other than there.

    `outputs` are paths that it writes, as typed there: what lies there is never shared with the cache.
    """

    directory: Path
    environ: Mapping[str, str]
    overrides: tuple[str, ...] = ()
    seed: int | None = None
    command: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@contextmanager
def isolate(context: Context, name: str, base: str | None, wish: Wish) -> Iterator[Place]:
    """A place in which the command of the run `name`, whose journal exists, works alone.

    Raises ExptrackError for an override that cannot be applied, before a slot is taken.
    """
    repository = context.repository
    here = _inside(repository.top, wish.directory)
    outputs = {normpath(here / path) for path in wish.outputs}
    outputs |= {normpath(below(context.project, path)) for path in context.settings.capture.outputs}
    draft = _draft(context, name, base, outputs)
    changed = change_params(draft.params, wish.overrides, wish.seed, context.settings.seed)
    with slots.claim(repository, name) as slot:
        inside = context._replace(repository=slot.repository)
        inputs = {pointer.path for pointer in draft.sources.pointers} - outputs
        slots.prepare(slot, draft.commit, keep=inputs)
        problems = _fill(context, inside, slot, changed)
        problems += bring_data(context, inside, _find_needs(draft.sources.pointers, outputs), is_fetched=False)
        directory = slot.repository.top / here
        directory.mkdir(parents=True, exist_ok=True)
        move, cache = Move(repository.top, slot.repository.top), environment_cache(repository.shared)
        led = lead(move, directory, wish.command, ())
        for line in led.taken:
            context.notice(line)
        around = surround(move, directory, led.command, wish.environ, cache)
        links = context.settings.capture.links
        yield Place(
            inside,
            directory,
            led.command,
            around.environ,
            draft.omissions,
            links,
            slot.lock,
            (*problems, *around.problems),
        )


def _inside(top: Path, folder: Path) -> Path:
    """Where a folder lies in the work tree; one outside counts as the root."""
    here, root = folder.resolve(), top.resolve()
    return here.relative_to(root) if here.is_relative_to(root) else Path()


def explain_failure(omissions: Sequence[Omission], links: Sequence[str]) -> str | None:
    """What an isolated run may have missed: files that Git ignores; None if there is nothing of the kind."""
    ignored = [one.path for one in omissions if one.reason is Reason.IGNORED and one.path.rstrip("/") not in links]
    if not ignored:
        return None
    named = name_few(ignored, _NAMED)
    return f"it ran without what Git ignores in the work tree ({named}): name what it needs under capture.links in exptrack.yaml"


def _draft(context: Context, name: str, base: str | None, outputs: Collection[str]) -> _Draft:
    """A commit of the work tree as a run in it would have it; only objects are written, and an index in the run's journal."""
    repository, capture = context.repository, context.settings.capture
    found = survey(repository, base, capture, journal.folder_of(repository.shared, name))
    reader = Reader(Disk(repository.top), context.project, context.yaml.load)
    sources = reader.find_sources(found.dvc_files, context.project)
    excluded = frozenset([*sources.outs, *outputs, *capture.links])
    taken = take(repository, name, found, capture, excluded)
    return _Draft(taken.oid, taken.omissions, sources, reader.params(sources.params))


def _find_needs(pointers: Sequence[Pointer], outputs: Collection[str]) -> Needs:
    """All data, of which only what goes in and is not written is linked."""
    copied = frozenset(one.path for one in pointers if not one.source.endswith(".dvc") or one.path in outputs)
    return Needs(tuple(pointers), (), copied)


def _fill(context: Context, inside: Context, slot: Slot, changed: Mapping[str, Tree]) -> list[str]:
    """What a checkout alone does not bring: submodules, linked paths, overrides; gives what cannot be had."""
    empty = slots.add_submodules(slot, context.repository)
    missing = link_paths(slot, context.repository.top, context.settings.capture.links)
    write_params(inside.repository.top, context.project, changed)
    return [
        *(
            f"the submodule {path} is empty in the run's own work tree: its commit is not on this machine"
            for path in empty
        ),
        *(f"{path}, named under capture.links, is not there" for path in missing),
    ]
