"""What the documentation says is so: links, lists, tables, examples and man pages are compared with the code."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from itertools import takewhile
from pathlib import Path

import pytest
from pages import blocks, code, named, prose, read, table

import exptrack
from exptrack.analysis.annotationlines import encode_annotation
from exptrack.analysis.arguments import parse_arguments
from exptrack.analysis.codec import encode_environment, encode_record
from exptrack.analysis.experiments.declaration import KEYS
from exptrack.analysis.history import path_of
from exptrack.analysis.secrets import mask, mask_arguments, mask_tree
from exptrack.analysis.secretshapes import TOKENS
from exptrack.analysis.settings import parse_settings, parse_size
from exptrack.analysis.yaml12 import load_yaml
from exptrack.cli import COMMANDS, parse
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.checking import Bar
from exptrack.model.data import Omission, Pointer, Reason
from exptrack.model.environment import Environment, Gpu, Hardware, Interpreter, Package, Platform
from exptrack.model.pipeline import StageRun, StageState
from exptrack.model.run import Links, Record, Status
from exptrack.model.seeding import Seeding
from exptrack.model.settings import (
    ENVIRONMENT_VARIABLES,
    SECRET_PATTERNS,
    Capture,
    Keep,
    Limits,
    MetricDeclaration,
    Settings,
)

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("benchmarks/*.md"), *ROOT.glob(".dvc-example/*.md")]
)
FORMAT, CAPTURE, ARCHITECTURE = ROOT / "docs" / "format.md", ROOT / "docs" / "capture.md", ROOT / "ARCHITECTURE.md"


def slug(title: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


class TestLinks:
    @pytest.mark.parametrize("page", PAGES, ids=named)
    def test_every_link_leads_somewhere(self, page):
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            other = (page.parent / path).resolve() if path else page
            assert other.exists(), f"{target} is not there"
            if anchor:
                titles = re.findall(r"^#+ (.+)$", prose(other), re.MULTILINE)
                assert anchor in {slug(title) for title in titles}, f"{target}: no such heading"

    def test_every_page_can_be_reached_from_the_readme(self):
        reached, waiting = set(), [ROOT / "README.md"]
        while waiting:
            page = waiting.pop()
            if page in reached or page.suffix != ".md":
                continue
            reached.add(page)
            links = re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", prose(page))
            waiting += [(page.parent / link).resolve() for link in links]
        assert {page for page in PAGES if page.parent.name != ".dvc-example"} <= reached


class TestReadme:
    def test_it_is_short(self):
        assert len(read(ROOT / "README.md").splitlines()) <= 120

    def test_it_holds_the_two_commands_that_ci_runs(self):
        lines = read(ROOT / "README.md").splitlines()
        assert [line for line in lines if line.startswith("python -m pip install -c constraints.txt ")] == [
            "python -m pip install -c constraints.txt . && exptrack demo",
            "python -m pip install -c constraints.txt -e '.[dev]' && python -m pytest",
        ]

    @pytest.mark.parametrize("command", COMMANDS)
    def test_it_names_every_command(self, command):
        text = read(ROOT / "README.md")
        assert re.search(rf"\bexptrack {command}\b|`{command}[` ]", text), command


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """Every call of exptrack in the shell examples of all pages: where, and its words."""
    for page in PAGES:
        lines = [line[2:] for block in blocks(page, "console") for line in block.splitlines() if line.startswith("$ ")]
        for line in [*lines, *(line for block in blocks(page, "sh") for line in block.splitlines())]:
            if "exptrack" in line:
                words = shlex.split(line, comments=True)
                while "&&" in words:
                    end = words.index("&&")
                    yield from _call(page, words[:end])
                    words = words[end + 1 :]
                yield from _call(page, words)


def _call(page: Path, words: list[str]) -> Iterator[tuple[str, list[str]]]:
    words = words[1:] if words[:1] == ["git"] else words
    words = [*takewhile(lambda word: word not in {">", "2>", "|"}, words)]
    if words[:1] == ["exptrack"]:
        yield named(page), words[1:]


class TestCommands:
    @pytest.mark.parametrize(("page", "words"), list(command_lines()), ids=" ".join)
    def test_an_example_is_a_command_line_that_parses(self, page, words):
        assert words[0] in COMMANDS
        assert isinstance(parse(words[0], words[1:]), argparse.Namespace)

    @pytest.mark.parametrize("page", PAGES, ids=named)
    def test_a_page_names_only_commands_that_are_there(self, page):
        for command in re.findall(r"`(?:git )?exptrack ([a-z]+)", prose(page)):
            assert command in COMMANDS, command

    @pytest.mark.parametrize("command", COMMANDS)
    def test_the_man_page_has_a_section_for_every_command(self, command):
        for page in ("exptrack.1", "git-exptrack.1"):
            assert f'.SS "{command}"\n' in read(ROOT / "docs" / page)

    @pytest.mark.parametrize("python", [sys.executable, "python3.11", "python3.12", "python3.13"])
    def test_the_page_of_commands_and_the_man_pages_are_up_to_date(self, python):
        if (
            subprocess.run([python, "-V"], capture_output=True, check=False).returncode
            if shutil.which(python)
            else True
        ):
            pytest.skip(f"{python} is not installed")
        script = ROOT / "docs" / "make_pages.py"
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([python, script, "--check"], capture_output=True, text=True, env=environ, check=False)
        assert (done.returncode, done.stderr) == (0, "")


NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
POINTER = Pointer(
    "data", "ab12.dir", "md5-dos2unix", 5, 2, "data.dvc", "prepare", modified=True, remote="store", is_private=True
)
OMISSION = Omission("data/", Reason.TOO_MANY, 5, 2, "sha256:ab12", pointer=True)
LINKS = Links("one", "two", "three", "four")
RECORD = Record(
    name="brave-otter-k3f9", status=Status.FAILED, started=NOW, ended=NOW, duration=1.5, exit_code=1, signal="SIGTERM",
    author="Ada <ada@example.com>", host="babbage", command=("train",), overrides=("lr=0.2",), project="ml", directory="ml/src", branch="main", experiment="digits",
    seed=1, seeding=Seeding(1, ("Python's random",), ("threads",)), note="wider", tags=("first",), params={"params.yaml": {"lr": 0.1}}, metrics={"loss": 0.5}, sealed=("test",), data=(POINTER,), outputs=(POINTER,),
    not_captured=(OMISSION,), changed=("train.py",), concurrent=("other",), ambiguous=("metrics.json",), problems=("a problem",), thinned={"loss": 1_000_000}, kept=(POINTER,), artifacts=("plots/loss.png",), links=LINKS,
    stages=(StageRun("train", StageState.RAN, "python train.py", 1.5, 0.5, {"raw.csv": "md5:00"}, {"model": "md5:01"}),),
)  # fmt: skip
INTERPRETER = Interpreter("/usr/bin/python3", "3.11.9", "cpython", "path")
PACKAGE = Package("numpy", "2.0", "/src/numpy", "ab12", dirty=True, editable=True)
PLATFORM = Platform("Linux", "6.1", "x86_64", "Debian", "glibc 2.36")
HARDWARE = Hardware("Xeon", 2, 1024, (Gpu("A100", 1024, "550"),))
ENVIRONMENT = Environment(PLATFORM, HARDWARE, INTERPRETER, (PACKAGE,), {"LANG": "C"})
ANNOTATION = Annotation("0123456789abcdef", AnnotationKind.TAG, NOW, "Ada <ada@example.com>", "best", ("start:note",))

FULL_RECORD, FULL_ENVIRONMENT = json.loads(encode_record(RECORD)), json.loads(encode_environment(ENVIRONMENT))
FULL = {
    "record": FULL_RECORD,
    "pointer": FULL_RECORD["data"][0],
    "omission": FULL_RECORD["not_captured"][0],
    "links": FULL_RECORD["links"],
    "stage": FULL_RECORD["stages"][0],
    "environment": FULL_ENVIRONMENT,
    "platform": FULL_ENVIRONMENT["platform"],
    "hardware": FULL_ENVIRONMENT["hardware"],
    "gpu": FULL_ENVIRONMENT["hardware"]["gpus"][0],
    "interpreter": FULL_ENVIRONMENT["interpreter"],
    "package": FULL_ENVIRONMENT["packages"][0],
    "annotation": json.loads(encode_annotation(ANNOTATION)),
}

LEAST_RECORD = json.loads(
    encode_record(
        Record(
            "a",
            Status.CRASHED,
            NOW,
            data=(Pointer("a", "b"),),
            not_captured=(Omission("a", Reason.SECRET),),
            stages=(StageRun("a", StageState.FAILED),),
        )
    )
)
LEAST_ENVIRONMENT = json.loads(
    encode_environment(
        Environment(Platform("a", "b", "c"), Hardware(gpus=(Gpu("a"),)), INTERPRETER, (Package("a", "1"),))
    )
)
LEAST = {
    "record": {key: value for key, value in LEAST_RECORD.items() if key not in {"data", "not_captured", "stages"}},
    "pointer": LEAST_RECORD["data"][0],
    "omission": LEAST_RECORD["not_captured"][0],
    "links": {},
    "stage": LEAST_RECORD["stages"][0],
    "environment": json.loads(encode_environment(Environment(PLATFORM, Hardware()))),
    "platform": LEAST_ENVIRONMENT["platform"],
    "hardware": {},
    "gpu": LEAST_ENVIRONMENT["hardware"]["gpus"][0],
    "interpreter": LEAST_ENVIRONMENT["interpreter"],
    "package": LEAST_ENVIRONMENT["packages"][0],
    "annotation": json.loads(encode_annotation(Annotation("a", AnnotationKind.REMOVAL, NOW, "Ada"))),
}


class TestFormat:
    @pytest.mark.parametrize(
        "value", [RECORD, POINTER, OMISSION, LINKS, PACKAGE, PLATFORM, HARDWARE, HARDWARE.gpus[0], ENVIRONMENT, ANNOTATION],
        ids=lambda value: type(value).__name__,
    )  # fmt: skip
    def test_the_full_values_of_this_test_are_full(self, value):
        for name, default in value._field_defaults.items():
            assert getattr(value, name) != default or name == "schema", name

    @pytest.mark.parametrize("mark", FULL)
    def test_it_names_every_key_that_is_written(self, mark):
        assert [code(row[0]) for row in table(FORMAT, f"keys: {mark}")] != []
        assert {code(row[0]) for row in table(FORMAT, f"keys: {mark}")} == set(FULL[mark])

    @pytest.mark.parametrize("mark", LEAST)
    def test_it_says_which_keys_are_always_there(self, mark):
        assert {code(row[0]) for row in table(FORMAT, f"keys: {mark}") if row[3].strip("| ") == "never"} == set(
            LEAST[mark]
        )

    def test_it_names_every_reason(self):
        assert {code(row[0]) for row in table(FORMAT, "keys: reason")} == set(Reason)
        assert {code(row[1]) for row in _reasons_of_capture()} | {"ignored by git"} == set(Reason)

    @pytest.mark.parametrize(("key", "values"), [("status", Status), ("kind", AnnotationKind)])
    def test_it_names_every_status_and_kind(self, key, values):
        mark = "record" if key == "status" else "annotation"
        [row] = [row for row in table(FORMAT, f"keys: {mark}") if code(row[0]) == key]
        assert set(re.findall(r"`([^`]+)`", row[2])) == set(values)

    def test_its_example_of_a_path_is_right(self):
        [(metric, path)] = re.findall(r"So `([^`]+)` lies in `([^`]+)`", read(FORMAT))
        assert path_of(metric) == path

    def test_a_run_can_be_read_as_it_says(self, exptrack, repository, git):
        assert exptrack("run", "--name", "one", "--", sys.executable, "train.py").returncode == 0
        assert exptrack("note", "one", "-m", "looks good").returncode == 0
        ref = git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs", cwd=repository)
        [script] = blocks(FORMAT, "sh")
        [example] = re.findall(r"^run=(\S+)$", script, re.MULTILINE)
        done = subprocess.run(
            ["bash", "-e", "-c", script.replace(example, ref)],
            cwd=repository,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        for said in ("parent ", "Exptrack-Status: completed", '"accuracy": 0.75', "import json, pathlib", "looks good"):
            assert said in done.stdout


def _reasons_of_capture() -> list[list[str]]:
    lines = read(CAPTURE).partition("| what | reason |\n|---|---|\n")[2].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def block_below(page: Path, title: str) -> list[str]:
    """The words of the first code block below a heading."""
    _, _, rest = read(page).partition(f"\n{title}\n")
    return rest.split("```text\n")[1].split("```")[0].split()


def _is_default(cell: str, value: object) -> bool:
    if cell == "none":
        return value in (None, (), {})
    if cell == "see below":
        return hasattr(value, "_fields")
    if cell.startswith("[the list]"):
        return value in (SECRET_PATTERNS, ENVIRONMENT_VARIABLES)
    if type(value) is int:
        return parse_size(load_yaml(code(cell))) == value
    return load_yaml(code(cell)) == value


class TestCapture:
    def test_it_lists_the_patterns_of_secret_files(self):
        assert block_below(CAPTURE, "### Secrets") == list(SECRET_PATTERNS)

    def test_it_lists_the_environment_variables(self):
        assert block_below(CAPTURE, "## Environment") == list(ENVIRONMENT_VARIABLES)

    def test_it_lists_the_beginnings_of_tokens(self):
        [row] = [row for row in table(CAPTURE, "shapes") if row[0] == "tokens that begin with"]
        assert re.findall(r"`([^`]+)`", row[1]) == [needle for needle, _ in TOKENS if needle != "PRIVATE KEY"]

    def test_the_names_that_it_lists_are_masked(self):
        [row] = [row for row in table(CAPTURE, "shapes") if row[0].startswith("what is assigned")]
        names = re.findall(r"`([^`]+)`", row[1])
        assert len(names) > 5
        for name in names:
            assert mask(f"{name}=hunter2x9") == f"{name}=***"
            assert mask_arguments([f"--{name}", "hunter2x9"]) == (f"--{name}", "***")
            assert mask_tree({name: "hunter2x9"}) == {name: "***"}

    @pytest.mark.parametrize(
        "settings", [Settings, MetricDeclaration, Capture, Limits, Bar, Keep], ids=lambda cls: cls.__name__
    )
    def test_it_names_every_setting_with_its_default(self, settings):
        value = MetricDeclaration("accuracy") if settings is MetricDeclaration else settings()
        rows = {code(row[0]): row[1] for row in table(CAPTURE, f"settings: {settings.__name__}")}
        assert set(rows) == set(settings._fields) - {"name"}
        for key, cell in rows.items():
            assert _is_default(cell, getattr(value, key)), f"{key}: {cell}"

    def test_it_names_every_key_of_an_experiment(self):
        assert {code(row[0]) for row in table(CAPTURE, "settings: Experiment")} == set(KEYS)

    def test_its_parameters_are_those_that_are_read(self):
        for words, said in table(CAPTURE, "arguments"):
            parameters = said.split(":")[0] if said.startswith("none") else said
            for example in re.findall(r"`([^`]+)`", words):
                found = parse_arguments(["python", "train.py", *shlex.split(example)])
                if parameters == "none":
                    assert found == {}, example
                elif parameters.startswith("`"):
                    assert found == load_yaml(code(said)), example
                else:
                    assert isinstance(found["name"], list | dict), example

    def test_its_examples_of_settings_are_accepted(self):
        examples = [text for page in PAGES for text in blocks(page, "yaml")]
        assert examples
        for example in examples:
            parse_settings(example)


class TestArchitecture:
    def test_it_is_short(self):
        assert len(read(ARCHITECTURE).splitlines()) < 250

    @pytest.mark.parametrize(
        "page",
        [
            ARCHITECTURE,
            ROOT / "docs" / "inside.md",
            ROOT / "CONTRIBUTING.md",
            *sorted((ROOT / "docs/decisions").glob("*.md")),
        ],
        ids=named,
    )
    def test_the_modules_that_a_page_names_are_there(self, page):
        folders = "model|analysis|backends|store|operations|tracking|integrations|render|cli|exptrack|tests|docs"
        for path in re.findall(rf"`((?:{folders})/[\w./]*|\w+\.py)`", read(page)):
            assert any((folder / path).exists() for folder in (ROOT, ROOT / "exptrack")), path

    def test_the_functions_on_its_straight_lines_are_there(self):
        text = read(ARCHITECTURE).partition("## Straight lines\n")[2].split("```text\n")[1].split("```")[0]
        names = re.findall(r"\b(?:cli|operations|store|backends|analysis|tracking|render|project)(?:\.\w+)+", text)
        assert len(names) > 20
        for name in names:
            module, _, function = f"exptrack.{name}".rpartition(".")
            assert callable(getattr(import_module(module), function)), name


def project_files() -> Iterator[Path]:
    """The files of the project, what tools leave behind left out."""
    kept = {".ci", ".dvc-example", ".gitignore", ".dvc", ".dvcignore"}
    waiting = [ROOT]
    while waiting:
        for path in waiting.pop().iterdir():
            if (path.name.startswith(".") and path.name not in kept) or path.name in {
                "__pycache__",
                "build",
                "dist",
                "venv",
            }:
                continue
            if path.is_dir():
                waiting.append(path)
            else:
                yield path


def test_no_file_names_the_host_of_a_package_registry():
    # Put together here, so that this file names none.
    hosts = [".".join(parts).encode() for parts in (
        ("pypi", "org"), ("pypi", "python", "org"), ("pythonhosted", "org"), ("anaconda", "org"), ("anaconda", "com"), ("npmjs", "org"),
        ("npmjs", "com"), ("crates", "io"), ("rubygems", "org"), ("docker", "io"), ("proxy", "golang", "org"),
    )]  # fmt: skip
    for path in project_files():
        data = path.read_bytes().lower()
        for host in hosts:
            assert host not in data, f"{path.relative_to(ROOT)} names {host.decode()}"


def test_the_changelog_begins_with_what_is_unreleased():
    titles = re.findall(r"^## (.+)$", read(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert titles[0] == "Unreleased" or titles[0].startswith(exptrack_version())


def exptrack_version() -> str:
    text = read(ROOT / "pyproject.toml")
    return re.findall(r'^version = "([^"]+)"$', text, re.MULTILINE)[0]


def test_the_package_says_in_one_line_what_the_project_says():
    assert (exptrack.__doc__ or "").splitlines()[0].rstrip(".") in read(ROOT / "pyproject.toml")
