"""`exptrack check`: whether the runs that commits claim are what ran, and still reproduce."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys

import pytest
from sharing import EXPTRACK, Person, make_team, md5
from witness import until

TRAIN = ("--", sys.executable, "train.py")


class Author(Person):
    """Somebody who records runs and claims them."""

    def train(self, name: str, *options: str) -> str:
        """Record a run, and give the line that claims it."""
        self("run", "-q", "--name", name, *options, *TRAIN)
        return f"Exptrack-Run: {name} {self.oid(name)}"

    def commit(self, message: str, **files: str) -> None:
        """Commit these files (by their names with `_` for `.`), or nothing."""
        for name, content in files.items():
            (self.folder / name.replace("_", ".")).write_text(content)
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)


@pytest.fixture
def team(tmp_path, repository):
    """A remote, Ada on the branch `work`, and Bob's clone, which has nothing of that yet."""
    remote, ada, bob = make_team(tmp_path, repository)
    ada.git("switch", "--quiet", "-c", "work")
    return remote, Author(ada.folder, remote), Author(bob.folder, remote)


def share(ada: Person, bob: Person) -> None:
    """Push the runs and the branch, and have the branch checked out elsewhere."""
    ada("push", "--all")
    ada.git("push", "--quiet", "origin", "work")
    bob.git("fetch", "--quiet", "origin")
    bob.git("switch", "--quiet", "--detach", "origin/work")


def test_a_claim_that_holds_is_fetched_and_executed_where_nothing_of_it_is(team):
    _, ada, bob = team
    ada.run("one", out="hello")
    ada.git("branch", "--quiet", "-m", "work", "before")
    ada("branch", "one", "work")
    share(ada, bob)
    before = bob.state()
    done = bob("check", "main..HEAD")
    first, _, second, *_ = done.stdout.splitlines()
    assert first == "1 run is claimed between main and HEAD: it holds"
    assert second == "one holds: exact; required by the defaults: statistical"
    assert "recorded by Ada Lovelace, claimed in" in done.stdout
    assert bob.state() == before
    assert "one" in bob.names()


def test_ten_runs_of_the_same_code_may_be_claimed_at_once(team):
    _, ada, _ = team
    claims = [ada.train(f"rate-{number}", "-S", f"lr=0.{number}") for number in (1, 2, 3)]
    ada.commit("\n\n".join(["a sweep", *claims]))
    found = json.loads(ada("check", "main..HEAD", "--json").stdout)
    assert [(one["name"], one["verdict"]) for one in found["claims"]] == [
        (f"rate-{number}", "holds") for number in (1, 2, 3)
    ]
    assert found["claims"][1]["notes"] == ["params.yaml without what the run was given: lr=0.2"]
    assert ada("check", "main..HEAD").stdout.startswith("3 runs are claimed between main and HEAD: all hold\n")


def test_what_was_amended_after_the_run_is_named_and_nothing_is_executed(team):
    _, ada, _ = team
    claim = ada.train("one")
    ada.commit(f"docs\n\n{claim}", README_md="about it\n")
    advice = "record a run of HEAD and claim that, or let check.ignore of main name what no command reads"
    assert f"it differs in README.md (added); {advice}" in " ".join(ada("check", "main..HEAD", code=1).stdout.split())
    ada.commit("it learns", train_py=(ada.folder / "train.py").read_text() + "# amended\n")
    done = ada("check", "main..HEAD", code=1)
    assert "it differs in README.md (added), train.py; record a run of HEAD and claim that" in " ".join(
        done.stdout.split()
    )
    assert "executing" not in done.stderr
    assert ada.names() == {"one"}
    at = ada("check", "main..HEAD", "--at", "HEAD")
    assert "one at HEAD holds" in at.stdout


