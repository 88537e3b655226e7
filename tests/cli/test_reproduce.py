"""`exptrack reproduce`: a run is executed again from its snapshot alone, and judged on four levels."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from witness import argv, until

PYTHON = sys.executable
# Its result depends on code, parameters, data, and, where the seed is unset, on the next line of a file outside of the repository.
TRAIN = """\
import json, os, pathlib, random
params = dict(line.split(": ") for line in pathlib.Path("params.yaml").read_text().splitlines())
data = [float(line) for line in pathlib.Path("data/in.csv").read_text().split()]
if params["seed"] == "null":
    tape = pathlib.Path(os.environ["TAPE"])
    first, *rest = tape.read_text().split()
    tape.write_text("\\n".join(rest))
    noise = float(first)
else:
    noise = random.Random(int(params["seed"])).random()
loss = float(params["lr"]) * sum(data) + noise
for step in range(3):
    print(f"step {step} train_loss={loss / (step + 1) if step else 1.0}")
pathlib.Path("model.txt").write_text(str(loss))
pathlib.Path("metrics.json").write_text(json.dumps({"loss": loss}))
"""
SETTINGS = """\
seed: seed
metrics:
  loss: {goal: minimize}
capture:
  patterns: ['step \\d+ train_loss=(?P<train_loss>\\S+)']
"""
RUN = ("-o", "model.txt", "--", PYTHON, "train.py")


@pytest.fixture
def project(repository, git, exptrack, dvc, tmp_path):
    """A project with data that DVC tracks, of which the remote has a copy."""
    (repository / "train.py").write_text(TRAIN)
    (repository / "params.yaml").write_text("lr: 0.5\nseed: 3\n")
    (repository / "exptrack.yaml").write_text(SETTINGS)
    (repository / ".gitignore").write_text("metrics.json\nmodel.txt\n")
    (repository / "data").mkdir()
    (repository / "data" / "in.csv").write_text("1\n2\n3\n")
    dvc("init", "-q")
    dvc("remote", "add", "-q", "-d", "store", str(tmp_path / "store"))
    dvc("add", "-q", "data/in.csv")
    dvc("push", "-q")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "a project", cwd=repository)
    return repository


@pytest.fixture
def clone(project, git, tmp_path):
    """Clone the project with its runs, as a colleague would: no data, no cache."""

    def make() -> Path:
        folder = tmp_path / "clone"
        git("clone", "--quiet", project, folder)
        git("fetch", "--quiet", "origin", "refs/exptrack/*:refs/exptrack/*", cwd=folder)
        return folder

    return make


def reproduced(done: subprocess.CompletedProcess[str]) -> dict:
    assert done.returncode == 0, done.stderr
    [found] = json.loads(done.stdout)["reproductions"]
    return found


def answers(found: dict) -> dict[str, str]:
    return {one["level"]: one["answer"] for one in found["levels"]}


def leftovers(repository: Path) -> list[str]:
    """Journals, refs of runs under way, and locks of DVC in a slot."""
    shared = repository / ".git" / "exptrack"
    refs = subprocess.run(
        ["git", "for-each-ref", "refs/exptrack/active"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout.split()
    locks = [str(path) for path in shared.glob("worktrees/w*/.dvc/tmp/lock") if path.stat().st_size]
    return [*(path.name for path in (shared / "active").glob("*")), *refs, *locks]


class TestExact:
    def test_in_a_second_clone_with_data_only_on_the_remote(self, exptrack, project, clone):
        assert exptrack("run", "--name", "one", *RUN).returncode == 0
        other = clone()
        done = exptrack("reproduce", "one", "--require", "exact", "--json", cwd=other)
        found = reproduced(done)
        assert found["reached"] == "exact"
        assert found["nondeterministic"] is None
        assert found["divergence"] is None
        assert not (other / "data" / "in.csv").exists()
        assert "step 2 train_loss=" in done.stderr

    def test_it_is_recorded_as_a_run_that_names_what_it_reproduces(self, exptrack, project, look):
        assert exptrack("run", "--name", "one", *RUN).returncode == 0
        found = reproduced(exptrack("reproduce", "one", "--json"))
        [again] = found["reruns"]
        record = look.record(again["name"])
        assert record["links"] == {"reproduces": "one"}
        assert record["metrics"] == look.record("one")["metrics"]
        assert look.git("rev-parse", look.ref(again["name"]) + "^^{tree}") == look.git(
            "rev-parse", look.ref("one") + "^^{tree}"
        )
        assert look.git("rev-parse", look.ref(again["name"]) + "~2") == look.git("rev-parse", look.ref("one") + "~2")

    def test_nothing_of_the_work_tree_is_read(self, exptrack, project):
        """All files but DVC's own config are made poisonous: not one of them can be read as what it was."""
        assert exptrack("run", "--name", "one", *RUN).returncode == 0
        for path in project.rglob("*"):
            inside = path.relative_to(project).parts
            if path.is_file() and inside[0] != ".git" and inside[:2] not in {(".dvc", "config"), (".dvc", "cache")}:
                path.unlink()
                path.write_bytes(b"\x00 {[poison: raise SystemExit(77)\n")
        found = reproduced(exptrack("reproduce", "one", "--json"))
        assert found["reached"] == "exact"
        assert found["differs"]["files"] == []

    def test_overrides_and_seeds_of_an_isolated_run_come_back(self, exptrack, project, look):
        script = "import json, os; json.dump({'loss': hash('a') % 1000, 's': int(os.environ['EXPTRACK_SEED'])}, open('metrics.json', 'w'))"
        done = exptrack("run", "--name", "one", "-S", "lr=0.1", "--seed", "11", "--", PYTHON, "-c", script)
        assert done.returncode == 0, done.stderr
        environ = {**os.environ, "PYTHONHASHSEED": "999", "EXPTRACK_SEED": "12"}
        found = reproduced(exptrack("reproduce", "one", "--json", env=environ))
        assert found["reached"] == "exact", found
        assert look.record(found["reruns"][0]["name"])["params"] == look.record("one")["params"]

    def test_a_failed_run_fails_again(self, exptrack, project):
        assert exptrack("run", "--name", "one", "--", "false").returncode == 1
        done = exptrack("reproduce", "one")
        assert done.returncode == 0, done.stderr


