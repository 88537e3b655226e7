"""`exptrack completion`: print the completion script for a shell."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from importlib import import_module

from exptrack.cli import COMMANDS, Parser, add_common_options
from exptrack.cli.helptext import Formatter
from exptrack.model.application import Part
from exptrack.model.difference import Area

SHELLS = ("bash", "zsh", "tcsh")

# Straight from git, which takes milliseconds. A ref that somebody pushed may have any name, and shells evaluate what they are offered
# (`compgen -W` does): only what can be the name of a run goes through.
_LIST = "for-each-ref --format='%(refname:lstrip=-1)'"
_SAFE = "grep -xE '[a-z0-9][a-z0-9-]*'"
_BRANCHES = (
    "for-each-ref --format='%(refname:lstrip=2)' refs/heads refs/tags refs/remotes",
    "grep -xE '[A-Za-z0-9_][A-Za-z0-9_./-]*'",
)
# What the nearest exptrack.yaml declares below a key, in block style. To ask exptrack itself would take a Python a key press.
_DECLARED = """\
_exptrack_declared() {
  local top prefix
  { read -r top; read -r prefix; } < <(GIT rev-parse --show-toplevel --show-prefix 2>/dev/null)
  while [[ -n $prefix && ! -f $top/${prefix}exptrack.yaml ]]; do
    prefix=${prefix%/}
    if [[ $prefix == */* ]]; then prefix=${prefix%/*}/; else prefix=""; fi
  done
  awk -v section="$1" '
    /^[^ #]/ { inside = (index($0, section ":") == 1); indent = 0; next }
    inside && match($0, /^ +[^ #-]/) {
      if (!indent) indent = RLENGTH
      if (RLENGTH == indent && sub(/:.*/, "")) { gsub(/^ +|"/, ""); print }
    }' "$top/${prefix}exptrack.yaml" 2>/dev/null | grep -xE '[A-Za-z0-9_][A-Za-z0-9_./-]*'
}
"""
_BASH = f"""\
# Where the command will look: the `-C` before it are git's own option.
_exptrack_git() {{
  local -a before=()
  local -i i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${{COMP_WORDS[i]}} in
      -C) i+=1; before+=(-C "${{COMP_WORDS[i]/#\\~/$HOME}}") ;;
      -*) ;;
      *) break ;;
    esac
  done
  command git "${{_exptrack_before[@]}}" "${{before[@]}}" "$@" 2>/dev/null
}}
_exptrack_runs() {{ _exptrack_git {_LIST} "refs/exptrack/runs/*/$1*" | {_SAFE}; }}
_exptrack_active() {{ _exptrack_git {_LIST} "refs/exptrack/active/$1*" | {_SAFE}; }}
_exptrack_sides() {{
  _exptrack_runs "$1"
  _exptrack_git {_BRANCHES[0]} | {_BRANCHES[1]} | while read -r name; do [[ $name != "$1"* ]] || echo "$name"; done
}}
# A side, or the end of a range. What stands before the end is offered with it, so it may hold nothing that a shell obeys.
_exptrack_ranges() {{
  local before=""
  [[ $1 != *..* ]] || before=${{1%..*}}..
  [[ $before =~ ^[A-Za-z0-9_./-]*$ ]] || return
  _exptrack_sides "${{1#"$before"}}" | while read -r name; do echo "$before$name"; done
}}

{_DECLARED.replace("GIT", "_exptrack_git")}\
_exptrack_experiments() {{ _exptrack_declared experiments | while read -r name; do [[ $name != "$1"* ]] || echo "$name"; done }}
_exptrack_metrics() {{ _exptrack_declared metrics | while read -r name; do [[ $name != "$1"* ]] || echo "$name"; done }}

