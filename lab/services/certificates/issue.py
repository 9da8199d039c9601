"""A certificate of the TLS edge as a fault wants it, by the lab's own authority. Run in the lab's image.

    issue.py FOLDER KIND

KIND is good, expired, expiring, wrong-name, or other-key, which only replaces the key.
Whole files are replaced, the key first; `acme.crt` is the certificate of the ACME server itself.
"""

import ipaddress
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

NAMES = ("localhost", "saveit.lab", "127.0.0.1")
KINDS = {  # the names, and from when to when it is good, in days from now
    "good": (NAMES, -1, 365),
    "expired": (NAMES, -91, -1),
    "expiring": (NAMES, -80, 10),
    "wrong-name": (("other.lab",), -1, 365),
    "acme": (("acme", "localhost"), -1, 3650),
}


def main() -> None:
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    stem = "acme" if kind == "acme" else "tls"
    write(folder / f"{stem}.key", key_pem(key), 0o600)
    for left in folder.glob(f"{stem}.*.*"):  # what renewals left behind, and when they were
        left.unlink()
    if kind == "other-key":
        return
    authority = (folder / "ca.crt").read_bytes()
    chain = issue(folder, authority, key, *KINDS[kind]) + authority
    write(folder / f"{stem}.crt", chain, 0o644)
    if kind == "good":
        write(folder / "made.crt", chain, 0o644)  # what a repair compares with


def issue(folder: Path, authority: bytes, key: Any, names: Any, begins: int, ends: int) -> bytes:
    issuer = x509.load_pem_x509_certificate(authority)
    issuer_key: Any = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    now = datetime.utcnow()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=begins))
        .not_valid_after(now + timedelta(days=ends))
        .add_extension(x509.SubjectAlternativeName([general_name(each) for each in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def general_name(name: str) -> Any:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def key_pem(key: Any) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    pem: bytes = key.private_bytes(encoding, form, serialization.NoEncryption())
    return pem


def write(path: Path, content: bytes, mode: int) -> None:
    new = path.with_name(path.name + ".new")
    new.touch(mode=mode)
    new.write_bytes(content)
    new.replace(path)


if __name__ == "__main__":
    main()
