from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from exptrack.backends.git import incoming, outgoing, transport
from exptrack.backends.git.remotes import find_remote
from exptrack.backends.git.repository import find_repository
from exptrack.errors import RepositoryError

RUNS = "refs/exptrack/runs/2026-11/"
NOTES = "refs/notes/exptrack"
# What a user may have set, and that would add to what is pushed or fetched, or change it.
MEDDLING = {
    "push.followTags": "true", "push.gpgSign": "true", "push.default": "matching", "push.pushOption": "ci.skip",
    "push.recurseSubmodules": "check", "push.useForceIfIncludes": "true", "remote.origin.mirror": "true",
    "remote.origin.push": "+refs/heads/*:refs/heads/*", "remote.origin.tagOpt": "--tags", "remote.origin.prune": "true",
    "remote.origin.pruneTags": "true", "fetch.prune": "true", "fetch.pruneTags": "true", "fetch.all": "true",
    "fetch.recurseSubmodules": "true", "submodule.recurse": "true", "fetch.writeCommitGraph": "true", "fetch.output": "compact",
    "core.logAllRefUpdates": "always", "color.ui": "always",
}  # fmt: skip
FETCHES = ("+refs/*:refs/*", "+refs/notes/*:refs/notes/*", "+refs/exptrack/*:refs/remotes/origin/exptrack/*")
PATIENCE = 60  # seconds until a test gives up on what must happen at some time


@pytest.fixture
def bare(tmp_path, git):
    git("init", "--bare", "--quiet", tmp_path / "runs.git")
    return tmp_path / "runs.git"


@pytest.fixture
def remote(repo, repository, bare, git):
    git("remote", "add", "origin", "../runs.git", cwd=repository)
    return find_remote(repo)


@pytest.fixture
def make(git, repository):
    """Make commits for so many runs, without refs; gives the refs that they should have, and their oids."""

    def call(count, start=0):
        head = git("rev-parse", "HEAD", cwd=repository)
        commits = "".join(
            f"reset refs/heads/making\ncommit refs/heads/making\nmark :{number}\ncommitter Ada <a@b> {1700000000 + number} +0000\n"
            f"data 3\nrun\nfrom {head}\nM 100644 inline n\ndata <<E\n{number}\nE\n\nget-mark :{number}\n"
            for number in range(start + 1, start + count + 1)
        )
        oids = git("fast-import", "--quiet", "--force", cwd=repository, stdin=commits).split()
        git("update-ref", "-d", "refs/heads/making", cwd=repository)
        return {f"{RUNS}run-{start + number:05}": oid for number, oid in enumerate(oids)}

    return call


@pytest.fixture
def refs(git):
    """All refs of a repository."""

    def call(folder):
        lines = git("for-each-ref", "--format=%(refname) %(objectname)", cwd=folder).splitlines()
        return dict(line.split(" ") for line in lines)

    return call


@pytest.fixture
def clone(bare, git, tmp_path):
    """A repository that has nothing of the remote yet."""
    folder = tmp_path / "clone"
    git("init", "--quiet", folder)
    git("remote", "add", "origin", "../runs.git", cwd=folder)
    return find_repository(folder)


@pytest.fixture
def state(refs):
    """What fetches and pushes must leave alone: everything but objects."""

    def call(folder):
        files = [path for path in (folder / ".git").rglob("*") if path.is_file() and "objects" not in path.parts]
        return refs(folder), {path: path.read_bytes() for path in files}

    return call


def install(hook, text):
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{text}\n")
    hook.chmod(0o755)


def has(folder, oid):
    return (
        subprocess.run(["git", "cat-file", "-e", oid], cwd=folder, check=False, stderr=subprocess.DEVNULL).returncode
        == 0
    )


