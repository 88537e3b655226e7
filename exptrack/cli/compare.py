"""`exptrack compare`: which configuration is better, as far as it may be said."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from exptrack.cli.common import mention_dead, open_project
from exptrack.cli.terminal import find_width, has_color, show
from exptrack.errors import ExptrackError
from exptrack.model.comparison import Comparison, Word
from exptrack.operations.compare import Asked, compare
from exptrack.operations.comparing.gather import BEST, FINAL
from exptrack.operations.comparing.looking import Beside, look_beside
from exptrack.operations.context import Context

_UNDECIDED = 4


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="QUERY | REV",
        help="only these runs: those for which a query holds, as in 'params.depth = 3' (quote it); the configuration of a run; those with "
        "the code of a branch or commit (else all)",
    )
    parser.add_argument(
        "-e", "--experiment", metavar="NAME", help="the runs of this experiment, by its metric and its rules"
    )
    parser.add_argument(
        "-m", "--metric", metavar="NAME", help="compare by this metric (else the experiment's, or the only one)"
    )
    parser.add_argument(
        "-b",
        "--baseline",
        metavar="B",
        help="what the others are held against: values of parameters (lr=0.1,depth=3), a run, a branch or a commit",
    )
    parser.add_argument(
        "--group-by",
        action="append",
        metavar="NAMES",
        help="runs that agree in these parameters are replicates, whatever else differs: 'params.lr,params.depth'",
    )
    parser.add_argument("--merge-code", action="store_true", help="runs of different code may be replicates")
    parser.add_argument(
        "--strict", action="store_true", help="leave out configurations whose runs differ in data, environment or code"
    )
    parser.add_argument(
        "--force", action="store_true", help="show the numbers also of what is not comparable, without a word on them"
    )
    parser.add_argument(
        "--alpha",
        type=_number,
        metavar="A",
        help="the share of false claims that is accepted (else 0.05, or what is declared)",
    )
    parser.add_argument(
        "--step",
        type=_step,
        default=FINAL,
        metavar="STEP",
        help="which value of a run counts: final, best, or that of a step",
    )
    parser.add_argument(
        "--by-parameter", action="store_true", help="also say how closely the metric goes with each parameter"
    )
    parser.add_argument(
        "--predictions", action="store_true", help="also compare the predictions files of two runs example by example"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--markdown", action="store_true", help="as Markdown, for a pull request")
    form.add_argument("--csv", action="store_true", help="a table for other programs, one line a configuration")
    parser.add_argument(
        "--plot", metavar="FILE", help="also draw intervals and the value of every run into FILE (.svg or .png)"
    )
    parser.add_argument(
        "--exit-code", action="store_true", help="exit with 1 if one is worse, with 4 if it is undecided"
    )


def run(arguments: argparse.Namespace) -> int:
    plot = _find_plot(arguments)
    project = open_project(arguments)
    mention_dead(project)
    comparison = compare(project.context, _read(arguments))
    beside = _look_beside(project.context, comparison, arguments)
    if plot is not None:
        _draw(comparison, plot)
    is_text = not (arguments.json or arguments.markdown or arguments.csv)
    if arguments.csv:
        from exptrack.render.comparisonjson import format_csv

        sys.stdout.write(format_csv(comparison))
    else:
        show(_format(comparison, beside, arguments), is_paged=is_text and not arguments.no_pager)
    return judge([one.word for one in comparison.verdicts]) if arguments.exit_code else 0


def judge(words: Sequence[Word]) -> int:
    """The exit status of verdicts: 0 if all are better or equivalent, 1 if one is worse, 4 if that is not decided, or there is none."""
    if Word.WORSE in words:
        return 1
    return 0 if words and set(words) <= {Word.BETTER, Word.EQUIVALENT} else _UNDECIDED


def _read(arguments: argparse.Namespace) -> Asked:
    names = [name.strip() for text in arguments.group_by or () for name in text.split(",") if name.strip()]
    if arguments.group_by and not names:
        raise ExptrackError("no parameter is named: give names with commas between, such as params.lr,params.depth")
    return Asked(
        words=tuple(arguments.words),
        experiment=arguments.experiment,
        metric=arguments.metric,
        baseline=arguments.baseline,
        group_by=tuple(names) or None,
        is_code_merged=arguments.merge_code,
        is_strict=arguments.strict,
        is_forced=arguments.force,
        alpha=arguments.alpha,
        step=arguments.step,
    )


def _look_beside(context: Context, comparison: Comparison, arguments: argparse.Namespace) -> Beside:
    asked = arguments.by_parameter, arguments.predictions
    if not any(asked):
        return Beside()
    if arguments.csv:
        option = "--by-parameter" if asked[0] else "--predictions"
        raise ExptrackError(f"--csv is a table of configurations: leave out {option}, or take --json")
    return look_beside(
        context,
        comparison,
        tuple(arguments.words),
        by_parameter=arguments.by_parameter,
        predictions=arguments.predictions,
    )


def _format(comparison: Comparison, beside: Beside, arguments: argparse.Namespace) -> str:
    from exptrack.render.comparisonbeside import encode_beside, format_beside, list_blocks

    if arguments.json:
        from exptrack.render.comparisonjson import format_json

        return format_json(comparison, encode_beside(beside))
    if arguments.markdown:
        from exptrack.render.comparisonmarkdown import format_markdown

        return format_markdown(comparison, more=list_blocks(beside))
    from exptrack.render.comparison import format_comparison

    told = format_comparison(comparison, width=find_width(), color=has_color())
    return "\n\n".join(filter(None, (told, format_beside(beside, width=find_width()))))


def _find_plot(arguments: argparse.Namespace) -> Path | None:
    if arguments.plot is None:
        return None
    path: Path = arguments.directory / arguments.plot
    if path.suffix.lower() not in {".svg", ".png"}:
        raise ExptrackError(f"'{arguments.plot}' is no plot: give a file that ends with .svg or .png")
    if not path.parent.is_dir():
        raise ExptrackError(f"the folder of '{arguments.plot}' is not there: make it first")
    return path


def _draw(comparison: Comparison, path: Path) -> None:
    from exptrack.render.comparisonplot import draw_plot

    content = draw_plot(comparison, path.suffix.lower()[1:])
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ExptrackError(f"'{path.name}' cannot be written: {error.strerror}") from error


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no number") from None


def _step(text: str) -> str | float:
    if text in {FINAL, BEST}:
        return text
    try:
        step = float(text)
    except ValueError:
        step = math.nan
    if not math.isfinite(step):
        raise argparse.ArgumentTypeError(f"'{text}' is not final, best or the number of a step")
    return step
