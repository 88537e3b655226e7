from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import time

import pytest
import yaml
from processes import run

from exptrack.backends.dvc import StatCache, add_to_cache, cache_dir, dvc_file_text, look
from exptrack.model.data import Pointer


def run_dvc(*arguments, cwd):
    done = run(
        [sys.executable, "-m", "dvc", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def read_pointer(path):
    (out,) = yaml.safe_load(path.read_text())["outs"]
    algorithm = out.get("hash", "md5-dos2unix")
    return Pointer(out["path"], out["md5"], algorithm, out.get("size"), out.get("nfiles"), path.name)


@pytest.fixture
def project(repository):
    (repository / ".dvc").mkdir()
    (repository / ".dvc" / "config").touch()
    (repository / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (repository / "model.pkl").write_bytes(b"weights")
    data = repository / "data"
    (data / "sub").mkdir(parents=True)
    (data / "a b.txt").write_text("one")
    (data / "sub" / "größe.bin").write_bytes(b"\0\1\2")
    (data / "empty").touch()
    return repository


@pytest.fixture
def known(tmp_path):
    return StatCache(tmp_path / "hashes.json")


@pytest.fixture
def file(project):
    return add_to_cache(project, project / "model.pkl", project)


@pytest.fixture
def folder(project):
    return add_to_cache(project, project / "data", project)


@pytest.fixture
def modified(project, known):
    def ask(pointer, **options):
        options = {"cache_dir": cache_dir(project), "known": known} | options
        (found,) = look([pointer], project, **options)
        return found.modified

    return ask


def put_into_old_cache(project, digest, content):
    place = project / ".dvc" / "cache" / digest[:2] / digest[2:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


def replace_content(path, content):
    """Same size, and the times put back: only the content and the change time tell."""
    status = path.stat()
    assert len(content) == status.st_size
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("link", ["copy", "hardlink", "symlink"])
def test_what_dvc_added_is_unmodified(project, known, link):
    (project / ".dvc" / "config.local").write_text(f"[cache]\n    type = {link}\n")
    run_dvc("add", "model.pkl", "data", cwd=project)
    pointers = [read_pointer(project / "model.pkl.dvc"), read_pointer(project / "data.dvc")]
    found = look(pointers, project, cache_dir(project), known)
    assert [pointer.modified for pointer in found] == [False, False]
    assert [Pointer(**{**pointer_fields(pointer), "modified": None}) for pointer in found] == pointers


def pointer_fields(pointer):
    return {name: getattr(pointer, name) for name in Pointer._fields}


def test_a_touched_file_is_unmodified(project, file, folder, modified):
    os.utime(project / "model.pkl")
    os.utime(project / "data" / "a b.txt", (10**9, 10**9))
    assert modified(file) is False
    assert modified(folder) is False


@pytest.mark.parametrize("content", [b"weights and more", b"WEIGHTS"])
def test_a_file_with_other_content_is_modified(project, file, modified, content):
    assert modified(file) is False
    (project / "model.pkl").write_bytes(content)
    assert modified(file) is True


def test_times_that_were_put_back_hide_nothing(project, file, folder, known, modified):
    for path in (project / "model.pkl", project / "data" / "a b.txt"):
        os.utime(path, (10**9, 10**9))
    time.sleep(2.1)  # so that what is hashed now is remembered
    assert (modified(file), modified(folder)) == (False, False)
    model = project / "model.pkl"
    assert known.find(str(model), model.stat(), "md5") == file.digest
    replace_content(model, b"WEIGHTS")
    replace_content(project / "data" / "a b.txt", b"two")
    assert (modified(file), modified(folder)) == (True, True)


def test_what_is_not_on_disk_is_not_judged(project, file, folder, modified):
    (project / "model.pkl").unlink()
    (project / "data").rename(project / "elsewhere")
    assert modified(file) is None
    assert modified(folder) is None
    (project / "model.pkl").symlink_to("nowhere")
    assert modified(file) is None
    assert modified(Pointer("model.pkl/below", "0" * 32)) is None
    assert modified(Pointer("s3://bucket/data", "0" * 32)) is None
    assert modified(Pointer("nul\0", "0" * 32)) is None


def test_a_file_in_place_of_a_folder_is_modified_and_the_reverse(project, file, folder, modified):
    (project / "model.pkl").unlink()
    (project / "data").rename(project / "model.pkl")
    (project / "data").write_text("a file")
    assert modified(file) is True
    assert modified(folder) is True


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("change", ["added", "removed", "renamed", "content", "size", "moved", "broken link", "socket"])
def test_a_folder_that_changed_is_modified(project, folder, modified, monkeypatch, change, listed):
    data = project / "data"
    if not listed:
        (project / ".dvc" / "cache").rename(project.parent / "away")
    assert modified(folder) is False
    match change:
        case "added":
            (data / "new").touch()
        case "removed":
            (data / "empty").unlink()
        case "renamed":
            (data / "empty").rename(data / "void")
        case "content":
            replace_content(data / "a b.txt", b"two")
        case "size":
            (data / "a b.txt").write_text("three")
        case "moved":
            (data / "sub" / "größe.bin").rename(data / "größe.bin")
        case "broken link":
            (data / "broken").symlink_to("nowhere")
        case "socket":
            monkeypatch.chdir(data)
            with socket.socket(socket.AF_UNIX) as one:
                one.bind("s")
    assert modified(folder) is True


@pytest.mark.parametrize("field", [{"size": None}, {"files": None}, {"size": None, "files": None}])
def test_a_pointer_that_says_less_is_compared_all_the_same(project, folder, modified, field):
    bare = Pointer(**{**pointer_fields(folder), **field})
    assert modified(bare) is False
    (project / "data" / "new").touch()
    assert modified(bare) is True


def test_empty_folders_and_links_to_folders_do_not_count(project, folder, modified):
    (project / "data" / "nothing").mkdir()
    (project / "data" / "link").symlink_to("sub")
    assert modified(folder) is False


def test_an_empty_folder_is_compared(project, modified):
    (project / "void").mkdir()
    pointer = add_to_cache(project, project / "void", project)
    assert modified(pointer) is False
    (project / "void" / "x").touch()
    assert modified(pointer) is True


def test_without_a_cache_the_digest_decides(project, folder, modified):
    assert modified(folder, cache_dir=None) is False
    replace_content(project / "data" / "a b.txt", b"two")
    assert modified(folder, cache_dir=None) is True


def test_a_broken_listing_counts_as_none(project, folder, modified):
    listing = project / ".dvc" / "cache" / "files" / "md5" / folder.digest[:2] / folder.digest[2:]
    listing.chmod(0o644)
    for content in ("[", "{}", "null", '[{"md5": 1, "relpath": "x"}]', '[{"md5": "a", "relpath": "../x"}]', "[[]]"):
        listing.write_text(content)
        assert modified(folder) is False


def test_what_dvcignore_ignores_does_not_count(project, modified):
    (project / ".dvcignore").write_text("*.log\n")
    folder = add_to_cache(project, project / "data", project)
    (project / "data" / "sub" / "noise.log").write_text("noise")
    assert modified(folder) is False
    (project / "data" / "sub" / "noise.txt").write_text("noise")
    assert modified(folder) is True


def test_a_link_into_the_cache_is_not_read(project, file, modified):
    model, cached = (
        project / "model.pkl",
        project / ".dvc" / "cache" / "files" / "md5" / file.digest[:2] / file.digest[2:],
    )
    damaged = b"WEIGHTS"  # only to show that nobody reads it
    cached.chmod(0o644)
    cached.write_bytes(damaged)
    cached.chmod(0o444)
    for link in (lambda: model.hardlink_to(cached), lambda: model.symlink_to(cached)):
        model.unlink()
        link()
        assert modified(file) is False


def test_a_link_into_the_cache_that_somebody_made_writable_is_read(project, file, modified):
    model, cached = (
        project / "model.pkl",
        project / ".dvc" / "cache" / "files" / "md5" / file.digest[:2] / file.digest[2:],
    )
    model.unlink()
    model.hardlink_to(cached)
    model.chmod(0o644)
    model.write_bytes(b"WEIGHTS")
    assert modified(file) is True


@pytest.mark.parametrize("content", [b"a,b\r\n1,2\r\n", b"a,b\n1,2\n"])
def test_line_ends_do_not_count_for_pointers_of_dvc_2(project, modified, content):
    (project / "old.csv").write_bytes(content)
    pointer = Pointer("old.csv", hashlib.md5(b"a,b\n1,2\n").hexdigest(), "md5-dos2unix", size=10)
    put_into_old_cache(project, pointer.digest, content)
    assert modified(pointer) is False
    (project / "old.csv.dvc").write_text(dvc_file_text(pointer))
    assert read_pointer(project / "old.csv.dvc").algorithm == "md5-dos2unix"
    assert "modified" not in run_dvc("status", "old.csv.dvc", cwd=project)
    (project / "old.csv").write_bytes(content.replace(b"1", b"3"))
    assert modified(pointer) is True
    assert "modified" in run_dvc("status", "old.csv.dvc", cwd=project)


@pytest.mark.parametrize("listed", [True, False])
def test_a_folder_of_dvc_2_is_compared_by_its_own_hashes(project, modified, listed):
    (project / "old").mkdir()
    (project / "old" / "a.txt").write_bytes(b"a\r\n")
    (project / "old" / "b.bin").write_bytes(b"\0\r\n")
    content = json.dumps(
        [
            {"md5": hashlib.md5(b"a\n").hexdigest(), "relpath": "a.txt"},
            {"md5": hashlib.md5(b"\0\r\n").hexdigest(), "relpath": "b.bin"},
        ]
    ).encode()
    digest = hashlib.md5(content).hexdigest() + ".dir"
    pointer = Pointer("old", digest, "md5-dos2unix", size=6, files=2)
    put_into_old_cache(project, hashlib.md5(b"a\n").hexdigest(), b"a\n")
    put_into_old_cache(project, hashlib.md5(b"\0\r\n").hexdigest(), b"\0\r\n")
    if listed:
        put_into_old_cache(project, digest, content)
    (project / "old.dvc").write_text(dvc_file_text(pointer))
    assert modified(pointer) is False
    assert "modified" not in run_dvc("status", "old.dvc", cwd=project)
    (project / "old" / "b.bin").write_bytes(b"\0\n")
    assert modified(pointer) is True
    put_into_old_cache(project, digest, content)
    assert "modified" in run_dvc("status", "old.dvc", cwd=project)


def test_dvc_agrees(project, file, folder, modified):
    for pointer in (file, folder):
        (project / f"{pointer.path}.dvc").write_text(dvc_file_text(pointer))
    assert run_dvc("status", cwd=project) == "Data and pipelines are up to date."
    (project / "data" / "new").touch()
    (project / "model.pkl").write_bytes(b"WEIGHTS")
    status = json.loads(run_dvc("status", "--json", cwd=project))
    assert status == {
        "model.pkl.dvc": [{"changed outs": {"model.pkl": "modified"}}],
        "data.dvc": [{"changed outs": {"data": "modified"}}],
    }
    assert (modified(file), modified(folder)) == (True, True)


def test_a_known_file_is_not_read(project, file, modified, known):
    model = project / "model.pkl"
    known.remember(str(model), model.stat(), "md5", "0" * 32, time.time_ns() + 10**10)
    assert modified(file) is True


def test_unmodified_data_is_looked_at_without_importing_dvc(project, folder, file, known):
    code = (
        "import sys; from pathlib import Path; from exptrack.backends.dvc import *\n"
        "from exptrack.model.data import Pointer\n"
        "top = Path(sys.argv[1])\n"
        "pointers = [Pointer('data', sys.argv[2], size=6, files=3), Pointer('model.pkl', sys.argv[3], size=7)]\n"
        "found = look(pointers, top, cache_dir(top), StatCache(top / 'x.json'))\n"
        "add_to_cache(top, top / 'data', top)\n"
        "print([pointer.modified for pointer in found], [name for name in sys.modules if name.startswith('dvc')])\n"
    )
    command = [sys.executable, "-c", code, str(project), folder.digest, file.digest]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[False, False] []\n"
