"""`exptrack show`: one run in full."""

from __future__ import annotations

import argparse
import json
import posixpath
import sys

from exptrack.cli.common import add_follow_options, open_project, say
from exptrack.cli.terminal import find_width, has_color, show
from exptrack.errors import ExptrackError, RevError
from exptrack.model.run import Run, Status
from exptrack.operations.artifacts import list_artifacts
from exptrack.operations.edits import list_edits
from exptrack.project import Project
from exptrack.render.card import format_card
from exptrack.render.page import Page
from exptrack.store.runs import ENVIRONMENT

_OUTPUT = ".exptrack/output.log"
_READABLE = 64 << 20  # bytes of data
_WIDTH = 200  # cells, where there is no terminal that has an edge


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rev", nargs="?", default="@", metavar="REV", help="the run (else the latest recorded here)")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--all", action="store_true", help="every metric, parameter and path, and every line in full")
    part.add_argument("--output", action="store_true", help="what the command printed")
    part.add_argument("--history", metavar="METRIC", help="the values of a metric over the steps, tab-separated")
    part.add_argument("--environment", action="store_true", help="interpreter, hardware, variables and every package")
    part.add_argument(
        "--file", metavar="PATH",
        help="a file as the run's commit holds it, or its data out of the DVC cache; of a folder the names in it. Seen from the root of "
        "the repository, or after ./ from here",
    )  # fmt: skip
    parser.add_argument(
        "--json",
        action="store_true",
        help="the record with its present tags and notes, or the history or environment, as JSON",
    )
    add_follow_options(parser, "of a run under way: show how it goes on until it ends, then what was recorded")


def run(arguments: argparse.Namespace) -> int:
    if arguments.json and (arguments.output or arguments.file is not None or arguments.all):
        raise ExptrackError("--json goes with --history and --environment, or alone: leave the other option out")
    project = open_project(arguments)
    found = _find(project, arguments)
    return found if isinstance(found, int) else _show_recorded(project, found, arguments)


def _find(project: Project, arguments: argparse.Namespace) -> Run | int:
    """The run as it is recorded, when it has ended where that is asked for; or the exit status after another answer."""
    is_followed = arguments.follow
    if is_followed and _is_partial(arguments):
        raise ExptrackError("--follow goes with --json and --interval, or alone: leave the other option out")
    if is_followed and (name := _find_followed(project, arguments.rev)):
        from exptrack.cli.following import follow_run

        return follow_run(project, name, arguments)
    if is_followed and arguments.rev == "@":
        say("no run is under way: this is the one that was recorded last")
    try:
        return project.run(arguments.rev)
    except RevError:
        if arguments.rev == "@" or not (name := _find_followed(project, arguments.rev)):
            raise
        from exptrack.cli.underway import show_under_way

        if not show_under_way(project, name, arguments):
            return project.run(arguments.rev)  # recorded meanwhile
        return 0


def _find_followed(project: Project, rev: str) -> str | None:
    from exptrack.operations.follow import find_followed

    return find_followed(project.context, rev)


def _is_partial(arguments: argparse.Namespace) -> bool:
    is_named = arguments.history is not None or arguments.file is not None
    return arguments.all or arguments.output or arguments.environment or is_named


def _show_recorded(project: Project, shown: Run, arguments: argparse.Namespace) -> int:
    is_paged = not (arguments.no_pager or arguments.follow)
    if arguments.output:
        _give(project.files(shown.oid, [_OUTPUT]).get(_OUTPUT, b""), is_paged=is_paged)
    elif arguments.history is not None:
        _give(_history(project, shown, arguments.history, is_json=arguments.json), is_paged=is_paged)
    elif arguments.environment:
        _show_environment(project, shown, is_json=arguments.json, is_paged=is_paged)
    elif arguments.file is not None:
        _show_file(project, shown, arguments.file, is_paged=is_paged)
    elif arguments.json:
        _give(_record(shown), is_paged=False)
    else:
        show(_card(project, shown, is_whole=arguments.all), is_paged=is_paged)
    return 0


