# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certificate_renewal on Kubernetes: cert-manager issues; at last a temporary one, or a new secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_certificate as objects,
)
from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_certificate_back as back,
)
from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_certificate_issue as issue,
)
from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_certificate_look as looks,
)
from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_certificate_secret as secrets,
)
from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_secret_removal as removal,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_pair import Pair
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_served import (
    serves,
    wanted_names,
    why_no_worse_one,
)
from ansible_collections.saveit.remediation.plugins.module_utils._change_record import recorded
from ansible_collections.saveit.remediation.plugins.module_utils._changes import how_to_put_back
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import Cluster
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result

_MORE = {
    "client": (),
    "self_signed": (f"annotation {objects.TEMPORARY}: true",),
    "delete_secret": ("a secret <name>-saved-<time> with the old certificate and its key",),
}


@dataclass(frozen=True)
class Site:
    """What a renewal works on, as it was read at the beginning; `secret` has the private key."""

    parameters: Mapping[str, Any]
    carrier: Carrier
    cluster: Cluster
    issuance: objects.Issuance
    secret_name: str
    secret: Mapping[str, Any] | None = field(repr=False)
    pair: Pair

    def read_pair(self) -> Pair:
        """What the secret holds now."""
        secret = looks.read_secret(self.cluster, self.secret_name)
        return _pair(self.parameters, self.carrier, self.secret_name, secret)

    def why_not_now(self, issuance: objects.Issuance) -> str:
        """Why the issuer must not be asked."""
        return issue.why_not_now(self.cluster, self.carrier, issuance, self.parameters)

    def may_ask(self, issuance: objects.Issuance) -> str:
        """A temporary certificate is made at once, and only while one is being issued: no back-off."""
        return "" if not secrets.is_usable(self.pair) else self.why_not_now(issuance)


def renew(parameters: Mapping[str, Any], carrier: Carrier) -> Result:
    """Renew when it is needed and allowed; in check mode only say what would be done.

    Raises FailedError when it was tried and there is no new certificate, and ObstacleError.
    """
    cluster = carrier.cluster(parameters)
    issuance, without = looks.read_issuance(cluster, parameters["certificate_name"])
    name = looks.name_of_secret(parameters, issuance)
    secret = looks.read_secret(cluster, name)
    pair = _pair(parameters, carrier, name, secret)
    returned = _returned(pair, carrier)
    if issuance is None:
        return Result("unchanged", f"not renewed: {without}", returned=returned)
    site = Site(parameters, carrier, cluster, issuance, name, secret, pair)
    why_not = _not_needed(site)
    if why_not:
        return Result("unchanged", f"not renewed: {why_not}", returned=returned)
    if carrier.check_mode:
        return _planned(site)
    try:
        return _METHODS[parameters["method"]](site)
    except issue.RefusedError as refused:
        return Result("unchanged", f"not renewed: {refused}", returned=returned)


def _not_needed(site: Site) -> str:
    """Why nothing is done: the certificate is good, or the issuer must not be asked."""
    held, parameters = site.pair.certificate, site.parameters
    if held and not site.pair.problems and not parameters["force"]:
        left = held.days_left(site.carrier.now())
        wanted = parameters["renew_before_days"]
        return f"the secret {site.secret_name} is good for {left:.1f} days, more than {wanted:g}"
    if parameters["method"] == "delete_secret" and site.secret is None:
        return f"there is no secret {site.secret_name} to delete"
    if parameters["method"] != "self_signed":
        return site.why_not_now(site.issuance)
    if site.issuance.temporary and site.issuance.is_issuing and not secrets.is_usable(site.pair):
        return "a temporary certificate was asked for already, and cert-manager has made none: does it run?"
    return why_no_worse_one(parameters, site.carrier) or site.may_ask(site.issuance)


def _planned(site: Site) -> Result:
    method, name, secret = site.parameters["method"], site.issuance.name, site.secret_name
    do = {
        "client": f"set the condition Issuing of the Certificate {name} through its status",
        "self_signed": f"annotate the Certificate {name} with {objects.TEMPORARY}, and have it issued",
        "delete_secret": f"save the secret {secret} beside itself, delete it, and have {name} issued",
    }[method]
    limit = site.parameters["command_timeout_seconds"]
    sentence = f"would {do}, and wait up to {limit:g} s for cert-manager ({site.issuance.issuer})"
    after = [f"a new certificate by {site.issuance.issuer}, with its key", *_MORE[method]]
    diff = {
        "before": f"issuing: {site.issuance.is_issuing}\n{site.pair.told(site.carrier.now())}",
        "after": "issuing: True\n" + "".join(f"{line}\n" for line in after),
    }
    return Result("planned", sentence, changed=True, diff=diff, returned=_returned(site.pair, site.carrier))


def _client(site: Site) -> Result:
    issue.trigger(site.cluster, site.carrier, site.issuance, site.why_not_now)
    ended, seen = _wait(site)
    if ended != "issued":
        raise FailedError(f"{_why_none(site, seen, ended)}; the secret {site.secret_name} was not touched")
    return _done(site, seen, ended)


