"""No digest and no listing leads out of a cache or a remote."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from exptrack.analysis.dvcfiles import parse_pointers
from exptrack.backends.dvc.config import Cache
from exptrack.backends.dvc.folder import decode_listing
from exptrack.backends.dvc.remote import Remote
from exptrack.errors import DataError

DIGEST = "d41d8cd98f00b204e9800998ecf8427e"
BAD = ["../../x", "/etc/passwd", f"{DIGEST}/../x", "ab", "", "..", "\x1b[31m", "x" * 32]


@pytest.mark.parametrize("digest", BAD)
def test_what_is_no_digest_has_no_place(digest):
    remote = Remote("store", SimpleNamespace(join=lambda *parts: "/".join(parts)), "/remote")
    for place in (Cache(Path("/cache")).object, remote.object):
        for algorithm in ("md5", "md5-dos2unix"):
            with pytest.raises(DataError, match="do not trust") as raised:
                place(digest, algorithm)
            assert str(raised.value).isprintable()
    assert str(Cache(Path("/cache")).object(DIGEST, "md5")) == f"/cache/files/md5/d4/{DIGEST[2:]}"


@pytest.mark.parametrize(
    "path",
    ["../x", "/x", "a/../x", "a//x", ".", "", "a\0b", ".git/config", "a/.GIT/hooks/x", "git~1/x", ".g\u200cit/x", ".dvc/config", "\ud800"],
)  # fmt: skip
def test_a_listing_names_no_place_outside_and_nothing_that_git_or_dvc_obeys(path):
    with pytest.raises(ValueError):
        decode_listing(json.dumps([{"relpath": path, "md5": DIGEST}]).encode())


@pytest.mark.parametrize("digest", BAD)
def test_a_listing_has_digests(digest):
    with pytest.raises(ValueError):
        decode_listing(json.dumps([{"relpath": "a", "md5": digest}]).encode())


@pytest.mark.parametrize(
    "path", ["../x", "/x", ".git/config", "a/../.git/hooks/x", ".GIT/x", "git~1/x", ".dvc/config", ".dvc"]
)
def test_a_pointer_file_points_to_no_such_place(path):
    text = f"outs:\n- md5: {DIGEST}\n  hash: md5\n  path: {path}\n"
    assert parse_pointers("data.dvc", text) == ()
    assert (
        parse_pointers(
            "dvc.lock", f"schema: '2.0'\nstages:\n  a:\n    outs:\n    - {{path: {path}, hash: md5, md5: {DIGEST}}}\n"
        )
        == ()
    )
    assert parse_pointers("data.dvc", f"{text}wdir: ../outside\n") == ()


@pytest.mark.parametrize("digest", ["../../x", "/etc/passwd", "a/b", "'x y'"])
def test_a_pointer_file_with_another_digest_is_refused(digest):
    with pytest.raises(DataError, match="is no digest"):
        parse_pointers("data.dvc", f"outs:\n- md5: {digest}\n  hash: md5\n  path: x\n")
