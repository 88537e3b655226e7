from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import run

from exptrack.backends import process
from exptrack.backends.dvc import driver_command, find_pipeline, read_events, read_refusal
from exptrack.model.pipeline import StageRun, StageState

EXAMPLE = Path(__file__).parent.parent.parent / ".dvc-example"

# Every kind of stage that DVC knows; what they make depends on their inputs alone.
KINDS = """\
vars:
  - config.yaml
stages:
  prepare:
    desc: the first one
    cmd:
      - mkdir -p clean
      - tr a-z A-Z < raw.txt > clean/upper.txt
      - cp raw.txt clean/raw.txt
    deps:
      - raw.txt
    outs:
      - clean
  each:
    foreach: [a, b]
    do:
      cmd: cat clean/upper.txt > each-${item}.txt && echo ${item} >> each-${item}.txt
      deps:
        - clean/upper.txt
      outs:
        - each-${item}.txt
  grid:
    matrix:
      size: [small, large]
      rate: ["${rate}", 7]
    cmd: echo ${item.size} ${item.rate} > grid-${item.size}-${item.rate}.txt
    params:
      - lr
    outs:
      - grid-${item.size}-${item.rate}.txt:
          cache: false
  inside:
    wdir: work
    cmd: cat ../each-a.txt > made.txt && echo '{"n":' $(wc -l < made.txt) '}' > metrics.json && (echo x,y; echo 1,2) > points.csv
    deps:
      - ../each-a.txt
    params:
      - ../params.yaml:
          - lr
          - model
    outs:
      - made.txt
    metrics:
      - metrics.json
    plots:
      - points.csv:
          x: x
          y: y
  kept:
    cmd: cat raw.txt >> kept.txt
    deps:
      - raw.txt
    outs:
      - kept.txt:
          persist: true
  always:
    cmd: echo always > always.txt
    always_changed: true
    outs:
      - always.txt
  callback:
    cmd: echo called
  scores:
    cmd: echo '{"m":1}' > scores.json
    deps:
      - raw.txt
    metrics:
      - scores.json:
          cache: false
"""
BELOW = """\
stages:
  last:
    cmd: cat ../each-b.txt ../given.txt > last.txt
    deps:
      - ../each-b.txt
      - ../given.txt
    outs:
      - last.txt
"""
NAMES = {
    "prepare",
    "each@a",
    "each@b",
    "grid@small-3",
    "grid@small-7",
    "grid@large-3",
    "grid@large-7",
    "inside",
    "kept",
    "always",
    "callback",
    "scores",
    "below/dvc.yaml:last",
}


