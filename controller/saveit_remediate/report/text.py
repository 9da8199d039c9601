"""Text from services, logs and inventories is data: nothing in it may steer a terminal."""

from __future__ import annotations

import unicodedata

from saveit_remediate.redact import redact

# Cc: control characters; Cf: among them the marks that reorder text; Cs: lone surrogates; Zl, Zp: line ends.
_UNWANTED = ("Cc", "Cf", "Cs", "Zl", "Zp")


def clean(text: object, limit: int = 2000) -> str:
    """One line, without control characters and secrets, at most `limit` characters."""
    line = redact(" ".join(printable(str(text)[: limit * 4]).split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def printable(text: str) -> str:
    """The text without what steers a terminal; line ends and tabs become spaces."""
    if text.isprintable():
        return text
    return "".join(
        " " if character in "\t\r\n" else character
        for character in text
        if character in "\t\r\n" or unicodedata.category(character) not in _UNWANTED
    )


def duration(seconds: float) -> str:
    """`0.3 s`, `75 s`, `12 min 5 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
