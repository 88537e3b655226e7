"""Rows from the index are those that Git has, whole runs too, and when the index has gone meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest
from indexed import point, save, save_many
from inventedruns import FIELDS, invent_asked, invent_lines, invent_records

from exptrack.analysis.codec import encode_record
from exptrack.analysis.query import parse_query
from exptrack.backends.git.notes import list_notes
from exptrack.backends.git.repository import Repository, find_identity, find_repository
from exptrack.errors import RecordError
from exptrack.store import annotation, runs
from exptrack.store.catalog import Asked, Listed, Unanswered
from exptrack.store.gitcatalog import GitCatalog
from exptrack.store.index.file import opened
from exptrack.store.index.indexcatalog import IndexCatalog
from exptrack.store.index.place import INDEX


@pytest.fixture
def repo(repository):
    return find_repository(repository)


@pytest.fixture
def ask(repo: Repository) -> Callable[[Asked], Listed]:
    def select(asked: Asked) -> Listed:
        with opened(repo) as index:
            assert index is not None
            return IndexCatalog(repo, index).select(asked)

    return select


def test_both_catalogs_say_the_same_of_one_repository(repo, git):
    random = Random(9)
    saved = [save(repo, one.name, encode_record(one), started=one.started) for one in invent_records(random, 12, 0)]
    lines = [(oid, line) for _, oid in saved for line in invent_lines(random)]
    annotation.add_to(repo, find_identity(repo), lines)
    with opened(repo) as index:
        assert index is not None
        assert [*IndexCatalog(repo, index).tagged("a").items()] == [*GitCatalog(repo).tagged("a").items()] != []
    blobs = list_notes(repo, annotation.NOTES)
    lost = blobs[lines[0][0]]
    (repo.common_dir / "objects" / lost[:2] / lost[2:]).unlink()
    (repo.shared / INDEX).unlink()  # which still has it
    for place, (_, oid) in enumerate(saved[:4]):
        point(repo, f"refs/exptrack/runs/{('2026-01', '2026-02', '1943-12', 'x')[place]}/broken", oid)
    with opened(repo) as index:
        assert index is not None
        ours, plain = IndexCatalog(repo, index), GitCatalog(repo)
        assert ours.among == plain.among == 16
        assert set(ours.names()) == set(plain.names())
        with pytest.raises(Unanswered):
            ours.tagged("a")
        everything = plain.select(Asked())
        assert len(everything.broken) == 4 + sum(blobs.get(oid) == lost for _, oid in saved)
        listed = everything.rows.load(0, 12)
        questions = [Asked(), *(Asked(number=number) for number in range(14))]
        questions += [invent_asked(random, listed) for _ in range(60)]
        for asked in questions:
            check_alike(ours, plain, asked)


def check_alike(ours: IndexCatalog, plain: GitCatalog, asked: Asked) -> None:
    with suppress(Unanswered):
        found, wanted = ours.select(asked), plain.select(asked)
        assert found.rows.load(0, 100) == wanted.rows.load(0, 100), asked
        assert sorted(found.broken) == sorted(wanted.broken), asked


def test_what_the_index_had_comes_from_git_when_it_has_gone(repo, ask):
    save_many(repo, 5)
    annotation.add_to(
        repo,
        find_identity(repo),
        [(runs.list_run_refs(repo)["refs/exptrack/runs/2026-01/run-1"], line) for line in invent_lines(Random(2))],
    )
    rows = ask(Asked(parse_query("metrics.accuracy > 0"))).rows
    assert len(rows) == 4
    names = ("metrics.accuracy", "params.lr", "params.layers.0", "params.none", *FIELDS)
    before = [[*rows.column(name)] for name in names], rows.keys("params"), rows.varying(), rows.load(1, 3)
    fresh = rows.pick(range(4))
    again = ask(Asked(parse_query("metrics.accuracy > 0"))).rows
    shutil.rmtree(repo.shared)
    assert (
        [[*again.column(name)] for name in names],
        again.keys("params"),
        again.varying(),
        again.load(1, 3),
    ) == before
    assert [*fresh.column("metrics.accuracy")] == before[0][0]
    assert fresh.keys("metrics") == {"accuracy": 4}


def test_rows_stay_what_they_were_while_others_record_and_remove(repo, ask):
    saved = save_many(repo, 4)
    rows = ask(Asked()).rows
    point(repo, saved[2][0], None)
    save_many(repo, 3, "later")
    assert len(ask(Asked()).rows) == 6
    assert [*rows.column("metrics.accuracy")] == [0.375, 0.25, 0.125, 0.0]
    assert [run.name for run in rows.load(0, 9)] == ["run-3", "run-2", "run-1", "run-0"]


def test_a_run_whose_objects_have_gone_is_named(repo, ask, git):
    [(_, oid), _] = save_many(repo, 2)
    rows = ask(Asked()).rows
    record = git("rev-parse", f"{oid}:.exptrack/run.json", cwd=repo.top).strip()
    (repo.common_dir / "objects" / record[:2] / record[2:]).unlink()
    assert [run.name for run in rows.load(0, 1)] == ["run-1"]
    with pytest.raises(RecordError, match="the run run-0 cannot be read"):
        rows.load(0, 2)


def test_a_query_about_more_than_64_bits_is_left_to_git(repo, ask):
    save(repo, "large", params={"params.yaml": {"count": 2**70, "small": 1}})
    for text in ("params.count > 3", f"params.small < {2**64}"):
        with pytest.raises(Unanswered):
            ask(Asked(parse_query(text)))
    [value] = ask(Asked(parse_query("params.small = 1"))).rows.column("params.count")
    assert value == 2**70


def test_a_chain_of_many_terms_is_answered(repo, ask):
    save_many(repo, 3)
    text = " or ".join(f"metrics.accuracy = {number / 8}" for number in range(1, 3000))
    assert [*ask(Asked(parse_query(text))).rows.column("name")] == ["run-2", "run-1"]


def test_many_rows_of_one_value_do_not_vary_whichever_are_chosen(repo, ask):
    many = 24
    for place in range(many):
        lr = 0.1 if place % 2 else [0.2, None, "0.1", 1, True][place % 5]
        save(
            repo,
            f"run-{place:02}",
            params={"params.yaml": {"lr": lr, "same": [None, {}], "wide": place if place == 2 else 7.0}},
        )
    rows = ask(Asked(sort="name")).rows
    assert [*rows.varying()] == ["lr", "wide"]
    assert [*rows.pick(range(1, many, 2)).varying()] == []
    some = rows.pick([place for place in range(many) if place != 2])
    assert [*some.varying()] == ["lr"]
    assert [*rows.pick([1, 1, 2]).keys("params").items()] == [("lr", 3), ("same.0", 3), ("same.1", 3), ("wide", 3)]
