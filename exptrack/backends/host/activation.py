"""What a shell's own commands change for those after them: `cd`, `export`, and activating an environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from exptrack.backends.host.runner import CONDA_PROGRAMS, prefix_of_conda
from exptrack.backends.host.scene import Scene
from exptrack.backends.host.shell import ASSIGNMENT, is_open, split_assignments


def is_builtin(words: Sequence[str]) -> bool:
    """Whether the shell itself acts on this command."""
    return words[0] in _EFFECTS or (words[0] in CONDA_PROGRAMS and words[1:2] == ("activate",))


def run_builtin(words: Sequence[str], scene: Scene) -> Scene | None:
    """The scene after the command; None if it cannot be known, as after `module load` or sourcing any file but `activate`."""
    return _EFFECTS.get(words[0], _activate_conda)(words[1:], scene)


def _change_directory(words: Sequence[str], scene: Scene) -> Scene | None:
    if not words or is_open(words[-1]) or words[-1] == "-":
        return None
    return scene._replace(directory=scene.directory / words[-1])


def _export(words: Sequence[str], scene: Scene) -> Scene | None:
    environ, _ = split_assignments([word for word in words if ASSIGNMENT.fullmatch(word)], scene.environ)
    return scene._replace(environ=environ)


def _source(words: Sequence[str], scene: Scene) -> Scene | None:
    if words[:1] == ("activate",):
        return _activate_conda(words, scene)
    path = Path(words[0] if words else "")
    if path.name != "activate" or path.parent.name != "bin" or is_open(words[0]):
        return None
    return scene.enter((scene.directory / path).parent.parent)


def _activate_conda(words: Sequence[str], scene: Scene) -> Scene | None:
    prefix = prefix_of_conda(words[1], scene) if len(words) == 2 else None
    return scene.enter(prefix, "CONDA_PREFIX") if prefix else None


def _anything(_words: Sequence[str], _scene: Scene) -> Scene | None:
    return None


_EFFECTS: Mapping[str, Callable[[Sequence[str], Scene], Scene | None]] = {
    "cd": _change_directory,
    "pushd": _change_directory,
    "export": _export,
    "source": _source,
    ".": _source,
    **dict.fromkeys(("module", "ml", "spack", "eval", "alias"), _anything),
}
