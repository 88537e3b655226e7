"""A check in a pull request: the verdict first, much of the rest folded, and nothing of others in it is more than letters."""

from __future__ import annotations

import re

import pytest
from checks import (
    ALL_HOSTILE_CHECKS,
    AMENDED,
    BESIDE,
    BROKEN,
    CHECKED,
    ENDED,
    FILE,
    HOLDS,
    LOWERED,
    MISSED,
    MISSING,
    SUPERSEDED,
    checked,
    numbered,
)
from differences import between, run_side
from gfmpages import parse, rows
from hypothesis import example, given
from hypothesis import strategies as st
from reproductions import EXACT

from exptrack.model.checking import Bar, Checked, CheckedClaim, Claim, Misclaim, Verdict
from exptrack.model.reproduction import Level
from exptrack.render.checkmarkdown import format_markdown

MARKER = "<!-- exptrack check -->"
SMALL = between(
    run_side("old-owl", params={"lr": 0.1}, metrics={"loss": 0.5}),
    run_side("brave-otter-k3f9", params={"lr": 0.2}, metrics={"loss": 0.41}),
    files=(FILE,),
    patch="-secret\n+plain\n",
)
TRUE = HOLDS._replace(difference=SMALL)


def shown(found: Checked, **options) -> str:
    text = format_markdown(found, **options)
    parse(text)
    return text


def test_what_holds_shows_what_it_changes_and_why_it_holds():
    assert (
        shown(checked(TRUE))
        == """\
<!-- exptrack check -->

### ✓ `brave-otter-k3f9` holds: exact

The only run that is claimed between `main` and `HEAD`.

Reached: **exact** · Required by `main`: **statistical** · Recorded by `Grace Hopper`, claimed in `cccccccccc` by `Ada Lovelace`

**What it changes** against the run that the base claims: `old-owl` at `1111111111` → `brave-otter-k3f9` at `1111111111`

**parameters** 1 changed · **metrics** 1 changed · **code** 1 file, +1 −1

#### Parameters

| key | old | new |
| --- | --- | --- |
| `lr` | `0.1` | `0.2` |

#### Metrics

| key | old | new | delta | relative | goal |
| --- | ---: | ---: | ---: | ---: | --- |
| `loss` | `0.5` | `0.41` | -0.09 | -18.0% | ✓ toward |

✓ toward: moved in the direction of the metric's goal. ✗ away: against it.

#### Code

| file | change | + | − |
| --- | --- | ---: | ---: |
| `train.py` | changed | 1 | 1 |

**Executed again** once, with the packages that were there; took 3.1s:

| level | answer | evidence |
| --- | --- | --- |
| exact | ✓ yes | 2 files and 3 metrics are the same |
| **statistical** (required) | cannot assess | 1 earlier run of this configuration, 3 are needed |
| methodological | ✓ yes | the same code, data and parameters, and the same metrics |
| conceptual | cannot assess | no baseline is declared |

To repeat it: `exptrack check brave-otter-k3f9`"""  # noqa: RUF001 - a minus sign
    )


def test_a_bar_that_the_branch_changes_is_a_warning_right_below_the_verdict():
    text = shown(checked(TRUE, changes=LOWERED))
    assert text.split("\n\n")[1:5] == [
        "### ✓ `brave-otter-k3f9` holds: exact",
        "**⚠ `HEAD` changes how claims are judged; `main`'s counts:**",
        (
            "| setting | counts | changed to |\n| --- | --- | --- |\n"
            "| `check.require` | `statistical` | `methodological` |\n"
            "| `check.tolerance.loss` | `not set` | `0.5` |"
        ),
        "The only run that is claimed between `main` and `HEAD`.",
    ]
    assert "`HEAD` changes how claims are judged; the defaults count:" in shown(
        checked(TRUE, changes=LOWERED)._replace(bar_of="the defaults")
    )


def test_what_does_not_hold_says_where_it_diverged_and_folds_what_differs_and_the_notes():
    text = shown(checked(MISSED._replace(difference=None), bar=Bar(Level.EXACT)))
    assert text.startswith(
        f"{MARKER}\n\n### ✗ `brave-otter-k3f9` does not hold\n\nIt reproduces statistically, and exact is required\n\n"
    )
    for part in (
        "Reached: **statistical** · Required by `main`: **exact** · ",
        "| **exact** (required) | ✗ no | differs: 1 of 2 files, the first `model.pkl`<br>loss: 0.41 → 0.42 |\n",
        "**First diverged:** stage `train`, output `model.pkl`: `md5:aaaaaaaaaaaa` → `md5:bbbbbbbbbbbb`\n",
        "<details><summary>what differs from what was recorded: metrics 1 changed; environment 13 changed</summary>\n",
        "<details><summary>3 notes</summary>\n\n- `brave-otter-k3f9` is claimed by somebody else than recorded it\n",
        "**Executed again** twice, with the packages of the original; took 3.1s, 1h 6min:\n",
    ):
        assert part in text


