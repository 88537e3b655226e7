"""Many processes at once in one repository: nothing is lost, and nobody is in anybody's way."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from witness import AWAIT, PATIENCE, SCRIPTS, Witness, argv, put_git_in_front, until

PROCESSES = 8
RUNS = 25  # a process

WORKER = """
index=0
while [ $index -lt {runs} ]; do
  number=$(($1 * {runs} + index))
  {exptrack} run --name run-$number -- echo mine=$number || exit 1
  index=$((index + 1))
done
"""
COMMITTER = """
number=0
while [ ! -e "$1/stop" ]; do
  # Beside a process that deletes files `git add -A` fails at times: the next one is good.
  git add -A 2> "$1/told" && git commit --quiet --allow-empty -m "number $number" 2>> "$1/told" && git rev-parse HEAD >> "$1/commits"
  number=$((number + 1))
  sleep 0.1
done
"""


@pytest.fixture
def witness(repository: Path, git) -> Witness:
    (repository / "exptrack.yaml").write_text("capture:\n  patterns: ['mine=(?P<mine>\\d+)']\n")
    (repository / "src").mkdir()
    for number in range(40):
        (repository / "src" / f"{number}.py").write_text(f"print({number})\n")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "second", cwd=repository)
    return Witness(repository)


def start(words: list[str], folder: Path, **options: object) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(words, cwd=folder, text=True, **{**pipes, **options})  # type: ignore[call-overload,no-any-return]


def end(child: subprocess.Popen[str], timeout: float = PATIENCE) -> tuple[int, str, str]:
    out, err = child.communicate(timeout=timeout)
    return child.returncode, out, err


@pytest.mark.timeout(1800)
def test_two_hundred_runs_at_once_beside_edits_and_commits_lose_nothing(witness, exptrack, tmp_path):
    before = witness.git("rev-list", "--reverse", "HEAD").split()
    script = WORKER.format(runs=RUNS, exptrack=" ".join(argv()))
    others = [
        start([sys.executable, str(SCRIPTS / "churning.py"), str(tmp_path / "stop")], witness.folder),
        start(["sh", "-c", COMMITTER, "sh", str(tmp_path)], witness.folder),
    ]
    workers = [start(["sh", "-c", script, "sh", str(number)], witness.folder) for number in range(PROCESSES)]
    try:
        ends = [end(worker, timeout=1500) for worker in workers]
    finally:
        (tmp_path / "stop").touch()
    assert [end(other) for other in others] == [(0, "", "")] * 2
    told = [line for _, _, err in ends for line in err.splitlines()]
    assert [status for status, _, _ in ends] == [0] * PROCESSES, told

    expected = {f"run-{number}": number for number in range(PROCESSES * RUNS)}
    records = witness.records()
    assert records.keys() == expected.keys()
    for name, number in expected.items():
        record = records[name]
        assert (record["name"], record["status"], record["exit_code"]) == (name, "completed", 0)
        assert (record["metrics"], record["params"]["args"]) == ({"mine": number}, {"mine": number})
    assert list((witness.folder / ".git" / "exptrack" / "active").iterdir()) == []
    # Refs are packed in the background meanwhile; a delete that had to wait for that too long was left to `recover`.
    assert exptrack("recover").stdout == "nothing to recover\n"
    assert witness.left_over() == []
    assert [line for line in told if "died" in line or "recover" in line or "bug" in line] == []
    assert sum(line.startswith("exptrack: recorded run-") for line in told) == len(expected)

    commits = [*before, *(tmp_path / "commits").read_text().split()]
    assert len(commits) > len(before)
    assert witness.git("rev-list", "--reverse", "main").split() == commits
    bases = witness.git("rev-parse", *(f"{ref}^^" for ref in witness.refs().values())).split()
    assert set(bases) <= set(commits)
    witness.check_objects()


def test_a_name_that_eight_ask_for_at_once_is_given_to_one(witness, tmp_path):
    command = AWAIT + 'echo started >> "$0/started"; await "$0/go"'
    words = argv("run", "--name", "same", "--", "sh", "-c", command, tmp_path)
    children = [start(words, witness.folder) for _ in range(PROCESSES)]
    until(lambda: sum(child.poll() is not None for child in children) >= PROCESSES - 1)
    (tmp_path / "go").touch()
    ends = [end(child) for child in children]
    assert Counter(status for status, _, _ in ends) == {0: 1, 125: PROCESSES - 1}
    refusals = [err for status, _, err in ends if status]
    assert all(err.startswith("exptrack: a run named 'same' ") and err.count("\n") == 1 for err in refusals)
    assert (tmp_path / "started").read_text() == "started\n"
    assert witness.record("same")["status"] == "completed"
    assert witness.left_over() == []


def test_a_name_is_held_from_before_anyone_looks_whether_it_is_taken(witness, tmp_path):
    stalling = """
