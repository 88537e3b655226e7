"""Which Python a command line leads to."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exptrack.backends.host.command import find, parse_options
from exptrack.backends.host.scene import Found, Scene

BINARY = "\x7fELF"
Make = Callable[..., Path]
Find = Callable[..., Found | None]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write an executable below the test's folder."""

    def write(path: str, text: str = BINARY) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
        return file

    return write


@pytest.fixture
def look(tmp_path: Path, make: Make) -> Find:
    """Find the Python of a command in `tmp_path/work`, with `tmp_path/bin` and its `python3` on PATH."""
    make("bin/python3")
    (tmp_path / "work").mkdir()

    def call(*words: str, directory: str = "work", **environ: str) -> Found | None:
        variables = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path / "home"), **environ}
        return find(words, Scene(tmp_path / directory, variables, tmp_path / "cache"))

    return call


def environment(make: Make, prefix: str) -> Path:
    make(f"{prefix}/bin/python").parent.joinpath("python3").symlink_to("python")
    python = make(f"{prefix}/bin/python")
    (python.parent.parent / "pyvenv.cfg").write_text("home = /usr/bin\n")
    return python


def test_a_python_that_is_named_is_used(look: Find, tmp_path: Path) -> None:
    found = look("python3", "train.py")
    assert found is not None
    assert (found.path, found.how) == (tmp_path / "bin/python3", "command")


def test_a_relative_python_is_looked_up_in_the_working_directory(look: Find, make: Make) -> None:
    python = make("work/.venv/bin/python")
    found = look(".venv/bin/python", "train.py")
    assert found is not None
    assert found.path == python


def test_the_link_of_a_virtual_environment_is_kept(look: Find, tmp_path: Path) -> None:
    link = tmp_path / "work" / "python"
    link.symlink_to(tmp_path / "bin" / "python3")
    found = look("./python", "train.py")
    assert found is not None
    assert found.path == link


def test_a_link_of_another_name_to_a_python_is_a_python(look: Find, tmp_path: Path) -> None:
    (tmp_path / "bin" / "train").symlink_to("python3")
    found = look("train")
    assert found is not None
    assert (found.path.name, found.how) == ("train", "command")


@pytest.mark.parametrize(
    "name", ["python3.11", "python3.13t", "pypy3", "pypy3.10", "graalpy", "pythonw", "python3-dbg"]
)
def test_every_kind_of_python_is_one(look: Find, make: Make, name: str) -> None:
    make(f"bin/{name}")
    found = look(name)
    assert found is not None
    assert (found.path.name, found.how) == (name, "command")


@pytest.mark.parametrize("name", ["python3-config", "pythonista", "ipython", "mypython", "pythonw.sh"])
def test_a_name_that_only_looks_like_a_python_is_none(look: Find, make: Make, name: str) -> None:
    make(f"bin/{name}")
    found = look(name)
    assert found is not None
    assert (found.path.name, found.how) == ("python3", "path")


@pytest.mark.parametrize(
    "command",
    [
        "time python3 train.py",
        "nice -n 10 python3 train.py",
        "timeout -k 5 60 nice python3 train.py",
        "taskset -c 0-3 python3 train.py",
        "mpirun -np 4 python3 train.py",
        "env SEED=1 python3 train.py",
        "env -u SEED -C . -- python3 train.py",
        "/usr/bin/env python3 train.py",
        "uv run python3 train.py",
    ],
)
def test_a_wrapper_is_looked_through(look: Find, make: Make, command: str) -> None:
    for name in ("time", "nice", "timeout", "taskset", "mpirun", "uv", "env"):
        make(f"bin/{name}")
    found = look(*command.split(" "))
    assert found is not None
    assert (found.path.name, found.how) == ("python3", "command")


def test_env_changes_what_is_looked_up(look: Find, make: Make, tmp_path: Path) -> None:
    make("bin/env")
    other = make("other/python3")
    found = look("env", f"PATH={other.parent}", "PYTHONPATH=src", "-S", "python3 -I", "train.py")
    assert found is not None
    assert (found.path, found.flags, found.scene.environ["PYTHONPATH"]) == (other, "I", "src")
    cleared = look("env", "-i", f"PATH={other.parent}", "python3", SECRET="1")
    assert cleared is not None
    assert dict(cleared.scene.environ) == {"PATH": str(other.parent)}


