"""What is about a few runs reads these: the records of the others are taken away, once the index knows what is in them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from studies import BEGAN, EXPERIMENT, GOAL, HIGH, LOW, Study

from exptrack.backends.git.refs import create_ref
from exptrack.errors import RecordError
from exptrack.model.pipeline import StageRun, StageState
from exptrack.model.run import Links
from exptrack.model.sharing import Clash
from exptrack.operations.compare import Asked, compare
from exptrack.operations.conclude import conclude
from exptrack.operations.experiments import list_experiments, write_commands
from exptrack.operations.garbage import find_dropped
from exptrack.operations.plotting.sources import find_sources
from exptrack.operations.remove import choose, remove
from exptrack.operations.reproducing.evidence import find_replicates
from exptrack.operations.select import select
from exptrack.operations.sharing.copying import copy_run, without_copied
from exptrack.project import Project
from exptrack.store.runs import RECORD

SETTINGS = GOAL + EXPERIMENT
CANNOT = "1 run cannot be read: `exptrack fsck` tells more"


@pytest.fixture
def filled(study) -> Study:
    """Eight runs of an experiment that is declared, four of one that is not, and four of none."""
    study.declare(SETTINGS)
    for lr, values in ((0.1, LOW), (0.3, HIGH)):
        study.fill({"lr": lr}, values, experiment="rate")
    study.fill({"lr": 0.2}, LOW, experiment="other")
    study.fill({"lr": 0.5}, HIGH)
    return study


@pytest.fixture
def context(filled, repository, git, monkeypatch):
    """What is left once the index stands, and no record of a run outside of the experiment is there any more."""
    monkeypatch.delenv("EXPTRACK_NO_INDEX", raising=False)
    project = Project(repository)
    outside = [run.name for run in project.runs() if run.record.experiment != "rate"]
    assert len(outside) == 8
    for name in outside:
        lose(repository, git, name)
    # Who reads one of them now gets an error, and the next command an index without them.
    return project.context


def lose(folder: Path, git, name: str) -> None:
    """Take the record of a run away."""
    ref = git("for-each-ref", "--format=%(refname)", f"refs/exptrack/runs/*/{name}", cwd=folder)
    blob = git("rev-parse", f"{ref}:{RECORD}", cwd=folder)
    (folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()


@pytest.mark.parametrize(
    "asked",
    [
        Asked(experiment="rate"),
        Asked(("run-001", "run-005")),
        Asked(("params.lr >= 0.1 and experiment = rate",)),
        Asked(("run-002..run-008",)),
    ],
)
def test_a_comparison_within_an_experiment_reads_its_runs(context, asked):
    found = compare(context, asked)
    assert (found.experiment, found.tried, [len(one.runs) for one in found.configurations]) == ("rate", 2, [4, 4])
    assert CANNOT not in found.notes


def test_to_choose_and_to_conclude_takes_the_runs_of_the_experiment(context):
    assert select(context, "rate").chosen.label == "lr=0.3"
    assert conclude(context, "rate").runs == 8


def test_experiments_that_are_not_declared_are_counted_by_what_is_known_of_their_runs(context):
    assert [(one.name, one.runs) for one in list_experiments(context)] == [("rate", 8), ("other", 4)]
    assert [one.runs for one in list_experiments(context, "other")] == [4]
    assert len(write_commands(context, "rate")) == 4


def test_a_plot_of_an_experiment_reads_its_runs(context):
    found, notes = find_sources(context, (), "rate")
    assert ([one.name for one in found], notes) == ([f"run-00{number}" for number in range(1, 9)], [])


def test_replicates_are_looked_for_among_runs_with_the_same_parameters(filled, repository, git):
    for number in range(20):
        filled.add({"lr": 0.7, "seed": number}, {})
    filled.add({"lr": 0.7, "seed": 0, "more": 1}, {}, name="more")
    project = Project(repository)
    assert len(project.runs()) == 37
    lose(repository, git, "run-001")
    found = find_replicates(project.context, project.run("run-020"), None, ())
    assert [one.name for one in found.outcomes] == [f"run-0{number}" for number in range(17, 37)]
    with pytest.raises(RecordError):
        find_replicates(project.context, project.run("run-002"), None, ())


def test_runs_that_a_query_names_are_removed_without_a_look_at_the_others(context):
    chosen = choose(context, ["metrics.accuracy > 0.85 and experiment = rate"])
    assert remove(context, chosen) == ("run-008", "run-007", "run-006", "run-005")


def test_of_a_policy_those_runs_are_read_that_it_drops(filled, repository, git):
    filled.declare(SETTINGS + "keep: {data: experiment = rate}\n")
    context = Project(repository).context
    late = (BEGAN + timedelta(days=400)).timestamp()
    assert len(find_dropped(context, late)) == 8
    lose(repository, git, "run-001")
    assert {run.record.experiment for run in find_dropped(context, late)} == {"other", None}


def test_a_copy_is_found_by_its_snapshot(filled, repository):
    project = Project(repository)
    run = project.run("run-001")
    clash = Clash("run-001", run.oid, "0" * 40)
    assert without_copied(project.context.repository, [clash]) == [clash]
    copy_run(project.context, run, "mine")
    assert without_copied(project.context.repository, [clash]) == []


def test_a_run_that_cannot_be_read_is_told_in_every_experiment(filled, ask, repository, git):
    git("update-ref", "refs/exptrack/runs/2026-01/none", "HEAD", cwd=repository)
    assert CANNOT in ask(experiment="rate").notes
    assert CANNOT in ask("run-001", "run-005").notes
    assert CANNOT in find_sources(Project(repository).context, (), "rate")[1]


def test_what_is_left_out_elsewhere_is_told_as_if_all_had_been_read(filled, ask, repository):
    stage = StageRun("train", StageState.RAN, deps={"a": "md5:1"}, outs={"b": "md5:2"})
    for experiment, state in ((None, StageState.RAN), ("rate", StageState.SKIPPED)):
        filled.add({"lr": 0.3}, {}, experiment=experiment, command=(), stages=(stage._replace(state=state),))
    filled.add({"lr": 0.3}, {}, links=Links(reproduces="run-001"))
    context = Project(repository).context
    remove_mark(context, "run-016")
    told = [note for note in ask("run-001", "run-005").notes if "left out" in note]
    assert told == [
        "1 run left out: somebody removed it",
        "1 run left out: it executed another run again",
        "1 run left out: no stage was run anew, so the result is that of an earlier run",
    ]


def remove_mark(context, name: str) -> None:
    """As others removed it: a tombstone, and the ref is still here."""
    [run] = choose(context, [name])
    remove(context, [run])
    create_ref(context.repository, run.ref, run.oid, "back")
