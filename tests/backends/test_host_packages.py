"""What is installed, and where it came from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from exptrack.analysis.requirements import normalise
from exptrack.backends.host.packages import capture_packages, mask_url
from exptrack.model.environment import Package

Git = Callable[..., str]
Look = Callable[..., dict[str, Package]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    def call(*folders: Path, environ: Mapping[str, str] = os.environ) -> dict[str, Package]:
        packages = capture_packages(map(str, folders), environ=environ, cache=tmp_path / "cache")
        assert [package.name for package in packages] == sorted(package.name for package in packages)
        return {package.name: package for package in packages}

    return call


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    return folder


def install(site: Path, folder: str, origin: object = None, **files: str) -> Path:
    """As pip leaves it: a folder named after the distribution, with `direct_url.json` if it is not from an index."""
    path = site / folder
    path.mkdir(parents=True)
    (path / "METADATA").write_text("Metadata-Version: 2.1\n")
    for name, text in files.items():
        (path / name).write_text(text)
    if origin is not None:
        (path / "direct_url.json").write_text(origin if isinstance(origin, str) else json.dumps(origin))
    return path


def settle(folder: Path) -> None:
    """Make everything look unchanged for an hour: what changed just now is not cached."""
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (path.stat().st_mtime - 3600,) * 2)


def test_names_and_versions_are_those_of_the_folders(look: Look, site: Path) -> None:
    for folder in (
        "numpy-1.26.4.dist-info",
        "scikit_learn-1.5.0.dist-info",
        "ruamel.yaml-0.18.6.dist-info",
        "PyYAML-6.0.dist-info",
        "torch-2.1.0+cu121.dist-info",
        "my-pkg-1.0rc1.dist-info",
        "six-1.16.0-py3.11.egg-info",
    ):
        install(site, folder)
    (site / "distutils_made-0.3.egg-info").write_text("Name: distutils-made\n")
    assert {name: package.version for name, package in look(site).items()} == {
        "numpy": "1.26.4",
        "scikit-learn": "1.5.0",
        "ruamel-yaml": "0.18.6",
        "pyyaml": "6.0",
        "torch": "2.1.0+cu121",
        "my-pkg": "1.0rc1",
        "six": "1.16.0",
        "distutils-made": "0.3",
    }


def test_what_a_broken_removal_left_behind_is_no_package(look: Look, site: Path) -> None:
    install(site, "~umpy-1.26.4.dist-info")
    install(site, ".dist-info")
    assert look(site) == {}


def test_the_first_on_the_path_wins(look: Look, tmp_path: Path) -> None:
    install(tmp_path / "a", "Foo_Bar-1.0.dist-info")
    install(tmp_path / "b", "foo.bar-2.0.dist-info")
    assert look(tmp_path / "a", tmp_path / "b", tmp_path / "absent", tmp_path / "a.zip") == {
        "foo-bar": Package("foo-bar", "1.0")
    }


def test_an_egg_on_the_path_is_a_package(look: Look, tmp_path: Path) -> None:
    assert look(tmp_path / "old_one-0.4-py3.11.egg") == {"old-one": Package("old-one", "0.4")}


def test_sources_on_the_path_are_used_in_place(look: Look, tmp_path: Path) -> None:
    source = tmp_path / "src"
    egg = install(source, "legacy_app.egg-info")
    (egg / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: legacy-app\nVersion: 1.2\n")
    settle(source)
    expected = Package("legacy-app", "1.2", url=str(source), editable=True)
    assert look(source) == look(source) == {"legacy-app": expected}
    (egg / "PKG-INFO").write_text("Version: 1.3\n")
    assert look(source)["legacy-app"].version == "1.3"


def test_an_old_style_editable_package_is_told_from_an_ordinary_one(look: Look, site: Path, tmp_path: Path) -> None:
    install(site, "app-1.0.dist-info")
    install(site, "hooked-1.0.dist-info")
    (site / "__editable__.app-1.0.pth").write_text(f"{tmp_path}/src\n")
    (site / "__editable__.hooked-1.0.pth").write_text("import __editable___hooked_finder\n")
    assert look(site) == {
        "app": Package("app", "1.0", url=f"{tmp_path}/src", editable=True),
        "hooked": Package("hooked", "1.0", editable=True),
    }


@pytest.mark.parametrize(
    ("origin", "url", "commit"),
    [
        (
            {
                "url": "https://example.com/x.git",
                "vcs_info": {"vcs": "git", "commit_id": "c0ffee"},
                "subdirectory": "py",
            },
            "git+https://example.com/x.git#subdirectory=py",
            "c0ffee",
        ),
        (
            {"url": "https://ada:s3cret@example.com/x.git", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}},
            "git+https://***@example.com/x.git",
            "c0ffee",
        ),
        (
            {"url": "https://example.com/x.whl", "archive_info": {"hashes": {"sha256": "abc"}}},
            "https://example.com/x.whl#sha256=abc",
            None,
        ),
        (
            {"url": "https://example.com/x.whl", "archive_info": {"hash": "sha256=abc"}},
            "https://example.com/x.whl#sha256=abc",
            None,
        ),
        ({"url": "https://example.com/x.tar.gz", "archive_info": {}}, "https://example.com/x.tar.gz", None),
        ({"url": "file:///a%20b/x.whl", "archive_info": {}}, "/a b/x.whl", None),
        ({"url": "file:///absent/folder", "dir_info": {}}, "/absent/folder", None),
        ({"url": "file://localhost/[odd", "dir_info": None}, "/[odd", None),
    ],
)
def test_where_a_package_came_from_is_kept(
    look: Look, site: Path, origin: Mapping[str, object], url: str, commit: str | None
) -> None:
    install(site, "x-1.0.dist-info", origin)
    settle(site)
    assert look(site) == look(site) == {"x": Package("x", "1.0", url=url, commit=commit)}


@pytest.mark.parametrize("origin", ["", "not json", "[]", "{}", '{"url": 7}', '{"url": ""}', "\0", "[" * 100_000])
def test_an_origin_that_cannot_be_read_is_left_out(look: Look, site: Path, origin: str) -> None:
    install(site, "x-1.0.dist-info", origin)
    assert look(site) == {"x": Package("x", "1.0")}


def test_the_build_folder_of_a_conda_package_is_no_origin(look: Look, site: Path) -> None:
    install(site, "x-1.0.dist-info", {"url": "file:///build/work", "dir_info": {}}, INSTALLER="conda\n")
    assert look(site) == {"x": Package("x", "1.0")}


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("https://ada:s3cret@example.com/x", "https://***@example.com/x"),
        ("https://ghp_token@example.com/x", "https://***@example.com/x"),
        ("https://ada:p@ss@example.com/x@1", "https://***@example.com/x@1"),
        ("ssh://git@example.com/x", "ssh://git@example.com/x"),
        ("ssh://git:s3cret@example.com/x", "ssh://***@example.com/x"),
        ("https://${USER}:${TOKEN}@example.com/x", "https://${USER}:${TOKEN}@example.com/x"),
        ("https://example.com/x?a=1&access_token=s3cret&b=2#c", "https://example.com/x?a=1&access_token=***&b=2#c"),
        ("https://example.com/x?X-Amz-Signature=s3cret", "https://example.com/x?X-Amz-Signature=***"),
        ("https://example.com/@scope/x", "https://example.com/@scope/x"),
    ],
)
def test_credentials_in_an_address_are_masked(url: str, masked: str) -> None:
    assert mask_url(url) == masked


def local(site: Path, source: Path, *, editable: bool = False) -> None:
    install(site, f"{source.name}-1.0.dist-info", {"url": source.as_uri(), "dir_info": {"editable": editable}})


def test_the_commit_of_a_local_folder_is_looked_at_each_time(
    look: Look, site: Path, repository: Path, git: Git
) -> None:
    local(site, repository, editable=True)
    settle(site)
    first = git("rev-parse", "HEAD", cwd=repository)
    clean = Package("project", "1.0", url=str(repository), commit=first, dirty=False, editable=True)
    assert look(site) == look(site) == {"project": clean}
    (repository / "untracked").write_text("")
    assert look(site)["project"].dirty is False
    (repository / "train.py").write_text("changed\n")
    assert look(site)["project"].dirty is True
    git("commit", "-qam", "second", cwd=repository)
    second = look(site)["project"]
    assert (second.commit, second.dirty) == (git("rev-parse", "HEAD", cwd=repository), False)
    assert second.commit != first


def test_a_folder_deep_in_a_repository_has_its_commit_if_git_tracks_it(
    look: Look, site: Path, repository: Path, git: Git
) -> None:
    for name in ("tracked", "untracked", "metrics.json"):
        (repository / "packages" / name).mkdir(parents=True)
        (repository / "packages" / name / "setup.py").write_text("")
        local(site, repository / "packages" / name)
    git("add", "packages/tracked", cwd=repository)
    git("commit", "-qm", "second", cwd=repository)
    found = look(site)
    assert found["tracked"].commit == git("rev-parse", "HEAD", cwd=repository)
    assert found["untracked"].commit is found["untracked"].dirty is None
    assert found["metrics-json"].commit is None


def test_a_linked_work_tree_has_its_own_commit(
    look: Look, site: Path, repository: Path, git: Git, tmp_path: Path
) -> None:
    git("worktree", "add", "-q", "-b", "other", tmp_path / "linked", cwd=repository)
    git("commit", "-qm", "second", "--allow-empty", cwd=tmp_path / "linked")
    local(site, tmp_path / "linked")
    assert look(site)["linked"].commit == git("rev-parse", "other", cwd=repository)


def test_a_repository_without_a_commit_has_none(look: Look, site: Path, git: Git, tmp_path: Path) -> None:
    git("init", "-q", tmp_path / "fresh")
    local(site, tmp_path / "fresh")
    assert look(site)["fresh"].commit is None


@pytest.mark.parametrize("damage", ["no git", "broken", "none"])
def test_a_folder_that_git_says_nothing_about_has_no_commit(
    look: Look, site: Path, tmp_path: Path, damage: str
) -> None:
    source = tmp_path / "source"
    (source / ("src" if damage == "none" else ".git")).mkdir(parents=True)
    local(site, source)
    environ = {**os.environ, "PATH": "/absent"} if damage == "no git" else os.environ
    assert look(site, environ=environ)["source"] == Package("source", "1.0", url=str(source))


def test_the_repository_of_a_hook_is_not_taken_for_the_packages(
    look: Look, site: Path, repository: Path, git: Git, tmp_path: Path
) -> None:
    git("init", "-q", tmp_path / "mine")
    local(site, repository)
    environ = {**os.environ, "GIT_DIR": str(tmp_path / "mine" / ".git"), "GIT_INDEX_FILE": "/absent"}
    assert look(site, environ=environ)["project"].commit == git("rev-parse", "HEAD", cwd=repository)


def test_looking_at_a_repository_leaves_it_untouched(look: Look, site: Path, repository: Path) -> None:
    local(site, repository)
    index = repository / ".git" / "index"
    os.utime(repository / "train.py", (0, 0))
    before = (index.read_bytes(), index.stat().st_mtime_ns, sorted(repository.rglob("*")))
    look(site)
    assert (index.read_bytes(), index.stat().st_mtime_ns, sorted(repository.rglob("*"))) == before


def test_a_package_that_is_installed_or_removed_is_noticed(look: Look, site: Path) -> None:
    install(site, "one-1.0.dist-info")
    settle(site)
    assert set(look(site)) == set(look(site)) == {"one"}
    added = install(site, "two-1.0.dist-info")
    assert set(look(site)) == {"one", "two"}
    settle(site)
    assert set(look(site)) == {"one", "two"}
    for file in added.iterdir():
        file.unlink()
    added.rmdir()
    assert set(look(site)) == {"one"}


def test_a_folder_that_did_not_change_is_not_read_again(look: Look, site: Path) -> None:
    install(site, "one-1.0.dist-info")
    settle(site)
    look(site)
    (site / "one-1.0.dist-info" / "direct_url.json").write_text('{"url": "https://example.com/one.whl"}')
    assert look(site) == {"one": Package("one", "1.0")}
    (site / "two.py").write_text("")
    assert look(site) == {"one": Package("one", "1.0", url="https://example.com/one.whl")}


def test_it_agrees_with_importlib_metadata_about_the_python_that_runs_this(look: Look) -> None:
    text = (
        "import importlib.metadata, json, sys; found = list(importlib.metadata.distributions()); "
        "print(json.dumps([sys.path, {d.metadata['Name']: d.version for d in reversed(found)}]))"
    )
    said = subprocess.run([sys.executable, "-I", "-c", text], capture_output=True, text=True, check=True)
    path, versions = json.loads(said.stdout)
    found = look(*map(Path, path))
    assert {name: package.version for name, package in found.items()} == {
        normalise(name): version for name, version in versions.items()
    }
