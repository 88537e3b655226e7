"""`python -m exptrack`."""

from exptrack.cli import entry

entry()
