"""Which words of a command are the script's own."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.commands import script_words

WORDS = st.sampled_from(
    [
        "python",
        "bash",
        "-m",
        "-c",
        "-X",
        "env",
        "torchrun",
        "A=1",
        "--lr",
        "0.1",
        "train.py",
        "./train",
        "--",
        "-",
        "uv",
    ]
)


@pytest.mark.parametrize(
    "command",
    [
        "python train.py {}", "python3.11 -u -X dev -W ignore train.py {}", "/usr/bin/python3 -Xdev -Wignore -OO train.py {}",
        "python -m pkg.train {}", "python -mpkg.train {}", "python -um pkg.train {}", "python -c 'import sys; run(a=1)' {}",
        "python -c'run(lr=1)' {}", "python - {}", "python -- train.py {}", "python3.13t train {}", "ipython train.py {}", "pypy3 x {}",
        "python --check-hash-based-pycs always train.py {}",
        "bash train.sh {}", "bash -euo pipefail job {}", "sh -c 'python train.py lr=1' {}", "zsh -lc 'x=1 y' {}", "dash -e +o history x {}",
        "./train {}", "./train.py {}", "../bin/train {}", "train.py {}", "Rscript --vanilla train.R {}", "julia --project=. train.jl {}",
        "torchrun --nproc-per-node 2 train.py {}", "torchrun --standalone train.py {}", "torchrun --nnodes 1 -m pkg.train {}",
        "accelerate launch --num_processes=2 --module pkg.train {}", "python -m torch.distributed.run {}",
        "env A=1 b=2 python train.py {}", "env -i A=1 ./train {}", "env A=1 train {}", "nice -n 5 python -m train {}", "nice ./train {}",
        "srun --ntasks=2 bash job.sh {}", "mpirun -np 4 ./train {}", "uv run python -u train.py {}", "uv run train.py {}",
        "conda run -n env python train.py {}", "timeout 10 /opt/train {}", "someone-elses-launcher --gpus 2 train.py {}",
        "papermill in.ipynb {}", "train {}", "coverage run train {}",
    ],
)  # fmt: skip
def test_the_words_after_the_script_are_its_own(command):
    own = ["--lr", "0.1", "a=b", "-k", "v", "--", "x"]
    assert list(script_words([*shlex.split(command.format("")), *own]))[-len(own) :] == own
    rest = script_words([*shlex.split(command.format("")), *own])[: -len(own)]
    assert not [word for word in rest if word.startswith("-") or "=" in word]


@pytest.mark.parametrize(
    ("command", "own"),
    [
        ("./train --config conf.py --lr 1", "--config conf.py --lr 1"),
        ("python train.py --config conf.py --lr 1", "--config conf.py --lr 1"),
        ("python -m train --config conf.py", "--config conf.py"),
        ("bash run.sh --config conf.py", "--config conf.py"),
        ("nice ./train -m resnet --lr 1", "-m resnet --lr 1"),
        ("train --lr 1", "--lr 1"),
        ("python", ""),
        ("python -V", ""),
        ("python -X", ""),
        ("python -m", ""),
        ("python --", ""),
        ("env A=1", ""),
        ("env", ""),
        ("torchrun -m", ""),
        ("", ""),
    ],
)
def test_nothing_else_is(command, own):
    assert script_words(shlex.split(command)) == tuple(shlex.split(own))


@given(st.lists(WORDS, max_size=8))
def test_they_are_the_end_of_the_command(words):
    own = script_words(words)
    assert tuple(words[len(words) - len(own) :]) == own
    assert len(own) < max(len(words), 1)
