"""Runs on Git remotes of three kinds: a path, ssh, and https with a token, each for real."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from exptrack.backends.git.remotes import find_remote
from exptrack.backends.git.repository import find_repository
from exptrack.backends.git.transport import fetch_below, fetch_objects, list_remote, push_notes, push_refs
from exptrack.errors import RepositoryError

KINDS = ["path", "ssh", "https"]
RUNS = "refs/exptrack/runs/2026-11"
NOTES = "refs/notes/exptrack"


@pytest.fixture
def bare(tmp_path, git):
    """A bare repository as a server has it."""

    def make(folder):
        git("init", "--quiet", "--bare", folder)
        return folder

    return make


@pytest.fixture
def make_url(request, tmp_path, monkeypatch, bare):
    """The URL of a new, empty remote of a kind, and where it lies; the environment lets git in."""

    def make(kind):
        if kind == "https":
            server = request.getfixturevalue("git_https")
            folder = bare(server.folder / f"{tmp_path.name}.git")
            enter(monkeypatch, server.environment(tmp_path))
            return f"{server.url}/{folder.name}", folder
        folder = bare(tmp_path / "remote.git")
        if kind == "path":
            return str(folder), folder
        server = request.getfixturevalue("sshd")
        enter(monkeypatch, server.environment())
        return server.url(folder), folder

    return make


@pytest.fixture(params=KINDS)
def url_and_folder(request, make_url):
    return make_url(request.param)


def enter(monkeypatch, environment):
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)


def test_runs_and_notes_go_to_the_remote_and_come_from_there(repository, git, url_and_folder, tmp_path):
    url, folder = url_and_folder
    (repository / "large.bin").write_bytes(os.urandom(3 << 20))  # more than goes over HTTP in one piece
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "large", cwd=repository)
    oids = [git("commit-tree", "-m", f"run {number}", "HEAD^{tree}", cwd=repository) for number in range(3)]
    here = find_repository(repository)
    remote = find_remote(here, url)
    refs = {f"{RUNS}/run-{number}": oid for number, oid in enumerate(oids)}
    assert set(push_refs(here, remote, refs, {}).done) == set(refs)
    assert git("for-each-ref", "--format=%(refname) %(objectname)", cwd=folder).splitlines() == [
        f"{name} {oid}" for name, oid in sorted(refs.items())
    ]
    assert push_refs(here, remote, refs, {}).rejected == {}
    taken = push_refs(here, remote, {f"{RUNS}/run-0": oids[1], f"{RUNS}/new": oids[1]}, {})
    assert (taken.done, list(taken.rejected)) == ((), [f"{RUNS}/run-0"])
    assert list_remote(here, remote, f"{RUNS}/*") == refs

    git("notes", "--ref", NOTES, "add", "-m", "{}", oids[0], cwd=repository)
    note = git("rev-parse", NOTES, cwd=repository)
    assert push_notes(here, remote, NOTES, note, None)
    git("notes", "--ref", NOTES, "append", "-m", "{}", oids[0], cwd=repository)
    later = git("rev-parse", NOTES, cwd=repository)
    assert not push_notes(here, remote, NOTES, later, None)
    assert push_notes(here, remote, NOTES, later, note)

    other = tmp_path / "other"
    git("init", "--quiet", other)
    there = find_repository(other)
    fetch_objects(there, find_remote(there, url), {f"{RUNS}/run-1": oids[1]})
    assert git("cat-file", "-t", oids[1], cwd=other) == "commit"
    assert fetch_below(there, find_remote(there, url), [f"{RUNS}/run-*"]) == refs
    assert git("for-each-ref", cwd=other) == ""

    assert push_refs(here, remote, {}, {f"{RUNS}/run-2": oids[2]}).done == (f"{RUNS}/run-2",)
    assert f"{RUNS}/run-2" not in list_remote(here, remote)


def refusal(repository, url):
    """What push and listing say alike, in one line that gives no secret away."""
    here = find_repository(repository)
    remote = find_remote(here, url)
    said = []
    for action in (
        lambda: push_refs(here, remote, {f"{RUNS}/one": here_oid(repository)}, {}),
        lambda: list_remote(here, remote),
    ):
        with pytest.raises(RepositoryError) as caught:
            action()
        said.append(str(caught.value))
    assert not [one for one in said if "\n" in one or "SECRET" in one]
    assert "cannot push to " in said[0]
    return said[0]


def here_oid(repository):
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize("token", ["SECRET-of-somebody", ""])
def test_https_without_the_right_token_is_refused_in_one_line(
    repository, make_url, git_https, monkeypatch, tmp_path, token
):
    url, _ = make_url("https")
    enter(monkeypatch, git_https.environment(tmp_path, token))
    said = refusal(repository, url)
    assert "a token, a credential helper or an ssh key" in said


def test_a_token_in_the_url_is_not_shown(repository, make_url, git_https, monkeypatch, tmp_path):
    url, _ = make_url("https")
    enter(monkeypatch, git_https.environment(tmp_path, ""))
    said = refusal(repository, url.replace("https://", "https://x-access-token:SECRET@"))
    assert "https://***@127.0.0.1:" in said


def test_a_certificate_that_is_not_trusted_is_refused(repository, make_url, git_https, monkeypatch, tmp_path):
    url, _ = make_url("https")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "0")
    assert "certificate" in refusal(repository, url)


def test_ssh_with_another_key_or_an_unknown_host_is_refused(repository, make_url, sshd, monkeypatch, tmp_path):
    url, _ = make_url("ssh")
    enter(monkeypatch, sshd.environment(key=sshd.stranger))
    assert "Permission denied" in refusal(repository, url)
    enter(monkeypatch, sshd.environment(known=tmp_path / "nobody"))
    assert "host key is known" in refusal(repository, url)


def test_a_repository_that_is_not_there_is_said(repository, git, make_url):
    for kind in KINDS:
        url, _ = make_url(kind)
        git("remote", "add", kind, url.replace(".git", "-gone.git"), cwd=repository)
        assert "it may have moved" in refusal(repository, kind)


def test_a_server_that_is_gone_broken_or_silent_is_said(
    repository, closed_port, silent_port, broken_url, monkeypatch, tmp_path
):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert "see whether it can be reached" in refusal(repository, f"https://127.0.0.1:{closed_port}/a.git")
    assert "see whether it can be reached" in refusal(repository, f"{broken_url}/a.git")
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -F none -o BatchMode=yes -o ConnectTimeout=1")
    assert "see whether it can be reached" in refusal(repository, f"ssh://ada@127.0.0.1:{silent_port}/a.git")
    for variable, value in (("GIT_HTTP_LOW_SPEED_LIMIT", "1"), ("GIT_HTTP_LOW_SPEED_TIME", "1")):
        monkeypatch.setenv(variable, value)
    assert "see whether it can be reached" in refusal(repository, f"http://127.0.0.1:{silent_port}/a.git")


@pytest.fixture
def clone(git, tmp_path):
    """A clone as a colleague has it."""

    def make(url, name):
        git("clone", "--quiet", url, tmp_path / name)
        return tmp_path / name

    return make


@pytest.fixture
def far(repository, exptrack, dvc, git, s3, monkeypatch, tmp_path):
    """A run named `far` whose input belongs to a DVC remote of its own, and whose output to the default one, in S3; gives its path there."""
    enter(monkeypatch, s3.environment())
    (repository / "data.csv").write_text("0.125\n")
    (repository / "train.py").write_text(
        "import json, pathlib\n"
        'data = pathlib.Path("data.csv").read_text()\n'
        'pathlib.Path("model.txt").write_text(data * 3)\n'
        'pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": float(data)}))\n'
    )
    dvc("init", "-q")
    dvc("add", "-q", "data.csv")
    settings = {"core": "remote = store", "'remote \"archive\"'": f"url = {tmp_path / 'archive'}"}
    settings["'remote \"store\"'"] = f"url = s3://{s3.bucket}/{tmp_path.name}\nendpointurl = {s3.url}"
    (repository / ".dvc" / "config").write_text("".join(f"[{name}]\n{text}\n" for name, text in settings.items()))
    with (repository / "data.csv.dvc").open("a") as pointer:
        pointer.write("  remote: archive\n")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "data", cwd=repository)
    done = exptrack("run", "--name", "far", "-o", "model.txt", "--", sys.executable, "train.py")
    assert done.returncode == 0, done.stderr
    return tmp_path.name


def test_a_run_over_ssh_with_data_in_s3_reproduces_exactly_in_another_clone(
    repository, exptrack, git, far, make_url, clone, s3, monkeypatch, tmp_path
):
    url, _ = make_url("ssh")
    git("remote", "add", "origin", url, cwd=repository)
    git("push", "--quiet", "origin", "HEAD", cwd=repository)
    enter(monkeypatch, s3.environment((s3.write[0], "SECRET-of-somebody")))
    done = exptrack("push")
    assert (done.returncode, done.stderr.count("\n"), "SECRET" in done.stderr) == (2, 1, False), done.stderr
    assert git("ls-remote", "origin", "refs/exptrack/*", cwd=repository) == ""
    enter(monkeypatch, s3.environment())
    done = exptrack("push")
    assert (done.returncode, "pushed 1 run to " in done.stdout) == (0, True), done.stderr
    assert len(s3.list_objects(f"{far}/files")) == 1
    assert len([path for path in (tmp_path / "archive" / "files" / "md5").rglob("*") if path.is_file()]) == 1

    there = clone(url, "colleague")
    done = exptrack("pull", cwd=there)
    assert (done.returncode, "fetched 1 run from " in done.stdout) == (0, True), done.stderr
    done = exptrack("reproduce", "far", "--require", "exact", cwd=there)
    assert done.returncode == 0, done.stdout + done.stderr


def test_push_and_fetch_go_over_https_with_a_token_and_not_without(
    repository, exptrack, git, make_url, clone, git_https, monkeypatch, tmp_path
):
    url, folder = make_url("https")
    git("remote", "add", "origin", url, cwd=repository)
    git("push", "--quiet", "origin", "HEAD", cwd=repository)
    there = clone(url, "colleague")
    assert exptrack("run", "--name", "near", "--", "true").returncode == 0
    enter(monkeypatch, git_https.environment(tmp_path, "SECRET-of-somebody"))
    done = exptrack("push")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("exptrack: cannot ")
    assert done.stderr.count("\n") == 1
    assert "SECRET" not in done.stderr
    assert "exptrack" not in git("for-each-ref", cwd=folder)
    enter(monkeypatch, git_https.environment(tmp_path))
    assert exptrack("push").returncode == 0
    done = exptrack("fetch", cwd=there)
    assert (done.returncode, done.stderr) == (0, "")
    assert "near by Ada Lovelace" in done.stdout
