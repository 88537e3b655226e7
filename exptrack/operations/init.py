"""Make a project ready: `exptrack.yaml`, DVC where it is missing, and what was asked for of CI and hooks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from exptrack.backends import dvc
from exptrack.backends.git.repository import Repository
from exptrack.model.checking import SELDOM_READ
from exptrack.operations.installing import install_ci, install_hooks

_SETTINGS = """\
# Settings of exptrack, versioned and reviewed like code. All of it is optional.

# metrics:
#   accuracy:
#     goal: maximize        # or minimize
#     min_effect: 0.005     # the smallest difference that matters
#     unit: "%"
#   test_accuracy: {goal: maximize, holdout: true}   # sealed until `exptrack unseal`

# experiments:              # what is to be found out, declared before the first run
#   wider:                  # `exptrack run -e wider …`, then `exptrack compare -e wider`
#     hypothesis: a wider layer is more accurate
#     metric: accuracy      # the one that decides
#     variables: {model.hidden: [32, 64]}
#     baseline: {model.hidden: 32}
#     seeds: 5              # how many runs each configuration is to have
#     holdout: test_accuracy

# The parameter that is the seed (else `seed`, `random_state`, `*.seed`).
# seed: train.seed

# capture:
#   patterns:               # read metrics from the output: named groups, `step` is the step
#     - 'epoch (?P<step>\\d+) loss=(?P<loss>\\S+)'
#   outputs: []             # files and folders to keep after each run, as with `-o`
#   large: cache            # untracked files over the limit: `cache` (into the DVC cache) or `list`
#   limits: {file_size: 1 MiB, total_size: 10 MiB, files: 2000}
#   secrets: [default]      # patterns of file names that never go into a snapshot
#   environment: []         # more environment variables to record by name
#   system: 10              # seconds between two looks at what the run uses of CPU, memory, disk, GPU; or off

# rules:                    # what is done while a run is under way
#   - when: train/loss is nan   # or: is not finite; has not improved for 500 steps; is a new best
#     then: stop            # or `run`, with `command`

check:                      # what `exptrack check` asks of runs that commits claim, as the base says it
  # Files that may differ from what ran: those that no command reads.
  ignore: [%IGNORED]
  # require: statistical    # or exact, methodological, conceptual
  # reruns: 1               # how often each is executed
  # timeout: 2h             # for each execution
  # tolerance: {accuracy: 0.002, loss: 1%}   # for statistical: how far a metric may be, in place of the interval
  # similar: 5%             # for methodological: how far a metric may be, as a share
  # volatile: [logs/, metrics.train_seconds] # results that may differ in an exact reproduction

# keep:                     # what `exptrack gc` keeps
#   data: tag = paper or status = completed   # only these runs keep their data; without it, all do
#   days: 30                # and all runs younger than this
#   grace: 14               # no data goes that is younger than this, in days
#   trash: 30               # days for which a removed run can be restored
"""


def init(repository: Repository, folder: Path, *, ci: Sequence[str] = (), has_hooks: bool = False) -> tuple[str, ...]:
    """Write what is missing in `folder`, and say what was done and what to do next. What is there is left as it is.

    `ci` are forges whose jobs are installed at the root of the repository, with `has_hooks` the hook `commit-msg` is. Raises ExptrackError.
    """
    done = [*_make_project(repository, folder)]
    for forge in dict.fromkeys(ci):
        done += install_ci(repository, folder, forge)
    if has_hooks:
        done += install_hooks(repository, folder)
    return tuple(done)


def _make_project(repository: Repository, folder: Path) -> tuple[str, ...]:
    done = []
    settings = folder / "exptrack.yaml"
    if settings.exists():
        done.append("exptrack.yaml is there already")
    else:
        settings.write_text(_SETTINGS.replace("%IGNORED", ", ".join(SELDOM_READ)), encoding="utf-8")
        done.append("wrote exptrack.yaml: all settings, most of them commented out")
    root = dvc.find_root(folder, repository.top)
    if root is not None:
        done.append(f"DVC is set up already in {root}" if root != folder else "DVC is set up already")
    else:
        dvc.init(folder, subdirectory=folder != repository.top)
        done.append("set up DVC: .dvc/ and .dvcignore")
    return tuple(done)
