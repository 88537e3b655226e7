"""What isolated runs, pipelines and reproduction are measured on, beside DVC where it does the same."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.measure import Case, Group, Target
from benchmarks.pipelines import EXAMPLE, TRIVIAL, Project, clean, forget_slots, renew, shell, stop_queue
from benchmarks.sizes import Sizes
from benchmarks.worlds import EMPTY_STAGE, ask, call, make_dvc_repository, program

_SMALL, _LARGER = 20, 2_000
_ROUNDS, _ROUNDS_OF_DVC = 3, 2  # of what takes a second and more
_AT_ONCE = 4
# Seconds beyond the stages' own.
_BEYOND = Target(2.0, is_added=True)
_DVC_RUN, _DVC_TEMP, _DVC_REPRO, _DVC_SET = "dvc exp run", "dvc exp run --temp", "dvc repro", "dvc exp run -S"
_DVC_QUEUE = "dvc exp run --run-all -j 4"


def isolated(place: Path, environ: Mapping[str, str], sizes: Sizes) -> Iterator[Group]:
    """A command in a work tree of its own, in a slot that was used before and in a new one."""
    for files in dict.fromkeys((_SMALL, min(_LARGER, sizes.files))):
        ours, theirs = (
            make_dvc_repository(place / f"{name}-{files}", files, EMPTY_STAGE, environ) for name in ("ours", "theirs")
        )
        yield Group(f"{files:,} files, isolated", tuple(_isolated_cases(ours, theirs)))


def _isolated_cases(ours: Path, theirs: Path) -> Iterator[Case]:
    run, dvc = (*program("exptrack"), "run"), (*program("dvc"), "exp", "run")
    yield Case("true", ("true",), ours)
    yield Case("exptrack run", (*run, "--", "true"), ours)
    first = (Target(of=_DVC_TEMP),)
    yield Case("exptrack run --isolated, new", (*run, "--isolated", "--", "true"), ours, forget_slots(ours), first)
    used = (*(Target(of=name) for name in ("exptrack run", "exptrack run --isolated, new")), *first)
    yield Case("exptrack run --isolated", (*run, "--isolated", "--", "true"), ours, targets=used)
    yield Case(_DVC_RUN, dvc, theirs, rounds=_ROUNDS_OF_DVC)
    yield Case(_DVC_TEMP, (*dvc, "--temp"), theirs, rounds=_ROUNDS_OF_DVC)


def pipeline(place: Path, environ: Mapping[str, str], _: Sizes) -> Iterator[Group]:
    """A pipeline whose stages take no time, in place and with another parameter."""
    yield _beside_stages(place, environ, TRIVIAL)


def example(place: Path, environ: Mapping[str, str], _: Sizes) -> Iterator[Group]:
    """The pipeline of the example, and its reproduction."""
    yield _beside_stages(place, environ, EXAMPLE)
    yield _reproduction(place, environ, EXAMPLE, (), EXAMPLE.own, "a run of the example")


def _beside_stages(place: Path, environ: Mapping[str, str], project: Project) -> Group:
    bare, ours, theirs = _copies(place, environ, project, ("bare", "ours", "theirs"))
    exptrack, dvc, key = program("exptrack"), program("dvc"), project.key
    shares = tuple(Target(of=name) for name in (_DVC_REPRO, _DVC_SET))
    overridden = _with_value((*exptrack, "run"), key)
    cases = (
        Case("the stages alone", shell(project.own), bare, rounds=_ROUNDS),
        Case("exptrack run", (*exptrack, "run"), ours, renew(ours, key), shares[:1], _ROUNDS),
        Case("exptrack run -S, new slot", overridden, ours, forget_slots(ours), (_BEYOND,), _ROUNDS),
        Case("exptrack run -S", overridden, ours, None, (_BEYOND, shares[1]), _ROUNDS),
        Case(_DVC_REPRO, (*dvc, "repro"), theirs, renew(theirs, key), rounds=_ROUNDS_OF_DVC),
        Case(_DVC_SET, _with_value((*dvc, "exp", "run"), key), theirs, rounds=_ROUNDS_OF_DVC),
    )
    return Group(f"a pipeline, {project.name}", cases)


def _copies(place: Path, environ: Mapping[str, str], project: Project, names: Sequence[str]) -> list[Path]:
    """The project as often as there are names."""
    first, *others = (place / name for name in names)
    project.make(first, environ)
    for folder in others:
        shutil.copytree(first, folder, symlinks=True)
    return [first, *others]


def _with_value(argv: tuple[str, ...], key: str) -> tuple[str, ...]:
    return shell(f"exec {shlex.join(argv)} -S {key}=$$")


def together(place: Path, environ: Mapping[str, str], _sizes: Sizes) -> Iterator[Group]:
    """Four pipelines at once."""
    numbers = [str(number) for number in range(_AT_ONCE)]
    ours, theirs, *_ = _copies(place, environ, TRIVIAL, ("ours", "theirs", *numbers))
    runs = f"{shlex.join((*program('exptrack'), 'run'))} -S {TRIVIAL.key}=$$$number"
    stop, dvc = stop_queue(theirs, environ), shlex.join((*program("dvc"), "exp", "run"))
    values = ",".join(f"$${number}" for number in numbers)
    queue = f"{dvc} --queue -S {TRIVIAL.key}={values} && exec {dvc} --run-all -j {_AT_ONCE}"
    cases = (
        Case("the stages alone", shell(_at_once(numbers, f"(cd $number && {TRIVIAL.own})")), place, stop),
        Case("exptrack run -S, 4 times", shell(_at_once(numbers, runs)), ours, None, (Target(of=_DVC_QUEUE),), _ROUNDS),
        Case(_DVC_QUEUE, shell(queue), theirs, stop, rounds=1),
    )
    try:
        yield Group("four pipelines at once", cases)
    finally:
        stop()


def _at_once(numbers: Sequence[str], line: str) -> str:
    """A line of shell that runs another for each number, all at once, and fails if one of them does."""
    start = f'for number in {" ".join(numbers)}; do {line} & started="$started $!"; done'
    return f"{start}; for one in $started; do wait $one || exit; done"


def reproduce(place: Path, environ: Mapping[str, str], _: Sizes) -> Iterator[Group]:
    """Reproduction of a run of a command, and of one of a pipeline, whose stages take no time. DVC has nothing of the kind."""
    yield _reproduction(place, environ, TRIVIAL, ("--", "true"), "true", "a run of true")
    yield _reproduction(place, environ, TRIVIAL, (), TRIVIAL.own, "a run of three empty stages")


def _reproduction(
    place: Path, environ: Mapping[str, str], project: Project, command: tuple[str, ...], own: str, what: str
) -> Group:
    """The floor is a new worktree of the run's snapshot with the data copied into it, and what the run ran."""
    folder = project.make(place / f"reproduce {what}", environ)
    call(folder, environ, *program("exptrack"), "run", "--name", "wanted", *command)
    snapshot, other = f"{_oid_of(folder, environ)}^", place / f"worktree of {what}"
    added = f"git worktree add --quiet --detach {shlex.quote(str(other))} {snapshot}"
    data = f"cp {project.data} {shlex.quote(str(other / project.data))}" if project.data else "true"
    floor = f"{added} && {data} && cd {shlex.quote(str(other))} && {own}"
    cases = (
        Case("git worktree add, and it", shell(floor), folder, _without(folder, other, environ), rounds=_ROUNDS),
        Case("exptrack reproduce", (*program("exptrack"), "reproduce", "wanted"), folder, rounds=_ROUNDS),
    )
    return Group(f"reproduction, {what}", cases)


