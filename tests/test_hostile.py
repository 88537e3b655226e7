"""Runs that an enemy made, as they come by `exptrack fetch` or by a plain `git fetch`: refused, or shown and inert; nothing outside is touched."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from enemy import LINK, MONTH, PROGRAM, Enemy, record
from markdown_it import MarkdownIt

from exptrack.cli import main

EMPTY = "d41d8cd98f00b204e9800998ecf8427e"
EVIL = (
    "\x1b[31mred\x1b]0;title\x07\x9b31m\u202eltr\u2066\r\n<script>alert(1)</script><img src=x onerror=y>"
    "[a](http://evil.example) http://evil.example @everyone #1 |x|``` `"
)
NAME = EVIL.replace("/", "-")
FORBIDDEN = frozenset("\x1b\x07\x9b\r\u202e\u2066")
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
DEEP, ITSELF, LONG = "[" * 50_000, "a: &a [*a]\n", f"lr: {'9' * 100_000}\n"
DATA = f"outs:\n- md5: {EMPTY}\n  size: 0\n  hash: md5\n  path: {{}}\n"


@pytest.fixture
def base(repository, git):
    """The files of an ordinary snapshot; the user's project has DVC, and an empty file in its cache."""
    (repository / ".dvc").mkdir()
    (repository / ".dvc" / "config").write_text("")
    (repository / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (repository / ".dvcignore").write_text("")
    cached = repository / ".dvc" / "cache" / "files" / "md5" / EMPTY[:2] / EMPTY[2:]
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "dvc", cwd=repository)
    return {"params.yaml": "lr: 0.5\n", ".dvc/config": "", ".dvcignore": "", "train.py": "print(1)\n"}


@pytest.fixture
def enemy(repository):
    return Enemy(repository)


@pytest.fixture
def forge(enemy, git, repository):
    """A run in the repository, as a plain `git fetch` would bring it."""
    head = []

    def call(name: str, fields=None, **options):
        head[:] = head or [git("rev-parse", "HEAD", cwd=repository)]
        return enemy.run(name, fields, base=head[0], **options)

    return call


@pytest.fixture
def call(repository, capfd):
    """Run a command here; gives its status and what it printed, which never holds what a terminal obeys, and no traceback."""

    def run(*words: str) -> tuple[int, str, str]:
        status = main(["-C", str(repository), *words])
        out, err = capfd.readouterr()
        assert FORBIDDEN.isdisjoint(out), words
        assert FORBIDDEN.isdisjoint(err), words
        assert status != 3, err
        return status, out, err

    return run


@pytest.fixture
def outside(tmp_path):
    """A folder that no run may touch; afterwards it is as it was."""
    folder = tmp_path / "outside"
    folder.mkdir()
    for name in ("victim", "passwd"):
        (folder / name).write_text("precious")
    yield folder
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"victim": "precious", "passwd": "precious"}


def evil_fields() -> dict[str, object]:
    return {
        "note": EVIL, "tags": [EVIL], "author": EVIL, "host": EVIL, "command": [EVIL, EVIL], "overrides": [EVIL], "branch": EVIL,
        "experiment": EVIL, "seed": EVIL, "signal": EVIL, "metrics": {EVIL: 0.5}, "params": {"params.yaml": {EVIL: EVIL}, NAME: {EVIL: EVIL}},
        "concurrent": [EVIL], "problems": [EVIL], "ambiguous": [NAME], "changed": [NAME], "artifacts": [NAME, "evil"], "kept": [{"path": f".exptrack/artifacts/{NAME}", "digest": EMPTY}],
        "data": [{"path": NAME, "digest": EMPTY, "source": f"{NAME}.dvc"}], "outputs": [{"path": f"out{NAME}", "digest": EMPTY}],
        "not_captured": [{"path": NAME, "reason": "too large", "digest": EVIL}],
        "links": {"reproduces": EVIL, "parent": EVIL, "resumes": EVIL, "copied_from": EVIL},
    }  # fmt: skip


def evil_files() -> dict[str, str]:
    environment = {
        "platform": {"system": EVIL, "release": EVIL, "machine": EVIL}, "hardware": {"cpu": EVIL}, "variables": {EVIL: EVIL},
        "packages": [{"name": EVIL, "version": EVIL}], "interpreter": {"implementation": EVIL, "version": EVIL, "executable": EVIL},
    }  # fmt: skip
    return {f"result{NAME}": EVIL, ".exptrack/environment.json": json.dumps(environment)}


