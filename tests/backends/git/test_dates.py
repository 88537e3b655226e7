"""Dates are read as git reads them, but for those that git takes for now without a word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exptrack.backends.git.dates import find_date
from exptrack.backends.git.repository import find_repository


@pytest.fixture
def here(repository):
    return find_repository(repository)


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("2.weeks", timedelta(weeks=2)),
        ("3 days ago", timedelta(days=3)),
        ("3.days.ago", timedelta(days=3)),
        ("yesterday", timedelta(days=1)),
        ("two hours ago", timedelta(hours=2)),
        ("1 week 2 days", timedelta(days=9)),
        ("now", timedelta(0)),
        ("today", timedelta(0)),
    ],
)
def test_a_distance_is_counted_from_now(here, text, ago):
    before = datetime.now(UTC).replace(microsecond=0)
    found = find_date(here, text)
    assert before <= found + ago <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Nov 1 2026 12:00", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("2026/11/01 12:00:00", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("2026-11-01T12:00:00+02:00", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ("1795000000", datetime.fromtimestamp(1795000000, UTC)),
        ("never", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_day_and_a_time_are_that(here, text, moment):
    assert find_date(here, text) == moment


def test_a_time_before_all_of_git_is_before_all_runs(here):
    assert find_date(here, "100 years ago") < datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "garbage", "3 dayz ago", "2w", "7", "2026", "2026-11", "20261101", "99999999999999", "2026-13-45", "2026-02-30",
        "on 2026/02/30 12:00", "tomorrow", "fr", "2 weeks\nago", "\0", "\x1b[2J", "--all", "😀", "٣ days ago ago", "yesterday;ls",
    ],
)  # fmt: skip
def test_what_is_no_date_is_none(here, text):
    assert find_date(here, text) is None
