"""Packed refs are found by their beginning, wherever they are in the file."""

import pytest

from exptrack.backends.git.packed import has_packed


@pytest.fixture
def fill(repository, git):
    def fill(names):
        head = git("rev-parse", "HEAD", cwd=repository)
        git("update-ref", "--stdin", cwd=repository, stdin="".join(f"create {name} {head}\n" for name in names))
        git("pack-refs", "--all", cwd=repository)
        return repository / ".git"

    return fill


def names(folder, number=400):
    return [f"refs/exptrack/{folder}/run-{one:04}" for one in range(number)]


@pytest.mark.parametrize("number", [0, 1, 400])
@pytest.mark.parametrize("trash", [0, 1, 300])
def test_a_ref_among_many_is_found_and_none_is_missed(fill, number, trash):
    common = fill([*names("runs", number), *names("zoo", number), *names("trash", trash)])
    assert has_packed(common, "refs/exptrack/trash/") == bool(trash)
    assert has_packed(common, "refs/exptrack/zoo/") == bool(number)
    assert has_packed(common, "refs/heads/")
    assert not has_packed(common, "refs/a")
    assert not has_packed(common, "refs/zzz")


def test_tags_with_what_they_point_at_are_no_hindrance(fill, git, repository):
    for one in range(120):
        git("tag", "-a", "-m", "a tag", f"tag-{one}", cwd=repository)
    common = fill(names("trash", 1))
    assert has_packed(common, "refs/exptrack/trash/")
    assert has_packed(common, "refs/tags/tag-119")
    assert not has_packed(common, "refs/tags/tag-2000")


def test_a_file_that_is_not_sorted_is_read_whole(tmp_path):
    oid = "0" * 40
    (tmp_path / "packed-refs").write_text(f"{oid} refs/heads/main\n{oid} refs/exptrack/trash/a\n{oid} refs/a\n")
    assert has_packed(tmp_path, "refs/exptrack/trash/")
    assert not has_packed(tmp_path, "refs/exptrack/runs/")


def test_without_the_file_there_is_none(tmp_path):
    assert not has_packed(tmp_path, "refs/")
