"""How much each of many commits changes, in git's words."""

from __future__ import annotations

from exptrack.backends.git.diffs import read_stats


def test_each_commit_is_compared_with_its_parent(repo, repository, git):
    first = git("rev-parse", "HEAD", cwd=repository)
    (repository / "train.py").rename(repository / "moved.py")
    (repository / "ünï.bin").write_bytes(b"\0\1")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "second", cwd=repository)
    second = git("rev-parse", "HEAD", cwd=repository)
    git("commit", "--quiet", "--allow-empty", "-m", "third", cwd=repository)
    third = git("rev-parse", "HEAD", cwd=repository)
    stats = read_stats(repo, [third, second, first])
    assert stats.keys() == {second, first}
    assert stats[second] == (
        " train.py => moved.py |   0\n ünï.bin              | Bin 0 -> 2 bytes\n 2 files changed, 0 insertions(+), 0 deletions(-)"
    )
    assert stats[first].endswith("\n 3 files changed, 5 insertions(+)")
    assert read_stats(repo, []) == {}


def test_width_and_colours_are_those_that_are_asked_for(repo, repository, git):
    git("config", "color.ui", "always", cwd=repository)
    git("config", "diff.noprefix", "true", cwd=repository)
    (repository / ("x" * 90)).write_text("x\n" * 300)
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "wide", cwd=repository)
    head = git("rev-parse", "HEAD", cwd=repository)
    plain, wide = read_stats(repo, [head])[head], read_stats(repo, [head], 200, color=True)[head]
    assert max(map(len, plain.splitlines())) <= 80
    assert "\x1b" not in plain
    assert "x" * 90 in wide
    assert "\x1b[32m+" in wide
