# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have cert-manager issue a certificate, and wait for how it ends."""

from __future__ import annotations

from typing import Any, Callable, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_certificate as objects,
)
from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_certificate_look as looks,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._certificate import day
from ansible_collections.saveit.remediation.plugins.module_utils._changes import NotMadeError
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import ApiError, Cluster
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, ObstacleError

TRIES = 3  # when others change the object at the same time
PAUSE = 1.0  # seconds between two looks
_BROKEN_OFF = ("cluster-unreachable", "cluster-timeout")  # a write of which nobody knows whether it arrived


class RefusedError(NotMadeError):
    """The world is not what was assessed: the reason why nothing is done after all."""


def change(
    cluster: Cluster,
    issuance: objects.Issuance,
    is_done: Callable[[objects.Issuance], bool],
    why_not: Callable[[objects.Issuance], str],
    write: Callable[[objects.Issuance], Mapping[str, Any]],
) -> objects.Issuance:
    """Write unless it is done; where others were faster, or nobody knows, read again and decide again.

    Raises RefusedError with the reason of `why_not`, FailedError after three tries, and what the API says.
    """
    trouble: FailedError | None = None
    for _try in range(TRIES):
        if is_done(issuance):
            return issuance
        reason = why_not(issuance)
        if reason:
            raise RefusedError(reason)
        try:
            return objects.read(write(issuance))
        except ApiError as error:
            if error.status != 409:
                raise
            trouble = error
        except ObstacleError as error:
            if error.id not in _BROKEN_OFF:
                raise
            trouble = error
        issuance = _again(cluster, issuance.name)
    if is_done(issuance):
        return issuance
    raise FailedError(
        f"cannot change the Certificate {issuance.name}: tried {TRIES} times, and each time: {trouble}"
    )


def trigger(
    cluster: Cluster,
    carrier: Carrier,
    issuance: objects.Issuance,
    why_not: Callable[[objects.Issuance], str],
    is_any_good: bool = False,
) -> objects.Issuance:
    """Set the condition Issuing, as cert-manager documents it for a renewal by hand; see `change` for errors.

    With `is_any_good` an issuance that others began in the meantime is as good as ours.
    """

    def is_done(now: objects.Issuance) -> bool:
        asked = now.is_issuing and (is_any_good or now.is_asked_by_us)
        return asked or bool(objects.ended(issuance, now))

    def write(now: objects.Issuance) -> Mapping[str, Any]:
        patch = objects.issue_patch(now, carrier.now())
        return cluster.patch("certificates", now.name, patch, subresource="status")

    return change(cluster, issuance, is_done, why_not, write)


def ask_for_temporary(
    cluster: Cluster, issuance: objects.Issuance, why_not: Callable[[objects.Issuance], str]
) -> objects.Issuance:
    """Annotate the Certificate; see `change` for errors."""

    def write(now: objects.Issuance) -> Mapping[str, Any]:
        return cluster.patch("certificates", now.name, objects.temporary_patch(now))

    return change(cluster, issuance, lambda now: now.temporary, why_not, write)


def wait(
    cluster: Cluster,
    carrier: Carrier,
    before: objects.Issuance,
    seconds: float,
    is_enough: Callable[[], bool] = lambda: False,
) -> tuple[str, objects.Issuance]:
    """How it ended: "issued", "failed", "enough" as soon as `is_enough`, or "" when the time is over.

    An API server that does not answer for a while is asked again until then; raises what it says at the end.
    """
    until, seen, trouble = carrier.now() + seconds, before, None
    while True:
        try:
            seen, trouble = _again(cluster, before.name), None
            ended = objects.ended(before, seen)
            if ended or is_enough():
                return ended or "enough", seen
        except ObstacleError as error:
            if error.id == looks.FORBIDDEN:
                raise
            trouble = error
        if carrier.now() >= until:
            if trouble:
                raise FailedError(
                    f"a new certificate was asked for, and nobody knows how it ended: {trouble}"
                )
            return "", seen
        carrier.sleep(min(PAUSE, max(0.05, until - carrier.now())))


def why_there_is_none(
    cluster: Cluster, issuance: objects.Issuance, ended: str, seconds: float, now: float
) -> str:
    """The sentence for an issuance that failed, or did not end in time."""
    state = looks.issuance_sentence(issuance, looks.why(cluster, issuance), now)
    if ended == "failed":
        return f"no new certificate: {state}"
    return f"no new certificate within {seconds:g} s: {state}; cert-manager goes on with it"


def why_not_now(
    cluster: Cluster, carrier: Carrier, issuance: objects.Issuance, parameters: Mapping[str, Any]
) -> str:
    """Why the issuer must not be asked: it is being asked, or was asked a short while ago; "" when it may."""
    now = carrier.now()
    if issuance.is_issuing:
        return looks.issuance_sentence(issuance, looks.why(cluster, issuance), now)
    if parameters["force"]:
        return ""
    if issuance.has_failed and now < issuance.backoff_ends:
        state = looks.issuance_sentence(issuance, looks.why(cluster, issuance), now)
        return f"{state}; force asks at once, and issuers have rate limits"
    if parameters["method"] == "delete_secret":  # the last remedy comes after a renewal that did not help
        return ""
    asked = objects.attempted_at(looks.newest(cluster, issuance))
    until = (asked or 0) + parameters["backoff_minutes"] * 60
    if asked and now < until:
        return (
            f"the issuer was asked at {day(asked)}, and is not asked again before {day(until)} "
            "(certificate_backoff_minutes)"
        )
    return ""


def _again(cluster: Cluster, name: str) -> objects.Issuance:
    found, without = looks.read_issuance(cluster, name)
    if found is None:
        raise FailedError(f"the Certificate {name} went away meanwhile: {without}")
    return found
