"""`exptrack pull`: get runs of others, their annotations and their data."""

from __future__ import annotations

import argparse

from exptrack.cli import fetch


def configure(parser: argparse.ArgumentParser) -> None:
    fetch.configure(parser)


def run(arguments: argparse.Namespace) -> int:
    return fetch.get(arguments, has_data=True)
