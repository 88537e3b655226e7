"""DVC: the one owner of dvc and dvc-data. Importing this package imports neither, and its own modules only when they are asked for.

```
project   find_root, init              a DVC project
config    cache_dir                    where its cache lies
cache     add_to_cache, has_in_cache   data into the cache; objects.py writes it, folder.py knows folders and their listings
export    checkout, bring              data out of the cache
fetching  fetch, fetch_listing         data out of the remote into the cache; remote.py opens it, as remoteconfig.py says; parallel.py
pushing   push                         data out of the caches (worktrees.py) into the remotes; uploading.py
stored    find_stored                  what the remotes have
markers   pushing, collecting          who works in a remote just now
collecting, remotecollecting           which objects there are, how old they are, and some of them deleted
verifying find_cached, prove           what of the data is in the cache, and whether it is what its name says
settling  settle                       a project in a work tree of its own
spoilt    mend                         the cache, where a command wrote to it through a link
proving   find_spoilt                  is the cache what its names say?
trimming  trim                         a folder of data, freed of what does not belong to it
disk      look                         is the data on disk what its pointers say?
listings  compare_folders              what differs between two folders of data
state     StatCache, hash_file         hashes, remembered
text      dvc_file_text, ignore_line   what DVC writes beside data
pipeline  resolve_pipeline             what a templated dvc.yaml says
stages    find_pipeline, driver_command, read_events, read_refusal   a pipeline as the command of a run; driver.py runs it, planning.py orders it
```
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exptrack.backends.dvc.cache import add_to_cache, has_in_cache
    from exptrack.backends.dvc.config import cache_dir
    from exptrack.backends.dvc.disk import look
    from exptrack.backends.dvc.export import bring, checkout
    from exptrack.backends.dvc.fetching import fetch, fetch_listing
    from exptrack.backends.dvc.listings import compare_folders
    from exptrack.backends.dvc.pipeline import resolve_pipeline
    from exptrack.backends.dvc.project import find_root, init
    from exptrack.backends.dvc.proving import find_spoilt
    from exptrack.backends.dvc.pushing import push
    from exptrack.backends.dvc.settling import settle
    from exptrack.backends.dvc.spoilt import mend
    from exptrack.backends.dvc.stages import driver_command, find_pipeline, read_events, read_refusal
    from exptrack.backends.dvc.state import StatCache, hash_file
    from exptrack.backends.dvc.stored import find_stored
    from exptrack.backends.dvc.text import dvc_file_text, ignore_line
    from exptrack.backends.dvc.trimming import trim

__all__ = [
    "StatCache",
    "add_to_cache",
    "bring",
    "cache_dir",
    "checkout",
    "compare_folders",
    "driver_command",
    "dvc_file_text",
    "fetch",
    "fetch_listing",
    "find_pipeline",
    "find_root",
    "find_spoilt",
    "find_stored",
    "has_in_cache",
    "hash_file",
    "ignore_line",
    "init",
    "look",
    "mend",
    "push",
    "read_events",
    "read_refusal",
    "resolve_pipeline",
    "settle",
    "trim",
]

_HOMES = {
    "StatCache": "state",
    "add_to_cache": "cache",
    "bring": "export",
    "cache_dir": "config",
    "checkout": "export",
    "compare_folders": "listings",
    "driver_command": "stages",
    "dvc_file_text": "text",
    "fetch": "fetching",
    "fetch_listing": "fetching",
    "find_pipeline": "stages",
    "find_root": "project",
    "find_spoilt": "proving",
    "find_stored": "stored",
    "has_in_cache": "cache",
    "hash_file": "state",
    "ignore_line": "text",
    "init": "project",
    "look": "disk",
    "mend": "spoilt",
    "push": "pushing",
    "read_events": "stages",
    "read_refusal": "stages",
    "resolve_pipeline": "pipeline",
    "settle": "settling",
    "trim": "trimming",
}


def __getattr__(name: str) -> object:
    # All modules together take 12 ms, and most runs need two of them.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