@pytest.mark.parametrize(
    "first",
    [
        "#!{python}",
        "#! {python} -u",
        "#!/usr/bin/env python3.12",
        "#!/usr/bin/env -S python3.12 -u",
        "#!/bin/sh\n'''exec' {python} \"$0\" \"$@\"\n' '''",
        "#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''",
        "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python3.12' \"$0\" \"$@\"\n' '''",
    ],
)
def test_a_script_says_in_its_first_line_which_python_reads_it(look: Find, make: Make, first: str) -> None:
    python = make("bin/python3.12")
    make("bin/torchrun", first.format(python=python) + "\nimport torch\n")
    found = look("torchrun", "train.py")
    assert found is not None
    assert (found.path, found.how) == (python, "shebang")


def test_a_shebang_with_a_space_in_its_path_is_read(look: Find, make: Make) -> None:
    python = make("my env/bin/python3")
    make("work/run", f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n")
    found = look("./run")
    assert found is not None
    assert (found.path, found.how) == (python, "shebang")


def test_a_script_whose_python_is_gone_falls_back(look: Find, make: Make) -> None:
    make("work/run", "#!/gone/bin/python\n")
    found = look("./run")
    assert found is not None
    assert found.how == "path"


def test_a_script_that_is_its_own_interpreter_ends(look: Find, make: Make, tmp_path: Path) -> None:
    make("bin/loop", f"#!{tmp_path}/bin/loop\n")
    found = look("loop")
    assert found is not None
    assert found.how == "path"


def shell(look: Find, text: str, **environ: str) -> Found | None:
    return look("/bin/sh", "-ec", text, **environ)


@pytest.mark.parametrize(
    "text",
    [
        "python3 train.py",
        "set -e; echo go >log 2>&1 && SEED=1 exec python3 train.py | tee out",
        "# don't stop\nfor seed in 1 2; do\n  python3 \\\n    train.py --seed $seed\ndone",
        "PY=python3\n$PY train.py",
        "${PY:-python3} -u train.py",
        'if [ "$1" = x ]; then python3 train.py; fi',
        "(cd src; python3 train.py)",
    ],
)
def test_a_shell_text_is_read_for_the_python_that_it_calls(look: Find, text: str) -> None:
    found = shell(look, text)
    assert found is not None
    assert (found.path.name, found.how) == ("python3", "command")


def test_a_shell_text_may_change_folder_and_activate(look: Find, make: Make) -> None:
    python = environment(make, "work/sub/.venv")
    found = shell(look, "cd sub\nsource .venv/bin/activate  # as usual\nexport PYTHONPATH=src\npython train.py")
    assert found is not None
    assert (found.path, found.how) == (python, "command")
    assert found.scene.environ["PYTHONPATH"] == "src"
    assert found.scene.directory.name == "sub"


def test_a_shell_script_is_read_too(look: Find, make: Make) -> None:
    python = environment(make, "work/.venv")
    make("work/run.sh", '#!/bin/bash\ncd "$(dirname "$0")"\n. .venv/bin/activate\nexec "$@"\n')
    for words in (("./run.sh", "python", "x.py"), ("/bin/bash", "-o", "pipefail", "run.sh", "python")):
        found = look(*words)
        assert found is not None
        assert (found.path, found.how) == (python, "command")


@pytest.mark.parametrize(
    "text",
    [
        "module load python/3.11; python3 train.py",
        "source setup.sh; python3 train.py",
        'eval "$(tool init)"; python3 train.py',
        "export PATH=$(tool bin):$PATH; python3 train.py",
        '"$UNSET" train.py; python3 other.py',
        "cd $UNSET && python3 train.py",
        "conda activate nowhere; python3 train.py",
        "echo 'never closed; python3",
        "echo nothing",
    ],
)
def test_a_shell_text_that_only_a_shell_understands_is_not_guessed_at(look: Find, text: str) -> None:
    found = shell(look, text)
    assert found is not None
    assert found.how == "path"


@pytest.mark.parametrize("runner", ["uv", "poetry", "pdm", "pipenv"])
def test_a_project_runner_enters_the_environment_of_the_project(look: Find, make: Make, runner: str) -> None:
    python = environment(make, "work/.venv")
    script = make("work/.venv/bin/torchrun", f"#!{python}\n")
    make(f"bin/{runner}")
    (script.parent.parent.parent / "deep" / "er").mkdir(parents=True)
    for words, how in ((("python", "t.py"), "command"), (("torchrun", "t.py"), "shebang"), (("t.py",), "virtualenv")):
        found = look(runner, "run", *words, directory="work/deep/er")
        assert found is not None
        assert (found.path, found.how) == (python, how)


def test_uv_prefers_the_project_and_poetry_the_active_environment(look: Find, make: Make) -> None:
    near, active = environment(make, "work/.venv"), environment(make, "active")
    variables = {"VIRTUAL_ENV": str(active.parent.parent)}
    for runner, expected in (("uv", near), ("poetry", active)):
        make(f"bin/{runner}")
        found = look(runner, "run", "python", "train.py", **variables)
        assert found is not None
        assert found.path == expected


def test_uv_is_told_of_another_project_or_environment(look: Find, make: Make, tmp_path: Path) -> None:
    other, named = environment(make, "other/.venv"), environment(make, "work/named")
    (tmp_path / "work" / "pyproject.toml").write_text("")
    make("bin/uv")
    found = look("uv", "--project", "../other", "run", "-p", "python3", "python", "train.py")
    assert found is not None
    assert found.path == other
    found = look("uv", "run", "train.py", UV_PROJECT_ENVIRONMENT="named")
    assert found is not None
    assert found.path == named


def test_uv_says_which_environment_a_script_with_metadata_has(look: Find, make: Make, tmp_path: Path) -> None:
    environment(make, "work/.venv")
    python = make("scripts/bin/python3")
    (tmp_path / "work" / "train.py").write_text("# /// script\n# dependencies = []\n# ///\n")
    make("bin/uv", f'#!/bin/sh\n[ "$1 $2" = "python find" ] && echo {python}\n')
    found = look("uv", "run", "train.py")
    assert found is not None
    assert found.path == python
    make("bin/uv", "#!/bin/sh\nexit 2\n")
    assert look("uv", "run", "train.py") is None


def test_poetry_is_asked_once_where_it_keeps_its_environment(look: Find, make: Make, tmp_path: Path) -> None:
    python = environment(make, "home/envs/project-py3.11")
    (tmp_path / "work" / "pyproject.toml").write_text("")
    calls = tmp_path / "calls"
    make("bin/poetry", f"#!/bin/sh\necho $@ >> {calls}\necho {python.parent.parent}\n")
    settle(tmp_path)
    for _ in range(2):
        found = look("poetry", "run", "python", "train.py")
        assert found is not None
        assert found.path == python
    assert calls.read_text() == "env info --path\n"
    (python.parent.parent.parent / "envs.toml").write_text("")
    look("poetry", "run", "python", "train.py")
    assert calls.read_text() == "env info --path\n" * 2


@pytest.mark.parametrize("option", [("-n", "vision"), ("--name=vision",), ("-p", "{root}/envs/vision")])
def test_conda_run_enters_the_environment_that_it_names(
    look: Find, make: Make, tmp_path: Path, option: Sequence[str]
) -> None:
    make("conda/bin/conda")
    python = make("conda/envs/vision/bin/python")
    words = [word.format(root=tmp_path / "conda") for word in option]
    conda = str(tmp_path / "conda/bin/conda")
    for command, how in ((("python", "t.py"), "command"), (("./absent",), "conda")):
        found = look(conda, "run", *words, "--no-capture-output", *command)
        assert found is not None
        assert (found.path, found.how) == (python, how)
        assert found.scene.environ["CONDA_PREFIX"] == str(tmp_path / "conda/envs/vision")


def test_a_conda_environment_elsewhere_is_found_by_condas_own_list(look: Find, make: Make, tmp_path: Path) -> None:
    python = make("far/vision/bin/python")
    make("home/.conda/environments.txt", f"/gone/vision\n{tmp_path}/far/vision\n")
    found = shell(look, "conda activate vision && python train.py")
    assert found is not None
    assert found.path == python


@pytest.mark.parametrize(
    "command", ["docker run image python3", "ssh node python3 train.py", "uvx ruff", "uv tool run x"]
)
def test_a_command_that_runs_elsewhere_has_no_python_here(look: Find, make: Make, command: str) -> None:
    make(f"bin/{command.split(maxsplit=1)[0]}")
    assert look(*command.split()) is None
    assert shell(look, f"true; {command}") is None


def test_a_pipeline_uses_the_python_of_the_surroundings_and_not_dvcs(look: Find, make: Make) -> None:
    python = make("tools/bin/python3")
    make("bin/dvc", f"#!{python}\n")
    for words in (("dvc", "repro"), (str(python), "-m", "dvc", "repro")):
        found = look(*words)
        assert found is not None
        assert (found.path.parent.name, found.how) == ("bin", "path")
        assert found.path != python


def test_a_command_without_a_python_gets_that_of_its_surroundings(look: Find, make: Make, tmp_path: Path) -> None:
    virtual, conda = environment(make, "virtual"), make("conda/bin/python")
    make("work/solver")
    both = {"VIRTUAL_ENV": str(tmp_path / "virtual"), "CONDA_PREFIX": str(tmp_path / "conda")}
    expected: list[tuple[dict[str, str], Path, str]] = [
        (both, virtual, "virtualenv"),
        ({"CONDA_PREFIX": both["CONDA_PREFIX"]}, conda, "conda"),
        ({"VIRTUAL_ENV": "/gone"}, tmp_path / "bin/python3", "path"),
        ({}, tmp_path / "bin/python3", "path"),
    ]
    for variables, path, how in expected:
        found = look("./solver", **variables)
        assert found is not None
        assert (found.path, found.how) == (path, how)


def test_where_there_is_no_python_none_is_found(look: Find, tmp_path: Path) -> None:
    for words in ((), ("",), ("absent",), ("./absent",), ("a\0b",)):
        assert look(*words, PATH=str(tmp_path / "empty")) is None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-u", "train.py", "-I"], ("", None)),
        (["-Is", "-Wignore", "-X", "dev", "-E", "train.py"], ("EIs", None)),
        (["-Im", "dvc", "repro"], ("I", "dvc")),
        (["-mdvc"], ("", "dvc")),
        (["-c", "import dvc", "-I"], ("", None)),
        (["-W"], ("", None)),
        (["--version"], ("", None)),
        (["-"], ("", None)),
    ],
)
def test_options_that_change_the_path_are_told_from_those_of_the_script(
    words: list[str], expected: tuple[str, str | None]
) -> None:
    assert parse_options(words) == expected


