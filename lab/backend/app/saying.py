"""Messages without time or level, as many of the real backend's are."""

import sys


def say(message: str) -> None:
    """In one write, because several processes share the output."""
    sys.stdout.write(f"{message}\n")
