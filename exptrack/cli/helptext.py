"""How help is laid out: the same with every Python, because docs/cli.md is one for all of them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress

_NARROW = 80  # columns, where nothing tells how many


class _Sized(argparse.HelpFormatter):
    """As wide as the terminal. argparse makes one for each option that is added, and would load shutil for that, 2 ms of 50."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_find_columns() - 2)


def _find_columns() -> int:
    """As `shutil.get_terminal_size` does."""
    with suppress(KeyError, ValueError):
        if (columns := int(os.environ["COLUMNS"])) > 0:
            return columns
    with suppress(OSError):
        return os.get_terminal_size(1).columns or _NARROW
    return _NARROW


class Overview(_Sized, argparse.RawDescriptionHelpFormatter):
    """Of all commands: their list stays as it is."""


class Formatter(_Sized):
    """As Python 3.13 does it: an option's value once (`-m, --note NOTE`), and lines of usage that end where they are full."""

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        return f"{', '.join(action.option_strings)} {self._value(action)}"

    def _format_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None,
    ) -> str:
        if usage is not None:
            return super()._format_usage(usage, actions, groups, prefix)
        lines = [f"usage: {self._prog}"]
        indent = " " * len(lines[0])
        for word in self._words(list(actions), list(groups)):
            if len(lines[-1]) + 1 + len(word) > self._width and lines[-1] != indent:
                lines.append(indent)
            lines[-1] += f" {word}"
        return "\n".join(lines) + "\n\n"

    def _words(self, actions: list[argparse.Action], groups: list[argparse._MutuallyExclusiveGroup]) -> Iterator[str]:
        """Between two of them a line may end."""
        shown = [action for action in actions if action.help != argparse.SUPPRESS]
        told: set[argparse.Action] = set()
        for action in (one for one in shown if one.option_strings):
            group = next((group for group in groups if action in group._group_actions), None)  # noqa: SLF001 - no public name
            together = [action] if group is None else [one for one in shown if one in group._group_actions]  # noqa: SLF001
            if action in told:
                continue
            told.update(together)
            first, last = ("", "") if action.required or (group and group.required) else ("[", "]")
            texts = [f"{one.option_strings[0]} {self._value(one)}".rstrip() for one in together]
            texts = [f"{first}{texts[0]}", *texts[1:]]
            yield from [*(f"{text} |" for text in texts[:-1]), f"{texts[-1]}{last}"]
        for action in (one for one in shown if not one.option_strings):
            yield self._format_args(action, self._get_default_metavar_for_positional(action))

    def _value(self, action: argparse.Action) -> str:
        return "" if action.nargs == 0 else self._format_args(action, self._get_default_metavar_for_optional(action))