@pytest.mark.parametrize(("count", "protocol"), [(3, 0), (transport._FEW + 1, 2)])
def test_refs_are_pushed_listed_and_fetched(count, protocol, repo, git, remote, make, bare, clone, refs, state):
    runs = make(count)
    for folder in (repo.top, clone.top):
        git("config", "protocol.version", protocol, cwd=folder)
    before = state(repo.top)
    assert transport.push_refs(repo, remote, runs, {}) == (tuple(runs), {})
    assert transport.push_refs(repo, remote, runs, {}) == (tuple(runs), {})
    assert state(repo.top) == before
    assert refs(bare) == runs == transport.list_remote(repo, remote)
    before = state(clone.top)
    transport.fetch_objects(clone, find_remote(clone), runs)
    assert state(clone.top) == before
    assert all(has(clone.top, oid) for oid in list(runs.values())[:3])
    assert not transport.push_refs(repo, remote, {}, runs).rejected
    assert refs(bare) == {}


def test_a_listing_is_exact(repo, remote, make, bare):
    oid = next(iter(make(1).values()))
    names = [
        "refs/exptrack/runs/2026-11/a",
        "refs/exptrack/runs/2026-12/a",
        "refs/heads/refs/exptrack/runs/2026-11/a",
        "refs/heads/a",
    ]
    transport.push_refs(repo, remote, dict.fromkeys(names, oid), {})
    assert transport.list_remote(repo, remote, "refs/exptrack/runs/2026-11/*") == {names[0]: oid}
    assert transport.list_remote(repo, remote, "refs/exptrack/runs/*", "refs/heads/a") == dict.fromkeys(
        [*names[:2], names[3]], oid
    )
    assert transport.list_remote(repo, remote, "a", NOTES) == {}


def test_the_remote_picks_what_matches(repo, remote, make, clone, state, bare, git):
    runs = make(3)
    other = {"refs/exptrack/runs/2026-12/x": next(iter(make(1, 3).values()))}
    transport.push_refs(repo, remote, {**runs, **other}, {})
    before = state(clone.top)
    source = find_remote(clone)
    assert transport.fetch_below(clone, source, [f"{RUNS}*"]) == runs
    assert not has(clone.top, *other.values())
    assert transport.fetch_below(clone, source, [f"{RUNS}*2", "refs/exptrack/*/x"]) == {
        f"{RUNS}run-00002": runs[f"{RUNS}run-00002"],
        **other,
    }
    assert transport.fetch_below(clone, source, ["refs/exptrack/runs/2027-*"]) == {}
    for ref in ("refs/heads/it's", "refs/tags/v1"):
        git("update-ref", ref, other["refs/exptrack/runs/2026-12/x"], cwd=bare)
    assert set(transport.fetch_below(clone, source, ["refs/heads/*", "refs/tags/*"])) == {
        "refs/heads/it's",
        "refs/tags/v1",
    }
    assert state(clone.top) == before
    with pytest.raises(RepositoryError, match="cannot fetch from origin"):
        transport.fetch_below(clone, source, ["refs/a*b*"])


def test_a_taken_name_is_rejected_and_nothing_of_its_batch_is_done(repo, remote, make, bare, refs):
    runs = make(40)
    taken = f"{RUNS}run-00007"
    transport.push_refs(repo, remote, {taken: runs[taken]}, {})
    other = make(1, 50)[f"{RUNS}run-00050"]
    for names in (list(runs)[:10], list(runs)):
        outcome = transport.push_refs(
            repo, remote, {name: other if name == taken else runs[name] for name in names}, {}
        )
        assert outcome == ((), {taken: f"the remote has it at {runs[taken]}"})
        assert refs(bare) == {taken: runs[taken]}
    assert transport.push_refs(repo, remote, runs, {}).done == tuple(runs)


def test_a_name_that_could_be_fast_forwarded_is_taken_too(repo, remote, repository, git, bare, refs):
    first = git("rev-parse", "HEAD", cwd=repository)
    git("commit", "--quiet", "--allow-empty", "-m", "second", cwd=repository)
    transport.push_refs(repo, remote, {f"{RUNS}a": first}, {})
    outcome = transport.push_refs(repo, remote, {f"{RUNS}a": git("rev-parse", "HEAD", cwd=repository)}, {})
    assert outcome == ((), {f"{RUNS}a": f"the remote has it at {first}"})
    assert refs(bare) == {f"{RUNS}a": first}


