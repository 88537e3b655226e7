"""A repository in which runs are started and killed, and what must be so afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from processes import run
from witness import PATIENCE, SCRIPTS, Witness, argv, until


@dataclass
class Scene:
    """A repository in which runs are started and killed; each run has a folder of its own outside, where its command leaves traces."""

    witness: Witness
    outside: Path
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)
    keyboards: list[int] = field(default_factory=list)  # one for each terminal

    def folder(self, name: str) -> Path:
        folder = self.outside / name
        folder.mkdir(exist_ok=True)
        return folder

    def call(self, *words: str | Path, prefix: tuple[str, ...] = (), cwd: Path | None = None) -> tuple[int, str, str]:
        """Run exptrack to its end."""
        done = run(
            [*prefix, *argv(*words)],
            cwd=cwd or self.witness.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def launch(self, words: list[str], **options: object) -> subprocess.Popen[bytes]:
        """Start a process, without a controlling terminal. What it says on stderr is kept for `told`."""
        nowhere = dict.fromkeys(("stdin", "stdout"), subprocess.DEVNULL)
        with (self.outside / "told").open("a") as told:
            child = subprocess.Popen(
                words, cwd=self.witness.folder, start_new_session=True, **{"stderr": told, **nowhere, **options}
            )  # type: ignore[call-overload]
        self.children.append(child)
        return child

    def show(self, words: list[str]) -> subprocess.Popen[bytes]:
        """Start a process in the foreground of a new terminal, which ends with it."""
        keyboard, line = os.openpty()
        self.keyboards.append(keyboard)
        try:
            return self.launch([sys.executable, str(SCRIPTS / "foreground.py"), *words], stdin=line)
        finally:
            os.close(line)

    @property
    def told(self) -> str:
        return (self.outside / "told").read_text()

    def die(self, words: list[str], **options: object) -> bool:
        """Let a process run until it kills itself; False if it came to a good end."""
        status = self.launch(words, **options).wait(PATIENCE)
        assert status in {0, -signal.SIGKILL}, self.told
        return status != 0

    def count(self, name: str, numbers: int, pause: float, *words: str) -> list[str]:
        """The command line of a run that counts."""
        script = [sys.executable, str(SCRIPTS / "counting.py"), str(self.folder(name)), str(numbers), str(pause)]
        return argv("run", "--name", name, "--", *script, *words)

    def live(self, name: str) -> subprocess.Popen[bytes]:
        """A run that has logged three numbers, and goes on until it is told to end."""
        child = self.launch(self.count(name, 3, 0, "wait"))
        until(lambda: child.poll() is not None or self.witness.logged(name) == [0, 1, 2])
        assert child.poll() is None, self.told
        return child

    def pid(self, name: str) -> int:
        """The command's process id, as soon as it has one."""
        until((self.folder(name) / "pid").exists)
        return int((self.folder(name) / "pid").read_text())

    def states(self, **options: object) -> dict[str, str]:
        status, out, err = self.call("status", "--json", **options)
        assert status == 0, err
        return {one["name"]: one["state"] for one in json.loads(out)}

    def printed(self, name: str) -> list[int]:
        with suppress(FileNotFoundError):
            return [int(line) for line in (self.folder(name) / "printed").read_text().splitlines()]
        return []

    def look(self, name: str) -> tuple[list[int], bool]:
        """What was logged, and whether the command may have run: as the journal says, or the run that is recorded already."""
        logged, has_started = self.witness.logged(name), self.witness.has_started(name)
        return logged, has_started or name in self.witness.refs()

    def recover(self, name: str) -> None:
        """Recover once nothing of the killed run goes on: its command may have outlived the recorder."""
        until(lambda: self.states().get(name, "died") == "died")
        status, _, err = self.call("recover")
        assert status == 0, err
        assert "bug" not in err

    def judge(self, name: str, logged: list[int], *, is_begun: bool) -> None:
        """What must be so after a kill and recovery: `logged` is what the journal held just after the kill, `is_begun` what it said."""
        assert (name in self.witness.refs()) == is_begun
        if is_begun:
            record, numbers = self.witness.record(name), self.witness.numbers(name)
            assert numbers == list(range(len(numbers)))
            assert numbers[: len(logged)] == logged
            assert record["metrics"] == ({"number": numbers[-1]} if numbers else {})
            assert record["status"] in {"completed", "failed", "crashed"}
            if record["status"] == "completed":
                assert (self.folder(name) / "ended").exists()
        else:
            assert not (self.folder(name) / "pid").exists()
        assert self.witness.left_over() == []

    def check_all_is_well(self) -> None:
        self.witness.check_objects()
        before = self.witness.refs()
        status, _, err = self.call("run", "--", "true")
        assert status == 0, err
        assert len(self.witness.refs()) == len(before) + 1
        assert "died" not in err

    def clear(self) -> None:
        for child in self.children:
            child.kill()
            child.wait()
        for keyboard in self.keyboards:
            os.close(keyboard)
        for folder in filter(Path.is_dir, self.outside.iterdir()):
            (folder / "go").touch()
