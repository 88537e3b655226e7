"""How `ls`, `show` and `diff` look: at 80 and 200 columns, in a pipe and without colours, to the letter."""
# ruff: noqa: RUF001 - the minus signs are those of the answers

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from screen import on_screen

from exptrack.analysis.codec import encode_environment, encode_record
from exptrack.backends.git.repository import find_repository
from exptrack.model.environment import Environment, Hardware, Interpreter, Package, Platform
from exptrack.model.run import Record, Status
from exptrack.store import runs

PEOPLE = b"author Ada <a@b> 1769860800 +0000\ncommitter Ada <a@b> 1769860800 +0000\n"
COLOR = re.compile(r"\x1b\[([0-9]*)m")
# What differs from day to day.
CHANGING = ((r"\b[0-9a-f]{40}\b|(?<= diff )[0-9a-f]{10}\b", "OID"), (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME"))
NUMBERED = re.compile(r"((?:  (?:metric|param)-\d+ .*\n){2})((?:  (?:metric|param)-\d+ .*\n)+)")
DECLARED = "metrics:\n  accuracy: {goal: maximize}\n  loss: {goal: minimize, unit: nats}\n"
ENVIRONMENT = Environment(
    Platform("Linux", "6.1", "x86_64"),
    Hardware("A processor", 8, 32 * 1024**3),
    Interpreter("/usr/bin/python3", "3.12.1", "cpython", "path"),
    (Package("numpy", "2.0.1"),),
)
BEFORE = Record("before", Status.COMPLETED, datetime.now(UTC))._replace(
    author="Ada <ada@example.com>", host="lab", exit_code=0, duration=61.5
)
CASES = {
    "before": {
        "command": ("python", "train.py"),
        "metrics": {"accuracy": 0.875, "loss": 0.25},
        "params": {"params.yaml": {"lr": 0.1, "model": {"depth": 3, "name": "mlp"}}},
        "tags": ("best",),
    },
    "failed": {
        "status": Status.FAILED,
        "exit_code": 1,
        "command": ("python", "train.py", "--lr", "1"),
        "metrics": {"accuracy": 0.5, "loss": float("nan")},
        "params": {"params.yaml": {"lr": 1, "model": {"depth": 3, "name": "mlp"}}},
        "note": "too fast",
    },
    "crashed": {
        "status": Status.CRASHED,
        "exit_code": None,
        "duration": None,
        "command": ("python", "train.py"),
        "metrics": {"loss": 0.125},
        "params": {"params.yaml": {"lr": 0.1, "model": {"depth": 30, "name": "mlp"}}},
    },
    "unicode": {
        "command": ("python", "數字.py", "--naïve=é"),
        "metrics": {"accuracy": 0.9, "précision 数字": 0.5},
        "params": {
            "params.yaml": {"lr": 0.1, "model": {"depth": 3, "name": "数字" * 60}, "\x1b[2J\u202e": "a|b\n<b>\0"}
        },
        "note": "数字 e\u0301\u202e",
    },
    "much": {
        "command": ("python", "train.py"),
        "metrics": {"accuracy": 0.75, "loss": 0.5, **{f"metric-{number:04}": number for number in range(1998)}},
        "params": {"params.yaml": {f"param-{number:03}": number for number in range(300)}},
    },
}
OUTPUT = {"failed": b"epoch 1\nValueError: \x1b[31mlr\x1b[m\n", "crashed": b"epoch 1\n"}

# A colour is a number in braces, its end is empty braces.
AT_80 = {
    "ls": r"""
name     age  status     tags  accuracy     loss  metric-0000   lr  model.depth
much      5d  {32}completed{}           0.75     0.5              0  -              -
unicode   6d  {32}completed{}           0.9      -                -  0.1            3
crashed   1w  {31}crashed  {}           -        0.125            -  0.1           30
failed    1w  {31}failed   {}           0.5    nan                -  1              3
before    1w  {32}completed{}  best     0.875    0.25             -  0.1            3
exptrack: 2,300 more columns: `--all-columns` shows them
""",
    "show failed": r"""
run       failed
commit    OID
status    {31}failed, exit status 1{}
started   TIME, took 1min 2s
author    Ada <ada@example.com> on lab
command   python train.py --lr 1
base      OID
code      1 file differs from the base, +1 −0 (model.py):
          `exptrack diff OID failed --only code` shows it
note      too fast

output:
  epoch 1
  ValueError: \x1b[31mlr\x1b[m

metrics:
  accuracy  0.5
  loss      nan nats

parameters (params.yaml):
  lr           1
  model.depth  3
  model.name   mlp

environment:
  cpython 3.12.1  /usr/bin/python3
  1 package
  Linux 6.1 x86_64
  A processor, 8 cores, 32.0 GiB
""",
    "show crashed": r"""
run       crashed
commit    OID
status    {31}crashed: its end was not seen, as after a kill{}
started   TIME
author    Ada <ada@example.com> on lab
command   python train.py
base      OID
code      1 file differs from the base, +1 −0 (model.py):
          `exptrack diff OID crashed --only code` shows it

output:
  epoch 1

metrics:
  loss  0.125 nats

parameters (params.yaml):
  lr           0.1
  model.depth  30
  model.name   mlp

environment:
  cpython 3.12.1  /usr/bin/python3
  1 package
  Linux 6.1 x86_64
  A processor, 8 cores, 32.0 GiB
""",
    "show unicode": r"""
run       unicode
commit    OID
status    {32}completed{}
started   TIME, took 1min 2s
author    Ada <ada@example.com> on lab
command   python '數字.py' '--naïve=é'
base      OID
code      1 file differs from the base, +1 −0 (model.py):
          `exptrack diff OID unicode --only code` shows it
note      数字 é\u202e

metrics:
  accuracy        0.9
  précision 数字  0.5

parameters (params.yaml):
  \x1b[2J\u202e  a|b\n<b>\x00
  lr             0.1
  model.depth    3
  model.name     数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数…

environment:
  cpython 3.12.1  /usr/bin/python3
  1 package
  Linux 6.1 x86_64
  A processor, 8 cores, 32.0 GiB
""",
    "show much": r"""
run       much
commit    OID
status    {32}completed{}
started   TIME, took 1min 2s
author    Ada <ada@example.com> on lab
command   python train.py
base      OID
code      1 file differs from the base, +1 −0 (model.py):
          `exptrack diff OID much --only code` shows it

metrics:
  accuracy     0.75
  loss         0.5 nats
  metric-0000  0
  metric-0001  1
  … 36 more of these
  and 1,960 more: --all shows them

parameters (params.yaml):
  param-000  0
  param-001  1
  … 38 more of these
  and 260 more: --all shows them

environment:
  cpython 3.12.1  /usr/bin/python3
  1 package
  Linux 6.1 x86_64
  A processor, 8 cores, 32.0 GiB
""",
    "diff before failed": r"""
before → failed (failed)

{1}parameters:{}
  key  old  new
  lr   0.1  1

{1}metrics:{}
  key       old    new    delta   relative
  accuracy  0.875    0.5  {31}-0.375{}  {31}-42.9%{}
  loss      0.25   nan

{1}code: 1 file, +1 −1{}
  model.py | 2 +-
""",
    "diff before crashed": r"""
before → crashed (crashed)

{1}parameters:{}
  key          old  new
  model.depth  3    30

{1}metrics:{}
  key       old    new    delta   relative
  accuracy  0.875  -
  loss      0.25   0.125  {32}-0.125{}  {32}-50.0%{}

{1}code: 1 file, +1 −1{}
  model.py | 2 +-
""",
    "diff before unicode": r"""
before → unicode

{1}parameters:{}
  key            old  new
  \x1b[2J\u202e  -    a|b\n<b>\x00
  model.name
    old  mlp
    new  数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数…

{1}metrics:{}
  key             old    new  delta   relative
  accuracy        0.875  0.9  {32}+0.025{}  {32}+2.9%{}
  loss            0.25   -
  précision 数字  -      0.5

{1}code: 1 file, +1 −1{}
  model.py | 2 +-
""",
    "diff before much": r"""
before → much

{1}parameters:{}
  key          old  new
  lr           0.1    -
  model.depth  3      -
  model.name   mlp    -
  param-000    -      0
  param-001    -      1
  … 298 more of these

{1}metrics:{}
  key          old    new      delta   relative
  accuracy     0.875     0.75  {31}-0.125{}   {31}-14.3%{}
  loss         0.25      0.5   {31}+0.25{}   {31}+100.0%{}
  metric-0000  -         0
  metric-0001  -         1
  … 1996 more of these

{1}code: 1 file, +1 −1{}
  model.py | 2 +-
""",
}  # fmt: skip
# The others are as at 80 columns.
AT_200 = {
    "ls": r"""
name     age  status     tags  accuracy     loss  metric-0000  metric-0001  metric-0002  metric-0003   lr  model.depth  model.name                               \x1b[2J\u202e  param-000  param-001
much      5d  {32}completed{}           0.75     0.5              0            1            2            3  -              -  -                                        -                      0          1
unicode   6d  {32}completed{}           0.9      -                -            -            -            -  0.1            3  数字数字数字数字数字数字数字数字数字数…  a|b\n<b>\x00           -          -
crashed   1w  {31}crashed  {}           -        0.125            -            -            -            -  0.1           30  mlp                                      -                      -          -
failed    1w  {31}failed   {}           0.5    nan                -            -            -            -  1              3  mlp                                      -                      -          -
before    1w  {32}completed{}  best     0.875    0.25             -            -            -            -  0.1            3  mlp                                      -                      -          -
exptrack: 2,293 more columns: `--all-columns` shows them
""",
    "show unicode": r"""
run       unicode
commit    OID
status    {32}completed{}
started   TIME, took 1min 2s
author    Ada <ada@example.com> on lab
command   python '數字.py' '--naïve=é'
base      OID
code      1 file differs from the base, +1 −0 (model.py): `exptrack diff OID unicode --only code` shows it
note      数字 é\u202e

metrics:
  accuracy        0.9
  précision 数字  0.5

parameters (params.yaml):
  \x1b[2J\u202e  a|b\n<b>\x00
  lr             0.1
  model.depth    3
  model.name     数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数…

environment:
  cpython 3.12.1  /usr/bin/python3
  1 package
  Linux 6.1 x86_64
  A processor, 8 cores, 32.0 GiB
""",
    "diff before unicode": r"""
before → unicode

{1}parameters:{}
  key            old  new
  \x1b[2J\u202e  -    a|b\n<b>\x00
  model.name
    old  mlp
    new  数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数字数…

{1}metrics:{}
  key             old    new  delta   relative
  accuracy        0.875  0.9  {32}+0.025{}  {32}+2.9%{}
  loss            0.25   -
  précision 数字  -      0.5

{1}code: 1 file, +1 −1{}
  model.py | 2 +-
""",
    "show failed": r"""
run       failed
commit    OID
status    {31}failed, exit status 1{}
started   TIME, took 1min 2s
author    Ada <ada@example.com> on lab
command   python train.py --lr 1
base      OID
code      1 file differs from the base, +1 −0 (model.py): `exptrack diff OID failed --only code` shows it
note      too fast

output:
  epoch 1
  ValueError: \x1b[31mlr\x1b[m

metrics:
  accuracy  0.5
  loss      nan nats

parameters (params.yaml):
  lr           1
  model.depth  3
  model.name   mlp

environment:
  cpython 3.12.1  /usr/bin/python3
  1 package
  Linux 6.1 x86_64
  A processor, 8 cores, 32.0 GiB
""",
    "show crashed": r"""
run       crashed
commit    OID
status    {31}crashed: its end was not seen, as after a kill{}
started   TIME
author    Ada <ada@example.com> on lab
command   python train.py
base      OID
code      1 file differs from the base, +1 −0 (model.py): `exptrack diff OID crashed --only code` shows it

output:
  epoch 1

metrics:
  loss  0.125 nats

parameters (params.yaml):
  lr           0.1
  model.depth  30
  model.name   mlp

environment:
  cpython 3.12.1  /usr/bin/python3
  1 package
  Linux 6.1 x86_64
  A processor, 8 cores, 32.0 GiB
""",
    "show much": r"""
run       much
commit    OID
status    {32}completed{}
started   TIME, took 1min 2s
author    Ada <ada@example.com> on lab
command   python train.py
base      OID
code      1 file differs from the base, +1 −0 (model.py): `exptrack diff OID much --only code` shows it

metrics:
  accuracy     0.75
  loss         0.5 nats
  metric-0000  0
  metric-0001  1
  … 36 more of these
  and 1,960 more: --all shows them

parameters (params.yaml):
  param-000  0
  param-001  1
  … 38 more of these
  and 260 more: --all shows them

environment:
  cpython 3.12.1  /usr/bin/python3
  1 package
  Linux 6.1 x86_64
  A processor, 8 cores, 32.0 GiB
""",
}  # fmt: skip

DEMO = {
    "ls": r"""
name  AGE  status     experiment  tags  reproduces   accuracy
brave-otter-k3f9  AGE  {32}completed{}  wider             wide         0.977728
wide-4  AGE  {32}completed{}  wider                          0.982183
shipped-4  AGE  {32}completed{}  wider                          0.96882
wide-3  AGE  {32}completed{}  wider                          0.98441
shipped-3  AGE  {32}completed{}  wider                          0.975501
wide-2  AGE  {32}completed{}  wider                          0.971047
shipped-2  AGE  {32}completed{}  wider                          0.966592
wide-1  AGE  {32}completed{}  wider                          0.966592
shipped-1  AGE  {32}completed{}  wider                          0.964365
brave-otter-k3f9  AGE  {32}completed{}                    narrow-fast  0.951002
narrow-fast  AGE  {32}completed{}                                 0.951002
narrow  AGE  {32}completed{}                                 0.942094
diverges  AGE  {31}failed   {}                                 -
wide  AGE  {32}completed{}  wider       best               0.977728
slow  AGE  {32}completed{}                                 0.924276
shipped  AGE  {32}completed{}  wider                          0.966592
exptrack: 6 more columns: `--all-columns` shows them
""",
    "show wide": r"""
run         wide
commit      OID
status      {32}completed{}
started     TIME, took SECONDS
author      Ada Lovelace <ada@example.com> on HOST
command     python train.py model.hidden=64 train.lr=0.3
base        OID
code        as committed in the base
experiment  wider
seed        0
tags        best
note        more hidden units, faster

metrics:
  accuracy        0.977728
  loss            0.085163
  train_accuracy  1
  train_loss      0.006994

parameters (params.yaml):
  data.standardize    true
  data.test_fraction  0.25
  model.hidden        64
  seed                0
  train.batch_size    32
  train.epochs        20
  train.l2            0.0001
  train.lr            0.3

data:
  data/digits.csv.gz  52.1 KiB  md5:f3026145974b
""",
    "diff shipped wide": r"""
shipped → wide

{1}parameters:{}
  key           old   new
  model.hidden  32    64
  train.lr       0.1   0.3

{1}metrics:{}
  key             old       new       delta      relative
  accuracy        0.966592  0.977728  {32}+0.011136{}   {32}+1.2%{}
  loss            0.102044  0.085163  {32}-0.016881{}  {32}-16.5%{}
  train_accuracy  0.9963    1         {32}+0.0037{}     {32}+0.4%{}
  train_loss      0.03428   0.006994  {32}-0.027286{}  {32}-79.6%{}
""",
    "diff shipped diverges": r"""
shipped → diverges (failed)

{1}parameters:{}
  key       old  new
  train.lr  0.1  10

{1}metrics:{}
  key             old       new       delta    relative
  accuracy        0.966592    -
  loss            0.102044    -
  train_accuracy  0.9963      0.1031  {31}-0.8932{}  {31}-89.7%{}
  train_loss      0.03428   nan
""",
}  # fmt: skip


@pytest.fixture
def project(repository: Path, git: Callable[..., str]) -> Path:
    """Runs of every kind; each has changed a line of the code."""
    (repository / "exptrack.yaml").write_text(DECLARED)
    place = find_repository(repository)
    for number, (name, fields) in enumerate(CASES.items()):
        started = datetime.now(UTC) - timedelta(days=9 - number, hours=1)
        record = BEFORE._replace(name=name, started=started, **fields)
        (repository / "model.py").write_text(f"DEPTH = {number}\n")
        git("add", "model.py", cwd=repository)
        tree = git("write-tree", cwd=repository)
        snapshot = git("commit-tree", tree, "-p", "HEAD", "-m", "snapshot", cwd=repository)
        files = {runs.RECORD: encode_record(record), ".exptrack/environment.json": encode_environment(ENVIRONMENT)}
        if name in OUTPUT:
            files[".exptrack/output.log"] = OUTPUT[name]
        oid = runs.write_run(place, snapshot, files, f"{name}\n", PEOPLE)
        git("update-ref", runs.ref_of(name, started), oid, cwd=repository)
    git("reset", "--quiet", "--hard", cwd=repository)
    return repository


def legible(text: str) -> str:
    """Colours as `{31}` and `{}`, and of many numbered lines the first two and how many follow."""
    for pattern, word in CHANGING:
        text = re.sub(pattern, word, text)
    text = NUMBERED.sub(lambda some: some[1] + f"  … {some[2].count(chr(10))} more of these\n", text)
    return COLOR.sub(r"{\1}", text.split("\n\n\x1b[1mdiff --git")[0].rstrip("\n") + "\n")


@pytest.mark.parametrize("words", AT_80)
def test_on_a_terminal_it_is_readable(project, words):
    for columns, golden in ((80, AT_80[words]), (200, AT_200.get(words, AT_80[words]))):
        status, shown = on_screen(project, *words.split(), columns=columns, lines=9999)
        assert (status, "\n" + legible(shown)) == (0, golden)


@pytest.mark.parametrize("words", AT_80)
def test_without_colours_it_is_the_same_and_in_a_pipe_as_at_200_columns(project, exptrack, words):
    _, shown = on_screen(project, *words.split(), columns=200, lines=9999)
    for environ in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert on_screen(project, *words.split(), columns=200, lines=9999, **environ) == (0, COLOR.sub("", shown))
    done = exptrack(*words.split())
    assert (done.returncode, done.stdout + done.stderr) == (0, COLOR.sub("", shown))


@pytest.mark.parametrize("name", ["failed", "crashed", "unicode", "much"])
def test_the_code_is_the_diff_of_git_between_the_snapshots(project, exptrack, git, name):
    ends = [
        next(ref for ref in git("for-each-ref", "--format=%(refname)", cwd=project).split() if ref.endswith(f"/{one}"))
        for one in ("before", name)
    ]
    done = exptrack("diff", "before", name, "--only", "code")
    assert done.stdout.endswith("\n\n" + git("diff", *(f"{ref}^" for ref in ends), cwd=project) + "\n")


def test_the_demo_is_readable(exptrack, tmp_path):
    made = exptrack("demo", "digits", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    for words, golden in DEMO.items():
        status, shown = on_screen(tmp_path / "digits", *words.split())
        text = re.sub(r" on .*", " on HOST", re.sub(r"took \d+\.\ds", "took SECONDS", legible(shown)))
        text = re.sub(r"(?m)^[a-z]+-[a-z]+-[a-z0-9]{4}(?= )", "brave-otter-k3f9", text)  # the reproduction
        text = re.sub(r" +(?:age|\d+(?:s|min))  ", "  AGE  ", text).split("\n\nenvironment:\n")[0].rstrip()
        assert (status, f"\n{text}\n") == (0, golden)