class TestStatistical:
    @pytest.fixture
    def environ(self, project, tmp_path):
        tape = tmp_path / "tape"
        tape.write_text("0.11 0.15 0.12 0.14 0.13 0.10")
        (project / "params.yaml").write_text("lr: 0.5\nseed: null\n")
        return {**os.environ, "TAPE": str(tape)}

    def test_an_unset_seed_is_nondeterministic(self, exptrack, environ):
        assert exptrack("run", "--name", "one", *RUN, env=environ).returncode == 0
        done = exptrack("reproduce", "one", "--json", env=environ)
        found = reproduced(done)
        assert answers(found)["exact"] == "no"
        assert answers(found)["statistical"] == "cannot assess"
        assert found["reached"] == "methodological"
        assert "no seed is recorded" in found["nondeterministic"]
        assert found["divergence"]["metric"] == "train_loss"
        assert found["divergence"]["step"] == 1
        assert exptrack("reproduce", "one", "--require", "statistical", env=environ).returncode == 1

    def test_statistical_once_there_are_replicates(self, exptrack, environ):
        for name in ("one", "two", "three", "four", "five"):
            assert exptrack("run", "--name", name, *RUN, env=environ).returncode == 0
        done = exptrack("reproduce", "one", "--require", "statistical", "--json", env=environ)
        found = reproduced(done)
        assert found["reached"] == "statistical"
        assert found["nondeterministic"]
        assert "(5 " in "".join(found["levels"][1]["evidence"])

    def test_a_silent_change_is_nondeterministic_though_it_is_inside_the_interval(self, exptrack, project, tmp_path):
        """The seed is recorded, so exact is expected, whatever the interval says."""
        tape = tmp_path / "tape"
        tape.write_text("0.3 0.1 0.2 0.15 0.22 0.2")
        environ = {**os.environ, "TAPE": str(tape)}
        drift = TRAIN.replace('== "null"', '!= "null"')
        (project / "train.py").write_text(drift)
        for number in range(5):
            (project / "params.yaml").write_text(f"lr: 0.5\nseed: {number}\n")
            assert exptrack("run", "--name", f"seed-{number}", *RUN, env=environ).returncode == 0
        found = reproduced(exptrack("reproduce", "seed-4", "--json", env=environ))
        assert found["reached"] == "statistical"
        assert "seed 4 is recorded" in found["nondeterministic"]

    def test_several_reruns(self, exptrack, environ, look):
        assert exptrack("run", "--name", "one", *RUN, env=environ).returncode == 0
        done = exptrack("reproduce", "one", "--reruns", "3", "--json", env=environ)
        found = reproduced(done)
        said = [line for line in done.stderr.splitlines() if line.startswith("exptrack: rerun ")]
        assert said == [f"exptrack: rerun {number} of 3" for number in (1, 2, 3)]
        assert len({one["name"] for one in found["reruns"]}) == 3
        assert {look.record(one["name"])["links"]["reproduces"] for one in found["reruns"]} == {"one"}


