"""What an interpreter says of itself, and when the cache is believed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from exptrack.backends.host.cache import Slot, recall, remember, remember_failure, stamps
from exptrack.backends.host.child import output
from exptrack.backends.host.interpreter import Facts, capture_facts
from exptrack.backends.host.scene import Found, Scene

Ask = Callable[..., Facts]
SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
SYSTEM = "/usr/bin:/bin"


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    (tmp_path / "work").mkdir()

    def call(python: Path, *, flags: str = "", directory: Path = tmp_path / "work", **environ: str) -> Facts:
        variables = {"PATH": SYSTEM, "HOME": str(tmp_path / "home"), **environ}
        scene = Scene(directory, variables, tmp_path / "cache")
        return capture_facts(Found(python, "command", scene, flags), tmp_path / "cache")

    return call


@pytest.fixture
def counting(tmp_path: Path, venv: Path) -> Path:
    """A `python` that is a shell script, as a shim is, and notes each call."""
    shim = tmp_path / "shims" / "python"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\necho call >> {tmp_path}/calls\nexec {venv}/bin/python "$@"\n')
    shim.chmod(0o755)
    return shim


def calls(tmp_path: Path) -> int:
    return len((tmp_path / "calls").read_text().splitlines())


def settle(*folders: Path) -> None:
    """Make everything look unchanged for an hour: what changed just now is not cached."""
    for folder in folders:
        for path in [folder, *folder.rglob("*")]:
            if not path.is_symlink():
                os.utime(path, (path.stat().st_mtime - 3600,) * 2)


def test_an_interpreter_says_its_version_and_path(ask: Ask, venv: Path) -> None:
    facts = ask(venv / "bin/python")
    assert facts.version == sys.version.split()[0]
    assert facts.implementation == sys.implementation.name
    assert facts.executable == str(venv / "bin/python")
    assert str(venv / SITE) in facts.path


def test_a_shim_is_asked_for_the_interpreter_behind_it(ask: Ask, counting: Path, venv: Path) -> None:
    assert ask(counting).executable == str(venv / "bin/python")


def test_an_interpreter_is_asked_once(ask: Ask, counting: Path, venv: Path, tmp_path: Path) -> None:
    settle(venv, counting)
    first = ask(counting)
    assert ask(counting) == first
    assert calls(tmp_path) == 1


def test_what_changed_just_now_is_not_cached(ask: Ask, counting: Path, tmp_path: Path) -> None:
    os.utime(counting, (time.time() + 60,) * 2)
    ask(counting)
    ask(counting)
    assert calls(tmp_path) == 2


@pytest.mark.parametrize(
    "change",
    [
        "pyvenv.cfg",
        f"{SITE}/new.pth",
        f"{SITE}/old.pth",
        f"{SITE}/new_package/__init__.py",
        "../shims/python",
        "../work/.python-version",
        "../.tool-versions",
        "../home/.tool-versions",
    ],
)
def test_a_change_that_may_matter_asks_again(ask: Ask, counting: Path, venv: Path, tmp_path: Path, change: str) -> None:
    (venv / SITE / "old.pth").write_text("")
    settle(venv, counting)
    ask(counting)
    ask(counting)
    assert calls(tmp_path) == 1
    path = venv / change
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write("\n")
    ask(counting)
    assert calls(tmp_path) == 2


@pytest.mark.parametrize("variable", ["PYENV_VERSION", "PATH", "PYTHONPATH", "VIRTUAL_ENV", "PYTHONNOUSERSITE"])
def test_a_variable_that_may_matter_asks_again(
    ask: Ask, counting: Path, venv: Path, tmp_path: Path, variable: str
) -> None:
    settle(venv, counting)
    ask(counting)
    ask(counting, **{variable: f"{SYSTEM}:/elsewhere"})
    assert calls(tmp_path) == 2


def test_a_variable_that_does_not_matter_does_not_ask_again(
    ask: Ask, counting: Path, venv: Path, tmp_path: Path
) -> None:
    settle(venv, counting)
    ask(counting, PYTHONHASHSEED="1")
    ask(counting, PYTHONHASHSEED="2", SEED="3")
    assert calls(tmp_path) == 1


def test_two_environments_of_one_interpreter_are_told_apart(ask: Ask, venv: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "second"], check=True)
    settle(venv, tmp_path / "second")
    for _ in range(2):
        for folder in (venv, tmp_path / "second"):
            assert str(folder / SITE) in ask(folder / "bin/python").path


def test_a_path_of_the_environment_is_searched_and_the_working_directory_is_not(
    ask: Ask, venv: Path, tmp_path: Path
) -> None:
    settle(venv)
    assert str(tmp_path / "work") not in ask(venv / "bin/python").path
    assert str(tmp_path / "work/src") in ask(venv / "bin/python", PYTHONPATH="src").path
    other = tmp_path / "other"
    other.mkdir()
    assert str(other / "src") in ask(venv / "bin/python", PYTHONPATH="src", directory=other).path
    assert str(tmp_path / "work/src") not in ask(venv / "bin/python", PYTHONPATH="src", flags="E").path


def test_the_users_own_packages_are_searched_once_they_are_there(ask: Ask, tmp_path: Path) -> None:
    python = Path(sys.base_prefix, "bin", "python3")
    environ = {"HOME": str(tmp_path / "home")}
    said = subprocess.run(
        [python, "-m", "site", "--user-site"], env=environ, capture_output=True, text=True, check=False
    )
    user = Path(said.stdout.strip())
    assert str(user) not in ask(python).path
    user.mkdir(parents=True)
    assert str(user) in ask(python).path
    assert str(user) not in ask(python, flags="s").path
    assert str(user) not in ask(python, PYTHONNOUSERSITE="1").path


def test_a_module_of_the_working_directory_is_not_run(ask: Ask, venv: Path, tmp_path: Path) -> None:
    for name in ("json", "ast", "site", "os"):
        (tmp_path / "work" / f"{name}.py").write_text("raise SystemExit(1)\n")
    assert ask(venv / "bin/python").version == sys.version.split()[0]


def test_what_a_site_prints_does_not_matter(ask: Ask, venv: Path) -> None:
    (venv / SITE / "noise.pth").write_text("import sys; sys.stdout.write('exptrack-interpreter: noise')\n")
    assert ask(venv / "bin/python").version == sys.version.split()[0]


@pytest.mark.parametrize("text", ["exit 1", "echo nonsense", "echo 'exptrack-interpreter:[1, 2]'", "printf '\\377'"])
def test_an_interpreter_that_does_not_answer_is_unknown(ask: Ask, counting: Path, text: str) -> None:
    counting.write_text(f"#!/bin/sh\n{text}\n")
    assert ask(counting) == Facts("unknown", "unknown", str(counting))


def test_an_interpreter_that_hangs_is_ended_with_its_children_and_not_waited_for_twice(
    counting: Path, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    counting.write_text(f"#!/bin/sh\necho call >> {tmp_path}/calls\n(exec > {pipe}; echo up; exec sleep 600) &\nwait\n")
    settle(counting)
    found = Found(counting, "command", Scene(tmp_path, {"PATH": SYSTEM}, tmp_path / "cache"))
    for _ in range(2):
        assert capture_facts(found, tmp_path / "cache", timeout=3).version == "unknown"
    assert calls(tmp_path) == 1
    os.set_blocking(reader, True)
    with os.fdopen(reader) as file:
        assert file.read() == "up\n"  # which ends only when nobody holds the other end


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\xfe", b"7\n[1, 2]", b"null\n{}", None])
def test_a_broken_cache_is_written_anew(
    ask: Ask, counting: Path, venv: Path, tmp_path: Path, damage: bytes | None
) -> None:
    settle(venv, counting)
    first = ask(counting)
    (file,) = (tmp_path / "cache").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"cpython", b"jython") if damage is None else damage)
    assert ask(counting) == first
    assert json.loads(file.read_bytes().split(b"\n")[1])["value"] == json.loads(whole.split(b"\n")[1])["value"]
    assert calls(tmp_path) == 2
    assert ask(counting) == first
    assert calls(tmp_path) == 2


def test_a_cache_that_cannot_be_written_is_done_without(ask: Ask, counting: Path, venv: Path, tmp_path: Path) -> None:
    settle(venv, counting)
    (tmp_path / "cache").write_text("a file, not a folder")
    assert ask(counting) == ask(counting)
    assert calls(tmp_path) == 2


def test_an_answer_ends_with_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slot = Slot(tmp_path / "cache", "kind", "key")
    remember(slot, "answer", watch={}, seconds=60)
    assert recall(slot) == "answer"
    now = time.time()
    for later in (61, -61):
        monkeypatch.setattr(time, "time", lambda later=later: now + later)
        assert recall(slot) is None


def test_a_failure_is_kept_for_a_while_if_it_took_long(tmp_path: Path) -> None:
    slot = Slot(tmp_path / "cache", "kind", "key")
    remember_failure(slot, "none", watch={}, began=time.monotonic())
    assert recall(slot) is None
    remember_failure(slot, "none", watch={}, began=time.monotonic() - 5)
    assert recall(slot) == "none"


def test_an_answer_is_kept_for_its_own_key_and_state_only(tmp_path: Path) -> None:
    slot = Slot(tmp_path / "cache", "kind", "key", {"job": "1"})
    remember(slot, "answer", watch=stamps([str(tmp_path / "absent")]))
    assert recall(slot) == "answer"
    assert recall(Slot(tmp_path / "cache", "kind", "key", {"job": "2"})) is None
    assert recall(Slot(tmp_path / "cache", "kind", "other", {"job": "1"})) is None
    (tmp_path / "absent").mkdir()
    assert recall(slot) is None


def test_a_process_that_cannot_start_gives_nothing(tmp_path: Path) -> None:
    assert output(["/absent"], environ={}) is None
    assert output(["/bin/sh", "-c", "true"], environ={}, directory=tmp_path / "absent") is None
    assert output(["/bin/sh", "-c", "echo done"], environ={}) == "done\n"