def test_files_that_are_not_what_ran_are_listed():
    text = shown(checked(AMENDED))
    assert "**Files of `HEAD` that are not what ran:**\n\n" in text
    assert rows(text) == [["file", "change", "+", "−"], ["`train.py`", "changed", "1", "1"]]  # noqa: RUF001
    assert text.endswith("\n\nTo repeat it: `exptrack check main..bbbbbbbbbb`")
    assert "<details><summary>1 file not as it ran</summary>" in shown(checked(SUPERSEDED))


def test_what_cannot_be_checked_says_what_to_do():
    assert (
        f"{MARKER}\n\n### ? `brave-otter-k3f9` cannot be checked\n\nIt is neither here nor in origin: `exptrack push brave-otter-k3f9`\n"
        in shown(checked(MISSING))
    )


def test_without_a_claim_it_says_so():
    assert shown(checked()) == f"{MARKER}\n\n### No run is claimed between `main` and `HEAD`"
    assert shown(checked(broken=(BROKEN,))).split("\n\n")[1:] == [
        "### ? no run is claimed between `main` and `HEAD`; 1 line claims nothing",
        "- `Exptrack-Run: brave-otter-k3f9` in `dddddddddd` claims no run",
        "A claim looks like `Exptrack-Run: <name> <full oid of the run's commit>`.",
    ]


def test_several_have_a_table_of_all_first_and_what_does_not_hold_before_what_does():
    some = (TRUE, numbered(SUPERSEDED, 1), numbered(MISSING, 2), numbered(ENDED, 3), numbered(AMENDED, 4))
    text = shown(checked(*some))
    assert text.split("\n\n")[1] == (
        "### ? 5 runs are claimed between `main` and `HEAD`: 1 holds, 2 do not, 1 cannot be checked, 1 is superseded"
    )
    assert rows(text)[:6] == [
        ["run", "verdict", "reached", "claimed in"],
        ["`brave-otter-k3f9`", "✓ holds", "exact", "`cccccccccc`"],
        ["`seed-1`", "– superseded", "-", "`cccccccccc`"],  # noqa: RUF001
        ["`seed-2`", "? cannot be checked", "-", "`cccccccccc`"],
        ["`seed-3`", "✗ does not hold", "-", "`cccccccccc`"],
        ["`seed-4`", "✗ does not hold", "-", "`cccccccccc`"],
    ]
    assert re.findall(r"^#### \S `([^`]+)`", text, re.MULTILINE) == [
        "seed-3", "seed-4", "seed-2", "brave-otter-k3f9", "seed-1",
    ]  # fmt: skip
    assert (
        "<details><summary>what it changes against the run that the base claims: "
        "parameters 1 changed; metrics 1 changed; code 1 file, +1 −1</summary>" in text  # noqa: RUF001
    )
    assert text.count("To repeat it: ") == 4
    assert text.endswith("\n\nIt was not executed.")


def test_a_base_without_a_claim_is_what_it_is_compared_with():
    text = shown(checked(TRUE, baseline=None))
    assert "\n\n**What it changes** against the base: `old-owl` at" in text
    same = TRUE._replace(difference=SMALL._replace(changes=(), files=(), patch=""))
    assert "\n\nNothing differs against the base.\n\n" in shown(checked(same, baseline=None))


def test_runs_that_were_named_have_no_commits_that_claim_them():
    one = TRUE._replace(claim=Claim("brave-otter-k3f9", "1" * 40), difference=None)
    text = shown(checked(one)._replace(base=None, base_oid=None))
    assert "\n\nReached: **exact** · Required by `main`: **statistical** · Recorded by `Grace Hopper`\n\n" in text
    assert shown(checked(one, one)._replace(base=None)).split("\n\n")[1] == "### ✓ 2 runs: all hold"


def test_at_other_code_it_is_said_what_was_executed():
    text = shown(checked(TRUE)._replace(at="HEAD"))
    assert "### ✓ `brave-otter-k3f9` at `HEAD` holds: exact\n" in text
    assert text.endswith("\n\nTo repeat it: `exptrack check brave-otter-k3f9 --at bbbbbbbbbb`")


def test_no_patch_is_shown():
    assert "secret" not in shown(checked(TRUE))
    assert "secret" not in shown(checked(TRUE, numbered(TRUE, 1)))


def test_no_address_is_shown():
    """Anybody may read a pull request."""
    assert "example.com" not in shown(checked(TRUE, MISSED._replace(difference=None), MISSING))


def test_claims_that_have_no_room_are_counted_and_those_that_do_not_hold_have_it_first():
    some = [numbered(TRUE, number) for number in range(300)]
    text = shown(checked(*some, numbered(ENDED, 300)), limit=40_000)
    assert 35_000 < len(text) <= 40_000
    sections = re.findall(r"^#### \S `([^`]+)`", text, re.MULTILINE)
    assert sections[0] == "seed-300"
    assert len(sections) > 8
    assert text.endswith(
        f"\n\n{301 - len(sections)} claims not shown in full; `exptrack check main..bbbbbbbbbb --json` gives all of it."
    )
    assert text.count("To repeat it: ") == len(sections)


