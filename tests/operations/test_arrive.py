"""Claimed runs come from the remote, exactly these; and of one that does not come it is said why, and what to do."""

from __future__ import annotations

import subprocess

import pytest
from sharing import Person, make_team

from exptrack.model.checking import Claim, Verdict
from exptrack.operations.checking.arrive import locate
from exptrack.project import Project
from exptrack.store import revs

NONE = "f" * 40


@pytest.fixture
def team(tmp_path, repository):
    return make_team(tmp_path, repository)


def look(person, *claims: Claim, remote: str | None = None):
    """What is found of claims, in their order."""
    found = locate(Project(person.folder).context, claims, remote)
    assert set(found) == set(claims)
    for one in found.values():
        assert (one.run is None) == bool(one.reason) == (one.verdict is not Verdict.HOLDS)
        assert "\n" not in one.reason
        assert not one.reason.endswith(".")
    return [found[claim] for claim in claims]


def test_exactly_the_claimed_runs_come_with_their_annotations_and_nothing_else_changes(team):
    _, ada, bob = team
    for name in ("a", "a-b", "ab", "other"):
        ada.run(name)
    ada("tag", "best", "ab")
    ada("push")
    before = bob.state()
    claims = [Claim("a", ada.oid("a"), "commit", "Ada"), Claim("ab", ada.oid("ab")), Claim("b", NONE)]
    one, two, three = look(bob, *claims)
    assert bob.names() == {"a", "ab"}
    assert bob.state() == before
    assert (one.run, two.run) == tuple(revs.load(Project(bob.folder).context.repository, name) for name in ("a", "ab"))
    assert two.run.tags == ("best",)
    assert one.run.base == ada.git("rev-parse", "main").strip()
    assert (three.verdict, three.reason) == (
        Verdict.UNKNOWN, "it is neither here nor on origin: who recorded it runs `exptrack push b`",
    )  # fmt: skip


def test_runs_that_are_here_need_no_remote(team):
    _, ada, _ = team
    ada.run("here")
    ada.git("remote", "set-url", "origin", "/nowhere.git")
    by_oid, by_name = look(ada, Claim("here", ada.oid("here")), Claim("here", ""))
    assert by_oid.run == by_name.run == revs.load(Project(ada.folder).context.repository, "here")


def test_a_run_that_is_named_comes_and_an_unknown_name_does_not(team):
    _, ada, bob = team
    ada.run("one")
    ada("push")
    one, two, three = look(bob, Claim("one", ""), Claim("on", ""), Claim("--all", ""))
    assert one.run.oid == ada.oid("one")
    assert two.reason == "it is neither here nor on origin: who recorded it runs `exptrack push on`"
    assert three.reason.startswith("no run can have this name")


def test_another_run_of_that_name_on_the_remote_is_no_evidence(team):
    _, ada, bob = team
    ada.run("one")
    ada("push")
    theirs = ada.oid("one")
    [claimed] = look(bob, Claim("one", NONE))
    assert (claimed.verdict, claimed.reason) == (
        Verdict.FAILS,
        (
            f"the run of this name on origin is {theirs[:10]}, and {NONE[:10]} is claimed: "
            "claim the run whose results these are, as `exptrack show one` prints its oid"
        ),
    )
    [again] = look(bob, Claim("one", NONE))
    assert (again.verdict, again.reason) == (claimed.verdict, claimed.reason.replace("on origin", "here"))


def test_a_namesake_that_is_here_stands_in_the_way_of_the_claimed_run(team):
    _, ada, bob = team
    ada.run("one")
    ada("push")
    bob.run("one")
    mine, theirs = bob.oid("one"), ada.oid("one")
    claims = (Claim("one", theirs), Claim("one", mine), Claim("one", NONE))
    wanted, here, none = look(bob, *claims)
    assert here.run.oid == mine
    assert (wanted.verdict, wanted.reason) == (
        Verdict.UNKNOWN,
        (
            f"the name is taken here by another run ({mine[:10]}), so that the one of origin ({theirs[:10]}) cannot come: "
            "remove that by `exptrack rm one`"
        ),
    )
    assert none.verdict is Verdict.FAILS
    assert none.reason.startswith(f"the run of this name on origin is {theirs[:10]}, and {NONE[:10]} is claimed: ")
    bob("rm", "one", "--yes")
    assert look(bob, Claim("one", theirs))[0].run.oid == theirs


