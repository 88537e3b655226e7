"""Environments that are built anew: exactly the packages that were recorded, or one line that says which cannot be had."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from wheels import make_broken_source, make_wheel

from exptrack.backends.host.installfailures import explain_failure
from exptrack.backends.host.packages import capture_packages
from exptrack.backends.host.pythons import find_python, minor_of
from exptrack.backends.host.venvs import Recipe, build, find_version
from exptrack.errors import ExptrackError
from exptrack.model.environment import Interpreter, Package

HERE = Interpreter(sys.executable, platform.python_version(), sys.implementation.name, "command")
MINOR = minor_of(HERE.version)
UV = shutil.which("uv")


def recipe(*pins: str, interpreter: Interpreter = HERE) -> Recipe:
    packages = tuple(Package(*pin.split("==")) for pin in pins)
    return Recipe(interpreter, pins, (), packages)


def make(wanted: Recipe, folder: Path, environ: Mapping[str, str]) -> str:
    lock = os.open(folder.parent, os.O_RDONLY)
    try:
        return build(wanted, folder, folder.with_suffix(".log"), environ=environ, lock=lock)
    finally:
        os.close(lock)


def packages_of(folder: Path) -> dict[str, str]:
    site = folder / "lib" / f"python{MINOR}" / "site-packages"
    found = capture_packages([str(site)], environ=os.environ, cache=folder / "cache")
    return {package.name: package.version for package in found}


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands for an index: `first` in two versions, `second`, and `broken`, which cannot be built."""
    folder = tmp_path_factory.mktemp("links")
    make_wheel(folder, "first", "1.0", requires="never-made", script="first-train")
    make_wheel(folder, "first", "2.0")
    make_wheel(folder, "second", "3.1")
    make_broken_source(folder, "broken", "0.1")
    return folder


