# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""X.509 certificates as plain values, and the judgement on one. The library cryptography reads them."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

BEGIN = "-----BEGIN CERTIFICATE-----"
END = "-----END CERTIFICATE-----"
DAY = 86_400
CLOCK = 300  # seconds; a certificate that begins so soon hints at clocks that disagree


@dataclass(frozen=True)
class Certificate:
    """What one certificate says; times are seconds since the epoch, digests SHA-256."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: float
    not_after: float
    fingerprint: str
    public_key: str
    self_signed: bool
    raw: Any = None  # the library's own object, for signatures

    def days_left(self, now: float) -> float:
        """Until it expires; negative afterwards."""
        return round((self.not_after - now) / DAY, 2)

    def as_return(self, now: float) -> dict[str, Any]:
        """Plain data for a module's return value."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "names": list(self.names),
            "not_before": day(self.not_before),
            "not_after": day(self.not_after),
            "days_left": self.days_left(now),
            "fingerprint": self.fingerprint,
            "self_signed": self.self_signed,
        }


@dataclass(frozen=True)
class Problem:
    """What is wrong with a certificate, in a word and in a sentence."""

    word: str
    sentence: str


def parse_pem(text: str, where: str) -> list[Certificate]:
    """The certificates of a PEM file, the server's own first.

    Raises FailedError for a text that holds none, and for one that is damaged.
    """
    blocks = [block.split(END)[0] for block in text.split(BEGIN)[1:] if END in block]
    if not blocks:
        raise FailedError(f"{where} holds no certificate in PEM form")
    x509 = _x509()
    try:
        return [_read(x509.load_pem_x509_certificate(f"{BEGIN}{each}{END}\n".encode())) for each in blocks]
    except _damages() as error:
        raise FailedError(f"{where} holds a certificate that cannot be read: {_line(error)}") from error


def parse_der(content: bytes, where: str) -> Certificate:
    """One certificate as it comes over the wire. Raises FailedError when it is damaged."""
    x509 = _x509()
    try:
        return _read(x509.load_der_x509_certificate(content))
    except _damages() as error:
        raise FailedError(f"{where} sent a certificate that cannot be read: {_line(error)}") from error


def public_key_of(pem: str, where: str) -> str:
    """The digest of the public key in a PEM file, whether it holds the public or the private one.

    Raises FailedError for anything else; the text of the file is never in the message.
    """
    _x509()
    from cryptography.hazmat.primitives import serialization

    try:
        if "PRIVATE KEY-----" in pem:
            key: Any = serialization.load_pem_private_key(pem.encode(), None).public_key()
        else:
            key = serialization.load_pem_public_key(pem.encode())
    except TypeError as error:
        raise FailedError(f"{where} is a key with a passphrase") from error
    except _damages() as error:
        raise FailedError(f"{where} is not a key in PEM form") from error
    return _key_digest(key)


def judge(
    certificate: Certificate, now: float, names: Sequence[str], renew_before_days: float
) -> list[Problem]:
    """What is wrong with a certificate by its own words: its dates and its names."""
    found = []
    left = certificate.not_after - now
    if left < 0:
        ago = span(now - certificate.not_after)
        found.append(Problem("expired", f"it expired {ago} ago, at {day(certificate.not_after)}"))
    if now < certificate.not_before:
        soon = certificate.not_before - now
        clock = "; do the clocks of the issuer and of this controller agree?" if soon < CLOCK else ""
        begins = f"it is valid only from {day(certificate.not_before)}, in {span(soon)}{clock}"
        found.append(Problem("not-yet-valid", begins))
    missing = [name for name in names if not covers(certificate.names, name)]
    if missing:
        has = ", ".join(certificate.names) or "no name at all"
        found.append(Problem("wrong-name", f"it is not for {', '.join(missing)} but for {has}"))
    if 0 <= left < renew_before_days * DAY:
        wanted = f"less than the {renew_before_days:g} days that are wanted"
        found.append(Problem("expiring", f"it expires in {span(left)}, {wanted}"))
    return found


def covers(names: Sequence[str], wanted: str) -> bool:
    """Whether a certificate with these names is for the wanted host name or address (RFC 6125)."""
    address = _address(wanted)
    if address:
        return any(_address(each) == address for each in names)
    wanted = wanted.rstrip(".").lower()
    parent = wanted.partition(".")[2]
    return any(each.lower() == wanted or (parent and each.lower() == f"*.{parent}") for each in names)


def chain_problem(chain: Sequence[Certificate], roots: Sequence[Certificate], now: float) -> str:
    """Why nobody who trusts `roots` can trust this chain; "" when they can."""
    trusted = {each.fingerprint for each in roots}
    at, rest = chain[0], list(chain[1:])
    for _step in range(len(chain) + 1):
        if at.fingerprint in trusted or any(_issued(at, root) for root in roots):
            return ""
        if at.self_signed:
            what = (
                "it is self-signed" if at is chain[0] else f"it leads to {at.subject}, which is not trusted"
            )
            return f"{what}, and is none of the authorities that are trusted"
        above = next((each for each in rest if _issued(at, each)), None)
        if above is None:
            return f"the certificate of its issuer ({at.issuer}) is neither sent with it nor trusted"
        if not above.not_before <= now <= above.not_after:
            return f"the certificate of its issuer ({above.subject}) is not valid now"
        rest.remove(above)
        at = above
    return "its chain leads nowhere"


def day(seconds: float) -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(raw: Any) -> Certificate:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Certificate(
        subject=raw.subject.rfc4514_string(),
        issuer=raw.issuer.rfc4514_string(),
        names=_names(raw),
        not_before=_time(raw, "not_valid_before"),
        not_after=_time(raw, "not_valid_after"),
        fingerprint=hashlib.sha256(raw.public_bytes(Encoding.DER)).hexdigest(),
        public_key=_key_digest(raw.public_key()),
        self_signed=raw.issuer == raw.subject,
        raw=raw,
    )


def _names(raw: Any) -> tuple[str, ...]:
    x509 = _x509()
    try:
        extension = raw.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    kinds = (x509.DNSName, x509.IPAddress)
    return tuple(str(each.value) for each in extension if isinstance(each, kinds))


def _time(raw: Any, name: str) -> float:
    """Since version 42 the library has times with a zone, and warns about those without one."""
    aware = getattr(raw, f"{name}_utc", None)
    moment: datetime = aware or getattr(raw, name).replace(tzinfo=timezone.utc)
    return moment.timestamp()


def _issued(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether the signature is really the issuer's."""
    if certificate.issuer != issuer.subject:
        return False
    verify = getattr(certificate.raw, "verify_directly_issued_by", None)
    if verify is None:  # before version 40 of the library the names have to do
        return True
    from cryptography.exceptions import InvalidSignature

    try:
        verify(issuer.raw)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _key_digest(key: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _address(name: str) -> Any:
    try:
        return ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return None


def span(seconds: float) -> str:
    """How long, for a sentence."""
    if seconds >= DAY:
        return f"{seconds / DAY:.1f} days"
    return f"{seconds / 3600:.1f} hours" if seconds >= 7200 else f"{seconds / 60:.0f} minutes"


def _damages() -> tuple[type[Exception], ...]:
    """What the library raises for something that it cannot read, or does not know."""
    from cryptography.exceptions import UnsupportedAlgorithm

    return (ValueError, UnsupportedAlgorithm, _x509().DuplicateExtension, _x509().InvalidVersion)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _x509() -> Any:
    try:
        from cryptography import x509
    except ImportError as error:
        raise FailedError(
            f"cannot read certificates: the Python library cryptography is not installed: {error}"
        ) from error
    return x509
