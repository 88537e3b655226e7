"""Markdown for a pull request: calm, whole at any length, and nothing of others in it is more than letters."""

from __future__ import annotations

import pytest
from differences import DECLARED, FULL, HOSTILE, between, difference, run_side
from markdown_it import MarkdownIt

from exptrack.model.change import Kind
from exptrack.model.difference import Area, DataFile, Difference, FileChange, Side, SideKind
from exptrack.render.gfm import code_span, fence, sentence, table
from exptrack.render.markdown import format_markdown
from exptrack.render.text import page_lines

EVERYTHING = """\
### `brave-otter-k3f9` at `1111111111` → `calm-fox-a1b2` (failed) at `1111111111`

**parameters** 6 changed, 1 added, 1 removed · **metrics** 5 changed, 1 added, 1 removed · **data** 4 changed, 1 added, 1 removed · **environment** 5 changed, 2 added, 2 removed · **code** 4 files, +131 −4

#### Parameters

| key | old | new |
| --- | --- | --- |
| `drop` | `null` | - |
| `epochs` | `10` | `100` |
| `flag` | `true` | `1` |
| `layers` | `[64, 32]` | `[64, 32, 16]` |
| `lr` | `0.1234567` | `0.1234568` |
| `seed` | - | `"1"` |
| `svm.C` | `0.1` | `10` |
| `svm.gamma` | `scale` | `auto` |

#### Metrics

| key | old | new | delta | relative | goal |
| --- | ---: | ---: | ---: | ---: | --- |
| `loss` | `0.41` | `0.52` | +0.11 | +26.8% | ✗ away |
| `val.f1` | `0.5` | `nan` |  |  |  |
| `accuracy` | `0.912` | `0.9345` | +0.0225 | +2.5% | ✓ toward |
| `auc` | `0` | `0.7` | +0.7 |  |  |
| `gone` | `1` | - |  |  |  |
| `new/metric` | - | `1e-07` |  |  |  |
| `steps` | `1000` | `1200` | +200 | +20.0% |  |

✓ toward: moved in the direction of the metric's goal. ✗ away: against it.

#### Data

| path | change | old | new |
| --- | --- | --- | --- |
| `data/raw` | 4 files added (1.1 MiB), 1 removed (300.0 KiB), 2 changed (201 B → 400 B); MODIFIED on the new side: not what the pointer stands for | `1,000 files, 32.0 MiB` | `1,003 files, 33.0 MiB` |
| `far` | changed; its listing is not in the DVC cache | `3 files, 3.0 MiB` | `3 files, 3.0 MiB` |
| `model.pkl` | changed | `1.0 MiB` | `1.1 MiB` |
| `new.csv` | added | - | `999 B` |
| `old.csv` | removed | `12.1 KiB` | - |
| `same.bin` | same pointer; MODIFIED on the new side: not what the pointer stands for | `77 B` | `77 B` |

<details><summary>7 files in folders</summary>

| file | change | old | new |
| --- | --- | ---: | ---: |
| `data/raw/img/0.png` | added | - | 293.0 KiB |
| `data/raw/img/1.png` | added | - | 293.0 KiB |
| `data/raw/img/2.png` | added | - | 293.0 KiB |
| `data/raw/img/3.png` | added | - | 293.0 KiB |
| `data/raw/img/old.png` | removed | 300.0 KiB | - |
| `data/raw/x/0.png` | changed | 100 B | 200 B |
| `data/raw/x/1.png` | changed | 101 B | 200 B |

</details>

#### Environment

<details><summary>5 changed, 2 added, 2 removed</summary>

| key | old | new |
| --- | --- | --- |
| `interpreter.version` | `3.11.4` | `3.12.1` |
| `hardware.cpu` | `Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz` | `AMD EPYC 7763 64-Core Processor` |
| `hardware.memory` | `31.4 GiB` | `62.7 GiB` |
| `variables.LANG` | - | `C` |
| `variables.TZ` | `UTC` | - |
| `packages.numpy` | `1.26.4` | `2.0.1` |
| `packages.scipy` | `1.13.0` | `1.13.1` |
| `packages.polars` | - | `1.0 from git+https://example.com/polars at 0123456789` |
| `packages.bar` | `3` | - |

</details>

#### Code

| file | change | + | − |
| --- | --- | ---: | ---: |
| `train.py` | changed | 10 | 3 |
| `src/a.py` → `src/b.py` | changed | 1 | 1 |
| `notes.md` | added | 120 | 0 |
| `logo.png` | removed | binary |  |

<details><summary>patch, 4 lines</summary>

`````diff
diff --git a/train.py b/train.py
@@ -1 +1 @@
-print("a")  # ```
+print("b")\t# ````
`````

</details>

- `same.csv` was modified on both sides"""  # noqa: RUF001


