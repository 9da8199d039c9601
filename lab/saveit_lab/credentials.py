"""Passwords and certificates: made once, kept in the state folder, never in git."""

import secrets
from pathlib import Path

from saveit_lab import docker, places
from saveit_lab.image import CURRENT


def ensure_passwords() -> bool:
    """Make the passwords unless this clone has them; say whether they are new."""
    if places.SECRETS.exists():
        return False
    password = secrets.token_hex(16)
    places.write(
        places.SECRETS,
        f"POSTGRES_PASSWORD={password}\nDATABASE_URL=postgresql://saveit:{password}@postgres:5432/saveit\n",
        mode=0o600,
    )
    return True


def ensure_certificate() -> None:
    """An authority, certificates of the ACME server and of the TLS edge."""
    if not (places.CERTIFICATES / "tls.crt").exists():
        make_certificate(days=365)
    if not (places.CERTIFICATES / "acme.crt").exists():
        issue("acme")
    if not (places.CERTIFICATES / "made.crt").exists():
        issue("good")
    if not (places.BROKER / "tls.crt").exists():
        make_certificate(days=365, folder=places.BROKER)


def is_as_made() -> bool:
    """Whether the edge's certificate is the one that the lab made; the key cannot be read by everybody."""
    folder = places.CERTIFICATES
    try:
        return (folder / "tls.crt").read_bytes() == (folder / "made.crt").read_bytes()
    except FileNotFoundError:
        return False


def make_certificate(days: int, folder: Path = places.CERTIFICATES) -> None:
    """A new certificate for the TLS edge, or what else has its own folder, by the authority of the folder."""
    _run("make a certificate", "sh", "/recipe/make.sh", "/certificates", str(days), folder=folder)


def issue(kind: str) -> None:
    """One of the kinds of services/certificates/issue.py."""
    _run(f"issue a certificate ({kind})", "python", "/recipe/issue.py", "/certificates", kind)


def _run(attempt: str, *command: str, folder: Path = places.CERTIFICATES) -> None:
    docker.must(
        attempt,
        "run",
        "--rm",
        "--network=none",
        "-v",
        f"{places.LAB / 'services' / 'certificates'}:/recipe:ro",
        "-v",
        f"{folder}:/certificates",
        CURRENT,
        *command,
    )
