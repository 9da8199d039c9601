"""Why an application does not serve: verdicts by what was seen, and containers made anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _application, _compose_recreate
from ansible_collections.saveit.remediation.plugins.module_utils._application import Seen
from ansible_collections.saveit.remediation.plugins.module_utils._diagnostics import last_error
from ansible_collections.saveit.remediation.plugins.module_utils._http_check import Answer
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._service import Instance, Service
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

STARTED = "2026-11-23T02:47:11.123456789Z"
BEGUN = parse_time(STARTED) or 0.0
GOOD, BAD, SILENT = Answer(200, 1), Answer(503, 1), Answer(0, 5000, error="missing after 5 s")


def seen(answers: Sequence[Answer] = (), state: str = "running", up: float = 3600, **more: Any) -> Seen:
    instance = Instance("1", "saveit-backend", state, exit_code=1, restarts=more.pop("restarts", 0),
                        started_at=STARTED)  # fmt: skip
    return Seen(Service("backend", (instance,)), BEGUN + up, "http://x/ready", answers, **more)


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
        (seen([SILENT], deaths=4), ["application-crash-loop"]),
        (seen([GOOD, SILENT], deaths=4), ["application-unresponsive"]),
    ],
)
def test_a_finding_for_what_was_seen(what: Seen, expected: list[str]) -> None:
    assert [each.id for each in _application.judge(what)] == expected


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
