"""Real servers on loopback: OpenSSH, S3, Git over HTTPS, and two that are no use.

Each is a process of its own that ends with its standard input, so that none outlives the tests, however those end.
"""

from __future__ import annotations

import json
import os
import select
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from sshd import Sshd, find_sshd

SCRIPTS = Path(__file__).parent / "scripts"
PATIENCE = 120.0  # seconds: a server that does not start by then never will
DIRECT = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


class SshServer(NamedTuple):
    """sshd for `user`, with its key; `stranger` is a key that it does not let in."""

    port: int
    user: str
    key: Path
    stranger: Path
    known: Path

    def environment(self, *, key: Path | None = None, known: Path | None = None) -> dict[str, str]:
        """What git needs to find it, with its own key or another, and the host keys that are known."""
        options = ("BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", "StrictHostKeyChecking=yes")
        files = (f"UserKnownHostsFile={known or self.known}", "GlobalKnownHostsFile=/dev/null")
        words = ["ssh", "-F", "none", "-i", str(key or self.key)]
        return {"GIT_SSH_COMMAND": shlex.join([*words, *(word for one in (*options, *files) for word in ("-o", one))])}

    def url(self, path: Path) -> str:
        return f"ssh://{self.user}@127.0.0.1:{self.port}{path}"

    def dvc_remote(self, path: Path, *, key: Path | None = None) -> dict[str, str]:
        """The settings of a DVC remote whose folder is `path`."""
        return {"url": self.url(path), "keyfile": str(key or self.key)}


class S3Server(NamedTuple):
    """S3 with one bucket; a key is an id and its secret: `write` may do all, `read` only read."""

    url: str
    bucket: str
    write: tuple[str, str]
    read: tuple[str, str]

    def environment(self, key: tuple[str, str] | None = None) -> dict[str, str]:
        """What boto needs to get in, with `write` or another key."""
        name, secret = key or self.write
        return {
            **DIRECT,
            "AWS_ACCESS_KEY_ID": name,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def dvc_remote(self, path: str, *, bucket: str | None = None) -> dict[str, str]:
        """The settings of a DVC remote below `path` of the bucket; the key comes by the environment."""
        return {"url": f"s3://{bucket or self.bucket}/{path}", "endpointurl": self.url}

    def client(self) -> Any:
        """boto3's own view."""
        import boto3

        name, secret = self.write
        keys = {"aws_access_key_id": name, "aws_secret_access_key": secret}
        return boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", **keys)

    def list_objects(self, path: str) -> dict[str, int]:
        """The names and sizes of all below `path`."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{path}/")
        found = (one for page in pages for one in page.get("Contents", ()))
        return {one["Key"].removeprefix(f"{path}/"): one["Size"] for one in found}


class HttpsServer(NamedTuple):
    """`git http-backend`: serves the bare repositories in `folder` to whoever has `token`."""

    url: str
    folder: Path
    certificate: Path
    token: str

    def environment(self, home: Path, token: str | None = None) -> dict[str, str]:
        """What git needs to trust it, and to log in with `token`, which is kept in `home`; "" is none at all."""
        given = self.token if token is None else token
        store = home / "git-credentials"
        store.write_text(f"https://x-access-token:{given}@{self.url.removeprefix('https://')}\n" if given else "")
        settings = {"http.sslCAInfo": self.certificate, "credential.helper": f"store --file={shlex.quote(str(store))}"}
        numbered = {}
        for number, (name, value) in enumerate(settings.items()):
            numbered |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": str(value)}
        return {
            **DIRECT,
            **numbered,
            "GIT_CONFIG_COUNT": str(len(settings)),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",
        }


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    found = find_sshd()
    if isinstance(found, str):
        pytest.skip(found)
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "key", "stranger"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name], check=True)
    with _started_sshd(found, folder) as port:
        kind, public = (folder / "host.pub").read_text().split()[:2]
        (folder / "known").write_text(f"[127.0.0.1]:{port} {kind} {public}\n")
        yield SshServer(port, found.user, folder / "key", folder / "stranger", folder / "known")


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    bucket = "exptrack-data"
    folder = tmp_path_factory.mktemp("s3")
    with _started([sys.executable, SCRIPTS / "s3.py", bucket], folder) as server:
        said = json.loads(_first_line(server, folder))
        yield S3Server(said["url"], bucket, tuple(said["write"]), tuple(said["read"]))


@pytest.fixture(scope="session")
def git_https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpsServer]:
    folder, token = tmp_path_factory.mktemp("git-https"), "tok-7f3kq9zz4m"
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run([*new, *names], check=True, capture_output=True)
    (folder / "served").mkdir()
    command = [sys.executable, SCRIPTS / "git_https.py", folder / "served", certificate, key, token]
    with _started(command, folder) as server:
        yield HttpsServer(
            f"https://127.0.0.1:{int(_first_line(server, folder))}", folder / "served", certificate, token
        )


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture
def closed_port() -> int:
    """A port where nobody listens."""
    return _free_port()


@pytest.fixture
def broken_url() -> Iterator[str]:
    """An HTTP server that answers 500 whatever it is asked."""

    class Broken(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_error(500)

        do_GET = do_HEAD = do_PUT = do_POST = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@contextmanager
def _started_sshd(found: Sshd, folder: Path) -> Iterator[int]:
    environment = f'"HOME={folder}" "PATH={os.environ["PATH"]}" GIT_CONFIG_NOSYSTEM=1 LC_ALL=C'
    settings = [
        "ListenAddress 127.0.0.1",
        f"HostKey {folder / 'host'}",
        f"AuthorizedKeysFile {folder / 'key.pub'}",
        "PidFile none",
        "UsePAM no",
        "StrictModes no",  # the folders of tests may be anybody's
        "PermitRootLogin yes",
        "PermitUserRC no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "MaxSessions 100",
        "MaxStartups 100",
        "Subsystem sftp internal-sftp",
        f"SetEnv {environment}",
        *found.settings,
    ]
    (folder / "sshd_config").write_text("\n".join(settings) + "\n")
    for _ in range(10):
        port = _free_port()
        command = [
            sys.executable,
            SCRIPTS / "leashed.py",
            found.program,
            "-D",
            "-e",
            "-p",
            str(port),
            "-f",
            folder / "sshd_config",
        ]
        with _started(command, folder, found.environment) as server:
            if _answers(server, port):
                yield port
                return
    log = (folder / "log").read_text(errors="replace")
    raise RuntimeError(f"sshd does not start: {log}")


@contextmanager
def _started(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] = MappingProxyType({})
) -> Iterator[subprocess.Popen[str]]:
    """A server that ends with its standard input; what it says on stderr goes to `log`."""
    sealed = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8"}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            command,
            env={**sealed, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with server:
        try:
            yield server
        finally:
            server.stdin.close()
            try:
                server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                server.kill()


def _first_line(server: subprocess.Popen[str], folder: Path) -> str:
    """What it says once it is ready."""
    assert select.select([server.stdout], [], [], PATIENCE)[0], "the server does not start"
    line = server.stdout.readline()
    assert line, (folder / "log").read_text(errors="replace")
    return line


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def _answers(server: subprocess.Popen[str], port: int) -> bool:
    """Whether it greets; False if it ended, since the port was taken meanwhile."""
    end = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                if connection.recv(4) == b"SSH-":
                    return True
        except OSError:
            time.sleep(0.02)
    return False
