"""Write cli.md and the man pages from the parsers of the command line: `python docs/make_pages.py`, or `--check` to compare only."""  # noqa: INP001 - a script

from __future__ import annotations

import argparse
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from exptrack.cli import COMMANDS, parser_of

HERE = Path(__file__).resolve().parent

DESCRIPTION = """\
Every run of a command becomes a Git commit on a hidden ref: the code as it ran, its parameters, its metrics, and DVC pointers to its
data. Comparing two runs is a diff.

Recording never touches the index, HEAD, a branch, a tag or a file of the work tree. Runs that fail, are interrupted or are killed
are kept, too."""

# What the options of a command do not say by themselves.
MORE = {
    "init": """\
Writes `exptrack.yaml` with all settings as comments, and makes a DVC project, into the working directory. What is there is left as
it is. Nothing is added to Git's index.""",
    "run": """\
Takes the snapshot, runs COMMAND in the working directory, and records the run when it has ended. Options end at the first word
that is none, so `--` is only needed before a command that begins with a hyphen. The command gets the name of its run in
`EXPTRACK_RUN`.

Parameters are read from `params.yaml`, from what `dvc.yaml` names, and from the command's own `--key value` and `key=value`; metrics from
`metrics.json` and from what `dvc.yaml` names, if the command wrote them, and from patterns over its output in `exptrack.yaml`.

Without COMMAND the stages of the DVC pipeline run, as `dvc repro` does it: those that have not changed are skipped, those that the run
cache knows are restored, and `-f` runs them all. A stage that fails gives a failed run, which keeps what the stages before it made.

With `-S` (in Hydra's grammar, of which a sweep is refused) or `--isolated`, and with a `--seed` for which the project has a parameter, the
command runs in a work tree of its own below `.git`, made from the snapshot, with its data out of the DVC cache. What Git ignores is not
there, but for what `capture.links` in `exptrack.yaml` names. New files are kept in the run if they are small.

Standard output stays the command's. What exptrack has to say goes to standard error: what was not captured, problems, and the
name of the run.""",
    "status": """\
A run has died if its recorder no longer lives: killed, or its machine went down.""",
    "recover": """\
Records dead runs as `crashed`, with all that they had logged. A dead run whose command still runs is left alone.""",
    "ls": """\
Newest first. Shows metrics, and those parameters that differ between the runs. QUERY has to be quoted: the shell takes `>` for itself.
In a pipe and in `--csv` nothing is cut.""",
    "log": """\
Newest first, an entry for each run: what it is, its notes, its parameters and metrics. Beside the next older run listed, which is named,
only those parameters are shown that are others than in that: `no lr` is one that the older run had; `+lr` one that it had not.""",
    "show": """\
Parameters, metrics, data, environment, whether the code was as committed, and what was not captured; of a run that did not complete also
the end of its output.""",
    "environment": """\
The packages that were installed where the command ran, each with its version, as pip and uv read them. What no index has, such as an
editable project, is a comment.""",
    "diff": """\
Compares parameters, metrics, data, environment and code. Without a second side it compares with the work tree, without any the latest
run; `A..B` is the same as `A B`. A name that is both a run and a branch means the run.""",
    "reproduce": """\
Executes the recorded command, or all stages of the pipeline, in a work tree of its own, from the run's snapshot and data alone. Nothing of
your work tree is read or changed. The execution becomes a run of its own. The answer says which of four levels holds, with evidence for
each; where the two first diverged; and what differs in parameters, metrics, data, code and environment.

With `--at` the same command gets other code, parameters and data: all that the other commit has, but for what the run was given by `-S`
and `--seed`, which is applied there too. What does not fit there is an error.""",
    "apply": """\
Writes the files of a run into the work tree, and nothing else: the index, HEAD and branches stay, as with `git restore --source`.
What `--only` means:

`code` is every file of the snapshot: what the run did not have and Git tracks is removed. Untracked files stay, and are named; so do
submodules, what a sparse checkout leaves out, and `.dvc/config`: remotes and cache are the repository's, not the run's.

`params` are the files of parameters as the command read them, overrides of `-S` included, with the values that its own words gave
(`--lr 0.1`). A word that is in no file is named.

`data` are `dvc.lock` and the `.dvc` files after the run, the data itself out of the DVC cache or else from the DVC remote, and the
results: metrics, and other files that it wrote and the run has.

What is not committed is not overwritten without `--force`: files that are neither as staged nor as committed, data that is not in the DVC
cache. Metrics and pointers that another run has may go. All data must be to be had before anything is touched.""",
    "branch": """\
The branch NAME has one new commit on the base of the run: the changes of its snapshot and its results, without what is exptrack's own.
Its message is the run's, with a line `Exptrack-Run:` that claims the run. HEAD stays where it is, and an existing branch is not moved.
The data itself stays in the DVC cache: the branch has its pointers.""",
    "tag": """\
A tag, as the name of an experiment, is one word of at most 100 characters that begins neither with a hyphen nor with `@`. Several runs
may carry the same tag.""",
    "note": """\
Notes add up: what was noted before stays.""",
    "completion": """\
Completes commands, options, and the names of runs, which come straight from Git. With the script in place of git-exptrack as well, bash
also completes `git exptrack`.""",
    "demo": """\
Copies the example project, which learns to read handwritten digits, into a new folder, records several runs of it, lists them, compares
two and shows one. Prints each command before it runs it.""",
}

