"""Workflows of GitHub and pipelines of GitLab, read from their files and executed step by step, as they stand.

Nothing comes from the machine: a step sees the environment that the test gives it, what the forge would add, and what the file says.
A step's script is executed as the forge does it; an action (`uses:`) is a function that the test gives.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from expressions import evaluate, fill

from exptrack.analysis.yaml12 import load_yaml

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "templates"
PATIENCE = 250  # seconds: a step that has not ended by then never will
BASH = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")


class Done(NamedTuple):
    """An executed step: its name, how it ended, and what it said."""

    name: str
    code: int
    out: str
    err: str


class JobDone(NamedTuple):
    """A job: its executed steps, its status (the first that is not 0), and what it wrote into the summary. Skipped: no steps."""

    steps: tuple[Done, ...]
    code: int
    summary: str = ""

    @property
    def said(self) -> str:
        return "".join(f"{one.out}{one.err}" for one in self.steps)

    def __getitem__(self, name: str) -> Done:  # type: ignore[override]
        [found] = [one for one in self.steps if one.name == name]
        return found


def read(path: str | Path) -> dict[str, Any]:
    """A workflow or pipeline, by its path below `templates/`, or an absolute one."""
    tree = load_yaml((TEMPLATES / path).read_text())
    assert isinstance(tree, dict)
    return tree


def run_script(
    script: str, folder: Path, environ: Mapping[str, str], *, shell: Iterable[str] = BASH, name: str = "script"
) -> Done:
    """Execute a script in a file of its own, whose path is the last word of `shell`, or replaces `{0}` there."""
    home = Path(environ["HOME"])
    file = home / f"step-{len(list(home.glob('step-*')))}"
    file.write_text(script)
    words = [*shell]
    command = [word.replace("{0}", str(file)) for word in (words if "{0}" in words else [*words, "{0}"])]
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return Done(name, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


class GitHub:
    """Executes jobs of a workflow in `folder/work`, which the action for the checkout fills.

    `environ` is what the runner's machine has (PATH, HOME), `table` what expressions may ask for (`github.sha`), by their dotted names;
    `env.*`, `steps.*`, `runner.temp`, `job.status` and functions of the status are known.
    """

    def __init__(
        self,
        workflow: str | Path,
        folder: Path,
        environ: Mapping[str, str],
        table: Mapping[str, Any],
        actions: Mapping[str, Callable[[GitHub, Mapping[str, str]], Mapping[str, str] | None]],
    ) -> None:
        self.workflow, self.folder, self.actions = read(workflow), folder, actions
        self.saved: list[tuple[Path, Path]] = []  # for the action of caches: what is to be copied where in the end
        self.work, self.temp = folder / "work", folder / "temp"
        for one in (self.work, self.temp):
            one.mkdir(parents=True, exist_ok=True)
        self.environ = {**environ, "CI": "true", "GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(self.temp)}
        self.environ["GITHUB_WORKSPACE"] = str(self.work)
        self.table = {
            "always": lambda: True,
            "cancelled": lambda: False,
            "runner.temp": str(self.temp),
            "runner.os": "Linux",
            "runner.arch": "X64",
            "hashFiles": lambda *_: "0123",
            **table,
        }

    def run(self, name: str) -> JobDone:
        """Execute a job, unless its `if` says no."""
        job = self.workflow["jobs"][name]
        table = self.table | {"success": lambda: True, "failure": lambda: False}
        if "if" in job and not _holds(job["if"], table):
            return JobDone((), 0)
        files = {
            variable: self.temp / variable.lower()
            for variable in ("GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_OUTPUT")
        }
        for file in files.values():
            file.write_text("")
        environ = self._with_env({**self.environ, **{key: str(file) for key, file in files.items()}}, self.workflow)
        environ = self._with_env(environ, job)
        code, done = 0, []
        for step in job["steps"]:
            table = self._table(environ, code)
            if not _holds(step.get("if", "success()"), table):
                continue
            one = self._step(step, self._with_env(environ, step), job)
            done += [one]
            if step.get("continue-on-error") is not True:
                code = code or one.code
            if "id" in step:
                self.table |= {
                    f"steps.{step['id']}.outputs.{key}": value for key, value in _pairs(files["GITHUB_OUTPUT"])
                }
                files["GITHUB_OUTPUT"].write_text("")
            environ |= dict(_pairs(files["GITHUB_ENV"]))
        return JobDone(tuple(done), code, files["GITHUB_STEP_SUMMARY"].read_text())

    def _with_env(self, environ: Mapping[str, str], part: Mapping[str, Any]) -> dict[str, str]:
        table = self._table(environ, 0)
        return {**environ, **{key: fill(value, table) for key, value in (part.get("env") or {}).items()}}

    def _table(self, environ: Mapping[str, str], code: int) -> dict[str, Any]:
        known = {f"env.{key}": value for key, value in environ.items()}
        return {**known, **self.table, "success": lambda: code == 0, "failure": lambda: code != 0}

    def _step(self, step: Mapping[str, Any], environ: Mapping[str, str], job: Mapping[str, Any]) -> Done:
        name = step.get("name") or step.get("uses") or step["run"].splitlines()[0]
        if "run" in step:
            default = (job.get("defaults") or self.workflow.get("defaults") or {}).get("run", {})
            shell = step.get("shell") or default.get("shell")
            # Without a shell that is named, GitHub's bash has no pipefail.
            words = BASH if shell == "bash" else ("bash", "-e") if shell is None else shlex.split(shell)
            return run_script(step["run"], self.work, environ, shell=words, name=name)
        table = self._table(environ, 0)
        action, _, _ = step["uses"].partition("@")
        try:
            given = {key: fill(value, table) for key, value in (step.get("with") or {}).items()}
            outputs = self.actions[action](self, given) or {}
        except OSError as error:
            return Done(name, 1, "", str(error))
        self.table |= {f"steps.{step.get('id')}.outputs.{key}": value for key, value in outputs.items()}
        return Done(name, 0, "", "")


def run_gitlab_job(pipeline: Mapping[str, Any], name: str, folder: Path, environ: Mapping[str, str]) -> JobDone:
    """Execute a job of a pipeline in `folder`, a clone as the runner makes it: `before_script` and `script` in one bash, then `after_script`.

    `environ` is the machine's and GitLab's own variables; those of the file are expanded with them. `rules` are the caller's to judge.
    """
    defaults, job = pipeline.get("default") or {}, extended(pipeline, name)
    variables: dict[str, str] = {"CI": "true", "GITLAB_CI": "true", "CI_PROJECT_DIR": str(folder), **environ}
    for key, value in {**(pipeline.get("variables") or {}), **(job.get("variables") or {})}.items():
        text = value["value"] if isinstance(value, Mapping) else value
        variables.setdefault(key, expand(str(text), variables))  # what is set in GitLab itself wins over the file
    parts = {part: _lines(job.get(part, defaults.get(part))) for part in ("before_script", "script", "after_script")}
    main = run_script("\n".join([*parts["before_script"], *parts["script"]]), folder, variables, name=name)
    done = [main]
    if parts["after_script"]:
        state = {"CI_JOB_STATUS": "failed" if main.code else "success"}
        done += [run_script("\n".join(parts["after_script"]), folder, {**variables, **state}, name="after_script")]
    return JobDone(tuple(done), main.code)


def extended(pipeline: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A job with what it `extends`: mappings are merged, all else is replaced."""
    job = dict(pipeline[name])
    parent = job.pop("extends", None)
    return job if parent is None else _merge(extended(pipeline, parent), job)


