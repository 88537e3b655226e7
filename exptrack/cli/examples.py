"""The examples at the end of every command's help."""

from __future__ import annotations

# Read only where help is printed. Lines of a shell: the tests run those that only read, and parse the others.
EXAMPLES = {
    "init": ("exptrack init", "exptrack init --ci github --hooks"),
    "run": (
        "exptrack run -- python train.py --lr 0.1",
        "exptrack run -m 'a wider layer' -t candidate -o model.npz -- python train.py",
        "exptrack run -S model.hidden=64 --seed 1 -- python train.py",
        "exptrack run -S train.lr=0.1 -m 'the DVC pipeline with another rate'",
    ),
    "status": ("exptrack status", "exptrack status --follow"),
    "recover": ("exptrack recover", "exptrack recover brave-otter-k3f9"),
    "ls": (
        "exptrack ls -n 10 --sort -metrics.accuracy",
        "exptrack ls 'metrics.accuracy > 0.9 and tag = best' --csv",
    ),
    "log": ("exptrack log --oneline main..", "exptrack log 'status = failed' --since 1.week"),
    "show": (
        "exptrack show",
        "exptrack show brave-otter --output",
        "exptrack show best --file params.yaml",
        "exptrack show brave-otter --follow",
    ),
    "environment": ("exptrack environment best -o requirements.txt",),
    "diff": ("exptrack diff", "exptrack diff @~1 @ --only params,metrics", "exptrack diff --markdown main best"),
    "export": (
        "exptrack export -o exports --history",
        "exptrack export 'tag = best' --format jsonl -o - > best.jsonl",
    ),
    "experiments": ("exptrack experiments", "exptrack experiments wider-layer --commands -- python train.py | sh"),
    "plot": (
        "exptrack plot",
        "exptrack plot brave-otter calm-heron --metric 'val/*' --smooth 0.6",
        "exptrack plot -e wider-layer --metric loss --band --log-y -o loss.html",
    ),
    "compare": (
        "exptrack compare --metric accuracy --baseline lr=0.1",
        "exptrack compare -e wider-layer --markdown --plot wider.svg",
        "exptrack compare 'params.depth = 3' -m accuracy -b main --exit-code",
        "exptrack compare brave-otter calm-heron --by-parameter --predictions",
    ),
    "reproduce": (
        "exptrack reproduce best --require exact",
        "exptrack reproduce brave-otter --at main --reruns 3",
        "exptrack reproduce best --environment recorded --timeout 30m --markdown",
    ),
    "apply": ("exptrack apply best", "exptrack apply brave-otter --only params,data --dry-run"),
    "branch": ("exptrack branch best wider-layer",),
    "push": (
        "exptrack push",
        "exptrack push origin brave-otter 'tag = paper'",
        "exptrack push brave-otter --as brave-otter-2",
    ),
    "fetch": (
        "exptrack fetch",
        "exptrack fetch --month 2026-11 --name brave",
        "exptrack fetch 'metrics.accuracy > 0.9'",
    ),
    "pull": ("exptrack pull", "exptrack pull 'tag = paper'"),
    "rm": ("exptrack rm brave-otter", "exptrack rm 'status = failed' -y", "exptrack rm --restore brave-otter-k3f9"),
    "gc": ("exptrack gc", "exptrack gc --force", "exptrack gc --remote storage"),
    "fsck": ("exptrack fsck", "exptrack fsck --full --json"),
    "check": (
        "exptrack check main..HEAD",
        "exptrack check main..HEAD --environment recorded --report report.md",
        "exptrack check main..HEAD --at HEAD",
        "exptrack check --all-recent 5",
        "exptrack check brave-otter",
    ),
    "select": ("exptrack select -e digits", "exptrack select -e digits --fresh 5"),
    "unseal": ("exptrack unseal -e digits --reason 'the numbers of the paper'",),
    "conclude": ("exptrack conclude -e digits", "exptrack conclude -e digits --report conclusion.md --exit-code"),
    "tag": ("exptrack tag best @", "exptrack tag --delete best brave-otter"),
    "note": ("exptrack note @ -m 'the loss was still falling'",),
    "completion": ("exptrack completion bash > ~/.local/share/bash-completion/completions/exptrack",),
    "demo": ("exptrack demo", "exptrack demo /tmp/digits", "exptrack demo --copy digits"),
}
