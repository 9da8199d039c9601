# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a new certificate and its key in place of the old ones, and back again when nobody can use them."""

from __future__ import annotations

from contextlib import suppress
from typing import Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._place import Place
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

NEW = ".new"


def stage(place: Place, sources: tuple[str, str], files: tuple[str, str]) -> tuple[str, str]:
    """Copy the new files beside the old ones, with the old ones' mode and owner; return where they are.

    The copies are what is checked and what is put in place, so nothing can come in between.
    Raises FailedError, with nothing left behind.
    """
    staged = staged_names(files)
    try:
        for source, new in zip(sources, staged):
            place.must(f"copy {source}", ["cp", "-L", source, new])
    except FailedError:
        discard(place, staged)
        raise
    return dress(place, files)


def staged_names(files: tuple[str, str]) -> tuple[str, str]:
    """Where new files wait beside the old ones."""
    return files[0] + NEW, files[1] + NEW


def dress(place: Place, files: tuple[str, str]) -> tuple[str, str]:
    """Give the new files beside the old ones their mode and owner; return where they are.

    Raises FailedError, with nothing left behind.
    """
    staged = staged_names(files)
    try:
        for file, new in zip(files, staged):
            _dress(place, file, new)
    except FailedError:
        discard(place, staged)
        raise
    return staged


def replace(place: Place, staged: tuple[str, str], files: tuple[str, str], stamp: str) -> list[str]:
    """Keep the old files with `stamp` in their names, and move the new ones over them, each at once.

    Returns for each file where it is kept, "" when there was none. Raises FailedError, with the old files in
    place.
    """
    try:
        kept = [_keep(place, file, f"{file}.{stamp}") for file in files]
    except FailedError:
        discard(place, staged)
        raise
    try:
        for new, file in zip(reversed(staged), reversed(files)):  # the key first
            place.must(f"replace {file}", ["mv", "-f", new, file])
    except FailedError:
        put_back(place, files, kept)
        discard(place, staged)
        raise
    return kept


def put_back(place: Place, files: tuple[str, str], kept: Sequence[str]) -> None:
    """The old files again, each at once. Raises FailedError, which says where they are kept."""
    for file, old in zip(files, kept):
        if not old:
            place.must(f"remove {file}, which was not there before", ["rm", "-f", file])
            continue
        new = file + NEW
        place.must(f"put {old} back as {file}", ["cp", "-p", old, new])
        place.must(f"put {old} back as {file}", ["mv", "-f", new, file])


def discard(place: Place, staged: Sequence[str]) -> None:
    """Remove what was not used; that it fails hides no other error."""
    with suppress(FailedError):
        place.must("remove what was not used", ["rm", "-f", *staged])


def _keep(place: Place, file: str, old: str) -> str:
    """The name of the copy, or "" when there is no such file."""
    if place.run(["test", "-e", file]).rc != 0:
        return ""
    place.must(f"keep {file}", ["cp", "-p", file, old])
    return old


def _dress(place: Place, file: str, new: str) -> None:
    old = place.run(["stat", "-c", "%a %u:%g", file])
    if old.rc != 0:
        return
    mode, owner = old.stdout.split()
    now = place.must(f"look at {new}", ["stat", "-c", "%a %u:%g", new]).split()
    if now[1] != owner:
        place.must(f"give {new} its owner", ["chown", owner, new])
    if now[0] != mode:
        place.must(f"give {new} its mode", ["chmod", mode, new])
