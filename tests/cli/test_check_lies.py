"""`exptrack check` of claims that are false, made by somebody who knows how runs are stored: none of them holds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sharing import Person, make_team

TRAIN = ("--", sys.executable, "train.py")
CODE = """import json
rate = float(open("params.yaml").read().split()[1])
json.dump({"accuracy": 1 - rate}, open("metrics.json", "w"))
open("out.bin", "w").write(f"model {rate}")
"""


class Forger(Person):
    """Somebody who records a run, and then makes another one of it by hand."""

    def train(self, name: str, *options: str) -> str:
        """Record a run, and give the line that claims it."""
        self("run", "-q", "--name", name, *options, *TRAIN)
        return f"Exptrack-Run: {name} {self.oid(name)}"

    def commit(self, message: str) -> None:
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)

    def check(self, *words: str, code: int = 1) -> str:
        return " ".join(self("check", "main..HEAD", *words, code=code).stdout.split())

    def forge(self, name: str, files: Mapping[str, str], change: Callable[[Any], object] = lambda _: None) -> str:
        """A run `forged` as the run `name`, but for these files of its commit and what `change` makes of its record; HEAD is that."""
        run = self.oid(name)
        record = json.loads(self.git("show", f"{run}:.exptrack/run.json"))
        record["name"] = "forged"
        change(record)
        snapshot = self._commit(f"{run}^", {}, f"{run}^^", "snapshot of forged")
        message = self.git("log", "-1", "--format=%B", run).replace(name, "forged")
        oid = self._commit(run, {**files, ".exptrack/run.json": json.dumps(record)}, snapshot, message)
        [ref] = self.git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs").split()
        self.git("update-ref", ref.replace(name, "forged"), oid)
        claim = f"Exptrack-Run: forged {oid}"
        self.git("read-tree", "--reset", "-u", oid)
        self.git("rm", "-rqf", "--cached", ".exptrack")
        self.git("commit", "--quiet", "-m", f"mine\n\n{claim}")
        return claim

    def _commit(self, tree: str, files: Mapping[str, str], parent: str, message: str) -> str:
        environ = {**os.environ, "GIT_INDEX_FILE": str(self.folder / ".git/forged")}

        def git(*words: str, stdin: str | None = None) -> str:
            done = subprocess.run(
                ["git", *words], cwd=self.folder, env=environ, input=stdin, capture_output=True, text=True, check=True
            )
            return done.stdout.strip()

        git("read-tree", tree)
        for path, content in files.items():
            oid = git("hash-object", "-w", "--stdin", stdin=content)
            git("update-index", "--add", "--cacheinfo", f"100644,{oid},{path}")
        return git("commit-tree", "-p", parent, "-m", message, git("write-tree"))


@pytest.fixture
def forger(tmp_path, repository):
    (repository / "train.py").write_text(CODE)
    (repository / "params.yaml").write_text("lr: 0.1\n")
    (repository / ".gitignore").unlink()
    remote, ada, _ = make_team(tmp_path, repository)
    ada.git("switch", "--quiet", "-c", "work")
    return Forger(ada.folder, remote)


def test_metrics_that_the_record_does_not_have(forger):
    forger.train("one")
    forger.forge("one", {"metrics.json": '{"accuracy": 0.999}\n'})
    assert "its record does not agree with its metrics.json: no exptrack makes such a run" in forger.check()


def test_a_pointer_to_other_data_than_the_command_made(forger):
    forger.train("one", "-o", "out.bin")
    pointer = forger.git("show", f"{forger.oid('one')}:out.bin.dvc")
    forger.forge("one", {"out.bin.dvc": re.sub("[0-9a-f]{32}", "5" * 32, pointer)})
    assert "its record does not agree with its out.bin.dvc" in forger.check()


def test_parameters_that_it_did_not_have(forger):
    forger.train("one")
    forger.forge("one", {}, lambda record: record["params"]["params.yaml"].update(lr=0.5))
    assert "its record does not agree with its params.yaml" in forger.check()


def test_code_that_came_with_the_results(forger):
    forger.train("one")
    forger.forge("one", {"train.py": "print('never executed')\n", "helper.py": "", "seen.txt": ""})
    said = forger.check()
    assert "the run has helper.py and train.py otherwise than its snapshot, and its command does not write that" in said
    assert "in the run lies seen.txt, which was not written again" in said


def test_results_of_a_run_that_nobody_executes(forger):
    forger.train("one")
    forger.forge(
        "one", {"metrics.json": '{"accuracy": 0.999}\n'}, lambda record: record.update(metrics={"accuracy": 0.999})
    )
    (forger.folder / "train.py").write_text(f"{CODE}# better\n")
    claim = forger.train("two")
    forger.git("checkout", "--", "metrics.json")
    forger.commit(f"its code, and the results of the run before\n\n{claim}")
    assert "two does not hold: HEAD is not what ran, it differs in metrics.json" in forger.check()


def test_results_that_lay_there_before_the_run(forger):
    (forger.folder / "metrics.json").write_text('{"accuracy": 0.999}\n')
    forger.commit("by hand")
    claim = forger.train("one")
    forger.git("checkout", "--", "metrics.json")
    forger.commit(f"mine\n\n{claim}")
    said = forger.check()
    assert "HEAD is not what ran, it differs in metrics.json" in said
    advice = re.search("`(git restore [^`]+)`", said)
    assert advice
    forger.git(*advice[1].split()[1:])
    forger.commit("its results")
    assert "one holds" in forger.check(code=0)


def test_results_that_the_base_has_already_are_nobodys_claim(forger):
    forger.git("switch", "--quiet", "main")
    (forger.folder / "metrics.json").write_text('{"accuracy": 0.5}\n')
    forger.commit("of another time")
    forger.git("switch", "--quiet", "-C", "work")
    (forger.folder / "train.py").write_text(f"{CODE}# better\n")
    claim = forger.train("one")
    forger.git("checkout", "--", "metrics.json")
    forger.commit(f"mine\n\n{claim}")
    assert "one holds" in forger.check(code=0)


def test_a_project_of_its_own_does_not_lower_the_bar(forger):
    forger.git("switch", "--quiet", "main")
    (forger.folder / "exptrack.yaml").write_text("check: {require: exact}\n")
    forger.commit("a bar")
    forger.git("switch", "--quiet", "-C", "work")
    below = forger.folder / "below"
    below.mkdir()
    (below / "exptrack.yaml").write_text("check: {require: methodological}\n")
    (below / "train.py").write_text(
        "import json, time\njson.dump({'a': 1 + time.time() % 1 / 99}, open('metrics.json', 'w'))\n"
    )
    claim = Forger(below, forger.remote).train("one")
    forger.commit(f"mine\n\n{claim}")
    said = forger.check()
    assert said.startswith("below.check.require: exact → methodological in HEAD; main's counts")
    assert "it reproduces only as methodological, and main requires exact" in said
    assert "it is judged by the exptrack.yaml of main" in said


def test_a_commit_that_only_this_clone_has_in_place_of_the_one_that_is_claimed(forger):
    claim = forger.train("one")
    (forger.folder / "train.py").write_text("print('never executed')\n")
    forger.commit(f"mine\n\n{claim}")
    head = forger.git("rev-parse", "HEAD").strip()
    tree = forger.git("rev-parse", f"{forger.oid('one')}^^{{tree}}").strip()
    forger.git("replace", head, forger.git("commit-tree", "-p", "main", "-m", f"mine\n\n{claim}", tree).strip())
    assert "it differs in train.py" in forger.check()
