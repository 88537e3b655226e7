"""Share runs: their data first, then the runs, then the annotations.

A kill at any instant leaves a remote that shows no run without its data; the same push again completes what is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from exptrack.backends.git import transport
from exptrack.backends.git.remotes import find_remote
from exptrack.errors import DataError, ExptrackError, RepositoryError, RevError
from exptrack.model.progress import Progress, Silence
from exptrack.model.run import Run
from exptrack.model.sharing import Clash, Held, Pushed
from exptrack.operations.context import Context
from exptrack.operations.sharing import annotating
from exptrack.operations.sharing.marks import Marks, mark_shared, mark_unshared, read_marks
from exptrack.operations.sharing.removing import find_gone, move_to_trash
from exptrack.operations.sharing.selecting import (
    Choice,
    advise_many,
    choose,
    explain_bare,
    explain_copied,
    explain_word,
    find_own,
    list_here,
    look,
    read,
    split_words,
)
from exptrack.store.runs import name_of

if TYPE_CHECKING:
    from exptrack.backends.dvc.markers import Claim

_ROUNDS = 5


class Order(NamedTuple):
    """What is to be pushed: `words` are revs and queries, and if `remote` is not given, the first of them may name the remote.

    Without any, the runs that were recorded here; with `is_all` those of others too. `copy_name` is for one run, which goes as a copy of
    that name. `has_data` is off for runs without their data, `is_dry` if nothing is to be done but told.
    """

    words: tuple[str, ...] = ()
    is_all: bool = False
    has_data: bool = True
    copy_name: str | None = None
    is_dry: bool = False
    remote: str | None = None


_ALL_OWN = Order()


def push(context: Context, order: Order = _ALL_OWN, progress: Progress | None = None) -> Pushed:
    """Push runs, and give what came of it. What stands in the way of one run is told (`clashes`, `held`), and the others go on.

    Raises RepositoryError if the remote cannot be reached or refuses, DataError if the data can go nowhere, RevError, QueryError.
    """
    work = _Push(context, order, progress or Silence())
    choice = work.choose()
    if order.is_dry:
        return work.tell(choice, work.plan(choice))
    work.move_removed()
    work.send(choice)
    if work.share_annotations():
        work.empty_trash(choice)
    return work.tell(choice, tuple(work.pushed))


class _Push:
    """One push: what is known of both sides, and what was done so far."""

    def __init__(self, context: Context, order: Order, progress: Progress) -> None:
        self.context, self.order, self.progress = context, order, progress
        self.repository = context.repository
        if order.remote is None:
            self.remote, self.words = split_words(self.repository, order.words)
        else:
            self.remote, self.words = find_remote(self.repository, order.remote), order.words
        progress.begin(f"asking {self.remote.name}")
        self.side = look(self.repository, self.remote)
        self.notes = self.side.notes
        self.marks = Marks()
        self.known: dict[str, Run] = {}
        self.warning: str | None = None
        self.annotated = False
        self.pushed: list[str] = []
        self.completed: list[str] = []
        self.removed: list[str] = []
        self.advice: list[str] = []
        self.unshared: list[str] = []
        self.clashes: list[Clash] = []
        self.held: list[Held] = []
        self.gone: dict[str, str] = {}
        self.objects = self.size = self.settled = 0
        self.is_named = bool(self.words)

    def choose(self) -> Choice:
        """Which runs go, by what both sides have; first what others annotated, so that what they removed does not come back."""
        if not self.order.is_dry:
            try:
                annotating.take(self.repository, self.remote, self.notes, self.progress)
            except ExptrackError as error:
                self.warning = f"the annotations of {self.remote.name} could not be taken: {error}"
        self.marks = read_marks(self.repository)
        if self.order.copy_name is not None:
            asked = self._copy(self.order.copy_name)
        elif self.words:
            asked = self._find_named()
        else:
            here = list_here(self.repository)
            asked = here if self.order.is_all else find_own(self.repository, here, self.side.runs, self.known)
        choice = choose(asked, self.side, self.marks, is_named=self.is_named)
        self.clashes, self.held = list(choice.clashes), list(choice.held)
        if self.clashes and not self.is_named:
            from exptrack.operations.sharing.copying import without_copied

            self.clashes = without_copied(self.repository, self.clashes)
        self.settled = len(choice.clashes) - len(self.clashes)
        self.gone = {} if self.is_named else find_gone(self.repository, self.side.runs, self.marks.removed)
        return choice

    def _find_named(self) -> dict[str, str]:
        from exptrack.operations.ranges import find_refs  # a push without words does without queries

        try:
            return find_refs(self.context, self.words, "push")
        except RevError as error:
            if self.words != self.order.words:  # the first of them has named the remote
                raise
            raise explain_word(self.repository, self.words[0], error) from error

    def _copy(self, name: str) -> dict[str, str]:
        from exptrack.operations.sharing.copying import copy_run

        found = self._find_named()
        if len(found) != 1:
            raise ExptrackError(f"`--as {name}` is for one run: name it, as in `exptrack push REV --as {name}`")
        if name in self.side.names and self.order.is_dry:
            raise ExptrackError(f"{self.remote.name} has a run named '{name}' already: choose another name")
        [run], _ = read(self.repository, found)
        if self.order.is_dry:
            self.known[run.oid] = run
            return {f"{run.ref.removesuffix(run.name)}{name}": run.oid}
        copy = copy_run(self.context, run, name)
        if self.side.names.get(run.name, run.oid) != run.oid:
            self.advice.append(explain_copied(run.name, self.remote))
        return {copy.ref: copy.oid}

    def plan(self, choice: Choice) -> tuple[str, ...]:
        """Which runs would be pushed; what else would be done is looked up, too."""
        from exptrack.operations.sharing.cargo import estimate, read_cargo

        self.removed += map(name_of, self.gone)
        found, _ = read(self.repository, choice.new, self.known)
        held = set[str]()
        if self.order.has_data:
            there, _ = read(self.repository, self._find_incomplete(choice))
            sent = estimate(self.context, [read_cargo(self.context, run) for run in found])
            more = estimate(self.context, [read_cargo(self.context, run) for run in there])
            self.objects, self.size = sent.objects + more.objects, sent.size + more.size
            held = {one.name for one in sent.held}
            self.held += sent.held
            self.completed += self._name_completed(there, {one.name for one in more.held}, has_sent=bool(more.objects))
        return tuple(name_of(ref) for ref in choice.new if name_of(ref) not in held)

    def move_removed(self) -> None:
        """Take runs that were removed off the remote, into its trash; annotations first, since they say that it was meant."""
        if self.gone and self.share_annotations():
            self.removed += move_to_trash(self.repository, self.remote, self.gone, self.side.trash, self.progress)

    def send(self, choice: Choice) -> None:
        """Push the runs, each after its data."""
        found, held = read(self.repository, choice.new, self.known)
        self.held += held
        if not self.order.has_data:
            self._send_refs(self._mark(found))
            return
        if found:
            from exptrack.backends.dvc.markers import Claim

            # Nobody collects data that was found in a remote before the runs are seen that use it.
            with Claim() as claim:
                whole = self._send_data(found, claim)
                self._send_refs(whole, claim)
        self._complete(choice)

    def _send_data(self, found: list[Run], claim: Claim | None = None) -> list[Run]:
        """Push the data of runs, and give those that have all of theirs in the remote."""
        from exptrack.operations.sharing.cargo import advise, list_private, read_cargo, send

        cargo = [read_cargo(self.context, run) for run in found]
        sent = send(self.context, cargo, self.progress, claim)
        self.objects, self.size = self.objects + sent.objects, self.size + sent.size
        for notice in sent.notices:
            self.context.notice(notice)
        if private := list(list_private(cargo)):
            self.context.notice(f"{', '.join(private)}: not shared, since `push: false` stands with it")
        self.held += sent.held
        held = {one.name for one in sent.held}
        whole = [run for run in found if run.name not in held]
        mark_shared(self.repository, whole, self.marks)
        if whole:
            self.advice += advise(self.context, cargo)
        return whole

    def _mark(self, found: list[Run]) -> list[Run]:
        """Note on each run that has data that it goes without; that is known to others before they see the run."""
        from exptrack.operations.sharing.cargo import read_cargo

        bare = [run for run in found if read_cargo(self.context, run).wanted]
        mark_unshared(self.repository, [run for run in bare if run.oid not in self.marks.unshared])
        self.unshared += [run.name for run in bare]
        if bare:
            self.share_annotations()
        return found

    def _send_refs(self, found: Iterable[Run], claim: Claim | None = None) -> None:
        """Create the refs on the remote. What somebody else has created meanwhile is looked at again."""
        pending = {run.ref: run.oid for run in found}
        why: Mapping[str, str] = {}
        for _ in range(_ROUNDS):
            if not pending:
                return
            if claim is not None:
                claim.check()
            outcome = transport.push_refs(self.repository, self.remote, pending, {}, self.progress)
            self.pushed += map(name_of, outcome.done)
            done = frozenset(outcome.done)
            pending = {ref: oid for ref, oid in pending.items() if ref not in done}
            if pending:
                why = outcome.rejected
                again = choose(pending, look(self.repository, self.remote), Marks(), is_named=False)
                self.pushed += map(name_of, again.there)
                self.clashes += again.clashes
                pending = dict(again.new)
        self.held += [Held(name_of(ref), why.get(ref, "the remote did not take it")) for ref in pending]

    def _complete(self, choice: Choice) -> None:
        """Push the data of runs that went without it before; of runs that are named also what the DVC remote has lost."""
        found, _ = read(self.repository, self._find_incomplete(choice))
        if not found:
            return
        if self.is_named:
            before = self.objects
            whole = self._send_data(found)
            self.completed += self._name_completed(whole, (), has_sent=self.objects > before)
            return
        held, why = self.held.copy(), ""
        try:
            sent = {run.oid for run in self._send_data(found)}
        except DataError as error:
            sent, why = set[str](), f": {error}"
        self.completed += [run.name for run in found if run.oid in sent]
        self.held = held  # that they went without it was said before
        if names := [run.name for run in found if run.oid not in sent]:
            self.context.notice(explain_bare(names, self.remote, why))

    def _find_incomplete(self, choice: Choice) -> dict[str, str]:
        """The refs of runs that the remote has, and that may lack data: those that went without it, and all that are named."""
        return {ref: oid for ref, oid in choice.there.items() if self.is_named or oid in self.marks.unshared}

    def _name_completed(self, there: Iterable[Run], held: Collection[str], *, has_sent: bool) -> list[str]:
        return [run.name for run in there if run.name not in held and (has_sent or run.oid in self.marks.unshared)]

    def share_annotations(self) -> bool:
        """Have the remote hold all annotations; what stands in the way of that is told at the end."""
        shared = annotating.share(self.repository, self.remote, self.notes, self.progress)
        self.notes, self.warning = shared.there, shared.warning
        self.annotated |= shared.changed
        return shared.warning is None

    def empty_trash(self, choice: Choice) -> None:
        """Take runs that are back out of the remote's trash; what stands in the way of that is told."""
        pushed = frozenset(self.pushed)
        back = {oid for ref, oid in choice.new.items() if name_of(ref) in pushed}.union(choice.there.values())
        left = {ref: oid for ref, oid in self.side.trash.items() if oid in back and oid not in self.marks.removed}
        try:
            transport.push_refs(self.repository, self.remote, {}, left, self.progress)
        except RepositoryError as error:
            self.warning = f"runs that are back lie in the trash of {self.remote.name} as well: {error}"

    def tell(self, choice: Choice, names: tuple[str, ...]) -> Pushed:
        return Pushed(
            str(self.remote),
            tuple(dict.fromkeys(names)),
            len(choice.there) + self.settled,
            self.objects,
            self.size,
            tuple(self.clashes),
            tuple(self.held),
            tuple(self.completed),
            tuple(self.removed),
            tuple(self.unshared),
            self.annotated,
            self.warning,
            tuple(dict.fromkeys((*self.advice, *advise_many(self.side, self.remote, len(names))))),
        )
