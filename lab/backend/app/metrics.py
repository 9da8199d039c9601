"""/metrics. The deployed backend declares a request counter and never counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from app.core.database import engine
from app.settings import COUNT_REQUESTS

_registry = CollectorRegistry()
_requests = Counter("http_requests_total", "HTTP requests", ["method", "status"], registry=_registry)
_connections = Gauge("saveit_database_connections", "Database connections", ["state"], registry=_registry)

# What is documented, and shown only by a backend that counts.
_documented = _registry if COUNT_REQUESTS else None
_duration = Histogram("http_request_duration_seconds", "HTTP request duration", registry=_documented)
_all_connections = Gauge("database_connections", "Database connections", registry=_documented)
MESSAGES = Counter("mqtt_messages_received", "MQTT messages", registry=_documented)


def count(method: str, status: int, seconds: float) -> None:
    if COUNT_REQUESTS:
        _requests.labels(method, str(status)).inc()
        _duration.observe(seconds)


def text() -> bytes:
    """The numbers of the worker that happens to answer."""
    pool = engine.pool
    _connections.labels("active").set(pool.checkedout())
    _connections.labels("idle").set(pool.checkedin())
    _connections.labels("overflow").set(max(0, pool.overflow()))
    _all_connections.set(pool.checkedout() + pool.checkedin())
    return generate_latest(_registry)