def test_the_bar_is_that_of_the_base_and_what_a_branch_makes_of_it_is_told_first(team):
    _, ada, _ = team
    ada.git("switch", "--quiet", "main")
    ada.commit("a bar", exptrack_yaml="check: {require: exact, ignore: [exptrack.yaml]}\n")
    ada.git("switch", "--quiet", "-C", "work")
    noisy = "import json, time\nopen('metrics.json', 'w').write(json.dumps({'accuracy': time.time() % 1}))\n"
    (ada.folder / "train.py").write_text(noisy)
    claim = ada.train("one")
    ada.commit(f"lower\n\n{claim}", exptrack_yaml="check: {require: methodological, ignore: [exptrack.yaml]}\n")
    done = ada("check", "main..HEAD", code=1)
    assert done.stdout.startswith("check.require: exact → methodological in HEAD; main's counts\n")
    assert "main requires exact" in " ".join(done.stdout.split())


def test_an_earlier_claim_is_superseded_by_a_later_one(team):
    _, ada, _ = team
    ada.commit(f"first\n\n{ada.train('one')}")
    (ada.folder / "params.yaml").write_text("lr: 0.5\n")
    ada.commit(f"second\n\n{ada.train('two')}")
    done = ada("check", "main..HEAD")
    assert done.stdout.startswith("2 runs are claimed between main and HEAD: 1 holds, 1 is superseded\n")
    assert "executing one" not in done.stderr
    # In one commit nothing says which of the two it was that it claims.
    ada.git("reset", "--quiet", "--soft", "main")
    ada.commit("\n".join(["both", *(f"Exptrack-Run: {name} {ada.oid(name)}" for name in ("one", "two"))]))
    assert (
        "one does not hold: HEAD is not what ran, it differs in params.yaml"
        in ada("check", "main..HEAD", code=1).stdout
    )


def test_a_claim_of_somebody_elses_run_is_told(team):
    _, ada, bob = team
    claim = ada.train("one")
    ada("push")
    bob.git("switch", "--quiet", "-c", "his")
    bob.commit(f"mine\n\n{claim}")
    said = " ".join(bob("check", "main..HEAD").stdout.split())
    assert "it was recorded by Ada Lovelace on" in said
    assert "and is claimed by Bob" in said
    assert "@" not in said


def test_a_branch_without_claims_is_well_unless_one_is_required(team):
    _, ada, _ = team
    ada.commit("no claim")
    assert ada("check", "main..HEAD").stdout == "no run is claimed between main and HEAD\n"
    assert ada("check", "main..HEAD", "--require-claim", code=1).stdout == "no run is claimed between main and HEAD\n"
    assert json.loads(ada("check", "--json").stdout)["base"]["name"] == "origin/main"


def test_a_branch_without_claims_fetches_nothing(team):
    _, ada, bob = team
    ada.commit(f"a claim\n\n{ada.train('one')}")
    share(ada, bob)
    bob.commit("no claim")
    done = bob("check", "HEAD~1..HEAD")
    assert (done.stdout, done.stderr) == ("no run is claimed between HEAD~1 and HEAD\n", "")
    assert bob.names() == set()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Exptrack-Run: one", "`Exptrack-Run: one` in"),
        (f"* exptrack-run: gone {'7' * 40}", "gone cannot be checked: it is neither here nor on origin"),
    ],
)
def test_a_claim_of_nothing_cannot_be_checked(team, line, said):
    _, ada, _ = team
    ada.commit(f"squashed\n\n{line}")
    assert said in ada("check", "main..HEAD", code=2).stdout


def test_a_claim_of_another_oid_does_not_hold(team):
    _, ada, _ = team
    ada.train("one")
    ada.commit(f"mine\n\nExptrack-Run: one {'7' * 40}")
    said = " ".join(ada("check", "main..HEAD", code=1).stdout.split())
    assert f"the run of this name here is {ada.oid('one')[:10]}, and 7777777777 is claimed" in said
    assert f"`exptrack check main..{ada.git('rev-parse', 'HEAD')[:10]}` repeats it" in said


