"""Errors that a person can act on. Each carries the exit code of the table in the README.

Raised below, translated once: `cli.main` prints the sentence and exits with `exit_code`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RemediateError(Exception):
    """Something that we can say in one sentence; the base of every error raised on purpose."""

    exit_code = 1


class UsageError(RemediateError):
    """An option, a setting, an inventory or an extra variable that cannot be right."""

    exit_code = 2


class RefusedError(RemediateError):
    """We could act, and will not: the sentence says why."""

    exit_code = 4


class UnreachableError(RemediateError):
    """The target cannot be reached, or the run did not start."""

    exit_code = 5


class InterruptedRunError(RemediateError):
    """Ctrl-C or SIGTERM; children are ended, and what was done is in the journal."""

    exit_code = 130


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The half sentence that ends "unknown …": a near name, or else the list of the known ones."""
    names = sorted(set(known))
    if not names:
        return "none is known"
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return "known: " + ", ".join(names)