class TestAt:
    def test_one_line_of_code_is_named(self, exptrack, project, git):
        assert exptrack("run", "--name", "one", *RUN).returncode == 0
        (project / "train.py").write_text(TRAIN.replace("sum(data)", "max(data)"))
        git("commit", "-qam", "another loss", cwd=project)
        done = exptrack("reproduce", "one", "--at", "main", "--json")
        found = reproduced(done)
        assert [(one["path"], one["added"], one["removed"]) for one in found["differs"]["files"]] == [
            ("train.py", 1, 1)
        ]
        assert answers(found)["methodological"] == "no"
        assert any("train.py" in line for line in found["levels"][2]["evidence"])
        assert found["nondeterministic"] is None
        assert reproduced(exptrack("reproduce", "one", "--json"))["reached"] == "exact"

    def test_one_byte_of_data_is_named(self, exptrack, project, git, dvc):
        assert exptrack("run", "--name", "one", *RUN).returncode == 0
        (project / "data" / "in.csv").write_text("1\n2\n4\n")
        dvc("add", "-q", "data/in.csv")
        git("commit", "-qam", "other data", cwd=project)
        found = reproduced(exptrack("reproduce", "one", "--at", "main", "--json"))
        inputs = [one["key"] for one in found["differs"]["changes"] if one["area"] == "data"]
        assert ["data/in.csv"] in inputs
        assert found["differs"]["files"] == []
        assert any("data/in.csv" in line for line in found["levels"][2]["evidence"])

    def test_the_work_tree_with_another_parameter(self, exptrack, project):
        assert exptrack("run", "--name", "one", *RUN).returncode == 0
        (project / "params.yaml").write_text("lr: 0.25\nseed: 3\n")
        found = reproduced(exptrack("reproduce", "one", "--at", "worktree", "--json"))
        assert any("lr 0.5 → 0.25" in line for line in found["levels"][2]["evidence"])


class TestEnvironment:
    def test_another_version_of_a_library_is_named(self, exptrack, project, tmp_path):
        environ = {}
        for version in ("1.0", "2.0"):
            folder = tmp_path / f"toy-{version}"
            (folder / f"toy-{version}.dist-info").mkdir(parents=True)
            (folder / f"toy-{version}.dist-info" / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: toy\nVersion: {version}\n"
            )
            (folder / "toy.py").write_text(f"scale = {version}\n")
            environ[version] = {**os.environ, "PYTHONPATH": str(folder)}
        (project / "train.py").write_text(TRAIN.replace("loss =", "import toy; loss = toy.scale *"))
        assert exptrack("run", "--name", "one", *RUN, env=environ["1.0"]).returncode == 0
        done = exptrack("reproduce", "one", env=environ["2.0"])
        assert done.returncode == 0, done.stderr
        assert "toy" in done.stdout
        assert "1.0" in done.stdout
        assert "2.0" in done.stdout
        found = reproduced(exptrack("reproduce", "one", "--json", env=environ["2.0"]))
        assert found["nondeterministic"] is None
        assert answers(found)["exact"] == "no"


