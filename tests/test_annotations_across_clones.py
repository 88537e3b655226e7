"""Annotations made in several clones merge without a conflict, in whatever order, whatever the clocks say."""

from __future__ import annotations

import random
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exptrack.analysis.annotationlines import decode_annotations, encode_annotation
from exptrack.backends.git import refs
from exptrack.backends.git.notes import read_notes
from exptrack.backends.git.notesmerge import merge_notes
from exptrack.backends.git.repository import Identity, find_repository
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Record, Run, Status
from exptrack.store.annotation import NOTES, add, read, standing, tombstones

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
CLONES = ("ada", "bob", "eve")
TAGS = ("best", "paper")
KINDS = (AnnotationKind.TAG, AnnotationKind.NOTE, AnnotationKind.TOMBSTONE)

# What happens in which clone: something is put on (a kind, and which value), all of a kind that is seen there is taken off, or what
# another clone has is merged. Clocks differ by days.
CLONE = st.sampled_from(CLONES)
PUT = st.tuples(st.just("put"), CLONE, st.sampled_from(KINDS), st.sampled_from(TAGS))
TAKE = st.tuples(st.just("take"), CLONE, st.sampled_from(KINDS), st.sampled_from(TAGS))
MERGE = st.tuples(st.just("merge"), CLONE, CLONE, st.none())
STEPS = st.lists(st.one_of(PUT, TAKE, MERGE), max_size=30)
SKEWS = st.fixed_dictionaries({clone: st.integers(-3, 3) for clone in CLONES})


def make_run(oid: str = "1" * 40) -> Run:
    return Run(Record("one", Status.COMPLETED, START, tags=("given",)), oid, "refs/exptrack/runs/2026-01/one")


class Expected:
    """What must stand: what was put on anywhere, less what somebody took off who had seen it."""

    def __init__(self) -> None:
        self.seen: dict[str, set[str]] = {clone: set() for clone in CLONES}
        self.removed: set[str] = set()
        self.known: dict[str, set[str]] = {clone: set() for clone in CLONES}  # removals

    def put(self, clone: str, id_: str) -> None:
        self.seen[clone].add(id_)

    def take(self, clone: str, ids: set[str]) -> None:
        self.known[clone] |= ids
        self.removed |= ids

    def merge(self, clone: str, other: str) -> None:
        self.seen[clone] |= self.seen[other]
        self.known[clone] |= self.known[other]

    def standing_in(self, clone: str) -> set[str]:
        return self.seen[clone] - self.known[clone]

    def standing_at_last(self) -> set[str]:
        return set().union(*self.seen.values()) - self.removed


def line(number: int, kind: AnnotationKind, value: str | None, skew: int, removes: tuple[str, ...] = ()) -> Annotation:
    moment = START + timedelta(days=skew, seconds=number)
    return Annotation(f"{number:016x}", kind, moment, "Ada", value, removes)


def seen_ids(run: Run, lines, kind: AnnotationKind, value: str) -> tuple[str, ...]:
    found = (one for one in standing(run, lines) if one.kind is kind and one.value == value)
    return tuple(one.id for one in found if not one.id.startswith("start:"))


@settings(max_examples=300, deadline=None)
@given(STEPS, SKEWS, st.randoms(use_true_random=False))
def test_sets_of_lines_agree_when_all_have_met(steps, skews, chance):
    run, expected = make_run(), Expected()
    lines: dict[str, dict[str, Annotation]] = {clone: {} for clone in CLONES}
    for number, (what, clone, which, value) in enumerate(steps):
        if what == "merge":
            lines[clone] |= lines[which]
            expected.merge(clone, which)
        elif what == "put":
            one = line(number, which, value, skews[clone])
            lines[clone][one.id] = one
            expected.put(clone, one.id)
        elif ids := seen_ids(run, lines[clone].values(), which, value):
            one = line(number, AnnotationKind.REMOVAL, None, skews[clone], ids)
            lines[clone][one.id] = one
            expected.take(clone, set(ids))
        here = {one.id for one in standing(run, lines[clone].values())} - {"start:tag:given"}
        assert here == expected.standing_in(clone)
    together = [one for clone in CLONES for one in lines[clone].values()]
    results = set()
    for _ in range(3):
        chance.shuffle(together)
        text = "\n".join(encode_annotation(one) for one in together)
        results.add(standing(run, decode_annotations(text)))
    assert len(results) == 1
    [result] = results
    assert {one.id for one in result} - {"start:tag:given"} == expected.standing_at_last()
    assert tombstones(together) == tuple(one for one in result if one.kind is AnnotationKind.TOMBSTONE)


@pytest.fixture
def clones(repository, git, tmp_path) -> dict[str, Path]:
    """Three clones of a repository with three commits that stand for runs."""
    for number in range(2):
        git("commit", "--quiet", "--allow-empty", "-m", str(number), cwd=repository)
    folders = {clone: tmp_path / clone for clone in CLONES}
    for folder in folders.values():
        git("clone", "--quiet", repository, folder)
    return folders


def merge(git, ours: Path, theirs: Path, identity: Identity) -> None:
    """As `fetch` does it: the other's annotations come into a scratch ref, and are merged from there."""
    scratch = "refs/exptrack/incoming/test/notes"
    if not refs.list_refs(find_repository(theirs), NOTES):
        return
    git("fetch", "--quiet", "--no-tags", "--refmap=", theirs, f"+{NOTES}:{scratch}", cwd=ours)
    other = git("rev-parse", scratch, cwd=ours)
    git("update-ref", "-d", scratch, cwd=ours)
    merge_notes(find_repository(ours), NOTES, other, identity)


