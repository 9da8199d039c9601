"""The texts. What the public reads is made of fixed sentences: nothing of a record can get there."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from saveit_remediate.catalog.policy_notify import Channel, NotifyPolicy
from saveit_remediate.notify.outbox import Notice

_LONGEST = 3000  # characters: what a person reads, and all channels take
_PUBLIC = {
    "opened": "We are looking into a problem with {name}.",
    "reopened": "The problem with {name} is back, and we are looking into it.",
    "resolved": "The problem with {name} is solved.",
}
_WORKING = "We are working on the problem with {name}."
_TITLES = {
    "approval": "an approval is asked for",
    "given-up": "a channel was given up",
    "reminder": "its post-mortem is due",
    "severity": "its severity changed",
    "unresolved": "the automation could not solve it",
}


def texts_of(notice: Notice, channel: Channel, policy: NotifyPolicy) -> Mapping[str, str]:
    """`title`, `text`, `record` and `severity`, as they go into the journal and from there to the channel."""
    life = notice.moment.life
    if channel.audience == "public":
        text = _PUBLIC.get(notice.what, _WORKING).format(name=policy.public_name)
        title = f"A problem with {policy.public_name}"
        return {"title": title, "text": text, "record": "", "severity": life.severity}
    what = _TITLES.get(notice.what, notice.what)
    title = f"{life.severity.upper()} {life.incident} on {life.target}: {what}"
    record = policy.record.replace("{incident}", life.incident_id)
    return {
        "title": plain(title, 200),
        "text": plain(notice.moment.sentence, _LONGEST),
        "record": record,
        "severity": life.severity,
    }


def plain(text: str, limit: int) -> str:
    """Without control characters, and without the marks that reorder text; at most `limit` characters."""
    kept = (
        " " if sign in "\r\t" else sign
        for sign in text[: limit * 2]
        if sign in "\n\r\t"
        or unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        or sign == "\u200d"
    )
    line = "".join(kept).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"
