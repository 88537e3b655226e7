"""`exptrack check`: whether the runs that commits claim are what ran, and still reproduce."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exptrack.cli.common import count, open_project, say
from exptrack.cli.output import output_aside
from exptrack.cli.progress import watched
from exptrack.cli.terminal import find_width, has_color, show
from exptrack.errors import ExptrackError
from exptrack.model.checking import Checked, Verdict
from exptrack.model.reproduction import PRESENT, RECORDED
from exptrack.model.settings import Settings
from exptrack.operations.checking.message import check_message
from exptrack.project import Project

_INTERRUPTED = 130
_PLAIN = "GIT_NO_REPLACE_OBJECTS"
_WIDTH = 100  # letters of a line in a pipe, such as the log of a CI job
_STATUS = {Verdict.HOLDS: 0, Verdict.SUPERSEDED: 0, Verdict.FAILS: 1, Verdict.UNKNOWN: 2}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="BASE..HEAD | REV",
        help="the commits whose claims are checked (else all that HEAD has and the remote's default branch has not), or runs",
    )
    parser.add_argument(
        "--at",
        metavar="COMMIT",
        help="execute this commit's code instead of the runs' own, such as HEAD where the base was merged since",
    )
    parser.add_argument(
        "--environment",
        choices=(PRESENT, RECORDED),
        default=PRESENT,
        help="the packages as they are here, or those that were recorded, in a virtual environment",
    )
    parser.add_argument("--remote", metavar="REMOTE", help="fetch runs from this Git remote")
    parser.add_argument("--require-claim", action="store_true", help="exit with 1 if no run is claimed")
    parser.add_argument("--all-recent", type=count, metavar="N", help="check the newest N claims of HEAD's history")
    parser.add_argument(
        "--message", metavar="FILE", help="only whether the runs that a commit message claims exist and were pushed"
    )
    parser.add_argument("--report", metavar="FILE", help="also write the Markdown into a file")
    parser.add_argument("--junit", metavar="FILE", help="also write JUnit XML into a file")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--markdown", action="store_true", help="as Markdown, for a pull request")
    parser.epilog = (
        "What counts as reproduced stands under `check` in the exptrack.yaml of BASE. What commands print goes to stderr. The exit status "
        "is 0 if all claims hold, 1 if one does not, 2 if one cannot be checked."
    )


def run(arguments: argparse.Namespace) -> int:
    # The work tree's exptrack.yaml does not count: that of the base does.
    project = open_project(arguments, Settings())
    if arguments.message is not None:
        return _check_message(project, arguments)
    if arguments.words and arguments.all_recent is not None:
        raise ExptrackError("--all-recent takes claims from HEAD's history: leave out the other words")
    return _check_claims(project, arguments)


def _check_claims(project: Project, arguments: argparse.Namespace) -> int:
    # Not above: it imports what executes runs, which the hook and `--help` would pay with 50 ms of 115.
    from exptrack.operations.check import Asked, check
    from exptrack.operations.checking.trial import is_interrupted

    asked = Asked(
        environ=dict(os.environ),
        words=tuple(arguments.words),
        at=arguments.at,
        environment=arguments.environment,
        remote=arguments.remote,
        recent=arguments.all_recent,
    )
    try:
        with watched() as progress, output_aside(), _originals():
            checked = check(project.context, asked, progress)
    except ExptrackError as error:
        _write_refusal(str(error), arguments)
        raise
    # First what took long; a file that cannot be written then costs nothing but itself.
    show(_format(checked, arguments), is_paged=False)
    _write_files(checked, arguments)
    if any(map(is_interrupted, checked.claims)):
        return _INTERRUPTED
    if arguments.require_claim and not checked.claims and not checked.broken:
        return 1
    return _STATUS[checked.verdict]


@contextmanager
def _originals() -> Iterator[None]:
    """Commits as they are: what `git replace` has in their place here, nobody else has."""
    before = os.environ.get(_PLAIN)
    os.environ[_PLAIN] = "1"
    try:
        yield
    finally:
        os.environ.pop(_PLAIN)
        os.environ |= {} if before is None else {_PLAIN: before}


def _check_message(project: Project, arguments: argparse.Namespace) -> int:
    file = Path(arguments.directory, arguments.message)
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ExptrackError(f"the message {file} cannot be read: {error.strerror}") from error
    refused = check_message(project.context, text, arguments.remote)
    for line in refused:
        say(line)
    return int(bool(refused))


def _write_files(checked: Checked, arguments: argparse.Namespace) -> None:
    if arguments.report is not None:
        from exptrack.render.checkmarkdown import format_markdown

        _write(arguments, arguments.report, format_markdown(checked))
    if arguments.junit is not None:
        from exptrack.render.junit import format_junit

        _write(arguments, arguments.junit, format_junit(checked, is_claim_required=arguments.require_claim))


def _write_refusal(reason: str, arguments: argparse.Namespace) -> None:
    from exptrack.render import checkmarkdown, junit

    if arguments.report is not None:
        _write(arguments, arguments.report, checkmarkdown.format_refusal(reason))
    if arguments.junit is not None:
        _write(arguments, arguments.junit, junit.format_refusal(reason))


def _write(arguments: argparse.Namespace, name: str, text: str) -> None:
    file = Path(arguments.directory, name)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise ExptrackError(f"{file} cannot be written: {error.strerror}") from error


def _format(checked: Checked, arguments: argparse.Namespace) -> str:
    if arguments.json:
        from exptrack.render.checkjson import format_json

        return format_json(checked)
    if arguments.markdown:
        from exptrack.render.checkmarkdown import format_markdown

        return format_markdown(checked)
    from exptrack.render.check import format_check

    return format_check(checked, width=find_width() or _WIDTH, color=has_color())