def test_data_that_is_nowhere_cannot_be_checked(team):
    remote, ada, bob = team
    ada.run("one", out="hello")
    ada.commit(f"mine\n\nExptrack-Run: one {ada.oid('one')}")
    share(ada, bob)
    remote.place(md5("hello")).unlink()
    said = " ".join(bob("check", "main..HEAD", code=2).stdout.split())
    assert "one cannot be checked: out.bin (md5:" in said
    assert ": it is neither in the DVC cache nor in a remote; `exptrack push one` in the repository that has it" in said
    assert "@" not in said
    shutil.rmtree(remote.store)
    assert "is not known" in bob("check", "main..HEAD", code=2).stdout


def test_without_a_remote_a_run_that_is_not_here_cannot_be_checked(team):
    _, ada, bob = team
    ada.commit(f"mine\n\n{ada.train('one')}")
    share(ada, bob)
    bob.git("remote", "remove", "origin")
    bob.git("branch", "--quiet", "base", "HEAD^")
    said = " ".join(bob("check", "base..HEAD", code=2).stdout.split())
    assert "one cannot be checked: it is not here; " in said


def test_a_shallow_clone_is_told_how_to_be_whole(team, tmp_path):
    remote, ada, bob = team
    ada.commit(f"mine\n\n{ada.train('one')}")
    share(ada, bob)
    url = f"file://{remote.bare}"
    subprocess.run(["git", "clone", "-q", "--depth", "1", "-b", "work", url, tmp_path / "thin"], check=True)
    done = Person(tmp_path / "thin", remote)(
        "check", "main..HEAD", "--report", "report.md", "--junit", "junit.xml", code=2
    )
    assert "fetch-depth: 0" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "### ? No claim can be checked\n\nThis clone is shallow" in (tmp_path / "thin/report.md").read_text()
    assert 'errors="1"' in (tmp_path / "thin/junit.xml").read_text()


def test_runs_can_be_named_and_the_newest_claims_of_the_history_checked(team):
    _, ada, bob = team
    for name in ("one", "two", "three"):
        ada.commit(f"{name}\n\n{ada.train(name)}")
    ada.commit("much has changed since", train_py="raise SystemExit(1)\n")
    share(ada, bob)
    recent = bob("check", "--all-recent", "2")
    assert recent.stdout.startswith("2 runs: all hold\n")
    assert bob.names() >= {"two", "three"}
    assert "one" not in bob.names()
    assert "one holds" in bob("check", "one").stdout
    assert bob("check", "never", code=2).stdout.startswith("1 run: it cannot be checked\n")


def test_runs_of_two_projects_are_each_judged_by_their_own_bar(team):
    _, ada, _ = team
    ada.git("switch", "--quiet", "main")
    other = ada.folder / "other"
    other.mkdir()
    (other / "exptrack.yaml").write_text("check: {require: exact}\n")
    (ada.folder / "exptrack.yaml").write_text("check: {require: methodological}\n")
    (other / "train.py").write_text("import json\nopen('metrics.json', 'w').write(json.dumps({'accuracy': 1}))\n")
    ada.commit("two projects")
    ada.git("switch", "--quiet", "-C", "work")
    claims = [ada.train("one"), Author(other, ada.remote).train("two")]
    ada.commit("\n".join(["both", "", *claims]))
    one, two = json.loads(ada("check", "main..HEAD", "--json").stdout)["claims"]
    assert [(each["verdict"], each["required"]) for each in (one, two)] == [
        ("holds", "methodological"),
        ("holds", "exact"),
    ]
    assert two["notes"] == ["it is judged by the exptrack.yaml in other/ of main"]


def test_reruns_and_timeout_are_those_of_the_base(team):
    _, ada, _ = team
    ada.git("switch", "--quiet", "main")
    ada.commit("a bar", exptrack_yaml="check: {reruns: 2, timeout: 60s}\n")
    ada.git("switch", "--quiet", "-C", "work")
    ada.commit(f"mine\n\n{ada.train('one')}")
    [one] = json.loads(ada("check", "main..HEAD", "--json").stdout)["claims"]
    assert len(one["reproduction"]["reruns"]) == 2


