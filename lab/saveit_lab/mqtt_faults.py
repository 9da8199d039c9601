"""The damage that can be done to the MQTT broker, in its own service or in the backend's container."""

from saveit_lab import containers, docker, places, probes
from saveit_lab.errors import LabError
from saveit_lab.fault import RECOVERED, UNRESOLVED, Fault

CONFIGURATION = places.FAULTY / "mosquitto" / "fault.conf"  # in the place of the broker's own
PLAIN = "user mosquitto\nlog_dest stdout\nlistener 1883 0.0.0.0\n"
TLS = "listener 8884 0.0.0.0\ncertfile /etc/broker/tls.crt\nkeyfile /run/mosquitto/tls.key\n"
FIND = "grep -lx mosquitto /proc/[0-9]*/comm | cut -d/ -f3"
NOT_AUTHORIZED = bytes([0x20, 2, 0, 5])


def configure(service: str, text: str) -> None:
    """Have the broker start like this, now and at every restart of its service."""
    places.write(CONFIGURATION, text)
    containers.restart(service)


def want_password(service: str) -> None:
    configure(service, f"allow_anonymous false\n{PLAIN}{TLS}")


def listen_without_tls(service: str) -> None:
    configure(service, f"allow_anonymous true\n{PLAIN}")


def remove() -> None:
    docker.must("remove mosquitto", "rm", "-f", docker.container("mosquitto"))


def signal_embedded(signal: str) -> None:
    """To the broker beside the web server."""
    done = docker.execute("backend", "sh", "-c", f"kill -{signal} $({FIND})")
    if not done.ok:
        raise LabError(f"cannot send SIG{signal} to the broker in the backend: {done.complaint}")


def is_silent(service: str) -> bool:
    """It runs, and the broker does not serve."""
    return containers.is_in(service, "running") and probes.mqtt() is not None


def is_dead_beside_http() -> bool:
    return is_silent("backend") and probes.get(8000, "/api/v1/health/ready") is None


def refuses_clients(service: str) -> bool:
    """Of an embedded broker only when its backend serves again, so that nothing else is wrong."""
    if not _serves(service):
        return False
    try:
        return probes.mqtt_says() == NOT_AUTHORIZED
    except OSError:
        return False


def lacks_tls(service: str) -> bool:
    return _serves(service) and probes.mqtt() is None and probes.mqtt_with_tls() is not None


def _serves(service: str) -> bool:
    return service != "backend" or probes.PROBES["backend"]() is None


FAULTS = (
    Fault(
        "mqtt-stopped", "mqtt", "mosquitto", RECOVERED, "service-stopped",
        "the container of the broker is stopped",
        lambda: containers.stop("mosquitto"), lambda: containers.is_in("mosquitto", "exited"),
        ("deployed",),
    ),
    Fault(
        "mqtt-paused", "mqtt", "mosquitto", RECOVERED, "service-paused",
        "the container of the broker is paused",
        lambda: containers.pause("mosquitto"), lambda: containers.is_in("mosquitto", "paused"),
        ("deployed",),
    ),
    Fault(
        "mqtt-sigstop", "mqtt", "mosquitto", RECOVERED, "mqtt-timeout",
        "the broker's process is stopped by SIGSTOP, the container runs",
        lambda: containers.send("mosquitto", "STOP"), lambda: is_silent("mosquitto"),
        ("deployed",),
    ),
    Fault(
        "mqtt-wrong-password", "mqtt", "mosquitto", UNRESOLVED, "mqtt-auth",
        "the broker wants a password that its clients do not have",
        lambda: want_password("mosquitto"), lambda: refuses_clients("mosquitto"),
        ("deployed",),
    ),
    Fault(
        "mqtt-tls-down", "mqtt", "mosquitto", UNRESOLVED, "mqtt-tls-down",
        "the broker has lost its TLS listener from its configuration, the plain one serves",
        lambda: listen_without_tls("mosquitto"), lambda: lacks_tls("mosquitto"),
        ("deployed",),
    ),
    Fault(
        "mqtt-removed", "mqtt", "mosquitto", UNRESOLVED, "mqtt-elsewhere-down",
        "the container of the broker is removed; the backend has no broker in it",
        remove, lambda: containers.is_in("mosquitto", "absent"),
        ("deployed",),
    ),
    Fault(
        "mqtt-embedded-dead", "mqtt", "backend", RECOVERED, "mqtt-embedded-dead",
        "the broker in the backend is dead while HTTP answers",
        lambda: signal_embedded("KILL"), is_dead_beside_http,
        ("documented",),
    ),
    Fault(
        "mqtt-embedded-hung", "mqtt", "backend", RECOVERED, "mqtt-embedded-hung",
        "the broker in the backend is stopped by SIGSTOP while HTTP answers",
        lambda: signal_embedded("STOP"), is_dead_beside_http,
        ("documented",),
    ),
    Fault(
        "mqtt-embedded-wrong-password", "mqtt", "backend", UNRESOLVED, "mqtt-auth",
        "the broker in the backend wants a password that its clients do not have",
        lambda: want_password("backend"), lambda: refuses_clients("backend"),
        ("documented",),
    ),
    Fault(
        "mqtt-embedded-tls-down", "mqtt", "backend", UNRESOLVED, "mqtt-tls-down",
        "the broker in the backend has lost its TLS listener, the plain one serves",
        lambda: listen_without_tls("backend"), lambda: lacks_tls("backend"),
        ("documented",),
    ),
)  # fmt: skip