def render(markdown: str) -> str:
    return MarkdownIt("gfm-like", {"linkify": False}).render(markdown)


def shown(difference: Difference, **options) -> str:
    return format_markdown(difference, DECLARED, **options)


def many(count: int) -> Difference:
    keys = [f"layer.{number}" for number in range(count)]
    return difference({"params": dict.fromkeys(keys, 1)}, {"params": dict.fromkeys(keys, 2)})


def test_everything():
    assert shown(FULL) == EVERYTHING


def test_counts_instead_of_values():
    assert shown(FULL, stat=True) == EVERYTHING[: EVERYTHING.index("#### Parameters")] + (
        EVERYTHING[EVERYTHING.index("#### Code") : EVERYTHING.rindex("<details>")]
        + EVERYTHING[EVERYTHING.rindex("- ") :]
    )


def test_only_the_areas_asked_for_are_shown():
    text = shown(FULL, areas=(Area.CODE,))
    assert [line for line in text.split("\n") if line.startswith("#")] == [EVERYTHING.partition("\n")[0], "#### Code"]
    assert "**code** 4 files, +131 −4\n" in text  # noqa: RUF001
    assert "parameters" not in text


def test_no_difference_is_a_sentence():
    same = Difference(
        run_side(),
        Side("main", SideKind.COMMIT, "0123456789abcdef", "", {}),
        skipped={"environment": "main: a commit has none"},
    )
    assert shown(same) == (
        "### `old` at `1111111111` → `main` (`0123456789`)\n\n"
        "No difference in parameters, metrics, data or code.\n\n"
        "- environment: not compared, main: a commit has none"
    )


def test_metrics_without_numbers_on_both_sides_have_two_columns():
    text = shown(difference({"metrics": {"a": 1}}, {"metrics": {"b": 1}}))
    assert text.split("\n\n")[-1] == "| key | old | new |\n| --- | ---: | ---: |\n| `a` | `1` | - |\n| `b` | - | `1` |"


def test_the_first_20_rows_are_open_and_the_rest_is_folded():
    assert "<details>" not in shown(many(20))
    text = shown(many(2000))
    first, folded = text.split("<details><summary>1,980 more</summary>\n\n")
    assert first.count("\n| `layer") == 20
    assert folded.count("| `layer") == 1980
    assert folded.endswith("|\n\n</details>")


def test_the_patch_is_cut_before_anything_else():
    patch = "".join(f"+line {number} ```\n" for number in range(10_000))
    text = shown(FULL._replace(patch=patch), limit=6000)
    start, folded = text.split("<details><summary>patch, 10,000 lines</summary>\n\n")
    assert start == EVERYTHING[: EVERYTHING.index("<details><summary>patch")]
    lines = folded.split("\n")
    assert 5900 < len(text) <= 6000
    count = lines.index("````", 1) - 1
    assert lines[0] == "````diff"
    assert lines[1 : count + 1] == [f"+line {number} ```" for number in range(count)]
    assert lines[count + 2 :] == [
        "",
        f"{10_000 - count:,} lines of the patch are left out; `exptrack diff brave-otter-k3f9 calm-fox-a1b2 --only code` shows them.",
        "",
        "</details>",
        "",
        "- `same.csv` was modified on both sides",
    ]


def test_rows_are_cut_when_all_of_the_patch_is():
    text = shown(many(2000)._replace(patch="+line\n", files=(FileChange("a.py", Kind.CHANGED, 1, 0),)), limit=5000)
    assert 4900 < len(text) <= 5000
    count = text.count("| `layer")
    assert f"\n\n{2000 - count:,} rows are left out; `exptrack diff old new` shows all of it.\n\n#### Code\n" in text
    assert text.endswith("1 line of the patch is left out; `exptrack diff old new --only code` shows them.")


