"""`exptrack init`: what it writes, what it says to do next, and that it overwrites nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from exptrack.analysis.bar import parse_bar
from exptrack.analysis.settings import parse_settings
from exptrack.analysis.terms import matches_path, parse_terms
from exptrack.analysis.yaml12 import load_yaml
from exptrack.model.checking import Bar

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
CHECK, NIGHTLY = ".github/workflows/exptrack-check.yml", ".github/workflows/exptrack-nightly.yml"
GITLAB = ".gitlab/exptrack.gitlab-ci.yml"
INCLUDE = f"include:\n  - local: {GITLAB}\n"
NO_STAGE = f"its `stages` have no `test`: put one of them there for each `stage: test` of {GITLAB}"
LINE = '! grep -qi exptrack-run "$1" || exptrack check --message "$1" || exit 1'


@pytest.fixture
def init(repository, exptrack):
    """What `init` says of CI and hooks, after the lines on exptrack.yaml and DVC."""
    (repository / "exptrack.yaml").touch()
    (repository / ".dvc").mkdir()
    (repository / ".dvc" / "config").touch()

    def call(*words: str, folder: Path = repository) -> list[str]:
        done = exptrack("init", *words, cwd=folder)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout.splitlines()[2:]

    return call


def test_a_project_gets_its_settings_and_dvc_once(repository, exptrack, git):
    before = git("ls-files", cwd=repository)
    done = exptrack("init")
    assert done.returncode == 0
    said = "wrote exptrack.yaml: all settings, most of them commented out"
    assert done.stdout == f"{said}\nset up DVC: .dvc/ and .dvcignore\n"
    assert exptrack("init").stdout == "exptrack.yaml is there already\nDVC is set up already\n"
    assert git("ls-files", cwd=repository) == before
    assert not (repository / ".github").exists()


def test_all_settings_can_be_used_as_they_are_written(repository, exptrack):
    exptrack("init")
    lines = (repository / "exptrack.yaml").read_text().splitlines()
    text = "\n".join(re.sub(r"^( *)# (?=[a-z]+:| )", r"\1", line) for line in lines)
    settings = parse_settings(text)
    assert {"metrics", "experiments", "capture", "check", "keep", "seed"} <= set(load_yaml(text))
    assert settings.experiments["wider"].holdout == "test_accuracy"
    assert set(settings.check) == {"require", "reruns", "timeout", "tolerance", "similar", "ignore", "volatile"}
    assert parse_bar(settings.check).timeout == 7200
    assert parse_terms(settings.check).volatile == ("logs/", "metrics.train_seconds")


def test_only_what_no_command_reads_may_differ_from_what_ran_from_the_start(repository, exptrack):
    exptrack("init")
    [check] = load_yaml((repository / "exptrack.yaml").read_text()).values()
    bar = parse_bar(check)
    assert bar == Bar(ignore=bar.ignore)
    for path in ("README.md", "LICENSE", "models/README.md", "docs/ci.md", CHECK, GITLAB, ".gitlab-ci.yml"):
        assert matches_path(path, bar.ignore), path
    for path in ("train.py", "prompts/system.md", "data/docs/a.txt", "exptrack.yaml", "dvc.yaml", "params.yaml"):
        assert not matches_path(path, bar.ignore), path


class TestGithub:
    def test_the_workflows_are_written_as_they_are_shipped(self, repository, init):
        advice = "say in it what pip installs (EXPTRACK_PACKAGE), name the keys of your DVC remote, and commit it"
        assert init("--ci", "github") == [f"wrote {CHECK}: {advice}", f"wrote {NIGHTLY}: {advice}"]
        for name in (CHECK, NIGHTLY):
            assert (repository / name).read_text() == (TEMPLATES / "github" / Path(name).name).read_text()
        assert init("--ci", "github") == [f"{CHECK} is there already", f"{NIGHTLY} is there already"]

    def test_what_is_there_is_left_as_it_is(self, repository, init):
        (repository / CHECK).parent.mkdir(parents=True)
        (repository / CHECK).write_text("mine\n")
        said = init("--ci", "github")
        shipped = TEMPLATES / "github" / "exptrack-check.yml"
        assert said[0] == (
            f"{CHECK} is there already, with another text, and was left so; what exptrack ships is in {shipped}"
        )
        assert said[1].startswith(f"wrote {NIGHTLY}")
        assert (repository / CHECK).read_text() == "mine\n"

    @pytest.mark.parametrize(
        ("name", "word"),
        [("models/a b", '"models/a b"'), ("models/digits", "models/digits"), ("1e3", '"1e3"'), ("wide-é", None)],
    )
    def test_a_project_in_a_subfolder_is_named_in_the_workflows(self, repository, init, name, word):
        folder = repository / name
        folder.mkdir(parents=True)
        (folder / "exptrack.yaml").touch()
        up = "../" * len(Path(name).parts)
        assert init("--ci", "github", folder=folder)[0].startswith(f"wrote {up}{CHECK}: ")
        text = (repository / CHECK).read_text()
        assert load_yaml(text)["env"]["EXPTRACK_PROJECT"] == name
        assert word is None or f"  EXPTRACK_PROJECT: {word} # the folder" in text
        assert init("--ci", "github", folder=folder)[0] == f"{up}{CHECK} is there already"


class TestGitlab:
    def test_the_jobs_are_written_and_included(self, repository, init):
        advice = "say in it what pip installs (EXPTRACK_PACKAGE), give the keys of your DVC remote as CI/CD variables, and commit it"
        said = [f"wrote {GITLAB}: {advice}", "wrote .gitlab-ci.yml, which includes it: commit it"]
        assert init("--ci", "gitlab") == said
        assert (repository / GITLAB).read_text() == (TEMPLATES / "gitlab" / "exptrack.gitlab-ci.yml").read_text()
        assert (repository / ".gitlab-ci.yml").read_text() == INCLUDE
        assert init("--ci", "gitlab") == [f"{GITLAB} is there already", ".gitlab-ci.yml includes it already"]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("job: {script: [make]}\n", ["add these two lines to it", *INCLUDE.splitlines()]),
            (
                "".join(f"# {line}\n" for line in INCLUDE.splitlines()),
                ["add these two lines to it", *INCLUDE.splitlines()],
            ),
            ("include:\n  - local: other.yml\n", ["add this to what it includes", INCLUDE.splitlines()[1]]),
            ("stages:\n- build\n- test\n", ["add these two lines to it", *INCLUDE.splitlines()]),
            ("stages: [build]\ntest: {}\n", ["add these two lines to it", *INCLUDE.splitlines(), NO_STAGE]),
            (
                "stages:\n  - build\n\n  - tests\ntest:\n",
                ["add these two lines to it", *INCLUDE.splitlines(), NO_STAGE],
            ),
        ],
    )
    def test_another_pipeline_is_told_what_to_add(self, repository, init, text, said):
        (repository / ".gitlab-ci.yml").write_text(text)
        assert init("--ci", "gitlab")[1:] == [f".gitlab-ci.yml is there already: {said[0]}", *said[1:]]
        assert (repository / ".gitlab-ci.yml").read_text() == text

    def test_a_dollar_in_the_folder_is_no_variable(self, repository, init):
        folder = repository / "a$b"
        folder.mkdir()
        (folder / "exptrack.yaml").touch()
        init("--ci", "gitlab", folder=folder)
        assert load_yaml((repository / GITLAB).read_text())[".exptrack"]["variables"]["EXPTRACK_PROJECT"] == "a$$b"

    def test_both_forges_can_be_asked_for(self, init):
        assert len(init("--ci", "github", "--ci", "gitlab", "--ci", "github")) == 4


class TestHooks:
    WROTE = "a commit that claims a run which does not exist or was not pushed is refused"

    def test_the_hook_is_written_executable(self, repository, init):
        assert init("--hooks") == [f"wrote .git/hooks/commit-msg: {self.WROTE}"]
        hook = repository / ".git" / "hooks" / "commit-msg"
        assert hook.read_text() == (TEMPLATES / "hooks" / "commit-msg").read_text()
        assert os.access(hook, os.X_OK)
        assert init("--hooks") == [".git/hooks/commit-msg is there already"]
        hook.chmod(0o644)
        [said] = init("--hooks")
        assert said.endswith("git does not run it: make it executable by `chmod +x .git/hooks/commit-msg`")

    def test_git_says_where_hooks_are(self, repository, init, git, tmp_path):
        git("config", "core.hooksPath", ".hooks", cwd=repository)
        git("worktree", "add", "-q", tmp_path / "other", cwd=repository)
        assert init("--hooks", folder=tmp_path / "other")[-1] == f"wrote .hooks/commit-msg: {self.WROTE}"
        git("config", "--unset", "core.hooksPath", cwd=repository)
        init("--hooks", folder=tmp_path / "other")
        assert (repository / ".git" / "hooks" / "commit-msg").exists()

    def test_hooks_of_all_repositories_are_left_alone(self, init, git, tmp_path):
        git("config", "--global", "core.hooksPath", tmp_path / "all")
        [said] = init("--hooks")
        shipped = TEMPLATES / "hooks" / "commit-msg"
        everyone = f"hooks are looked for in {tmp_path / 'all'}, for other repositories, too"
        assert said == f"{everyone}: to have it, copy {shipped} there"
        assert not (tmp_path / "all").exists()

    def test_another_hook_is_told_what_to_add(self, repository, init):
        hook = repository / ".git" / "hooks" / "commit-msg"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\ntrue\n")
        hook.chmod(0o755)
        assert init("--hooks") == [
            ".git/hooks/commit-msg is there already, for something else: add this line to it",
            LINE,
        ]
        hook.write_text(f"#!/bin/sh\n{LINE}\n")
        assert init("--hooks") == [".git/hooks/commit-msg is there already"]

    def test_users_of_pre_commit_get_its_configuration(self, repository, init):
        config = repository / ".pre-commit-config.yaml"
        config.write_text("repos: []\n")
        said, *lines = init("--hooks")
        assert said.endswith("add this to it, then run `pre-commit install --hook-type commit-msg`")
        [hook] = load_yaml("\n".join(lines))["repos"][0]["hooks"]
        assert (hook["entry"], hook["stages"]) == ("exptrack check --message", ["commit-msg"])
        assert not (repository / ".git" / "hooks" / "commit-msg").exists()
        config.write_text("\n".join(lines))
        assert init("--hooks") == [".pre-commit-config.yaml calls exptrack already"]


@pytest.mark.parametrize(("place", "kind"), [(".github", "file"), (CHECK, "folder"), (CHECK, "link")])
def test_what_stands_in_the_way_is_named(repository, exptrack, place, kind):
    path = repository / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("nowhere")
    else:
        path.touch()
    done = exptrack("init", "--ci", "github")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert str(path) in done.stderr


def test_another_forge_is_refused(exptrack):
    done = exptrack("init", "--ci", "bitbucket")
    assert done.returncode == 2
    assert "choose from" in done.stderr


def test_an_installed_wheel_has_all_of_it(repository, tmp_path):
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", tmp_path, ROOT],
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel, tmp_path / "installed"], check=True)
    code = "import exptrack.cli as cli; print(cli.__file__); raise SystemExit(cli.main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "init", "--ci", "github", "--ci", "gitlab", "--hooks"],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "installed"))
    for name, shipped in ((CHECK, f"github/{Path(CHECK).name}"), (GITLAB, f"gitlab/{Path(GITLAB).name}")):
        assert (repository / name).read_text() == (TEMPLATES / shipped).read_text()
    assert os.access(repository / ".git/hooks/commit-msg", os.X_OK)
