"""One outside thing each: git, dvc, processes, the host. No backend imports another."""
