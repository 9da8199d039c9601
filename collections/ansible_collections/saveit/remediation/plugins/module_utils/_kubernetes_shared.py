# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one task has read of a cluster, for all tasks of the run that look at the same time.

The tasks of one look, and the incident types of one diagnosis, are processes of one run of Ansible. They
share what they read through a private folder of that run: a file for each list, locked while it is read.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterator, List, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError

LOG_LINES = 1000  # read of a log that is shared, of which each takes as many as it wants
PAGE = 500  # objects in a line of a file
_WAIT = 0.05  # seconds between two looks at a lock
_LONGEST = 60.0  # seconds to wait for whoever reads; then we do it ourselves


class Missing(List[Dict[str, Any]]):
    """In place of a list that cannot be had: empty, and says why.

    `status` is 403 (may not), 404 (no such kind) or 503 (the add-on that serves it is down).
    """

    def __init__(self, kind: str, status: int, sentence: str) -> None:
        super().__init__()
        self.kind, self.status, self.sentence = kind, status, sentence


def shared(
    parameters: Mapping[str, Any], carrier: Carrier, name: str, fetch: Callable[[], List[Dict[str, Any]]]
) -> List[Dict[str, Any]]:
    """What another task has fetched by this name since `not_before`, or else what `fetch` gives.

    That the cluster cannot be reached is shared too: nobody waits for the same silence again.
    """
    if not is_shared(parameters, carrier):
        return fetch()
    not_before = float(parameters["not_before"])
    folder = _folder(parameters, carrier)
    place = re.sub(r"[^\w.-]", "_", name)
    with _locked(folder / f"{place}.json", carrier) as file:
        known = _read(file, name, not_before)
        if known is not None:
            return known
        _raise_known(folder, not_before)
        began = carrier.now()
        try:
            found = fetch()
        except ObstacleError as error:
            if error.outcome == "unreachable":
                _tell(folder, began, error)
            raise
        _write(file, began, found)
        return found


def shared_log(
    parameters: Mapping[str, Any], carrier: Carrier, name: str, tail: int, read: Callable[[int], str]
) -> str:
    """The last `tail` lines of a log, which `read` gives for a number of lines; shared as lists are."""
    if not tail or not is_shared(parameters, carrier):
        return read(tail)
    most = max(tail, LOG_LINES)
    found = shared(parameters, carrier, f"log {name} {most}", lambda: [{"log": read(most)}])
    return "".join(str(found[0]["log"]).splitlines(keepends=True)[-tail:])


def is_shared(parameters: Mapping[str, Any], carrier: Carrier) -> bool:
    """Is there a folder for it, and was it said since when?"""
    return bool(carrier.shared and parameters.get("not_before"))


def _folder(parameters: Mapping[str, Any], carrier: Carrier) -> Path:
    """One for each cluster and namespace, as one run may be about several."""
    target = [parameters.get(each) or "" for each in ("kubeconfig", "context", "namespace")]
    folder = (
        Path(str(carrier.shared))
        / f"kubernetes-{hashlib.sha256(json.dumps(target).encode()).hexdigest()[:16]}"
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def _locked(path: Path, carrier: Carrier) -> Iterator[IO[str]]:
    """The file, for us alone; after a minute without the lock too, as whoever has it is stuck."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8") as file:
        ends = carrier.now() + _LONGEST
        while carrier.now() < ends:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                carrier.sleep(_WAIT)
        yield file


def _read(file: IO[str], kind: str, not_before: float) -> List[Dict[str, Any]] | None:
    """What was written at that time or later; None otherwise."""
    try:
        about = json.loads(file.readline())
        if about["taken_at"] < not_before:
            return None
        if about["missing"]:
            return Missing(kind, *about["missing"])
        items: List[Dict[str, Any]] = [item for line in file for item in json.loads(line)]
    except ValueError:  # empty, as we have made it, or of a task that was killed while it wrote
        return None
    return items if len(items) == about["items"] else None


def _write(file: IO[str], taken_at: float, found: List[Dict[str, Any]]) -> None:
    """Some hundreds in a line: as one text, thousands of pods would be in memory twice."""
    missing = [found.status, found.sentence] if isinstance(found, Missing) else None
    about = {"taken_at": taken_at, "missing": missing, "items": len(found)}
    file.seek(0)
    file.truncate()
    file.write(json.dumps(about) + "\n")
    for start in range(0, len(found), PAGE):
        file.write(json.dumps(found[start : start + PAGE], separators=(",", ":")) + "\n")


def _tell(folder: Path, began: float, error: ObstacleError) -> None:
    """So that the others of this look need not wait for the same silence."""
    words = {"taken_at": began, "id": error.id, "sentence": str(error), "outcome": error.outcome}
    part = folder / f"obstacle-{os.getpid()}"
    part.write_text(json.dumps(words), "utf-8")
    part.replace(folder / "obstacle.json")


def _raise_known(folder: Path, not_before: float) -> None:
    try:
        words = json.loads((folder / "obstacle.json").read_text("utf-8"))
    except (OSError, ValueError):
        return
    if words["taken_at"] >= not_before:
        raise ObstacleError(words["id"], words["sentence"], words["outcome"])
