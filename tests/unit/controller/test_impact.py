"""How bad it is, from what was measured, and whether it is as it was before: rows of numbers."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from saveit_remediate.catalog.checks import Node, load_yaml
from saveit_remediate.catalog.policy import Sections
from saveit_remediate.catalog.policy_severities import read_severities
from saveit_remediate.impact import Impact, Probed, Requests, compare, probed, propose, requests_of
from saveit_remediate.report.prometheus import Answer
from saveit_remediate.respond.measuring import Measuring
from saveit_remediate.respond.probing import Probes, Sample, answer, series_of

POLICY = Path(__file__).parents[3] / (
    "collections/ansible_collections/saveit/remediation/roles/ladder/files/policy.yml"
)
_node = Node(load_yaml(POLICY), POLICY)
KNOWN = read_severities(Sections(_node, _node))
UP, DOWN = Probed("backend", 5, 5), Probed("backend", 0, 5, "status 503")
FRONT = Probed("frontend", 5, 5)


def impact(*seen: Probed, requests: Requests | None = None) -> Impact:
    return Impact(seen, requests or Requests(), asked_prometheus=requests is not None)


@pytest.mark.parametrize(
    ("seen", "severity", "words"),
    [
        (impact(DOWN), "sev1",
         "impact counts as sev1: 1 of 1 services do not answer (backend: 5 of 5 probes"),
        (impact(DOWN, FRONT), "sev2",
         "1 of 2 services do not answer (backend: 5 of 5 probes failed (status 503))"),
        (impact(UP, FRONT), None, "all 10 probes of backend, frontend were answered"),
        (impact(Probed("backend", 3, 5), FRONT), None, "backend: 2 of 5 probes failed"),
        (impact(Probed("backend", 0, 0)), None, "no probe came to an end yet"),
        (impact(requests=Requests(19, 20, 0, 20)), "sev1", "95 % of the requests fail that did not before"),
        (impact(requests=Requests(6, 20, 0, 20)), "sev2",
         "30 % of the requests fail (0 % in the 15 min before)"),
        (impact(requests=Requests(0.4, 20, 0, 20)), "sev3", "2 % of the requests fail"),
        # It was so before: what always fails is no incident.
        (impact(requests=Requests(6, 20, 6, 20)), None,
         "30 % of the requests fail (30 % in the 15 min before)"),
        (impact(requests=Requests(0, 1, 0, 50)), "sev1", "2 % of the traffic are left"),
        (impact(requests=Requests(0, 20, 0, 50)), "sev2", "40 % of the traffic are left"),
        (impact(requests=Requests(0, 0, 0, 50)), "sev1", "0 % of the traffic are left"),
        (impact(requests=Requests(0, 0, 0, 0)), None, "no data"),
        (impact(requests=Requests(1, 4, None, None)), "sev2", "(no data in the 15 min before)"),
        (impact(requests=Requests(why="connection refused")), None,
         "Prometheus: no data (connection refused)"),
        (impact(DOWN, FRONT, requests=Requests(why="an empty result")), "sev2",
         "Prometheus: no data (an empty"),
        (impact(), None, ""),
    ],
)  # fmt: skip
def test_a_severity_is_proposed_with_its_sentence(seen: Impact, severity: str | None, words: str) -> None:
    found, sentence = propose(seen, KNOWN)
    assert (found and str(found)) == severity, sentence
    assert words in sentence


@pytest.mark.parametrize(
    ("seen", "word", "words"),
    [
        (impact(requests=Requests(0, 20, 0, 20)), "back",
         "0 % of the requests fail (0 % in the 15 min before)"),
        (impact(requests=Requests(2, 20, 0, 20)), "not-back",
         "not back to the baseline: 10 % of the requests"),
        (impact(requests=Requests(0.1, 20, 0, 20)), "back", "0.5 %"),
        (impact(UP, requests=Requests(why="an empty result")), "back", "by our own probes"),
        (impact(DOWN, requests=Requests(0, 20, 0, 20)), "not-back", "backend: 5 of 5 probes failed"),
        (impact(requests=Requests(why="an empty result")), "no-data", "no data (an empty result)"),
        (impact(Probed("backend", 0, 0)), "no-data", "against the baseline: no data"),
    ],
)  # fmt: skip
def test_recovery_is_compared_with_what_was_before(seen: Impact, word: str, words: str) -> None:
    found = compare(seen, 1.0)
    assert (found.word, words in found.sentence) == (word, True), found.sentence


def test_usual_is_the_median_before_so_a_fault_that_began_before_the_alert_is_not() -> None:
    every = [(float(at), 10.0) for at in range(100, 1000, 10)]
    failed = [(at, 9.0 if at >= 800 else 0.0) for at, _ in every]
    found = requests_of(failed, every, opened=900, window=800)
    assert (found.percent, found.percent_before, found.left) == (90, 0, 100)


def test_an_old_value_says_nothing_about_now() -> None:
    found = requests_of([(100.0, 5.0), (900.0, None)], [(100.0, 9.0), (900.0, None)], 500, 500)
    assert (found.failed, found.all, found.failed_before) == (None, None, 5)


def test_only_the_probes_since_a_moment_count() -> None:
    samples = {"backend": [(1.0, None, "status 503"), (9.0, 4.0, ""), (11.0, None, "no answer")]}
    assert probed(samples, 5) == (Probed("backend", 1, 2, "no answer"),)


def test_the_probes_become_series_for_charts() -> None:
    samples: dict[str, list[Sample]] = {"a": [(10.1, 5.0, ""), (12.1, None, "x")], "b": [(10.3, 7.0, "")]}
    assert series_of(samples, 2.0) == {"errors": [[10, 0], [12, 0.5]], "latency": [[10, 7], [12, None]]}


def test_prometheus_is_asked_for_the_window_before_and_an_away_one_only_once() -> None:
    asked: list[tuple[str, float]] = []

    def ask(_url: str, query: str, start: float, _end: float, _step: float, seconds: float) -> Answer:
        asked.append((query, start))
        return Answer(why="it does not answer", away=True)

    found = Measuring(10_000.0, "http://127.0.0.1:1", KNOWN, ask=ask)
    assert found.baseline(30).word == "no-data"  # type: ignore[union-attr]
    assert asked == [("sum(rate(http_requests_total[30s]))", 10_000.0 - 900)]
    assert found.proposal() == (None, "Prometheus: no data (it does not answer)")


def test_without_probes_and_prometheus_nothing_is_said() -> None:
    assert (Measuring(0.0).proposal(), Measuring(0.0).baseline(9)) == ((None, ""), None)


def test_the_probes_go_on_until_they_are_stopped() -> None:
    said = iter(["", "status 503", ""])

    def get(_url: str) -> str:
        why = next(said)
        if next(left) == 0:
            probes.stop()
        return why

    left = iter([2, 1, 0])
    probes = Probes({"backend": "http://x"}, get=get, every=0.001)
    probes.start()
    assert probes.over.wait(5)
    for _ in range(500):
        if len(probes.samples["backend"]) == 3:
            break
        time.sleep(0.002)
    assert [one[2] for one in probes.samples["backend"]] == ["", "status 503", ""]
    assert probes.samples["backend"][1][1] is None


def test_a_port_where_nobody_listens_is_no_answer() -> None:
    assert "refused" in answer("http://127.0.0.1:9/")
