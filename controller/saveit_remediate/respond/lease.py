"""Give back what a run that was cut off had leased on the target."""

from __future__ import annotations

from dataclasses import replace

from saveit_remediate.catalog import choose_playbook
from saveit_remediate.errors import InterruptedRunError, RemediateError
from saveit_remediate.respond.case import Case, base_job
from saveit_remediate.run import RemedyEvent, RunEvent, run_playbook

_PLAYBOOK = "interlock"
_SECONDS = 30  # a target that does not answer is left alone: a lease ends by itself


def release(case: Case, incident_id: str) -> None:
    """The run of an incident is over, and released nothing. A failure is only told: a lease ends by itself.

    Raises InterruptedRunError.
    """
    playbook = choose_playbook(_PLAYBOOK, None, case.settings.playbooks)
    job = base_job(case.request, case.settings, case.world, playbook)
    told = {"interlock_step": "release", "interlock_incident": incident_id}
    job = replace(job, extra_vars=case.variables, data=told, timeout=_SECONDS)
    try:
        result = run_playbook(job, lambda event: _keep(case, event))
    except RemediateError as error:
        problem = str(error)
    else:
        problem = result.problem or "; ".join(result.unreachable.values())
        if result.observation.sentences:
            case.record.write("lease-released", "; ".join(result.observation.sentences))
        if not problem:
            return
    case.world.screen.warning(f"what was leased on the target ends by itself, and not at once: {problem}")
    if problem == "interrupted":
        raise InterruptedRunError(problem)


def _keep(case: Case, event: RunEvent) -> None:
    """What the release tells of what is still changed."""
    if isinstance(event, RemedyEvent):
        case.record.remedy_event(event)
