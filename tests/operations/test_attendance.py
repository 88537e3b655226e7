"""What a recorder does beside a run: it never raises, never waits long, and asks again."""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import UTC, datetime

import pytest

from exptrack.model.run import Links, Record, Status
from exptrack.operations.recording import attendance as module
from exptrack.operations.recording import reactions
from exptrack.operations.recording.attendance import Attendance
from exptrack.project import Project
from exptrack.store import journal as journals
from exptrack.store.journal import read_stream

RECORD = Record("one", Status.COMPLETED, datetime.now(UTC))
NAN = {"values": {"loss": "nan"}, "step": 7}


@pytest.fixture
def journal(repository):
    context = Project(repository).context
    opened = journals.claim(context.repository.shared, "one")
    yield opened
    opened.close()


@pytest.fixture
def attend(repository, journal):
    """An attendance of this process with these settings."""

    def make(settings, record=RECORD):
        (repository / "exptrack.yaml").write_text(settings)
        return Attendance(Project(repository).context, journal, record, dict(os.environ))

    return make


def texts(journal, kind):
    return [entry["text"] for entry in read_stream(journal.folder) if entry["kind"] == kind]


def wait_for(condition):
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(condition)


def test_a_run_without_rules_whose_machine_nobody_looks_at_costs_no_thread(attend):
    before = threading.active_count()
    watch = attend("capture: {system: off}")
    watch.begin(os.getpid(), print)
    assert threading.active_count() == before
    watch.end()


def test_a_short_run_is_not_sampled(attend, journal):
    watch = attend("")
    watch.begin(os.getpid(), print)
    watch.end()
    assert list(read_stream(journal.folder)) == []


def test_a_run_inside_of_another_in_the_same_process_leaves_the_sampling_to_it(attend, journal):
    shared = journal.folder.parents[1]
    for name, pid, is_sampled in (("twin", os.getpid(), False), ("other", os.getpid() + 1, True)):
        outer = journals.claim(shared, name)
        outer.append("command", pid=pid)
        watch = attend("capture: {system: 0.01}", RECORD._replace(links=Links(parent=name)))
        watch.begin(os.getpid(), print)
        if is_sampled:
            wait_for(lambda: [entry for entry in read_stream(journal.folder) if entry["kind"] == "system"])
        else:
            time.sleep(0.2)
            assert list(read_stream(journal.folder)) == []
        watch.end()
        outer.close()


def test_what_goes_wrong_with_sampling_is_one_problem(attend, journal, monkeypatch):
    monkeypatch.setitem(sys.modules, "psutil", None)
    watch = attend("capture: {system: 0.01}")
    watch.begin(os.getpid(), print)
    wait_for(lambda: texts(journal, "problem"))
    time.sleep(0.1)
    watch.end()
    [problem] = texts(journal, "problem")
    assert problem.startswith("system metrics: ")


def test_a_run_that_goes_on_is_asked_again_and_told_of_once(attend, journal, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    monkeypatch.setattr(module, "_LOOK", 0.01)
    asked = []
    watch = attend("rules: [{when: loss is nan, then: stop}, {when: loss is not finite, then: stop}]")
    watch.begin(os.getpid(), asked.append)
    journal.append("metrics", **NAN)
    wait_for(lambda: len(asked) >= 3)
    watch.end()
    assert watch.stopped == "rule 1: loss is nan at step 7; the run is stopped"
    assert {*asked} == {watch.stopped}
    assert texts(journal, "problem") == ["stopped by rule 1: loss is nan at step 7"]
    assert texts(journal, "rule") == [watch.stopped, "rule 2: loss is nan at step 7"]


def test_a_rule_that_fires_at_the_very_end_stops_nothing(attend, journal, monkeypatch):
    monkeypatch.setattr(module, "_LOOK", 1000)
    asked = []
    watch = attend("rules: [{when: loss is nan, then: stop}]")
    watch.begin(os.getpid(), asked.append)
    journal.append("metrics", **NAN)
    watch.end()
    assert (asked, watch.stopped, texts(journal, "problem")) == ([], None, [])
    assert texts(journal, "rule") == ["rule 1: loss is nan at step 7"]


def test_a_command_that_does_not_end_is_ended_after_the_run(attend, journal, monkeypatch):
    monkeypatch.setattr(reactions, "_GRACE", 0.1)
    watch = attend("rules: [{when: loss is nan, then: run, command: 'sleep 1000'}]")
    watch.begin(os.getpid(), print)
    journal.append("metrics", **NAN)
    watch.end()
    assert texts(journal, "problem") == ["the command of rule 1 took too long, and was ended"]


def test_a_reproduction_follows_no_rules(attend, journal):
    watch = attend("rules: [{when: loss is nan, then: stop}]", RECORD._replace(links=Links(reproduces="other")))
    watch.begin(os.getpid(), print)
    journal.append("metrics", **NAN)
    watch.end()
    assert texts(journal, "rule") == []
