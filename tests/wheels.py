"""Wheels and sources written by hand, so that pip and uv have something to install without a network."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

# A build backend that lies in the project and needs nothing: it makes a package importable from where it is.
BACKEND = """
import base64, hashlib, pathlib, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        wheel.writestr("{name}.pth", str(pathlib.Path.cwd() / "src"))
        info = "{name}-{version}.dist-info"
        wheel.writestr(f"{{info}}/METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        wheel.writestr(f"{{info}}/WHEEL", "Wheel-Version: 1.0\\nGenerator: hand\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{{info}}/RECORD", "")
    pathlib.Path("{name}.egg-info").mkdir()
    return name
"""
PYPROJECT = """
[project]
name = "{name}"
version = "{version}"

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def make_wheel(folder: Path, name: str, version: str, *, requires: str = "", script: str = "") -> None:
    """A wheel with one module, which says its version; `script` is a program that prints `ran`."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + (
        f"Requires-Dist: {requires}\n" * bool(requires)
    )
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"version = {version!r}\n\ndef main():\n    print('ran')\n")
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        if script:
            wheel.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{script} = {name}:main\n")
        wheel.writestr(f"{info}/RECORD", "")


def make_broken_source(folder: Path, name: str, version: str) -> None:
    """An archive whose build fails."""
    files = {
        "pyproject.toml": PYPROJECT.format(name=name, version=version),
        "backend.py": "raise OSError('no compiler')\n",
    }
    with tarfile.open(folder / f"{name}-{version}.tar.gz", "w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))


def make_project(folder: Path, name: str, version: str) -> None:
    """A project with its sources in `src`, which can be installed to be used in place."""
    (folder / "src").mkdir(parents=True)
    (folder / "src" / f"{name}.py").write_text(f"version = {version!r}\n")
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=name, version=version))
    (folder / "backend.py").write_text(BACKEND.format(name=name, version=version))
