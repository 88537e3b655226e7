"""What the pages of the commands say beside the options, which the parsers tell: the texts of `make_pages.py`."""  # noqa: INP001 - of a script

from __future__ import annotations

DESCRIPTION = """\
Every run of a command becomes a Git commit on a hidden ref: the code as it ran, its parameters, its metrics, and DVC pointers to its
data. Comparing two runs is a diff.

Recording never touches the index, HEAD, a branch, a tag or a file of the work tree. Runs that fail, are interrupted or are killed
are kept, too."""

# What the options of a command do not say by themselves.
MORE = {
    "init": """\
Writes `exptrack.yaml` with all settings as comments, and makes a DVC project, into the working directory. What is there is left as
it is. Nothing is added to Git's index. With `--ci` it also writes the jobs that check claimed runs, with `--hooks` the hook `commit-msg`
that refuses claims of runs which do not exist or were not pushed.""",
    "run": """\
Takes the snapshot, runs COMMAND in the working directory, and records the run when it has ended. Options end at the first word
that is none, so `--` is only needed before a command that begins with a hyphen. The command gets the name of its run in
`EXPTRACK_RUN`. A script in it that calls `exptrack.start_run()` logs to this run.

Parameters are read from `params.yaml`, from what `dvc.yaml` names, and from the command's own `--key value` and `key=value`; metrics from
`metrics.json` and from what `dvc.yaml` names, if the command wrote them, and from patterns over its output in `exptrack.yaml`.

Without COMMAND the stages of the DVC pipeline run, as `dvc repro` does it: those that have not changed are skipped, those that the run
cache knows are restored, and `-f` runs them all. A stage that fails gives a failed run, which keeps what the stages before it made.

With `-S` (in Hydra's grammar, of which a sweep is refused) or `--isolated`, and with a `--seed` for which the project has a parameter, the
command runs in a work tree of its own below `.git`, made from the snapshot, with its data out of the DVC cache. What Git ignores is not
there, but for what `capture.links` in `exptrack.yaml` names. New files are kept in the run if they are small.

With `-e` the run is filed under an experiment. If `exptrack.yaml` declares that, a run whose parameters have other values than those
declared is refused before it starts; `--anyway` records it all the same, and its record says so.

Standard output stays the command's. What exptrack has to say goes to standard error: what was not captured, problems, and the
name of the run.""",
    "status": """\
A run has died if its recorder no longer lives: killed, or its machine went down.

`--follow` shows all runs under way, those that begin meanwhile included, until none is left: on a terminal as a table that is drawn in
place, in a pipe as lines that are added, with `--json` as events. Ctrl-C leaves it, and the runs go on.""",
    "export": """\
Writes `runs/month=2026-11/REPOSITORY.parquet` below the folder, and with `--history` the same below `history`: the partitions that DuckDB,
Spark and pandas know. The columns are the same for every repository and month, so many repositories may be exported into one folder. An
export replaces all that an earlier one of the same repository left there, when everything is written. Holdouts stay sealed.

Parquet needs pyarrow: `pip install 'exptrack[parquet]'`.""",
    "experiments": """\
Lists what `exptrack.yaml` declares below `experiments`, and how far each is: runs that completed and have its metric, of those planned
(reruns of a seed count once), and runs that failed. With NAME one in full: what is declared, a line for each configuration, and runs that
are filed under it and are none of them.

`--commands` prints the runs that are missing, of all configurations with the same seeds: pipe it into `sh`, or into
`xargs -P 4 -I {} sh -c '{}'` for four at a time.""",
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
the end of its output.

Of a run under way, or one that died, it shows what is known so far: state, progress, the last value of each metric with a curve of all,
parameters, and the last lines of output. `--follow` keeps on showing it until it has ended, then what was recorded: on a terminal in
place, in a pipe as lines that are added, with `--json` as events. `@` then is the only run under way. Ctrl-C leaves the view with exit
status 130, and the run goes on. How far it is comes from the steps and epochs that it logs and from a parameter such as `epochs` or
`max_steps`, which is named; without one nothing is guessed. Holdouts stay sealed.""",
    "select": """\
Chooses the configuration with the best mean of the experiment's metric, of those with three runs or more, and records that: all runs that
there are have now taken part in the choice. What is best of many looks better than it is, so the answer says by how much noise alone would
lift it, and prints the commands that run it and the baseline with fresh seeds. Only such runs confirm the choice. Asked again, it says
how far that has come.""",
    "unseal": """\
A metric that is declared as a holdout is sealed: no command shows it. Once something was selected, this shows what it says of the selected
configuration and of the baseline, and notes with their runs who looked, when, why and what was seen. A holdout serves once: a second
unsealing says that it is spent, and withholds the word. It is a discipline, not encryption: whoever wants to can read the file with git.""",
    "conclude": """\
Says whether the hypothesis is accepted (a configuration is better than the baseline), rejected (each is worse or equivalent), or neither
yet, with all that this rests on, as Markdown that can be committed. Where something was selected, its fresh runs decide. The answer is
recorded with the runs and counts as a look: without a planned number of seeds the j-th conclusion on new runs is decided at
alpha/(j(j+1)), and beyond the planned number nothing is decided. `compare` records nothing.""",
    "environment": """\
The packages that were installed where the command ran, each with its version, as pip and uv read them. What no index has, such as an
editable project, is a comment.""",
    "diff": """\
Compares parameters, metrics, data, environment and code. Without a second side it compares with the work tree, without any the latest
run; `A..B` is the same as `A B`. A name that is both a run and a branch means the run.""",
    "plot": """\
Draws the histories of runs, also of those under way: in the terminal with plotext, without it as a line of text for each curve, from
its own lowest to its own highest value; with `-o` into a picture, or into an html page that needs no network and tells the values below
the pointer. `pip install 'exptrack[plot]'` brings what these want. Values that are not finite are left out and counted, and no line is
drawn across them. Long histories are drawn as the run's commit has them, thinned; what is smoothed or averaged is so over the whole,
if that is here.

`--smooth` is TensorBoard's: the exponential moving average without the bias of its start. Pictures have the values themselves faint
behind.

With `--band` runs of one configuration, as `compare` groups them, become one curve; reruns of a seed count once, and runs that failed
count as far as they came. It has the steps that two runs or more have in common. Where these are too few, as with times, the axis is
cut into equal parts, of each run the mean of its values in a part counts, and the answer says so. The band is the 95% interval of the
mean (Student's t) unless another is asked for; where there are only two values it goes from one to the other. The legend says of how
many runs the mean is. Smoothed are the mean and both edges.""",
    "compare": """\
Runs with the same parameters but for the seed, and the same state of the code, are replicates of one configuration. Each configuration
is held against the baseline, and of each is said what may be said: better, worse, equivalent, no detectable difference, not enough runs,
or why nothing can be said, always with the number of runs, an interval, the test and the correction. Nothing is written.

Without words all runs are compared. Within an experiment all its configurations count for the correction, whichever are asked for. The
baseline of an experiment is the declared one. A branch or commit means the runs whose code was that of it, so that
`exptrack compare --baseline main` tells what a change of the code brought: where that is several configurations, each candidate is held
against the one with the same parameters. Where the metric has no goal in `exptrack.yaml`, no
difference is better or worse.

In the table the line is the 95% interval of the mean, the dot the mean, the stroke the baseline's. With `--exit-code` the exit status is 0
if all verdicts are better or equivalent, 1 if one is worse, and 4 if it is not decided.

`--by-parameter` says how closely the metric goes with each parameter: the rank correlation of numbers, eta squared of the rest. That is no
claim of cause. `--predictions` reads the files that the experiment names as `predictions`, and compares two runs example by example; what
comes out is about these two models, and never changes a verdict. `pip install 'exptrack[plot]'` brings what `--plot` wants, and
`exptrack[parquet]` what reads Parquet.""",
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
    "check": """\
A commit claims a run by a line `Exptrack-Run: NAME OID` anywhere in its message, as `exptrack branch` writes it. Of each run that the
commits of BASE..HEAD claim, `check` asks in this order: is it here, or on the remote? Is it the run of that oid, and whole? Is HEAD what
ran: each file as in the snapshot, or as the run left it, `check.ignore` excepted? Is its data to be had? And does it reproduce as the
`exptrack.yaml` of BASE requires? What a branch changes of these settings does not count, and is shown first. Ten runs may be claimed at once:
files of parameters may differ by what `-S` and `--seed` gave to a run.

With `--at HEAD` files may differ: HEAD's code is executed instead. Without words, BASE is the remote's default branch. With runs instead
of commits, or with `--all-recent`, no files are compared and the settings of HEAD count. `--message` is for the `commit-msg` hook that
`exptrack init --hooks` installs.""",
    "push": """\
Without words it shares the runs that were recorded here and that the remote lacks, with `--all` also runs of others; else those that are
named, by revs or queries. REMOTE is a Git remote or its URL: without one `exptrack.remote` of the Git config, else where the branch is
pushed, else `origin`.

Data goes first, to the DVC remotes of the present configuration, and is looked up there before any run is pushed. Then all runs go at
once, each under a name that is free: none is ever moved. Tags and notes are merged with those of others. So the remote never shows a run
without its data, and a push that was interrupted is completed by the next.

A run whose data is neither in the DVC cache nor on the remote stays here, and is named. `--no-data` shares runs without data and marks
them so; the next push without it brings the data and takes the mark off. Of runs that are named, data that the DVC remote has lost is sent again.
`-n` tells which runs would go, and how much data. Runs that were removed here are moved to the trash there.

With `git config exptrack.autoPush` <REMOTE> each run is pushed in the background once it is recorded.""",
    "fetch": """\
Gets runs, their tags and notes, and no data: that comes when it is needed, or with `exptrack pull`. Months and names are looked for on
the remote; an experiment or a query needs the records, so these runs are transferred before they are looked at.

No branch, tag or file is touched, nothing is executed, and nothing is removed without `--prune`. A run that is not as the format says,
or names a path outside the repository, is refused by name. A name that another run has here stays that run's.""",
    "pull": """\
As `exptrack fetch`, and then the data of the runs that match, out of the DVC remotes into the DVC cache.""",
    "rm": """\
Moves runs to the trash, where their data still counts as used. For 30 days `--restore` brings them back. The next `exptrack push`
removes them from the remote in the same way, and those who have fetched them hear of it.""",
    "gc": """\
Lists what would be deleted from the DVC cache, and deletes it with `--force`. Everything is kept that a branch, tag, stash, reflog, run,
run under way, run in the trash, index or work tree points at, and whatever is younger than 14 days. `keep:` in `exptrack.yaml` narrows
which runs count. With `--remote` it is the DVC remote that is collected; then all refs of the Git remotes are looked up first.""",
    "fsck": """\
Verifies every run: its ref, record, commits and files; whether its data is here, on a remote, or nowhere; signatures; locks and leftovers
of killed processes. Each finding says what to do. Nothing is written.""",
    "tag": """\
A tag, as the name of an experiment, is one word of at most 100 characters that begins neither with a hyphen nor with `@`. Several runs
may carry the same tag.""",
    "note": """\
Notes add up: what was noted before stays.""",
    "completion": """\
Completes commands, options, and the names of runs, which come straight from Git. With the script in place of git-exptrack as well, bash
also completes `git exptrack`.""",
    "demo": """\
Copies the example project, which learns to read handwritten digits, into a new folder, records several runs of it, lists them, shows what
is different in two and which of them is better, reproduces one, and makes a branch that a check accepts.
Prints each command before it runs it.""",
}

# Where more is told, on the page of the commands.
LINKS = {
    "init": "[Settings](capture.md#settings) · [checks in CI](ci.md)",
    "run": "[What a run captures](capture.md)",
    "status": "[Its JSON](json.md#status)",
    "export": "[Runs in DuckDB, pandas and Spark](export.md)",
    "experiments": "[Declaring experiments](capture.md#experiments) · [its JSON](json.md#experiments)",
    "ls": "[Queries, columns and keys to sort by](query.md) · [how fast it is](performance.md#growth) · [its JSON](json.md#ls-and-log)",
    "log": "[Queries](query.md) · [its JSON](json.md#ls-and-log)",
    "show": "[Its JSON](json.md#show)",
    "environment": "[Its JSON](json.md#show---environment-and-environment)",
    "diff": "[Its JSON](json.md#diff)",
    "compare": "[What each word means](statistics.md) · [its JSON](json.md#compare)",
    "reproduce": "[Reproducing a run](reproducibility.md) · [its JSON](json.md#reproduce)",
    "push": "[Sharing runs](sharing.md)",
    "fetch": "[Sharing runs](sharing.md)",
    "pull": "[Sharing runs](sharing.md)",
    "rm": "[Sharing runs](sharing.md)",
    "gc": "[Collecting garbage](sharing.md)",
    "fsck": "[Its JSON](json.md#fsck)",
    "check": "[Checks in CI](ci.md) · [its JSON](json.md#check)",
}

REVS = """\
REV stands for a run: its name, the beginning of its name, a tag, or the beginning of its commit's oid, tried in this order. `@` is the
run recorded last in this repository on this machine, `@~1` the one before it. For plain Git a run is
`refs/exptrack/runs/`<yyyy-mm>`/`<name>."""

OPTIONS = (
    ("`-C` <DIR>", "work as if started in DIR; may be given several times"),
    ("`--no-pager`", "print long output without a pager"),
    ("`--verbose`", "say on stderr what is done beyond the answer, such as why the index of runs was not used"),
    ("`--version`", "print the version"),
    ("`-h`, `--help`", "tell about exptrack, or after COMMAND about that"),
)

STATUS = (
    ("`0`", "done"),
    ("`1`", "the answer is no: of `check`, `fsck`, `reproduce --require`, `diff --exit-code`, `compare --exit-code`"),
    ("`2`", "bad input or wrong usage"),
    ("`3`", "a bug in exptrack"),
    ("`4`", "it is not decided: of `compare --exit-code`"),
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
    ("`EXPTRACK_DISABLED`", "if 1, scripts that call `exptrack.start_run()` record nothing, and no call does anything"),
    ("`EXPTRACK_QUIET`", "if 1, such scripts say nothing of exptrack on standard error"),
    (
        "`EXPTRACK_RUN`, `EXPTRACK_JOURNAL`",
        "set for the command of a run: the name of the run, and where scripts log to it",
    ),
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
