"""`exptrack run`: what is recorded is what ran, and the user's things stay the user's."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PYTHON = sys.executable


def test_a_run_is_a_commit_on_a_snapshot_on_the_base(exptrack, look, repository, git):
    head = git("rev-parse", "HEAD", cwd=repository)
    done = exptrack("run", "--name", "one", "--", PYTHON, "train.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "exptrack: recorded one (completed)\n")
    ref = look.ref("one")
    assert look.git("rev-parse", f"{ref}^^").strip() == head
    assert json.loads(look.file("one", "metrics.json")) == {"accuracy": 0.75}
    assert look.changes("one") == ["metrics.json"]
    assert look.git("log", "-1", "--format=%s", ref) == "one: accuracy=0.75\n\n".replace("\n\n", "\n")
    assert look.git("log", "-1", "--format=%(trailers)", ref).strip() == "Exptrack-Run: one\nExptrack-Status: completed"
    assert look.git("log", "-1", "--format=%s", f"{ref}^") == "snapshot of one\n"
    assert look.refs("refs/exptrack/active") == []
    assert not list((repository / ".git" / "exptrack" / "active").iterdir())


def test_the_index_head_branches_and_files_stay_as_they_are(exptrack, look, repository, git):
    (repository / "train.py").write_text((repository / "train.py").read_text() + "# edited\n")
    (repository / "staged.py").write_text("staged")
    git("add", "staged.py", cwd=repository)
    (repository / "untracked.py").write_text("untracked")
    index = (repository / ".git" / "index").read_bytes()
    before = [git(*words, cwd=repository) for words in _LOOKS]
    assert exptrack("run", "--name", "one", "--", PYTHON, "train.py").returncode == 0
    assert (repository / ".git" / "index").read_bytes() == index
    assert [git(*words, cwd=repository) for words in _LOOKS] == before
    files = look.git("ls-tree", "-r", "--name-only", look.ref("one")).splitlines()
    assert {"staged.py", "untracked.py"} <= set(files)


_LOOKS = (
    ("--no-optional-locks", "status", "--porcelain", "--branch"),
    ("symbolic-ref", "HEAD"),
    ("for-each-ref", "refs/heads", "refs/tags", "refs/stash"),
    ("stash", "list"),
)


def test_the_record_says_what_ran(exptrack, look, repository, git):
    exptrack(
        "run",
        "--name",
        "one",
        "-m",
        "a note",
        "-t",
        "first",
        "-t",
        "second",
        "-e",
        "digits",
        "--",
        PYTHON,
        "train.py",
        "--lr",
        "0.5",
    )
    record = look.record("one")
    assert record["command"] == [PYTHON, "train.py", "--lr", "0.5"]
    assert record["params"] == {"params.yaml": {"lr": 0.5}}
    assert (record["note"], record["tags"], record["experiment"]) == ("a note", ["first", "second"], "digits")
    assert record["author"] == "Ada Lovelace <ada@example.com>"
    assert record["status"] == "completed"
    assert record["exit_code"] == 0
    assert record["started"].endswith("Z")
    assert record["duration"] > 0
    assert "Exptrack-Experiment: digits" in look.git("log", "-1", "--format=%B", look.ref("one"))


def test_parameters_that_only_the_command_line_gave_stand_under_args(run, look, exptrack, repository):
    (repository / "params.yaml").write_text("# keep me\nlr: 0.25  # and me\n")
    exptrack("run", "--name", "one", "--", PYTHON, "-c", _WRITE, "svm.C=1", "--depth=3")
    assert look.record("one")["params"] == {"params.yaml": {"lr": 0.25}, "args": {"svm": {"C": 1}, "depth": 3}}
    assert look.file("one", "params.yaml").startswith("# keep me\nlr: 0.25  # and me\n")
    assert "svm.C=1, depth=3 → accuracy=0.75" in look.git("log", "-1", "--format=%s", look.ref("one"))


_WRITE = "open('metrics.json', 'w').write('{\"accuracy\": 0.75}')"


def test_a_project_without_parameters_gets_synthesised_files(run, look, repository, git):
    git("rm", "--quiet", "params.yaml", cwd=repository)
    run("pass")
    assert look.file("one", "params.yaml").strip() == "{}"
    assert look.file("one", "metrics.json").strip() == "{}"
    assert not (repository / "metrics.json").exists()
    assert not (repository / "params.yaml").exists()


def test_parameters_are_read_as_dvc_reads_them(run, repository):
    (repository / "params.yaml").write_text("lr: 1e-5\nmode: on\ncode: 010\n")
    assert run("pass")["params"]["params.yaml"] == {"lr": 1e-5, "mode": "on", "code": 10}


def test_a_stale_metrics_file_is_not_recorded(run, look, repository):
    (repository / "metrics.json").write_text('{"accuracy": 0.99}')
    assert run("pass")["metrics"] == {}
    assert look.file("one", "metrics.json") == "{}\n"
    assert (repository / "metrics.json").read_text() == '{"accuracy": 0.99}'


def test_a_stale_metrics_file_that_git_tracks_is_not_recorded_either(run, look, repository, git):
    (repository / "metrics.json").write_text('{"accuracy": 0.99}')
    git("add", "-f", "metrics.json", cwd=repository)
    git("commit", "--quiet", "-m", "metrics", cwd=repository)
    assert run("pass")["metrics"] == {}
    assert look.file("one", "metrics.json") == "{}\n"


def test_metrics_written_again_with_the_same_values_count(run, repository):
    code = "open('metrics.json', 'w').write('{\"accuracy\": 0.99}')"
    assert run(code, name="one")["metrics"] == {"accuracy": 0.99}
    assert run(code, name="two")["metrics"] == {"accuracy": 0.99}


def test_nan_and_infinities_are_kept(run, look):
    record = run(
        """open('metrics.json', 'w').write('{"loss": NaN, "best": {"a": Infinity, "b": -Infinity, "c": 1}}')"""
    )
    assert record["metrics"] == {"loss": "NaN", "best": {"a": "Infinity", "b": "-Infinity", "c": 1}}
    assert json.loads(look.file("one", "metrics.json"), parse_constant=pytest.fail) == record["metrics"]


def test_metrics_come_from_what_dvc_yaml_names(run, look, repository):
    (repository / "dvc.yaml").write_text("metrics:\n- eval/scores.yaml\n- more.toml\n")
    (repository / "eval").mkdir()
    record = run(
        "open('eval/scores.yaml','w').write('f1: 0.5\\n'); open('more.toml','w').write('auc = 0.7\\nf1 = 0.6\\n')"
    )
    assert record["metrics"] == {"f1": 0.5, "more.toml": {"auc": 0.7, "f1": 0.6}}
    assert look.file("one", "eval/scores.yaml") == "f1: 0.5\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{broken", "metrics.json: "),
        ("[1, 2]", "metrics.json: "),
        ('{"a": "text"}', "metrics.json: 'a'"),
        ("", "metrics.json: "),
    ],
)
def test_metrics_that_cannot_be_read_are_named_and_the_run_recorded(exptrack, look, content, said):
    code = f"open('metrics.json', 'w').write({content!r})"
    done = exptrack("run", "--name", "one", "--", PYTHON, "-c", code)
    assert done.returncode == 0
    assert said in done.stderr
    record = look.record("one")
    assert any(problem.startswith(said) for problem in record["problems"])
    assert record["status"] == "completed"


def test_metrics_and_their_history_are_read_from_the_output(run, look, repository):
    (repository / "exptrack.yaml").write_text(
        "capture:\n  patterns:\n  - 'epoch (?P<step>\\d+) loss=(?P<train__loss>\\S+)'\n"
    )
    record = run("for i, l in enumerate(['0.5', '0.25', 'nan']): print(f'epoch {i} loss={l}', flush=True)")
    assert record["metrics"] == {"train": {"loss": "NaN"}}
    lines = [line.split("\t") for line in look.file("one", ".exptrack/history/train.loss.tsv").splitlines()]
    assert lines[0] == ["timestamp", "step", "train.loss"]
    assert [line[1:] for line in lines[1:]] == [["0", "0.5"], ["1", "0.25"], ["2", "nan"]]


def test_a_script_that_fails_is_kept(exptrack, look):
    done = exptrack("run", "--name", "one", "--", PYTHON, "-c", "print('so far', flush=True); raise SystemExit(3)")
    assert (done.returncode, done.stdout) == (3, "so far\n")
    record = look.record("one")
    assert (record["status"], record["exit_code"]) == ("failed", 3)
    assert look.file("one", ".exptrack/output.log") == "so far\n"
    assert "one: failed (exit status 3)" in look.git("log", "-1", "--format=%s", look.ref("one"))


def test_a_script_killed_by_a_signal_is_kept(run):
    record = run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", status=128 + 9)
    assert (record["status"], record["signal"]) == ("failed", "SIGKILL")
    assert "exit_code" not in record


def test_an_interrupted_script_is_kept(repository, look):
    code = "import time\ntry:\n  print('ready', flush=True)\n  time.sleep(60)\nexcept KeyboardInterrupt:\n  print('bye'); raise SystemExit(7)"
    child = subprocess.Popen(
        [PYTHON, "-m", "exptrack", "run", "--name", "one", "--", PYTHON, "-c", code],
        cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (7, "bye\n"), err
    assert look.record("one")["status"] == "interrupted"
    assert look.file("one", ".exptrack/output.log") == "ready\nbye\n"


def test_ten_megabytes_of_output_pass_through_and_both_ends_are_kept(exptrack, look):
    code = "for i in range(160_000): print(f'{i:063}')"
    done = exptrack("run", "--name", "one", "--", PYTHON, "-c", code)
    assert done.stdout == "".join(f"{i:063}\n" for i in range(160_000))
    log = look.file("one", ".exptrack/output.log")
    assert len(log) <= 257 * 1024
    assert log.startswith(f"{0:063}\n{1:063}\n")
    assert log.endswith(f"{159_999:063}\n")
    assert "bytes left out" in log


def test_progress_bars_keep_their_last_state(run, look):
    run("import sys\nfor i in range(100): sys.stderr.write(f'\\r{i}%')\nsys.stderr.write('\\ndone\\n')")
    assert look.file("one", ".exptrack/output.log") == "99%\ndone\n"


def test_a_script_that_edits_its_own_source_is_recorded_as_it_was(exptrack, look, repository):
    (repository / "train.py").write_text("open('train.py', 'w').write('print(2)')\n")
    exptrack("run", "--name", "one", "--", PYTHON, "train.py")
    assert look.file("one", "train.py") == "open('train.py', 'w').write('print(2)')\n"
    assert look.record("one")["changed"] == ["train.py"]
    assert "changed while it ran:\n  train.py" in exptrack("show", "one").stdout


def test_a_commit_of_the_users_during_the_run_stays(run, repository, git, look):
    head = git("rev-parse", "HEAD", cwd=repository)
    run(
        "import subprocess; subprocess.run(['git', 'commit', '--quiet', '--allow-empty', '-m', 'meanwhile'], check=True)"
    )
    assert git("log", "-1", "--format=%s", cwd=repository) == "meanwhile"
    assert look.git("rev-parse", f"{look.ref('one')}^^").strip() == head


def test_a_run_outlives_amend_and_rebase_of_its_base(run, repository, git, exptrack):
    run("pass")
    git("commit", "--quiet", "--amend", "-m", "amended", cwd=repository)
    git("-c", "gc.reflogExpire=now", "reflog", "expire", "--all", "--expire=now", cwd=repository)
    git("gc", "--quiet", cwd=repository)
    assert "one" in exptrack("ls").stdout
    assert exptrack("show", "one").returncode == 0


def test_untracked_and_ignored_code_is_named(exptrack, look, repository):
    (repository / ".gitignore").write_text("metrics.json\nlocal_*.py\nscratch/\n__pycache__/\n")
    (repository / "local_model.py").write_text("x = 1")
    (repository / "scratch").mkdir()
    (repository / "scratch" / "notes.txt").write_text("n")
    (repository / "helper.py").write_text("y = 2")
    done = exptrack("run", "--name", "one", "--", PYTHON, "-c", "import local_model, helper")
    assert "helper.py" in look.git("ls-tree", "-r", "--name-only", look.ref("one"))
    assert {"path": "local_model.py", "reason": "ignored by git"} in look.record("one")["not_captured"]
    assert {"path": "scratch/", "reason": "ignored by git"} in look.record("one")["not_captured"]
    assert "not captured: local_model.py (ignored by git)" in done.stderr


def test_large_files_are_listed_with_size_and_digest(exptrack, look, repository):
    (repository / "large.bin").write_bytes(b"\0" * 2_000_000)
    done = exptrack("run", "--name", "one", "--", "true")
    assert "not captured: large.bin (too large)" in done.stderr
    [left] = look.record("one")["not_captured"]
    assert (left["path"], left["reason"], left["size"]) == ("large.bin", "too large", 2_000_000)
    assert left["digest"] == "sha256:" + hashlib.sha256(b"\0" * 2_000_000).hexdigest()


def test_secrets_are_masked_wherever_they_show(exptrack, look, repository):
    (repository / "params.yaml").write_text("db: {password: hunter2, url: 'https://me:hunter2@example.com/x'}\n")
    token = "ghp_" + "a1B2" * 9
    done = exptrack(
        "run",
        "--name",
        "one",
        "-m",
        f"with {token}",
        "--",
        PYTHON,
        "-c",
        f"print('token is {token}')",
        "--api-key",
        "hunter2",
    )
    assert token in done.stdout
    tree = look.git("ls-tree", "-r", "--name-only", look.ref("one")).split()
    ours = [look.file("one", path) for path in tree if path.startswith(".exptrack/")]
    message = look.git("log", "-1", "--format=%B", look.ref("one"))
    for text in [*ours, message]:
        assert token not in text
        assert "hunter2" not in text


def test_the_environment_is_that_of_the_commands_interpreter(exptrack, look, repository, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("MY_SECRET", "hunter2")
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", ".venv"], cwd=repository, check=True)
    exptrack("run", "--name", "one", "--", ".venv/bin/python", "-c", "pass")
    environment = json.loads(look.file("one", ".exptrack/environment.json"))
    assert environment["interpreter"]["path"].endswith(".venv/bin/python")
    assert "packages" not in environment or environment["packages"] == []
    assert environment["variables"]["OMP_NUM_THREADS"] == "3"
    assert "MY_SECRET" not in environment["variables"]
    exptrack("run", "--name", "two", "--", PYTHON, "-c", "pass")
    assert "scipy==" in look.file("two", ".exptrack/requirements.txt")


def test_stdin_is_passed_through(exptrack, look):
    done = exptrack("run", "--name", "one", "--", "cat", input="hello")
    assert done.stdout == "hello"
    assert look.file("one", ".exptrack/output.log") == "hello"


def test_the_command_knows_the_run_and_a_run_inside_it_its_parent(run, look):
    run(
        "import subprocess, sys; subprocess.run([sys.executable, '-m', 'exptrack', 'run', '--name', 'inner', '--', 'true'], check=True)"
    )
    assert look.record("inner")["links"] == {"parent": "one"}


def test_a_taken_name_is_refused_before_the_command_starts(run, exptrack, repository):
    run("pass")
    done = exptrack("run", "--name", "one", "--", PYTHON, "-c", "open('started', 'w')")
    assert done.returncode == 125
    assert done.stderr.startswith("exptrack: a run named 'one' exists already")
    assert not (repository / "started").exists()


@pytest.mark.parametrize("name", ["Upper", "-dash", "a/b", "a b", "", "..", "a.lock"])
def test_a_name_that_git_or_a_user_would_stumble_over_is_refused(exptrack, name):
    done = exptrack("run", f"--name={name}", "--", "true")
    assert done.returncode == 125
    assert done.stderr.startswith("exptrack: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "status"), [(["no-such-program"], 127), (["./params.yaml"], 126), (["true"], 0), (["false"], 1)]
)
def test_the_exit_status_is_that_of_env(exptrack, look, command, status):
    done = exptrack("run", "--", *command)
    assert done.returncode == status
    if status > 125:
        assert done.stderr.startswith("exptrack: ")
        assert done.stderr.count("\n") == 1
        assert look.refs("refs/exptrack") == []


def test_options_end_at_the_first_word_that_is_none(exptrack, look):
    assert exptrack("run", "--name", "one", "echo", "-m", "--name", "x").stdout == "-m --name x\n"
    assert look.record("one")["command"] == ["echo", "-m", "--name", "x"]


def test_two_runs_in_one_work_tree_know_of_each_other(exptrack, look, repository):
    wait = "import time, pathlib\nwhile not pathlib.Path('go').exists(): time.sleep(0.01)\nopen('metrics.json','w').write('{\"a\": 1}')"
    first = subprocess.Popen(
        [PYTHON, "-m", "exptrack", "run", "--name", "one", "--", PYTHON, "-c", wait],
        cwd=repository,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (repository / ".git/exptrack/active/one/command").exists():
        time.sleep(0.01)
    done = exptrack("run", "--name", "two", "--", PYTHON, "-c", "open('metrics.json','w').write('{\"a\": 2}')")
    (repository / "go").write_text("")
    first.communicate(timeout=60)
    assert "exptrack: one runs in this work tree too" in done.stderr
    assert look.record("one")["concurrent"] == ["two"]
    assert look.record("two")["concurrent"] == ["one"]
    assert look.record("two")["ambiguous"] == ["metrics.json"]
    assert look.record("one")["ambiguous"] == ["metrics.json"]


def test_a_run_in_a_subfolder_of_a_monorepo(exptrack, look, repository):
    project = repository / "ml" / "digits"
    (project / "src").mkdir(parents=True)
    (project / "exptrack.yaml").write_text("metrics: {accuracy: maximize}\n")
    (project / "params.yaml").write_text("depth: 3\n")
    code = "import os; open('../metrics.json', 'w').write('{\"loss\": 1, \"accuracy\": 0.5}')"
    done = exptrack("run", "--name", "one", "--", PYTHON, "-c", code, cwd=project / "src")
    assert done.returncode == 0
    record = look.record("one")
    assert (record["project"], record["directory"]) == ("ml/digits", "ml/digits/src")
    assert record["params"] == {"params.yaml": {"depth": 3}}
    assert json.loads(look.file("one", "ml/digits/metrics.json")) == {"accuracy": 0.5, "loss": 1}
    assert look.git("log", "-1", "--format=%s", look.ref("one")) == "one: accuracy=0.5\n"
    assert "train.py" in look.git("ls-tree", "--name-only", look.ref("one"))


def test_a_run_in_a_repository_without_a_commit(tmp_path, exptrack, git):
    folder = tmp_path / "fresh"
    git("init", "--quiet", folder)
    (folder / "a.py").write_text("print('hi')")
    done = exptrack("run", "--name", "one", "--", PYTHON, "a.py", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "hi\n")
    ref = git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs", cwd=folder)
    assert git("rev-list", "--count", ref, cwd=folder) == "2"
    assert "base      none" in exptrack("show", "one", cwd=folder).stdout


def test_it_works_as_a_git_command_with_another_folder(exptrack, repository, tmp_path, look):
    assert exptrack("-C", repository, "run", "--name", "one", "--", PYTHON, "train.py", cwd=tmp_path).returncode == 0
    assert look.record("one")["metrics"] == {"accuracy": 0.75}


def test_gc_and_prune_of_the_users_cost_no_run(run, look, repository, git):
    run("pass")
    git("gc", "--quiet", "--prune=now", cwd=repository)
    assert look.record("one")["status"] == "completed"
    git("fsck", "--strict", cwd=repository)


class TestBadInput:
    def test_not_a_repository(self, exptrack, tmp_path):
        (tmp_path / "nothing").mkdir()
        done = exptrack("run", "--", "true", cwd=tmp_path / "nothing")
        assert done.returncode == 125
        assert done.stderr.startswith("exptrack: not a Git repository: ")
        assert exptrack("ls", cwd=tmp_path / "nothing").returncode == 2

    def test_a_bare_repository(self, exptrack, tmp_path, git):
        git("init", "--quiet", "--bare", tmp_path / "bare")
        done = exptrack("run", "--", "true", cwd=tmp_path / "bare")
        assert done.returncode == 125
        assert "a bare repository has no work tree" in done.stderr

    def test_inside_the_git_folder(self, exptrack, repository):
        done = exptrack("run", "--", "true", cwd=repository / ".git")
        assert done.returncode == 125
        assert "not inside a work tree" in done.stderr

    def test_no_identity(self, exptrack, repository, sealed_world, look):
        (sealed_world / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
        done = exptrack("run", "--", PYTHON, "-c", "open('started', 'w')")
        assert done.returncode == 125
        assert done.stderr.startswith("exptrack: Git does not know who you are: run `git config")
        assert not (repository / "started").exists()
        assert look.refs("refs/exptrack") == []

    def test_a_corrupt_params_file_is_named_and_the_run_recorded(self, exptrack, look, repository):
        (repository / "params.yaml").write_text("lr: [1, 2\n")
        done = exptrack("run", "--name", "one", "--", "true")
        assert done.returncode == 0
        assert "exptrack: params.yaml: " in done.stderr
        assert any(problem.startswith("params.yaml: ") for problem in look.record("one")["problems"])
        assert look.file("one", "params.yaml") == "lr: [1, 2\n"

    def test_an_unknown_key_in_the_settings_has_a_suggestion(self, exptrack, repository):
        (repository / "exptrack.yaml").write_text("metrics:\n  acc:\n    gaol: maximize\n")
        done = exptrack("run", "--", "true")
        assert done.returncode == 125
        assert "gaol" in done.stderr
        assert "did you mean 'goal'?" in done.stderr

    @pytest.mark.parametrize(
        "note", ["Exptrack-Run: fake 1234", "fine\n\nexptrack-status: completed", "  Exptrack-Run: x"]
    )
    def test_a_note_that_forges_a_trailer_is_refused(self, exptrack, look, note):
        done = exptrack("run", "-m", note, "--", "true")
        assert done.returncode == 125
        assert "would forge a trailer" in done.stderr
        assert look.refs("refs/exptrack") == []

    def test_no_command(self, exptrack):
        done = exptrack("run")
        assert done.returncode == 125
        assert "no command given" in done.stderr

    def test_an_unknown_option(self, exptrack):
        done = exptrack("run", "--nmae", "x", "--", "true")
        assert done.returncode == 125
        assert done.stderr.count("\n") == 1

    def test_a_working_directory_that_is_gone(self, exptrack, repository):
        done = exptrack("-C", repository / "nowhere", "run", "--", "true")
        assert done.returncode == 125
        assert "no such folder" in done.stderr


def test_the_reader_of_the_output_may_go_away(repository, look):
    done = subprocess.run(
        f"{PYTHON} -m exptrack run --name one -- yes | head -1",
        cwd=repository,
        shell=True,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "y\n"
    assert look.record("one")["signal"] == "SIGPIPE"


def test_a_folder_of_results_from_the_environment_stays_unread(exptrack, look, repository):
    assert os.environ.get("EXPTRACK_RUN") is None
    assert exptrack("run", "--name", "one", "--", "true").returncode == 0
    assert "links" not in look.record("one")
    assert Path(repository, ".git", "exptrack", "recorded").read_text() == "one\n"


def test_metrics_behind_a_link_and_in_the_commands_folder_are_read(run, exptrack, look, repository):
    (repository / "results").mkdir()
    (repository / "metrics.json").symlink_to("results/m.json")
    assert run("open('metrics.json', 'w').write('{\"a\": 1}')")["metrics"] == {"a": 1}
    (repository / "metrics.json").unlink()
    (repository / "sub").mkdir()
    exptrack(
        "run",
        "--name",
        "two",
        "--",
        PYTHON,
        "-c",
        "open('metrics.json', 'w').write('{\"b\": 2}')",
        cwd=repository / "sub",
    )
    assert look.record("two")["metrics"] == {"b": 2}


def test_objects_of_a_shared_repository_can_be_read_by_those_who_share_it(exptrack, git, tmp_path):
    folder = tmp_path / "shared"
    git("init", "--quiet", "--shared=group", folder)
    done = subprocess.run(
        ["sh", "-c", f"umask 077; exec {PYTHON} -m exptrack run --name one -- true"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    closed = [path for path in (folder / ".git" / "objects").rglob("*") if not path.stat().st_mode & 0o040]
    assert closed == []


def test_output_that_the_terminal_cannot_show_is_shown_by_number(exptrack, monkeypatch):
    exptrack("run", "--name", "one", "--", "true", "x=1")
    exptrack("run", "--name", "two", "--", "true", "x=2")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = exptrack("diff", "one", "two")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("one \\u2192 two")


def test_a_working_directory_that_was_deleted_is_named(repository, tmp_path):
    (tmp_path / "gone").mkdir()
    done = subprocess.run(
        ["sh", "-c", f"rmdir ../gone; exec {PYTHON} -m exptrack ls"],
        cwd=tmp_path / "gone", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "exptrack: the working directory is gone: go to one that exists\n")


def test_outside_the_work_tree_the_project_is_the_repository(exptrack, repository, tmp_path, monkeypatch, look):
    (tmp_path / "exptrack.yaml").write_text("metrics: {accuracy: maximize}\n")
    (tmp_path / "outside").mkdir()
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(repository))
    code = "open('metrics.json', 'w').write('{\"a\": 1}')"
    done = exptrack("run", "--name", "one", "--", PYTHON, "-c", code, cwd=tmp_path / "outside")
    assert done.returncode == 0, done.stderr
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_WORK_TREE")
    record = look.record("one")
    assert (record.get("project", "."), record.get("directory", "."), record["metrics"]) == (".", ".", {})


def test_a_file_that_changed_meanwhile_is_named(exptrack, repository, look, git):
    for name in ("a", "b", "c"):
        (repository / f"{name}.py").write_text("1")
    code = "for name in ('train', 'a', 'b', 'c'): open(name + '.py', 'a').write('# edited')"
    done = exptrack("run", "--name", "one", "--", PYTHON, "-c", code)
    assert done.stderr.splitlines() == [
        "exptrack: one: a.py, b.py, c.py, train.py changed while it ran: recorded as at the start",
        "exptrack: recorded one (completed)",
    ]
    assert look.record("one")["changed"] == ["a.py", "b.py", "c.py", "train.py"]
    # What it does in a work tree of its own, nobody else did.
    done = exptrack("run", "--isolated", "--name", "two", "--", PYTHON, "-c", code)
    assert done.stderr == "exptrack: recorded two (completed)\n"
