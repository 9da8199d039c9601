"""What the server says of itself: versions, groups, resources, health."""

from __future__ import annotations

import base64
import hashlib

from standin.answers import no_such_path, no_such_resource, not_played
from standin.kinds import NOT_PLAYED, TABLE, Json, Kind
from standin.world import World

VERSION = {
    "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36", "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35", "gitVersion": "v1.36.2", "gitCommit": "0" * 40, "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z", "goVersion": "go1.26.6", "compiler": "gc", "platform": "linux/amd64",
}  # fmt: skip
CATEGORIES = {
    "all": ("daemonsets", "deployments", "replicasets", "statefulsets", "horizontalpodautoscalers", "pods", "services"),
    "cert-manager": ("certificates",),
}


def answer(world: World, path: str) -> Json | str:
    """An answer in JSON, or in plain text.

    Raises:
        PlainError: 404.
    """
    steps = path.strip("/").split("/")
    if path in ("/healthz", "/readyz", "/livez"):
        return "ok"
    if path.rstrip("/") == "/version":
        return dict(VERSION)
    if steps[0] in ("openapi", "metrics", "logs", "debug", ".well-known"):
        raise not_played(path)
    if steps[0] == "api":
        return _versions() if len(steps) == 1 else _resources(world, "", steps[1])
    if steps[0] == "apis":
        if len(steps) == 1:
            found = dict.fromkeys(row.group for row in TABLE if row.group and row.group not in world.missing_groups)
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(group) for group in found]}
        if len(steps) == 2 and steps[1] not in world.missing_groups and any(row.group == steps[1] for row in TABLE):
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(steps[1])}
        if len(steps) == 3:
            return _resources(world, steps[1], steps[2])
    raise no_such_path()


def _versions() -> Json:
    address = {"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443"}
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [address]}


def _group(group: str) -> Json:
    versions = list(dict.fromkeys(row.version for row in TABLE if row.group == group))
    if group == "autoscaling":
        versions.append("v1")
    rows = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": rows, "preferredVersion": rows[0]}


def _resources(world: World, group: str, version: str) -> Json:
    rows = [row for row in TABLE if (row.group, row.version) == (group, version)]
    if group in NOT_PLAYED and not rows:
        raise not_played(f"the group {group}")
    if group in world.missing_groups or not any(row.group == group for row in TABLE):
        raise no_such_path()
    if not rows:
        raise no_such_resource()
    listed = [entry for row in sorted(rows, key=lambda row: row.plural) for entry in _entries(row)]
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": listed}


def _entries(row: Kind) -> list[Json]:
    plain = row.group == "metrics.k8s.io"
    entry: Json = {
        "name": row.plural, "singularName": "" if plain else row.kind.lower(), "namespaced": row.namespaced,
        "kind": row.kind, "verbs": list(row.verbs),
    }  # fmt: skip
    if row.short_names:
        entry["shortNames"] = list(row.short_names)
    categories = [name for name, plurals in CATEGORIES.items() if row.plural in plurals and not plain]
    if categories:
        entry["categories"] = categories
    if "update" in row.verbs:
        digest = hashlib.sha256(row.resource.encode()).digest()[:8]
        entry["storageVersionHash"] = base64.b64encode(digest).decode()
    return [entry, *(_sub_entry(row, name) for name in sorted(row.subresources))]


def _sub_entry(row: Kind, name: str) -> Json:
    entry: Json = {"name": f"{row.plural}/{name}", "singularName": "", "namespaced": row.namespaced}
    other = {
        "scale": ("autoscaling", "v1", "Scale"), "eviction": ("policy", "v1", "Eviction"),
        "exec": ("", "", "PodExecOptions"), "token": ("authentication.k8s.io", "v1", "TokenRequest"),
    }.get(name, ("", "", row.kind))  # fmt: skip
    if other[0]:
        entry |= {"group": other[0], "version": other[1]}
    verbs = {
        "log": ["get"], "exec": ["create", "get"], "eviction": ["create"], "token": ["create"],
    }.get(name, ["get", "patch", "update"])  # fmt: skip
    return {**entry, "kind": other[2], "verbs": verbs}
