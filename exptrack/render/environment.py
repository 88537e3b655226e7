"""The environment of a run in full."""

from __future__ import annotations

from collections.abc import Iterator

from exptrack.analysis.wording import counted
from exptrack.model.environment import Environment, Package
from exptrack.render.page import Page
from exptrack.render.text import display_width, format_size, inert, pad


def format_environment(environment: Environment, page: Page = Page()) -> str:  # noqa: B008 - a tuple
    """Interpreter, platform, hardware, variables, and every package; all of it inert."""
    sections = {
        "interpreter": _interpreter(environment),
        "platform": _platform(environment),
        "hardware": _hardware(environment),
        "variables": [(name, value) for name, value in sorted(environment.variables.items())],
        f"{counted(len(environment.packages), 'package')}": [(one.name, _package(one)) for one in environment.packages],
    }
    parts = []
    for title, pairs in sections.items():
        width = max((display_width(inert(name)) for name, _ in pairs), default=0)
        lines = [page.line(f"  {pad(inert(name), width)}  {inert(value)}".rstrip()) for name, value in pairs]
        parts.append("\n".join([f"{title}{':' if lines else ''}", *lines]))
    return "\n\n".join(part for part in parts if "\n" in part or part == "0 packages")


def _interpreter(environment: Environment) -> list[tuple[str, str]]:
    found = environment.interpreter
    if found is None:
        return [("version", "no Python was found")]
    return [
        ("version", f"{found.implementation} {found.version}"),
        ("path", found.path),
        ("found by", found.found),
    ]


def _platform(environment: Environment) -> list[tuple[str, str]]:
    platform = environment.platform
    return [
        ("system", f"{platform.system} {platform.release} {platform.machine}"),
        *([("distribution", platform.distribution)] if platform.distribution else []),
        *([("libc", platform.libc)] if platform.libc else []),
    ]


def _hardware(environment: Environment) -> list[tuple[str, str]]:
    hardware = environment.hardware
    return [
        ("cpu", hardware.cpu or "unknown"),
        *([("cores", str(hardware.cores))] if hardware.cores is not None else []),
        *([("memory", format_size(hardware.memory))] if hardware.memory is not None else []),
        *(
            ("gpu", ", ".join([gpu.name, format_size(gpu.memory), *([f"driver {gpu.driver}"] if gpu.driver else [])]))
            for gpu in hardware.gpus
        ),
    ]


def _package(package: Package) -> str:
    return "  ".join([package.version, *_origin(package)])


def _origin(package: Package) -> Iterator[str]:
    if package.url is not None:
        yield ("in place from " if package.editable else "from ") + package.url
    if package.commit:
        yield f"at {package.commit[:10]}" + (" with uncommitted changes" if package.dirty else "")
