# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""temporary_changes: list what is recorded on the target as changed for a time, and put it back."""

from __future__ import annotations

import secrets
from typing import Any, Callable, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _certificate_renewal,
    _service_limits,
    _service_scale,
)
from ansible_collections.saveit.remediation.plugins.module_utils import _changes as changes
from ansible_collections.saveit.remediation.plugins.module_utils import _interlock_document as documents
from ansible_collections.saveit.remediation.plugins.module_utils import _interlock_rules as rules
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, iso
from ansible_collections.saveit.remediation.plugins.module_utils._change_record import RECORD_ARGUMENTS, drop
from ansible_collections.saveit.remediation.plugins.module_utils._interlock_document import Document
from ansible_collections.saveit.remediation.plugins.module_utils._interlock_store import (
    change,
    load,
    place_of,
    who_of,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    FailedError,
    ObstacleError,
    Result,
)
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS

_SITES = {
    name: _certificate_renewal.ARGUMENTS[name]
    for name in (
        *("certificate_file", "key_file", "files_service", "endpoint", "server_name", "names", "ca_file"),
        *("renew_before_days", "validate_command"),
    )
}
ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    **{name: spec for name, spec in RECORD_ARGUMENTS.items() if name not in ("record", "reason")},
    **_SITES,
    "step": {"type": "str", "choices": ["read", "revert", "forget"], "default": "read"},
    "ids": {"type": "list", "elements": "str", "default": []},
    "compose_command": _service_scale.ARGUMENTS["compose_command"],
}
# Who puts back what; a record says which of them, and has none of its words but what to put back.
_MODULES = {
    "service_limits": _service_limits,
    "service_scale": _service_scale,
    "certificate_renewal": _certificate_renewal,
}
_OWN = ("service", "resource", "put_back")
_LEASE_SECONDS = 600.0


