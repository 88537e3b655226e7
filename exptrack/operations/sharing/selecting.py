"""Which runs a push is about, what the remote has of them, and what a clash of names is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from exptrack.backends.git import refs, transport
from exptrack.backends.git.remotes import GitRemote, find_remote, find_similar, is_remote
from exptrack.backends.git.repository import Repository, find_identity
from exptrack.errors import ExptrackError, RepositoryError, RevError
from exptrack.model.run import BrokenRun, Run
from exptrack.model.sharing import Clash, Held
from exptrack.operations.sharing.marks import Marks
from exptrack.store import runs
from exptrack.store.annotation import NOTES
from exptrack.store.recorded import read_recorded
from exptrack.store.runs import ABBREVIATED, RUNS, TRASH, name_of

HEADS = "refs/heads/"
_MANY = 5000
_NOTHING: Mapping[str, Run] = MappingProxyType({})


class Side(NamedTuple):
    """What a remote holds: refs of runs and of removed ones with their oids, the tip of the annotations, how many branches."""

    runs: Mapping[str, str]
    trash: Mapping[str, str]
    notes: str | None
    branches: int

    @property
    def names(self) -> dict[str, str]:
        """The oid of each run, by its name."""
        return {name_of(ref): oid for ref, oid in self.runs.items()}


class Choice(NamedTuple):
    """Refs of the runs that are to go to a remote (`new`), that it has already (`there`), and what stands in the way of others."""

    new: Mapping[str, str]
    there: Mapping[str, str]
    clashes: tuple[Clash, ...] = ()
    held: tuple[Held, ...] = ()


def split_words(repository: Repository, words: Sequence[str]) -> tuple[GitRemote, tuple[str, ...]]:
    """The remote, which the first word may name, and the words after it."""
    is_first = bool(words) and is_remote(repository, words[0])
    return find_remote(repository, words[0] if is_first else None), tuple(words[1:] if is_first else words)


def look(repository: Repository, remote: GitRemote) -> Side:
    """List what the remote has."""
    listed = transport.list_remote(repository, remote, f"{RUNS}*", f"{TRASH}*", NOTES, f"{HEADS}*")
    return Side(
        {ref: oid for ref, oid in listed.items() if ref.startswith(RUNS)},
        {ref: oid for ref, oid in listed.items() if ref.startswith(TRASH)},
        listed.get(NOTES),
        sum(ref.startswith(HEADS) for ref in listed),
    )


def find_own(
    repository: Repository, here: Mapping[str, str], there: Mapping[str, str], known: dict[str, Run]
) -> dict[str, str]:
    """Of the refs that are here those recorded here. Where nobody remembers, those by the present identity that are not `there`.

    What it must read for that goes into `known`, by the oids.
    """
    recorded = frozenset(read_recorded(repository.shared))
    if recorded:
        return {ref: oid for ref, oid in here.items() if name_of(ref) in recorded}
    others = {ref: oid for ref, oid in here.items() if there.get(ref) != oid}
    if not others:
        return {}
    try:
        author = str(find_identity(repository))
    except RepositoryError as error:
        raise ExptrackError(f"which runs are yours is not known: {error}; or name the runs, or give `--all`") from error
    own = [run for run in read(repository, others)[0] if run.record.author == author]
    known |= {run.oid: run for run in own}
    return {run.ref: run.oid for run in own}


def choose(asked: Mapping[str, str], side: Side, marks: Marks, *, is_named: bool) -> Choice:
    """What is to be done about each of the runs that are asked for; of removed ones it is told only if they were named."""
    new: dict[str, str] = {}
    there: dict[str, str] = {}
    clashes: list[Clash] = []
    held: list[Held] = []
    taken = side.names
    for ref, oid in asked.items():
        name = name_of(ref)
        if oid in marks.removed:
            held += (
                [Held(name, f"it was removed by {marks.removed[oid]}; `exptrack rm --restore {name}` takes that back")]
                if is_named
                else []
            )
        elif side.runs.get(ref) == oid or taken.get(name) == oid:
            there[ref] = oid
        elif name in taken:
            clashes.append(Clash(name, oid, taken[name]))
        else:
            new[ref] = taken[name] = oid
    return Choice(new, there, tuple(clashes), tuple(held))


def read(
    repository: Repository, refs_of_runs: Mapping[str, str], known: Mapping[str, Run] = _NOTHING
) -> tuple[list[Run], list[Held]]:
    """The runs at the refs, and those that cannot be read, with the reason. Those that are `known` by their oids are not read again."""
    found = [known[oid] for oid in refs_of_runs.values() if oid in known]
    held: list[Held] = []
    for one in runs.read_runs(repository, {ref: oid for ref, oid in refs_of_runs.items() if oid not in known}):
        if isinstance(one, BrokenRun):
            held.append(Held(one.name, f"it cannot be read: {one.reason}"))
        else:
            found.append(one)
    return found, held


def advise_many(side: Side, remote: GitRemote, more: int) -> tuple[str, ...]:
    """Git tells every push to a remote all of its refs, since no side can leave any out."""
    count = len(side.runs) + more
    if count <= _MANY or not side.branches:
        return ()
    said = (
        f"{remote.name} holds {count:,} runs beside its branches, and every `git push` to it downloads the names of all of them: "
        "make a repository for runs alone, and `git config exptrack.remote NAME`"
    )
    return (said,)


def list_here(repository: Repository) -> dict[str, str]:
    """The refs of the runs that are here."""
    return refs.list_refs(repository, RUNS)


def explain_word(repository: Repository, word: str, error: RevError) -> RevError:
    """The error for a word that names no run, if it may have been meant for a remote."""
    near = find_similar(repository, word) if f"'{word}'" in str(error) else None
    return RevError(f"'{word}' is neither a run nor a remote: did you mean the remote '{near}'?") if near else error


def explain_bare(names: Sequence[str], remote: GitRemote, why: str) -> str:
    """That runs stay without data on a remote; without `why` it is said how to know."""
    some = f"'{names[0]}' is" if len(names) == 1 else f"{len(names):,} runs are"
    return f"{some} on {remote.name} without data{why or f'; `exptrack push {names[0]}` says why'}"


def explain_copied(name: str, remote: GitRemote) -> str:
    """What is left to do when a run went to a remote by another name."""
    return f"'{name}' stays here as well; `exptrack rm {name}` makes room for the one of {remote.name}"


def explain_clash(clash: Clash, remote: str) -> str:
    """What a clash of names is, and the way out."""
    here, there = clash.here[:ABBREVIATED], clash.there[:ABBREVIATED]
    return (
        f"'{clash.name}' is another run on {remote.partition(' (')[0]} ({there}) than here ({here}): "
        f"share yours under another name by `exptrack push {clash.name} --as NAME`"
    )
