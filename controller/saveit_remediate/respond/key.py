"""The private key of a person who approves: an Ed25519 key, as ssh-keygen writes it."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from saveit_remediate.errors import UsageError


@dataclass(frozen=True)
class Key:
    """`public` is the line for the policy; `sign` gives the signature (RFC 8032) of a message."""

    path: Path
    public: str
    sign: Callable[[bytes], bytes]


def read_key(path: Path, origin: str) -> Key:
    """Raises UsageError for a file that is not there, that others may read, or that is another key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

    attempt = f"cannot sign with the key {path} ({origin})"
    try:
        mode, text = path.stat().st_mode, path.read_bytes()
    except FileNotFoundError:
        make = f"ssh-keygen -t ed25519 -N '' -f {path}"
        raise UsageError(f"{attempt}: there is no such file; {make} makes one") from None
    except OSError as error:
        raise UsageError(f"{attempt}: {error.strerror}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise UsageError(f"{attempt}: others may read it (mode {stat.S_IMODE(mode):04o}); chmod 600 {path}")
    try:
        key = load_ssh_private_key(text, password=None)
    except TypeError:
        raise UsageError(
            f"{attempt}: it has a passphrase, which is not asked for; use a key without one"
        ) from None
    except Exception as error:  # besides ValueError, versions differ in what they raise for what is no key
        raise UsageError(f"{attempt}: it is no private key as ssh-keygen -t ed25519 writes it") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{attempt}: it is another kind of key; ssh-keygen -t ed25519 makes the right one")
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return Key(path, public, key.sign)
