"""DVC's files, read without DVC, and compared with what DVC itself makes of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from processes import run

from exptrack.analysis.dvcfiles import parse_pointers
from exptrack.analysis.dvcyaml import Out, Pipeline, Stage, parse_pipeline
from exptrack.errors import DataError
from exptrack.model.data import Pointer

SUB_PIPELINE = """
vars: [vars.yaml, {made: up}]
params: [top.toml, ../params.yaml]
metrics: [m/top.json]
plots:
  - plots.csv
  - styled.csv: {x: a, y: b}
  - drawn: {x: {px.csv: a}, y: {py.csv: [b], ../up.csv: c}}
  - plain.csv:
artifacts:
  model: {path: model.pkl}
stages:
  one:
    wdir: inner
    cmd: mkdir -p o && echo 1 > o/f && echo 2 > g.txt && echo {} > m.json && echo {} > m2.json && echo x > p.csv && echo y > q.csv && echo hi > ../up.txt
    deps: [../data/x.csv]
    params: [lr, ../conf.yaml: [a.b], whole.yaml: null]
    outs:
      - o/
      - g.txt: {cache: false}
      - ../up.txt: {persist: true, desc: kept, push: false}
    metrics:
      - m.json: {cache: false}
      - m2.json
    plots:
      - p.csv
      - q.csv: {cache: false, x: a}
  each:
    foreach: [a, b]
    do:
      wdir: inner
      cmd: echo fixed > ${item}.txt
      outs: ["${item}.txt"]
  grid:
    matrix: {size: [1, 2]}
    cmd: echo ${item.size} > grid-${item.size}.txt
    outs: ["grid-${item.size}.txt"]
  named:
    cmd: echo ${name} > ${name}.txt && echo ok > shell-only.txt
    outs: ["${name}.txt", shell-only.txt]
"""
ROOT_PIPELINE = """
stages:
  plain:
    cmd: echo ${HOME} > out.txt && echo 0 > m.json
    vars: [more.yaml:a]
    params: [lr]
    outs: [out.txt]
    metrics: [m.json: {cache: false}]
"""
# What DVC's own index says of a project, without a word about what it finds out only by running.
ASK_DVC = """
import json, os
from dvc.repo import Repo
from dvc.repo.metrics.show import _collect_metrics
from dvc.repo.params.show import _collect_params
with Repo(".") as repo:
    relative = lambda path: os.path.relpath(path, repo.root_dir)
    print(json.dumps({
        "outs": sorted((relative(out.fs_path), out.use_cache) for out in repo.index.outs if out.stage.path_in_repo.endswith("yaml")),
        "pointers": sorted(
            (relative(out.fs_path), out.hash_info.value, out.hash_name, out.meta.size, out.meta.nfiles, getattr(out.stage, "name", None))
            for out in repo.index.outs if out.use_cache and out.hash_info
        ),
        "metrics": sorted(path.lstrip("/") for path in _collect_metrics(repo)),
        "params": sorted(path.lstrip("/") for path in _collect_params(repo)),
        "plots": sorted(relative(out.fs_path) for out in repo.index.plots),
    }))