def test_a_page_that_is_too_long_is_cut_and_that_is_said():
    files = tuple(FILE._replace(path=f"{'d' * 150}/{number}") for number in range(1000))
    text = shown(checked(AMENDED._replace(files=files)))
    assert 64_000 < len(text) <= 65_000
    assert re.search(
        r"\n\n[\d,]+ rows are left out; `exptrack check main\.\.bbbbbbbbbb --json` shows all of it\.\n", text
    )
    assert text.endswith("To repeat it: `exptrack check main..bbbbbbbbbb`")


def test_a_thousand_lines_that_claim_nothing_leave_room_for_the_claims():
    broken = tuple(Misclaim(f"Exptrack-Run: {'x' * 150}", f"{number:040}") for number in range(1000))
    text = shown(checked(TRUE, MISSED, broken=broken))
    assert len(text) <= 65_000
    assert re.search(r"^- and \d+ more$", text, re.MULTILINE)
    assert text.count("To repeat it: ") == 2


@pytest.mark.parametrize("hostile", ALL_HOSTILE_CHECKS, ids=range(len(ALL_HOSTILE_CHECKS)))
def test_a_hostile_text_means_nothing(hostile):
    tokens = parse(format_markdown(hostile))
    assert sum(token.type == "heading_open" and token.tag == "h3" for token in tokens) == 1
    for one in hostile.claims:
        tokens = parse(format_markdown(hostile._replace(claims=(one,), broken=())))
        assert sum(token.type == "heading_open" and token.tag == "h3" for token in tokens) == 1
        assert tokens[0].type == "html_block"


@pytest.mark.parametrize(
    "text", ["- a", "1. a", "= a", "# a", "> a", "* a", "``<b>` x", "[x] y", "-->", "<!--", "`", "@a"]
)
def test_no_text_begins_a_list_a_heading_or_a_comment(text):
    claim = Claim(text, text, text, text)
    found = checked(CheckedClaim(claim, Verdict.UNKNOWN, text, notes=(text,)), notes=(text,))
    tokens = parse(format_markdown(found))
    assert sum(token.type == "heading_open" for token in tokens) == 1
    assert sum(token.type == "list_item_open" for token in tokens) == 2
    assert sum(token.type == "blockquote_open" for token in tokens) == 0


@given(st.text("`<b>|\\ ax-1@", max_size=12))
def test_no_fence_of_a_text_ends_another(text):
    claim = Claim(text, text, text, f"{text} <a@b>")
    one = CheckedClaim(
        claim, Verdict.FAILS, text, notes=(text, f"a {text}"), reproduction=EXACT._replace(notes=(text,))
    )
    parse(format_markdown(checked(one, changes=LOWERED, broken=(Misclaim(text, text),))))
    parse(format_markdown(checked(one, changes=LOWERED)))


@given(CHECKED, st.integers(0, 5000))
@example(checked(TRUE), 0)
@example(checked(TRUE, TRUE), 22)
def test_it_keeps_to_any_limit_and_stays_whole(found, limit):
    text = format_markdown(found, limit=limit)
    assert len(text) <= limit
    parse(text)
    assert limit < 1000 or text.startswith(f"{MARKER}\n\n")


@given(CHECKED)
def test_with_room_nothing_is_missing(found):
    text = format_markdown(found, limit=10**6)
    parse(text)
    assert text.startswith(f"{MARKER}\n\n### ")
    assert text.count("To repeat it: ") >= len(found.claims) - found.count(Verdict.SUPERSEDED)
    assert text.encode()
    assert "not shown in full" not in text or "not shown in full" in repr(found)


def test_why_it_does_not_hold_stands_before_what_it_changes():
    text = shown(checked(MISSED._replace(difference=SMALL)))
    assert text.index("**Executed again**") < text.index("**What it changes**") < text.index("To repeat it")
    text = shown(checked(TRUE))
    assert text.index("**What it changes**") < text.index("**Executed again**") < text.index("To repeat it")


def test_of_several_those_that_hold_have_their_evidence_folded():
    several = shown(checked(MISSED, TRUE))
    failing, _, holding = several.partition("#### ✓")
    assert "(required) |" in failing.partition("<details>")[0]
    assert "(required) |" not in holding.partition("<details>")[0]
    assert "<summary>levels and their evidence</summary>" in holding


def test_a_mark_after_a_command_is_no_code():
    text = shown(checked(MISSING._replace(reason="run `git fetch`, or `git pull`: else (see `git log`).")))
    assert "Run `git fetch`, or `git pull`: else (see `git log`)." in text


def test_the_verdict_of_compare_stands_before_what_it_changes():
    text = format_markdown(checked(HOLDS._replace(beside=BESIDE)))
    said = (
        "**Beside** `calm-fox-a1b2`, by 10 recorded runs of rate: **better** "
        "`accuracy +0.040 [95% CI +0.028, +0.052], 5 vs 5 seeds, Welch p=0.0002`; seeds were not planned; the best of several, chosen by these runs: "
        "confirm it with fresh seeds or a holdout\n\n**What it changes** against"
    )
    assert said in text
