"""What surrounds the command of an isolated run leads to the run's own work tree: variables, installed code, a hook's git."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PYTHON = sys.executable
SEE = "import os, sys; print(*(os.environ.get(name, '-') for name in sys.argv[1:]), sep='\\n')"


@pytest.fixture
def slot(repository) -> Path:
    return repository / ".git" / "exptrack" / "worktrees" / "w0"


def test_variables_that_lead_to_code_in_the_work_tree_lead_to_the_slot(exptrack, repository, git, slot):
    (repository / "bin").mkdir()
    (repository / "bin" / "tool").write_text("#!/bin/sh\necho the snapshot\n")
    (repository / "bin" / "tool").chmod(0o755)
    (repository / "lib").mkdir()
    (repository / "lib" / "own.py").write_text("")
    (repository / ".venv").mkdir()
    (repository / ".gitignore").write_text(".venv/\nmetrics.json\n")
    environ = {
        **os.environ,
        "PATH": f"{repository}/bin:{repository}/.venv/bin:{os.environ['PATH']}",
        "PYTHONPATH": f"{repository}/lib:relative:/elsewhere",
        "VIRTUAL_ENV": f"{repository}/.venv",
        "OLDPWD": f"{repository}/lib",
        "PWD": f"{repository}/lib",
        "DATA": f"{repository}/lib",
    }
    names = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "PWD", "DATA", "OLDPWD")
    done = exptrack("run", "--isolated", "--", PYTHON, "-c", SEE, *names, cwd=repository / "lib", env=environ)
    assert done.stdout.splitlines() == [
        f"{slot}/bin:{repository}/.venv/bin:{os.environ['PATH']}",
        f"{slot}/lib:relative:/elsewhere",
        f"{repository}/.venv",
        f"{slot}/lib",
        f"{repository}/lib",  # what a variable of the user's own means is his
        f"{slot}/lib",
    ]
    assert done.stderr.count("\n") == 1, done.stderr
    assert exptrack("run", "--isolated", "--", "tool", env=environ).stdout == "the snapshot\n"


def test_code_that_only_the_work_tree_has_is_told(exptrack, repository, look):
    (repository / ".gitignore").write_text("build/\nmetrics.json\n")
    (repository / "build").mkdir()
    environ = {**os.environ, "PYTHONPATH": f"{repository}/build"}
    done = exptrack("run", "--isolated", "--name", "one", "--", PYTHON, str(repository / "train.py"), env=environ)
    lines = [
        "Python imports from build in the work tree, not from the snapshot: what is imported there may have changed since",
    ]
    assert look.record("one")["problems"] == lines
    assert all(line in done.stderr for line in lines)


def test_a_path_in_the_work_tree_leads_to_the_slot_and_the_record_keeps_the_words(exptrack, repository, slot, look):
    (repository / "sub").mkdir()
    (repository / "sub" / "see.py").write_text(
        "import sys; print(*sys.argv, sep='\\n'); open(sys.argv[1], 'w').write('x')\n"
    )
    words = (f"{repository}/sub/see.py", f"{repository}/sub/../made", f"--out={repository}/sub/", "../beside")
    (repository.parent / "beside").touch()
    done = exptrack("run", "--isolated", "--name", "one", "--", PYTHON, *words)
    assert done.stdout.splitlines() == [
        f"{slot}/sub/see.py",
        f"{slot}/made",
        f"--out={slot}/sub/",
        f"{repository.parent}/beside",
    ], done.stderr
    assert f"exptrack: {words[0]} is taken from the snapshot, not from the work tree\n" in done.stderr
    assert look.record("one")["command"] == [PYTHON, *words]
    assert "made" in look.changes("one")
    assert "problems" not in look.record("one")
    assert not (repository / "made").exists()


def test_a_program_of_a_virtual_environment_in_the_work_tree_stays(exptrack, repository):
    (repository / ".venv" / "bin").mkdir(parents=True)
    (repository / ".venv" / "pyvenv.cfg").touch()
    (repository / ".venv" / "bin" / "tool").write_text('#!/bin/sh\necho "$0"\n')
    (repository / ".venv" / "bin" / "tool").chmod(0o755)
    (repository / ".gitignore").write_text(".venv/\nmetrics.json\n")
    for word in (f"{repository}/.venv/bin/tool", ".venv/bin/tool"):
        done = exptrack("run", "--isolated", "--", word)
        assert (done.returncode, done.stdout) == (0, f"{repository}/.venv/bin/tool\n"), done.stderr


def test_a_link_that_was_asked_for_is_not_told(exptrack, repository, look):
    (repository / ".gitignore").write_text("build\nmetrics.json\n")
    (repository / "build").mkdir()
    (repository / "exptrack.yaml").write_text("capture: {links: [./build/]}\n")
    environ = {**os.environ, "PYTHONPATH": f"{repository}/build"}
    assert exptrack("run", "--isolated", "--name", "one", "--", "ls", "build", env=environ).returncode == 0
    assert "problems" not in look.record("one")


FINDER = """\
import sys
from importlib.util import spec_from_file_location
MAPPING: dict[str, str] = {mapping!r}
class Finder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return spec_from_file_location(name, MAPPING[name] + "/__init__.py") if name in MAPPING else None
def install():
    sys.meta_path.append(Finder)
