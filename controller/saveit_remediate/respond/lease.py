"""Give back what a run that was cut off had leased on the target."""

from __future__ import annotations

from dataclasses import replace

from saveit_remediate.catalog import choose_playbook
from saveit_remediate.errors import InterruptedRunError, RemediateError
from saveit_remediate.respond.case import Case, base_job
from saveit_remediate.run import run_playbook

_PLAYBOOK = "interlock"
_SECONDS = 30  # a target that does not answer is left alone: a lease ends by itself


def release(case: Case) -> None:
    """Ansible was ended, and released nothing. A failure is only told, as the lease ends by itself."""
    playbook = choose_playbook(_PLAYBOOK, None, case.settings.playbooks)
    job = base_job(case.request, case.settings, case.world, playbook)
    told = {"interlock_step": "release", "interlock_incident": case.record.incident_id}
    job = replace(job, extra_vars=case.variables, data=told, timeout=_SECONDS)
    try:
        result = run_playbook(job, lambda _event: None)
    except (KeyboardInterrupt, InterruptedRunError, RemediateError) as error:
        problem = str(error) or "interrupted"
    else:
        problem = result.problem or "; ".join(result.unreachable.values())
        if not problem:
            case.record.write("lease-released", "; ".join(result.observation.sentences))
            return
    case.world.screen.warning(f"what was leased on the target ends by itself, and not at once: {problem}")
