"""What came of verifying runs, their data and the repository."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How much a finding weighs, the worst first. Of notes alone all is well."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Check(StrEnum):
    """What was looked at, in the order in which findings are shown."""

    REF = "ref"
    OBJECTS = "objects"
    RECORD = "record"
    FILES = "files"
    SIGNATURE = "signature"
    DATA = "data"
    HASHES = "hashes"
    LOCK = "lock"
    LEFTOVER = "leftover"
    ANNOTATIONS = "annotations"
    TRASH = "trash"


class Finding(NamedTuple):
    """One fault. `subject` is the thing it was found at: the name of a run, a ref, an object, a path of data, a file.

    `runs` are the names of all runs that it touches, `advice` says what to do. Texts may come from others: they are to be shown inert.
    """

    severity: Severity
    check: Check
    subject: str
    problem: str
    advice: str
    runs: tuple[str, ...] = ()


class Data(NamedTuple):
    """Where the data of the runs is, each object (a file or a folder) counted once.

    `here`: in the DVC cache. `remote`: not there, but in a remote. `nowhere`: in neither. `unknown`: not in the cache, and no remote was
    asked or could answer.
    """

    here: int = 0
    remote: int = 0
    nowhere: int = 0
    unknown: int = 0


class Verification(NamedTuple):
    """What was found, the worst first. `runs` counts the runs that were looked at, `signed` those that are signed and verify.

    `hashed` counts the files of the DVC cache whose content was read and compared.
    """

    findings: tuple[Finding, ...] = ()
    runs: int = 0
    signed: int = 0
    data: Data = Data()
    hashed: int = 0

    @property
    def is_well(self) -> bool:
        """Whether there is nothing but notes."""
        return all(one.severity is Severity.NOTE for one in self.findings)

    @property
    def named(self) -> frozenset[str]:
        """The runs that errors and warnings touch."""
        return frozenset(name for one in self.findings if one.severity is not Severity.NOTE for name in one.runs)
