"""Which metadata and pod specs a real server does not take, with its words; and how a cause is worded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from standin.answers import Cause
from standin.kinds import Json, Kind
from standin.quantity import amount

SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
BAD_NAME = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
POD_FIELDS = (
    "containers",
    "initContainers",
    "activeDeadlineSeconds",
    "tolerations",
    "terminationGracePeriodSeconds",
)
LABEL = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
BAD_LABEL = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    "for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
KEY = r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
BAD_KEY = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


def invalid_value(field: str, value: Any, why: str) -> Cause:
    return ("FieldValueInvalid", f"Invalid value: {json.dumps(value, separators=(',', ':'))}: {why}", field)


def required(field: str, why: str = "") -> Cause:
    return ("FieldValueRequired", f"Required value: {why}" if why else "Required value", field)


def forbidden(field: str, why: str) -> Cause:
    return ("FieldValueForbidden", f"Forbidden: {why}", field)


def unsupported(field: str, value: Any, supported: tuple[str, ...]) -> Cause:
    listed = ", ".join(f'"{each}"' for each in supported)
    return (
        "FieldValueNotSupported",
        f"Unsupported value: {json.dumps(value)}: supported values: {listed}",
        field,
    )


def metadata(kind: Kind, body: Json) -> Iterator[Cause]:
    name = body["metadata"].get("name", "")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    elif kind.group != "rbac.authorization.k8s.io" and (not re.fullmatch(SUBDOMAIN, name) or len(name) > 253):
        yield invalid_value("metadata.name", name, BAD_NAME)
    yield from _labels(body["metadata"].get("labels") or {}, "metadata.labels")
    for key in body["metadata"].get("annotations") or {}:
        if not re.fullmatch(KEY, key):
            yield invalid_value("metadata.annotations", key, BAD_KEY)


def _labels(labels: Json, field: str) -> Iterator[Cause]:
    for key, value in labels.items():
        if not re.fullmatch(KEY, key):
            yield invalid_value(field, key, BAD_KEY)
        if len(value) > 63:
            yield invalid_value(field, value, "must be no more than 63 characters")
        elif not re.fullmatch(LABEL, value):
            yield invalid_value(field, value, BAD_LABEL)


def pod_spec(spec: Json, path: str) -> Iterator[Cause]:
    containers = spec.get("containers") or []
    if not containers:
        yield required(f"{path}.containers")
    for at, container in enumerate(containers):
        for name in ("name", "image"):
            if not container.get(name):
                yield required(f"{path}.containers[{at}].{name}")
        yield from _resources(container.get("resources") or {}, f"{path}.containers[{at}].resources")


def _resources(resources: Json, path: str) -> Iterator[Cause]:
    """Quantities, and no request above its limit."""
    for kind in ("limits", "requests"):
        for name, value in (resources.get(kind) or {}).items():
            if _amount(value) is None:
                yield invalid_value(f"{path}.{kind}.{name}", value, "must be a quantity")
    for name, value in (resources.get("requests") or {}).items():
        limit = (resources.get("limits") or {}).get(name)
        asked, most = _amount(value), _amount(limit)
        if asked is not None and most is not None and asked > most:
            yield invalid_value(
                f"{path}.requests", value, f"must be less than or equal to {name} limit of {limit}"
            )


def _amount(text: Any) -> float | None:
    try:
        return None if text is None else amount(text)
    except ValueError:
        return None


def pod(body: Json, before: Json | None) -> Iterator[Cause]:
    yield from pod_spec(body.get("spec", {}), "spec")
    if before is None:
        return

    def kept(spec: Json) -> Any:
        rest = {key: value for key, value in spec.items() if key not in POD_FIELDS}
        return rest, [{**each, "image": ""} for each in spec.get("containers", [])]

    if kept(body["spec"]) != kept(before["spec"]):
        fields = ",".join(
            f"`spec.{name}`"
            for name in (
                "containers[*].image",
                "initContainers[*].image",
                "activeDeadlineSeconds",
                "tolerations",
                "terminationGracePeriodSeconds",
            )
        )
        yield forbidden("spec", f"pod updates may not change fields other than {fields}")
