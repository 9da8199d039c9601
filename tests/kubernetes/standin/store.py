"""What the cluster has: objects with resource versions, and their history for watches and pages."""

from __future__ import annotations

import marshal
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from standin.clock import stamp
from standin.kinds import Json

Key = tuple[str, str, str]  # resource ("deployments.apps"), namespace, name

Items = list[Json]

HISTORY = 5000  # changes that are remembered; what is older is compacted, as etcd does every few minutes


@dataclass(frozen=True)
class Change:
    revision: int
    type: str
    key: Key
    object: Json
    before: Json | None


def copied(value: Any) -> Any:
    """A deep copy of JSON.

    Version 2 of marshal knows no references, so that nothing is shared within the copy.
    """
    return marshal.loads(marshal.dumps(value, 2))  # noqa: S302  # of our own


Changes = list[Change]


class Store:
    """Objects in the form in which they are answered, with kind and apiVersion.

    Nobody holds a reference into it.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.objects: dict[Key, Json] = {}
        self.revision = 1000
        self.compacted = 1000
        self.history: deque[Change] = deque()
        self.last: dict[str, int] = {}  # the revision of the last change, by resource
        self._keys: dict[str, list[Key]] = {}  # of each resource in order, until one comes or goes

    def get(self, resource: str, namespace: str, name: str) -> Json | None:
        with self.changed:
            found = self.objects.get((resource, namespace, name))
            return None if found is None else copied(found)

    def list(self, resource: str, namespace: str = "") -> Items:
        """Copies, in the order of their keys; of all namespaces with an empty one."""
        with self.changed:
            return [copied(item) for _key, item in self._found(resource, namespace)]

    def peek(self, resource: str, namespace: str = "") -> Items:
        """The objects themselves, for reading only: a change puts another object in their place."""
        with self.changed:
            return [item for _key, item in self._found(resource, namespace)]

    def _found(self, resource: str, namespace: str) -> Iterator[tuple[Key, Json]]:
        keys = self._keys.get(resource)
        if keys is None:
            keys = self._keys[resource] = sorted(key for key in self.objects if key[0] == resource)
        for key in keys:
            if not namespace or key[1] == namespace:
                yield key, self.objects[key]

    def put(self, resource: str, item: Json) -> Json:
        """Creates or replaces; gives uid, creationTimestamp and resourceVersion.

        The same again is no change.
        """
        item = copied(item)
        metadata = item["metadata"]
        key = (resource, metadata.get("namespace", ""), metadata["name"])
        with self.changed:
            before = self.objects.get(key)
            if before is None:
                metadata.setdefault("uid", str(uuid.uuid4()))
                metadata.setdefault("creationTimestamp", stamp())
            else:
                for own in ("uid", "creationTimestamp"):
                    metadata.setdefault(own, before["metadata"][own])
                metadata["resourceVersion"] = before["metadata"]["resourceVersion"]
                if item == before:
                    return copied(before)  # type: ignore[no-any-return]
            self.revision += 1
            metadata["resourceVersion"] = str(self.revision)
            self.objects[key] = item
            if before is None:
                self._keys.pop(resource, None)
            self._remember("ADDED" if before is None else "MODIFIED", key, item, before)
            return copied(item)  # type: ignore[no-any-return]

    def change(self, resource: str, namespace: str, name: str, edit: Callable[[Json], None]) -> Json | None:
        """Edits the present object in place, as a controller does; None when it is gone."""
        with self.changed:
            item = self.get(resource, namespace, name)
            if item is None:
                return None
            edit(item)
            return self.put(resource, item)

    def remove(self, resource: str, namespace: str, name: str) -> Json | None:
        with self.changed:
            before = self.objects.pop((resource, namespace, name), None)
            if before is None:
                return None
            self._keys.pop(resource, None)
            self.revision += 1
            gone = copied(before)
            gone["metadata"]["resourceVersion"] = str(self.revision)
            self._remember("DELETED", (resource, namespace, name), gone, before)
            return gone  # type: ignore[no-any-return]

    def load(self, resource: str, item: Json) -> None:
        """Puts a recorded object in as it is, with its own resourceVersion."""
        item = copied(item)
        metadata = item["metadata"]
        with self.changed:
            self.objects[resource, metadata.get("namespace", ""), metadata["name"]] = item
            self._keys.pop(resource, None)
            self.revision = max(self.revision, int(metadata["resourceVersion"]))
            self.compacted = self.revision
            self.history.clear()

    def drop(self, resource: str, name: str = "") -> None:
        """Takes a recorded object out, or all of a resource, as if it had never been."""
        for key in [key for key in self.objects if key[0] == resource and name in ("", key[2])]:
            del self.objects[key]
        self._keys.pop(resource, None)

    def at(self, revision: int, resource: str, namespace: str) -> Items:
        """The list as it was at a revision that is not compacted yet; for reading only."""
        with self.changed:
            then = dict(self._found(resource, namespace))
            for past in reversed(self.history):
                if past.revision <= revision:
                    break
                if past.key[0] != resource or (namespace and past.key[1] != namespace):
                    continue
                if past.before is None:
                    then.pop(past.key, None)
                else:
                    then[past.key] = past.before
            return [then[key] for key in sorted(then)]

    def since(self, revision: int) -> Changes:
        """The changes after a revision; they are not to be changed."""
        with self.changed:
            found: Changes = []
            for past in reversed(self.history):
                if past.revision <= revision:
                    break
                found.append(past)
            return found[::-1]

    def compact(self) -> None:
        """Forgets the history, so that every earlier revision is too old."""
        with self.changed:
            self.compacted = self.revision
            self.history.clear()

    def _remember(self, type_: str, key: Key, item: Json, before: Json | None) -> None:
        self.last[key[0]] = self.revision
        self.history.append(Change(self.revision, type_, key, item, before))
        while len(self.history) > HISTORY:
            self.compacted = self.history.popleft().revision
        self.changed.notify_all()
