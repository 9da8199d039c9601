# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is in the namespace, listed once for all who look at the same time.

The tasks of one look, and the incident types of one diagnosis, are processes of one run of Ansible. They
share lists through a private folder of that run: a file for each kind, locked while somebody lists it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterator, List, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import (
    ApiError,
    ApiObstacleError,
    no_such_kind,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_kinds import ADD_ONS, KINDS
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_prune import prune
from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError

_NEVER_WRITTEN = ("secrets",)  # to a file
PAGE = 500  # objects in a line of a file
_WAIT = 0.05  # seconds between two looks at a lock
_LONGEST = 60.0  # seconds to wait for whoever lists; then we do it ourselves


class Missing(List[Dict[str, Any]]):
    """In place of a list that cannot be had: empty, and says why.

    `status` is 403 (may not), 404 (no such kind) or 503 (the add-on that serves it is down).
    """

    def __init__(self, kind: str, status: int, sentence: str) -> None:
        super().__init__()
        self.kind, self.status, self.sentence = kind, status, sentence


def snapshot(
    parameters: Mapping[str, Any],
    carrier: Carrier,
    kinds: Sequence[str],
    required: Sequence[str] | None = None,
) -> Mapping[str, List[Dict[str, Any]]]:
    """The objects of each kind, pruned (see _kubernetes_prune). A kind that cannot be had is `Missing`.

    With `not_before` (seconds since the epoch) and the carrier's shared folder, lists that another task of
    this run took at that time or later are taken over. Raises ObstacleError when the API cannot be asked, for
    a `required` kind (all, unless said) that cannot be had, and no-namespace when there is nothing, nor that.
    """
    seen = {kind: _shared(parameters, carrier, kind) for kind in kinds}
    for kind in kinds if required is None else required:
        found = seen[kind]
        if isinstance(found, Missing):
            id_ = "cluster-forbidden" if found.status == 403 else "no-such-kind"
            raise ApiObstacleError(id_, found.sentence, "refused", found.status)
    listed = [kind for kind in kinds if KINDS[kind].namespaced and not isinstance(seen[kind], Missing)]
    if listed and not any(seen[kind] for kind in listed):
        _check_namespace(parameters, carrier)
    return seen


def shared_text(parameters: Mapping[str, Any], carrier: Carrier, name: str, fetch: Callable[[], str]) -> str:
    """What `fetch` returns, once for all who look at the same time and ask for the same; `name` says what it is."""
    not_before = float(parameters.get("not_before") or 0)
    if not carrier.shared or not not_before:
        return fetch()
    place = hashlib.sha256(name.encode()).hexdigest()[:16]
    with _locked(_folder(parameters, carrier.shared) / f"text-{place}.json", carrier) as file:
        with contextlib.suppress(ValueError):  # empty, as we have made it
            entry = json.load(file)
            if entry["taken_at"] >= not_before:
                return str(entry["text"])
        began, text = carrier.now(), fetch()
        file.seek(0)
        file.truncate()
        json.dump({"taken_at": began, "text": text}, file)
        return text


def _check_namespace(parameters: Mapping[str, Any], carrier: Carrier) -> None:
    """The list of an absent namespace is empty, and no error. Who may not ask does without."""
    found = _shared(parameters, carrier, "namespaces")
    if isinstance(found, Missing) and found.status == 404:
        raise ObstacleError("no-namespace", found.sentence, "refused")


def _shared(parameters: Mapping[str, Any], carrier: Carrier, kind: str) -> List[Dict[str, Any]]:
    not_before = float(parameters.get("not_before") or 0)
    if not carrier.shared or not not_before or kind in _NEVER_WRITTEN:
        return _fetch(parameters, carrier, kind)
    folder = _folder(parameters, carrier.shared)
    with _locked(folder / f"{kind}.json", carrier) as file:
        known = _read(file, kind, not_before)
        if known is not None:
            return known
        _raise_known(folder, not_before)
        began = carrier.now()
        try:
            found = _fetch(parameters, carrier, kind)
        except ObstacleError as error:
            _tell(folder, began, error)
            raise
        _write(file, began, found)
        return found


def _fetch(parameters: Mapping[str, Any], carrier: Carrier, kind: str) -> List[Dict[str, Any]]:
    cluster = carrier.cluster(parameters)
    try:
        if kind == "namespaces":
            return [prune(cluster.get(kind, cluster.namespace))]
        return cluster.list(kind, keep=prune)
    except ApiError as error:
        if error.status != 404:
            raise
        if kind == "namespaces":
            sentence = (
                f"there is nothing in {cluster.name}: it has no namespace {cluster.namespace} "
                "(kubernetes_namespace, in the inventory)"
            )
        else:
            sentence = no_such_kind(KINDS[kind], cluster.access)
        return Missing(kind, 404, sentence)
    except ApiObstacleError as error:
        is_down = error.status == 503 and KINDS[kind].group in ADD_ONS
        if error.status != 403 and not is_down:
            raise
        return Missing(kind, error.status, str(error))


def _folder(parameters: Mapping[str, Any], shared: Path) -> Path:
    """One for each cluster and namespace, as one run may be about several."""
    target = [parameters.get(each) or "" for each in ("kubeconfig", "context", "namespace")]
    folder = shared / f"kubernetes-{hashlib.sha256(json.dumps(target).encode()).hexdigest()[:16]}"
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
