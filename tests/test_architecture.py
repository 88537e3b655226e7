"""The layers of ARCHITECTURE.md, read from the imports, and what a start may cost."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "exptrack"
LAYERS = {
    "errors": 0, "started_in": 0, "model": 0, "analysis": 1, "backends": 2, "store": 3, "operations": 4, "project": 5, "verbs": 5, "tracking": 5, "integrations": 5, "render": 6,
    "cli": 7,
}  # fmt: skip
OWNERS = {
    "dvc": "backends/dvc", "dvc_data": "backends/dvc", "dvc_objects": "backends/dvc", "pygit2": "backends/git", "git": "backends/git",
    "scipy": "analysis/stats", "pandas": "analysis/frame", "pyarrow": ("analysis/wholefile", "tracking/tables", "operations/exporting/parquet"), "PIL": "tracking/drawing", "psutil": "backends/host", "sqlite3": "store/index", "pynvml": "backends/host", "yaml": "analysis/yaml12", "ruamel": "analysis/editing/yamledit",
    "hydra": "analysis/editing/hydrawords", "omegaconf": "analysis/editing/hydrawords", "tomlkit": "analysis/editing/fileedit",
    "matplotlib": ("render/figure", "render/comparisonplot", "render/curvefigure"), "plotext": "render/curvetext",
}  # fmt: skip
LIGHT = (
    "dvc",
    "pandas",
    "scipy",
    "matplotlib",
    "plotext",
    "numpy",
    "pygit2",
    "git",
    "asyncio",
    "importlib.metadata",
    "email",
    "http",
    "urllib.request",
    "logging",
    "psutil",
)
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "_shipped" not in path.parts)


def imports(path: Path) -> list[tuple[str, int, bool]]:
    """Name, line, and whether it happens at import time, of all that a module imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
    }
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found = []
    for node in ast.walk(tree):
        early = id(node) not in inside and id(node) not in typing_only
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno, early) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import hides the layer"
            found += [(f"{node.module}.{alias.name}", node.lineno, early) for alias in node.names]
    return found


def layer(parts: tuple[str, ...]) -> int | None:
    return LAYERS.get(parts[0]) if parts else None


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_its_own_layer_or_below(path):
    own = path.relative_to(PACKAGE).with_suffix("").parts
    for name, line, _ in imports(path):
        parts = tuple(name.split("."))
        if parts[0] != "exptrack" or own[0] in {"__init__", "__main__"}:
            continue
        other = layer(parts[1:])
        assert other is not None, f"{path}:{line}: {name} is in no layer"
        assert other <= (layer(own) or 0), f"{path}:{line}: {own[0]} imports {name}"
        if own[0] == "backends" and parts[1] == "backends" and len(parts) > 2:
            assert own[1] == parts[2], f"{path}:{line}: a backend imports another"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_outside_library_has_one_owner(path):
    own = path.relative_to(PACKAGE).with_suffix("").as_posix()
    for name, line, early in imports(path):
        owner = OWNERS.get(name.split(".")[0])
        if owner is not None:
            assert own.startswith(owner), f"{path}:{line}: {name} belongs to {owner}"
            assert not early, f"{path}:{line}: {name} must be imported inside the function that needs it"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_below_the_command_line_prints_or_exits(path):
    if path.relative_to(PACKAGE).parts[0] in {"cli", "__main__.py"}:
        return
    banned = {"print", "input", "exit", "quit"}
    # What lives in the script's own process reads its words, and hears how it ends.
    may = {"sys.exit", "sys.argv"} if path.parent.name == "tracking" else set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in banned, f"{path}:{node.lineno}: {node.func.id}()"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert f"{node.value.id}.{node.attr}" not in {"os.chdir", "sys.exit", "sys.argv"} - may, (
                f"{path}:{node.lineno}"
            )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_a_few_pages_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 310


def loaded_after(code: str, cwd: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint('\\n'.join(sys.modules), file=sys.stderr)"],
        capture_output=True, text=True, cwd=cwd, check=True,
    )  # fmt: skip
    return set(done.stderr.splitlines())


@pytest.mark.parametrize(
    "command", ["ls", "show", "status", "diff recorded recorded", "diff", "log --stat", "environment", "run -- true"]
)
def test_a_command_loads_no_heavy_library(command, repository, exptrack):
    assert exptrack("run", "--name", "recorded", "--", sys.executable, "train.py").returncode == 0
    (repository / "params.yaml").unlink()
    loaded = loaded_after(f"from exptrack.cli import main\nmain({command.split()!r})", repository)
    assert "exptrack.cli" in loaded
    assert loaded.isdisjoint(LIGHT), sorted(loaded.intersection(LIGHT))


@pytest.mark.parametrize("command", ["check --message params.yaml", "check --help"])
def test_what_executes_runs_is_not_loaded_where_nothing_is_executed(command, repository):
    code = f"import contextlib\nfrom exptrack.cli import main\nwith contextlib.suppress(SystemExit):\n    main({command.split()!r})"
    loaded = loaded_after(code, repository)
    assert "exptrack.cli.check" in loaded
    assert loaded.isdisjoint({*LIGHT, "exptrack.operations.reproduce", "exptrack.operations.verify"})


def test_importing_the_package_loads_nothing_else_of_it(tmp_path):
    loaded = loaded_after("import exptrack", tmp_path)
    assert loaded.isdisjoint({*LIGHT, "exptrack.project", "exptrack.cli", "argparse", "json"})
