"""`exptrack plot`: the curves of metrics, in the terminal or as a file."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from exptrack.analysis.curves import Axis, Band
from exptrack.cli.common import mention_dead, open_project, say
from exptrack.cli.terminal import find_width, has_color, show
from exptrack.errors import ExptrackError
from exptrack.operations.plot import Asked, Plot, plot

_WIDTH, _HEIGHT = 80, 16
_KINDS = frozenset({".svg", ".png", ".html"})


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="QUERY | RANGE | REV",
        help="these runs: those for which a query holds, as in 'params.depth = 3' (quote it), a range A..B, or the names of runs, also of "
        "those under way (else what runs now, or the latest run recorded here)",
    )
    parser.add_argument(
        "-e", "--experiment", metavar="NAME", help="only runs of this experiment (without words all of them)"
    )
    parser.add_argument(
        "-m",
        "--metric",
        action="append",
        metavar="NAME",
        help="this metric, or those that a pattern such as 'val/*' matches; may be given several times (else the first that "
        "exptrack.yaml declares, or the only one)",
    )
    parser.add_argument(
        "--x",
        choices=[*map(str, Axis)],
        default=str(Axis.STEP),
        help="along which axis: an epoch has the mean of its values, relative is the time since the first point",
    )
    parser.add_argument(
        "--smooth",
        type=_weight,
        default=0.0,
        metavar="W",
        help="smooth as TensorBoard does, by a weight from 0 to below 1",
    )
    parser.add_argument(
        "--band",
        nargs="?",
        choices=[*map(str, Band)],
        const=str(Band.INTERVAL),
        help="the runs of a configuration as one curve, their mean, and around it its 95%% interval, one standard deviation (sd), or "
        "from the smallest to the largest (range)",
    )
    parser.add_argument("--log-y", action="store_true", help="a logarithmic y-axis")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("-o", "--output", metavar="FILE", help="draw into FILE instead (.svg, .png or .html)")
    form.add_argument("--json", action="store_true", help="the points of the curves, as JSON")


def run(arguments: argparse.Namespace) -> int:
    output = _find_output(arguments)
    project = open_project(arguments)
    mention_dead(project)
    drawn = plot(project.context, _read(arguments))
    for note in drawn.notes if not arguments.json else ():
        say(note)
    if output is not None:
        _write(drawn, output)
    elif arguments.json:
        from exptrack.render.curvejson import format_json

        show(format_json(drawn), is_paged=False)
    else:
        _show(drawn, is_paged=not arguments.no_pager)
    return 0


def _read(arguments: argparse.Namespace) -> Asked:
    return Asked(
        words=tuple(arguments.words),
        experiment=arguments.experiment,
        metrics=tuple(arguments.metric or ()),
        axis=Axis(arguments.x),
        smoothing=arguments.smooth,
        band=None if arguments.band is None else Band(arguments.band),
        is_log=arguments.log_y,
    )


def _show(drawn: Plot, *, is_paged: bool) -> None:
    from exptrack.render.curvetext import Room, format_curves

    is_ascii = (sys.stdout.encoding or "ascii").lower().replace("-", "") not in {"utf8", "utf16", "utf32"}
    room = Room(max(20, find_width() or _WIDTH), _HEIGHT, has_color(), is_ascii)
    show(format_curves(drawn, room), is_paged=is_paged)


def _find_output(arguments: argparse.Namespace) -> Path | None:
    if arguments.output is None:
        return None
    path: Path = arguments.directory / arguments.output
    if path.suffix.lower() not in _KINDS:
        raise ExptrackError(f"'{arguments.output}' is no picture: give a file that ends with .svg, .png or .html")
    if not path.parent.is_dir():
        raise ExptrackError(f"the folder of '{arguments.output}' is not there: make it first")
    return path


def _write(drawn: Plot, path: Path) -> None:
    kind = path.suffix.lower()[1:]
    if kind == "html":
        from exptrack.render.curvepage import format_page

        content = format_page(drawn).encode()
    else:
        from exptrack.render.curvefigure import draw_curves

        content = draw_curves(drawn, kind, f"a picture as {kind}").content
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ExptrackError(f"'{path.name}' cannot be written: {error.strerror}") from error


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 <= weight < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no weight: give a number from 0 to below 1, such as 0.6")
    return weight
