"""An index of given runs, as a catalog."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from exptrack.backends.git.repository import Repository
from exptrack.model.run import Run
from exptrack.store.index import place, schema
from exptrack.store.index.file import Opened
from exptrack.store.index.indexcatalog import IndexCatalog
from exptrack.store.index.writing import Writer


@contextmanager
def make_index(folder: Path, runs: Sequence[Run], repository: Repository | None = None) -> Iterator[IndexCatalog]:
    path = folder / "index.sqlite"
    path.unlink(missing_ok=True)
    with closing(place.connect(path, "rwc")) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(f"BEGIN;{schema.TABLES}")
        writer = Writer(connection)
        for run in runs:
            writer.add(run)
        writer.flush()
        meta = place.Meta(place.make_seal(), "", None, "")
        place.write_meta(connection, meta)
        connection.execute("COMMIT")
        connection.executescript(schema.INDEXES)
    place.seal(path, meta)
    found = place.begin(path)
    assert found is not None
    with closing(found[0]) as connection:
        yield IndexCatalog(repository, Opened(connection, path, meta.seal, len(runs), (), frozenset()))
