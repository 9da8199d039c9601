"""The recorded conversations, and the objects that a server must have for each of them to go as recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from standin.kinds import BY_KIND, KINDS, Json
from standin.requests import Target, target
from standin.store import copied
from standin.world import Run, World

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "kubernetes-1.36"
VIEWER = "serviceaccount token of saveit-viewer"
RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class Conversation:
    """What was asked and answered; `known`: the objects that earlier ones had left behind."""

    said: Json
    known: dict[tuple[str, str], Json] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.said["name"])


def conversations() -> list[Conversation]:
    every = json.loads((FOLDER / "http" / "conversations.json").read_text())
    known: dict[tuple[str, str], Json] = {}
    for said in every:
        if said["name"] in ("get-deployment", "get-statefulset", "get-node", "get-namespace", "get-pod"):
            _remember(known, said["response"])
        if said["name"] in (
            "list-replicasets",
            "list-pods-page-1",
            "list-pods-page-2",
            "list-pods-selector-matching",
        ):
            for item in _items(said["response"]):
                _remember(known, item)
    found = []
    for said in every:
        found.append(Conversation(said, dict(known)))
        response = said["response"]
        if (
            said["status"] < 300
            and isinstance(response, dict)
            and not said.get("trimmed")
            and "dryRun" not in said["query"]
        ):
            _remember(known, response)
            for item in _items(response) if said["name"] == "list-all-namespaces-deployments" else ():
                _remember(known, item)
            if said["method"] == "DELETE" and response.get("status") == "Success":
                wanted = target(said["path"])
                if wanted is not None:
                    known.pop((wanted.kind.resource, wanted.name), None)
    return found


def _items(response: Json) -> Iterator[Json]:
    kind = response["kind"].removesuffix("List")
    for item in response["items"]:
        yield {"kind": kind, "apiVersion": response["apiVersion"], **item}


def _remember(known: dict[tuple[str, str], Json], item: Json) -> None:
    kind = BY_KIND.get((item.get("apiVersion", ""), item.get("kind", "")))
    if kind is not None and item.get("metadata", {}).get("resourceVersion"):
        known[kind.resource, item["metadata"]["name"]] = item


def prepare(world: World, conversation: Conversation) -> None:
    """Loads what the conversation needs into an empty world."""
    said = conversation.said
    for (resource, _name), item in conversation.known.items():
        world.store.load(resource, item)
    _rights(world)
    wanted = target(said["path"])
    kind = KINDS.get((wanted.group, wanted.version, wanted.plural)) if wanted else None
    if wanted is None or kind is None:
        return
    if wanted.name and said["status"] == 200 and isinstance(said["response"], dict):
        _as_answered(world, said, wanted)
    if (
        said["method"] == "GET"
        and not wanted.name
        and said["status"] == 200
        and kind.group != "metrics.k8s.io"
    ):
        _only(world, conversation, wanted)
    elif (
        kind.resource == "pods"
        and wanted.name.startswith("saveit-")
        and world.store.get("pods", "rec", wanted.name) is None
    ):
        _pod(world, wanted.name)
    if wanted.subresource == "eviction":
        _budgets(world, said["name"], wanted.name)
    if wanted.subresource == "log":
        _log(world, said, wanted)


def _as_answered(world: World, said: Json, wanted: Target) -> None:
    """What controllers had written before: status and revision, which a request does not change."""
    response, resource = copied(said["response"]), wanted.kind.resource
    if response["kind"] == "Scale":
        world.store.objects[resource, "rec", wanted.name]["status"]["replicas"] = response["status"][
            "replicas"
        ]
        return
    if response["kind"] != wanted.kind.kind:
        return
    present = world.store.get(resource, wanted.namespace, wanted.name)
    if said.get("trimmed") and present is not None:
        present |= {"metadata": response["metadata"], "status": response["status"]}
    elif said["method"] in ("GET", "DELETE") and resource != "namespaces":
        for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "finalizers"):
            response["metadata"].pop(name, None)
        if said["method"] == "DELETE":
            response["metadata"]["generation"] -= 1
        present = response
    elif present is not None and "annotations" in response["metadata"]:
        present["metadata"]["annotations"] = response["metadata"]["annotations"]
        present["status"] = response["status"]
        if wanted.subresource == "status":
            present["metadata"] = response["metadata"]
            mine = [each for each in response["status"]["conditions"] if each["type"] != "SaveitChecked"]
            present["status"]["conditions"] = mine
    if present is not None:
        world.store.load(resource, present)


def _rights(world: World) -> None:
    names = {"name": "saveit-viewer", "namespace": "rec"}
    subject = {"kind": "ServiceAccount", **names}
    rule = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}
    reference = {"apiGroup": RBAC, "kind": "Role", "name": "saveit-viewer"}
    api = {"apiVersion": f"{RBAC}/v1", "metadata": {**names, "resourceVersion": "7700", "uid": "x"}}
    world.store.load(
        "serviceaccounts", {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": api["metadata"]}
    )
    world.store.load(f"roles.{RBAC}", {"kind": "Role", **api, "rules": [rule]})
    world.store.load(
        f"rolebindings.{RBAC}", {"kind": "RoleBinding", **api, "roleRef": reference, "subjects": [subject]}
    )


def _only(world: World, conversation: Conversation, wanted: Target) -> None:
    """A list: exactly the objects answered, and with a selector one more that it must leave out."""
    said = conversation.said
    stored = "events" if wanted.kind.kind == "Event" else wanted.kind.resource
    example = next((copied(item) for (kind, _), item in conversation.known.items() if kind == stored), None)
    world.store.drop(stored)
    items = [] if said["name"].startswith("list-pods-page") else list(_items(said["response"]))
    if wanted.group == "events.k8s.io":
        items = _core_events(items)
    if said["name"].startswith("list-pods-page"):
        items = [item for (kind, _), item in conversation.known.items() if kind == "pods"]
    if said["name"] == "viewer-list-pods-allowed" and example is not None:
        items = [
            example,
            {**copied(example), "metadata": {**example["metadata"], "name": "saveit-backend-zz"}},
        ]
    if said["response"]["kind"].startswith("PartialObjectMetadata") and example is not None:
        items = [{**copied(example), "metadata": item["metadata"]} for item in items]
    for item in items:
        world.store.load(stored, item)
    decoy = copied(items[0]) if items else example
    if decoy is not None and {"labelSelector", "fieldSelector"} & set(said["query"]):
        decoy["metadata"] |= {
            "name": "a-decoy",
            "labels": {"app.kubernetes.io/name": "decoy"},
            "namespace": "rec",
        }
        if "involvedObject" in decoy:
            decoy["involvedObject"]["name"] = "another"
        world.store.load(stored, decoy)
    version = said["response"].get("metadata", {}).get("resourceVersion")
    if version:
        world.store.revision = world.store.compacted = int(version)


def _core_events(items: list[Json]) -> list[Json]:
    found = []
    for item in items:
        about = {
            "involvedObject": item["regarding"],
            "message": item["note"],
            "source": {},
            "firstTimestamp": None,
        }
        more = {"lastTimestamp": None, "reportingComponent": item["reportingController"], "apiVersion": "v1"}
        found.append(
            {
                **{key: value for key, value in item.items() if not key.startswith("deprecated")},
                **about,
                **more,
            }
        )
    more_events = copied(found[0])
    more_events["metadata"]["name"] = "zz"
    return [*found, more_events]


def _pod(world: World, name: str) -> None:
    """A pod that was there and was never shown: like those that were."""
    example = next(item for (kind, *_), item in world.store.objects.items() if kind == "pods")
    pod = copied(example)
    pod["metadata"] |= {"name": name, "uid": f"uid-of-{name}"}
    pod["metadata"].setdefault("annotations", {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:04Z"})
    world.store.load("pods", pod)


def _budgets(world: World, name: str, pod: str) -> None:
    every = json.loads((FOLDER / "http" / "conversations.json").read_text())
    budget = next(each for each in every if each["name"] == "get-pdb")["response"]
    resource = "poddisruptionbudgets.policy"
    world.store.drop(resource, "saveit-backend")
    if name.startswith("eviction-blocked"):
        world.store.load(resource, budget)
    elif name == "eviction-pdb-still-processed":
        world.store.load(resource, {**budget, "status": {}})
    elif name == "eviction-two-pdbs":
        world.store.load(resource, budget)
        world.store.load(resource, {**budget, "metadata": {**budget["metadata"], "name": "another"}})
    elif name == "eviction-again-while-terminating":
        leaving = world.store.get("pods", "rec", pod)
        assert leaving is not None
        leaving["metadata"] |= {"deletionTimestamp": "2026-11-23T06:53:58Z", "deletionGracePeriodSeconds": 3}
        world.store.load("pods", leaving)


def _log(world: World, said: Json, wanted: Target) -> None:
    """The runs of the container, from the text recorded with times."""
    pod = world.store.get("pods", "rec", wanted.name)
    if pod is None:
        return
    if said["name"] == "log-of-container-never-started":
        pod["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ErrImagePull"}}
        world.store.load("pods", pod)
        return
    crashed = "crash" in said["name"]
    every = json.loads((FOLDER / "http" / "conversations.json").read_text())
    stamped = next(each for each in every if each["name"] == "log-timestamps")["response"]
    run = Run()
    text = (
        said["response"]
        if crashed
        else "".join(line.partition(" ")[2] + "\n" for line in stamped.splitlines())
    )
    times = [line.partition(" ")[0] for line in stamped.splitlines()]
    for moment, line in zip(times, text.splitlines(), strict=True):
        run.lines.append((datetime.fromisoformat(f"{moment[:26]}+00:00"), line))
    world.runs[pod["metadata"]["uid"], "backend"] = [run, run] if crashed else [run]


def accept_of(name: str) -> str:
    """The header Accept, which was not recorded."""
    return {
        "accept-not-acceptable": "text/html",
        "list-pods-metadata-only": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    }.get(name, "application/json")


__all__ = ["FOLDER", "VIEWER", "Any", "Conversation", "accept_of", "conversations", "prepare"]
