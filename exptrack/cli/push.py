"""`exptrack push`: share runs, their data first."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from exptrack.analysis.wording import counted
from exptrack.cli.common import open_project, say
from exptrack.cli.progress import interruptible, watched
from exptrack.errors import ExptrackError
from exptrack.model.sharing import Pushed
from exptrack.operations.push import Order, push
from exptrack.operations.sharing.selecting import explain_clash
from exptrack.render.sharing import enumerate_names, explain_held, format_data, list_names, shorten

_SHOWN = 5


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="REMOTE|QUERY|REV",
        help="a Git remote (else exptrack.remote, or the one that git pushes to), and runs (else those recorded here)",
    )
    parser.add_argument("--all", action="store_true", help="also runs that were recorded elsewhere and are here")
    parser.add_argument(
        "--no-data", action="store_true", help="push runs without their data, and note that with each of them"
    )
    parser.add_argument("--as", dest="copy_name", metavar="NAME", help="push one run as a copy of this name")
    parser.add_argument("-n", "--dry-run", action="store_true", help="say which runs would be pushed, and push nothing")
    parser.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")
    parser.add_argument("--background", metavar="REMOTE", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    project = open_project(arguments)
    if arguments.background is not None:
        from exptrack.operations.sharing.background import work

        return work(project.context, arguments.background)
    if arguments.copy_name is not None and arguments.all:
        raise ExptrackError("`--as NAME` is for one run: it does not go with `--all`")
    order = Order(
        tuple(arguments.words),
        is_all=arguments.all,
        has_data=not arguments.no_data,
        copy_name=arguments.copy_name,
        is_dry=arguments.dry_run,
    )
    with interruptible("push"), watched() as progress:
        pushed = push(project.context, order, progress)
    if not arguments.quiet:
        for line in _summarise(pushed, is_dry=arguments.dry_run):
            print(line)
    for line in _complain(pushed):
        say(line)
    if pushed.clashes or pushed.held:
        return 2
    if (project.context.repository.shared / "push.log").exists() and not arguments.dry_run:
        from exptrack.operations.sharing.background import note_success

        note_success(project.context, pushed.remote)
    return 0


def _summarise(pushed: Pushed, *, is_dry: bool) -> Iterator[str]:
    remote, would = pushed.remote, "would " if is_dry else ""
    data = format_data(pushed.objects, pushed.size, is_most=is_dry)
    if pushed.names:
        count = counted(len(pushed.names), "run")
        if is_dry:
            yield from list_names(f"would push {count} to {remote}", pushed.names, data)
        else:
            yield f"pushed {count} to {remote}: {enumerate_names(pushed.names)}{data}"
        remote, data = shorten(remote), ""
    if pushed.completed:
        these = enumerate_names(pushed.completed)
        yield f"{would}complete{'' if is_dry else 'd'} the data of {these}{data}"
    if pushed.removed:
        count, these = counted(len(pushed.removed), "removed run"), enumerate_names(pushed.removed)
        yield f"{would}move{'' if is_dry else 'd'} {count} to the trash of {remote}: {these}"
        remote = shorten(remote)
    if pushed.annotations:
        yield f"shared tags, notes and other annotations with {remote}"
    is_idle = not (pushed.names or pushed.completed or pushed.removed or pushed.annotations)
    if is_idle and not (pushed.clashes or pushed.held or pushed.warning):
        yield (
            f"everything is shared with {pushed.remote} already"
            if pushed.there
            else "nothing to push: no run was recorded here; `--all` is for those that were fetched, too"
        )


def _complain(pushed: Pushed) -> Iterator[str]:
    shown = pushed.clashes[: _SHOWN if len(pushed.clashes) > _SHOWN + 1 else None]
    for clash in shown:
        yield explain_clash(clash, pushed.remote)
    if len(pushed.clashes) > len(shown):
        yield f"{len(pushed.clashes) - len(shown):,} more clash in the same way"
    yield from explain_held(pushed.held, "is not pushed", "are not pushed")
    if pushed.unshared:
        these = enumerate_names(pushed.unshared)
        whose = "its data" if len(pushed.unshared) == 1 else "their data"
        yield f"without {whose}, which others do not have: {these}; the next `exptrack push` brings it"
    if pushed.warning:
        yield pushed.warning
    yield from pushed.advice
