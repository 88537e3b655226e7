import pytest
from sharing import make_team

from exptrack.backends.git.remotes import find_remote
from exptrack.backends.git.repository import find_repository
from exptrack.model.progress import Silence
from exptrack.operations.sharing.removing import move_to_trash


@pytest.mark.parametrize("is_known", [True, False])
def test_where_somebody_was_quicker_only_that_run_stays(tmp_path, repository, is_known):
    remote, ada, _ = make_team(tmp_path, repository)
    for name in ("one", "two", "three"):
        ada.run(name)
    ada("push")
    here = find_repository(ada.folder)
    runs = remote.refs()
    gone = {ref: oid for ref, oid in runs.items() if not ref.endswith("/three")}
    move_to_trash(here, find_remote(here), {"refs/exptrack/runs/2026-01/two": ada.oid("two")}, {}, Silence())
    [place] = remote.refs("refs/exptrack/trash")
    remote.git("update-ref", place, ada.oid("three"))
    there = remote.refs("refs/exptrack/trash") if is_known else {}
    moved = move_to_trash(here, find_remote(here), gone, there, Silence())
    assert set(moved) == ({"one", "two"} if is_known else {"one"})
    assert remote.names() == ({"three"} if is_known else {"two", "three"})
    kept = {*remote.refs().values(), *remote.refs("refs/exptrack/trash").values()}
    assert kept == set(runs.values())
