"""Translate the events of ansible-runner to ours, and keep what the result is made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from saveit_remediate.redact import redact, redact_data
from saveit_remediate.run.contract import plain
from saveit_remediate.run.result import Failure, RemedyEvent, RunEvent, StepFinished, StepStarted

_KEY = "remediation"
# Tasks that only lead to other tasks are no step that a person wants to see, unless they fail.
_LEADING = ("include_tasks", "include_role", "import_tasks", "import_role", "validate_argument_spec", "meta")
_TAIL = 40  # lines of what Ansible printed, kept for messages
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Recorder:
    """Takes every event of a run; `tell` gets the translated ones at once."""

    tell: Callable[[RunEvent], None]
    published: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    artifact: Mapping[str, Any] | None = None
    stats_seen: bool = False
    no_hosts: bool = False
    hosts: dict[str, None] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)
    failed: frozenset[str] = frozenset()

    def take(self, event: Mapping[str, Any]) -> None:
        """One event, as ansible-runner gives it."""
        kind = str(event.get("event", ""))
        data = _mapping(event.get("event_data"))
        self._keep_output(event.get("stdout"))
        host, task = str(data.get("host") or ""), str(data.get("task") or "")
        action = str(data.get("task_action") or "").rpartition(".")[2]
        if kind == "runner_on_start":
            self.hosts[host] = None
            if action not in _LEADING:
                self.tell(StepStarted(host, task))
        elif kind in ("runner_on_ok", "runner_on_failed", "runner_on_skipped", "runner_on_unreachable"):
            self.hosts[host] = None
            self._finished(kind.removeprefix("runner_on_"), host, task, action, data)
        elif kind == "playbook_on_no_hosts_matched":
            self.no_hosts = True
        elif kind == "playbook_on_stats":
            self.stats_seen = True
            self.hosts |= dict.fromkeys(str(name) for name in _mapping(data.get("processed")))
            # Counted here only when nothing rescued it; the events also tell of rescued failures.
            self.failed = frozenset(str(name) for name in _mapping(data.get("failures")))
            artifact = _mapping(data.get("artifact_data")).get(_KEY)
            self.artifact = redact_data(artifact) if isinstance(artifact, Mapping) else None

    def _finished(self, kind: str, host: str, task: str, action: str, data: Mapping[str, Any]) -> None:
        result = _mapping(data.get("res"))
        ignored = kind == "failed" and bool(data.get("ignore_errors"))
        shown = "changed" if kind == "ok" and result.get("changed") is True else kind
        sentence = message_of(result) if kind in ("failed", "unreachable") else ""
        self._keep_publication(host, result)
        for item in _events_of(result):
            self.tell(_remedy_event(item, host))
        if kind == "unreachable":
            self.unreachable[host] = sentence
        elif kind == "failed" and not ignored:
            self.failures.append(Failure(host, task, sentence, _missing(result), _outcome(result)))
        if action in _LEADING and kind in ("ok", "skipped"):
            return
        seconds = data.get("duration")
        self.tell(
            StepFinished(
                host, task, shown, float(seconds) if isinstance(seconds, int | float) else 0.0, sentence
            )
        )

    def _keep_publication(self, host: str, result: Mapping[str, Any]) -> None:
        """`artifact_data` keeps only one host's lists when several publish, so each is read as it is made."""
        stats = result.get("ansible_stats")
        data = stats.get("data") if isinstance(stats, Mapping) else None
        if isinstance(data, Mapping) and isinstance(data.get(_KEY), Mapping):
            self.published[host] = redact_data(data[_KEY])

    def _keep_output(self, text: Any) -> None:
        if text:
            self.tail += [line for line in redact(_COLOUR.sub("", str(text))).splitlines() if line.strip()]
            del self.tail[:-_TAIL]


def _mapping(value: Any) -> Mapping[str, Any]:
    """What has another shape than Ansible gives says nothing."""
    return value if isinstance(value, Mapping) else {}


def message_of(result: Mapping[str, Any]) -> str:
    """Why a task failed, in one line."""
    for key in ("msg", "module_stderr", "stderr", "module_stdout", "exception"):
        if text := str(result.get(key) or "").strip():
            return " ".join(redact(_COLOUR.sub("", text)).split())
    return "no reason given"


def _events_of(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The ladder's own events; a task in a loop has them in each item's result."""
    found: list[Mapping[str, Any]] = []
    items = result.get("results")
    for one in [*(items if isinstance(items, list) else []), result]:
        events = one.get("remediation_events") if isinstance(one, Mapping) else None
        found += [event for event in events if isinstance(event, Mapping)] if isinstance(events, list) else []
    return found


def _remedy_event(item: Mapping[str, Any], host: str) -> RemedyEvent:
    data = redact_data(plain(item))
    return RemedyEvent(
        kind=str(data.get("kind") or "event"),
        host=host,
        remedy=str(data.get("remedy") or ""),
        sentence=str(data.get("sentence") or ""),
        at=str(data.get("at") or ""),
        data=data,
    )


def _outcome(result: Mapping[str, Any]) -> str:
    obstacle = result.get("obstacle")
    return str(obstacle.get("outcome") or "") if isinstance(obstacle, Mapping) else ""


def _missing(result: Mapping[str, Any]) -> tuple[str, ...]:
    """The arguments that role argument validation (or a module) found missing."""
    errors = result.get("argument_errors")
    texts = [str(error) for error in errors] if isinstance(errors, list) else [str(result.get("msg") or "")]
    names: list[str] = []
    for text in texts:
        if match := re.search(r"missing required arguments: ([\w., -]+)", text):
            names += [name.strip(" .") for name in match[1].split(",")]
    return tuple(dict.fromkeys(name for name in names if name))
