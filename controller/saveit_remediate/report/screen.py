"""Where a run shows itself while it goes on: nowhere, as plain lines on a pipe, or live on a terminal."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TextIO

from saveit_remediate.assess import Assessment
from saveit_remediate.plan import NO_AGREEMENT, Plan, Step
from saveit_remediate.report.text import clean, duration, printable
from saveit_remediate.run import RemedyEvent, RunEvent, StepFinished
from saveit_remediate.triage import Triage

_NEEDS = {
    "nothing": "runs unattended",
    "agreement": "needs --yes",
    "approval": "needs --approved-by",
    "second-person": "needs a second person's approval",
}


class Screen(Protocol):
    """What `respond` shows, in the order in which it happens."""

    def phase(self, title: str) -> AbstractContextManager[None]: ...

    def event(self, event: RunEvent) -> None: ...

    def assessment(self, assessment: Assessment) -> None: ...

    def plan(self, plan: Plan) -> None: ...

    def triage(self, triage: Triage, commands: Mapping[str, str]) -> None: ...

    def warning(self, sentence: str) -> None: ...


class Lines:
    """Plain lines, for pipes and logs. With `stream` None nothing is shown but warnings, on `errors`."""

    def __init__(self, stream: TextIO | None, errors: TextIO) -> None:
        self.stream, self.errors = stream, errors
        self.seen: set[tuple[str, str]] = set()

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:
        self.seen.clear()
        self.line(f"{title} …")
        yield

    def event(self, event: RunEvent) -> None:
        if isinstance(event, RemedyEvent):
            if event.sentence:
                self.line(f"  {clean(event.host)}: * {event.kind}: {clean(event.sentence)}")
        elif isinstance(event, StepFinished) and event.result != "skipped":
            # Sampling repeats the same steps; the first time and any trouble are enough.
            if (event.host, event.task) in self.seen and event.result in ("ok", "changed"):
                return
            self.seen.add((event.host, event.task))
            why = f": {clean(event.sentence)}" if event.sentence else ""
            took = duration(event.seconds)
            self.line(f"  {clean(event.host)}: {clean(event.task)}: {event.result} ({took}){why}")

    def assessment(self, assessment: Assessment) -> None:
        for finding in assessment.all:
            word = "besides" if finding.kind == "context" else "finding"
            self.line(f"{word}: {clean(finding.target)}: {finding.id}: {clean(finding.sentence)}")
            if finding.next:
                self.line(f"    next: {clean(finding.next)}")
        self.line(f"severity: {assessment.severity}: {assessment.why}")

    def plan(self, plan: Plan) -> None:
        self.line(f"playbook: {plan.playbook.name}: {plan.playbook.why}")
        for step in plan.steps:
            facts = (
                f"risk {step.risk}, {need_of(step)}, disrupts {step.disrupts}, {reversible(step.reversible)}"
            )
            verb = verb_of(step)
            self.line(
                f"plan: {clean(step.target)}: {verb} {step.remedy} ({clean(step.title)}; {clean(facts)})"
            )
            self.line(f"    because: {clean(step.reason)}")

    def triage(self, triage: Triage, commands: Mapping[str, str]) -> None:
        for place, suspect in enumerate(triage.suspects, 1):
            follows = f", follows from {', '.join(suspect.follows_from)}" if suspect.follows_from else ""
            head = f"{place}. {suspect.incident} ({suspect.severity}{follows}): {suspect.title}"
            self.line(clean(f"{head} on {suspect.target}"))
            for finding in suspect.findings:
                self.line(f"   {finding.id}: {clean(finding.sentence)}")
            if not suspect.follows_from:
                self.line(f"   remediate: {commands[suspect.incident]}")
        for sentence in dict.fromkeys(finding.sentence for finding in triage.unseen):
            self.line(f"not looked at: {clean(sentence)}")

    def warning(self, sentence: str) -> None:
        self.errors.write(f"warning: {clean(sentence)}\n")
        self.errors.flush()

    def line(self, text: str) -> None:
        """A reader that went away (`| head`) must not stop a remediation."""
        if self.stream is None:
            return
        try:
            self.stream.write(printable(text) + "\n")
            self.stream.flush()
        except BrokenPipeError:
            self.stream = None
            silence_stdout()


def verb_of(step: Step) -> str:
    """What the plan says of a remedy."""
    if step.allowed or (step.would_help and step.lacks == NO_AGREEMENT):
        return "would try"
    if step.would_help and step.lacks:
        return "may not try"
    return "would try later, only if it comes to that," if step.later else "will not try"


def need_of(step: Step) -> str:
    """What the policy wants before a remedy acts, as an option where there is one."""
    return _NEEDS.get(step.needs, f"needs {step.needs}")


def reversible(yes: bool) -> str:
    return "can be put back" if yes else "cannot be put back"


def silence_stdout() -> None:
    """So that Python does not complain at its end about what it could not flush."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)


def change_lines(changes: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is still changed for a time, each with the command that puts it back."""
    return [
        clean(
            f"still changed: {one.get('target')}: {one.get('what')} {one.get('before')} -> "
            f"{one.get('after')}, until {one.get('expires')}; "
            f"put it back with: saveit-remediate revert {one.get('id')}"
        )
        for one in changes
    ]


def next_steps(findings: Sequence[tuple[str, str]]) -> str:
    """What a person should do, each advice once: pairs of (finding, advice)."""
    return " ".join(dict.fromkeys(advice for _, advice in findings if advice))
