"""What DVC writes beside data: the `.dvc` file and the line in `.gitignore`."""

from __future__ import annotations

import re
from typing import Final

from exptrack.model.data import Pointer

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_/-]*\.[A-Za-z][A-Za-z0-9_.-]{0,60}", re.ASCII)
_PLAIN_DIGEST: Final = re.compile(r"[0-9a-f]*[a-df][0-9a-f]*(\.dir)?", re.ASCII)
_META_CHARACTERS: Final = frozenset("\\[]!*#?")


def dvc_file_text(pointer: Pointer) -> str:
    """The text of the `<path>.dvc` file beside the pointer's data, as `dvc add` of DVC 3 writes it."""
    out: dict[str, str | int] = {"md5": pointer.digest}
    if pointer.size is not None:
        out["size"] = pointer.size
    if pointer.files is not None and pointer.is_folder:
        out["nfiles"] = pointer.files
    if pointer.algorithm != "md5-dos2unix":
        out["hash"] = "md5"
    out["path"] = name = pointer.path.rpartition("/")[2]
    if _PLAIN.fullmatch(name) and _PLAIN_DIGEST.fullmatch(pointer.digest):
        return "outs:\n- " + "\n  ".join(f"{key}: {value}" for key, value in out.items()) + "\n"
    # Whatever may need quotes is left to DVC's own YAML; it takes 65 ms to import.
    from dvc.utils.serialize import dumps_yaml

    return str(dumps_yaml({"outs": [out]}))


def ignore_line(name: str) -> str:
    r"""The line of `.gitignore` (without its line end) that keeps the file or folder `name` beside it out of Git, as DVC writes it.

    Beyond DVC it also holds for names that end in a space (escaped) and for line ends in names (`?`).
    """
    line = "/" + "".join(f"\\{character}" if character in _META_CHARACTERS else character for character in name)
    line = re.sub(r"[\r\n]", "?", line)
    return re.sub(r" +$", lambda spaces: "\\ " * len(spaces.group()), line)
