"""Slack, by slack_sdk: each incident has a channel of its own, and in it one thread.

`conversations.create` says `name_taken` when the channel is there, which is normal: it is used again. What
may have been posted already is looked for by the key in its metadata.
See https://docs.slack.dev/reference/methods/chat.postMessage.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from saveit_remediate.notify.http import SECONDS, check_url, refusal
from saveit_remediate.notify.kind import Kind, Message, Options, SendError

if TYPE_CHECKING:
    from slack_sdk import WebClient

_EVENT = "saveit_notice"
_NAME = 80  # the longest that the API takes
_PAGES = 20  # of channels, when one has to be found by its name
_PASSING = ("internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org")


def send(options: Options, message: Message) -> Mapping[str, Any]:
    client = _client(options)
    with _judged():
        room = message.known.get("room") or options["room"] or _own_room(client, message.incident_id)
        thread = message.known.get("thread")
        stamp = _posted(client, room, thread, message.key) if message.again else ""
        if not stamp:
            answer = client.chat_postMessage(
                channel=room,
                text=_text(message),
                thread_ts=thread,
                metadata={"event_type": _EVENT, "event_payload": {"key": message.key}},
                unfurl_links=False,
            )
            # By its id from now on, as a name may change.
            room, stamp = str(answer["channel"]), str(answer["ts"])
        return {"room": room, "thread": thread or stamp}


def test(options: Options, message: Message) -> Mapping[str, Any]:
    """Is the token good? Where the site has a channel for all incidents, a word goes there."""
    with _judged():
        _client(options).auth_test()
    return send(options, message) if options["room"] else {}


def _client(options: Options) -> WebClient:
    try:
        from slack_sdk import WebClient
    except ImportError as error:
        raise SendError("slack_sdk is missing: pip install saveit-remediate[notify]", again=True) from error

    check_url(options["url"])
    return WebClient(options["token"], base_url=options["url"], timeout=int(SECONDS), retry_handlers=[])


def _own_room(client: WebClient, incident_id: str) -> str:
    """The channel of the incident, made or found."""
    from slack_sdk.errors import SlackApiError

    name = room_name(incident_id)
    try:
        return str(client.conversations_create(name=name)["channel"]["id"])
    except SlackApiError as error:
        if error.response.get("error") != "name_taken":
            raise
    cursor = None
    for _page in range(_PAGES):
        page = client.conversations_list(exclude_archived=True, limit=1000, cursor=cursor)
        for channel in page["channels"]:
            if channel["name"] == name:
                client.conversations_join(channel=channel["id"])
                return str(channel["id"])
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            break
    raise SendError(f"the channel name {name} is taken, by one that we cannot see", again=False)


def room_name(incident_id: str) -> str:
    """Lower-case letters, digits, - and _, at most 80 of them; what is cut off still tells two apart."""
    name = re.sub(r"[^a-z0-9_-]+", "-", f"inc-{incident_id.lower()}")
    mark = hashlib.sha256(incident_id.encode()).hexdigest()[:8]
    return name if len(name) <= _NAME else f"{name[: _NAME - 9]}-{mark}"


def _posted(client: WebClient, room: str, thread: str | None, key: str) -> str:
    """The stamp of the message with this key, or nothing."""
    if not room.startswith(("C", "G")):
        return ""  # a name: an attempt that had arrived would have told us the id
    if thread:
        found = client.conversations_replies(channel=room, ts=thread, limit=200, include_all_metadata=True)
    else:
        found = client.conversations_history(channel=room, limit=200, include_all_metadata=True)
    for one in found["messages"]:
        if (one.get("metadata") or {}).get("event_payload", {}).get("key") == key:
            return str(one["ts"])
    return ""


def _text(message: Message) -> str:
    """Nothing in it is markup: see https://docs.slack.dev/messaging/formatting-message-text#escaping."""
    lines = [message.title, message.text, message.record]
    words = "\n".join(line for line in lines if line)
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@contextmanager
def _judged() -> Iterator[None]:
    from slack_sdk.errors import SlackApiError, SlackClientError

    try:
        yield
    except SlackApiError as error:
        answer: Any = error.response
        status = getattr(answer, "status_code", 0) or 0
        word = str(answer.get("error") or status) if hasattr(answer, "get") else str(status)
        if status == 429 or status >= 500:
            raise refusal("slack", status, answer.headers, f": {word}") from error
        raise SendError(f"slack says {word}", again=word in _PASSING) from error
    except (SlackClientError, OSError, ValueError) as error:
        raise SendError(f"cannot reach slack: {error}", again=True) from error


KIND = Kind(
    required=("token",),
    optional={"room": "", "url": "https://slack.com/api/"},
    secrets=("token",),
    send=send,
    test=test,
    spacing=1.0,
)
