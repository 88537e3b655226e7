"""The places to measure in: a sealed environment, and repositories of a known size."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.measure import BenchmarkError

_FOREIGN = ("GIT_", "DVC_", "EXPTRACK_", "XDG_", "PYTHON", "VIRTUAL_ENV", "CONDA_")
_GIT_SETTINGS = "[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n[maintenance]\n\tauto = false\n"
_IN_A_FOLDER = 100
_HOUR = 3600


def seal(home: Path) -> dict[str, str]:
    """The environment of every command: nothing of the user's settings; this interpreter's programs first, as in an activated one."""
    home.mkdir()
    (home / ".gitconfig").write_text(_GIT_SETTINGS, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return kept | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CEILING_DIRECTORIES": str(home.parent),
        "DVC_NO_ANALYTICS": "1",
        "DVC_GLOBAL_CONFIG_DIR": str(home / "dvc-global"),
        "DVC_SYSTEM_CONFIG_DIR": str(home / "dvc-system"),
        "DVC_SITE_CACHE_DIR": str(home / "dvc-site"),
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "80",
    }


def program(name: str) -> tuple[str, ...]:
    """The words that start a console script: the one beside this interpreter, as a user would type it, else its module."""
    script = Path(sys.executable).with_name(name)
    return (str(script),) if script.is_file() else (sys.executable, "-m", name)


def make_repository(folder: Path, files: int, environ: Mapping[str, str]) -> Path:
    """A repository with one commit of `files` small files, a hundred in a folder, in one pack: as a clone of an hour ago."""
    call(folder.parent, environ, "git", "init", "--quiet", str(folder))
    stream = b"".join([*_blobs(files), _commit(files)])
    call(folder, environ, "git", "fast-import", "--quiet", stdin=stream)
    call(folder, environ, "git", "reset", "--quiet", "--hard", "main")
    for number in range(files):
        _age(folder / path_of(number))
    # Files as young as the index are read again by every git, and would be all through the measurement.
    call(folder, environ, "git", "update-index", "-q", "--refresh")
    return folder


def path_of(number: int) -> str:
    """Where the file of a number lies."""
    return f"part{number // _IN_A_FOLDER:03}/file{number:05}.py"


def change(folder: Path, files: int, *, modified: int, untracked: int) -> None:
    """Modify tracked files, spread over all folders, and add untracked ones, all small and some minutes old."""
    for number in range(0, files, max(1, files // modified))[:modified]:
        path = folder / path_of(number)
        path.write_text(f"{path.read_text(encoding='utf-8')}changed = True\n", encoding="utf-8")
        _age(path, _HOUR // 6)
    for number in range(untracked):
        path = folder / f"new{number // _IN_A_FOLDER}" / f"file{number:03}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"new file {number}\n", encoding="utf-8")
        _age(path, _HOUR // 6)


EMPTY_STAGE = 'stages:\n  nothing:\n    cmd: "true"\n    always_changed: true\n'
SCRIPT_STAGE = """\
stages:
  train:
    cmd: python train.py
    deps: [train.py]
    params: [lr]
    metrics: [{metrics.json: {cache: false}}]
    always_changed: true
"""
_SCRIPT = """\
import json
import pathlib

rate = float(pathlib.Path("params.yaml").read_text().split(":")[1])
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": 1 - rate}))
"""


def make_dvc_repository(folder: Path, files: int, stages: str, environ: Mapping[str, str]) -> Path:
    """A small repository with a DVC project in it. Its stages are never up to date; a script of 0.02 s is there for them."""
    make_repository(folder, files, environ)
    call(folder, environ, *program("dvc"), "init", "--quiet")
    (folder / "dvc.yaml").write_text(stages, encoding="utf-8")
    (folder / "params.yaml").write_text("lr: 0.25\n", encoding="utf-8")
    (folder / "train.py").write_text(_SCRIPT, encoding="utf-8")
    (folder / ".gitignore").write_text("/metrics.json\n", encoding="utf-8")
    call(folder, environ, "git", "add", ".")
    call(folder, environ, "git", "commit", "--quiet", "-m", "a pipeline")
    return folder


def call(directory: Path, environ: Mapping[str, str], *argv: str, stdin: bytes = b"") -> None:
    """Run a command that must succeed; raises BenchmarkError."""
    _run(directory, environ, argv, stdin)


def ask(directory: Path, environ: Mapping[str, str], *argv: str) -> str:
    """What such a command prints, without blanks around it."""
    return _run(directory, environ, argv, b"").decode().strip()


def _run(directory: Path, environ: Mapping[str, str], argv: tuple[str, ...], stdin: bytes) -> bytes:
    done = subprocess.run(argv, cwd=directory, env=environ, input=stdin, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise BenchmarkError(f"'{' '.join(argv)}' gave {done.returncode}: {said[-1] if said else 'no reason'}")
    return done.stdout


def _blobs(files: int) -> Iterator[bytes]:
    for number in range(files):
        content = b"".join(b"value_%d_%d = %d\n" % (number, line, number * line) for line in range(10))
        yield b"blob\nmark :%d\ndata %d\n%s\n" % (number + 1, len(content), content)


def _commit(files: int) -> bytes:
    entries = "".join(f"M 100644 :{number + 1} {path_of(number)}\n" for number in range(files))
    return f"commit refs/heads/main\ncommitter Ada Lovelace <ada@example.com> 1700000000 +0000\ndata 5\nfirst\n{entries}\n".encode()


def _age(path: Path, seconds: float = _HOUR) -> None:
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))
