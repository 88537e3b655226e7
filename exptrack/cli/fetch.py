"""`exptrack fetch`: get runs of others, and their annotations."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from exptrack.analysis.wording import counted
from exptrack.backends.git.remotes import find_similar, is_remote
from exptrack.cli.common import open_project, say
from exptrack.cli.progress import interruptible, watched
from exptrack.errors import ExptrackError
from exptrack.model.sharing import Arrival, Fetched
from exptrack.operations.fetch import Order, fetch
from exptrack.operations.sharing.arriving import Filter
from exptrack.project import Project
from exptrack.render.sharing import enumerate_names, explain_held, format_data, list_names, shorten
from exptrack.render.text import inert
from exptrack.store.runs import ABBREVIATED

_SHOWN, _NAMED = 20, 5


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="REMOTE|QUERY",
        help="a Git remote (else as `exptrack push` chooses it), and which runs, as in 'metrics.accuracy > 0.9'",
    )
    parser.add_argument(
        "--month", action="append", default=[], dest="months", metavar="YYYY-MM",
        help="runs that started in this month, UTC (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--name", action="append", default=[], dest="names", metavar="PREFIX",
        help="runs whose names begin so (repeatable)",
    )  # fmt: skip
    parser.add_argument("-e", "--experiment", metavar="EXPERIMENT", help="runs of this experiment")
    parser.add_argument("--prune", action="store_true", help="also remove here what others removed")
    parser.add_argument("-n", "--dry-run", action="store_true", help="say which runs would come (tags and notes come)")
    parser.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")


def run(arguments: argparse.Namespace) -> int:
    return get(arguments, has_data=False)


def get(arguments: argparse.Namespace, *, has_data: bool) -> int:
    """Fetch, also for `pull`, which brings data too."""
    project = open_project(arguments)
    order = _read_order(arguments, project, has_data=has_data)
    with interruptible("pull" if has_data else "fetch"), watched() as progress:
        fetched = fetch(project.context, order, progress)
    if not arguments.quiet:
        for line in _summarise(fetched, order):
            print(line)
    for line in _complain(fetched, order):
        say(line)
    return 2 if fetched.clashes or fetched.refused or fetched.lacking else 0


def _read_order(arguments: argparse.Namespace, project: Project, *, has_data: bool) -> Order:
    words: list[str] = arguments.words
    is_first = bool(words) and is_remote(project.context.repository, words[0])
    remote, queries = (words[0], words[1:]) if is_first else (None, words)
    if len(queries) > 1:
        raise ExptrackError("a query is one word, so quote it: exptrack fetch 'metrics.accuracy > 0.9'")
    if queries and _is_bare(queries[0]):
        raise ExptrackError(f"'{queries[0][:60]}' is no remote, and no query; {_advise(project, queries[0][:60])}")
    wanted = Filter(tuple(arguments.months), tuple(arguments.names), arguments.experiment, next(iter(queries), None))
    return Order(remote, wanted, is_pruning=arguments.prune, has_data=has_data, is_dry=arguments.dry_run)


def _advise(project: Project, word: str) -> str:
    if near := find_similar(project.context.repository, word):
        return f"did you mean the remote '{near}'?"
    if "/" in word:
        return "there is no Git repository at that place"
    return f"a run is fetched by `--name {word}`"


def _is_bare(word: str) -> bool:
    from exptrack.operations.ranges import is_query

    return not is_query(word)


def _summarise(fetched: Fetched, order: Order) -> Iterator[str]:
    verb = "would fetch" if order.is_dry else "fetched"
    count = sum(len(arrival.names) for arrival in fetched.arrivals)
    if count:
        many = f"{verb} {counted(count, 'run')} from {fetched.remote}"
        if order.is_dry:
            for arrival in fetched.arrivals:
                many = many if arrival is fetched.arrivals[0] else f"{verb} as well"
                yield from list_names(many, arrival.names, f" by {_person(arrival)}")
        else:
            yield f"{many}: {_name_people(fetched.arrivals)}"
    if fetched.objects:
        yield f"{verb} {format_data(fetched.objects, fetched.size, is_most=order.is_dry).removeprefix('; ')}"
    if fetched.annotations:
        yield f"fetched tags, notes and other annotations from {shorten(fetched.remote) if count else fetched.remote}"
    is_pruned = order.is_pruning and bool(fetched.gone)
    if is_pruned:
        verb = "would remove" if order.is_dry else "removed"
        yield f"{verb} here, since others removed {_them(fetched.gone)}: {enumerate_names(fetched.gone)}"
    came = count or fetched.objects or fetched.annotations or is_pruned
    if not (came or fetched.clashes or fetched.refused or fetched.lacking):
        yield _say_nothing(fetched, order)


def _say_nothing(fetched: Fetched, order: Order) -> str:
    holding = "" if order.wanted == Filter() else " for which that holds"
    return (
        f"nothing new on {fetched.remote}{holding}"
        if fetched.there
        else f"no run on {fetched.remote}{holding or ' yet'}"
    )


def _name_people(arrivals: Sequence[Arrival]) -> str:
    if len(arrivals) == 1:
        one = arrivals[0]
        return f"{enumerate_names(one.names)} by {_person(one)}"
    return ", ".join(f"{len(one.names):,} by {_person(one)}" for one in arrivals[:_SHOWN]) + (
        f" and {len(arrivals) - _SHOWN:,} others" if len(arrivals) > _SHOWN else ""
    )


def _person(arrival: Arrival) -> str:
    return inert(" on ".join(filter(None, (arrival.author or "somebody", arrival.host))))


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _complain(fetched: Fetched, order: Order) -> Iterator[str]:
    shown = fetched.clashes[: _NAMED if len(fetched.clashes) > _NAMED + 1 else None]
    for clash in shown:
        here, there = clash.here[:ABBREVIATED], clash.there[:ABBREVIATED]
        yield (
            f"'{clash.name}' is another run on {shorten(fetched.remote)} ({there}) than here ({here}), and was not fetched: "
            f"share yours under another name by `exptrack push {clash.name} --as NAME`, or make room by `exptrack rm {clash.name}`"
        )
    if len(fetched.clashes) > len(shown):
        yield f"{len(fetched.clashes) - len(shown):,} more clash in the same way"
    yield from explain_held(fetched.refused, "is refused", "are refused")
    if fetched.gone and not order.is_pruning:
        yield f"others removed {enumerate_names(fetched.gone)}: `exptrack fetch --prune` removes {_them(fetched.gone)} here"
    yield from explain_held(fetched.lacking, "lacks data", "lack data")
