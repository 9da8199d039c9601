"""What a post-mortem draws and when it is due: `postmortem.yml`, ours or the site's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from saveit_remediate.catalog.checks import Node, load_yaml
from saveit_remediate.incident import Severity

FILE = "postmortem.yml"
_SCHEMA = 1
_MOST = 12  # charts on a page
_WINDOW = re.compile(r"[1-9]\d{0,4}[smhd]")


@dataclass(frozen=True)
class Chart:
    """One chart: what Prometheus is asked, with $window where the window of a rate goes."""

    id: str
    title: str
    unit: str
    query: str


@dataclass(frozen=True)
class Rules:
    """`due_hours` is by severity; `requests` and `users` are queries, empty when there is none."""

    windows: tuple[str, ...]
    charts: tuple[Chart, ...]
    percent: float
    days: float
    requests: str
    users: str
    due_hours: Mapping[str, float]
    remind_hours_before: tuple[float, ...]


def read_rules(path: Path) -> Rules:
    """One file of rules. Raises UsageError with file, key, and what was expected there."""
    root = Node(load_yaml(path), path)
    root.mapping(["schema", "windows", "charts", "due_hours"], ["objective", "users", "remind_hours_before"])
    if root.value["schema"] != _SCHEMA:
        raise root.child("schema").error(f"must be {_SCHEMA}, the only one that this version reads")
    windows = root.texts("windows")
    if not windows or not all(_WINDOW.fullmatch(window) for window in windows):
        raise root.child("windows").error("must be a list of times such as 1m or 300s")
    charts = [_chart(node) for node in root.items("charts")]
    if len(charts) > _MOST or len({chart.id for chart in charts}) < len(charts):
        raise root.child("charts").error(f"must be at most {_MOST}, each with an id of its own")
    due, objective = root.child("due_hours"), None
    due.mapping((), map(str, Severity))
    if root.has("objective"):
        objective = root.child("objective")
        objective.mapping(["percent", "days", "requests"])
    remind = root.child("remind_hours_before") if root.has("remind_hours_before") else None
    return Rules(
        windows=windows,
        charts=tuple(charts),
        percent=_percent(objective) if objective else 0.0,
        days=objective.number("days", 1) if objective else 0.0,
        requests=objective.text("requests") if objective else "",
        users=root.text("users") if root.has("users") else "",
        due_hours={severity: due.number(severity, 1) for severity in due.value},
        remind_hours_before=_hours(remind) if remind else (),
    )


def _chart(node: Node) -> Chart:
    node.mapping(["id", "title", "unit", "query"])
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", node.text("id")):
        raise node.child("id").error("must be a word of small letters, digits and -")
    return Chart(node.text("id"), node.text("title"), node.text("unit"), node.text("query"))


def _percent(objective: Node) -> float:
    percent = objective.number("percent", 0)
    if percent >= 100:
        raise objective.child("percent").error("must be below 100: a budget of nothing is used up at once")
    return percent


def _hours(remind: Node) -> tuple[float, ...]:
    if not isinstance(remind.value, list):
        raise remind.error("must be a list of hours")
    items = [Node({"hours": value}, remind.path, remind.where).number("hours", 0) for value in remind.value]
    return tuple(sorted(items, reverse=True))