# Where more is told, on the page of the commands.
LINKS = {
    "init": "[Settings](capture.md#settings)",
    "run": "[What a run captures](capture.md)",
    "status": "[Its JSON](json.md#status)",
    "ls": "[Queries, columns and keys to sort by](query.md) · [its JSON](json.md#ls-and-log)",
    "log": "[Queries](query.md) · [its JSON](json.md#ls-and-log)",
    "show": "[Its JSON](json.md#show)",
    "environment": "[Its JSON](json.md#show---environment-and-environment)",
    "diff": "[Its JSON](json.md#diff)",
    "reproduce": "[Reproducing a run](reproducibility.md) · [its JSON](json.md#reproduce)",
}

REVS = """\
REV stands for a run: its name, the beginning of its name, a tag, or the beginning of its commit's oid, tried in this order. `@` is the
run recorded last in this repository on this machine, `@~1` the one before it. For plain Git a run is
`refs/exptrack/runs/`<yyyy-mm>`/`<name>."""

OPTIONS = (
    ("`-C` <DIR>", "work as if started in DIR; may be given several times"),
    ("`--no-pager`", "print long output without a pager"),
    ("`--version`", "print the version"),
    ("`-h`, `--help`", "tell about exptrack, or after COMMAND about that"),
)

STATUS = (
    ("`0`", "done"),
    ("`1`", "something differs, and `--exit-code` asked"),
    ("`2`", "bad input or wrong usage"),
    ("`3`", "a bug in exptrack"),
    ("`130`", "interrupted"),
)
RUN_STATUS = (
    "`run` gives the exit status of its command, or 128 and the number of the signal that ended it; and of itself:"
)
OF_RUN = (
    ("`125`", "exptrack failed. If the command had run, all of it is kept for `recover`"),
    ("`126`", "the command cannot be executed"),
    ("`127`", "the command was not found"),
)

VARIABLES = (
    ("`EXPTRACK_DEBUG`", "if set, errors come with a traceback"),
    ("`EXPTRACK_RUN`", "set for the command of a run: the name of the run"),
    ("`NO_COLOR`", "if set, nothing is coloured"),
)

FILES = (
    ("<exptrack.yaml>", "settings of the project, all optional; its folder is the project"),
    ("<params.yaml, metrics.json>", "parameters and metrics of the project"),
    ("<.git/exptrack/>", "private: journals of runs under way, and caches"),
)

EXAMPLES = (
    ("Run a script and keep the model that it writes:", "run -m 'a wider layer' -o model.npz -- python train.py model.hidden=64"),
    ("What is the difference between the last two runs?", "diff @~1 @"),
    ("After the machine went down:", "recover"),
)  # fmt: skip


def main(words: list[str]) -> int:
    """Write all pages; with `--check` say which of them is not up to date, and give 1 if one is not."""
    os.environ["COLUMNS"] = "80"
    pages = {
        "cli.md": render_markdown(),
        "exptrack.1": render_man("exptrack"),
        "git-exptrack.1": render_man("git exptrack"),
    }
    stale = [name for name, text in pages.items() if _read(HERE / name) != text]
    if "--check" not in words:
        for name in stale:
            (HERE / name).write_text(pages[name], encoding="utf-8")
    elif stale:
        sys.stderr.write(f"not up to date: {', '.join(stale)}; run `python docs/make_pages.py`\n")
        return 1
    return 0


def render_markdown() -> str:
    """The page of all commands: what each does, and its help as it is printed at 80 columns."""
    sections = [
        "# Commands",
        "Each is also there as `git exptrack COMMAND`, with man pages. Below stands what `exptrack COMMAND --help` prints.",
        " · ".join(f"[{command}](#{command})" for command in COMMANDS),
        *(part for command in COMMANDS for part in _section(command)),
        "## Naming a run",
        _markdown(REVS),
        "## Exit status",
        _table(STATUS),
        _markdown(RUN_STATUS),
        _table(OF_RUN),
        "<!-- Written by docs/make_pages.py: change that or the command line, and run it again. -->",
    ]
    return "\n\n".join(sections) + "\n"


def _section(command: str) -> Iterator[str]:
    yield f"## {command}"
    if command in MORE:
        yield MORE[command]
    yield f"```text\n{parser_of(command).format_help()}```"
    if command in LINKS:
        yield f"More: {LINKS[command]}"


