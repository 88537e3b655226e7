"""Which commits are looked at, and what their messages claim."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from exptrack.analysis.claims import find_claims
from exptrack.backends.git.ancestry import is_cut, is_shallow
from exptrack.backends.git.messages import Message, read_messages
from exptrack.backends.git.objects import find_commit, resolve
from exptrack.backends.git.remotes import find_default_branch
from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError, RevError
from exptrack.model.checking import Claim, Claims, Misclaim
from exptrack.operations.context import Context

_REMOTE = "origin"
_BASES = (f"{_REMOTE}/main", f"{_REMOTE}/master", "main", "master")
_UNSHALLOW = (
    "fetch all of its history, by `fetch-depth: 0` (GitHub), `GIT_DEPTH: 0` (GitLab) or `git fetch --unshallow`"
)


class Range(NamedTuple):
    """The commits that `head` has and `base` has not; both as they are shown, and in full."""

    base: str
    head: str
    base_oid: str
    head_oid: str


def find_range(context: Context, word: str) -> Range:
    """What `A..B` means; an empty side is HEAD. A branch that is not here is taken from the remote `origin`, as CI has it.

    Raises RevError for what is no range, or no commit, RepositoryError if a shallow clone does not hold what is between.
    """
    base, dots, head = word.partition("..")
    if not dots or head.startswith(".") or not (base or head):
        raise RevError(f"'{word}' is no range: write it with two dots, as in 'main..HEAD'")
    return _make(context.repository, *(_find(context.repository, side or "HEAD") for side in (base, head)))


def default_range(context: Context) -> Range:
    """From the remote's default branch (else `main` or `master`) to HEAD. Raises as `find_range`, and if there is none of them."""
    repository = context.repository
    head = _find(repository, "HEAD")
    default = find_default_branch(repository, _REMOTE)
    names = [*([f"{_REMOTE}/{default}"] if default else []), *_BASES]
    places = [f"refs/remotes/{name}" if name.startswith(f"{_REMOTE}/") else f"refs/heads/{name}" for name in names]
    for name, oid in zip(names, resolve(repository, [f"{place}^{{commit}}" for place in places]), strict=True):
        if oid is not None:
            return _make(repository, (name, oid), head)
    if is_shallow(repository):
        raise RepositoryError(f"this clone is shallow, and has no branch to check HEAD against: {_UNSHALLOW}")
    raise RevError("there is no main or master to check HEAD against: name the base, as in `exptrack check BASE..HEAD`")


def _make(repository: Repository, base: tuple[str, str], head: tuple[str, str]) -> Range:
    if is_cut(repository, head[1], base[1]):
        raise RepositoryError(
            f"this clone is shallow, and what {head[0]} has beyond {base[0]} is not all here: {_UNSHALLOW}"
        )
    return Range(base[0], head[0], base[1], head[1])


def _find(repository: Repository, rev: str) -> tuple[str, str]:
    """What a commit is called, and its oid."""
    if oid := find_commit(repository, rev):
        return rev, oid
    if rev == "HEAD":
        raise RevError("HEAD is no commit yet: there is nothing to check")
    if oid := find_commit(repository, f"refs/remotes/{_REMOTE}/{rev}"):
        return f"{_REMOTE}/{rev}", oid
    if is_shallow(repository):
        raise RepositoryError(f"this clone is shallow, and '{rev}' is not here: {_UNSHALLOW}")
    raise RevError(f"'{rev}' is no commit here: run `git fetch`, or see `git branch --all`")


def find_claims_in(repository: Repository, base_oid: str | None, head_oid: str) -> Claims:
    """What the commits claim that the head has and the base has not.

    Each run is there once, for the newest commit that claims it; a name with two oids is two claims.
    """
    return _gather(read_messages(repository, head_oid, without=base_oid))


def find_recent(repository: Repository, head_oid: str, number: int) -> Claims:
    """The newest `number` claims of the whole history. What claims nothing is left out: nobody can mend it any more."""
    count = max(number, 1)
    while True:
        messages = list(read_messages(repository, head_oid, number=count))
        claims = _gather(messages).claims
        if len(claims) >= number or len(messages) < count:
            return Claims(claims[:number])
        count *= 8


def _gather(messages: Iterable[Message]) -> Claims:
    claims: dict[tuple[str, str], Claim] = {}
    broken: dict[Misclaim, None] = {}
    for oid, author, text in messages:
        found = find_claims(text, oid, author)
        for claim in found.claims:
            claims.setdefault((claim.name, claim.oid), claim)
        broken |= dict.fromkeys(found.broken)
    return Claims(tuple(claims.values()), tuple(broken))
