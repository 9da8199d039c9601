"""Statuspage: an incident that the public sees, and the state of the components that it is about.

See https://developer.statuspage.io/: one request a second, and 420 or 429 for who asks more often.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from saveit_remediate.notify.http import request_json
from saveit_remediate.notify.kind import Kind, Message, Options

_LIMITED = (420, 429)
_STATUS = {"opened": "investigating", "reopened": "investigating", "resolved": "resolved"}
_WORKING = "identified"
_COMPONENTS = {"sev1": "major_outage", "sev2": "partial_outage"}
_SLOW, _FINE = "degraded_performance", "operational"


def send(options: Options, message: Message) -> Mapping[str, Any]:
    status = _STATUS.get(message.what, _WORKING)
    component = _FINE if status == "resolved" else _COMPONENTS.get(message.severity, _SLOW)
    incident: dict[str, Any] = {
        "status": status,
        "body": message.text,
        "components": dict.fromkeys(options["components"], component),
        "deliver_notifications": options["deliver_notifications"],
    }
    there = str(message.known.get("incident") or "")
    if not there and message.again:
        there = _find(options, message.incident_id)
        if there:
            return {"incident": there}
    if there:
        if message.again and _is_said(_ask(options, "GET", f"incidents/{there}"), status, message.text):
            return {"incident": there}
        _ask(options, "PATCH", f"incidents/{there}", {"incident": incident})
        return {"incident": there}
    new = {
        **incident,
        "name": message.title,
        "component_ids": list(options["components"]),
        "metadata": {"saveit": {"incident": _mark(message.incident_id)}},
    }
    return {"incident": str(_ask(options, "POST", "incidents", {"incident": new})["id"])}


def test(options: Options, _message: Message) -> Mapping[str, Any]:
    """Can the page be read with this key? Nothing is published."""
    _ask(options, "GET", "")
    return {}


def _find(options: Options, incident_id: str) -> str:
    """The incident that an attempt made whose answer was lost."""
    for one in _ask(options, "GET", "incidents/unresolved"):
        if ((one.get("metadata") or {}).get("saveit") or {}).get("incident") == _mark(incident_id):
            return str(one["id"])
    return ""


def _mark(incident_id: str) -> str:
    """Not the id itself: what is broken is a word in it."""
    return hashlib.sha256(incident_id.encode()).hexdigest()[:16]


def _is_said(incident: Mapping[str, Any], status: str, text: str) -> bool:
    updates = incident.get("incident_updates") or [{}]
    return bool(incident.get("status") == status and updates[0].get("body") == text)


def _ask(options: Options, method: str, path: str, content: Any = None) -> Any:
    page = f"{options['url'].rstrip('/')}/pages/{quote(options['page'], safe='')}"
    headers = {"Authorization": f"OAuth {options['key']}"}
    return request_json(method, f"{page}/{path}".rstrip("/"), content, headers, _LIMITED)


KIND = Kind(
    required=("key", "page"),
    optional={"components": (), "deliver_notifications": True, "url": "https://api.statuspage.io/v1"},
    secrets=("key",),
    send=send,
    test=test,
    spacing=1.0,
)
