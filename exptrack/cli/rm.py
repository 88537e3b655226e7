"""`exptrack rm`: remove runs, and bring them back."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from exptrack.analysis.wording import counted
from exptrack.cli.common import nothing_holds, open_project, say
from exptrack.errors import ExptrackError
from exptrack.model.run import BrokenRun, Run
from exptrack.operations.context import Context
from exptrack.operations.remove import Removed, choose, list_removed, remove, restore
from exptrack.render.text import inert

_NAMED = 5


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words", nargs="*", metavar="REV | QUERY", help="which runs: revs, or queries as of `exptrack ls`"
    )
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument("-m", "--message", metavar="REASON", help="why, for those who wonder where they are")
    parser.add_argument("--restore", nargs="+", metavar="NAME", help="bring removed runs back")
    parser.add_argument(
        "--list", action="store_true", dest="is_listing", help="the removed runs that can be brought back"
    )


def run(arguments: argparse.Namespace) -> int:
    asked = [bool(arguments.words), arguments.restore is not None, arguments.is_listing]
    if sum(asked) != 1:
        raise ExptrackError(
            "one thing at a time: runs to remove, `--restore` or `--list`"
            if any(asked)
            else "name the runs to remove, or give `--restore` or `--list`"
        )
    context = open_project(arguments).context
    if arguments.is_listing:
        return _list(context)
    if arguments.restore is not None:
        names = restore(context, arguments.restore)
        print("\n".join(f"restored {name}" for name in names))
        return 0
    return _remove(context, arguments)


def _remove(context: Context, arguments: argparse.Namespace) -> int:
    from exptrack.operations.ranges import is_query

    told: list[str] = []
    chosen = choose(context._replace(notice=told.append), arguments.words)
    queries = [word for word in arguments.words if is_query(word)]
    for line in told:
        say(line)
    if not chosen:
        if queries:
            print(nothing_holds(queries))
        return 0
    if not arguments.yes:
        if sys.stdin.isatty():
            if not _confirm(chosen):
                say("nothing was removed")
                return 0
        elif queries:
            many = counted(len(chosen), "run")
            raise ExptrackError(f"this would remove {many}, and there is no terminal to ask on: confirm it with `-y`")
    names = remove(context, chosen, arguments.message)
    print("\n".join(f"removed {name}" for name in names) if len(names) <= _NAMED else f"removed {len(names):,} runs")
    days = context.settings.keep.trash
    back = f"`exptrack rm --restore {names[0] if len(names) == 1 else 'NAME'}` brings {_them(names)[0]} back for {counted(days, 'day')}"
    say(f"{back}; where {_them(names)[1]} pushed, `exptrack push` takes {_them(names)[2]} off the remote")
    return 0


def _them(names: Sequence[str]) -> tuple[str, str, str]:
    return ("it", "it was", "it") if len(names) == 1 else ("one", "they were", "them")


def _confirm(chosen: Sequence[Run | BrokenRun]) -> bool:
    """Show what would go, and ask; no answer is a no."""
    shown = chosen if len(chosen) <= _NAMED + 1 else chosen[:_NAMED]
    lines = [f"  {_describe(one)}" for one in shown]
    if len(chosen) > len(shown):
        lines.append(f"  and {len(chosen) - len(shown):,} more")
    question = "\n".join([*lines, f"remove {counted(len(chosen), 'run')}? [y/N] "])
    print(question, end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        print(file=sys.stderr)
    return answer.strip().lower() in {"y", "yes"}


def _describe(one: Run | BrokenRun) -> str:
    if isinstance(one, BrokenRun):
        return inert(f"{one.name}  cannot be read: {one.reason}")
    facts = [
        one.name,
        f"{one.started:%Y-%m-%d %H:%M}",
        one.status,
        one.record.author.partition(" <")[0],
        ", ".join(one.tags),
    ]
    return inert("  ".join(filter(None, facts)))


def _list(context: Context) -> int:
    removed = list_removed(context)
    if not removed:
        print("no run was removed")
        return 0
    for row in _table(removed):
        print(row)
    return 0


def _table(removed: Sequence[Removed]) -> list[str]:
    rows = [("name", "removed", "by", "stays until", "reason")]
    rows += [
        (
            one.name,
            f"{one.time:%Y-%m-%d %H:%M}" if one.time else "",
            one.by.partition(" <")[0],
            str(one.last_day or ""),
            one.reason or "",
        )
        for one in removed
    ]
    from exptrack.render.text import display_width, pad

    shown = [[inert(cell) for cell in row] for row in rows]
    widths = [max(map(display_width, column)) for column in zip(*shown, strict=True)]
    return ["  ".join(pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown]