def run(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """One step. Raises ObstacleError when the document cannot be read."""
    return _STEPS[parameters["step"]](parameters, carrier)


def read(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """What is recorded."""
    return _result(parameters, carrier, "read", [], [])


def revert(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Put back those with the given ids, or those that have expired; each for itself, the newest first."""
    kept, ids, place = load(parameters, carrier), parameters["ids"], place_of(parameters, carrier)
    done = [_one(each, parameters, carrier) for each in changes.chosen(kept.document, ids, kept.now)]
    words = {each["word"] for each in done}
    verdict = next((word for word in ("left", "planned", "put-back", "over") if word in words), "nothing")
    sentences = [each["sentence"] for each in done]
    unknown = changes.why_unknown(kept.document, ids, place)
    if not done and not unknown:
        sentences = [f"nothing to put back on {place}: {_waiting(kept.document, kept.now)}"]
    return _result(parameters, carrier, verdict, done, [*sentences, unknown], unknown)


def forget(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Drop the records with the given ids; what was changed stays."""
    kept = load(parameters, carrier)
    found = [each for each in kept.document["changes"] if each["id"] in parameters["ids"]]
    unknown = changes.why_unknown(kept.document, parameters["ids"], place_of(parameters, carrier))
    did = "would forget" if carrier.check_mode else "forgot"
    if not carrier.check_mode:
        drop(parameters, carrier, [each["id"] for each in found])
    word = "planned" if carrier.check_mode else "over"
    done = [_done(each, word, f"{did} {changes.told(each, kept.now)}; it stays as it is") for each in found]
    sentences = [each["sentence"] for each in done]
    return _result(parameters, carrier, "forgotten", done, [*sentences, unknown], unknown)


_STEPS: Mapping[str, Callable[[Mapping[str, Any], Carrier], Result]] = {
    "read": read,
    "revert": revert,
    "forget": forget,
}


def _one(record: Mapping[str, Any], parameters: Mapping[str, Any], carrier: Carrier) -> dict[str, Any]:
    """Put one change back under a lease of its service; a failure is told, and keeps the record."""
    token = secrets.token_hex(8)
    try:
        _lease(record, token, parameters, carrier)
        try:
            module, given = _given(record, parameters)
            result: Result = module.run(given, carrier)
        finally:
            _release(token, parameters, carrier)
    except ObstacleError as error:
        if error.id not in ("no-service", "no-project"):
            return _done(record, "left", f"{record['id']}: {error}")
        if not carrier.check_mode:
            drop(parameters, carrier, [record["id"]])
        return _done(record, "over", f"{record['id']}: {record['what']} has gone with its service: {error}")
    except FailedError as error:
        return _done(record, "left", f"{record['id']}: {error}")
    word = result.verdict if result.changed else "over" if result.returned["over"] else "left"
    since = changes.who_since(load(parameters, carrier).document, record) if word == "left" else ""
    return _done(record, word, f"{record['id']}: {result.sentence}{since}")


def _given(record: Mapping[str, Any], parameters: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The module and its options: those of the site, and of the record only what to put back.

    Everybody on a host can write the record, so nothing in it is a command, a path or an address.
    """
    back = record["put_back"]
    module, own = _MODULES.get(back.get("module", "")), back["parameters"]
    entries = own.get("put_back")
    is_list = isinstance(entries, list) and entries and all(isinstance(each, dict) for each in entries)
    if module is None or not set(own) <= set(_OWN) or not isinstance(own.get("service"), str) or not is_list:
        raise _damaged(record)
    usual = {name: spec.get("default") for name, spec in module.ARGUMENTS.items()}
    sites = {name: value for name, value in parameters.items() if name in module.ARGUMENTS}
    marked = [{**each, "change_id": record["id"]} for each in entries]
    given = {**usual, **sites, **own, "put_back": marked}
    if "resource" in module.ARGUMENTS and given["resource"] not in module.ARGUMENTS["resource"]["choices"]:
        raise _damaged(record)
    return module, given


def _damaged(record: Mapping[str, Any]) -> FailedError:
    return FailedError(f"cannot put back {record['what']}: its record is damaged; look at it, or forget it")


def _lease(record: Mapping[str, Any], token: str, parameters: Mapping[str, Any], carrier: Carrier) -> None:
    """Raises ObstacleError paused and lease-held."""
    place, who = place_of(parameters, carrier), who_of(parameters)

    def decide(document: Document, now: float) -> tuple[Document, None]:
        document = documents.tidy(document, now)
        paused = rules.why_paused(document, place, now)
        held = rules.why_held(document, [record["service"]], "", place, now)
        if paused or held:
            raise ObstacleError("paused" if paused else "lease-held", paused or held, "refused")
        lease = {**who, "token": token}
        return documents.with_lease(document, [record["service"]], lease, now, _LEASE_SECONDS), None

    change(parameters, carrier, decide)


def _release(token: str, parameters: Mapping[str, Any], carrier: Carrier) -> None:
    def decide(document: Document, _now: float) -> tuple[Document, None]:
        kept = {name: each for name, each in document["leases"].items() if each["token"] != token}
        return {**document, "leases": kept}, None

    if not carrier.check_mode:
        change(parameters, carrier, decide)


def _done(record: Mapping[str, Any], word: str, sentence: str) -> dict[str, Any]:
    known = {key: record[key] for key in ("id", "service", "what", "incident")}
    return {**known, "word": word, "sentence": sentence}


def _waiting(document: Mapping[str, Any], now: float) -> str:
    times = sorted(each["expires"] for each in document["changes"])
    if not times:
        return "nothing is changed for a time"
    return f"the first of {len(times)} changes expires {rules.clock(times[0], now)}"


def _result(
    parameters: Mapping[str, Any],
    carrier: Carrier,
    verdict: str,
    done: list[dict[str, Any]],
    sentences: list[str],
    unknown: str = "",
) -> Result:
    """What was done, and what is recorded now."""
    kept = load(parameters, carrier)
    there = changes.shown(kept.document, kept.now)
    said = "; ".join(filter(None, sentences))
    if not said:
        count = f"{len(there)} change{'' if len(there) == 1 else 's'}"
        said = f"{count} on {place_of(parameters, carrier)}" if there else _nothing(parameters, carrier)
    ended = [each for each in done if each["word"] in ("put-back", "over") and not carrier.check_mode]
    events = [{"kind": "put-back", "at": iso(carrier.now()), **each} for each in ended]
    changed = any(each["word"] in ("put-back", "planned") for each in done)
    returned = {
        "changes": there,
        "reverted": done,
        "left": [each["sentence"] for each in done if each["word"] == "left"],
        "unknown": unknown,
        "tables": [changes.table(kept.document, kept.now)] if there else [],
        "remediation_events": events,
    }
    return Result(verdict, said, changed=changed, returned=returned)


def _nothing(parameters: Mapping[str, Any], carrier: Carrier) -> str:
    return f"nothing is changed for a time on {place_of(parameters, carrier)}"
