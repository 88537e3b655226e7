"""Verify runs, their data and the repository. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from exptrack.analysis.annotationlines import decode_annotations
from exptrack.backends import dvc
from exptrack.backends.git.repository import Repository
from exptrack.backends.git.verifying import check_signatures, list_all_refs
from exptrack.model.progress import Progress, Silence
from exptrack.model.run import Run
from exptrack.model.verification import Check, Finding, Severity, Verification
from exptrack.operations.context import Context
from exptrack.operations.verifying import commits, data, leftovers, places
from exptrack.operations.verifying.missing import find_missing
from exptrack.operations.verifying.named import choose
from exptrack.store import annotation
from exptrack.store.runs import RUNS, TRASH, name_of

_SILENCE = Silence()
_SEVERITIES, _CHECKS = tuple(Severity), tuple(Check)
_GOOD = "G"
_UNTOLD = {
    "U": (Severity.NOTE, "is good, by a key that nobody vouches for", "`gpg.ssh.allowedSignersFile`, or gpg's trust, says whose it is"),
    "E": (Severity.NOTE, "cannot be checked: its key is not here", "import the key of its author"),
    "N": (Severity.NOTE, "cannot be checked", "`git verify-commit {oid}` says why"),
    "X": (Severity.NOTE, "is good, but has expired", "`git verify-commit {oid}` tells more"),
    "Y": (Severity.NOTE, "is good, by a key that has expired", "`git verify-commit {oid}` tells more"),
    "R": (Severity.WARNING, "is by a key that was revoked", "ask its author; `git verify-commit {oid}` tells more"),
    "B": (Severity.ERROR, "is bad: it was not signed as it is", "ask its author; `git verify-commit {oid}` tells more"),
}  # fmt: skip


def verify(
    context: Context,
    words: Sequence[str] = (),
    *,
    full: bool = False,
    offline: bool = False,
    progress: Progress = _SILENCE,
) -> Verification:
    """Look at all runs and the repository around them, or only at the runs that the words name (queries, ranges and revs).

    With `full`, objects of git and of the DVC cache are read and compared with their names; `offline` asks no DVC remote. Raises
    QueryError and RevError for words, RepositoryError if git cannot be used at all.
    """
    repository = context.repository
    listed, broken = list_all_refs(repository, places.REFS)
    chosen = choose(context, {ref: oid for ref, oid in listed.items() if ref.startswith(RUNS)}, words)
    tips = chosen if words else {ref: oid for ref, oid in listed.items() if ref.startswith((RUNS, TRASH))}
    missing = find_missing(repository, tips, progress, full=full)
    progress.begin("reading runs")
    looked = commits.look(
        repository, {ref: oid for ref, oid in chosen.items() if places.is_place(ref)}, missing.touched
    )
    texts, faults = leftovers.judge_annotations(repository, chosen.values() if words else None)
    findings = [*missing.findings, *looked.findings, *faults, *places.judge_names(listed, chosen)]
    signed, unsure = _judge_signatures(repository, looked.signed, chosen)
    seen = data.look(context, _annotate(looked.runs, texts), progress, full=full, offline=offline)
    findings += [*unsure, *seen.findings]
    if not words:
        home = dvc.find_root(context.folder, repository.top)
        roots = dict.fromkeys([*seen.roots, *([home] if home else [])])
        findings += places.judge_broken(broken)
        findings += places.judge_left(repository, listed)
        findings += places.judge_trash(repository, listed, missing.touched, context.settings.keep.trash)
        findings += leftovers.judge_locks(repository, list(roots))
        findings += leftovers.judge_journals(context)
    torn = sum(ref.startswith(RUNS) for ref in broken) if not words else 0
    return Verification(tuple(sorted(findings, key=_weigh)), len(chosen) + torn, signed, seen.data, seen.hashed)


def _weigh(finding: Finding) -> tuple[int, int]:
    return _SEVERITIES.index(finding.severity), _CHECKS.index(finding.check)


def _annotate(runs: Sequence[Run], texts: Mapping[str, str]) -> list[Run]:
    """The runs with what stands on them; most carry nothing that was not there at the start."""
    return [
        run._replace(annotations=annotation.standing(run, decode_annotations(texts[run.oid])))
        if run.oid in texts
        else run
        for run in runs
    ]


def _judge_signatures(
    repository: Repository, signed: Mapping[str, str], chosen: Mapping[str, str]
) -> tuple[int, list[Finding]]:
    """How many signatures are good, and what is to be said of the others."""
    letters = check_signatures(repository, list(signed))
    found = [
        finding for ref, oid in chosen.items() if oid in signed for finding in _judge(ref, oid, letters.get(oid, "N"))
    ]
    return sum(letter == _GOOD for letter in letters.values()), found


def _judge(ref: str, oid: str, letter: str) -> Iterator[Finding]:
    if letter != _GOOD:
        severity, said, advice = _UNTOLD.get(letter, _UNTOLD["N"])
        name = name_of(ref)
        yield Finding(severity, Check.SIGNATURE, name, f"its signature {said}", advice.format(oid=oid), (name,))
