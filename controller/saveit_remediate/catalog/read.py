"""Read `meta/runbook.yml`, strictly: a mistake is a sentence that names the file and the key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from saveit_remediate.catalog.checks import Node, load_yaml
from saveit_remediate.catalog.schema import (
    RISKS,
    Criterion,
    KnownFinding,
    Limit,
    Parameter,
    Remedy,
    Runbook,
    SeverityRule,
    Verify,
)
from saveit_remediate.errors import did_you_mean
from saveit_remediate.incident import Severity

_SCHEMA = 1
_REQUIRED = ("schema", "id", "title", "severity", "findings", "touches", "limits", "remedies", "verify")
_OPTIONAL = ("aliases", "symptoms", "explains", "alerts")
_TESTS = ("is", "is_not", "at_most", "at_least")
_REMEDY_OPTIONAL = ("never_for", "patience_seconds", "limits")
_ID = re.compile(r"[a-z][a-z0-9-]*")
_REMEDY_FILE = re.compile(r"\d\d_[a-z0-9_]+\.yml")


def read_runbook(path: Path, parameters: Mapping[str, Parameter]) -> Runbook:
    """One runbook. Raises UsageError with file, key, and what was expected there."""
    root = Node(load_yaml(path), path)
    root.mapping(_REQUIRED, _OPTIONAL)
    if root.value["schema"] != _SCHEMA:
        raise root.child("schema").error(f"must be {_SCHEMA}, the only one that this version reads")
    _check_id(root.child("id"))
    role = path.parent.parent.name
    if root.value["id"] != role:
        raise root.child("id").error(f"is {root.value['id']!r}, but its role is called {role!r}")
    findings = tuple(_finding(item) for item in root.items("findings"))
    known = [finding.id for finding in findings]
    _unique(root, "findings", known)
    remedies = tuple(_remedy(item, known) for item in root.items("remedies"))
    _unique(root, "remedies", [remedy.id for remedy in remedies])
    severity = root.child("severity")
    severity.mapping(["default"], ["rules"])
    return Runbook(
        id=role,
        title=root.text("title"),
        aliases=tuple(alias.lower() for alias in root.texts("aliases")),
        symptoms=root.texts("symptoms"),
        explains=root.texts("explains"),
        alerts=tuple(_alert(item) for item in root.items("alerts")),
        default_severity=Severity(severity.one_of("default", list(Severity))),
        severity_rules=tuple(_rule(item, known) for item in severity.items("rules")),
        findings=findings,
        remedies=remedies,
        verify=_verify(root.child("verify")),
        path=path,
        parameters=parameters,
        touches=_touches(root, parameters),
        limits=_limits(root),
    )


def _touches(root: Node, parameters: Mapping[str, Parameter]) -> tuple[str, ...]:
    names = root.texts("touches")
    if not names:
        raise root.child("touches").error("is empty: what remedies act on has to be leased")
    for name in names:
        if parameters and name not in parameters:
            hint = did_you_mean(name, parameters)
            raise root.child("touches").error(f"names the unknown parameter {name!r}; {hint}")
    return names


def _limits(node: Node) -> tuple[Limit, ...]:
    limits = tuple(_limit(item) for item in node.items("limits"))
    if not limits:
        raise node.child("limits").error("is empty: a remedy that may act for ever hides the cause")
    return limits


def _limit(node: Node) -> Limit:
    node.mapping(["times", "minutes"])
    return Limit(int(node.number("times", 1)), node.number("minutes", 1))


def _check_id(node: Node) -> str:
    if not isinstance(node.value, str) or not _ID.fullmatch(node.value):
        raise node.error(f"must be lower-case letters, digits and hyphens, not {node.value!r}")
    return node.value


def _unique(root: Node, key: str, ids: list[str]) -> None:
    for name in ids:
        if ids.count(name) > 1:
            raise root.child(key).error(f"has the id {name!r} twice")


def _known(nodes: Iterable[Node], known: list[str]) -> tuple[str, ...]:
    found = []
    for node in nodes:
        if node.value not in known:
            hint = did_you_mean(str(node.value), known)
            raise node.error(f"names the unknown finding {node.value!r}; {hint}")
        found.append(str(node.value))
    return tuple(found)


def _finding(node: Node) -> KnownFinding:
    node.mapping(["id", "next"], ["symptom"])
    symptom = node.flag("symptom") if node.has("symptom") else True
    return KnownFinding(_check_id(node.child("id")), node.text("next"), symptom)


def _alert(node: Node) -> Mapping[str, str]:
    if not isinstance(node.value, Mapping) or not node.value:
        raise node.error("must be a mapping of alert labels to values")
    return {str(label): str(value) for label, value in node.value.items()}


def _rule(node: Node, known: list[str]) -> SeverityRule:
    node.mapping(["finding", "severity"])
    (finding,) = _known([node.child("finding")], known)
    return SeverityRule(finding, Severity(node.one_of("severity", list(Severity))))


def _remedy(node: Node, known: list[str]) -> Remedy:
    node.mapping(["id", "file", "title", "for", "risk", "reversible", "disrupts"], _REMEDY_OPTIONAL)
    file = node.text("file")
    if not _REMEDY_FILE.fullmatch(file):
        raise node.child("file").error(f"must look like 10_name.yml, not {file!r}")
    return Remedy(
        id=_check_id(node.child("id")),
        file=file,
        title=node.text("title"),
        helps=_known(node.items("for"), known),
        never_for=_known(node.items("never_for"), known),
        risk=node.one_of("risk", RISKS),
        reversible=node.flag("reversible"),
        disrupts=node.text("disrupts"),
        patience_seconds=node.number("patience_seconds", 0) if node.has("patience_seconds") else None,
        limits=_limits(node) if node.has("limits") else (),
    )


def _verify(node: Node) -> Verify:
    node.mapping(["hold_seconds", "criteria"], ["interval_seconds", "patience_seconds"])
    criteria = tuple(_criterion(item) for item in node.items("criteria"))
    if not criteria:
        raise node.child("criteria").error("is empty: recovery that nothing proves is no recovery")
    return Verify(
        hold_seconds=node.number("hold_seconds", 0),
        interval_seconds=node.number("interval_seconds", 0.1) if node.has("interval_seconds") else 1.0,
        patience_seconds=node.number("patience_seconds", 0) if node.has("patience_seconds") else 30.0,
        criteria=criteria,
    )


def _criterion(node: Node) -> Criterion:
    node.mapping(["evidence"], [*_TESTS, "no_data", "keep"])
    tests = [test for test in _TESTS if node.has(test)]
    if len(tests) != 1:
        raise node.error(f"must have exactly one of {', '.join(_TESTS)}")
    test = tests[0]
    value: Any = node.value[test]
    if test.startswith("at_") and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise node.child(test).error(f"must be a number, not {value!r}")
    if value is None:
        raise node.child(test).error("must have a value; for absent values there is no_data")
    no_data = node.one_of("no_data", ["pass", "fail"]) if node.has("no_data") else "fail"
    return Criterion(
        node.text("evidence"), test, value, no_data == "pass", node.has("keep") and node.flag("keep")
    )
