"""`exptrack.params()` in real scripts: what they read is what their runs record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

READ = "import exptrack, json\nprint(json.dumps(exptrack.params()))\n"
TYPED = """
from __future__ import annotations
from dataclasses import dataclass, field
import exptrack

@dataclass
class Model:
    layers: list[int] = field(default_factory=list)

@dataclass
class Config:
    lr: float
    model: Model = field(default_factory=Model)
    momentum: float | None = None

print(exptrack.params(Config))
"""


@pytest.fixture
def script(repository: Path) -> Path:
    (repository / "read.py").write_text(READ)
    (repository / "params.yaml").write_text("lr: 1e-5\nmodel: {layers: [1, 2]}\napi_token: hunter2hunter2\n")
    return repository / "read.py"


def read(done) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_parameters_come_from_the_files_with_what_the_command_line_says(script, exptrack):
    found = read(exptrack.python(script, "--lr", "0.5", "model.layers=[3]", "--new-one", "x"))
    assert found == {"lr": 0.5, "model": {"layers": [3]}, "api_token": "hunter2hunter2", "new-one": "x"}


def test_a_float_in_scientific_notation_is_a_number(script, exptrack):
    assert read(exptrack.python(script))["lr"] == 1e-5


def test_a_script_in_a_subfolder_reads_the_projects_files(script, exptrack, repository):
    (repository / "sub").mkdir()
    assert read(exptrack.python(script, cwd=repository / "sub"))["lr"] == 1e-5


def test_what_dvc_yaml_names_is_read_too(script, exptrack, repository):
    (repository / "dvc.yaml").write_text("stages:\n  train:\n    cmd: python read.py\n    params:\n    - more.json:\n")
    (repository / "more.json").write_text('{"depth": 4, "lr": 7}')
    found = read(exptrack.python(script))
    assert (found["depth"], found["lr"], found["more.json"]) == (4, 1e-5, {"lr": 7})


def test_an_overridden_parameter_is_read_in_a_slot(script, exptrack, git, repository):
    git("add", ".", cwd=repository)
    done = exptrack("run", "--name", "one", "-S", "model.layers=[9]", "--", "python", "read.py", "--lr=2")
    found = read(done)
    assert found["model"] == {"layers": [9]}
    assert found["lr"] == 2
    recorded = json.loads(exptrack("show", "one", "--json").stdout)
    assert recorded["params"]["params.yaml"] == {**found, "api_token": "***"}


def test_a_forked_and_a_spawned_process_read_the_same(script, exptrack, repository):
    (repository / "many.py").write_text(
        "import exptrack, multiprocessing, sys\n"
        "def work(queue):\n    queue.put(exptrack.params())\n"
        "if __name__ == '__main__':\n"
        "    for how in ('fork', 'spawn'):\n"
        "        context = multiprocessing.get_context(how)\n"
        "        queue = context.Queue()\n"
        "        process = context.Process(target=work, args=(queue,))\n"
        "        process.start()\n"
        "        print(queue.get() == exptrack.params(), exptrack.params()['lr'])\n"
        "        process.join()\n"
    )
    done = exptrack.python("many.py", "--lr", "3")
    assert done.stdout == "True 3\nTrue 3\n", done.stderr


def test_without_a_repository_the_folder_is_read(script, exptrack, tmp_path):
    (tmp_path / "params.yaml").write_text("lr: 7\n")
    assert read(exptrack.python(script, cwd=tmp_path)) == {"lr": 7}


def test_without_a_file_there_are_no_parameters(script, exptrack, repository):
    (repository / "params.yaml").unlink()
    assert read(exptrack.python(script)) == {}


def test_a_broken_file_is_an_error_not_a_default(script, exptrack, repository):
    (repository / "params.yaml").write_text("lr: [1\n")
    done = exptrack.python(script)
    assert done.returncode == 1
    assert "exptrack.errors.ExptrackError: the parameters cannot be read: params.yaml: " in done.stderr


def test_a_dataclass_gives_a_typed_object(script, exptrack, repository):
    (repository / "typed.py").write_text(TYPED)
    done = exptrack.python("typed.py", "--lr", "1")
    assert done.stdout == "Config(lr=1.0, model=Model(layers=[1, 2]), momentum=None)\n", done.stderr


def test_a_misspelt_parameter_is_told_and_recorded(script, exptrack, repository):
    (repository / "typed.py").write_text(TYPED.replace("print(", "exptrack.start_run('one')\nprint("))
    done = exptrack.python("typed.py", "--momentm", "0.9")
    assert "typed.py:17: ExptrackWarning: parameter 'momentm' is no field of Config, did you mean 'momentum'?" in (
        done.stderr
    )
    problems = json.loads(exptrack("show", "one", "--json").stdout)["problems"]
    assert "parameter 'momentm' is no field of Config, did you mean 'momentum'?" in problems


def test_parameters_are_read_where_nothing_is_recorded(script, exptrack, monkeypatch):
    monkeypatch.setenv("EXPTRACK_DISABLED", "1")
    assert read(exptrack.python(script))["lr"] == 1e-5
