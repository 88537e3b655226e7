"""Claims that were checked, to show: those that hold, and each way of not holding; and random ones, with whatever a stranger may have written."""

from __future__ import annotations

from differences import DECLARED, DIFFERENCES, FULL, HOSTILE, PATHS, TEXTS
from hypothesis import strategies as st
from reproductions import EXACT, FAILED, LINES, MAYBE, NAME, REPRODUCTIONS, RUNS, STATISTICAL, hostile, levels, run

from exptrack.model import comparison
from exptrack.model.change import Change, Kind
from exptrack.model.checking import Bar, Beside, Checked, CheckedClaim, Claim, Misclaim, Verdict
from exptrack.model.difference import FileChange
from exptrack.model.reproduction import Answer, Level

COMMIT = "c" * 40
ADA = "Ada Lovelace <ada@example.com>"
CLAIM = Claim(NAME, "1" * 40, COMMIT, ADA)
RUN = run(NAME, author="Grace Hopper <grace@example.com>")
FILE = FileChange("train.py", Kind.CHANGED, 1, 1)
LOWERED = (
    Change("check", ("check", "require"), Kind.CHANGED, "statistical", "methodological"),
    Change("check", ("check", "tolerance", "loss"), Kind.ADDED, None, 0.5),
)
BROKEN = Misclaim("Exptrack-Run: brave-otter-k3f9", "d" * 40)

BETTER = comparison.Verdict(
    "lr=0.1",
    comparison.Word.BETTER,
    "better: accuracy +0.040 [95% CI +0.028, +0.052], 5 vs 5 seeds, Welch p=0.0002",
    flags=("selected_on_this_split",),
    notes=("seeds were not planned",),
)
BESIDE = Beside("calm-fox-a1b2", "accuracy", BETTER, 10, "rate")
HOLDS = CheckedClaim(CLAIM, Verdict.HOLDS, run=RUN, reproduction=EXACT, difference=FULL)
MISSED = CheckedClaim(
    CLAIM,
    Verdict.FAILS,
    "it reproduces statistically, and exact is required",
    RUN,
    notes=("brave-otter-k3f9 is claimed by somebody else than recorded it",),
    reproduction=STATISTICAL,
    difference=FULL,
)
ENDED = CheckedClaim(CLAIM, Verdict.FAILS, "the rerun failed, exit status 1", RUN, reproduction=FAILED)
AMENDED = CheckedClaim(CLAIM, Verdict.FAILS, "1 file of HEAD is not what ran", RUN, (FILE,))
MISSING = CheckedClaim(CLAIM, Verdict.UNKNOWN, "it is neither here nor in origin: `exptrack push brave-otter-k3f9`")
SUPERSEDED = CheckedClaim(CLAIM, Verdict.SUPERSEDED, "calm-fox-a1b2 is claimed since", RUN, (FILE,))


def checked(*claims: CheckedClaim, **facts) -> Checked:
    facts = {"baseline": "brave-otter-k3f9", "declared": DECLARED, **facts}
    return Checked("main", "HEAD", "a" * 40, "b" * 40, facts.pop("bar", Bar()), "main", claims=claims, **facts)


def numbered(one: CheckedClaim, number: int) -> CheckedClaim:
    return one._replace(claim=one.claim._replace(name=f"seed-{number}"))


FILES = st.builds(
    FileChange,
    PATHS,
    st.sampled_from(Kind),
    st.integers(0, 9),
    st.integers(0, 9),
    MAYBE,
    st.sampled_from([None, "100644"]),
    st.sampled_from([None, "100755"]),
)
CLAIMS = st.builds(
    CheckedClaim,
    st.builds(Claim, TEXTS, TEXTS, TEXTS, TEXTS),
    st.sampled_from(Verdict),
    TEXTS,
    st.none() | RUNS,
    st.lists(FILES, max_size=3).map(tuple),
    LINES,
    st.none() | REPRODUCTIONS,
    st.none() | DIFFERENCES,
    st.none(),
    st.none()
    | st.builds(
        Beside,
        TEXTS,
        TEXTS,
        st.builds(
            lambda word, line, notes: BETTER._replace(word=word, line=line, notes=notes),
            st.sampled_from(comparison.Word),
            TEXTS,
            LINES,
        ),
        st.integers(0, 99),
        MAYBE,
    ),
)
CHANGES = st.builds(
    Change, st.just("check"), st.lists(TEXTS, max_size=3).map(tuple), st.sampled_from(Kind), TEXTS, TEXTS
)
CHECKED = st.builds(
    Checked,
    MAYBE,
    TEXTS,
    MAYBE,
    MAYBE,
    st.builds(Bar, st.sampled_from(Level), st.integers(1, 5), st.none() | st.floats(0, 99), LINES),
    TEXTS,
    st.lists(CHANGES, max_size=3).map(tuple),
    st.lists(CLAIMS, max_size=3).map(tuple),
    st.lists(st.builds(Misclaim, TEXTS, TEXTS), max_size=3).map(tuple),
    MAYBE,
    MAYBE,
    st.sampled_from(["present", "recorded"]),
    notes=LINES,
)  # fmt: skip


def hostile_check(text: str) -> Checked:
    """A check that holds the text wherever a stranger may have put it."""
    found = hostile(text)
    none = found._replace(levels=levels(*((Answer.NO, text),) * 4))
    some = [
        CheckedClaim(Claim(text, text, text, text), verdict, text, found.original, found.difference.files, (text,), one, found.difference, None, Beside(text, text, BETTER._replace(label=text, line=text, notes=(text,)), 4, text))
        for verdict, one in zip(Verdict, (found, none, found, none), strict=True)
    ]  # fmt: skip
    changes = (Change("check", (text, text), Kind.CHANGED, text, f"{text}!"),)
    broken = (Misclaim(text, text),)
    return Checked(
        text, text, text, text, Bar(), text, changes, tuple(some), broken, text, text, "recorded", notes=(text,)
    )


ALL_HOSTILE_CHECKS = [hostile_check(text) for text in HOSTILE]
