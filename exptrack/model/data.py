"""Pointers to data, and what a snapshot left out."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Pointer(NamedTuple):
    """A DVC hash that stands for a file or folder: an `out` of a `.dvc` file or of `dvc.lock`.

    `path` is relative to the root of the repository, with forward slashes. `algorithm` is DVC's name of the hash: `md5`, or
    `md5-dos2unix` for pointers written by DVC 2. A folder's `digest` ends in `.dir`. `size` is in bytes. `source` is the file that
    holds the pointer. `remote` names the DVC remote that it says its data belongs to, `is_private` that it is not to be pushed
    (`push: false`). `modified` says whether the data on disk differed from the pointer (None: not looked at, or not on disk).
    """

    path: str
    digest: str
    algorithm: str = "md5"
    size: int | None = None
    files: int | None = None
    source: str = ""
    stage: str | None = None
    modified: bool | None = None
    remote: str | None = None
    is_private: bool = False

    @property
    def is_folder(self) -> bool:
        return self.digest.endswith(".dir")


class Reason(StrEnum):
    """Why a path is not in the snapshot."""

    TOO_LARGE = "too large"
    TOO_MANY = "too many files"
    SECRET = "looks secret"  # noqa: S105 - a word that is shown, not a password
    IGNORED = "ignored by git"
    UNREADABLE = "unreadable"
    NESTED_REPOSITORY = "nested repository"
    VIRTUAL_ENVIRONMENT = "virtual environment"
    DIRTY_SUBMODULE = "submodule with uncommitted changes"
    SPECIAL = "not a regular file"
    EXPTRACK = "folder of exptrack"
    VANISHED = "vanished while it was read"


class Omission(NamedTuple):
    """A path that is not in the snapshot, and why.

    A folder's `path` ends in a slash and stands for all below it (`files` of them). `digest` is `sha256:…` of a file's content, or
    the commit of a nested repository. `pointer` says that the content is in the DVC cache instead.
    """

    path: str
    reason: Reason
    size: int | None = None
    files: int | None = None
    digest: str | None = None
    pointer: bool = False