def test_who_removed_a_claimed_run_is_named(team):
    _, ada, bob = team
    ada.run("one")
    oid = ada.oid("one")
    ada("push")
    ada("rm", "one", "--yes")
    ada("push")
    expected = (
        "it was removed by Ada Lovelace <ada@example.com>: `exptrack rm --restore one` and `exptrack push one` where it was "
        "removed bring it back"
    )
    for person in (bob, ada):
        [found] = look(person, Claim("one", oid))
        assert (found.verdict, found.reason) == (Verdict.UNKNOWN, expected)


def test_a_run_that_is_refused_on_arrival_is_no_evidence(team):
    remote, ada, bob = team
    oid = ada.git("rev-parse", "main").strip()
    remote.git("update-ref", "refs/exptrack/runs/2026-01/forged", oid)
    ada.run("honest")
    ada("push")
    forged, honest = look(bob, Claim("forged", oid), Claim("honest", ada.oid("honest")))
    assert forged.verdict is Verdict.FAILS
    assert forged.reason.startswith("it was refused when it came from origin, do not trust it: there is no ")
    assert honest.run is not None


def test_a_remote_that_does_not_answer_is_the_reason_of_those_that_are_not_here(team):
    _, _ada, bob = team
    bob.run("here")
    bob.git("remote", "set-url", "origin", "/nowhere.git")
    here, gone, other = look(bob, Claim("here", bob.oid("here")), Claim("gone", NONE), Claim("here", NONE))
    assert here.run is not None
    assert gone.verdict is other.verdict is Verdict.UNKNOWN
    assert gone.reason.startswith(
        "it is not here; cannot list the runs of origin (/nowhere.git): '/nowhere.git' does not"
    )
    assert other.reason.startswith(
        f"the run of this name here is another ({bob.oid('here')[:10]}); cannot list the runs"
    )
    [gone] = look(bob, Claim("gone", NONE), remote="elsewhere")
    assert gone.reason.startswith("it is not here; no such remote: elsewhere; choose one of origin")


def test_without_a_remote_it_is_said_how_to_have_one(team):
    _, ada, _ = team
    ada.git("remote", "remove", "origin")
    ada.run("here")
    gone, other = look(ada, Claim("gone", NONE), Claim("here", NONE))
    assert gone.verdict is Verdict.UNKNOWN
    assert gone.reason == (
        "it is not here; the repository has no remote to share runs by: run `git remote add origin URL`"
    )
    assert other.reason.startswith(
        f"the run of this name here is another ({ada.oid('here')[:10]}); the repository has no"
    )


def test_a_run_that_lies_here_and_cannot_be_read_is_no_evidence(team):
    _, ada, _ = team
    oid = ada.git("rev-parse", "main").strip()
    ada.git("update-ref", "refs/exptrack/runs/2026-01/broken", oid)
    [found] = look(ada, Claim("broken", oid))
    assert (found.verdict, found.reason) == (
        Verdict.FAILS, "its record cannot be read: there is no .exptrack/run.json in it",
    )  # fmt: skip


def test_claimed_runs_come_into_a_shallow_clone(team, tmp_path):
    remote, ada, _ = team
    ada.run("one")
    ada("push")
    base = ada.git("rev-parse", "main").strip()
    ada.git("commit", "--quiet", "--allow-empty", "-m", "later")
    ada.git("push", "--quiet", "origin", "main")
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{remote.bare}", tmp_path / "shallow"], check=True)
    [found] = look(Person(tmp_path / "shallow", remote), Claim("one", ada.oid("one")))
    assert found.run.base == base
