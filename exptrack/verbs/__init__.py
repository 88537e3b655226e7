"""Verbs of a `Project` by what they are about: functions of the project, which `Project` has as methods."""
