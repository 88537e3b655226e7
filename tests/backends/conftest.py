"""The DVC project that data is pushed from and fetched into; a module with another one has its own."""

from __future__ import annotations

import pytest

from exptrack.backends.dvc import add_to_cache


@pytest.fixture
def project(repository):
    """A DVC project with a file and a folder of data, and a remote that is not there yet."""
    (repository / ".dvc").mkdir()
    (repository / ".dvc" / "config").write_text(
        "[core]\n    remote = origin\n['remote \"origin\"']\n    url = ../../remote\n"
    )
    (repository / "raw.csv").write_bytes(b"1,2\r\n")
    (repository / "images" / "sub").mkdir(parents=True)
    for number in range(5):
        (repository / "images" / "sub" / f"{number}.png").write_bytes(b"image %d" % number)
    return repository


@pytest.fixture
def pointers(project):
    return tuple(add_to_cache(project, project / name, project) for name in ("raw.csv", "images"))


@pytest.fixture
def cache(project):
    return project / ".dvc" / "cache"
