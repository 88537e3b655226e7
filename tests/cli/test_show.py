"""`exptrack show`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest
from screen import on_screen

from exptrack.analysis.codec import decode_record, encode_record
from exptrack.backends.git.repository import find_repository
from exptrack.model.data import Omission, Pointer, Reason
from exptrack.model.run import Status
from exptrack.render.text import display_width
from exptrack.store import runs

PYTHON = sys.executable
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, took \d+\.\ds")


@pytest.fixture
def forge(look, repository, git):
    """Make another run out of a recorded one: with other fields in its record, and other files in its commit."""

    def call(of: str, name: str, files: dict[str, bytes] | None = None, **fields: object) -> None:
        record = decode_record(look.file(of, ".exptrack/run.json").encode())._replace(name=name, **fields)
        place = find_repository(repository)
        people = b"author Ada <a@b> 1769860800 +0000\ncommitter Ada <a@b> 1769860800 +0000\n"
        content = {runs.RECORD: encode_record(record), **(files or {})}
        oid = runs.write_run(place, git("rev-parse", f"{look.ref(of)}^", cwd=repository), content, f"{name}\n", people)
        git("update-ref", runs.ref_of(name, record.started), oid, cwd=repository)

    return call


def test_one_run_in_full(exptrack, look, repository, git):
    (repository / "params.yaml").write_text("lr: 0.25\ndeep: {er: text}\n")
    code = "open('metrics.json', 'w').write('{\"accuracy\": 0.5}')"
    exptrack("run", "--name", "one", "-m", "a note", "-t", "first", "--", PYTHON, "-c", code, "--seed", "7")
    exptrack("note", "one", "-m", "another")
    exptrack("tag", "second", "one")
    done = exptrack("show", "one", "--all")
    assert (done.returncode, done.stderr) == (0, "")
    head, environment = done.stdout.split("\nenvironment:\n")
    assert TIME.sub("TIME", head) == (
        "run       one\n"
        f"commit    {git('rev-parse', look.ref('one'), cwd=repository)}\n"
        "status    completed\n"
        "started   TIME\n"
        f"author    Ada Lovelace <ada@example.com> on {look.record('one')['host']}\n"
        f"command   {PYTHON} -c 'open('\"'\"'metrics.json'\"'\"', '\"'\"'w'\"'\"').write('\"'\"'"
        "{\"accuracy\": 0.5}'\"'\"')' --seed 7\n"
        f"base      {git('rev-parse', 'HEAD', cwd=repository)}\n"
        "code      as committed in the base\n"
        "seed      7\n"
        "tags      first, second\n"
        "note      a note\n"
        "note      another\n"
        "\n"
        "metrics:\n"
        "  accuracy  0.5\n"
        "\n"
        "parameters (args):\n"
        "  seed  7\n"
        "\n"
        "parameters (params.yaml):\n"
        "  deep.er  text\n"
        "  lr       0.25\n"
    )
    assert "packages" in environment


def test_without_a_rev_it_is_the_latest_recorded_here(exptrack):
    exptrack("run", "--name", "zulu", "--", "true")
    exptrack("run", "--name", "alpha", "--", "true")
    assert exptrack("show").stdout.startswith("run       alpha\n")
    assert exptrack("show", "@~1").stdout.startswith("run       zulu\n")
    done = exptrack("show", "@~2")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "exptrack: '@~2': only 2 runs recorded here\n")


def test_every_kind_of_rev_is_understood_and_ambiguity_lists_the_candidates(exptrack, look):
    exptrack("run", "--name", "brave-otter", "--", "true")
    exptrack("run", "--name", "brave-fox", "-t", "baseline", "--", "false")
    oids = {name: look.git("rev-parse", look.ref(name)).strip() for name in ("brave-otter", "brave-fox")}
    oid = oids["brave-otter"]
    for rev in ("brave-otter", "brave-o", oid, oid[:10]):
        assert exptrack("show", rev).stdout.startswith("run       brave-otter\n"), rev
    assert exptrack("show", "baseline").stdout.startswith("run       brave-fox\n")
    done = exptrack("show", "brave")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "TIME", done.stderr) == (
        "exptrack: 'brave' is ambiguous: the names of 2 runs begin with it: give more of one\n"
        "the candidates are:\n"
        f"  {oids['brave-fox'][:10]}  brave-fox    TIME  failed       baseline\n"
        f"  {oid[:10]}  brave-otter  TIME  completed\n"
    )
    for rev, said in (
        ("brave-oter", "no run is named 'brave-oter', did you mean 'brave-otter'?"),
        ("Brave-Otter", "no run is named 'Brave-Otter', did you mean 'brave-otter'?"),
        ("HEAD", "'HEAD' is a commit of Git and no run: `exptrack log HEAD` lists the runs on it"),
        ("@~x", "no run is named '@~x': `@` is the run that was recorded last, `@~1` the one before it"),
    ):
        done = exptrack("show", rev)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"exptrack: {said}\n")


def test_json_is_the_record_with_the_tags_and_notes_of_now(exptrack, look):
    exptrack("run", "--name", "one", "-t", "early", "--", "echo", "hello")
    exptrack("tag", "late", "one")
    exptrack("tag", "--delete", "early", "one")
    done = exptrack("show", "one", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    shown = json.loads(done.stdout)
    assert shown == json.loads(exptrack("ls", "--json").stdout)[0]
    assert shown["tags"] == ["late"]
    assert look.record("one")["tags"] == ["early"]
    assert exptrack("show", "one", "--file", ".exptrack/run.json").stdout == look.file("one", ".exptrack/run.json")


def test_the_output_comes_as_it_is(exptrack, forge, repository):
    exptrack("run", "--name", "plain", "--", "true")
    forge("plain", "one", {".exptrack/output.log": "héllo\x07\n\x1b[31mtwo\x1b[m\n".encode()})
    done = exptrack("show", "one", "--output")
    assert (done.returncode, done.stdout, done.stderr) == (0, "héllo\x07\n\x1b[31mtwo\x1b[m\n", "")
    assert on_screen(repository, "show", "one", "--output") == (0, "héllo\\x07\n\x1b[31mtwo\x1b[m\n")
    exptrack("run", "--name", "silent", "--", "true")
    done = exptrack("show", "silent", "--output")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("code", "status"),
    [("raise SystemExit(3)", "failed, exit status 3"), ("os.kill(os.getpid(), 9)", "failed by SIGKILL")],
)
def test_of_a_run_that_failed_the_end_of_its_output_is_seen(exptrack, code, status):
    script = f"import os\nfor number in range(30): print('line', number, flush=True)\n{code}"
    exptrack("run", "--name", "one", "--", PYTHON, "-c", script)
    done = exptrack("show", "one")
    assert done.returncode == 0
    assert f"\nstatus    {status}\n" in done.stdout
    tail = done.stdout.split("\n\n")[1]
    assert tail == "output, the last 10 of 30 lines:\n" + "\n".join(f"  line {number}" for number in range(20, 30))


def test_a_crashed_run_is_told_as_far_as_it_is_known(exptrack, forge):
    exptrack("run", "--name", "one", "--", "true")
    log = {".exptrack/output.log": b"epoch 1\nepoch 2\n"}
    forge(
        "one",
        "gone",
        log,
        status=Status.CRASHED,
        exit_code=None,
        duration=None,
        ended=None,
        author="",
        host="",
        command=(),
    )
    done = exptrack("show", "gone")
    assert (done.returncode, done.stderr) == (0, "")
    text = re.sub(r"[0-9a-f]{40}", "OID", done.stdout)
    assert re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME", text) == (
        "run       gone\ncommit    OID\nstatus    crashed: its end was not seen, as after a kill\nstarted   TIME\nbase      OID\n"
        "code      as committed in the base\n\noutput:\n"
        "  epoch 1\n  epoch 2\n\nparameters (params.yaml):\n  lr  0.25\n"
    )


@pytest.mark.parametrize("columns", [80, 200])
def test_a_run_with_very_much_in_it_fits_a_screen(exptrack, forge, repository, columns):
    exptrack("run", "--name", "one", "--", "true")
    (repository / "exptrack.yaml").write_text("metrics:\n  loss: {goal: minimize, unit: nats}\n")
    metrics = {**{f"metric-{number:04}": float(number) for number in range(1999)}, "loss": 0.5}
    params = {f"param-{number:03}": "数字 " * 100 if number == 1 else number for number in range(300)}
    data = (
        Pointer("data/" + "x" * 100, "d" * 32, modified=True),
        Pointer("b.csv", "e" * 32, size=1, files=1, modified=False),
    )
    forge(
        "one",
        "much",
        metrics=metrics,
        params={"params.yaml": params},
        data=data,
        status=Status.INTERRUPTED,
        exit_code=130,
    )
    status, shown = on_screen(repository, "show", "much", columns=columns)
    assert status == 0
    bare = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    lines = bare.splitlines()
    assert max(map(display_width, lines)) <= columns
    assert len(lines) < 110
    assert bare.split("metrics:\n")[1].startswith("  loss         0.5 nats\n  metric-0000  0\n")
    assert "  and 1,960 more: --all shows them\n" in bare
    assert "  and 260 more: --all shows them\n" in bare
    assert [line for line in shown.splitlines() if "\x1b" in line] == [
        "status    \x1b[33minterrupted, exit status 130\x1b[m",
        *(
            [
                f"  \x1b[33mdata/{'x' * 34}…  -            md5:dddddddddddd\x1b[m",
                "    \x1b[33mMODIFIED: not what the pointer stands for\x1b[m",
            ]
            if columns == 80
            else [
                f"  \x1b[33mdata/{'x' * 34}…  -            MODIFIED: not what the pointer stands for  md5:dddddddddddd\x1b[m"
            ]
        ),
    ]
    assert on_screen(repository, "show", "much", columns=columns, NO_COLOR="1") == (0, bare)
    piped = exptrack("show", "much")
    assert piped.returncode == 0
    assert max(map(display_width, piped.stdout.splitlines())) == 199  # the letters at the edge take two cells
    whole = exptrack("show", "much", "--all")
    assert (whole.returncode, whole.stdout.count("\n  metric-")) == (0, 1999)
    assert "数字 " * 100 in whole.stdout
    assert json.loads(exptrack("show", "much", "--json").stdout)["params"]["params.yaml"]["param-001"] == "数字 " * 100


def test_hostile_values_are_shown_not_obeyed(exptrack, forge, repository):
    evil = "a\x1b[2J\x1b]0;x\x07\0\u202e\n| <b>*x*</b>"
    exptrack("run", "--name", "one", "--", "true")
    log = {".exptrack/output.log": evil.encode(), "evil.txt": evil.encode()}
    forge(
        "one", "evil", log, status=Status.FAILED, signal=evil, author=evil, host=evil, command=(evil,), metrics={evil: 1.0},
        params={evil: {evil: evil}}, data=(Pointer(evil, evil, evil),), not_captured=(Omission(evil, Reason.TOO_LARGE),),
        experiment=evil, note=evil, tags=(evil,), problems=(evil,), changed=(evil,),
    )  # fmt: skip
    for words in (
        ["show", "evil"],
        ["show", "evil", "--all"],
        ["show", "evil", "--json"],
        ["log"],
        ["log", "--oneline"],
        ["log", "--json"],
    ):
        done = exptrack(*words)
        assert (done.returncode, done.stderr) == (0, ""), words
        assert all(line.isprintable() for line in done.stdout.split("\n")), words
    for option in (["--output"], ["--file", "evil.txt"]):
        assert exptrack("show", "evil", *option).stdout == evil
        status, shown = on_screen(repository, "show", "evil", *option)
        assert status == 0
        assert all(line.isprintable() for line in shown.split("\n"))
        assert shown == "a\\x1b[2J\\x1b]0;x\\x07\\x00\\u202e\n| <b>*x*</b>\n"


HISTORY = b"timestamp\tstep\ttrain.loss\n1769860800123\t0\t0.6931\n1769860801456\tlast\tnan\n"


def test_the_history_of_a_metric_comes_as_it_is_stored(exptrack, forge):
    exptrack("run", "--name", "one", "--", "true")
    odd = HISTORY.replace(b"train.loss", b"a/b: c")
    forge("one", "logged", {".exptrack/history/train.loss.tsv": HISTORY, ".exptrack/history/moved/elsewhere.tsv": odd})
    done = exptrack("show", "logged", "--history", "train.loss")
    assert (done.returncode, done.stdout, done.stderr) == (0, HISTORY.decode(), "")
    assert exptrack("show", "logged", "--history", "a/b: c").stdout == odd.decode()
    done = exptrack("show", "logged", "--history", "train.loss", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == [
        {"step": 0, "timestamp": 1769860800123, "value": 0.6931},
        {"step": "last", "timestamp": 1769860801456, "value": "NaN"},
    ]
    for words, said in (
        (
            ["logged", "--history", "train.los"],
            "run 'logged' has no history of 'train.los': did you mean 'train.loss'?",
        ),
        (["logged", "--history", "xyzzy"], "run 'logged' has no history of 'xyzzy': there is 'a/b: c', 'train.loss'"),
        (["one", "--history", "train.loss"], "run 'one' has no histories: no metric was logged while it ran"),
    ):
        done = exptrack("show", *words)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"exptrack: {said}\n")


def test_the_environment_is_shown_in_full(exptrack, look, git, repository):
    exptrack("run", "--name", "one", "--", PYTHON, "-c", "pass")
    done = exptrack("show", "one", "--environment")
    assert (done.returncode, done.stderr) == (0, "")
    environment = json.loads(look.file("one", ".exptrack/environment.json"))
    titles = [line for line in done.stdout.splitlines() if not line.startswith(" ") and line]
    assert titles == [
        "interpreter:",
        "platform:",
        "hardware:",
        "variables:",
        f"{len(environment['packages'])} packages:",
    ]
    assert f"  path      {PYTHON}\n" in done.stdout
    assert "  LC_ALL  C.UTF-8\n" in done.stdout
    listed = done.stdout.split(" packages:\n")[1].splitlines()
    assert [line.split()[:2] for line in listed] == [[one["name"], one["version"]] for one in environment["packages"]]
    done = exptrack("show", "one", "--environment", "--json")
    assert (done.returncode, done.stdout) == (0, look.file("one", ".exptrack/environment.json"))


def test_an_environment_that_was_not_captured_is_named(exptrack, forge):
    exptrack("run", "--name", "one", "--", "true")
    forge("one", "bare")
    for words in (["show", "bare", "--environment"], ["environment", "bare"], ["environment", "bare", "--json"]):
        done = exptrack(*words)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "exptrack: the environment of run 'bare' was not captured: it ended before, or is from another tool\n"
        )
    assert exptrack("show", "bare").returncode == 0


def test_files_are_those_of_the_run_byte_for_byte(exptrack, repository, git):
    (repository / "sub").mkdir()
    (repository / "sub" / "-ünï\x1b.bin").write_bytes(b"\0\xff\r\n")
    (repository / ":colon[x]*").write_text("odd\n")
    exptrack("run", "--name", "one", "--", PYTHON, "train.py")
    (repository / "sub" / "-ünï\x1b.bin").write_bytes(b"later")
    (repository / "train.py").write_text("later")

    def show(path: str, cwd: str = ".") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [PYTHON, "-m", "exptrack", "show", "one", f"--file={path}"],
            cwd=repository / cwd,
            capture_output=True,
            check=False,
        )

    before = git("show", "HEAD:train.py", cwd=repository).encode() + b"\n"
    for path, cwd, content in (
        ("train.py", ".", before), ("sub/../train.py", ".", before), ("./train.py", ".", before), ("../train.py", "sub", before),
        ("train.py", "sub", before), ("sub/-ünï\x1b.bin", ".", b"\0\xff\r\n"), ("./-ünï\x1b.bin", "sub", b"\0\xff\r\n"),
        (":colon[x]*", ".", b"odd\n"), ("metrics.json", ".", b'{\n  "accuracy": 0.75\n}\n'),
        ("sub", ".", "tree one:sub\n\n-ünï\x1b.bin\n".encode()), ("sub/", ".", "tree one:sub\n\n-ünï\x1b.bin\n".encode()),
        (".", "sub", "tree one:sub\n\n-ünï\x1b.bin\n".encode()),
        (".", ".", b"tree one:\n\n.exptrack/\n.gitignore\n:colon[x]*\nmetrics.json\nparams.yaml\nsub/\ntrain.py\n"),
    ):  # fmt: skip
        done = show(path, cwd)
        assert (done.returncode, done.stdout, done.stderr) == (0, content, b""), (path, cwd)
    for path, said in (
        ("trian.py", "run 'one' has no 'trian.py', did you mean 'train.py'?"),
        ("src/train.py", "run 'one' has no 'src/train.py', did you mean 'train.py'?"),
        ("nothing like it", "run 'one' has no 'nothing like it'"),
        ("../x", "'../x' is outside of the repository: give a path as seen from its root, or './…' as seen from here"),
        (
            "/etc/passwd",
            "'/etc/passwd' is outside of the repository: give a path as seen from its root, or './…' as seen from here",
        ),
        ("", "tree"),
    ):
        done = show(path)
        if said != "tree":
            assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", f"exptrack: {said}\n")


def test_data_comes_out_of_the_dvc_cache(exptrack, repository, git):
    assert exptrack("init").returncode == 0
    git("add", "-A", cwd=repository)
    git("commit", "--quiet", "-m", "init", cwd=repository)
    code = (
        "import os; os.makedirs('model/deep'); open('model/deep/w.bin', 'wb').write(b'\\0\\xff'); open('model/a', 'w').write('a');"
        "open('one.bin', 'wb').write(b'x' * 3000)"
    )
    (repository / "large.bin").write_bytes(b"y" * (2 << 20))
    done = exptrack("run", "--name", "one", "-o", "model", "-o", "one.bin", "--", PYTHON, "-c", code)
    assert done.returncode == 0
    shutil.rmtree(repository / "model")
    (repository / "large.bin").unlink()

    def show(path: str) -> tuple[int, bytes, str]:
        words = [PYTHON, "-m", "exptrack", "show", "one", "--file", path]
        done = subprocess.run(words, cwd=repository, capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr.decode()

    assert show("one.bin") == (0, b"x" * 3000, "")
    assert on_screen(repository, "show", "one", "--file", "model/deep/w.bin") == (0, "\\x00\ufffd\n")
    assert show("model") == (0, b"tree one:model\n\na\ndeep/\n", "")
    assert show("model/deep/") == (0, b"tree one:model/deep\n\nw.bin\n", "")
    assert show("model/deep/w.bin") == (0, b"\0\xff", "")
    assert show("large.bin") == (0, b"y" * (2 << 20), "")
    assert show("model.dvc")[1].startswith(b"outs:\n")
    assert show("model/nothing") == (2, b"", "exptrack: 'model' holds no 'nothing'\n")
    assert show("one.bim") == (2, b"", "exptrack: run 'one' has no 'one.bim', did you mean 'one.bin'?\n")


def test_data_that_is_not_here_comes_from_the_remote_and_no_more_than_is_shown(exptrack, repository, git, tmp_path):
    assert exptrack("init").returncode == 0
    git("add", "-A", cwd=repository)
    git("commit", "--quiet", "-m", "init", cwd=repository)
    code = "import os; os.makedirs('model'); open('model/a', 'w').write('a'); open('model/b', 'w').write('b'); open('one.bin', 'w').write('1')"
    assert exptrack("run", "--name", "one", "-o", "model", "-o", "one.bin", "--", PYTHON, "-c", code).returncode == 0
    cache, store = repository / ".dvc" / "cache", tmp_path / "store"
    shutil.move(cache, store)
    for path, named in (("one.bin", "one.bin"), ("model", "model"), ("model/a", "model")):
        done = exptrack("show", "one", "--file", path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"exptrack: {named} is not in the DVC cache, and no DVC remote is configured")
    (repository / ".dvc" / "config").write_text(
        f"[core]\n    remote = store\n['remote \"store\"']\n    url = {store}\n"
    )
    assert exptrack("show", "one", "--file", "model").stdout == "tree one:model\n\na\nb\n"
    assert exptrack("show", "one", "--file", "model/a").stdout == "a"
    assert sorted(path.read_text()[:1] for path in (cache / "files" / "md5").rglob("*") if path.is_file()) == ["[", "a"]
    assert exptrack("show", "one", "--file", "one.bin").stdout == "1"


def test_of_what_was_not_kept_it_is_said_why_and_how_to_keep_it(exptrack, repository, forge):
    (repository / ".gitignore").write_text("metrics.json\n*.npz\nruns/\n")
    (repository / "my model.npz").write_text("data")
    (repository / "runs").mkdir()
    (repository / "runs" / "a.txt").write_text("data")
    exptrack("run", "--name", "one", "--", "true")
    digest = "sha256:" + "a" * 64
    large, nested = (
        Omission("big.bin", Reason.TOO_LARGE, size=5, digest=digest),
        Omission("other/", Reason.NESTED_REPOSITORY),
    )
    forge(
        "one",
        "two",
        not_captured=(large, nested, Omission("x/", Reason.TOO_MANY, files=3), Omission("key.pem", Reason.SECRET)),
    )
    ignored, limits = "or take it out of .gitignore", "or raise capture.limits in exptrack.yaml"
    for run, path, said in (
        (
            "one",
            "my model.npz",
            f"'my model.npz' (ignored by git); next time keep it with `exptrack run -o 'my model.npz'`, {ignored}",
        ),
        ("one", "runs", f"'runs/' (ignored by git); next time keep it with `exptrack run -o runs`, {ignored}"),
        ("one", "runs/a.txt", f"'runs/' (ignored by git); next time keep it with `exptrack run -o runs`, {ignored}"),
        (
            "two",
            "big.bin",
            f"'big.bin' (too large, {digest}); next time keep it with `exptrack run -o big.bin`, {limits}",
        ),
        ("two", "x/y", f"'x/' (too many files); next time keep it with `exptrack run -o x`, {limits}"),
        ("two", "key.pem", "'key.pem' (looks secret); next time let it through with capture.secrets in exptrack.yaml"),
        ("two", "other/file", "'other/' (nested repository)"),
    ):
        done = exptrack("show", run, "--file", path)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"exptrack: run '{run}' did not keep {said}\n")
    done = exptrack("show", "one", "--file", "sub/my model.npz")
    assert done.stderr == "exptrack: run 'one' has no 'sub/my model.npz', did you mean 'my model.npz'?\n"


def test_data_that_was_modified_is_said_to_be_that_of_the_pointer(exptrack, repository, forge, look):
    assert exptrack("init").returncode == 0
    exptrack("run", "--name", "one", "-o", "x", "-o", "y", "--", PYTHON, "-c", "[open(p, 'w').write(p) for p in 'xy']")
    x, y = decode_record(look.file("one", ".exptrack/run.json").encode()).outputs
    forge("one", "two", data=(x._replace(modified=True), y._replace(modified=False)), outputs=())
    done = exptrack("show", "two", "--file", "x")
    assert (done.returncode, done.stdout) == (0, "x")
    assert done.stderr == "exptrack: 'x' was modified when 'two' used it: this is what its pointer stands for\n"
    done = exptrack("show", "two", "--file", "y")
    assert (done.returncode, done.stdout, done.stderr) == (0, "y", "")


def test_code_beyond_the_base_is_counted_as_diff_counts_it(exptrack, repository, git):
    (repository / "train.py").write_text("pass\n")
    (repository / "ünï.py").write_text("new\nlines\n")
    (repository / "params.yaml").write_text("lr: 0.5\n")
    exptrack("run", "--name", "one", "--", "true")
    base = git("rev-parse", "HEAD", cwd=repository)[:10]
    command = f"exptrack diff {base} one --only code"
    shown = exptrack("show", "one").stdout
    assert (
        f"\ncode      2 files differ from the base, +3 \N{MINUS SIGN}3 (train.py, ünï.py): `{command}` shows them\n"
        in shown
    )
    assert "\ncode: 2 files, +3 \N{MINUS SIGN}3\n" in exptrack(*command.split()[1:]).stdout
    git("checkout", "--quiet", "train.py", cwd=repository)
    (repository / "ünï.py").unlink()
    exptrack("run", "--name", "two", "--", "true")
    assert "\ncode      as committed in the base\n" in exptrack("show", "two").stdout


def test_a_base_that_lost_an_object_costs_only_the_line_of_the_code(exptrack, repository, git):
    (repository / "train.py").write_text("pass\n")
    exptrack("run", "--name", "one", "--", "true")
    blob = git("rev-parse", "HEAD:train.py", cwd=repository)
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    done = exptrack("show", "one")
    assert done.returncode == 0
    assert "\ncode" not in done.stdout
    assert done.stderr.startswith("exptrack: the code of 'one' cannot be compared with its base: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("columns", [60, 80])
def test_a_warning_is_whole_on_a_narrow_terminal(exptrack, forge, repository, columns):
    exptrack("run", "--name", "one", "--", "true")
    data = (Pointer("data/digits.csv", "d" * 32, size=123456, files=1, modified=True),)
    forge("one", "two", data=data, author="Ada Lovelace <ada.lovelace@engines.example.com>", host="engine-room-7")
    status, shown = on_screen(repository, "show", "two", columns=columns, NO_COLOR="1")
    assert status == 0
    assert max(map(display_width, shown.splitlines())) <= columns
    assert "MODIFIED: not what the pointer stands for" in shown
    address = "" if columns == 60 else " <ada.lovelace@engines.example.com>"
    assert f"author    Ada Lovelace{address} on engine-room-7\n" in shown


def test_a_submodule_is_no_file(exptrack, repository, git, tmp_path):
    git("init", "--quiet", tmp_path / "other")
    git("commit", "--quiet", "--allow-empty", "-m", "first", cwd=tmp_path / "other")
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", tmp_path / "other", "other", cwd=repository)
    git("commit", "--quiet", "-m", "with a submodule", cwd=repository)
    exptrack("run", "--name", "one", "--", "true")
    done = exptrack("show", "one", "--file", "other")
    oid = git("rev-parse", "HEAD", cwd=tmp_path / "other")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"exptrack: 'other' is a submodule: run 'one' has its commit {oid}, and no file of it\n"


@pytest.mark.parametrize(
    "words",
    [
        ["--output", "--all"], ["--output", "--history", "x"], ["--environment", "--file", "x"], ["--file", "x", "--history", "x"],
        ["--json", "--output"], ["--json", "--file", "x"], ["--json", "--all"],
    ],
)  # fmt: skip
def test_one_thing_is_shown_at_a_time(exptrack, words):
    exptrack("run", "--name", "one", "--", "true")
    done = exptrack("show", "one", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("exptrack: ")


def test_no_part_of_dvc_is_loaded_for_data(exptrack, repository):
    exptrack("init")
    exptrack("run", "--name", "one", "-o", "x", "--", PYTHON, "-c", "open('x', 'w').write('data')")
    code = "import sys\nfrom exptrack.cli import main\nmain(['show', 'one', '--file', 'x'])\nsys.exit('dvc' in sys.modules)"
    done = subprocess.run([PYTHON, "-c", code], cwd=repository, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "data", "")
