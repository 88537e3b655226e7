"""Which claims are asked for, and the commits that they are judged by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from exptrack.analysis.names import is_name
from exptrack.backends.git import objects
from exptrack.errors import ExptrackError, RevError
from exptrack.model.checking import Claim, Claims
from exptrack.operations.checking.claimed import default_range, find_claims_in, find_range, find_recent
from exptrack.operations.context import Context
from exptrack.store import revs


class Scope(NamedTuple):
    """The claims between `base` and `head`, as these are called and in full; without a base those that were asked for by themselves."""

    claims: Claims
    head: str
    head_oid: str
    base: str | None = None
    base_oid: str | None = None

    @property
    def bar(self) -> tuple[str, str]:
        """The commit whose `exptrack.yaml` counts, and how it is called."""
        return (self.head_oid, self.head) if self.base is None or self.base_oid is None else (self.base_oid, self.base)


def find_scope(context: Context, words: Sequence[str], recent: int | None) -> Scope:
    """What these words mean: a range of commits, or runs; or without words the newest `recent` claims of HEAD's history, else all since the default branch.

    Raises ExptrackError for words that cannot be read or do not go together, RepositoryError for commits that are not here.
    """
    repository = context.repository
    ranges = [word for word in words if ".." in word]
    if recent is not None or (words and not ranges):
        [head] = objects.resolve(repository, ["HEAD^{commit}"])
        if head is None:
            raise ExptrackError("there is no commit yet: what a check asks for stands in the exptrack.yaml of HEAD")
        found = Claims(_name_runs(context, words)) if recent is None else find_recent(repository, head, recent)
        return Scope(found, "HEAD", head)
    if len(words) > 1:
        other = next((word for word in words if word not in ranges), words[1])
        raise ExptrackError(f"a range of commits stands alone: leave out '{other}', or name runs only")
    span = find_range(context, words[0]) if words else default_range(context)
    claims = find_claims_in(repository, span.base_oid, span.head_oid)
    return Scope(claims, span.head, span.head_oid, span.base, span.base_oid)


def _name_runs(context: Context, words: Sequence[str]) -> tuple[Claim, ...]:
    """The runs that were named; one that is not here may be on the remote."""
    found = []
    for word in words:
        try:
            run = revs.load(context.repository, word)
        except RevError:
            if not is_name(word):
                raise
            found.append(Claim(word, ""))
        else:
            found.append(Claim(run.name, run.oid))
    return tuple(dict.fromkeys(found))
