"""GitLab's jobs: their scripts executed as they stand, in clones of a real remote, and what their file must and must not say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from forges import Forge, Request
from workflows import TEMPLATES, Done, JobDone, environment, expand, extended, read, run_gitlab_job

FILE = TEMPLATES / "gitlab" / "exptrack.gitlab-ci.yml"
JOBS = {"exptrack-check", "exptrack-comment", "exptrack-nightly"}
MARKER = "<!-- exptrack check -->"
NOTES = "/api/v4/projects/1/merge_requests/7/notes"
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
# The pipelines that GitLab makes, by the variables that rules ask for. Project 1 is the one, project 2 a fork.
PUSH = {"CI_PIPELINE_SOURCE": "push", "CI_PROJECT_ID": "1"}
MERGE = {
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_PROJECT_ID": "1",
    "CI_MERGE_REQUEST_PROJECT_ID": "1",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1",
}
FORK = MERGE | {"CI_PROJECT_ID": "2", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2"}
FORK_HERE = MERGE | {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2"}
SCHEDULE = {"CI_PIPELINE_SOURCE": "schedule", "CI_PROJECT_ID": "1"}
NIGHT = SCHEDULE | {"EXPTRACK_RECENT": "5"}


def runs(job: Mapping[str, Any], variables: Mapping[str, str]) -> bool:
    """Whether the rules of a job let it run: `$NAME`, `==`, texts and `&&`."""
    return any(all(_holds(part, variables) for part in rule["if"].split(" && ")) for rule in job["rules"])


def _holds(part: str, variables: Mapping[str, str]) -> bool:
    sides = [side[1:-1] if side[0] == '"' else variables.get(side[1:], "") for side in part.split(" == ")]
    return sides[0] == sides[1] if len(sides) == 2 else bool(sides[0])


class Gitlab:
    """A runner: clones what a pipeline is for into `work`, always the same folder, and executes one of its jobs with what `cache` holds."""

    def __init__(self, folder: Path, environ: Mapping[str, str], hub: Path) -> None:
        self.work, self.cache, self.environ = folder / "work", folder / "cache", environ
        self.hub = self.origin = hub  # of a fork's pipeline the origin is the fork

    def __call__(self, name: str, commit: str, pipeline: Mapping[str, str] = MERGE, **given: str) -> JobDone:
        job = extended(read(FILE), name)
        assert runs(job, pipeline)
        self._clone(commit, is_whole=job["variables"]["GIT_DEPTH"] == "0")
        kept = [expand(path, job["variables"]) for path in job["cache"]["paths"]]
        _move(kept, self.cache, self.work)
        variables = {
            "CI_COMMIT_SHA": commit,
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "EXPTRACK_PACKAGE": "exptrack",
            **given,
        }
        done = run_gitlab_job(read(FILE), name, self.work, {**self.environ, **pipeline, **variables})
        _move(kept, self.work, self.cache)
        return done

    def _clone(self, commit: str, *, is_whole: bool) -> None:
        """With GIT_DEPTH 0 the runner has all branches, else only the commit."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()
        self.git("init", "--quiet")
        self.git("remote", "add", "origin", f"file://{self.origin}")
        if is_whole:
            self.git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
        self.git("fetch", "--quiet", *([] if is_whole else ["--depth=20"]), f"file://{self.hub}", commit)
        self.git("checkout", "--quiet", "--detach", commit)

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.work, env=dict(self.environ), check=True, capture_output=True)

    @property
    def report(self) -> str:
        return (self.work / "exptrack-report.md").read_text()


def _move(names: Iterable[str], old: Path, new: Path) -> None:
    for name in names:
        if (old / name).exists():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (old / name).rename(new / name)


@pytest.fixture(scope="module")
def runner(tmp_path_factory, machine, team) -> Gitlab:
    folder = tmp_path_factory.mktemp("runner")
    return Gitlab(folder, machine.environment(folder), team.hub)


@pytest.fixture
def gitlab(runner, team) -> Gitlab:
    runner.origin = team.hub
    return runner