def run_dvc(*arguments, cwd, status=0):
    done = run(
        [sys.executable, "-P", "-m", "dvc", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done


@pytest.fixture(autouse=True)
def same_python(monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SHELL", "/bin/sh")


@pytest.fixture
def project(repository):
    """A DVC project whose `dvc.yaml` a test writes."""
    (repository / ".dvc").mkdir()
    (repository / ".dvc" / "config").touch()
    (repository / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (repository / "raw.txt").write_text("one\ntwo\n")
    return repository


@pytest.fixture
def kinds(project):
    (project / "work").mkdir()
    (project / "work" / ".keep").touch()
    (project / "below").mkdir()
    (project / "config.yaml").write_text("rate: 3\n")
    (project / "params.yaml").write_text("lr: 0.25\nmodel: {size: 3, api_key: 4a5b6c7d8e9f4a5b6c7d8e9f}\n")
    (project / "dvc.yaml").write_text(KINDS)
    (project / "below" / "dvc.yaml").write_text(BELOW)
    (project / "source.txt").write_text("given\n")
    run_dvc("import-url", project / "source.txt", "given.txt", cwd=project)
    (project / "other.txt").write_text("of nobody\n")
    run_dvc("add", "other.txt", cwd=project)
    return project


@pytest.fixture
def drive(tmp_path):
    """Run the driver to its end; gives the process and the stages of this time."""

    def call(root, *targets, cwd=None, force=False, single_item=False, **options):
        events = tmp_path / f"events-{time.monotonic_ns()}"
        command = driver_command(root, events, force=force, single_item=single_item, targets=targets)
        options = {"capture_output": True, "text": True, "stdin": subprocess.DEVNULL, **options}
        done = subprocess.run(command, cwd=cwd or root, check=False, **options)
        if refusal := read_refusal(events):
            done.stderr += f"exptrack: {refusal.reason}\n"
        return done, read_events(events)

    return call


def states(stages):
    return {stage.name: stage.state.value for stage in stages}


def content(root):
    """All files but Git's and DVC's passing ones; the cache by names and bytes."""
    left_out = {".git", "tmp", "rundir"}
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not left_out.intersection(path.relative_to(root).parts)
    }


def said(done):
    """The one line of ours, which must be the last on stderr."""
    *_, last = done.stderr.splitlines()
    assert last.startswith("exptrack: ")
    assert "Traceback" not in done.stderr
    return last.removeprefix("exptrack: ")


def test_every_kind_of_stage_leaves_what_dvc_repro_leaves(kinds, drive, tmp_path):
    twin = tmp_path / "twin" / "project"
    shutil.copytree(kinds, twin, symlinks=True)

    def both(*, force=False):
        run_dvc("repro", "-P", *(["-f"] if force else []), cwd=twin)
        done, stages = drive(kinds, force=force)
        assert done.returncode == 0, done.stderr
        assert content(kinds) == content(twin)
        return states(stages)

    def edit(file, old, new):
        for root in (kinds, twin):
            (root / file).write_text((root / file).read_text().replace(old, new))

    assert both() == dict.fromkeys(NAMES, "ran")
    again = dict.fromkeys(NAMES, "skipped") | {"always": "ran", "callback": "ran"}
    assert both() == again
    for root in (kinds, twin):
        (root / "each-a.txt").unlink()
    assert both() == again | {"each@a": "restored"}
    edit("params.yaml", "0.25", "0.5")
    changed = dict.fromkeys([name for name in NAMES if name.startswith("grid")], "ran") | {"inside": "ran"}
    assert both() == again | changed
    edit("params.yaml", "0.5", "0.25")
    assert both() == again | changed | {"inside": "restored"}
    edit("dvc.yaml", "    desc: the first one", "    frozen: true")
    edit("raw.txt", "two", "three")
    assert both() == again | {"kept": "ran", "scores": "ran"}
    assert both(force=True) == dict.fromkeys(NAMES, "ran") | {"prepare": "skipped"}


def test_stages_come_in_their_order_with_what_went_in_and_out(kinds, drive):
    before = time.time()
    _, stages = drive(kinds)
    names = [stage.name for stage in stages]
    assert names.index("prepare") < names.index("each@a") < names.index("inside")
    assert names.index("each@b") < names.index("below/dvc.yaml:last")
    found = {stage.name: stage for stage in stages}
    inside, prepare = found["inside"], found["prepare"]
    each_a = found["each@a"].outs["each-a.txt"]
    assert prepare.command == "mkdir -p clean\ntr a-z A-Z < raw.txt > clean/upper.txt\ncp raw.txt clean/raw.txt"
    assert prepare.deps == {"raw.txt": "md5:" + hashlib.md5((kinds / "raw.txt").read_bytes()).hexdigest()}
    assert list(prepare.outs) == ["clean"]
    assert prepare.outs["clean"].startswith("md5:")
    assert prepare.outs["clean"].endswith(".dir")
    assert inside.deps["each-a.txt"] == each_a
    assert inside.deps["params.yaml:lr"] == "0.25"
    assert json.loads(inside.deps["params.yaml:model"]) == {"size": 3, "api_key": "***"}
    assert set(inside.outs) == {"work/made.txt", "work/metrics.json", "work/points.csv"}
    assert all(before - 1 <= stage.started <= time.time() and stage.duration is not None for stage in stages)
    _, again = drive(kinds)
    assert [(stage.deps, stage.outs) for stage in again] == [(stage.deps, stage.outs) for stage in stages]


def test_the_example_comes_out_as_with_dvc_repro(tmp_path, git, drive):
    roots = [tmp_path / "one" / "example", tmp_path / "two" / "example"]
    for root in roots:
        shutil.copytree(EXAMPLE, root)
        git("init", "--quiet", cwd=root)
        git("add", ".", cwd=root)
        git("commit", "--quiet", "-m", "first", cwd=root)
    expected = run_dvc("repro", cwd=roots[0])
    done, stages = drive(roots[1])
    assert done.returncode == 0, done.stderr
    assert states(stages) == {"prepare": "ran", "train": "ran", "evaluate": "ran"}
    assert (roots[1] / "dvc.lock").read_bytes() == (roots[0] / "dvc.lock").read_bytes()
    assert (roots[1] / "metrics.json").read_bytes() == (roots[0] / "metrics.json").read_bytes()
    assert {name for name in content(roots[1]) if "pycache" not in name} == {
        name for name in content(roots[0]) if "pycache" not in name
    }
    logged = {
        line for line in expected.stdout.splitlines() if line.startswith(("Running", "> ", "Updating", "Generat"))
    }
    assert logged
    assert logged <= set(done.stderr.splitlines())
    assert not logged & set(done.stdout.splitlines())
    assert git("status", "--porcelain", "--untracked-files=no", cwd=roots[1]) == ""


def test_a_failed_stage_is_named_and_keeps_what_was_made_before(project, drive):
    (project / "dvc.yaml").write_text(
        "stages:\n"
        "  first:\n    cmd: cp raw.txt a.txt\n    deps: [raw.txt]\n    outs: [a.txt]\n"
        "  second:\n    cmd: echo half > b.txt; exit 7\n    deps: [a.txt]\n    outs: [b.txt]\n"
        "  third:\n    cmd: cp b.txt c.txt\n    deps: [b.txt]\n    outs: [c.txt]\n"
    )
    for force in (False, True):
        done, stages = drive(project, force=force)
        assert done.returncode == 7
        assert said(done) == "stage 'second' failed: its command ended with status 7"
        assert states(stages) == {"first": "ran", "second": "failed"}
        assert stages[1].deps == {"a.txt": stages[0].outs["a.txt"]}
        assert stages[1].outs == {}
        assert "first:" in (project / "dvc.lock").read_text()
        assert "second:" not in (project / "dvc.lock").read_text()
        assert "/a.txt" in (project / ".gitignore").read_text()


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        ("kill -KILL $$", 137, "stage 's' failed: its command ended with signal 9"),
        ("test 1", 1, "stage 's' failed: output 'b.txt' does not exist"),
    ],
)
def test_other_failures_of_a_stage_are_one_line_too(project, drive, command, status, message):
    (project / "dvc.yaml").write_text(f"stages:\n  s:\n    cmd: {command}\n    outs: [b.txt]\n")
    done, stages = drive(project)
    assert (done.returncode, said(done)) == (status, message)
    assert states(stages) == {"s": "failed"}


def test_a_folder_that_is_not_there_is_named(project, drive):
    (project / "dvc.yaml").write_text("stages:\n  s:\n    cmd: ls\n    wdir: nowhere\n")
    assert said(drive(project)[0]) == f"stage 's' failed: No such file or directory: {project}/nowhere"


def stage(name, **fields):
    return {"stages": {name: fields}}


@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        ({}, "has no stage to run: write one into dvc.yaml, or give a command"),
        ("stages: [\n", "dvc.yaml: expected the node content"),
        ({"stages": {"s": {"cmd": "true", "dps": []}}}, "./dvc.yaml: extra keys not allowed in stages.s.dps"),
        (stage("s", cmd="echo ${nowhere}"), "failed to parse 'stages.s.cmd' in 'dvc.yaml': Could not find 'nowhere'"),
        (
            {"stages": {"a": {"cmd": "x", "deps": ["b"], "outs": ["a"]}, "b": {"cmd": "x", "deps": ["a"], "outs": ["b"]}}},
            "Same item(s) are defined as both a dependency and an output in stages: ",
        ),
        ({"stages": {"a": {"cmd": "x", "outs": ["o"]}, "b": {"cmd": "x", "outs": ["o"]}}}, "output 'o' is specified in: "),
        (
            {"stages": {"a": {"cmd": "touch a; touch ran", "outs": ["a"]}, "b": {"cmd": "x", "deps": ["a", "gone.txt"]}}},
            "stage 'b' needs gone.txt, which is not there: no stage makes it; ",
        ),
        (
            stage("b", cmd="x", deps=["big.bin", "gone.txt"]),
            "stage 'b' needs big.bin, which is not there: Git ignores it and DVC does not know it; `dvc add` it, or name it under capture.links in exptrack.yaml (and 1 more like it)",
        ),
        (stage("b", cmd="x", deps=["raw.txt"], params=["nowhere"]), "stage 'b' cannot run: Parameters 'nowhere' are missing"),
        (stage("b", cmd="x", params=[{"other.yaml": ["a"]}]), "stage 'b' needs other.yaml, which is not there: "),
    ],
)  # fmt: skip
def test_what_cannot_end_well_is_refused_before_anything_runs(project, drive, pipeline, message):
    (project / ".gitignore").write_text("*.bin\n")
    (project / "dvc.yaml").write_text(pipeline if isinstance(pipeline, str) else json.dumps(pipeline))
    done, stages = drive(project)
    assert message in said(done)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert stages == ()
    assert not (project / "ran").exists()
    assert not (project / "dvc.lock").exists()


