"""What people wrote into a generated page survives when the page is generated again. Pure.

A generated block stands between two marks, and the second has a hash of what was generated. A block whose
hash still fits is written anew; one that somebody changed, and everything outside of blocks, is left alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

_BEGIN = re.compile(r"<!-- saveit: ([a-z][a-z0-9-]*) -->\s*")
_END = re.compile(r"<!-- /saveit: ([a-z][a-z0-9-]*)(?: ([0-9a-f]{12}))? -->\s*")


class BrokenMarksError(ValueError):
    """The marks of a page cannot be told apart any more; the sentence says which."""


@dataclass(frozen=True)
class Part:
    """A block with an `id`, or without one what is between blocks. `generated` is the hash in its mark."""

    id: str
    text: str
    generated: str = ""

    @property
    def edited(self) -> bool:
        return bool(self.id) and self.generated != hash_of(self.text)


@dataclass(frozen=True)
class Merged:
    """The page with all edits. `kept` blocks were edited; `stale` ones among them would be different now.

    `missing` blocks were taken out by a person, and stay out.
    """

    parts: tuple[Part, ...]
    kept: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def split(text: str) -> tuple[Part, ...]:
    """Blocks, and what is between them. Raises BrokenMarksError."""
    parts: list[Part] = []
    lines: list[str] = []
    inside = ""
    for line in text.splitlines():
        if begin := _BEGIN.fullmatch(line):
            if inside:
                raise BrokenMarksError(f"the block {inside} has no end before {begin[1]} begins")
            parts.append(Part("", "\n".join(lines)))
            lines, inside = [], begin[1]
        elif end := _END.fullmatch(line):
            if inside != end[1]:
                raise BrokenMarksError(f"the block {end[1]} ends where it did not begin")
            body = "\n".join(lines)
            parts.append(Part(inside, body, end[2] or hash_of(body)))
            lines, inside = [], ""
        else:
            lines.append(line)
    if inside:
        raise BrokenMarksError(f"the block {inside} has no end")
    parts.append(Part("", "\n".join(lines)))
    ids = [part.id for part in parts if part.id]
    for one in ids:
        if ids.count(one) > 1:
            raise BrokenMarksError(f"the block {one} is there twice")
    return tuple(part for part in parts if part.id or part.text.strip())


def join(parts: Iterable[Part]) -> str:
    """The page, with its marks."""
    pieces = []
    for part in parts:
        text = part.text.strip("\n")
        if part.id:
            text = f"<!-- saveit: {part.id} -->\n{text}\n<!-- /saveit: {part.id} {part.generated} -->"
        pieces.append(text)
    return "\n\n".join(pieces) + "\n"


def merge(old: tuple[Part, ...], new: tuple[Part, ...]) -> Merged:
    """The old page, with the blocks that nobody changed as they are in the new one."""
    fresh = {part.id: part for part in new if part.id}
    known = {part.id for part in old}
    kept = [part for part in old if part.edited]
    stale = [part.id for part in kept if part.id in fresh and fresh[part.id].generated != part.generated]
    parts = tuple(part if part.edited else fresh.get(part.id, part) for part in old)
    return Merged(
        parts,
        tuple(part.id for part in kept),
        tuple(stale),
        tuple(one for one in fresh if one not in known),
    )


def generated(text: str) -> tuple[Part, ...]:
    """A page that was just generated, each block with its hash. Raises BrokenMarksError."""
    return tuple(replace(part, generated=hash_of(part.text)) if part.id else part for part in split(text))


def hash_of(text: str) -> str:
    """Of the words: what an editor does to line ends and to spaces before them is no change."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "replace")).hexdigest()[:12]
