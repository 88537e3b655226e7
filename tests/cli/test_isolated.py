"""`exptrack run --isolated` and `-S`: a work tree of its own for a run, and nothing of the user's touched."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from processes import run
from witness import argv, until

PYTHON = sys.executable
TRAIN = """\
import json, pathlib, sys
lr = float(pathlib.Path("params.yaml").read_text().split("lr:")[1].split()[0])
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": 1 - lr}))
"""


@pytest.fixture
def alike(repository, git):
    """What must be the same before and after: every file and its times, the index, HEAD, branches, and what git says of them."""

    def state() -> tuple:
        files = {
            str(path): (path.lstat().st_mtime_ns, path.lstat().st_size)
            for path in repository.rglob("*")
            if ".git" not in path.relative_to(repository).parts
        }
        index = (repository / ".git" / "index").read_bytes()
        return files, index, git("status", "--porcelain", cwd=repository), git("branch", "-av", cwd=repository)

    return state


def slots(repository) -> list[str]:
    return sorted(path.name for path in (repository / ".git" / "exptrack" / "worktrees").glob("w*") if path.is_dir())


class TestOverrides:
    def test_a_parameter_is_set_for_the_run_alone(self, exptrack, repository, look, alike):
        (repository / "train.py").write_text(TRAIN)
        (repository / "params.yaml").write_text("# rates\nlr: 0.25  # slow\nmodel: {depth: 3}\n")
        before = alike()
        done = exptrack("run", "--name", "one", "-S", "lr=0.5", "-S", "+model.width=8", "--", PYTHON, "train.py")
        assert (done.returncode, done.stderr) == (0, "exptrack: recorded one (completed)\n")
        assert alike() == before
        record = look.record("one")
        assert record["params"]["params.yaml"] == {"lr": 0.5, "model": {"depth": 3, "width": 8}}
        assert record["metrics"] == {"accuracy": 0.5}
        assert look.file("one", "params.yaml") == "# rates\nlr: 0.5   # slow\nmodel: {depth: 3, width: 8}\n"
        assert look.git("show", look.ref("one") + "^:params.yaml") == look.file("one", "params.yaml")
        assert look.git("rev-parse", look.ref("one") + "^^") == look.git("rev-parse", "HEAD")

    def test_other_files_lists_and_removals(self, exptrack, repository, look):
        (repository / "params.yaml").write_text("lr: 0.25\nlayers: [1, 2]\ngone: 1\n")
        (repository / "dvc.yaml").write_text("stages:\n  a:\n    cmd: 'true'\n    params: [{conf.toml: [a]}]\n")
        (repository / "conf.toml").write_text("a = 1 # one\n")
        words = ("-S", "layers=[3,4]", "-S", "~gone", "-S", "conf.toml:a=2")
        assert exptrack("run", "--name", "one", *words, "--", "true").returncode == 0
        assert look.record("one")["params"] == {"params.yaml": {"lr": 0.25, "layers": [3, 4]}, "conf.toml": {"a": 2}}
        assert look.file("one", "conf.toml") == "a = 2 # one\n"

    @pytest.mark.parametrize(
        ("word", "said"),
        [
            ("lrr=1", "did you mean 'lr'?"),
            ("lr=0.1,0.2", "sweep"),
            ("lr=range(3)", "sweep"),
            ("lr", "'lr'"),
            ("other.yaml:lr=1", "other.yaml"),
            ("lr=nan", "nan"),
        ],
    )
    def test_what_cannot_be_set_is_refused_before_anything_starts(self, exptrack, repository, look, word, said):
        done = exptrack("run", "-S", word, "--", "touch", "started")
        assert (done.returncode, done.stdout) == (125, "")
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
        assert look.refs("refs/exptrack") == []
        assert not (repository / "started").exists()
        assert exptrack("status").stdout == "nothing runs, and nothing waits for recovery\n"

    def test_a_seed_is_given_to_the_command_and_to_its_parameter(self, exptrack, repository, look):
        (repository / "params.yaml").write_text("lr: 0.25\ntrain: {start: 1}\n")
        code = "import os; print(os.environ['EXPTRACK_SEED'], os.environ['PYTHONHASHSEED'], open('params.yaml').read())"
        exptrack("run", "--name", "one", "--seed", "7", "--", PYTHON, "-c", code)
        assert look.file("one", ".exptrack/output.log").startswith("7 7 lr: 0.25\ntrain: {start: 1}")
        assert look.record("one")["seed"] == 7
        assert slots(repository) == []
        (repository / "exptrack.yaml").write_text("seed: train.start\n")
        exptrack("run", "--name", "two", "--seed", "8", "--", PYTHON, "-c", code)
        assert look.file("two", ".exptrack/output.log").startswith("8 8 lr: 0.25\ntrain: {start: 8}")
        assert look.record("two")["seed"] == 8
        assert slots(repository) == ["w0"]


class TestIsolated:
    def test_it_sees_the_work_tree_as_it_is_and_leaves_it_so(self, exptrack, repository, look, alike):
        (repository / "train.py").write_text(
            "print(open('untracked').read(), open('sub/x').read()); open('made', 'w').write('1')\n"
        )
        (repository / "untracked").write_text("here")
        (repository / "sub").mkdir()
        (repository / "sub" / "x").write_text("below")
        (repository / "metrics.json").write_text('{"accuracy": 9}')
        before = alike()
        done = exptrack("run", "--isolated", "--name", "one", "--", PYTHON, "train.py")
        assert (done.returncode, done.stdout) == (0, "here below\n")
        assert alike() == before
        assert look.record("one")["metrics"] == {}
        assert look.changes("one") == ["made", "metrics.json"]
        assert look.record("one")["problems"] == [] if "problems" in look.record("one") else True

    def test_the_working_directory_is_the_same_one_in_the_slot(self, exptrack, repository, look):
        (repository / "sub").mkdir()
        (repository / "sub" / "x").write_text("below")
        done = exptrack("run", "--isolated", "--name", "one", "--", "pwd", cwd=repository / "sub")
        assert done.stdout.strip().endswith("/.git/exptrack/worktrees/w0/sub")
        assert look.record("one")["directory"] == "sub"

    def test_a_slot_is_used_again_and_nothing_of_the_last_run_is_in_it(self, exptrack, repository, look):
        code = "import os; print(sorted(os.listdir())); open('left', 'w').write('x'); os.mkdir('more'); open('.gitignore', 'a').write('left\\n')"
        first = exptrack("run", "--isolated", "--name", "one", "--", PYTHON, "-c", code).stdout
        assert exptrack("run", "--isolated", "--name", "two", "--", PYTHON, "-c", code).stdout == first
        assert slots(repository) == ["w0"]

    def test_what_git_ignores_is_linked_if_it_is_named_and_named_if_it_is_not(self, exptrack, repository, look):
        (repository / ".gitignore").write_text("metrics.json\nraw/\n")
        (repository / "raw").mkdir()
        (repository / "raw" / "a").write_text("data")
        failed = exptrack("run", "--isolated", "--name", "one", "--", "cat", "raw/a")
        assert failed.returncode == 1
        assert (
            "it ran without what Git ignores in the work tree (raw/): name what it needs under capture.links"
            in failed.stderr
        )
        (repository / "exptrack.yaml").write_text("capture: {links: [raw]}\n")
        linked = exptrack("run", "--isolated", "--name", "two", "--", "cat", "raw/a")
        assert (linked.returncode, linked.stdout) == (0, "data")
        assert look.changes("two") == ["metrics.json"]
        assert "raw" not in look.git("ls-tree", "--name-only", look.ref("two")).split()
        (repository / "exptrack.yaml").write_text("capture: {links: [gone]}\n")
        assert "gone, named under capture.links, is not there" in exptrack("run", "--isolated", "--", "true").stderr

    def test_a_large_new_file_is_named_and_not_kept(self, exptrack, look):
        code = "open('big', 'wb').write(bytes(2_000_000)); open('.env', 'w').write('PASSWORD=1')"
        done = exptrack("run", "--isolated", "--name", "one", "--", PYTHON, "-c", code)
        assert "big, which the command made, is not kept (too large): name it with `-o`" in done.stderr
        assert look.changes("one") == ["metrics.json"]

    def test_four_at_once_are_four_correct_runs(self, repository, look, alike):
        before = alike()
        code = TRAIN + "import time; time.sleep(1)\n"
        children = [
            subprocess.Popen(
                argv("run", "-q", "--name", f"run-{number}", "-S", f"lr=0.{number}", "--", PYTHON, "-c", code),
                cwd=repository,
            )
            for number in range(1, 5)
        ]
        assert [child.wait() for child in children] == [0] * 4
        for number in range(1, 5):
            record = look.record(f"run-{number}")
            assert record["metrics"] == {"accuracy": 1 - number / 10}
            assert "concurrent" not in record
        assert alike() == before
        assert len(slots(repository)) == 4

    def test_a_killed_one_is_recovered_and_its_slot_is_used_again(self, exptrack, repository, look):
        code = "import time; open('metrics.json', 'w').write('{\"accuracy\": 0.5}'); open('ready', 'w').close(); time.sleep(60)"
        child = subprocess.Popen(argv("run", "--isolated", "--name", "one", "--", PYTHON, "-c", code), cwd=repository)
        slot = repository / ".git" / "exptrack" / "worktrees" / "w0"
        until((slot / "ready").exists)
        [state] = json.loads(exptrack("status", "--json").stdout)
        child.send_signal(signal.SIGKILL)
        child.wait()
        os.kill(state["pid"], signal.SIGKILL)
        other = exptrack("run", "--isolated", "--name", "two", "--", "pwd")
        assert other.stdout.strip().endswith("w1")
        until(lambda: exptrack("recover").returncode == 0 and len(look.refs()) == 2)
        record = look.record("one")
        assert (record["status"], record["metrics"]) == ("crashed", {"accuracy": 0.5})
        third = exptrack("run", "--isolated", "--name", "three", "--", "pwd")
        assert third.stdout.strip().endswith("w0")

    def test_a_broken_slot_is_rebuilt(self, exptrack, repository):
        exptrack("run", "--isolated", "--", "true")
        slot = repository / ".git" / "exptrack" / "worktrees" / "w0"
        shutil.rmtree(slot)
        slot.write_text("no folder")
        done = exptrack("run", "--isolated", "--", "cat", "params.yaml")
        assert (done.returncode, done.stdout) == (0, "lr: 0.25\n")

    def test_the_exit_status_is_that_of_the_command(self, exptrack):
        assert exptrack("run", "--isolated", "--", "sh", "-c", "exit 7").returncode == 7
        assert exptrack("run", "--isolated", "--", "no-such-program").returncode == 127


class TestData:
    @pytest.fixture(autouse=True, params=["", "hardlink", "symlink", "copy"], ids=lambda kind: kind or "default")
    def project(self, request, repository, git):
        def dvc(*words: str) -> None:
            run([PYTHON, "-m", "dvc", *words], cwd=repository, check=True, capture_output=True)

        dvc("init", "-q")
        dvc("remote", "add", "-d", "store", "../remote")
        if request.param:
            dvc("config", "cache.type", request.param)
        (repository / "data").mkdir()
        for name in "ab":
            (repository / "data" / name).write_text(name)
        dvc("add", "-q", "data")
        git("add", ".", cwd=repository)
        git("commit", "-qm", "data", cwd=repository)
        return request.param

    def test_data_goes_in_as_dvc_is_set_to_and_outputs_of_stages_as_copies(
        self, exptrack, repository, git, alike, project
    ):
        (repository / "dvc.yaml").write_text(
            "stages:\n  a:\n    cmd: cp data/a out\n    deps: [data]\n    outs: [out]\n"
        )
        run([PYTHON, "-m", "dvc", "repro", "-q"], cwd=repository, check=True, capture_output=True)
        git("add", ".", cwd=repository)
        git("commit", "-qm", "stage", cwd=repository)
        code = (
            "import os\n"
            "print(sorted(os.listdir('data')), open('data/a').read(), open('out').read())\n"
            "print('symlink' if os.path.islink('data/a') else 'hardlink' if os.stat('data/a').st_nlink > 1 else 'copy')\n"
            "open('out', 'a').write('more')\n"
        )
        before = alike()
        for name in ("one", "two"):
            done = exptrack("run", "--isolated", "--name", name, "--", PYTHON, "-c", code)
            assert (done.returncode, done.stdout) == (0, f"['a', 'b'] a a\n{project or 'copy'}\n"), done.stderr
        assert alike() == before
        cached = [path for path in (repository / ".dvc" / "cache" / "files" / "md5").rglob("*") if path.is_file()]
        assert sorted(path.read_text() for path in cached if path.suffix != ".dir") == ["a", "b"]

    def test_local_remotes_and_the_cache_are_absolute_and_the_users_settings_stay(self, exptrack, repository):
        (repository / ".dvc" / "config.local").write_text(
            "[core]\n    checksum_jobs = 1\n['remote \"store\"']\n    jobs = 2\n"
        )
        done = exptrack("run", "--isolated", "--", "cat", ".dvc/config.local")
        assert done.returncode == 0
        for line in (
            "checksum_jobs = 1",
            "jobs = 2",
            f"dir = {repository}/.dvc/cache",
            f"url = {repository.parent}/remote",
        ):
            assert line in done.stdout, line

    def test_data_that_the_cache_lacks_is_named(self, exptrack, repository):
        shutil.rmtree(repository / ".dvc" / "cache")
        shutil.rmtree(repository / "data")
        done = exptrack("run", "--isolated", "--", "true")
        assert "data is not there for it: the DVC cache lacks its data; get it with `dvc fetch data.dvc`" in done.stderr

    def test_data_that_the_cache_lacks_comes_from_the_work_tree(self, exptrack, repository, project):
        if project == "symlink":
            pytest.skip("a work tree of links has no copy of the data")
        assert exptrack("run", "--isolated", "--", "true").returncode == 0
        shutil.rmtree(repository / ".dvc" / "cache")
        done = exptrack("run", "--isolated", "--", "cat", "data/a")
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (0, "a", 1)
        self.check_cache(repository)

    def test_data_of_the_last_run_is_never_taken_for_this_ones(self, exptrack, repository, project):
        if project == "symlink":
            pytest.skip("a work tree of links has no copy of the data")
        assert exptrack("run", "--isolated", "--", "cat", "data/a").stdout == "a"
        (repository / "data" / "a").unlink()
        (repository / "data" / "a").write_text("second")
        words = ([PYTHON, "-m", "dvc", "add", "-q", "data"], ["git", "commit", "-qam", "other data"])
        for line in words:
            run(line, cwd=repository, check=True, capture_output=True)
        shutil.rmtree(repository / ".dvc" / "cache")
        assert exptrack("run", "--isolated", "--", "cat", "data/a").stdout == "second"
        shutil.rmtree(repository / ".dvc" / "cache")
        (repository / "data" / "a").unlink()
        (repository / "data" / "a").write_text("third, which has no pointer")
        lost = exptrack("run", "--isolated", "--", "cat", "data/a")
        assert (lost.returncode, lost.stdout) == (1, "")

    @pytest.mark.parametrize("mode", ["a", "w"])
    def test_what_a_script_writes_to_its_input_leaves_the_cache_true(self, exptrack, repository, look, project, mode):
        """Also as root, who may write to what is linked to the cache; who is not root is refused there."""
        code = f"import sys\nfor path in sys.argv[1:]: open(path, {mode!r}).write('more')"
        done = exptrack("run", "--isolated", "--name", "one", "--", PYTHON, "-c", code, "data/a")
        may_write = os.geteuid() == 0 or project in {"", "copy"}
        assert done.returncode == (0 if may_write else 1)
        said = "the command wrote to data, which is linked to the DVC cache: "
        if project not in {"", "copy"} and may_write:
            said += (
                "there it is as before" if mode == "a" else "what it spoilt there is removed (files: 1); fetch it again"
            )
            assert said in look.record("one")["problems"]
        else:
            assert said not in done.stderr
        self.check_cache(repository)
        slot = repository / ".git" / "exptrack" / "worktrees" / "w0"
        assert (slot / "data" / "a").read_text() == ({"a": "amore", "w": "more"}[mode] if may_write else "a")
        again = exptrack("run", "--isolated", "--", "cat", "data/a")
        if said.endswith("fetch it again"):  # the user's own file was the same one
            assert "data is not there for it" in again.stderr
        else:
            assert again.stdout == "a"

    def test_an_output_that_is_an_input_too_is_never_shared_with_the_cache(self, exptrack, repository, look):
        exptrack("run", "--isolated", "--", "cat", "data/a")  # linked, and kept for the next run
        code = "open('data/a', 'a').write('more'); open('data/a').read()"
        for _ in range(2):
            done = exptrack("run", "--isolated", "-o", "data", "--", PYTHON, "-c", code)
            assert done.returncode == 0, done.stderr
            assert "linked" not in done.stderr
        self.check_cache(repository)
        assert (repository / "data" / "a").read_text() == "a"

    @staticmethod
    def check_cache(repository) -> None:
        """Every object is what its name says."""
        for path in (repository / ".dvc" / "cache" / "files" / "md5").glob("*/*"):
            digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            assert path.parent.name + path.name.removesuffix(".dir") == digest


def test_data_of_each_dvc_project_and_nothing_that_a_run_left_in_it(exptrack, repository, git):
    """DVC sees neither what `.dvcignore` hides nor empty folders."""
    for name in ("first", "second"):
        folder = repository / name
        (folder / "raw").mkdir(parents=True)
        (folder / "raw" / "a").write_text(name)
        (folder / ".dvcignore").write_text("*.memo\n")
        for words in (("init", "-q", "--subdir"), ("config", "cache.type", "hardlink"), ("add", "-q", "raw")):
            run([PYTHON, "-m", "dvc", *words], cwd=folder, check=True, capture_output=True)
    git("add", ".", cwd=repository)
    git("commit", "-qm", "two DVC projects", cwd=repository)
    code = (
        "import os, pathlib\nraw = pathlib.Path('../second/raw')\n"
        "print(sorted(map(str, raw.rglob('*'))), (raw / 'a').read_text(), os.stat(raw / 'a').st_nlink > 1)\n"
        "(raw / 'x.memo').touch(); (raw / 'sub' / 'deep').mkdir(parents=True)\n"
    )
    for _ in range(2):
        done = exptrack("run", "--isolated", "--", PYTHON, "-c", code, cwd=repository / "first")
        assert (done.returncode, done.stdout) == (0, "['../second/raw/a'] second True\n"), done.stderr
    shutil.rmtree(repository / "second" / ".dvc" / "cache")
    shutil.rmtree(repository / "second" / "raw")
    (repository / ".git" / "exptrack" / "worktrees" / "w0" / "second" / "raw" / "a").unlink()
    lost = exptrack("run", "--isolated", "--", "cat", "raw/a", cwd=repository / "first")
    assert (lost.returncode, lost.stdout) == (0, "first")
    assert "second/raw is not there for it: the DVC cache lacks its data" in lost.stderr


def test_a_second_run_in_a_slot_costs_little(exptrack, repository):
    """Beside each other, so that the machine's noise meets both: no absolute time."""
    for number in range(300):
        (repository / f"file{number}.py").write_text(f"{number}\n" * 50)
    began = time.perf_counter()
    exptrack("run", "--isolated", "--", "true")
    first = time.perf_counter() - began
    times = []
    for _ in range(3):
        began = time.perf_counter()
        exptrack("run", "--isolated", "--", "true")
        times.append(time.perf_counter() - began)
    assert min(times) < first
