from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.backends.dvc import dvc_file_text, ignore_line
from exptrack.model.data import Pointer

DIGEST = "1d23cc1e1e0e1d14ed27b2af15eaf5a4"
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1).filter(
    lambda name: name not in {".", ".."}
)
ODD_NAMES = [
    "plain",
    "with space",
    "a*b",
    "a?b",
    "[a]",
    "!a",
    "#a",
    "a#b",
    "a\\b",
    "trailing ",
    "trailing  ",
    " leading",
    "größe-数据.bin",
    "line\nend",
    "carriage\r",
    "tab\t",
    '"quoted"',
]


def test_the_text_is_what_dvc_writes():
    pointer = Pointer("models/model.pkl", DIGEST, size=12)
    assert dvc_file_text(pointer) == f"outs:\n- md5: {DIGEST}\n  size: 12\n  hash: md5\n  path: model.pkl\n"


def test_a_folder_says_how_many_files_it_has():
    pointer = Pointer("data", DIGEST + ".dir", size=12, files=3)
    assert dvc_file_text(pointer) == f"outs:\n- md5: {DIGEST}.dir\n  size: 12\n  nfiles: 3\n  hash: md5\n  path: data\n"


def test_a_pointer_of_dvc_2_stays_one():
    pointer = Pointer("data.csv", DIGEST, "md5-dos2unix", size=12)
    assert dvc_file_text(pointer) == f"outs:\n- md5: {DIGEST}\n  size: 12\n  path: data.csv\n"


@given(
    name=st.one_of(NAMES, st.from_regex(r"[A-Za-z0-9_.~-]+", fullmatch=True)),
    digest=st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
)
def test_the_text_is_the_same_as_from_dvcs_yaml(name, digest):
    from dvc.utils.serialize import dumps_yaml

    expected = dumps_yaml({"outs": [{"md5": digest, "size": 7, "hash": "md5", "path": name}]})
    assert dvc_file_text(Pointer(f"folder/{name}", digest, size=7)) == expected


@pytest.mark.parametrize("digest", ["12345678901234567890123456789012", "12345678901234567890e12345678901"])
def test_a_digest_that_looks_like_a_number_is_quoted(digest):
    assert f"md5: '{digest}'" in dvc_file_text(Pointer("data.csv", digest, size=7))


@pytest.mark.parametrize("name", ODD_NAMES)
def test_the_line_ignores_that_name_and_no_other(repository, name):
    (repository / ".gitignore").write_text(ignore_line(name) + "\n")
    (repository / name).mkdir()
    (repository / name / "file").touch()
    (repository / "sub").mkdir()
    (repository / "sub" / name).touch()
    (repository / "another").touch()
    command = ["git", "ls-files", "-z", "--others", "--exclude-standard"]
    found = subprocess.run(command, cwd=repository, capture_output=True, check=True).stdout.decode().split("\0")
    assert sorted(filter(None, found)) == sorted(["another", f"sub/{name}"])


@given(name=NAMES.filter(lambda name: "\n" not in name and "\r" not in name and not name.endswith(" ")))
def test_the_line_is_escaped_as_dvc_does(name):
    from scmrepo.git import GitWildMatchPattern

    assert ignore_line(name) == GitWildMatchPattern.escape(f"/{name}")
