"""Data of runs in DVC remotes of three kinds: a folder, S3 and SSH, each for real."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from processes import run

from exptrack.backends.dvc import add_to_cache, cache_dir, dvc_file_text, fetch, push
from exptrack.errors import DataError
from exptrack.model.data import Pointer

PATIENCE = 120  # seconds until a test gives up on what must happen at some time
KINDS = ["folder", "s3", "ssh"]
PUSHING = """
import json, sys; from pathlib import Path; from exptrack.backends.dvc import push; from exptrack.model.data import Pointer
for hidden in sys.argv[3:]: sys.modules[hidden] = None
try: sent = push(Path(sys.argv[1]), [Pointer(**one) for one in json.loads(sys.argv[2])])
except Exception as error: print(f"{type(error).__name__}: {error}")
else: print("objects:", sent.objects)
"""


class Store(NamedTuple):
    """A remote as others see it: what DVC is told, and what lies there."""

    settings: dict[str, str]
    sizes: Callable[[], dict[str, int]]
    read: Callable[[str], bytes]
    write: Callable[[str, bytes], object]


def on_disk(folder: Path, settings: dict[str, str]) -> Store:
    def sizes() -> dict[str, int]:
        found = (path for path in folder.rglob("*") if path.is_file())
        there: dict[str, int] = {}
        for path in found:
            with suppress(FileNotFoundError):  # what is being written has another name a moment later
                there[str(path.relative_to(folder))] = path.stat().st_size
        return there

    def write(name: str, data: bytes) -> None:
        (folder / name).unlink()
        (folder / name).write_bytes(data)

    return Store(settings, sizes, lambda name: (folder / name).read_bytes(), write)


def in_bucket(server, path: str) -> Store:
    return Store(
        server.dvc_remote(path),
        lambda: server.list_objects(path),
        lambda name: server.client().get_object(Bucket=server.bucket, Key=f"{path}/{name}")["Body"].read(),
        lambda name, data: server.client().put_object(Bucket=server.bucket, Key=f"{path}/{name}", Body=data),
    )


@pytest.fixture
def make_store(request, tmp_path, monkeypatch):
    """A new, empty remote of a kind; the environment lets boto in."""

    def make(kind: str, name: str = "store") -> Store:
        folder = tmp_path / name
        if kind == "folder":
            return on_disk(folder, {"url": str(folder)})
        if kind == "ssh":
            return on_disk(folder, request.getfixturevalue("sshd").dvc_remote(folder))
        server = request.getfixturevalue("s3")
        for variable, value in server.environment().items():
            monkeypatch.setenv(variable, value)
        return in_bucket(server, f"{tmp_path.name}-{name}")

    return make


@pytest.fixture(params=KINDS)
def store(request, make_store) -> Store:
    return make_store(request.param)


def configure(project: Path, remotes: dict[str, dict[str, str]]) -> None:
    """Write the DVC config; the first of the remotes is the default one."""
    (project / ".dvc").mkdir(parents=True, exist_ok=True)
    lines = ["[core]", f"    remote = {next(iter(remotes))}"]
    for name, settings in remotes.items():
        lines += [f"['remote \"{name}\"']", *(f"    {key} = {value}" for key, value in settings.items())]
    (project / ".dvc" / "config").write_text("\n".join(lines) + "\n")


@pytest.fixture
def pointers(repository) -> tuple[Pointer, ...]:
    """In the cache: a file, a folder of 30 files, and a file that DVC 2 stored."""
    (repository / ".dvc").mkdir()
    (repository / "model.bin").write_bytes(bytes(range(256)) * 4096)
    (repository / "images" / "sub").mkdir(parents=True)
    for number in range(30):
        (repository / "images" / "sub" / f"{number}.png").write_bytes(b"image %d" % number)
    old = b"a,b\n1,2\n"
    digest = hashlib.md5(old).hexdigest()
    legacy = cache_dir(repository) / digest[:2] / digest[2:]
    legacy.parent.mkdir(parents=True)
    legacy.write_bytes(old)
    (repository / "old.csv").write_bytes(old)
    new = (add_to_cache(repository, repository / name, repository) for name in ("model.bin", "images"))
    return (*new, Pointer("old.csv", digest, "md5-dos2unix", len(old)))


def in_cache(project: Path) -> dict[str, int]:
    cache = cache_dir(project)
    return {str(path.relative_to(cache)): path.stat().st_size for path in cache.rglob("*") if path.is_file()}


def refusal(project: Path, pointers, action=push) -> str:
    """What it says, in one line that gives no secret away."""
    with pytest.raises(DataError) as caught:
        action(project, pointers)
    said = str(caught.value)
    assert "\n" not in said
    assert "SECRET" not in said
    assert os.environ.get("AWS_SECRET_ACCESS_KEY", "SECRET") not in said
    return said


def test_all_data_of_runs_goes_to_the_remote_and_a_second_push_sends_nothing(repository, pointers, store):
    configure(repository, {"store": store.settings})
    sent = push(repository, pointers)
    there = in_cache(repository)
    assert store.sizes() == there
    assert len(there) == 1 + 31 + 1
    assert (sent.objects, sent.size, sent.there, sent.missing) == (33, sum(there.values()), 0, ())
    assert all(store.read(name) == (cache_dir(repository) / name).read_bytes() for name in there)
    again = push(repository, pointers)
    assert (again.objects, again.size, again.there) == (0, 0, 33)


def test_a_torn_object_and_a_lost_one_are_mended(repository, pointers, store):
    configure(repository, {"store": store.settings})
    push(repository, pointers)
    model = f"files/md5/{pointers[0].digest[:2]}/{pointers[0].digest[2:]}"
    listing = f"files/md5/{pointers[1].digest[:2]}/{pointers[1].digest[2:]}"
    store.write(model, b"half of it")
    store.write(listing, b"")
    assert push(repository, pointers).objects == 2
    assert store.sizes() == in_cache(repository)


def test_another_clone_fetches_all_and_plain_dvc_pulls_it(repository, pointers, store, tmp_path):
    configure(repository, {"store": store.settings})
    push(repository, pointers)
    clone, plain = tmp_path / "clone", tmp_path / "plain"
    configure(clone, {"store": store.settings})
    assert fetch(clone, pointers) == pointers
    assert in_cache(clone) == in_cache(repository)
    configure(plain, {"store": store.settings})
    (plain / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n")
    for pointer in pointers:
        (plain / f"{pointer.path}.dvc").write_text(dvc_file_text(pointer))
    done = run([sys.executable, "-m", "dvc", "pull", "-q"], cwd=plain, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("model.bin", "images/sub/29.png", "old.csv"):
        assert (plain / name).read_bytes() == (repository / name).read_bytes()


@pytest.mark.parametrize("kind", ["s3", "ssh"])
def test_what_dvc_pushed_is_fetched(repository, pointers, make_store, tmp_path, kind):
    store = make_store(kind)
    configure(repository, {"store": store.settings})
    for pointer in pointers[:2]:
        (repository / f"{pointer.path}.dvc").write_text(dvc_file_text(pointer))
    done = run([sys.executable, "-m", "dvc", "push", "-q"], cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    clone = tmp_path / "clone"
    configure(clone, {"store": store.settings})
    assert fetch(clone, pointers[:2]) == pointers[:2]
    assert push(repository, pointers[:2]).objects == 0


def test_each_pointer_goes_to_its_own_remote_and_comes_from_there(repository, pointers, make_store, tmp_path):
    stores = {kind: make_store(kind, kind) for kind in KINDS}
    configure(repository, {kind: store.settings for kind, store in stores.items()})
    mine = (pointers[0]._replace(remote="s3"), pointers[1]._replace(remote="ssh"), pointers[2])
    push(repository, mine)
    assert {kind: len(store.sizes()) for kind, store in stores.items()} == {"folder": 1, "s3": 1, "ssh": 31}
    clone = tmp_path / "clone"
    configure(clone, {kind: store.settings for kind, store in stores.items()})
    assert fetch(clone, mine) == mine


@pytest.mark.parametrize("kind", ["s3", "ssh"])
def test_a_push_that_is_killed_leaves_no_half_object_and_is_completed_by_the_next(
    repository, pointers, make_store, kind
):
    (repository / "large.bin").write_bytes(os.urandom(1 << 20) * 48)
    mine = (*pointers, add_to_cache(repository, repository / "large.bin", repository))
    store, there = make_store(kind), in_cache(repository)
    configure(repository, {"store": store.settings})
    given = json.dumps([pointer._asdict() for pointer in mine])
    child = subprocess.Popen([sys.executable, "-c", PUSHING, repository, given])
    end = time.monotonic() + PATIENCE
    while not any(name in there for name in store.sizes()):
        assert time.monotonic() < end
        assert child.poll() is None
    child.kill()
    child.wait()
    seen = {name: size for name, size in store.sizes().items() if name in there}
    assert seen == {name: there[name] for name in seen}
    push(repository, mine)
    assert {name: size for name, size in store.sizes().items() if name in there} == there


def test_s3_refuses_in_one_clear_line(repository, pointers, s3, monkeypatch, closed_port, broken_url):
    def enter(key=None, **changes):
        for variable, value in s3.environment(key).items():
            monkeypatch.setenv(variable, value)
        configure(repository, {"store": {**s3.dvc_remote("refusing"), **changes}})

    enter((s3.write[0], "SECRET-of-somebody-else-0123456789"))
    # What is there is looked at first, and to that S3 says no more than this.
    assert "to the remote 'store': Forbidden; check its url, your credentials" in refusal(repository, pointers)
    enter(("AKIAIOSFODNN7EXAMPLE", "SECRET-of-nobody"))
    assert "to the remote 'store': Forbidden; check its url, your credentials" in refusal(repository, pointers)
    enter(s3.read)
    assert "Access Denied" in refusal(repository, pointers)
    enter(url="s3://no-such-bucket/data")
    assert "bucket does not exist" in refusal(repository, pointers)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # else it takes half a minute to give up
    enter(endpointurl=f"http://127.0.0.1:{closed_port}")
    assert "Could not connect" in refusal(repository, pointers)
    enter(endpointurl=broken_url)
    assert "Internal Server Error" in refusal(repository, pointers)
    assert s3.list_objects("refusing") == {}


def test_ssh_refuses_in_one_clear_line(repository, pointers, sshd, tmp_path, closed_port):
    def enter(**changes):
        configure(repository, {"store": {**sshd.dvc_remote(tmp_path / "store"), **changes}})

    enter(keyfile=str(sshd.stranger))
    assert "cannot push model.bin to the remote 'store': " in (said := refusal(repository, pointers))
    assert "credentials" in said
    assert "credentials" in refusal(repository, [pointers[0]._replace(digest="0" * 32)], fetch)
    enter(url=f"ssh://{sshd.user}:SECRET@127.0.0.1:{closed_port}/data")
    assert "connection" in refusal(repository, pointers)
    assert not (tmp_path / "store").exists()


def test_a_read_only_key_fetches(repository, pointers, make_store, s3, monkeypatch, tmp_path):
    store, clone = make_store("s3"), tmp_path / "clone"
    for project in (repository, clone):
        configure(project, {"store": store.settings})
    push(repository, pointers)
    for variable, value in s3.environment(s3.read).items():
        monkeypatch.setenv(variable, value)
    assert fetch(clone, pointers) == pointers


@pytest.mark.parametrize("option", ["version_aware", "worktree"])
def test_a_remote_that_keeps_files_and_not_hashes_is_refused_with_the_reason(repository, pointers, s3, option):
    configure(repository, {"store": {**s3.dvc_remote("versions"), option: "true"}})
    for action in (push, lambda root, some: fetch(root, [some[0]._replace(digest="0" * 32)])):
        assert "which keeps files and not hashes" in refusal(repository, pointers, action)


@pytest.mark.parametrize(("hidden", "extra", "url"), [("s3fs", "s3", "s3://b/c"), ("sshfs", "ssh", "ssh://h/d")])
def test_an_extra_that_is_not_installed_is_named(repository, pointers, hidden, extra, url):
    configure(repository, {"store": {"url": url}})
    given = json.dumps([pointers[0]._asdict()])
    command = [sys.executable, "-c", PUSHING, str(repository), given, hidden, f"dvc_{extra}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.startswith("DataError: cannot push model.bin to the remote 'store': ")
    assert said.endswith(f"install it with `pip install 'exptrack[{extra}]'`\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize("scheme", ["azure", "gs", "gdrive", "hdfs", "oss", "webdav", "webdavs"])
def test_the_extra_for_another_kind_of_remote_is_named(repository, pointers, monkeypatch, scheme):
    extra = scheme.removesuffix("s") if scheme == "webdavs" else scheme
    monkeypatch.setitem(sys.modules, f"dvc_{extra}", None)
    configure(repository, {"store": {"url": f"{scheme}://place/data"}})
    assert refusal(repository, pointers).endswith(f"install it with `pip install 'exptrack[{extra}]'`")
