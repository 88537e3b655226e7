"""`exptrack reproduce --environment recorded`: the packages that a run had are built again, and it is executed with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from wheels import make_wheel

TRAIN = """\
import json, first
json.dump({"loss": float(first.version)}, open("metrics.json", "w"))
"""


@pytest.fixture
def environ(tmp_path, monkeypatch):
    """A virtual environment of the user's, in which `first` is at 1.0; wheels in place of an index."""
    links = tmp_path / "links"
    make_wheel(links, "first", "1.0")
    make_wheel(links, "first", "2.0")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    path = [str(tmp_path / "venv" / "bin"), *(one for one in os.environ["PATH"].split(os.pathsep) if not has_uv(one))]
    settings = {
        "PATH": os.pathsep.join(path),
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(links),
    }
    return {**os.environ, **settings}


def has_uv(folder: str) -> bool:
    return (Path(folder) / "uv").exists()


def install(environ, version: str) -> None:
    venv = Path(environ["PATH"].split(os.pathsep)[0]).parent
    words = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        venv / "bin" / "python",
        "install",
        "--quiet",
        f"first=={version}",
    ]
    subprocess.run(words, env=environ, check=True, capture_output=True)


def test_a_run_is_executed_with_the_packages_that_it_had(exptrack, repository, environ, git):
    (repository / "train.py").write_text(TRAIN)
    install(environ, "1.0")
    assert exptrack("run", "--name", "one", "--", "python", "train.py", env=environ).returncode == 0
    install(environ, "2.0")

    found = json.loads(exptrack("reproduce", "one", "--json", env=environ).stdout)["reproductions"][0]
    changes = [
        (one["key"], one["old"], one["new"]) for one in found["differs"]["changes"] if one["area"] == "environment"
    ]
    assert changes == [(["packages", "first"], "1.0", "2.0")]
    assert found["reached"] is None
    assert found["nondeterministic"] is None

    words = ("reproduce", "one", "--environment", "recorded", "--require", "exact", "--json")
    done = exptrack(*words, env=environ)
    assert done.returncode == 0, done.stderr
    assert "building an environment with 1 package" in done.stderr
    found = json.loads(done.stdout)["reproductions"][0]
    assert found["environment"] == "recorded"
    assert [one for one in found["differs"]["changes"] if one["area"] == "environment"] == []

    (Path(environ["PIP_FIND_LINKS"]) / "first-1.0-py3-none-any.whl").unlink()
    assert "building" not in exptrack(*words, env=environ).stderr

    environments = repository / ".git" / "exptrack" / "environments"
    [built] = [path for path in environments.iterdir() if path.is_dir()]
    built.rename(repository.parent / "away")
    done = exptrack(*words, env=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert "first==1.0 cannot be installed" in done.stderr
    assert "`--environment present`" in done.stderr
    assert list((repository / ".git" / "exptrack" / "active").iterdir()) == []
    assert git("for-each-ref", "refs/exptrack/active", cwd=repository) == ""
