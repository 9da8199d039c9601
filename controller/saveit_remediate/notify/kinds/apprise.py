"""Everything else, Microsoft Teams among it, by apprise: one of its addresses, which is a secret as a whole.

See https://github.com/caronc/apprise/wiki. It only says whether it worked, so each failure is tried again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from saveit_remediate.notify.http import SECONDS
from saveit_remediate.notify.kind import Kind, Message, Options, SendError

_TYPES = {"resolved": "success", "opened": "failure", "unresolved": "failure", "test": "info"}


def send(options: Options, message: Message) -> Mapping[str, Any]:
    try:
        from apprise import Apprise, LogCapture
    except ImportError as error:
        raise SendError("apprise is missing: pip install saveit-remediate[notify]", again=True) from error

    post = Apprise()
    if not post.add(options["address"]):
        raise SendError("its address is none that apprise knows", again=False)
    for service in post:
        service.socket_connect_timeout = service.socket_read_timeout = SECONDS
    body = "\n".join(part for part in (message.text, message.record) if part)
    with LogCapture(level=logging.WARNING) as log:  # type: ignore[no-untyped-call]
        arrived = post.notify(body=body, title=message.title, notify_type=_TYPES.get(message.what, "warning"))
        said = re.search(r"error=(\d+)", log.getvalue())
    if not arrived:  # more of the log is not repeated: an address may be in it
        raise SendError(f"apprise could not send it{f' (status {said[1]})' if said else ''}", again=True)
    return {}


KIND = Kind(required=("address",), optional={}, secrets=("address",), send=send)