def _self_signed(site: Site) -> Result:
    """cert-manager makes a temporary certificate while it issues, if the secret holds none with its key."""
    was_usable = secrets.is_usable(site.pair)
    issuance, id_ = _ask_for_temporary(site)
    issue.trigger(site.cluster, site.carrier, issuance, site.may_ask, is_any_good=True)
    ended, seen = _wait(site, is_any_good=not was_usable)
    if ended == "failed" and not was_usable and secrets.is_usable(site.read_pair()):
        ended = "enough"
    if ended in ("issued", "enough"):
        return _done(site, seen, ended, change_id=id_)
    more = (
        "; a temporary one is made only where the secret holds no certificate with its key; "
        f"the annotation {objects.TEMPORARY} stays, for when it is deleted"
        if was_usable
        else ""
    )
    raise FailedError(f"{_why_none(site, seen, ended)}{more}")


def _ask_for_temporary(site: Site) -> tuple[objects.Issuance, str]:
    """The Certificate with the annotation, and the id of its record; "" where somebody else has set it."""
    if site.issuance.temporary:
        return site.issuance, ""
    intent = back.annotation_intent(site.parameters["service"], site.issuance.name)

    def is_as_before() -> bool:
        now, _without = looks.read_issuance(site.cluster, site.issuance.name)
        return now is None or not now.temporary

    with recorded(site.parameters, site.carrier, [intent], is_as_before) as (id_,):
        return issue.ask_for_temporary(site.cluster, site.issuance, site.may_ask), id_


def _delete_secret(site: Site) -> Result:
    """Save the secret beside itself, delete exactly what was saved, and have it made anew."""
    secret, now = site.secret or {}, site.carrier.now()
    saved = removal.name_of_copy(secret, now)
    intent = back.secret_intent(site.parameters["service"], site.secret_name, saved)

    def has_no_copy() -> bool:
        return looks.read_secret(site.cluster, saved) is None

    with recorded(site.parameters, site.carrier, [intent], has_no_copy) as (id_,):
        removal.save(site.cluster, secret, now)
        try:
            removal.delete(site.cluster, secret, saved)
        except removal.ChangedError as error:
            raise issue.RefusedError(str(error)) from error
        try:
            seen = _issue_anew(site)
        except FailedError as error:
            raise FailedError(f"{error}; {removal.put_back(site.cluster, secret, saved)}") from error
    return _done(site, seen, "issued", saved, id_)


def _issue_anew(site: Site) -> objects.Issuance:
    """Without a secret cert-manager issues by itself, but not within a back-off."""
    fresh, without = looks.read_issuance(site.cluster, site.issuance.name)
    if fresh is None:
        raise FailedError(f"no new certificate: {without}")
    issue.trigger(site.cluster, site.carrier, fresh, lambda _now: "", is_any_good=True)
    ended, seen = _wait(site)
    if ended != "issued":
        raise FailedError(_why_none(site, seen, ended))
    return seen


def _wait(site: Site, is_any_good: bool = False) -> tuple[str, objects.Issuance]:
    def is_enough() -> bool:
        return is_any_good and secrets.is_usable(site.read_pair())

    limit = site.parameters["command_timeout_seconds"]
    return issue.wait(site.cluster, site.carrier, site.issuance, limit, is_enough)


def _why_none(site: Site, seen: objects.Issuance, ended: str) -> str:
    limit = site.parameters["command_timeout_seconds"]
    return issue.why_there_is_none(site.cluster, seen, ended, limit, site.carrier.now())


def _done(site: Site, seen: objects.Issuance, ended: str, saved: str = "", change_id: str = "") -> Result:
    now, new = site.carrier.now(), site.read_pair()
    made = "a certificate" if ended == "issued" else "a temporary certificate, of which browsers warn,"
    left = new.certificate.days_left(now) if new.certificate else 0
    served = serves(site.parameters, site.carrier, new.certificate)
    told = {True: ", and it is served", None: "", False: "; it is not served yet"}[served]
    bad = "".join(f"; but {each.sentence}" for each in new.problems)
    kept = f"; {secrets.how_to_put_back(saved, site.secret_name)}" if saved else ""
    return Result(
        "renewed" if ended == "issued" else "self-signed",
        f"the secret {site.secret_name} holds {made} good for {left:.1f} days "
        f"(Certificate {seen.name}, revision {seen.revision or 0}){told}{bad}{kept}"
        + (f"; {how_to_put_back([change_id])}" if change_id else ""),
        changed=True,
        diff={"before": site.pair.told(now), "after": new.told(now)},
        returned={
            **_returned(new, site.carrier),
            "kept": [saved] if saved else [],
            "change_id": change_id,
        },
    )


def _pair(
    parameters: Mapping[str, Any], carrier: Carrier, name: str, secret: Mapping[str, Any] | None
) -> Pair:
    names = wanted_names(parameters)
    return secrets.read_pair(secret, f"the secret {name}", names, parameters, carrier.now())


def _returned(pair: Pair, carrier: Carrier) -> dict[str, Any]:
    stored = pair.certificate.as_return(carrier.now()) if pair.certificate else None
    return {"stored": stored, "kept": [], "change_id": "", "over": False}


_METHODS = {"client": _client, "self_signed": _self_signed, "delete_secret": _delete_secret}
