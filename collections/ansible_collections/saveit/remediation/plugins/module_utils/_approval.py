# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signed approval: a person's word for one remedy on one target, by one plan of one incident, for a while.

It is a text of JSON and its Ed25519 signature (RFC 8032). Signed is the text itself, so nobody has to write
the same JSON twice. It proves who approved; who asks is known by the login alone.
"""

from __future__ import annotations

import json
from typing import Any, Mapping, NamedTuple

from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._time import parse_time

PURPOSE = "saveit-remediate approval 1"
_BINDS = ("incident", "target", "remedy", "plan")


class Approval(NamedTuple):
    """Whose word it is, and a name of the approval, by which the target remembers that it was used."""

    approver: str
    id: str


def check(
    signed: Mapping[str, Any],
    wanted: Mapping[str, str],
    asker: str,
    approvers: Mapping[str, str],
    minutes: float,
    now: float,
) -> tuple[Approval | None, str]:
    """The approval, or why it is none; `wanted` has the incident, target, remedy and plan of now.

    `asker` is who runs this, `approvers` the policy's public keys by name.
    """
    text, signature = str(signed.get("statement")), str(signed.get("signature"))
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or said.get("purpose") != PURPOSE:
        return None, "an approval that cannot be read"
    approver = str(said.get("approver"))
    whose = f"the approval of {approver}"
    if approver not in approvers:
        known = ", ".join(sorted(approvers)) or "nobody"
        return None, f"{whose}, who is not among the approvers of the policy ({known})"
    problem = _wrong_signature(approvers[approver], approver, signature, text)
    if problem:
        return None, f"{whose}: {problem}"
    for name in _BINDS:
        if said.get(name) != wanted[name]:
            return None, f"{whose} is for another {name}"
    expires, at = parse_time(str(said.get("expires"))), parse_time(str(said.get("at")))
    if expires is None or at is None or expires - at > minutes * 60 + 1:
        return None, f"{whose} holds longer than the {minutes:g} minutes that the policy gives"
    if not at - 300 <= now < expires:  # two clocks may differ a little
        return None, f"{whose} holds from {said['at']} until {said['expires']}, and not now"
    for role, name in (("asked for it", str(said.get("asked_by"))), ("runs it", asker)):
        if is_same_person(approver, name):
            return None, f"{whose}, who {role} as {name}: a second person has to approve"
    return Approval(approver, signature[:32]), ""


def is_same_person(approver: str, login: str) -> bool:
    """Is the approver who is logged in as `login` (USER or USER@HOST)?"""
    return approver.casefold() == login.partition("@")[0].casefold()


def _wrong_signature(key: str, approver: str, signature: str, text: str) -> str:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_ssh_public_key
    except ImportError:
        raise FailedError("cannot check an approval: Python's cryptography is not installed here") from None
    try:
        public = load_ssh_public_key(key.encode())
    except Exception:  # besides ValueError and UnsupportedAlgorithm, some versions raise errors of their own
        public = None
    if not isinstance(public, Ed25519PublicKey):
        return f"the policy's key of {approver} is no ssh-ed25519 public key"
    try:
        public.verify(bytes.fromhex(signature), text.encode())
    except (ValueError, InvalidSignature):
        return f"the signature is not that of {approver}"
    return ""
