"""What is said when a remote does not do what it was asked for: each was provoked for real, where that is possible on one machine."""

from __future__ import annotations

import http.server
import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from exptrack.backends.git import transport
from exptrack.backends.git.command import Done
from exptrack.backends.git.refusals import explain
from exptrack.backends.git.remotes import GitRemote, find_remote
from exptrack.errors import RepositoryError

# Root may write everywhere, unless it gives that up.
UNPRIVILEGED = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
ELSEWHERE = "share runs by another Git remote, `git config exptrack.remote NAME`"
REACH = "see whether it can be reached, then try again"
ACCESS = f"ask its owner for access, or {ELSEWHERE}"
MOVED = "see `git remote -v`: it may have moved, or you may not see it"
LET_IN = "see that `git ls-remote origin` lets you in, by a token, a credential helper or an ssh key, then try again"
TOKEN = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def bare(tmp_path, git):
    git("init", "--bare", "--quiet", tmp_path / "runs.git")
    return tmp_path / "runs.git"


@pytest.fixture
def told(repo, repository, git, monkeypatch):
    """What a push to a URL says, of which there must be one line that names the remote; or a listing, or a fetch."""
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "0")

    def call(url, verb="push to"):
        git("config", "remote.origin.url", url, cwd=repository)
        remote, refs = find_remote(repo), {"refs/exptrack/runs/2026-11/a": git("rev-parse", "HEAD", cwd=repository)}
        ways = {
            "push to": lambda: transport.push_refs(repo, remote, refs, {}),
            "fetch from": lambda: transport.fetch_objects(repo, remote, {"refs/x": "1" * 40}),
            "list the runs of": lambda: transport.list_remote(repo, remote),
        }
        with pytest.raises(RepositoryError) as caught:
            ways[verb]()
        message = str(caught.value)
        opening = f"cannot {verb} origin ({remote.url}): "
        assert message.startswith(opening)
        assert message.isprintable()
        assert TOKEN not in message
        return message.removeprefix(opening)

    return call


def install(hook, text):
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{text}\n")
    hook.chmod(0o755)


def test_a_remote_that_is_gone(told, tmp_path):
    gone = f"'../gone.git' does not appear to be a git repository; {MOVED}"
    assert [told("../gone.git", verb) for verb in ("push to", "fetch from", "list the runs of")] == [gone] * 3
    (tmp_path / "folder").mkdir()
    assert told(f"file://{tmp_path}/folder") == f"'{tmp_path}/folder' does not appear to be a git repository; {MOVED}"


def test_an_object_that_the_remote_does_not_have(told, bare):
    # A remote on this machine says it twice, in either order, once with "git" before it.
    said = told("../runs.git", "fetch from").removeprefix("git ")
    assert said == f"upload-pack: not our ref {'1' * 40}; it was removed there meanwhile: try again"


def test_a_read_only_remote(bare, repo, git, told, tmp_path):
    git("config", "remote.origin.url", "../runs.git", cwd=repo.top)
    for folder, _, _ in os.walk(bare):
        Path(folder).chmod(0o555)
    code = (
        "import sys; from pathlib import Path; from exptrack.backends.git import transport, remotes, repository\n"
        "repo = repository.find_repository(Path(sys.argv[1]))\n"
        "try: transport.push_refs(repo, remotes.find_remote(repo), {'refs/exptrack/runs/2026-11/a': sys.argv[2]}, {})\n"
        "except Exception as error: print(error)"
    )
    words = [*UNPRIVILEGED, sys.executable, "-c", code, repo.top, git("rev-parse", "HEAD", cwd=repo.top)]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert (
        said
        == f"cannot push to origin (../runs.git): remote unpack failed: unable to create temporary object directory; {ACCESS}\n"
    )


@pytest.mark.parametrize(("hook", "says", "message"), [
    ("pre-receive", "GitLab: You are not allowed to push code to this project.", f"GitLab: You are not allowed to push code to this project; {ACCESS}"),
    ("pre-receive", "error: GH013: Repository rule violations found for refs/x.", f"GH013: Repository rule violations found for refs/x; do what its hook asks for, or {ELSEWHERE}"),
    ("update", "Welcome\\n=======\\nERROR: only pushes to branches are taken\\n", f"only pushes to branches are taken; it takes branches and tags only: {ELSEWHERE}"),
    ("pre-receive", "fatal: write error: No space left on device", "write error: No space left on device; make room there, then try again"),
    ("pre-receive", "remote: Your push exceeds 100 MB", f"Your push exceeds 100 MB; it takes nothing this large: ask its owner for more, or {ELSEWHERE}"),
    ("pre-receive", "\\033[31mno\\007 runs\\033[0m", f"no runs; do what its hook asks for, or {ELSEWHERE}"),
    ("pre-receive", f"see https://ada:{TOKEN}@forge/x", f"see https://***@forge/x; do what its hook asks for, or {ELSEWHERE}"),
    ("pre-receive", "", f"pre-receive hook declined; do what its hook asks for, or {ELSEWHERE}"),
])  # fmt: skip
def test_a_remote_whose_hook_says_no(hook, says, message, told, bare):
    install(bare / "hooks" / hook, f"printf '{says}' >&2; exit 1")
    assert told("../runs.git") == message


