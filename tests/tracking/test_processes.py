"""Workers, threads, launchers: one true run each time."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

TWO_LINES = "import exptrack\nexptrack.start_run()\nexptrack.log_metrics({'loss': 0.5}, step=1)\n"


def test_under_run_the_same_script_attaches(stage, only):
    done = stage.play(TWO_LINES, "lr=0.5", before=stage.under_run("--name", "one"))
    record = only()
    assert done.stderr == "exptrack: recorded one (completed)\n"
    assert record["metrics"] == {"loss": 0.5}
    assert record["params"] == {"params.yaml": {"lr": 0.5}}
    assert stage.history("one", "loss") == [("1", "0.5")]


def test_under_run_what_is_told_is_added(stage, only):
    done = stage.play(
        """
        import exptrack
        exptrack.log_metric("early", 1)
        with exptrack.start_run("two", note="told", tags=["b"], params={"depth": 3}) as run:
            assert run.is_attached and run.name == "one"
            run.log_metric("loss", 0.5)
        """,
        before=stage.under_run("--name", "one", "-t", "a"),
    )
    assert done.returncode == 0, done.stderr
    assert "the run under way is 'one': the name 'two' is not used" in done.stderr
    record = only()
    assert (record["name"], record["tags"], record["note"]) == ("one", ["a", "b"], "told")
    assert (record["metrics"], record["params"]["logged"]) == ({"early": 1, "loss": 0.5}, {"depth": 3})


@pytest.mark.parametrize(("ending", "status"), [("sys.exit(3)", "failed"), ("os._exit(0)", "completed")])
def test_under_run_the_exit_code_is_the_commands(stage, only, ending, status):
    stage.play(f"{TWO_LINES}import os, sys\n{ending}\n", before=stage.under_run())
    assert only()["status"] == status


def test_under_run_a_second_run_of_the_script_is_one_of_its_own(stage):
    stage.play(
        """
        import exptrack
        for number in range(3):
            with exptrack.start_run() as run:
                run.log_metric("number", number)
        """,
        before=stage.under_run("--name", "one"),
    )
    records = stage.await_runs(3)
    assert records["one"]["metrics"] == {"number": 0}
    parents = [record["links"]["parent"] for name, record in records.items() if name != "one"]
    assert parents == ["one", "one"]


FORKED = """
import exptrack, os
run = exptrack.start_run()
children = []
for worker in range(4):
    child = os.fork()
    if not child:
        {body}
        os._exit(0)
    children.append(child)
for child in children:
    assert os.waitpid(child, 0)[1] == 0