def test_a_delete_wants_the_ref_where_it_was_and_is_done_if_it_is_gone(repo, remote, make, bare, refs):
    runs = make(3)
    one, two, three = runs
    transport.push_refs(repo, remote, runs, {})
    outcome = transport.push_refs(repo, remote, {}, {one: runs[one], f"{RUNS}gone": runs[two], two: runs[three]})
    assert outcome == ((f"{RUNS}gone",), {two: f"the remote has it at {runs[two]}"})
    assert transport.push_refs(repo, remote, {}, {f"{RUNS}gone": runs[two], one: runs[one]}) == (
        (f"{RUNS}gone", one),
        {},
    )
    assert transport.push_refs(repo, remote, {}, {one: runs[one]}) == ((one,), {})
    assert refs(bare) == {two: runs[two], three: runs[three]}


def test_many_refs_go_in_batches(repo, remote, make, bare, refs, monkeypatch):
    monkeypatch.setattr(transport, "_BATCH", 40)
    monkeypatch.setattr(transport, "_LETTERS", 35 * len(f"{RUNS}run-00000"))
    runs = make(100)
    taken = f"{RUNS}run-00050"
    transport.push_refs(repo, remote, {taken: runs[f"{RUNS}run-00000"]}, {})
    outcome = transport.push_refs(repo, remote, runs, {})
    assert len(outcome.done) == 65
    assert list(outcome.rejected) == [taken]
    assert len(refs(bare)) == 66


def test_notes_are_swapped_by_what_they_were(repo, remote, make, bare, refs):
    one, two, three = make(3).values()
    assert transport.push_notes(repo, remote, NOTES, one, None)
    assert not transport.push_notes(repo, remote, NOTES, two, None)
    assert not transport.push_notes(repo, remote, NOTES, three, two)
    assert refs(bare) == {NOTES: one}
    assert transport.push_notes(repo, remote, NOTES, two, one)
    assert transport.push_notes(repo, remote, NOTES, two, two)
    assert refs(bare) == {NOTES: two}


def test_a_remote_without_atomic_pushes_takes_refs_one_by_one(repo, remote, make, bare, refs, git):
    git("config", "receive.advertiseAtomic", "false", cwd=bare)
    runs = make(4)
    assert transport.push_refs(repo, remote, runs, {}).done == tuple(runs)
    more = make(2, 10)
    taken = next(iter(runs))
    outcome = transport.push_refs(repo, remote, {**more, taken: next(iter(more.values()))}, {})
    assert outcome == (tuple(more), {taken: f"the remote has it at {runs[taken]}"})
    assert refs(bare) == {**runs, **more}


def test_somebody_quicker_is_seen_and_tried_again(repo, remote, make, bare, refs):
    runs = make(2)
    one, two = runs
    # Both see the same remote, and the other is done first: here between what the client saw and what the server does.
    meanwhile = 'unset GIT_QUARANTINE_PATH; [ -e done ] || git update-ref "{}" {}; touch done'
    install(bare / "hooks" / "pre-receive", meanwhile.format(one, runs[one]))
    assert transport.push_refs(repo, remote, runs, {}).done == (one, two)
    (bare / "done").unlink()
    other = make(2, 10)
    name = next(iter(other))
    install(bare / "hooks" / "pre-receive", meanwhile.format(name, runs[one]))
    outcome = transport.push_refs(repo, remote, other, {})
    assert outcome == ((), {name: f"the remote has it at {runs[one]}"})
    assert refs(bare) == {**runs, name: runs[one]}


