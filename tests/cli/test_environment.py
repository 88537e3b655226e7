"""`exptrack environment`."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from packaging.requirements import Requirement

PYTHON = sys.executable


@pytest.fixture
def small(tmp_path, exptrack, look):
    """A run of a Python that has two packages of its own: one from an index, one from a folder."""
    venv = tmp_path / "venv"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", venv], check=True)
    [site] = venv.glob("lib/python*/site-packages")
    for name, version in (("Odd.Name", "1.0.post1"), ("local", "2")):
        info = site / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "direct_url.json").write_text('{"url": "file:///somewhere/local", "dir_info": {}}')
    assert exptrack("run", "--name", "one", "--", venv / "bin" / "python", "-c", "pass").returncode == 0
    interpreter = json.loads(look.file("one", ".exptrack/environment.json"))["interpreter"]
    return interpreter["version"]


def test_the_packages_are_printed_so_that_pip_can_read_them(exptrack, small):
    done = exptrack("environment", "one")
    assert done.returncode == 0
    assert done.stdout == (
        "# Written by exptrack. To rebuild these packages: pip install -r, or uv pip install -r.\n"
        f"# Python {small} (cpython)\n"
        "# local==2: installed from /somewhere/local; no index can give it back\n"
        "odd-name==1.0.post1\n"
    )
    assert done.stderr == (
        f"exptrack: 1 package of Python {small} (1 more, which no index has, as a comment); `-o requirements.txt` saves them\n"
    )


def test_they_are_written_to_a_file_that_is_never_lost(exptrack, repository, small):
    (repository / "sub").mkdir()
    done = exptrack("-C", "sub", "environment", "one", "-o", "requirements file.txt")
    assert (done.returncode, done.stdout) == (0, "")
    release = ".".join(small.split(".")[:3])
    assert done.stderr == (
        f"exptrack: 1 package of Python {small} (1 more, which no index has, as a comment); rebuild them: "
        f"`uv venv --python {release} && uv pip install -r 'requirements file.txt'`\n"
    )
    file = repository / "sub" / "requirements file.txt"
    assert file.read_text() == exptrack("environment").stdout
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    file.write_text("my own")
    file.chmod(0o640)
    done = exptrack("environment", "one", "-o", file)
    assert (done.returncode, done.stderr) == (
        2, f"exptrack: {file} exists: `--force` replaces it, or choose another place\n"
    )  # fmt: skip
    assert file.read_text() == "my own"
    assert exptrack("environment", "one", "--force", "-o", file).returncode == 0
    assert file.read_text().startswith("# Written by exptrack")
    assert file.stat().st_mode & 0o777 == 0o640


def test_what_is_no_file_is_left_alone(exptrack, repository, small):
    (repository / "folder").mkdir()
    os.mkfifo(repository / "pipe")
    (repository / "dangling").symlink_to("nowhere")
    for name, options, said in (
        ("folder", ["--force"], "exists: it is no regular file, or choose another place"),
        ("pipe", ["--force"], "exists: it is no regular file, or choose another place"),
        ("dangling", [], "exists: it is no regular file, or choose another place"),
        ("absent/x", [], f"cannot be written: No such file or directory: {repository / 'absent'}"),
    ):
        done = exptrack("environment", "one", *options, "-o", name)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
    assert (repository / "folder").is_dir()
    assert (repository / "pipe").is_fifo()
    assert exptrack("environment", "one", "--force").returncode == 2


def test_a_link_is_followed_when_it_is_replaced(exptrack, repository, small):
    (repository / "real").write_text("old")
    (repository / "link").symlink_to("real")
    assert exptrack("environment", "one", "-o", "link").returncode == 2
    assert exptrack("environment", "one", "-o", "link", "--force").returncode == 0
    assert (repository / "link").is_symlink()
    assert (repository / "real").read_text().startswith("# Written")


def test_json_is_all_of_the_environment(exptrack, look, small):
    done = exptrack("environment", "one", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == look.file("one", ".exptrack/environment.json")


def test_every_line_of_a_real_environment_can_be_read(exptrack):
    exptrack("run", "--name", "one", "--", PYTHON, "-c", "pass")
    lines = exptrack("environment", "one").stdout.splitlines()
    pinned = [Requirement(line) for line in lines if not line.startswith("#")]
    assert {"pytest", "dvc"} <= {one.name for one in pinned}
    assert all(one.url or str(one.specifier).startswith("==") for one in pinned)


def test_pip_rebuilds_what_it_says(exptrack, repository, tmp_path, look):
    pytest.importorskip("pip")
    wheels, venv = tmp_path / "wheels", tmp_path / "old"
    wheels.mkdir()
    make_wheel(wheels)
    for place in (venv, tmp_path / "new"):
        subprocess.run([PYTHON, "-m", "venv", "--without-pip", place], check=True)
    offline = ["--quiet", "--no-index", "--find-links", wheels, "--disable-pip-version-check"]

    def pip(place: object, *words: object) -> None:
        subprocess.run(
            [PYTHON, "-m", "pip", "--python", f"{place}/bin/python", "install", *offline, *words], check=True
        )

    pip(venv, "tiny==1.5")
    exptrack("run", "--name", "one", "--", venv / "bin" / "python", "-c", "import tiny; print(tiny.VALUE)")
    assert exptrack("environment", "one", "-o", tmp_path / "requirements.txt").returncode == 0
    pip(tmp_path / "new", "-r", tmp_path / "requirements.txt")
    exptrack("run", "--name", "two", "--", tmp_path / "new" / "bin" / "python", "-c", "import tiny; print(tiny.VALUE)")
    assert exptrack("show", "two", "--output").stdout == exptrack("show", "one", "--output").stdout == "42\n"
    assert exptrack("environment", "two").stdout == exptrack("environment", "one").stdout


def make_wheel(folder) -> None:
    import zipfile

    info = "tiny-1.5.dist-info"
    files = {
        "tiny.py": "VALUE = 42\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.5\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / "tiny-1.5-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
