"""docs/ci.md is run from its first line to its last, and says of the templates what is so."""

from __future__ import annotations

import re
from pathlib import Path

from pages import Shell, is_shown, read, table

from exptrack.analysis.yaml12 import load_yaml

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "ci.md"


def test_the_page_shows_what_happens(tmp_path):
    steps = 0
    for step, came in Shell(tmp_path, tmp_path / "scripts").play(PAGE):
        assert is_shown(step.shown, came), f"$ {step.command}\n" + "\n".join(came)
        steps += 1
    assert steps >= 25


def test_it_is_short():
    assert len(read(PAGE).splitlines()) <= 300


def test_the_messages_that_it_explains_are_said():
    files = [path for folder in ("operations", "render") for path in (ROOT / "exptrack" / folder).rglob("*.py")]
    said = re.sub(r'"\s*f?"|\{[^{}]*\}', "", "".join(map(read, files)))
    for message, _ in table(PAGE, "messages"):
        for part in re.split("…,?", message):
            assert part.strip() in said, message


def test_its_words_for_pre_commit_are_those_of_the_template():
    [snippet] = re.findall(r"```text\n(  - repo: local\n.*?)```", read(PAGE), re.DOTALL)
    template = load_yaml(read(ROOT / "templates" / "hooks" / "pre-commit-config.yaml"))
    assert load_yaml(f"repos:\n{snippet}") == template


def test_names_that_it_gives_are_in_the_templates():
    templates = "".join(read(path) for path in sorted((ROOT / "templates").rglob("*.yml")))
    names = set(
        re.findall(
            r"\b(?:EXPTRACK_[A-Z]+|GIT_DEPTH|fetch-depth|exptrack-comment|contents: read|pull-requests: write)\b",
            read(PAGE),
        )
    )
    assert len(names) >= 6
    assert {name for name in names if name not in templates} == set()