def test_what_a_user_has_set_for_his_own_pushes_and_fetches_changes_nothing(
    repo, remote, repository, make, bare, git, refs, state, clone
):
    git("tag", "-a", "-m", "a tag", "v1", cwd=repository)
    runs = make(40)
    for folder in (repository, clone.top):
        for key, value in MEDDLING.items():
            git("config", key, value, cwd=folder)
        for refspec in FETCHES:
            git("config", "--add", "remote.origin.fetch", refspec, cwd=folder)
    git("update-ref", NOTES, next(iter(runs.values())), cwd=repository)
    git("tag", "mine", runs[f"{RUNS}run-00001"], cwd=repository)
    before = state(repository)
    few = dict(list(runs.items())[:2])
    assert transport.push_refs(repo, remote, few, {}).done == tuple(few)
    assert transport.push_refs(repo, remote, runs, {}).done == tuple(runs)
    assert transport.push_notes(repo, remote, NOTES, runs[f"{RUNS}run-00002"], None)
    assert transport.push_refs(repo, remote, {}, few).done == tuple(few)
    assert state(repository) == before
    left = {name: oid for name, oid in runs.items() if name not in few}
    assert refs(bare) == {**left, NOTES: runs[f"{RUNS}run-00002"]}
    git("tag", "theirs", runs[f"{RUNS}run-00003"], cwd=bare)
    git("update-ref", "refs/heads/main", runs[f"{RUNS}run-00003"], cwd=bare)
    (clone.top / ".git" / "FETCH_HEAD").write_text("mine\n")
    git(
        "update-ref",
        "refs/remotes/origin/gone",
        git("hash-object", "-wt", "blob", "--stdin", cwd=clone.top, stdin="x"),
        cwd=clone.top,
    )
    before = state(clone.top)
    source = find_remote(clone)
    transport.fetch_objects(clone, source, {f"{RUNS}run-00005": runs[f"{RUNS}run-00005"]})
    assert transport.fetch_below(clone, source, [f"{RUNS}*"]) == left
    assert state(clone.top) == before


def test_hooks_of_the_user_run_on_a_push(repo, remote, repository, make):
    install(repository / ".git" / "hooks" / "pre-push", 'echo "$1 $(wc -l) $(git rev-parse --git-dir)" >> ../pushed')
    transport.push_refs(repo, remote, make(2), {})
    transport.push_refs(repo, remote, make(40, 10), {})
    assert (repository.parent / "pushed").read_text() == "origin 2 .git\norigin 40 .git\n"


def test_what_a_hook_leaves_running_holds_nothing_up(repo, remote, repository, make):
    install(repository / ".git" / "hooks" / "pre-push", "sleep 40 & echo $! > ../pid")
    began = time.monotonic()
    transport.push_refs(repo, remote, make(1), {})
    assert time.monotonic() - began < 40
    os.kill(int((repository.parent / "pid").read_text()), signal.SIGTERM)


def test_what_killed_pushes_and_fetches_left_is_swept_away(repo, remote, make, refs, repository, git):
    runs = make(40)
    oid = next(iter(runs.values()))
    old, new = (f"{outgoing._PLACE}{int(time.time()) - age}-ab/exptrack/x" for age in (4000, 100))
    git("update-ref", old, oid, cwd=repository)
    git("update-ref", new, oid, cwd=repository)
    folder = repo.shared / "fetch-ab"
    folder.mkdir(parents=True)
    (repo.private / f"outgoing-{int(time.time()) - 4000}-ab" / "exptrack").mkdir(parents=True)
    transport.push_refs(repo, remote, runs, {})
    transport.fetch_below(repo, remote, [f"{RUNS}*"])
    assert set(refs(repository)) == {"refs/heads/main", new}
    assert [path.name for path in repo.shared.iterdir()] == ["fetch-ab"]
    os.utime(folder, (1, 1))
    transport.fetch_below(repo, remote, [f"{RUNS}*"])
    assert [path.name for path in repo.shared.iterdir() if path.name.startswith(incoming._PREFIX)] == []


