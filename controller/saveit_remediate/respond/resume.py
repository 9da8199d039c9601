"""Go on with an incident whose controller died: as a fresh request, so that the target is looked at first."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from saveit_remediate.errors import RefusedError
from saveit_remediate.incident import Request, Severity
from saveit_remediate.incident_life import BEGUN, life_of, run_is_open
from saveit_remediate.journal import Event
from saveit_remediate.journal.chain import chain_break
from saveit_remediate.redact import is_secret
from saveit_remediate.report.history import controller_of, is_abandoned, summarize, waits
from saveit_remediate.respond.approval import approvals_of
from saveit_remediate.settings import Setting, Settings


def resumed(events: Sequence[Event], given: Request, now: datetime) -> Request:
    """The recorded request; extra variables, `yes` and verbosity are those of `given`.

    Raises RefusedError with the reason when there is nothing to go on with, or it may not be gone on with.
    """
    incident_id, life = events[0].incident_id, life_of(events)
    begun = [event.payload for event in events if event.kind in BEGUN and not event.payload.get("stopped")]
    opened = begun[-1] if begun else {}
    attempt = f"cannot resume {incident_id}"
    summary = summarize(events)
    ends = [event for event in events if event.kind in ("closed", "interrupted")]
    if ends and not run_is_open(events) and not waits(events):
        pointer = ends[-1].payload.get("resumed_as")
        ending = f"resume {pointer} instead" if pointer else "start anew with --incident"
        raise RefusedError(
            f"{attempt}: its record has an end ({summary.outcome}: {summary.sentence}); {ending}"
        )
    if (broken := chain_break(events)) is not None:
        raise RefusedError(f"{attempt}: event {broken} of its record was changed, removed or moved")
    if events[0].kind != "opened":
        raise RefusedError(
            f"{attempt}: its record does not say what was asked for; start anew with --incident"
        )
    waiting = waits(events)
    if not waiting and not is_abandoned(events, now):
        raise RefusedError(
            f"{attempt}: {_controller(controller_of(events))} may still work on it "
            f"(its last event is of {events[-1].at})"
        )
    missing = sorted(set(_names(opened.get("extra_vars"))) - set(given.extra_vars))
    if missing:
        raise RefusedError(
            f"{attempt}: it was begun with values that are not recorded, as they may be secret; "
            f"give them again: {' '.join(map(_option, missing))}"
        )
    severity = life.severity if life.by_person else opened.get("severity")
    return dataclasses.replace(
        given,
        incident=str(opened.get("incident")),
        inventory=str(opened.get("inventory")),
        limit=str(opened.get("limit") or ""),
        severity=Severity(severity) if severity in list(Severity) else None,
        check=opened.get("check") is True,
        resumes="" if waiting else incident_id,
        goes_on=incident_id if waiting else "",
        approvals=approvals_of(events) if waiting else (),
        lineage=() if waiting else (incident_id, *_names(opened.get("lineage"))),
    )


def settings_of(events: Sequence[Event], settings: Settings) -> Settings:
    """With the recorded inventory, whatever is set now."""
    origin = f"from the record of {events[0].incident_id}"
    inventory = Setting("inventory", str(events[0].payload.get("inventory")), origin)
    return dataclasses.replace(settings, values={**settings.values, "inventory": inventory})


def cut_off(events: Sequence[Event]) -> str:
    """What the old controller had begun, in one sentence; or who has approved since."""
    if waits(events):
        said = [str(event.payload.get("sentence")) for event in events if event.kind == "approved"]
        given = ", ".join(said) or "none was given"
        return f"going on with {events[0].incident_id}, which waited for an approval; {given}"
    open_: dict[tuple[str, str], None] = {}
    for event in events:
        remedy = (str(event.payload.get("remedy")), str(event.payload.get("host")))
        if event.kind == "remedy-started":
            open_[remedy] = None
        elif event.kind == "remedy-finished":
            open_.pop(remedy, None)
    begun = ", ".join(f"{remedy} on {host}" for remedy, host in open_)
    what = f"begun and without a result: {begun}" if begun else "no remedy was cut off"
    return f"going on with {events[0].incident_id}, whose record ends with {events[-1].kind}; {what}"


def _controller(recorded: Any) -> str:
    known = isinstance(recorded, Mapping) and recorded.get("host")
    return f"process {recorded.get('pid')} on {recorded.get('host')}" if known else "its controller"


def _option(name: str) -> str:
    return f"-e @FILE with {name}" if is_secret(name) else f"-e {name}=…"


def _names(recorded: Any) -> list[str]:
    return [str(name) for name in recorded] if isinstance(recorded, list) else []
