"""A run under way, as the script that is the run sees it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from sys import _getframe
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from exptrack.analysis.names import check_tag
from exptrack.analysis.wording import explain_second
from exptrack.errors import ExptrackError, ExptrackWarning
from exptrack.model.tree import Value, grow, list_leaves, nest
from exptrack.tracking import artifacts, notebook, printing
from exptrack.tracking.ending import UNHEARD, read_error
from exptrack.tracking.stream import open_stream
from exptrack.tracking.values import as_text, as_tree, as_value

if TYPE_CHECKING:
    from exptrack.tracking.keeping import Keeper

_HERE = str(Path(__file__).parent)


class ActiveRun:
    """A run under way. What is logged to it is in its journal when the call returns, and survives whatever ends the process.

    `name` is the run's name, None of one that records nothing (`EXPTRACK_DISABLED`, or a rank that stays silent); `folder` is that of its
    journal. `is_attached`: `exptrack run`, or another process, records it. `first_step` is the step after the last one of the run that this one
    resumes, else 0. No method raises because of the disk; a value that cannot be recorded is told by an
    `ExptrackWarning`, once, and named in the record. Every method may be called from any thread and from forked processes.
    """

    def __init__(self, name: str | None, folder: Path | None, keeper: Keeper | None = None) -> None:
        self.name = name
        self.folder = folder
        self.is_attached = keeper is None
        self.first_step = keeper.step if keeper else 0
        self._keeper = keeper
        self.directory = keeper.directory if keeper else None
        self._process = os.getpid()
        self._params: dict[tuple[str, ...], Value] = {}
        self._warned: set[str] = set()
        self._stream = open_stream(folder, self.warn) if folder else None
        self._printing = printing.listen(keeper.folder) if keeper else None

    @property
    def is_own_process(self) -> bool:
        """Whether this process started it, or attached to it; not one that was forked since."""
        return os.getpid() == self._process

    @property
    def is_over(self) -> bool:
        """Whether it has ended here, so that nothing more is recorded. What records nothing is never over."""
        return self._stream is None and self.folder is not None

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        """Whatever holds it may be copied: the run stays one."""
        return self

    def __reduce__(self) -> tuple[type[ActiveRun], tuple[str | None, Path | None]]:
        """In the process that unpickles it, it is the same run, as in one that was forked."""
        return ActiveRun, (self.name, self.folder)

    def __repr__(self) -> str:
        return f"<ActiveRun: {self.name or 'nothing is recorded'}>"

    def log_metric(self, name: str, value: object, step: float | None = None, *, epoch: float | None = None) -> None:
        """A value of one metric; see `log_metrics`."""
        self.log_metrics({name: value}, step, epoch=epoch)

    def log_metrics(
        self, values: Mapping[str, object], step: float | None = None, *, epoch: float | None = None
    ) -> None:
        """A value of each of these metrics: numbers, or tensors and arrays that hold one. NaN and infinities are values, too.

        `step` may be any finite number, in any order; without it the values of a metric are counted from 0. `epoch` is a second axis.
        """
        if self._stream is not None:
            self._stream.add_metrics(values, step, epoch)
        else:
            self._miss()

    def log_param(self, name: str, value: object) -> None:
        """One parameter; dots in its name nest."""
        self.log_params({name: value})

    def log_params(self, params: object) -> None:
        """Parameters: a mapping, a dataclass, a namespace of argparse, or a configuration of OmegaConf or pydantic.

        What is not a number, a text, a truth value, a list or a mapping is recorded as its text. A parameter that was logged before with
        another value keeps the first one, with a warning.
        """
        tree = as_tree(params)
        if tree is None:
            self.warn(f"parameters are {type(params).__name__}: give a mapping, a dataclass or a namespace")
            return
        fresh = []
        for path, value in list_leaves(nest(tree)):
            if path not in self._params:
                self._params[path] = value
                fresh.append((path, value))
            elif self._params[path] != value:
                self.warn(explain_second(path, self._params[path], value))
        if fresh:
            self.write("params", params=grow(fresh))

    def set_tags(self, *tags: str) -> None:
        """Tags, each one word. A mapping gives `key=value`."""
        kept = []
        for tag in _list_tags(tags):
            try:
                kept.append(check_tag(tag))
            except ExptrackError as error:
                self.warn(str(error))
        if kept:
            self.write("tags", tags=kept)

    def set_tag(self, tag: str, value: object = None) -> None:
        """A tag; with a value `tag=value`."""
        self.set_tags(tag if value is None else f"{as_text(tag)}={as_text(value)}")

    def set_note(self, note: str) -> None:
        """The note on the run; a later one takes its place."""
        self.write("note", note=as_text(note))

    log_artifact = artifacts.log_artifact
    log_artifacts = artifacts.log_artifacts
    log_text = artifacts.log_text
    log_figure = artifacts.log_figure
    log_image = artifacts.log_image
    log_table = artifacts.log_table

    _repr_html_ = notebook.as_html

    def history(self, metric: str) -> Any:
        """The whole history of a metric so far as a pandas frame: time (UTC), step, epoch if there is one, value."""
        from exptrack.tracking.reading import read_history

        return read_history(self, metric)

    def write(self, kind: str, **entry: object) -> None:
        """An entry of the journal, of values that JSON can hold. For exptrack's own use."""
        if self._stream is not None:
            self._stream.add(kind, **entry)
        else:
            self._miss()

    def _miss(self) -> None:
        """Something is logged to a run that has ended."""
        text = f"run '{self.name}' has ended: what is logged to it now is lost"
        if self.name is not None and text not in self._warned:
            self._warned.add(text)
            warnings.warn(text, ExptrackWarning, stacklevel=_count_own_frames())

    def warn(self, text: str) -> None:
        """Tell the user, and the record, of something that could not be recorded as it is; each text once. For exptrack's own use."""
        if self._stream is None or text in self._warned:
            return
        self._warned.add(text)
        self._stream.add("problem", text=text)
        warnings.warn(text, ExptrackWarning, stacklevel=_count_own_frames())

    def end(self, exit_code: int = 0) -> None:
        """End the run, and wait until it is recorded. Of an attached run only this process' part ends; forked processes end nothing."""
        from exptrack.tracking.active import leave

        leave(self, exit_code, interrupted=False)

    def settle(self, exit_code: int | None, *, interrupted: bool) -> None:
        """Have the run recorded. For exptrack's own use."""
        if self._stream is None or os.getpid() != self._process:
            return
        stream, self._stream = self._stream, None
        keeper, self._keeper = self._keeper, None
        if self._printing is not None:
            self._printing.close()
        if keeper is not None:
            if exit_code is None and not keeper.tells_exit:
                stream.add("problem", text=UNHEARD)
            self.name = keeper.end(stream, exit_code, interrupted=interrupted, heard=self._warned) or self.name
        stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        from traceback import format_exception

        from exptrack.tracking.active import leave

        exit_code, interrupted = read_error(error)
        if error is not None and not isinstance(error, SystemExit) and self._printing is not None:
            self._printing.hear("".join(format_exception(error)))  # Python prints it only once the run has ended
        leave(self, exit_code, interrupted=interrupted)


def _list_tags(tags: Sequence[object]) -> list[str]:
    found: list[str] = []
    for tag in tags:
        if isinstance(tag, Mapping):
            found += [f"{as_text(key)}={as_text(as_value(tag[key]))}" for key in tag]
        elif isinstance(tag, list | tuple | set | frozenset):
            found += map(as_text, tag)
        else:
            found.append(as_text(tag))
    return found


def _count_own_frames() -> int:
    """How many frames lie between a warning and the script's own line."""
    frame, count = _getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame, count = frame.f_back, count + 1
    return count
