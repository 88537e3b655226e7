"""`exptrack ls`."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import re
import struct
import subprocess
import sys
import termios
from datetime import UTC, datetime, timedelta

import pytest

from exptrack.analysis.codec import encode_record
from exptrack.backends.git.importing import format_files, import_commit
from exptrack.backends.git.repository import find_repository
from exptrack.model.run import Links, Record, Status
from exptrack.render.text import display_width
from exptrack.store import runs

PYTHON = sys.executable
PEOPLE = b"author Ada <ada@example.com> 1769860800 +0000\ncommitter Ada <ada@example.com> 1769860800 +0000\n"


def record(exptrack, name: str, metrics: str, *words: str) -> None:
    code = f"import sys; open('metrics.json', 'w').write({metrics!r}); sys.exit({metrics!r} == '')"
    exptrack("run", "--name", name, "--", PYTHON, "-c", code, *words)


def without_ages(text: str) -> str:
    return re.sub(r" +\d+(?:s|min) ", lambda match: "0s ".rjust(len(match[0])), text)


def test_runs_are_listed_newest_first_with_what_differs(exptrack, repository):
    (repository / "params.yaml").write_text("lr: 0.25\ndepth: 3\n")
    record(exptrack, "first", '{"accuracy": 0.5}')
    record(exptrack, "second", '{"accuracy": 0.875, "loss": NaN}', "lr=0.5")
    record(exptrack, "third", "", "lr=1")
    exptrack("tag", "best", "second")
    done = exptrack("ls")
    assert (done.returncode, done.stderr) == (0, "")
    assert without_ages(done.stdout) == (
        "name    age  status     tags  accuracy  loss    lr\n"
        "third    0s  failed              -         -  1\n"
        "second   0s  completed  best     0.875   nan  0.5\n"
        "first    0s  completed           0.5       -  0.25\n"
    )
    assert exptrack("ls", "-n", "1").stdout.count("\n") == 2


def test_json_holds_the_records(exptrack, look):
    record(exptrack, "one", '{"accuracy": Infinity}')
    [listed] = json.loads(exptrack("ls", "--json").stdout)
    assert {key: listed[key] for key in look.record("one")} == look.record("one")
    assert (listed["ref"], listed["oid"]) == (look.ref("one"), look.git("rev-parse", look.ref("one")).strip())


def test_without_a_run_it_says_how_to_make_one(exptrack):
    done = exptrack("ls")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "exptrack: no run yet: make one with `exptrack run -- COMMAND`\n"
    assert exptrack("ls", "--json").stdout == "[]\n"


def test_terminal_escapes_in_values_are_shown_not_obeyed(exptrack):
    exptrack("run", "--name", "one", "--", "true", "x=\x1b[31mred\u202e", "y=two\nlines")
    exptrack("run", "--name", "two", "--", "true", "x=1", "y=2")
    out = exptrack("ls").stdout
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert r"\x1b[31mred" in out
    assert r"two\nlines" in out


def test_a_query_chooses(exptrack):
    record(exptrack, "first", '{"accuracy": 0.5}', "lr=0.1")
    record(exptrack, "second", '{"accuracy": 0.9}', "lr=0.01")
    record(exptrack, "third", "", "lr=0.01")
    exptrack("tag", "best", "second")

    def names(*words: str) -> list[str]:
        done = exptrack("ls", *words)
        assert done.returncode == 0, done.stderr
        return [line.split()[0] for line in done.stdout.splitlines()[1:]]

    assert names("metrics.accuracy > 0.6") == ["second"]
    assert names("params.lr <= 0.01 and status != failed") == ["second"]
    assert names("tag = best or name = first") == ["second", "first"]
    assert names("not tag = best", "-n", "1") == ["third"]
    assert names("started > 2020-01-01") == ["third", "second", "first"]
    assert exptrack("ls", "metrics.accuracy > 2").stderr == "exptrack: no run for which that holds\n"


def test_a_fault_in_a_query_is_pointed_at(exptrack):
    record(exptrack, "first", '{"accuracy": 0.5}')
    done = exptrack("ls", "metrics.accuray > 0.6")
    assert (done.returncode, done.stdout) == (2, "")
    message, query, caret = done.stderr.splitlines()
    assert "accuracy" in message
    assert (query, caret) == ("metrics.accuray > 0.6", "^")
    done = exptrack("ls", "metrics.accuracy >")
    assert done.returncode == 2
    assert done.stderr.splitlines()[2].strip() == "^"
    assert "quote" in exptrack("ls", "metrics.accuracy").stderr


@pytest.fixture
def save(repository, git):
    """Put a run that started some days ago on its ref."""
    here = find_repository(repository)
    now = datetime.now(UTC)

    def call(name: str, days: int = 0, data: bytes | None = None, **fields: object) -> None:
        started = now - timedelta(days=days, minutes=1)
        record = Record(name, started=started, **{"status": Status.COMPLETED, **fields})
        files = {runs.RECORD: encode_record(record) if data is None else data}
        oid = import_commit(here, PEOPLE, f"{name}\n", None, format_files(files))
        git("update-ref", runs.ref_of(name, started), oid, cwd=repository)

    return call


@pytest.fixture
def zoo(save):
    """Runs of every end, one with very much, one with odd values."""
    params = {"model": {"depth": 3}, **{f"option{i:03}": i for i in range(299)}}
    save("plain", 9, metrics={"accuracy": 0.875, "loss": 0.5}, params={"params.yaml": params}, experiment="digits")
    save(
        "failed",
        5,
        status=Status.FAILED,
        metrics={"accuracy": 0.5},
        params={"params.yaml": {**params, "option001": "x"}},
    )
    save("crashed", 4, status=Status.CRASHED, tags=("overnight",), params={"params.yaml": params})
    save(
        "stopped",
        3,
        status=Status.INTERRUPTED,
        metrics={"loss": float("nan")},
        params={"params.yaml": {"option001": 7}},
    )
    save(
        "much",
        2,
        metrics={"accuracy": 0.9, **{f"class{i:04}": i / 7 for i in range(2000)}},
        params={"params.yaml": params},
    )
    odd = {"model": "学習モデル", "option001": "word " * 1000, "option002": "\x1b[31mred\x1b[m\n\0\u202eend"}
    save("odd", 1, metrics={"accuracy": 1}, params={"params.yaml": odd}, experiment="Zahlen-数字", tags=("ünï", "a\nb"))


def test_a_run_is_told_from_those_that_it_goes_back_to(exptrack, save):
    save("first", 2, metrics={"accuracy": 1})
    assert "reproduces" not in exptrack("ls").stdout
    save("again", 1, metrics={"accuracy": 1}, links=Links(reproduces="first"))
    assert exptrack("ls").stdout == (
        "name   age  status     reproduces  accuracy\n"
        "again   1d  completed  first              1\n"
        "first   2d  completed                     1\n"
    )
    assert exptrack("ls", "reproduces = first", "--columns", "name,reproduces").stdout == (
        "name   reproduces\nagain  first\n"
    )
    save("inner", 2, metrics={"accuracy": 1}, links=Links(parent="first", resumes="again"))
    assert exptrack("ls", "parent = first or resumes = first", "--columns", "name,parent,resumes").stdout == (
        "name   parent  resumes\ninner  first   again\n"
    )
    assert exptrack("ls", "not reproduces ~ * and not parent ~ *", "--columns", "name").stdout == "name\nfirst\n"
    assert json.loads(exptrack("ls", "--json", "-n", "1").stdout)[0]["links"] == {"reproduces": "first"}


@pytest.fixture
def terminal(repository, monkeypatch):
    """Run the command line on a terminal of so many columns; gives what it shows, and what it says on standard error."""
    for variable in ("COLUMNS", "LINES"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TERM", "xterm")

    def show(*words: str, columns: int = 80, rows: int = 50, **environ: str) -> tuple[str, str]:
        keyboard, line = os.openpty()
        fcntl.ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        argv = [PYTHON, "-m", "exptrack", *words]
        with subprocess.Popen(
            argv, cwd=repository, stdin=line, stdout=line, stderr=subprocess.PIPE, env={**os.environ, **environ}
        ) as child:
            os.close(line)
            shown = b""
            while chunk := read_or_end(keyboard):
                shown += chunk
            said = child.stderr.read().decode()
        os.close(keyboard)
        assert child.returncode == 0, said
        return shown.decode().replace("\r\n", "\n"), said

    return show


def read_or_end(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # on Linux the end of a terminal
        return b""


def lines(text: str) -> str:
    """A table as it stands here: a newline before it, and one after."""
    return f"\n{text}"


AT_80 = r"""
name     age  status       experiment   tags       accuracy   loss  option001
odd       1d  completed    Zahlen-数字  ünï,a\nb      1        -    word word w…
much      2d  completed                               0.9      -    1
stopped   3d  interrupted                             -      nan    7
crashed   4d  crashed                   overnight     -        -    1
failed    5d  failed                                  0.5      -    x
plain     1w  completed    digits                     0.875    0.5  1
"""
AT_200 = r"""
name     age  status       experiment   tags       accuracy   loss  class0000  class0001  class0002  option001                                 option002                         model.depth  option000
odd       1d  completed    Zahlen-数字  ünï,a\nb      1        -            -   -          -         word word word word word word word word…  \x1b[31mred\x1b[m\n\x00\u202eend            -          -
much      2d  completed                               0.9      -            0   0.142857   0.285714  1                                         2                                           3          0
stopped   3d  interrupted                             -      nan            -   -          -         7                                         -                                           -          -
crashed   4d  crashed                   overnight     -        -            -   -          -         1                                         2                                           3          0
failed    5d  failed                                  0.5      -            -   -          -         x                                         2                                           3          0
plain     1w  completed    digits                     0.875    0.5          -   -          -         1                                         2                                           3          0
"""
IN_A_PIPE = r"""
name     age  status       experiment   tags       accuracy   loss  class0000  class0001  class0002  class0003  option001                                 option002                         model.depth  option000  option003  option004
odd       1d  completed    Zahlen-数字  ünï,a\nb      1        -            -   -          -          -         word word word word word word word word…  \x1b[31mred\x1b[m\n\x00\u202eend            -          -          -          -
much      2d  completed                               0.9      -            0   0.142857   0.285714   0.428571  1                                         2                                           3          0          3          4
stopped   3d  interrupted                             -      nan            -   -          -          -         7                                         -                                           -          -          -          -
crashed   4d  crashed                   overnight     -        -            -   -          -          -         1                                         2                                           3          0          3          4
failed    5d  failed                                  0.5      -            -   -          -          -         x                                         2                                           3          0          3          4
plain     1w  completed    digits                     0.875    0.5          -   -          -          -         1                                         2                                           3          0          3          4
"""


@pytest.mark.parametrize(
    ("columns", "table", "more"), [(80, AT_80, 2300), (200, AT_200, 2294), (24, None, 2306), (14, None, 2306), (10, None, 2307)]
)  # fmt: skip
def test_a_table_fits_the_terminal_and_says_what_it_leaves_out(terminal, zoo, columns, table, more):
    shown, said = terminal("ls", columns=columns, NO_COLOR="1")
    assert table is None or lines(shown) == table
    assert all(display_width(line) <= columns for line in shown.splitlines())
    assert shown.startswith("name")
    assert len(shown.splitlines()) == 7
    assert said == f"exptrack: {more:,} more columns: `--all-columns` shows them\n"


@pytest.mark.parametrize(
    ("words", "columns", "shown"),
    [
        ([], 60, ["name", "age", "status", "experiment", "tags", "accuracy"]),
        ([], 50, ["name", "age", "status", "tags", "accuracy"]),
        ([], 40, ["name", "age", "status", "accuracy"]),
        (["--sort", "-metrics.class0077"], 50, ["name", "age", "status", "tags", "class0077"]),
        (["params.model.depth = 3"], 50, ["name", "age", "status", "accuracy", "model.depth"]),
        (["params.model.depth = 3 and metrics.loss < 1"], 60, ["name", "age", "status", "experiment", "loss", "model.depth"]),
    ],
)  # fmt: skip
def test_a_narrow_terminal_keeps_what_was_asked_for_and_a_metric(terminal, zoo, words, columns, shown):
    assert heads(terminal("ls", *words, columns=columns)[0]) == shown


def test_a_terminal_gets_colours_unless_it_must_not(terminal, zoo):
    shown, _ = terminal("ls")
    assert lines(re.sub(r"\x1b\[\d*m", "", shown)) == AT_80
    codes = dict(re.findall(r"\x1b\[(\d+)m(\w+)", shown)[::-1])
    assert codes == {"31": "crashed", "32": "completed", "33": "interrupted"}
    assert "\x1b" not in terminal("ls", NO_COLOR="1")[0]
    assert "\x1b" not in terminal("ls", TERM="dumb")[0]


def test_a_pipe_has_no_edge_and_no_colours(exptrack, zoo):
    done = exptrack("ls")
    assert (done.returncode, lines(done.stdout)) == (0, IN_A_PIPE)
    assert done.stderr == "exptrack: 2,291 more columns: `--all-columns` shows them\n"


def test_a_long_table_goes_through_the_pager_and_data_does_not(terminal, zoo):
    pager = {"GIT_PAGER": "sed s/^/paged:/", "NO_COLOR": "1"}
    assert terminal("ls", rows=5, **pager)[0].count("paged:") == 7
    assert "paged:" not in terminal("--no-pager", "ls", rows=5, **pager)[0]
    for words in (["--json"], ["--csv"]):
        assert "paged:" not in terminal("ls", *words, rows=5, **pager)[0]


def heads(text: str) -> list[str]:
    return text.splitlines()[0].split()


def test_columns_are_chosen_by_name_and_glob(exptrack, zoo, terminal):
    done = exptrack("ls", "--columns", "status,name,metrics.class000[13]", "--columns", "params.model.*", "-n", "2")
    assert done.stdout == (
        "status     name  class0001  class0003  model.depth\n"
        "completed  odd    -          -                   -\n"
        "completed  much   0.142857   0.428571            3\n"
    )
    assert done.stderr == ""
    _, said = terminal("ls", "--columns", "name,params.*")
    assert said == "exptrack: 299 more columns: widen the terminal, or pipe the table into `less -S`\n"


def test_a_column_that_only_other_runs_have_is_empty_and_one_that_none_has_is_refused(exptrack, zoo):
    done = exptrack("ls", "name = crashed", "--columns", "name,metrics.accuracy,params.zzz*")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "exptrack: no run has 'params.zzz*': `exptrack ls --all-columns` shows what they have\n"
    done = exptrack("ls", "name = crashed", "--columns", "name,metrics.accuracy")
    assert done.stdout == "name     accuracy\ncrashed         -\n"
    done = exptrack("ls", "--columns", "name,metrics.acuracy")
    assert done.stderr == "exptrack: no run has 'metrics.acuracy': did you mean 'metrics.accuracy'?\n"


def test_all_columns_are_all(exptrack, zoo):
    done = exptrack("ls", "--all-columns")
    assert done.stderr == ""
    assert len(heads(done.stdout)) == 5 + 2002 + 301 + 2
    assert heads(done.stdout)[-2:] == ["started", "commit"]


def test_declared_metrics_come_first(exptrack, zoo, repository):
    (repository / "exptrack.yaml").write_text("metrics:\n  class1999: minimize\n  loss: minimize\n")
    assert heads(exptrack("ls").stdout)[5:8] == ["class1999", "loss", "accuracy"]


def names(done) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [line.split()[0] for line in done.stdout.splitlines()[1:]]


@pytest.mark.parametrize(
    ("words", "order"),
    [
        (["--sort", "metrics.accuracy"], ["failed", "plain", "much", "odd", "stopped", "crashed"]),
        (["--sort", "-metrics.accuracy"], ["odd", "much", "plain", "failed", "stopped", "crashed"]),
        (["--sort=-name"], ["stopped", "plain", "odd", "much", "failed", "crashed"]),
        (["--sort", "-name", "-n2"], ["stopped", "plain"]),
        (["-2", "--sort", "-name"], ["stopped", "plain"]),
        (["--sort", "-name", "-2"], ["stopped", "plain"]),
        (["status != failed", "-1"], ["odd"]),
        (["--sort", "params.option001", "-n", "4"], ["much", "crashed", "plain", "stopped"]),
        (["--since", "60.hours.ago"], ["odd", "much"]),
        (["--since", "3 weeks ago", "-n", "1"], ["odd"]),
        (["--since", "2 days ago", "--sort", "age"], ["odd"]),
    ],
)
def test_order_number_and_beginning(exptrack, zoo, words, order):
    assert names(exptrack("ls", *words)) == order


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--sort", "-acuracy"], "no run has 'acuracy' to sort by: did you mean 'metrics.accuracy'?"),
        (["--sort", "-n", "3"], "argument --sort: expected one argument; see `exptrack ls --help`"),
        (["--since", "3 dayz"], "'3 dayz' is no date: use one such as 2026-11-01, 2026-11-01T12:00, 2.weeks, '3 days ago' or yesterday"),
        (["--sort="], "no run has '' to sort by: `exptrack ls --all-columns` shows what they have"),
        (["--columns", " , "], "no column is named: give names with commas between, such as 'name,status,metrics.*'"),
        (["-n", "-1"], "argument -n/--number: -1 is below zero; see `exptrack ls --help`"),
        (["status", "=", "failed"], "a query is one word, so quote it: exptrack ls 'status = failed'"),
        (["params.option001 ~ nan", "status = failed"], "a query is one word, so join them: exptrack ls 'params.option001 ~ nan and status = failed'"),
        (["-n", "-3"], "argument -n/--number: -3 is below zero; see `exptrack ls --help`"),
        (["--json", "--csv"], "argument --csv: not allowed with argument --json; see `exptrack ls --help`"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_line(exptrack, zoo, words, said):
    done = exptrack("ls", *words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"exptrack: {said}\n")


def test_where_the_shell_took_the_comparison_the_caret_stands_behind_the_name(exptrack, zoo, repository):
    done = subprocess.run(
        ["sh", "-c", f"{PYTHON} -m exptrack ls metrics.acc > 0.9"], cwd=repository, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "exptrack: 'metrics.acc' is not compared: quote the query, since the shell takes > and <\n"
        "metrics.acc\n"
        "           ^\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said", "column"),
    [
        (["option001 > 1"], "'option001' is no field: did you mean 'params.option001'?", 0),
        (["depth", "=", "3"], "'depth' is no field: did you mean 'params.model.depth'?", 0),
        (["plain"], "'plain' is not compared: quote the query, since the shell takes > and <; `exptrack show plain` shows one run", 5),
        (["plain", "odd"], "'plain' is not compared: quote the query, since the shell takes > and <", 5),
        (["--", "-3"], "'-3' is not compared: quote the query, since the shell takes > and <", 2),
    ],
)  # fmt: skip
def test_what_is_no_query_is_refused_with_what_could_be_meant(exptrack, zoo, words, said, column):
    done = exptrack("ls", *words)
    text = " ".join(words).removeprefix("-- ")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"exptrack: {said}\n{text}\n{' ' * column}^\n")


def test_a_pattern_that_finds_nothing_is_explained_if_it_is_no_glob(exptrack, zoo):
    done = exptrack("ls", "name ~ lai")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == (
        "exptrack: no run for which that holds: '~' matches the whole text, so write '*lai*' for a part of it\n"
    )
    assert exptrack("ls", "name ~ z*").stderr == "exptrack: no run for which that holds\n"
    assert exptrack("ls", "name ~ plain").stderr == ""


def test_an_unknown_status_is_refused(exptrack, zoo):
    done = exptrack("ls", "name = odd or status != complted")
    assert done.stderr == (
        "exptrack: 'complted' is no status: did you mean 'completed'?\n"
        "name = odd or status != complted\n"
        f"{' ' * 24}^\n"
    )  # fmt: skip


def test_without_a_run_a_query_is_not_to_blame(exptrack):
    done = exptrack("ls", "metrics.accuracy > 0.9", "--sort", "metrics.accuracy", "--since", "yesterday")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "exptrack: no run yet: make one with `exptrack run -- COMMAND`\n"
    done = exptrack("ls", "--csv")
    assert done.stdout.startswith("name,status,experiment,tags,reproduces,")
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_csv_holds_everything(exptrack, zoo, repository):
    out = subprocess.run(
        [PYTHON, "-m", "exptrack", "ls", "--csv"], cwd=repository, capture_output=True, check=True
    ).stdout
    assert out.count(b"\r\n") == 7
    head, *rows = csv.reader(io.StringIO(out.decode(), newline=""))
    assert len(rows) == 6
    assert all(len(row) == len(head) for row in rows)
    odd = dict(zip(head, rows[0], strict=True))
    assert (odd["name"], odd["tags"], odd["params.option001"]) == ("odd", "ünï a\nb", "word " * 1000)
    assert odd["params.option002"] == "\\x1b[31mred\\x1b[m\n\\x00\\u202eend"
    assert dict(zip(head, rows[1], strict=True))["metrics.class0001"] == repr(1 / 7)
    chosen = exptrack("ls", "--csv", "--columns", "name,age,metrics.loss", "-n", "4", "--sort", "-metrics.loss")
    assert [line.split(",")[::2] for line in chosen.stdout.splitlines()] == [
        ["name", "metrics.loss"], ["plain", "0.5"], ["odd", ""], ["much", ""], ["stopped", "NaN"],
    ]  # fmt: skip


def test_json_has_tags_and_notes_as_they_stand_now(exptrack):
    exptrack("run", "--name", "one", "--tag", "first", "--note", "at the start", "--", "true")
    exptrack("tag", "second", "one")
    exptrack("note", "one", "-m", "later")
    [listed] = json.loads(exptrack("ls", "--json").stdout)
    assert (listed["tags"], listed["note"]) == (["first", "second"], "at the start")
    assert listed["notes"][0] == "at the start"


def test_what_cannot_be_read_is_named_in_a_line_each_and_of_many_the_first(exptrack, save, repository, git):
    save("good")
    save("torn", data=b'{"schema": 1,')
    git("update-ref", f"{runs.RUNS}2026-01/commit", "HEAD", cwd=repository)
    done = exptrack("ls")
    assert names(done) == ["good"]
    assert len(done.stderr.splitlines()) == 2
    assert (
        "exptrack: 'commit' cannot be read: there is no .exptrack/run.json in it; look at it with `git show refs/"
        in done.stderr
    )
    assert re.search(r"^exptrack: 'torn' cannot be read: broken record: not JSON .*$", done.stderr, re.MULTILINE)
    assert [one["name"] for one in json.loads(exptrack("ls", "--json").stdout)] == ["good"]
    head = git("rev-parse", "HEAD", cwd=repository)
    git(
        "update-ref",
        "--stdin",
        cwd=repository,
        stdin="".join(f"create {runs.RUNS}2026-02/x{i} {head}\n" for i in range(1000)),
    )
    done = exptrack("ls")
    assert names(done) == ["good"]
    assert len(done.stderr.splitlines()) == 6
    assert done.stderr.splitlines()[-1] == "exptrack: 997 more cannot be read"
