"""The damage that can be done to the certificate of the TLS edge."""

import socket
import ssl
import time
from collections.abc import Callable

from saveit_lab import containers, credentials, docker, places
from saveit_lab.errors import LabError
from saveit_lab.fault import RECOVERED, UNRESOLVED, Fault
from saveit_lab.waiting import until

SOON = 30 * 86_400  # seconds
CHECK = ("nginx", "-t", "-q", "-c", "/etc/saveit/edge.conf")


def serve(kind: str) -> Callable[[], None]:
    """Have nginx serve a certificate of this kind."""

    def inject() -> None:
        credentials.issue(kind)
        containers.send("nginx", "HUP")

    return inject


def mix_up_keys() -> None:
    credentials.issue("other-key")


def restart_with_mixed_up_keys() -> None:
    credentials.issue("other-key")
    containers.restart("nginx")


def forget_to_reload() -> None:
    serve("expired")()
    if not until(fails_with("expired"), 10):
        raise LabError("cannot break the TLS edge: it does not serve the expired certificate")
    credentials.issue("good")


def expire_without_issuer() -> None:
    containers.stop("acme")
    serve("expired")()


def fails_with(words: str) -> Callable[[], bool]:
    """Whether a client that verifies gets this complaint."""
    return lambda: words in _handshake()[1]


def expires_soon() -> bool:
    ends, complaint = _handshake()
    return not complaint and ends - time.time() < SOON


def refuses_to_reload() -> bool:
    """It still serves, and its configuration test fails."""
    return not _handshake()[1] and "mismatch" in docker.execute("nginx", *CHECK).errors


def is_down() -> bool:
    return containers.is_in("nginx", "restarting") and bool(_handshake()[1])


def _handshake() -> tuple[float, str]:
    """When the served certificate ends, or the complaint of a client."""
    try:
        context = ssl.create_default_context(cafile=str(places.CERTIFICATES / "trusted.crt"))
        with (
            socket.create_connection(("127.0.0.1", 8443), timeout=3) as connection,
            context.wrap_socket(connection, server_hostname="localhost") as tls,
        ):
            ends = (tls.getpeercert() or {}).get("notAfter", "")
            return ssl.cert_time_to_seconds(str(ends)), ""
    except OSError as error:
        return 0, str(error)


FAULTS = (
    Fault(
        "certificate-expired", "certificate", "nginx", RECOVERED, "certificate-expired",
        "the TLS edge serves a certificate that expired yesterday",
        serve("expired"), fails_with("expired"),
    ),
    Fault(
        "certificate-expiring", "certificate", "nginx", RECOVERED, "certificate-expiring",
        "the TLS edge serves a certificate that expires in ten days",
        serve("expiring"), expires_soon,
    ),
    Fault(
        "certificate-wrong-name", "certificate", "nginx", RECOVERED, "certificate-wrong-name",
        "the TLS edge serves a certificate for another name",
        serve("wrong-name"), fails_with("not valid for"),
    ),
    Fault(
        "certificate-key-mismatch", "certificate", "nginx", RECOVERED, "certificate-key-mismatch",
        "the key file belongs to another certificate; nginx still serves the old pair from memory",
        mix_up_keys, refuses_to_reload,
    ),
    Fault(
        "certificate-key-crash", "certificate", "nginx", RECOVERED, "certificate-key-mismatch",
        "the key file belongs to another certificate, and nginx was restarted: it ends at every start",
        restart_with_mixed_up_keys, is_down,
    ),
    Fault(
        "certificate-not-reloaded", "certificate", "nginx", RECOVERED, "certificate-not-reloaded",
        "the files were renewed, and nginx still serves the expired certificate",
        forget_to_reload, fails_with("expired"),
    ),
    Fault(
        "certificate-edge-stopped", "certificate", "nginx", RECOVERED, "service-stopped",
        "the container of the TLS edge is stopped",
        lambda: containers.stop("nginx"), lambda: containers.is_in("nginx", "exited"),
    ),
    Fault(
        "certificate-renewal-fails", "certificate", "nginx", UNRESOLVED, "certificate-expired",
        "the certificate expired, and the issuer of a new one does not answer",
        expire_without_issuer, fails_with("expired"),
    ),
)  # fmt: skip
