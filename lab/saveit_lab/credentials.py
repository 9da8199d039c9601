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
    if not (places.CERTIFICATES / "tls.crt").exists():
        make_certificate(days=365)
    if not (places.BROKER / "tls.crt").exists():
        make_certificate(days=365, folder=places.BROKER)


def make_certificate(days: int, folder: Path = places.CERTIFICATES) -> None:
    """A new certificate for the TLS edge, or what else has its own folder, by the authority of the folder."""
    docker.must(
        "make a certificate",
        "run",
        "--rm",
        "--network=none",
        "-v",
        f"{places.LAB / 'services' / 'certificates'}:/recipe:ro",
        "-v",
        f"{folder}:/certificates",
        CURRENT,
        "sh",
        "/recipe/make.sh",
        "/certificates",
        str(days),
    )
