"""`exptrack apply`: bring a run's code, parameters and data into the work tree."""

from __future__ import annotations

import argparse

from exptrack.analysis.wording import counted
from exptrack.cli.common import open_project
from exptrack.model.application import Applied, Part
from exptrack.model.change import Kind
from exptrack.render.text import inert

_LETTERS = {Kind.ADDED: "A", Kind.CHANGED: "M", Kind.REMOVED: "D"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rev", metavar="REV", help="the run")
    parser.add_argument(
        "--only",
        action="append",
        type=_parts,
        metavar="PART",
        help=f"apply only these: {', '.join(Part)} (with commas, or repeatable)",
    )
    parser.add_argument("-f", "--force", action="store_true", help="overwrite also what is saved nowhere else")
    parser.add_argument("-n", "--dry-run", action="store_true", help="list what would change, and change nothing")


def run(arguments: argparse.Namespace) -> int:
    project = open_project(arguments)
    parts = [part for some in arguments.only or () for part in some] or list(Part)
    applied = project.apply(arguments.rev, parts, force=arguments.force, dry=arguments.dry_run)
    if arguments.dry_run:
        for path, kind in applied.files:
            print(f"{_LETTERS[kind]} {inert(path)}")
        for path, kind in applied.data:
            print(f"{_LETTERS[kind]} {inert(path)} (data)")
    print(_summarise(applied, dry=arguments.dry_run))
    return 0


def _parts(text: str) -> tuple[Part, ...]:
    words = [word.strip() for word in text.split(",")]
    wrong = next((word for word in words if word not in set(Part)), None)
    if wrong is not None:
        raise argparse.ArgumentTypeError(f"'{wrong}' is not one of {', '.join(Part)}")
    return tuple(map(Part, words))


def _summarise(applied: Applied, *, dry: bool) -> str:
    removed = sum(kind is Kind.REMOVED for _, kind in applied.files)
    changed = len(applied.files) - removed
    parts = [
        f"{counted(changed, 'file')} changed" if changed else "",
        f"{removed} removed" if removed else "",
        counted(len(applied.data), "data path") if applied.data else "",
    ]
    said = ", ".join(filter(None, parts)) or "nothing to do, the work tree is like that already"
    return f"{'would apply' if dry else 'applied'} {applied.name}: {said}"
