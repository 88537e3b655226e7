"""An enemy who can push: runs made by hand, out of objects that git is given as they are."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

MONTH = "2026-11"
STARTED = "2026-11-20T10:00:00.000000Z"
PEOPLE = "Mallory <mallory@example.com> 1795168800 +0000"
LINK, FILE, PROGRAM = "120000", "100644", "100755"

Files = Mapping[str, bytes | str | tuple[str, bytes | str]]


class Made(NamedTuple):
    """A run by its ref, the oid of its commit and that of its snapshot."""

    ref: str
    oid: str
    snapshot: str


class Enemy:
    """Writes runs into the repository at `folder`, bare or not, and needs no exptrack for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git(self, *words: str, stdin: bytes = b"") -> str:
        done = subprocess.run(["git", *words], cwd=self.folder, input=stdin, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode().strip()

    def write(self, kind: str, data: bytes) -> str:
        return self.git("hash-object", "-t", kind, "--literally", "-w", "--stdin", stdin=data)

    def tree(self, files: Files) -> str:
        """A tree with whatever names: nothing is looked at. A key may be of bytes that are no UTF-8."""
        here: dict[bytes, tuple[bytes, str]] = {}
        below: dict[bytes, dict[str, object]] = {}
        for path, content in files.items():
            head, slash, rest = path.partition("/")
            name = head.encode("utf-8", "surrogateescape")
            if slash:
                below.setdefault(name, {})[rest] = content
            else:
                mode, data = content if isinstance(content, tuple) else (FILE, content)
                here[name] = (mode.encode(), self.write("blob", data.encode() if isinstance(data, str) else data))
        for name, inner in below.items():
            here[name] = (b"40000", self.tree(inner))  # type: ignore[arg-type]
        entries = sorted(here.items(), key=lambda one: one[0] + (b"/" if one[1][0] == b"40000" else b""))
        return self.write(
            "tree", b"".join(mode + b" " + name + b"\0" + bytes.fromhex(oid) for name, (mode, oid) in entries)
        )

    def commit(self, files: Files, *parents: str, message: str = "made by hand\n") -> str:
        lines = [f"tree {self.tree(files)}", *(f"parent {parent}" for parent in parents)]
        lines += [f"author {PEOPLE}", f"committer {PEOPLE}", "", message]
        return self.write("commit", "\n".join(lines).encode("utf-8", "surrogateescape"))

    def run(
        self,
        name: str,
        fields: Mapping[str, object] | bytes | None = None,
        *,
        base: str | None = None,
        code: Files | None = None,
        results: Files | None = None,
        month: str = MONTH,
        message: str = "made by hand\n",
        is_filed: bool = True,
    ) -> Made:
        """A run as the format has it, but for what is given: `fields` of its record (or its bytes), files of its snapshot and of itself."""
        snapshot = self.commit(code or {}, *([base] if base else []))
        files = {
            **(code or {}),
            ".exptrack/run.json": record(name, fields),
            ".exptrack/output.log": b"",
            **(results or {}),
        }
        oid = self.commit(files, snapshot, message=message)
        ref = f"refs/exptrack/runs/{month}/{name}"
        if is_filed:
            self.git("update-ref", ref, oid)
        return Made(ref, oid, snapshot)


def record(name: str, fields: Mapping[str, object] | bytes | None = None) -> bytes:
    """The bytes of a record."""
    if isinstance(fields, bytes):
        return fields
    known = {
        "schema": 1, "name": name, "status": "completed", "started": STARTED, "ended": STARTED, "duration": 1.0, "exit_code": 0,
        "author": "Mallory <mallory@example.com>", "host": "away", "command": ["true"], "params": {}, "metrics": {},
    }  # fmt: skip
    return json.dumps(known | dict(fields or {})).encode()
