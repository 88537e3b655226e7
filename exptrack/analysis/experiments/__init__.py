"""Experiments: what is declared, which runs are a configuration, what is missing, chosen and concluded."""