def test_many_refs_go_also_where_git_keeps_its_own_in_another_way(repo, remote, make, refs, repository, bare):
    (repository / ".git" / "reftable").mkdir()
    runs = make(40)
    assert set(transport.push_refs(repo, remote, runs, {}).done) == set(runs)
    assert refs(bare) == runs
    assert set(refs(repository)) == {"refs/heads/main"}


def test_of_many_refs_one_whose_commit_is_not_here_is_told(repo, remote, make, refs, repository, bare):
    with pytest.raises(RepositoryError, match=f"bad object {'1' * 40}"):
        transport.push_refs(repo, remote, {**make(40), f"{RUNS}lost": "1" * 40}, {})
    assert refs(bare) == {}
    assert set(refs(repository)) == {"refs/heads/main"}


def test_a_broken_object_is_refused_and_the_others_come(repo, remote, make, bare, clone, git, state):
    runs = make(5)
    transport.push_refs(repo, remote, runs, {})
    blob = git("hash-object", "-w", "--stdin", cwd=bare, stdin="x")
    raw = b"100644 ..\0" + bytes.fromhex(blob)
    words = ["git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin"]
    tree = subprocess.run(words, cwd=bare, input=raw, capture_output=True, check=True).stdout.decode().strip()
    bad = f"{RUNS}bad"
    git("update-ref", bad, git("commit-tree", "-m", "x", tree, cwd=bare), cwd=bare)
    source = find_remote(clone)
    listed = transport.list_remote(clone, source)
    with pytest.raises(
        RepositoryError, match=r"cannot fetch from origin \(\.\./runs\.git\): object \w+: hasDotdot: contains '\.\.'"
    ):
        transport.fetch_objects(clone, source, listed)
    for fetch in (
        lambda refused: transport.fetch_objects(clone, source, listed, refused=refused),
        lambda refused: transport.fetch_below(clone, source, [f"{RUNS}*"], refused=refused),
    ):
        refused: dict[str, str] = {}
        assert fetch(refused) in (None, runs)
        assert list(refused) == [bad]
        assert "hasDotdot" in refused[bad]
        assert all(has(clone.top, oid) for oid in runs.values())


def test_names_that_cannot_be_beside_each_other_do_not_stop_a_fetch(repo, remote, make, bare, clone, state, git):
    install(clone.top / ".git" / "hooks" / "reference-transaction", "exit 1")
    runs = make(3)
    transport.push_refs(repo, remote, runs, {})
    git("pack-refs", "--all", cwd=bare)
    odd = dict(zip((f"{RUNS}a", f"{RUNS}a/b", f"{RUNS}{'x' * 300}"), runs.values(), strict=True))
    lines = [f"{oid} {ref}\n" for ref, oid in sorted({**runs, **odd}.items())]
    (bare / "packed-refs").write_text("# pack-refs with: peeled fully-peeled sorted \n" + "".join(lines))
    before = state(clone.top)
    refused: dict[str, str] = {}
    assert transport.fetch_below(clone, find_remote(clone), [f"{RUNS}*"], refused=refused) == {**runs, **odd}
    assert refused == {}
    assert all(has(clone.top, oid) for oid in runs.values())
    assert state(clone.top) == before


def test_a_quirk_of_old_history_is_no_reason_to_refuse(remote, bare, clone, git):
    tree = git("hash-object", "-t", "tree", "-w", "/dev/null", cwd=bare)
    text = f"tree {tree}\nauthor A <a@b> 1112911993 -7734343\ncommitter A <a@b> 1112911993 +051800\n\nold\n"
    oid = git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", cwd=bare, stdin=text)
    git("update-ref", f"{RUNS}old", oid, cwd=bare)
    assert transport.fetch_below(clone, find_remote(clone), [f"{RUNS}*"]) == {f"{RUNS}old": oid}
    assert has(clone.top, oid)


