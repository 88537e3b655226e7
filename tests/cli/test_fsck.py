"""`exptrack fsck`: what is shown, and the exit status."""

from __future__ import annotations

import json
import sys

import pytest
from enemy import Enemy
from screen import on_screen

PYTHON = sys.executable


@pytest.fixture
def recorded(repository, exptrack, git):
    """A repository with two runs that share their files."""
    for name in ("one", "two"):
        assert exptrack("run", "--name", name, "--", PYTHON, "train.py").returncode == 0
    return repository


def lose(repository, git, spec):
    """Delete a loose object, and give its oid."""
    ref = git("for-each-ref", "--format=%(refname)", f"refs/exptrack/runs/*/{spec[:3]}", cwd=repository)
    oid = git("rev-parse", f"{ref}{spec[3:]}", cwd=repository)
    (repository / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    return ref, oid


def test_where_all_is_well_there_is_one_line(repository, recorded, exptrack):
    done = exptrack("fsck")
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 runs; all is well\n", "")
    done = exptrack("fsck", "--full", "--offline", "two")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 run; all is well\n", "")


def test_where_there_is_no_run_all_is_well(exptrack):
    done = exptrack("fsck")
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 runs; all is well\n", "")


def test_findings_are_shown_with_what_to_do_and_give_status_1(recorded, exptrack, git):
    ref, oid = lose(recorded, git, "one:train.py")
    git("update-ref", "refs/exptrack/active/gone", "HEAD", cwd=recorded)
    git("update-ref", "refs/exptrack/odd/x", "HEAD", cwd=recorded)
    done = exptrack("fsck")
    assert done.returncode == 1
    assert done.stdout == (
        "errors\n"
        f"  blob {oid[:10]}: missing or broken: 'train.py'\n"
        "    runs: one, two\n"
        f"    → `git fetch --refetch REMOTE {ref}` brings it from a repository that has it\n"
        "\n"
        "warnings\n"
        "  refs/exptrack/active/gone: it belongs to no run under way\n"
        "    → `exptrack recover` deletes it\n"
        "\n"
        "notes\n"
        "  refs/exptrack/odd/x: it is of no kind that exptrack knows\n"
        "    → a later version of exptrack may have made it; else delete it with `git update-ref -d`\n"
        "\n"
        "2 runs, 2 with findings\n"
    )
    status, shown = on_screen(recorded, "fsck", columns=60, NO_COLOR="1")
    assert status == 1
    assert max(map(len, shown.splitlines())) <= 60
    assert "\x1b[1m\x1b[31merrors" in on_screen(recorded, "fsck")[1]


def test_notes_alone_give_status_0(recorded, exptrack, git):
    git("update-ref", "refs/exptrack/odd/x", "HEAD", cwd=recorded)
    done = exptrack("fsck")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "2 runs; all is well")


@pytest.mark.parametrize("words", [["three"], ["status = failed"], ["status ="], ["--fast"], ["..", "x"]])
def test_words_that_mean_no_run_give_status_2(recorded, exptrack, words):
    done = exptrack("fsck", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("exptrack: ")


def test_many_findings_of_a_kind_are_cut_and_all_in_the_json(recorded, exptrack, git):
    enemy = Enemy(recorded)
    for number in range(25):
        enemy.run(f"bad-{number}", b"{")
    done = exptrack("fsck")
    assert "  and 5 more of this kind; `--json` has them all\n" in done.stdout
    assert done.stdout.endswith("27 runs, 25 with findings\n")
    done = exptrack("fsck", "--json")
    assert done.returncode == 1
    assert len(json.loads(done.stdout)["findings"]) == 25


def test_what_an_enemy_wrote_is_shown_inert(recorded, exptrack):
    evil = "a\x1b[31m\nb"
    pointer = {"path": evil, "digest": "a" * 32, "source": "a.dvc", "modified": False}
    (recorded / ".dvc").mkdir()
    enemy = Enemy(recorded)
    fields = {"data": [pointer], "author": f"M {evil}", "host": evil}
    files = {"params.yaml": "", "metrics.json": ""}
    enemy.run("evil", fields, results=files, message=f"evil: \x1b[31m\n\nExptrack-Run: {evil}\n")
    enemy.run("odd", {"status": evil})
    for words in ((), ("--json",)):
        done = exptrack("fsck", *words)
        assert (done.returncode, done.stderr) == (1, "")
        assert "\x1b" not in done.stdout
        assert "b\n" not in done.stdout
    assert "a\\x1b[31m\\nb" in exptrack("fsck").stdout


def test_a_run_under_way_is_no_finding(recorded, exptrack):
    done = exptrack("run", "--", PYTHON, "-m", "exptrack", "fsck")
    assert (done.returncode, "2 runs; all is well" in done.stdout) == (0, True)


def test_nothing_is_written_where_nothing_may_be(recorded, exptrack):
    folders = [path for path in (recorded / ".git").rglob("*") if path.is_dir()]
    for path in folders:
        path.chmod(0o555)
    try:
        assert exptrack("fsck", "--full").stdout == "2 runs; all is well\n"
    finally:
        for path in folders:
            path.chmod(0o755)
