"""Pieces of `export`."""
