"""metadata.managedFields, which a real server shows with every object: who wrote which field."""

from __future__ import annotations

from typing import Any

from standin.kinds import BY_KIND, Json

PLAIN = ("metrics.k8s.io",)  # of a server behind the server, which keeps no owners


def shown(body: Any) -> Any:
    """An answer with managedFields in its object or in the items of its list; others as they are."""
    if not isinstance(body, dict):
        return body
    kind = str(body.get("kind", ""))
    if isinstance(body.get("items"), list) and kind.endswith("List"):
        of = kind.removesuffix("List")
        if str(body.get("apiVersion", "")).partition("/")[0] in PLAIN:
            return body
        return {**body, "items": [_marked(item, of) for item in body["items"]]}
    row = BY_KIND.get((str(body.get("apiVersion", "")), kind))
    if kind != "PartialObjectMetadata" and (row is None or row.group in PLAIN or _is_plain(kind)):
        return body
    return _marked(body, kind)


def _is_plain(kind: str) -> bool:
    return kind in ("SelfSubjectRulesReview", "SelfSubjectReview")


def _marked(item: Json, kind: str) -> Json:
    version = item.get("apiVersion", "v1")
    when = item["metadata"].get("creationTimestamp", "2026-01-01T00:00:00Z")
    rest = {
        key: value for key, value in item.items() if key not in ("kind", "apiVersion", "metadata", "status")
    }
    labels = {key: item["metadata"][key] for key in ("labels", "annotations") if key in item["metadata"]}
    entry = {"operation": "Update", "apiVersion": version, "time": when, "fieldsType": "FieldsV1"}
    found = [{"manager": "kubectl", **entry, "fieldsV1": _fields({"metadata": labels, **rest})}]
    if item.get("status"):
        manager = "kubelet" if kind == "Pod" else "kube-controller-manager"
        found.append(
            {
                "manager": manager,
                **entry,
                "fieldsV1": _fields({"status": item["status"]}),
                "subresource": "status",
            }
        )
    return {**item, "metadata": {**item["metadata"], "managedFields": found}}


def _fields(value: Any) -> Json:
    if isinstance(value, dict):
        return {f"f:{key}": _fields(item) for key, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, dict) and "name" in item for item in value):
        return {f'k:{{"name":"{item["name"]}"}}': {".": {}, **_fields(item)} for item in value}
    return {}
