"""Annotations are an observed-remove set: two clones that put their lines together agree, whatever their clocks say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.annotationlines import decode_annotations, encode_annotation
from exptrack.backends.git.repository import find_identity, find_repository
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Record, Run, Status
from exptrack.store.annotation import NOTES, add, make, read, standing

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
RUN = Run(
    Record("one", Status.COMPLETED, START, tags=("first", "second"), note="why"),
    "1" * 40,
    "refs/exptrack/runs/2026-01/one",
)
STARTED = {"start:tag:first", "start:tag:second", "start:note"}
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants it so


@st.composite
def clones(draw: st.DrawFn) -> tuple[list[str], list[str], set[str]]:
    """The lines of two clones that added, removed and fetched from each other, and the ids that should stand in the end."""
    lines: tuple[list[str], list[str]] = ([], [])
    seen: tuple[set[str], set[str]] = (set(STARTED), set(STARTED))
    added, removed = set(STARTED), set()
    for number in range(draw(st.integers(0, 12))):
        here = draw(st.integers(0, 1))
        step = draw(st.sampled_from(["tag", "note", "remove", "fetch"]))
        if step == "fetch":
            lines[here].extend(lines[1 - here])
            seen[here].update(seen[1 - here])
            continue
        ids = (
            tuple(draw(st.lists(st.sampled_from(sorted(seen[here])), min_size=1, max_size=2)))
            if step == "remove"
            else ()
        )
        kind = AnnotationKind.REMOVAL if step == "remove" else AnnotationKind(step)
        value = None if step == "remove" else draw(st.sampled_from(["a", "b", "two\nlines", "ünï"]))
        lines[here].append(encode_annotation(Annotation(f"id-{number}", kind, draw(TIMES), "A <a@b>", value, ids)))
        if step == "remove":
            removed.update(ids)
        else:
            added.add(f"id-{number}")
            seen[here].add(f"id-{number}")
    return *lines, added - removed


@given(clones(), st.randoms(use_true_random=False))
def test_lines_put_together_in_any_order_and_more_than_once_give_the_same(clones, random):
    here, there, expected = clones
    merged = standing(RUN, decode_annotations("\n".join([*here, *there])))
    assert {one.id for one in merged} == expected
    shuffled = [*there, *here, *here]
    random.shuffle(shuffled)
    assert standing(RUN, decode_annotations("\n".join(shuffled))) == merged
    assert standing(RUN, decode_annotations("\n".join(sorted({*here, *there})))) == merged, "as cat_sort_uniq merges"
    lines = [annotation for line in shuffled for annotation in decode_annotations(line)]
    assert standing(RUN, lines) == merged, "also if nobody took the duplicates out"


@given(clones(), TIMES)
def test_the_clocks_do_not_matter(clones, moment):
    here, there, expected = clones
    lines = [one._replace(time=moment) for one in decode_annotations("\n".join([*here, *there]))]
    assert {one.id for one in standing(RUN, lines)} == expected


def test_what_came_with_the_run_stands_first_then_the_oldest():
    later = [make_at("b", 2), make_at("a", 1), make_at("c", -1000)]
    assert RUN._replace(annotations=standing(RUN, later)).tags == ("first", "second", "c", "a", "b")
    assert RUN._replace(annotations=standing(RUN, later)).notes == ("why",)


def make_at(tag: str, seconds: int) -> Annotation:
    return Annotation(f"id-{tag}", AnnotationKind.TAG, START + timedelta(seconds=seconds), "A <a@b>", tag)


def test_a_tag_of_the_start_is_removed_by_its_id_and_can_be_put_on_again():
    gone = Annotation("r", AnnotationKind.REMOVAL, START, "A <a@b>", None, ("start:tag:first", "start:note"))
    assert [one.id for one in standing(RUN, [gone])] == ["start:tag:second"]
    assert RUN._replace(annotations=standing(RUN, [gone, make_at("first", 9)])).tags == ("second", "first")


def test_a_removal_cannot_be_removed():
    gone = Annotation("r", AnnotationKind.REMOVAL, START, "A <a@b>", None, ("start:note",))
    back = Annotation("s", AnnotationKind.REMOVAL, START, "A <a@b>", None, ("r",))
    assert AnnotationKind.NOTE not in {one.kind for one in standing(RUN, [gone, back])}


def test_a_value_counts_once_however_often_it_was_given():
    doubled = RUN._replace(record=RUN.record._replace(tags=("x", "x")))
    assert [one.value for one in standing(doubled, []) if one.kind is AnnotationKind.TAG] == ["x"]
    assert doubled._replace(annotations=standing(doubled, [make_at("x", 1), make_at("x", 2)])).tags == ("x",)


@pytest.fixture
def run(repository, git):
    return RUN._replace(oid=git("rev-parse", "HEAD", cwd=repository))


def test_annotations_are_read_back_from_git(repository, run):
    repo = find_repository(repository)
    ada = find_identity(repo)
    assert read(repo) == {}
    tag, note = make(AnnotationKind.TAG, "best", ada), make(AnnotationKind.NOTE, "two\nlines ünï \x1b[31m\udcff", ada)
    add(repo, ada, [(run, tag), (run, note)])
    add(repo, ada, [])
    assert read(repo) == {run.oid: (tag, note)} == read(repo, [run.oid])
    assert read(repo, ["2" * 40]) == {}
    assert tag.author == "Ada Lovelace <ada@example.com>"
    assert len(tag.id) == 16


def test_two_clones_agree_after_a_merge(repository, run, git, tmp_path):
    git("clone", "--quiet", repository, tmp_path / "clone")
    here, there = find_repository(repository), find_repository(tmp_path / "clone")
    ada = find_identity(here)
    kept, taken_off = make(AnnotationKind.TAG, "kept", ada), make(AnnotationKind.TAG, "best", ada)
    add(here, ada, [(run, kept), (run, taken_off)])
    git("fetch", "--quiet", "origin", f"{NOTES}:{NOTES}", cwd=there.top)
    add(here, ada, [(run, make(AnnotationKind.REMOVAL, None, ada, [taken_off.id]))])
    again = make(AnnotationKind.TAG, "best", ada)._replace(time=START)  # by a clock that is behind
    add(there, ada, [(run, again)])
    for mine, other in ((here, there), (there, here)):
        git("fetch", "--quiet", other.top, f"+{NOTES}:refs/notes/other", cwd=mine.top)
    for repo in (here, there):
        git("notes", f"--ref={NOTES}", "merge", "--quiet", "-s", "cat_sort_uniq", "refs/notes/other", cwd=repo.top)
    stands = [standing(run, read(repo)[run.oid]) for repo in (here, there)]
    assert stands[0] == stands[1]
    assert {one.id for one in stands[0]} == {*STARTED, kept.id, again.id}


def test_lines_that_mean_nothing_to_us_stay_and_harm_nothing(repository, run, git):
    repo = find_repository(repository)
    ada = find_identity(repo)
    foreign = 'by hand\n{"id": "x", "kind": "from the future", "time": "2026-01-31T12:00:00Z"}\n{"id": "half\n[]\n'
    git("notes", f"--ref={NOTES}", "add", "-F", "-", run.oid, cwd=repository, stdin=foreign)
    tag = make(AnnotationKind.TAG, "best", ada)
    add(repo, ada, [(run, tag)])
    assert read(repo) == {run.oid: (tag,)}
    assert git("notes", f"--ref={NOTES}", "show", run.oid, cwd=repository).startswith(foreign.rstrip())
