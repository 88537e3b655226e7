"""Say in one line why a remote did not do what it was asked for, and what to do next."""

from __future__ import annotations

import os
import re

from exptrack.backends.git import command
from exptrack.backends.git.remotes import GitRemote, mask_url
from exptrack.errors import RepositoryError

_LONGEST = 300  # letters of what a remote says

# What git says beside the reason, and lines without letters, as forges draw around theirs.
_NOISE = re.compile(
    r"(?i)[\W_]*$|(fatal: )?(Could not read from remote repository|the remote end hung up unexpectedly|fetch-pack: |protocol error: bad )"
    r"|(error: )?failed to push some refs|(remote: )?error: hook declined to update|error: atomic push failed for ref|Please make sure you have|and the repository exists|warning: (?!rejected)|hint: "
    r"|(fatal: )?git-http-push failed|[\w ]+: +\d+(%|,)"
)
_TELLING = re.compile(r"(?i)\b(error|fatal|fail|denied|not |cannot|unable|refus|reject|gitlab|gerrit)")
_PREFIXES = re.compile(r"(?:(?:remote|error|fatal|ERROR|remote error): *)+")
_HIDDEN = re.compile(
    r"(?i)hidden ref|prohibited by gerrit|only (push|create|update).*(branch|refs/heads)|funny refname|refs/exptrack.*not allowed"
)
_HOOK = "hook declined"

_ELSEWHERE = "share runs by another Git remote, `git config exptrack.remote NAME`"
_ADVICE = tuple((re.compile(f"(?i){pattern}"), advice) for pattern, advice in (
    (r"no space left|quota|disk (is )?full", "make room there, then try again"),
    (r"detected dubious ownership", "run the `git config --global --add safe.directory` that `git ls-remote {name}` prints"),
    (r"could not read (username|password)|authentication failed|\(publickey|host key verification|returned error: 401|terminal prompts disabled",
     "see that `git ls-remote {name}` lets you in, by a token, a credential helper or an ssh key, then try again"),
    (r"bad (tree )?object|could not read [0-9a-f]{40}|did not send all necessary|missing (blob|tree|commit)", "run `git fsck`"),
    (r"not our ref|unadvertised object|couldn't find remote ref", "it was removed there meanwhile: try again"),
    (r"shallow roots are not allowed", "the remote is a shallow clone: run `git fetch --unshallow` in it"),
    (r"shallow update not allowed", "run `git fetch --unshallow` here first"),
    (r"mismatched algorithms|object format|hash algorithm", "its repository is of another object format: " + _ELSEWHERE),
    ((r"unable to create temporary object|read-only file system|insufficient permission|permission denied|denied to|not allowed to push"
     r"|returned error: 403|not permitted|write access|access denied"), "ask its owner for access, or " + _ELSEWHERE),
    (r"does not appear to be a git repository|not found|no such file|returned error: 404|does not exist", "see `git remote -v`: it may have moved, or you may not see it"),
    (r"is not a git command|unable to find remote helper", "see `git remote -v`: git knows no such kind of URL"),
    (r"exceeds|too large|returned error: 413", "it takes nothing this large: ask its owner for more, or " + _ELSEWHERE),
    (r"cannot lock ref|failed to lock|unable to lock", "try again; if nobody else pushes, a git that was killed there left this lock: remove it"),
    ((r"could ?n[o']t (resolve|connect)|could not resolve|failed to connect|unable to connect|connection|timed out|hung up|too slow|empty reply"
     r"|network|early eof|rpc failed|returned error: (429|5\d\d)|unreachable"), "see whether it can be reached, then try again"),
))  # fmt: skip


def explain(remote: GitRemote, verb: str, done: command.Done) -> RepositoryError:
    """The error for a git that failed at a remote; `verb` as in "cannot push to"."""
    why = find_reason(done)
    text = "\n".join((why, done.err, os.fsdecode(done.out)))
    return RepositoryError(f"cannot {verb} {remote}: {why}; {_advise(remote, text, why)}")


def is_broken(done: command.Done) -> bool:
    """Whether git refused what came, since it is no sound object."""
    return bool(re.search(r"fsck error|error: object [0-9a-f]+: \w+: ", done.err))


def find_reason(done: command.Done) -> str:
    """Why git failed at a remote, in its own words or those of the remote: one line, without credentials and terminal escapes."""
    # A hook may leave its last line open.
    lines = [line.strip() for line in re.sub(r"(?=error: failed to push some refs)", "\n", done.err).splitlines()]
    lines = [line for line in lines if line and not _NOISE.match(line)]
    theirs = [line for line in lines if line.startswith("remote:")]
    theirs = [line for line in theirs if not _NOISE.match(_PREFIXES.sub("", line, count=1))]
    rejection = _find_rejection(os.fsdecode(done.out))
    if rejection and _HOOK not in rejection and not re.match(r"unpack|atomic|failed to update", rejection):
        return _clean(rejection)
    if rejection or theirs:
        ours = [line for line in lines if line.startswith("fatal: ")]
        unpacking = [line for line in lines if line.startswith("error: remote unpack failed")]
        return _clean(_pick(theirs or ours or unpacking) or rejection)
    is_hook = done.code == 1 and "failed to push some refs" in done.err
    if is_hook and not any(line.startswith("fatal:") for line in lines):
        # Its standard output comes on that of git or on its standard error, as the version of git goes.
        lines += [line for line in os.fsdecode(done.out).splitlines() if line.strip()]
        return _clean(f"the pre-push hook failed: {_pick(lines) or 'it does not say why'}")
    return _clean(next((line for line in lines), "")) or ("it hung up" if done.code != 1 else "it does not say why")


def _find_rejection(out: str) -> str:
    """Why the remote rejected the first ref that it rejected for a reason of its own, as `git push --porcelain` prints it."""
    reasons = re.findall(r"^!\t.*\t\[[^\]]*\] \((.*)\)$", out, re.MULTILINE)
    return next((reason for reason in reasons if not reason.startswith("atomic")), reasons[0] if reasons else "")


def _pick(lines: list[str]) -> str:
    return next((line for line in lines if _TELLING.search(line.removeprefix("remote: "))), lines[-1] if lines else "")


def _clean(text: str) -> str:
    bare = mask_url(_PREFIXES.sub("", text.strip(), count=1))
    shown = " ".join("".join(letter if letter.isprintable() else " " for letter in bare).split())
    return (shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…").removesuffix(".")


def _advise(remote: GitRemote, text: str, why: str) -> str:
    if _HIDDEN.search(text):
        return f"it takes branches and tags only: {_ELSEWHERE}"
    for pattern, advice in _ADVICE:
        if pattern.search(text):
            return advice.format(name=mask_url(remote.name))
    if _HOOK in text:
        return f"do what its hook asks for, or {_ELSEWHERE}"
    if why.startswith("the pre-push hook"):
        return "mend what it found in this repository, then try again"
    return f"see whether `git ls-remote {mask_url(remote.name)}` works"
