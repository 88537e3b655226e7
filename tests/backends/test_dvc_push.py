from __future__ import annotations

import hashlib
import http.server
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from processes import run

from exptrack.backends.dvc import add_to_cache, dvc_file_text, fetch, find_stored, push
from exptrack.backends.dvc.remote import open_remote
from exptrack.errors import DataError
from exptrack.model.data import Pointer
from exptrack.model.progress import Silence
from exptrack.model.sharing import Sent

# Root may write everything, unless it gives that up.
UNPRIVILEGED = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
PATIENCE = 120  # seconds until a test gives up on what must happen at some time
PUSHING = """
import resource, signal, sys; from pathlib import Path; from exptrack.backends.dvc import push
from exptrack.errors import DataError; from exptrack.model.data import Pointer
class Told:
    def begin(self, task, total=None, *, is_bytes=False): print(task, flush=True)
    def advance(self, done): pass
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background, a shell has it ignored
if limit := int(sys.argv[2]): resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try: print(push(Path(sys.argv[1]), [Pointer(*pair.split("=")) for pair in sys.argv[3:]], progress=Told())[:3])
except DataError as error: print("DataError:", error)
except KeyboardInterrupt: print("interrupted")
print(sorted({"dvc.repo"} & set(sys.modules)))
"""


def start_push(root, *pointers, prefix=(), limit=0):
    argv = [*prefix, sys.executable, "-c", PUSHING, root, limit, *(f"{one.path}={one.digest}" for one in pointers)]
    return subprocess.Popen([*map(str, argv)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run_dvc(*arguments, cwd):
    done = run([sys.executable, "-m", "dvc", *arguments], cwd=cwd, check=False, capture_output=True, text=True)
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
def remote(tmp_path):
    return tmp_path / "remote"


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_data_goes_to_the_remote_once(project, pointers, cache, remote, capfd):
    assert push(project, pointers) == Sent(objects=7, size=size_of(cache))
    assert files(remote) == files(cache)
    for name in files(remote):
        assert (remote / name).read_bytes() == (cache / name).read_bytes()
        assert (remote / name).stat().st_mode & 0o777 == 0o444
    assert push(project, [*pointers, *pointers]) == Sent(there=7)
    assert capfd.readouterr() == ("", "")


def test_plain_dvc_takes_what_was_pushed(project, pointers, remote, git, tmp_path):
    configure(project, origin=remote)
    for pointer in pointers:
        (project / f"{pointer.path}.dvc").write_text(dvc_file_text(pointer))
    (project / ".gitignore").write_text("metrics.json\n/raw.csv\n/images\n")
    (project / ".dvc" / ".gitignore").write_text("/tmp\n/cache\n")
    git("add", ".", cwd=project)
    git("commit", "--quiet", "-m", "data", cwd=project)
    push(project, pointers)
    git("clone", "--quiet", project, tmp_path / "clone")
    run_dvc("pull", cwd=tmp_path / "clone")
    assert (tmp_path / "clone" / "raw.csv").read_bytes() == b"1,2\r\n"
    assert files(tmp_path / "clone" / "images") == files(project / "images")
    assert "in sync" in run_dvc("status", "--cloud", cwd=project)
    assert run_dvc("push", cwd=project) == "Everything is up to date.\n"


def test_what_plain_dvc_pushed_is_there(project, pointers, cache):
    for pointer in pointers:
        (project / f"{pointer.path}.dvc").write_text(dvc_file_text(pointer))
    run_dvc("push", "-q", cwd=project)
    assert push(project, pointers) == Sent(there=7)
    shutil.rmtree(cache)
    assert find_stored(project, pointers) == dict.fromkeys(pointers, True)
    assert push(project, pointers) == Sent(there=7)
    assert fetch(project, pointers) == pointers


def test_a_torn_upload_is_made_good(project, pointers, cache, remote):
    push(project, pointers)
    for digest in (pointers[0].digest, pointers[1].digest, md5(b"image 3")):
        place(remote, digest).chmod(0o644)
        place(remote, digest).write_bytes(b"")
    assert find_stored(project, pointers) == dict.fromkeys(pointers, False)
    assert push(project, pointers).objects == 3
    assert all((remote / name).read_bytes() == (cache / name).read_bytes() for name in files(cache))


def test_every_file_of_a_folder_is_looked_for(project, pointers, remote):
    push(project, pointers)
    place(remote, md5(b"image 3")).unlink()
    assert find_stored(project, pointers) == {pointers[0]: True, pointers[1]: False}
    assert push(project, pointers) == Sent(objects=1, size=7, there=6)


def test_what_is_nowhere_is_missing_and_the_rest_goes(project, pointers, cache, remote):
    place(cache, md5(b"image 3")).unlink()
    gone = Pointer("gone", "0" * 32 + ".dir")
    nonsense = Pointer("nonsense", "../../../params.yaml")
    assert push(project, [*pointers, gone, nonsense]) == Sent(1, 5, missing=(pointers[1], gone, nonsense))
    # Of a folder that cannot be whole, nothing goes.
    assert files(remote) == [str(place(Path(), pointers[0].digest))]
    assert find_stored(project, [gone, nonsense]) == {gone: False, nonsense: False}


def test_a_damaged_cache_damages_no_remote(project, pointers, cache, remote):
    for digest in (pointers[0].digest, md5(b"image 3")):
        place(cache, digest).chmod(0o644)
        place(cache, digest).write_bytes(b"x" * place(cache, digest).stat().st_size)
    sent = push(project, pointers)
    assert sent == Sent(4, 28, missing=pointers, damaged=pointers)
    assert files(remote) == sorted(str(place(Path(), md5(b"image %d" % number))) for number in (0, 1, 2, 4))


def test_private_data_stays_here(project, pointers, remote):
    private = pointers[0]._replace(is_private=True)
    assert push(project, [private]) == Sent(private=(private,))
    (project / ".dvc" / "config").write_text("")
    assert push(project, [private]) == Sent(private=(private,))
    assert push(project, []) == Sent()
    assert not remote.exists()


def test_data_goes_to_the_remote_that_its_pointer_names_and_comes_back(project, pointers, cache, tmp_path):
    configure(project, origin="../../one", other="../../two")
    pointers = (pointers[0]._replace(remote="other"), pointers[1])
    assert push(project, pointers).objects == 7
    assert files(tmp_path / "two") == [str(place(Path(), pointers[0].digest))]
    assert len(files(tmp_path / "one")) == 6
    assert find_stored(project, pointers) == dict.fromkeys(pointers, True)
    assert find_stored(project, [pointers[0]._replace(remote=None)]) == {pointers[0]._replace(remote=None): False}
    cache.rename(tmp_path / "away")
    assert fetch(project, pointers) == pointers
    assert files(cache) == files(tmp_path / "away")


def test_one_remote_that_is_gone_does_not_keep_the_data_of_others_away(project, pointers, cache, tmp_path):
    configure(project, origin="../../one", other="../../two")
    pointers = (pointers[0]._replace(remote="other"), pointers[1])
    push(project, pointers)
    shutil.rmtree(tmp_path / "two")
    cache.rename(tmp_path / "away")
    with pytest.raises(DataError, match=r"cannot fetch raw\.csv from the remote 'other': there is no"):
        fetch(project, pointers)
    assert len(files(cache)) == 6


def test_data_of_dvc_2_goes_where_dvc_2_looks_for_it(project, cache, remote):
    content = {b"a\r\nb\r\n": md5(b"a\nb\n"), b"\0\r\n": md5(b"\0\r\n")}
    listing = json.dumps([{"md5": digest, "relpath": f"{digest}.csv"} for digest in content.values()]).encode()
    content[listing] = md5(listing) + ".dir"
    for data, digest in content.items():
        (cache / digest[:2]).mkdir(parents=True, exist_ok=True)
        (cache / digest[:2] / digest[2:]).write_bytes(data)
    pointer = Pointer("old", content[listing], "md5-dos2unix")
    assert push(project, [pointer]).objects == 3
    assert {path.parent.parent for path in remote.rglob("*") if path.is_file()} == {remote}
    assert push(project, [pointer]) == Sent(there=3)
    shutil.rmtree(cache)
    assert fetch(project, [pointer]) == (pointer,)


def test_a_remote_that_a_group_shares_stays_shared(project, pointers, remote):
    with (project / ".dvc" / "config").open("a") as file:
        file.write("    shared = group\n")
    push(project, pointers)
    folders = [path for path in (remote / "files").rglob("*") if path.is_dir()]
    assert {path.stat().st_mode & 0o7777 for path in folders} == {0o2775}


def test_progress_tells_every_byte(project, pointers, cache):
    class Told(Silence):
        tasks, done, lock = [], 0, threading.Lock()

        def begin(self, task, total=None, *, is_bytes=False):
            self.tasks.append((task, total, is_bytes))

        def advance(self, done):
            with self.lock:
                self.done += done

    told = Told()
    push(project, pointers, progress=told)
    assert (told.tasks, told.done) == ([("pushing data", size_of(cache), True)], size_of(cache))
    shutil.rmtree(cache)
    told.tasks.clear()
    fetch(project, pointers, progress=told)
    assert told.tasks[0][0] == "fetching data"
    assert told.done == 2 * size_of(cache)


def test_what_killed_pushes_left_is_removed_after_a_day(project, pointers, remote):
    (remote / "files").mkdir(parents=True)
    for name, age in (("exptrack-1-old.tmp", 90_000), ("exptrack-1-new.tmp", 80_000), ("other.tmp", 90_000)):
        (remote / "files" / name).write_bytes(b"half")
        os.utime(remote / "files" / name, (time.time() - age,) * 2)
    push(project, pointers)
    assert sorted(path.name for path in (remote / "files").iterdir()) == ["exptrack-1-new.tmp", "md5", "other.tmp"]


WITHOUT = r"or push the runs without their data \(`--no-data`\)"


@pytest.mark.parametrize(
    ("config", "named", "message"),
    [
        (
            "",
            None,
            rf"cannot push raw\.csv: the DVC project at .* has no remote: add one with `dvc remote .*, {WITHOUT}",
        ),
        (
            "['remote \"a\"']\nurl = /x",
            None,
            r"has no default remote: choose one of a with `dvc remote default NAME`, or",
        ),
        (
            "['remote \"a\"']\nurl = /x",
            "b",
            r"has no remote 'b': choose one of a, or add it with `dvc remote add b URL`",
        ),
        (
            "['remote \"a\"']\nurl = gs://x",
            "a",
            r"to the remote 'a': gs is supp.*; install it with `pip install 'exptrack\[gs\]'`",
        ),
        (
            "['remote \"a\"']\nurl = remote://b/c\n['remote \"b\"']\nurl = webdavs://x/",
            "a",
            r"install it with `pip install 'exptrack\[webdav\]'`",
        ),
        (
            "['remote \"a\"']\nurl = s3://x/y\nversion_aware = true",
            "a",
            r"cannot push raw\.csv to the remote 'a', which keeps files and not hashes \(`version_aware`\), so that",
        ),
        ("['remote \"a\"']\nurl = s3://x/y\nworktree = true", "a", r"keeps files and not hashes \(`worktree`\)"),
        ("['remote \"a\"'", "a", r"cannot push raw\.csv: the DVC config in .* is broken, .*; mend it with"),
        (
            "['remote \"a\"']\nurl = /no/such/folder",
            "a",
            r"remote 'a': there is no /no/such/folder, and /no/such is empty or not there, as if a drive .* `mkdir -p /no/such/folder`",
        ),
    ],
)
def test_a_remote_that_cannot_be_used_is_named(project, pointers, config, named, message):
    pytest.importorskip("dvc_s3", reason="needs DVC's remotes on S3")
    (project / ".dvc" / "config").write_text(config)
    with pytest.raises(DataError, match=message) as caught:
        push(project, [pointers[0]._replace(remote=named)])
    assert "\n" not in str(caught.value)


def test_nothing_is_written_where_a_drive_may_not_be_mounted(project, pointers, tmp_path):
    (tmp_path / "mnt").mkdir()
    configure(project, origin=tmp_path / "mnt" / "store")
    with pytest.raises(DataError, match="as if a drive were not mounted"):
        push(project, pointers)
    assert list((tmp_path / "mnt").iterdir()) == []
    (tmp_path / "mnt" / "lost+found").mkdir()
    assert push(project, pointers).objects == 7


def test_a_read_only_remote_is_named(project, pointers, remote):
    if UNPRIVILEGED and shutil.which("setpriv") is None:
        pytest.skip("root may write everything")
    remote.mkdir(mode=0o555)
    said, _ = start_push(project, pointers[0], prefix=UNPRIVILEGED).communicate(timeout=PATIENCE)
    assert said.startswith("DataError: the remote 'origin' cannot be written: Permission denied: ")
    remote.chmod(0o755)
    push(project, pointers[:1])
    remote.chmod(0o555)
    (remote / "exptrack").chmod(0o555)
    said, _ = start_push(project, pointers[0], prefix=UNPRIVILEGED).communicate(timeout=PATIENCE)
    assert said == "(0, 0, 1)\n[]\n"


def test_a_full_disk_is_named_and_the_push_goes_on_afterwards(project, remote):
    (project / "large").write_bytes(random.randbytes(100_000))
    pointer = add_to_cache(project, project / "large", project)
    said, _ = start_push(project, pointer, limit=50_000).communicate(timeout=PATIENCE)
    task, error, _ = said.splitlines()
    assert task == "pushing data"
    assert error.startswith("DataError: cannot push large to the remote 'origin': File too large")
    assert error.endswith("; make room there")
    assert files(remote) == []
    assert push(project, [pointer]).objects == 1


def test_nothing_to_push_costs_no_repo_of_dvc(project, pointers):
    push(project, pointers)
    said, _ = start_push(project, *pointers).communicate(timeout=PATIENCE)
    assert said == "(0, 0, 7)\n[]\n"


@pytest.fixture
def many(project):
    """A folder of so many bytes that it takes a moment."""
    (project / "many").mkdir()
    for number in range(60):
        (project / "many" / str(number)).write_bytes(random.randbytes(300_000))
    return add_to_cache(project, project / "many", project)


def assert_sound(remote, pointer):
    """Everything in the remote is what its name says, and a listing stands for files that are there."""
    for path in (remote / "files" / "md5").rglob("*"):
        if path.is_file():
            assert md5(path.read_bytes()) == (path.parent.name + path.name).removesuffix(".dir")
    if place(remote, pointer.digest).exists():
        listing = json.loads(place(remote, pointer.digest).read_bytes())
        assert all(place(remote, entry["md5"]).exists() for entry in listing)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_after_an_interruption_the_remote_is_right_and_a_repetition_completes_it(project, many, cache, remote, number):
    for delay in (0.0, 0.01, 0.05):
        pushing = start_push(project, many)
        assert pushing.stdout.readline() == "pushing data\n"
        time.sleep(delay)
        pushing.send_signal(number)
        said, _ = pushing.communicate(timeout=PATIENCE)
        assert said in {"", "interrupted\n[]\n", f"({said[1:].partition(')')[0]})\n[]\n"}
        assert_sound(remote, many)
        if place(remote, many.digest).exists():
            shutil.rmtree(remote)
    assert push(project, [many]).missing == ()
    assert_sound(remote, many)
    assert find_stored(project, [many]) == {many: True}


def test_four_processes_may_push_the_same_at_once(project, many, cache, remote):
    pushing = [start_push(project, many) for _ in range(4)]
    said = [one.communicate(timeout=PATIENCE)[0] for one in pushing]
    assert all("Error" not in text and "interrupted" not in text for text in said)
    assert set(files(remote)) >= set(files(cache))
    assert_sound(remote, many)


class Server(http.server.ThreadingHTTPServer):
    """A remote behind HTTP that takes files by POST; `status` is what it says instead, if it is not 200."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.status = folder, 200
        self.url = f"http://127.0.0.1:{self.server_address[1]}/store"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        file = self.server.folder / self.path.removeprefix("/store/")
        content = file.read_bytes() if file.is_file() else b""
        self.send_response((200 if file.is_file() else 404) if self.server.status == 200 else self.server.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        content = b""
        while length := int(self.rfile.readline(), 16):
            content += self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()
        file = self.server.folder / self.path.removeprefix("/store/")
        if self.server.status == 200:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(project, remote):
    pytest.importorskip("dvc_http", reason="needs DVC's remotes behind HTTP")
    with Server(remote) as server:
        configure(project, origin=server.url)
        yield server
        server.shutdown()


def test_a_remote_behind_http_works_like_any_other(project, pointers, cache, remote, server):
    assert push(project, pointers).objects == 7
    assert {name: (remote / name).read_bytes() for name in files(remote)} == {
        name: (cache / name).read_bytes() for name in files(cache)
    }
    place(remote, md5(b"image 3")).write_bytes(b"torn")
    assert find_stored(project, pointers) == {pointers[0]: True, pointers[1]: False}
    assert push(project, pointers) == Sent(1, 7, there=6)
    shutil.rmtree(cache)
    assert push(project, pointers) == Sent(there=7)


@pytest.mark.parametrize("status", [401, 403, 507])
def test_a_remote_that_refuses_is_named_without_its_credentials(project, pointers, server, status):
    configure(project, origin=server.url.replace("//127", "//ada:hunter2@127", 1))
    server.status = status
    with pytest.raises(DataError, match=rf"cannot push raw\.csv to the remote 'origin': .*{status}.*; check") as caught:
        push(project, pointers[:1])
    assert "hunter2" not in str(caught.value)


def test_a_remote_where_nobody_listens_is_not_an_empty_one(project, pointers):
    pytest.importorskip("dvc_http", reason="needs DVC's remotes behind HTTP")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        configure(project, origin=f"http://127.0.0.1:{free.getsockname()[1]}/store")
        with pytest.raises(DataError, match=r"cannot look for raw\.csv in the remote 'origin': .*; check its url"):
            find_stored(project, pointers[:1])


def alike(count):
    """Contents whose digests begin alike, so that one listing of the remote shows them all."""
    numbers = (b"%d" % number for number in itertools.count())
    return list(itertools.islice((one for one in numbers if md5(one)[:2] == "00"), count))


@pytest.mark.parametrize("kind", ["s3", "sshd"])
def test_many_objects_are_looked_for_by_listings(project, tmp_path, monkeypatch, request, kind):
    server = request.getfixturevalue(kind)
    settings = server.dvc_remote(tmp_path / "remote" if kind == "sshd" else tmp_path.name)
    for variable, value in (server.environment() if kind == "s3" else {}).items():
        monkeypatch.setenv(variable, value)
    lines = "".join(f"    {key} = {value}\n" for key, value in settings.items())
    (project / ".dvc" / "config").write_text(f"[core]\n    remote = origin\n['remote \"origin\"']\n{lines}")
    contents = alike(8)
    (project / "alike").mkdir()
    for number, content in enumerate(contents):
        (project / "alike" / str(number)).write_bytes(content)
    pointer = add_to_cache(project, project / "alike", project)
    assert push(project, [pointer]).objects == 9
    assert push(project, [pointer]) == Sent(there=9)
    with open_remote(project, None, "alike") as remote:
        remote.fs.pipe_file(remote.object(md5(contents[3]), "md5"), b"a torn upload")
        remote.fs.rm_file(remote.object(md5(contents[5]), "md5"))
    assert find_stored(project, [pointer]) == {pointer: False}
    assert push(project, [pointer]) == Sent(2, len(contents[3]) + len(contents[5]), there=7)
    shutil.rmtree(project / ".dvc" / "cache")
    assert find_stored(project, [pointer]) == {pointer: True}


def test_what_killed_pushes_left_over_ssh_is_removed_after_a_day(project, pointers, remote, sshd):
    lines = "".join(f"    {key} = {value}\n" for key, value in sshd.dvc_remote(remote).items())
    (project / ".dvc" / "config").write_text(f"[core]\n    remote = origin\n['remote \"origin\"']\n{lines}")
    (remote / "files").mkdir(parents=True)
    for name, age in (("exptrack-1-old.tmp", 90_000), ("exptrack-1-new.tmp", 80_000)):
        (remote / "files" / name).write_bytes(b"half")
        os.utime(remote / "files" / name, (time.time() - age,) * 2)
    push(project, pointers)
    assert sorted(path.name for path in (remote / "files").iterdir()) == ["exptrack-1-new.tmp", "md5"]