def test_an_execution_that_takes_too_long_is_told_so(team):
    _, ada, _ = team
    ada.git("switch", "--quiet", "main")
    ada.commit("a bar", exptrack_yaml="check: {timeout: 0.2}\n")
    ada.git("switch", "--quiet", "-C", "work")
    (ada.folder / "train.py").write_text("import time\ntime.sleep(1)\n")
    ada.commit(f"mine\n\n{ada.train('one')}")
    said = " ".join(ada("check", "main..HEAD", code=1).stdout.split())
    assert "executed again it did not end within check.timeout of main; when it was recorded it took 1." in said


def test_all_forms_come_from_one_execution(team):
    _, ada, _ = team
    ada.commit(f"mine\n\n{ada.train('one')}")
    done = ada("check", "main..HEAD", "--report", "ci/report.md", "--junit", "ci/junit.xml", "--markdown")
    assert done.stdout.startswith("<!-- exptrack check -->\n\n### ✓ `one` holds: exact\n")
    assert f"**Executed again** once: `{sys.executable} train.py`, with the packages" in done.stdout
    assert (ada.folder / "ci/report.md").read_text() == done.stdout
    assert '<testcase classname="exptrack.check" name="one"' in (ada.folder / "ci/junit.xml").read_text()
    assert len(ada.names()) == 2


def test_a_report_that_cannot_be_written_does_not_cost_the_answer(team):
    _, ada, _ = team
    ada.commit(f"mine\n\n{ada.train('one')}")
    done = ada("check", "main..HEAD", "--report", ".", code=2)
    assert "one holds" in done.stdout
    assert "cannot be written" in done.stderr


def test_code_that_the_base_brought_is_executed_and_what_may_differ_is_no_other_code(team):
    _, ada, _ = team
    ada.git("switch", "--quiet", "main")
    ada.commit("a bar", exptrack_yaml="check: {require: methodological, ignore: ['*.md']}\n")
    ada.git("switch", "--quiet", "-C", "work")
    noisy = "import json, time\nopen('metrics.json', 'w').write(json.dumps({'accuracy': 1 + time.time() % 1 / 99}))\n"
    (ada.folder / "train.py").write_text(noisy)
    ada.commit(f"mine\n\n{ada.train('one')}")
    ada.git("switch", "--quiet", "main")
    ada.commit("docs", README_md="about it\n")
    ada.git("switch", "--quiet", "work")
    ada.git("merge", "--quiet", "--no-edit", "main")
    [one] = json.loads(ada("check", "main..HEAD", "--at", "HEAD", "--json").stdout)["claims"]
    assert (one["verdict"], one["reproduction"]["reached"]) == ("holds", "methodological")
    # What the base brought since is not what the run changes.
    assert [file["path"] for file in one["differs"]["files"]] == ["train.py"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_a_cancelled_job_end_the_check(team, tmp_path, number):
    _, ada, _ = team
    started, slow = tmp_path / "started", tmp_path / "slow"
    code = f"import pathlib, time\nif pathlib.Path({str(slow)!r}).exists():\n    pathlib.Path({str(started)!r}).touch()\n    time.sleep(300)\n"
    (ada.folder / "train.py").write_text(code)
    ada.commit(f"mine\n\n{ada.train('one')}\n{ada.train('two')}")
    slow.touch()
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    command = subprocess.Popen([*EXPTRACK, "check", "main..HEAD"], cwd=ada.folder, **streams)
    until(lambda: started.exists() or command.poll() is not None)
    command.send_signal(number)
    said, _ = command.communicate(timeout=120)
    assert command.returncode == 130
    assert "2 runs are claimed between main and HEAD: none can be checked" in said


def test_a_range_and_a_run_do_not_go_together(team):
    _, ada, _ = team
    assert ada("check", "main..HEAD", "one", code=2).stderr == (
        "exptrack: a range of commits stands alone: leave out 'one', or name runs only\n"
    )
