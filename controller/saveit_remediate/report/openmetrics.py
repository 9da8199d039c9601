"""What the journal tells, for Prometheus: counted over the whole journal, so that the counters only grow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saveit_remediate.errors import RemediateError, UsageError
from saveit_remediate.report.due import Due
from saveit_remediate.report.facts import Facts
from saveit_remediate.report.figures import MOMENTS

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

PREFIX = "saveit_remediate_"
_BUCKETS = (10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 1800.0, 3600.0, 14400.0)  # seconds
_SECONDS = 10.0  # of one scrape's silence
State = tuple[Sequence[Facts], Sequence[Due]]


def metrics(every: Sequence[Facts], due: Sequence[Due]) -> Iterator[Metric]:
    """All our metrics; names and labels are what the dashboard asks for."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    found = [facts for facts in every if facts.acted_on]
    labels = ["incident", "severity", "outcome"]
    incidents = CounterMetricFamily(f"{PREFIX}incidents", "Incidents that were recorded.", labels=labels)
    counts = Counter((one.incident, one.severity or "none", one.outcome) for one in found if one.ended)
    for key, count in sorted(counts.items()):
        incidents.add_metric(list(key), count)
    yield incidents
    alone = CounterMetricFamily(
        f"{PREFIX}unattended_recoveries", "Recovered without a person.", labels=["incident"]
    )
    lonely = Counter(one.incident for one in found if one.recovered and not one.with_a_person)
    for incident, count in sorted(lonely.items()):
        alone.add_metric([incident], count)
    yield alone
    remedies = CounterMetricFamily(
        f"{PREFIX}remedies", "Remedies that were begun.", labels=["incident", "remedy", "result"]
    )
    begun = Counter((one.incident, each.remedy, each.result) for one in found for each in one.remedies)
    for key, count in sorted(begun.items()):
        remedies.add_metric(list(key), count)
    yield remedies
    for name, when in MOMENTS.items():
        seconds = [value for one in found if (value := one.seconds(when(one))) is not None]
        metric = f"{PREFIX}time_to_{name.replace(' ', '_')}_seconds"
        family = HistogramMetricFamily(metric, f"Seconds from the opening to {name}.", unit="seconds")
        family.add_metric([], _buckets(seconds), sum(seconds))
        yield family
    going_on = sum(one.ended is None for one in every if one.outcome != "waiting")
    yield GaugeMetricFamily(f"{PREFIX}open_incidents", "Records that have no end.", going_on)
    yield GaugeMetricFamily(
        f"{PREFIX}postmortems_due", "Post-mortems that are owed and not reviewed.", len(due)
    )
    overdue = sum(one.overdue for one in due)
    yield GaugeMetricFamily(f"{PREFIX}postmortems_overdue", "Post-mortems whose time has passed.", overdue)


def registry(read: Callable[[], State]) -> CollectorRegistry:
    """A registry that reads the journal at each scrape."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.registry import Collector

    class FromJournal(Collector):
        def collect(self) -> Iterator[Metric]:
            return metrics(*read())

    # It must not be asked for its names at once: that would read the journal before anybody scrapes.
    made = CollectorRegistry(auto_describe=False)
    made.register(FromJournal())
    return made


def write_textfile(path: Path, read: Callable[[], State]) -> None:
    """For the textfile collector of the node exporter: all of it or nothing. Raises UsageError."""
    from prometheus_client import write_to_textfile

    try:
        write_to_textfile(str(path), registry(read))
    except OSError as error:
        raise UsageError(f"cannot write the metrics to {path}: {error.strerror or error}") from error


def text(read: Callable[[], State]) -> str:
    """As OpenMetrics, for stdout."""
    from prometheus_client.openmetrics.exposition import generate_latest

    return str(generate_latest(registry(read)).decode())


def server(host: str, port: int, read: Callable[[], State]) -> Any:
    """A web server at /metrics; `serve_forever` and `server_close` are the caller's. Raises UsageError."""
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

    from prometheus_client import make_wsgi_app

    class Threaded(ThreadingMixIn, WSGIServer):
        daemon_threads = True

        def handle_error(self, *_args: Any) -> None:
            """A scraper that went away is no news."""

    class Quiet(WSGIRequestHandler):
        timeout = _SECONDS

        def log_message(self, *_args: Any) -> None:
            """Nobody reads one line for each scrape."""

    try:
        return make_server(host, port, _saying(make_wsgi_app(registry(read))), Threaded, Quiet)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}"
        ) from error


def _saying(app: Callable[..., Any]) -> Callable[..., Any]:
    """A journal that cannot be read is a sentence in the answer, and the next scrape tries again."""

    def answer(environ: Any, start_response: Callable[..., Any]) -> Any:
        try:
            return app(environ, start_response)
        except RemediateError as error:
            start_response("503 Service Unavailable", [("Content-Type", "text/plain; charset=utf-8")])
            return [f"{error}\n".encode()]

    return answer


def _buckets(seconds: Sequence[float]) -> list[tuple[str, float]]:
    found = [(str(bound), float(sum(value <= bound for value in seconds))) for bound in _BUCKETS]
    return [*found, ("+Inf", float(len(seconds)))]