run.log_metric("done", 1)
"""


@pytest.mark.parametrize("before", [(), ("run",)], ids=["alone", "under run"])
@pytest.mark.parametrize(
    "body",
    [
        "for step in range(500): exptrack.log_metrics({f'loss{worker}': step, 'all': worker}, step=step)",
        (
            "with exptrack.start_run() as own:\n            assert own.name == run.name\n"
            "            for step in range(500): own.log_metrics({f'loss{worker}': step, 'all': worker}, step=step)"
        ),
    ],
    ids=["inherited", "started again"],
)
def test_forked_workers_log_to_the_one_run(stage, only, body, before):
    done = stage.play(FORKED.replace("{body}", body), before=stage.under_run() if before else ())
    assert done.returncode == 0, done.stderr
    record = only()
    assert record["metrics"]["done"] == 1
    for worker in range(4):
        assert stage.history(record["name"], f"loss{worker}") == [(str(step), str(step)) for step in range(500)]
    assert len(stage.history(record["name"], "all")) == 2000


@pytest.mark.parametrize("before", [(), ("run",)], ids=["alone", "under run"])
@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_workers_of_a_pool_log_to_the_one_run(stage, only, method, before):
    done = stage.play(
        f"""
        import exptrack, multiprocessing
        def work(number):
            exptrack.start_run()
            exptrack.log_metric(f"worker{{number}}", number)
            return number
        if __name__ == "__main__":
            with exptrack.start_run():
                with multiprocessing.get_context({method!r}).Pool(4) as pool:
                    assert pool.map(work, range(4), chunksize=1) == [0, 1, 2, 3]
        """,
        before=stage.under_run() if before else (),
    )
    assert done.returncode == 0, done.stderr
    assert only()["metrics"] == {f"worker{number}": number for number in range(4)}


LAUNCHER = """
import os, subprocess, sys
ranks = [subprocess.Popen([sys.executable, "worker.py"], env={**os.environ, "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "4"})
         for rank in range(4)]
sys.exit(max(rank.wait() for rank in ranks))
"""


@pytest.mark.parametrize("before", [(), ("run",)], ids=["alone", "under run"])
def test_of_the_ranks_of_a_launcher_the_first_records(stage, only, before):
    stage.write(
        "import exptrack, os\nexptrack.start_run()\nfor step in range(10):\n    exptrack.log_metric('loss', int(os.environ['RANK']), step=step)\n",
        "worker.py",
    )
    done = stage.play(LAUNCHER, before=stage.under_run() if before else ())
    assert done.returncode == 0, done.stderr
    assert stage.history(only()["name"], "loss") == [(str(step), "0") for step in range(10)]


def test_torchrun_itself(stage, only):
    stage.write(
        """
        import exptrack, torch, torch.distributed as dist
        dist.init_process_group("gloo")
        run = exptrack.start_run()
        value = torch.tensor(float(dist.get_rank()))
        dist.all_reduce(value)
        run.log_metric("sum", value)
        dist.destroy_process_group()
        """
    )
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "train.py"]
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "TP_SOCKET_IFNAME": "lo"}
    done = subprocess.run(words, cwd=stage.folder, capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 0, done.stderr
    assert only()["metrics"] == {"sum": 1}


def test_a_program_that_the_script_starts_logs_to_its_run(stage, only):
    stage.write("import exptrack\nwith exptrack.start_run():\n    exptrack.log_metric('evaluated', 1)\n", "evaluate.py")
    stage.play(
        """
        import exptrack, subprocess, sys
        with exptrack.start_run():
            subprocess.run([sys.executable, "evaluate.py"], check=True)
            exptrack.log_metric("trained", 1)
        """
    )
    assert only()["metrics"] == {"evaluated": 1, "trained": 1}


def test_threads_log_to_the_one_run_and_may_have_their_own(stage):
    done = stage.play(
        """
        import exptrack, threading
        from concurrent.futures import ThreadPoolExecutor

        def log(worker):
            for step in range(200):
                exptrack.log_metrics({"all": worker, f"own{worker}": step}, step=step)

        def run(name):
            with exptrack.start_run(name):
                for step in range(100):
                    exptrack.log_metric("step", step)
            return name

        with exptrack.start_run("main"):
            threads = [threading.Thread(target=log, args=(worker,)) for worker in range(4)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(run, ["a", "b", "c"])) == ["a", "b", "c"]
        """
    )
    assert done.returncode == 0, done.stderr
    records = stage.await_runs(4)
    for worker in range(4):
        assert stage.history("main", f"own{worker}") == [(str(step), str(step)) for step in range(200)]
    for name in "abc":
        assert records[name]["metrics"] == {"step": 99}
        assert len(stage.history(name, "step")) == 100


def test_tasks_have_runs_of_their_own(stage):
    done = stage.play(
        """
        import asyncio, exptrack

        async def run(name):
            with exptrack.start_run(name):
                await asyncio.sleep(0.05)
                exptrack.log_metric("name", ord(name))

        async def main():
            await asyncio.gather(*map(run, "abc"))

        asyncio.run(main())
        """
    )
    assert done.returncode == 0, done.stderr
    records = stage.await_runs(3)
    assert {name: record["metrics"] for name, record in records.items()} == {
        name: {"name": ord(name)} for name in "abc"
    }


def test_a_run_that_is_over_takes_nothing_more(stage):
    done = stage.play(
        """
        import exptrack
        run = exptrack.start_run("one")
        run.log_metric("loss", 1)
        run.end()
        run.log_metric("loss", 2)
        run.end()
        try:
            exptrack.log_metric("loss", 3)
        except exptrack.ExptrackError as error:
            print(error)
        """
    )
    assert "no run is under way: start one by exptrack.start_run()" in done.stdout
    assert stage.await_runs(1)["one"]["metrics"] == {"loss": 1}


def test_a_stale_variable_of_a_run_that_is_over_is_no_run(stage, only, tmp_path):
    stage.play(TWO_LINES, env={**os.environ, "EXPTRACK_RUN": "gone", "EXPTRACK_JOURNAL": str(tmp_path / "gone")})
    assert "links" not in only()
