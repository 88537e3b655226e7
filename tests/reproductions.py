"""Reproductions to show: exact, statistical and nondeterministic, one whose execution failed, one at other code; and random ones."""

from __future__ import annotations

from datetime import UTC, datetime

from differences import DIFFERENCES, HOSTILE, LEAVES, TEXTS, between, run_side
from hypothesis import strategies as st

from exptrack.model.change import Kind
from exptrack.model.difference import Difference, FileChange, Side
from exptrack.model.reproduction import Answer, Divergence, Level, LevelAnswer, Reproduction
from exptrack.model.run import Record, Run, Status

NAME, RERUN = "brave-otter-k3f9", "calm-fox-a1b2"
PATCH = "diff --git a/train.py b/train.py\n@@ -1 +1 @@\n-rate = 1\n+rate = 2\n"


def run(name: str = RERUN, status: Status = Status.COMPLETED, **facts) -> Run:
    oid = "1" * 40 if name == NAME else "2" * 40
    facts = {"duration": 3.14, "exit_code": 0 if status is Status.COMPLETED else 1, **facts}
    return Run(Record(name, status, datetime(2026, 1, 31, tzinfo=UTC), **facts), oid, "")


def levels(*answers: Answer | tuple) -> tuple[LevelAnswer, ...]:
    """The four levels, each an answer alone or with its evidence."""
    return tuple(
        LevelAnswer(level, answer[0], answer[1:]) if isinstance(answer, tuple) else LevelAnswer(level, answer)
        for level, answer in zip(Level, answers, strict=True)
    )


def sides(status: Status = Status.COMPLETED, **trees) -> tuple[Side, Side]:
    """The run and its execution; each of `trees` is a pair."""
    old = run_side(NAME, **{area: pair[0] for area, pair in trees.items()})
    return old, run_side(RERUN, status, **{area: pair[1] for area, pair in trees.items()})


CONCEPTUAL = (Answer.CANNOT_ASSESS, "no baseline is declared")
EXACT = Reproduction(
    run(NAME),
    (run(),),
    levels(
        (Answer.YES, "2 files and 3 metrics are the same"),
        (Answer.CANNOT_ASSESS, "1 earlier run of this configuration, 3 are needed"),
        (Answer.YES, "the same code, data and parameters, and the same metrics"),
        CONCEPTUAL,
    ),
    Difference(*sides()),
)
STATISTICAL = Reproduction(
    run(NAME),
    (run(), run("dear-crow-77aa", duration=4000)),
    levels(
        (Answer.NO, "differs: 1 of 2 files, the first `model.pkl`", "loss: 0.41 → 0.42"),
        (Answer.YES, "loss: 0.42 lies inside 0.41 ± 0.05, from 5 earlier seeds and 2 reruns"),
        (Answer.YES, "loss: 2.4 % away, 5 % are allowed"),
        CONCEPTUAL,
    ),
    between(
        *sides(
            metrics=({"loss": 0.41}, {"loss": 0.42}),
            environment=(
                {"hardware": {"cpu": "Xeon"}, "packages": {f"p{number:02}": "1.0" for number in range(12)}},
                {"hardware": {"cpu": "EPYC"}, "packages": {f"p{number:02}": "1.1" for number in range(12)}},
            ),
        ),
        cautions=("same.csv was modified on both sides",),
    ),
    Divergence(stage="train", output="model.pkl", old="md5:" + "a" * 32, new="md5:" + "b" * 32),
    nondeterministic="the seed is recorded and environment and hardware agree, so exact was expected: first diverges at model.pkl",
    environment="recorded",
    notes=("loss is the only metric that is declared",),
)
FAILED = Reproduction(
    run(NAME),
    (run(status=Status.FAILED),),
    levels(
        (Answer.NO, "the execution failed"),
        (Answer.CANNOT_ASSESS, "no execution completed"),
        (Answer.NO, "the execution failed"),
        CONCEPTUAL,
    ),
    between(*sides(Status.FAILED, metrics=({"loss": 0.41}, {}))),
)
AT = Reproduction(
    run(NAME),
    (run(),),
    levels(
        (Answer.NO, "differs: 2 of 2 files"),
        (Answer.TOO_WEAK, "loss: 0.5 lies inside 0.41 ± 0.3, which is wider than min_effect (0.01)"),
        (Answer.NO, "code, data and parameters differ"),
        CONCEPTUAL,
    ),
    between(
        *sides(
            params=({"lr": 0.1}, {"lr": 0.2}),
            metrics=({"loss": 0.41}, {"loss": 0.5}),
            data=({"data/raw.csv": "md5:aa"}, {"data/raw.csv": "md5:bb"}),
        ),
        files=(FileChange("train.py", Kind.CHANGED, 1, 1),),
        patch=PATCH,
    ),
    Divergence(metric="loss", step=3, old=0.61, new=0.7),
    at="main",
)

RUNS = st.builds(
    lambda name, status, duration: run(name, status, duration=duration),
    TEXTS, st.sampled_from(Status), st.none() | st.floats(0, 1e9),
)  # fmt: skip
MAYBE = st.none() | TEXTS
LINES = st.lists(TEXTS, max_size=4).map(tuple)
REPRODUCTIONS = st.builds(
    Reproduction,
    RUNS,
    st.lists(RUNS, max_size=3).map(tuple),
    st.tuples(*(st.builds(LevelAnswer, st.just(level), st.sampled_from(Answer), LINES) for level in Level)),
    DIFFERENCES,
    st.none() | st.builds(Divergence, MAYBE, MAYBE, MAYBE, st.none() | st.integers(0, 9), LEAVES, LEAVES),
    MAYBE,
    MAYBE,
    st.sampled_from(["present", "recorded"]),
    LINES,
)


def hostile(text: str) -> Reproduction:
    """A reproduction that holds the text wherever a stranger may have put it."""
    side = run_side(text, params={text: 0}, environment={"packages": {text: text}})
    other = run_side(text, params={text: text}, data={text or "x": f"md5:{text}"})
    return Reproduction(
        run(text),
        (run(text, Status.FAILED, signal=text),),
        levels(*((answer, text, f"{text} {text}") for answer in Answer)),
        between(
            side,
            other,
            files=(FileChange(text, Kind.CHANGED, 1, 1),),
            patch=f"{text}\n",
            skipped={"metrics": text},
            cautions=(text,),
        ),
        Divergence(text, text, text, 1, text, f"{text}!"),
        text,
        text,
        "recorded",
        (text,),
    )


ALL_HOSTILE = [hostile(text) for text in HOSTILE]