def test_of_data_that_dvc_knows_it_is_said_how_to_get_it(project, drive):
    run_dvc("add", "raw.txt", cwd=project)
    (project / "raw.txt").unlink()
    (project / "dvc.yaml").write_text(json.dumps(stage("b", cmd="x", deps=["raw.txt"])))
    done, stages = drive(project)
    assert said(done) == "stage 'b' needs raw.txt, which is not there: `dvc checkout raw.txt.dvc` brings it"
    shutil.rmtree(project / ".dvc" / "cache")
    done, stages = drive(project)
    assert said(done) == "stage 'b' needs raw.txt, which is not there: `dvc pull raw.txt.dvc` brings it"
    assert (done.returncode, stages) == (2, ())


def test_a_changed_lock_file_appears_as_a_whole(project, drive):
    (project / "dvc.yaml").write_text("stages:\n  s:\n    cmd: cp raw.txt out\n    deps: [raw.txt]\n    outs: [out]\n")
    assert drive(project)[0].returncode == 0
    lock, other = project / "dvc.lock", project / "other"
    lock.chmod(0o600)
    os.link(lock, other)  # whoever reads meanwhile: a kill would leave as much as he sees
    before = lock.read_bytes()
    (project / "raw.txt").write_text("three\n")
    assert drive(project)[0].returncode == 0
    assert other.read_bytes() == before != lock.read_bytes()
    assert lock.stat().st_mode & 0o777 == 0o600
    assert not list((project / ".dvc" / "tmp").glob("*.new"))


