# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with an application, from what was seen of it: verdicts, without a connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._crash_loop import (
    WINDOW,
    Life,
    dying,
    restarts,
)
from ansible_collections.saveit.remediation.plugins.module_utils._diagnostics import last_error
from ansible_collections.saveit.remediation.plugins.module_utils._http_check import Answer, shares
from ansible_collections.saveit.remediation.plugins.module_utils._result import Finding
from ansible_collections.saveit.remediation.plugins.module_utils._service import (
    PENDING,
    RUNNING,
    Service,
    describe,
    findings,
)
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

LOOP = 2  # restarts by the engine that are no accident any more
CONTEXT = ("service-rollout", "service-paused-rollout")  # worth telling, and not why it does not serve
DEATHS = 3  # workers that died of late and go on dying, and none of them ready


@dataclass(frozen=True)
class Seen:
    """What was seen of the application; an empty list of answers means that it was not asked."""

    service: Service
    now: float
    url: str = ""
    ready: Sequence[Answer] = ()
    live: Sequence[Answer] = ()
    database: str = ""  # why the database is at fault, "" when it is not or nobody knows
    log: Sequence[str] = ()
    lives: Sequence[Life] = ()  # of its instances; without them the engine's word alone counts
    started_after: float | None = None  # how long its start took, None when it has not ended or is not logged
    asked_for: float = 0  # seconds that asking took, until `now`
    may_start_for: float = 0  # how long a start may take

    @property
    def good(self) -> int:
        """How many answers say that it is ready."""
        return sum(1 for each in self.ready if is_good(each))

    @property
    def crashes(self) -> int:
        """How often the engine has restarted what crashes now; 0 when it crashed a while ago."""
        return sum(restarts(each, self.now) for each in self.lives or map(Life, self.service.instances))

    @property
    def deaths(self) -> int:
        """How many workers died of late, where more of them are about to; 0 when that is over."""
        return sum(dying(each, self.now) for each in self.lives)

    @property
    def failed_percent(self) -> float | None:
        """The share of answers that do not; None, "no data", when it was not asked."""
        return round(100 * (1 - self.good / len(self.ready)), 1) if self.ready else None


def is_good(answer: Answer) -> bool:
    """Ready is a status of 2xx, nothing else."""
    return 200 <= answer.status < 300


def uptime(service: Service, now: float) -> float | None:
    """Seconds since the newest instance was started; None when none has."""
    begun = [parse_time(each.started_at) for each in service.instances]
    known = [each for each in begun if each is not None]
    return max(0.0, now - max(known)) if known else None


def judge(seen: Seen) -> list[Finding]:
    """The findings about the service itself, cause first; none when it is well."""
    name = seen.service.name
    failing = bool(seen.ready) and seen.good < len(seen.ready)
    told = platform_says(seen)
    if seen.service.state == RUNNING and not failing:
        sick = any(each.id not in CONTEXT for each in told)
        return [*told, *unhealthy(seen), *(_nobody_serves(seen) if sick else ())]
    found = [*told]
    if seen.database:
        found.insert(0, Finding("application-database", name, f"{name} cannot serve: {seen.database}"))
    if any(each.id not in CONTEXT for each in told):
        return [*found, *_nobody_serves(seen)]
    loop = _crash_loop(seen)
    if loop:
        return [*found, Finding("application-crash-loop", name, loop)]
    if seen.service.state in ("restarting", PENDING):  # once is no loop, and it comes back by itself
        states = "; ".join(describe(each) for each in seen.service.in_state("restarting", PENDING))
        return [*found, Finding("application-starting", name, f"{name}: {states}")]
    if seen.service.state != RUNNING:
        return [*found, *findings(seen.service)]
    return found if seen.database else [*found, _of_answers(seen)]


def is_sick(seen: Seen) -> bool:
    """Is there a reason to look closer, besides answers?"""
    told = [each for each in platform_says(seen) if each.id not in CONTEXT]
    return bool(told or unhealthy(seen))