# Git's own completion calls this for `git exptrack`.
_git_exptrack() {{
  local -i i=1
  while ((i < COMP_CWORD)) && [[ ${{COMP_WORDS[i]}} != exptrack ]]; do i+=1; done
  local -a _exptrack_before=("${{__git_C_args[@]}}") COMP_WORDS=(exptrack "${{COMP_WORDS[@]:i+1}}")
  local COMP_CWORD=$((COMP_CWORD - i))
  compopt +o nospace 2>/dev/null
  _shtab_exptrack
}}
"""
_ZSH = f"""\
_exptrack_runs() {{ compadd -- ${{(f)"$(command git {_LIST} refs/exptrack/runs 2>/dev/null | {_SAFE})"}} }}
_exptrack_active() {{ compadd -- ${{(f)"$(command git {_LIST} refs/exptrack/active 2>/dev/null | {_SAFE})"}} }}
_exptrack_sides() {{ _exptrack_runs; compadd -- ${{(f)"$(command git {_BRANCHES[0]} 2>/dev/null | {_BRANCHES[1]})"}} }}
_exptrack_ranges() {{ compset -P '*..'; _exptrack_sides }}
{_DECLARED.replace("GIT", "command git")}\
_exptrack_experiments() {{ compadd -- ${{(f)"$(_exptrack_declared experiments)"}} }}
_exptrack_metrics() {{ compadd -- ${{(f)"$(_exptrack_declared metrics)"}} }}
"""
# An alias, because shtab evaluates a command once or twice, depending on where its answer is wanted.
_TCSH = """\
alias _exptrack_names 'git for-each-ref --format="%(refname:lstrip=-1)" refs/exptrack/\\!:1 |& grep -xE "[a-z0-9][a-z0-9-]*"'
alias _exptrack_runs '_exptrack_names runs'
alias _exptrack_active '_exptrack_names active'
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=f"one of {', '.join(SHELLS)}")
    parser.epilog = (
        "Put the script where the shell looks for it, and make that folder if it is missing: bash in"
        " ~/.local/share/bash-completion/completions/ (as exptrack, and as git-exptrack too for `git exptrack`),"
        " zsh as _exptrack in a folder of $fpath; tcsh has to source it."
    )


def run(arguments: argparse.Namespace) -> int:
    import shtab

    tree = _tree()
    for action in _actions(tree):
        _complete(action)
    functions = {"bash": _BASH, "zsh": _ZSH, "tcsh": _TCSH}
    script = shtab.complete(tree, arguments.shell, preamble=functions[arguments.shell])
    if arguments.shell == "zsh":
        script = re.sub(r'^  "\(\*\)::?', '  "*:', script, flags=re.MULTILINE)  # shtab completes the first of many only
    print(script)
    return 0


def _tree() -> argparse.ArgumentParser:
    """All commands in one parser. A call has a parser of its own command only, and imports no other."""
    tree = Parser(prog="exptrack", formatter_class=Formatter)
    add_common_options(tree)
    commands = tree.add_subparsers()
    for name, what in COMMANDS.items():
        import_module(f"exptrack.cli.{name}").configure(
            commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
        )
    return tree


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list of what was added to a parser
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - nor a public name for this
            for below in dict.fromkeys(action.choices.values()):
                yield from _actions(below)
        else:
            yield action


def _complete(action: argparse.Action) -> None:
    """Say what completes an argument's value: its name or metavar tells what it is."""
    import shtab

    runs, sides, ranges, active, experiments, metrics = (
        {"bash": f"_exptrack_{name}", "zsh": f"_exptrack_{name}"}
        for name in ("runs", "sides", "ranges", "active", "experiments", "metrics")
    )
    for side in (runs, sides, ranges):
        side["tcsh"] = "`_exptrack_runs`"
    active["tcsh"] = "`_exptrack_active`"
    named = {"experiment": experiments, "metric": metrics, "history": metrics, "sides": sides, "baseline": sides}
    known = {
        "REV": runs,
        "REV | QUERY": runs,
        "QUERY | REV": sides,
        "REMOTE|QUERY|REV": runs,
        "QUERY | RANGE | REV": ranges,
        "BASE..HEAD | REV": ranges,
        "COMMIT": sides,
        "NAME": active if action.dest == "names" else None,
        **dict.fromkeys(("PATH", "FILE", "COMMAND"), shtab.FILE),
        "DIR": shtab.DIRECTORY,
    }
    words = {"AREA": Area, "PART": Part}
    if action.metavar in words:
        action.choices = list(words[action.metavar])
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    found = named.get(action.dest) or known.get(metavar)
    if found is not None and action.choices is None:
        action.complete = found  # type: ignore[attr-defined]
