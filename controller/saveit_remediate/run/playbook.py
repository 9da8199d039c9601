"""Run one playbook with ansible-runner, and tell how it went. The only module that knows ansible-runner."""

from __future__ import annotations

import itertools
import os
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from saveit_remediate.errors import UsageError
from saveit_remediate.incident import Observation
from saveit_remediate.run.contract import read_observation
from saveit_remediate.run.environment import ansible_environment
from saveit_remediate.run.events import Recorder
from saveit_remediate.run.inventory import check_inventory
from saveit_remediate.run.private import private_folder
from saveit_remediate.run.processes import descendants, end_descendants, kept, subreaper
from saveit_remediate.run.result import Job, RunEvent, RunResult
from saveit_remediate.run.stop import Stopper, stopping

# ansible-runner asks so often whether it should give up; its own 5 s are too long for a person.
_POLL_SECONDS = 0.25
# After the run: what is left over may still be cleaning up on the target, such as a debug pod of ours.
_LEFTOVER_GRACE_SECONDS = 3.0


def run_playbook(job: Job, tell: Callable[[RunEvent], None]) -> RunResult:
    """Run, give each event to `tell` as it happens, and wait for the end.

    Raises UsageError when inventory or limit cannot be right. Whatever else goes wrong is in the result.
    No process of the run outlives it, and nothing that holds variables stays on disk.
    """
    check_inventory(job.inventory, job.inventory_origin)
    recorder = Recorder(tell)
    spared = frozenset(descendants(os.getpid()))
    stopper = Stopper(spared)
    with private_folder() as folder, subreaper():
        try:
            with stopping(stopper, job.timeout):
                rc = _ansible(job, folder, recorder, stopper)
        finally:
            end_descendants(spared, _LEFTOVER_GRACE_SECONDS)
    return _result(job, recorder, stopper.reason, rc)


def _ansible(job: Job, folder: Path, recorder: Recorder, stopper: Stopper) -> int:
    """The process return code of ansible-playbook."""
    from ansible_runner.interface import init_runner

    if stopper.reason:
        return 254
    errors: list[Exception] = []

    def on_event(event: dict[str, Any]) -> bool:
        try:
            recorder.take(event)
        except Exception as error:  # raised in here, it would leave Ansible running with nobody to end it
            errors.append(error)
            stopper.stop("interrupted")
        return False  # not written to disk

    runner = init_runner(
        private_data_dir=str(folder),
        project_dir=str(job.cwd),
        playbook=job.playbook,
        cmdline=shlex.join(_arguments(job)),
        extravars=_variables(job),
        envvars=_environment(job, folder),
        settings={"pexpect_timeout": _POLL_SECONDS, "suppress_output_file": True},
        quiet=True,
        event_handler=on_event,
        cancel_callback=lambda: stopper.killing,
    )
    runner.config.command = kept(folder, runner.config.command)
    runner.run()
    if errors:
        raise errors[0]
    return int(runner.rc if runner.rc is not None else 254)


def _arguments(job: Job) -> list[str]:
    """Options before the playbook. `inventory=` of ansible-runner is not used: it writes what is not a path
    to a file, so that a missing inventory would become a host of this name."""
    arguments = ["-i", job.inventory]
    if job.limit and not job.limit_variable:
        arguments.append(f"--limit={job.limit}")
    if job.check:
        arguments.append("--check")
    if job.diff:
        arguments.append("--diff")
    if job.verbosity:
        arguments.append("-" + "v" * min(job.verbosity, 5))
    return arguments


def _variables(job: Job) -> dict[str, Any]:
    limit = {job.limit_variable: job.limit} if job.limit and job.limit_variable else {}
    return {**job.extra_vars, **_as_data({**job.data, **limit})}