def _card(project: Project, shown: Run, *, is_whole: bool) -> str:
    page = Page(None if is_whole else find_width() or _WIDTH, has_color(), is_whole)
    output = b""
    if shown.status is not Status.COMPLETED:
        output = project.files(shown.oid, [_OUTPUT]).get(_OUTPUT, b"")
    return format_card(
        shown,
        project.environment(shown),
        code=list_edits(project.context, shown),
        output=output.decode(errors="replace"),
        artifacts=list_artifacts(project.context, shown),
        declared=project.settings.metrics,
        page=page,
    )


def _record(shown: Run) -> bytes:
    from exptrack.render.records import list_fields

    fields = list_fields(shown)
    return _as_json(fields)


def _history(project: Project, shown: Run, metric: str, *, is_json: bool) -> bytes:
    from exptrack.analysis.fields import finite
    from exptrack.operations.histories import give_history

    if not is_json:
        return give_history(project.context, shown, metric)
    return _as_json(
        [
            {
                "step": finite(one.step), "timestamp": round(one.time * 1000), "value": finite(one.value),
                **({} if one.epoch is None else {"epoch": finite(one.epoch)}),
            }
            for one in project.history(shown, metric)
        ]
    )  # fmt: skip


def _as_json(value: object) -> bytes:
    return (json.dumps(value, indent=2, allow_nan=False) + "\n").encode()


def _show_environment(project: Project, shown: Run, *, is_json: bool, is_paged: bool) -> None:
    from exptrack.analysis.codec import decode_environment
    from exptrack.render.environment import format_environment

    data = find_environment(project, shown, ENVIRONMENT)
    if is_json:
        _give(data, is_paged=False)
    else:
        show(format_environment(decode_environment(data), Page(find_width(), has_color())), is_paged=is_paged)


def find_environment(project: Project, shown: Run, path: str) -> bytes:
    """One of the two files that say what a run ran on; raises ExptrackError if it was not captured."""
    data = project.files(shown.oid, [path]).get(path)
    if data is None:
        raise ExptrackError(
            f"the environment of run '{shown.name}' was not captured: it ended before, or is from another tool"
        )
    return data


def _show_file(project: Project, shown: Run, path: str, *, is_paged: bool) -> None:
    found = project.content(shown, _from_root(project, path))
    if found.names is not None:
        lines = [f"tree {shown.name}:{found.path}", "", *found.names]
        _give("".join(f"{line}\n" for line in lines).encode(errors="surrogateescape"), is_paged=is_paged)
    elif found.file is None:
        _give(found.data, is_paged=is_paged)
    elif sys.stdout.isatty():
        if found.file.stat().st_size > _READABLE:
            raise ExptrackError(f"'{path}' is too large to read on a terminal: write it to a file, with `> FILE`")
        _give(found.file.read_bytes(), is_paged=is_paged)
    else:
        from shutil import copyfileobj

        with found.file.open("rb") as reader:
            copyfileobj(reader, sys.stdout.buffer, 1 << 20)


def _from_root(project: Project, path: str) -> str:
    """As in `git show REV:./path`, what begins with a dot is seen from the working directory."""
    if not path.startswith(("./", "../")) and path not in {".", ".."}:
        return path
    top = project.context.repository.top.resolve()
    here = project.directory.resolve()
    return posixpath.join(here.relative_to(top), path) if here != top and here.is_relative_to(top) else path


def _give(data: bytes, *, is_paged: bool) -> None:
    """Bytes as they are; on a terminal as text that it cannot be made to obey, but for its colours."""
    if sys.stdout.isatty():
        from exptrack.render.text import inert_page

        show(inert_page(data.decode(errors="replace")).removesuffix("\n"), is_paged=is_paged)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
