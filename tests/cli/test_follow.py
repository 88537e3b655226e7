"""`exptrack show` and `exptrack status` of runs under way, and their `--follow`."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from fcntl import ioctl
from pathlib import Path
from typing import Any

import pytest
from witness import argv

PYTHON = sys.executable
# Logs what it is told to in files of its folder, until it is told to end.
SCRIPT = """
import json, os, pathlib, sys, time
name = sys.argv[1]
stream = os.open(os.environ['EXPTRACK_JOURNAL'] + '/stream', os.O_WRONLY | os.O_APPEND)
number = 0
while True:
    told = pathlib.Path('told', f'{name}-{number}')
    if not told.exists():
        time.sleep(0.01)
        continue
    said = json.loads(told.read_text())
    number += 1
    for entry in said.get('entries', []):
        os.write(stream, json.dumps({'kind': 'metrics', 'time': time.time(), **entry}).encode() + b'\\n')
    print(said.get('print', ''), end='', flush=True)
    pathlib.Path('told', f'{name}-{number}-done').touch()
    if said.get('end'):
        break
"""


class Told:
    """A run that does as it is told."""

    def __init__(self, folder: Path, name: str, *words: str) -> None:
        self.folder, self.name, self.number = folder, name, 0
        self.child = subprocess.Popen(
            argv("run", "--name", name, "--", PYTHON, "script.py", name, *words),
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self.tell()

    def tell(self, *entries: dict[str, Any], **more: object) -> None:
        """Log entries, `print=` text, `end=` it; comes back when that is done."""
        told = self.folder / "told" / f"{self.name}-{self.number}"
        told.with_suffix(".new").write_text(json.dumps({"entries": entries, **more}))
        told.with_suffix(".new").rename(told)
        self.number += 1
        done = self.folder / "told" / f"{self.name}-{self.number}-done"
        wait(lambda: done.exists() or self.child.poll() is not None)

    def log(self, *losses: object) -> None:
        self.tell(*({"step": step, "values": {"loss": loss}} for step, loss in enumerate(losses)))

    def end(self) -> None:
        self.tell(end=True)
        self.child.wait()

    @property
    def pid(self) -> int:
        stream = self.folder / ".git" / "exptrack" / "active" / self.name / "stream"
        return next(json.loads(line)["pid"] for line in stream.read_text().splitlines() if '"pid"' in line)


def wait(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def start(repository: Path) -> Iterator[Callable[..., Told]]:
    """Start a run that does as it is told; those that are left are ended with the test."""
    (repository / "script.py").write_text(SCRIPT)
    (repository / ".gitignore").write_text("told\n")
    (repository / "told").mkdir()
    (repository / "exptrack.yaml").write_text(
        "metrics: {acc: {holdout: true}}\ncapture: {system: off, patterns: ['accuracy (?P<acc>\\S+)']}\n"
    )
    runs: list[Told] = []

    def call(name: str = "one", *words: str) -> Told:
        runs.append(Told(repository, name, *words))
        return runs[-1]

    yield call
    for run in runs:
        if run.child.poll() is None:
            run.child.terminate()
            run.child.wait()


class Reader:
    """A process of exptrack whose output, in a pipe or on a terminal, is read as it comes."""

    def __init__(self, folder: Path, *words: str, size: tuple[int, int] | None = None, **environ: str) -> None:
        self.text, self._errors, self._is_open = "", tempfile.TemporaryFile(), True  # noqa: SIM115
        variables = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES"}}
        self.file, line = os.openpty() if size else os.pipe()
        if size:
            ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.child = subprocess.Popen(
            argv(*words), cwd=folder, stdin=subprocess.DEVNULL, stdout=line, stderr=line if size else self._errors,
            env={**variables, "TERM": "xterm", **environ}, start_new_session=True,
        )  # fmt: skip
        os.close(line)

    def until(self, text: str) -> str:
        """Read until this text has come."""
        end = time.monotonic() + 60
        while text not in self.text:
            assert time.monotonic() < end, self.text
            assert self._read(), self.text
        return self.text

    def end(self) -> tuple[int, str]:
        """Read all; the exit status, and all that came."""
        while self._read():
            pass
        status = self.child.wait()
        self._errors.seek(0)
        self.errors = self._errors.read().decode()
        self.close()
        return status, self.text

    def close(self) -> None:
        if self._is_open:
            self.child.kill()
            self.child.wait()
            os.close(self.file)
            self._errors.close()
            self._is_open = False

    def _read(self) -> bool:
        if not select.select([self.file], [], [], 60)[0]:
            raise TimeoutError(self.text)
        try:
            chunk = os.read(self.file, 65536)
        except OSError:
            chunk = b""
        self.text += chunk.decode().replace("\r\n", "\n")
        return bool(chunk)


@pytest.fixture
def watch(repository: Path) -> Iterator[Callable[..., Reader]]:
    """Start a process whose output is read as it comes."""
    readers: list[Reader] = []

    def call(*words: str, **options: Any) -> Reader:
        readers.append(Reader(repository, *words, **options))
        return readers[-1]

    yield call
    for reader in readers:
        reader.close()


def frames(text: str) -> list[str]:
    """What stood on the terminal, one frame after the other."""
    return [frame.replace("\x1b[K", "") for frame in re.split(r"\x1b\[\d+F", text)]


def test_a_run_under_way_is_shown_and_nothing_is_touched(start: Callable[..., Told], exptrack, repository, git) -> None:
    run = start("one", "--max-steps", "4")
    run.tell(
        {"step": 0, "values": {"loss": 1, "acc": 0.9}}, {"step": 1, "values": {"loss": "nan"}},
        {"step": 2, "values": {"loss": 0.25, "b\x1b[2J": 1}},
        print="a line\n\x1b[31maccuracy 0.91\x1b[m\npassword=hunter2\nhalf",
    )  # fmt: skip
    before = git("for-each-ref", cwd=repository), git("status", "--porcelain", cwd=repository)
    done = exptrack("show", "one")
    assert (done.returncode, done.stderr) == (0, "")
    text = re.sub(r"(for|left|process) .*", r"\1", re.sub(r"(started ).*", r"\1", done.stdout))
    cross = "\N{MULTIPLICATION SIGN}"
    assert text == (
        "run       one\nstate     running for\nstarted \n"
        f"command   {PYTHON} script.py one --max-steps 4\nprocess\n"
        "progress  [███████████████░░░░░] 75%\nat        step 2 of 4 (max-steps)\n\n"
        f"metrics:\n  loss      0.25  █{cross}▁\n  b\\x1b[2J  1     ▁\n\n"
        "parameters:\n  lr         0.25\n  max-steps  4\n\n"
        "output, the last lines:\n  a line\n  accuracy sealed\n  password=***\n  half\n"
    )
    shown = json.loads(exptrack("show", "one", "--json").stdout)
    assert (shown["state"], shown["metrics"]["loss"], "acc" in shown["metrics"]) == ("running", 0.25, False)
    assert exptrack("show", "one", "--output").stdout == "a line\naccuracy sealed\npassword=***\nhalf\n"
    assert exptrack("show", "on").stdout.startswith("run       one\n")
    assert "not recorded yet" in exptrack("show", "one", "--environment").stderr
    assert exptrack("show", "two").returncode == 2
    assert (git("for-each-ref", cwd=repository), git("status", "--porcelain", cwd=repository)) == before
    run.end()
    assert exptrack("show", "one").stdout.startswith("run       one\ncommit")


def test_a_pipe_gets_lines_and_at_the_end_what_was_recorded(start: Callable[..., Told], watch) -> None:
    run = start()
    run.log(*range(15))
    reader = watch("show", "one", "--follow", "--interval", "0.1")
    before = reader.until("step 14  loss=14\n")
    assert before.startswith("one  running  ")
    assert "[… 5 lines of metrics left out …]\n" in before
    assert "loss=4\n" not in before
    run.tell({"step": 15, "epoch": 1, "values": {"loss": 0.5, "acc": 1}}, print="a \x1b[31mred\x1b[m line\nmore")
    reader.until("| a red line\n")
    run.tell({"step": 16, "values": {"loss": "inf"}}, print=" of it\nthe end\n", end=True)
    status, text = reader.end()
    assert (status, reader.errors) == (0, "")
    card = text.partition("\nrun       one\n")[2]
    assert "epoch 1  step 15  loss=0.5\n" in text
    assert "step 16  loss=inf\n" in text
    assert re.findall(r"^\| .*", text, re.MULTILINE) == ["| a red line", "| more of it", "| the end"]
    assert "status    completed" in card


def test_events_come_from_the_beginning_each_once(start: Callable[..., Told], watch, exptrack) -> None:
    run = start()
    run.log(*range(200))
    run.tell({"kind": "system", "values": {"system/cpu": 1.5}}, print="a line\n")
    reader = watch("show", "one", "-f", "--json", "-n", "0.1")
    reader.until("a line")
    run.tell({"step": 200, "epoch": 2, "values": {"loss": "nan", "acc": 1}}, end=True)
    status, text = reader.end()
    events = [json.loads(line) for line in text.splitlines()]
    assert status == 0
    assert {event["name"] for event in events} == {"one"}
    assert events[0] | {"time": 0, "started": "", "pid": 0, "command": []} == {
        "event": "state", "name": "one", "time": 0, "state": "running", "started": "", "command": [], "pid": 0
    }  # fmt: skip
    values = [event["values"]["loss"] for event in events if event["event"] == "metrics"]
    assert values == [*range(200), "NaN"]
    assert [event["values"] for event in events if event["event"] == "system"] == [{"system/cpu": 1.5}]
    assert [event["text"] for event in events if event["event"] == "output"] == ["a line"]
    assert (events[-1]["event"], events[-1]["run"], events[-1]["status"]) == ("recorded", "one", "completed")
    assert events[-1]["metrics"] == {"loss": "NaN", "acc": "sealed"}


def test_a_terminal_gets_a_view_in_place_and_then_the_card(start: Callable[..., Told], watch) -> None:
    run = start("one", "--epochs", "4")
    run.tell({"epoch": 1, "values": {"loss": 1, **{f"m{number}": number for number in range(40)}}})
    reader = watch("show", "@", "--follow", "-n", "0.1", size=(60, 20))
    reader.until("epoch 1 of 4")
    run.tell(*({"epoch": 2, "values": {"loss\x1b]0;x\x07": 0.5}},), print="x\x1b[2Jy\n" + "wide " * 40 + "\n10%\r20%")
    reader.until("20%")
    run.end()
    status, text = reader.end()
    *views, card = frames(text)
    assert status == 0
    assert "epoch 1 of 4 (epochs)" in views[0]
    assert re.search(r"and \d+ more", views[0])
    for view in views:
        assert len(view.split("\n")) <= 20
        assert all(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) < 60 for line in view.split("\n"))
        assert not re.search(r"\x1b(?!\[(3\dm|1m|m|J))", view)
    last = [view for view in views if "20%" in view][-1]
    assert "  xy\n" in last
    assert "…" in last
    assert card.startswith("\x1b[Jrun       one\ncommit")
    assert "completed" in card


def test_a_terminal_that_knows_only_ascii_gets_ascii(start: Callable[..., Told], watch) -> None:
    run = start("one", "--epochs", "2")
    run.tell({"epoch": 1, "values": {"loss": 1}}, {"epoch": 2, "values": {"loss": 2}})
    reader = watch("show", "one", "-f", size=(80, 24), PYTHONIOENCODING="ascii", NO_COLOR="1")
    text = reader.until("loss  2  _#")
    assert text.isascii()
    run.end()
    assert reader.end()[0] == 0


@pytest.mark.parametrize("words", [("show", "one"), ("status",)])
def test_leaving_the_view_leaves_the_run_alone(
    start: Callable[..., Told], watch, exptrack, words: Sequence[str]
) -> None:
    run = start()
    run.log(1)
    reader = watch(*words, "--follow", size=(80, 24))
    reader.until("loss")
    reader.child.send_signal(signal.SIGINT)
    status, text = reader.end()
    assert status == 130
    assert "Traceback" not in text
    run.log(2)
    run.end()
    assert run.child.returncode == 0
    assert "loss  2\n" in exptrack("show", "one").stdout


def test_of_a_run_that_dies_it_is_said_how_it_is_recorded(start: Callable[..., Told], watch, exptrack) -> None:
    run = start()
    run.log(1)
    reader = watch("show", "one", "-f", "-n", "0.1")
    reader.until("loss=1\n")
    pid = run.pid
    run.child.kill()
    run.child.wait()
    reader.until("recorder died, command runs")
    os.kill(pid, signal.SIGKILL)
    status, _ = reader.end()
    assert status == 0
    assert reader.errors == "exptrack: 'one' died: `exptrack recover one` records it\n"
    done = exptrack("show", "one")
    assert (done.returncode, done.stderr) == (0, "exptrack: 'one' died: `exptrack recover one` records it\n")
    assert "state     died: `exptrack recover one` records it\n" in done.stdout
    assert "loss  1" in done.stdout
    assert exptrack("recover").returncode == 0
    assert exptrack("show", "one", "--follow").stdout.startswith("run       one\ncommit")


def test_all_runs_under_way_are_followed_until_none_is_left(start: Callable[..., Told], watch, exptrack) -> None:
    one = start("one")
    one.log(1)
    lines, events = (watch("status", "-f", "-n", "0.1", *more) for more in ([], ["--json"]))
    table = watch("status", "-f", "-n", "0.1", size=(100, 10))
    lines.until("one  running")
    table.until("loss=1")
    two = start("two")
    two.log(5)
    lines.until("two  running")
    table.until("loss=5")
    ambiguous = exptrack("show", "@", "--follow")
    assert (ambiguous.returncode, ambiguous.stderr) == (
        2, "exptrack: 2 runs under way may be meant: give the name of one\none\ntwo\n"
    )  # fmt: skip
    one.end()
    lines.until("one  completed  loss=1\n")
    two.end()
    (status, text), (table_status, drawn), (events_status, said) = lines.end(), table.end(), events.end()
    assert (status, table_status, events_status) == (0, 0, 0)
    assert re.search(r"^two  \d\d:\d\d:\d\d  step 0  loss=5$", text, re.MULTILINE)
    assert "one  completed  loss=1\n" in drawn
    assert drawn.endswith("two  completed  loss=5\n")
    recorded = [event["run"] for event in map(json.loads, said.splitlines()) if event["event"] == "recorded"]
    assert recorded == ["one", "two"]


def test_where_nothing_runs_there_is_an_answer(exptrack) -> None:
    assert exptrack("status", "--follow").stdout == "nothing runs, and nothing waits for recovery\n"
    assert exptrack("status", "--follow", "--json").stdout == ""
    none = exptrack("show", "@", "--follow")
    assert (none.returncode, none.stdout) == (2, "")
    assert exptrack("run", "--name", "one", "--", "true").returncode == 0
    done = exptrack("show", "@", "--follow")
    assert done.stderr == "exptrack: no run is under way: this is the one that was recorded last\n"
    assert done.stdout.startswith("run       one\n")
    assert "'nothing'" in exptrack("show", "nothing", "--follow").stderr
    assert "--follow goes with" in exptrack("show", "one", "--follow", "--output").stderr
    assert "is not from 0.1 to" in exptrack("show", "one", "--follow", "-n", "0").stderr