PIPELINE = """\
stages:
  prepare:
    cmd: python prepare.py
    deps: [data/in.csv, prepare.py]
    outs: [ready.txt]
  train:
    cmd: python learn.py
    deps: [ready.txt, learn.py]
    params: [lr, seed]
    outs: [model.txt]
    metrics: [{scores.json: {cache: false}}]
"""
PREPARE = """\
import os, pathlib
numbers = [float(line) for line in pathlib.Path("data/in.csv").read_text().split()]
pathlib.Path("ready.txt").write_text(f"{sum(numbers)}")
"""
LEARN = """\
import json, os, pathlib
params = dict(line.split(": ") for line in pathlib.Path("params.yaml").read_text().splitlines())
loss = float(pathlib.Path("ready.txt").read_text()) * float(params["lr"]) + (os.getpid() if os.environ.get("DRIFT") else 0)
pathlib.Path("model.txt").write_text(str(loss))
pathlib.Path("scores.json").write_text(json.dumps({"loss": loss}))
"""


class TestPipelines:
    @pytest.fixture
    def pipeline(self, project, git, monkeypatch):
        (project / "dvc.yaml").write_text(PIPELINE)
        (project / "prepare.py").write_text(PREPARE)
        (project / "learn.py").write_text(LEARN)
        git("add", ".", cwd=project)
        git("commit", "--quiet", "-m", "a pipeline", cwd=project)
        monkeypatch.setenv("PATH", f"{Path(PYTHON).parent}{os.pathsep}{os.environ['PATH']}")
        return project

    def test_in_a_second_clone_all_stages_run_again(self, exptrack, pipeline, clone, look):
        assert exptrack("run", "--name", "base").returncode == 0
        done = exptrack("run", "--name", "one", "-S", "lr=0.1")
        assert done.returncode == 0, done.stderr
        assert [stage["state"] for stage in look.record("one")["stages"]] == ["skipped", "ran"]
        other = clone()
        found = reproduced(exptrack("reproduce", "one", "--json", cwd=other))
        assert found["reached"] == "exact", found
        assert "2 files" in found["levels"][0]["evidence"][0]
        again = json.loads(exptrack("show", found["reruns"][0]["name"], "--json", cwd=other).stdout)
        assert [stage["state"] for stage in again["stages"]] == ["ran", "ran"]

    def test_the_stage_that_diverges_is_named(self, exptrack, pipeline):
        assert exptrack("run", "--name", "one", "--isolated").returncode == 0
        found = reproduced(exptrack("reproduce", "one", "--json", env={**os.environ, "DRIFT": "1"}))
        assert found["divergence"]["stage"] == "train"
        assert found["divergence"]["output"] == "model.txt"
        assert found["nondeterministic"]


