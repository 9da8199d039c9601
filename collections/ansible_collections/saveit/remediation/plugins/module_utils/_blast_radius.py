# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many targets may be touched: whose turn it is, and when nobody's is. Pure functions of what is known.

When many are sick at once, they share what is at fault, and remedies would only hurt them all. When few are,
the first one shows whether the remedy is a good idea, and the others wait for it.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

# Groups that the playbooks make: where something was found, and where it may be remedied.
SICK, CLEARED = "remediation_sick", "remediation_cleared"
NOBODY = ("!all",)  # a pattern of Ansible's
SERIAL = (1, "25%", "100%")  # of the sick ones, at the same time: first one, then more
PERCENT = 50.0
FEW = 3  # of fewer targets, a share says nothing: one of two is a half
_NAMED = 10  # targets in a sentence


def hosts_of(stage: str, groups: Mapping[str, Sequence[str]], plan: Mapping[str, Any]) -> Sequence[str]:
    """Who takes part in a play: look, count, act or end.

    With a plan, somebody has looked and counted already; the play that counts begins all the same, without a
    task, as only then Ansible lets the next one read the variables of hosts. Raises FailedError when there is
    nobody at all.
    """
    if not groups.get("all"):
        raise FailedError(
            "the hosts list is empty: the inventory has no host, so there is nothing to look at"
        )
    if plan:
        planned = [host for host, each in plan.items() if each.get("assessed")]
        return planned if planned and stage != "look" else NOBODY
    if stage == "look" or (stage == "count" and groups.get(SICK)):
        return ("all",)
    if stage == "count":
        return NOBODY
    members = groups.get(CLEARED if stage == "act" else SICK, ())
    # In the order of the inventory: a group has them as they joined, which may be as each was ready.
    return [host for host in groups["all"] if host in members] or NOBODY


def serial_of(given: Any) -> list[Any]:
    """The sizes of the batches, as Ansible's `serial` takes them. Raises FailedError for anything else."""
    if given is None:
        return list(SERIAL)
    words = given.split(",") if isinstance(given, str) else given  # as Ansible reads a list from -e
    sizes = list(words) if isinstance(words, (list, tuple)) else [words]
    if not sizes or not all(_is_size(each) for each in sizes):
        raise FailedError(
            f"cannot take ladder_serial: {given!r}: wanted a number of hosts from 1, a share such as '25%', "
            f"or a list of them, such as {list(SERIAL)}"
        )
    return sizes


def _is_size(value: Any) -> bool:
    text = str(value)
    number = text[:-1] if text.endswith("%") else text
    if isinstance(value, bool) or not (number.isascii() and number.isdigit()):
        return False
    return int(number) >= 1 and (not text.endswith("%") or int(number) <= 100)


def why_too_many(known: Mapping[str, Mapping[str, Any]], most: float) -> str:
    """Why nobody may be touched, as more than `most` percent are sick at once; "" when they may.

    `known` has the ladder's state of each target, empty where there is none. Who could not be looked at is
    neither sick nor healthy, and is named. Raises FailedError for a share that is none.
    """
    if not 0 <= most <= 100:
        raise FailedError(f"cannot take ladder_max_unhealthy_percent: {most:g}: wanted 0 to 100")
    sick = [host for host, state in known.items() if state.get("current")]
    seen = [host for host, state in known.items() if host in sick or state.get("verdict") == "healthy"]
    if len(known) < FEW or not sick or 100 * len(sick) <= most * len(seen):
        return ""
    unseen = [host for host in known if host not in seen]
    rest = f"; not looked at, and counted as neither: {_names(unseen)}" if unseen else ""
    return (
        f"{len(sick)} of {len(seen)} targets are sick at once ({_names(sick)}), and no more than {most:g} % "
        f"may be (ladder_max_unhealthy_percent): that is not their own fault, so none is touched{rest}"
    )


def why_no_more(before: Mapping[str, Mapping[str, Any]]) -> str:
    """Why no other target may be touched, by the states of those whose turn was before; "" when they may."""
    for host, state in before.items():
        for action in state.get("actions", ()):
            if action["result"] == "worse":
                return f"{host} got worse by {action['remedy']} ({action['sentence']})"
        if state.get("remedy_started") and not state.get("verdict"):
            return f"{host} was lost while {state['remedy']['id']} was done to it"
    return ""


def _names(hosts: Sequence[str]) -> str:
    more = f" and {len(hosts) - _NAMED} more" if len(hosts) > _NAMED else ""
    return ", ".join(hosts[:_NAMED]) + more
