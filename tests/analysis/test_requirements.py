"""Packages as a requirements file."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from exptrack.analysis.requirements import format_requirements, normalise
from exptrack.model.environment import Interpreter, Package

PYTHON = Interpreter("/usr/bin/python3", "3.11.7", "cpython", "command")
HEADER = "# Written by exptrack. To rebuild these packages: pip install -r, or uv pip install -r.\n# Python 3.11.7 (cpython)\n"


def lines(*packages: Package) -> str:
    text = format_requirements(packages, PYTHON)
    assert text.startswith(HEADER)
    return text.removeprefix(HEADER)


def test_packages_are_pinned_and_sorted_by_normalised_name() -> None:
    assert lines(
        Package("PyYAML", "6.0.2"),
        Package("numpy", "1.26.4"),
        Package("pip", "24.0"),
        Package("A.b", "1"),
        Package("a-c", "2"),
    ) == ("A.b==1\na-c==2\nnumpy==1.26.4\npip==24.0\nPyYAML==6.0.2\n")


def test_a_package_from_a_repository_names_its_commit() -> None:
    assert lines(
        Package("a", "1.0", url="git+https://example.com/a.git", commit="c0ffee"),
        Package("b", "1.0", url="git+https://example.com/mono.git#subdirectory=b", commit="c0ffee"),
        Package("c", "1.0", url="git+ssh://git@example.com/c.git", commit="c0ffee"),
    ) == (
        "a @ git+https://example.com/a.git@c0ffee\n"
        "b @ git+https://example.com/mono.git@c0ffee#subdirectory=b\n"
        "c @ git+ssh://git@example.com/c.git@c0ffee\n"
    )


def test_an_archive_is_named_by_its_address() -> None:
    assert (
        lines(Package("a", "1.0", url="https://example.com/a.whl#sha256=abc"))
        == "a @ https://example.com/a.whl#sha256=abc\n"
    )


def test_masked_credentials_are_left_to_those_who_have_them() -> None:
    assert lines(Package("a", "1.0", url="git+https://***@example.com/a.git", commit="c0ffee")) == (
        "a @ git+https://example.com/a.git@c0ffee\n"
    )


def test_a_local_package_is_a_comment_that_says_so() -> None:
    assert lines(
        Package("app", "0.1", url="/home/ada/app", commit="c0ffee", dirty=True, editable=True),
        Package("lib", "0.2", url="/home/ada/lib"),
        Package("old", "", editable=True),
        Package("repo", "0.3", url="git+file:///home/ada/repo", commit="c0ffee"),
    ) == (
        "# app==0.1: used in place from /home/ada/app, commit c0ffee, with uncommitted changes; no index can give it back\n"
        "# lib==0.2: installed from /home/ada/lib; no index can give it back\n"
        "# old: used in place from an unknown folder; no index can give it back\n"
        "# repo==0.3: installed from git+file:///home/ada/repo, commit c0ffee; no index can give it back\n"
    )


def test_a_version_that_pip_refuses_does_not_spoil_the_file() -> None:
    assert lines(Package("a", "unknown"), Package("b", ""), Package("c", "1.0+cu121"), Package("d", "2024a")) == (
        "# a==unknown: not a version that pip can read\n# b: not a version that pip can read\nc==1.0+cu121\nd==2024a\n"
    )


def test_an_origin_that_is_no_address_is_a_comment() -> None:
    assert lines(Package("a", "1.0", url=""), Package("b", "1.0", url="odd\nevil==1.0")) == (
        "# a==1.0: installed from an unknown folder; no index can give it back\n"
        "# b==1.0: installed from odd\\nevil==1.0; no index can give it back\n"
    )


def test_without_a_python_the_file_says_so() -> None:
    assert format_requirements((), None).endswith("# No Python was found.\n")


TEXT = st.text(max_size=12)


@given(
    st.lists(
        st.builds(
            Package,
            name=TEXT | st.sampled_from(["numpy", "scikit_learn"]),
            version=TEXT | st.sampled_from(["1.0", "1!2.0rc1.post2.dev3+x.y", "1.0-1"]),
            url=st.none()
            | TEXT
            | TEXT.map(lambda text: f"git+https://example.com/{text}")
            | TEXT.map(lambda text: f"/{text}"),
            commit=st.none() | st.just("c0ffee") | TEXT,
            dirty=st.none() | st.booleans(),
            editable=st.booleans(),
        ),
        max_size=4,
    )
)
def test_every_line_is_a_comment_or_can_be_read(packages: list[Package]) -> None:
    text = format_requirements(packages, PYTHON)
    rows = text.splitlines()
    assert len(rows) == len(packages) + 2
    for row in rows:
        if not row.startswith("# "):
            Requirement(row)


@given(st.text(alphabet="aB-_.", min_size=1))
def test_normalising_twice_changes_nothing(name: str) -> None:
    assert normalise(normalise(name)) == normalise(name)


def test_pip_installs_from_the_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "indexed-1.0-py3-none-any.whl", "w") as wheel:
        info = "indexed-1.0.dist-info"
        wheel.writestr("indexed.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: indexed\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    packages = [
        Package("indexed", "1.0"),
        Package("local", "1.0", url="/home/ada/local", editable=True),
        Package("bad", "unknown"),
    ]
    file = tmp_path / "requirements.txt"
    file.write_text(format_requirements(packages, PYTHON))
    options = [
        "--no-index",
        "--find-links",
        str(tmp_path),
        "--disable-pip-version-check",
        "--target",
        str(tmp_path / "target"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", *options, "-r", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "target" / "indexed.py").exists()
