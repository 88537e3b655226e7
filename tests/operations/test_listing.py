"""Which runs are listed, and in which order; months that cannot matter are not read, and nobody can tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from exptrack.analysis.annotationlines import encode_annotation
from exptrack.analysis.codec import encode_record
from exptrack.backends.git.importing import format_files, import_commit
from exptrack.backends.git.repository import find_repository
from exptrack.errors import ExptrackError, QueryError
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import BrokenRun, Record, Run, Status
from exptrack.project import Project
from exptrack.store import runs

PEOPLE = b"author Ada <ada@example.com> 1769860800 +0000\ncommitter Ada <ada@example.com> 1769860800 +0000\n"
OLD, MIDDLE, NEW = (
    datetime(2026, 1, 31, 12, tzinfo=UTC),
    datetime(2026, 2, 1, tzinfo=UTC),
    datetime(2026, 4, 2, 9, tzinfo=UTC),
)


@pytest.fixture
def project(repository):
    return Project(repository)


@pytest.fixture
def save(repository, git):
    """Put a run on a ref, of its month or of `month=`."""
    here = find_repository(repository)

    def call(
        name: str, started: datetime, month: str | None = None, data: bytes | None = None, **fields: object
    ) -> str:
        record = (
            encode_record(Record(name, started=started, **{"status": Status.COMPLETED, **fields}))
            if data is None
            else data
        )
        oid = import_commit(here, PEOPLE, f"{name}\n", None, format_files({runs.RECORD: record}))
        ref = f"{runs.RUNS}{month}/{name}" if month else runs.ref_of(name, started)
        git("update-ref", ref, oid, cwd=repository)
        return oid

    return call


def params(**values: object) -> dict[str, dict[str, object]]:
    return {"params.yaml": values}


@pytest.fixture
def three(save):
    save("old", OLD, metrics={"accuracy": 0.5}, params=params(lr=0.1))
    save("middle", MIDDLE, metrics={"accuracy": 0.9}, params=params(lr="auto"), status=Status.FAILED)
    save("new", NEW, metrics={"loss": float("nan")}, tags=("best",))


def names(found) -> list[str]:
    return [run.name for run in found]


def test_runs_are_a_sequence_newest_first(project, three):
    found = project.runs()
    assert names(found) == ["new", "middle", "old"]
    assert all(isinstance(run, Run) for run in found)
    assert (found[0].name, names(found[1:]), len(found), found.among) == ("new", ["middle", "old"], 3, 3)
    assert found[1:].among == 3
    assert repr(found) == "<Runs: 3 (new, middle, old)>"


@pytest.mark.parametrize(
    ("options", "listed"),
    [
        ({"query": "metrics.accuracy > 0.6"}, ["middle"]),
        ({"query": "tag = best or name = old"}, ["new", "old"]),
        ({"query": "status = completed", "number": 1}, ["new"]),
        ({"query": "params.lr = 0.1", "since": "2026-02-01"}, []),
        ({"since": "2026-02-01"}, ["new", "middle"]),
        ({"since": "2026-02-01T00:00:01"}, ["new"]),
        ({"since": "2026-01-31 12:00"}, ["new", "middle", "old"]),
        ({"since": datetime(2026, 2, 1)}, ["new", "middle"]),  # noqa: DTZ001 - without zone it is UTC
        ({"since": datetime(2026, 2, 1, 1, tzinfo=timezone(timedelta(hours=1)))}, ["new", "middle"]),
        ({"since": "100 years ago"}, ["new", "middle", "old"]),
        ({"since": "2026-02-01", "number": 1}, ["new"]),
        ({"sort": "metrics.accuracy"}, ["old", "middle", "new"]),
        ({"sort": "-metrics.accuracy"}, ["middle", "old", "new"]),
        ({"sort": "-metrics.accuracy", "number": 1}, ["middle"]),
        ({"sort": "started"}, ["old", "middle", "new"]),
        ({"sort": "metrics.accuracy", "since": "2026-02-01"}, ["middle", "new"]),
        ({"sort": "params.lr", "since": "2026-03-01"}, ["new"]),
        ({"sort": "metrics.loss"}, ["new", "middle", "old"]),
        ({"number": 0}, []),
        ({"number": 2}, ["new", "middle"]),
        ({"number": 9}, ["new", "middle", "old"]),
    ],
)
def test_these_are_listed(project, three, options, listed):
    found = project.runs(**options)
    assert names(found) == listed
    assert found.among == 3


@pytest.mark.parametrize("number", range(9))
def test_the_first_few_are_those_of_the_whole_list_wherever_they_lie(project, three, save, number):
    save("early", datetime(2019, 5, 1, tzinfo=UTC), month="2027-01")  # filed in a month that it did not start in
    save("same", NEW)
    save("broken", NEW, data=b"{}")
    save("odd", NEW, month="zzz")
    assert list(project.runs(number=number)) == list(project.runs())[:number]


def test_months_before_the_first_few_are_not_read(project, three, save):
    save("broken", OLD, data=b"{}")
    assert project.runs(number=2).broken == ()
    assert project.runs(since="2026-02-01").broken == ()
    assert names(project.runs(number=3).broken) == ["broken"]


def test_annotations_stand_on_what_is_listed(project, three, repository, git):
    line = encode_annotation(Annotation("0" * 16, AnnotationKind.TAG, NEW, "", "late"))
    [old] = project.runs("name = old")
    git("notes", "--ref=exptrack", "add", "-m", line, old.oid, cwd=repository)
    assert names(project.runs("tag = late")) == ["old"]
    assert [run.tags for run in project.runs(number=3)] == [("best",), (), ("late",)]


def test_what_is_no_run_is_named_and_costs_the_others_nothing(project, three, save, repository, git):
    save("broken", MIDDLE, data=b"{")
    git("update-ref", f"{runs.RUNS}2026-02/commit", "HEAD", cwd=repository)
    git("update-ref", f"{runs.RUNS}2026-02/blob", git("rev-parse", "HEAD:params.yaml", cwd=repository), cwd=repository)
    found = project.runs("tag = best or tag != best")
    assert names(found) == ["new", "middle", "old"]
    assert names(found.broken) == ["blob", "broken", "commit"]
    assert all(isinstance(one, BrokenRun) for one in found.broken)
    assert found.among == 6


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"query": "metrics.acuracy > 1"}, QueryError, "no run has 'metrics.acuracy': did you mean 'metrics.accuracy'?"),
        ({"query": "metrics.acuracy > 1", "since": "2026-03-01"}, QueryError, "no run has 'metrics.acuracy': did you mean 'metrics.accuracy'?"),
        ({"query": "params.acuracy > 1"}, QueryError, "no run has 'params.acuracy': `exptrack ls --all-columns` shows what they have"),
        ({"query": "lr > 0.01"}, QueryError, "'lr' is no field: did you mean 'params.lr'?"),
        ({"query": "accuracy > 1", "since": "2026-03-01"}, QueryError, "'accuracy' is no field: did you mean 'metrics.accuracy'?"),
        ({"query": "zzz > 1"}, QueryError, "'zzz' is no field and no key of a run: `exptrack ls --all-columns` shows what they have"),
        ({"sort": "metrics.acuracy"}, ExptrackError, "no run has 'metrics.acuracy' to sort by: did you mean 'metrics.accuracy'?"),
        ({"sort": "-accuracy"}, ExptrackError, "no run has 'accuracy' to sort by: did you mean 'metrics.accuracy'?"),
        ({"sort": "stared"}, ExptrackError, "no run has 'stared' to sort by: did you mean 'started'?"),
        ({"sort": "-"}, ExptrackError, "no run has '' to sort by: `exptrack ls --all-columns` shows what they have"),
        ({"since": "3 dayz"}, ExptrackError, "'3 dayz' is no date: use one such as 2026-11-01, 2026-11-01T12:00, 2.weeks, '3 days ago' or yesterday"),
        ({"number": -1}, ExptrackError, "-1 is no number of runs: give 0 or more"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(project, three, options, kind, message):
    with pytest.raises(kind) as caught:
        project.runs(**options)
    assert str(caught.value) == message


def test_a_caret_stands_in_the_query_as_it_was_typed(project, three):
    with pytest.raises(QueryError) as caught:
        project.runs("tag=best   and metrics.acuracy>1")
    assert caught.value.caret == f"tag=best   and metrics.acuracy>1\n{' ' * 15}^"


def test_without_a_run_no_name_is_wrong(project):
    found = project.runs("metrics.acc > 1", sort="params.x")
    assert (len(found), found.among) == (0, 0)
    with pytest.raises(QueryError):
        project.runs("metrics.acc >")


def test_runs_are_a_frame(project, three):
    frame = project.runs(sort="name").to_dataframe()
    assert frame["name"].tolist() == ["middle", "new", "old"]
    assert frame["metrics.accuracy"].dropna().tolist() == [0.9, 0.5]
    assert project.to_dataframe("tag = best")["name"].tolist() == ["new"]