"$git" "$@"; status=$?
case "$*" in *--batch-check=*) : > "$folder/stalled"; await "$folder/go";; esac
exit $status
"""
    environ = put_git_in_front(tmp_path / "bin", f"folder={tmp_path}{stalling}")
    first = start(argv("run", "--name", "same", "--", "touch", tmp_path / "started"), witness.folder, env=environ)
    until((tmp_path / "stalled").exists)
    status, _, err = end(start(argv("run", "--name", "same", "--", "true"), witness.folder))
    assert (status, err.count("\n")) == (125, 1), err
    assert err.startswith("exptrack: a run named 'same' is under way")
    (tmp_path / "go").touch()
    assert end(first)[0] == 0
    assert (tmp_path / "started").exists()
    assert witness.record("same")["command"][0] == "touch"
    assert witness.left_over() == []


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_run_whose_name_is_taken_while_it_runs_gets_another(witness, exptrack, tmp_path, is_killed):
    assert exptrack("run", "--name", "other", "--", "echo", "mine=1").returncode == 0
    command = AWAIT + 'echo mine=2; : > "$0/started"; await "$0/go"'
    child = start(argv("run", "--name", "same", "--", "sh", "-c", command, tmp_path), witness.folder)
    until((tmp_path / "started").exists)
    until(lambda: any(entry["kind"] == "metrics" for entry in witness.entries("same")))
    other = witness.refs()["other"]
    witness.git("update-ref", other.replace("other", "same"), other)  # as a fetch from a colleague would
    if is_killed:
        child.kill()
        (tmp_path / "go").touch()
        end(child)
        until(lambda: exptrack("recover").stdout.startswith("recovered same-2 "))
    else:
        (tmp_path / "go").touch()
        status, _, err = end(child)
        assert status == 0
        assert "the name 'same' was taken by another run while this one ran" in err
    assert witness.record("same-2")["metrics"] == {"mine": 2}
    assert witness.git("rev-parse", witness.refs()["same"]) == witness.git("rev-parse", other)
    assert witness.left_over() == []


@pytest.mark.timeout(1800)
def test_a_hundred_annotations_by_eight_processes_are_all_there(witness, exptrack):
    names = ["one", "two", "three"]
    for name in names:
        assert exptrack("run", "--name", name, "--", "true").returncode == 0
    waiting = [list(_annotation(number, names)) for number in range(100)]
    running: list[subprocess.Popen[str]] = []
    while waiting or running:
        while waiting and len(running) < PROCESSES:
            running.append(start(argv(*waiting.pop()), witness.folder))
        until(lambda: any(child.poll() is not None for child in running))
        for child in [child for child in running if child.poll() is not None]:
            status, _, err = end(child)
            assert (status, err) == (0, ""), err
            running.remove(child)

    refs = witness.refs()
    for name in names:
        lines = witness.git("notes", "--ref=refs/notes/exptrack", "show", refs[name]).splitlines()
        values = [json.loads(line)["value"] for line in lines if line]
        expected = [f"text-{number}" for number in range(100) if name in _annotation(number, names)]
        assert sorted(values) == sorted(expected)
    assert witness.git("rev-list", "--count", "refs/notes/exptrack").strip() == "100"
    witness.check_objects()


def _annotation(number: int, names: list[str]) -> tuple[str, ...]:
    """Words that put `text-<number>` on one run, or as a tag on several."""
    text = f"text-{number}"
    if number % 2:
        return ("note", names[number % 3], "-m", text)
    return ("tag", text, *(names if number % 4 else names[:1]))