def test_a_full_disk(told, bare):
    # What a write beyond a limit says, as on a full disk; git reads these words off the system.
    install(bare / "hooks" / "pre-receive", "exec cat hooks/pre-receive > /dev/full")
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    assert told("../runs.git") == "cat: write error: No space left on device; make room there, then try again"


def test_a_remote_that_hides_our_refs(told, bare, git):
    git("config", "receive.hideRefs", "refs/exptrack", cwd=bare)
    assert told("../runs.git") == f"deny updating a hidden ref; it takes branches and tags only: {ELSEWHERE}"


def test_a_lock_that_was_left_on_the_remote(told, bare, monkeypatch):
    monkeypatch.setattr(transport, "_ATTEMPTS", 2)
    lock = bare / "refs" / "exptrack" / "runs" / "2026-11" / "a.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    said = told("../runs.git")
    assert said.startswith("cannot lock ref 'refs/exptrack/runs/2026-11/a': Unable to create")
    assert said.endswith("; try again; if nobody else pushes, a git that was killed there left this lock: remove it")


def test_a_remote_that_takes_no_large_push(told, bare, git):
    git("config", "receive.maxInputSize", "10", cwd=bare)
    assert (
        told("../runs.git")
        == f"pack exceeds maximum allowed size; it takes nothing this large: ask its owner for more, or {ELSEWHERE}"
    )


def test_a_remote_of_another_object_format(told, tmp_path, git):
    git("init", "--bare", "--quiet", "--object-format=sha256", tmp_path / "other.git")
    assert told("../other.git").endswith(f"; its repository is of another object format: {ELSEWHERE}")


@pytest.mark.parametrize(("says", "why"), [
    ("ok\\nError: 2 tests failed\\nsee above", "Error: 2 tests failed"), ("tests do not pass", "tests do not pass"), ("", "it does not say why"),
])  # fmt: skip
def test_a_hook_of_the_users_own(says, why, told, bare, repository):
    message = f"the pre-push hook failed: {why}; mend what it found in this repository, then try again"
    for stream in (1, 2):
        install(repository / ".git" / "hooks" / "pre-push", f"printf '{says}' >&{stream}; exit 1")
        assert told("../runs.git") == message


def test_a_broken_repository_here(told, bare, repository, git):
    head = git("rev-parse", "HEAD^{tree}", cwd=repository)
    (repository / ".git" / "objects" / head[:2] / head[2:]).unlink()
    assert told("../runs.git").endswith("; run `git fsck`")


