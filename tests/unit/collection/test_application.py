"""Why an application does not serve: verdicts by what was seen, and containers made anew."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _application, _compose_recreate
from ansible_collections.saveit.remediation.plugins.module_utils._application import Seen
from ansible_collections.saveit.remediation.plugins.module_utils._crash_loop import life
from ansible_collections.saveit.remediation.plugins.module_utils._diagnostics import last_error
from ansible_collections.saveit.remediation.plugins.module_utils._http_check import Answer
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._service import Instance, Service
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

STARTED = "2026-11-23T02:47:11.123456789Z"
BEGUN = parse_time(STARTED) or 0.0
OUTAGE = [8.5, 8.0, 3.5, 3.0]  # seconds ago, that a worker died
GOOD, BAD, SILENT = Answer(200, 1), Answer(503, 1), Answer(0, 5000, error="missing after 5 s")


def seen(answers: Sequence[Answer] = (), state: str = "running", up: float = 3600, **more: Any) -> Seen:
    """`died` and `started` are seconds ago: workers that died, starts that were completed, by its log."""
    now = BEGUN + up
    ended = more.pop("ended", None)  # seconds ago: a stopped one, or the life before this one
    instance = Instance("1", "saveit-backend", state, exit_code=1, restarts=more.pop("restarts", 0),
                        started_at=STARTED, finished_at=_stamp(now - ended) if ended else "")  # fmt: skip
    lines = [f"{_stamp(now - ago)} Child process [9] died" for ago in more.pop("died", ())]
    lines += [f"{_stamp(now - ago)} Application startup complete" for ago in more.pop("started", ())]
    lives = [life(instance, lines, now, re.compile("died"), re.compile("complete"))]
    return Seen(Service("backend", (instance,)), now, "http://x/ready", answers, lives=lives, **more)


def _stamp(time: float) -> str:
    """As the engine writes it."""
    return datetime.fromtimestamp(time, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (seen([GOOD] * 4), []),
        (seen([GOOD] * 4, database="refused"), []),  # a healthy service gets no finding
        (seen([GOOD] * 7 + [BAD] * 5), ["application-not-ready"]),
        (seen([SILENT] * 4), ["application-unresponsive"]),
        (seen([GOOD, SILENT, BAD]), ["application-unresponsive"]),
        (seen([Answer(404, 1)]), ["application-unknown"]),
        (seen([BAD] * 4, database="too many clients"), ["application-database"]),
        (seen([SILENT], up=5, may_start_for=45), ["application-starting"]),
        (seen([SILENT], up=5, may_start_for=45, started_after=2.0), ["application-unresponsive"]),
        (seen([SILENT], up=50, may_start_for=45), ["application-unresponsive"]),
        (seen(state="stopped"), ["service-stopped"]),
        (seen(state="paused"), ["service-paused"]),
        (seen(state="stopped", database="stopped"), ["application-database", "service-stopped"]),
        (seen(state="restarting", restarts=1), ["application-starting"]),
        (seen(state="restarting", restarts=2), ["application-crash-loop"]),
        (seen([SILENT], up=5, restarts=4), ["application-crash-loop"]),
        (seen([SILENT], up=3600, restarts=4), ["application-unresponsive"]),  # long ago
        (seen([SILENT], died=OUTAGE), ["application-crash-loop"]),
        (seen([GOOD, SILENT], died=OUTAGE), ["application-unresponsive"]),
    ],
)
def test_a_finding_for_what_was_seen(what: Seen, expected: list[str]) -> None:
    assert [each.id for each in _application.judge(what)] == expected


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        # Its workers died for want of a database, and started when it was back; now something else is wrong.
        (seen([SILENT], died=[40, 39, 38, 37], started=[35, 35, 34, 34]), "application-unresponsive"),
        (seen([BAD], died=[12, 11, 10, 9], started=[6, 6, 5, 5]), "application-not-ready"),
        (seen(state="paused", died=OUTAGE), "service-paused"),
        (seen(state="stopped", ended=1, died=OUTAGE), "service-stopped"),
        # Its log does not say when it has started: nobody died for longer than it took them before.
        (seen([SILENT], died=[30, 28, 26]), "application-unresponsive"),
        # They died in the container's life before this one.
        (seen([SILENT], up=10, died=[14, 13, 12, 11], started_after=3.0), "application-unresponsive"),
        # The engine started it again and again; the last start was completed and outlived those before.
        (seen([SILENT], up=30, restarts=4, ended=32, started=[25]), "application-unresponsive"),
        (seen([BAD], up=30, restarts=4, ended=32, started=[40, 25]), "application-not-ready"),
        (seen(state="stopped", up=50, restarts=4, ended=2, started=[45]), "service-stopped"),
    ],
)
def test_what_crashed_a_while_ago_does_not_crash_now(what: Seen, expected: str) -> None:
    assert [each.id for each in _application.judge(replace(what, started_after=1.0))] == [expected]
    assert (what.deaths, what.crashes) == (0, 0)


@pytest.mark.parametrize(
    "what",
    [
        seen([SILENT], died=[24, 23, 13, 12, 2]),  # between two deaths
        seen([SILENT], died=[55, 30, 5]),  # a worker takes its time to die
        seen([SILENT], died=[30, 20, 10, 1], started=[59, 25, 15, 5]),  # each start is completed, and ends
        seen([SILENT], died=[31, 21, 11], started=[35, 25, 15, 5]),
        seen([SILENT], up=5, restarts=4, ended=6),
        seen([SILENT], up=12, restarts=4, ended=13, started=[26, 8]),  # 13 s is how long the last one lived
        seen(state="stopped", up=9, restarts=4, ended=5),  # the engine has given it up
    ],
)
def test_what_crashes_now_is_a_crash_loop_between_two_crashes_too(what: Seen) -> None:
    assert [each.id for each in _application.judge(what)] == ["application-crash-loop"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-23T02:47:11Z", 0),
        ("2026-11-23T02:47:11.250000001Z", 0.25),
        ("2026-11-23T04:47:11.25+02:00", 0.25),  # the clock of an engine that has a time zone
        ("2026-11-22T21:17:11-05:30", 0),
        ("2026-11-23T02:47:11", None),
        ("2026-13-23T02:47:11Z", None),
        ("Traceback (most recent call last):", None),
        ("", None),
    ],
)
def test_the_engines_time(text: str, seconds: float | None) -> None:
    begun = parse_time("2026-11-23T02:47:11Z")
    assert begun == 1_795_402_031
    assert parse_time(text) == (None if seconds is None else pytest.approx(begun + seconds, abs=1e-5))


def test_the_share_is_in_the_sentence() -> None:
    (finding,) = _application.judge(seen([GOOD] * 7 + [BAD] * 5))
    assert "5 of 12 answers 503" in finding.sentence


def test_a_crash_loop_is_told_with_exit_code_and_last_error() -> None:
    log = [
        "2026-11-23T02:47:11Z Traceback (most recent call last):",
        "2026-11-23T02:47:12Z RuntimeError: no key",
    ]
    (finding,) = _application.judge(seen(state="restarting", restarts=3, log=log))
    assert "restarted 3 times" in finding.sentence
    assert "exit code 1" in finding.sentence
    assert finding.sentence.endswith("RuntimeError: no key")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], ""),
        (["2026-11-23T02:47:11Z served"], "served"),
        (["ERROR: bad", "served"], "ERROR: bad"),
        (["ValueError: x", "ERROR:    Application startup failed. Exiting."], "ValueError: x"),
        (["sqlalchemy.exc.OperationalError: refused", "other"], "sqlalchemy.exc.OperationalError: refused"),
    ],
)
def test_the_line_that_says_most(lines: list[str], expected: str) -> None:
    assert last_error(lines) == expected


FILE = "/srv/saveit/compose.yml"
CONTAINER: dict[str, Any] = {
    "Image": "sha256:1",
    "Config": {
        "Image": "saveit:1",
        "Labels": {
            "com.docker.compose.service": "backend",
            "com.docker.compose.project.config_files": FILE,
            "com.docker.compose.project.working_dir": "/srv/saveit",
        },
    },
}
PARAMETERS = {"project": "saveit", "docker_command": ["docker"], "compose_command": []}
IMAGE = ["docker", "image", "inspect", "--format={{.Id}}", "saveit:1"]
BASE = ["--project-name", "saveit", "--project-directory", "/srv/saveit", "--file", FILE]


def test_the_command_is_made_of_the_containers_own_labels_with_the_old_tool(conversation: Any) -> None:
    conversation.expect(["test", "-r", FILE]).expect(IMAGE, "sha256:1\n")
    conversation.expect(["docker", "compose", "version", "--short"], rc=1, stderr="unknown command")
    conversation.expect(["docker-compose", "version", "--short"], "1.29.2")
    conversation.expect(["docker-compose", *BASE, "config", "--quiet"])
    command = _compose_recreate.command(PARAMETERS, conversation.carrier(), CONTAINER, 3)
    up = ["up", "--detach", "--no-deps", "--no-build", "--force-recreate", "--timeout=3", "backend"]
    assert command == ["docker-compose", *BASE, *up]


def test_files_that_are_gone_are_told(conversation: Any) -> None:
    conversation.expect(["test", "-r", FILE], rc=1)
    with pytest.raises(FailedError, match=r"/srv/saveit/compose.yml, .* is not on this host"):
        _compose_recreate.command(PARAMETERS, conversation.carrier(), CONTAINER, 3)


def test_another_image_would_be_a_deployment(conversation: Any) -> None:
    conversation.expect(["test", "-r", FILE]).expect(IMAGE, "sha256:2\n")
    with pytest.raises(FailedError, match="would be a deployment"):
        _compose_recreate.command(PARAMETERS, conversation.carrier(), CONTAINER, 3)


def test_an_unset_variable_would_be_lost(conversation: Any) -> None:
    conversation.expect(["test", "-r", FILE]).expect(IMAGE, "sha256:1\n")
    conversation.expect(["docker", "compose", "version", "--short"], "2.40.3")
    warning = 'The "API_KEY" variable is not set. Defaulting to a blank string.'
    conversation.expect(["docker", "compose", *BASE, "config", "--quiet"], stderr=warning)
    with pytest.raises(FailedError, match="API_KEY is not set"):
        _compose_recreate.command(PARAMETERS, conversation.carrier(), CONTAINER, 3)


def test_a_container_without_labels(conversation: Any) -> None:
    with pytest.raises(FailedError, match="does not say which compose file"):
        _compose_recreate.command(PARAMETERS, conversation.carrier(), {"Config": {"Labels": None}}, 3)
