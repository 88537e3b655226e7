"""Pure functions on values: no file, no process, no clock."""
