"""The pieces of a comparison: which runs, what was declared of them, and what is taken from each."""