@pytest.mark.parametrize("limit", [0, 10, 100, 300])
def test_a_limit_that_fits_nothing_still_holds(limit):
    text = shown(FULL._replace(cautions=("word " * 1000,)), limit=limit)
    assert len(text) <= limit
    assert text == "" or text.startswith(EVERYTHING.partition("\n")[0])


def test_what_is_left_out_is_shown_by_a_command_that_can_be_typed():
    old = Side("my branch", SideKind.COMMIT, "0123456789abcdef", "", {})
    tree = Side("work tree", SideKind.WORK_TREE, None, "", {})
    text = shown(Difference(old, tree, files=(FileChange("a", Kind.CHANGED, 1, 0),), patch="+x\n" * 999), limit=400)
    assert "`exptrack diff 'my branch' . --only code`" in text
    assert text.startswith("### `my branch` (`0123456789`) → `work tree`\n")


def test_of_many_files_in_folders_a_hundred_are_listed():
    old, new = run_side(data={"d": "md5:1.dir"}), run_side("new", data={"d": "md5:2.dir"})
    files = tuple(DataFile(str(number), Kind.REMOVED, 1) for number in range(150))
    text = shown(between(old, new, folders={"d": files}))
    assert "| `d` | 150 files removed (150 B) | `md5:1.dir` | `md5:2.dir` |" in text
    assert text.count("| `d/") == 100
    assert text.endswith("</details>\n\n50 rows are left out; `exptrack diff old new` shows all of it.")


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("a", "`a`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), ("``a", "``` ``a ```"), ("a`", "`` a` ``"), (" a ", "`  a  `"), (" a", "` a`"),
        (" ", "` `"), ("", '`""`'), ("a\nb", "`a\\nb`"), ("\0\u202e", "`\\x00\\u202e`"), ("a\\", "`a\\`"),
    ],
)  # fmt: skip
def test_a_code_span_holds_its_text_to_the_letter(text, span):
    assert code_span(text) == span


@pytest.mark.parametrize("text", [text for text in HOSTILE if text.isprintable() and text])
def test_a_table_and_its_parser_agree_on_a_cell(text):
    parsed = MarkdownIt("gfm-like", {"linkify": False}).parse(table(["a", "b"], [[code_span(text), "end"]]))
    cells = [token.children for token in parsed if token.type == "inline"][2:]
    assert [[(one.type, one.content) for one in cell] for cell in cells] == [[("code_inline", text)], [("text", "end")]]


def test_a_sentence_of_others_is_plain_words_and_code():
    assert sentence("data/raw was modified: `exptrack ls` tells, or not.") == (
        "`data/raw` was modified: `exptrack ls` tells, or not."
    )
    assert sentence("see #12, @octocat, GH-12, deadbeef1, 12 and www.x.org") == (
        "see `#12`, `@octocat`, `GH-12`, `deadbeef1`, 12 and `www.x.org`"
    )
    assert sentence("1. a_b *c* <b>") == "`1`. `a_b` `*c*` `<b>`"
    assert sentence("abcdefa `x") == "`abcdefa` `` `x ``"


def test_spans_that_meet_stay_apart():
    """Their backticks would be one fence, and what is between it and the next would be Markdown."""
    for text in ("' a``<b>``x`` <b>'", "see `a`<b>`c` <i>"):
        html = render(sentence(text))
        assert "<b>" not in html
        assert "<i>" not in html


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_sentence_side_path_or_patch_means_nothing(text):
    old = Side(text, SideKind.COMMIT, None, "", {})
    hostile = Difference(
        old, old, files=(FileChange(text, Kind.CHANGED, 1, 1, text),), patch=f"{text}\n+{text}", skipped={"data": text}, cautions=(text,)
    )  # fmt: skip
    html = render(shown(hostile))
    for mark in ("<script", "<a ", "<img", "<em", "<del", "<strong>bold"):
        assert mark not in html
    assert html.count("<details>") == html.count("</details>") == 1
    assert html.count("<table>") == 1
    assert html.count("<pre>") == 1


def test_a_fence_is_longer_than_any_in_it():
    assert fence(["a"], "diff") == "```diff\na\n```"
    assert fence(["`````", "``"], "") == "``````\n`````\n``\n``````"
    assert page_lines("-a\tb\r\n\n+\x1b[2J\x1b[31m\n") == ["-a\tb\\r", "", "+\\x1b[2J\\x1b[31m"]
