"""`exptrack fetch` and `exptrack pull`: the runs of others, their annotations, and their data when asked."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime

import pytest
from sharing import Remote, clone, make_team, md5


@pytest.fixture
def team(tmp_path, repository):
    return make_team(tmp_path, repository)


def test_runs_of_others_come_with_their_authors_and_nothing_else_changes(team):
    remote, ada, bob = team
    ada.run("one", out="hello")
    ada("push")
    before = bob.state()
    done = bob("fetch")
    host = json.loads(bob("show", "one", "--json").stdout)["host"]
    assert (
        done.stdout == f"fetched 1 run from origin ({remote.bare}): one by Ada Lovelace <ada@example.com> on {host}\n"
    )
    assert done.stderr == ""
    assert bob.state() == before
    assert bob.oid("one") == ada.oid("one")
    assert not bob.cached(md5("hello")).exists()
    assert bob("fetch", "origin").stdout == f"nothing new on origin ({remote.bare})\n"
    assert "author" not in bob("ls").stdout
    bob.run("two")
    assert "Ada Lovelace" in bob("ls").stdout
    assert bob("show", "@").stdout.startswith("run       two")


def test_a_remote_without_runs_is_told(team):
    remote, ada, bob = team
    assert bob("fetch").stdout == f"no run on origin ({remote.bare}) yet\n"
    ada.run("one")
    ada("tag", "best", "one")
    ada("push")
    remote.git("update-ref", "-d", *remote.refs())
    assert bob("fetch").stdout == f"fetched tags, notes and other annotations from origin ({remote.bare})\n"
    assert bob("fetch").stdout == f"no run on origin ({remote.bare}) yet\n"


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("--name", "on"), {"one"}),
        (("--name", "tw", "--name", "th"), {"two", "three"}),
        (("--month", "2031-01"), set()),
        (("--month", f"{datetime.now(UTC):%Y-%m}", "--name", "t"), {"two", "three"}),
        (("-e", "rates"), {"two"}),
        (("tag = late",), {"three"}),
        (("origin", "name ~ o*"), {"one"}),
        (("--name", "t", "tag = late"), {"three"}),
    ],
)
def test_only_what_is_asked_for_comes(three, words, names):
    _, bob = three
    assert bob("fetch", "-n", *words).stdout.startswith("would fetch ") == bool(names)
    assert bob.names() == set()
    bob("fetch", *words)
    assert bob.names() == names
    bob("fetch")
    assert bob.names() == {"one", "two", "three"}


@pytest.fixture
def three(team):
    remote, ada, bob = team
    ada.run("one")
    ada.run("two", "-e", "rates")
    ada.run("three")
    ada("tag", "late", "three")
    ada("push")
    return remote, bob


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--month", "November"), "is no month: write it as in 2026-11"),
        (("--name", "../x"), "no name begins with"),
        (("one",), "a run is fetched by `--name one`"),
        (("tag = a", "tag = b"), "a query is one word"),
        (("tag = ",), "tag ="),
        (("nowhere.git/", "tag = a"), "a query is one word"),
    ],
)
def test_what_cannot_be_asked_for_is_told(team, words, said):
    _, _, bob = team
    done = bob("fetch", *words, code=2)
    assert said in done.stderr
    assert done.stderr.count("\n") == (3 if words == ("tag = ",) else 1)


def test_a_metric_that_no_run_has_is_told(three):
    _, bob = three
    assert "metrics.acuracy" in bob("fetch", "metrics.acuracy > 0.5", code=2).stderr
    assert bob.names() == set()


def test_a_name_that_is_taken_here_stays_on_the_remote_and_the_others_come(team):
    _, ada, bob = team
    for person in (ada, bob):
        person.run("one")
    ada.run("two")
    ada("push")
    mine = bob.oid("one")
    done = bob("fetch", code=2)
    assert "fetched 1 run" in done.stdout
    assert "'one' is another run on origin" in done.stderr
    assert (bob.names(), bob.oid("one")) == ({"one", "two"}, mine)


def test_a_clash_is_settled_for_who_pushed_his_run_by_another_name(team):
    _, ada, bob = team
    for person in (ada, bob):
        person.run("one", "-m", person.folder.name)
    ada("push")
    assert "`exptrack rm one` makes room" in bob("push", "one", "--as", "mine").stderr
    assert "nothing new" in bob("fetch").stdout
    bob("rm", "one")
    assert "fetched 1 run" in bob("fetch").stdout
    assert bob.oid("one") == ada.oid("one")
    assert bob("fsck").stdout == "2 runs; all is well\n"


def test_what_others_brought_back_leaves_the_trash(team):
    _, ada, bob = team
    ada.run("one")
    ada("push")
    bob("fetch")
    ada("rm", "one")
    assert ada("push", "-n").stdout.startswith("would move 1 removed run to the trash of origin")
    ada("push")
    assert bob("fetch", "--prune", "-n").stdout.endswith("would remove here, since others removed it: one\n")
    assert bob("fetch", "--prune").stdout == "removed here, since others removed it: one\n"
    ada("rm", "--restore", "one")
    ada("push")
    assert "fetched 1 run" in bob("fetch").stdout
    assert bob("rm", "--list").stdout == "no run was removed\n"
    assert bob("fsck").stdout == "1 run; all is well\n"


def test_a_dvc_remote_that_is_not_committed_is_told_on_both_sides(team):
    _, ada, bob = team
    config = (ada.folder / ".dvc/config").read_text()
    for person in (ada, bob):
        person.git("rm", "--quiet", "--cached", ".dvc/config")
        (person.folder / ".dvc/config").write_text("")
        person.git("add", ".dvc/config")
        person.git("commit", "--quiet", "-m", "no remote")
    (ada.folder / ".dvc/config").write_text(config)
    for name in ("one", "two"):
        ada.run(name, out=name)
    advice = "the last commit does not have the DVC remote 'store' as it is here"
    assert advice in ada("push", "one").stderr
    ada.git("commit", "--quiet", "-am", "remote")
    assert ada("push").stderr == ""
    assert "would fetch up to 2 files, 6 B of data" in bob("pull", "-n").stdout
    said = bob("pull", code=2).stderr
    assert said.startswith("exptrack: one, two lack data: no DVC remote is configured in this clone: `git pull`")
    assert len(said.splitlines()) == 1
    found = bob("fsck", code=1).stdout
    assert "2 data objects not in the DVC cache, and no DVC remote is configured in this clone" in found
    assert "nowhere" not in found
    (bob.folder / ".dvc/config").write_text(config)
    bob("pull")
    assert bob("fsck").stdout == "2 runs; all is well\n"


def test_a_dvc_remote_that_is_gone_is_not_taken_for_an_empty_one(team):
    remote, ada, bob = team
    ada.run("one", out="one")
    ada("push")
    bob("fetch")
    remote.store.rename(remote.store.with_name("away"))
    assert f"there is no {remote.store}; mount it" in " ".join(bob("fsck", code=1).stdout.split())


def test_a_run_that_is_not_what_it_should_be_is_refused_and_the_others_come(team):
    remote, ada, bob = team
    ada.run("one")
    ada("push")
    [(ref, oid)] = remote.refs().items()
    below = ref.removesuffix("one")
    tree = remote.git("rev-parse", f"{oid}^{{tree}}").strip()
    identity = ("-c", "user.name=x", "-c", "user.email=x")
    loose = remote.git(*identity, "commit-tree", "-m", "x", tree).strip()
    remote.git("update-ref", f"{below}other", oid)  # its record says `one`
    remote.git("update-ref", f"{below}loose", loose)
    remote.git("update-ref", f"{below}branch", "refs/heads/main")
    remote.git("update-ref", "refs/exptrack/runs/now/UP", oid)
    done = bob("fetch", code=2)
    assert bob.names() == {"one"}
    for name in ("other", "loose", "branch"):
        assert f"{name} is refused: " in done.stderr
    assert "UP" in done.stderr
    assert "Traceback" not in done.stderr


def test_annotations_of_both_come_together(team):
    _, ada, bob = team
    ada.run("one")
    ada("push")
    bob("fetch")
    ada("tag", "a", "one")
    bob("tag", "b", "one")
    bob("note", "one", "-m", "seen")
    ada("push")
    bob("push")
    assert "fetched tags, notes" in ada("fetch").stdout
    for person in (ada, bob):
        assert set(json.loads(person("ls", "--json").stdout)[0]["tags"]) == {"a", "b"}
    bob("tag", "-d", "a", "one")
    bob("push")
    ada("fetch")
    assert json.loads(ada("ls", "--json").stdout)[0]["tags"] == ["b"]


def test_many_refs_are_packed(tmp_path, git, exptrack):
    from benchmarks.populate import make_runs

    make_runs(tmp_path / "hub", 120, dict(os.environ))
    git("init", "--quiet", tmp_path / "mine")
    git("remote", "add", "origin", tmp_path / "hub", cwd=tmp_path / "mine")
    done = exptrack("fetch", cwd=tmp_path / "mine")
    assert "fetched 120 runs" in done.stdout
    assert len(git("for-each-ref", "refs/exptrack/runs", cwd=tmp_path / "mine").splitlines()) == 120
    assert not list((tmp_path / "mine/.git/refs/exptrack/runs").rglob("*-*-*"))


def test_nobody_needs_an_identity_to_fetch(team, sealed_world):
    _, ada, bob = team
    ada.run("one", "-t", "a")
    ada("tag", "b", "one")
    ada("push")
    (sealed_world / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    bob.git("config", "--remove-section", "user")
    bob("fetch")
    assert bob.names() == {"one"}


def test_the_data_of_what_is_asked_for_comes_with_pull(team):
    _, ada, bob = team
    ada.run("one", out="hello")
    ada.run("two", out="world")
    ada("push")
    assert "fetched 1 file, 5 B of data" in bob("pull", "--name", "two").stdout
    assert bob.cached(md5("world")).read_text() == "world"
    assert not bob.cached(md5("hello")).exists()
    bob("pull")
    assert bob.cached(md5("hello")).read_text() == "hello"
    assert bob("pull").stdout.startswith("nothing new")


def test_what_cannot_be_had_is_named_and_the_rest_comes(team):
    remote, ada, bob = team
    ada.run("one", out="hello")
    ada.run("two", out="world")
    ada("push")
    remote.place(md5("hello")).unlink()
    done = bob("pull", code=2)
    assert bob.names() == {"one", "two"}
    assert bob.cached(md5("world")).exists()
    assert "one lacks data: out.bin" in done.stderr
    assert "two" not in done.stderr
    shutil.rmtree(remote.store)
    assert bob("fetch").stdout.startswith("nothing new")


def test_a_fetch_executes_nothing(team, tmp_path):
    _, ada, bob = team
    ada.run("one")
    ada("tag", "best", "one")
    ada("push")
    for hook in ("reference-transaction", "post-checkout", "post-merge", "post-rewrite", "pre-auto-gc"):
        path = bob.folder / ".git/hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\necho {hook} >> {tmp_path}/executed\n")
        path.chmod(0o755)
    bob("fetch")
    assert not (tmp_path / "executed").exists()


def test_another_repository_holds_the_runs_where_git_is_told_so(team, tmp_path):
    remote, ada, bob = team
    (tmp_path / "runs").mkdir()
    other = Remote(tmp_path / "runs")
    for person in (ada, bob):
        person.git("remote", "add", "runs", str(other.bare))
        person.git("config", "exptrack.remote", "runs")
    ada.run("one")
    ada("push")
    assert (remote.names(), other.names()) == (set(), {"one"})
    bob("fetch")
    assert bob.names() == {"one"}
    carol = clone(tmp_path / "carol", remote, "Carol")
    carol("fetch", str(other.bare))
    assert carol.names() == {"one"}
