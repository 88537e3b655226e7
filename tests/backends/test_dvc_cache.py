from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml
from processes import run

from exptrack.backends.dvc import StatCache, add_to_cache, cache_dir, dvc_file_text, has_in_cache, ignore_line
from exptrack.backends.dvc.config import find_cache
from exptrack.backends.dvc.objects import take_file
from exptrack.errors import DataError
from exptrack.model.data import Pointer

# Root may read and write everything, unless it gives that up.
UNPRIVILEGED = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


def run_dvc(*arguments, cwd):
    done = run(
        [sys.executable, "-m", "dvc", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def start_add(root, path, *, prefix=(), **options):
    code = (
        "import sys; from pathlib import Path; from exptrack.backends.dvc import add_to_cache\n"
        "from exptrack.errors import DataError\n"
        "root, path = map(Path, sys.argv[1:])\n"
        "sys.stdin.readline()\n"
        "try: print(add_to_cache(root, path, root).digest)\n"
        "except DataError as error: print('DataError:', error)\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([*prefix, sys.executable, "-c", code, str(root), str(path)], **pipes, **options)


@pytest.fixture
def project(repository):
    (repository / ".dvc").mkdir()
    (repository / ".dvc" / "config").touch()
    (repository / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    return repository


@pytest.fixture
def objects(project):
    """All files of the cache by their digest, as the layout says."""

    def find(folder=project / ".dvc" / "cache"):
        files = (file for file in folder.rglob("*") if file.is_file())
        return {"".join(file.relative_to(folder / "files" / "md5").parts): file for file in files}

    return find


def fill(folder):
    (folder / "sub" / "größe-数据").mkdir(parents=True)
    (folder / "empty folder").mkdir()
    (folder / "a b.txt").write_text("one\r\n")
    (folder / "sub" / "empty").touch()
    (folder / "sub" / "größe-数据" / "x.bin").write_bytes(bytes(range(256)))
    (folder / "sub.txt").write_text("sorts before sub/")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("a b.txt")
    (folder / "folder link").symlink_to("sub")


def tree(folder):
    """What lies below a folder: content, mode, times and inode of everything, the cache left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_relative_to(folder / ".dvc") and not path.is_relative_to(folder / ".git"):
            status = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(status.st_mode) else None
            found[path] = (
                content,
                status.st_mode,
                status.st_mtime_ns,
                status.st_ctime_ns,
                status.st_ino,
                status.st_nlink,
            )
    return found


@pytest.mark.parametrize(
    "name", ["model.pkl", "größe 数据.bin", "a [1]*.txt", "true", "1e5", ".hidden", "it's #1", "tail "]
)
def test_a_file_gets_the_pointer_that_dvc_add_gives(project, name):
    (project / name).write_bytes(b"content\r\n" * 1000)
    pointer = add_to_cache(project, project / name, project)
    assert pointer == Pointer(name, hashlib.md5(b"content\r\n" * 1000).hexdigest(), size=9000)
    run_dvc("add", "--", name, cwd=project)
    assert (project / f"{name}.dvc").read_text() == dvc_file_text(pointer)
    if not name.endswith(" "):  # DVC's own line does not hold there
        assert (project / ".gitignore").read_text().splitlines()[-1] == ignore_line(name)


def test_a_folder_gets_the_pointer_that_dvc_add_gives(project, objects):
    fill(project / "data")
    pointer = add_to_cache(project, project / "data", project)
    mine = {digest: file.read_bytes() for digest, file in objects().items()}
    assert (pointer.path, pointer.files, pointer.size) == ("data", 6, 293)
    (project / ".dvc" / "cache").rename(project.parent / "mine")
    run_dvc("add", "data", cwd=project)
    assert (project / "data.dvc").read_text() == dvc_file_text(pointer)
    assert {digest: file.read_bytes() for digest, file in objects().items()} == mine


def test_an_empty_folder_gets_the_pointer_that_dvc_add_gives(project):
    (project / "data").mkdir()
    pointer = add_to_cache(project, project / "data", project)
    run_dvc("add", "data", cwd=project)
    assert (project / "data.dvc").read_text() == dvc_file_text(pointer)


def test_a_folder_of_many_files_gets_the_pointer_that_dvc_add_gives(project):
    (project / "data").mkdir()
    for number in range(300):
        (project / "data" / f"{number}.txt").write_text(str(number % 250))
    pointer = add_to_cache(project, project / "data", project)
    run_dvc("add", "data", cwd=project)
    assert (project / "data.dvc").read_text() == dvc_file_text(pointer)


def test_the_work_tree_is_left_as_it_is(project, git):
    fill(project / "data")
    before = tree(project), git("status", "--porcelain", "-uall", cwd=project)
    add_to_cache(project, project / "data", project)
    assert (tree(project), git("status", "--porcelain", "-uall", cwd=project)) == before


def test_objects_are_read_only_and_nothing_else_stays_in_the_cache(project, objects):
    fill(project / "data")
    add_to_cache(project, project / "data", project)
    add_to_cache(project, project / "data", project)
    found = objects()
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o444 for file in found.values())
    for digest, file in found.items():
        assert hashlib.md5(file.read_bytes()).hexdigest() == digest.removesuffix(".dir")
    assert len(found) == 6  # five contents, because the link is a copy, and the listing


@pytest.mark.parametrize("name", ["model.pkl", "größe 数据"])
@pytest.mark.parametrize("folder", [False, True])
def test_dvc_brings_the_data_back_from_the_text_alone(project, git, name, folder):
    path = project / "sub" / name
    path.parent.mkdir()
    if folder:
        fill(path)
        (path / "empty folder").rmdir()
        (path / "folder link").unlink()
    else:
        path.write_bytes(b"weights")
    pointer = add_to_cache(project, path, project)
    expected = {
        file.relative_to(path): file.read_bytes() for file in path.rglob("*") if file.is_file()
    } or path.read_bytes()
    clone = project.parent / "clone"
    git("clone", "--quiet", project, clone)
    (clone / ".dvc").mkdir()
    (clone / ".dvc" / "config").write_text(f"[cache]\n    dir = {cache_dir(project)}\n")
    (clone / "sub").mkdir()
    (clone / "sub" / f"{name}.dvc").write_text(dvc_file_text(pointer))
    (clone / "sub" / ".gitignore").write_text(ignore_line(name) + "\n")
    run_dvc("checkout", f"sub/{name}.dvc", cwd=clone)
    back = clone / "sub" / name
    assert (
        {file.relative_to(back): file.read_bytes() for file in back.rglob("*") if file.is_file()} or back.read_bytes()
    ) == expected
    assert run_dvc("status", cwd=clone) == "Data and pipelines are up to date."
    assert (
        git("status", "--porcelain", "-uall", "-z", cwd=clone).count("\0") == 4
    )  # .dvc/config, two .gitignore, the pointer; no data


def test_dvc_pushes_and_pulls_what_was_added(project, tmp_path):
    (project / ".dvc" / "config").write_text(
        f"[core]\n    remote = r\n['remote \"r\"']\n    url = {tmp_path / 'remote'}\n"
    )
    fill(project / "data")
    pointer = add_to_cache(project, project / "data", project)
    (project / "data.dvc").write_text(dvc_file_text(pointer))
    assert run_dvc("push", "data.dvc", cwd=project) == "6 files pushed"
    (project / ".dvc" / "cache").rename(tmp_path / "away")
    (project / "data").rename(tmp_path / "data")
    assert has_in_cache(project, [pointer]) == {pointer: False}
    run_dvc("pull", "data.dvc", cwd=project)
    assert (project / "data" / "sub" / "größe-数据" / "x.bin").read_bytes() == bytes(range(256))
    assert has_in_cache(project, [pointer]) == {pointer: True}


def test_a_cache_elsewhere_is_used(project, tmp_path, objects):
    (project / ".dvc" / "config.local").write_text("[cache]\n    dir = ../../elsewhere\n")
    (project / "model").write_bytes(b"x")
    pointer = add_to_cache(project, project / "model", project)
    assert list(objects(tmp_path / "elsewhere")) == [pointer.digest]
    assert not (project / ".dvc" / "cache").exists()


def test_the_path_is_relative_to_the_top_in_a_monorepo(repository):
    inner = repository / "team" / "project"
    (inner / ".dvc").mkdir(parents=True)
    (inner / ".dvc" / "config").touch()
    (inner / "model").write_bytes(b"x")
    assert add_to_cache(inner, inner / "model", repository).path == "team/project/model"
    assert not (repository / ".dvc").exists()


def test_a_shared_cache_gets_the_modes_that_dvc_gives(project, tmp_path):
    modes = []
    (project / "data").mkdir()
    (project / "data" / "model").write_bytes(b"x")
    for cache, add in (
        ("mine", lambda: add_to_cache(project, project / "data", project)),
        ("dvc", lambda: run_dvc("add", "data", cwd=project)),
    ):
        (project / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {tmp_path / cache}\n    shared = group\n")
        add()
        found = (tmp_path / cache).rglob("*")
        modes.append({path.relative_to(tmp_path / cache): path.stat().st_mode for path in found})
    assert modes[0] == modes[1]


@pytest.mark.parametrize("patterns", ["*.log\n", "# only a comment\n", "/data/sub\n!*.bin\n"])
def test_dvcignore_counts_as_in_dvc(project, patterns):
    (project / ".dvcignore").write_text(patterns)
    fill(project / "data")
    (project / "data" / "noise.log").write_text("noise")
    (project / "data" / ".git").mkdir()
    (project / "data" / ".git" / "config").write_text("no data")
    pointer = add_to_cache(project, project / "data", project)
    run_dvc("add", "data", cwd=project)
    assert (project / "data.dvc").read_text() == dvc_file_text(pointer)


def test_what_dvcignore_ignores_is_refused(project):
    (project / ".dvcignore").write_text("data\n*.pkl\n")
    (project / "data" / "sub").mkdir(parents=True)
    (project / "model.pkl").touch()
    for name in ("data", "data/sub", "model.pkl"):
        with pytest.raises(DataError, match=rf"{name} is ignored by \.dvcignore"):
            add_to_cache(project, project / name, project)


def test_a_dvcignore_inside_of_data_is_refused(project):
    (project / "data").mkdir()
    (project / "data" / ".dvcignore").touch()
    with pytest.raises(DataError, match=r"data/\.dvcignore may not lie inside of data"):
        add_to_cache(project, project / "data", project)


def test_a_file_that_is_a_link_stays_a_link(project):
    (project / "real").write_bytes(b"x")
    (project / "model").symlink_to("real")
    pointer = add_to_cache(project, project / "model", project)
    assert pointer == Pointer("model", hashlib.md5(b"x").hexdigest(), size=1)
    assert (project / "model").is_symlink()


def test_what_dvc_cannot_hold_is_refused_in_one_line(project, tmp_path):
    (project / "data").mkdir()
    (project / "broken").symlink_to("nowhere")
    (project / "loop").symlink_to("loop")
    (tmp_path / "outside").touch()
    (tmp_path / "outside folder").mkdir()
    (tmp_path / "outside folder" / "x").touch()
    (project / "link").symlink_to(tmp_path / "outside folder")
    (project / "inside").mkdir()
    (project / "inside" / "broken").symlink_to("nowhere")
    os.mkfifo(project / "pipe")
    (project / "pipes").mkdir()
    os.mkfifo(project / "pipes" / "pipe")
    for path, words in {
        project / "missing": "cannot read .*missing: No such file",
        project / "broken": "broken is a broken link",
        project / "inside": "inside/broken is a broken link",
        project / "loop": "loop is a broken link",
        project / "pipe": "pipe is no regular file",
        project / "pipes": "pipes/pipe is no regular file",
        project: "is not inside of the DVC project",
        tmp_path / "outside": "is not inside of the DVC project",
        project / "data" / ".." / ".." / "outside": "is not inside of the DVC project",
        project / "link" / "x": "lies behind the link",
    }.items():
        with pytest.raises(DataError, match=words) as caught:
            add_to_cache(project, path, project)
        assert "\n" not in str(caught.value)
    assert not list((project / ".dvc").rglob("*.tmp"))


def test_a_socket_in_a_folder_is_refused(project, monkeypatch):
    (project / "data").mkdir()
    monkeypatch.chdir(project / "data")  # the name of a socket may be 100 bytes long
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("s")
        with pytest.raises(DataError, match="data/s is no regular file"):
            add_to_cache(project, project / "data", project)


def test_a_name_that_is_not_utf8_is_refused_as_dvc_does(project):
    name = os.fsdecode(b"caf\xe9")
    (project / "data").mkdir()
    try:
        (project / "data" / name).write_bytes(b"x")
    except OSError:
        pytest.skip("the file system wants UTF-8")
    for path in (project / "data", project / "data" / name):
        with pytest.raises(DataError, match=r"the name '.*caf\\udce9' is not UTF-8"):
            add_to_cache(project, path, project)


@pytest.mark.skipif(UNPRIVILEGED != [] and shutil.which("setpriv") is None, reason="root without setpriv")
def test_what_cannot_be_read_is_named(project):
    (project / "data").mkdir()
    (project / "data" / "secret").touch(mode=0)
    for name in ("data", "data/secret"):
        said, _ = start_add(project, project / name, prefix=UNPRIVILEGED).communicate("go\n")
        assert said == f"DataError: cannot read {project}/data/secret: Permission denied\n"


@pytest.mark.skipif(UNPRIVILEGED != [] and shutil.which("setpriv") is None, reason="root without setpriv")
def test_a_read_only_cache_is_named(project):
    (project / "model").write_bytes(b"x")
    cache = project / ".dvc" / "cache"
    cache.mkdir(mode=0o555)
    said, _ = start_add(project, project / "model", prefix=UNPRIVILEGED).communicate("go\n")
    assert said.startswith(f"DataError: cannot copy {project}/model into the DVC cache at {cache}: Permission denied")


@pytest.mark.parametrize("place", ["{project}/train.py", "/dev/null/cache", "/proc/cache"])
def test_a_cache_that_cannot_be_made_is_named(project, place):
    (project / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {place.format(project=project)}\n")
    (project / "model").write_bytes(b"x")
    with pytest.raises(
        DataError, match=r"cannot copy .*model into the DVC cache at .*: .*; make room there or set cache\.dir"
    ):
        add_to_cache(project, project / "model", project)


@pytest.mark.parametrize("size", [2_000_000, 70_000_000])
def test_a_full_disk_is_named_and_leaves_nothing_behind(project, objects, size):
    import resource

    (project / "model").write_bytes(b"x" * size)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))  # noqa: E731
    said, _ = start_add(project, project / "model", preexec_fn=limit).communicate("go\n")
    assert said.startswith(
        f"DataError: cannot copy {project}/model into the DVC cache at {project}/.dvc/cache: File too large"
    )
    assert objects() == {}


def test_four_processes_add_the_same_at_once(project, objects):
    (project / "data").mkdir()
    for number in range(30):
        (project / "data" / f"{number}.bin").write_bytes(os.urandom(100_000))
    adders = [start_add(project, project / "data") for _ in range(4)]
    for adder in adders:
        adder.stdin.write("go\n")
        adder.stdin.flush()
    digests = {adder.communicate()[0].strip() for adder in adders}
    assert len(digests) == 1
    found = objects()
    assert len(found) == 31
    assert digests < set(found)
    for digest, file in found.items():
        assert hashlib.md5(file.read_bytes()).hexdigest() == digest.removesuffix(".dir")
        assert stat.S_IMODE(file.stat().st_mode) == 0o444


def test_a_file_that_grows_meanwhile_gets_the_name_of_what_was_copied(project, objects):
    model = project / "model"
    model.write_bytes(os.urandom(3_000_000))
    stop = threading.Event()

    def grow():
        with model.open("ab", buffering=0) as file:
            while not stop.is_set():
                file.write(b"more")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        pointers = [add_to_cache(project, model, project) for _ in range(10)]
    finally:
        stop.set()
        writer.join()
    found = objects()
    for pointer in pointers:
        content = found[pointer.digest].read_bytes()
        assert (hashlib.md5(content).hexdigest(), len(content)) == (pointer.digest, pointer.size)


def test_a_killed_process_leaves_no_wrong_object(project, objects):
    (project / "data").mkdir()
    for number in range(40):
        (project / "data" / str(number)).write_bytes(os.urandom(1_000_000))
    adder = start_add(project, project / "data")
    adder.stdin.write("go\n")
    adder.stdin.flush()
    folder = project / ".dvc" / "cache" / "files" / "md5"
    while adder.poll() is None and not list(folder.glob("*/*")):
        time.sleep(0.001)
    adder.send_signal(signal.SIGKILL)
    adder.communicate()
    for file in folder.glob("*/*"):
        assert hashlib.md5(file.read_bytes()).hexdigest() == f"{file.parent.name}{file.name}".removesuffix(".dir")
    pointer = add_to_cache(project, project / "data", project)
    assert has_in_cache(project, [pointer]) == {pointer: True}


def test_what_a_killed_process_left_is_removed_a_day_later(project):
    folder = project / ".dvc" / "cache" / "files"
    folder.mkdir(parents=True)
    old, new, other = (folder / name for name in ("exptrack-1-a.tmp", "exptrack-2-b.tmp", "other"))
    for file in (old, new, other):
        file.touch()
    for file in (old, other):
        os.utime(file, (10**9, 10**9))
    (project / "model").touch()
    add_to_cache(project, project / "model", project)
    assert [file.exists() for file in (old, new, other)] == [False, True, True]


def test_dvc_passes_over_what_a_killed_process_left(project, objects):
    (project / "model").write_bytes(b"x")
    pointer = add_to_cache(project, project / "model", project)
    (project / "model.dvc").write_text(dvc_file_text(pointer))
    left = project / ".dvc" / "cache" / "files" / "exptrack-1-a.tmp"
    left.touch()
    run_dvc("gc", "--workspace", "--force", cwd=project)
    left.unlink()
    assert list(objects()) == [pointer.digest]


def test_a_damaged_object_is_replaced(project, objects):
    (project / "model").write_bytes(b"content")
    pointer = add_to_cache(project, project / "model", project)
    damaged = objects()[pointer.digest]
    damaged.chmod(0o644)
    damaged.write_bytes(b"damaged")
    add_to_cache(project, project / "model", project)
    assert damaged.read_bytes() == b"content"


def test_an_object_that_is_there_is_not_written_again(project, objects):
    (project / "model").write_bytes(b"content")
    pointer = add_to_cache(project, project / "model", project)
    before = objects()[pointer.digest].stat()
    add_to_cache(project, project / "model", project)
    assert objects()[pointer.digest].stat() == before


def test_a_large_file_is_copied_whole(project, objects):
    with (project / "model").open("wb") as file:
        file.truncate(65 << 20)
        file.write(b"end")
    pointer = add_to_cache(project, project / "model", project)
    assert pointer.size == 65 << 20
    assert hashlib.md5((project / "model").read_bytes()).hexdigest() == pointer.digest
    assert (project / "model").read_bytes() == objects()[pointer.digest].read_bytes()
    assert not list((project / ".dvc").rglob("*.tmp"))


def test_a_known_file_is_not_read_again(project, tmp_path):
    (project / "model").write_bytes(b"content")
    (project / "other").write_bytes(b"another")
    other = add_to_cache(project, project / "other", project)
    known = StatCache(tmp_path / "hashes.json")
    known.remember(str(project / "model"), (project / "model").stat(), "md5", other.digest, time.time_ns() + 10**10)
    assert add_to_cache(project, project / "model", project, known).digest == other.digest


def test_a_known_file_is_added_if_the_cache_lost_it(project, tmp_path, objects):
    (project / "model").write_bytes(b"content")
    known = StatCache(tmp_path / "hashes.json")
    pointer = add_to_cache(project, project / "model", project)
    known.remember(str(project / "model"), (project / "model").stat(), "md5", pointer.digest, time.time_ns() + 10**10)
    objects()[pointer.digest].unlink()
    assert add_to_cache(project, project / "model", project, known) == pointer
    assert has_in_cache(project, [pointer]) == {pointer: True}


def test_a_file_that_was_added_is_known(project, tmp_path):
    (project / "model").write_bytes(b"content")
    os.utime(project / "model", (10**9, 10**9))
    known = StatCache(tmp_path / "hashes.json")
    time.sleep(2.1)  # so that the change lies back far enough to be trusted
    pointer = add_to_cache(project, project / "model", project, known)
    assert known.find(str(project / "model"), (project / "model").stat(), "md5") == pointer.digest


def test_data_is_in_the_cache_only_as_a_whole(project, objects):
    fill(project / "data")
    (project / "model").write_bytes(b"content")
    folder = add_to_cache(project, project / "data", project)
    file = add_to_cache(project, project / "model", project)
    strange = Pointer("strange", "0" * 32)
    assert has_in_cache(project, [folder, file, strange]) == {folder: True, file: True, strange: False}
    lost = hashlib.md5(bytes(range(256))).hexdigest()
    objects()[lost].rename(project / "lost")
    short = objects()[file.digest]
    short.chmod(0o644)
    short.write_bytes(b"cont")
    assert has_in_cache(project, [folder, file]) == {folder: False, file: False}
    (project / "lost").rename(project / ".dvc" / "cache" / "files" / "md5" / lost[:2] / lost[2:])
    assert has_in_cache(project, [folder]) == {folder: True}
    objects()[folder.digest].unlink()
    assert has_in_cache(project, [folder]) == {folder: False}


def test_data_of_dvc_2_is_in_its_own_place(project):
    digest = hashlib.md5(b"a\nb\n").hexdigest()
    place = project / ".dvc" / "cache" / digest[:2] / digest[2:]
    place.parent.mkdir(parents=True)
    place.write_bytes(b"a\r\nb\r\n")
    listing = json.dumps([{"md5": digest, "relpath": "a.txt"}]).encode()
    folder = hashlib.md5(listing).hexdigest() + ".dir"
    (place.parents[1] / folder[:2]).mkdir()
    (place.parents[1] / folder[:2] / folder[2:]).write_bytes(listing)
    old, new = Pointer("a.txt", digest, "md5-dos2unix"), Pointer("a.txt", digest)
    old_folder = Pointer("a", folder, "md5-dos2unix")
    assert has_in_cache(project, [old, new, old_folder]) == {old: True, new: False, old_folder: True}


def test_a_folder_with_a_folder_of_dvc_inside_is_as_in_dvc(project):
    fill(project / "data")
    (project / "data" / "sub" / ".dvc").mkdir()
    pointer = add_to_cache(project, project / "data", project)
    run_dvc("add", "data", cwd=project)
    assert yaml.safe_load((project / "data.dvc").read_text())["outs"][0]["md5"] == pointer.digest


def test_a_relative_path_is_taken_from_the_working_directory(project, monkeypatch):
    (project / "model").touch()
    monkeypatch.chdir(project)
    assert add_to_cache(project, Path("model"), project).path == "model"


def test_a_file_of_our_own_is_linked_into_the_cache_and_survives_its_name(project, tmp_path, objects):
    file = tmp_path / "model"
    file.write_bytes(b"weights")
    digest = hashlib.md5(b"weights").hexdigest()
    cache = find_cache(project)
    assert take_file(cache, file) == (digest, 7)
    assert take_file(cache, file) == (digest, 7)
    linked = objects()[digest]
    assert linked.samefile(file)
    assert stat.S_IMODE(linked.stat().st_mode) == 0o444
    file.unlink()
    assert linked.read_bytes() == b"weights"
    other = tmp_path / "other"
    other.write_bytes(b"weights")
    assert take_file(cache, other) == (digest, 7)
    assert list(objects()) == [digest]


def test_into_a_shared_cache_and_one_on_another_file_system_it_is_copied(project, tmp_path, objects):
    file = tmp_path / "model"
    file.write_bytes(b"weights")
    places = [find_cache(project)._replace(shared=True)]
    elsewhere = Path("/dev/shm")
    if elsewhere.is_dir() and elsewhere.stat().st_dev != tmp_path.stat().st_dev and os.access(elsewhere, os.W_OK):
        places.append(find_cache(project)._replace(folder=elsewhere / f"exptrack-{os.getpid()}"))
    for cache in places:
        try:
            digest, size = take_file(cache, file)
            copied = cache.object(digest, "md5")
            assert (copied.read_bytes(), size) == (b"weights", 7)
            assert not copied.samefile(file)
        finally:
            if cache.folder.is_relative_to(elsewhere):
                shutil.rmtree(cache.folder)