class TestRefused:
    def test_what_was_not_captured(self, exptrack, repository, look):
        (repository / "weights.bin").write_bytes(bytes(3 * 1024 * 1024))
        assert exptrack("run", "--name", "one", "--", "true").returncode == 0
        done = exptrack("reproduce", "one")
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert "weights.bin (too large, 3,145,728 bytes)" in done.stderr
        assert exptrack("reproduce", "one", "--anyway").returncode == 0

    def test_data_that_nobody_has(self, exptrack, project, clone, tmp_path):
        assert exptrack("run", "--name", "one", *RUN).returncode == 0
        other = clone()
        shutil.rmtree(tmp_path / "store")
        (tmp_path / "store").mkdir()
        done = exptrack("reproduce", "one", cwd=other)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1, done.stderr
        assert "data/in.csv" in done.stderr
        assert leftovers(other) == []

    def test_a_command_with_a_credential(self, exptrack, repository):
        assert (
            exptrack("run", "--name", "one", "--", "true", "--api-key=sk-abcdefghijklmnopqrstuvwxyz012345").returncode
            == 0
        )
        done = exptrack("reproduce", "one")
        assert done.returncode == 2
        assert "credential" in done.stderr

    def test_no_such_run_and_no_such_commit(self, exptrack, project):
        assert exptrack("run", "--name", "one", "--", "true").returncode == 0
        for words in (("two",), ("one", "--at", "nowhere")):
            done = exptrack("reproduce", *words)
            assert (done.returncode, done.stderr.count("\n")) == (2, 1)


class TestKept:
    def test_the_work_tree_stays_until_it_is_deleted(self, exptrack, project):
        assert exptrack("run", "--name", "one", *RUN).returncode == 0
        folder = project / ".git" / "exptrack" / "worktrees" / "w0"
        done = exptrack("reproduce", "one", "--keep")
        assert str(folder) in done.stdout
        assert (folder / "model.txt").read_text() == (project / "model.txt").read_text()
        (folder / "model.txt").write_text("looked at")
        assert exptrack("reproduce", "one").returncode == 0
        assert (folder / "model.txt").read_text() == "looked at"
        shutil.rmtree(folder)
        assert exptrack("reproduce", "one").returncode == 0
        assert folder.is_dir()
        assert sorted(path.name for path in folder.parent.glob("w?")) == ["w0", "w1"]


class TestEnds:
    def test_one_that_takes_too_long(self, exptrack, project, look):
        assert (
            exptrack(
                "run", "--name", "one", "--", "sh", "-c", '[ "$QUICK" ] || sleep 600', env={**os.environ, "QUICK": "1"}
            ).returncode
            == 0
        )
        done = exptrack("reproduce", "one", "--timeout", "0.5")
        assert done.returncode == 1
        assert "ended by --timeout" in done.stdout
        assert leftovers(project) == []

    def test_one_that_asks_is_not_waited_for(self, exptrack, project):
        asks = "import os; answer = 'y' if os.environ.get('YES') else open('/dev/tty').readline()"
        assert (
            exptrack("run", "--name", "one", "--", PYTHON, "-c", asks, env={**os.environ, "YES": "1"}).returncode == 0
        )
        done = exptrack("reproduce", "one", timeout=120)
        assert done.returncode == 1
        assert leftovers(project) == []

    def test_one_that_fails_now(self, exptrack, project):
        assert (
            exptrack(
                "run", "--name", "one", "--", "sh", "-c", 'test -n "$THERE"', env={**os.environ, "THERE": "1"}
            ).returncode
            == 0
        )
        done = exptrack("reproduce", "one")
        assert done.returncode == 1
        assert "failed" in done.stdout

    def test_one_that_is_killed_is_recovered(self, exptrack, project, tmp_path):
        wait = f"import os, time; open({str(tmp_path / 'on')!r}, 'w').close(); time.sleep(0 if os.environ.get('QUICK') else 20)"
        assert (
            exptrack("run", "--name", "one", "--", PYTHON, "-c", wait, env={**os.environ, "QUICK": "1"}).returncode == 0
        )
        (tmp_path / "on").unlink()
        child = subprocess.Popen(
            argv("reproduce", "one"), cwd=project, start_new_session=True, stderr=subprocess.DEVNULL
        )
        until((tmp_path / "on").exists)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        [journal] = (project / ".git" / "exptrack" / "active").iterdir()
        start = json.loads((journal / "start.json").read_text())
        assert start["record"]["links"] == {"reproduces": "one"}
        assert exptrack("recover", "--force").returncode == 0
        assert leftovers(project) == []
