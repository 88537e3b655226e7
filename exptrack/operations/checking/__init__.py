"""The pieces of check."""
