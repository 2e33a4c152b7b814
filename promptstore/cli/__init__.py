"""`promptctl`, the command-line tool. One noun per module."""
