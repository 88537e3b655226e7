"""A reproduction in a pull request: the verdict first, what differs folded, and nothing of others in it is more than letters."""

from __future__ import annotations

import re

import pytest
from gfmpages import parse, rows
from hypothesis import given
from hypothesis import strategies as st
from reproductions import ALL_HOSTILE, AT, EXACT, FAILED, REPRODUCTIONS, STATISTICAL, levels, run

from exptrack.model.change import Kind
from exptrack.model.difference import FileChange
from exptrack.model.reproduction import Answer, Reproduction
from exptrack.model.run import Status
from exptrack.render.reproductionmarkdown import format_markdown


def shown(*reproductions: Reproduction, **options) -> str:
    return format_markdown(reproductions, {}, **options)


def test_exact_says_little():
    assert (
        shown(EXACT)
        == """\
### `brave-otter-k3f9` reproduces: exact

| level | answer | evidence |
| --- | --- | --- |
| exact | ✓ yes | 2 files and 3 metrics are the same |
| statistical | cannot assess | 1 earlier run of this configuration, 3 are needed |
| methodological | ✓ yes | the same code, data and parameters, and the same metrics |
| conceptual | cannot assess | no baseline is declared |

Recorded: `calm-fox-a1b2` at `2222222222` (completed, took 3.1s).

To repeat it: `exptrack reproduce brave-otter-k3f9`"""
    )


def test_statistical_but_not_exact_says_where_it_diverged_and_folds_what_differs():
    start, folded, end = re.split(r"\n\n<details>(?=<summary>what)|</details>\n\n(?=-)", shown(STATISTICAL))
    assert (
        start
        == """\
### `brave-otter-k3f9` reproduces: statistical, not exact

| level | answer | evidence |
| --- | --- | --- |
| exact | ✗ no | differs: 1 of 2 files, the first `model.pkl`<br>loss: 0.41 → 0.42 |
| statistical | ✓ yes | loss: 0.42 lies inside 0.41 ± 0.05, from 5 earlier seeds and 2 reruns |
| methodological | ✓ yes | loss: 2.4 % away, 5 % are allowed |
| conceptual | cannot assess | no baseline is declared |

**Nondeterministic:** the seed is recorded and environment and hardware agree, so exact was expected: first diverges at `model.pkl`

**First diverged:** stage `train`, output `model.pkl`: `md5:aaaaaaaaaaaa` → `md5:bbbbbbbbbbbb`"""
    )
    assert folded.startswith("<summary>what differs: metrics 1 changed; environment 13 changed</summary>\n\n")
    assert folded.count("| `packages.") == 12
    assert (
        end
        == """\
- loss is the only metric that is declared
- `same.csv` was modified on both sides

Recorded, with the packages of the original: `calm-fox-a1b2` at `2222222222` (completed, took 3.1s), `dear-crow-77aa` at `2222222222` (completed, took 1h 6min).

To repeat it: `exptrack reproduce brave-otter-k3f9 --environment recorded`"""
    )


def test_an_execution_that_failed_says_how_to_see_why():
    text = shown(FAILED)
    assert text.startswith("### `brave-otter-k3f9` does not reproduce: the rerun failed, exit status 1\n")
    assert (
        "\n\nRecorded: `calm-fox-a1b2` at `2222222222` (failed, exit status 1, took 3.1s). "
        "`exptrack show calm-fox-a1b2 --output` shows what it printed.\n\n" in text
    )


def test_at_other_code_and_data_it_names_what_differs():
    text = shown(AT)
    assert text.startswith("### `brave-otter-k3f9` at `main` does not reproduce\n")
    assert "\n\n**First diverged:** metric `loss` at step 3: `0.61` → `0.7`\n\n" in text
    for line in ("| `lr` | `0.1` | `0.2` |", "| `data/raw.csv` | changed | `md5:aa` | `md5:bb` |", "-rate = 1"):
        assert line in text.partition("<details>")[2]
    assert text.endswith("\n\nTo repeat it: `exptrack reproduce brave-otter-k3f9 --at main`")


def test_several_have_a_table_of_all_first():
    head, table, *sections = shown(EXACT, STATISTICAL, FAILED, AT).split("\n\n")
    assert head == "### 4 runs: 1 exact, 1 statistical, 2 not reproduced"
    assert rows(table) == [
        ["run", "exact", "statistical", "methodological", "conceptual"],
        ["`brave-otter-k3f9`", "✓ yes", "cannot assess", "✓ yes", "cannot assess"],
        ["`brave-otter-k3f9`", "✗ no", "✓ yes", "✓ yes", "cannot assess"],
        ["`brave-otter-k3f9`", "✗ no", "cannot assess", "✗ no", "cannot assess"],
        ["`brave-otter-k3f9` at `main`", "✗ no", "too weak to tell", "✗ no", "cannot assess"],
    ]
    assert sections[0] == "#### `brave-otter-k3f9` reproduces: exact"
    assert [part for part in sections if part.startswith("To repeat it: ")] == [
        "To repeat it: `exptrack reproduce brave-otter-k3f9`",
        "To repeat it: `exptrack reproduce brave-otter-k3f9 --environment recorded`",
        "To repeat it: `exptrack reproduce brave-otter-k3f9`",
        "To repeat it: `exptrack reproduce brave-otter-k3f9 --at main`",
    ]
    assert sections.count("#### Metrics") == 3


