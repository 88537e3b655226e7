"""Which file system a folder lies on. On those of a network SQLite's locks cannot be trusted, and reading a page is a journey."""

from __future__ import annotations

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(rb"\\([0-7]{3})")
_NETWORK = frozenset(
    {
        "9p", "acfs", "afpfs", "afs", "beegfs", "ceph", "cephfs", "cifs", "coda", "davfs", "davfs2", "drvfs", "gcsfuse", "gfs", "gfs2",
        "glusterfs", "gpfs", "juicefs", "lustre", "moosefs", "ncpfs", "nfs", "nfs3", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2",
        "rclone", "s3fs", "smb2", "smb3", "smbfs", "sshfs", "webdav", "weka", "wekafs",
    }
)  # fmt: skip


def find_network(folder: Path) -> str | None:
    """The type of the network file system that a folder lies on; None if it lies on none, or that cannot be known (macOS does not tell cheaply)."""
    try:
        text = _MOUNTS.read_bytes()
    except OSError:
        return None
    # Where there is none at all, which is nearly everywhere, nothing more is looked at.
    mounts = [mount for mount in parse_mounts(text) if is_network(mount[1])]
    if not mounts:
        return None
    kind = find_type(parse_mounts(text), bytes(folder.resolve()))
    return kind if kind is not None and is_network(kind) else None


def parse_mounts(text: bytes) -> list[tuple[bytes, str]]:
    """Where each file system of a `mountinfo` is mounted, and of which type it is (proc(5)); what is no line of one is left out."""
    found = []
    for line in text.split(b"\n"):
        before, _, after = line.partition(b" - ")
        words = before.split(b" ")
        if len(words) > 4 and after:
            place = _ESCAPED.sub(lambda digits: bytes([int(digits[1], 8) & 255]), words[4])
            found.append((place, after.split(b" ")[0].decode(errors="replace")))
    return found


def find_type(mounts: list[tuple[bytes, str]], path: bytes) -> str | None:
    """The type of the file system that an absolute path without links lies on: of the deepest, and of several at one place the last, mount above it."""
    found: tuple[int, str | None] = (-1, None)
    for place, kind in mounts:
        above = place.rstrip(b"/")
        if len(above) >= found[0] and (path == above or path.startswith(above + b"/")):
            found = (len(above), kind)
    return found[1]


def is_network(kind: str) -> bool:
    """Whether a type is that of a network file system, in the kernel or by FUSE."""
    return kind.removeprefix("fuse.") in _NETWORK
