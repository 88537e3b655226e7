"""A removed run is never lost: it lies in the trash under a tombstone, and comes back as it was."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from witness import put_git_in_front, until

from exptrack.analysis.codec import encode_record
from exptrack.backends.git.importing import format_files
from exptrack.errors import ExptrackError, NameTakenError, QueryError, RecordError, RepositoryError, RevError
from exptrack.model.run import BrokenRun, Links, Record, Status
from exptrack.operations.active import look
from exptrack.operations.remove import choose, list_removed, remove, restore
from exptrack.project import Project
from exptrack.store import revs, runs, trash

PERSON = b"Ada Lovelace <ada@example.com>"
STARTED = datetime(2026, 1, 31, 12, tzinfo=UTC)

COUNT = 25  # runs that are removed together
# A git that kills its parent before or after it did its work, if it is the one whose turn it is.
KILLING_GIT = """
set -o noclobber
turn=1
until true > "$folder/turns/$turn"; do turn=$((turn + 1)); done 2> /dev/null
if [ "$turn-$when" = "$last-before" ]; then kill -9 $PPID; exit 1; fi
"$git" "$@"
status=$?
if [ "$turn-$when" = "$last-after" ]; then kill -9 $PPID; fi
exit $status
"""


@pytest.fixture
def save(repository, git):
    """Put runs on their refs, all at once; gives their oids."""

    def call(*names: str, month: str | None = None, **fields: object) -> list[str]:
        stream = []
        for mark, name in enumerate(names, 1):
            record = Record(name, **{"status": Status.COMPLETED, "started": STARTED, **fields})
            ref = f"{runs.RUNS}{month}/{name}" if month else runs.ref_of(name, STARTED)
            head = b"commit %s\nmark :%d\ncommitter %s 1769860800 +0000\ndata %d\n%s\n"
            stream.append(head % (ref.encode(), mark, PERSON, len(name), name.encode()))
            stream.append(format_files({runs.RECORD: encode_record(record)}) + b"\n")
        subprocess.run(["git", "fast-import", "--quiet"], cwd=repository, input=b"".join(stream), check=True)
        where = f"{runs.RUNS}{month or '2026-01'}"
        return [git("rev-parse", f"{where}/{name}", cwd=repository) for name in names[:5]]

    return call


@pytest.fixture
def told():
    return []


@pytest.fixture
def context(repository, told):
    return Project(repository, notice=told.append).context


@pytest.fixture
def listing(repository, git):
    """The refs below a prefix, with their oids, and the lines of all notes."""

    def call(prefix: str = "refs/exptrack") -> dict[str, str]:
        lines = git("for-each-ref", "--format=%(refname) %(objectname)", prefix, cwd=repository).splitlines()
        return dict(line.split() for line in lines)

    return call


@pytest.fixture
def lines(repository, git):
    def call(oid: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in git("notes", "--ref=exptrack", "show", oid, cwd=repository).splitlines()]

    return call


def today() -> str:
    return f"{datetime.now(UTC):%Y%m%d}"


def test_a_run_goes_into_the_trash_under_a_tombstone(save, context, listing, lines):
    one, two = save("one", "two")
    assert remove(context, choose(context, ["one"]), " it was wrong ") == ("one",)
    assert listing() == {f"refs/exptrack/trash/{today()}/one": one, "refs/exptrack/runs/2026-01/two": two}
    [line] = lines(one)
    assert (line["kind"], line["value"], line["author"]) == ("tombstone", "it was wrong", PERSON.decode())
    [removed] = list_removed(context)
    assert (removed.name, removed.oid, removed.by, removed.reason) == ("one", one, PERSON.decode(), "it was wrong")
    assert removed.last_day == trash.day_of(removed.ref) + timedelta(30)


def test_it_comes_back_as_it_was(save, context, listing, lines):
    [one, _] = save("one", "two")
    before = listing()
    remove(context, choose(context, ["one", "two"]))
    assert restore(context, ["two", one[:7]]) == ("two", "one")
    assert listing() == before
    stone, removal = lines(one)
    assert (stone["kind"], removal["kind"], removal["removes"]) == ("tombstone", "removal", [stone["id"]])
    assert not revs.load(context.repository, "one").is_removed
    assert list_removed(context) == ()


def test_removed_again_it_carries_a_new_tombstone(save, context, lines):
    [one] = save("one")
    for _ in range(2):
        remove(context, choose(context, ["one"]))
        restore(context, ["one"])
    remove(context, choose(context, ["one"]))
    assert [line["kind"] for line in lines(one)] == ["tombstone", "removal", "tombstone", "removal", "tombstone"]
    assert len(list_removed(context)) == 1


def test_what_somebody_else_removed_gets_no_second_tombstone(save, context, listing, lines, git, repository):
    [one] = save("one")
    remove(context, choose(context, ["one"]))
    git("update-ref", "refs/exptrack/runs/2026-01/one", one, cwd=repository)
    git("update-ref", "-d", f"refs/exptrack/trash/{today()}/one", cwd=repository)
    run = revs.load(context.repository, "one")
    assert run.is_removed, "as after a fetch"
    assert remove(context, [run]) == ("one",)
    assert listing() == {f"refs/exptrack/trash/{today()}/one": one}
    assert len(lines(one)) == 1


def test_what_somebody_else_removed_can_be_kept_without_removing_it(save, context, listing, git, repository):
    [one] = save("one")
    remove(context, choose(context, ["one"]))
    git("update-ref", "refs/exptrack/runs/2026-01/one", one, cwd=repository)
    git("update-ref", "-d", f"refs/exptrack/trash/{today()}/one", cwd=repository)
    assert restore(context, ["one"]) == ("one",)
    assert not revs.load(context.repository, "one").is_removed
    assert listing() == {"refs/exptrack/runs/2026-01/one": one}


def test_words_are_revs_and_queries(save, context):
    save("one", "two", metrics={"loss": 1.0})
    save("three", metrics={"loss": 9.0})
    assert [run.name for run in choose(context, ["metrics.loss > 5", "one", "three"])] == ["three", "one"]
    assert choose(context, ["metrics.loss > 10"]) == ()
    with pytest.raises(ExptrackError, match=r"^a query is one word, so quote it: exptrack rm 'metrics.loss > 5'$"):
        choose(context, ["metrics.loss", ">", "5"])
    with pytest.raises(QueryError):
        choose(context, ["metrics.los > 5"])


def test_a_mistake_in_one_word_removes_nothing(save, context, listing):
    save("one")
    before = listing()
    with pytest.raises(RevError, match="no run is named 'oen'"):
        choose(context, ["one", "oen"])
    assert listing() == before


def test_what_was_removed_already_is_only_told(save, context, told):
    save("one", "two")
    remove(context, choose(context, ["one"]))
    assert [run.name for run in choose(context, ["one", "two"])] == ["two"]
    assert told == ["'one' was removed already: `exptrack rm --restore one` brings it back"]


def test_two_runs_of_one_name_have_each_a_place_in_the_trash(save, context, listing):
    [one] = save("one")
    [other] = save("one", month="2026-02", seed=2)
    remove(context, choose(context, [one[:10], other[:10]]))
    kept = listing()
    assert set(kept.values()) == {one, other}
    assert [ref.rpartition("/")[2] for ref in kept] == ["one", "one"]
    with pytest.raises(RevError, match=r"^'one': 2 removed runs are meant by it, give the oid of one$") as caught:
        restore(context, ["one"])
    assert {hint.split()[0] for hint in caught.value.hints[1:]} == {one[:10], other[:10]}
    with pytest.raises(NameTakenError, match="have the same name"):
        restore(context, [one, other])
    assert listing() == kept
    assert restore(context, [one[:10]]) == ("one",)
    with pytest.raises(NameTakenError, match=rf"^another run is named 'one' by now \({one[:10]}\)"):
        restore(context, [other[:10]])


def test_a_run_under_way_is_refused_with_the_way_to_end_it(repository, context, tmp_path):
    words = [
        sys.executable,
        "-m",
        "exptrack",
        "run",
        "--name",
        "one",
        "--",
        "sh",
        "-c",
        'read line < "$0"',
        tmp_path / "gate",
    ]
    subprocess.run(["mkfifo", tmp_path / "gate"], check=True)
    shared = context.repository.shared
    with subprocess.Popen(words, cwd=repository, stderr=subprocess.PIPE) as child, (tmp_path / "gate").open("w"):
        until(lambda: look(shared, "one").pid is not None)
        with pytest.raises(RevError, match=r"^'one' is under way: end it with `kill \d+`, and remove it when"):
            choose(context, ["one"])
    assert child.returncode is not None
    assert remove(context, choose(context, ["one"])) == ("one",)


def test_a_journal_that_was_left_is_tidied_up_before_its_run_is_removed(repository, context, save, listing):
    save("one")
    (repository / ".git" / "exptrack" / "active" / "one").mkdir(parents=True)
    before = listing()
    with pytest.raises(ExptrackError, match=r"^'one' has a journal that waits for `exptrack recover`: run that first$"):
        remove(context, choose(context, ["one"]))
    assert listing() == before


def test_a_stale_lock_is_named_and_loses_nothing(save, context, listing, repository):
    [one] = save("one")
    lock = repository / ".git" / "packed-refs.lock"
    lock.touch()
    with pytest.raises(
        RepositoryError, match=rf"^refs/exptrack/runs/2026-01/one cannot be deleted: .*remove {lock}, and try"
    ) as caught:
        remove(context, choose(context, ["one"]))
    assert "\n" not in str(caught.value)
    assert listing() == {"refs/exptrack/runs/2026-01/one": one, f"refs/exptrack/trash/{today()}/one": one}
    lock.unlink()
    assert remove(context, choose(context, ["one"])) == ("one",)
    assert listing() == {f"refs/exptrack/trash/{today()}/one": one}


def test_what_is_no_run_can_be_taken_away_and_does_not_come_back(save, context, listing, git, repository):
    head, tree = git("rev-parse", "HEAD", "HEAD^{tree}", cwd=repository).split()
    git("update-ref", "refs/exptrack/runs/2026-01/odd", head, cwd=repository)
    git("update-ref", "refs/exptrack/runs/2026-01/tree", tree, cwd=repository)
    chosen = choose(context, ["odd", "tree"])
    assert all(isinstance(run, BrokenRun) for run in chosen)
    assert remove(context, chosen) == ("odd", "tree")
    assert set(listing().values()) == {head, tree}
    assert all(ref.startswith("refs/exptrack/trash/") for ref in listing())
    for name in ("odd", "tree"):
        with pytest.raises(RecordError, match=rf"^'{name}' has no record that can be read, so it does not come back"):
            restore(context, [name])


def test_a_run_under_anothers_name_does_not_come_back(save, context, git, repository):
    [one] = save("one")
    git("update-ref", f"refs/exptrack/trash/{today()}/two", one, cwd=repository)
    with pytest.raises(RecordError, match=r"^'two' has the record of 'one', so it does not come back"):
        restore(context, ["two"])


@pytest.mark.parametrize("word", ["oen", "", "*", "..", "refs/exptrack/trash"])
def test_what_is_not_in_the_trash_is_named(save, context, word, listing):
    save("one", "two")
    remove(context, choose(context, ["one"]))
    before = listing()
    with pytest.raises(RevError, match=r"^no removed run is named '"):
        restore(context, ["one", word])
    with pytest.raises(RevError, match=r"^'two' is not removed$"):
        restore(context, ["two"])
    assert listing() == before


def test_links_to_a_removed_run_stay_as_they_are(save, context):
    save("one")
    save("two", links=Links(reproduces="one", parent="one"))
    remove(context, choose(context, ["one"]))
    assert revs.load(context.repository, "two").record.links.reproduces == "one"


def test_a_reason_holds_no_credential_and_forges_no_claim(save, context, lines):
    [one] = save("one")
    with pytest.raises(ExptrackError, match="would forge a trailer"):
        remove(context, choose(context, ["one"]), "Exptrack-Run: one")
    remove(context, choose(context, ["one"]), "https://ada:secret@example.com")
    assert lines(one)[0]["value"] == "https://***@example.com"


def test_only_refs_of_exptrack_are_touched(save, context, git, repository):
    save("one")
    ours = ("refs/exptrack", "refs/notes")
    before = _others(git, repository, ours)
    index = (repository / ".git" / "index").read_bytes()
    remove(context, choose(context, ["one"]))
    restore(context, ["one"])
    assert _others(git, repository, ours) == before
    assert (repository / ".git" / "index").read_bytes() == index
    assert git("status", "--porcelain", cwd=repository) == ""


def _others(git, repository, ours) -> list[str]:
    return [line for line in git("for-each-ref", cwd=repository).splitlines() if not any(one in line for one in ours)]


def test_a_thousand_runs_take_few_processes(save, context, listing, tmp_path, monkeypatch):
    save(*(f"run-{number}" for number in range(1000)))
    calls = tmp_path / "calls"
    environ = put_git_in_front(tmp_path / "front", f'echo . >> {calls}\nexec "$git" "$@"\n')
    monkeypatch.setenv("PATH", environ["PATH"])
    chosen = choose(context, ["status = completed"])
    assert len(remove(context, chosen)) == 1000
    assert len(calls.read_text().split()) < 40
    assert len(listing("refs/exptrack/trash")) == 1000
    assert listing("refs/exptrack/runs") == {}
    assert len(list_removed(context)) == 1000


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("verb", ["remove", "restore"])
def test_killed_at_any_step_the_next_one_completes(verb, when, save, context, listing, git, repository, tmp_path):
    names = [f"run-{number}" for number in range(COUNT)]
    save(*names)
    oids = {ref.rpartition("/")[2]: oid for ref, oid in listing().items()}
    words = [sys.executable, "-m", "exptrack", "rm"]
    words += ["-y", "status = completed"] if verb == "remove" else ["--restore", *names]
    if verb == "restore":
        remove(context, choose(context, ["status = completed"]))
    start, refs = listing("refs"), ("refs/exptrack/trash", "refs/exptrack/runs")
    states = set()
    for last in range(1, 100):
        bench = tmp_path / f"bench-{last}"
        (bench / "turns").mkdir(parents=True)
        head = f"folder={bench}\nlast={last}\nwhen={when}\n"
        environ = put_git_in_front(tmp_path / "front", head + KILLING_GIT)
        done = subprocess.run(words, cwd=repository, env=environ, capture_output=True, text=True, check=False)
        kept = {(ref.rpartition("/")[2], oid) for ref, oid in listing().items()}
        assert kept == set(oids.items()), "a run was lost"
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stderr
        states.add((*(len(listing(prefix)) for prefix in refs), not listing("refs/notes").items() <= start.items()))
        again = subprocess.run(words, cwd=repository, capture_output=True, text=True, check=False)
        assert again.returncode == (2 if states >= {(0, COUNT, True)} else 0), again.stderr
        assert {(ref.rpartition("/")[2], oid) for ref, oid in listing(refs[verb == "restore"]).items()} == kept
        assert listing(refs[verb == "remove"]) == {}
        assert len(list_removed(context)) == (COUNT if verb == "remove" else 0)
        assert _count_lines(git, repository) == (COUNT, COUNT if verb == "restore" else 0)
        _set_refs(git, repository, listing("refs"), start)
    first, last = ((0, COUNT), (COUNT, 0)) if verb == "remove" else ((COUNT, 0), (0, COUNT))
    assert states >= {(*first, False), (COUNT, COUNT, False), (COUNT, COUNT, True)}
    assert (*last, True) in states or when == "before"


def _count_lines(git, repository) -> tuple[int, ...]:
    """How many tombstones and removals there are."""
    lines = git("grep", "-h", "kind", "refs/notes/exptrack", cwd=repository).splitlines()
    return tuple(
        sum(f'"kind":"{kind}"' in line.replace(" ", "") for line in lines) for kind in ("tombstone", "removal")
    )


def _set_refs(git, repository, now: dict[str, str], then: dict[str, str]) -> None:
    lines = [f"delete {ref}\n" for ref in now.keys() - then.keys()]
    lines += [f"update {ref} {oid}\n" for ref, oid in then.items()]
    git("update-ref", "--stdin", stdin="".join(lines), cwd=repository)