def test_the_console_script_of_a_real_environment_leads_to_its_python(look: Find, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "real"], check=True)
    script = tmp_path / "real" / "bin" / "tool"
    script.write_text(f"#!{tmp_path}/real/bin/python\nprint('hello')\n")
    script.chmod(0o755)
    found = look("tool", PATH=f"{script.parent}{os.pathsep}{os.defpath}")
    assert found is not None
    assert (found.path, found.how) == (tmp_path / "real/bin/python", "shebang")


def settle(folder: Path) -> None:
    """Make everything look unchanged for an hour: what changed just now is not cached."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            os.utime(path, (path.stat().st_mtime - 3600,) * 2)


WORDS = st.sampled_from(
    [
        "sh",
        "-c",
        "env",
        "-S",
        "-u",
        "-i",
        "nice",
        "uv",
        "run",
        "conda",
        "-n",
        "base",
        "poetry",
        "python3",
        "-m",
        "cd",
        "source",
        "activate",
    ]
) | st.text(st.characters(exclude_characters="\0"), max_size=6)


@given(st.lists(WORDS | st.lists(WORDS, max_size=6).map(" ".join), max_size=6))
@settings(deadline=None, max_examples=200)
def test_no_command_line_is_an_error(words: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("sh", "env", "nice", "uv", "conda", "poetry", "python3"):
            (Path(folder) / name).write_text(BINARY)
            (Path(folder) / name).chmod(0o755)
        found = find(words, Scene(Path(folder), {"PATH": folder}, Path(folder) / "cache"))
        assert found is None or found.path.name.startswith("python")