class TestCheck:
    """The job `exptrack-check`."""

    @pytest.mark.parametrize("head", ["true", "squashed"])
    def test_a_true_claim_holds_also_in_a_squashed_commit(self, gitlab, team, head):
        job = gitlab("exptrack-check", team.commits[head])
        assert job.code == 0, job.said
        assert gitlab.report.startswith(f"{MARKER}\n")
        [case] = ET.parse(gitlab.work / "exptrack-junit.xml").iter("testcase")
        assert case.get("name") == "true"
        assert list(gitlab.cache.glob(".dvc/cache/files/md5/*/*"))
        assert len(list(gitlab.cache.glob(".git/exptrack/environments/*/exptrack.json"))) == 1

    def test_what_is_installed_must_be_said(self, gitlab, team):
        job = gitlab("exptrack-check", team.commits["true"], EXPTRACK_PACKAGE="")
        assert job.code != 0
        assert job.said.endswith("EXPTRACK_PACKAGE: say in this job what pip is to install\n")

    @pytest.mark.parametrize(("head", "file"), [("code", "train.py"), ("data", "data.bin")])
    def test_a_file_that_is_not_what_ran_is_named(self, gitlab, team, head, file):
        job = gitlab("exptrack-check", team.commits[head])
        assert job.code == 1
        assert file in job.said
        assert file in gitlab.report

    def test_the_bar_of_the_target_branch_counts(self, gitlab, team):
        assert gitlab("exptrack-check", team.commits["lowered"]).code == 1
        assert "check.require" in gitlab.report

    @pytest.mark.parametrize("head", ["missing", "gone"])
    def test_what_cannot_be_had_cannot_be_checked(self, gitlab, team, head):
        assert gitlab("exptrack-check", team.commits[head]).code == 2
        assert "cannot be checked" in gitlab.report

    def test_a_branch_that_claims_nothing_passes(self, gitlab, team):
        job = gitlab("exptrack-check", team.commits["other"])
        assert job.code == 0
        assert "no run is claimed" in job.said

    def test_gitlabs_merge_of_a_branch_is_looked_through(self, gitlab, team):
        """In a pipeline of merged results the commit is a merge, whose other changes nobody claimed."""
        head = {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": team.commits["true"]}
        job = gitlab("exptrack-check", team.commits["queued"], CI_MERGE_REQUEST_EVENT_TYPE="merged_result", **head)
        assert job.code == 0, job.said

    def test_a_merge_train_executes_what_it_would_merge(self, gitlab, team):
        head = {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": team.commits["true"]}
        job = gitlab("exptrack-check", team.commits["queued"], CI_MERGE_REQUEST_EVENT_TYPE="merge_train", **head)
        assert job.code == 0, job.said
        assert team.commits["queued"][:7] in gitlab.report

    def test_a_fork_is_checked_in_the_fork_by_the_bar_of_the_target(self, gitlab, team, tmp_path):
        gitlab.origin = team.fork
        (tmp_path / "project.git").symlink_to(team.hub)
        url = f"file://{tmp_path / 'project'}"
        job = gitlab("exptrack-check", team.commits["guest"], FORK, CI_MERGE_REQUEST_PROJECT_URL=url)
        assert job.code == 0, job.said
        job = gitlab("exptrack-check", team.commits["closed"], FORK, CI_MERGE_REQUEST_PROJECT_URL=url)
        assert job.code == 2
        assert job.said.count("a fork is checked with the variables of the fork") == 1
        job = gitlab("exptrack-check", team.commits["guest"], FORK, CI_MERGE_REQUEST_PROJECT_URL=f"{url}-closed")
        assert job.code == 2
        assert "a fork must be able to read the project that it was made from" in job.said

    def test_each_night_the_newest_claims_are_checked(self, gitlab, team):
        job = gitlab("exptrack-nightly", team.commits["squashed"], NIGHT)
        assert job.code == 0, job.said
        assert "true" in gitlab.report


class Notes(Forge):
    """The notes of a merge request, as GitLab's API gives and takes them."""

    AUTHORITY = ("PRIVATE-TOKEN", "a-token")
    OWN = 40

    def encode_author(self, author: int) -> dict[str, Any]:
        return {"author": {"id": author}}

    def answer(self, request: Request) -> tuple[int, Any]:
        if request.path == "/api/v4/user":
            return 200, {"id": self.OWN}
        if request.method == "PUT":
            self.comments[int(request.path.removeprefix(f"{NOTES}/"))]["body"] = request.text
        elif request.path != NOTES:
            return 404, {}
        elif request.method == "POST":
            self.add(request.text, self.OWN)
            return 201, {}
        else:
            assert (request.words["order_by"], request.words["sort"]) == ("created_at", "asc")
        return 200, self.page(request.words) if request.words else {}


class Commented:
    """Executes the job `exptrack-comment` beside what the job that checks is to have left."""

    def __init__(self, folder: Path, forge: Notes) -> None:
        self.work, self.forge = folder / "work", forge
        self.work.mkdir()
        given = {"CI_API_V4_URL": f"{forge.url}/api/v4", "CI_MERGE_REQUEST_IID": "7", "EXPTRACK_TOKEN": "a-token"}
        self.environ = environment(folder) | MERGE | given

    def __call__(self, report: str | Path | None, junit: str = "<testcase/>") -> Done:
        left = self.work / "exptrack-report.md"
        left.unlink(missing_ok=True)
        (self.work / "exptrack-junit.xml").write_text(junit)
        if isinstance(report, Path):
            left.symlink_to(report)
        elif report is not None:
            left.write_text(report, errors="surrogateescape")
        [step] = run_gitlab_job(read(FILE), "exptrack-comment", self.work, self.environ).steps
        return step


@pytest.fixture
def commented(tmp_path) -> Iterator[Commented]:
    with Notes().serve() as forge:
        yield Commented(tmp_path, forge)


class TestComment:
    """The job `exptrack-comment`, against a server that answers as GitLab's does."""

    def test_it_is_posted_once_and_then_updated(self, commented):
        commented.forge.add(f"{MARKER}\nnot the token's", 2)
        for number in range(130):
            commented.forge.add(f"word {number}", 1)
        assert commented(f"{MARKER}\nfirst\n").out == "posted a comment\n"
        assert commented(f"{MARKER}\nsecond\n").out == "updated the comment\n"
        assert len(commented.forge.comments) == 132
        assert commented.forge.own() == [f"{MARKER}\nsecond"]

    def test_nothing_of_the_project_s_defaults_is_executed_or_restored_beside_the_token(self):
        assert read(FILE)["exptrack-comment"]["inherit"] == {"default": ["tags"]}

    def test_without_a_claim_there_is_no_comment_but_an_old_one_is_updated(self, commented):
        assert commented("nothing", junit="<testsuite/>").out == "nothing is claimed: no comment\n"
        assert commented.forge.own() == []
        commented("first")
        commented("nothing", junit="<testsuite/>")
        assert commented.forge.own() == [f"{MARKER}\nnothing"]

    def test_without_a_token_one_line_says_where_the_report_is(self, commented):
        del commented.environ["EXPTRACK_TOKEN"]
        step = commented("first")
        assert step.code == 0
        assert step.err == ""
        [line] = step.out.splitlines()
        assert line.endswith("the report is an artifact of the job exptrack-check")

    def test_a_token_that_may_not_comment_is_one_line(self, commented):
        commented.forge.refusal = 403
        step = commented("first")
        assert step.code == 1
        [line] = step.err.splitlines()
        assert line.startswith("the comment could not be posted: HTTP Error 403")

    def test_what_the_check_left_is_only_text(self, commented, tmp_path):
        """It may have any size, be no text, call itself a link to what the runner holds, and give orders to GitLab."""
        for module in ("json.py", "re.py"):
            (commented.work / module).write_text("raise SystemExit('pwned')\n")
        commented("$(touch pwned) \udcff\n/merge\n  /approve\r\n/close\na/b\n" + "x" * 100_000)
        [body] = commented.forge.own()
        said = body.splitlines()
        assert said[:6] == [MARKER, "$(touch pwned) \ufffd", "\\/merge", "  \\/approve", "\\/close", "a/b"]
        assert len(body) < 65_100
        assert not list(tmp_path.rglob("pwned"))
        (tmp_path / "secret").write_text("hidden")
        commented(tmp_path / "secret")
        assert commented.forge.own() == [f"{MARKER}\nexptrack check gave no report: its log says why"]


class TestFile:
    """What the file says, whatever is executed."""

    def test_it_is_a_pipeline(self):
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", FILE]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout

    @pytest.mark.parametrize(
        ("pipeline", "jobs"),
        [
            (PUSH, set()),
            (MERGE, {"exptrack-check", "exptrack-comment"}),
            (FORK, {"exptrack-check"}),
            (FORK_HERE, set()),
            (SCHEDULE, set()),
            (NIGHT, {"exptrack-nightly"}),
        ],
        ids=["push", "merge request", "fork", "fork, here", "schedule", "nightly"],
    )
    def test_a_job_runs_in_one_kind_of_pipeline_and_nothing_of_a_fork_here(self, pipeline, jobs):
        assert {name for name in JOBS if runs(extended(read(FILE), name), pipeline)} == jobs

    def test_nothing_else_of_the_project_is_touched(self):
        assert read(FILE).keys() == JOBS | {".exptrack"}

    def test_the_report_is_kept_whatever_the_verdict(self):
        for name in ("exptrack-check", "exptrack-nightly"):
            kept = extended(read(FILE), name)["artifacts"]
            assert kept["when"] == "always"
            assert "exptrack-report.md" in kept["paths"]
            assert kept["reports"]["junit"] == "exptrack-junit.xml"

    def test_the_job_with_the_token_has_nothing_of_the_merge_request(self):
        job = read(FILE)["exptrack-comment"]
        assert job["variables"] == {"GIT_STRATEGY": "none"}
        assert job["environment"] == {"name": "exptrack-comment", "action": "access"}
        assert {"extends", "before_script", "cache"}.isdisjoint(job)
        [script] = job["script"]
        assert script.startswith("python3 -I - <<'END'\n")
        assert job["rules"][0]["when"] == "always"
        names = {name for name in JOBS if "EXPTRACK_TOKEN" in str(read(FILE)[name])}
        assert names == {"exptrack-comment"}

    def test_its_scripts_are_clean(self, tmp_path):
        scripts = []
        for name in JOBS:
            job = extended(read(FILE), name)
            scripts.append(tmp_path / f"{name}.sh")
            lines = [*job.get("before_script", ()), *job["script"]]
            scripts[-1].write_text("#!/bin/sh\nset -e\n" + "\n".join(lines))
        done = subprocess.run([SHELLCHECK, *scripts], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout

    def test_every_job_ends(self):
        assert all(re.fullmatch(r"\d+[mh]", extended(read(FILE), name)["timeout"]) for name in JOBS)
