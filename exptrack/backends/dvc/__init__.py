"""DVC: the one owner of dvc and dvc-data. Importing this package imports neither.

```
project   find_root, init            a DVC project
config    cache_dir                  where its cache lies
cache     add_to_cache, has_in_cache data into the cache; objects.py writes it, folder.py knows folders and their listings
checkout  checkout                   data out of the cache
look      look                       does the data on disk match its pointers? state.py remembers hashes
text      dvc_file_text, ignore_line what DVC writes beside data
pipeline  resolve_pipeline           what a templated dvc.yaml names
```
"""

from exptrack.backends.dvc.cache import add_to_cache, has_in_cache
from exptrack.backends.dvc.checkout import checkout
from exptrack.backends.dvc.config import cache_dir
from exptrack.backends.dvc.look import look
from exptrack.backends.dvc.pipeline import resolve_pipeline
from exptrack.backends.dvc.project import find_root, init
from exptrack.backends.dvc.state import StatCache, hash_file
from exptrack.backends.dvc.text import dvc_file_text, ignore_line

__all__ = [
    "StatCache",
    "add_to_cache",
    "cache_dir",
    "checkout",
    "dvc_file_text",
    "find_root",
    "has_in_cache",
    "hash_file",
    "ignore_line",
    "init",
    "look",
    "resolve_pipeline",
]
