"""What a stranger's run may say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exptrack.analysis.trust import check_run, is_digest, is_inside, is_sound, judge_record, judge_ref
from exptrack.errors import RecordError
from exptrack.model.data import Omission, Pointer, Reason
from exptrack.model.pipeline import StageRun, StageState
from exptrack.model.run import Record, Run, Status

DIGEST = "d41d8cd98f00b204e9800998ecf8427e"
REF = "refs/exptrack/runs/2026-11/good"
GOOD = Record("good", Status.COMPLETED, datetime(2026, 11, 30, 23, 59, tzinfo=UTC))


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "data/train.csv",
        ".gitignore",
        ".gitattributes",
        "x/.github/y",
        "git",
        "a~1",
        "git~10",
        "…/ü",
        "a b",
        "..a",
        "a..",
        "...",
        "\udcff",
        ".dvcignore",
        "a\nb",
    ],
)
def test_a_path_of_the_tree_is_inside(path):
    assert is_inside(path)
    assert is_inside(path, is_data=True)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "..",
        "../x",
        "a/../../x",
        "a/..",
        "a//b",
        "a/",
        "./a",
        "a/.",
        "a\0b",
        "\ud800",
        ".git",
        ".git/config",
        "sub/.git/hooks/x",
        ".GIT/config",
        ".giT",
        ".git ",
        ".git.",
        ".git. .",
        "git~1/config",
        "GIT~1",
        ".git:x",
        ".git::$INDEX_ALLOCATION/x",
        ".g\u200cit/config",
        "\ufeff.git",
        "a\\.git\\config",
        "x/.git\u206f",
    ],
)
def test_a_path_that_leads_elsewhere_is_not(path):
    assert not is_inside(path)
    assert not is_inside(path, is_data=True)


@pytest.mark.parametrize("path", [".dvc/config", "sub/.DVC/config", ".dvc", "dvc~1/config.local", ".d\u200dvc/x"])
def test_no_data_lies_in_a_folder_of_dvc(path):
    assert is_inside(path)
    assert not is_inside(path, is_data=True)


@pytest.mark.parametrize("digest", ["abc", DIGEST, f"{DIGEST}.dir", "a" * 64])
def test_a_digest_is_hexadecimal(digest):
    assert is_digest(digest)


@pytest.mark.parametrize(
    "digest", ["", "ab", "../../x", f"{DIGEST}/x", f"{DIGEST}.dir.dir", DIGEST.upper(), f"{DIGEST}\n", "١٢٣", "a" * 500]
)
def test_what_could_be_a_path_is_no_digest(digest):
    assert not is_digest(digest)
    assert not is_sound(Pointer("data", digest))


def test_an_md5_has_32_digits():
    assert is_sound(Pointer("data", f"{DIGEST}.dir"))
    assert is_sound(Pointer("data", DIGEST, "md5-dos2unix"))
    assert not is_sound(Pointer("data", DIGEST[:-1]))
    assert is_sound(Pointer("data", "a" * 64, "sha256"))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "..",
        "../x",
        "a/b",
        "a.lock",
        "A",
        "a_b",
        "-a",
        "a-",
        "a" * 101,
        "a\nb",
        "a\x1b[31m",
        "a..b",
        "ä",
        "@{",
        "x\u202ey",
    ],
)
def test_a_ref_with_such_a_name_is_refused(name):
    assert judge_ref(f"refs/exptrack/runs/2026-11/{name}") is not None


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/main",
        "refs/exptrack/runs/good",
        "refs/exptrack/runs/2026-13/good",
        "refs/exptrack/runs/26-11/good",
        "refs/exptrack/runs/2026-11/good/x",
        "refs/exptrack/runs/../runs/good",
        "refs/exptrack/active/good",
        "refs/exptrack/runs/٢٠٢٦-11/good",
    ],
)
def test_a_run_has_its_one_place(ref):
    assert judge_ref(ref) == "its ref is not refs/exptrack/runs/<yyyy-mm>/<name>"


def test_a_run_as_exptrack_makes_it_is_believed():
    record = GOOD._replace(
        project="sub",
        directory="sub/code",
        params={"params.yaml": {}, "args": {}, "conf/a.yaml": {}},
        data=(Pointer("data/raw", f"{DIGEST}.dir", source="data/raw.dvc"),),
        outputs=(Pointer("model", DIGEST, source="model.dvc"),),
        not_captured=(
            Omission(".dvc/cache/", Reason.IGNORED),
            Omission("big", Reason.TOO_LARGE, pointer=True),
            Omission("nested/", Reason.NESTED_REPOSITORY),
        ),
        changed=(".dvc/config",),
        ambiguous=("metrics.json",),
        kept=(Pointer(".exptrack/artifacts/a/b", DIGEST, source=".exptrack/artifacts/a/b.dvc"),),
        artifacts=("a/b", "plots/ü.png"),
        stages=(
            StageRun(
                "train",
                StageState.RAN,
                deps={"/usr/share/x": "md5:1", "s3://b/k": "etag:1", "p.yaml:a//b": "1", "data/raw": "md5:1"},
                outs={"model": "md5:1"},
            ),
        ),
    )
    assert judge_ref(REF) is None
    assert judge_record(record, REF) is None
    check_run(Run(record, "1" * 40, REF))


BAD = "../x"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": "other"}, "another name"),
        ({"started": datetime(2026, 12, 1, tzinfo=UTC)}, "another month"),
        ({"started": datetime(1, 1, 1, tzinfo=UTC)}, "another month"),
        ({"project": "/"}, "`project`"),
        ({"directory": BAD}, "`directory`"),
        ({"params": {BAD: {}}}, "`params`"),
        ({"data": (Pointer(BAD, DIGEST),)}, "`data`"),
        ({"data": (Pointer("a", DIGEST, source=BAD),)}, "`data`"),
        ({"data": (Pointer(".dvc/config", DIGEST),)}, "`data`"),
        ({"outputs": (Pointer("/etc/passwd", DIGEST),)}, "`outputs`"),
        ({"outputs": (Pointer(".git/hooks/post-checkout", DIGEST),)}, "`outputs`"),
        ({"not_captured": (Omission(BAD, Reason.IGNORED),)}, "`not_captured`"),
        ({"not_captured": (Omission(".dvc/config", Reason.TOO_LARGE, pointer=True),)}, "`outputs`"),
        ({"changed": (".git/config",)}, "`changed`"),
        ({"ambiguous": ("/x",)}, "`ambiguous`"),
        ({"kept": (Pointer(BAD, DIGEST),)}, "`kept`"),
        ({"kept": (Pointer("a", "../../x"),)}, "digest"),
        ({"artifacts": ("../run.json",)}, "`artifacts`"),
        ({"artifacts": ("a/.git/hooks/x",)}, "`artifacts`"),
        ({"stages": (StageRun("s", StageState.RAN, outs={BAD: ""}),)}, "`stages`"),
        ({"data": (Pointer("a", "../../x"),)}, "digest"),
    ],
)
def test_a_record_that_leads_elsewhere_is_refused(fields, why):
    record = GOOD._replace(**fields)
    assert why in judge_record(record, REF)
    with pytest.raises(RecordError, match="do not trust it"):
        check_run(Run(record, "1" * 40, REF))
