"""A certificate authority of the test's own, the server's certificate and those of clients."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()


def issue(common_name: str, organization: str = "", by: Pair | None = None, valid_days: float = 30) -> Pair:
    """Without `by` an authority; else a certificate for servers on 127.0.0.1 and for clients."""
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    subject, now = x509.Name(attributes), datetime.now(UTC)
    end = now + timedelta(days=valid_days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, end) - timedelta(days=1))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    if by is None:
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        builder = builder.add_extension(usage, critical=True)
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
    else:
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key())
        names: list[x509.GeneralName] = [
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.DNSName("localhost"),
        ]
        builder = builder.add_extension(authority, critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return Pair(builder.sign((by or Pair(None, key)).key, hashes.SHA256()), key)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Authority:
    """The files of one test session."""

    folder: Path
    authority: Pair

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.crt"

    def write(self, name: str, pair: Pair) -> tuple[Path, Path]:
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        certificate.write_text(pair.pem)
        key.write_text(pair.key_pem)
        key.chmod(0o600)
        return certificate, key

    def server_context(self) -> ssl.SSLContext:
        """A server that asks for a client certificate and does without."""
        certificate, key = self.folder / "server.crt", self.folder / "server.key"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(self.ca_file)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context


def new_authority(folder: Path) -> Authority:
    authority = Authority(folder, issue("kubernetes"))
    authority.ca_file.write_text(authority.authority.pem)
    authority.write("server", issue("kube-apiserver", by=authority.authority))
    authority.write("admin", issue("admin", "system:masters", by=authority.authority))
    return authority
