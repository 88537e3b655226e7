"""One verb each. An operation ties backends and store together; it prints nothing."""
