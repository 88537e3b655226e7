"""What brings the libraries for DVC remotes, and for some options."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import metadata, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
FRAMEWORKS = {"huggingface", "keras", "lightgbm", "lightning", "optuna", "sklearn", "xgboost"}
OPTIONS = {"gpu", "parquet", "peers", "plot", *FRAMEWORKS}  # named where the options are that want them


def test_an_extra_is_called_as_dvc_calls_it_and_brings_the_dvc_that_exptrack_needs():
    theirs = set(metadata("dvc").get_all("Provides-Extra"))
    [needed] = [one for one in PROJECT["dependencies"] if one.startswith("dvc")]
    for name, brought in EXTRAS.items():
        if name not in {"dev", *OPTIONS}:
            assert name in theirs
            assert brought == [needed.replace("dvc", f"dvc[{name}]")]


def test_each_is_on_the_page():
    page = (ROOT / "docs" / "sharing.md").read_text(encoding="utf-8")
    assert {name for name in EXTRAS if f"[{name}]" not in page} == {"dev", *OPTIONS}
    pages = [one.read_text(encoding="utf-8") for one in (ROOT / "docs").glob("*.md")]
    assert all(any(f"exptrack[{name}]" in one for one in pages) for name in OPTIONS)


def test_every_package_that_the_two_commands_install_is_pinned():
    # Without its pin, pip tries hundreds of versions of boto3, for minutes.
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {canonicalize_name(re.split("==", line)[0]) for line in lines}
    waiting = [Requirement(one) for one in (*PROJECT["dependencies"], *EXTRAS["dev"])]
    seen, loose = set(), set()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        key = (name, frozenset(wanted.extras))
        if key in seen:
            continue
        seen.add(key)
        if name == "exptrack":
            waiting += [Requirement(one) for extra in wanted.extras for one in EXTRAS[extra]]
            continue
        loose |= {name} - pinned
        for line in requires(name) or ():
            one = Requirement(line)
            if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras)):
                waiting.append(one)
    assert loose <= {"setuptools"}  # which pip counts as its own