def _merge(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    both = {key: _merge(old[key], new[key]) for key in old.keys() & new if isinstance(new[key], dict)}
    return {**old, **new, **both}


def expand(text: str, variables: Mapping[str, str]) -> str:
    """A text with GitLab's `$NAME` and `${NAME}`; a name that nobody set is empty there, and an error here."""
    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", lambda found: variables[found[1] or found[2]], text)


def environment(folder: Path, *path: Path) -> dict[str, str]:
    """What a runner's machine has: a new home in `folder` without a Git identity, and programs in `path` before all others."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    (home / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")  # whatever the real machine calls its user
    return {
        "HOME": str(home),
        "PATH": os.pathsep.join([*map(str, path), os.environ["PATH"]]),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(home / "dvc-site"),
        "DVC_GLOBAL_CONFIG_DIR": str(home / "dvc-global"),
        "DVC_SYSTEM_CONFIG_DIR": str(home / "dvc-system"),
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PYTHONDONTWRITEBYTECODE": "",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


def _holds(condition: Any, table: Mapping[str, Any]) -> bool:
    """GitHub adds `success() &&` to a condition that asks for no status."""
    text = str(condition).strip().removeprefix("${{").removesuffix("}}")
    if not re.search(r"\b(?:always|success|failure|cancelled)\(\)", text):
        text = f"success() && ({text})"
    return bool(evaluate(text, table))


def _pairs(file: Path) -> list[tuple[str, str]]:
    return [(key, value) for key, _, value in (line.partition("=") for line in file.read_text().splitlines())]


def _lines(script: Any) -> list[str]:
    """GitLab flattens lists of lists."""
    if script is None:
        return []
    return [script] if isinstance(script, str) else [line for one in script for line in _lines(one)]
