"""What came of checking the runs that commits claim: for each whether the claim holds, and why not."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from exptrack.model import comparison
from exptrack.model.change import Change
from exptrack.model.difference import Difference, FileChange
from exptrack.model.reproduction import Level, Reproduction
from exptrack.model.run import Run
from exptrack.model.settings import MetricDeclaration

# Files that commands seldom read: what `check.ignore` begins with in a new project.
SELDOM_READ = ("README.md", "CHANGELOG.md", "LICENSE", "/docs/", "/.github/", "/.gitlab/", "/.gitlab-ci.yml")


class Verdict(StrEnum):
    """What is to be said of a claim. Superseded: it held for the commit that made it, and a later commit claims another run."""

    HOLDS = "holds"
    SUPERSEDED = "superseded"
    FAILS = "does not hold"
    UNKNOWN = "cannot be checked"


class Claim(NamedTuple):
    """That the files of a commit, run, gave the results of a run. `oid` is that of the run's commit, in full.

    `commit` (in full) is the one whose message says so, `author` its author (`Name <mail>`); both are empty where somebody named the run.
    """

    name: str
    oid: str
    commit: str = ""
    author: str = ""


class Misclaim(NamedTuple):
    """A line of a message that begins as a claim does, and is none; `commit` has the message."""

    line: str
    commit: str = ""


class Claims(NamedTuple):
    """What commits claim: each run once, with the newest commit that claims it, newest first; and the lines that are none."""

    claims: tuple[Claim, ...] = ()
    broken: tuple[Misclaim, ...] = ()


class Bar(NamedTuple):
    """What `check` in `exptrack.yaml` asks of claims; `timeout` in seconds, of each rerun. `ignore` are patterns of files that may differ."""

    require: Level = Level.STATISTICAL
    reruns: int = 1
    timeout: float | None = None
    ignore: tuple[str, ...] = ()


class Beside(NamedTuple):
    """What `compare` says of the configuration of a claimed run beside that of `baseline`, the run that the base claims.

    It rests on `runs` recorded runs that are here, of both configurations together; `experiment` is the one they are of, if they are of one.
    """

    baseline: str
    metric: str
    verdict: comparison.Verdict
    runs: int
    experiment: str | None = None


class CheckedClaim(NamedTuple):
    """A claim, and what came of it. `reason` is one line that says why it does not hold, or what to do; empty if it holds.

    `files` are those in which the commit that was checked is not what ran. `difference` is between the run that the base claims (else
    the base itself) and this run. `notes` are lines that a reviewer should know. `bar` is given where the run belongs to another project of
    the repository than the one that is checked. `beside` is given where the runs that are here say something of both configurations.
    """

    claim: Claim
    verdict: Verdict
    reason: str = ""
    run: Run | None = None
    files: tuple[FileChange, ...] = ()
    notes: tuple[str, ...] = ()
    reproduction: Reproduction | None = None
    difference: Difference | None = None
    bar: Bar | None = None
    beside: Beside | None = None


class Checked(NamedTuple):
    """All claims between `base` and `head` (as they were typed; oids in full), or runs that were named, with `base` None.

    `bar_of` says whose `exptrack.yaml` the bar is from (`main`, `the defaults`). `changes` are settings by which claims are judged, and
    that the head has otherwise: old is what counts. `declared` are the metrics of the base. `broken` are lines that claim nothing.
    """

    base: str | None
    head: str
    base_oid: str | None
    head_oid: str | None
    bar: Bar
    bar_of: str
    changes: tuple[Change, ...] = ()
    claims: tuple[CheckedClaim, ...] = ()
    broken: tuple[Misclaim, ...] = ()
    baseline: str | None = None
    at: str | None = None
    environment: str = "present"
    declared: Mapping[str, MetricDeclaration] = {}
    notes: tuple[str, ...] = ()

    def bar_for(self, one: CheckedClaim) -> Bar:
        """What one of the claims had to meet."""
        return one.bar or self.bar

    def count(self, verdict: Verdict) -> int:
        return sum(one.verdict is verdict for one in self.claims)

    @property
    def verdict(self) -> Verdict:
        """Of all together: the worst."""
        if self.broken or self.count(Verdict.UNKNOWN):
            return Verdict.UNKNOWN
        return Verdict.FAILS if self.count(Verdict.FAILS) else Verdict.HOLDS
