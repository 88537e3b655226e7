from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from exptrack.backends.dvc import add_to_cache, dvc_file_text, fetch, find_stored, push
from exptrack.errors import DataError
from exptrack.model.data import Pointer
from exptrack.model.sharing import Sent


def run_dvc(*arguments, cwd):
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=cwd, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def configure(project, **remotes):
    """A DVC config with remotes by name; the first one is the default."""
    text = "".join(f"['remote \"{name}\"']\n    url = {url}\n" for name, url in remotes.items())
    (project / ".dvc" / "config").write_text(f"[core]\n    remote = {next(iter(remotes))}\n{text}")


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def place(folder, digest):
    return folder / "files" / "md5" / digest[:2] / digest[2:]


def md5(content):
    return hashlib.md5(content).hexdigest()


@pytest.fixture
def project(repository):
    (repository / ".dvc").mkdir()
    configure(repository, origin="../../remote")
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


@pytest.fixture
def remote(tmp_path):
    return tmp_path / "remote"


def test_data_goes_to_the_remote_once(project, pointers, cache, remote):
    assert push(project, pointers) == Sent(objects=7, size=5 + 5 * 7 + (cache_size(cache, pointers[1])))
    assert files(remote) == files(cache)
    assert push(project, pointers) == Sent(there=7)


def cache_size(cache, pointer):
    return place(cache, pointer.digest).stat().st_size
