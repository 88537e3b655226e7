"""Get the runs of others, and their annotations; with `pull` their data too.

Nothing that comes is executed, and nothing of it has a ref before it was looked at. A kill at any instant leaves runs that are whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from exptrack.backends.git import maintenance, refs, transport
from exptrack.backends.git.remotes import find_remote
from exptrack.errors import RepositoryError
from exptrack.model.progress import Progress, Silence
from exptrack.model.run import Run
from exptrack.model.sharing import Clash, Fetched, Held
from exptrack.operations.context import Context
from exptrack.operations.inspect import inspect
from exptrack.operations.sharing import annotating
from exptrack.operations.sharing.arriving import Filter, check, group, narrow, patterns_of, pick
from exptrack.operations.sharing.cargo import Delivery, estimate_delivery, read_cargo, receive
from exptrack.operations.sharing.marks import Marks, read_marks
from exptrack.operations.sharing.selecting import list_here, read
from exptrack.store import trash
from exptrack.store.annotation import NOTES
from exptrack.store.runs import RUNS, name_of

_MANY = 100  # refs, from which on they are packed
_EVERYTHING = Filter()


class Order(NamedTuple):
    """What is to be fetched, from `remote` or the one for runs. `is_pruning`: runs that others removed go to the trash here.

    `has_data`: the data of all of these runs comes too, also of those that are here already. `is_dry`: no run comes, and it is told which would;
    annotations come all the same, since a query may ask for them.
    """

    remote: str | None = None
    wanted: Filter = _EVERYTHING
    is_pruning: bool = False
    has_data: bool = False
    is_dry: bool = False


_ALL = Order()


def fetch(context: Context, order: Order = _ALL, progress: Progress | None = None) -> Fetched:
    """Fetch runs, and give what came of it; what stands in the way of one run is told, and the others come.

    Raises RepositoryError if the remote cannot be reached, QueryError or ExptrackError for a filter that cannot be read.
    """
    check(order.wanted)
    work = _Fetch(context, order, progress or Silence())
    work.look()
    work.take_annotations()
    came = work.bring(work.choose())
    if not order.is_dry:
        came = work.create(came)
        work.prune()
    if order.has_data:
        work.take_data(came)
    return work.tell(came)


class _Fetch:
    """One fetch: what is known of both sides, and what was done so far. `known` are refs of the remote whose runs are here."""

    def __init__(self, context: Context, order: Order, progress: Progress) -> None:
        self.context, self.order, self.progress = context, order, progress
        self.repository = context.repository
        self.remote = find_remote(self.repository, order.remote)
        self.here = list_here(self.repository)
        self.there: dict[str, str] = {}
        self.known: dict[str, str] = {}
        self.notes: str | None = None
        self.marks = Marks()
        self.broken: dict[str, str] = {}
        self.has_objects = False
        self.annotated = False
        self.refused: list[Held] = []
        self.clashes: list[Clash] = []
        self.tombstoned: list[str] = []
        self.data = Delivery()

    def look(self) -> None:
        """What the remote has of what is asked for. By months and names it picks itself, and the objects come at once."""
        wanted = self.order.wanted
        self.progress.begin(f"asking {self.remote.name}")
        if wanted.is_of_refs:
            asked = [*patterns_of(wanted), f"{NOTES}*"]
            found = transport.fetch_below(self.repository, self.remote, asked, self.progress, self.broken)
            self.has_objects = True
        else:
            found = transport.list_remote(self.repository, self.remote, f"{RUNS}*", NOTES)
        self.notes = found.get(NOTES)
        self.there = narrow(found, wanted)

    def take_annotations(self) -> None:
        """Have what others annotated here first, since it tells what they removed."""
        try:
            self.annotated = annotating.take(self.repository, self.remote, self.notes, self.progress)
        except RepositoryError as error:
            self.context.notice(f"the annotations of {self.remote.name} could not be taken: {error}")
        self.marks = read_marks(self.repository)

    def choose(self) -> dict[str, str]:
        """The refs that are new here. What is here, was removed, or has a name that is taken stays out."""
        names = {name_of(ref): oid for ref, oid in self.here.items()}
        new: dict[str, str] = {}
        for ref, oid in self.there.items():
            name = name_of(ref)
            if names.get(name) == oid:
                self.known |= {ref: oid} if ref in self.here else {}
            elif oid in self.marks.removed:
                self.tombstoned.append(name)
            elif name in names:
                self.clashes.append(Clash(name, names[name], oid))
            else:
                new[ref] = names[name] = oid
        if self.clashes:
            from exptrack.operations.sharing.copying import without_copied

            self.clashes = without_copied(self.repository, self.clashes)
        return new

    def bring(self, new: Mapping[str, str]) -> list[Run]:
        """The runs that are what they should be, and that are asked for; their objects are here then."""
        if not self.has_objects:
            transport.fetch_objects(self.repository, self.remote, new, self.progress, self.broken)
        whole = {ref: oid for ref, oid in new.items() if ref not in self.broken}
        good: list[Run] = []
        refused = {**self.broken, **(inspect(self.repository, whole, good) if whole else {})}
        self.refused += [Held(name_of(ref), reason) for ref, reason in refused.items()]
        return pick(self.repository, good, self.order.wanted)

    def create(self, good: Sequence[Run]) -> list[Run]:
        """Give refs to runs; those that somebody else has fetched meanwhile are here, too."""
        if not good:
            return []
        wanted = {run.ref: run.oid for run in good}
        created = frozenset(refs.create_refs(self.repository, wanted, f"fetch from {self.remote.name}"))
        if len(created) >= _MANY:
            maintenance.pack_refs(self.repository)
        self._take_out_of_trash({run.oid for run in good})
        return [run for run in good if run.ref in created]

    def _take_out_of_trash(self, oids: Collection[str]) -> None:
        """What others brought back is not removed here any more."""
        back = {ref: oid for ref, oid in trash.list_trash(self.repository).items() if oid in oids}
        if back:
            refs.delete_refs(self.repository, back, f"fetch from {self.remote.name}")

    def prune(self) -> None:
        """Move runs that others removed to the trash here."""
        gone = {ref: oid for ref, oid in self.here.items() if oid in self.marks.removed}
        if gone and self.order.is_pruning:
            from exptrack.operations.remove import remove

            remove(self.context, read(self.repository, gone)[0])

    def take_data(self, came: Sequence[Run]) -> None:
        """Bring the data of the runs that came, and of those that are here and asked for."""
        there, _ = read(self.repository, self.known)
        wanted = [*came, *pick(self.repository, there, self.order.wanted)]
        cargo = [read_cargo(self.context, run) for run in wanted if run.oid not in self.marks.removed]
        if self.order.is_dry:
            self.data = estimate_delivery(self.context, cargo)
            return
        self.data = receive(self.context, cargo, self.progress)
        for reason in self.data.reasons:
            self.context.notice(reason)

    def tell(self, came: Sequence[Run]) -> Fetched:
        """What came of it."""
        return Fetched(
            str(self.remote),
            group(came),
            len(self.there) - len(came),
            tuple(self.clashes),
            tuple(self.refused),
            tuple(self.tombstoned),
            tuple(name_of(ref) for ref, oid in self.here.items() if oid in self.marks.removed),
            self.annotated,
            self.data.objects,
            self.data.size,
            self.data.lacking,
        )
