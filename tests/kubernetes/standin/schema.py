"""Which fields an object has and of which type: for built-in kinds from the models of the official client.

A field that a kind does not have is dropped and named, as the real server does it; a value of another
type is refused with the words of Go's decoder. Custom resources have the small schema that is written here.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from standin.kinds import Json, Kind

MODELS = {
    "events": "CoreV1Event", "events.events.k8s.io": "EventsV1Event",
    "horizontalpodautoscalers.autoscaling": "V2HorizontalPodAutoscaler",
}  # fmt: skip
MICRO_TIMES = ("acquireTime", "renewTime", "eventTime", "lastObservedTime")
INT64 = ("generation", "observedGeneration", "terminationGracePeriodSeconds", "activeDeadlineSeconds",
         "tolerationSeconds", "deletionGracePeriodSeconds", "runAsUser", "runAsGroup", "fsGroup", "revision",
         "gracePeriodSeconds")  # fmt: skip
NULLS = ("lastProbeTime", "eventTime", "firstTimestamp", "lastTimestamp", "currentMetrics")  # kept as null


class MismatchError(Exception):
    """A value of the wrong type. `said`: what Go's decoder says; `go_type`: the type it wanted."""

    def __init__(self, said: str, go_type: str) -> None:
        super().__init__(said)
        self.go_type = go_type


@dataclass
class Decoded:
    body: Json
    unknown: list[str] = field(default_factory=list)


def decode(kind: Kind, body: Json) -> Decoded:
    """The object as the server understood it.

    Raises:
        MismatchError: a value of the wrong type.
    """
    if kind.custom:
        return Decoded(_without_nulls(body))
    return decode_as(MODELS.get(kind.resource, f"V1{kind.kind}"), body)


def decode_as(model: str, body: Json) -> Decoded:
    decoded = Decoded({})
    decoded.body = _object(_fields(model), model, body, "", decoded.unknown)
    return decoded


@functools.cache
def _fields(model: str) -> dict[str, str]:
    """Type by the JSON name of each field."""
    from kubernetes.client import models  # a second of imports, needed by writes only

    found = getattr(models, model)
    return {found.attribute_map[name]: type_ for name, type_ in found.openapi_types.items()}


def _object(fields: dict[str, str], model: str, value: Any, path: str, unknown: list[str]) -> Json:
    result: Json = {}
    for name, item in value.items():
        here = f"{path}.{name}" if path else name
        if name not in fields:
            unknown.append(here)
        elif item is None:
            if name in NULLS:
                result[name] = None
        else:
            struct = re.sub(r"^(Core|Events)?V\d(beta\d)?", "", model)
            result[name] = _value(fields[name], item, here, f"{struct}.{here}", unknown)
    return result


def _value(type_: str, item: Any, path: str, struct: str, unknown: list[str]) -> Any:
    name = path.rpartition(".")[2]
    if type_ == "object":
        return item
    listed = re.fullmatch(r"[Ll]ist\[(.+)\]", type_)
    if listed:
        _want(isinstance(item, list), item, struct, f"[]{_go(listed[1])}")
        return [_value(listed[1], one, f"{path}[{at}]", struct, unknown) for at, one in enumerate(item)]
    mapped = re.fullmatch(r"[Dd]ict[(\[]str, (.+)[)\]]", type_)
    if mapped:
        _want(isinstance(item, dict), item, struct, f"map[string]{_go(mapped[1])}")
        return {
            key: _map_value(mapped[1], one, path, struct, unknown)
            for key, one in item.items()
            if one is not None
        }
    if type_ == "datetime":
        _want(isinstance(item, str), item, struct, "string")
        return _moment(item, micro=name in MICRO_TIMES)
    plain = {"str": str, "bytes": str, "int": int, "bool": bool, "float": (int, float)}.get(type_)
    if plain is not None:
        right = isinstance(item, plain) and not (type_ != "bool" and isinstance(item, bool))  # type: ignore[arg-type]
        if type_ == "bytes" and right:
            _check_base64(item)
        _want(right, item, struct, "int64" if name in INT64 else _go(type_))
        return item
    _want(isinstance(item, dict), item, struct, f"v1.{_go(type_)}")
    return _object(_fields(type_), type_, item, path, unknown)


def _check_base64(text: str) -> None:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        wrong = (at for at, letter in enumerate(text) if not (letter.isalnum() or letter in "+/="))
        bad = next(wrong, len(text) // 4 * 4)
        raise MismatchError(f"illegal base64 data at input byte {bad}", "[]byte") from None


def _map_value(type_: str, item: Any, path: str, struct: str, unknown: list[str]) -> Any:
    """Quantities are declared as strings, and a number does as well."""
    quantity = re.search(r"(^|\.)(limits|requests|hard|capacity|allocatable|overhead)(\.|$)", path)
    if quantity and isinstance(item, int | float) and not isinstance(item, bool):
        return str(item)
    return _value(type_, item, path, struct, unknown)


def _go(type_: str) -> str:
    plain = {"str": "string", "bytes": "string", "int": "int32", "bool": "bool", "float": "float64"}
    return plain.get(type_, re.sub(r"^V\d(beta\d)?", "", type_))


def _want(right: bool, item: Any, struct: str, go_type: str) -> None:
    if right:
        return
    found = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}[
        type(item)
    ]
    struct = re.sub(r"\[\d+\]", "", struct)
    raise MismatchError(
        f"json: cannot unmarshal {found} into Go struct field {struct} of type {go_type}", go_type
    )


def _moment(text: str, *, micro: bool) -> str:
    """The time in UTC. A MicroTime has exactly six decimals, or it is refused."""
    layout = "2006-01-02T15:04:05.000000Z07:00" if micro else "2006-01-02T15:04:05Z07:00"
    found = re.match(r"(\d{4})(-\d\d)?(-\d\d)?(T\d\d)?(:\d\d)?(:\d\d)?(.*)", text)
    if found is None:
        raise MismatchError(f'parsing time "{text}" as "{layout}": cannot parse "{text}" as "2006"', "Time")
    if not all(found.groups()[:6]):
        raise MismatchError(f'parsing time "{text}" as "{layout}": cannot parse "" as "-"', "Time")
    rest = found[7]
    if micro and not re.match(r"\.\d{6}(Z|[+-])", rest):
        raise MismatchError(
            f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as ".000000"', "Time"
        )
    if not re.fullmatch(r"(\.\d+)?(Z|[+-]\d\d:\d\d)", rest):
        raise MismatchError(f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as "Z07:00"', "Time")
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if micro else "%Y-%m-%dT%H:%M:%SZ")


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