def test_whatever_a_run_says_is_letters_to_the_terminal(call, forge, base, git, repository):
    made = forge("evil", evil_fields(), code={**base, NAME: EVIL}, results=evil_files(), message=EVIL)
    forge("plain", code=base)
    note = {"id": "1" * 16, "kind": "note", "time": "2026-11-20T10:00:00Z", "author": EVIL, "value": EVIL}
    lines = "\n".join(
        json.dumps({**note, "id": str(number) * 16, "kind": kind}) for number, kind in enumerate(("note", "tag"))
    )
    git("notes", "--ref", "exptrack", "add", "-F", "-", made.oid, cwd=repository, stdin=lines)
    for words in (
        ("ls",), ("ls", "--all-columns"), ("ls", "--json"), ("log",), ("log", "--oneline"), ("log", "--stat"), ("status",), ("show", "evil"),
        ("show", "evil", "--json"), ("environment", "evil"), ("diff", "plain", "evil"), ("diff", "evil"), ("diff", "plain", "evil", "--json"),
        ("diff", "plain", "evil", "--markdown"), ("diff", "plain", "evil", "plain"), ("apply", "evil", "--dry-run"), ("branch", "evil", "mine"),
        ("fsck", "--offline"), ("check", "evil"), ("check", "evil", "--markdown"), ("check", "evil", "--json"),
    ):  # fmt: skip
        status, out, err = call(*words)
        assert out or err, words
        assert status in {0, 1, 2}, (words, err)
    assert "exptrack: run 'evil'" not in call("show", "evil")[2]


def test_the_markdown_of_a_run_holds_neither_html_nor_links(call, forge, base):
    forge("evil", evil_fields(), code={**base, NAME: EVIL}, results=evil_files())
    forge("plain", code=base)
    status, out, err = call("diff", "plain", "evil", "--markdown")
    assert status == 0, err
    tokens = [
        inner
        for token in MarkdownIt("commonmark").enable("table").parse(out)
        for inner in (token, *(token.children or ()))
    ]
    assert not [token for token in tokens if token.type in {"link_open", "image"}]
    texts = [token.content for token in tokens if token.type == "text"]
    assert not [text for text in texts if "http" in text or "@" in text or "#1" in text], (
        "a forge would make links of these"
    )
    html = {token.content.strip() for token in tokens if token.type in {"html_block", "html_inline"}}
    assert all(
        text.startswith(("<details>", "</details>")) and "script" not in text and "img" not in text for text in html
    ), html


@pytest.mark.parametrize("content", [BOMB, DEEP, ITSELF, LONG], ids=["bomb", "deep", "itself", "long"])
def test_a_document_that_explodes_is_refused_in_a_line(call, forge, base, content):
    forge(
        "bomb",
        {"params": {"params.yaml": {"lr": 1}}},
        code={**base, **dict.fromkeys(("params.yaml", "dvc.yaml", "dvc.lock", "data.dvc", "exptrack.yaml"), content)},
        results=dict.fromkeys(("metrics.json", "other.dvc"), content),
    )
    for words in (
        ("ls",),
        ("show", "bomb"),
        ("diff", "bomb"),
        ("apply", "bomb", "--dry-run"),
        ("diff", "HEAD", "bomb"),
    ):
        status, _, err = call(*words)
        assert status in {0, 2}, err
        assert all(len(line) < 400 for line in err.splitlines())
    status, out, err = call("check", "bomb")
    assert (status, err) == (1, "")
    assert out.startswith("1 run: it does not hold\n")
    status, _, err = call("reproduce", "bomb")
    assert status == 2
    assert len(err.splitlines()) == 1, err


@pytest.mark.parametrize(
    "fields",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        record("odd", {"duration": 0}).replace(b'"duration": 0', b'"duration": ' + b"9" * 5000),
        record("odd", {"metrics": {"a": 10**300}, "seed": 10**300}),
        record("odd", {"metrics": {"a": 0}}).replace(b'"a": 0', b'"a": NaN, "a": 1e999, "b": -Infinity, "c": 1' + b"0" * 250),
        record("odd", {"note": "\ud800", "author": "\udfff", "tags": ["\ud800"], "metrics": {"\ud800": 1}}),
        record("odd", {"ended": "9999-12-31T23:59:59Z", "duration": -1e308}),
    ],
    ids=["list", "mapping", "duration", "number", "nan", "surrogate", "time"],
)  # fmt: skip
def test_a_record_that_is_odd_stops_no_command(call, forge, base, fields):
    forge("odd", fields, code=base)
    forge("plain", code=base)
    for words in (
        ("ls",),
        ("ls", "--json"),
        ("log",),
        ("show", "odd"),
        ("diff", "plain", "odd"),
        ("diff", "odd", "plain", "--markdown"),
        ("check", "odd"),
    ):
        status, out, err = call(*words)
        assert status in {0, 2} or words[0] == "check", err
        assert out or "cannot be read" in err


