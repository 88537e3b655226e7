"""The world that every test runs in: sealed, real, and its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which

import pytest
from processes import run
from servers import broken_url, closed_port, git_https, s3, silent_port, sshd

__all__ = [
    "broken_url",
    "closed_port",
    "git_https",
    "s3",
    "silent_port",
    "sshd",
]  # fixtures, started by the tests that ask for them

# Under `nohup`, or as a job in the background of a script, all processes of tests would ignore what some of them are sent.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def sealed_world(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees the machine's settings, identity, locale, or the repository that it was started in."""
    home = tmp_path_factory.mktemp("home")
    for variable in list(os.environ):
        if variable.startswith(("GIT_", "DVC_", "EXPTRACK_", "XDG_")) or variable in {
            "VIRTUAL_ENV",
            "CONDA_PREFIX",
            "NO_COLOR",
            "PYTHONDONTWRITEBYTECODE",  # each process would compile exptrack anew: 0.1 s
        }:
            monkeypatch.delenv(variable)
    settings = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CEILING_DIRECTORIES": str(tmp_path_factory.getbasetemp()),
        "DVC_NO_ANALYTICS": "1",
        "DVC_GLOBAL_CONFIG_DIR": str(home / "dvc-global"),
        "DVC_SYSTEM_CONFIG_DIR": str(home / "dvc-system"),
        "DVC_SITE_CACHE_DIR": str(home / "dvc-site"),
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "80",
    }
    for variable, value in settings.items():
        monkeypatch.setenv(variable, value)
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n[maintenance]\n\tauto = false\n"
    )
    pygit2 = sys.modules.get("pygit2")
    if pygit2 is not None:
        for level in (pygit2.enums.ConfigLevel.GLOBAL, pygit2.enums.ConfigLevel.XDG, pygit2.enums.ConfigLevel.SYSTEM):
            pygit2.settings.search_path[level] = str(home)
    return home


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., str]:
    """Run git in the test's folder (or `cwd=`) and give its standard output, stripped."""

    def call(*arguments: str | Path, cwd: Path | None = None, stdin: str | None = None) -> str:
        done = subprocess.run(
            ["git", *map(str, arguments)], cwd=cwd or tmp_path, input=stdin, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return call


@pytest.fixture
def repository(tmp_path: Path, git: Callable[..., str]) -> Path:
    """A repository with one commit: a script that writes metrics, and its parameters."""
    folder = tmp_path / "project"
    folder.mkdir()
    git("init", "--quiet", folder)
    (folder / "train.py").write_text(
        "import json, pathlib\n"
        'lr = float(pathlib.Path("params.yaml").read_text().split(":")[1])\n'
        'pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": 1 - lr}))\n'
    )
    (folder / "params.yaml").write_text("lr: 0.25\n")
    (folder / ".gitignore").write_text("metrics.json\n")
    git("add", ".", cwd=folder)
    git("commit", "--quiet", "-m", "first", cwd=folder)
    return folder


@pytest.fixture
def exptrack(repository: Path) -> Run:
    """Run the command line in a process of its own, in `repository` (or `cwd=`); `exptrack.python` runs Python there."""

    def python(
        *arguments: str | Path, cwd: Path | None = None, start: Run = subprocess.run, **options: object
    ) -> subprocess.CompletedProcess[str]:
        options.setdefault("capture_output", True)
        return start([sys.executable, *map(str, arguments)], cwd=cwd or repository, text=True, check=False, **options)

    def call(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        return python("-m", "exptrack", *arguments, start=run, **options)  # type: ignore[arg-type]

    call.python = python  # type: ignore[attr-defined]
    return call


@pytest.fixture
def dvc(repository: Path) -> Callable[..., None]:
    """Run dvc in `repository` (or `cwd=`)."""

    def call(*words: str, cwd: Path | None = None) -> None:
        command = [sys.executable, "-m", "dvc", *words]
        done = run(command, cwd=cwd or repository, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    return call


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mount a file system of so many MiB; only root can, others skip the test."""
    mounted = []

    def mount(mebibytes: int) -> Path:
        folder = tmp_path / "disk"
        folder.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "exptrack-test", folder]
        if (
            os.geteuid() != 0
            or not which("mount")
            or subprocess.run(words, capture_output=True, check=False).returncode
        ):
            pytest.skip(
                "no small file system can be mounted here; other tests do nearly the same with a limit on file sizes"
            )
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)