"""


def dvc(folder: Path, *arguments: str) -> None:
    done = run([sys.executable, "-m", "dvc", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def ask_dvc(folder: Path) -> dict[str, list]:
    done = subprocess.run([sys.executable, "-c", ASK_DVC], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.fixture
def project(repository):
    write(
        repository,
        {
            "params.yaml": "lr: 1\n",
            "more.yaml": "a: 1\n",
            "data/dir/a": "1",
            "data/dir/ü/b": "2",
            "sub/data/x.csv": "3",
            "sub/dvc.yaml": SUB_PIPELINE,
            "dvc.yaml": ROOT_PIPELINE.replace("${HOME}", "x"),
            "sub/vars.yaml": "name: nn\n",
            "sub/top.toml": "a = 1\n",
            "sub/conf.yaml": "a: {b: 1}\n",
            "sub/inner/params.yaml": "lr: 3\n",
            "sub/inner/whole.yaml": "a: 1\n",
        },
    )
    dvc(repository, "init", "--quiet")
    dvc(repository, "add", "--quiet", "data/dir", "sub/data/x.csv")
    dvc(repository, "repro", "--quiet", "--all-pipelines")
    return repository


def test_what_dvc_wrote_means_what_dvc_takes_it_for(project):
    said = ask_dvc(project)
    pipelines = {path: parse_pipeline(path, (project / path).read_text()) for path in ("dvc.yaml", "sub/dvc.yaml")}
    pointers = []
    for path in ("data/dir.dvc", "sub/data/x.csv.dvc"):
        pointers += parse_pointers(path, (project / path).read_text())
    for path, pipeline in pipelines.items():
        lock = path.replace(".yaml", ".lock")
        pointers += parse_pointers(lock, (project / lock).read_text(), pipeline)
    told = [[p.path, p.digest, p.algorithm, p.size, p.files, p.stage] for p in pointers]
    assert sorted(told) == said["pointers"]
    assert {p.path: p.source for p in pointers}["sub/up.txt"] == "sub/dvc.lock"

    found = list(pipelines.values())
    assert sorted({path for pipeline in found for path in pipeline.metrics}) == said["metrics"]
    # The variables that a template used are for the resolver to say; all else that a stage depends on is here.
    assert {path for pipeline in found for path in pipeline.params} - set(said["params"]) == {
        "sub/vars.yaml",
        "more.yaml",
    }
    assert set(said["params"]) <= {path for pipeline in found for path in pipeline.params}
    assert set(said["plots"]) <= {path for pipeline in found for path in pipeline.plots}
    templated = {"sub/inner/a.txt", "sub/inner/b.txt", "sub/grid-1.txt", "sub/grid-2.txt", "sub/nn.txt"}
    assert sorted([out.path, out.cached] for pipeline in found for out in pipeline.outs) == [
        out for out in said["outs"] if out[0] not in templated
    ]
    assert [pipeline.templated for pipeline in found] == [False, True]


def test_a_pointer_written_by_hand_for_a_listed_folder_has_the_hash_that_dvc_gives_it(project):
    (whole,) = parse_pointers("data/dir.dvc", (project / "data/dir.dvc").read_text())
    script = (
        "import json\nfrom dvc.repo import Repo\nwith Repo('.') as repo:\n  (out,) = repo.stage.collect('data/dir.dvc')[0].outs\n"
        "  print(json.dumps(out.obj.as_list(with_meta=True) if out.obj else out.get_obj().as_list(with_meta=True)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True)
    listing = json.loads(done.stdout.splitlines()[-1])
    assert len(listing) == 2
    listed = json.dumps({"outs": [{"path": "dir", "hash": "md5", "files": listing[::-1]}]}, ensure_ascii=False)
    (again,) = parse_pointers("data/dir.dvc", listed)
    assert again.digest == whole.digest


def test_a_pipeline_names_what_its_stages_run_and_need():
    text = """
stages:
  list: {cmd: [one, two], wdir: in, deps: [../a, ../../b, /c, ../../../d, 'remote://e/f', g: {}]}
  each: {foreach: [1], do: {cmd: 'x ${item}', deps: ['y-${item}']}}
