"""The life of an incident from the command line: a run that failed, people, a second run that joins."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    from tests.unit.controller.conftest import Site


def test_a_second_run_joins_what_is_open_and_what_people_said_counts(site: Site) -> None:
    opened = site.run("open", "--incident", "frob", "--severity", "sev3", "--json", "it is slow")
    id_ = json.loads(opened.stdout)["incident_id"]
    twice = site.run("open", "--incident", "frob", "it is still slow")
    assert (twice.returncode, f"{id_} is opened" in twice.stderr) == (4, True)
    no_help = {**site.helped, "result": "no_help"}
    site.publishes(
        {"findings": [site.dead], "actions": [site.kick]}, {"findings": [site.dead], "actions": [no_help]}
    )
    first = site.json("--yes")
    assert (first["incident_id"], first["exit_code"]) == (id_, 3)
    raised = site.run("severity", id_, "sev1", "--reason", "everybody calls")
    assert "says sev1: everybody calls; it was sev2; respond by" in raised.stdout
    assert site.run("ack", id_).returncode == 0
    again = site.run("ack", "last")
    assert (again.returncode, "has already acknowledged it" in again.stderr) == (4, True)
    site.publishes(
        {"findings": [site.dead], "actions": [site.kick]}, {"actions": [site.helped], "evidence": site.good}
    )
    second = site.json("--yes")
    assert (second["incident_id"], second["outcome"]) == (id_, "recovered")
    assert second["severity"] == "sev1", "a person said so, and no rule of the runbook overrules it"
    assert f"saveit-remediate show {id_}" in second["stderr"]
    kinds = [event["kind"] for event in json.loads(site.run("show", id_, "--json").stdout)["events"]]
    assert [kinds[0], *(kind for kind in kinds if kind in ("closed", "acknowledged", "joined"))] == [
        "opened", "joined", "closed", "acknowledged", "joined", "closed",
    ]  # fmt: skip
    third = site.json("--yes")
    assert third["incident_id"] != id_, "the first one is over"
    assert json.loads(site.run("incidents", "--json", "--state", "open").stdout) == []
    assert (
        len(json.loads(site.run("incidents", "--json", "--state", "resolved", "--since", "1h").stdout)) == 2
    )
    assert "cannot assign" in site.run("assign", id_, "bo").stderr


class _Outside(BaseHTTPRequestHandler):
    """A service that answers, and a Prometheus that saw nine of ten requests fail in the last minute."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        body = b"{}"
        if parts.path == "/api/v1/query_range":
            now, failed = time.time(), "5.." in parse_qs(parts.query)["query"][0]
            values = [[now - 900 + 10 * n, "0" if failed else "10"] for n in range(84)]
            values += [[now - 10 * n, "9" if failed else "10"] for n in range(6, -1, -1)]
            result = [{"metric": {}, "values": values}]
            body = json.dumps({"status": "success", "data": {"result": result}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the output is the test's."""


@pytest.fixture
def outside() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Outside)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_impact_makes_it_worse_and_what_is_not_back_stays_open(site: Site, outside: str) -> None:
    site.publishes(
        {"findings": [site.dead], "actions": [site.kick]}, {"actions": [site.helped], "evidence": site.good}
    )
    settings = (site.folder / "saveit-remediate.toml").read_text()
    more = f'prometheus = "{outside}"\nprobes = "shop={outside}/ready"\n'
    site.write("saveit-remediate.toml", settings + more)
    report = site.json("--yes")
    assert (report["severity"], report["outcome"]) == ("sev1", "recovered"), report["sentence"]
    assert (
        "not back to the baseline: 90 % of the requests fail (0 % in the 15 min before)" in report["sentence"]
    )
    told = json.loads(site.run("show", "last", "--json").stdout)
    assert told["state"] == "monitoring"
    events = {event["kind"]: event["payload"] for event in told["events"]}
    assert "impact counts as sev1: 90 % of the requests fail that did not before" in events["assessed"]["why"]
    measured = [event["payload"] for event in told["events"] if event["kind"] == "measured"]
    assert [(one["what"], one["chart"]) for one in measured] == [
        ("probe", "errors"), ("probe", "latency"), ("prometheus", "errors"), ("prometheus", "traffic"),
    ]  # fmt: skip
    assert measured[0]["series"][0][1] == 0, "the service itself answers"