def test_a_folder_that_is_no_dvc_project_is_refused(repository, drive):
    done, _ = drive(repository)
    assert (done.returncode, "not inside of a DVC repository" in said(done)) == (2, True)


def test_a_lock_that_somebody_else_holds_is_named(project, drive):
    (project / "dvc.yaml").write_text("stages:\n  s:\n    cmd: touch ran\n")
    (project / ".dvc" / "tmp").mkdir()
    with (project / ".dvc" / "tmp" / "lock").open("w") as lock:
        lock.write(f" {os.getpid()}\n")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        done, _ = drive(project)
    assert done.returncode == 2
    assert said(done).startswith(f"process {os.getpid()} ")
    assert f" holds the DVC lock {project}/.dvc/tmp/lock; wait" in said(done)
    assert not (project / "ran").exists()
    assert drive(project)[0].returncode == 0


def test_paths_that_somebody_else_works_on_are_named(project, drive):
    (project / "dvc.yaml").write_text("stages:\n  s:\n    cmd: touch out\n    outs: [out]\n")
    (project / ".dvc" / "tmp").mkdir()
    holder = {"pid": os.getpid(), "cmd": "dvc add out"}
    (project / ".dvc" / "tmp" / "rwlock").write_text(json.dumps({"write": {str(project / "out"): holder}}))
    done, _ = drive(project)
    assert done.returncode == 2
    assert said(done).startswith(f"process {os.getpid()} (dvc add out) is at work on files of stage 's'; wait")
    holder["cmd"] = "/x/driver.py --events /r/.git/exptrack/active/one/events --root /r"
    (project / ".dvc" / "tmp" / "rwlock").write_text(json.dumps({"write": {str(project / "out"): holder}}))
    assert said(drive(project)[0]).startswith("run 'one' is at work on files of stage 's'; wait")
    # One that could run has.
    (project / "dvc.yaml").write_text(
        "stages:\n  r: {cmd: touch in, outs: [in]}\n  s: {cmd: touch out, deps: [in], outs: [out]}\n"
    )
    done, stages = drive(project)
    assert (done.returncode, states(stages)) == (1, {"r": "ran", "s": "failed"})
    assert done.stderr.splitlines()[-1].startswith("exptrack: stage 's' did not run: run 'one' is at work on")


