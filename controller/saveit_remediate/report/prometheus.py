"""Ask Prometheus for a range of values. What it does not know is "no data" with the reason, never zero.

See https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries: values are strings, NaN is none.
"""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from saveit_remediate.report.text import clean
from saveit_remediate.settings import without_password

Points = tuple[tuple[float, float | None], ...]  # (seconds since the epoch, value or no data)
SECONDS = 5.0  # for one answer, from the first byte to the last
_LARGEST = 10_000_000  # bytes of an answer


@dataclass(frozen=True)
class Answer:
    """`points` are empty when there is no data, and `why` says why. `away`: asking more is of no use."""

    points: Points = ()
    why: str = ""
    warnings: tuple[str, ...] = ()
    away: bool = False


class _NoRedirect(HTTPRedirectHandler):
    """Where a redirect leads, nobody configured; it would get the password."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


def query_range(
    url: str, query: str, start: float, end: float, step: float, seconds: float = SECONDS
) -> Answer:
    """The sum of all series that the query finds, at each step; times are in seconds since the epoch."""
    name = without_password(url)
    asked = {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
    try:
        request = _request(url, asked)
        body, status = _get(request, seconds)
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        return Answer(why=clean(f"Prometheus at {name} does not answer: {reason}", 300), away=True)
    return read(status, body, name)


def read(status: int, body: bytes, name: str) -> Answer:
    """What an answer of /api/v1/query_range means."""
    try:
        document = json.loads(body)
        verdict = document.get("status")
    except (ValueError, AttributeError, RecursionError):
        verdict = None
    if verdict not in ("success", "error"):
        shown = clean(body[:200].decode("utf-8", "replace"), 80) or "nothing"
        why = f"{name} answers {status} with something else than Prometheus does: {shown}"
        return Answer(why=why, away=True)
    warnings = tuple(clean(each, 200) for key in ("warnings", "infos") for each in _list(document.get(key)))
    if verdict == "error":
        why = f"{document.get('errorType', 'error')}: {document.get('error', 'without a word')}"
        return Answer(why=clean(f"Prometheus refuses the query: {why}", 300), warnings=warnings)
    try:
        points = _sum(document["data"]["result"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return Answer(why=f"{name} answers with data of an unknown form", warnings=warnings)
    if not any(value is not None for _, value in points):
        word = "only NaN" if points else "an empty result"
        return Answer(why=f"Prometheus has no such series ({word})", warnings=warnings)
    return Answer(points, warnings=warnings)


def _sum(result: list[Mapping[str, Any]]) -> Points:
    total: dict[float, float | None] = {}
    for series in result:
        for at, text in series.get("values", ()):
            number = float(text)
            if math.isfinite(number):
                total[float(at)] = (total.get(float(at)) or 0.0) + number
            else:
                total.setdefault(float(at), None)
    return tuple(sorted(total.items()))


def _request(url: str, asked: Mapping[str, str]) -> Request:
    """Raises ValueError for what is no URL of a web server."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("its URL must begin with http:// or https://")
    netloc = parts.netloc.rpartition("@")[2]
    base = f"{parts.scheme}://{netloc}{parts.path.rstrip('/')}/api/v1/query_range"
    request = Request(f"{base}?{urlencode(asked)}", headers={"Accept": "application/json"})  # noqa: S310
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    return request


def _get(request: Request, seconds: float) -> tuple[bytes, int]:
    """Raises OSError: TimeoutError too when the answer drips in for too long."""
    ends = time.monotonic() + seconds
    try:
        answer = build_opener(_NoRedirect).open(request, timeout=seconds)
    except HTTPError as error:
        answer = error  # Prometheus says in the body what is wrong
    parts: list[bytes] = []
    with answer:
        while part := answer.read1(65536):
            parts.append(part)
            if time.monotonic() > ends:
                raise TimeoutError(f"not all of it was there after {seconds:g} s")
            if sum(map(len, parts)) > _LARGEST:
                raise ValueError(f"its answer is longer than {_LARGEST} bytes")
    return b"".join(parts), int(answer.status or 0)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
