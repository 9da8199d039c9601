"""The command line: `saveit-remediate`. Only this package imports click."""

from saveit_remediate.cli.entry import main

__all__ = ["main"]
