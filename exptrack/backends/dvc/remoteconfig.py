"""The DVC config as it is now, with local remotes where they are meant to be, also in a linked work tree.

`.dvc/config` is tracked, so its relative urls are in every work tree, and in one at another depth DVC takes them for another folder:
`../../data` of `/home/ada/project/.dvc` is `/home/ada/data`, but in `/scratch/project/wt/.dvc` it is `/scratch/data`. What DVC pushes from
there is in a folder that nobody else looks into. So here such a url counts from the main work tree, where it was written; unless there is
no such folder, and there is one where DVC would look. It is never made, since nobody could say which one is meant.

`.dvc/config.local` is not tracked and lies in the work tree where it was written. With its credentials and remotes it is of the person and
the machine, not of the work tree, so that of the main work tree counts too; where both say something, the work tree's own wins.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from exptrack.backends.dvc.worktrees import WorkTree, find_work_tree


def load_config(root: Path) -> tuple[Any, frozenset[str]]:
    """DVC's `Config` of the project at `root`, and the remotes of which nobody can say where they are, unless they are there already.

    Raises what DVC raises for a broken file.
    """
    from dvc.config import Config

    tree = find_work_tree(root)
    if tree is None or not tree.is_linked:
        return Config(str(root / ".dvc")), frozenset()
    own = Config(str(root / ".dvc"))
    if tree.main is None or not (tree.main / ".dvc" / "config.local").is_file():
        config = own
    else:
        local = {key: value for key, value in own.load_one("local").items() if value}
        config = Config(str(root / ".dvc"), local_dvc_dir=str(tree.main / ".dvc"), config=local)
    return config, _place(config, own.load_one("repo")["remote"], root, tree)


def find_uncommitted(root: Path, committed: bytes, names: Iterable[str | None]) -> tuple[str, ...]:
    """Those of the remotes (None is the default one) that `.dvc/config` of the project at `root` has otherwise than as it was `committed`.

    What other files of the config say is nobody else's.
    """
    try:
        content = (root / ".dvc" / "config").read_bytes()
    except OSError:
        return ()
    if content == committed:
        return ()
    now, before = _parse(content), _parse(committed)
    found: dict[str, None] = {}
    for name in names:
        chosen = name or now.get("core", {}).get("remote")
        url = now.get(f'remote "{chosen}"', {}).get("url")
        is_other = not name and before.get("core", {}).get("remote") != chosen
        if url is not None and (is_other or before.get(f'remote "{chosen}"', {}).get("url") != url):
            found[str(chosen)] = None
    return tuple(found)


def _parse(content: bytes) -> dict[str, Any]:
    from configobj import ConfigObj, ConfigObjError

    try:
        config = ConfigObj(content.decode(errors="replace").splitlines(), interpolation=False).dict()
    except ConfigObjError:
        return {}
    return {key.lower(): value for key, value in config.items() if isinstance(value, dict)}


def _place(config: Any, tracked: dict[str, Any], root: Path, tree: WorkTree) -> frozenset[str]:
    from dvc.config_schema import RelPath

    uncertain = set()
    for name, values in tracked.items():
        url = values.get("url")
        if not isinstance(url, RelPath) or config["remote"][name]["url"] != url:
            continue
        here = str(url)
        if tree.main is not None:
            meant = os.path.normpath(tree.main / ".dvc" / os.path.relpath(here, root / ".dvc"))
            chosen = here if Path(here).is_dir() and not Path(meant).is_dir() else meant
            config["remote"][name]["url"] = chosen
        uncertain.add(name)
    return frozenset(uncertain | {name for name in config["remote"] if find_base(config, name) in uncertain})


def find_base(config: Any, name: str) -> str:
    """The remote that a `remote://` url leads to in the end."""
    for _ in config["remote"]:
        scheme, _, rest = str(config["remote"].get(name, {}).get("url", "")).partition("://")
        if scheme != "remote":
            break
        name = rest.partition("/")[0].lower()
    return name
