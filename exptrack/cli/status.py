"""`exptrack status`: what runs now, and what died."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime

from exptrack.analysis.codec import finite
from exptrack.cli.common import add_follow_options, open_project, say
from exptrack.model.run import PIPELINE
from exptrack.operations.active import Active, is_any_under_way, list_active
from exptrack.operations.context import Context
from exptrack.render.text import format_age, format_command, format_pairs, inert


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_follow_options(parser, "show what runs, each second, until nothing does")


def run(arguments: argparse.Namespace) -> int:
    project = open_project(arguments)
    context = project.context
    if arguments.follow and is_any_under_way(context):
        from exptrack.cli.following import follow_all

        return follow_all(project, arguments)
    active = list_active(context)
    if arguments.json and arguments.follow:
        return 0
    if arguments.json:
        print(json.dumps([_fields(one) for one in active], indent=2))
        return 0
    if not active:
        print("nothing runs, and nothing waits for recovery")
    for one in active:
        print(_describe(one))
    if any(not one.is_alive and not one.is_command_running for one in active):
        print("`exptrack recover` records what died")
    if (context.repository.shared / "push.log").exists():
        _mention_push(context)
    return 0


def _mention_push(context: Context) -> None:
    """One line if the last push in the background failed."""
    from exptrack.operations.sharing.background import find_last

    last = find_last(context)
    if last is not None and last.failure is not None:
        age = format_age(last.time, datetime.now(UTC))
        say(inert(f"the push to {last.remote} in the background failed {age} ago: {last.failure}"))


def _state(one: Active) -> str:
    if one.is_alive:
        return "running"
    return "recorder died, command runs" if one.is_command_running else "died"


def _describe(one: Active) -> str:
    words = [one.name, _state(one)]
    if one.record is not None:
        words.append(f"started {format_age(one.record.started, datetime.now(UTC))} ago")
        words.append(PIPELINE if one.record.is_pipeline else format_command(one.record.command))
    if one.pid is not None and (one.is_alive or one.is_command_running):
        words.append(f"process {one.pid}")
    if one.metrics:
        words.append(format_pairs(one.metrics))
    return "  ".join(words)


def _fields(one: Active) -> dict[str, object]:
    started = one.record.started.isoformat().replace("+00:00", "Z") if one.record else None
    command = list(one.record.command) if one.record else None
    return {
        "name": one.name,
        "state": _state(one),
        "started": started,
        "command": command,
        "pid": one.pid,
        "metrics": finite(one.metrics),
    }