@pytest.mark.parametrize("torn", ["", '{"write": {"/a"'])
def test_a_list_of_locks_that_a_kill_left_half_written_is_mended(project, drive, torn):
    (project / "dvc.yaml").write_text("stages:\n  s:\n    cmd: touch out\n    outs: [out]\n")
    (project / ".dvc" / "tmp").mkdir()
    (project / ".dvc" / "tmp" / "rwlock").write_text(torn)
    assert drive(project)[0].returncode == 0


def test_the_environment_of_the_stages_is_ours(project, drive, tmp_path):
    (project / "dvc.yaml").write_text("stages:\n  s:\n    cmd: env -0 > env\n")
    (tmp_path / "lib").mkdir()
    environ = {
        "PATH": os.environ["PATH"] + ":/nowhere",
        "HOME": os.environ["HOME"],
        "VIRTUAL_ENV": "/some/venv",
        "PYTHONPATH": str(tmp_path / "lib"),
        "EXPTRACK_RUN": "brave-otter",
        "SHELL": "/bin/sh",
        "LC_ALL": "C.UTF-8",
        "ODD": "a\nb",
    }
    done, _ = drive(project, env=environ)
    assert done.returncode == 0, done.stderr
    seen = dict(entry.split("=", 1) for entry in (project / "env").read_text().split("\0") if entry)
    shell = {name: seen.pop(name, None) for name in ("PWD", "OLDPWD", "SHLVL", "_")}
    assert shell["PWD"] in {str(project), None}
    assert seen == environ | {"DVC_ROOT": str(project), "DVC_STAGE": "s"}


def test_modules_of_the_project_are_not_taken_for_libraries(project, drive):
    (project / "dvc").mkdir()
    for name in ("dvc/__init__.py", "json.py", "argparse.py", "yaml.py"):
        (project / name).write_text("raise SystemExit('poison')\n")
    (project / "dvc.yaml").write_text("stages:\n  s:\n    cmd: touch out\n    outs: [out]\n")
    assert drive(project)[0].returncode == 0


def test_the_index_is_left_alone_and_nothing_is_asked(project, drive, git):
    (project / ".dvc" / "config").write_text("[core]\n    autostage = true\n    interactive = true\n")
    (project / "dvc.yaml").write_text("stages:\n  s:\n    cmd: touch out\n    outs: [out]\n")
    before = (project / ".git" / "index").read_bytes()
    assert drive(project)[0].returncode == 0
    assert (project / ".git" / "index").read_bytes() == before


def test_targets_are_those_of_dvc_repro(kinds, drive):
    _, stages = drive(kinds, "inside")
    assert list(states(stages)) == ["prepare", "each@a", "inside"]
    _, stages = drive(kinds, "grid")
    assert set(states(stages)) == {name for name in NAMES if name.startswith("grid")}
    _, stages = drive(kinds, "last", "../dvc.yaml:scores", cwd=kinds / "below")
    assert set(states(stages)) == {"prepare", "each@b", "below/dvc.yaml:last", "scores"}
    (kinds / "each-b.txt").unlink()
    done, stages = drive(kinds, "below/dvc.yaml:last", single_item=True)
    assert "stage 'below/dvc.yaml:last' needs each-b.txt, which is not there: `dvc checkout each@b` brings it" in said(
        done
    )
    done, stages = drive(kinds, "nobody")
    assert (done.returncode, stages) == (2, ())
    assert "nobody" in said(done)


def test_a_project_in_a_folder_runs_its_own_stages_and_what_they_need(kinds, drive):
    done, stages = drive(kinds, cwd=kinds / "below")
    assert done.returncode == 0, done.stderr
    assert set(states(stages)) == {"prepare", "each@b", "below/dvc.yaml:last"}
    done, _ = drive(kinds, cwd=kinds / "work")
    assert said(done) == f"{kinds}/work has no stage to run: write one into dvc.yaml, or give a command"


def test_a_dvc_project_below_the_root_names_paths_from_the_root(repository, drive, tmp_path):
    sub = repository / "sub"
    (sub / ".dvc").mkdir(parents=True)
    (sub / ".dvc" / "config").touch()
    (sub / "dvc.yaml").write_text(
        "stages:\n  s:\n    cmd: cp ../train.py out\n    deps: [../train.py]\n    outs: [out]\n"
    )
    (tmp_path / "link").symlink_to(sub)
    done, stages = drive(tmp_path / "link")
    assert done.returncode == 0, done.stderr
    assert (stages[0].name, list(stages[0].deps), list(stages[0].outs)) == ("s", ["train.py"], ["sub/out"])