class Listener:
    def __init__(self):
        self.tasks = []

    def begin(self, task, total=None, *, is_bytes=False):
        self.tasks.append([task, total, 0])

    def advance(self, done):
        self.tasks[-1][2] += done


def test_progress_is_told_task_by_task(repo, remote, make, clone):
    runs = make(40)
    said = Listener()
    transport.push_refs(repo, remote, runs, {}, said)
    told = {task: (total, done) for task, total, done in said.tasks}
    assert told["writing objects"][0] == told["writing objects"][1] >= 80
    said = Listener()
    source = find_remote(clone)
    transport.fetch_objects(clone, source, runs, said)
    assert {total == done for _, total, done in said.tasks if total} == {True}
    assert "receiving objects" in [task for task, _, _ in said.tasks] or "unpacking objects" in [
        task for task, _, _ in said.tasks
    ]


CALL = """
import sys; from pathlib import Path
from exptrack.backends.git import transport; from exptrack.backends.git.remotes import find_remote
from exptrack.backends.git.repository import find_repository; from exptrack.errors import RepositoryError
repo = find_repository(Path(sys.argv[1]))
try: print(transport.push_refs(repo, find_remote(repo), {sys.argv[2]: sys.argv[3]}, {}).done)
except KeyboardInterrupt: print("interrupted")
except RepositoryError as error: print(error)
"""


def start(repo, ref, oid, **options):
    words = [sys.executable, "-c", CALL, str(repo.top), ref, oid]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


@pytest.mark.parametrize("is_group", [True, False])
def test_an_interrupt_ends_git_first_and_goes_up(is_group, repo, remote, repository, make, bare, refs):
    install(repository / ".git" / "hooks" / "pre-push", "echo on > ../on; exec sleep 60")
    [(ref, oid)] = make(1).items()
    child = start(repo, ref, oid, start_new_session=True)
    until((repository.parent / "on").exists)
    (os.killpg if is_group else os.kill)(child.pid, signal.SIGINT)
    assert child.communicate(timeout=PATIENCE)[0] == "interrupted\n"
    assert refs(bare) == {}
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)  # the hook, if we alone were told


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_push_in_the_background_asks_for_nothing(repo, repository, git, make, tmp_path, monkeypatch):
    """And ssh is told so, unless the user has a command of his own for it."""
    bin_ = tmp_path / "bin"
    install(bin_ / "ssh", 'echo "$*" >> ../asked; exit 1')
    monkeypatch.setenv("PATH", f"{bin_}:{os.environ['PATH']}")
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "0")
    git("remote", "add", "origin", "ssh://git@host.invalid/x.git", cwd=repository)
    remote, runs = find_remote(repo), make(1)
    for _ in range(2):
        with pytest.raises(RepositoryError, match="cannot push to origin"):
            transport.push_refs(repo, remote, runs, {})
        git("config", "core.sshCommand", "ssh -v", cwd=repository)
    asked = [line for line in (tmp_path / "asked").read_text().splitlines() if "git-receive-pack" in line]
    assert asked == [
        "-o BatchMode=yes git@host.invalid git-receive-pack '/x.git'",
        "-v git@host.invalid git-receive-pack '/x.git'",
    ]


