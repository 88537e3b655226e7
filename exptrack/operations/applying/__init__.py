"""How a run's files get into the work tree: what is wanted, what would be lost, and the exchange of all or nothing."""
