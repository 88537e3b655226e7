"""A reproduction that would lie, read or write where it must not, or leave something behind."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from witness import Witness, argv, until

PYTHON = sys.executable
HOLDOUT = "metrics:\n  loss: minimize\n  test: {goal: minimize, holdout: true}\n"


@pytest.fixture
def project(repository, git, dvc, tmp_path):
    """A project with a DVC remote and one file of data, which is there; commits are for the tests to make."""
    dvc("init", "-q")
    dvc("remote", "add", "-q", "-d", "store", str(tmp_path / "store"))
    (repository / "in.csv").write_text("1\n2\n")
    dvc("add", "-q", "in.csv")
    dvc("push", "-q")
    return repository


@pytest.fixture
def commit(git, repository):
    def call() -> None:
        git("add", ".", cwd=repository)
        git("commit", "--quiet", "--allow-empty", "-m", "a state", cwd=repository)

    return call


@pytest.fixture
def clone(repository, git, tmp_path):
    def make(*options: str) -> Path:
        folder = tmp_path / "clone"
        git("clone", "--quiet", *options, f"file://{repository}", folder)
        git("fetch", "--quiet", *options, "origin", "refs/exptrack/*:refs/exptrack/*", cwd=folder)
        return folder

    return make


@pytest.fixture
def record(exptrack):
    """Record a run of a piece of Python code."""

    def call(code: str, *options: str, name: str = "one", **other: object) -> None:
        done = exptrack("run", "--name", name, *options, "--", PYTHON, "-c", code, **other)
        assert done.returncode == 0, done.stderr

    return call


@pytest.fixture
def reproduce(exptrack):
    def call(*words: str, **options: object) -> dict:
        done = exptrack("reproduce", *(words or ("one",)), "--json", **options)
        assert done.returncode == 0, done.stderr
        [found] = json.loads(done.stdout)["reproductions"]
        return found

    return call


def answer(found: dict, level: str) -> tuple[str, str]:
    [one] = [one for one in found["levels"] if one["level"] == level]
    return one["answer"], "\n".join(one["evidence"])


def write_metrics(expression: str) -> str:
    return f"import json, os, pathlib, random; json.dump({expression}, open('metrics.json', 'w'))"


class TestPlaces:
    def test_a_command_that_names_the_work_tree_gets_the_snapshots_files_and_writes_beside_them(
        self, exptrack, repository, reproduce
    ):
        script = repository / "by_path.py"
        script.write_text("import sys; open(sys.argv[1], 'w').write('{\"a\": 1}')")
        target = repository / "metrics.json"
        line = f"'{PYTHON}' {script} {target}"
        assert exptrack("run", "--name", "one", "--", PYTHON, script, target).returncode == 0
        assert exptrack("run", "--name", "two", "--", "sh", "-c", line).returncode == 0
        script.write_text("raise SystemExit(77)")
        target.write_text("mine")
        for name in ("one", "two"):
            found = reproduce(name)
            assert found["reached"] == "exact"
            assert any("is taken from the snapshot" in note for note in found["notes"])
        assert target.read_text() == "mine"

    def test_a_pipeline_that_names_the_work_tree_is_told(self, exptrack, project, commit, reproduce):
        (project / "dvc.yaml").write_text(f"stages:\n  a: {{cmd: cat {project}/train.py > a.txt, outs: [a.txt]}}\n")
        commit()
        assert exptrack("run", "--name", "one").returncode == 0
        (project / "train.py").write_text("other")
        found = reproduce()
        assert any(f"dvc.yaml names {project}/train.py" in note for note in found["notes"])
        assert found["nondeterministic"] is None

    def test_what_lies_outside_is_used_and_told_and_never_called_the_same(self, exptrack, repository, reproduce):
        (repository.parent / "outside.py").write_text(write_metrics("{'a': 1}"))
        assert exptrack("run", "--name", "one", "--", PYTHON, "../outside.py").returncode == 0
        assert reproduce()["reached"] == "exact"
        (repository.parent / "outside.py").write_text(write_metrics("{'a': 2}"))
        found = reproduce()
        assert answer(found, "exact")[0] == "no"
        assert found["nondeterministic"] is None
        assert "../outside.py lies outside" in "".join(found["notes"])

    def test_the_script_of_another_machine_is_the_snapshots(self, exptrack, repository, clone, reproduce):
        assert exptrack("run", "--name", "one", "--", PYTHON, repository / "train.py").returncode == 0
        other = clone()
        repository.rename(repository.with_name("elsewhere"))
        found = reproduce(cwd=other)
        assert found["reached"] == "exact"
        assert "is not on this machine: train.py" in "".join(found["notes"])

    def test_nothing_is_written_into_a_work_tree_without_a_dvc_project(self, exptrack, project, commit, git, record):
        commit()
        record(write_metrics("{'a': 1}"))
        empty = project.with_name("empty")
        git("init", "--quiet", empty)
        git("fetch", "--quiet", project, "refs/exptrack/*:refs/exptrack/*", cwd=empty)
        done = exptrack("reproduce", "one", cwd=empty)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "no DVC project" in done.stderr
        assert [path.name for path in empty.iterdir()] == [".git"]


class TestData:
    def test_a_script_has_what_a_stage_made_from_the_remote(
        self, exptrack, project, dvc, commit, clone, reproduce, record
    ):
        (project / "dvc.yaml").write_text(
            "stages:\n  a: {cmd: cat in.csv in.csv > a.txt, deps: [in.csv], outs: [a.txt]}\n"
        )
        dvc("repro", "-q")
        dvc("push", "-q")
        commit()
        record(write_metrics("{'a': len(open('a.txt').read()) if os.path.exists('a.txt') else 0}"))
        found = reproduce(cwd=clone())
        assert found["reached"] == "exact"

    def test_data_of_several_dvc_projects(self, exptrack, repository, dvc, commit, clone, reproduce, tmp_path):
        for name in ("first", "second"):
            folder = repository / name
            folder.mkdir()
            dvc("init", "-q", "--subdir", cwd=folder)
            dvc("remote", "add", "-q", "-d", name, str(tmp_path / f"store-{name}"), cwd=folder)
            (folder / "in.csv").write_text(name)
            dvc("add", "-q", "in.csv", cwd=folder)
            dvc("push", "-q", cwd=folder)
        commit()
        code = write_metrics("{'a': len(open('in.csv').read() + open('../second/in.csv').read())}")
        done = exptrack("run", "--name", "one", "--", PYTHON, "-c", code, cwd=repository / "first")
        assert done.returncode == 0, done.stderr
        assert reproduce(cwd=clone())["reached"] == "exact"

    def test_a_folder_of_data_is_what_its_pointer_says_the_second_time_too(
        self, project, dvc, commit, reproduce, record
    ):
        """DVC sees neither what `.dvcignore` hides nor empty folders."""
        (project / "raw").mkdir()
        (project / "raw" / "a").write_text("1")
        (project / ".dvcignore").write_text("*.memo\n")
        dvc("add", "-q", "raw")
        commit()
        names = "sorted(map(str, pathlib.Path('raw').rglob('*')))"
        code = f"import pathlib; n = len({names}); " + write_metrics("{'n': n}")
        code += "; pathlib.Path('raw/x.memo').touch(); pathlib.Path('raw/sub/deep').mkdir(parents=True)"
        record(code, "--isolated")
        assert [reproduce()["reached"] for _ in range(2)] == ["exact", "exact"]

    def test_an_output_that_the_snapshot_has_is_no_link_into_the_cache(self, exptrack, project, dvc, commit, reproduce):
        dvc("config", "cache.type", "hardlink")
        (project / "log.txt").write_text("begun\n")
        dvc("add", "-q", "log.txt")
        commit()
        done = exptrack("run", "--name", "one", "--isolated", "-o", "log.txt", "--", "sh", "-c", "echo more >> log.txt")
        assert done.returncode == 0, done.stderr
        found = reproduce()
        assert found["reached"] == "exact"
        assert not any("linked" in note or "pointer says" in note for note in found["notes"])

    def test_a_spoilt_cache_is_the_reason_for_a_miss(self, project, dvc, commit, reproduce, record):
        dvc("config", "cache.type", "hardlink")
        commit()
        record(write_metrics("{'a': int(open('in.csv').read()[0])}"))
        assert reproduce()["reached"] == "exact"
        [file] = [
            one for one in (project / ".dvc" / "cache").rglob("*") if one.is_file() and one.read_bytes() == b"1\n2\n"
        ]
        file.chmod(0o644)
        file.write_bytes(b"3\n4\n")
        file.chmod(0o444)
        found = reproduce()
        assert answer(found, "exact")[0] == "no"
        assert found["nondeterministic"] is None
        assert any(f"{file} of in.csv is not what its name says" in note for note in found["notes"])

    def test_data_that_was_modified_excuses_a_miss(self, project, commit, reproduce, record):
        commit()
        (project / "in.csv").write_text("1\n2\n3\n")
        record(write_metrics("{'a': len(open('in.csv').read())}"))
        found = reproduce()
        assert answer(found, "exact")[0] == "no"
        assert found["nondeterministic"] is None
        assert "in.csv was not what its pointer says" in "".join(found["notes"])

    def test_data_of_the_work_tree_that_no_pointer_stands_for_is_told(self, project, commit, reproduce, record):
        commit()
        record(write_metrics("{'a': len(open('in.csv').read())}"))
        (project / "in.csv").write_text("1\n2\n3\n")
        (project / "weights.bin").write_bytes(bytes(3 * 1024 * 1024))
        found = reproduce("one", "--at", "worktree")
        assert any("in.csv in the work tree is not what its pointer says" in note for note in found["notes"])
        assert any("without weights.bin" in note for note in found["notes"])

    def test_an_output_that_cannot_be_kept_is_not_called_missing(self, project, commit, reproduce, record):
        (project / ".gitignore").write_text("metrics.json\nmodel.bin\n")
        (project / "in.csv.dvc").unlink()
        (project / "in.csv").unlink()
        commit()
        record("open('model.bin', 'w').write('x'); " + write_metrics("{'a': 1}"), "-o", "model.bin")
        (project / "file").touch()
        (project / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {project}/file/cache\n")
        found = reproduce()
        assert answer(found, "exact")[0] == "cannot assess"
        assert "model.bin" in answer(found, "exact")[1]
        assert found["nondeterministic"] is None

    def test_a_frozen_stage_proves_nothing(self, exptrack, project, dvc, commit, reproduce):
        text = "stages:\n  a: {cmd: cp in.csv a.txt, deps: [in.csv], outs: [a.txt]%s}\n  b: {cmd: cp a.txt b.txt, deps: [a.txt], outs: [b.txt]}\n"
        (project / "dvc.yaml").write_text(text % "")
        dvc("repro", "-q")
        (project / "dvc.yaml").write_text(text % ", frozen: true")
        commit()
        assert exptrack("run", "--name", "one").returncode == 0
        found = reproduce()
        assert answer(found, "exact") == ("yes", "equal: 1 file")
        assert "stage a did not run again" in "".join(found["notes"])


class TestPipelines:
    """What a run of a pipeline did not do itself is neither its result nor evidence."""

    @pytest.fixture
    def pipeline(self, project, commit):
        def write(value: str) -> None:
            made = "open('curve.csv', 'w').write(f'x,{v}'); json.dump({'loss': v}, open('m.json', 'w'))"
            (project / "train.py").write_text(f"import json, os; v = {value}; {made}")

        write("float(os.environ.get('LOSS', 1))")
        outs = "outs: [curve.csv: {cache: false}], metrics: [m.json: {cache: false}]"
        (project / "dvc.yaml").write_text(f"stages:\n  train: {{cmd: {PYTHON} train.py, deps: [train.py], {outs}}}\n")
        commit()
        return write

    def test_a_result_that_several_runs_have_is_one_draw_and_its_environment_is_that_of_who_made_it(
        self, exptrack, pipeline, reproduce
    ):
        for name in ("one", "two", "three"):
            assert exptrack("run", "--name", name).returncode == 0
        other = {**os.environ, "LOSS": "0.8029333333333333"}
        found = reproduce("three", env=other)
        kind, evidence = answer(found, "statistical")
        assert kind == "cannot assess"
        assert evidence.startswith("loss 0.802933: 1 earlier run; an interval needs 3,")
        assert "1 earlier run left out: its result is what three has" in evidence
        assert "1 earlier run left out: nothing was run anew" in evidence
        assert found["nondeterministic"] is None
        assert found["notes"] == [
            "stage 'train' was not run by three (nothing had changed): its environment is not known"
        ]
        found = reproduce("one", env=other)
        assert "2 earlier runs left out: nothing was run anew" in answer(found, "statistical")[1]
        assert found["nondeterministic"] is not None

    def test_what_lay_there_when_a_stage_failed_is_no_result_and_its_own_outs_are_no_change(
        self, exptrack, project, commit, reproduce
    ):
        (project / "a.sh").write_text("echo 1 > a.txt\n")
        (project / "dvc.yaml").write_text(
            "stages:\n  a: {cmd: sh a.sh, deps: [a.sh], outs: [a.txt: {cache: false}]}\n"
            "  b: {cmd: cp a.txt b.txt, deps: [a.txt], outs: [b.txt]}\n"
        )
        assert exptrack("run", "--name", "one").returncode == 0
        commit()
        (project / "a.sh").write_text("exit 3\n")
        assert exptrack("run", "--name", "two").returncode == 3
        assert "changed" not in Witness(project).records()["two"]
        found = reproduce("two")
        assert answer(found, "exact") == ("cannot assess", "no outputs and no metrics to compare")
        assert not any("changed while" in note for note in found["notes"])

    def test_outs_that_git_holds_are_compared_as_they_were_made(self, exptrack, project, pipeline, commit, reproduce):
        for number, name in enumerate(("one", "two", "three")):
            pipeline(str(number))
            assert exptrack("run", "--name", name).returncode == 0
            commit()
        for old, new in (("one", "two"), ("two", "three")):
            changes = json.loads(exptrack("diff", old, new, "--json").stdout)
            assert [one["key"] for one in changes["changes"] if one["area"] == "data"] == [["curve.csv"]]
            assert [one["key"] for one in changes["changes"] if one["area"] == "metrics"] == [["loss"]]
            assert {one["path"] for one in changes["files"]} & {"train.py", "curve.csv", "m.json"} == {"train.py"}
        divergence = reproduce("one", "--at", "two")["divergence"]
        assert [divergence[key] for key in ("stage", "input", "output")] == ["train", "train.py", "curve.csv"]


class TestJudgement:
    def test_reproductions_are_no_replicates(self, repository, reproduce, record):
        record(write_metrics("{'loss': float(os.environ['LOSS'])}"), env={**os.environ, "LOSS": "1"})
        for loss in ("50", "100", "150"):
            found = reproduce(env={**os.environ, "LOSS": loss})
        kind, evidence = answer(found, "statistical")
        assert kind == "cannot assess"
        assert "2 earlier runs left out: made by `reproduce`" in evidence

    def test_values_of_a_holdout_are_not_shown(self, repository, exptrack, commit, record):
        (repository / "exptrack.yaml").write_text(HOLDOUT)
        commit()
        record(write_metrics("{'loss': 1, 'test': 0.625 + bool(os.environ.get('OTHER')) / 4}"))
        for form in ((), ("--json",), ("--markdown",)):
            done = exptrack("reproduce", "one", *form, env={**os.environ, "OTHER": "1"})
            assert done.returncode == 0, done.stderr
            assert "test (holdout) differs" in done.stdout
            assert not {"0.625", "0.875"} & set(done.stdout.replace('"', " ").split())

    def test_a_run_of_another_platform_is_told(self, repository, git, reproduce, record):
        record(write_metrics("{'a': 1}"))
        [ref] = Witness(repository).refs().values()
        files = {}
        for path, changes in ((".exptrack/environment.json", ("Darwin", "arm64")), (".exptrack/run.json", ())):
            content = json.loads(git("show", f"{ref}:{path}", cwd=repository))
            if changes:
                content["platform"] |= dict(zip(("system", "machine"), changes, strict=True))
            else:
                content["name"] = "mac"
            files[path] = git("hash-object", "-w", "--stdin", cwd=repository, stdin=json.dumps(content))
        environ = {**os.environ, "GIT_INDEX_FILE": str(repository.parent / "index")}
        words = [word for path, oid in files.items() for word in ("--cacheinfo", f"100644,{oid},{path}")]
        for line in (["read-tree", ref], ["update-index", *words]):
            subprocess.run(["git", *line], cwd=repository, env=environ, check=True)
        tree = subprocess.run(
            ["git", "write-tree"], cwd=repository, env=environ, check=True, capture_output=True, text=True
        )
        message = git("log", "-1", "--format=%B", ref, cwd=repository).replace("one", "mac")
        oid = git("commit-tree", "-p", f"{ref}^", "-m", message, tree.stdout.strip(), cwd=repository)
        git("update-ref", ref.removesuffix("one") + "mac", oid, cwd=repository)
        found = reproduce("mac")
        differing = {".".join(one["key"]): (one.get("old"), one.get("new")) for one in found["differs"]["changes"]}
        assert differing["platform.system"][0] == "Darwin"
        assert differing["platform.machine"][0] == "arm64"


class TestRefused:
    def test_one_of_several_costs_the_others_nothing(self, exptrack, project, dvc, commit, record, tmp_path):
        commit()
        record(write_metrics("{'a': 1}"), name="two")
        (project / "in.csv").write_text("9\n")
        dvc("add", "-q", "in.csv")
        commit()
        record(write_metrics("{'a': 2}"))
        [pointer] = [line for line in (project / "in.csv.dvc").read_text().split() if len(line) == 32]
        (project / ".dvc" / "cache" / "files" / "md5" / pointer[:2] / pointer[2:]).unlink()
        done = exptrack("reproduce", "one", "two", "--json")
        assert done.returncode == 2
        assert [one["reached"] for one in json.loads(done.stdout)["reproductions"]] == ["exact"]
        assert "in.csv" in done.stderr
        assert Witness(project).left_over() == []

    def test_what_can_be_known_is_refused_before_anything_is_executed(self, exptrack, repository, commit, record):
        record(write_metrics("{'a': 1}"))
        assert exptrack("reproduce", "one", "nobody").returncode == 2
        for text in ("compare: {code: 5}\n", "check: {similar: 5}\n", "metrics: [\n"):
            (repository / "exptrack.yaml").write_text(text)
            commit()
            done = exptrack("reproduce", "one")
            assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
            assert "exptrack.yaml of HEAD: " in done.stderr
        assert list(Witness(repository).refs()) == ["one"]

    def test_a_masked_word_is_never_executed(self, exptrack, repository):
        word = "--api-key=sk-abcdefghijklmnopqrstuvwxyz012345"
        assert exptrack("run", "--name", "one", "--", "true", word).returncode == 0
        done = exptrack("reproduce", "one", "--anyway")
        assert (done.returncode, "credential" in done.stderr) == (2, True)

    def test_a_base_that_is_not_there(self, exptrack, repository, commit, clone, record):
        commit()
        record(write_metrics("{'a': 1}"))
        commit()
        other = clone("--depth=1")
        for depth in ("1", "2"):
            subprocess.run(
                ["git", "fetch", "-q", f"--depth={depth}", "origin", "refs/exptrack/*:refs/exptrack/*"],
                cwd=other,
                check=True,
            )
            done = exptrack("reproduce", "one", cwd=other)
            assert (done.returncode, done.stderr.count("\n")) == (2, 1)
            assert "git fetch --unshallow" in done.stderr
        assert Witness(other).left_over() == []

    def test_an_environment_that_is_not_on_this_machine(self, exptrack, repository, clone):
        folder = repository / ".venv"
        subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder], check=True)
        (repository / ".gitignore").write_text("metrics.json\n.venv/\n")
        assert exptrack("run", "--name", "one", "--", ".venv/bin/python", "train.py").returncode == 0
        assert exptrack("reproduce", "one", "--require", "exact").returncode == 0
        other = clone()
        done = exptrack("reproduce", "one", cwd=other)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "--environment recorded" in done.stderr
        assert Witness(other).left_over() == []


class TestEnds:
    def test_an_interrupted_one_is_recorded_and_answered(self, repository, record, tmp_path):
        mark = tmp_path / "mark"
        wait = f"import os, time; open({str(mark)!r}, 'w').close(); time.sleep(600 if os.environ.get('SLOW') else 0)"
        record(wait)
        mark.unlink()
        child = subprocess.Popen(
            argv("reproduce", "one", "one"),
            cwd=repository,
            env={**os.environ, "SLOW": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        until(mark.exists)
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=240)
        assert child.returncode == 130
        assert "interrupted" in out
        witness = Witness(repository)
        assert witness.left_over() == []
        assert sorted(one["status"] for one in witness.records().values()) == ["completed", "interrupted"]

    def test_standard_output_is_the_answer_alone_with_a_terminal_too(self, repository, record):
        record("print('said')")
        own, theirs = pty.openpty()
        child = subprocess.Popen(
            argv("reproduce", "one", "--json"), cwd=repository, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE
        )
        os.close(theirs)
        out, _ = child.communicate(timeout=240)
        assert len(json.loads(out)["reproductions"]) == 1
        assert b"said" in os.read(own, 9999)
        os.close(own)