"""
    assert parse_pipeline("sub/dvc.yaml", text).stages == (
        Stage("sub/in", ("one", "two"), ("sub/a", "b", "/c", "../d", "sub/in/g")),
        Stage("sub", ("x ${item}",), ("sub/y-${item}",)),
    )


def test_a_pipeline_names_what_it_names():
    assert parse_pipeline("sub/dvc.yaml", SUB_PIPELINE)._replace(stages=()) == Pipeline(
        metrics=("sub/inner/m.json", "sub/inner/m2.json", "sub/m/top.json"),
        params=(
            "params.yaml",
            "sub/conf.yaml",
            "sub/inner/params.yaml",
            "sub/inner/whole.yaml",
            "sub/top.toml",
            "sub/vars.yaml",
        ),
        outs=(
            Out("sub/inner/g.txt", cached=False),
            Out("sub/inner/m.json", cached=False),
            Out("sub/inner/m2.json"),
            Out("sub/inner/o"),
            Out("sub/inner/p.csv"),
            Out("sub/inner/q.csv", cached=False),
            Out("sub/shell-only.txt"),
            Out("sub/up.txt", is_private=True),
        ),
        plots=(
            "sub/inner/p.csv",
            "sub/inner/q.csv",
            "sub/plain.csv",
            "sub/plots.csv",
            "sub/px.csv",
            "sub/py.csv",
            "sub/styled.csv",
            "up.csv",
        ),
        templated=True,
        folders={
            "sub/dvc.yaml:one": "sub/inner",
            "sub/dvc.yaml:each": "sub/inner",
            "sub/dvc.yaml:grid": "sub",
            "sub/dvc.yaml:named": "sub",
        },
    )


def test_a_template_in_a_command_alone_needs_no_dvc():
    pipeline = parse_pipeline("dvc.yaml", ROOT_PIPELINE)
    assert not pipeline.templated
    assert pipeline.params == ("more.yaml", "params.yaml")
    assert pipeline.folders == {"dvc.yaml:plain": "."}


@pytest.mark.parametrize(
    "text",
    ["stages: {a: {wdir: '${x}', cmd: c, outs: [b]}}", "stages: {a: {foreach: [1], do: {cmd: c}}}", "stages: {a: {matrix: {x: [1]}, cmd: c}}",
     "metrics: ['${x}.json']", "stages: {a: {params: ['${x}.yaml': [a]], cmd: c}}", "plots: ['${x}.csv']", "stages: {a: {outs: ['${x}': {cache: false}]}}"],
)  # fmt: skip
def test_a_path_that_dvc_alone_knows_is_said_to_be_templated(text):
    assert parse_pipeline("dvc.yaml", text).templated


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "stages:\n", "{}", "stages: {}\nmetrics:\nplots:\nparams:\nvars:\n"]
)
def test_a_pipeline_may_be_empty(text):
    assert parse_pipeline("dvc.yaml", text) == Pipeline()


def test_paths_outside_the_repository_are_left_out():
    text = "stages: {a: {wdir: x, cmd: c, outs: [s3://b/k, /abs, remote://r/k, ../../up, .., ../.., ../in, ./y/../z]}}\nmetrics: [../m.json]"
    assert parse_pipeline("dvc.yaml", text).outs == (Out("in"), Out("x/z"))
    assert parse_pipeline("dvc.yaml", text).metrics == ()
    outs = [{"path": path, "md5": "1" * 32} for path in ("s3://b/k", "/abs", "remote://r/k", "../../up", "..", "../in")]
    assert [pointer.path for pointer in parse_pointers("x/a.dvc", json.dumps({"outs": outs}))] == ["in"]


def test_a_dvc_file_gives_pointers():
    text = """
md5: 0123456789abcdef0123456789abcdef
frozen: true
wdir: ../data
deps:
- path: https://host/x
  etag: '"1"'
