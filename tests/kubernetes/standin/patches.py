"""How a patch is applied: JSON merge patch, JSON patch, and strategic merge for the built-in kinds."""

from __future__ import annotations

import json
from typing import Any

from standin.answers import bad_request, not_played, rejected_patch
from standin.kinds import Json
from standin.store import copied

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"

# The merge key of each list, by its field's name; a list that is not here is replaced as a whole.
MERGE_KEYS = {
    "containers": "name", "initContainers": "name", "ephemeralContainers": "name", "env": "name",
    "volumes": "name", "volumeMounts": "mountPath", "volumeDevices": "devicePath", "conditions": "type",
    "ownerReferences": "uid", "imagePullSecrets": "name", "secrets": "name", "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey", "addresses": "type", "podIPs": "ip",
}  # fmt: skip
UNIONS = ("finalizers",)  # lists of plain values that are joined


def decoded(text: str, what: str = "error decoding patch") -> Any:
    """The body of a patch.

    Raises:
        RefusalError: 400, with what Go's decoder says of it.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise bad_request(f"{what}: {go_complaint(text, error)}") from None


def go_complaint(text: str, error: json.JSONDecodeError) -> str:
    """What Go's decoder says where Python's says `error`."""
    at = error.pos
    while at < len(text) and text[at].isspace():
        at += 1
    if at >= len(text):
        return "unexpected end of JSON input"
    where = {
        "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
        "Illegal trailing comma before end of object": "looking for beginning of object key string",
        "Expecting ':' delimiter": "after object key",
        "Expecting ',' delimiter": "after object key:value pair",
    }.get(error.msg, "looking for beginning of value")
    return f"invalid character '{text[at]}' {where}"


def merge(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return copied(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def json_patch(target: Json, operations: Any) -> Json:
    """RFC 6902.

    Raises:
        RefusalError: 400 for no list of operations; 422, without saying why, when it cannot be applied.
    """
    if not isinstance(operations, list):
        kind = "object" if isinstance(operations, dict) else type(operations).__name__
        raise bad_request(
            f"error decoding patch: json: cannot unmarshal {kind} into Go value of type "
            "[]handlers.jsonPatchOp"
        )
    result = copied(target)
    for operation in operations:
        try:
            result = _operated(result, operation)
        except (KeyError, IndexError, ValueError, TypeError):
            raise rejected_patch() from None
    return result  # type: ignore[no-any-return]


def _operated(document: Any, operation: Json) -> Any:
    verb, path = operation["op"], operation["path"]
    if verb in ("move", "copy"):
        raise not_played(f"the operation {verb} of a JSON patch")
    if not path.startswith("/"):
        raise ValueError(path)
    *parents, last = [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]
    place = document
    for step in parents:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if isinstance(place, list):
        at = len(place) if last == "-" and verb == "add" else int(last)
        if at > len(place) or (verb != "add" and at >= len(place)):
            raise IndexError(last)
        present = None if verb == "add" else place[at]
    else:
        at = last
        if not isinstance(place, dict):
            raise TypeError(path)
        present = place.get(last) if verb in ("add", "test") else place[last]
    if verb == "test":
        if present != operation.get("value"):
            raise ValueError(path)
    elif verb == "remove":
        del place[at]
    elif verb == "add" and isinstance(place, list):
        place.insert(at, copied(operation["value"]))
    elif verb in ("add", "replace"):
        place[at] = copied(operation["value"])
    else:
        raise ValueError(verb)
    return document


def strategic(target: Any, patch: Any) -> Any:
    """Strategic merge: as a merge patch, but lists with a merge key are merged entry by entry."""
    if not isinstance(patch, dict):
        return copied(patch)
    directive = patch.get("$patch")
    rest = {key: value for key, value in patch.items() if key != "$patch"}
    if directive == "replace":
        return copied(rest)
    if directive == "delete":
        return {}
    if directive is not None and directive != "merge":
        raise not_played(f"the directive $patch: {directive}")
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in rest.items():
        if key.startswith("$"):
            raise not_played(f"the directive {key} of a strategic merge patch")
        if value is None:
            result.pop(key, None)
        elif key == "ports" and isinstance(value, list):
            result[key] = _merged_list(result.get(key) or [], value, _port_key(value))
        elif key in MERGE_KEYS and isinstance(value, list):
            result[key] = _merged_list(result.get(key) or [], value, MERGE_KEYS[key])
        elif key in UNIONS and isinstance(value, list):
            result[key] = [
                *(result.get(key) or []),
                *(item for item in value if item not in (result.get(key) or [])),
            ]
        else:
            result[key] = strategic(result.get(key), value)
    return result


def _port_key(ports: list[Any]) -> str:
    return "containerPort" if any("containerPort" in port for port in ports) else "port"


def _merged_list(present: list[Any], patch: list[Any], key: str) -> list[Any]:
    if any(item.get("$patch") == "replace" for item in patch):
        return [copied(item) for item in patch if "$patch" not in item]
    order = [item.get(key) for item in present]
    old = {item.get(key): item for item in present}
    mine: list[Any] = []
    for item in patch:
        if key not in item:
            said = " ".join(f"{name}:{value}" for name, value in item.items())
            raise bad_request(f"map: map[{said}] does not contain declared merge key: {key}")
        if item.get("$patch") != "delete":
            mine.append(strategic(old.get(item[key], {}), item))
        old.pop(item[key], None)
    return _in_order([item for item in present if item.get(key) in old], mine, order, key)


def _in_order(left: list[Any], mine: list[Any], order: list[Any], key: str) -> list[Any]:
    """What only the server has and what the patch has, the latter first where the server knows no order."""
    result: list[Any] = []
    left, mine = list(left), list(mine)
    while left and mine:
        both = mine[0][key] in order
        result.append(
            (left if both and order.index(left[0][key]) < order.index(mine[0][key]) else mine).pop(0)
        )
    return [*result, *left, *mine]
