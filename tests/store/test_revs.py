"""What a user types finds the run that is meant, or says what it could mean."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha1

import pytest

from exptrack.analysis.codec import encode_record
from exptrack.backends.git.repository import find_identity, find_repository
from exptrack.errors import RecordError, RevError
from exptrack.model.annotation import AnnotationKind
from exptrack.model.run import Record, Run, Status
from exptrack.store.annotation import add, make
from exptrack.store.recorded import note_recorded
from exptrack.store.revs import find_ref, load

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def repo(repository):
    found = find_repository(repository)
    found.shared.mkdir()
    return found


@pytest.fixture
def save(repository, git, monkeypatch):
    """Make the commit and ref of a run by plain git; gives its oid. Each is committed a second after the one before."""
    seconds = [0]

    def call(name: str, *tags: str, month: str = "2026-01", content: bytes | None = None, stale: bool = False) -> str:
        record = encode_record(Record(name, Status.COMPLETED, START, tags=tags)) if content is None else content
        blob = git("hash-object", "-w", "--stdin", stdin=record.decode(), cwd=repository)
        inner = git("mktree", stdin=f"100644 blob {blob}\trun.json\n", cwd=repository)
        tree = git("mktree", stdin=f"040000 tree {inner}\t.exptrack\n", cwd=repository)
        seconds[0] += -10 if stale else 1
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"{1769860800 + seconds[0]} +0000")
        snapshot = git("commit-tree", "-m", f"snapshot of {name}", "-p", "HEAD", "HEAD^{tree}", cwd=repository)
        oid = git("commit-tree", "-m", name, "-p", snapshot, tree, cwd=repository)
        monkeypatch.delenv("GIT_COMMITTER_DATE")
        git("update-ref", f"refs/exptrack/runs/{month}/{name}", oid, cwd=repository)
        return oid

    return call


@pytest.fixture
def tag(repo):
    """Put a tag on a run after it ended; or, with the id of one, take it off."""

    def call(oid: str, word: str | None = None, removes: str = "") -> str:
        ada = find_identity(repo)
        kind = AnnotationKind.REMOVAL if removes else AnnotationKind.TAG
        annotation = make(kind, word, ada, [removes] if removes else [])
        add(repo, ada, [(Run(Record("any", Status.COMPLETED, START), oid, ""), annotation)])
        return annotation.id

    return call


def name_of(repo, rev: str) -> str:
    return find_ref(repo, rev)[0].rpartition("/")[2]


def test_a_name_comes_before_a_longer_name_and_a_tag(repo, save):
    save("one")
    save("one-more")
    save("other", "one")
    assert name_of(repo, "one") == "one"


def test_a_unique_prefix_comes_before_a_tag(repo, save):
    save("brave-otter-k3f9")
    save("calm-owl-1234", "brave")
    assert name_of(repo, "brave") == "brave-otter-k3f9"


def test_a_tag_comes_before_names_that_only_begin_with_it_and_before_an_oid(repo, save):
    save("best-1")
    save("best-2")
    oid = save("calm-owl-1234", "best")
    assert name_of(repo, "best") == "calm-owl-1234"
    save("tagged", oid[:6])
    assert name_of(repo, oid[:6]) == "tagged"


def test_the_beginning_of_an_oid_comes_last(repo, save):
    oid = save("one")
    assert find_ref(repo, oid) == ("refs/exptrack/runs/2026-01/one", oid)
    assert name_of(repo, oid[:4]) == "one"
    with pytest.raises(RevError, match=rf"^no run is named '{oid[:3]}'"):
        find_ref(repo, oid[:3])


def test_names_that_begin_alike_are_no_oid(repo, save):
    oid = save("one")
    save(f"{oid[:4]}-a")
    save(f"{oid[:4]}-b")
    with pytest.raises(
        RevError, match=rf"^'{oid[:4]}' is ambiguous: the names of 2 runs begin with it: give more of one$"
    ):
        find_ref(repo, oid[:4])


def test_a_tag_that_was_put_on_later_counts_until_it_is_taken_off(repo, save, tag):
    oid = save("one", "early")
    id_ = tag(oid, "late")
    assert name_of(repo, "late") == name_of(repo, "early") == "one"
    tag(oid, removes=id_)
    tag(oid, removes="start:tag:early")
    for word in ("late", "early"):
        with pytest.raises(RevError, match=rf"^no run is named '{word}'; `exptrack ls` lists them$"):
            find_ref(repo, word)


def test_an_ambiguous_rev_lists_its_candidates_the_one_that_started_last_first(repo, save, tag):
    older = Record("run-a", Status.FAILED, START.replace(hour=9), tags=("x",))
    first = save("run-a", content=encode_record(older))
    second = save("run-b-longer", "x")
    tag(second, "late")
    broken = save("run-c", content=b"{")
    with pytest.raises(
        RevError, match=r"^'run' is ambiguous: the names of 3 runs begin with it: give more of one$"
    ) as caught:
        find_ref(repo, "run")
    assert caught.value.hints[:3] == (
        "the candidates are:",
        f"  {second[:10]}  run-b-longer  2026-01-31 12:00  completed    x, late",
        f"  {first[:10]}  run-a         2026-01-31 09:00  failed       x",
    )
    assert caught.value.hints[3].startswith(f"  {broken[:10]}  run-c         cannot be read: broken record: not JSON")
    with pytest.raises(RevError, match=r"^'x' is ambiguous: 2 runs have this tag: give the name of one$"):
        find_ref(repo, "x")


def test_of_many_candidates_some_are_listed(repo, save):
    for number in range(23):
        save(f"run-{number:02}", "all")
    for rev in ("run", "all"):
        with pytest.raises(RevError) as caught:
            find_ref(repo, rev)
        assert len(caught.value.hints) == 22
        assert caught.value.hints[-1] == "  and 3 more"


def test_oids_that_begin_alike_are_told_apart(repo, save, git, repository):
    lines = git("cat-file", "commit", save("zebra"), cwd=repository)
    found: dict[str, str] = {}
    for number in range(100_000):
        text = f"{lines}\n{number}\n"
        oid = sha1(f"commit {len(text)}\0{text}".encode()).hexdigest()
        if oid[:4] in found:
            break
        found[oid[:4]] = text
    for name, content in (("apple", text), ("mango", found[oid[:4]])):
        git(
            "update-ref",
            f"refs/exptrack/runs/2026-01/{name}",
            git("hash-object", "-t", "commit", "-w", "--stdin", stdin=content, cwd=repository),
            cwd=repository,
        )
    with pytest.raises(
        RevError, match=rf"^'{oid[:4]}' is ambiguous: the oids of 2 runs begin with it: give more of one$"
    ):
        find_ref(repo, oid[:4])


def test_one_name_from_two_clones_is_told_apart_by_oid(repo, save):
    first, second = save("one", month="2026-01"), save("one", month="2026-02")
    with pytest.raises(RevError) as caught:
        find_ref(repo, "one")
    assert str(caught.value) == "'one' is ambiguous: 2 runs have this name, from several clones: give the oid of one"
    assert {line.split()[0] for line in caught.value.hints[1:]} == {first[:10], second[:10]}
    assert find_ref(repo, second[:10]) == ("refs/exptrack/runs/2026-02/one", second)


@pytest.mark.parametrize("word", ["plain", "ünï", 'quo"te', "back\\slash", "a/b", "数字"])
def test_a_tag_is_found_however_json_may_write_it(repo, save, tag, word):
    record = Record("one", Status.COMPLETED, START, tags=(word,))
    save("one", content=json.dumps({**json.loads(encode_record(record))}, ensure_ascii=True).encode())
    oid = save("two")
    assert name_of(repo, word) == "one"
    tag(oid, f"{word}-late")
    assert name_of(repo, f"{word}-late") == "two"


def test_a_word_elsewhere_in_a_record_is_no_tag(repo, save):
    record = Record(
        "one",
        Status.COMPLETED,
        START,
        note="best",
        command=("best",),
        experiment="best",
        params={"args": {"best": "best"}},
    )
    save("one", content=encode_record(record))
    with pytest.raises(RevError, match=r"^no run is named 'best'"):
        find_ref(repo, "best")


def test_an_unknown_rev_says_what_is_near(repo, save):
    save("brave-otter-k3f9")
    with pytest.raises(RevError, match=r"^no run is named 'brave-oter', did you mean 'brave-otter-k3f9'\?$"):
        find_ref(repo, "brave-oter")
    with pytest.raises(RevError, match=r"^no run is named 'BRAVE-OTTER-K3F9', did you mean 'brave-otter-k3f9'\?$"):
        find_ref(repo, "BRAVE-OTTER-K3F9")
    with pytest.raises(
        RevError, match=r"^no run is named '@x': `@` is the run that was recorded last, `@~1` the one before it$"
    ):
        find_ref(repo, "@x")


@pytest.mark.parametrize("rev", ["HEAD", "main", "HEAD^{commit}"])
def test_a_commit_of_git_is_no_run(repo, save, rev):
    save("zebra")
    with pytest.raises(RevError, match=r"^'.*' is a commit of Git and no run: `exptrack log .*` lists the runs on it$"):
        find_ref(repo, rev)


@pytest.mark.parametrize(
    "rev", ["", "..", ".", "/etc", "a/b", "*", "x" * 5000, "a\0b", "-x", "@@", "@~~", "@~x", "@~" + "9" * 5000]
)
def test_what_can_be_no_name_is_unknown(repo, save, rev):
    save("zebra")
    (repo.shared / "active").mkdir(parents=True)
    with pytest.raises(RevError, match=r"^no run is named "):
        find_ref(repo, rev)


def test_a_run_under_way_is_not_recorded_yet(repo):
    (repo.shared / "active" / "one").mkdir(parents=True)
    with pytest.raises(
        RevError, match=r"^'one' is not recorded yet: see `exptrack status`, or `exptrack recover` if it died$"
    ):
        find_ref(repo, "one")


def test_at_is_the_run_that_was_recorded_here_last(repo, save):
    for name in ("first", "second", "fetched", "third"):
        save(name)
        if name != "fetched":
            note_recorded(repo.shared, name)
    assert [name_of(repo, rev) for rev in ("@", "@~0", "@~", "@~1", "@~2")] == [
        "third", "third", "second", "second", "first",
    ]  # fmt: skip
    with pytest.raises(RevError, match=r"^'@~3': only 3 runs recorded here$"):
        find_ref(repo, "@~3")


@pytest.mark.parametrize("target", ["HEAD:train.py", "HEAD^{tree}", "missing"])
def test_the_latest_is_found_beside_a_ref_that_is_no_commit(repo, save, git, repository, target):
    save("zebra")
    save("apple")
    if target == "missing":
        (repository / ".git" / "refs" / "exptrack" / "runs" / "2026-01" / "odd").write_text("1" * 40 + "\n")
    else:
        git("update-ref", "refs/exptrack/runs/2026-01/odd", target, cwd=repository)
    assert [name_of(repo, rev) for rev in ("@", "@~1")] == ["apple", "zebra"]
    with pytest.raises(RevError, match=r"^'@~2': only 2 runs recorded here$"):
        find_ref(repo, "@~2")


def test_a_removed_run_is_not_counted(repo, save, git, repository):
    for name in ("first", "second"):
        save(name)
        note_recorded(repo.shared, name)
    git("update-ref", "-d", "refs/exptrack/runs/2026-01/second", cwd=repository)
    assert name_of(repo, "@") == "first"
    with pytest.raises(RevError, match=r"^'@~1': only 1 run recorded here$"):
        find_ref(repo, "@~1")


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\n", b"gone\n"])
def test_without_the_list_of_those_recorded_here_the_dates_of_the_commits_count(repo, save, content):
    save("zebra")
    save("apple")
    save("before", stale=True)
    if content is not None:
        (repo.shared / "recorded").write_bytes(content)
    assert [name_of(repo, rev) for rev in ("@", "@~1", "@~2")] == ["apple", "zebra", "before"]


def test_before_the_first_run_it_says_how_to_make_one(repo):
    with pytest.raises(RevError, match=r"^no run yet: make one with `exptrack run`$"):
        find_ref(repo, "@")


def test_a_run_is_loaded_with_its_snapshot_and_base(repo, save, git, repository):
    oid = save("one", "best")
    run = load(repo, "best")
    assert (run.name, run.oid, run.record.tags) == ("one", oid, ("best",))
    assert run.snapshot == git("rev-parse", f"{oid}^", cwd=repository)
    assert run.base == git("rev-parse", "HEAD", cwd=repository)


def test_a_run_without_a_base_has_none(repo, save, git, repository):
    oid = save("one")
    root = git("commit-tree", "-m", "snapshot", "HEAD^{tree}", cwd=repository)
    alone = git("commit-tree", "-m", "run", "-p", root, f"{oid}^{{tree}}", cwd=repository)
    git("update-ref", "refs/exptrack/runs/2026-01/one", alone, cwd=repository)
    run = load(repo, "one")
    assert (run.snapshot, run.base) == (root, None)


def test_a_broken_record_is_named_and_costs_the_others_nothing(repo, save):
    save("good", "best")
    save("broken", content=b"{")
    save("future", content=json.dumps({"schema": 99, "name": "future"}).encode())
    assert load(repo, "best").name == "good"
    with pytest.raises(
        RecordError,
        match=r"^run 'broken' cannot be read: .*; look at it with `git show refs/exptrack/runs/2026-01/broken`$",
    ):
        load(repo, "broken")
    with pytest.raises(RecordError, match=r"later version of exptrack"):
        load(repo, "future")


def test_a_record_is_that_of_its_own_name(repo, save):
    save("copy", content=encode_record(Record("one", Status.COMPLETED, START)))
    with pytest.raises(RecordError, match=r"^run 'copy' cannot be read: its record is that of 'one'"):
        load(repo, "copy")
