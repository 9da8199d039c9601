"""Run playbooks: ansible-runner, its events, its processes, and the result contract."""

from saveit_remediate.run.playbook import run_playbook
from saveit_remediate.run.result import (
    Failure,
    Job,
    RemedyEvent,
    RunEvent,
    RunResult,
    StepFinished,
    StepStarted,
)

__all__ = [
    "Failure",
    "Job",
    "RemedyEvent",
    "RunEvent",
    "RunResult",
    "StepFinished",
    "StepStarted",
    "run_playbook",
]