outs:
- {path: new.csv, hash: md5, md5: ABC0123456789abcdef0123456789abc, size: 5}
- {path: old, md5: d751713988987e9331980363e24189ce.dir, size: 7, nfiles: 2}
- {path: digits, md5: '00123456789012345678901234567890'}
- {path: number, md5: 12345678901234567890123456789012}
- {path: uncached, hash: md5, md5: 0123456789abcdef0123456789abcdef, cache: false}
- {path: fetched-never, size: 3}
- {path: versioned, hash: md5, md5: 0123456789abcdef0123456789abcdef, cloud: {s3: {version_id: x, etag: y}}}
- {path: versioned-only, hash: md5, cloud: {s3: {version_id: x, etag: y}}}
- {path: listed-only, hash: md5, files: [{relpath: a, cloud: {s3: {version_id: x}}}]}
meta: {a: b}
"""
    assert parse_pointers("raw/all.dvc", text) == (
        Pointer("data/new.csv", "abc0123456789abcdef0123456789abc", "md5", 5, source="raw/all.dvc"),
        Pointer("data/old", "d751713988987e9331980363e24189ce.dir", "md5-dos2unix", 7, 2, source="raw/all.dvc"),
        Pointer("data/digits", "00123456789012345678901234567890", "md5-dos2unix", source="raw/all.dvc"),
        Pointer("data/number", "12345678901234567890123456789012", "md5-dos2unix", source="raw/all.dvc"),
        Pointer("data/versioned", "0123456789abcdef0123456789abcdef", "md5", source="raw/all.dvc"),
    )


LOCK = """
schema: '2.0'
stages:
  one:
    cmd: x
    deps: [{path: in.csv, hash: md5, md5: 1111}]
    params: {params.yaml: {lr: 1}}
    outs: [{path: o, hash: md5, md5: 2222.dir, size: 4, nfiles: 1}, {path: gone, md5: 3333}, {path: m.json, hash: md5, md5: 4444}]
  many@a:
    cmd: x
    outs: [{path: a.txt, hash: md5, md5: 5555}]
  gone:
    cmd: x
    outs: [{path: b.txt, hash: md5, md5: 6666}]
