"""`benchmarks/hypothesis.py` does what the page says, and puts what came into it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from pages import read_blocks, read_steps

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.hypothesis import PAGE, Done, fill, find_commands, play  # noqa: E402
from benchmarks.measure import BenchmarkError  # noqa: E402

SMALL = """\
Some words. `in.txt`:

```text
three 1
$ two
```

```console
$ mkdir -p there && cd there
$ cat ../in.txt
old
```
"""


def test_each_command_begins_where_the_one_before_ended(tmp_path):
    done = list(play(SMALL, tmp_path, os.environ))
    assert [one.lines for one in done] == [(), ("three 1", "$ two")]
    assert fill(SMALL, done) == SMALL.replace("old\n", "three 1\n$ two\n")


def test_a_command_that_fails_ends_it(tmp_path):
    with pytest.raises(BenchmarkError, match="'false' ended with 1"):
        list(play("```console\n$ false\n$ touch later\n```\n", tmp_path, os.environ))
    assert not (tmp_path / "later").exists()


@pytest.mark.parametrize(
    ("shown", "came", "filled"),
    [
        (["a 1"], ["a 2", "b"], ["a 2", "b"]),
        (["a 1", "…", "d 1"], ["a 2", "b 2", "c 2", "d 2"], ["a 2", "…", "d 2"]),
        (["…", "d 1"], ["a 2", "d 2"], ["…", "d 2"]),
        (["a 1", "…"], ["a 2", "b 2"], ["a 2", "…"]),
        (["…", "lr=2 1", "d", "…"], ["lr=1 2", "lr=2 2", "d", "e"], ["…", "lr=2 2", "d", "…"]),
        (["a", "…", "c 1", "d", "…", "f"], ["a", "b", "c 2", "d", "e", "f"], ["a", "…", "c 2", "d", "…", "f"]),
    ],
)
def test_what_the_page_leaves_out_stays_out(shown, came, filled):
    def page(lines):
        return "\n".join(["```console", "$ true", *lines, "```", ""])

    assert fill(page(shown), [Done("true", tuple(came), 0.1)]) == page(filled)


def test_it_does_the_commands_that_the_test_of_the_page_does():
    blocks = [block for block in read_blocks(PAGE) if block.file is None and block.language == "console"]
    assert find_commands(PAGE.read_text(encoding="utf-8")) == [
        step.command for block in blocks for step in read_steps(block.text)
    ]
