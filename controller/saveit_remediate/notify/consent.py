"""What the public would read waits until a person agrees to it."""

from __future__ import annotations

from datetime import datetime

from saveit_remediate.journal import Journal
from saveit_remediate.notify.deliver import queue
from saveit_remediate.notify.outbox import Parcel, outbox_of, token
from saveit_remediate.notify.post import Post


def asking(journal: Journal, incident_id: str, post: Post) -> list[Parcel]:
    """The texts that a person has to agree to before they are published, in order."""
    queue(journal, incident_id, post)
    parcels = outbox_of(journal.events(incident_id), post.policy.channels).parcels
    return [parcel for parcel in parcels if parcel.asks and not parcel.done]


def agree(journal: Journal, incident_id: str, parcel: Parcel, agreed: bool, by: str, now: datetime) -> None:
    """A person's word about one text; the first word counts."""
    kind = "publish-agreed" if agreed else "publish-declined"
    word = "agreed" if agreed else "declined"
    sentence = f"{by or 'a person'} {word} to publish: {parcel.payload.get('text')}"
    told = {"sentence": sentence, "key": parcel.key, "channel": parcel.channel, "by": by}
    journal.append(incident_id, kind, told, now, token("publish", parcel.key))
