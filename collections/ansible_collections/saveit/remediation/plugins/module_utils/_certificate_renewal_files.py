# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certificate_renewal with files: the site's client gets a certificate, which is checked and put in place."""

from __future__ import annotations

import ipaddress
import time
from contextlib import nullcontext, suppress
from typing import Any, ContextManager, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _certificate_attempt as attempt,
)
from ansible_collections.saveit.remediation.plugins.module_utils import (
    _certificate_back_files as back,
)
from ansible_collections.saveit.remediation.plugins.module_utils import (
    _certificate_swap as swap,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._certificate import CLOCK
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_files import read_pair
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_pair import Pair
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_served import (
    AS_IT_IS,
    serves,
    wanted_names,
    why_no_worse_one,
)
from ansible_collections.saveit.remediation.plugins.module_utils._change_record import recorded
from ansible_collections.saveit.remediation.plugins.module_utils._changes import how_to_put_back
from ansible_collections.saveit.remediation.plugins.module_utils._place import Place
from ansible_collections.saveit.remediation.plugins.module_utils._redact import redact
from ansible_collections.saveit.remediation.plugins.module_utils._reload import reload
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result
from ansible_collections.saveit.remediation.plugins.module_utils._target import adapter

UNUSABLE = {"unreadable", "key-mismatch", "wrong-name", "untrusted"}  # problems that are not of time
LONGEST = 400  # characters of what the client says
HIDDEN = "AttributeError: can't set attribute"  # https://github.com/certbot/certbot/issues/9539


def renew(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Renew when it is needed and allowed; in check mode only say what would be done."""
    why_not = _not_configured(parameters)
    if why_not:
        return Result("unchanged", f"not renewed: {why_not}")
    place = Place(parameters, carrier, parameters["files_service"])
    old = _pair(parameters, carrier, place, _files(parameters))
    why_not = _not_needed(parameters, carrier, place, old)
    if why_not:
        return Result("unchanged", f"not renewed: {why_not}", returned=_returned(old, carrier))
    if carrier.check_mode:
        return _planned(parameters, carrier, place, old)
    return _renew(parameters, carrier, place, old)


def _not_configured(parameters: Mapping[str, Any]) -> str:
    if parameters["method"] == "delete_secret":
        return "compose has no secrets of its own; the certificate and its key are files"
    missing = [name for name in ("certificate_file", "key_file") if not parameters[name]]
    if parameters["method"] == "client":
        wanted = ("command", "new_certificate_file", "new_key_file")
        missing += [name for name in wanted if not parameters[name]]
    elif not wanted_names(parameters):
        missing.append("server_name")
    return f"the inventory does not say {', '.join(missing)}" if missing else ""


def _not_needed(parameters: Mapping[str, Any], carrier: Carrier, place: Place, old: Pair) -> str:
    """Why nothing is done: the certificate is good, or the issuer must not be asked again yet."""
    file = parameters["certificate_file"]
    if place.run(["test", "-L", file]).rc == 0:
        return (
            f"{file} is a symbolic link, which the client itself keeps; "
            "have the client renew it, or let certificate_file name a file that is none"
        )
    if old.certificate and not old.problems and not parameters["force"]:
        left = old.certificate.days_left(carrier.now())
        return f"{file} is good for {left:.1f} days, more than {parameters['renew_before_days']:g}"
    if _is_self_signed(parameters):
        return why_no_worse_one(parameters, carrier)
    return attempt.why_too_early(place, file, carrier.now(), parameters["backoff_minutes"])


def _planned(parameters: Mapping[str, Any], carrier: Carrier, place: Place, old: Pair) -> Result:
    stamp = _stamp(carrier.now())
    file, service = parameters["certificate_file"], parameters["service"]
    sentence = (
        f"would run `{' '.join(_command(parameters))}` on {place.name}, check what it makes, "
        f"keep {file} as {file}.{stamp}, replace it with its key, and reload {service}"
    )
    made = "a certificate that browsers warn of" if _is_self_signed(parameters) else "a new certificate"
    after = f"{made} for {', '.join(wanted_names(parameters))}, with its key\n"
    diff = {"before": old.told(carrier.now()), "after": after}
    return Result("planned", sentence, changed=True, diff=diff, returned=_returned(old, carrier))


def _renew(parameters: Mapping[str, Any], carrier: Carrier, place: Place, old: Pair) -> Result:
    """Each step undoes what it has done when it fails, so that nothing is half-changed."""
    files, stamp, began = _files(parameters), _stamp(carrier.now()), carrier.now()
    file = parameters["certificate_file"]
    service = adapter(parameters).look(parameters, carrier, parameters["service"])
    asks = not _is_self_signed(parameters)
    if asks:
        attempt.remember(place, file, began, "not finished")
    try:
        staged = _get(parameters, place, files)
        try:
            new = _pair(parameters, carrier, place, staged)
            _check(parameters, carrier, old, new)
        except FailedError:
            swap.discard(place, staged)
            raise
        with _recorded(parameters, carrier, place, old, new, stamp) as (id_,):
            kept = swap.replace(place, staged, files, stamp)
            try:
                did = reload(parameters, carrier, service)
            except FailedError as error:
                swap.put_back(place, files, kept)
                raise FailedError(f"{error}; the old files were put back") from error
    except FailedError as error:
        _conclude(asks, place, file, began, f"failed: {str(error)[:300]}")
        raise
    _conclude(asks, place, file, began, "renewed")
    seen = serves(parameters, carrier, new.certificate)
    return Result(
        "renewed" if asks else "self-signed",
        _sentence(parameters, carrier, new, kept, did, seen) + (f"; {how_to_put_back([id_])}" if id_ else ""),
        changed=True,
        diff={"before": old.told(carrier.now()), "after": new.told(carrier.now())},
        returned={**_returned(new, carrier), "kept": [each for each in kept if each], "change_id": id_},
    )


def _recorded(
    parameters: Mapping[str, Any], carrier: Carrier, place: Place, old: Pair, new: Pair, stamp: str
) -> ContextManager[list[str]]:
    """A self-signed certificate is a temporary change; a renewed one is no change that is put back."""
    if not _is_self_signed(parameters):
        return nullcontext([""])

    def is_as_before() -> bool:
        found = _pair(parameters, carrier, place, _files(parameters)).certificate
        return found is None or found != new.certificate

    return recorded(parameters, carrier, [back.intent(parameters, old, new, stamp)], is_as_before)


def _conclude(asks: bool, place: Place, file: str, began: float, result: str) -> None:
    """Write down how the attempt ended; that it fails hides nothing, for the attempt itself is known."""
    if asks:
        with suppress(FailedError):
            attempt.remember(place, file, began, result)


def _get(parameters: Mapping[str, Any], place: Place, files: tuple[str, str]) -> tuple[str, str]:
    """Run the client, and return where its files wait. Raises FailedError with its words."""
    command, timeout = _command(parameters), parameters["command_timeout_seconds"]
    done = place.run(command, timeout=timeout)
    if done.rc != 0:
        if _is_self_signed(parameters):
            swap.discard(place, swap.staged_names(files))
        what = f"`{' '.join(command[:2])}` on {place.name}"
        if done.timed_out or done.rc == 137:
            raise FailedError(f"no new certificate: {what} did not end within {timeout:g} s, and was ended")
        said = _end(redact(done.said)) or "it said nothing"
        more = (
            "; certbot hides the issuer's answer behind this, and has it in its log" if HIDDEN in said else ""
        )
        raise FailedError(f"no new certificate: {what} failed with exit code {done.rc}: {said}{more}")
    if _is_self_signed(parameters):
        return swap.dress(place, files)
    sources = (parameters["new_certificate_file"], parameters["new_key_file"])
    return swap.stage(place, sources, files)


def _end(text: str) -> str:
    """The last words, where clients say why."""
    return text if len(text) <= LONGEST else "… " + text[-LONGEST:].partition(" ")[2]


def _check(parameters: Mapping[str, Any], carrier: Carrier, old: Pair, new: Pair) -> None:
    """Raises FailedError for a certificate that must not be put in place."""
    allowed = AS_IT_IS if _is_self_signed(parameters) else {"expiring"}
    before, after = old.certificate, new.certificate
    if after and after.not_before - carrier.now() < CLOCK:  # made just now, by another clock
        allowed = {*allowed, "not-yet-valid"}
    bad = [each.sentence for each in new.problems if each.word not in allowed]
    if before and after and not _is_self_signed(parameters):
        if not UNUSABLE & set(old.words) and after.not_after <= before.not_after:
            bad.append("it does not expire later than the old one")
        elif after.fingerprint == before.fingerprint:
            bad.append("it is the old one")
    if bad or not after:
        why = "; ".join(bad) or "there is none"
        raise FailedError(f"the new certificate is not put in place: {why}; the old files were not touched")


def _sentence(
    parameters: Mapping[str, Any], carrier: Carrier, new: Pair, kept: list[str], did: str, seen: bool | None
) -> str:
    left = new.certificate.days_left(carrier.now()) if new.certificate else 0
    made = (
        "a certificate of its own making, of which browsers warn,"
        if _is_self_signed(parameters)
        else (f"a new certificate, good for {left:.1f} days,")
    )
    where = f" ({kept[0]} is the old one)" if kept[0] else ""
    told = {True: "", None: "", False: "; it is not served yet"}[seen]
    short = [each.sentence for each in new.problems if each.word == "expiring"]
    more = "".join(f"; but {each}" for each in short)
    return f"{parameters['service']} has {made} in {parameters['certificate_file']}{where}; {did}{told}{more}"


def _command(parameters: Mapping[str, Any]) -> list[str]:
    if not _is_self_signed(parameters):
        return list(parameters["command"])
    names = wanted_names(parameters)
    certificate, key = swap.staged_names(_files(parameters))
    days = str(parameters["self_signed_days"])
    return [
        *["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", days],
        *["-subj", f"/CN={names[0]}", "-addext", f"subjectAltName={','.join(map(_alternative, names))}"],
        *["-keyout", key, "-out", certificate],
    ]


def _alternative(name: str) -> str:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return f"DNS:{name}"
    return f"IP:{name}"


def _is_self_signed(parameters: Mapping[str, Any]) -> bool:
    return bool(parameters["method"] == "self_signed")


def _files(parameters: Mapping[str, Any]) -> tuple[str, str]:
    return parameters["certificate_file"], parameters["key_file"]


def _pair(parameters: Mapping[str, Any], carrier: Carrier, place: Place, files: tuple[str, str]) -> Pair:
    return read_pair(place, files, wanted_names(parameters), parameters, carrier.now())


def _stamp(now: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def _returned(pair: Pair, carrier: Carrier) -> dict[str, Any]:
    stored = pair.certificate.as_return(carrier.now()) if pair.certificate else None
    return {"stored": stored, "kept": [], "change_id": "", "over": False}
