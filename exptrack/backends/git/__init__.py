"""Git: the binary on the hot path, behind plain functions."""
