from __future__ import annotations

import sys

import pytest
from processes import run

from exptrack.analysis.dvcyaml import Out, Pipeline
from exptrack.backends.dvc import resolve_pipeline
from exptrack.errors import DataError

TEMPLATED = """\
vars:
  - config.yaml
stages:
  train:
    matrix:
      size: [small, large]
    wdir: work
    cmd: python train.py ${item.size} ${rate}
    params:
      - lr
      - other.toml:
    outs:
      - models/${item.size}.pkl
      - free-${item.size}.txt:
          cache: false
      - s3://bucket/${item.size}
    metrics:
      - scores/${item.size}.json:
          cache: false
    plots:
      - curve-${item.size}.csv
  each:
    foreach: [a, b]
    do:
      cmd: touch ${item}
      meta:
        since: 2024-01-01
      outs:
        - ${item}
metrics:
  - all.json
params:
  - extra.yaml
plots:
  - top.csv
  - dir/points.csv:
      x: step
      y: loss
  - named:
      x: {steps.csv: step}
      y: {one.csv: [loss], two.csv: loss}
  - empty.csv:
"""


@pytest.fixture
def project(repository):
    (repository / ".dvc").mkdir()
    (repository / ".dvc" / "config").touch()
    (repository / "work").mkdir()
    (repository / "config.yaml").write_text("rate: 3\n")
    (repository / "dvc.yaml").write_text(TEMPLATED)
    return repository


def test_a_templated_pipeline_is_resolved(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = resolve_pipeline(project, project)
    assert [(stage.folder, "${" in str(stage)) for stage in found.stages] == [("work", False)] * 2 + [(".", False)] * 2
    assert found._replace(stages=()) == Pipeline(
        metrics=("all.json", "work/scores/large.json", "work/scores/small.json"),
        params=("config.yaml", "extra.yaml", "work/other.toml", "work/params.yaml"),
        plots=(
            "dir/points.csv",
            "empty.csv",
            "one.csv",
            "steps.csv",
            "top.csv",
            "two.csv",
            "work/curve-large.csv",
            "work/curve-small.csv",
        ),
        outs=(
            Out("a"),
            Out("b"),
            Out("work/curve-large.csv"),
            Out("work/curve-small.csv"),
            Out("work/free-large.txt", cached=False),
            Out("work/free-small.txt", cached=False),
            Out("work/models/large.pkl"),
            Out("work/models/small.pkl"),
            Out("work/scores/large.json", cached=False),
            Out("work/scores/small.json", cached=False),
        ),
        folders={
            "dvc.yaml:each@a": ".",
            "dvc.yaml:each@b": ".",
            "dvc.yaml:train@large": "work",
            "dvc.yaml:train@small": "work",
        },
    )


def test_paths_are_relative_to_the_repository_and_files_add_up(repository):
    inner = repository / "team"
    (inner / ".dvc").mkdir(parents=True)
    (inner / ".dvc" / "config").touch()
    (inner / "sub").mkdir()
    (inner / "dvc.yaml").write_text("metrics: [a.json, ../shared.json, ../../outside.json]\n")
    (inner / "sub" / "dvc.yaml").write_text("metrics: [b.json]\n")
    found = resolve_pipeline(inner, repository, [inner / "dvc.yaml", inner / "sub" / "dvc.yaml"])
    assert found == Pipeline(metrics=("shared.json", "team/a.json", "team/sub/b.json"))


def test_nothing_is_written(project, git):
    git("add", ".", cwd=project)
    before = {path: (path.lstat().st_mtime_ns, path.lstat().st_size) for path in project.rglob("*")}
    resolve_pipeline(project, project)
    assert {path: (path.lstat().st_mtime_ns, path.lstat().st_size) for path in project.rglob("*")} == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stages: [", r"cannot resolve .*dvc\.yaml"),
        ("stages: {a: {cmd: '${nothing}'}}", r"cannot resolve .*nothing"),
        ("stages: {a: {command: x}}", r"cannot resolve .*dvc\.yaml"),
        (None, r"cannot resolve .*dvc\.yaml"),
    ],
)
def test_a_pipeline_that_dvc_refuses_is_named_in_one_line(project, text, words):
    (project / "dvc.yaml").unlink()
    if text is not None:
        (project / "dvc.yaml").write_text(text)
    with pytest.raises(DataError, match=words) as caught:
        resolve_pipeline(project, project)
    assert "\n" not in str(caught.value)


def test_dvc_sees_the_same_outs(project):
    lines = (project / "dvc.yaml").read_text().replace("      - s3://bucket/${item.size}\n", "")
    (project / "dvc.yaml").write_text(lines)
    command = [sys.executable, "-m", "dvc", "ls", ".", "--recursive", "--dvc-only"]
    done = run(command, cwd=project, capture_output=True, text=True, check=True)
    cached = [out.path for out in resolve_pipeline(project, project).outs if out.cached]
    assert sorted(done.stdout.split()) == cached
