"""What `exptrack show` says of a run that is not recorded yet."""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import closing
from datetime import UTC, datetime

from exptrack.analysis.fields import finite
from exptrack.cli.common import say
from exptrack.cli.terminal import find_width, has_color, is_unicode, show
from exptrack.errors import ExptrackError
from exptrack.operations.follow import Follower, Sight, State
from exptrack.project import Project
from exptrack.render.live import format_live
from exptrack.render.page import Page
from exptrack.render.text import inert, inert_json

_WIDTH = 200  # cells, where there is no terminal that has an edge


def show_under_way(project: Project, name: str, arguments: argparse.Namespace) -> bool:
    """What the journal says; False if it went meanwhile, since the run was recorded. Raises ExptrackError for what only a recorded run has."""
    if arguments.environment or arguments.file is not None or arguments.history is not None:
        raise ExptrackError(
            f"'{name}' is not recorded yet: `exptrack show {name}` and `--output` show what is known of it"
        )
    with closing(Follower(project.context.repository.shared, name, is_whole=arguments.output)) as follower:
        state, news = follower.look()
        printed = [*news.lines, *([follower.pending] if follower.pending else [])]
        sight = follower.sight(state, time.time())
    if state is State.GONE:
        return False
    if arguments.output:
        sys.stdout.writelines(f"{inert(line) if sys.stdout.isatty() else line}\n" for line in printed)
    elif arguments.json:
        print(inert_json(json.dumps(_fields(sight), indent=2, allow_nan=False)))
    else:
        page = Page(None if arguments.all else find_width() or _WIDTH, has_color(), arguments.all)
        text = format_live(
            sight, datetime.now(UTC), declared=project.settings.metrics, page=page, is_ascii=not is_unicode()
        )
        show(text, is_paged=not arguments.no_pager)
    if state is State.DIED:
        say(f"'{name}' died: `exptrack recover {name}` records it")
    return True


def _fields(sight: Sight) -> dict[str, object]:
    record, progress = sight.record, sight.progress
    return {
        "name": sight.name,
        "state": sight.state,
        "started": record.started.isoformat().replace("+00:00", "Z") if record else None,
        "command": list(record.command) if record else None,
        "pid": sight.pid,
        "params": finite(sight.params),
        "metrics": finite({name: series.value for name, series in sight.metrics.items()}),
        "system": finite({name: series.value for name, series in sight.system.items()}),
        "progress": finite({key: getattr(progress, key) for key in ("step", "epoch", "share", "left", "parameter")}),
        "problems": list(sight.problems),
    }
