"""`exptrack conclude`: accept or reject the hypothesis of an experiment, or say not yet."""

from __future__ import annotations

import argparse
from pathlib import Path

from exptrack.cli.common import open_project
from exptrack.cli.terminal import show
from exptrack.errors import ExptrackError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-e", "--experiment", required=True, metavar="NAME", help="the experiment, as exptrack.yaml declares it"
    )
    parser.add_argument("--report", metavar="FILE", help="also write the Markdown into a file")
    parser.add_argument("--json", action="store_true", help="as JSON, in place of Markdown")
    parser.add_argument(
        "--exit-code",
        action="store_true",
        help="exit with 0 if a candidate is better or all are equivalent, 1 if all are decided and one is worse, else 4",
    )


def run(arguments: argparse.Namespace) -> int:
    from exptrack.analysis.experiments.concluding import find_status
    from exptrack.operations.conclude import conclude
    from exptrack.render.conclusion import format_json, format_markdown

    project = open_project(arguments)
    file = None if arguments.report is None else Path(arguments.directory, arguments.report)
    if file is not None and not file.parent.is_dir():
        raise ExptrackError(f"{arguments.report} cannot be written: {file.parent} is no folder")
    conclusion = conclude(project.context, arguments.experiment)
    page = format_markdown(conclusion)
    show(format_json(conclusion) if arguments.json else page, is_paged=False)
    if file is not None:
        try:
            file.write_text(f"{page}\n", encoding="utf-8")
        except OSError as error:
            raise ExptrackError(f"{arguments.report} cannot be written: {error.strerror}") from error
    return find_status(conclusion.verdicts) if arguments.exit_code else 0
