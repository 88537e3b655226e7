"""Put the shipped files for CI, and the hook, where the forge and git look for them. Each function says what was done, a line each."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

from exptrack.backends.git.hooks import find_hooks
from exptrack.backends.git.repository import Repository
from exptrack.operations.shipped import Copied, copy_text, find_template, find_text, read_template

FORGES = ("github", "gitlab")

_GITHUB = ("exptrack-check.yml", "exptrack-nightly.yml")
_GITLAB, _INCLUDED = ".gitlab-ci.yml", ".gitlab/exptrack.gitlab-ci.yml"
_INCLUDE = ("include:", f"  - local: {_INCLUDED}")
_SAY = "say in it what pip installs (EXPTRACK_PACKAGE)"
_CONFIG = ".pre-commit-config.yaml"
_CALL = "exptrack check --message"
_PROJECT = re.compile(r"^( *EXPTRACK_PROJECT:) \.(?=\s|$)", re.MULTILINE)
_STAGES = re.compile(r"^stages *:.*(?:\n(?:[ \t-].*)?)*", re.MULTILINE)
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*", re.ASCII)


def install_ci(repository: Repository, folder: Path, forge: str) -> tuple[str, ...]:
    """Install the jobs for a forge, one of FORGES, at the root of the repository; `folder` is the project's. Raises ExptrackError."""
    return _install_github(repository, folder) if forge == "github" else _install_gitlab(repository, folder)


def install_hooks(repository: Repository, folder: Path) -> tuple[str, ...]:
    """Install the hook `commit-msg`, or say how to add its line to what is there; raises ExptrackError, RepositoryError.

    Users of the pre-commit framework get its configuration to add. A folder of hooks for all repositories is left alone.
    """
    config = find_text(repository.top / _CONFIG)
    if config is not None:
        return _offer_config(_show(repository.top / _CONFIG, folder), config)
    target, shipped = find_hooks(repository) / "commit-msg", find_template("hooks/commit-msg")
    if not any(target.is_relative_to(home) for home in (repository.common_dir, repository.top)):
        return (
            f"hooks are looked for in {target.parent}, for other repositories, too: to have it, copy {shipped} there",
        )
    name = _show(target, folder)
    copied = copy_text(shipped.read_text(encoding="utf-8"), target, is_executable=True)
    if copied is Copied.WRITTEN:
        return (f"wrote {name}: a commit that claims a run which does not exist or was not pushed is refused",)
    if not os.access(target, os.X_OK):
        return (
            f"{name} is there already, but git does not run it: make it executable by `chmod +x {shlex.quote(name)}`",
        )
    if copied is Copied.SAME or _CALL in (find_text(target) or ""):
        return (f"{name} is there already",)
    return (
        f"{name} is there already, for something else: add this line to it",
        f'! grep -qi exptrack-run "$1" || {_CALL} "$1" || exit 1',
    )


def _install_github(repository: Repository, folder: Path) -> tuple[str, ...]:
    advice = f"{_SAY}, name the keys of your DVC remote, and commit it"
    workflows = repository.top / ".github" / "workflows"
    return tuple(
        _copy(f"github/{name}", workflows / name, folder, _fill(f"github/{name}", _project(repository, folder)), advice)
        for name in _GITHUB
    )


def _install_gitlab(repository: Repository, folder: Path) -> tuple[str, ...]:
    template = "gitlab/exptrack.gitlab-ci.yml"
    text = _fill(template, _project(repository, folder).replace("$", "$$"))  # GitLab expands variables in variables
    advice = f"{_SAY}, give the keys of your DVC remote as CI/CD variables, and commit it"
    return (
        _copy(template, repository.top / _INCLUDED, folder, text, advice),
        *_include(repository.top / _GITLAB, folder),
    )


def _include(target: Path, folder: Path) -> tuple[str, ...]:
    name, found = _show(target, folder), find_text(target)
    if found is None:
        copy_text("".join(f"{line}\n" for line in _INCLUDE), target)
        return (f"wrote {name}, which includes it: commit it",)
    if re.search(rf"^[^#\n]*{re.escape(_INCLUDED)}\b", found, re.MULTILINE):
        return (f"{name} includes it already",)
    stages = _STAGES.search(found)
    is_lost = stages is not None and not re.search(r"\btest\b", stages[0])
    more = (
        (f"its `stages` have no `test`: put one of them there for each `stage: test` of {_INCLUDED}",)
        if is_lost
        else ()
    )
    if re.search(r"^include *:", found, re.MULTILINE):
        return (f"{name} is there already: add this to what it includes", _INCLUDE[1], *more)
    return (f"{name} is there already: add these two lines to it", *_INCLUDE, *more)


def _copy(template: str, target: Path, folder: Path, text: str, advice: str) -> str:
    name = _show(target, folder)
    copied = copy_text(text, target)
    if copied is Copied.WRITTEN:
        return f"wrote {name}: {advice}"
    if copied is Copied.SAME:
        return f"{name} is there already"
    return f"{name} is there already, with another text, and was left so; what exptrack ships is in {find_template(template)}"


def _offer_config(name: str, config: str) -> tuple[str, ...]:
    if _CALL in config:
        return (f"{name} calls exptrack already",)
    lines = [line for line in read_template("hooks/pre-commit-config.yaml").splitlines() if not line.startswith("#")]
    advice = "add this to it, then run `pre-commit install --hook-type commit-msg`"
    return (f"{name} is there already: {advice}", *lines)


def _fill(template: str, project: str) -> str:
    """The text of a template for a project in this folder of the repository."""
    word = project if project == "." or _PLAIN.fullmatch(project) else json.dumps(project)
    return _PROJECT.sub(lambda found: f"{found[1]} {word}", read_template(template))


def _project(repository: Repository, folder: Path) -> str:
    return folder.resolve().relative_to(repository.top.resolve()).as_posix()


def _show(path: Path, folder: Path) -> str:
    """A path as one would type it in `folder`."""
    return os.path.relpath(path.resolve().parent / path.name, folder.resolve())
