"""The pieces of a plot: which runs are meant, their points, and which of them are replicates."""
