"""A server of Git that tells of refs which no repository can have: what it says names nothing here, and stops nothing."""

from __future__ import annotations

import sys

from enemy import MONTH
from sharing import make_team

RUNS = f"refs/exptrack/runs/{MONTH}"
LIES = [
    f"{RUNS}/../../../heads/main", "refs/heads/../exptrack/runs/x", f"{RUNS}/x/../../config", f"{RUNS}/x.lock", f"{RUNS}/-x", f"{RUNS}/@{{-1}}",
    f"{RUNS}/a\x1b[31mb", f"{RUNS}/a b", f"{RUNS}/", "refs/heads/evil", "HEAD", "../../outside", "config",
]  # fmt: skip
# Speaks the first protocol of Git, and says each ref that it has once more under each of the names.
SERVER = """#!{python}
import os, subprocess, sys
os.environ.pop("GIT_PROTOCOL", None)
def packets(stream):
    while True:
        length = int(stream.read(4), 16)
        if length == 0: return
        yield stream.read(length - 4)
with subprocess.Popen(["git", "upload-pack", sys.argv[-1]], stdout=subprocess.PIPE) as child:
    out = sys.stdout.buffer
    first, *others = packets(child.stdout)
    lines = [first, *others]
    oid = [line for line in lines if b"refs/exptrack/runs" in line][0][:40]
    lines += [oid + b" " + name.encode() + b"\\n" for name in {names!r}]
    for line in lines: out.write(b"%04x" % (len(line) + 4) + line)
    out.write(b"0000"); out.flush()
    while chunk := child.stdout.read1(65536):
        out.write(chunk); out.flush()
"""


def test_refs_that_cannot_be_are_left_out_and_the_others_come(tmp_path, repository):
    _, ada, bob = make_team(tmp_path, repository)
    server = tmp_path / "server"
    server.write_text(SERVER.format(python=sys.executable, names=LIES))
    server.chmod(0o755)
    bob.git("config", "remote.origin.uploadpack", str(server))
    ada.run("one", "-t", "good")
    ada("push")
    [run] = ada.git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs").split()

    def here():
        return bob.state(), bob.git("config", "--list"), bob.git("symbolic-ref", "HEAD")

    before = here()
    for words in ((), ("--month", run.split("/")[-2]), ("--name", "o"), ("status = completed",)):
        done = bob("fetch", *words, code=None)
        assert "fetched 1 run from origin" in done.stdout
        assert done.stderr in {"", "exptrack: -x is refused: its name cannot name a run\n"}
        assert bob.git("for-each-ref", "--format=%(refname)", "refs/exptrack", "refs/notes").split() == [run]
        assert here() == before
        bob.git("update-ref", "-d", run)
