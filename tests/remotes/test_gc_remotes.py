"""`gc --remote` on S3 and SSH, for real."""

from __future__ import annotations

from pathlib import Path

import pytest
from garbage import add_data, gc, git, make_project
from servers import S3Server, SshServer

from exptrack.backends import dvc
from exptrack.backends.dvc.markers import pushing
from exptrack.backends.dvc.remote import open_remote
from exptrack.errors import DataError


def _check(project: Path, settings: dict[str, str]) -> None:
    make_project(project)
    lines = "".join(f"    {key} = {value}\n" for key, value in settings.items())
    (project / ".dvc" / "config").write_text(f"[core]\n    remote = far\n['remote \"far\"']\n{lines}")
    used = add_data(project, "used.bin", {"a": "one", "b": "shared"})
    git(project, "add", "-A", ".")
    git(project, "commit", "-qm", "data")
    garbage = add_data(project, "garbage.bin", {"c": "two", "b": "shared"})
    (project / "garbage.bin.dvc").unlink()
    dvc.push(project, [used, garbage])
    assert gc(project, days=13, remote="far").young == 2
    with open_remote(project, "far", "data") as remote:
        with pushing(remote), pytest.raises(DataError, match="somebody pushes to the remote 'far'"):
            gc(project, remote="far")
        found = gc(project, remote="far")
        assert (found.objects, found.kept, found.unreadable) == (2, 3, ())
        remote.forget()
        assert len(list(remote.fs.find(remote.path))) == 3  # and no mark
    assert dvc.find_stored(project, [used, garbage]) == {used: True, garbage: False}


def test_an_s3_remote_is_collected(repository: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    _check(repository, s3.dvc_remote("gc"))


def test_an_ssh_remote_is_collected(repository: Path, tmp_path: Path, sshd: SshServer) -> None:
    (tmp_path / "far").mkdir()
    _check(repository, sshd.dvc_remote(tmp_path / "far"))
