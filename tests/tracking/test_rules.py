"""Rules and system metrics of a script that tracks itself: as under `exptrack run`."""

from __future__ import annotations

import signal


def test_a_rule_stops_a_script_that_tracks_itself(stage, only, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (stage.folder / "exptrack.yaml").write_text(
        "metrics: {val/loss: minimize}\ncapture: {system: 0.2}\n"
        "rules: [{when: val/loss has not improved for 10 steps, then: stop}]\n"
    )
    done = stage.play(
        """
        import exptrack, time
        with exptrack.start_run() as run:
            for step in range(30):
                run.log_metrics({"val/loss": max(0.5, 1 - step / 10)}, step=step)
            time.sleep(60)
        """
    )
    record = only()
    assert done.returncode == -signal.SIGINT
    assert (record["status"], record["metrics"]) == ("interrupted", {"val/loss": 0.5})
    [problem] = record["problems"]
    said = "val/loss has not improved for 10 steps: 0.5 at step 15, best 0.5 at step 5"
    assert problem == f"stopped by rule 1: {said}"
    assert f"rule 1: {said}; the run is stopped\n" in done.stderr
    assert f"::warning title=exptrack%3A {record['name']}::rule 1: {said}; the run is stopped\n" in done.stderr
    used = [float(value) for _, value in stage.history(record["name"], "system/cpu")]
    assert used
    assert max(used) < 150


def test_a_script_that_is_stopped_and_then_fails_was_interrupted(stage, only):
    (stage.folder / "exptrack.yaml").write_text("rules: [{when: loss is nan, then: stop}]\n")
    done = stage.play(
        """
        import exptrack, sys, time
        exptrack.start_run()
        exptrack.log_metrics({"loss": float("nan")}, step=1)
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            sys.exit(3)
        """
    )
    record = only()
    assert (done.returncode, record["status"]) == (3, "interrupted")
    assert record["problems"] == ["stopped by rule 1: loss is nan at step 1"]
