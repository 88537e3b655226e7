"""The recorded environment of a run, built once: what is in it, what is left out and said, how a command runs in it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from wheels import make_project, make_wheel

from exptrack.backends.host.system import capture_platform
from exptrack.errors import ExptrackError
from exptrack.model.environment import Environment, Hardware, Interpreter, Package
from exptrack.operations.reproducing.rebuild import Rebuilt, _plan, activate, rebuild, translate
from exptrack.project import Project

HERE = Interpreter(sys.executable, platform.python_version(), sys.implementation.name, "command")
FIRST = Package("first", "1.0")


def environment(*packages: Package, interpreter: Interpreter | None = HERE, **fields: object) -> Environment:
    return Environment(**{"platform": capture_platform(), "hardware": Hardware(), **fields})._replace(
        interpreter=interpreter, packages=packages
    )


@pytest.fixture
def notices():
    return []


@pytest.fixture
def context(repository, tmp_path, monkeypatch, notices):
    """With `first` in place of an index, pip for a builder, and PATH that holds git alone."""
    make_wheel(tmp_path / "links", "first", "1.0", script="first-train")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(str(shutil.which("git")))
    settings = {
        "PATH": tmp_path / "bin",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_INDEX": 1,
        "PIP_FIND_LINKS": tmp_path / "links",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    return Project(repository).context._replace(notice=notices.append)


@pytest.fixture
def top(tmp_path):
    """The work tree of the snapshot: a project in `libs/app`."""
    make_project(tmp_path / "slot" / "libs" / "app", "app", "0.2")
    return tmp_path / "slot"


def environments(repository: Path) -> list[str]:
    return sorted(os.listdir(repository / ".git" / "exptrack" / "environments"))  # noqa: PTH208


def test_an_environment_is_built_once_however_many_want_it_and_uses_the_snapshot(
    context, repository, top, notices, monkeypatch
):
    app = Package("app", "0.2", url=str(repository / "libs" / "app"), editable=True)
    recorded = environment(FIRST, app, Package("other", "1", url="/srv/other", editable=True))
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda _: rebuild(context, recorded, top), range(2))
    assert one == two
    built = [line for line in notices if line.startswith("building")]
    assert built == ["building an environment with 2 packages (once)"]
    assert one.notes == ("left out: other==1: used in place from /srv/other; no index can give it back",)
    assert environments(repository) == [one.folder.name, f"{one.folder.name}.log"]
    assert not list(top.rglob("*.egg-info"))

    monkeypatch.setenv("PIP_FIND_LINKS", "/gone")
    assert rebuild(context, recorded, top) == one
    assert len([line for line in notices if line.startswith("building")]) == 1

    code = "import first, app; print(first.version, app.__file__)"
    command = translate([".venv/bin/python3", "-c", code], recorded, one)
    done = subprocess.run(command, env=activate(os.environ, one.folder), capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1.0", str(top / "libs" / "app" / "src" / "app.py")]
    done = subprocess.run(
        ["first-train"], env=activate(os.environ, one.folder), capture_output=True, text=True, check=True
    )
    assert done.stdout == "ran\n"
    beside = str(Path(sys.executable).parent / "first-train")
    assert translate([beside, "x"], recorded, one) == (str(one.folder / "bin" / "first-train"), "x")
    assert translate(["bin/first-train"], recorded, one) == ("bin/first-train",)


def test_a_package_that_no_longer_exists_is_named_and_nothing_is_left_but_the_log(context, repository, top):
    with pytest.raises(ExptrackError) as caught:
        rebuild(context, environment(FIRST, Package("torch", "2.1.0+cu121")), top)
    assert str(caught.value) == (
        "torch==2.1.0+cu121 cannot be installed: no index has it for this Python and platform; "
        "`--environment present` runs in the present environment"
    )
    (log,) = environments(repository)
    assert caught.value.hints[0].endswith(f"/environments/{log}")
    assert "torch==2.1.0+cu121" in (repository / ".git" / "exptrack" / "environments" / log).read_text()


@pytest.mark.parametrize("interpreter", [None, HERE._replace(version="unknown", implementation="unknown")])
def test_a_run_without_a_known_python_cannot_be_rebuilt(context, top, interpreter):
    with pytest.raises(ExptrackError, match=r"no record of its Python.*--environment present"):
        rebuild(context, environment(FIRST, interpreter=interpreter), top)


def test_a_folder_that_cannot_be_made_is_one_line(context, repository, top):
    (repository / ".git" / "exptrack").mkdir(exist_ok=True)
    (repository / ".git" / "exptrack" / "environments").write_text("")
    with pytest.raises(ExptrackError, match="cannot be built: File exists"):
        rebuild(context, environment(FIRST), top)


@pytest.mark.parametrize(
    ("package", "line", "note"),
    [
        (
            Package("a", "1", url="git+https://example.com/a.git#subdirectory=x", commit="b" * 40),
            f"a @ git+https://example.com/a.git@{'b' * 40}#subdirectory=x",
            None,
        ),
        (
            Package("a", "1", url="https://***@example.com/a-1.tar.gz#sha256=12"),
            "a @ https://example.com/a-1.tar.gz#sha256=12",
            "a is installed without the credentials of its address, which are not recorded",
        ),
        (
            Package("a", "1", url="https://example.com/a-1.tar.gz?token=***"),
            "a==1",
            "a is installed by name: its address was recorded without its key",
        ),
        (Package("a", "unstable"), None, "left out: a==unstable: not a version that pip can read"),
        (Package("pkg-resources", "0.0.0"), None, None),
    ],
)
def test_what_is_installed_from_where(context, top, package, line, note):
    plan = _plan(context, environment(package), top)
    assert list(plan.lines.values()) == [line] * bool(line)
    assert plan.notes == (note,) * bool(note)


def test_a_package_of_a_clone_is_told_by_its_commit_and_its_name(context, git, repository, top):
    commit = git("rev-parse", "HEAD", cwd=repository)
    theirs = Package("app", "0.2", url="/home/ada/clone/libs/app", commit=commit)
    plan = _plan(context, environment(theirs), top)
    assert plan.projects == {theirs: top / "libs" / "app"}
    assert plan.notes == ("app is used in place from the snapshot: it was installed from /home/ada/clone/libs/app",)
    for other in (theirs._replace(commit="c" * 40), theirs._replace(name="another"), theirs._replace(url="/srv/app")):
        plan = _plan(context, environment(other), top)
        assert not plan.projects
        assert len(plan.notes) == 1


def test_another_platform_and_conda_are_noted(context, top):
    foreign = capture_platform()._replace(system="Plan9", machine="mips")
    plan = _plan(context, environment(FIRST, interpreter=HERE._replace(found="conda"), platform=foreign), top)
    platform_note, conda_note = plan.notes
    assert platform_note.startswith("recorded on Plan9 mips, this is ")
    assert (
        conda_note == "recorded in a conda environment: Python packages come from the index instead, others are missing"
    )


def test_the_environment_comes_first_and_the_rest_stays(tmp_path):
    environ = {"PATH": "/usr/bin", "PYTHONHOME": "/opt", "PYTHONPATH": "src", "VIRTUAL_ENV": "/old", "LANG": "C"}
    changed = activate(environ, tmp_path)
    assert changed.pop("PATH") == f"{tmp_path}/bin:/usr/bin"
    assert changed == {
        "VIRTUAL_ENV": str(tmp_path), "UV_PROJECT_ENVIRONMENT": str(tmp_path), "UV_NO_SYNC": "1", "PYTHONPATH": "src", "LANG": "C",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("word", "is_replaced"),
    [
        (".venv/bin/python", True),
        ("/home/ada/p/.venv/bin/python3.11", True),
        ("/usr/bin/python3", True),
        ("python", False),
        ("/usr/bin/env", False),
        ("./train.py", False),
        ("bin/python-tool", False),
        ("tools/link", False),
    ],
)
def test_a_command_that_names_a_python_by_its_path_gets_the_new_one(tmp_path, word, is_replaced):
    recorded = environment(interpreter=HERE._replace(path="/home/ada/p/.venv/bin/python"))
    rebuilt = Rebuilt(tmp_path, tmp_path / "bin" / "python")
    expected = str(rebuilt.interpreter) if is_replaced else word
    assert translate([word, "train.py", "--lr", "1"], recorded, rebuilt) == (expected, "train.py", "--lr", "1")


def test_a_link_to_the_recorded_python_is_it(tmp_path):
    (tmp_path / "mine").symlink_to(sys.executable)
    rebuilt = Rebuilt(tmp_path, tmp_path / "new")
    assert translate([str(tmp_path / "mine")], environment(), rebuilt) == (str(tmp_path / "new"),)
    assert translate([str(tmp_path / "mine")], environment(interpreter=None), rebuilt) == (str(tmp_path / "mine"),)
    assert translate([], environment(), rebuilt) == ()