@contextmanager
def serving(code, says):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if not code:
                return
            self.send_response(code)
            self.send_header("WWW-Authenticate", "Basic realm=runs")
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(says.encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize(("code", "says", "message"), [
    (401, "", f"Authentication failed for 'http://127.0.0.1:PORT/x.git/'; {LET_IN}"),
    (403, "Permission to x.git denied to ada.", f"Permission to x.git denied to ada; {ACCESS}"),
    (403, "", f"unable to access 'http://127.0.0.1:PORT/x.git/': The requested URL returned error: 403; {ACCESS}"),
    (404, "", f"repository 'http://127.0.0.1:PORT/x.git/' not found; {MOVED}"),
    (429, "", f"unable to access 'http://127.0.0.1:PORT/x.git/': The requested URL returned error: 429; {REACH}"),
    (500, "oops", f"oops; {REACH}"),
    (0, "", f"unable to access 'http://127.0.0.1:PORT/x.git/': Empty reply from server; {REACH}"),
])  # fmt: skip
def test_what_a_web_server_answers(code, says, message, told):
    with serving(code, says) as port:
        url = f"http://ada:{TOKEN}@127.0.0.1:{port}/x.git"
        for verb in ("push to", "list the runs of"):
            assert told(url, verb) == message.replace("PORT", str(port))


def test_no_credentials_where_nobody_can_be_asked(told):
    with serving(401, "") as port:
        assert (
            told(f"http://127.0.0.1:{port}/x")
            == f"could not read Username for 'http://127.0.0.1:{port}': terminal prompts disabled; {LET_IN}"
        )


def test_a_user_at_a_terminal_is_asked(repo, git):
    code = (
        "import sys; from pathlib import Path; from exptrack.backends.git import transport, remotes, repository\n"
        "repo = repository.find_repository(Path(sys.argv[1])); transport.list_remote(repo, remotes.find_remote(repo))"
    )
    with serving(401, "") as port:
        git("config", "remote.origin.url", f"http://127.0.0.1:{port}/x", cwd=repo.top)
        words = [sys.executable, "-c", "import pty, sys; pty.spawn(sys.argv[1:])", sys.executable, "-c", code, repo.top]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            said = b""
            while b"Username for" not in said and (chunk := child.stdout.read1()):
                said += chunk
            child.kill()  # which hangs up on git
    assert f"Username for 'http://127.0.0.1:{port}'" in said.decode()


def test_nobody_listens(told):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        for url in (f"http://127.0.0.1:{port}/x", f"git://127.0.0.1:{port}/x"):
            said = told(url)
            assert said.startswith(("unable to access", "unable to connect"))
            assert said.endswith(REACH)


def test_a_host_that_there_is_not(told):
    assert told("http://no-such-host.invalid/x").endswith(f"Could not resolve host: no-such-host.invalid; {REACH}")


def test_a_server_that_hangs_up_or_says_nothing(told, repository, git):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def hang_up():
            server.accept()[0].close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        assert told(f"git://127.0.0.1:{port}/x").endswith(REACH)
        thread.join()
        git("config", "http.lowSpeedLimit", "1000", cwd=repository)
        git("config", "http.lowSpeedTime", "1", cwd=repository)
        said = told(f"http://127.0.0.1:{port}/x")
        assert "Operation too slow" in said
        assert said.endswith(REACH)


def test_a_url_of_a_kind_that_git_does_not_know(told):
    assert (
        told("foo://x/y")
        == "git: 'remote-foo' is not a git command. See 'git --help'; see `git remote -v`: git knows no such kind of URL"
    )


SSH = "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n"


@pytest.mark.parametrize(("err", "out", "message"), [
    (f"git@github.com: Permission denied (publickey).\r\n{SSH}", "", f"git@github.com: Permission denied (publickey); {LET_IN}"),
    (f"Host key verification failed.\r\n{SSH}", "", f"Host key verification failed; {LET_IN}"),
    (f"ERROR: Repository not found.\n{SSH}", "", f"Repository not found; {MOVED}"),
    (f"Warning: Permanently added 'h' (ED25519) to the list of known hosts.\nssh: connect to host h port 22: Connection timed out\n{SSH}", "", f"ssh: connect to host h port 22: Connection timed out; {REACH}"),
    ("error: failed to push some refs to 'x'\n", "To x\n!\ta:refs/exptrack/runs/a\t[remote rejected] (prohibited by Gerrit: not permitted: create)\nDone\n", f"prohibited by Gerrit: not permitted: create; it takes branches and tags only: {ELSEWHERE}"),
    ("remote: You can only push to branches and tags.\nerror: failed to push some refs to 'x'\n", "To x\n!\ta:refs/exptrack/runs/a\t[remote rejected] (pre-receive hook declined)\nDone\n", f"You can only push to branches and tags; it takes branches and tags only: {ELSEWHERE}"),
    # A file system of 256 KB that was full.
    ("remote: fatal: unable to write loose object file: No space left on device        \nerror: remote unpack failed: unpack-objects abnormal exit\nerror: failed to push some refs to 'x'\n", "To x\n!\ta:refs/x\t[remote rejected] (unpacker error)\n", "unable to write loose object file: No space left on device; make room there, then try again"),
    ("error: RPC failed; curl 56 GnuTLS recv error (-9)\nfatal: the remote end hung up unexpectedly\nEverything up-to-date\n", "", f"RPC failed; curl 56 GnuTLS recv error (-9); {REACH}"),
    ("", "", f"it hung up; {REACH}"),
])  # fmt: skip
def test_what_forges_and_ssh_say(err, out, message):
    error = explain(GitRemote("origin", "ssh://h/x"), "push to", Done(1 if out else 128, out.encode(), err))
    assert str(error) == f"cannot push to origin (ssh://h/x): {message}"
