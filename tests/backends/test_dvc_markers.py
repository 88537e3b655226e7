"""Those who push to a DVC remote, and those who collect garbage in it, keep out of each other's way."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dvc.fs import LocalFileSystem

from exptrack.backends.dvc import markers
from exptrack.backends.dvc.remote import Remote
from exptrack.errors import DataError


@pytest.fixture
def remote(tmp_path, monkeypatch):
    from dvc.fs import localfs

    monkeypatch.setattr(markers, "_TRIES", 1)
    return Remote("store", localfs, str(tmp_path / "store"))


def _marks(remote: Remote) -> list[str]:
    return sorted(path.name for path in Path(remote.path).glob("exptrack/*"))


def test_several_push_at_once(remote):
    with markers.pushing(remote), markers.pushing(remote):
        assert len(_marks(remote)) == 2
    assert _marks(remote) == []


def test_nobody_pushes_while_somebody_collects(remote):
    with (
        markers.collecting(remote) as mark,
        pytest.raises(DataError, match=r"somebody collects garbage in the remote 'store' \(.+, since .+ UTC\)"),
        markers.pushing(remote),
    ):
        pass
    mark.check()
    assert _marks(remote) == []


def test_nobody_collects_while_somebody_pushes_or_collects(remote):
    with markers.pushing(remote), pytest.raises(DataError, match="somebody pushes to"), markers.collecting(remote):
        pass
    with (
        markers.collecting(remote),
        pytest.raises(DataError, match="somebody collects garbage in"),
        markers.collecting(remote),
    ):
        pass
    assert _marks(remote) == []


def test_the_mark_of_a_dead_process_is_in_nobodys_way(remote):
    # The change time of a local file cannot be set, so what the file system says is.
    mark = {"name": f"{remote.path}/exptrack/collecting-dead", "mtime": time.time() - 3600}
    assert _with_listing(remote, [mark]) is None
    assert _with_listing(remote, [{**mark, "mtime": time.time()}]) is not None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the process is not known to be of this machine")
def test_of_a_process_of_this_machine_it_is_known_at_once_that_it_died(remote):
    child = subprocess.Popen(["true"])
    child.wait()
    mark = Path(remote.path) / "exptrack" / "pushing-dead"
    with markers.pushing(remote):
        [own] = mark.parent.iterdir()
        fields = json.loads(own.read_text())
    mark.write_text(json.dumps({**fields, "pid": child.pid, "place": "another machine"}))
    with pytest.raises(DataError, match="somebody pushes"), markers.collecting(remote):
        pass
    mark.write_text(json.dumps({**fields, "pid": child.pid}))
    with markers.collecting(remote):
        assert not mark.exists()


def _with_listing(remote: Remote, entries: list) -> object:
    class Listed(LocalFileSystem):
        def ls(self, path, detail=False, **_):
            own = [{"name": f"{path}/{name}", "mtime": time.time()} for name in _marks(remote) if "dead" not in name]
            return own + entries

    try:
        with markers.pushing(remote._replace(fs=Listed())):
            return None
    except DataError as error:
        return error


def test_marks_of_pushes_stay_until_the_refs_are_there(remote):
    with markers.Claim() as claim:
        assert claim.put(remote) is None
        with pytest.raises(DataError, match="somebody pushes"), markers.collecting(remote):
            pass
        claim.check()
    with markers.collecting(remote):
        pass


def test_who_pushes_and_was_held_up_for_long_shows_no_run(remote, monkeypatch):
    with markers.Claim() as claim:
        claim.put(remote)
        now = time.time()
        monkeypatch.setattr(markers.time, "time", lambda: now + 400)
        with pytest.raises(DataError, match="held up, and somebody may collect garbage in the remote 'store'"):
            claim.check()


def test_who_was_held_up_for_long_deletes_nothing_more(remote, monkeypatch):
    with markers.collecting(remote) as mark:
        now = time.time()
        monkeypatch.setattr(markers.time, "time", lambda: now + 400)
        with pytest.raises(DataError, match="held up"):
            mark.check()


def test_who_cannot_leave_a_mark_is_told_why_and_gives_way(remote):
    folder = Path(remote.path, "exptrack")
    with markers.collecting(remote):
        [mark] = folder.iterdir()
        text = mark.read_text()
    unwritable = remote._replace(fs=_ReadOnly())
    with pytest.raises(DataError, match="the remote 'store' cannot be written"), markers.pushing(unwritable):
        pass
    with markers.Claim() as claim:
        assert "the remote 'store' cannot be written" in str(claim.put(unwritable))
        claim.check()
    folder.mkdir(exist_ok=True)
    mark.write_text(text)
    with markers.Claim() as claim, pytest.raises(DataError, match="somebody collects garbage"):
        claim.put(unwritable)


class _ReadOnly(LocalFileSystem):
    def pipe_file(self, *_):
        raise PermissionError


def test_a_remote_whose_folder_is_a_file_says_so(remote):
    Path(remote.path).touch()
    with pytest.raises(DataError, match="the remote 'store' cannot be written"), markers.pushing(remote):
        pass


def test_times_are_read_as_the_file_systems_give_them():
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    assert markers.written_at({"LastModified": moment}) == moment.timestamp()
    assert markers.written_at({"last_modified": moment.replace(tzinfo=None)}) == moment.timestamp()
    assert markers.written_at({"updated": "2026-01-02T00:00:00Z"}) == moment.timestamp()
    assert markers.written_at({"mtime": 5.0, "created": 7}) == 7
    assert markers.written_at({"size": 5, "mtime": "yesterday"}) is None
