"""The pieces of push and fetch."""
