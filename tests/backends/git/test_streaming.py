"""Objects come one after the other, and a git that fails or that nobody listens to leaves nothing behind."""

from __future__ import annotations

import os
import random
import threading

import pytest

from exptrack.backends.git import command
from exptrack.backends.git.objects import read_many
from exptrack.backends.git.repository import find_repository
from exptrack.errors import RepositoryError


@pytest.fixture
def here(repository):
    return find_repository(repository)


def store(here, data: bytes) -> str:
    return command.run(here.top, "hash-object", "-w", "--stdin", stdin=data).decode().strip()


def test_objects_come_in_their_order_and_missing_ones_are_none(here):
    blobs = [b"", b"\n", b"no end", b"a blob 3\n", os.urandom(3_000_000), b"\0"]
    oids = [store(here, blob) for blob in blobs]
    names = [*oids, "0" * 40, "HEAD:params.yaml", "HEAD:no such file", *oids]
    assert list(read_many(here, names)) == [*blobs, None, b"lr: 0.25\n", None, *blobs]


def test_many_names_and_much_content_do_not_wait_for_each_other(here):
    oid = store(here, b"x" * 2000)
    names = [random.Random(7).choice([oid, "f" * 40]) for _ in range(30_000)]
    assert [content and len(content) for content in read_many(here, names)] == [
        2000 if name == oid else None for name in names
    ]


def test_no_names_are_no_objects(here):
    assert list(read_many(here, [])) == []


def test_whoever_stops_early_leaves_no_process_and_no_thread(here):
    before = threading.active_count()
    oid = store(here, b"x" * 2000)
    stream = read_many(here, [oid] * 30_000)
    assert next(stream) == b"x" * 2000
    stream.close()
    assert threading.active_count() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_git_that_fails_is_an_error_that_says_why(here, tmp_path):
    with pytest.raises(RepositoryError, match="git cat-file ended after 0 of 1 objects: not a git repository"):
        list(read_many(here._replace(top=tmp_path), ["HEAD"]))