def _what(command: str) -> str:
    what = COMMANDS[command]
    return "\n\n".join([f"{what[0].upper()}{what[1:]}.", *filter(None, [MORE.get(command)])])


def _markdown(text: str) -> str:
    """The same marks as in `_prose`; code and an emphasised word without a space between them become one piece of code."""
    return re.sub(r"`([^`]*)`<([^>]*)>`([^`]*)`<([^>]*)>", r"`\1<\2>\3<\4>`", text)


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(["| status | means |", "|---|---|", *(f"| {title} | {text} |" for title, text in rows)])


def render_man(program: str) -> str:
    """The man page of `program`, which is `exptrack` or `git exptrack`."""
    name = program.replace(" ", "-")
    other = "git-exptrack" if name == "exptrack" else "exptrack"
    sections = {
        "NAME": [rf"{_escape(name)} \- every machine-learning run becomes a Git commit"],
        "SYNOPSIS": [_prose(f"`{program}` [`-C` <DIR>] <COMMAND> [<ARGUMENT> ...]")],
        "DESCRIPTION": _paragraphs(DESCRIPTION),
        "OPTIONS": _items(OPTIONS),
        "COMMANDS": [line for command in COMMANDS for line in _command(program, command)],
        "NAMING A RUN": _paragraphs(REVS),
        "EXIT STATUS": [*_items(STATUS), *_paragraphs(RUN_STATUS), *_items(OF_RUN)],
        "ENVIRONMENT": _items(VARIABLES),
        "FILES": _items(FILES),
        "EXAMPLES": [line for what, words in EXAMPLES for line in _example(what, f"{program} {words}")],
        "SEE ALSO": [_prose(f"`git`(1), `{other}`(1)")],
    }
    lines = [
        r".\" Written by docs/make_pages.py: change that or the command line, and run it again.",
        f'.TH {name.upper()} 1 "" "exptrack {_version()}" "exptrack"',
        *(line for title, body in sections.items() for line in (f'.SH "{title}"', *body)),
    ]
    return "\n".join(lines) + "\n"


def _command(program: str, command: str) -> Iterator[str]:
    added = parser_of(command)._actions  # noqa: SLF001 - argparse has no public list of what was added to a parser
    actions = [action for action in added if action.dest != "help" and action.help != argparse.SUPPRESS]
    actions.sort(key=lambda action: not action.option_strings)
    yield f'.SS "{command}"'
    yield _prose(" ".join([f"`{program} {command}`", *map(_in_synopsis, actions)]))
    yield from _paragraphs(_what(command))
    yield from _items((_title(action), (action.help or "") % vars(action)) for action in actions)


def _in_synopsis(action: argparse.Action) -> str:
    value = _value(action)
    if action.option_strings:
        text = f"`{action.option_strings[0]}` {value}".strip()
        return text if action.required else f"[{text}]"
    shapes = {
        "?": f"[{value}]",
        "*": f"[{value} ...]",
        "+": f"{value} ...",
        argparse.REMAINDER: f"[`--`] {value} [<ARGUMENT> ...]",
    }
    return shapes.get(str(action.nargs), value)


def _title(action: argparse.Action) -> str:
    names = ", ".join(f"`{name}`" for name in action.option_strings)
    return f"{names} {_value(action)}".strip()


def _value(action: argparse.Action) -> str:
    return "" if action.nargs == 0 else f"<{action.metavar or action.dest.upper()}>"


def _items(items: Iterable[tuple[str, str]]) -> list[str]:
    return [line for title, text in items for line in (".TP", _prose(title), _prose(text))]


def _paragraphs(text: str) -> list[str]:
    return [line for part in text.split("\n\n") for line in (".PP", _prose(part))]


def _example(what: str, line: str) -> list[str]:
    return [".PP", _prose(what), ".PP", ".RS 4", ".nf", _escape(f"$ {line}"), ".fi", ".RE"]


def _prose(text: str) -> str:
    """Text with words in backticks bold and words in angle brackets italic, one paragraph on one line."""
    parts = re.split(r"`([^`]*)`|<([^>]*)>", " ".join(text.split()))
    shown = []
    for plain, bold, italic in zip(parts[::3], [*parts[1::3], None], [*parts[2::3], None], strict=True):
        shown += [_escape(plain), _bold(bold) if bold else "", _italic(italic) if italic else ""]
    line = "".join(shown)
    return rf"\&{line}" if line.startswith((".", "'")) else line


def _escape(text: str) -> str:
    for letter, written in (
        ("\\", r"\e"),
        ("-", r"\-"),
        ("'", r"\(aq"),
        ("`", r"\(ga"),
        ("^", r"\(ha"),
        ("~", r"\(ti"),
    ):
        text = text.replace(letter, written)
    return text


def _bold(text: str) -> str:
    return rf"\fB{_escape(text)}\fR"


def _italic(text: str) -> str:
    return rf"\fI{_escape(text)}\fR"


def _version() -> str:
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
