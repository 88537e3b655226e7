"""Programs are taken before data, limits hold, and what stays out is named with its reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.secrets import looks_secret
from exptrack.analysis.selection import Candidate, choose, is_source
from exptrack.model.data import Omission, Reason
from exptrack.model.settings import MIB, SECRET_PATTERNS, Limits

WIDE = Limits()
NAMES = st.sampled_from(
    [
        "a.py",
        "b.R",
        "notes.md",
        "Makefile",
        "data/1.img",
        "data/2.img",
        "data/deep/3.img",
        "x.bin",
        ".env",
        "keys/id_rsa",
        "y",
        "sub/c.ipynb",
        "sub/model.pt",
    ]
)
CANDIDATES = st.dictionaries(NAMES, st.tuples(st.integers(0, 50), st.booleans(), st.booleans()), max_size=13).map(
    lambda files: [
        Candidate(path, size, readable=readable, regular=regular) for path, (size, readable, regular) in files.items()
    ]
)
LIMITS = st.builds(Limits, st.integers(1, 60), st.integers(0, 150), st.integers(0, 8))


def taken(candidates: list[Candidate], limits: Limits = WIDE) -> tuple[str, ...]:
    return choose(candidates, limits, SECRET_PATTERNS)[0]


def left(candidates: list[Candidate], limits: Limits = WIDE) -> tuple[Omission, ...]:
    return choose(candidates, limits, SECRET_PATTERNS)[1]


def test_what_fits_is_taken_sorted():
    assert choose([Candidate("b.bin", 5), Candidate("a.py", 5)], WIDE, ()) == (("a.py", "b.bin"), ())
    assert choose([], WIDE, SECRET_PATTERNS) == ((), ())


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (Candidate(".env", 1), Reason.SECRET),
        (Candidate("socket", 0, regular=False), Reason.SPECIAL),
        (Candidate("locked.py", 1, readable=False), Reason.UNREADABLE),
        (Candidate("big.py", MIB + 1), Reason.TOO_LARGE),
        (Candidate("id_rsa", 9 * MIB, readable=False, regular=False), Reason.SECRET),
    ],
)
def test_each_file_that_stays_out_has_its_reason(candidate, reason):
    assert left([candidate, Candidate("a.py", 1)]) == (Omission(candidate.path, reason, candidate.size),)


def test_a_file_of_just_the_limit_is_taken():
    assert taken([Candidate("a.bin", MIB)]) == ("a.bin",)
    assert taken([Candidate("a.bin", 3), Candidate("b.bin", 3)], Limits(total_size=6)) == ("a.bin", "b.bin")


def test_sources_come_before_smaller_data_and_small_data_before_large():
    files = [
        Candidate("data.bin", 1),
        Candidate("huge.bin", 900),
        Candidate("deep/down/train.py", 500),
        Candidate("x.bin", 2),
    ]
    assert taken(files, Limits(files=1)) == ("deep/down/train.py",)
    assert taken(files, Limits(files=3)) == ("data.bin", "deep/down/train.py", "x.bin")
    assert taken(files, Limits(total_size=502)) == ("data.bin", "deep/down/train.py")


def test_of_like_files_those_near_the_root_come_first():
    files = [Candidate("a/b/c.py", 10), Candidate("z.py", 12), Candidate("a/b.py", 9)]
    assert taken(files, Limits(files=1)) == ("z.py",)
    assert taken(files, Limits(files=2)) == ("a/b.py", "z.py")


def test_what_comes_after_one_that_does_not_fit_may_fit():
    files = [Candidate("a.py", 60), Candidate("b.py", 90), Candidate("c.py", 40)]
    assert taken(files, Limits(total_size=100)) == ("a.py", "c.py")


def test_a_hundred_thousand_images_are_one_line():
    files = [Candidate(f"images/{number}.png", 10) for number in range(100_000)] + [
        Candidate("train.py", 10),
        Candidate("one.img", 10),
    ]
    chosen, omissions = choose(files, Limits(files=1), SECRET_PATTERNS)
    assert chosen == ("train.py",)
    assert omissions == (
        Omission("images/", Reason.TOO_MANY, 1_000_000, 100_000),
        Omission("one.img", Reason.TOO_MANY, 10),
    )


@pytest.mark.parametrize(
    "path", ["a.py", "A.PY", "b.R", "x/y.ipynb", "Makefile", "sub/Dockerfile", "dvc.lock", "params.yaml", "c.c++.h"]
)
def test_what_a_person_wrote_is_a_source(path):
    assert is_source(path)


@pytest.mark.parametrize(
    "path", ["model.pt", "a.npz", "py", ".py", "image.png", "data.csv", "a.py.bak", "folder.py/data"]
)
def test_what_a_program_wrote_is_none(path):
    assert not is_source(path)


@given(CANDIDATES, LIMITS)
def test_every_file_is_taken_or_named_and_the_limits_hold(candidates, limits):
    chosen, omissions = choose(candidates, limits, SECRET_PATTERNS)
    by_path = {candidate.path: candidate for candidate in candidates}
    assert list(chosen) == sorted(chosen)
    assert [one.path for one in omissions] == sorted(one.path for one in omissions)
    assert len(chosen) <= limits.files
    assert sum(by_path[path].size for path in chosen) <= limits.total_size
    for path in chosen:
        candidate = by_path[path]
        assert candidate.readable
        assert candidate.regular
        assert candidate.size <= limits.file_size
        assert not looks_secret(path, SECRET_PATTERNS)
    assert len(chosen) + sum(one.files or 1 for one in omissions) == len(candidates)
    assert sum(by_path[path].size for path in chosen) + sum(one.size or 0 for one in omissions) == sum(
        one.size for one in candidates
    )


@given(CANDIDATES, LIMITS, st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_does_not_matter(candidates, limits, random):
    expected = choose(candidates, limits, SECRET_PATTERNS)
    random.shuffle(candidates)
    assert choose(candidates, limits, SECRET_PATTERNS) == expected


@given(CANDIDATES, LIMITS)
def test_data_never_takes_the_place_of_a_program(candidates, limits):
    chosen = set(taken(candidates, limits))
    programs = [candidate for candidate in candidates if is_source(candidate.path)]
    assert chosen & {candidate.path for candidate in programs} == set(taken(programs, limits))
