"""Run playbooks: ansible-runner, its events, its processes, and the result contract."""

from saveit_remediate.run.contract import read_changes
from saveit_remediate.run.inventory import check_inventory
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
    "check_inventory",
    "read_changes",
    "run_playbook",
]
