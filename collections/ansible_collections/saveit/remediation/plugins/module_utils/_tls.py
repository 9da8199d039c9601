# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TLS handshake from outside, as a user's browser makes one: what is served, and whether it is trusted."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any

from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

TIMES = (9, 10)  # OpenSSL's codes for "not yet valid" and "expired": the chain itself was built
DER = 2  # _ssl.ENCODING_DER


@dataclass(frozen=True)
class Handshake:
    """How it ended: `answer` is served, refused, timeout, not-tls, handshake or unresolvable."""

    answer: str
    detail: str = ""
    chain: tuple[bytes, ...] = ()
    trusted: bool | None = None
    distrust: str = ""
    times_only: bool = False  # distrusted, and only because of somebody's dates


@dataclass(frozen=True)
class Endpoint:
    """Where to connect, and which name to ask for."""

    host: str
    port: int
    server_name: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def named(self) -> str:
        """With the name that is asked for, where it is another one."""
        return str(self) if self.server_name == self.host else f"{self} (as {self.server_name})"


def parse_endpoint(text: str, server_name: str) -> Endpoint:
    """HOST:PORT, [IPV6]:PORT or HOST, which means port 443. Raises FailedError for anything else."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, "443"
    host = host.strip("[]")
    if not host or "/" in text or not port.isdigit() or not 0 < int(port) < 65536:
        raise FailedError(
            f"cannot connect to {text!r}: that is not HOST:PORT (certificate_endpoint, in the inventory)"
        )
    return Endpoint(host, int(port), server_name or host)


def load_authorities(ca_file: str) -> ssl.SSLContext:
    """A context that trusts the authorities of this file, or the system's. Raises FailedError."""
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ValueError) as error:
        raise FailedError(
            f"cannot read the authorities' certificates in {ca_file}: {error} "
            "(certificate_ca_file, in the inventory)"
        ) from error
    # Strict checking, which Python 3.13 turned on, refuses certificates that browsers and devices take.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = False  # names are judged apart, to tell one fault from the other
    return context


def handshake(endpoint: Endpoint, ca_file: str, timeout: float) -> Handshake:
    """One that verifies; when that fails, a second one to read what is served there.

    Raises FailedError for a file of authorities that is none.
    """
    first = _try(endpoint, load_authorities(ca_file), timeout)
    if isinstance(first, Handshake):
        return first
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # only read; what is untrusted is said to be
    second = _try(endpoint, context, timeout)
    if not isinstance(second, Handshake) or second.answer != "served":
        return second if isinstance(second, Handshake) else Handshake("handshake", str(second))
    only_times = first.verify_code in TIMES
    return Handshake("served", "", second.chain, False, first.verify_message, only_times)


def _try(
    endpoint: Endpoint, context: ssl.SSLContext, timeout: float
) -> Handshake | ssl.SSLCertVerificationError:
    until = time.monotonic() + timeout
    connection = _connect(endpoint, timeout)
    if isinstance(connection, Handshake):
        return connection
    name = endpoint.server_name
    try:
        connection.settimeout(max(0.1, until - time.monotonic()))  # a deadline for the handshake as a whole
        with context.wrap_socket(connection, server_hostname=name) as tls:
            return Handshake("served", "", _chain(tls), trusted=True)
    except ssl.SSLCertVerificationError as error:
        return error
    except socket.timeout:  # noqa: UP041  # another one before Python 3.10
        return Handshake("timeout", f"it takes the connection, and no handshake within {timeout:g} s")
    except (ssl.SSLEOFError, ConnectionError):
        return Handshake("refused", "it takes the connection and closes it: nothing serves behind it")
    except ssl.SSLError as error:
        return _other_failure(error)
    except (OSError, ValueError) as error:
        return Handshake("handshake", str(error))
    finally:
        connection.close()


def _other_failure(error: ssl.SSLError) -> Handshake:
    reason = error.reason or str(error)
    if reason in ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return Handshake("not-tls", "what answers there does not speak TLS")
    return Handshake("handshake", f"the handshake failed: {reason.lower().replace('_', ' ')}")


def _chain(tls: ssl.SSLSocket) -> tuple[bytes, ...]:
    """All that the server sent; before Python 3.10 only its own certificate can be had."""
    if hasattr(tls, "get_unverified_chain"):  # public since 3.13
        return tuple(tls.get_unverified_chain())
    inner: Any = getattr(tls, "_sslobj", None)
    if hasattr(inner, "get_unverified_chain"):
        return tuple(each.public_bytes(DER) for each in inner.get_unverified_chain() or ())
    return tuple(filter(None, [tls.getpeercert(binary_form=True)]))


def _connect(endpoint: Endpoint, timeout: float) -> socket.socket | Handshake:
    """To the first of the host's addresses that takes the connection."""
    until = time.monotonic() + timeout
    addresses, why = _resolve(endpoint, timeout)
    failed = Handshake("unresolvable", f"{endpoint.host} cannot be resolved: {why}")
    for family, address in addresses:
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(max(0.1, until - time.monotonic()))
            connection.connect(address)
        except socket.timeout:  # noqa: UP041  # another one before Python 3.10
            failed = Handshake("timeout", f"no answer within {timeout:g} s")
        except OSError as error:
            failed = Handshake("refused", error.strerror or str(error))
        else:
            return connection
        connection.close()
    return failed


def _resolve(endpoint: Endpoint, timeout: float) -> tuple[list[tuple[Any, Any]], str]:
    """The addresses; the resolver has no time limit of its own, so it is waited for in a thread."""
    said: list[tuple[list[tuple[Any, Any]], str]] = []

    def ask() -> None:
        try:
            found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
            said.append(([(each[0], each[4]) for each in found], ""))
        except (OSError, UnicodeError) as error:
            said.append(([], getattr(error, "strerror", None) or str(error)))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(timeout)
    return said[0] if said else ([], f"no answer within {timeout:g} s")
