"""A removed run lies below its day, and can be had back for thirty days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from exptrack.backends.git.repository import find_repository
from exptrack.store.outset import find_outset
from exptrack.store.trash import day_of, expired, find, last_day, list_trash, ref_of

DAY = date(2026, 11, 1)
REF = "refs/exptrack/trash/20261101/brave-otter"


def test_a_ref_names_the_day_and_the_run():
    assert ref_of("brave-otter", DAY) == REF
    assert day_of(REF) == DAY
    assert last_day(REF, 30) == date(2026, 12, 1)


@pytest.mark.parametrize("ref", ["20261301/x", "x", "2026110/x", "20261101/x/y", "20261101/X", "٢٠٢٦١١٠١/x"])
def test_what_names_no_day_never_expires(ref):
    whole = f"refs/exptrack/trash/{ref}"
    assert day_of(whole) is last_day(whole, 30) is None
    assert expired({whole: "1" * 40}, datetime.max.replace(tzinfo=UTC), 30) == {}


def test_the_end_of_time_is_no_fault():
    ref = "refs/exptrack/trash/99991231/x"
    assert day_of(ref) == date.max
    assert last_day(ref, 30) is None


def test_a_run_stays_for_thirty_whole_days():
    refs = {REF: "1" * 40, ref_of("other", date(2026, 11, 2)): "2" * 40}
    assert expired(refs, datetime(2026, 12, 1, 23, 59, 59, tzinfo=UTC), 30) == {}
    assert expired(refs, datetime(2026, 12, 2, 0, 0, tzinfo=UTC), 30) == {REF: "1" * 40}
    west = timezone(timedelta(hours=-8))
    assert expired(refs, datetime(2026, 12, 1, 20, 0, tzinfo=west), 30) == {REF: "1" * 40}
    assert expired(refs, datetime(2026, 11, 3, tzinfo=UTC), days=1) == {REF: "1" * 40}


def test_the_trash_is_listed_and_searched_by_name(repository, git):
    repo = find_repository(repository)
    assert list_trash(repo) == find(repo, "brave-otter") == {}
    head = git("rev-parse", "HEAD", cwd=repository)
    later = ref_of("brave-otter", date(2026, 11, 3))
    for ref in (later, REF, ref_of("brave-otter-2", DAY)):
        git("update-ref", ref, head, cwd=repository)
    assert list(list_trash(repo)) == [REF, ref_of("brave-otter-2", DAY), later]
    assert find(repo, "brave-otter") == {REF: head, later: head}
    assert find(repo, "*") == find(repo, "20261101/brave-otter") == {}


@pytest.mark.parametrize("packed", [False, True])
def test_a_name_in_the_trash_is_taken(repository, git, packed):
    git("update-ref", REF, "HEAD", cwd=repository)
    if packed:
        git("pack-refs", "--all", cwd=repository)
    assert find_outset(find_repository(repository), "brave-otter", datetime.now(UTC)).taken == REF
