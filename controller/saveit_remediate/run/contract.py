"""Read the result contract: `remediation: {findings, actions, evidence}`, as plays publish it.

What plays publish is data from outside: missing fields take the default, unknown ones are ignored,
wrong ones become text. Nothing here raises because of what a play said.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from saveit_remediate.incident import Action, Change, Evidence, Finding, Observation, Reverted, Table

_Item = TypeVar("_Item", Finding, Action, Evidence, Change, Reverted)


def read_observation(published: Iterable[tuple[str, Mapping[str, Any]]]) -> Observation:
    """Join what the hosts published: pairs of (host, the `remediation` mapping); each item counts once."""
    findings: dict[str, Finding] = {}
    actions: dict[str, Action] = {}
    evidence: dict[str, Evidence] = {}
    changes: dict[str, Change] = {}
    reverted: dict[str, Reverted] = {}
    tables: list[Table] = []
    sentences: list[str] = []
    manifests: list[Mapping[str, Any]] = []
    for host, content in published:
        _collect(findings, Finding, content.get("findings"), host)
        _collect(actions, Action, content.get("actions"), host)
        _collect(evidence, Evidence, content.get("evidence"), host)
        _collect(changes, Change, content.get("changes"), host)
        _collect(reverted, Reverted, content.get("reverted"), host)
        tables += _tables(content.get("tables"), host)
        found = content.get("manifests")
        manifests += (
            [plain(one) for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
        )
        if content.get("sentence"):
            sentences.append(f"{host}: {content['sentence']}")
    return Observation(
        tuple(findings.values()),
        tuple(actions.values()),
        tuple(evidence.values()),
        tuple(tables),
        tuple(sentences),
        tuple(manifests),
        tuple(changes.values()),
        tuple(reverted.values()),
    )


def read_changes(items: Any, host: str) -> list[Change]:
    """The changes of one host, as an event tells them."""
    found: dict[str, Change] = {}
    _collect(found, Change, items, host)
    return list(found.values())


def plain(value: Any) -> Any:
    """JSON data without NaN and infinity, which are no JSON and no measurement."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)


def _collect(into: dict[str, _Item], kind: type[_Item], items: Any, host: str) -> None:
    for item in items if isinstance(items, list) else []:
        if isinstance(item, Mapping):
            read = _read(kind, item, host)
            into.setdefault(repr(read), read)


def _tables(items: Any, host: str) -> list[Table]:
    found = []
    for item in items if isinstance(items, list) else []:
        columns = item.get("columns") if isinstance(item, Mapping) else None
        rows = item.get("rows") if isinstance(item, Mapping) else None
        if isinstance(columns, list) and isinstance(rows, list):
            read = tuple(tuple(plain(cell) for cell in row) for row in rows if isinstance(row, list))
            whole = tuple(row for row in read if len(row) == len(columns))
            found.append(Table(str(item.get("name") or ""), host, tuple(map(str, columns)), whole))
    return found


def _read(kind: type[_Item], item: Mapping[str, Any], host: str) -> _Item:
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        has_default = field.default is not dataclasses.MISSING
        given = item.get(field.name)
        if given is None and field.name != "value":
            if not has_default:
                values[field.name] = host if field.name == "target" else _empty(str(field.type))
            continue
        values[field.name] = _convert(str(field.type), given)
    return kind(**values)


def _empty(type_: str) -> Any:
    return 0.0 if type_ == "float" else ""


def _convert(type_: str, given: Any) -> Any:
    if type_ == "str":
        return str(given)
    if type_ == "bool":
        return given is True or str(given).lower() in ("true", "yes", "1")
    if type_ == "float":
        try:
            number = float(given)
        except (TypeError, ValueError):
            return 0.0
        return number if math.isfinite(number) else 0.0
    if type_.startswith("tuple"):
        items = given if isinstance(given, list) else [given]
        return tuple(_diff(item) for item in items if isinstance(item, Mapping))
    return plain(given)


def _diff(item: Mapping[str, Any]) -> Mapping[str, str]:
    return {str(key): str(value) for key, value in item.items()}
