"""`exptrack log`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from screen import on_screen

from exptrack.render.text import display_width

PYTHON = sys.executable
NOT_ON_THESE = "exptrack: no run was made on these commits: a run counts for the commit that it started from\n"


@pytest.fixture
def record(exptrack, repository):
    """Record a run: its name, `lr`, and what it writes to metrics.json (nothing: it fails)."""

    def call(name: str, lr: float, metrics: str = '{"accuracy": 0.5}', *options: str) -> None:
        (repository / "params.yaml").write_text(f"lr: {lr}\n")
        code = f"import sys; open('metrics.json', 'w').write({metrics!r}); sys.exit(3 * ({metrics!r} == ''))"
        done = exptrack("run", "--name", name, "-q", *options, "--", PYTHON, "-c", code)
        assert done.returncode == 3 * (not metrics), done.stderr

    return call


@pytest.fixture
def names(exptrack):
    """The names that `log` lists, and what it says on stderr."""

    def call(*words: str) -> list[str]:
        done = exptrack("log", "--json", *words)
        assert (done.returncode, done.stderr) == (0, "")
        return [one["name"] for one in json.loads(done.stdout)]

    return call


def plain(text: str) -> str:
    """Without what differs from one time to the next."""
    text = re.sub(r"\b[0-9a-f]{40}\b", "OID", text)
    text = re.sub(r"^[0-9a-f]{10}\b", "OID", text, flags=re.MULTILINE)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME", text)
    return re.sub(r"took \d+\.\ds", "took 0.1s", re.sub(r"(Command: +).*", r"\1COMMAND", text))


def test_runs_stand_one_after_the_other_newest_first(exptrack, record):
    record("first", 0.25, '{"accuracy": 0.5}', "-m", "a note\n\nof two parts")
    record("second", 0.5, '{"accuracy": 0.875, "loss": NaN}', "-e", "digits")
    exptrack("tag", "best", "second")
    record("third", 1, "")
    done = exptrack("log")
    assert (done.returncode, done.stderr) == (0, "")
    assert plain(done.stdout) == (
        "run third\n"
        "Commit:     OID\n"
        "Author:     Ada Lovelace <ada@example.com>\n"
        "Date:       TIME\n"
        "Status:     failed, exit status 3, took 0.1s\n"
        "Command:    COMMAND\n"
        "\n"
        "    params (than second): lr 0.5 → 1\n"
        "\n"
        "run second (best)\n"
        "Commit:     OID\n"
        "Author:     Ada Lovelace <ada@example.com>\n"
        "Date:       TIME\n"
        "Status:     completed, took 0.1s\n"
        "Command:    COMMAND\n"
        "Experiment: digits\n"
        "\n"
        "    params (than first): lr 0.25 → 0.5\n"
        "    metrics: accuracy=0.875, loss=nan\n"
        "\n"
        "run first\n"
        "Commit:     OID\n"
        "Author:     Ada Lovelace <ada@example.com>\n"
        "Date:       TIME\n"
        "Status:     completed, took 0.1s\n"
        "Command:    COMMAND\n"
        "\n"
        "    a note\n"
        "\n"
        "    of two parts\n"
        "\n"
        "    params:  lr=0.25\n"
        "    metrics: accuracy=0.5\n"
    )
    assert plain(exptrack("log", "--oneline").stdout) == (
        "OID third failed, exit status 3\nOID second (best) accuracy=0.875, loss=nan\nOID first accuracy=0.5\n"
    )
    done = exptrack("log", "-n", "1")
    assert done.returncode == 0
    assert plain(done.stdout).splitlines()[-1] == "    params:  lr=1"
    assert done.stdout.count("run ") == 1
    chosen = exptrack("log", "name = first or name = third").stdout
    assert "    params (than first): lr 0.25 → 1\n" in chosen


def test_words_choose_and_all_of_them_must_hold(record, names):
    record("first", 0.25)
    record("second", 0.5, '{"accuracy": 0.875}', "-t", "best")
    record("third", 1, "")
    record("fourth", 0.5, '{"accuracy": 0.9}', "-t", "best")
    assert names() == ["fourth", "third", "second", "first"]
    assert names("metrics.accuracy > 0.6") == ["fourth", "second"]
    assert names("name=third") == ["third"]
    assert names("status!=failed", "params.lr = 0.5", "second") == ["second"]
    assert names("(name = first or name = third)", "tag != best") == ["third", "first"]
    assert names("third") == ["third", "second", "first"]
    assert names("@~1") == ["third", "second", "first"]
    assert names("first..third") == ["third", "second"]
    assert names("first..") == ["fourth", "third", "second"]
    assert names("..second") == ["second", "first"]
    assert names("@~3..@~1", "tag = best") == ["second"]
    assert names("first..third", "-n", "1") == ["third"]
    assert names("@~2..", "--since", "2020-01-01") == ["fourth", "third"]


def test_a_branch_means_the_runs_that_were_made_on_it(record, names, git, repository, exptrack):
    def commit(message: str) -> None:
        git("commit", "--quiet", "--allow-empty", "-m", message, cwd=repository)

    record("on-main", 0.25)
    git("checkout", "--quiet", "-b", "side", cwd=repository)
    record("before", 0.25)
    commit("on the side")
    record("beside", 0.5)
    commit("further")
    record("further", 0.5)
    git("checkout", "--quiet", "-f", "main", cwd=repository)
    commit("ahead")
    record("ahead", 1)
    assert names("side") == ["further", "beside", "before", "on-main"]
    assert names("main") == ["ahead", "before", "on-main"]
    assert names("HEAD") == names("main")
    assert names("main..side") == ["further", "beside"]
    assert names("side..") == ["ahead"]
    assert names("..side") == ["further", "beside"]
    assert names("side^..side") == ["further"]
    assert names("main..side", "name ~ f*") == ["further"]
    assert names("side", "before") == ["before", "on-main"]
    done = exptrack("log", "main..before")
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == "exptrack: 'main..before': 'before' is a run and 'main' a commit of Git; give two of one kind\n"
    )


def test_a_run_in_a_repository_without_a_commit_is_on_no_branch(tmp_path, git, exptrack):
    git("init", "--quiet", tmp_path / "empty")
    assert exptrack("run", "--name", "one", "--", "true", cwd=tmp_path / "empty").returncode == 0
    done = exptrack("log", "one..HEAD", cwd=tmp_path / "empty")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "exptrack: no run, branch or commit is named 'HEAD'; `exptrack ls` lists them\n"
    git("commit", "--quiet", "--allow-empty", "-m", "first", cwd=tmp_path / "empty")
    done = exptrack("log", "HEAD", cwd=tmp_path / "empty")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", NOT_ON_THESE)
    assert "new.txt" not in exptrack("log", "--stat", cwd=tmp_path / "empty").stdout


def test_what_cannot_be_meant_is_refused_in_one_line(exptrack, record):
    record("brave-otter", 0.25)
    record("brave-fox", 0.25)
    for words, said in (
        (["brave-oter"], "no run, branch or commit is named 'brave-oter', did you mean 'brave-otter'?"),
        (
            ["brave-fox...brave-otter"],
            "'brave-fox...brave-otter' is no range: write it with two dots, as in 'main..HEAD' or '@~5..@'",
        ),
        (["."], "'.' is no run: `exptrack log` takes revs, ranges and queries"),
        (["@~2"], "'@~2': only 2 runs recorded here"),
        (["--json", "--stat"], "--stat has no form as JSON: leave one of the two out"),
        (["--json", "--oneline"], "argument --oneline: not allowed with argument --json; see `exptrack log --help`"),
    ):
        done = exptrack("log", *words)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"exptrack: {said}\n"), words
    done = exptrack("log", "brave..")
    assert done.returncode == 2
    first, second, *candidates = done.stderr.splitlines()
    assert first == "exptrack: 'brave' is ambiguous: the names of 2 runs begin with it: give more of one"
    assert second == "the candidates are:"
    assert [line.split()[1] for line in candidates] == ["brave-fox", "brave-otter"]
    done = exptrack("log", "metrics.accuracy")
    assert (done.returncode, done.stderr.splitlines()[1:]) == (2, ["metrics.accuracy", "                ^"])
    assert "quote" in done.stderr
    done = exptrack("log", "metrics.acuracy > 1", "name = x")
    assert done.returncode == 2
    assert "did you mean 'metrics.accuracy'?" in done.stderr


def test_nothing_found_is_no_failure(exptrack, record):
    done = exptrack("log")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "exptrack: no run yet: make one with `exptrack run -- COMMAND`\n"
    assert (exptrack("log", "--json").stdout, exptrack("log", "--json").returncode) == ("[]\n", 0)
    record("one", 0.25)
    for words, said in (
        (["name = x"], "no run for which that holds"),
        (["--since", "2100-01-01"], "no run since 2100-01-01"),
        (["name = x", "status = completed"], "no run for which all of that holds"),
        (["name = x", "--since", "2020-01-01"], "no run for which all of that holds"),
        (["one", "name = x"], "no run for which all of that holds"),
        (["one..one"], "no run between them"),
        (["one..@"], "no run between them"),
    ):
        done = exptrack("log", *words)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", f"exptrack: {said}\n")
    done = exptrack("log", "-n", "0")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_of_commits_on_which_no_run_was_made_it_is_said_what_that_means(exptrack, record, repository, git):
    first = git("rev-parse", "HEAD", cwd=repository)
    git("commit", "--quiet", "--allow-empty", "-m", "second", cwd=repository)
    record("one", 0.25)
    git("branch", "old", first, cwd=repository)
    for word in ("old", first, f"main..{first}", "..old", "HEAD~1"):
        done = exptrack("log", word)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", NOT_ON_THESE), word
    assert exptrack("log", "old..main").returncode == 0


def test_the_code_that_a_run_had_beyond_its_base_is_counted(exptrack, record, repository):
    record("clean", 0.25)
    (repository / "train.py").write_text("pass\n")
    (repository / "ünï.py").write_text("new\nlines\n")
    (repository / "odd\x1b[2J.py").write_text("new\n")
    record("edited", 0.25)
    done = exptrack("log", "--stat")
    assert done.returncode == 0
    edited, clean = done.stdout.split("\nrun clean\n")
    assert edited.split("metrics: accuracy=0.5\n")[1] == (
        "\n"
        ' "odd\\033[2J.py" | 1 +\n'
        " train.py        | 4 +---\n"
        " ünï.py          | 2 ++\n"
        " 3 files changed, 4 insertions(+), 3 deletions(-)\n"
    )
    assert "|" not in clean
    assert plain(exptrack("log", "--oneline", "--stat", "edited..").stdout) == ""
    lines = exptrack("log", "--oneline", "--stat").stdout.splitlines()
    assert [line.count("|") for line in lines] == [0, 1, 1, 1, 0, 0]


def test_json_is_that_of_ls(exptrack, record):
    record("one", 0.25, '{"accuracy": Infinity}')
    exptrack("tag", "best", "one")
    done = exptrack("log", "--json")
    assert (done.returncode, done.stdout) == (0, exptrack("ls", "--json").stdout)
    [listed] = json.loads(done.stdout)
    assert (listed["name"], listed["tags"]) == ("one", ["best"])


def test_what_is_no_run_is_named_and_the_rest_is_listed(exptrack, record, git, repository, look):
    record("good", 0.25)
    record("lost", 0.25)
    blob = git("rev-parse", f"{look.ref('lost')}:.exptrack/run.json", cwd=repository)
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    runs = "refs/exptrack/runs/2026-01"
    git("update-ref", f"{runs}/blob", "HEAD:train.py", cwd=repository)
    git("update-ref", f"{runs}/plain", "HEAD", cwd=repository)
    done = exptrack("log", "--oneline", "--stat", "main")
    assert done.returncode == 0
    assert plain(done.stdout) == "OID good accuracy=0.5\n"
    lost = "an object of it is missing from the repository, or broken; `git fsck` tells more"
    assert sorted(done.stderr.splitlines()) == [
        f"exptrack: 'blob' cannot be read: it is no commit; look at it with `git show {runs}/blob`",
        f"exptrack: 'lost' cannot be read: {lost}; look at it with `git show {look.ref('lost')}`",
        f"exptrack: 'plain' cannot be read: there is no .exptrack/run.json in it; look at it with `git show {runs}/plain`",
    ]
    for name, said in (("blob", "it is no commit"), ("lost", lost)):
        shown = exptrack("show", name)
        assert (shown.returncode, shown.stdout) == (2, "")
        assert shown.stderr.startswith(f"exptrack: run '{name}' cannot be read: {said}; look at it with")
        assert shown.stderr.count("\n") == 1


@pytest.mark.parametrize("columns", [80, 200])
def test_on_a_terminal_lines_are_coloured_and_clipped_at_its_edge(record, exptrack, repository, columns):
    many = {f"metric-{number:03}": number for number in range(2000)}
    record("wide", 0.25, json.dumps(many), "-t", "b" * 90, "-m", "数字 " * 100)
    record("failing", 0.5, "")
    for words in (["log"], ["log", "--oneline"], ["log", "--stat"]):
        status, shown = on_screen(repository, *words, columns=columns)
        assert status == 0
        bare = re.sub(r"\x1b\[[0-9;]*m", "", shown)
        assert "\x1b" not in bare
        assert max(map(display_width, bare.splitlines())) <= columns, words
        assert "\x1b[33m" in shown
        assert "\x1b[31mfailed, exit status 3" in shown
        status, plainly = on_screen(repository, *words, columns=columns, NO_COLOR="1")
        assert (status, plainly) == (0, bare)


def test_a_long_log_goes_through_the_pager(record, repository):
    for name in ("one", "two", "three"):
        record(name, 0.25)
    status, shown = on_screen(repository, "log", lines=10, GIT_PAGER="sed 's/^/paged: /'")
    assert status == 0
    assert all(line.startswith("paged: ") for line in shown.splitlines())
    status, shown = on_screen(repository, "--no-pager", "log", lines=10, GIT_PAGER="false")
    assert status == 0
    assert "paged" not in shown


CACHE = ("index.sqlite", "runs.lock")


def test_reading_writes_nothing_but_the_index(record, exptrack, repository):
    record("one", 0.25)
    (repository / "exptrack.yaml").write_text("metrics:\n  accuracy: {goal: maximize}\n")

    def everything() -> dict[str, tuple[int, int]]:
        found = {}
        for folder, _, files in os.walk(repository):
            for path in (Path(folder, name) for name in files if name not in CACHE):
                found[str(path)] = (path.stat().st_mtime_ns, path.stat().st_size)
        return found

    before = everything()
    for words in (
        ["log"], ["log", "--oneline", "--stat", "main.."], ["log", "--json", "one"], ["show"], ["show", "--json"], ["show", "--output"],
        ["show", "--environment"], ["show", "--file", "train.py"], ["environment", "one"], ["show", "nothing"],
    ):  # fmt: skip
        assert exptrack(*words).returncode == 2 * (words[-1] == "nothing"), words
    assert everything() == before


@pytest.mark.parametrize(
    "words", [["log"], ["log", "--oneline", "--stat", "main..HEAD", "one"], ["log", "--json"], ["environment", "one"]]
)
def test_no_heavy_library_is_loaded(record, repository, words):
    record("one", 0.25)
    code = f"import sys\nfrom exptrack.cli import main\nmain({words})\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([PYTHON, "-c", code], cwd=repository, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.splitlines())
    assert "exptrack.store.runs" in loaded
    assert loaded.isdisjoint({"dvc", "pandas", "numpy", "scipy", "pygit2", "git", "logging", "asyncio", "email"})
