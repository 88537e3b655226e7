"""Things are broken for real, and each fault is named, once."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from enemy import Enemy
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from exptrack.backends.dvc import add_to_cache, dvc_file_text
from exptrack.errors import RevError
from exptrack.model.annotation import AnnotationKind
from exptrack.model.verification import Check, Data, Severity
from exptrack.project import Project
from exptrack.store import annotation, runs

ERROR, WARNING, NOTE = Severity
LONG_AGO = time.time() - 7200
SCRIPT = """import json, pathlib
lr = float(pathlib.Path("params.yaml").read_text().split(":")[1])
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": 1 - lr}))
pathlib.Path("model.bin").write_text(f"weights {lr}")
"""


class World(NamedTuple):
    """A repository with the runs `one` and `two`, data in its DVC cache, and a DVC remote that has nothing yet."""

    project: Project
    folder: Path
    remote: Path
    month: str

    def git(self, *words: str, stdin: str | None = None) -> str:
        done = subprocess.run(["git", *words], cwd=self.folder, input=stdin, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def ref(self, name: str) -> str:
        return f"{runs.RUNS}{self.month}/{name}"

    def oid(self, spec: str) -> str:
        """Of `one`, `one^`, `one:train.py`."""
        return self.git("rev-parse", f"{self.ref(spec[:3])}{spec[3:]}")

    def object(self, spec: str) -> Path:
        oid = self.oid(spec)
        return self.folder / ".git" / "objects" / oid[:2] / oid[2:]

    def cached(self, path: str) -> Path:
        [digest] = {
            one.digest
            for name in ("one", "two")
            for one in (*self.project.run(name).record.data, *self.project.run(name).record.outputs)
            if one.path == path
        }
        return self.folder / ".dvc" / "cache" / "files" / "md5" / digest[:2] / digest[2:]

    def found(self, *words: str, **options: bool) -> list[tuple[Severity, Check, str, tuple[str, ...]]]:
        found = self.project.verify(*words, **options).findings
        assert all(one.problem and one.advice for one in found)
        return [(one.severity, one.check, one.subject, one.runs) for one in found]

    def share(self) -> None:
        """Have the remote hold what the cache holds: they are laid out alike."""
        shutil.copytree(self.folder / ".dvc" / "cache", self.remote, dirs_exist_ok=True)


def replace(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


def spoil(path: Path, change=lambda content: content + b"x") -> None:
    """Give a loose object another content, which git takes for good."""
    head, _, content = zlib.decompress(path.read_bytes()).partition(b"\0")
    changed = change(content)
    replace(path, zlib.compress(head.split(b" ")[0] + b" %d\0" % len(changed) + changed))


@pytest.fixture
def world(repository, exptrack, git, tmp_path):
    (repository / ".dvc").mkdir()
    config = "[core]\n    remote = far\n['remote \"far\"']\n    url = ../../far\n"
    (repository / ".dvc" / "config").write_text(config)
    (repository / ".dvc" / ".gitignore").write_text("/cache\n/tmp\n/config.local\n")
    (repository / "train.py").write_text(SCRIPT)
    (repository / "images").mkdir()
    for number in range(2):
        (repository / "images" / f"{number}.img").write_bytes(bytes([number]) * 100)
    pointer = add_to_cache(repository, repository / "images", repository)
    (repository / "images.dvc").write_text(dvc_file_text(pointer))
    (repository / ".gitignore").write_text("metrics.json\n/images\n/model.bin\n")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "data", cwd=repository)
    for name in ("one", "two"):
        done = exptrack("run", "--name", name, "-o", "model.bin", "--", sys.executable, "train.py")
        assert done.returncode == 0, done.stderr
    (tmp_path / "far").mkdir()
    project = Project(repository)
    return World(project, repository, tmp_path / "far", f"{project.run('two').started:%Y-%m}")


def test_a_clean_repository_is_clean_and_nothing_is_written(world):
    def look():
        return {
            (str(path), path.stat().st_mtime_ns if path.is_file() else 0)
            for path in [*(world.folder / ".git").rglob("*"), *(world.folder / ".dvc").rglob("*")]
        }

    before = look()
    quick, full = world.project.verify(), world.project.verify(full=True)
    assert quick == (quick._replace(findings=(), runs=2, signed=0, data=Data(here=2), hashed=0))
    assert full == quick._replace(hashed=4)  # a listing, its two files, the model
    assert quick.is_well
    assert look() == before


def test_runs_as_they_end_are_clean(world, exptrack):
    (world.folder / "fail.py").write_text("print('x' * 400_000); raise SystemExit(3)")
    exptrack("run", "-m", "a note\n\nand more", "-e", "digits", "--", sys.executable, "fail.py", "--a", "1")
    exptrack("run", "-S", "lr=0.5", "-t", "tag", "--", sys.executable, "train.py")
    exptrack("tag", "best", "one")
    exptrack("note", "two", "-m", "a note")
    assert world.found(full=True) == []
    assert world.project.verify().runs == 4


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_other_kinds_of_repository_are_clean(exptrack, git, tmp_path, object_format):
    folder = tmp_path / "other"
    git("init", "--quiet", f"--object-format={object_format}", folder)
    done = exptrack("run", "--name", "one", "--", "true", cwd=folder)  # there is no commit yet
    assert done.returncode == 0, done.stderr
    git("pack-refs", "--all", cwd=folder)
    git("gc", "--quiet", cwd=folder)
    assert Project(folder).verify(full=True)[:2] == ((), 1)


@pytest.mark.parametrize("words", [["--depth=1"], ["--filter=blob:none"]])
def test_what_a_clone_has_left_out_is_no_fault(world, git, tmp_path, words):
    world.git("config", "uploadpack.allowFilter", "true")
    git("clone", "--quiet", *words, f"file://{world.folder}", tmp_path / "clone")
    git("fetch", "--quiet", "origin", "refs/exptrack/*:refs/exptrack/*", cwd=tmp_path / "clone")
    world.share()
    (tmp_path / "clone" / ".dvc" / "config.local").write_text(f"['remote \"far\"']\n    url = {world.remote}\n")
    found = Project(tmp_path / "clone").verify()
    assert (found.findings, found.data) == ((), Data(remote=2))


def test_an_object_that_is_gone_is_named_with_the_runs_that_need_it(world, tmp_path):
    both = ("one", "two")
    needed = {
        "one": ("commit", ("one",)),
        "one^": ("commit", ("one",)),
        "one^^": ("commit", both),
        "one^{tree}": ("tree", ("one",)),
        "one:.exptrack": ("tree", ("one",)),
        "one:.exptrack/run.json": ("blob", ("one",)),
        "one:.exptrack/output.log": ("blob", both),
        "one:metrics.json": ("blob", both),
        "one:train.py": ("blob", both),
    }
    for spec, (kind, names) in needed.items():
        oid, path = world.oid(spec), world.object(spec)
        path.rename(tmp_path / "away")
        assert world.found() == [(ERROR, Check.OBJECTS, f"{kind} {oid[:10]}", names)], spec
        (tmp_path / "away").rename(path)
    assert world.found() == []


def test_an_object_that_is_gone_comes_back_as_the_advice_says(world, git, tmp_path):
    git("clone", "--quiet", "--bare", world.folder, tmp_path / "bare.git")
    git("fetch", "--quiet", world.folder, "refs/exptrack/*:refs/exptrack/*", cwd=tmp_path / "bare.git")
    world.object("one:train.py").unlink()
    [found] = world.project.verify().findings
    words = found.advice.split("`")[1].replace("REMOTE", str(tmp_path / "bare.git")).split(" ")
    subprocess.run(words, cwd=world.folder, check=True, capture_output=True)
    assert world.found() == []


def test_history_behind_the_base_is_looked_at(world):
    world.object("one^^^").unlink()
    [(severity, check, _, _)] = world.found()
    assert (severity, check) == (ERROR, Check.OBJECTS)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@example(place=8954, flip=1, is_raw=True)
@example(place=0, flip=1, is_raw=True)
@given(place=st.integers(0, 10**6), flip=st.integers(1, 255), is_raw=st.booleans())
def test_any_corruption_of_a_record_is_found(world, place, flip, is_raw):
    path = world.object("one:.exptrack/run.json")
    whole = path.read_bytes()

    def change(content):
        at = place % len(content)
        return content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :]

    try:
        if is_raw:
            replace(path, change(whole))
        else:
            spoil(path, change)
        found = world.found()
        if found:
            [(severity, _, _, names)] = found
            assert (severity, names) == (ERROR, ("one",))
        else:  # a bit that says nothing, such as that of the compression's level
            assert zlib.decompress(path.read_bytes()) == zlib.decompress(whole)
    finally:
        replace(path, whole)


def test_a_broken_environment_is_named_with_all_runs_that_share_it(world):
    spoil(world.object("one:.exptrack/environment.json"))
    assert world.found() == [(ERROR, Check.FILES, "one", ("one", "two"))]


def test_content_that_is_not_what_its_oid_says_is_found_by_a_full_check(world):
    oid = world.oid("one:train.py")
    spoil(world.object("one:train.py"))
    assert world.found() == []
    assert world.found(full=True) == [(ERROR, Check.OBJECTS, f"blob {oid[:10]}", ("one", "two"))]


def test_a_ref_that_was_moved_is_named(world):
    world.git("update-ref", world.ref("one"), world.oid("two"))
    assert world.found() == [(ERROR, Check.RECORD, "one", ("one",))]


def test_a_ref_at_a_commit_that_is_no_run_is_named(world):
    world.git("update-ref", world.ref("one"), world.oid("one^^"))
    assert world.found() == [(ERROR, Check.RECORD, "one", ("one",))]
    world.git("update-ref", world.ref("one"), world.oid("two:train.py"))
    assert world.found() == [(ERROR, Check.REF, "one", ("one",))]


def test_a_torn_ref_is_named(world):
    (world.folder / ".git" / world.ref("one")).write_text("")
    assert world.found() == [(ERROR, Check.REF, world.ref("one"), ("one",))]


@pytest.mark.parametrize(
    "place", ["refs/exptrack/runs/1999-01/one", "refs/exptrack/runs/one", "refs/exptrack/runs/2026-13/one"]
)
def test_a_run_in_another_place_is_named_and_the_advice_helps(world, place):
    world.git("update-ref", place, world.oid("one"))
    assert world.found() == [(ERROR, Check.REF, "one" if "1999" in place else place, ("one",))]
    if "1999" in place:
        world.git("update-ref", "-d", world.ref("one"))
        [found] = world.project.verify().findings
        subprocess.run(found.advice.split("`")[1], shell=True, cwd=world.folder, check=True)
        assert world.found() == []


def test_a_name_that_two_runs_have_is_named(world):
    record = json.loads(world.git("show", f"{world.ref('one')}:.exptrack/run.json"))
    forge(world, {**record, "name": "one", "started": "2026-01-31T12:00:00.000000Z"})
    assert world.found() == [(ERROR, Check.REF, "one", ("one",))]


def forge(world: World, record: dict, **changes: object) -> None:
    """A run of January 2026 as another tool makes it, with changes."""
    name = record["name"]
    enemy = Enemy(world.folder)
    code = changes.pop("code", {"params.yaml": "lr: 0.25\n"})
    snapshot = enemy.commit(
        code, *changes.pop("bases", [world.oid("two^^")]), message=changes.pop("snapshot", f"snapshot of {name}\n")
    )
    files = {
        "params.yaml": "lr: 0.25\n",
        "metrics.json": "{}\n",
        ".exptrack/run.json": json.dumps(record),
        ".exptrack/output.log": "",
        **changes.pop("files", {}),
    }
    message = f"{name}: by hand\n\nExptrack-Run: {name}\nExptrack-Status: {record.get('status')}\n"
    if "experiment" in record:
        message += f"Exptrack-Experiment: {record['experiment']}\n"
    kept = {path: content for path, content in files.items() if content is not None}
    oid = enemy.commit(
        kept, snapshot, *changes.pop("parents", []), message=str(changes.pop("message", message)).replace("NAME", name)
    )
    assert not changes
    world.git("update-ref", f"{runs.RUNS}2026-01/{name}", oid)


PLAIN = {"schema": 1, "status": "completed", "started": "2026-01-31T12:00:00.000000Z", "params": {}, "metrics": {}}


def test_runs_made_by_hand_are_judged_by_the_format(world):
    cases = [
        ({}, None),
        ({"record": {"experiment": "digits"}}, None),
        ({"record": {"links": {"copied_from": "other"}}, "snapshot": "snapshot of other\n"}, None),
        ({"record": {"schema": 99}}, Check.RECORD),
        ({"record": {"status": "splendid"}}, Check.RECORD),
        ({"record": {"project": "../elsewhere"}, "files": {}}, Check.RECORD),
        ({"record": {"data": [{"path": "a", "digest": "../../x", "source": "a.dvc"}]}}, Check.RECORD),
        ({"files": {".exptrack/run.json": None}}, Check.RECORD),
        ({"files": {".exptrack/run.json": " " * 17 * 1024 * 1024}}, Check.RECORD),
        ({"files": {".exptrack/output.log": None}}, Check.FILES),
        ({"files": {".exptrack/output.log": "x" * 2 * 1024 * 1024}}, Check.FILES),
        ({"files": {".exptrack/requirements.txt": "a==1\n"}}, Check.FILES),
        ({"files": {".exptrack/requirements.txt": "a==1\n", ".exptrack/environment.json": "[]"}}, Check.FILES),
        ({"files": {"params.yaml": None}}, Check.FILES),
        ({"files": {"metrics.json": None}}, Check.FILES),
        ({"record": {"stages": []}, "files": {"metrics.json": None}}, None),
        ({"snapshot": "snapshot of other\n"}, Check.OBJECTS),
        ({"snapshot": "fix a bug\n"}, Check.OBJECTS),
        ({"code": {".exptrack/run.json": "{}"}}, Check.OBJECTS),
        ({"message": "NAME: by hand\n\nExptrack-Run: other\nExptrack-Status: completed\n"}, Check.RECORD),
        ({"message": "NAME: by hand\n\nExptrack-Run: NAME\nExptrack-Status: failed\n"}, Check.RECORD),
        ({"message": "NAME: by hand\n"}, Check.RECORD),
        ({"message": "other: by hand\n\nExptrack-Run: NAME\nExptrack-Status: completed\n"}, Check.RECORD),
        ({"parents": ["one^^"]}, Check.OBJECTS),
        ({"bases": ["one^^", "one^^^"]}, Check.OBJECTS),
        ({"bases": []}, None),
    ]  # fmt: skip
    expected = {}
    for number, (changes, check) in enumerate(cases):
        name = f"hand{number}"
        given = {key: [world.oid(one) for one in some] for key, some in changes.items() if key in {"parents", "bases"}}
        record = {**PLAIN, "name": name, **changes.get("record", {})}
        forge(world, record, **{**{key: value for key, value in changes.items() if key != "record"}, **given})
        expected |= {name: (ERROR, check)} if check else {}
    found = world.found()
    assert {subject: (severity, check) for severity, check, subject, _ in found} == expected
    assert len(found) == len(expected)


def test_data_is_here_in_the_remote_or_nowhere(world):
    world.cached("model.bin").unlink()
    assert world.project.verify().data == Data(here=1, nowhere=1)
    [(severity, check, subject, names)] = world.found()
    assert (severity, check, names) == (ERROR, Check.DATA, ("one", "two"))
    assert subject.startswith("model.bin (md5:")
    assert world.found(offline=True) == [(NOTE, Check.DATA, "data", ("one", "two"))]
    assert world.project.verify(offline=True).data == Data(here=1, unknown=1)


def test_data_in_the_cache_of_another_work_tree_is_here(world, tmp_path):
    world.git("worktree", "add", "--quiet", str(tmp_path / "other"))
    other = World(Project(tmp_path / "other"), *world[1:])
    assert (other.found(full=True), other.project.verify().data) == ([], Data(here=2))
    replace(world.cached("model.bin"), b"x" * 12)
    assert [one[1:3] for one in other.found(full=True)] == [(Check.HASHES, str(world.cached("model.bin")))]


def test_data_that_only_a_remote_has_is_no_fault(world):
    world.share()
    shutil.rmtree(world.folder / ".dvc" / "cache")
    found = world.project.verify()
    assert (found.findings, found.data) == ((), Data(remote=2))
    for path in (world.remote / "files" / "md5").rglob("*"):
        if path.is_file() and path.stat().st_size == 100:
            path.unlink()
            break
    [(_, _, subject, names)] = world.found()
    assert (subject.partition(" ")[0], names) == ("images", ("one", "two"))


@pytest.mark.parametrize(
    ("config", "check", "severity"),
    [("", Check.DATA, ERROR), ("[core]\n    remote = none\n", Check.DATA, ERROR), ("[[[", Check.DATA, WARNING)],
)
def test_a_remote_that_is_not_there_is_told_from_one_that_cannot_be_asked(world, config, check, severity):
    world.cached("model.bin").unlink()
    (world.folder / ".dvc" / "config").write_text(config)
    [(found, where, _, names)] = world.found()
    assert (found, where, names) == (severity, check, ("one", "two"))


def test_who_has_the_data_is_told(world):
    world.cached("model.bin").unlink()
    [found] = world.project.verify().findings
    host = os.uname().nodename
    assert f"'two' was recorded by Ada Lovelace <ada@example.com> on {host}" in found.problem
    assert "`exptrack push two`" in found.advice
    assert "`exptrack reproduce two`" in found.advice


def test_data_that_was_not_there_when_it_ran_or_is_private_weighs_less(world):
    record = {
        **PLAIN,
        "name": "hand",
        "data": [
            {"path": "absent", "digest": "a" * 32, "source": "absent.dvc"},
            {"path": "private", "digest": "b" * 32, "source": "private.dvc", "modified": False, "is_private": True},
            {"path": "lost", "digest": "c" * 32, "source": "lost.dvc", "modified": True},
        ],
    }
    forge(world, record)
    found = {subject.partition(" ")[0]: severity for severity, _, subject, _ in world.found("hand")}
    assert found == {"absent": NOTE, "private": NOTE, "lost": ERROR}


def test_a_run_that_was_pushed_without_its_data_is_named(world):
    repository = world.project.context.repository
    author = annotation.make(AnnotationKind.UNSHARED, None, _identity(world))
    annotation.add(repository, _identity(world), [(world.project.run("one"), author)])
    assert world.found() == [(NOTE, Check.DATA, "one", ("one",))]
    assert world.project.verify().is_well


def _identity(world: World):
    from exptrack.backends.git.repository import find_identity

    return find_identity(world.project.context.repository)


def test_a_spoilt_file_of_the_cache_is_found_by_a_full_check_once(world):
    digest = add_to_cache(world.folder, world.folder / "images", world.folder).digest
    listing = json.loads((world.folder / ".dvc/cache/files/md5" / digest[:2] / digest[2:]).read_text())
    name = listing[0]["md5"]
    file = world.folder / ".dvc" / "cache" / "files" / "md5" / name[:2] / name[2:]
    status = file.stat()
    replace(file, b"x" * 100)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    file.chmod(stat.S_IMODE(status.st_mode))
    assert world.found() == []
    assert world.found(full=True) == [(ERROR, Check.HASHES, str(file), ("one", "two"))]
    assert world.project.verify(full=True).hashed == 4


def test_data_of_a_project_that_is_not_checked_out_is_told(world):
    shutil.rmtree(world.folder / ".dvc")
    assert world.found() == [(WARNING, Check.DATA, "data", ("one", "two"))]


def _sign_with_ssh(world: World, tmp_path: Path) -> Path:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    for name, value in {"gpg.format": "ssh", "user.signingKey": f"{key}.pub", "commit.gpgSign": "true"}.items():
        world.git("config", name, value)
    return key


def _tamper(world: World, name: str) -> None:
    """The same run with another message below the same signature."""
    ref = world.ref(name)
    content = world.git("cat-file", "commit", ref).replace("accuracy=0.75", "accuracy=0.99") + "\n"
    assert "0.99" in content
    world.git("update-ref", ref, world.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=content))


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_ssh_signatures_are_verified(world, exptrack, tmp_path):
    key = _sign_with_ssh(world, tmp_path)
    for name in ("signed", "forged"):
        assert exptrack("run", "--name", name, "--", sys.executable, "train.py").returncode == 0
    strange = [(NOTE, Check.SIGNATURE, name, (name,)) for name in ("forged", "signed")]
    assert world.found() == strange  # nobody has said whose key it is
    allowed = tmp_path / "allowed"
    allowed.write_text(f"ada@example.com {Path(f'{key}.pub').read_text()}")
    world.git("config", "gpg.ssh.allowedSignersFile", str(allowed))
    assert (world.found(), world.project.verify().signed) == ([], 2)
    _tamper(world, "forged")
    assert world.found() == [(ERROR, Check.SIGNATURE, "forged", ("forged",))]
    world.git("config", "--unset", "gpg.ssh.allowedSignersFile")
    assert world.found() == [(ERROR, Check.SIGNATURE, "forged", ("forged",)), strange[1]]


@pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed")
def test_openpgp_signatures_are_verified(world, exptrack, tmp_path, monkeypatch):
    home = tmp_path / "gpg"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    words = [
        "gpg",
        "--batch",
        "--quiet",
        "--passphrase",
        "",
        "--quick-generate-key",
        "Ada <ada@example.com>",
        "ed25519",
    ]
    made = subprocess.run([*words, "default", "never"], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("gpg cannot make a key here")
    world.git("config", "commit.gpgSign", "true")
    world.git("config", "user.signingKey", "ada@example.com")
    done = exptrack("run", "--name", "signed", "--", sys.executable, "train.py")
    assert (done.returncode, "unsigned" in done.stderr) == (0, False)
    assert (world.found(), world.project.verify().signed) == ([], 1)
    _tamper(world, "signed")
    assert world.found() == [(ERROR, Check.SIGNATURE, "signed", ("signed",))]
    monkeypatch.setenv("GNUPGHOME", str(tmp_path))  # where no key is
    assert world.found() == [(NOTE, Check.SIGNATURE, "signed", ("signed",))]
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, capture_output=True)


def test_a_lock_is_named_when_it_is_stale(world):
    git = ("packed-refs.lock", "packed-refs.new", "refs/exptrack/runs/2026-01/x.lock", "refs/notes/exptrack.lock")
    for place in (*(f".git/{one}" for one in git), ".dvc/tmp/rwlock"):
        path = world.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{")
        assert world.found() == []
        os.utime(path, (LONG_AGO, LONG_AGO))
        assert world.found() == [(WARNING, Check.LOCK, str(path), ())]
        assert "2 hours" in world.project.verify().findings[0].problem
        assert world.found("one") == []
        path.unlink()


def test_a_hard_linked_lock_of_dvc_is_stale_when_its_process_is_gone(world):
    path = world.folder / ".dvc" / "tmp" / "lock"
    path.parent.mkdir()
    gone = subprocess.Popen(["true"])
    gone.wait()
    for pid, expected in ((os.getpid(), []), (gone.pid, [(WARNING, Check.LOCK, str(path), ())])):
        path.write_text(f"{path}|{os.uname().nodename}|{pid}|123")
        assert world.found() == expected
    path.write_text(f" {gone.pid}\n")  # that of `zc.lockfile`, which stays
    assert world.found() == []


def test_a_run_that_died_is_named_and_so_is_what_it_left(world, exptrack):
    script = "import os, signal; os.kill(os.getppid(), signal.SIGKILL)"
    exptrack("run", "--name", "dead", "--", sys.executable, "-c", script)
    assert world.found() == [(WARNING, Check.LEFTOVER, "dead", ())]
    assert exptrack("recover").returncode == 0
    assert world.found() == []
    for name in ("one", "never"):
        world.git("update-ref", f"refs/exptrack/active/{name}", world.oid("one^"))
    left = [(WARNING, Check.LEFTOVER, f"refs/exptrack/active/{name}", ()) for name in ("never", "one")]
    assert world.found() == left
    exptrack("recover")
    assert world.found() == []


def test_a_ref_of_no_known_kind_is_mentioned(world):
    world.git("update-ref", "refs/exptrack/other/x", world.oid("one"))
    assert world.found() == [(NOTE, Check.REF, "refs/exptrack/other/x", ())]


def test_annotations_that_cannot_be_read_are_counted(world, exptrack):
    exptrack("tag", "best", "one", "two")
    world.git("notes", "--ref=refs/notes/exptrack", "add", "-m", "gone", world.oid("one^^"))
    found = world.project.verify()
    assert [(one.severity, one.check) for one in found.findings] == [(NOTE, Check.ANNOTATIONS)]
    assert "1 line is" in found.findings[0].problem
    world.git("notes", "--ref=refs/notes/exptrack", "remove", world.oid("one^^"))
    note = world.git("notes", "--ref=refs/notes/exptrack", "list", world.oid("one"))
    (world.folder / ".git" / "objects" / note[:2] / note[2:]).unlink()
    assert world.found() == [(ERROR, Check.ANNOTATIONS, "refs/notes/exptrack", ())]
    assert world.found("two") == []
    tree = world.git("rev-parse", "refs/notes/exptrack^{tree}")
    (world.folder / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    assert world.found() == [(ERROR, Check.ANNOTATIONS, "refs/notes/exptrack", ())]


def test_the_trash_is_looked_at_in_brief(world, exptrack):
    assert exptrack("rm", "-y", "one").returncode == 0
    assert world.found() == []
    assert world.project.verify().runs == 1
    [trash] = world.git("for-each-ref", "--format=%(refname)", "refs/exptrack/trash").split()
    oid = world.git("rev-parse", trash)
    old = f"{datetime.now(UTC) - timedelta(40):%Y%m%d}"
    world.git("update-ref", f"refs/exptrack/trash/{old}/one", oid)
    world.git("update-ref", "-d", trash)
    assert world.found() == [(NOTE, Check.TRASH, "trash", ())]
    world.git("update-ref", f"refs/exptrack/trash/{old}/other", oid)
    assert (NOTE, Check.TRASH, f"refs/exptrack/trash/{old}/other", ()) in world.found()
    world.git("update-ref", "-d", f"refs/exptrack/trash/{old}/other")
    world.git("update-ref", world.ref("one"), oid)
    assert world.found() == [(WARNING, Check.REF, "one", ("one",)), (NOTE, Check.TRASH, "trash", ())]
    (world.folder / "exptrack.yaml").write_text("keep: {trash: 50}\n")
    assert Project(world.folder).verify().findings[1:] == ()


def test_another_run_of_a_name_that_is_in_the_trash_is_no_fault(world, exptrack):
    exptrack("run", "--name", "two", "--", "true")
    exptrack("rm", "-y", "one")
    [trash] = world.git("for-each-ref", "--format=%(refname)", "refs/exptrack/trash").split()
    world.git("update-ref", trash.replace("/one", "/two"), trash)
    assert Check.REF not in {check for _, check, _, _ in world.found()}


def test_what_only_a_removed_run_lacks_weighs_less(world, exptrack):
    path, tree = world.object("one:.exptrack"), world.oid("one:.exptrack")
    path.unlink()
    assert exptrack("rm", "-y", "one").returncode == 0
    assert world.found() == [(WARNING, Check.OBJECTS, f"tree {tree[:10]}", ())]
    [found] = world.project.verify().findings
    subprocess.run(found.advice.split("`")[1].split(" "), cwd=world.folder, check=True)
    assert world.found() == []


def test_words_name_the_runs_that_are_looked_at(world):
    world.object("two:.exptrack/run.json").unlink()
    names = ("two",)
    assert world.found("one") == []
    assert [one[3] for one in world.found("two")] == [names]
    assert world.project.verify("one", "two").runs == 2
    assert world.project.verify("status = completed").runs == 1
    with pytest.raises(RevError):
        world.project.verify("three")
    with pytest.raises(RevError):
        world.project.verify("status = failed")
