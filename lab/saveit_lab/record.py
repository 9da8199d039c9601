"""What the lab remembers between two commands: profile, faults in force, containers as they were made."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace

from saveit_lab import places
from saveit_lab.errors import LabError


@dataclass(frozen=True)
class Record:
    """`made` says for each service how its container was configured when `up` had finished."""

    profile: str | None = None
    faults: tuple[str, ...] = ()
    made: dict[str, str] = field(default_factory=dict)


def load() -> Record:
    try:
        stored = json.loads(places.RECORD.read_text(encoding="utf-8"))
        return Record(stored["profile"], tuple(stored["faults"]), dict(stored["made"]))
    except FileNotFoundError:
        return Record()
    except (ValueError, KeyError, TypeError):
        raise LabError(
            f"cannot read what the lab remembers: {places.RECORD} is damaged; delete it and run `lab up`"
        ) from None


def save(record: Record) -> None:
    places.write(places.RECORD, json.dumps(asdict(record), indent=2) + "\n")


def add_fault(name: str) -> None:
    record = load()
    if name not in record.faults:
        save(replace(record, faults=(*record.faults, name)))


def clear_faults() -> None:
    record = load()
    if record.faults:
        save(replace(record, faults=()))
