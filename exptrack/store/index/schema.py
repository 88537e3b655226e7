"""The tables of the index. Another VERSION makes every index that was there before be built anew."""

from __future__ import annotations

VERSION = 3

TABLES = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE seals(seal INTEGER PRIMARY KEY);
CREATE TABLE keys(id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, odd INTEGER NOT NULL DEFAULT 0);
CREATE TABLE shapes(id INTEGER PRIMARY KEY, metrics TEXT NOT NULL, params TEXT NOT NULL, UNIQUE(metrics, params));
CREATE TABLE runs(
  id INTEGER PRIMARY KEY AUTOINCREMENT, ref TEXT UNIQUE NOT NULL, oid TEXT NOT NULL, shape INTEGER NOT NULL,
  started INTEGER NOT NULL, ended INTEGER,
  name TEXT, status TEXT, experiment TEXT, author TEXT, host TEXT, branch TEXT, command TEXT, reproduces TEXT, parent TEXT, resumes TEXT,
  tags TEXT, notes TEXT, removed TEXT
);
CREATE TABLE facts(key INTEGER, run INTEGER, kind INTEGER, value, PRIMARY KEY(key, run)) WITHOUT ROWID;
CREATE TABLE tags(tag TEXT, run INTEGER, PRIMARY KEY(tag, run)) WITHOUT ROWID;
CREATE TABLE sealed(key INTEGER, run INTEGER, PRIMARY KEY(key, run)) WITHOUT ROWID;
CREATE TABLE annotated(oid TEXT PRIMARY KEY, blob TEXT NOT NULL, text TEXT) WITHOUT ROWID;
CREATE TABLE broken(ref TEXT PRIMARY KEY, oid TEXT NOT NULL) WITHOUT ROWID;
"""
INDEXES = """
CREATE INDEX runs_started ON runs(started DESC, ref);
CREATE INDEX annotated_lost ON annotated(oid, blob) WHERE text IS NULL;
"""

# The columns of `runs` that are facts of the same name, but for the times.
FIELDS = (
    "name", "status", "experiment", "author", "host", "branch", "command", "reproduces", "parent", "resumes",
)  # fmt: skip
