"""The command line: the answer to stdout, all else to stderr, and an exit code that says why."""