def _nobody_serves(seen: Seen) -> list[Finding]:
    name, instances = seen.service.name, seen.service.instances
    if any(each.health == "healthy" for each in instances):
        return []
    there = [each for each in instances if each.id]
    why = f"none of its {len(there)} pods is ready" if there else "it has no pods"
    return [Finding("application-down", name, f"{name} serves nobody: {why}")]


def platform_says(seen: Seen) -> list[Finding]:
    """What a platform that looks after its instances knows to be wrong; nothing where it does not."""
    if not seen.service.workload:
        return []
    early = starts(seen)  # its probes may give it less time than it is known to need
    troubles = {each.trouble for each in seen.service.instances if not (early and each.health == "starting")}
    known = troubles | {each.id for each in seen.service.troubles}
    return [each for each in findings(seen.service) if each.id in known]


def starts(seen: Seen) -> bool:
    """May it still be starting? Not when its log says that it has."""
    up = uptime(seen.service, seen.now)
    return seen.started_after is None and up is not None and up < seen.may_start_for


def unhealthy(seen: Seen) -> list[Finding]:
    """What the containers' own health checks say, where nobody told an address to ask."""
    by_health = {each.health: each.name for each in seen.service.instances}
    up = uptime(seen.service, seen.now)
    if seen.ready:
        return []
    if seen.service.workload:
        return _unready(seen)
    name = seen.service.name
    if "unhealthy" in by_health:
        sentence = f"{name}: the health check of {by_health['unhealthy']} fails"
        return [Finding("application-not-ready", name, sentence)]
    if "starting" in by_health:
        sentence = f"{name} is starting: the health check of {by_health['starting']} has not passed yet"
        is_early = up is not None and up < seen.may_start_for
        return [Finding("application-starting" if is_early else "application-not-ready", name, sentence)]
    return []


def _unready(seen: Seen) -> list[Finding]:
    """Of a workload no pod is ready, and they may still be starting; its platform tells of anything else."""
    if any(each.health == "healthy" for each in seen.service.instances):
        return []
    early = [
        each
        for each in seen.service.instances
        if each.health == "starting" and (not each.trouble or starts(seen))
    ]
    name = seen.service.name
    sentence = f"{name} is starting: {'; '.join(describe(each) for each in early)}"
    return [Finding("application-starting", name, sentence)] if early else []


def _crash_loop(seen: Seen) -> str:
    """Why it is a crash loop; "" when it is none."""
    name, error = seen.service.name, last_error(seen.log)
    said = f"; its log ends with: {error}" if error else "; its log is empty"
    count = seen.crashes
    if count >= LOOP:
        # A container that runs at this moment has no exit code.
        codes = sorted({each.exit_code for each in seen.service.in_state("restarting", "stopped")})
        ended = f", last exit code {', '.join(map(str, codes))}" if codes else ""
        return f"{name} crashes again and again: restarted {count} times by the engine{ended}{said}"
    if seen.deaths >= DEATHS and not seen.good:
        return f"{name}: {seen.deaths} of its workers died in the last {WINDOW} s{said}"
    return ""


def _of_answers(seen: Seen) -> Finding:
    name = seen.service.name
    sentence = f"{name}: {seen.url}: {shares(seen.ready)}"
    if seen.live:
        sentence += f" (live: {shares(seen.live)})"
    up = uptime(seen.service, seen.now)
    if up is not None and starts(seen):
        since = f"started {up:.0f} s ago and may take {seen.may_start_for:.0f} s"
        return Finding("application-starting", name, f"{name} is starting: {since}; {shares(seen.ready)}")
    bad = [each for each in seen.ready if not is_good(each)]
    if any(each.status == 0 for each in bad):
        return Finding("application-unresponsive", name, sentence)
    if any(each.status >= 500 for each in bad):
        return Finding("application-not-ready", name, sentence)
    return Finding("application-unknown", name, sentence)


def judge_frontend(service: Service | None, url: str, answers: Sequence[Answer]) -> list[Finding]:
    """The findings about the frontend; none when it is well or not there."""
    told = findings(service) if service is not None else []
    if service is not None and not service.serves:
        return told
    if answers and not all(map(is_good, answers)):
        name = service.name if service else "frontend"
        return [*told, Finding("frontend-failing", name, f"{name}: {url}: {shares(answers)}")]
    return told
