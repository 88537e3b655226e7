"""Talk to Git remotes: list, fetch and push refs.

Everything goes through the user's own git, so that credentials, ssh, proxies, `insteadOf` and hooks work as ever. Only the refs that are
asked for are read or written: no branch, tag or remote-tracking branch of the user's, and no FETCH_HEAD.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from fnmatch import fnmatchcase
from typing import NamedTuple

from exptrack.backends.git import command, incoming, network
from exptrack.backends.git.objects import empty_oid
from exptrack.backends.git.outgoing import lent
from exptrack.backends.git.refusals import explain
from exptrack.backends.git.remotes import GitRemote
from exptrack.backends.git.repository import Repository
from exptrack.model.progress import Progress

_BATCH = 1000
_LETTERS = 250_000  # of the names in a batch; macOS takes a megabyte of words, with the environment
_FEW = 32  # refs that are named one by one
_ATTEMPTS = 3
_RACE = re.compile(
    r"cannot lock ref|failed to (lock|update ref)|atomic transaction failed|already exists|incorrect old value"
)

# What a user may have set for his own fetches and pushes, and that would add to ours or change them.
_PUSH = (
    "push", "--porcelain", "--no-follow-tags", "--no-signed", "--recurse-submodules=no", "--no-force-if-includes",
)  # fmt: skip


class Outcome(NamedTuple):
    """What a push did: the refs that the remote has (or has no more) as asked, and why the others are not."""

    done: tuple[str, ...] = ()
    rejected: Mapping[str, str] = {}


class Change(NamedTuple):
    """A ref on the remote, the oid it should have (zeros: none), and the one it must have now (zeros: none)."""

    ref: str
    new: str
    old: str

    @property
    def is_creation(self) -> bool:
        return not self.old.strip("0")

    @property
    def is_deletion(self) -> bool:
        return not self.new.strip("0")


def list_remote(repository: Repository, remote: GitRemote, *patterns: str) -> dict[str, str]:
    """The refs of a remote with the oid each points at; of those that match one of the patterns, where there are any.

    In a pattern `*` stands for anything, `/` too. The remote sends all of its refs, so for a few of many `fetch_below` is quicker.
    """
    done = network.talk(repository, "ls-remote", "--refs", "--quiet", "--end-of-options", remote.name)
    if done.code:
        raise explain(remote, "list the runs of", done)
    pairs = (line.partition("\t") for line in os.fsdecode(done.out).split("\n")[:-1])
    found = {name: oid for oid, _, name in pairs}
    if not patterns:
        return found
    exact = [pattern.replace("[", "[[]").replace("?", "[?]") for pattern in patterns]
    return {name: oid for name, oid in found.items() if any(fnmatchcase(name, pattern) for pattern in exact)}


def fetch_objects(
    repository: Repository,
    remote: GitRemote,
    refs: Mapping[str, str],
    progress: Progress | None = None,
    refused: dict[str, str] | None = None,
) -> None:
    """Bring the objects of these refs of the remote, each with the oid that it was listed with. Writes no ref.

    What git refuses, since an object is not sound, raises RepositoryError, or, if there is a dictionary for these, is put into `refused`
    with the reason, and the others come.
    """
    if refs:
        why = incoming.fetch_each(
            repository, remote, list(dict.fromkeys(refs.values())), progress, is_halving=refused is not None
        )
        (refused if refused is not None else {}).update({ref: why[oid] for ref, oid in refs.items() if oid in why})


def fetch_below(
    repository: Repository,
    remote: GitRemote,
    patterns: Sequence[str],
    progress: Progress | None = None,
    refused: dict[str, str] | None = None,
) -> dict[str, str]:
    """Bring the refs that match the patterns (one `*` in each); gives them as `list_remote` does. Writes no ref.

    The remote itself picks them, if it speaks protocol 2. `refused` is as in `fetch_objects`; then these are not in what is given.
    """
    found = incoming.fetch_matching(repository, remote, patterns, progress, is_patient=refused is not None)
    if found is None and refused is not None:
        found = list_remote(repository, remote, *patterns)
        fetch_objects(repository, remote, found, progress, refused)
        return {ref: oid for ref, oid in found.items() if ref not in refused}
    return found or {}


def push_refs(
    repository: Repository,
    remote: GitRemote,
    created: Mapping[str, str],
    deleted: Mapping[str, str],
    progress: Progress | None = None,
) -> Outcome:
    """Create refs on the remote, and delete others there, in batches that happen as a whole or not at all.

    `created` are refs and their oids, which the remote must not have, or have at this oid; `deleted` are refs and the oids at which they
    must be, if they are there at all. What is otherwise is `rejected`, and then nothing of its batch is done. Raises RepositoryError
    where the remote refuses.
    """
    none = empty_oid(repository)
    changes = [Change(ref, oid, none) for ref, oid in created.items()] + [
        Change(ref, none, oid) for ref, oid in deleted.items()
    ]
    done: list[str] = []
    rejected: dict[str, str] = {}
    for batch in _batches(changes):
        outcome = _push(repository, remote, batch, progress)
        done += outcome.done
        rejected |= outcome.rejected
    return Outcome(tuple(done), rejected)


def push_notes(repository: Repository, remote: GitRemote, ref: str, new: str, old: str | None) -> bool:
    """Point `ref` of the remote at `new` if it is at `old` there (None: if it is not there); False if it is elsewhere by now."""
    return not _push(repository, remote, [Change(ref, new, old or empty_oid(repository))], None).rejected


def _batches(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """Creations and deletions apart, few enough at once for a forge and for the words of a command."""
    batch: list[Change] = []
    letters = 0
    for change in changes:
        letters += len(change.ref)
        if batch and (len(batch) == _BATCH or letters > _LETTERS or batch[0].is_deletion != change.is_deletion):
            yield batch
            batch, letters = [], len(change.ref)
        batch.append(change)
    if batch:
        yield batch


def _push(repository: Repository, remote: GitRemote, batch: Sequence[Change], progress: Progress | None) -> Outcome:
    """Push a batch until the remote has it or says no. It is tried again where somebody else was changing these refs just then."""
    for attempt in range(_ATTEMPTS):
        done = _send(repository, remote, batch, progress)
        stale = {ref for ref, said in _read_rows(done) if "stale info" in said}
        if stale:
            return _sort_out(repository, remote, batch, stale, progress)
        if not done.code:
            return Outcome(tuple(change.ref for change in batch))
        if not _RACE.search(os.fsdecode(done.out)):
            break
        time.sleep(0.1 * attempt + os.urandom(1)[0] / 1024)
    raise explain(remote, "push to", done)


def _sort_out(
    repository: Repository, remote: GitRemote, batch: Sequence[Change], stale: set[str], progress: Progress | None
) -> Outcome:
    """What came of a batch in which some refs are not on the remote what they should be. What should go and has gone is no failure."""
    there = list_remote(repository, remote)
    gone = [change.ref for change in batch if change.is_deletion and change.ref not in there]
    if gone:
        rest = [change for change in batch if change.ref not in gone]
        outcome = _push(repository, remote, rest, progress) if rest else Outcome()
        return Outcome((*gone, *outcome.done), outcome.rejected)
    done = [ref for ref, new, _ in batch if there.get(ref) == new and ref not in stale]
    return Outcome(tuple(done), {ref: _describe(there.get(ref)) for ref in stale})


def _describe(oid: str | None) -> str:
    return f"the remote has it at {oid}" if oid else "the remote does not have it any more"


def _send(
    repository: Repository, remote: GitRemote, batch: Sequence[Change], progress: Progress | None
) -> command.Done:
    with ExitStack() as stack:
        if len(batch) > _FEW and batch[0].is_creation:
            # Without a word more, a lease on what no remote-tracking branch stands for demands that it is not there.
            leases = ["--force-with-lease"]
            pairs = [stack.enter_context(lent(repository, {ref: new for ref, new, _ in batch}))]
        else:
            leases = [
                f"--force-with-lease={ref}:{'' if change.is_creation else old}"
                for change in batch
                for ref, _, old in [change]
            ]
            pairs = [f"{'' if change.is_deletion else change.new}:{change.ref}" for change in batch]
        words = (*_PUSH, network.progress_word(progress), *leases)
        settings = _settings(remote)
        for is_atomic in (True, False):
            atomic = ["--atomic"] if is_atomic else []
            done = network.talk(
                repository, *settings, *words, *atomic, "--end-of-options", remote.name, *pairs, progress=progress
            )
            if "does not support --atomic" not in done.err:
                break
    return done


def _settings(remote: GitRemote) -> list[str]:
    """Words that turn off what a user may have set for pushes by this remote.

    A remote may fetch our refs to where they are (`+refs/notes/*:refs/notes/*`); then git would take the local ref for what the remote
    has, and write it back after the push.
    """
    settings = ["push.pushOption="]
    if "=" not in remote.name:
        own = (("mirror", "false"), ("fetch", "^refs/exptrack/*"), ("fetch", "^refs/notes/*"))
        settings += [f"remote.{remote.name}.{key}={value}" for key, value in own]
    return [word for setting in settings for word in ("-c", setting)]


def _read_rows(done: command.Done) -> list[tuple[str, str]]:
    """The refs that were rejected, and why, as `git push --porcelain` prints them."""
    rows = (line.split("\t") for line in os.fsdecode(done.out).split("\n") if line.startswith("!\t"))
    return [(row[1].rpartition(":")[2], row[2]) for row in rows if len(row) == 3]