"""
STAGES = "stages: {one: {cmd: x, wdir: w, outs: [o], metrics: [m.json: {cache: false}]}, many: {foreach: [a], do: {wdir: v, cmd: x, outs: ['${item}.txt']}}}"


def test_a_lock_file_alone_gives_all_that_it_holds():
    pointers = parse_pointers("sub/dvc.lock", LOCK)
    assert [(pointer.path, pointer.stage) for pointer in pointers] == [
        ("sub/o", "one"), ("sub/gone", "one"), ("sub/m.json", "one"), ("sub/a.txt", "many@a"), ("sub/b.txt", "gone"),
    ]  # fmt: skip
    assert pointers[0] == Pointer("sub/o", "2222.dir", "md5", 4, 1, "sub/dvc.lock", "one")


def test_a_lock_file_with_its_pipeline_gives_what_is_cached_where_it_lies():
    pipeline = parse_pipeline("sub/dvc.yaml", STAGES)
    assert [pointer.path for pointer in parse_pointers("sub/dvc.lock", LOCK, pipeline)] == [
        "sub/w/o",
        "sub/w/gone",
        "sub/v/a.txt",
    ]
    whole = parse_pipeline(
        "sub/dvc.yaml", "stages: {one: {cmd: x, wdir: w, outs: [o], metrics: [m.json: {cache: false}]}}"
    )
    assert [pointer.path for pointer in parse_pointers("sub/dvc.lock", LOCK, whole)] == ["sub/w/o"]


def test_a_pointer_names_its_remote_and_says_that_it_is_private():
    outs = "outs: [{path: a, md5: 0a, remote: store}, {path: b, md5: 0b, push: false}, {path: c, md5: 0c, push: true}]"
    assert [one[-2:] for one in parse_pointers("x.dvc", outs)] == [("store", False), (None, True), (None, False)]
    lock = "schema: '2.0'\nstages: {one: {cmd: x, outs: [{path: a, md5: 0a}, {path: b, md5: 0b}, {path: c, md5: 0c}]}}"
    text = "stages: {one: {cmd: x, outs: [a: {remote: store}, b: {push: false}, c]}}"
    pointers = parse_pointers("dvc.lock", lock, parse_pipeline("dvc.yaml", text))
    assert [one[-2:] for one in pointers] == [("store", False), (None, True), (None, False)]


@pytest.mark.parametrize(
    "text", ["", "schema: '2.0'\n", "schema: '2.0'\nstages: {}\n", "schema: 2.0\nstages: {a: {cmd: x}}"]
)
def test_a_lock_file_may_hold_nothing(text):
    assert parse_pointers("dvc.lock", text) == ()


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("a.dvc", "outs: [}", "a.dvc: line 1: while parsing a flow node, did not find expected node content"),
        ("a.dvc", "[1]", "a.dvc: not a mapping"),
        ("a.dvc", "outs: {a: b}", "a.dvc: 'outs' is not a list of mappings"),
        ("a.dvc", "outs: [x]", "a.dvc: 'outs' is not a list of mappings"),
        ("a.dvc", "outs: [{md5: abc}]", "a.dvc: 'outs[0].path' is missing"),
        ("a.dvc", "outs: [{path: a, md5: [b]}]", "a.dvc: 'outs[0].md5' is not a text"),
        ("a.dvc", "outs: [{path: a, md5: b, size: big}]", "a.dvc: 'outs[0].size' is not a whole number"),
        ("a.dvc", "wdir: 3", "a.dvc: 'wdir' is not a text"),
        ("s/dvc.lock", "train: {cmd: x}", "s/dvc.lock: 'schema' is not '2.0', the format of DVC 2 and 3"),
        ("s/dvc.lock", "schema: '2.0'\nstages: [a]", "s/dvc.lock: 'stages' is not a mapping"),
        (
            "s/dvc.lock",
            "schema: '2.0'\nstages: {a: {outs: [{path: 1}]}}",
            "s/dvc.lock: 'stages.a.outs[0].path' is not a text",
        ),
        (
            "s/dvc.lock",
            "<<<<<<< HEAD\nschema: '2.0'\n",
            "s/dvc.lock: line 2: mapping values are not allowed in this context",
        ),
    ],
)
def test_a_broken_pointer_file_is_named_with_its_key(path, text, message):
    with pytest.raises(DataError) as raised:
        parse_pointers(path, text)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stages: [a]", "'stages' is not a mapping"),
        ("stages: {a: x}", "'stages.a' is not a mapping"),
        ("stages: {a: {outs: b}}", "'stages.a.outs' is not a list of texts and mappings"),
        ("stages: {a: {outs: [1]}}", "'stages.a.outs' is not a list of texts and mappings"),
        ("stages: {a: {outs: [b: {cache: maybe}]}}", "'stages.a.cache' is not true or false"),
        ("metrics: m.json", "'metrics' is not a list of texts and mappings"),
        ("stages: {a: {wdir: [x]}}", "'stages.a.wdir' is not a text"),
        ("a: b: c", "line 1: mapping values are not allowed in this context"),
    ],
)
def test_a_broken_pipeline_is_named_with_its_key(text, message):
    with pytest.raises(DataError) as raised:
        parse_pipeline("sub/dvc.yaml", text)
    assert str(raised.value) == f"sub/dvc.yaml: {message}"


WORDS = st.sampled_from(
    [
        "stages",
        "outs",
        "metrics",
        "plots",
        "params",
        "vars",
        "wdir",
        "do",
        "foreach",
        "y",
        "cache",
        "path",
        "md5",
        "files",
        "schema",
        "2.0",
    ]
)
TREES = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers(0, 3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(WORDS, TREES, max_size=4))
def test_any_file_is_read_or_refused(tree):
    reason = ""
    for read in (
        lambda text: parse_pointers("dvc.lock", text),
        lambda text: parse_pointers("a.dvc", text),
        lambda text: parse_pipeline("dvc.yaml", text),
    ):
        try:
            read(json.dumps(tree))
        except DataError as error:
            reason = str(error)
        assert "\n" not in reason
