"""Runs as commits, annotations as notes, and the live journal."""
