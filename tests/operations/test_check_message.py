"""A message that claims a run which others cannot have is refused before it is committed."""

from __future__ import annotations

import pytest
from sharing import make_team

from exptrack.operations.checking.message import check_message
from exptrack.project import Project

NONE = "f" * 40


@pytest.fixture
def team(tmp_path, repository):
    return make_team(tmp_path, repository)


def look(person, *lines: str, remote: str | None = None) -> tuple[tuple[str, ...], list[str]]:
    """What is refused of a message with these lines, and what is only noticed."""
    said: list[str] = []
    context = Project(person.folder, notice=said.append).context
    return check_message(context, "\n".join(["subject", "", *lines, ""]), remote), said


def test_a_claim_of_a_run_that_was_pushed_is_taken_wherever_it_was_recorded(team):
    _, ada, bob = team
    ada.run("one")
    ada("push")
    for person in (ada, bob):
        before = person.state()
        assert look(person, f"Exptrack-Run: one {ada.oid('one')}") == ((), [])
        assert (person.state(), person.names()) == (before, {"one"} if person is ada else set())


def test_each_claim_that_others_cannot_follow_is_refused_with_what_to_do(team):
    _, ada, bob = team
    ada.run("pushed")
    ada.run("taken")
    ada("push")
    bob.run("own")
    bob.run("taken")
    claims = [("own", bob.oid("own")), ("gone", NONE), ("pushed", NONE), ("taken", bob.oid("taken")), ("own", NONE)]
    refused, noticed = look(bob, "Exptrack-Run: own", *(f"* exptrack-run: {name} {oid}" for name, oid in claims))
    pushed, taken, own = ada.oid("pushed")[:10], ada.oid("taken")[:10], bob.oid("own")[:10]
    assert noticed == []
    assert refused == (
        "'Exptrack-Run: own' claims no run: write it as `Exptrack-Run: <name> <full oid of the run's commit>`",
        "own: it is not on origin yet: run `exptrack push own` first",
        "gone: there is no such run here or on origin: `exptrack ls` lists the runs",
        (
            f"pushed: the run of this name on origin is {pushed}, and the message claims {NONE[:10]}: "
            "`exptrack show pushed` prints the oid to claim"
        ),
        f"taken: on origin is another run of this name ({taken}): share yours by `exptrack push taken --as NAME`, and claim that",
        f"own: the run of this name here is {own}, and the message claims {NONE[:10]}: `exptrack show own` prints the oid to claim",
    )


def test_what_git_leaves_out_is_not_asked_for(team):
    _, ada, _ = team
    ada.git("remote", "set-url", "origin", "/nowhere.git")
    cut = "# ------------------------ >8 ------------------------"
    assert look(ada, "# Exptrack-Run: one", cut, "+Exptrack-Run: one", f"-Exptrack-Run: one {NONE}") == ((), [])
    ada.git("config", "core.commentChar", "*")
    assert look(ada, f"* Exptrack-Run: one {NONE}") == ((), [])


def test_a_remote_that_does_not_answer_is_a_warning(team):
    _, ada, _ = team
    ada.run("one")
    ada.git("remote", "set-url", "origin", "/nowhere.git")
    refused, [warning] = look(ada, f"Exptrack-Run: one {NONE}", f"Exptrack-Run: two {NONE}", "Exptrack-Run: one")
    assert refused == (
        "'Exptrack-Run: one' claims no run: write it as `Exptrack-Run: <name> <full oid of the run's commit>`",
    )
    assert warning.startswith(
        "whether the claimed runs were pushed is not known: cannot list the runs of origin (/nowhere"
    )
    refused, [warning] = look(ada, f"Exptrack-Run: one {NONE}", remote="elsewhere")
    assert refused == ()
    assert "no such remote: elsewhere" in warning


def test_without_any_remote_only_existence_counts(team):
    _, ada, _ = team
    ada.git("remote", "remove", "origin")
    ada.run("one")
    assert look(ada, f"Exptrack-Run: one {ada.oid('one')}") == ((), [])
    refused, noticed = look(ada, f"Exptrack-Run: two {NONE}", f"Exptrack-Run: one {NONE}")
    assert noticed == []
    assert refused == (
        "two: there is no such run here: `exptrack ls` lists the runs",
        (
            f"one: the run of this name here is {ada.oid('one')[:10]}, and the message claims {NONE[:10]}: "
            "`exptrack show one` prints the oid to claim"
        ),
    )
