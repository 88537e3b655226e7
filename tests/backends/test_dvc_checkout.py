from __future__ import annotations

import hashlib
import json
import os

import pytest

from exptrack.backends.dvc import add_to_cache, checkout
from exptrack.errors import DataError
from exptrack.model.data import Pointer


@pytest.fixture
def project(repository):
    (repository / ".dvc").mkdir()
    (repository / ".dvc" / "config").touch()
    (repository / "model").write_bytes(b"weights")
    (repository / "data" / "größe 1").mkdir(parents=True)
    (repository / "data" / "größe 1" / "x").write_bytes(b"x")
    (repository / "data" / "y").write_bytes(b"y")
    return repository


def cached(project, digest):
    return project / ".dvc" / "cache" / "files" / "md5" / digest[:2] / digest[2:]


def test_a_file_comes_back_as_a_copy(project, tmp_path):
    pointer = add_to_cache(project, project / "model", project)
    target = tmp_path / "new" / "model"
    checkout(project, pointer, target)
    assert target.read_bytes() == b"weights"
    assert target.stat().st_nlink == 1
    assert os.access(target, os.W_OK)
    assert list(target.parent.iterdir()) == [target]


def test_a_folder_comes_back_as_copies(project, tmp_path):
    pointer = add_to_cache(project, project / "data", project)
    target = tmp_path / "data"
    checkout(project, pointer, target)
    assert (target / "größe 1" / "x").read_bytes() == b"x"
    assert add_to_cache(tmp_path, target, tmp_path).digest == pointer.digest


def test_what_exists_is_not_overwritten(project):
    pointer = add_to_cache(project, project / "model", project)
    (project / "link").symlink_to("nowhere")
    for name in ("model", "data", "link"):
        with pytest.raises(DataError, match=f"{name} exists; remove it"):
            checkout(project, pointer, project / name)


@pytest.mark.parametrize("lost", ["model", "listing", "file"])
def test_data_that_is_not_there_is_named(project, tmp_path, lost):
    file = add_to_cache(project, project / "model", project)
    folder = add_to_cache(project, project / "data", project)
    digest = {"model": file.digest, "listing": folder.digest, "file": hashlib.md5(b"x").hexdigest()}[lost]
    cached(project, digest).unlink()
    pointer = file if lost == "model" else folder
    with pytest.raises(DataError, match=rf"the data of {pointer.path} is not in the DVC cache at .*; fetch it first"):
        checkout(project, pointer, tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_damaged_data_is_not_handed_out(project, tmp_path):
    pointer = add_to_cache(project, project / "data", project)
    damaged = cached(project, hashlib.md5(b"x").hexdigest())
    damaged.chmod(0o644)
    damaged.write_bytes(b"z")
    with pytest.raises(DataError, match="of data is not what its name says"):
        checkout(project, pointer, tmp_path / "new" / "data")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_listing_cannot_reach_out_of_its_folder(project, tmp_path):
    add_to_cache(project, project / "model", project)
    content = json.dumps([{"md5": hashlib.md5(b"weights").hexdigest(), "relpath": "../evil"}]).encode()
    digest = hashlib.md5(content).hexdigest() + ".dir"
    cached(project, digest).parent.mkdir()
    cached(project, digest).write_bytes(content)
    with pytest.raises(DataError, match="is not in the DVC cache"):
        checkout(project, Pointer("data", digest), tmp_path / "target")
    assert not (tmp_path / "evil").exists()


def test_data_of_dvc_2_comes_back_as_it_was(project, tmp_path):
    digest = hashlib.md5(b"a\nb\n").hexdigest()
    place = project / ".dvc" / "cache" / digest[:2] / digest[2:]
    place.parent.mkdir(parents=True)
    place.write_bytes(b"a\r\nb\r\n")
    checkout(project, Pointer("a.csv", digest, "md5-dos2unix"), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == b"a\r\nb\r\n"


def test_a_target_that_cannot_be_written_is_named(project):
    pointer = add_to_cache(project, project / "model", project)
    with pytest.raises(DataError, match=r"cannot write .*model/below: File exists"):
        checkout(project, pointer, project / "model" / "below")
