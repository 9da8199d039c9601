"""The queries against a real Prometheus, the one of the lab, filled with what the incident looked like."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from tests.unit.controller.pages.conftest import LATER, RECORDED, Book

from saveit_remediate.report.postmortem import write_postmortem
from saveit_remediate.report.templates import Templates

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(
        not (shutil.which("prometheus") and shutil.which("promtool")),
        reason="no Prometheus here: apt-get install prometheus, or lab/lab up",
    ),
]
DASHBOARD = Path(__file__).resolve().parents[4] / "docs" / "grafana" / "saveit-remediate.json"


def samples(opened: int, over: int) -> str:
    """Ten requests a second; while it lasted half of them failed, and all took most of a second."""
    lines: dict[str, list[str]] = {name: [] for name in ("requests", "bucket", "count", "sum")}
    good = bad = fast = slow = 0
    for at in range(opened - 600, over + 600, 5):
        during = opened <= at <= over
        good, bad = good + (25 if during else 50), bad + (25 if during else 0)
        fast, slow = fast + (0 if during else 50), slow + (50 if during else 0)
        lines["requests"] += [f'http_requests_total{{status="200"}} {good} {at}']
        lines["requests"] += [f'http_requests_total{{status="503"}} {bad} {at}'] if bad else []
        for bound, count in (("0.1", fast), ("1.0", fast + slow), ("+Inf", fast + slow)):
            lines["bucket"].append(f'http_request_duration_seconds_bucket{{le="{bound}"}} {count} {at}')
        lines["count"].append(f"http_request_duration_seconds_count {fast + slow} {at}")
        lines["sum"].append(f"http_request_duration_seconds_sum {fast * 0.05 + slow * 0.9} {at}")
    duration = [*lines["bucket"], *lines["count"], *lines["sum"]]
    text = [
        "# TYPE http_requests counter",
        *by_series(lines["requests"]),
        "# TYPE http_request_duration_seconds histogram",
    ]
    return "\n".join([*text, *by_series(duration), "# EOF"]) + "\n"


def by_series(lines: list[str]) -> list[str]:
    """As OpenMetrics wants it: one series after the other, each in the order of time."""
    return sorted(lines, key=lambda line: (line.split(" ")[0], int(line.rsplit(" ", 1)[1])))


@contextmanager
def prometheus(folder: Path, text: str) -> Iterator[str]:
    (folder / "samples").write_text(text)
    (folder / "prometheus.yml").write_text("{}")
    fill = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "samples", "data"]
    subprocess.run(fill, cwd=folder, check=True, capture_output=True, timeout=60)
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = f"127.0.0.1:{free.getsockname()[1]}"
    options = [
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        "--storage.tsdb.retention.time=100y",
    ]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            ["prometheus", *options, f"--web.listen-address={place}"], cwd=folder, stdout=log, stderr=log
        ) as running,
    ):
        try:
            _until_ready(place, running)
            yield f"http://{place}"
        finally:
            running.terminate()


def _until_ready(place: str, running: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"http://{place}/-/ready", timeout=5).close()
        except OSError:
            assert running.poll() is None, "Prometheus ended"
            assert time.monotonic() < ends, "Prometheus did not become ready"
            threading.Event().wait(0.05)
        else:
            return


def test_the_charts_are_what_happened(book: Book, tmp_path: Path) -> None:
    facts = book.facts()
    assert facts.recovered is not None
    text = samples(int(facts.opened.timestamp()), int(facts.recovered.timestamp()))
    folder = tmp_path / "prometheus"
    folder.mkdir()
    with prometheus(folder, text) as url:
        content = write_postmortem(
            book.journal, RECORDED["incident_id"], book.folder, Templates(), url, LATER
        ).content
    said = {chart.id: chart.caption for chart in content.charts}
    assert all(chart.source == "Prometheus" for chart in content.charts)
    assert said["errors"].startswith("0 before, at most 5 while")
    assert said["errors"].endswith("0 at the end (failed requests/s)")
    assert re.fullmatch(
        r"(9.9\d|10) before, at most (9.9\d|10) while it lasted, .*\(requests/s\)", said["traffic"]
    )
    assert re.fullmatch(
        r"(9|10)\d before, at most 9\d\d while it lasted, 9\d at the end \(ms\)", said["latency"]
    )
    assert dict(content.impact)["Requests failed"].startswith("about ")
    assert "of what 99.9 % in 30 days allows" in dict(content.impact)["Error budget"]


def test_every_query_is_one_that_prometheus_understands(tmp_path: Path) -> None:
    rules = Templates().rules()
    queries = [chart.query.replace("$window", "1m") for chart in rules.charts] + [rules.requests]
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    queries += [target["expr"].replace("$__range", "30d") for panel in panels for target in panel["targets"]]
    recorded = [{"record": f"q{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "ours", "rules": recorded}]}))
    checked = ["promtool", "check", "rules", str(tmp_path / "rules.yml")]
    done = subprocess.run(checked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{len(queries)} rules found" in done.stdout
