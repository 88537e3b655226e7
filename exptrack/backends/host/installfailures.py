"""Why pip or uv could not install something, in one line, read from what they said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from exptrack.analysis.requirements import normalise
from exptrack.model.environment import Package

_NAME = r"([A-Za-z0-9][A-Za-z0-9._-]*)"

# Where they name the package, the surest first. Errors of builds are indented, and name what the build needs.
_BLAME = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        rf"^ERROR: (?:No matching distribution found for|Could not find a version that satisfies the requirement) {_NAME}",
        rf"there (?:is|are) no versions? of {_NAME}==",
        rf"Because {_NAME}(?:==\S+)? (?:was not found|has no|could not be)",
        rf"Failed to [a-z ]+ `{_NAME}(?:==| @|`)",
        rf"Failed building \w+ for {_NAME}",
        rf"Could not build wheels for {_NAME}",
        rf"^ERROR: Package '{_NAME}' requires a different",
        r"^error: Failed to fetch: `?\S+/([A-Za-z0-9._-]+)/`?$",
        rf"^error: Failed to fetch: `?\S+/{_NAME}-\d",
    )
)
_AT_WORK = re.compile(rf"^(?:Collecting|Obtaining|Processing) (?:\S*/)?{_NAME}", re.MULTILINE)

_UNREACHABLE = re.compile(
    r"failed to connect|connection refused|failed to establish a new connection|could not resolve host|temporary failure in name|"
    r"tcp connect error|dns error|network is unreachable|max retries exceeded|after connection broken|timed out|"
    r"network connectivity is disabled|unable to access|could not read from remote",
    re.IGNORECASE,
)
_COMMIT_GONE = re.compile(
    r"not our ref|couldn't find remote ref|did not match any file|reference is not a tree", re.IGNORECASE
)
_GONE = re.compile(
    r"No matching distribution found|no versions? of|was not found in|has no wheels|no usable wheels|has no publicly|404",
    re.ASCII,
)
_UNBUILT = re.compile(
    r"subprocess-exited-with-error|Failed to build|Failed building|Could not build wheels|metadata-generation-failed"
)
_SOME_VERSIONS = re.compile(r"\(from versions: (?!none\b)")


def explain_failure(said: str, packages: Sequence[Package]) -> str:
    """Which of the packages could not be installed, and why, of the output `said`; one line."""
    package = _find_package(said, packages)
    reason = _find_reason(said)
    if package is None:
        return f"the recorded packages cannot be installed: {reason}"
    return f"{package.name}=={package.version} cannot be installed: {reason}"


def _find_package(said: str, packages: Sequence[Package]) -> Package | None:
    known = {package.name: package for package in packages}
    return next((known[name] for name in _names(said, known) if name in known), None)


def _names(said: str, known: dict[str, Package]) -> Iterator[str]:
    for pattern in _BLAME:
        yield from (normalise(match[1]) for match in pattern.finditer(said))
    errors = said[max(0, said.find("error:")) :]
    yield from (name for name, package in known.items() if package.url and package.url.removeprefix("git+") in errors)
    for match in reversed(list(_AT_WORK.finditer(said))):
        word = normalise(match[1])
        # The file of a wheel or archive begins with the name: `foo-bar-1.0.tar.gz`.
        yield from sorted(
            (name for name in known if word == name or word.startswith(f"{name}-")), key=len, reverse=True
        )


def _find_reason(said: str) -> str:
    if _COMMIT_GONE.search(said):
        return "its repository does not have the recorded commit any more"
    if _UNREACHABLE.search(said) and not _SOME_VERSIONS.search(said):
        return "where it comes from cannot be reached"
    if _UNBUILT.search(said):
        return "it cannot be built here"
    if _GONE.search(said):
        return "no index has it for this Python and platform"
    return _last_error(said)


def _last_error(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error:")]
    line = (errors or lines or ["nothing was said"])[-1]
    return re.sub(r"^error:\s*", "", line, flags=re.IGNORECASE).removesuffix(".")[:200]