def test_a_repository_of_another_kind_is_shared_as_well(tmp_path, git, refs):
    """SHA-256, from a linked work tree of a shallow clone whose folder has odd letters."""
    git("init", "--bare", "--quiet", "--object-format=sha256", tmp_path / "code.git")
    git("init", "--quiet", "--object-format=sha256", "first")
    git("remote", "add", "origin", "../code.git", cwd=tmp_path / "first")
    for number in range(3):
        git("commit", "--quiet", "--allow-empty", "-m", str(number), cwd=tmp_path / "first")
    git("push", "--quiet", "origin", "HEAD:main", cwd=tmp_path / "first")
    place = tmp_path / 'ö "q" \''
    git("clone", "--quiet", "--depth=1", "--branch=main", f"file://{tmp_path}/code.git", place)
    git("worktree", "add", "--quiet", "--detach", tmp_path / "linked", cwd=place)
    git("commit", "--quiet", "--allow-empty", "-m", "run", cwd=tmp_path / "linked")
    oid = git("rev-parse", "HEAD", cwd=tmp_path / "linked")
    repo = find_repository(tmp_path / "linked")
    remote = find_remote(repo)
    names = {f"{RUNS}{number:03}": oid for number in range(40)}
    assert transport.push_refs(repo, remote, names, {}).done == tuple(names)
    assert transport.push_refs(repo, remote, names, {}).done == tuple(names)
    other = find_repository(tmp_path / "first")
    assert transport.fetch_below(other, find_remote(other), [f"{RUNS}*"]) == names
    assert git("log", "--format=%s", oid, cwd=tmp_path / "first") == "run\n2\n1\n0"
    shallow = find_repository(place)
    assert transport.fetch_below(shallow, find_remote(shallow), [f"{RUNS}*"]) == names
    assert transport.push_refs(repo, remote, {}, names).done == tuple(names)


def test_a_partial_clone_gets_runs_whole(bare, remote, repo, make, git, tmp_path):
    git("config", "uploadpack.allowFilter", "true", cwd=bare)
    base = git("rev-parse", "HEAD", cwd=repo.top)
    git("push", "--quiet", "origin", f"{base}:refs/heads/main", cwd=repo.top)
    git("clone", "--quiet", "--filter=blob:none", f"file://{bare}", tmp_path / "partial")
    runs = make(3)
    transport.push_refs(repo, remote, runs, {})
    partial = find_repository(tmp_path / "partial")
    assert transport.fetch_below(partial, find_remote(partial), [f"{RUNS}*"]) == runs
    bare.rename(tmp_path / "away")
    assert [git("cat-file", "-p", f"{oid}:n", cwd=partial.top) for oid in runs.values()] == ["1", "2", "3"]


def test_a_submodule_is_a_repository_like_any_other(bare, remote, repo, make, git, tmp_path):
    git("push", "--quiet", "origin", "HEAD:refs/heads/main", cwd=repo.top)
    git("init", "--quiet", tmp_path / "super")
    git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", bare, "sub", cwd=tmp_path / "super")
    runs = make(40)
    transport.push_refs(repo, remote, runs, {})
    sub = find_repository(tmp_path / "super" / "sub")
    assert transport.fetch_below(sub, find_remote(sub), [f"{RUNS}*"]) == runs
    names = {f"{ref}-copy": oid for ref, oid in runs.items()}
    assert transport.push_refs(sub, find_remote(sub), names, {}).done == tuple(names)


def test_a_shallow_remote_is_no_source_of_runs(repo, remote, make, git, tmp_path, state):
    runs = make(1)
    transport.push_refs(repo, remote, {**runs, "refs/heads/main": next(iter(runs.values()))}, {})
    git("clone", "--quiet", "--bare", "--depth=1", f"file://{tmp_path}/runs.git", "shallow.git")
    git("init", "--quiet", "empty")
    git("remote", "add", "origin", f"file://{tmp_path}/shallow.git", cwd=tmp_path / "empty")
    empty = find_repository(tmp_path / "empty")
    before = state(empty.top)
    match = r"shallow roots are not allowed to be updated; the remote is a shallow clone: run `git fetch --unshallow` in it$"
    with pytest.raises(RepositoryError, match=match):
        transport.fetch_objects(empty, find_remote(empty), runs)
    with pytest.raises(RepositoryError, match=match):
        transport.fetch_below(empty, find_remote(empty), ["refs/heads/*"])
    refused: dict[str, str] = {}
    assert transport.fetch_below(empty, find_remote(empty), ["refs/heads/*"], refused=refused) == {}
    assert refused == {"refs/heads/main": "the remote has only a part of its history"}
    assert state(empty.top) == before
