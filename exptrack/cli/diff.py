"""`exptrack diff`: what differs between runs, commits and the work tree."""

from __future__ import annotations

import argparse

from exptrack.cli.common import open_project
from exptrack.cli.terminal import find_width, has_color, show
from exptrack.errors import ExptrackError
from exptrack.model.difference import Area, Difference, Overview
from exptrack.operations.context import Context
from exptrack.operations.diff import diff, overview

_FORMS = ("json", "markdown")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sides",
        nargs="*",
        metavar="A",
        help="a run, a branch or commit of Git, or . for the work tree (else @, and the work tree beside a single one); "
        "three or more give a table",
    )
    parser.add_argument(
        "--only",
        action="append",
        type=_areas,
        metavar="AREA",
        help=f"compare only these: {', '.join(Area)} (with commas, or repeatable)",
    )
    parser.add_argument("--stat", action="store_true", help="how much differs, not what")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--markdown", action="store_true", help="as Markdown, for a pull request")
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 if anything differs")


def run(arguments: argparse.Namespace) -> int:
    sides = _sides(arguments.sides)
    chosen = {area for some in arguments.only or () for area in some} or set(Area)
    areas = tuple(area for area in Area if area in chosen)
    context = open_project(arguments).context
    if len(sides) > 2:
        if arguments.stat:
            raise ExptrackError("--stat is for two sides: leave it out, or name two")
        found = overview(context, sides, areas=areas)
        show(_format_overview(found, arguments), is_paged=_is_paged(arguments))
        return int(arguments.exit_code and bool(found.rows))
    difference = diff(context, *sides, areas=areas, patch=not arguments.stat)
    show(_format(context, difference, areas, arguments), is_paged=_is_paged(arguments))
    return int(arguments.exit_code and not difference.is_empty)


def _areas(text: str) -> tuple[Area, ...]:
    try:
        return tuple(Area(word.strip()) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not one of {', '.join(Area)}") from None


def _sides(words: list[str]) -> list[str]:
    if len(words) == 1 and ".." in words[0]:
        words = [side or "@" for side in words[0].split("..", 1)]
    return words if len(words) > 1 else [*(words or ["@"]), "."]


def _is_paged(arguments: argparse.Namespace) -> bool:
    return not (arguments.no_pager or arguments.json or arguments.markdown)


def _format(context: Context, difference: Difference, areas: tuple[Area, ...], arguments: argparse.Namespace) -> str:
    declared = context.settings.metrics
    if arguments.json:
        from exptrack.render.differencejson import format_json

        return format_json(difference, areas)
    if arguments.markdown:
        from exptrack.render.markdown import format_markdown

        return format_markdown(difference, declared, stat=arguments.stat, areas=areas)
    from exptrack.render.difference import format_difference

    return format_difference(
        difference, declared, width=find_width(), color=has_color(), stat=arguments.stat, areas=areas
    )


def _format_overview(found: Overview, arguments: argparse.Namespace) -> str:
    from exptrack.render import overview as render

    if arguments.json:
        return render.format_overview_json(found)
    if arguments.markdown:
        return render.format_overview_markdown(found)
    return render.format_overview(found, width=find_width(), color=has_color())
