"""`exptrack push`: data first, then runs, then annotations."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
from screen import on_screen
from sharing import EXPTRACK, clone, make_team, md5
from witness import until


@pytest.fixture
def team(tmp_path, repository):
    return make_team(tmp_path, repository)


def test_a_run_goes_with_its_data_and_nothing_else_changes(team):
    remote, ada, _ = team
    ada.run("one", out="hello")
    ada.run("two")
    before, branches = ada.state(), remote.refs("refs/heads")
    done = ada("push")
    assert done.stdout == f"pushed 2 runs to origin ({remote.bare}): one, two; 1 file, 5 B of data\n"
    assert done.stderr == ""
    assert remote.names() == {"one", "two"}
    assert remote.lacking() == []
    assert remote.holds(md5("hello"))
    assert (ada.state(), remote.refs("refs/heads")) == (before, branches)
    again = ada("push", "origin")
    assert again.stdout == f"everything is shared with origin ({remote.bare}) already\n"
    assert ada("push", "-q").stdout == ""


def test_a_run_is_seen_before_anybody_may_collect_its_data(team, tmp_path):
    remote, ada, _ = team
    ada.run("one", out="hello")
    ada("push", "--all")
    ada("rm", "-y", "one")
    ada("push")
    ada("rm", "--restore", "one")
    hook = remote.bare / "hooks/pre-receive"
    hook.write_text(f"#!/bin/sh\nls {remote.store}/exptrack >> {tmp_path}/marks\n")
    hook.chmod(0o755)
    ada("push")
    assert "pushing-" in (tmp_path / "marks").read_text().splitlines()[0]
    assert not list((remote.store / "exptrack").iterdir())


def test_a_dry_run_pushes_nothing(team):
    remote, ada, _ = team
    ada.run("one", out="hello")
    assert ada("push", "-n").stdout == f"would push 1 run to origin ({remote.bare}): one; up to 1 file, 5 B of data\n"
    assert not remote.names()
    assert not remote.store.exists()


def test_without_any_run_of_ones_own_there_is_nothing_to_push(team):
    _, ada, bob = team
    assert ada("push").stdout.startswith("nothing to push: no run was recorded here")
    ada.run("one")
    ada("push")
    bob("fetch")
    assert bob("push").stdout.startswith("nothing to push")


def test_runs_are_chosen_by_rev_and_query(team):
    remote, ada, _ = team
    for name in ("one", "two", "three"):
        ada.run(name, *(["-t", "good"] if name == "two" else []))
    ada("push", "origin", "thr", "tag = good")
    assert remote.names() == {"two", "three"}
    assert "no run is named 'nobody'" in ada("push", "nobody", code=2).stderr
    assert "quote it" in ada("push", "tag", "=", "good", code=2).stderr


def test_only_own_runs_go_unless_all_are_asked_for(team):
    remote, ada, bob = team
    ada.run("one")
    ada("push")
    bob("fetch")
    bob.run("two")
    remote.git("update-ref", "-d", *remote.refs())
    bob("push")
    assert remote.names() == {"two"}
    bob("push", "--all")
    assert remote.names() == {"one", "two"}


def test_own_runs_are_told_by_their_author_where_the_list_of_them_is_gone(team):
    remote, ada, bob = team
    ada.run("one")
    ada("push")
    bob("fetch")
    bob.run("two")
    remote.git("update-ref", "-d", *remote.refs())
    (bob.folder / ".git/exptrack/recorded").unlink()
    bob("push")
    assert remote.names() == {"two"}


def test_a_name_that_the_remote_has_for_another_run_is_refused_and_the_others_go_on(team):
    remote, ada, bob = team
    for person in (ada, bob):
        person.run("one")
    ada("push")
    bob.run("two")
    done = bob("push", code=2)
    assert done.stdout == f"pushed 1 run to origin ({remote.bare}): two\n"
    assert ada.oid("one")[:10] in done.stderr
    assert bob.oid("one")[:10] in done.stderr
    assert "`exptrack push one --as NAME`" in done.stderr
    assert set(remote.refs().values()) == {ada.oid("one"), bob.oid("two")}


def test_a_copy_goes_under_another_name_and_then_the_clash_is_settled(team):
    remote, ada, bob = team
    for person in (ada, bob):
        person.run("one", "-m", person.folder.name, out="hello")
    ada("push")
    assert "is one word" not in bob("push", "one", "--as", "mine").stderr
    copy = json.loads(bob.git("show", f"{bob.oid('mine')}:.exptrack/run.json"))
    original = json.loads(bob.git("show", f"{bob.oid('one')}:.exptrack/run.json"))
    assert copy == {**original, "name": "mine", "links": {"copied_from": "one"}}
    assert bob.git("rev-parse", f"{bob.oid('mine')}^") == bob.git("rev-parse", f"{bob.oid('one')}^")
    assert bob.git("diff", "--name-only", bob.oid("one"), bob.oid("mine")).split() == [".exptrack/run.json"]
    assert bob.git("log", "-1", "--format=%B", bob.oid("mine")).startswith(
        "mine: completed\n\nbob\n\nExptrack-Run: mine\n"
    )
    assert remote.names() == {"one", "mine"}
    assert remote.lacking() == []
    oid = bob.oid("mine")
    assert "everything is shared" in bob("push", "one", "--as", "mine").stdout
    [ref] = [ref for ref in remote.refs() if ref.endswith("/mine")]
    remote.git("update-ref", "-d", ref)  # as if it had been killed before the copy was pushed
    bob("push", "one", "--as", "mine")
    assert (remote.refs()[ref], bob.oid("mine")) == (oid, oid)
    assert "everything is shared" in bob("push").stdout
    assert "exists already" in bob("push", "one", "--as", "one", code=2).stderr
    assert "is for one run" in bob("push", "--as", "other", code=2).stderr


def test_a_run_whose_data_is_nowhere_is_held_back(team):
    remote, ada, _ = team
    ada.run("one", out="hello")
    ada.run("two", out="world")
    shutil.rmtree(ada.cached(md5("hello")).parent)
    done = ada("push", code=2)
    assert remote.names() == {"two"}
    assert "one is not pushed: out.bin is neither in the DVC cache nor in the remote" in done.stderr
    assert "`--no-data`" in done.stderr


def test_a_run_without_its_data_says_so_until_the_data_comes(team):
    remote, ada, bob = team
    ada.run("one", out="hello")
    ada.run("two")
    done = ada("push", "--no-data")
    assert "without its data, which others do not have: one; the next `exptrack push` brings it" in done.stderr
    assert remote.names() == {"one", "two"}
    assert not remote.store.exists()
    assert [line["kind"] for line in remote.annotations(ada.oid("one"))] == ["unshared"]
    assert remote.annotations(ada.oid("two")) == []
    ada("push", "--no-data")
    assert len(remote.annotations(ada.oid("one"))) == 1
    bob("fetch")
    would = "complete the data of one; up to 1 file, 5 B of data"
    assert ada("push", "-n").stdout == f"would {would}\n"
    assert f"completed{would.removeprefix('complete').replace('up to ', '')}\n" in ada("push").stdout
    assert remote.lacking() == []
    first, removal = remote.annotations(ada.oid("one"))
    assert removal["removes"] == [first["id"]]
    assert "everything is shared" in ada("push").stdout


def test_data_that_a_remote_has_lost_goes_again_with_a_run_that_is_named(team):
    remote, ada, bob = team
    for name in ("one", "two"):
        ada.run(name, out=name)
    ada("push")
    remote.place(md5("one")).unlink()
    assert "everything is shared" in ada("push").stdout
    assert "everything is shared" in ada("push", "two").stdout
    bob("fetch")
    assert "`exptrack push one` in the repository that has it" in " ".join(bob("fsck", code=1).stdout.split())
    assert ada("push", "-n", "one").stdout == "would complete the data of one; up to 1 file, 3 B of data\n"
    assert ada("push", "one").stdout == "completed the data of one; 1 file, 3 B of data\n"
    assert remote.lacking() == []


def test_data_that_was_not_there_when_it_ran_holds_nothing_back(team, dvc):
    remote, ada, _ = team
    (ada.folder / "far.csv").write_text("far")
    dvc("add", "--quiet", "far.csv")
    (ada.folder / "far.csv").unlink()
    shutil.rmtree(ada.folder / ".dvc/cache")
    ada.run("one")
    done = ada("push")
    assert remote.names() == {"one"}
    assert done.stderr == "exptrack: far.csv: not there when one ran, and not to be had, so not shared\n"


def test_without_a_dvc_remote_it_is_said_what_to_do(team):
    remote, ada, _ = team
    ada.run("one", out="hello")
    (ada.folder / ".dvc/config").write_text("")
    done = ada("push", code=2)
    assert "dvc remote add" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not remote.names()


def test_runs_without_data_load_nothing_of_dvc(team):
    _, ada, _ = team
    ada.run("one")
    code = "import sys\nfrom exptrack.cli import main\nassert main(['push']) == 0\nassert main(['fetch']) == 0\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ada.folder, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint({"dvc", "git", "rich", "pygit2", "yaml", "asyncio", "logging"})


def test_a_removed_run_goes_to_the_trash_of_the_remote_and_does_not_come_back(team):
    remote, ada, bob = team
    for name in ("one", "two"):
        ada.run(name)
    ada("push")
    bob("fetch")
    carol = clone(bob.folder.with_name("carol"), remote, "Carol")
    oid = ada.oid("one")
    ada("rm", "-y", "one")
    assert "moved 1 removed run to the trash" in ada("push").stdout
    assert remote.names() == {"two"}
    [(ref, there)] = remote.refs("refs/exptrack/trash").items()
    assert (ref.rpartition("/")[2], there) == ("one", oid)
    bob("push", "--all")
    assert remote.names() == {"two"}
    carol("fetch")
    assert carol.names() == {"two"}
    assert "others removed one: `exptrack fetch --prune`" in bob("fetch").stderr
    assert "one is not pushed: it was removed by Ada" in bob("push", "one", code=2).stderr
    assert bob.names() == {"one", "two"}
    bob("fetch", "--prune")
    assert bob.names() == {"two"}
    ada("rm", "--restore", "one")
    ada("push")
    assert remote.names() == {"one", "two"}
    assert remote.refs("refs/exptrack/trash") == {}


def test_a_remote_that_is_gone_is_one_line(team):
    remote, ada, _ = team
    ada.run("one")
    shutil.rmtree(remote.bare)
    for command in ("push", "fetch", "pull"):
        done = ada(command, code=2)
        assert done.stderr.startswith("exptrack: cannot ")
        assert done.stderr.count("\n") == 1


def test_thousands_of_runs_beside_branches_are_advised_against(team):
    remote, ada, _ = team
    ada.run("one")
    ada("push")
    [(ref, oid)] = remote.refs().items()
    remote.git("update-ref", "--stdin", stdin="".join(f"create {ref}-{number} {oid}\n" for number in range(5000)))
    ada.run("two")
    said = ada("push").stderr
    assert "5,002 runs beside its branches" in said
    assert "git config exptrack.remote NAME" in said


def test_two_processes_push_at_once(team):
    remote, ada, _ = team
    for number in range(5):
        ada.run(f"run-{number}", out=f"text{number}")
    children = [ada.start("push") for _ in range(3)]
    assert [child.wait(120) for child in children] == [0, 0, 0]
    assert len(remote.names()) == 5
    assert remote.lacking() == []


def test_two_clones_annotate_and_push_at_once_and_nothing_is_lost(team):
    remote, ada, bob = team
    ada.run("one")
    ada("push")
    bob("fetch")
    for turn in range(3):
        ada("tag", f"ada-{turn}", "one")
        bob("tag", f"bob-{turn}", "one")
        children = [person.start("push") for person in (ada, bob)]
        assert [child.wait(120) for child in children] == [0, 0]
    found = {line["value"] for line in remote.annotations(ada.oid("one"))}
    assert found == {f"{who}-{turn}" for who in ("ada", "bob") for turn in range(3)}
    for person in (ada, bob):
        person("fetch")
        assert len(json.loads(person("ls", "--json").stdout)[0]["tags"]) == 6


def test_bars_show_what_takes_long_and_leave_the_answer(team):
    remote, ada, _ = team
    ada.run("one")
    hook = ada.folder / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexec sleep 1\n")
    hook.chmod(0o755)
    status, screen = on_screen(ada.folder, "push")
    assert status == 0
    assert "writing objects" in screen
    assert screen.endswith(f"pushed 1 run to origin ({remote.bare}): one\n")
    assert on_screen(ada.folder, "push") == (0, f"everything is shared with origin ({remote.bare}) already\n")


def test_on_a_terminal_it_is_seen_that_a_remote_is_slow_to_answer(team, tmp_path):
    remote, ada, _ = team
    slow = tmp_path / "slow"
    slow.write_text('#!/bin/sh\nsleep 2\nexec git-upload-pack "$@"\n')
    slow.chmod(0o755)
    ada.git("config", "remote.origin.uploadpack", str(slow))
    status, screen = on_screen(ada.folder, "fetch")
    assert status == 0
    assert "asking origin" in screen
    assert screen.endswith(f"no run on origin ({remote.bare}) yet\n")


def test_ctrl_c_says_that_a_repetition_goes_on(team, tmp_path):
    remote, ada, _ = team
    ada.run("one", out="hello")
    hook = ada.folder / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/pushing\nexec sleep 60\n")
    hook.chmod(0o755)
    child = subprocess.Popen(
        [*EXPTRACK, "push"], cwd=ada.folder, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    until((tmp_path / "pushing").exists)
    os.killpg(child.pid, signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130
    assert (
        said == "exptrack: what came through stays: `exptrack push` again goes on from there\nexptrack: interrupted\n"
    )
    hook.unlink()
    ada("push")
    assert remote.names() == {"one"}
    assert remote.lacking() == []
