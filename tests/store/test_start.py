"""What was known before the command started is read back as it was, and a file's state is known from its stamp."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exptrack.model.data import Omission, Pointer, Reason
from exptrack.model.run import Links, Record, Status
from exptrack.store.journal import claim
from exptrack.store.start import Start, is_written, read_start, stamp

# Any text that a path or an argument can hold: bytes that are no UTF-8 are lone low surrogates.
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF), max_size=6
)
MAYBE = st.none() | TEXTS
MANY = st.lists(TEXTS, max_size=2).map(tuple)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
SIZES = st.none() | st.integers(0, 2**50)
POINTERS = st.lists(
    st.builds(Pointer, TEXTS, TEXTS, st.just("md5"), SIZES, SIZES, TEXTS, MAYBE, st.none() | st.booleans()), max_size=2
).map(tuple)
RECORDS = st.fixed_dictionaries(
    {
        "name": TEXTS.filter(bool), "status": st.sampled_from(Status), "started": st.datetimes(timezones=st.just(UTC)), "author": TEXTS,
        "command": MANY, "experiment": MAYBE, "seed": st.none() | st.integers() | TEXTS, "note": MAYBE, "tags": MANY, "concurrent": MANY,
        "problems": MANY, "data": POINTERS, "params": st.dictionaries(TEXTS, st.dictionaries(TEXTS, VALUES, max_size=2), max_size=2),
        "links": MAYBE.map(lambda parent: Links(parent=parent)),
        "not_captured": st.lists(st.builds(Omission, TEXTS, st.sampled_from(Reason), SIZES, SIZES, MAYBE, st.booleans()), max_size=2).map(tuple),
    }
).map(lambda fields: Record(**fields))  # fmt: skip
STARTS = st.fixed_dictionaries(
    {
        "record": RECORDS, "snapshot": TEXTS, "top": TEXTS, "git_dir": TEXTS, "metric_files": MANY, "pointer_files": MANY, "outputs": MANY,
        "outs": MANY, "stamps": st.dictionaries(TEXTS, TEXTS, max_size=2), "primary": MAYBE, "params_text": MAYBE,
        "is_overridden": st.booleans(), "author": TEXTS, "committer": TEXTS, "is_signing": st.booleans(),
    }
).map(lambda fields: Start(**fields))  # fmt: skip
SMALL = Start(Record("one", Status.CRASHED, datetime(2026, 1, 31, tzinfo=UTC)), "1" * 40, "/top", "/git")


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(STARTS)
def test_what_is_saved_is_read_back(start):
    with tempfile.TemporaryDirectory() as folder:
        journal = claim(Path(folder), "one")
        journal.save_start(start)
        assert read_start(journal.folder) == start
        journal.close()


def test_without_the_file_there_is_nothing(tmp_path):
    assert read_start(tmp_path) is None


@pytest.fixture
def saved(tmp_path):
    journal = claim(tmp_path, "one")
    journal.save_start(SMALL)
    journal.close()
    return journal.folder / "start.json"


def test_a_field_of_a_later_version_is_ignored(saved):
    saved.write_text(json.dumps({**json.loads(saved.read_text()), "new": [1]}))
    assert read_start(saved.parent) == SMALL


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"record": {}}', '{"record": {"schema": 99, "name": "x"}}'])
def test_a_file_that_cannot_be_read_is_none(saved, content):
    saved.write_text(content)
    assert read_start(saved.parent) is None


def test_there_is_room_for_the_end_on_a_full_disk(saved):
    assert (saved.parent / "reserve").stat().st_blocks * 512 >= 64 * 1024


def test_a_stamp_changes_with_the_content_the_time_and_the_file_itself(tmp_path):
    path = tmp_path / "metrics.json"
    assert stamp(path) == ""
    path.write_text("{}")
    seen = [stamp(path)]
    path.write_text("[]")
    seen.append(stamp(path))
    os.utime(path, (1, 1))
    seen.append(stamp(path))
    path.rename(tmp_path / "old")
    path.write_text("[]")
    os.utime(path, (1, 1))
    seen.append(stamp(path))
    assert len(set(seen)) == len(seen)
    assert stamp(path) == seen[-1]


def test_a_link_has_the_stamp_of_itself_and_of_what_it_leads_to(tmp_path):
    (tmp_path / "folder").mkdir()
    for target in ("folder", "nowhere"):
        link = tmp_path / f"to-{target}"
        link.symlink_to(target)
        before = stamp(link)
        assert before != ""
        assert stamp(link) == before
        (tmp_path / target if target == "nowhere" else tmp_path / "folder" / "new").touch()
        assert stamp(link) != before


def test_a_link_below_a_folder_counts_as_itself_alone(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to("../far")
    before = stamp(tmp_path / "folder")
    (tmp_path / "far" / "new").touch()
    assert stamp(tmp_path / "folder") == before


def test_a_stamp_of_a_folder_changes_with_what_lies_below_and_not_with_its_own_time(tmp_path):
    folder = tmp_path / "model"
    (folder / "deep").mkdir(parents=True)
    before = stamp(folder)
    os.utime(folder, (1, 1))
    assert stamp(folder) == before
    (folder / "deep" / "new\nname").write_text("x")
    after = stamp(folder)
    assert after != before
    (folder / "deep" / "new\nname").write_text("y")
    assert stamp(folder) not in {before, after}


def test_a_file_is_written_if_it_is_there_and_no_longer_as_it_was(tmp_path):
    names = ("same", "changed", "gone", "new", "never")
    for name in names[:3]:
        (tmp_path / name).write_text("old")
    start = SMALL._replace(top=str(tmp_path), stamps={name: stamp(tmp_path / name) for name in names})
    (tmp_path / "changed").write_text("newer")
    (tmp_path / "gone").unlink()
    (tmp_path / "new").write_text("x")
    assert [name for name in names if is_written(start, name)] == ["changed", "new"]
    assert is_written(start, "changed")
    assert is_written(SMALL._replace(top=str(tmp_path)), "same"), "what was not looked at counts as new"
