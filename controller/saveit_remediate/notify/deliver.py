"""Bring what is in the outbox to its channels: in order, each once, within a bounded time."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from saveit_remediate.catalog.policy_notify import Channel
from saveit_remediate.errors import UnreachableError
from saveit_remediate.journal import Journal
from saveit_remediate.notify.kind import Message, SendError, options_of
from saveit_remediate.notify.outbox import FRESH, Outbox, Parcel, missing, outbox_of, token, wait_seconds
from saveit_remediate.notify.post import Post
from saveit_remediate.notify.wording import texts_of

PATIENCE = 3.0  # seconds: for a limit of one a second, not for a channel that is down
_ROUNDS = 1000  # no clock, however wrong, keeps us here for ever


@dataclass
class Tally:
    """What a pass did, in sentences. `waiting` has each channel that is behind, `asking` the incidents."""

    sent: int = 0
    waiting: list[str] = field(default_factory=list)
    asking: dict[str, None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)


def queue(journal: Journal, incident_id: str, post: Post) -> None:
    """Write the notices that are missing. Raises UnreachableError when the journal is away."""
    for notice in missing(journal.events(incident_id), post.policy, post.contacts, post.now()):
        texts = texts_of(notice, post.policy.channels[notice.channel], post.policy)
        told = {
            "channel": notice.channel,
            "what": notice.what,
            "key": notice.key,
            "contacts": notice.contacts,
        }
        sentence = f"to tell {notice.channel}: {notice.what}"
        journal.append(
            incident_id,
            "notice",
            {"sentence": sentence, **told, **texts},
            post.now(),
            token("notice", notice.key),
        )


def deliver(
    journal: Journal, incident_ids: Iterable[str], post: Post, seconds: float, patience: float = PATIENCE
) -> Tally:
    """Queue and send what is due, for at most `seconds` and one last attempt. Raises UnreachableError.

    What is not due within `patience` seconds is left for another pass.
    """
    end, tally = post.now() + timedelta(seconds=seconds), Tally()
    for incident_id in incident_ids:
        queue(journal, incident_id, post)
        for _round in range(_ROUNDS):
            box = outbox_of(journal.events(incident_id), post.policy.channels)
            ready = [(_earliest(parcel, box, post), parcel) for parcel in box.heads() if not parcel.asks]
            soonest = min(ready, key=lambda one: one[0], default=None)
            if soonest is None or soonest[0] >= min(end, post.now() + timedelta(seconds=patience)):
                break
            wait = (soonest[0] - post.now()).total_seconds()
            if wait > 0:
                post.sleep(wait)
            _attempt(journal, incident_id, soonest[1], box, post, tally)
            queue(journal, incident_id, post)
        for parcel in outbox_of(journal.events(incident_id), post.policy.channels).heads():
            if parcel.asks:
                tally.asking[incident_id] = None
            else:
                tally.waiting.append(
                    f"{parcel.channel} is not told yet: {parcel.problem or 'it is too early'}"
                )
    return tally


def _earliest(parcel: Parcel, box: Outbox, post: Post) -> datetime:
    """When it may be tried: after the wait that a failure brought, and not too soon after the one before."""
    kind, last = post.kinds.get(parcel.channel), box.last.get(parcel.channel)
    paced = last + timedelta(seconds=kind.spacing) if kind and last else parcel.at
    return max(parcel.due or parcel.at, paced)


def _attempt(
    journal: Journal, incident_id: str, parcel: Parcel, box: Outbox, post: Post, tally: Tally
) -> None:
    claim, number = secrets.token_hex(8), parcel.attempts + 1
    told = {"channel": parcel.channel, "what": parcel.payload.get("what"), "key": parcel.key}

    def write(kind: str, sentence: str, once: str = "", **more: Any) -> Any:
        return journal.append(incident_id, kind, {"sentence": sentence, **told, **more}, post.now(), once)

    attempt = f"telling {parcel.channel}, attempt {number}"
    claimed = write("sending", attempt, token("sending", parcel.key, number), claim=claim)
    if claimed is None:
        raise UnreachableError("the journal is away, and nobody could know that this was sent")
    if claimed.payload.get("claim") != claim:
        return  # another process does it
    channel = post.policy.channels.get(parcel.channel)
    try:
        reference = _send(channel, post, _message(incident_id, parcel, box, post))
    except Exception as error:  # a plugin is somebody else's code, and its defect must not become ours
        failed = (
            error
            if isinstance(error, SendError)
            else SendError(f"{type(error).__name__}: {error}", again=True)
        )
    else:
        tally.sent += 1
        write("sent", f"{parcel.channel} was told: {parcel.payload.get('what')}", reference=dict(reference))
        return
    _failed(failed, number, parcel, post, tally, write)


def _send(channel: Channel | None, post: Post, message: Message) -> Mapping[str, Any]:
    if channel is None:
        raise SendError("the policy has no such channel any more", again=False)
    kind = post.kinds[channel.name]
    return kind.send(options_of(channel, kind), message)


def _failed(
    error: SendError, number: int, parcel: Parcel, post: Post, tally: Tally, write: Callable[..., Any]
) -> None:
    wait = timedelta(seconds=wait_seconds(number, error.after))
    sentence = f"cannot tell {parcel.channel}: {error.problem}"
    if error.again and post.now() + wait - parcel.at < FRESH:
        tally.problems.append(sentence)
        due = (post.now() + wait).isoformat()
        write("send-failed", f"{sentence}; tried again", problem=error.problem, next=due)
        return
    tally.given_up.append(sentence)
    write("given-up", f"{sentence}; given up after {number} attempts", problem=error.problem)


def _message(incident_id: str, parcel: Parcel, box: Outbox, post: Post) -> Message:
    payload = parcel.payload
    called = [post.contacts[one] for one in payload.get("contacts") or () if one in post.contacts]
    return Message(
        key=parcel.key,
        incident_id=incident_id,
        what=str(payload.get("what")),
        severity=str(payload.get("severity")),
        title=str(payload.get("title")),
        text=str(payload.get("text")),
        record=str(payload.get("record")),
        at=parcel.at,
        known=box.known.get(parcel.channel, {}),
        again=parcel.attempts > 0,
        addresses=tuple(email for one in called if (email := one.person(post.now()).email)),
        now=post.now,
    )
