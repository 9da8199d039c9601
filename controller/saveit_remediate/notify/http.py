"""One HTTP request to a channel: bounded, without redirects, its answer judged by the rules of the API."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from saveit_remediate.notify.kind import SendError

SECONDS = 5.0  # for each network step
_LARGEST = 1 << 18  # bytes of an answer that are looked at


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_about: Any) -> None:
        return None


def request(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    limited: tuple[int, ...] = (429,),
    seconds: float = SECONDS,
) -> bytes:
    """The body of a 2xx answer. Raises SendError: again for network errors, 5xx, `limited`."""
    check_url(url)
    asked = urllib.request.Request(url, data=body, headers=dict(headers), method=method)  # noqa: S310 checked
    opener = urllib.request.build_opener(_NoRedirect)
    where = urlsplit(url).hostname or ""
    try:
        with opener.open(asked, timeout=seconds) as answer:
            content, kind = _read(answer, seconds), answer.headers.get_content_type()
    except urllib.error.HTTPError as error:
        with error:
            raise refusal(where, error.code, dict(error.headers), _quote(error), limited) from None
    except (OSError, ValueError, HTTPException) as error:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise SendError(f"cannot reach {where}: {reason}", again=True) from error
    if kind == "text/html":
        raise SendError(f"{where} answered with a web page: is this the address of the API?", again=False)
    return content


def request_json(
    method: str, url: str, content: Any, headers: Mapping[str, str], limited: tuple[int, ...] = (429,)
) -> Any:
    """The same for JSON. Raises SendError, also for an answer that is no JSON."""
    body = None if content is None else json.dumps(content).encode()
    answer = request(method, url, body, {"Content-Type": "application/json", **headers}, limited)
    try:
        return json.loads(answer or b"{}")
    except ValueError as error:
        raise SendError(f"{urlsplit(url).hostname} answered with what is no JSON", again=True) from error


def refusal(
    where: str, status: int, headers: Mapping[str, str], words: str, limited: tuple[int, ...] = (429,)
) -> SendError:
    """What a status that is not 2xx means."""
    headers = {name.title(): value for name, value in headers.items()}
    if status in limited:
        after = retry_after(headers.get("Retry-After"))
        return SendError(f"{where} limits how often it is asked ({status})", again=True, after=after)
    if 300 <= status < 400:
        to = headers.get("Location") or "nowhere"
        return SendError(f"{where} redirects to {to[:200]}: give that address if it is right", again=False)
    after = retry_after(headers.get("Retry-After")) if status >= 500 else None
    return SendError(f"{where} answered {status}{words}", again=status >= 500 or status == 408, after=after)


def retry_after(value: str | None, now: float | None = None) -> float | None:
    """Seconds, from a number or a date (RFC 9110, 10.2.3); None when it says nothing. At most an hour."""
    if not value:
        return None
    if value.strip().isdigit():
        seconds = float(value.strip()[:9])
    else:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - (time.time() if now is None else now)
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), 3600.0)


def check_url(url: str) -> None:
    """Secrets travel over https, or not at all; this machine itself is the exception. Raises SendError."""
    parts = urlsplit(url)
    own = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and own)):
        raise SendError(f"{url[:200]!r} is no https address", again=False)


def _read(answer: Any, seconds: float) -> bytes:
    """A server that drips is cut off: the time limit of a socket is for each byte alone."""
    end, parts, size = time.monotonic() + seconds, [], 0
    while size < _LARGEST and (part := answer.read1(1 << 16)):
        parts.append(part)
        size += len(part)
        if time.monotonic() > end:
            raise TimeoutError("the answer takes too long")
    return b"".join(parts)


def _quote(error: urllib.error.HTTPError) -> str:
    """The beginning of what the server said, unless it is a web page."""
    if error.headers.get_content_type() == "text/html":
        return " with a web page"
    try:
        words = " ".join(error.read1(300).decode("utf-8", "replace").split())
    except OSError:
        return ""
    return f": {words}" if words else ""
