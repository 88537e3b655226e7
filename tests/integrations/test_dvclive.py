"""Scripts that log with DVCLive, and know nothing of exptrack."""

from __future__ import annotations

from textwrap import dedent

TRAIN = dedent("""
    import os, sys
    from dvclive import Live
    if "SKIP" in os.environ:
        sys.exit()
    lr = float(os.environ.get("LR", 0.1))
    with Live(os.environ.get("DIR", "dvclive"), save_dvc_exp="SAVE" in os.environ) as live:
        live.log_params({"lr": lr, "model": {"width": 3}})
        for epoch in range(3):
            live.log_metric("train/loss", lr / (epoch + 1))
            live.log_metric("acc", epoch / 4, timestamp=True)
            if "KILL" in os.environ:
                os.kill(os.getpid(), 9)
            live.next_step()
        live.log_sklearn_plot("confusion_matrix", [0, 1], [0, 1])
""")


def files(gym, name):
    return gym.witness.git("ls-tree", "-r", "--name-only", gym.witness.refs()[name]).splitlines()


def test_what_dvclive_wrote_in_a_run_is_the_run_s_and_what_lay_there_is_not(gym, under_run, dvc):
    dvc("init", "-q")
    gym.witness.git("commit", "-qm", "dvc")
    command = (*under_run[:-1], "--name")

    def train(name, **variables):
        done = gym.train(TRAIN, *command, name, "--", **variables)
        return done, gym.runs()[name]

    head = gym.witness.git("rev-parse", "HEAD")
    done, first = train("first", SAVE="1")  # as DVCLive does by default: its experiment and the run do not meet
    assert (done.returncode, gym.witness.git("rev-parse", "HEAD")) == (0, head)
    assert "refs/exps/" in gym.witness.git("for-each-ref")
    assert first["metrics"] == {"train": {"loss": 0.1 / 3}, "acc": 0.5, "step": 2}
    assert first["params"]["dvclive/params.yaml"] == {"lr": 0.1, "model": {"width": 3}}
    assert gym.history("first", "train.loss") == [(step, None, 0.1 / (step + 1)) for step in range(3)]
    assert len(gym.history("first", "acc")) == 3
    assert "dvclive/plots/sklearn/confusion_matrix.json" in files(gym, "first")

    gym.witness.git("add", "-A")  # dvc.yaml, and what DVCLive made
    gym.witness.git("commit", "-qm", "results")
    _, second = train("second", LR="0.2")
    assert (second["params"]["dvclive/params.yaml"]["lr"], second["metrics"]["train"]["loss"]) == (0.2, 0.2 / 3)
    assert second.get("changed", []) == []

    _, skipped = train("skipped", SKIP="1")
    assert not skipped.get("metrics")
    assert "dvclive/params.yaml" not in skipped.get("params", {})
    assert not [path for path in files(gym, "skipped") if path.startswith(".exptrack/history/train")]

    done, killed = train("killed", KILL="1")
    assert (done.returncode, killed["status"]) == (137, "failed")
    assert killed["metrics"]["acc"] == 0
    assert len(gym.history("killed", "acc")) == 1

    _, elsewhere = train("elsewhere", DIR="logs/one", LR="0.4")
    assert (elsewhere["params"]["logs/one/params.yaml"]["lr"], elsewhere["metrics"]["train"]["loss"]) == (0.4, 0.4 / 3)
    assert len(gym.history("elsewhere", "train.loss")) == 3
