# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the old certificate and its key back in place of a temporary one of our making."""

from __future__ import annotations

import re
import time
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _certificate_swap as swap,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._certificate import day
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_files import read_pair
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_pair import Pair
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_served import wanted_names
from ansible_collections.saveit.remediation.plugins.module_utils._changes import Intent
from ansible_collections.saveit.remediation.plugins.module_utils._place import Place
from ansible_collections.saveit.remediation.plugins.module_utils._reload import reload
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result
from ansible_collections.saveit.remediation.plugins.module_utils._target import adapter

_STAMP = re.compile(r"\d{8}T\d{6}Z")
_OWN = ("certificate_file", "key_file", "files_service")


def intent(parameters: Mapping[str, Any], old: Pair, new: Pair, stamp: str) -> Intent:
    """What is recorded before a temporary certificate is put in place; `stamp` ends the old files' names."""
    own = {name: parameters[name] for name in _OWN}
    mark = new.certificate.fingerprint if new.certificate else ""
    return Intent(
        service=parameters["service"],
        kind="certificate",
        what=f"the certificate in {parameters['certificate_file']}",
        before=_short(old),
        after=_short(new),
        module="certificate_renewal",
        back={"service": parameters["service"], "put_back": [{**own, "stamp": stamp, "fingerprint": mark}]},
    )


def _short(pair: Pair) -> str:
    if not pair.certificate:
        return "none that can be read"
    kind = "self-signed " if pair.certificate.self_signed else ""
    return f"{kind}{pair.certificate.fingerprint[:16]}, until {day(pair.certificate.not_after)}"


def put_back(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Only where ours is still there, and the old one is any good. Raises FailedError.

    Which files these are, the site says and not the record, which everybody on the host can write.
    """
    entry = parameters["put_back"][0]
    file, stamp = parameters["certificate_file"], str(entry.get("stamp"))
    if not _STAMP.fullmatch(stamp) or not entry.get("fingerprint"):
        raise FailedError("cannot put back the certificate: put_back is not what a renewal returned")
    other = [name for name in _OWN if entry.get(name) != parameters[name]]
    if other or not file:
        what = ", ".join(other) or "certificate_file"
        return _left(f"the inventory does not say the same {what} as the record ({entry.get(what)})")
    place = Place(parameters, carrier, parameters["files_service"])
    files, now, names = (file, parameters["key_file"]), carrier.now(), wanted_names(parameters)
    present = read_pair(place, files, names, parameters, now).certificate
    if present is None or present.fingerprint != entry["fingerprint"]:
        return _left(f"{file} has another certificate by now, so nothing is left of ours", over=True)
    old_files = (f"{files[0]}.{stamp}", f"{files[1]}.{stamp}")
    old = read_pair(place, old_files, names, parameters, now)
    if not old.certificate or old.problems:
        why = "; ".join(each.sentence for each in old.problems)
        return _left(
            f"the old certificate is no better ({why}); renew it: saveit-remediate --incident certificate"
        )
    diff = {"before": f"self-signed {present.fingerprint}\n", "after": old.told(now)}
    if carrier.check_mode:
        sentence = f"would put {old_files[0]} back as {file}, and reload {parameters['service']}"
        return Result("planned", sentence, changed=True, diff=diff, returned=_returned(over=True))
    service = adapter(parameters).look(parameters, carrier, parameters["service"])
    aside = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    kept = swap.replace(place, swap.stage(place, old_files, files), files, aside)
    try:
        did = reload(parameters, carrier, service)
    except FailedError as error:
        swap.put_back(place, files, kept)
        raise FailedError(f"{error}; the temporary certificate was put in place again") from error
    swap.discard(place, [*kept, *old_files])
    sentence = f"put back the certificate of {parameters['service']}: {file} is what it was; {did}"
    return Result("put-back", sentence, changed=True, diff=diff, returned=_returned(over=True))


def _left(reason: str, over: bool = False) -> Result:
    return Result("unchanged", f"the certificate is not put back: {reason}", returned=_returned(over))


def _returned(over: bool) -> dict[str, Any]:
    return {"stored": None, "kept": [], "change_id": "", "over": over}
