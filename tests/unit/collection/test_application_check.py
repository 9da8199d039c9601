"""application_check as a whole: what it asks, whom it blames, how long it waits; a host on paper."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _application_check, _http_check
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._http_check import Answer
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result

NOW = 1_795_436_400.0
AHEAD = 7200.0  # the host's clock is two hours ahead of ours
GOOD, BAD, SILENT = Answer(200, 1), Answer(503, 1), Answer(0, 5000, error="missing after 5 s")
DATABASE_DOWN = b'{"components": {"database": {"status": "unhealthy", "error": "sorry, too many clients"}}}'
DATABASE_WELL = b'{"components": {"database": {"status": "healthy"}}}'
READY, LIVE, HEALTH, FRONT = "/api/v1/health/ready", "/api/v1/health/live", "/api/v1/health", "/health"
LOOK = ["ps", "inspect"]


def stamp(time: float) -> str:
    """As the engine writes it."""
    return datetime.fromtimestamp(time + AHEAD, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Host:
    """A Docker host, and what the services on it answer; `called` is the verbs that were used, in order."""

    states: dict[str, str] = field(default_factory=lambda: {"backend": "running", "postgres": "running"})
    pages: dict[str, Sequence[Answer]] = field(default_factory=dict)
    log: Sequence[tuple[float, str]] = ()
    connection: Completed = field(default_factory=lambda: Completed(0, "imported\n", ""))
    begun: float = NOW - 3600
    start_period: float = 0
    health: str = "healthy"
    restarts: int = 4
    time: float = NOW
    slept: float = 0
    called: list[str] = field(default_factory=list)

    def check(self, check_mode: bool = False, **given: Any) -> Result:
        parameters = {name: spec.get("default") for name, spec in _application_check.ARGUMENTS.items()}
        parameters.update(
            platform="compose", backend_url="http://b", frontend_url="http://f", database_service="postgres",
            database_command=["python", "-c", "connect"],
        )  # fmt: skip
        parameters.update(given)
        carrier = Carrier(self.run, lambda: self.time, self.sleep, check_mode)
        return _application_check.run(parameters, carrier)

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.slept += seconds

    def run(self, command: Sequence[str], _stdin: str) -> Completed:
        assert command[:3] == ["timeout", "-k", "1"]
        assert command[4] == "docker"
        verb = command[5]
        self.called.append(verb)
        answers: Mapping[str, Callable[[], str]] = {
            "ps": lambda: "".join(f"{name}\t{name}\tFalse\n" for name in self.states),
            "inspect": lambda: json.dumps([self._container(name) for name in command[6:]]),
            "info": lambda: stamp(self.time).replace("Z", "+00:00\n"),
            "logs": lambda: "".join(f"{line}\n" for line in self._log(command)),
        }
        return self.connection if verb == "exec" else Completed(0, answers[verb](), "")

    def _log(self, command: Sequence[str]) -> list[str]:
        given = dict(word[2:].split("=") for word in command if word.startswith("--") and "=" in word)
        lines = [f"{stamp(time)} {text}" for time, text in self.log]
        return lines[-int(given.get("tail", len(lines))) :] if lines else []

    def _container(self, name: str) -> dict[str, Any]:
        state: dict[str, Any] = {"Status": self.states[name], "StartedAt": stamp(self.begun), "ExitCode": 3}
        state["Health"] = {"Status": self.health}
        config = {"Healthcheck": {"StartPeriod": int(self.start_period * 1e9)}}
        made = {"Id": name, "Name": f"/saveit-{name}", "Config": config}
        return {**made, "State": state, "RestartCount": self.restarts}


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    """All is well."""
    host = Host()
    good = {path: [GOOD] for path in (READY, LIVE, FRONT)}
    host.pages = {**good, HEALTH: [Answer(200, 1, DATABASE_WELL)]}

    def ask(asked: Mapping[str, Any], _get: object) -> list[Answer]:
        assert 0 < asked["samples"] <= asked["parallel"], "a hang costs one time limit"
        path = "/" + asked["url"].split("/", 3)[3]
        pages = host.pages[path]
        return [pages[number % len(pages)] for number in range(asked["samples"])]

    monkeypatch.setattr(_http_check, "ask", ask)
    return host


def ids(result: Result) -> list[str]:
    return [each.id for each in result.findings]


def evidence(result: Result) -> dict[str, Any]:
    return {each.name: each.value for each in result.evidence}


def test_a_healthy_application_is_asked_and_not_looked_into(host: Host) -> None:
    result = host.check()
    assert (result.verdict, list(result.findings)) == ("healthy", [])
    assert host.called == [*LOOK, "info", *LOOK[:1]]  # the backend; this host has no frontend
    assert evidence(result)["application.failed_percent"] == 0
    assert evidence(result)["application.crashes"] == 0  # four restarts, long ago by the engine's clock


def test_the_share_is_said_and_the_log_is_kept(host: Host) -> None:
    host.pages[READY] = [BAD, GOOD, GOOD]
    host.log = [(NOW - 60, "Readiness check failed: warming up")]
    result = host.check()
    assert ids(result) == ["application-not-ready"]
    assert "8 of 24 answers 503" in result.sentence
    seen = evidence(result)
    assert seen["application.log"] == [f"{stamp(NOW - 60)} Readiness check failed: warming up"]
    assert (seen["application.state"], seen["application.restarts"]) == ("running", 4)
    assert seen["application.exit_code"] is None  # it has not ended


def test_the_exit_code_of_a_stopped_one_is_kept(host: Host) -> None:
    host.states["backend"] = "exited"
    result = host.check()
    assert ids(result) == ["service-stopped"]
    assert evidence(result)["application.exit_code"] == 3
    assert evidence(result)["application.failed_percent"] == 100


# Whom is to blame: a restart with the database's slots full would make it a total outage.


def test_a_database_that_sleeps_is_to_blame_and_no_connection_is_tried(host: Host) -> None:
    host.pages[READY] = [BAD]
    host.states["postgres"] = "paused"
    result = host.check()
    assert ids(result) == ["application-database"]
    assert "saveit-postgres is paused" in result.sentence
    assert "exec" not in host.called


def test_the_backend_blames_its_database_with_the_share(host: Host) -> None:
    host.pages[READY] = [BAD, GOOD]
    host.pages[HEALTH] = [Answer(200, 1, DATABASE_DOWN), *[Answer(200, 1, DATABASE_WELL)] * 2]
    result = host.check()
    assert ids(result) == ["application-database"]
    assert "in 8 of 24 answers: sorry, too many clients" in result.sentence


def test_a_new_connection_is_tried_even_when_the_workers_that_answer_are_well(host: Host) -> None:
    host.pages[READY] = [BAD, *[GOOD] * 23]
    host.connection = Completed(1, "imported\n", "Traceback\npsycopg.OperationalError: FATAL: full\n")
    result = host.check()
    assert ids(result) == ["application-database"]
    assert result.sentence.endswith(
        "a new connection to the database from saveit-backend fails: psycopg.OperationalError: FATAL: full"
    )


def test_a_connection_that_hangs_is_told_from_a_backend_that_hangs(host: Host) -> None:
    host.pages = {path: [SILENT] for path in host.pages}
    host.connection = Completed(124, "imported\n", "")
    assert ids(host.check(frontend_url="")) == ["application-database"]
    host.connection = Completed(142, "imported\n", "Alarm clock")
    assert ids(host.check(frontend_url="")) == ["application-database"]
    host.connection = Completed(0, "imported\n", "")
    assert ids(host.check(frontend_url="")) == ["application-unresponsive"]
    host.connection = Completed(124, "", "")  # it did not come as far as the database: nobody knows
    assert ids(host.check(frontend_url="")) == ["application-unresponsive"]


@pytest.mark.parametrize(("age", "expected"), [(1, "application-database"), (3000, "application-not-ready")])
def test_what_the_log_says_just_now_counts_and_what_it_said_long_ago_does_not(
    host: Host, age: float, expected: str
) -> None:
    host.pages[READY] = [BAD, GOOD]
    host.log = [(NOW - age, "Readiness check failed: FATAL:  sorry, too many clients already")]
    assert ids(host.check()) == [expected]


def test_another_service_is_not_asked_about_the_database(host: Host) -> None:
    host.states["worker"] = "running"
    host.pages["/ok"] = [BAD]
    assert ids(host.check(service="worker", url="http://w/ok")) == ["application-not-ready"]
    assert "exec" not in host.called


def test_workers_that_die_again_and_again_show_though_their_last_words_are_long(host: Host) -> None:
    host.pages = {path: [SILENT] for path in host.pages}
    words = ["Traceback (most recent call last):", *['  File "x.py"'] * 60, "KeyError: 'SECRET_KEY'"]
    host.log = [
        (NOW - 8 + 2 * death, text)
        for death in range(4)
        for text in [*words, f"INFO:     Child process [{death}] died"]
    ]
    result = host.check(frontend_url="", log_lines=100)
    assert ids(result) == ["application-crash-loop"]
    assert "4 of its workers died" in result.sentence
    assert "KeyError: 'SECRET_KEY'" in result.sentence


def outage_before(*ago: float) -> list[tuple[float, str]]:
    """Four workers died twice for want of a database, and had all started again so many seconds ago."""
    died = [
        (NOW - ago[-1] - wave, f"INFO:     Child process [{wave}] died") for wave in (8, 8, 8, 8, 3, 3, 3, 3)
    ]
    return [*died, *((NOW - each, "INFO:     Application startup complete.") for each in ago)]


@pytest.mark.parametrize(
    ("answer", "expected"), [(SILENT, "application-unresponsive"), (BAD, "application-not-ready")]
)
@pytest.mark.parametrize("ago", [5, 20, 45])
def test_workers_that_died_for_a_database_that_is_back_are_not_why_it_is_broken_now(
    host: Host, answer: Answer, expected: str, ago: float
) -> None:
    host.pages.update({READY: [answer], LIVE: [answer]})
    host.log = outage_before(ago, ago, ago, ago)
    assert ids(host.check()) == [expected]


def test_a_backend_that_is_paused_after_an_outage_is_paused(host: Host) -> None:
    host.states["backend"], host.log = "paused", outage_before(5)
    assert ids(host.check()) == ["service-paused"]


@pytest.mark.parametrize(
    ("begun", "started", "crashes"),
    [(NOW - 20, NOW - 12, 0), (NOW - 20, None, 4), (NOW - 3600, None, 0)],
)
def test_a_start_that_was_completed_and_lives_ends_a_row_of_crashes(
    host: Host, begun: float, started: float | None, crashes: int
) -> None:
    """Else a backend that has recovered by itself would not be seen to, until a minute is over."""
    host.begun, host.log = begun, [(started, "Application startup complete.")] if started else []
    result = host.check()
    assert (result.verdict, evidence(result)["application.crashes"]) == ("healthy", crashes)


@pytest.mark.parametrize(
    ("health", "up", "expected"),
    [
        ("healthy", 3600, []),
        ("", 3600, []),
        ("unhealthy", 3600, ["application-not-ready"]),
        ("starting", 20, ["application-starting"]),
        ("starting", 3600, ["application-not-ready"]),
    ],
)
def test_without_an_address_the_health_check_of_the_container_counts(
    host: Host, health: str, up: float, expected: list[str]
) -> None:
    host.states["worker"] = "running"
    host.health, host.begun, host.restarts = health, NOW - up, 0
    result = host.check(service="worker")
    assert ids(result) == expected
    bad = health in ("unhealthy", "starting")
    assert evidence(result)["application.failed_percent"] == (100 if bad else 0)


# Waiting times come from the service's own starts.


def start(host: Host, took: float, ready_after: float) -> None:
    """It was started this moment, logs after `took` that it has, and is ready after `ready_after`."""
    host.begun, host.restarts = NOW, 0
    host.log = [(NOW + took, "INFO:     Application startup complete.")]

    class Pages(dict[str, Sequence[Answer]]):
        def __getitem__(self, path: str) -> Sequence[Answer]:
            if host.time < NOW + took:
                host.log, kept = [], host.log
                later.append(kept)
            elif later:
                host.log = later[0]
            return [GOOD] if host.time >= NOW + ready_after else [SILENT]

    later: list[Sequence[tuple[float, str]]] = []
    host.pages = Pages()


def test_a_backend_that_takes_19_seconds_is_waited_for(host: Host) -> None:
    start(host, took=18.5, ready_after=19)
    result = host.check(frontend_url="", wait_seconds=45)
    assert result.verdict == "healthy"
    assert host.slept == 19


def test_a_backend_that_has_started_and_hangs_is_not_waited_for(host: Host) -> None:
    start(host, took=2, ready_after=35)
    result = host.check(frontend_url="", wait_seconds=45)
    assert ids(result) == ["application-unresponsive"]
    assert host.slept == 2


def test_a_start_that_never_ends_is_given_up_after_its_time(host: Host) -> None:
    start(host, took=9999, ready_after=9999)
    result = host.check(frontend_url="", wait_seconds=30, start_seconds=30)
    assert ids(result) == ["application-unresponsive"]
    assert host.slept == 30


def test_check_mode_does_not_wait(host: Host) -> None:
    start(host, took=18, ready_after=19)
    result = host.check(check_mode=True, frontend_url="", wait_seconds=45)
    assert (ids(result), host.slept) == (["application-starting"], 0)


@pytest.mark.parametrize(("took", "limit"), [(2.0, 60), (25.0, 75), (200.0, 300), (None, 60)])
def test_a_start_may_take_three_times_what_the_last_one_took(
    host: Host, took: float | None, limit: float
) -> None:
    host.states["backend"] = "exited"  # the log of a stopped one still tells
    host.log = [] if took is None else [(host.begun + took, "Application startup complete")]
    assert host.check().returned["start_seconds"] == limit


def test_a_service_that_says_itself_how_long_its_start_takes_is_believed(host: Host) -> None:
    host.begun, host.start_period, host.restarts = NOW - 100, 120, 0
    host.pages[READY] = host.pages[LIVE] = [SILENT]
    result = host.check()
    assert ids(result) == ["application-starting"]
    assert result.returned["start_seconds"] == 120


# Bad input.


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"samples": 0}, "samples must be 1 or more"),
        ({"died_pattern": "("}, "cannot look for died_pattern: '\\(' is no regular expression"),
        ({"url": "ftp://b"}, "'ftp://b' is not an http or https URL"),
    ],
)
def test_bad_input_is_a_sentence(host: Host, given: dict[str, Any], words: str) -> None:
    with pytest.raises(FailedError, match=words):
        host.check(**given)