def _as_data(value: Any) -> Any:
    """Ansible evaluates the templates of a file of variables, but for those that are marked so in JSON."""
    if isinstance(value, str):
        return {"__ansible_unsafe": str(value)} if "{" in value else value
    if isinstance(value, Mapping):
        return {key: _as_data(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_data(item) for item in value]
    return value


def _environment(job: Job, folder: Path) -> dict[str, str]:
    temporary = folder / "tmp"
    temporary.mkdir(mode=0o700)
    sockets = folder / "cp"
    sockets.mkdir(mode=0o700)
    environment = ansible_environment(os.environ, job.collections, job.cwd, sockets)
    return {**environment, "ANSIBLE_LOCAL_TEMP": str(temporary)}


def _result(job: Job, recorder: Recorder, stopped: str, rc: int) -> RunResult:
    status, problem = "ended", ""
    if stopped == "timeout":
        status = "timeout"
        origin = f" (timeout {job.timeout_origin})" if job.timeout_origin else ""
        problem = f"Ansible was ended, as it took longer than {job.timeout} s{origin}"
    elif stopped:
        status, problem = "interrupted", "interrupted"
    elif not recorder.stats_seen and recorder.hosts:
        status, problem = "cut-off", _why_cut_off(recorder.tail, rc)
    elif not recorder.stats_seen:
        _raise_for_inventory(job, recorder.tail)
        status, problem = "not-started", _why_not_started(job, recorder.tail, rc)
    elif recorder.no_hosts and not recorder.hosts:
        raise UsageError(_nobody(job))
    publications: list[tuple[str, Mapping[str, Any]]] = [
        (host, recorder.published[host]) for host in sorted(recorder.published)
    ]
    if not publications and recorder.artifact is not None:  # as with no_log, which hides results in events
        publications.append((next(iter(recorder.hosts), ""), recorder.artifact))
    observation = read_observation(publications)
    return RunResult(
        status=status,
        rc=rc,
        observation=observation,
        hosts=tuple(recorder.hosts),
        published=frozenset(recorder.published) or _told(observation, recorder),
        failed=recorder.failed,
        unreachable=dict(recorder.unreachable),
        failures=tuple(recorder.failures),
        problem=problem,
        tail=tuple(recorder.tail),
    )


def _told(observation: Observation, recorder: Recorder) -> frozenset[str]:
    """Who published, when only the final word is there, which keeps the lists of one host alone."""
    if recorder.artifact is None:
        return frozenset()
    hosts = frozenset(recorder.hosts)
    targets = {item.target for item in observation.findings}
    targets |= {item.target for item in observation.actions}
    targets |= {item.target for item in observation.evidence}
    return hosts if len(hosts) == 1 else hosts & targets


def _no_hosts(job: Job) -> str:
    return f"the inventory {job.inventory} ({job.inventory_origin}) has no hosts in it"


def _nobody(job: Job) -> str:
    return _no_match(job) if job.limit and job.limit_variable else _no_hosts(job)


def _no_match(job: Job) -> str:
    where = f"the inventory {job.inventory} ({job.inventory_origin})"
    return f"the limit {job.limit!r} matches no host of {where}"


def _raise_for_inventory(job: Job, tail: list[str]) -> None:
    text = "\n".join(tail)
    if "hosts list is empty" in text:
        raise UsageError(_nobody(job))
    if "cannot take ladder_serial: " in text:
        said = text.partition("cannot take ladder_serial: ")[2].partition(" Origin: ")[0].splitlines()[0]
        raise UsageError(f"cannot take ladder_serial: {said} (inventory {job.inventory}, or -e)")
    if "leaves us with no hosts to target" in text or "--limit does not match any hosts" in text:
        raise UsageError(_no_match(job))
    if "parse inventory source" in text:
        reasons = [line.partition("]: ")[2] for line in tail if line.startswith("[WARNING]: Failed to parse")]
        reason = reasons[0] if reasons else "no inventory plugin can"
        raise UsageError(
            f"Ansible cannot read the inventory {job.inventory} ({job.inventory_origin}): {reason}"
        )


def _why_cut_off(tail: list[str], rc: int) -> str:
    """Ansible's error, when that is the last that it said; who is killed says nothing."""
    said = tail[-1].replace("[ERROR]: ", "") if tail and "ERROR" in tail[-1] else f"exit code {rc}"
    return f"Ansible ended in the middle ({said})"


def _why_not_started(job: Job, tail: list[str], rc: int) -> str:
    """Ansible's own error, which is printed last, in one line."""
    marks = [number for number, line in enumerate(tail) if "ERROR" in line]
    lines = tail[marks[0] :] if marks else tail[-3:]
    # Then comes an excerpt of the source, with line numbers, which says little in one line.
    lines = list(itertools.takewhile(lambda line: not re.match(r"\d+ ", line), lines))[:4]
    said = " ".join(" ".join(lines).replace("[ERROR]: ", "").split())
    said = said or f"ansible-playbook ended with {rc} and said nothing"
    return f"cannot run the playbook {job.playbook}: {said}"