"""


@pytest.fixture(params=["path", "hook"])
def installed(request, repository, git, tmp_path) -> Path:
    """A virtual environment outside, in which the project's package is installed in editable form."""
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    [site] = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (repository / "src" / "pkg").mkdir(parents=True)
    (repository / "src" / "pkg" / "__init__.py").write_text("")
    if request.param == "path":
        (site / "_pkg.pth").write_text(f"{repository}/src\n")
    else:
        finder = "__editable___pkg_1_0_finder"
        (site / f"{finder}.py").write_text(FINDER.format(mapping={"pkg": f"{repository}/src/pkg"}))
        (site / "__editable__.pkg-1.0.pth").write_text(f"import {finder}; {finder}.install()\n")
    return tmp_path / "venv" / "bin" / "python"


def test_a_package_installed_from_the_work_tree_is_imported_from_the_slot(exptrack, repository, installed, slot, look):
    code = "import pkg; print(pkg.__file__)"
    for _ in range(2):
        done = exptrack("run", "--isolated", "--", installed, "-c", code)
        assert (done.stdout, done.stderr.count("\n")) == (f"{slot}/src/pkg/__init__.py\n", 1), done.stderr
    told = "Python imports from src in the work tree, not from the snapshot"
    done = exptrack("run", "--isolated", "--name", "blind", "--", installed, "-I", "-c", code)
    assert done.stdout == f"{repository}/src/pkg/__init__.py\n"
    assert told in done.stderr
    (repository / "src" / "random.py").touch()  # PYTHONPATH would put it before the standard library
    assert told in exptrack("run", "--isolated", "--", installed, "-c", code).stderr


@pytest.mark.parametrize("when", ["pre-commit", "post-commit"])
@pytest.mark.parametrize("is_linked", [False, True])
def test_a_hook_may_start_an_isolated_run(repository, git, look, tmp_path, when, is_linked):
    folder, common = repository, repository / ".git"
    if is_linked:  # there git sets GIT_DIR as well
        folder = tmp_path / "linked"
        git("worktree", "add", "--quiet", folder, cwd=repository)
    hook = common / "hooks" / when
    hook.parent.mkdir(exist_ok=True)
    inner = "pwd; git rev-parse --show-toplevel; git status --porcelain; cat train.py; echo new > new; git add new"
    hook.write_text(
        f"#!/bin/sh\n'{PYTHON}' -m exptrack run --isolated --name one -- sh -c '{inner}' > '{tmp_path}/out'\n"
    )
    hook.chmod(0o755)
    (folder / "train.py").write_text("edited\n")
    git("commit", "--quiet", "--all", "-m", "hooked", cwd=folder)
    slot = common / "exptrack" / "worktrees" / "w0"
    assert (tmp_path / "out").read_text() == f"{slot}\n{slot}\nedited\n"
    assert look.changes("one") == ["metrics.json", "new"]
    assert git("show", "--format=", "--name-only", "HEAD", cwd=folder) == "train.py"
    assert git("status", "--porcelain", cwd=folder) == ""


def test_variables_that_name_another_repository_do_not_lead_there(exptrack, tmp_path, git, monkeypatch):
    """As who keeps his dot files in Git has them set."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "store"))
    monkeypatch.setenv("GIT_WORK_TREE", str(work))
    git("init", "--quiet", cwd=work)
    (work / "a").write_text("1\n")
    git("add", "a", cwd=work)
    git("commit", "--quiet", "-m", "first", cwd=work)
    (work / "a").write_text("2\n")
    code = "git rev-parse --show-toplevel; git status --porcelain; cat a; echo new > new; env | grep -c ^GIT_DIR="
    done = exptrack("run", "--isolated", "--name", "one", "--", "sh", "-c", code, cwd=work)
    assert done.stdout == f"{tmp_path}/store/exptrack/worktrees/w0\n2\n0\n"
    assert [path.name for path in work.iterdir()] == ["a"]
    assert git("status", "--porcelain", cwd=work) == "M a"
