from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from processes import run

from exptrack.backends.dvc import cache_dir, find_root, init
from exptrack.backends.dvc.config import _config_files, find_cache
from exptrack.errors import DataError


def run_dvc(*arguments, cwd):
    done = run(
        [sys.executable, "-m", "dvc", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture
def project(repository):
    (repository / ".dvc").mkdir()
    (repository / ".dvc" / "config").touch()
    return repository


def test_importing_the_package_imports_nothing_of_dvc():
    code = (
        "import sys, exptrack.backends.dvc; "
        "print([name for name in sys.modules if name.startswith(('dvc', 'configobj', 'platformdirs', 'yaml', 'ruamel'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_nearest_project_is_found_from_below(project):
    inner = project / "a" / "inner"
    (inner / ".dvc").mkdir(parents=True)
    (inner / ".dvc" / "config").touch()
    assert find_root(project, project) == project
    assert find_root(project / "a", project) == project
    assert find_root(inner / "b", project) == inner


def test_a_project_above_the_top_is_not_found(project):
    assert find_root(project / "a" / "b", project / "a") is None


def test_a_dvc_folder_without_config_is_no_project(repository):
    (repository / ".dvc").mkdir()
    assert find_root(repository, repository) is None


def test_init_makes_the_files_that_dvc_init_makes(repository, git):
    init(repository, subdirectory=False)
    git("init", "--quiet", "other")
    other = repository.parent / "other"
    run_dvc("init", "--quiet", cwd=other)
    names = git("ls-files", cwd=other).splitlines()
    assert names == [".dvc/.gitignore", ".dvc/config", ".dvcignore"]
    assert [(repository / name).read_bytes() for name in names] == [(other / name).read_bytes() for name in names]


@pytest.mark.parametrize("autostage", [False, True])
def test_init_leaves_the_index_untouched(repository, git, sealed_world, autostage):
    if autostage:
        (sealed_world / "dvc-global").mkdir()
        (sealed_world / "dvc-global" / "config").write_text("[core]\n    autostage = true\n")
    git("status", cwd=repository)
    index = (repository / ".git" / "index").read_bytes()
    init(repository, subdirectory=False)
    assert (repository / ".git" / "index").read_bytes() == index
    assert git("status", "--porcelain", "--untracked-files=all", cwd=repository).splitlines() == [
        "?? .dvc/.gitignore",
        "?? .dvc/config",
        "?? .dvcignore",
    ]


def test_dvc_works_in_a_project_that_init_made(repository):
    init(repository, subdirectory=False)
    (repository / "data.csv").write_text("a,b\n")
    run_dvc("add", "data.csv", cwd=repository)
    assert run_dvc("status", cwd=repository) == "Data and pipelines are up to date."


def test_init_works_below_the_root_of_the_repository(repository, git):
    (repository / "sub").mkdir()
    init(repository / "sub", subdirectory=True)
    assert find_root(repository / "sub", repository) == repository / "sub"
    assert git("status", "--porcelain", "-uall", cwd=repository).splitlines() == [
        "?? sub/.dvc/.gitignore",
        "?? sub/.dvc/config",
        "?? sub/.dvcignore",
    ]


def test_init_below_the_root_must_be_meant(repository):
    (repository / "sub").mkdir()
    with pytest.raises(DataError, match=r"cannot make a DVC project in .*sub"):
        init(repository / "sub", subdirectory=False)
    assert not (repository / "sub" / ".dvc").exists()


def test_init_works_in_a_linked_worktree(repository, git):
    git("worktree", "add", "--quiet", "-b", "other", "../linked", cwd=repository)
    linked = repository.parent / "linked"
    index = (repository / ".git" / "worktrees" / "linked" / "index").read_bytes()
    init(linked, subdirectory=False)
    assert (repository / ".git" / "worktrees" / "linked" / "index").read_bytes() == index
    assert git("status", "--porcelain", cwd=linked).splitlines() == ["?? .dvc/", "?? .dvcignore"]


def test_init_works_in_a_repository_without_a_commit(git, tmp_path):
    git("init", "--quiet", "empty")
    init(tmp_path / "empty", subdirectory=False)
    assert not (tmp_path / "empty" / ".git" / "index").exists()


def test_init_keeps_an_existing_dvcignore(repository):
    (repository / ".dvcignore").write_text("*.tmp\n")
    init(repository, subdirectory=False)
    assert (repository / ".dvcignore").read_text() == "*.tmp\n"


def test_init_refuses_a_second_time(project):
    with pytest.raises(DataError, match="is a DVC project already"):
        init(project, subdirectory=False)


def test_init_refuses_where_git_ignores_it(repository):
    (repository / ".gitignore").write_text(".dvc\n")
    with pytest.raises(DataError, match=r"ignored by Git; add `!\.dvc`"):
        init(repository, subdirectory=False)
    assert not (repository / ".dvc").exists()


def test_init_refuses_outside_of_git(tmp_path):
    with pytest.raises(DataError, match="cannot make a DVC project in"):
        init(tmp_path, subdirectory=False)


@pytest.mark.parametrize(
    "configs",
    [
        {},
        {"repo": "[core]\n    remote = x\n['remote \"x\"']\n    url = /tmp/x\n"},
        {"repo": "[cache]\n    dir = ../../shared\n"},
        {"repo": "[cache]\n    dir = ../../shared\n", "local": "[cache]\n    dir = /tmp/with space/cache\n"},
        {"global": "[cache]\n    dir = relative\n", "system": "[cache]\n    dir = /system\n"},
        {"system": '[ CACHE ]\n  DIR = "/a # b"   # a comment\n  type = hardlink,copy\n'},
        {"local": "[cache]\n    dir = ~/cache\n", "global": "[cache]\n    dir = /global\n"},
        {"local": "[cache]\n    shared = group\n"},
    ],
)
def test_the_cache_is_where_dvc_says(project, sealed_world, configs):
    places = {
        "system": sealed_world / "dvc-system" / "config",
        "global": sealed_world / "dvc-global" / "config",
        "repo": project / ".dvc" / "config",
        "local": project / ".dvc" / "config.local",
    }
    for level, text in configs.items():
        places[level].parent.mkdir(exist_ok=True)
        places[level].write_text(text)
    said = Path(run_dvc("cache", "dir", cwd=project))
    assert cache_dir(project) == (said if said.is_absolute() else (project / said))


def test_a_shared_cache_is_known(project):
    assert not find_cache(project).shared
    (project / ".dvc" / "config.local").write_text("[cache]\n    shared = group\n")
    assert find_cache(project).shared


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"XDG_CONFIG_HOME": "/home/x/config", "XDG_CONFIG_DIRS": "/etc/one:/etc/two"},
        {"XDG_CONFIG_HOME": "relative", "XDG_CONFIG_DIRS": "relative:/etc/two"},
    ],
)
def test_the_config_of_user_and_system_lies_where_dvc_looks(project, monkeypatch, environment):
    from dvc.dirs import global_config_dir, system_config_dir

    for variable in ("DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    system, user, *_ = _config_files(project)
    assert system == Path(system_config_dir()) / "config"
    assert user == Path(global_config_dir()) / "config"


@pytest.mark.parametrize("content", [b"[cache]\ndir = 'open\n[\n", b"[cache]\ndir = \xff\n"])
def test_a_broken_config_is_named(project, content):
    (project / ".dvc" / "config").write_bytes(content)
    with pytest.raises(DataError, match=r"the DVC config .*\.dvc/config") as caught:
        cache_dir(project)
    assert "\n" not in str(caught.value)


def test_every_public_name_is_found_and_no_other():
    from exptrack.backends import dvc

    assert sorted(dvc._HOMES) == sorted(dvc.__all__)
    assert all(getattr(dvc, name).__name__ == name for name in dvc.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        dvc.nothing  # noqa: B018
