"""Three traps that DVC's own `Repo.push(revs=…)` falls into: it takes the configuration of the commit, and relative remotes for others."""

from __future__ import annotations

import subprocess
import sys

import pytest

from exptrack.backends.dvc import add_to_cache, dvc_file_text, fetch, find_stored, push
from exptrack.errors import DataError
from exptrack.model.sharing import Sent

BY_DVC = """
import sys
from dvc.exceptions import DvcException
from dvc.repo import Repo
with Repo(sys.argv[1]) as repo:
    try: print("pushed", repo.push(revs=[sys.argv[2]]))
    except DvcException as error: print(type(error).__name__)
"""


def push_by_us(project, pointer, oid):
    push(project, [pointer])
    return ""


def push_by_dvc(project, pointer, oid):
    argv = [sys.executable, "-c", BY_DVC, project, oid]
    return subprocess.run(argv, cwd=project, check=True, capture_output=True, text=True).stdout


def place(folder, pointer):
    return folder / "files" / "md5" / pointer.digest[:2] / pointer.digest[2:]


def configure(project, url, name="config"):
    (project / ".dvc" / name).write_text(f"[core]\n    remote = origin\n['remote \"origin\"']\n    url = {url}\n")


@pytest.fixture
def project(repository, git):
    """A DVC project without a remote."""
    (repository / ".dvc").mkdir()
    (repository / ".dvc" / "config").write_text("")
    (repository / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (repository / ".gitignore").write_text("metrics.json\n/raw.csv\n")
    return repository


@pytest.fixture
def run(git):
    """Put data into the cache and its pointer into a commit that is on no branch, as a run does: the pointer and the commit."""

    def call(project):
        git("add", ".", cwd=project)
        git("commit", "--quiet", "--allow-empty", "-m", "base", cwd=project)
        (project / "raw.csv").write_bytes(b"1,2\n")
        pointer = add_to_cache(project, project / "raw.csv", project)
        (project / "raw.csv.dvc").write_text(dvc_file_text(pointer))
        git("add", "raw.csv.dvc", cwd=project)
        git("commit", "--quiet", "-m", "run", cwd=project)
        oid = git("rev-parse", "HEAD", cwd=project)
        # What the work tree itself has, DVC pushes well.
        git("reset", "--quiet", "--hard", "HEAD^", cwd=project)
        git("update-ref", f"refs/exptrack/runs/{oid}", oid, cwd=project)
        return pointer, oid

    return call


@pytest.fixture
def relative(tmp_path):
    """A relative url, and the folder that it means in `.dvc` of the project.

    Taken from the root of the file system, as DVC does, it means a folder of this test as well, not one of the machine.
    """
    folder = tmp_path / tmp_path.relative_to("/") / "remote"
    folder.mkdir(parents=True)
    return f"../..{tmp_path}/remote", folder


@pytest.fixture
def worktree(git, tmp_path):
    """Add a work tree at another depth."""

    def call(project):
        git("worktree", "add", "--quiet", "-b", "other", tmp_path / "elsewhere" / "deep" / "wt", cwd=project)
        return tmp_path / "elsewhere" / "deep" / "wt"

    return call


@pytest.fixture(params=["a remote added after the run", "a relative remote", "a work tree at another depth"])
def trap(request, project, run, relative, worktree, tmp_path, git):
    """The project to push from, the run's pointer and commit, and where its data is to be."""
    if request.param.startswith("a remote"):
        pointer, oid = run(project)
        configure(project, tmp_path / "late")
        return project, pointer, oid, tmp_path / "late"
    configure(project, relative[0])
    if request.param.startswith("a work tree"):
        run(project)
        project = worktree(project)
    pointer, oid = run(project)
    return project, pointer, oid, relative[1]


def test_data_is_in_the_remote_that_is_meant(trap):
    project, pointer, oid, remote = trap
    push_by_us(project, pointer, oid)
    assert place(remote, pointer).read_bytes() == b"1,2\n"
    assert find_stored(project, [pointer]) == {pointer: True}


def test_each_trap_snaps_with_the_push_of_dvc(trap):
    project, pointer, oid, remote = trap
    assert push_by_dvc(project, pointer, oid) in {"pushed 1\n", "pushed 0\n", "NoRemoteError\n"}
    assert not place(remote, pointer).exists()


def test_without_a_trap_dvc_pushes_too(project, run, tmp_path):
    configure(project, tmp_path / "remote")
    pointer, oid = run(project)
    assert push_by_dvc(project, pointer, oid) == "pushed 1\n"
    assert place(tmp_path / "remote", pointer).exists()


class TestWorkTrees:
    def test_data_in_the_cache_of_another_work_tree_is_pushed(self, project, run, worktree, tmp_path):
        configure(project, tmp_path / "remote")
        pointer, _ = run(project)
        other = worktree(project)
        assert push(other, [pointer]) == Sent(objects=1, size=4)
        (other / "raw.csv").write_bytes(b"5,6\n")
        ours = add_to_cache(other, other / "raw.csv", other)
        assert push(project, [ours]) == Sent(objects=1, size=4)

    def test_the_local_config_of_the_main_work_tree_counts(self, project, run, worktree, tmp_path):
        pointer, _ = run(project)
        other = worktree(project)
        configure(project, "../../remote", "config.local")
        assert push(other, [pointer]).objects == 1
        assert place(tmp_path / "remote", pointer).exists()
        (other / ".dvc" / "config.local").write_text(f"['remote \"origin\"']\n    url = {tmp_path / 'own'}\n")
        assert push(other, [pointer]).objects == 1
        assert place(tmp_path / "own", pointer).exists()

    def test_a_relative_remote_that_is_there_only_as_seen_from_here_is_meant(self, project, run, worktree, tmp_path):
        run(project)
        other = worktree(project)
        configure(other, "../../../../../remote/of/others")
        folder = other / ".dvc" / "../../../../../remote/of/others"
        folder.resolve().mkdir(parents=True)
        pointer, _ = run(other)
        assert push(other, [pointer]).objects == 1
        assert place(folder.resolve(), pointer).exists()

    def test_a_remote_inside_of_a_relative_one_follows_it(self, project, run, worktree, relative):
        configure(project, relative[0])
        with (project / ".dvc" / "config").open("a") as file:
            file.write("['remote \"inner\"']\n    url = remote://origin/sub\n")
        pointer, _ = run(project)
        other, pointer = worktree(project), pointer._replace(remote="inner")
        with pytest.raises(DataError, match="push from the main work tree, or make the folder that you mean"):
            push(other, [pointer])
        (relative[1] / "sub").mkdir()
        assert push(other, [pointer]).objects == 1
        assert place(relative[1] / "sub", pointer).exists()

    def test_a_relative_remote_is_not_made_from_a_linked_work_tree(self, project, run, worktree, tmp_path):
        configure(project, "../../remote")
        pointer, _ = run(project)
        other = worktree(project)
        with pytest.raises(DataError, match="push from the main work tree, or make the folder that you mean"):
            push(other, [pointer])
        assert not (tmp_path / "remote").exists()
        assert not (tmp_path / "elsewhere" / "deep" / "remote").exists()
        push(project, [pointer])
        assert push(other, [pointer]) == Sent(there=1)
        assert fetch(other, [pointer]) == (pointer,)
        assert (other / ".dvc" / "cache" / "files").is_dir()