def test_more_than_three_lines_of_evidence_are_folded():
    many = EXACT._replace(levels=levels((Answer.NO, *"abcdef"), Answer.YES, Answer.YES, Answer.YES))
    assert "| exact | ✗ no | a<br>b<br>c |\n" in shown(many)
    assert (
        "<summary>3 more lines of evidence</summary>\n\n| level | evidence |\n| --- | --- |\n| exact | d |\n"
        in shown(many)
    )


def test_a_long_patch_is_cut_and_that_is_said():
    long = AT._replace(difference=AT.difference._replace(patch="+x\n" * 50_000))
    text = shown(long)
    assert 64_800 < len(text) <= 65_000
    assert re.search(
        r"\n\n[\d,]+ lines of the patch are left out; `exptrack diff \S+ \S+ --only code` shows them\.\n", text
    )
    assert text.endswith("--at main`")
    parse(text)


def test_runs_that_have_no_room_are_counted():
    text = shown(*[AT] * 200, limit=40_000)
    assert 38_000 < len(text) <= 40_000
    sections = text.count("\n\n#### `brave-otter-k3f9` at")
    assert sections > 8
    assert text.endswith(f"\n\n{200 - sections} runs not shown in full; `exptrack reproduce --json` gives all of it.")
    assert text.count("To repeat it: ") == sections
    assert "What differs is left out; `exptrack diff brave-otter-k3f9 calm-fox-a1b2` shows it." in text
    parse(text)


@pytest.mark.parametrize("hostile", ALL_HOSTILE, ids=range(len(ALL_HOSTILE)))
def test_a_hostile_text_means_nothing(hostile):
    failed = hostile._replace(levels=levels(*[Answer.NO] * 4), reruns=(run(status=Status.FAILED, signal=hostile.at),))
    for some in ((hostile,), (failed,), (hostile, failed)):
        tokens = parse(shown(*some))
        assert sum(token.type == "heading_open" and token.tag == "h3" for token in tokens) == 1
        assert sum(token.type == "paragraph_open" and token.level == 0 for token in tokens) < 12 * len(some)


def test_numbers_and_words_are_plain_and_all_else_is_code():
    said = "loss: 0.41 → 0.42 (+2.4%), see #12, @octocat, GH-12, deadbeef, (1234567 www.x.org *b* 1e-05 <b> :x: `a b`"
    text = shown(EXACT._replace(levels=levels((Answer.NO, said), Answer.NO, Answer.NO, Answer.NO)))
    assert rows(text)[1][2] == (
        "loss: 0.41 → 0.42 (+2.4%), see `#12`, `@octocat`, `GH-12`, `deadbeef`, (`1234567` `www.x.org` `*b*` `1e-05` `<b>` `:x`: `a b`"
    )


@pytest.mark.parametrize("note", ["- a", "1. a", "5) a", "= a", "`-` a", "# a", "> a", "* a", "``<b>` x", "[x] y"])
def test_a_note_begins_no_list_and_no_heading(note):
    tokens = parse(shown(EXACT._replace(notes=(note,))))
    assert sum(token.type == "list_item_open" for token in tokens) == 1
    assert sum(token.type == "heading_open" for token in tokens) == 1


@given(st.text("`<b>|\\ ax-1", max_size=12))
def test_no_fence_of_a_text_ends_another(text):
    said = levels((Answer.NO, text, text), Answer.NO, Answer.NO, Answer.NO)
    parse(shown(EXACT._replace(levels=said, notes=(text, f"a {text}"), nondeterministic=text)))


@given(st.lists(REPRODUCTIONS, min_size=1, max_size=3), st.integers(0, 5000))
def test_it_keeps_to_any_limit_and_stays_whole(reproductions, limit):
    files = (FileChange("train.py", Kind.CHANGED, 1, 1),)
    some = [one._replace(difference=one.difference._replace(files=files, patch="+x\n" * 99)) for one in reproductions]
    text = shown(*some, limit=limit)
    assert len(text) <= limit
    parse(text)


@given(REPRODUCTIONS)
def test_the_answers_stand_in_the_table(reproduction):
    table = rows(shown(reproduction, limit=10**6).partition("<details>")[0])
    answers = [(row[0], row[1].lstrip("✓✗ ")) for row in table[1:]]
    assert answers == [(one.level, one.answer) for one in reproduction.levels]
