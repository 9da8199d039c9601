# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request to the Kubernetes API with its tries: an answer's content, or an error with its sentence."""

from __future__ import annotations

import json
import time
from typing import Any, Callable, Mapping
from urllib.parse import urlencode

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import (
    Access,
    Answer,
    not_an_api,
    refusal,
    seconds_of,
    status_of,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_transport import (
    BrokenOffError,
    Transport,
)

JSON = "application/json"
_AGAIN = (429, 500, 502, 503, 504)
_WAITS = (1.0, 3.0)  # seconds before the second and the third try, where the server names none


class Api:
    """One API server; `calls` counts the requests that were sent. Time and sleep are arguments."""

    def __init__(
        self,
        transport: Transport,
        access: Access,
        timeout: float = 10,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._transport, self._now, self._sleep, self._close = transport, now, sleep, close
        self.access, self.timeout = access, timeout
        self.calls = 0
        self.date = ""  # of the last answer, as HTTP says it: the server's clock

    def close(self) -> None:
        """Close the connections, and remove the keys that the client wrote."""
        self._transport.close()
        self._close()

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content_type: str = JSON,
        timeout: float | None = None,
        attempt: str = "",
        reads: bool | None = None,
    ) -> Any:
        """One request: the parsed JSON of its answer, or the text of a plain one.

        What only `reads` (GET, unless said) is tried up to three times, where the server has too much to do,
        fails or breaks off; a write only when it was never sent. All tries share the seconds of `timeout`.
        """
        reads = method == "GET" if reads is None else reads
        seconds = timeout or self.timeout
        ends = self._now() + seconds
        url = path + (f"?{urlencode(query, doseq=True)}" if query else "")
        data = None if body is None else json.dumps(body).encode()
        waits = iter((*_WAITS, None))
        while True:
            self.calls += 1
            wait = next(waits)
            try:
                left = ends - self._now()
                answer = self._transport.send(method, url, data, content_type, left, seconds, reads)
            except BrokenOffError as error:
                wait = self._pause(wait, None, ends)
                if wait is None or not (reads or error.unsent):
                    raise
            else:
                self.date = answer.date
                wait = self._pause(wait, answer, ends)
                if wait is None or not reads or answer.status not in _AGAIN:
                    return self._result(answer, attempt or f"{method} {path}", reads)
            self._sleep(wait)

    def object(self, *request: Any, **more: Any) -> dict[str, Any]:
        """As request(), for an answer that is one JSON object, as nearly all are."""
        value = self.request(*request, **more)
        if not isinstance(value, dict):
            raise not_an_api(Answer(200, "text/plain", str(value).encode()), self.access)
        return value

    def _pause(self, wait: float | None, answer: Answer | None, ends: float) -> float | None:
        """Seconds until the next try; None when there is none, or no time for it."""
        if wait is not None and answer is not None:
            asked = seconds_of(answer.retry_after, status_of(answer))
            wait = wait if asked is None else asked
        return None if wait is None or self._now() + wait >= ends else wait

    def _result(self, answer: Answer, attempt: str, reads: bool) -> Any:
        if 200 <= answer.status < 300 and answer.is_text:
            return answer.text
        if answer.status >= 400 and (answer.is_json or answer.is_text or answer.status >= 500):
            raise refusal(answer, attempt, self.access, reads)
        if answer.is_json:
            try:
                return json.loads(answer.body)
            except ValueError:
                pass
        raise not_an_api(answer, self.access)
