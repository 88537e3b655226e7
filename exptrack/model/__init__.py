"""Values: frozen dataclasses without I/O, on the standard library alone."""
