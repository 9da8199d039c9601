"""PagerDuty, by its own client: Events API v2 for the alert, REST for notes and for who acknowledged.

The incident's id is the `dedup_key` of all three, so that the same again is no second alert. The client's own
retries would wait without a limit on 429, and are switched off: the outbox tries again.
See https://developer.pagerduty.com/docs/events-api-v2-overview.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from saveit_remediate.notify.http import SECONDS, check_url, refusal
from saveit_remediate.notify.kind import Kind, Message, Options, SendError

if TYPE_CHECKING:
    from pagerduty import EventsApiV2Client, RestApiV2Client

_SEVERITIES = {"sev1": "critical", "sev2": "error", "sev3": "warning", "sev4": "info"}
_TRIGGERS = ("opened", "reopened", "severity")
_SUMMARY, _KEY = 1024, 255  # the longest that the API takes


def send(options: Options, message: Message) -> Mapping[str, Any]:
    key = message.incident_id[:_KEY]
    with _judged():
        if message.what in _TRIGGERS:
            _trigger(options, message, key)
        elif message.what == "acknowledged":
            _events(options).acknowledge(key)
        elif message.what == "resolved":
            _events(options).resolve(key)
        elif options["api_key"]:
            return _note(options, message, key)
    return {"dedup_key": key}


def test(options: Options, message: Message) -> Mapping[str, Any]:
    """An alert that is resolved at once; and the REST key, where there is one."""
    with _judged():
        _trigger(options, message, message.incident_id)
        _events(options).resolve(message.incident_id)
        if options["api_key"]:
            _incident(_rest(options), message.incident_id)
    return {}


def acknowledged_by(options: Options, known: Mapping[str, Any]) -> str:
    """Who acknowledged it there; empty when nobody did. Only REST tells. Raises SendError."""
    if not options["api_key"] or not known.get("dedup_key"):
        return ""
    with _judged():
        incident = _incident(_rest(options), str(known["dedup_key"]))
    given = (incident or {}).get("acknowledgements") or []
    return str(given[0].get("acknowledger", {}).get("summary") or "somebody") if given else ""


def _trigger(options: Options, message: Message, key: str) -> None:
    _events(options).trigger(
        message.title[:_SUMMARY],
        "saveit-remediate",
        dedup_key=key,
        severity=_SEVERITIES.get(message.severity, "error"),
        custom_details={"text": message.text, "record": message.record},
    )


def _note(options: Options, message: Message, key: str) -> Mapping[str, Any]:
    client = _rest(options)
    incident = _incident(client, key)
    if incident is None:
        raise SendError("pagerduty does not show the incident yet", again=True)
    path, content = f"/incidents/{incident['id']}/notes", f"{message.title}\n{message.text}"
    there = client.get(path).json().get("notes") or [] if message.again else []
    if not any(note.get("content") == content for note in there):
        client.post(path, json={"note": {"content": content}})
    return {"dedup_key": key}


def _incident(client: RestApiV2Client, key: str) -> dict[str, Any] | None:
    found = client.get("/incidents", params={"incident_key": key}).json().get("incidents") or []
    return dict(found[-1]) if found else None


def _events(options: Options) -> EventsApiV2Client:
    from pagerduty import EventsApiV2Client

    kind = _bounded(EventsApiV2Client, options["events_url"])
    client: EventsApiV2Client = kind(options["routing_key"])
    return client


def _rest(options: Options) -> RestApiV2Client:
    from pagerduty import RestApiV2Client

    kind = _bounded(RestApiV2Client, options["rest_url"])
    client: RestApiV2Client = kind(options["api_key"], default_from=options["from"] or None)
    return client


def _bounded(client: Any, address: str) -> Any:
    """The client, with one attempt: what is not 2xx is raised as it arrives, before it begins to wait."""
    check_url(address)

    class Bounded(client):  # type: ignore[misc]  # whichever it is
        max_network_attempts = 0
        timeout = SECONDS

        @property
        def url(self) -> str:
            return address

        @url.setter
        def url(self, _its_own: str) -> None:
            """The client sets it to what it takes for right."""

        def postprocess(self, response: Any) -> None:
            if not response.is_success:
                raise refusal("pagerduty", response.status_code, response.headers, f": {response.text[:300]}")

    return Bounded


@contextmanager
def _judged() -> Iterator[None]:
    try:
        from pagerduty import Error
    except ImportError as error:
        raise SendError("pagerduty is missing: pip install saveit-remediate[notify]", again=True) from error
    try:
        yield
    except (Error, OSError, ValueError) as error:
        raise SendError(f"cannot reach pagerduty: {error}", again=True) from error


KIND = Kind(
    required=("routing_key",),
    optional={
        "api_key": "",
        "from": "",
        "events_url": "https://events.pagerduty.com",
        "rest_url": "https://api.pagerduty.com",
    },
    secrets=("routing_key", "api_key"),
    send=send,
    test=test,
    escalates=True,
    acknowledged_by=acknowledged_by,
)
