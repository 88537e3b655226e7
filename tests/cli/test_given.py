"""What `-S` and `--seed` gave a run: its record says so, and a reproduction on other code has it too."""

from __future__ import annotations

import json
import sys

import pytest

PYTHON = sys.executable
CODE = (
    "import json, os, pathlib; text = pathlib.Path('params.yaml').read_text(); print(os.environ.get('EXPTRACK_SEED'), text);"
    "pathlib.Path('metrics.json').write_text(json.dumps({'length': len(text)}))"
)
RUN = ("--", PYTHON, "-c", CODE)


@pytest.fixture
def write(repository):
    def write(text: str) -> None:
        (repository / "params.yaml").write_text(text)

    return write


class TestSeed:
    def test_the_parameter_that_is_taken_for_the_seed_is_set(self, exptrack, repository, look, write):
        write("lr: 0.25\nseed: 7\n")
        for seed in ("3", "4"):
            assert exptrack("run", "--name", f"s{seed}", "--seed", seed, *RUN).returncode == 0
            assert look.record(f"s{seed}")["seed"] == int(seed)
            assert look.file(f"s{seed}", ".exptrack/output.log") == f"{seed} lr: 0.25\nseed: {seed}\n\n"
        assert (repository / "params.yaml").read_text() == "lr: 0.25\nseed: 7\n"
        assert "overrides" not in look.record("s3")

    def test_a_seed_that_the_command_gives_otherwise_is_refused(self, exptrack, look, write):
        write("lr: 0.25\nseed: 7\n")
        done = exptrack("run", "--seed", "3", *RUN, "--seed", "5")
        said = "exptrack: --seed gives 3 and the run's parameters give 5 as the seed: leave one out\n"
        assert (done.returncode, done.stderr) == (125, said)
        assert look.refs("refs/exptrack") == []
        assert exptrack("run", "--seed", "3", *RUN, "--seed", "3").returncode == 0


class TestOverrides:
    def test_they_are_in_the_record_the_card_the_log_and_the_subject(self, exptrack, repository, look, write):
        write("lr: 0.25\nlayers: [1]\ndb: {password: x}\n")
        words = ("-S", "lr=0.5", "-S", "layers=[1, 2]", "-S", "db.password=hunter2hunter2", "-S", "+db.token=12345")
        assert exptrack("run", "--name", "one", *words, *RUN).returncode == 0
        typed = ["lr=0.5", "layers=[1, 2]", "db.password=***", "+db.token=***"]
        assert look.record("one")["overrides"] == typed
        shown = "lr=0.5 'layers=[1, 2]' 'db.password=***' '+db.token=***'\n"
        assert f"overrides  {shown}" in exptrack("show", "one").stdout
        assert f"Overrides:  {shown}" in exptrack("log", "one").stdout
        subject = look.git("log", "-1", "--format=%s", look.ref("one"))
        assert subject.startswith("one: lr=0.5, layers=[1, 2], db.password=***, … → length=")
        assert "hunter2" not in look.file("one", ".exptrack/run.json")

    def test_a_reproduction_has_them_and_one_on_other_code_applies_them(self, exptrack, repository, git, look, write):
        write("# old\nlr: 0.25\nseed: 7\n")
        git("add", ".", cwd=repository)
        git("commit", "-qm", "old", cwd=repository)
        assert exptrack("run", "--name", "one", "-S", "lr=0.5", "--seed", "3", *RUN).returncode == 0
        write("# new\nlr: 0.25\nseed: 7\n")
        git("commit", "-qam", "new", cwd=repository)
        for at in ((), ("--at", "HEAD"), ("--at", "worktree")):
            done = exptrack("reproduce", "one", *at, "--json")
            assert done.returncode == 0, done.stderr
            [found] = json.loads(done.stdout)["reproductions"]
            again = found["reruns"][0]["name"]
            record = look.record(again)
            assert (record["overrides"], record["seed"]) == (["lr=0.5"], 3)
            assert record["params"]["params.yaml"] == {"lr": 0.5, "seed": 3}
            mark = "# new" if at else "# old"
            assert look.file(again, ".exptrack/output.log").startswith(f"3 {mark}\nlr: 0.5")
        write("seed: 7\n")
        done = exptrack("reproduce", "one", "--at", "worktree")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "what 'one' was given does not fit worktree: 'lr=0.5' names 'lr', which params.yaml" in done.stderr
        assert look.refs("refs/exptrack/active") == []

    def test_one_that_is_masked_is_not_applied_to_other_code(self, exptrack, repository, look, write):
        write("lr: 0.25\ndb: {password: x}\n")
        assert exptrack("run", "--name", "one", "-S", "db.password=hunter2hunter2", *RUN).returncode == 0
        done = exptrack("reproduce", "one", "--at", "HEAD")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "an override held a credential, which is not recorded (db.password=***); leave out --at" in done.stderr
