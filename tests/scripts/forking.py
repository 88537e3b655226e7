"""Forks for each call that `processes.run` sends: a process like `python -m MODULE WORD...` or `python -c CODE WORD...`, imports done.

It imports and runs nothing: what a process of its own would not have, no child may find here. The one argument is a socket.
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import runpy
import socket
import struct
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType

# What starting exptrack and dvc imports, the costliest first to ask for. Not pygit2 and GitPython: the one reads HOME when it is
# imported, the other runs git.
MODULES = (
    "dvc.cli.parser",
    "dvc.data_cloud",
    "dvc.repo.graph",
    "dvc.repo.index",
    "dvc.repo.stage",
    "dvc.repo.worktree",
    "dvc.scm",
    "dulwich.repo",
    "networkx",
    "ruamel.yaml",
    "scipy.special",
    "yaml",
)


def main(connection: socket.socket) -> None:
    if os.fork():
        os._exit(0)  # a test may look whether it has left children
    del sys.path[0]  # this script's folder
    import exptrack

    for found in pkgutil.walk_packages(exptrack.__path__, "exptrack."):
        # An integration imports its framework, which is large, and need not be there.
        if not found.name.endswith("__main__") and not found.name.startswith("exptrack.integrations."):
            import_module(found.name)
    for name in MODULES:
        import_module(name)
    gc.collect()
    gc.freeze()  # so that a child's collector does not write on what it shares with this process
    names = json.dumps(sorted({name.partition(".")[0] for name in sys.modules})).encode()
    connection.sendall(struct.pack("q", len(names)) + names)
    while True:
        header, descriptors, _, _ = socket.recv_fds(connection, 8, 3)
        if not header:
            return
        request = json.loads(read(connection, *struct.unpack("q", header)))
        child = os.fork()
        if child == 0:
            connection.close()
            become(descriptors, **request)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(BrokenPipeError):  # nobody waits for the answer any more, and nothing follows
            connection.sendall(struct.pack("q", child))
        _, status = os.waitpid(child, 0)
        with suppress(BrokenPipeError):
            connection.sendall(struct.pack("q", os.waitstatus_to_exitcode(status)))


def read(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        data += connection.recv(length - len(data))
    return data


def become(descriptors: list[int], words: list[str], directory: str, environ: dict[str, str]) -> None:
    """Be `python WORDS...` in this process."""
    for standard, descriptor in enumerate(descriptors):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environ)
    sys.orig_argv = [sys.executable, *words]
    sys.modules["exptrack"].started_in = directory
    is_safe = words[0] == "-P"  # nothing is imported from the folder
    option, what, *rest = words[is_safe:]
    if not is_safe:
        sys.path.insert(0, str(Path.cwd()) if option == "-m" else "")
    if option == "-m":
        sys.argv = [what, *rest]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.argv = [option, *rest]
        sys.modules["__main__"] = fresh = ModuleType("__main__")
        fresh.__annotations__ = {}
        exec(compile(what, "<string>", "exec"), fresh.__dict__)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
