"""Which playbook: the most specific one wins, and the plan says why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from saveit_remediate.catalog.find import COLLECTION
from saveit_remediate.incident import Severity


@dataclass(frozen=True)
class Playbook:
    """`name` is a path, or the full name of a playbook in the collection."""

    name: str
    why: str


def choose_playbook(incident: str, severity: Severity | None, folder: Path | None) -> Playbook:
    """`<id>.<severity>.yml`, then `<id>.yml` of the site's folder, then the collection's playbook.

    `severity` None (not known yet, while diagnosing) skips the first.
    """
    own = f"{COLLECTION}.{incident}"
    if folder is None:
        return Playbook(own, "the collection's own, as no folder of site playbooks is set")
    if severity is not None:
        variant = folder / f"{incident}.{severity}.yml"
        if variant.is_file():
            return Playbook(str(variant), f"the site's playbook for {incident} at {severity}")
    general = folder / f"{incident}.yml"
    if general.is_file():
        special = f", as there is no {incident}.{severity}.yml beside it" if severity else ""
        return Playbook(str(general), f"the site's playbook for {incident} at any severity{special}")
    return Playbook(own, f"the collection's own, as {folder} has none for {incident}")
