"""The index: all runs of a repository as tables of SQLite, a cache that can be deleted at any time."""
