# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""application_check: is the application ready, and if not, why?"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import ModuleType
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _application,
    _crash_loop,
    _database_line,
    _http_check,
    _start_time,
)
from ansible_collections.saveit.remediation.plugins.module_utils._application import Seen, is_good
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._diagnostics import (
    bare,
    capture,
    last_error,
    last_lines,
)
from ansible_collections.saveit.remediation.plugins.module_utils._http_check import Answer, shares
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    Evidence,
    FailedError,
    Finding,
    ObstacleError,
    Result,
)
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, Service, describe
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS, adapter
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "service": {"type": "str", "default": "backend"},
    "url": {"type": "str", "default": ""},
    "backend_service": {"type": "str", "default": "backend"},
    "backend_url": {"type": "str", "default": ""},
    "ready_path": {"type": "str", "default": "/api/v1/health/ready"},
    "live_path": {"type": "str", "default": "/api/v1/health/live"},
    "health_path": {"type": "str", "default": "/api/v1/health"},
    "database_field": {"type": "str", "default": "components.database"},
    "frontend_service": {"type": "str", "default": "frontend"},
    "frontend_url": {"type": "str", "default": ""},
    "frontend_path": {"type": "str", "default": "/health"},
    "database_service": {"type": "str", "default": ""},
    "database_command": {"type": "list", "elements": "str", "default": []},
    "database_timeout_seconds": {"type": "float", "default": 30},
    "database_pattern": {"type": "str", "default": "psycopg|OperationalError|too many clients"},
    "samples": {"type": "int", "default": 24},
    "timeout_seconds": {"type": "float", "default": 5},
    "start_seconds": {"type": "float", "default": 60},
    "started_pattern": {"type": "str", "default": "Application startup complete"},
    "died_pattern": {"type": "str", "default": r"Child process \[\d+\] died"},
    "log_lines": {"type": "int", "default": 100},
    "wait_seconds": {"type": "float", "default": 0},
}
# Seconds, whatever was observed: the host may be busier than it was then. A service that has started and
# hangs is not waited for, so this is the time for one whose log never says that it has started.
LEAST = 60.0
JUST_NOW = 2  # seconds before we asked; what the log says of the database since then is about our answers
RECENT_LINES = 5000  # at most, of the time that is looked back for crashes
AT_ONCE = 32  # requests


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Look and ask; with wait_seconds, again and again while it is starting."""
    if parameters["samples"] < 1:
        raise FailedError(f"cannot check {parameters['service']}: samples must be 1 or more")
    for name in ("database_pattern", "started_pattern", "died_pattern"):
        _pattern(parameters, name)
    waits_until = carrier.now() + (0 if carrier.check_mode else parameters["wait_seconds"])
    result = _check(parameters, carrier)
    while result.verdict == "application-starting" and carrier.now() < waits_until:
        carrier.sleep(1)
        result = _check(parameters, carrier)
    return result


def _check(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    platform = adapter(parameters)
    name, begun = parameters["service"], carrier.now()
    service = platform.look(parameters, carrier, name)
    url = _url(parameters)
    ready = _ask(parameters, url, parameters["samples"]) if service.serves else []
    now = platform.now(parameters, carrier)
    asked_for = carrier.now() - begun
    may = max([parameters["start_seconds"], *(each.start_period for each in service.instances)])
    seen = Seen(service, now, url, ready, asked_for=asked_for, may_start_for=may)
    if service.state != RUNNING or seen.good < len(ready) or _application.is_sick(seen):
        seen = _look_closer(parameters, carrier, platform, seen)
    elif seen.crashes:  # its log tells whether that is over
        seen = _read_log(parameters, carrier, platform, seen)
    found = _application.judge(seen)
    evidence = _evidence(seen)
    if name == parameters["backend_service"]:
        front, more = _look_at_frontend(parameters, carrier, platform)
        found, evidence = [*found, *front], [*evidence, *more]
    if found:
        evidence += capture(service, seen.log, "application")[1:]  # the state is there already
    sick = list(dict.fromkeys(each.subject for each in found))
    states = "; ".join(describe(each) for each in service.instances)
    said = f"{url}: {shares(ready)}" if ready else states
    return Result(
        found[0].id if found else "healthy",
        "; ".join(each.sentence for each in found) or f"{name}: {said}",
        findings=found,
        evidence=evidence,
        returned={
            "sick": sick,
            "start_seconds": _limit(seen, parameters["start_seconds"]),
            "service": service.as_return(),
        },
    )


def _url(parameters: Mapping[str, Any]) -> str:
    """Where the service says whether it is ready; "" when nobody told."""
    if parameters["url"]:
        return str(parameters["url"])
    known = {
        parameters["backend_service"]: (parameters["backend_url"], parameters["ready_path"]),
        parameters["frontend_service"]: (parameters["frontend_url"], parameters["frontend_path"]),
    }
    base, path = known.get(parameters["service"], ("", ""))
    return f"{base}{path}" if base else ""


def _ask(parameters: Mapping[str, Any], url: str, samples: int) -> list[Answer]:
    """All at once, so that each of several workers gets its share and a hang costs one time limit."""
    if not url or samples == 0:
        return []
    if not url.startswith(("http://", "https://")):
        raise FailedError(f"cannot check {parameters['service']}: {url!r} is not an http or https URL")
    asked = {
        "url": url,
        "samples": samples,
        "parallel": min(samples, AT_ONCE),
        "timeout_seconds": parameters["timeout_seconds"],
        "ca_file": "",
    }
    return _http_check.ask(asked, _http_check.get)


def _look_closer(parameters: Mapping[str, Any], carrier: Carrier, platform: ModuleType, seen: Seen) -> Seen:
    """Something is wrong: read the log, and find out whether the database is to blame."""
    service, base = seen.service, parameters["backend_url"]
    is_backend = parameters["service"] == parameters["backend_service"]
    asks = is_backend and service.serves and base
    with ThreadPoolExecutor(max_workers=2) as pool:  # a hang costs one time limit for both
        live = pool.submit(_ask, parameters, f"{base}{parameters['live_path']}", 4 if asks else 0)
        samples = parameters["samples"] if asks else 0
        health = pool.submit(_ask, parameters, f"{base}{parameters['health_path']}", samples)
        told = _read_log(parameters, carrier, platform, seen)
    closer = replace(told, live=live.result())
    if not is_backend:
        return closer
    return replace(closer, database=_database(parameters, carrier, platform, closer, health.result()))


def _read_log(parameters: Mapping[str, Any], carrier: Carrier, platform: ModuleType, seen: Seen) -> Seen:
    """Its last lines, what each instance went through of late, and how long its start took."""
    service = seen.service
    died, started = _pattern(parameters, "died_pattern"), _pattern(parameters, "started_pattern")
    lives = []
    for instance in service.instances:
        # A worker's end is told in fifty lines and more, so the last hundred show one or two of them.
        one = Service(service.name, (instance,))
        recent = last_lines(platform, parameters, carrier, one, RECENT_LINES, _crash_loop.WINDOW)
        lives.append(_crash_loop.life(instance, recent, seen.now, died, started))
    return replace(
        seen,
        log=last_lines(platform, parameters, carrier, service, parameters["log_lines"]),
        lives=lives,
        started_after=_started_after(parameters, carrier, platform, service),
    )


def _started_after(
    parameters: Mapping[str, Any], carrier: Carrier, platform: ModuleType, service: Service
) -> float | None:
    """How long the last start took, of a service that has stopped since too."""
    pattern, limit = _pattern(parameters, "started_pattern"), parameters["start_seconds"]
    return _start_time.observed(parameters, carrier, platform, service.instances[0], pattern, limit)


def _database(
    parameters: Mapping[str, Any],
    carrier: Carrier,
    platform: ModuleType,
    seen: Seen,
    health: Sequence[Answer],
) -> str:
    """Why the database is to blame: by its own state, the health answers, a new connection, the log.

    The one that blames it is believed: a restart in vain is worse than none, with its slots full an outage.
    """
    asleep = _asleep(parameters, carrier, platform, parameters["database_service"])
    if asleep:
        return asleep
    told = [_database_field(each.body, parameters["database_field"]) for each in health]
    bad = [each for each in told if each.get("status") not in (None, "healthy")]
    if bad:
        error = " ".join(str(bad[-1].get("error") or bad[-1]["status"]).split())
        url = f"{parameters['backend_url']}{parameters['health_path']}"
        return f"{url} says of the database, in {len(bad)} of {len(health)} answers: {error}"
    refused = _connects(parameters, carrier, seen.service)
    if refused:
        return refused
    pattern = _pattern(parameters, "database_pattern")
    if refused is None and not seen.good and (seen.deaths or seen.crashes):
        error = last_error(seen.log)
        return f"its log ends with: {error}" if pattern.search(error) else ""
    lines = [line for each in seen.lives for line in each.lines]
    just_now = _since(lines, seen.now - seen.asked_for - JUST_NOW)
    blaming = [bare(line) for line in just_now if pattern.search(line)]
    return f"its log says just now: {blaming[-1]}" if blaming and seen.ready else ""


def _asleep(parameters: Mapping[str, Any], carrier: Carrier, platform: ModuleType, name: str) -> str:
    """The state of a database that does not run; "" when it does, or lives elsewhere."""
    service = _look_if_there(parameters, carrier, platform, name)
    if service is None or service.state == RUNNING:
        return ""
    return "its database does not run: " + "; ".join(describe(each) for each in service.instances)


def _connects(parameters: Mapping[str, Any], carrier: Carrier, service: Service) -> str | None:
    """Connect as the application does, from inside: "" it works, a sentence why not, None nobody knows."""
    command, timeout = parameters["database_command"], parameters["database_timeout_seconds"]
    tried = _database_line.connect(parameters, carrier, service, command, timeout)
    if tried.connected is None:
        return None
    if tried.silent:
        return f"a new connection to the database from {tried.where} gets no answer"
    return (
        "" if tried.connected else f"a new connection to the database from {tried.where} fails: {tried.error}"
    )


def _look_at_frontend(
    parameters: Mapping[str, Any], carrier: Carrier, platform: ModuleType
) -> tuple[list[Finding], list[Evidence]]:
    name = parameters["frontend_service"]
    service = _look_if_there(parameters, carrier, platform, name)
    url = f"{parameters['frontend_url']}{parameters['frontend_path']}" if parameters["frontend_url"] else ""
    runs = service is None or service.serves
    answers = _ask(parameters, url, 4) if runs else []
    bad = sum(1 for each in answers if not is_good(each))
    percent = round(100 * bad / len(answers), 1) if answers else None if runs else 100.0
    said = f"{url}: {shares(answers)}" if answers else "" if runs else f"{name} does not run"
    found = _application.judge_frontend(service, url, answers)
    return found, [
        Evidence("frontend.state", service.state if service else None),
        Evidence("frontend.failed_percent", percent, said),
    ]


def _look_if_there(
    parameters: Mapping[str, Any], carrier: Carrier, platform: ModuleType, name: str
) -> Service | None:
    """A service that this site may not have here."""
    if not name:
        return None
    try:
        service: Service = platform.look(parameters, carrier, name)
    except ObstacleError as obstacle:
        if obstacle.id == "no-service":
            return None
        raise
    return service


def _evidence(seen: Seen) -> list[Evidence]:
    """What recovery is judged by."""
    percent, said = seen.failed_percent, f"{seen.url}: {shares(seen.ready)}" if seen.ready else ""
    if not seen.service.serves:
        percent, said = 100.0, f"{seen.service.name} does not run"
    elif not seen.ready:
        healths = [each.health for each in seen.service.instances if not each.arrives]
        percent = 100.0 if {"unhealthy", "starting"} & set(healths) else 0.0
        said = "no URL is known for it: judged by the state and the health checks of its instances"
    return [
        Evidence("application.state", seen.service.state),
        Evidence("application.failed_percent", percent, said),
        Evidence("application.crashes", seen.crashes),
        Evidence("application.start_seconds", seen.started_after),
        *([Evidence("application.live_failed_percent", *_live(seen))] if seen.live else []),
    ]


def _live(seen: Seen) -> tuple[float, str]:
    bad = sum(1 for each in seen.live if not is_good(each))
    return round(100 * bad / len(seen.live), 1), f"live: {shares(seen.live)}"


def _since(lines: Sequence[str], begin: float) -> list[str]:
    """The log lines from then on, by the engine's time in front of each."""
    times = [parse_time(line.split(" ", 1)[0]) for line in lines]
    return [line for line, time in zip(lines, times) if time is not None and time > begin]


def _limit(seen: Seen, default: float) -> float:
    """How long a start may take: as long as the last one did and some more, or as it says itself."""
    known = _start_time.patience(seen.started_after, seen.service.instances)
    return default if known is None else max(known, LEAST)


def _database_field(body: bytes, path: str) -> Mapping[str, Any]:
    try:
        value: Any = json.loads(body)
    except ValueError:
        return {}
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _pattern(parameters: Mapping[str, Any], name: str) -> re.Pattern[str]:
    try:
        return re.compile(parameters[name])
    except re.error as error:
        raise FailedError(
            f"cannot look for {name}: {parameters[name]!r} is no regular expression: {error}"
        ) from error
