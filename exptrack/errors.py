"""What can go wrong, as a tree.

```
ExptrackError               bad input or a state that the user can mend: exit status 2
├── RepositoryError         no repository, a bare one, no identity, git said no
├── SettingsError           exptrack.yaml does not say what it should
├── RecordError             a record that cannot be read
├── NameTakenError          a run of that name exists
├── RevError                a rev that names no run, or more than one
├── QueryError              a query that cannot be read, or names what no run has
├── DataError               DVC said no, or the data is not there
└── CommandError            the command could not be started: exit status 126 or 127
```

A message is one line, names the thing, says what to do next, and has no full stop at its end.
"""


class ExptrackError(Exception):
    """Bad input, or a state that the user can mend; `hints` are lines to be shown below the message."""

    hints: tuple[str, ...] = ()


def explain(error: Exception) -> str:
    """What an error says, in one line; of a system's error its text and the file, without its number."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)


class RepositoryError(ExptrackError):
    """The Git repository is missing, bare, or refused something."""


class SettingsError(ExptrackError):
    """`exptrack.yaml` cannot be used as it stands."""


class RecordError(ExptrackError):
    """A record is broken, or from a later version of the format."""


class NameTakenError(ExptrackError):
    """A run of that name exists already."""


class RevError(ExptrackError):
    """A rev names no run, or more than one; then `hints` are the candidates."""

    def __init__(self, message: str, hints: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.hints = hints


class QueryError(ExptrackError):
    """A query cannot be read, or names what no run has; `caret` is two lines, the query and a caret under `position`."""

    def __init__(self, message: str, query: str, position: int) -> None:
        from unicodedata import combining, east_asian_width

        super().__init__(message)
        # What a terminal would obey instead of showing becomes a space; the caret stands under the column, not the letter's number.
        shown = "".join(letter if letter.isprintable() else " " for letter in query)
        width = sum(0 if combining(letter) else 1 + (east_asian_width(letter) in "WF") for letter in shown[:position])
        self.caret = f"{shown}\n{' ' * width}^"
        self.hints = tuple(self.caret.split("\n"))


class DataError(ExptrackError):
    """DVC refused, or the data that a pointer stands for is not there."""


class CommandError(ExptrackError):
    """The command could not be started; `exit_code` is 126 or 127, as `env` and `timeout` give."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class ExptrackWarning(UserWarning):
    """Something in a training script that exptrack cannot record as it is; the script goes on, and the record names it."""
