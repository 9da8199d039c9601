"""The journal: append-only events of each incident, each with the hash of the one before.

In SQLite or PostgreSQL, by SQLAlchemy, which is imported when a journal is opened and not before.
"""

from saveit_remediate.journal.book import Journal
from saveit_remediate.journal.event import Event, canonical, hash_of, new_incident_id
from saveit_remediate.journal.opening import open_journal, read_journal

__all__ = [
    "Event",
    "Journal",
    "canonical",
    "hash_of",
    "new_incident_id",
    "open_journal",
    "read_journal",
]