@pytest.mark.parametrize(
    "fields",
    [
        {"directory": "../x"},
        {"project": "/etc"},
        {"data": [{"path": "/etc/passwd", "digest": EMPTY}]},
        {"outputs": [{"path": "../outside/victim", "digest": EMPTY}]},
        {"data": [{"path": ".git/hooks/post-checkout", "digest": EMPTY}]},
        {"outputs": [{"path": ".dvc/config.local", "digest": EMPTY}]},
        {"data": [{"path": "data", "digest": "../../../../outside/victim"}]},
    ],
)
def test_a_record_that_leads_elsewhere_is_not_used(call, forge, base, outside, fields):
    forge("evil", fields, code=base)
    for words in (
        ("apply", "evil", "--dry-run"),
        ("apply", "evil", "--force"),
        ("branch", "evil", "mine"),
        ("reproduce", "evil"),
    ):
        status, out, err = call(*words)
        assert status == 2
        assert not out
        assert "run 'evil' is not what exptrack makes, do not trust it: " in err
        assert len(err.splitlines()) == 1
    assert call("show", "evil")[0] == 0
    assert call("diff", "evil")[0] in {0, 2}


def links(outside: Path) -> dict[str, tuple[dict[str, object], dict[str, object]]]:
    """Fields of a record, and files of a snapshot, whose links lead out or into Git's own folder."""
    pointer = {"path": "data/victim", "digest": EMPTY, "size": 0, "source": "data.dvc", "modified": False}
    return {
        "data": ({"data": [pointer]}, {"data": (LINK, str(outside)), "data.dvc": DATA.format("data/victim")}),
        "above": ({}, {"data": (LINK, "../../../../../outside"), "data.dvc": DATA.format("data/victim")}),
        "hooks": ({}, {"data": (LINK, ".git"), "data.dvc": DATA.format("data/hooks/victim")}),
        "twice": ({}, {"inner": (LINK, str(outside)), "data": (LINK, "inner"), "data.dvc": DATA.format("data/victim")}),
        "directory": ({"directory": "data/new"}, {"data": (LINK, str(outside))}),
        "settings": ({}, {".dvc/config.local": (LINK, str(outside / "victim")), "data.dvc": DATA.format("data")}),
        "config": ({}, {".dvc/config": (LINK, str(outside / "victim")), "data.dvc": DATA.format("data")}),
    }  # fmt: skip


@pytest.mark.parametrize("case", ["data", "above", "hooks", "twice", "directory", "settings", "config"])
def test_nothing_is_written_through_a_link(call, forge, base, outside, repository, case):
    fields, files = links(outside)[case]
    forge("evil", fields, code={**base, **files})
    hooks = sorted((repository / ".git" / "hooks").iterdir())
    status, _, err = call("reproduce", "evil")
    assert status in {0, 2}, err
    if case != "settings":  # there the file of settings is written anew, in place of the link
        assert status == 2
        assert "link" in err.splitlines()[-1]
    status, _, err = call("apply", "evil", "--force")
    assert status in {0, 2}, err
    assert not (repository / ".dvc" / "config.local").is_symlink()
    assert not (repository / ".dvc" / "config").is_symlink()
    assert sorted((repository / ".git" / "hooks").iterdir()) == hooks


def test_apply_takes_nothing_that_git_or_dvc_would_obey(call, forge, base, git, repository):
    files = {
        ".dvc/config.local": "[core]\n    remote = evil\n",
        ".DVC/config": "x",
        "sub/.dvc/config": "x",
        ".dvc/plots/mine.json": "{}",
    }
    forge("evil", code={**base, **files})
    status, _, err = call("apply", "evil")
    assert status == 0, err
    assert not os.path.lexists(repository / ".dvc" / "config.local")
    assert not os.path.lexists(repository / "sub")
    assert (repository / ".dvc" / "config").read_text() == ""
    assert (repository / ".dvc" / "plots" / "mine.json").is_file()
    forge("hook", code={**base, ".git/hooks/post-checkout": (PROGRAM, "#!/bin/sh\n")})
    call("apply", "hook")
    assert not (repository / ".git" / "hooks" / "post-checkout").exists()
    assert "invalid path" in call("branch", "hook", "mine")[2]
    assert "invalid path" in call("reproduce", "hook")[2]


