"""What a script prints is kept with the run that it started."""

from __future__ import annotations


def _output(stage, name: str) -> str:
    return stage.witness.git("show", f"{stage.witness.refs()[name]}:.exptrack/output.log")


def test_what_is_printed_is_kept_and_still_printed(stage):
    done = stage.play(
        """
        import logging, sys
        logging.basicConfig(format="%(message)s")
        import exptrack
        with exptrack.start_run("one") as run:
            print("epoch", 1)
            logging.warning("by logging")
            print("to stderr", file=sys.stderr)
            sys.stdout.writelines(["a\\n", "b\\n"])
            with exptrack.start_run("inner", nested=True):
                print("inside")
            print("token=ghp_" + "a1B2" * 9)
            for share in range(3):
                print(f"\\r{share}", end="")
            print()
        print("after")
        """
    )
    assert done.returncode == 0, done.stderr
    stage.await_runs(2)
    kept = _output(stage, "one")
    assert kept.splitlines()[:6] == ["epoch 1", "by logging", "to stderr", "a", "b", "inside"]
    assert "ghp_a1B2" not in kept
    assert kept.splitlines()[-1] == "2"
    assert "after" not in kept
    assert _output(stage, "inner") == "inside\n"
    assert done.stdout.startswith("epoch 1\na\nb\ninside\ntoken=ghp_")
    assert done.stdout.endswith("after\n")


def test_a_failed_run_holds_its_traceback(stage):
    stage.play("import exptrack\nexptrack.start_run('call')\n1 / 0\n")
    stage.play("import exptrack\nwith exptrack.start_run('with'):\n    1 / 0\n")
    stage.await_runs(2)
    for name in ("call", "with"):
        assert _output(stage, name).startswith("Traceback (most recent call last):\n")
        assert _output(stage, name).endswith("ZeroDivisionError: division by zero\n")


def test_threads_and_forked_processes_do_not_mix_it_up(stage):
    done = stage.play(
        """
        import exptrack, os, threading
        exptrack.start_run("one")
        def say(number):
            for _ in range(200): print(f"line of {number}\\n", end="")
        threads = [threading.Thread(target=say, args=(number,)) for number in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        child = os.fork()
        if not child:
            print("of the child", flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        """
    )
    assert "of the child" in done.stdout
    stage.await_runs(1)
    lines = _output(stage, "one").splitlines()
    assert sorted(lines) == sorted(f"line of {number}" for number in range(4) for _ in range(200))


def test_the_streams_are_as_they_were(stage):
    done = stage.play(
        """
        import exptrack, sys
        before = sys.stdout
        with exptrack.start_run():
            assert sys.stdout is before
            sys.stdout = None
        sys.stdout = before
        print("fine")
        with exptrack.start_run():
            class Slotted:
                __slots__ = ()
                def write(self, text): return len(text)
                def flush(self): pass
            sys.stdout = Slotted()
            with exptrack.start_run(nested=True):
                print("unheard")
        """
    )
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr
