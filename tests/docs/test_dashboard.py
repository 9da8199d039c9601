"""The Grafana dashboard: what Grafana's own models know, and queries for metrics that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from saveit_remediate.report.openmetrics import PREFIX, text

PATH = Path(__file__).resolve().parents[2] / "docs" / "grafana" / "saveit-remediate.json"
DASHBOARD = json.loads(PATH.read_text(encoding="utf-8"))
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def lost(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """What is in ours and not, or not the same, in theirs."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [
            each
            for key, value in ours.items()
            for each in (lost(value, theirs[key], f"{where}.{key}") if key in theirs else [f"{where}.{key}"])
        ]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [each for n, (mine, other) in pairs for each in lost(mine, other, f"{where}[{n}]")]
    return [] if ours == theirs else [f"{where}: {ours!r} is {theirs!r}"]


def through_grafana(dashboard: dict[str, Any]) -> Any:
    """Read by the models that Grafana makes from its schema, and written without what they do not know."""
    sdk = pytest.importorskip("grafana_foundation_sdk.models.dashboard", reason="only in the group dev")
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins

    register_default_plugins()
    return json.loads(json.dumps(sdk.Dashboard.from_json(dashboard), cls=JSONEncoder))


def test_grafanas_models_know_all_of_it() -> None:
    assert lost(DASHBOARD, through_grafana(DASHBOARD)) == []


def test_a_key_that_grafana_does_not_know_would_be_seen() -> None:
    wrong = json.loads(json.dumps(DASHBOARD))
    wrong["panels"][0]["options"]["colourMode"] = "value"
    assert lost(wrong, through_grafana(wrong)) == [".panels[0].options.colourMode"]


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_asks_for_a_metric_and_labels_that_we_have(query: str) -> None:
    known = set(re.findall(rf"^# TYPE ({PREFIX}\w+)", text(lambda: ([], [])), re.MULTILINE))
    asked = re.findall(rf"{PREFIX}\w+", query)
    assert asked
    assert {re.sub(r"_(total|bucket)$", "", name) for name in asked} <= known
    grouped = [label.strip() for group in re.findall(r"by \(([^)]*)\)", query) for label in group.split(",")]
    assert set(grouped) <= {"incident", "severity", "outcome", "remedy", "result", "le"}
    assert query.count("(") == query.count(")")


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23