def test_the_settings_of_a_snapshot_do_not_say_where_the_cache_is(call, forge, base, outside, repository):
    settings = f"[cache]\n    dir = {outside}\n[core]\n    remote = evil\n['remote \"evil\"']\n    url = {outside}\n"
    files = {".dvc/config": settings, "data.dvc": DATA.format("data")}
    forge("evil", {"command": ["cat", "data"]}, code={**base, **files})
    status, _, err = call("reproduce", "evil")
    assert status == 0, err
    assert call("apply", "evil")[0] == 0
    assert (repository / ".dvc" / "config").read_text() == ""


@pytest.fixture
def canary(repository, tmp_path):
    """A file that appears as soon as anything of the user's Git is executed that a checkout, or a status, would execute."""
    bird = tmp_path / "canary"
    program = tmp_path / "touch"
    program.write_text(f"#!/bin/sh\ntouch {bird}\ncat\n")
    program.chmod(0o755)
    for hook in ("post-checkout", "post-merge", "reference-transaction", "post-index-change", "post-rewrite"):
        target = repository / ".git" / "hooks" / hook
        target.parent.mkdir(exist_ok=True)
        target.symlink_to(program)
    for key in (
        "core.fsmonitor",
        "filter.evil.smudge",
        "filter.evil.clean",
        "filter.evil.process",
        "diff.evil.textconv",
    ):
        subprocess.run(["git", "config", key, str(program)], cwd=repository, check=True)
    return bird


def test_a_fetch_refuses_what_is_no_run_and_takes_the_rest_and_executes_nothing(
    call, repository, tmp_path, git, canary
):
    hub = tmp_path / "hub.git"
    git("init", "--quiet", "--bare", hub)
    git("-c", "core.hooksPath=/dev/null", "remote", "add", "origin", hub, cwd=repository)
    enemy = Enemy(hub)
    traps = {
        ".gitattributes": "* filter=evil diff=evil\n",
        ".envrc": f"touch {canary}\n",
        "sitecustomize.py": "1/0\n",
        "params.yaml": "lr: 1\n",
    }
    good = [enemy.run(name, code=traps).ref for name in ("one", "two")]
    good.append(enemy.run("verbose", evil_fields(), code=traps, results=evil_files(), message=EVIL).ref)
    refused = [
        enemy.run("outside", {"data": [{"path": "../x", "digest": EMPTY}]}, code=traps),
        enemy.run("digest", {"data": [{"path": "x", "digest": "../../x"}]}),
        enemy.run("renamed", {"name": "other"}),
        enemy.run("moved", {"started": "2020-01-01T00:00:00Z"}),
        enemy.run("json", b"[" * 100_000),
        enemy.run("large", b" " * (17 * 2**20)),
        enemy.run("Upper"),
        enemy.run("a" * 101),
    ]
    enemy.git("update-ref", f"refs/exptrack/runs/{MONTH}/x/y", refused[0].oid)
    before = sorted(path for path in repository.rglob("*") if ".git" not in path.parts)
    status, out, err = call("fetch")
    here = git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs/", cwd=repository).splitlines()
    assert here == good, (out, err)
    assert status == 2
    said = [line for line in err.splitlines() if " refused: " in line]
    for name in [*(one.ref.rpartition("/")[2] for one in refused), "y"]:
        assert sum(name in line.split(" refused: ")[0] for line in said) >= 1, (name, err)
    assert len(said) <= len(refused) + 1
    assert not canary.exists()
    assert sorted(path for path in repository.rglob("*") if ".git" not in path.parts) == before
    assert {"one", "two"} <= {line.split()[0] for line in call("ls")[1].splitlines() if line}
    assert not canary.exists()


def test_a_tree_that_git_itself_refuses_does_not_come(call, repository, tmp_path, git, canary):
    hub = tmp_path / "hub.git"
    git("init", "--quiet", "--bare", hub)
    git("-c", "core.hooksPath=/dev/null", "remote", "add", "origin", hub, cwd=repository)
    enemy = Enemy(hub)
    enemy.run("good")
    enemy.run("hook", code={".git/hooks/post-checkout": (PROGRAM, f"#!/bin/sh\ntouch {canary}\n")})
    status, out, err = call("fetch")
    here = git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs/", cwd=repository)
    assert status == 2, out
    assert here.endswith("/good")
    assert "hook" not in here
    assert len(err.splitlines()) == 1, err
    assert not canary.exists()
