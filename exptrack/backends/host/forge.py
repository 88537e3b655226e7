"""Where a forge looks for what is to be seen beside a job: GitHub in the job's output, GitLab in a report."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_LONGEST_LABEL = 255  # characters, as GitLab's schema of the report has it
REPORT = "EXPTRACK_GITLAB_ANNOTATIONS"


def annotate(environ: Mapping[str, str], title: str, text: str, *, is_warning: bool) -> None:
    """Have a line seen beside the job that we are in, if it is one of a forge. What cannot be written is not.

    GitLab takes annotations from a report alone, a file that the job names; the variable `EXPTRACK_GITLAB_ANNOTATIONS` names it for us.
    """
    with suppress(OSError):
        if environ.get("GITHUB_ACTIONS") == "true":
            # A line of its own, whatever the command has left without an end: a progress bar, say.
            os.write(2, f"\n{format_github(title, text, is_warning=is_warning)}\n".encode())
        elif environ.get("GITLAB_CI") == "true" and (path := environ.get(REPORT)):
            _report(Path(path), text, environ.get("CI_JOB_URL", ""))


def format_github(title: str, text: str, *, is_warning: bool) -> str:
    """A workflow command of GitHub, escaped as its toolkit does."""
    command = "warning" if is_warning else "notice"
    return f"::{command} title={_escape(title).replace(':', '%3A').replace(',', '%2C')}::{_escape(text)}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def add_to_report(report: bytes | None, text: str, url: str) -> bytes:
    """GitLab's report with one link more: a label is all that it shows of an annotation. What is no report is begun anew."""
    found: object = None
    with suppress(ValueError):
        found = json.loads(report or b"")
    sections = found if isinstance(found, dict) else {}
    ours = sections.get("exptrack")
    link = {"external_link": {"label": text[:_LONGEST_LABEL], "url": url}}
    sections["exptrack"] = [*(ours if isinstance(ours, list) else []), link]
    return json.dumps(sections, indent=2).encode() + b"\n"


def _report(path: Path, text: str, url: str) -> None:
    before = None
    with suppress(FileNotFoundError):
        before = path.read_bytes()
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(add_to_report(before, text, url))
    partial.replace(path)
