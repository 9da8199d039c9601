# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""More instances of a service: what is asked for, and what a platform would change for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Callable, ContextManager, List, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._changes import Intent
from ansible_collections.saveit.remediation.plugins.module_utils._result import Result

# Around what changes these numbers: given them, and whether they are as before, it gives the record's id.
Record = Callable[[Sequence["Change"], Callable[[], bool]], ContextManager[List[str]]]


@dataclass(frozen=True)
class Change:
    """One number that is set; `object` is how the platform names what has it."""

    object: str
    field: str
    before: int
    after: int
    change_id: str = ""  # of its record in the interlock


@dataclass(frozen=True)
class Plan:
    """From how many instances to how many, or the reason why not."""

    now: int
    number: int
    reason: str = ""
    changes: tuple[Change, ...] = ()
    back: str = ""  # the command that puts it back
    patience_seconds: float = 0  # until it shows that it helped; 0 leaves that to the runbook
    note: str = ""  # what else there is to say
    how: Any = None  # what the platform has to know to do it

    @property
    def diff(self) -> dict[str, str]:
        """A line for each number, before and after."""
        return {
            "before": "".join(f"{each.object}: {each.before} {each.field}\n" for each in self.changes),
            "after": "".join(f"{each.object}: {each.after} {each.field}\n" for each in self.changes),
        }

    def recorded_as(self, id_: str) -> Plan:
        """The same, whose changes have this record."""
        return replace(self, changes=tuple(replace(each, change_id=id_) for each in self.changes))


def intent_of(service: str, changes: Sequence[Change]) -> Intent:
    """All numbers of one object as one record."""
    first = changes[0]
    fields = ", ".join(each.field for each in changes)
    entries = [{key: value for key, value in asdict(each).items() if key != "change_id"} for each in changes]
    return Intent(
        service=service,
        kind="scale",
        what=f"{fields} of {first.object}",
        before=", ".join(str(each.before) for each in changes),
        after=", ".join(str(each.after) for each in changes),
        module="service_scale",
        back={"service": service, "put_back": entries},
    )


def put_back_result(service: str, done: Sequence[Change], planned: bool, left: Sequence[str] = ()) -> Result:
    """Some numbers were put back; `left` are the reasons why others were not, of which something is left."""
    steps = [f"{each.field} of {each.object} from {each.before} to {each.after}" for each in done]
    sentence = "; ".join(
        [f"{'would put back' if planned else 'put back'} {service}: {', '.join(steps)}", *left]
    )
    diff, returned = Plan(0, 0, changes=tuple(done)).diff, {"over": not left}
    return Result("planned" if planned else "put-back", sentence, changed=True, diff=diff, returned=returned)


def not_put_back(service: str, reason: str, over: bool = False) -> Result:
    """Nothing was put back; with `over` as nothing is left of the change."""
    return Result("unchanged", f"{service} is not put back: {reason}", returned={"over": over})


def wanted(parameters: Mapping[str, Any], now: int, maximum: int) -> tuple[int, str]:
    """How many there are to be, and why there cannot be so many, or ""."""
    number = parameters["instances"] or now + 1
    if number > maximum:
        return number, f"it has {now}, and the maximum is {maximum}"
    if number <= now:
        return number, f"it has {now} already, and this only adds"
    return number, ""
