"""Keep the record of one incident while it goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from saveit_remediate.errors import RemediateError
from saveit_remediate.incident import Change
from saveit_remediate.journal import Journal
from saveit_remediate.report.document import Report
from saveit_remediate.run import RemedyEvent, read_changes


@dataclass
class Record:
    """Writes to the journal. A journal that fails in the middle does not stop a remediation: it is said.

    `started` is when the response to the incident began; `begun` and `ended` are the remedies that the ladder
    told of, as (host, remedy).
    """

    journal: Journal
    incident_id: str
    started: datetime
    now: Callable[[], datetime]
    warn: Callable[[str], None]
    lost: int = 0
    begun: list[tuple[str, str]] = field(default_factory=list)
    ended: dict[tuple[str, str], str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)  # that the targets said are still there

    def write(self, kind: str, sentence: str, **payload: Any) -> None:
        self._append(self.incident_id, kind, {"sentence": sentence, **payload})

    def _append(self, incident_id: str, kind: str, payload: Mapping[str, Any]) -> None:
        try:
            self.journal.append(incident_id, kind, payload, self.now())
        except RemediateError as error:
            self.lost += 1
            if self.lost == 1:
                self.warn(f"{error}; the run goes on, and its record is not complete")

    def close(self, report: Report, outcome: str = "", kind: str = "closed", baseline: str = "") -> None:
        """The last event of an incident, or of its run when it waits; `outcome` where it is another word.

        `baseline` is back, not-back, no-data, or empty where nothing was compared.
        """
        self.write(
            kind,
            report.sentence,
            outcome=outcome or report.outcome,
            severity=report.severity,
            obstacles=sorted({finding.id for finding in report.findings if finding.is_obstacle}),
            seconds=report.seconds,
            baseline=baseline,
            targets=[
                {"target": each.target, "outcome": each.outcome, "sentence": each.sentence}
                for each in report.targets
            ],
        )

    def end_resumed(self, incident_id: str) -> None:
        """The record of an incident that was cut off ends where this one begins; nothing without an id."""
        if incident_id:
            sentence = f"it was cut off; {self.incident_id} goes on with it"
            payload = {"sentence": sentence, "outcome": "resumed", "resumed_as": self.incident_id}
            self._append(incident_id, "closed", payload)

    def remedy_event(self, event: RemedyEvent) -> None:
        """What the ladder tells, at the moment it arrives."""
        if event.kind == "remedy-started":
            self.begun.append((event.host, event.remedy))
        elif event.kind == "remedy-finished":
            self.ended[event.host, event.remedy] = event.sentence
        elif event.kind == "still-changed":
            self.changes += read_changes(event.data.get("changes"), event.host)
        known = ("kind", "sentence")
        more = {key: value for key, value in event.data.items() if key not in known}
        self.write(event.kind, event.sentence, **{"host": event.host, **more})

    def what_was_done(self, on: str = "") -> str:
        """Remedies that ended, and those that were cut off, in one sentence; `on` one host, or all."""
        begun = [(host, remedy) for host, remedy in self.begun if on in ("", host)]
        if not begun:
            return "nothing was touched"
        done = [f"{remedy} on {host}" for host, remedy in begun if (host, remedy) in self.ended]
        cut = [f"{remedy} on {host}" for host, remedy in begun if (host, remedy) not in self.ended]
        parts = []
        if done:
            parts.append("done: " + ", ".join(done))
        if cut:
            parts.append("begun and cut off: " + ", ".join(cut) + " (look at it, it may be half done)")
        return "; ".join(parts)
