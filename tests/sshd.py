"""OpenSSH's sshd for tests: the machine's own, or Debian's, unpacked into a temporary folder, where nothing is installed.

As a script, for `.ci/run`, it says which one it is.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

PACKAGES = ("openssh-server", "libwrap0", "libnss-wrapper")
PLACES = ("/usr/sbin", "/usr/local/sbin", "/sbin", "/opt/homebrew/sbin")
CHROOT = Path("/run/sshd")


class Sshd(NamedTuple):
    """A program that runs and lets `user` in: `settings` are lines for its `sshd_config`, `environment` what it needs besides."""

    program: Path
    user: str
    settings: tuple[str, ...] = ()
    environment: Mapping[str, str] = MappingProxyType({})


def find_sshd() -> Sshd | str:
    """An sshd, or why there is none."""
    installed = shutil.which("sshd", path=os.pathsep.join([os.environ.get("PATH", ""), *PLACES]))
    if (user := _name(os.geteuid())) is None:
        return "who runs these tests has no name on this machine, and ssh wants one"
    found = Sshd(Path(installed), user) if installed and _has_own_user() else _unpacked(user)
    if isinstance(found, Sshd) and os.geteuid() == 0 and sys.platform == "linux":
        try:
            CHROOT.mkdir(mode=0o755, exist_ok=True)
        except OSError as error:
            return f"sshd wants a folder: {error}"
    return found


def _name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container may run as anybody
        return None


def _has_own_user() -> bool:
    """Whether the user is there that an sshd of root becomes for what strangers say to it."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return os.geteuid() != 0 or bool(names & {"sshd", "_sshd"})


def _unpacked(user: str) -> Sshd | str:
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        return "there is no sshd, and no apt-get to get one: install OpenSSH's server"
    home = Path(tempfile.gettempdir()) / f"exptrack-sshd-{os.geteuid()}"
    home.mkdir(mode=0o700, exist_ok=True)
    state = home.lstat()
    if state.st_uid != os.geteuid() or state.st_mode & 0o077:
        return f"{home} is not ours alone: delete it"
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "root" / "usr" / "sbin" / "sshd").exists() and (reason := _download(home)):
            return reason
        return _start_with(home, user)


def _download(home: Path) -> str | None:
    """Debian's packages into `home`; gives why not."""
    debs, new = home / "debs", home / "new"
    for folder in (debs, new):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    get = [
        "apt-get",
        "-qq",
        "-o",
        "APT::Sandbox::User=root",
        "-o",
        "Acquire::Retries=2",
        "-o",
        "Acquire::http::Timeout=30",
    ]
    # Lists of our own, where the machine has none, as in a fresh container.
    lists = ["-o", f"Dir::State::Lists={home}/lists", "-o", f"Dir::Cache={home}/cache"]
    (home / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    for steps in (
        [[*get, "download", *PACKAGES]],
        [[*get, *lists, "update"], [*get, *lists, "download", *PACKAGES]],
    ):
        failed = next((said for step in steps if (said := _call(step, debs)) is not None), None)
        if failed is None:
            break
    else:
        return f"there is no sshd, and apt-get cannot get one: {failed}"
    for deb in debs.glob("*.deb"):
        if said := _call(["dpkg", "-x", str(deb), str(new)], debs):
            return f"cannot unpack {deb.name}: {said}"
    shutil.rmtree(home / "root", ignore_errors=True)
    new.rename(home / "root")
    return None


def _call(command: list[str], folder: Path) -> str | None:
    """Run it; what it said last if it failed."""
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} took too long"
    return (done.stderr.strip().splitlines() or [f"{command[0]} failed"])[-1] if done.returncode else None


def _start_with(home: Path, user: str) -> Sshd | str:
    """How to start what was unpacked: its libraries, its parts, and users that the machine may not know."""
    root = home / "root"
    program = root / "usr" / "sbin" / "sshd"
    libraries = sorted({str(path.parent) for path in root.rglob("lib*.so*")})
    me, mine = os.geteuid(), os.getegid()
    (home / "passwd").write_text(f"{user}:x:{me}:{mine}::{home}:/bin/sh\nsshd:x:65533:65534::{CHROOT}:/bin/false\n")
    (home / "group").write_text(f"{user}:x:{mine}:\nnogroup:x:65534:\n")
    parts = {"SshdSessionPath": "sshd-session", "SshdAuthPath": "sshd-auth"}
    there = {name: root / "usr" / "lib" / "openssh" / part for name, part in parts.items()}
    found = Sshd(
        program,
        user,
        tuple(f"{name} {place}" for name, place in there.items() if place.exists()),
        {
            "LD_LIBRARY_PATH": ":".join(libraries),
            "LD_PRELOAD": "libnss_wrapper.so",
            "NSS_WRAPPER_PASSWD": str(home / "passwd"),
            "NSS_WRAPPER_GROUP": str(home / "group"),
        },
    )
    # `-V` only since 9.1, but a usage line is an answer, too: it runs.
    done = subprocess.run(
        [program, "-V"], env={**os.environ, **found.environment}, capture_output=True, text=True, check=False
    )
    return found if "OpenSSH" in done.stderr else f"the unpacked sshd does not run: {done.stderr.strip()}"


if __name__ == "__main__":
    sshd = find_sshd()
    print(f"sshd: {sshd.program}" if isinstance(sshd, Sshd) else f"tests over ssh are skipped: {sshd}")  # noqa: T201