def _oid_of(folder: Path, environ: Mapping[str, str]) -> str:
    return ask(folder, environ, "git", "for-each-ref", "--format=%(objectname)", "refs/exptrack/runs/*/wanted")


def _without(folder: Path, other: Path, environ: Mapping[str, str]) -> Callable[[], None]:
    def remove() -> None:
        if other.exists():
            call(folder, environ, "git", "worktree", "remove", "--force", str(other))

    return remove


def apply(place: Path, environ: Mapping[str, str], _: Sizes) -> Iterator[Group]:
    """What a run had, brought into a clean work tree, and made a branch, beside DVC."""
    ours, theirs = _copies(place, environ, TRIVIAL, ("ours", "theirs"))
    exptrack, dvc, wish = program("exptrack"), (*program("dvc"), "exp"), (f"{TRIVIAL.key}=5",)
    call(ours, environ, *exptrack, "run", "--name", "wanted", "-S", *wish)
    call(theirs, environ, *dvc, "run", "--temp", "--name", "wanted", "-S", *wish)
    oid, branches = _oid_of(ours, environ), "refs/heads/paper"
    yield Group(
        "apply",
        (
            Case("git restore --source=RUN", ("git", "restore", f"--source={oid}", "params.yaml"), ours, clean(ours, environ)),
            Case("exptrack apply", (*exptrack, "apply", "wanted"), ours, clean(ours, environ), (Target(of="dvc exp apply"),)),
            Case("dvc exp apply", (*dvc, "apply", "wanted"), theirs, clean(theirs, environ), rounds=_ROUNDS),
        ),
    )  # fmt: skip
    yield Group(
        "branch",
        (
            Case("git branch", ("git", "branch", "paper", oid), ours, _free(ours, environ, branches)),
            Case("exptrack branch", (*exptrack, "branch", "wanted", "paper"), ours, _free(ours, environ, branches),
                 (Target(of="dvc exp branch"),)),
            Case("dvc exp branch", (*dvc, "branch", "wanted", "paper"), theirs, _free(theirs, environ, branches), rounds=_ROUNDS),
        ),
    )  # fmt: skip


def _free(folder: Path, environ: Mapping[str, str], ref: str) -> Callable[[], None]:
    return lambda: call(folder, environ, "git", "update-ref", "-d", ref)
