from __future__ import annotations

import hashlib
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

import pytest
from processes import run

from exptrack.backends.dvc import dvc_file_text, fetch, has_in_cache
from exptrack.errors import DataError
from exptrack.model.data import Pointer

# Root may read everything, unless it gives that up.
UNPRIVILEGED = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
PATIENCE = 120  # seconds until a test gives up on what must happen at some time
FETCHING = """
import signal, sys; from pathlib import Path; from exptrack.backends.dvc import fetch
from exptrack.errors import DataError; from exptrack.model.data import Pointer
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background, a shell has it ignored
sys.stdin.readline()
try: print(len(fetch(Path(sys.argv[1]), [Pointer(*pair.split("=")) for pair in sys.argv[2:]])))
except DataError as error: print("DataError:", error)
except KeyboardInterrupt: print("interrupted")
print(sorted({"dvc", "dvc_data", "fsspec"} & set(sys.modules)))
"""


def run_dvc(*arguments, cwd):
    run([sys.executable, "-m", "dvc", "-q", *arguments], cwd=cwd, check=True)


def start_fetch(root, *pointers, prefix=()):
    argv = [*prefix, sys.executable, "-c", FETCHING, root, *(f"{one.path}={one.digest}" for one in pointers)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([*map(str, argv)], **pipes)


def configure(project, url, *, default="origin", name="config"):
    text = f"['remote \"origin\"']\n    url = {url}\n"
    (project / ".dvc" / name).write_text(text + (f"[core]\n    remote = {default}\n" if default else ""))


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def place(folder, digest):
    return folder / "files" / "md5" / digest[:2] / digest[2:]


@pytest.fixture
def remote(project, pointers, cache, tmp_path):
    # A local remote and a cache are laid out alike.
    cache.rename(tmp_path / "remote")
    return tmp_path / "remote"


def test_what_dvc_pushed_comes_back_as_dvc_would_have_it(project, pointers, cache, tmp_path, capfd):
    for pointer in pointers:
        (project / f"{pointer.path}.dvc").write_text(dvc_file_text(pointer))
    run_dvc("push", cwd=project)
    capfd.readouterr()
    cache.rename(tmp_path / "away")
    assert fetch(project, pointers) == pointers
    assert files(cache) == files(tmp_path / "away") == files(tmp_path / "remote")
    for name in files(cache):
        assert (cache / name).read_bytes() == (tmp_path / "away" / name).read_bytes()
        assert (cache / name).stat().st_mode == (tmp_path / "away" / name).stat().st_mode
    assert capfd.readouterr() == ("", "")


def test_only_what_the_cache_lacks_is_fetched(project, pointers, remote, cache):
    fetch(project, pointers)
    lost = place(cache, hashlib.md5(b"image 3").hexdigest())
    lost.unlink()
    shutil.rmtree(remote / "files" / "md5" / pointers[0].digest[:2])
    assert fetch(project, pointers) == (pointers[1],)
    assert lost.read_bytes() == b"image 3"


def test_data_in_the_cache_costs_no_import_of_dvc(project, pointers):
    said, _ = start_fetch(project, *pointers).communicate("\n")
    assert said == "0\n[]\n"


def test_data_of_dvc_2_comes_from_where_dvc_2_put_it(project, tmp_path, cache):
    content = {b"a\r\nb\r\n": hashlib.md5(b"a\nb\n").hexdigest(), b"\0\r\n": hashlib.md5(b"\0\r\n").hexdigest()}
    listing = json.dumps([{"md5": digest, "relpath": f"{digest}.csv"} for digest in content.values()]).encode()
    content[listing] = hashlib.md5(listing).hexdigest() + ".dir"
    for data, digest in content.items():
        (tmp_path / "remote" / digest[:2]).mkdir(parents=True, exist_ok=True)
        (tmp_path / "remote" / digest[:2] / digest[2:]).write_bytes(data)
    pointers = (
        Pointer("old", content[listing], "md5-dos2unix"),
        Pointer("a.csv", content[b"a\r\nb\r\n"], "md5-dos2unix", size=6),
    )
    assert fetch(project, pointers) == pointers
    assert files(cache) == files(tmp_path / "remote")


def test_another_remote_can_be_named(project, pointers, remote):
    with (project / ".dvc" / "config").open("a") as file:
        file.write("['remote \"empty\"']\n    url = ../../empty\n")
    (remote.parent / "empty").mkdir()
    with pytest.raises(DataError, match="on the remote 'empty'"):
        fetch(project, pointers, remote="empty")
    assert fetch(project, pointers, remote="origin") == pointers


def test_the_local_config_wins(project, pointers, remote):
    configure(project, "../../wrong")
    configure(project, remote, name="config.local")
    assert fetch(project, pointers) == pointers


def test_a_shared_cache_stays_shared(project, pointers, remote, tmp_path):
    (project / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {tmp_path / 'group'}\n    shared = group\n")
    fetch(project, pointers)
    folders = [path for path in (tmp_path / "group").rglob("*") if path.is_dir()]
    assert {path.stat().st_mode & 0o7777 for path in folders} == {0o2775}
    assert all(has_in_cache(project, pointers).values())


@pytest.mark.parametrize(
    ("url", "default", "named", "message"),
    [
        (
            None,
            None,
            None,
            r"raw.csv is not in the DVC cache, .* no DVC remote is configured in this clone: .* or add one with `dvc remote",
        ),
        ("/x", None, None, r"has no default remote: choose one of origin with `dvc remote default NAME`"),
        ("/x", "origin", "backup", r"has no remote 'backup': choose one of origin"),
        ("/x", "gone", None, r"has no remote 'gone': choose one of origin"),
        (
            "/no/such/folder",
            "origin",
            None,
            r"cannot fetch images and raw.csv from the remote 'origin': there is no /no/such/folder; mount it, or correct it",
        ),
        (
            "gs://bucket/folder",
            "origin",
            None,
            r"cannot fetch raw.csv from the remote 'origin': gs is supported, but .*; install it with `pip install 'exptrack\[gs\]'`",
        ),
        ("nonsense://x", "origin", None, r"cannot fetch raw.csv: the DVC config in .* is broken, .*; mend it"),
    ],
)
def test_a_remote_that_cannot_be_used_is_named(project, pointers, remote, cache, url, default, named, message):
    (project / ".dvc" / "config").write_text("") if url is None else configure(project, url, default=default)
    with pytest.raises(DataError, match=message) as caught:
        fetch(project, pointers, remote=named)
    assert "\n" not in str(caught.value)
    assert not cache.exists() or files(cache) == []


def test_a_remote_that_may_not_be_read_is_named(project, pointers, remote):
    if UNPRIVILEGED and shutil.which("setpriv") is None:
        pytest.skip("root may read everything")
    remote.chmod(0)
    said, _ = start_fetch(project, pointers[0], prefix=UNPRIVILEGED).communicate("\n")
    remote.chmod(0o755)
    assert said.startswith("DataError: cannot fetch raw.csv from the remote 'origin': Permission denied: ")
    assert "; check its url, your credentials and the connection\n" in said


def test_what_the_remote_does_not_have_is_named_and_the_rest_comes(project, pointers, remote, cache):
    place(remote, pointers[0].digest).unlink()
    with pytest.raises(DataError) as caught:
        fetch(project, pointers)
    assert str(caught.value) == (
        "raw.csv is neither in the DVC cache nor on the remote 'origin': ask whoever has it for `exptrack push RUN` or `dvc push`"
    )
    assert has_in_cache(project, pointers) == {pointers[0]: False, pointers[1]: True}
    assert files(cache) == files(remote)


def test_of_many_that_are_missing_three_are_named(project, pointers, remote):
    for number in range(4):
        place(remote, hashlib.md5(b"image %d" % number).hexdigest()).unlink()
    place(remote, pointers[0].digest).unlink()
    with pytest.raises(DataError) as caught:
        fetch(project, pointers)
    assert str(caught.value) == (
        "images/sub/0.png, images/sub/1.png, images/sub/2.png and 2 more are neither in the DVC cache "
        "nor on the remote 'origin': ask whoever has them for `exptrack push RUN` or `dvc push`"
    )


@pytest.mark.parametrize(("name", "index"), [("raw.csv", 0), ("images", 1)])
def test_damaged_data_does_not_get_into_the_cache(project, pointers, remote, cache, name, index):
    damaged = place(remote, pointers[index].digest)
    damaged.chmod(0o644)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with pytest.raises(DataError) as caught:
        fetch(project, pointers)
    assert str(caught.value) == (
        f"what the remote 'origin' has of {name} is damaged: delete {damaged}, "
        "and ask whoever has the data to `dvc push` it again"
    )
    assert not place(cache, pointers[index].digest).exists()
    assert set(files(cache)) < set(files(remote))


def test_a_pointer_with_a_wrong_size_is_told(project, pointers, remote):
    wrong = pointers[0]._replace(size=99, source="raw.csv.dvc")
    with pytest.raises(DataError, match=r"not as its pointer says: correct the size in raw\.csv\.dvc"):
        fetch(project, [wrong])


def test_a_cache_that_cannot_be_written_is_named(project, pointers, remote):
    (project / ".dvc" / "config.local").write_text("[cache]\n    dir = ../params.yaml\n")
    with pytest.raises(DataError, match=r"cannot write raw.csv into the DVC cache at .*params.yaml: Not a directory; "):
        fetch(project, pointers)


def test_four_processes_may_fetch_the_same_at_once(project, pointers, remote, cache):
    fetching = [start_fetch(project, *pointers) for _ in range(4)]
    for one in fetching:
        one.stdin.write("\n")
        one.stdin.flush()
    said = [one.communicate()[0].splitlines()[0] for one in fetching]
    # One that was late may have found all of it there.
    assert "2" in said
    assert set(said) <= {"0", "1", "2"}
    assert files(cache) == files(remote)
    assert all((cache / name).read_bytes() == (remote / name).read_bytes() for name in files(cache))


class Server(http.server.ThreadingHTTPServer):
    """A remote behind HTTP; `answer` may say something else than the file."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.status = 200
        self.drip = False
        self.dripping = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/store"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        file = self.server.folder / unquote(self.path).removeprefix("/store/")
        status = self.server.status if file.is_file() else 404
        self.send_response(status)
        if self.server.drip:
            self.send_header("Content-Length", str(10**9))
            self.end_headers()
            with suppress(ConnectionError):
                while self.server.drip:
                    self.wfile.write(b"x" * 1000)
                    self.server.dripping.set()
        else:
            content = file.read_bytes() if status == 200 else b""
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(project, remote):
    pytest.importorskip("dvc_http", reason="needs DVC's remotes behind HTTP")
    server = Server(remote)
    configure(project, server.url)
    yield server
    server.drip = False
    server.shutdown()
    server.server_close()


def test_a_remote_behind_http_works_like_any_other(project, pointers, remote, cache, server):
    place(remote, pointers[0].digest).unlink()
    with pytest.raises(DataError, match=r"raw\.csv is neither in the DVC cache nor on the remote 'origin'"):
        fetch(project, pointers)
    assert files(cache) == files(remote)
    assert has_in_cache(project, pointers) == {pointers[0]: False, pointers[1]: True}


def test_a_remote_that_refuses_is_named_without_its_credentials(project, pointers, server):
    configure(project, server.url.replace("//127", "//ada:hunter2@127", 1))
    server.status = 403
    with pytest.raises(
        DataError, match=r"cannot fetch raw\.csv from the remote 'origin': .*403.*; check its url"
    ) as caught:
        fetch(project, pointers[:1])
    assert "hunter2" not in str(caught.value)


def test_a_remote_where_nobody_listens_is_named(project, pointers, remote, cache):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        configure(project, f"http://127.0.0.1:{free.getsockname()[1]}/store")
        with pytest.raises(DataError, match=r"cannot fetch raw\.csv from the remote 'origin': .*; check its url"):
            fetch(project, pointers[:1])
    assert files(cache) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_after_an_interruption_the_cache_is_right(project, pointers, remote, cache, server, number):
    server.drip = True
    fetching = start_fetch(project, *pointers)
    fetching.stdin.write("\n")
    fetching.stdin.flush()
    assert server.dripping.wait(PATIENCE)
    fetching.send_signal(number)
    said, _ = fetching.communicate(timeout=PATIENCE)
    if number == signal.SIGINT:
        assert said.startswith("interrupted\n")
        assert files(cache) == []
    assert not any(has_in_cache(project, pointers).values())
    server.drip = False
    assert fetch(project, pointers) == pointers
    assert set(files(remote)) <= set(files(cache))
    assert all(name.startswith("files/exptrack-") for name in set(files(cache)) - set(files(remote)))
