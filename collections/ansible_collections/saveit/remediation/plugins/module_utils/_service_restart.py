# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_restart: start, unpause, restart, recreate or undo a service, as it needs it."""

from __future__ import annotations

import re
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result
from ansible_collections.saveit.remediation.plugins.module_utils._service import (
    RUNNING,
    Instance,
    Service,
    describe,
)
from ansible_collections.saveit.remediation.plugins.module_utils._start_time import observed, patience
from ansible_collections.saveit.remediation.plugins.module_utils._target import (
    TARGET_ARGUMENTS,
    adapter,
    rollouts,
)

METHODS = ["start", "unpause", "restart", "recreate", "undo"]
ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "service": {"type": "str", "required": True},
    "others": {"type": "list", "elements": "str", "default": []},
    "method": {"type": "str", "choices": METHODS, "default": "restart"},
    "grace_seconds": {"type": "int", "default": 10},
    "started_pattern": {"type": "str", "default": ""},
    "compose_command": {"type": "list", "elements": "str", "default": []},
}

# The states from which each method may act; in any other the world is not what was assessed.
ACTS_ON = {
    "start": ("stopped", "created"),
    "unpause": ("paused",),
    "restart": (RUNNING,),
    "recreate": (RUNNING, "stopped", "created", "dead"),
}
PAST = {"start": "started", "unpause": "unpaused", "restart": "restarted", "recreate": "recreated"}


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Act on the instances that are in a state the method is for; in check mode only say so.

    Raises FailedError for a pattern that is none, and with the platform's words.
    """
    _pattern(parameters)
    names = dict.fromkeys([parameters["service"], *(parameters.get("others") or ())])
    whole = rollouts(parameters)
    act = whole.act if whole else _act
    results = [act(parameters, carrier, name) for name in names]
    acted = [each for each in results if each.changed]
    if not acted:
        sentence = "; ".join(each.sentence for each in results)
        return Result("unchanged", sentence, returned=results[0].returned)
    return Result(
        acted[0].verdict,
        "; ".join(each.sentence for each in acted),
        changed=True,
        diff={side: "".join((each.diff or {})[side] for each in acted) for side in ("before", "after")},
        returned={**results[0].returned, **_longest(acted)},
    )


def _longest(acted: Sequence[Result]) -> dict[str, float]:
    """The patience of the one that needs most; nothing when none of them told."""
    known = [each.returned["patience_seconds"] for each in acted if "patience_seconds" in each.returned]
    return {"patience_seconds": max(known)} if known else {}


def _act(parameters: Mapping[str, Any], carrier: Carrier, name: str) -> Result:
    method = parameters["method"]
    platform = adapter(parameters)
    before = platform.look(parameters, carrier, name)
    if method == "undo":
        sentence = f"{name} is not undone: docker-compose keeps no revision before this one"
        return Result("unchanged", sentence, returned=_returned(before))
    chosen = before.in_state(*ACTS_ON[method])
    if not chosen:
        states = "; ".join(describe(each) for each in before.instances)
        acts_on = " or ".join(ACTS_ON[method])
        sentence = f"{name} is not {PAST[method]}: {states}, and {method} acts only on {acts_on}"
        return Result("unchanged", sentence, returned=_returned(before))
    names, grace = ", ".join(each.name for each in chosen), parameters["grace_seconds"]
    command = platform.how_to_recreate(parameters, carrier, before, grace) if method == "recreate" else []
    if carrier.check_mode:
        return Result(
            "planned",
            f"would {method} {name} ({names})",
            changed=True,
            diff=_diff(chosen, None, method),
            returned=_returned(before),
        )
    pattern = None if method == "unpause" else _pattern(parameters)
    last = _last_start(parameters, carrier, chosen, pattern) if pattern else None
    if method == "recreate":
        platform.recreate(carrier, before, command, grace)
    for instance in chosen:
        if method == "restart":
            platform.restart(parameters, carrier, instance, grace)
        elif method != "recreate":
            getattr(platform, method)(parameters, carrier, instance)
    after = platform.look(parameters, carrier, name)
    return Result(
        PAST[method],
        f"{name} was {PAST[method]} ({names})" + (f"; its last start took {last:g} s" if last else ""),
        changed=True,
        diff=_diff(chosen, after, method),
        returned=_returned(after, patience(last, chosen) if pattern else None),
    )


def _last_start(
    parameters: Mapping[str, Any], carrier: Carrier, chosen: Sequence[Instance], pattern: re.Pattern[str]
) -> float | None:
    """What the last start took, of the slowest; None when no log tells."""
    platform = adapter(parameters)
    known = [observed(parameters, carrier, platform, each, pattern) for each in chosen]
    return max((each for each in known if each is not None), default=None)


def _pattern(parameters: Mapping[str, Any]) -> re.Pattern[str] | None:
    text = parameters.get("started_pattern")
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise FailedError(
            f"cannot {parameters['method']} {parameters['service']}: started_pattern {text!r} is no "
            f"regular expression: {error}"
        ) from error


def _returned(service: Service, may_take: float | None = None) -> dict[str, Any]:
    known = {} if may_take is None else {"patience_seconds": may_take}
    return {"service": service.as_return(), **known}


def _diff(chosen: tuple[Instance, ...], after: Service | None, method: str) -> dict[str, str]:
    now = {each.name: each for each in after.instances} if after else {}
    lines_before = [f"{each.name}: {each.state} since {each.started_at or 'never'}\n" for each in chosen]
    lines_after = [
        f"{each.name}: {now[each.name].state} since {now[each.name].started_at}\n"
        if each.name in now
        else f"{each.name}: {RUNNING}, {PAST[method]} by this task\n"
        for each in chosen
    ]
    return {"before": "".join(lines_before), "after": "".join(lines_after)}