@pytest.fixture(scope="module")
def offline(links: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables without an index and without uv; what lies on PYTHONPATH looks like an installed package."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "first-1.0.dist-info").mkdir()
    (folder / "first-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: first\nVersion: 1.0\n")
    (folder / "bin").mkdir()
    (folder / ".config" / "uv").mkdir(parents=True)
    (folder / ".config" / "uv" / "uv.toml").write_text(f'no-index = true\nfind-links = ["{links}"]\n')
    return {
        "PATH": str(folder / "bin"), "HOME": str(folder), "PYTHONPATH": str(folder), "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links), "PIP_USER": "1", "PIP_TARGET": str(folder / "target"),
        "UV_CACHE_DIR": str(folder / "uv"), "UV_PYTHON_DOWNLOADS": "never",
    }  # fmt: skip


@pytest.fixture(scope="module")
def built(offline: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that was built by pip where half of another one lay."""
    folder = tmp_path_factory.mktemp("environments") / "built"
    (folder / "bin").mkdir(parents=True)
    (folder / "rest").touch()
    assert find_version(folder) is None
    assert make(recipe("first==1.0", "second==3.1"), folder, offline) == HERE.version
    return folder


def test_exactly_the_recorded_packages_are_there_without_what_they_ask_for(built: Path) -> None:
    assert packages_of(built) == {"first": "1.0", "second": "3.1"}
    code = "import sys, first, second; print(first.version, second.version, sys.prefix)"
    done = subprocess.run([built / "bin" / "python", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1.0", "3.1", str(built)]


def test_without_packages_nothing_is_installed_and_taken_off_again(offline: dict[str, str], tmp_path: Path) -> None:
    assert make(recipe(), tmp_path / "e", offline) == find_version(tmp_path / "e") == HERE.version
    assert packages_of(tmp_path / "e") == {}
    assert not [path for path in (tmp_path / "e" / "bin").iterdir() if path.name.startswith("pip")]
    assert (tmp_path / "e.log").read_bytes() == b""
    subprocess.run([tmp_path / "e" / "bin" / "python", "-c", "import json"], check=True)


def test_programs_of_packages_are_there(built: Path) -> None:
    assert subprocess.run([built / "bin" / "first-train"], capture_output=True, check=True).stdout == b"ran\n"


def test_what_was_half_built_is_built_anew(built: Path) -> None:
    assert not (built / "rest").exists()
    assert find_version(built) == HERE.version


def test_an_environment_whose_python_has_gone_does_not_count(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "copy", symlinks=True, ignore=shutil.ignore_patterns("site-packages"))
    assert find_version(tmp_path / "copy") == HERE.version
    (tmp_path / "copy" / "bin" / "python").unlink()
    (tmp_path / "copy" / "bin" / "python").symlink_to(tmp_path / "gone")
    assert find_version(tmp_path / "copy") is None


def test_a_package_that_cannot_be_built_is_named_and_nothing_stays_but_the_log(
    offline: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "environments" / "e"
    folder.parent.mkdir()
    with pytest.raises(ExptrackError) as caught:
        make(recipe("first==1.0", "broken==0.1"), folder, offline)
    assert str(caught.value) == (
        "broken==0.1 cannot be installed: it cannot be built here; `--environment present` runs in the present environment"
    )
    assert os.listdir(folder.parent) == ["e.log"]  # noqa: PTH208
    assert "no compiler" in (tmp_path / "environments" / "e.log").read_text()
    assert caught.value.hints == (f"all that was said meanwhile: {folder}.log",)


def test_a_python_that_is_not_there_is_named(offline: dict[str, str], tmp_path: Path) -> None:
    gone = HERE._replace(version="3.2.6", path="/opt/gone/python3.2")
    with pytest.raises(
        ExptrackError, match=r"there is no Python 3\.2 .*3\.2\.6.*: install it, or uv.*--environment present"
    ):
        make(recipe("first==1.0", interpreter=gone), tmp_path / "e", offline)
    assert not (tmp_path / "e").exists()


def test_a_folder_that_cannot_be_written_is_one_line(offline: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExptrackError, match="cannot be built: Not a directory"):
        build(recipe(), tmp_path / "file" / "e", tmp_path / "file" / "e.log", environ=offline, lock=0)


def test_a_python_of_the_same_minor_version_will_do_if_there_is_no_other(offline: dict[str, str]) -> None:
    found = find_python(HERE._replace(version=f"{MINOR}.999", path="/opt/gone/python"), offline)
    assert found is not None
    assert (found.version, found.implementation) == (HERE.version, HERE.implementation)


def test_the_python_of_a_virtual_environment_is_the_one_it_was_made_with(
    offline: dict[str, str], tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    site = tmp_path / "v" / "lib" / f"python{MINOR}" / "site-packages"
    (site / "poison.pth").write_text("import os; os._exit(9)\n")
    found = find_python(HERE._replace(path=str(tmp_path / "v" / "bin" / "python")), offline)
    assert found is not None
    assert not found.path.is_relative_to(tmp_path)
    assert found.path.parent.parent == Path(sysconfig.get_config_var("installed_base") or sys.base_prefix)


@pytest.fixture
def builder(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that builds `e` with a uv that hangs, whose id is in `pid`, and holds `lock`."""
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(f"#!/bin/sh\ncd {tmp_path}\nmkdir e\necho $$ > pid.new\nmv pid.new pid\nexec sleep 300\n")
    uv.chmod(0o755)
    code = f"""
import fcntl, os
from exptrack.backends.host.venvs import *
lock = os.open("lock", os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
build(Recipe({HERE!r}, (), (), ()), Path("e").absolute(), Path("log"), environ=os.environ, lock=lock)
"""
    environ = {**os.environ, "PATH": f"{uv.parent}:/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=environ, stderr=subprocess.PIPE) as child:
        deadline = time.monotonic() + 60
        while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        yield child
        child.kill()


def test_an_interrupt_ends_the_builder_and_leaves_nothing(builder: subprocess.Popen[bytes], tmp_path: Path) -> None:
    builder.send_signal(signal.SIGINT)
    assert builder.communicate(timeout=60)[1].rstrip().endswith(b"KeyboardInterrupt")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert sorted(os.listdir(tmp_path)) == ["bin", "lock", "log", "pid"]  # noqa: PTH208


def test_a_builder_that_outlives_exptrack_keeps_the_lock(builder: subprocess.Popen[bytes], tmp_path: Path) -> None:
    builder.kill()
    builder.wait(60)
    with (tmp_path / "lock").open() as lock:
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


@pytest.mark.skipif(UV is None, reason="uv is not on PATH")
def test_uv_builds_the_same_and_names_what_is_gone(offline: dict[str, str], tmp_path: Path) -> None:
    environ = {**offline, "PATH": str(Path(str(UV)).parent)}
    assert make(recipe("first==1.0", "second==3.1"), tmp_path / "e", environ) == HERE.version
    assert packages_of(tmp_path / "e") == {"first": "1.0", "second": "3.1"}
    with pytest.raises(ExptrackError, match=r"^second==9\.9 cannot be installed: no index has it"):
        make(recipe("first==1.0", "second==9.9"), tmp_path / "f", environ)
    with pytest.raises(ExptrackError, match=r"^broken==0\.1 cannot be installed: it cannot be built here"):
        make(recipe("broken==0.1"), tmp_path / "f", environ)
    gone = HERE._replace(version="3.6.99", path="/opt/gone/python", implementation="pypy")
    with pytest.raises(ExptrackError, match=r"there is no pypy 3\.6 .*: uv could not get it, install it; "):
        make(recipe(interpreter=gone), tmp_path / "f", environ)
    assert not (tmp_path / "f").exists()


KNOWN = (
    Package("zz", "1.0"),
    Package("setuptools", "65.0"),
    Package("gone-repo", "0.3", url="git+https://example.com/x.git", commit="a" * 40),
)
# As pip and uv print it, without the crosses at the beginnings of lines.
PIP_UNREACHABLE = """\
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(': Failed to establish a new connection: [Errno 111]')': /zz/
ERROR: Could not find a version that satisfies the requirement zz==1.0 (from versions: none)
ERROR: No matching distribution found for zz==1.0
"""
PIP_CLONE = """\
Collecting zz==1.0
  Downloading zz-1.0-py3-none-any.whl (4.6 kB)
Collecting gone-repo@ git+https://example.com/x.git@aaaa
  Cloning https://example.com/x.git (to revision aaaa) to /tmp/pip-install-ww1bfgh5/gone_611
  Running command git clone --filter=blob:none --quiet https://example.com/x.git /tmp/pip-install-ww1bfgh5/gone_611
  fatal: unable to access 'https://example.com/x.git/': Failed to connect to example.com port 443 after 0 ms: Couldn't connect to server
  error: subprocess-exited-with-error
error: subprocess-exited-with-error

? git clone --filter=blob:none --quiet https://example.com/x.git /tmp/pip-install-ww1bfgh5/gone_611 did not run successfully.
"""
PIP_COMMIT = """\
Collecting gone-repo@ git+https://example.com/x.git@aaaa
  fatal: remote error: upload-pack: not our ref aaaa
error: subprocess-exited-with-error
"""
PIP_REFUSED = """\
Collecting gone-repo@ git+https://example.com/x.git@aaaa
  fatal: could not read Username for 'https://example.com': terminal prompts disabled
error: subprocess-exited-with-error
"""
PIP_CLONE_BROKEN = """\
Collecting gone-repo@ git+https://example.com/x.git@aaaa
  fatal: bad object
error: subprocess-exited-with-error

? git fetch -q https://example.com/x.git aaaa did not run successfully.
"""
UV_FULL = """\
error: Failed to install: zz-1.0-py3-none-any.whl (zz==1.0)
  cause: failed to write to file `/x/zz.py`
  cause: No space left on device (os error 28)
"""
PIP_BUILD_NEEDS = """\
Processing /srv/links/zz-1.0.tar.gz
  Installing build dependencies: finished with status 'error'
  error: subprocess-exited-with-error
      ERROR: Could not find a version that satisfies the requirement setuptools>=40.8.0 (from versions: none)
      ERROR: No matching distribution found for setuptools>=40.8.0
error: subprocess-exited-with-error
"""
UV_UNREACHABLE = """\
Using Python 3.11.7 environment at: uvv
error: Failed to fetch: http://127.0.0.1:9/zz/
  cause: tcp connect error
  cause: Connection refused (os error 111)
"""
UV_CLONE = """\
error: Failed to download and build `gone-repo @ git+https://example.com/x.git@aaaa`
  cause: Git operation failed
         fatal: unable to access 'https://example.com/x.git/': Failed to connect to example.com port 443 after 0 ms
"""
UV_OLD_STYLE = """\
  ? No solution found when resolving dependencies:
  ╰─▶ Because there is no version of zz==1.0 and you require zz==1.0, we can conclude that your requirements are unsatisfiable.
"""


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (PIP_UNREACHABLE, "zz==1.0 cannot be installed: where it comes from cannot be reached"),
        (PIP_CLONE, "gone-repo==0.3 cannot be installed: where it comes from cannot be reached"),
        (PIP_COMMIT, "gone-repo==0.3 cannot be installed: its repository does not have the recorded commit any more"),
        (PIP_REFUSED, "gone-repo==0.3 cannot be installed: where it comes from refuses access"),
        (PIP_CLONE_BROKEN, "gone-repo==0.3 cannot be installed: its repository cannot be read"),
        (UV_FULL, "zz==1.0 cannot be installed: No space left on device (os error 28)"),
        (PIP_BUILD_NEEDS, "zz==1.0 cannot be installed: it cannot be built here"),
        (UV_UNREACHABLE, "zz==1.0 cannot be installed: where it comes from cannot be reached"),
        (UV_CLONE, "gone-repo==0.3 cannot be installed: where it comes from cannot be reached"),
        (UV_OLD_STYLE, "zz==1.0 cannot be installed: no index has it for this Python and platform"),
        (
            "ERROR: No space left on device.\n",
            "the recorded packages cannot be installed: No space left on device",
        ),
        ("", "the recorded packages cannot be installed: nothing was said"),
    ],
)
def test_why_something_cannot_be_installed_is_read_from_what_was_said(said: str, expected: str) -> None:
    assert explain_failure(said, KNOWN) == expected