SLEEPING = "stages:\n  a:\n    cmd: touch a\n    outs: [a]\n  b:\n    cmd: {}\n    deps: [a]\n    outs: [b]\n  c:\n    cmd: touch c\n    deps: [b]\n    outs: [c]\n"


def start(project, events, **options):
    driver = subprocess.Popen(driver_command(project, events), cwd=project, stderr=subprocess.PIPE, **options)
    while not (project / "begun").exists():
        assert driver.poll() is None, driver.stderr.read()
        time.sleep(0.01)
    return driver


@pytest.fixture
def sleeping(project):
    (project / "dvc.yaml").write_text(SLEEPING.format("echo $$ > pid && touch begun && exec sleep 600"))
    return project


def test_a_killed_pipeline_says_in_which_stage_it_was(sleeping, drive, tmp_path):
    driver = start(sleeping, tmp_path / "events", start_new_session=True)
    os.killpg(driver.pid, signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL
    driver.stderr.close()
    stages = read_events(tmp_path / "events")
    assert states(stages) == {"a": "ran", "b": "failed"}
    assert stages[1].duration is None
    assert stages[1].started > 0
    (sleeping / "dvc.yaml").write_text(SLEEPING.format("touch b"))
    done, stages = drive(sleeping)
    assert done.returncode == 0, done.stderr
    assert states(stages) == {"a": "skipped", "b": "ran", "c": "ran"}


@pytest.mark.parametrize(
    ("number", "group"),
    [(signal.SIGTERM, True), (signal.SIGTERM, False), (signal.SIGHUP, False), (signal.SIGINT, True)],
)
def test_a_signal_ends_the_stage_and_the_pipeline(sleeping, tmp_path, group, number):
    driver = start(sleeping, tmp_path / "events", process_group=0 if group else None)
    (os.killpg if group else os.kill)(driver.pid, number)
    message = driver.communicate()[1].decode().splitlines()[-1]
    if number == signal.SIGINT:
        assert (driver.returncode, message) == (-number, "exptrack: stage 'b' was interrupted")
    else:
        assert driver.returncode == 128 + number
        assert message == f"exptrack: stage 'b' failed: its command ended with signal {int(number)}"
    with pytest.raises(ProcessLookupError):
        os.kill(int((sleeping / "pid").read_text()), 0)
    assert states(read_events(tmp_path / "events")) == {"a": "ran", "b": "failed"}
    assert json.loads((sleeping / ".dvc" / "tmp" / "rwlock").read_bytes() or "{}") == {}


def test_a_stage_that_ends_well_on_a_signal_is_the_last(project, tmp_path):
    handler = "import pathlib, signal, time; signal.signal(15, lambda *_: (pathlib.Path('b').touch(), exit(0))); pathlib.Path('begun').touch(); time.sleep(600)"
    (project / "stage.py").write_text(handler)
    (project / "dvc.yaml").write_text(SLEEPING.format("exec python stage.py"))
    driver = start(project, tmp_path / "events", process_group=0)
    os.killpg(driver.pid, signal.SIGTERM)
    driver.communicate()
    assert driver.returncode == -signal.SIGTERM
    assert states(read_events(tmp_path / "events")) == {"a": "ran", "b": "ran"}


def test_it_runs_as_any_command_with_its_output_live(project, tmp_path, capfdbinary):
    (project / "dvc.yaml").write_text("stages:\n  s:\n    cmd: echo out; echo err >&2; exit 3\n")
    heard = []
    ending = process.run(
        driver_command(project, tmp_path / "events"), directory=project, environ=os.environ, output=heard.append
    )
    assert ending.exit_code == 3
    out, err = capfdbinary.readouterr()
    assert out == b"out\n"
    assert b"Running stage 's':\n> echo out; echo err >&2; exit 3\nerr\nexptrack: stage 's' failed" in err
    assert sorted(b"".join(heard)) == sorted(out + err)


def test_a_lock_taken_meanwhile_is_waited_for(project, tmp_path):
    (project / "dvc.yaml").write_text("stages:\n  s:\n    cmd: touch begun; sleep 1; touch out\n    outs: [out]\n")
    driver = subprocess.Popen(driver_command(project, tmp_path / "events"), cwd=project, stderr=subprocess.PIPE)
    while not (project / "begun").exists():
        assert driver.poll() is None
        time.sleep(0.01)
    with (project / ".dvc" / "tmp" / "lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        time.sleep(6)  # DVC itself gives up after three
    assert driver.communicate()[1].count(b"exptrack: ") == 0
    assert driver.returncode == 0


def test_four_at_once_in_worktrees_share_one_cache(kinds, git, tmp_path):
    git("add", ".", cwd=kinds)
    git("commit", "--quiet", "-m", "pipeline", cwd=kinds)
    run_dvc("repro", "-P", cwd=kinds)
    expected = (kinds / "dvc.lock").read_bytes()
    cache = kinds / ".dvc" / "cache"
    (cache / "runs").rename(tmp_path / "runs")
    trees = [kinds / ".git" / "exptrack" / "worktrees" / f"w{number}" for number in range(4)]
    for number, tree in enumerate(trees):
        git("worktree", "add", "--quiet", "--detach", tree, cwd=kinds)
        (tree / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {cache}\n")
        for name in ("given.txt", "other.txt"):
            shutil.copy(kinds / name, tree / name)
        if number == 3:
            (tree / "raw.txt").write_text("another\n")
    before = content(kinds)
    drivers = [
        subprocess.Popen(
            driver_command(tree, tmp_path / f"events{number}"),
            cwd=tree,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        for number, tree in enumerate(trees)
    ]
    for driver in drivers:
        _, err = driver.communicate()
        assert driver.returncode == 0, err
    for number, tree in enumerate(trees):
        stages = read_events(tmp_path / f"events{number}")
        assert {stage.name for stage in stages} == NAMES
        assert ((tree / "dvc.lock").read_bytes() == expected) == (number < 3)
        assert not (tree / ".dvc" / "cache").exists()
    after = content(kinds)
    assert {name: text for name, text in after.items() if not name.startswith(".dvc/cache")} == {
        name: text for name, text in before.items() if not name.startswith(".dvc/cache")
    }


def test_events_that_cannot_be_read_are_skipped(tmp_path):
    file = tmp_path / "events"
    assert read_events(file) == ()
    ended = {
        "stage": "a",
        "state": "ran",
        "started": 1,
        "duration": 2.5,
        "command": "x",
        "deps": {"d": "md5:1"},
        "outs": {},
    }
    lines = [json.dumps(line) for line in ({"stage": "a", "state": "running", "started": 1}, ended)]
    file.write_text("\n".join([*lines, "[]", '{"stage": "z", "state": "odd", "started": 1}', lines[1][:30]]))
    assert read_events(file) == (StageRun("a", StageState.RAN, "x", 1.0, 2.5, {"d": "md5:1"}, {}),)


def test_events_that_cannot_be_written_stop_it_before_anything_runs(project, tmp_path):
    (project / "dvc.yaml").write_text("stages:\n  s:\n    cmd: touch ran\n")
    done = subprocess.run(
        driver_command(project, tmp_path / "nowhere" / "events"),
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, said(done)) == (2, f"cannot write {tmp_path}/nowhere/events: No such file or directory")
    assert not (project / "ran").exists()


@pytest.mark.parametrize(
    ("file", "text", "answer"),
    [
        ("dvc.yaml", "stages:\n  s:\n    cmd: x\n", True),
        ("dvc.yaml", '{"stages": {"s": {"cmd": "x"}}}', True),
        ("dvc.yaml", "metrics:\n  - stages.json\n", False),
        ("deep/er/dvc.yaml", "vars: [a]\n'stages' :\n", True),
        ("old.dvc", "cmd: x\n", True),
        ("data.dvc", "outs:\n- path: data\n", False),
        ("other/dvc.yaml", "stages:\n", False),
        (".venv/dvc.yaml", "stages:\n", False),
    ],
)
def test_a_pipeline_is_found_without_dvc(project, file, text, answer):
    (project / "other" / ".dvc").mkdir(parents=True)
    (project / ".venv").mkdir()
    (project / ".venv" / "pyvenv.cfg").touch()
    (project / file).parent.mkdir(parents=True, exist_ok=True)
    (project / file).write_text(text)
    before = set(sys.modules)
    assert find_pipeline(project, project) is answer
    assert find_pipeline(project, project.parent) is answer
    (project / "plain").mkdir()
    assert not find_pipeline(project, project / "plain")
    assert not {name for name in set(sys.modules) - before if name.partition(".")[0] == "dvc"}
