"""Surroundings that nobody would choose: descriptors that are closed, signals, shadowed modules, another repository. The script goes on, the run is recorded."""

from __future__ import annotations

import os
import signal

import pytest

START = "import exptrack\nrun = exptrack.start_run('one')\nrun.log_metric('loss', 1)\n"
KILL_KEEPER = (
    "import json, os, time\nos.kill(json.loads((run.folder / 'lock').read_bytes())['pid'], 9)\ntime.sleep(0.2)\n"
)


@pytest.mark.parametrize("module", ["json.py", "subprocess.py", "random.py", "exptrack.py"])
def test_the_recorder_imports_nothing_that_lies_in_the_folder_of_the_script(stage, only, module):
    """Of PYTHONPATH, too, if it can: what is there stands before the standard library."""
    (stage.folder / module).write_text("open('shadow', 'w').close()\nraise RuntimeError('shadow')\n")
    done = stage.play(
        f"import sys\nsys.path[:] = [one for one in sys.path if one != {str(stage.folder)!r}]\n{START}",
        env={**os.environ, "PYTHONPATH": str(stage.folder) if module != "exptrack.py" else ""},
    )
    assert done.returncode == 0, done.stderr
    assert only()["status"] == "completed"


@pytest.mark.parametrize("options", [["-I"], ["-O", "-u", "-B"], ["-X", "dev", "-W", "error"]], ids=" ".join)
@pytest.mark.parametrize("ending", ["", "run.end()\n", "raise SystemExit(0)\n"])
def test_options_of_python_change_nothing(stage, only, options, ending):
    stage.write(START + ending, "go.py")
    done = stage.play(
        f"import os, sys\nos.execv(sys.executable, [sys.executable, *{options!r}, 'go.py'])\n",
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr in {"exptrack: recorded one (completed)\n", ""}
    assert only()["status"] == "completed"


def test_what_a_site_prints_is_no_message(stage, only):
    (stage.folder / "sitecustomize.py").write_text("print('hello', flush=True)\n")
    done = stage.play(START, env={**os.environ, "PYTHONPATH": str(stage.folder)})
    assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr
    assert only()["status"] == "completed"


@pytest.mark.parametrize("program", ["sys.frozen = True", "sys.executable = None", "sys.executable = '/bin/true'"])
def test_a_program_that_is_no_python_is_told_what_to_do(stage, program):
    done = stage.play(f"import sys\n{program}\n{START}")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "start it by `exptrack run`" in last or "the recorder of the run could not be started: `/bin/true" in last


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_standard_streams_may_be_closed(stage, only, closed):
    stage.write(START, "go.py")
    stage.play(f"import os, sys\nos.system(f'{{sys.executable}} go.py {closed}')\n")
    assert only()["metrics"] == {"loss": 1}


def test_many_files_may_be_open(stage, only):
    """More than `select` knows; they are inherited by the recorder."""
    done = stage.play(
        f"""
import os, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
files = [os.dup(1) for _ in range(1500)]
{START}
"""
    )
    assert done.returncode == 0, done.stderr
    assert only()["status"] == "completed"


@pytest.mark.parametrize("ending", ["", "run.end()\n"])
def test_a_script_may_close_what_it_did_not_open(stage, only, ending):
    """As daemons do; the numbers then belong to files of the script, in which nothing of ours may come to lie."""
    done = stage.play(
        f"""
{START}
import os
os.closerange(3, 4096)
files = [open(f"own-{{number}}", "w+") for number in range(20)]
run.log_metric("loss", 2)
run.log_params({{"lr": 1}})
print("went on", flush=True)
assert all(file.read() == "" for file in files)
{ending}
"""
    )
    assert (done.returncode, done.stdout) == (0, "went on\n"), done.stderr
    record = only()
    assert (record["status"], record["metrics"]) == ("completed", {"loss": 2})
    assert all((stage.folder / f"own-{number}").read_text() == "" for number in range(20))


def test_a_daemon_that_outlives_the_script_hears_that_the_run_is_over(stage, only):
    done = stage.play(
        f"""
{START}
import os, time
if os.fork():
    os._exit(0)
while run.folder.exists():
    time.sleep(0.05)
time.sleep(1)
for number in range(2):
    run.log_metric("late", number)
run.end()
"""
    )
    assert done.stderr.count("its journal is gone, with the repository or since the run is over") == 1
    assert only()["metrics"] == {"loss": 1}


@pytest.mark.parametrize(
    "handling",
    [
        "def reap(*_):\n    try:\n        while os.waitpid(-1, os.WNOHANG)[0]: pass\n    except ChildProcessError: pass\nsignal.signal(signal.SIGCHLD, reap)\n",
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n",
        "signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n",
    ],
    ids=["reaps", "ignores children", "pipes kill"],
)
@pytest.mark.parametrize("killed", ["", KILL_KEEPER], ids=["kept", "killed"])
def test_handlers_of_the_script_do_not_matter(stage, only, handling, killed):
    done = stage.play(f"import os, signal\n{handling}{START}{killed}run.end()\nprint('went on')\n")
    assert (done.returncode, done.stdout) == (0, "went on\n"), done.stderr
    assert (only()["status"], only()["metrics"]) == ("completed", {"loss": 1})


def test_a_handler_may_log(stage, only):
    done = stage.play(
        f"""
{START}
import signal
signal.signal(signal.SIGALRM, lambda *_: exptrack.log_metric("alarm", 1.0))
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
for step in range(1500):
    run.log_metric("step", step)
signal.setitimer(signal.ITIMER_REAL, 0)
"""
    )
    assert done.returncode == 0, done.stderr
    assert len(stage.history(only()["name"], "step")) == 1500


def test_ctrl_c_while_a_run_begins_leaves_a_run_that_was_interrupted(stage):
    done = stage.play(
        """
        import exptrack, os, signal, threading
        from exptrack.tracking import keeping
        begin = keeping.Line.receive
        def receive(line):  # Ctrl-C while it waits
            keeping.Line.receive = begin
            os.kill(os.getpid(), signal.SIGINT)
            return begin(line)
        keeping.Line.receive = receive
        try:
            exptrack.start_run("first")
        except KeyboardInterrupt:
            print("caught")
        with exptrack.start_run("second"):
            exptrack.log_metric("loss", 1)
        """
    )
    assert (done.returncode, done.stdout) == (0, "caught\n"), done.stderr
    records = stage.await_runs(2)
    assert {name: record["status"] for name, record in records.items()} == {
        "first": "interrupted",
        "second": "completed",
    }


@pytest.mark.parametrize("ending", ["run.end()\n", ""], ids=["end", "exit"])
def test_ctrl_c_while_a_run_is_recorded_does_not_stop_that(stage, only, ending):
    done = stage.play(
        f"""
{START}
import os, signal
from exptrack.tracking import keeping
def receive(line, wait=keeping.Line.receive):
    os.kill(os.getpid(), signal.SIGINT)
    return wait(line)
keeping.Line.receive = receive
{ending}
"""
    )
    assert done.returncode == (-signal.SIGINT if ending else 0), done.stderr
    assert "exptrack: one has ended: it is being recorded, whatever becomes of the script\n" in done.stderr
    assert ending or "Traceback" not in done.stderr
    assert (only()["status"], only()["metrics"]) == ("completed", {"loss": 1})


def test_a_script_of_another_repository_has_a_run_of_its_own(stage, only, tmp_path, git):
    other = tmp_path / "other"
    other.mkdir()
    git("init", "--quiet", other)
    (other / "evaluate.py").write_text(
        "import exptrack\nwith exptrack.start_run('two') as run:\n    run.log_metric('b', 1)\n"
    )
    done = stage.play(
        f"""
{START}
import subprocess, sys
subprocess.run([sys.executable, "evaluate.py"], cwd={str(other)!r}, check=True)
"""
    )
    assert done.returncode == 0, done.stderr
    assert only()["metrics"] == {"loss": 1}
    ref = git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs", cwd=other)
    assert ref.endswith("/two")
    assert '"links"' not in git("show", f"{ref}:.exptrack/run.json", cwd=other)


def test_a_run_of_another_repository_is_no_parent(stage, only, tmp_path, git):
    other = tmp_path / "other"
    other.mkdir()
    git("init", "--quiet", other)
    words = "[sys.executable, '-m', 'exptrack', 'run', '--name', 'two', '--', 'true']"
    done = stage.play(f"{START}import subprocess, sys\nsubprocess.run({words}, cwd={str(other)!r}, check=True)\n")
    assert done.returncode == 0, done.stderr
    only()
    ref = git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs", cwd=other)
    assert '"links"' not in git("show", f"{ref}:.exptrack/run.json", cwd=other)


def test_an_end_that_nobody_hears_is_recorded_after_the_recorder_was_killed(stage, only):
    done = stage.play(f"import os\n{START}{KILL_KEEPER}raise SystemExit(3)\n")
    assert done.returncode == 3
    assert "recorded one, whose recorder had been killed" in done.stderr
    assert (only()["status"], only()["metrics"]) == ("failed", {"loss": 1})


@pytest.mark.parametrize("place", ["folder", "submodule", "worktree"])
def test_a_script_of_the_same_repository_or_of_none_attaches(stage, only, tmp_path, git, place):
    folder = {"folder": tmp_path / "scratch", "submodule": stage.folder / "sub", "worktree": tmp_path / "tree"}[place]
    if place == "worktree":
        git("worktree", "add", "--quiet", "--detach", folder, cwd=stage.folder)
    else:
        folder.mkdir()
    if place == "submodule":
        git("init", "--quiet", folder)
    (folder / "evaluate.py").write_text(
        "import exptrack\nwith exptrack.start_run() as run:\n    run.log_metric('b', 1)\n"
    )
    done = stage.play(
        f"{START}import subprocess, sys\nsubprocess.run([sys.executable, 'evaluate.py'], cwd={str(folder)!r}, check=True)\n"
    )
    assert done.returncode == 0, done.stderr
    assert only()["metrics"] == {"b": 1, "loss": 1}


def test_what_a_run_is_given_need_not_be_text(stage, only):
    stage.play("import exptrack\nexptrack.start_run(3, note=4, tags='baseline').end()\n")
    record = only()
    assert (record["name"], record["note"], record["tags"]) == ("3", "4", ["baseline"])


def test_lines_of_any_length_stay_whole_beside_each_other(stage, only):
    """Four processes, and lines of 100 KB, which is more than a pipe would keep whole."""
    done = stage.play(
        f"""
{START}
import os
for worker in range(4):
    if not os.fork():
        for step in range(20):
            run.log_metrics({{f"w{{worker}}/{{number:0200}}": 1.0 for number in range(400)}}, step=step)
        os._exit(0)
for worker in range(4):
    os.wait()
import json
lines = (run.folder / "stream").read_text().splitlines()
print(sum(len(json.loads(line)["values"]) == 400 for line in lines if '"metrics"' in line))
"""
    )
    assert (done.returncode, done.stdout) == (0, "80\n"), done.stderr
    assert only()["status"] == "completed"


def test_no_call_raises_whatever_it_is_given(stage, only):
    """Words and things whose own text cannot be had; a parameter or a file that is missing is told."""
    done = stage.play(
        """
        import exptrack
        class Raising:
            def __getattr__(self, name): raise KeyError(name)
            def __repr__(self): raise KeyError("repr")
        run = exptrack.start_run("one")
        one = Raising()
        run.set_tags(one, [one], {one: one}, "good", None, 3, "")
        run.set_tag(one, one)
        run.set_note(one)
        run.log_params(one)
        run.log_param("one", one)
        run.log_metric(one, one, step=one, epoch=one)
        for log in (run.log_text, run.log_figure, run.log_image, run.log_table):
            log(one, "one.txt")
            log(None, None)
        run.log_artifact(one)
        run.log_artifacts(one)
        print("went on")
        """
    )
    assert (done.returncode, done.stdout) == (0, "went on\n"), done.stderr
    record = only()
    assert record["status"] == "completed"
    assert "good" in record["tags"]
    assert record["params"]["logged"] == {"one": "a Raising"}


def test_a_run_may_be_copied_and_handed_to_other_processes(stage, only):
    done = stage.play(
        """
        import copy, exptrack, multiprocessing, pickle
        def work(run):
            run.log_metric("worker", 1)
            run.end()
        if __name__ == "__main__":
            run = exptrack.start_run("one")
            assert copy.deepcopy({"run": run})["run"] is run
            for method in ("spawn", "fork"):
                process = multiprocessing.get_context(method).Process(target=work, args=(run,))
                process.start()
                process.join()
                assert process.exitcode == 0
            kept = pickle.dumps(run)
            run.log_metric("loss", 1)
            run.end()
            gone = pickle.loads(kept)
            assert gone.is_over
            gone.log_metric("late", 2)
        """
    )
    assert done.returncode == 0, done.stderr
    assert only()["metrics"] == {"loss": 1, "worker": 1}


def test_without_a_working_directory_it_says_what_to_do(stage):
    done = stage.play(f"import os\nos.mkdir('gone')\nos.chdir('gone')\nos.rmdir('../gone')\n{START}")
    assert "RepositoryError: the working directory does not exist any more" in done.stderr.splitlines()[-1]


def test_too_many_files_may_be_open_when_the_script_logs_and_ends(stage, only):
    done = stage.play(
        f"""
{START}
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
files = []
try:
    while True:
        files.append(open("/dev/null"))
except OSError:
    pass
run.log_metric("loss", 2)
run.log_params({{"lr": 1}})
run.log_artifact("params.yaml")
run.log_text("text", "a.txt")
run.log_table({{"a": [1]}}, "a.csv")
print("went on")
"""
    )
    assert (done.returncode, done.stdout) == (0, "went on\n"), done.stderr
    assert "Traceback" not in done.stderr
    record = only()
    assert (record["status"], record["metrics"]) == ("completed", {"loss": 2})
    assert "log_text could keep nothing: Too many open files" in record["problems"]
