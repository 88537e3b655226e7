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
        rf"^error: Failed to install: \S+ \({_NAME}==",
        r"^error: Failed to fetch: `?\S+/([A-Za-z0-9._-]+)/`?$",
        rf"^error: Failed to fetch: `?\S+/{_NAME}-\d",
    )
)
_AT_WORK = re.compile(rf"^(?:Collecting|Obtaining|Processing) (?:\S*/)?{_NAME}", re.MULTILINE)

_SOME_VERSIONS = re.compile(r"\(from versions: (?!none\b)")
_UNREACHABLE = "where it comes from cannot be reached"

# The first that fits counts: what comes later is often a consequence.
_REASONS = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (
            r"not our ref|couldn't find remote ref|did not match any file|reference is not a tree",
            "its repository does not have the recorded commit any more",
        ),
        (
            (
                r"could not read (?:username|password)|authentication failed|permission denied \(|host key verification failed|"
                r"repository not found|40[13] (?:client error|unauthorized|forbidden)|http error 40[13]"
            ),
            "where it comes from refuses access",
        ),
        (
            (
                r"failed to connect|connection refused|failed to establish a new connection|could not resolve host|"
                r"temporary failure in name|tcp connect error|dns error|network is unreachable|max retries exceeded|"
                r"after connection broken|timed out|network connectivity is disabled|unable to access|"
                r"could not read from remote|error sending request|client error \(connect\)"
            ),
            _UNREACHABLE,
        ),
        (r"\b(?:git|hg|svn|bzr) .*did not run successfully|git operation failed", "its repository cannot be read"),
        (
            r"subprocess-exited-with-error|failed to build|failed building|could not build wheels|metadata-generation-failed",
            "it cannot be built here",
        ),
        (
            r"no matching distribution found|no versions? of|was not found in|has no wheels|no usable wheels|has no publicly|\b404\b",
            "no index has it for this Python and platform",
        ),
    )
)

# uv gives the deepest cause last.
_ERROR = re.compile(r"(?:error|cause|caused by):\s*", re.IGNORECASE)


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
    # One index of several may be out of reach, and the package known to another.
    is_known = _SOME_VERSIONS.search(said) is not None
    reasons = (reason for pattern, reason in _REASONS if pattern.search(said))
    return next((reason for reason in reasons if not (is_known and reason == _UNREACHABLE)), None) or _last_error(said)


def _last_error(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if _ERROR.match(line)]
    return _ERROR.sub("", (errors or lines or ["nothing was said"])[-1]).removesuffix(".")[:200]
