# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secret in which a certificate and its key are kept: judged, and copied before it is deleted. Pure.

The private key is only passed on to what reads its public half, and into the copy inside the cluster.
"""

from __future__ import annotations

import base64
import binascii
import time
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._certificate import (
    Problem,
    day,
    public_key_of,
)
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_pair import Pair, judge_pair
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

SAVED_FROM = "saveit-remediate/saved-from"
SAVED_AT = "saveit-remediate/saved-at"
_LONGEST_NAME = 253


def read_pair(
    secret: Mapping[str, Any] | None,
    where: str,
    names: Sequence[str],
    parameters: Mapping[str, Any],
    now: float,
) -> Pair:
    """Judge what the secret holds; that it is missing (None) or damaged is a problem, not an error.

    Raises FailedError for a file of authorities that is none.
    """
    if secret is None:
        return Pair(problems=(Problem("secret-missing", "there is no such secret"),))
    data = secret.get("data") or {}
    if not data.get("tls.crt"):
        return Pair(problems=(Problem("unreadable", "it holds no certificate (tls.crt)"),))
    try:
        pem = _text(data["tls.crt"], "tls.crt")
    except FailedError as error:
        return Pair(problems=(Problem("unreadable", str(error)),))

    def public_key() -> str:
        if not data.get("tls.key"):
            raise FailedError("there is none (tls.key)")
        return public_key_of(_text(data["tls.key"], "tls.key"), "tls.key")

    return judge_pair(pem, f"tls.crt of {where}", ("tls.key", public_key), names, parameters, now)


def is_usable(pair: Pair) -> bool:
    """Whether it holds a certificate with its key; only where not, cert-manager makes a temporary one."""
    return pair.certificate is not None and bool(pair.key_matches)


def saved_copy(secret: Mapping[str, Any], now: float) -> dict[str, Any]:
    """A secret of the same type with the same data, `<name>-saved-<time>`, to be created beside it."""
    name = secret["metadata"]["name"]
    suffix = time.strftime("-saved-%Y%m%dt%H%M%Sz", time.gmtime(now))
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name[: _LONGEST_NAME - len(suffix)] + suffix,
            "labels": {"app.kubernetes.io/managed-by": "saveit-remediate"},
            "annotations": {SAVED_FROM: name, SAVED_AT: day(now)},
        },
        "type": secret.get("type", "Opaque"),
        "data": dict(secret.get("data") or {}),
    }


def as_it_was(secret: Mapping[str, Any]) -> dict[str, Any]:
    """The secret to be created again after it was deleted."""
    metadata = secret["metadata"]
    kept = {name: metadata[name] for name in ("name", "labels", "annotations") if metadata.get(name)}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": kept,
        "type": secret.get("type", "Opaque"),
        "data": dict(secret.get("data") or {}),
    }


def from_copy(copy: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The secret of which saved_copy made a copy, but for its labels, which cert-manager sets again."""
    return {**as_it_was(copy), "metadata": {"name": name}}


def how_to_put_back(saved: str, name: str) -> str:
    """For a person."""
    return (
        f"to put it back, create the secret {name} with the type and the data of {saved}, "
        f"and delete {saved} when it is not needed any more"
    )


def _text(encoded: str, what: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError) as error:
        raise FailedError(f"{what} is not in base64") from error