@pytest.mark.parametrize("seed", range(4))
def test_clones_agree_when_all_have_met(seed, clones, git, repository):
    chance = random.Random(seed)
    places = {clone: find_repository(folder) for clone, folder in clones.items()}
    people = {clone: Identity(clone, f"{clone}@example.com") for clone in CLONES}
    skews = {clone: chance.randint(-3, 3) for clone in CLONES}
    runs = [make_run(oid) for oid in git("rev-list", "HEAD", cwd=repository).split()]
    expected = {run.oid: Expected() for run in runs}
    for number in range(40):
        what, clone, run = chance.choice(("put", "put", "take", "merge")), chance.choice(CLONES), chance.choice(runs)
        kind, value = chance.choice(KINDS), chance.choice(TAGS)
        if what == "merge":
            other = chance.choice([one for one in CLONES if one != clone])
            merge(git, clones[clone], clones[other], people[clone])
            for one in expected.values():
                one.merge(clone, other)
        elif what == "put":
            annotation = line(number, kind, value, skews[clone])
            add(places[clone], people[clone], [(run, annotation)])
            expected[run.oid].put(clone, annotation.id)
        else:
            ids = seen_ids(run, read(places[clone], [run.oid]).get(run.oid, ()), kind, value)
            if ids:
                annotation = line(number, AnnotationKind.REMOVAL, None, skews[clone], ids)
                add(places[clone], people[clone], [(run, annotation)])
                expected[run.oid].take(clone, set(ids))
    _let_all_meet(git, clones, people, chance)
    found = {clone: read(place) for clone, place in places.items()}
    for run in runs:
        results = {standing(run, found[clone].get(run.oid, ())) for clone in CLONES}
        assert len(results) == 1
        [result] = results
        assert {one.id for one in result} - {"start:tag:given"} == expected[run.oid].standing_at_last()
    for place in places.values():
        git("fsck", "--strict", cwd=place.top)
        for text in read_notes(place, NOTES).values():
            assert len(set(text.splitlines())) == len(text.splitlines()), "each line once"


def _let_all_meet(git, clones: dict[str, Path], people: dict[str, Identity], chance: random.Random) -> None:
    """Every clone merges from every other, twice: the second time the merges themselves."""
    for _ in range(2):
        pairs = list(permutations(CLONES, 2))
        chance.shuffle(pairs)
        for ours, theirs in pairs:
            merge(git, clones[ours], clones[theirs], people[ours])


def test_a_tag_added_while_it_is_taken_off_elsewhere_stays(clones, git, repository):
    ada, bob, _ = (find_repository(folder) for folder in clones.values())
    person = Identity("Ada", "ada@example.com")
    run = make_run(git("rev-parse", "HEAD", cwd=repository))
    first = line(1, AnnotationKind.TAG, "best", 0)
    add(ada, person, [(run, first)])
    merge(git, bob.top, ada.top, person)
    add(bob, person, [(run, line(2, AnnotationKind.REMOVAL, None, 3, (first.id,)))])
    again = line(3, AnnotationKind.TAG, "best", -3)
    add(ada, person, [(run, again)])
    merge(git, bob.top, ada.top, person)
    merge(git, ada.top, bob.top, person)
    for place in (ada, bob):
        assert standing(run, read(place)[run.oid])[1:] == (again,)
    add(bob, person, [(run, line(4, AnnotationKind.REMOVAL, None, -3, (again.id,)))])
    merge(git, ada.top, bob.top, person)
    assert standing(run, read(ada)[run.oid])[1:] == (), "what was seen and taken off is gone"


def test_both_clones_remove_a_run_and_one_brings_it_back(clones, git, repository):
    """Only a tombstone that was seen is taken off by restoring a run."""
    ada, bob, _ = (find_repository(folder) for folder in clones.values())
    person = Identity("Ada", "ada@example.com")
    run = make_run(git("rev-parse", "HEAD", cwd=repository))
    add(ada, person, [(run, line(1, AnnotationKind.TOMBSTONE, None, 0))])
    add(bob, person, [(run, line(2, AnnotationKind.TOMBSTONE, None, 0))])
    add(ada, person, [(run, line(3, AnnotationKind.REMOVAL, None, 0, (f"{1:016x}",)))])
    merge(git, ada.top, bob.top, person)
    assert [one.id for one in tombstones(read(ada)[run.oid])] == [f"{2:016x}"]


def test_git_itself_reads_what_was_merged(clones, git, repository):
    ada, bob, _ = (find_repository(folder) for folder in clones.values())
    person = Identity("Ada", "ada@example.com")
    run = make_run(git("rev-parse", "HEAD", cwd=repository))
    for place, number in ((ada, 1), (bob, 2)):
        add(place, person, [(run, line(number, AnnotationKind.TAG, f"tag{number}", 0))])
    merge(git, ada.top, bob.top, person)
    shown = subprocess.run(
        ["git", "notes", "--ref=exptrack", "show", run.oid], cwd=ada.top, capture_output=True, check=True
    )
    assert len(shown.stdout.splitlines()) == 2
