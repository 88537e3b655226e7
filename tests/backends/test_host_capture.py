"""The whole environment of a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from exptrack.backends.host import capture
from exptrack.model.environment import Environment, Package

SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
Look = Callable[..., Environment]


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    for index in range(150):
        (folder / SITE / f"package_{index}-1.{index}.dist-info").mkdir()
    return folder


@pytest.fixture
def look(tmp_path: Path) -> Look:
    def call(*command: str, variables: Sequence[str] = (), **environ: str) -> Environment:
        environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **environ}
        return capture(
            command, directory=tmp_path, environ=environ, variables=variables, cache=tmp_path / "a" / "cache"
        )

    return call


def settle(folder: Path) -> None:
    """Make everything look unchanged for an hour: what changed just now is not cached."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            os.utime(path, (path.stat().st_mtime - 3600,) * 2)


def test_packages_are_those_of_the_commands_python_and_not_of_ours(look: Look, venv: Path) -> None:
    environment = look("venv/bin/python", "train.py")
    assert environment.interpreter is not None
    assert environment.interpreter.path == str(venv / "bin/python")
    assert environment.interpreter.found == "command"
    assert environment.interpreter.version == sys.version.split()[0]
    assert len(environment.packages) == 150
    assert Package("package-7", "1.7") in environment.packages
    assert "pytest" not in {package.name for package in environment.packages}


def test_an_active_environment_is_that_of_a_command_that_names_none(look: Look, venv: Path) -> None:
    environment = look("/bin/sh", "-c", "true", VIRTUAL_ENV=str(venv))
    assert environment.interpreter is not None
    assert environment.interpreter.found == "virtualenv"
    assert len(environment.packages) == 150


def test_without_a_python_the_machine_is_captured_all_the_same(look: Look, tmp_path: Path) -> None:
    environment = look("/bin/sh", "-c", "true", PATH=str(tmp_path))
    assert environment.interpreter is None
    assert environment.packages == ()
    assert environment.platform.system == os.uname().sysname
    assert environment.hardware.memory


def test_only_the_variables_that_are_listed_are_kept(look: Look) -> None:
    given = {"SEED": "1", "OMP_NUM_THREADS": "4", "OMP_PROC_BIND": "true", "API_TOKEN": "s3cret"}
    environment = look("true", variables=["SEED", "OMP_*", "ABSENT", "seed", "[A]PI"], **given)
    assert environment.variables == {"OMP_NUM_THREADS": "4", "OMP_PROC_BIND": "true", "SEED": "1"}
    assert look("true", **given).variables == {}


def test_a_second_capture_starts_no_process(venv: Path, tmp_path: Path) -> None:
    settle(venv)
    text = (
        "import sys; from pathlib import Path; from exptrack.backends.host import capture\n"
        "started = []\n"
        "sys.addaudithook(lambda event, args: started.append(event) if event == 'subprocess.Popen' else None)\n"
        "ask = lambda: capture([sys.argv[1]], directory=Path('/'), environ={}, variables=(), cache=Path(sys.argv[2]))\n"
        "first = ask(); after_first = len(started); assert ask() == first; print(after_first, len(started), len(first.packages))\n"
    )
    argv = [sys.executable, "-c", text, str(venv / "bin/python"), str(tmp_path / "cache")]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    first, both, packages = map(int, done.stdout.split())
    assert first >= 1
    assert both == first
    assert packages == 150


def test_the_cache_holds_no_variable_that_could_be_secret(look: Look, venv: Path, tmp_path: Path) -> None:
    settle(venv)
    look("venv/bin/python", API_TOKEN="s3cret", POETRY_PYPI_TOKEN_X="s3cret", MISE_GITHUB_TOKEN="s3cret")
    texts = [path.read_text() for path in (tmp_path / "a" / "cache").iterdir()]
    assert texts
    assert not any("s3cret" in text for text in texts)


def test_a_folder_that_is_gone_is_no_error(look: Look, tmp_path: Path) -> None:
    environment = capture(
        ["python3", "x.py"],
        directory=tmp_path / "gone",
        environ={"PATH": os.defpath},
        variables=(),
        cache=tmp_path / "cache",
    )
    assert environment.platform.system == os.uname().sysname


def test_captures_at_the_same_time_agree(venv: Path, tmp_path: Path) -> None:
    settle(venv)
    text = (
        "import sys; from pathlib import Path; from exptrack.backends.host import capture\n"
        "for _ in range(20): e = capture([sys.argv[1]], directory=Path('/'), environ={}, variables=(), cache=Path(sys.argv[2]))\n"
        "print(len(e.packages), e.interpreter.version)\n"
    )
    argv = [sys.executable, "-c", text, str(venv / "bin/python"), str(tmp_path / "shared")]
    children = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = [child.communicate()[0] for child in children]
    assert answers == [f"150 {sys.version.split()[0]}\n"] * 4
    assert not list((tmp_path / "shared").glob(".*"))


def test_the_import_loads_nothing_slow() -> None:
    text = "import sys, json; before = set(sys.modules); import exptrack.backends.host; print(json.dumps(sorted(set(sys.modules) - before)))"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "exptrack.backends.host" in loaded
    assert not loaded & {
        "importlib.metadata",
        "platform",
        "tempfile",
        "hashlib",
        "asyncio",
        "logging",
        "email",
        "urllib.request",
        "ctypes",
    }
    assert not any(name.startswith(("exptrack.backends.git", "exptrack.store")) for name in loaded)
