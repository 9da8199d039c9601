"""Label and field selectors, with the errors of a real server."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from standin.answers import bad_request
from standin.kinds import Json, Kind

TOKEN = re.compile(r"==|!=|[=!(),<>]|[^\s=!(),<>]+")
VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?\Z")
NAME = re.compile(r"([a-z0-9.-]+/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\Z")

Test = Callable[[Mapping[str, str]], bool]


@dataclass
class _Words:
    words: list[str]
    at: int = 0

    def peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self) -> str:
        word = self.peek()
        self.at += 1
        return word


def label_selector(text: str) -> Test:
    """A selector of a query, as a test on labels.

    Raises:
        RefusalError: 400, with the words of the real parser.
    """
    words = _Words(TOKEN.findall(text))
    tests: list[Test] = []
    while words.peek():
        tests.append(_requirement(words))
        following = words.take()
        if following and following != ",":
            raise bad_request(f"found '{following}', expected: ',' or 'end of string'")
        if following and not words.peek():
            raise bad_request("unable to parse requirement: found '', expected: identifier after ','")
    return lambda labels: all(test(labels) for test in tests)


def _requirement(words: _Words) -> Test:
    absent = words.peek() == "!"
    if absent:
        words.take()
    key = words.take()
    if not NAME.match(key):
        raise bad_request(
            f"unable to parse requirement: found '{key}', expected: !, identifier, or 'end of string'"
        )
    if absent:
        return lambda labels: key not in labels
    operator = words.peek()
    if operator in ("", ","):
        return lambda labels: key in labels
    words.take()
    if operator in ("=", "==", "!="):
        value = "" if words.peek() in ("", ",") else words.take()
        _check_value(key, value)
        return (
            (lambda labels: labels.get(key) == value)
            if operator != "!="
            else (lambda labels: labels.get(key) != value)
        )
    if operator in ("in", "notin"):
        among = _values(words, key)
        return (
            (lambda labels: labels.get(key) in among)
            if operator == "in"
            else (lambda labels: labels.get(key) not in among)
        )
    expected = "in, notin, =, ==, !=, gt, lt"
    raise bad_request(f"unable to parse requirement: found '{operator}', expected: {expected}")


def _values(words: _Words, key: str) -> set[str]:
    opening = words.take()
    if opening != "(":
        raise bad_request(f"unable to parse requirement: found '{opening}', expected: '('")
    found: set[str] = set()
    while True:
        word = words.take()
        if word in ("", "(", "=", "!="):
            raise bad_request(
                f"unable to parse requirement: found '{word}', expected: ',', ')' or identifier"
            )
        if word == ")":
            return found
        _check_value(key, word)
        found.add(word)
        following = words.take()
        if following == ")":
            return found
        if following != ",":
            raise bad_request(f"unable to parse requirement: found '{following}', expected: ',' or ')'")


def _check_value(key: str, value: str) -> None:
    if len(value) > 63 or not VALUE.match(value):
        raise bad_request(
            f'unable to parse requirement: values[0][{key}]: Invalid value: "{value}": a valid '
            "label must be an empty "
            "string or consist of alphanumeric characters, '-', '_' or '.', and must start and end "
            "with an alphanumeric "
            "character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
            "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
        )


# Besides metadata.name and metadata.namespace, which every resource has.
FIELDS = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "events.events.k8s.io": (
        "regarding.kind",
        "regarding.namespace",
        "regarding.name",
        "regarding.uid",
        "reason",
        "regarding.apiVersion",
        "regarding.resourceVersion",
        "regarding.fieldPath",
        "reportingController",
        "type",
    ),
    "secrets": ("type",),
    "namespaces": ("status.phase",),
    "nodes": ("spec.unschedulable",),
    "replicasets.apps": ("status.replicas",),
}


def field_selector(text: str, kind: Kind) -> Callable[[Json], bool]:
    """A field selector of a query, as a test on objects.

    Raises:
        RefusalError: 400: a field that this resource does not select by, or no selector at all.
    """
    tests: list[tuple[str, str, bool]] = []
    for part in filter(None, text.split(",")):
        found = re.fullmatch(r"([^=!]+)(==|!=|=)(.*)", part)
        if found is None:
            raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
        path, operator, value = found.groups()
        if path not in ("metadata.name", "metadata.namespace", *FIELDS.get(kind.resource, ())):
            raise bad_request(f"field label not supported: {path}")
        tests.append((path, value, operator != "!="))
    return lambda item: all((_field(item, path) == value) is wanted for path, value, wanted in tests)


def _field(item: Json, path: str) -> str:
    found: Any = item
    if path == "source":
        return str(item.get("source", {}).get("component", ""))
    for name in path.split("."):
        found = (found or {}).get(name)
    if isinstance(found, bool):
        return str(found).lower()
    return "" if found is None else str(found)


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """A LabelSelector of an object. An absent one matches nothing, an empty one everything."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression(row, labels) for row in selector.get("matchExpressions") or [])


def _expression(row: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = row["key"], row.get("values") or []
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[row["operator"]]


def selector_text(selector: Mapping[str, Any] | None) -> str:
    """A LabelSelector as the status of a Scale gives it."""
    return ",".join(
        f"{key}={value}" for key, value in sorted(((selector or {}).get("matchLabels") or {}).items())
    )
