"""What `verify` looks at, a module each: refs, the chain and files of each run, objects that are missing, data, and what was left behind."""
