"""Find the collection as a folder, and runbooks in it. The controller never imports the collection."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from saveit_remediate.catalog.parameters import read_parameters
from saveit_remediate.catalog.read import read_runbook
from saveit_remediate.catalog.schema import Parameter, Runbook
from saveit_remediate.errors import UnreachableError, UsageError, did_you_mean

COLLECTION = "saveit.remediation"
SHARED_ROLE = "ladder"


@dataclass(frozen=True)
class Catalog:
    """Where the collection is. `root` is the folder that has `ansible_collections`."""

    root: Path

    @property
    def roles(self) -> Path:
        return self.root / "ansible_collections" / "saveit" / "remediation" / "roles"

    @property
    def ids(self) -> tuple[str, ...]:
        """Every folder with a runbook is an incident type."""
        return tuple(sorted(path.parent.parent.name for path in self.roles.glob("*/meta/runbook.yml")))


def open_catalog(beside: Path | None, entries: Sequence[str] | None = None) -> Catalog:
    """The collection in `collections/` of the folder `beside`, else on `sys.path` (or `entries`).

    Raises UnreachableError when it is nowhere: then nothing can start.
    """
    places = [beside / "collections"] if beside else []
    places += [Path(entry or ".") for entry in (sys.path if entries is None else entries)]
    for place in places:
        catalog = Catalog(place.absolute())
        if catalog.roles.is_dir():
            return catalog
    tried = f"{places[0]} and " if beside else ""
    raise UnreachableError(
        f"cannot find the Ansible collection {COLLECTION}: it is not in {tried}this Python's site-packages; "
        "install saveit-remediate again"
    )


def load(catalog: Catalog, incident: str) -> Runbook:
    """The runbook whose folder has exactly this name. Raises UsageError."""
    parameters = load_parameters(catalog, SHARED_ROLE) | load_parameters(catalog, incident)
    return read_runbook(catalog.roles / incident / "meta" / "runbook.yml", parameters)


def load_parameters(catalog: Catalog, role: str) -> dict[str, Parameter]:
    """The parameters of any role, as its argument spec has them. Raises UsageError."""
    return read_parameters(catalog.roles / role / "meta" / "argument_specs.yml")


def load_all(catalog: Catalog) -> tuple[list[Runbook], list[str]]:
    """All runbooks that can be read, and a sentence for each that cannot."""
    runbooks, problems = [], []
    for incident in catalog.ids:
        try:
            runbooks.append(load(catalog, incident))
        except UsageError as error:
            problems.append(str(error))
    return runbooks, problems


def find(catalog: Catalog, name: str) -> Runbook:
    """The runbook with this id or alias, in any case. Raises UsageError with "did you mean".

    A runbook that cannot be read stops only its own incident type, never another one.
    """
    wanted = name.strip().lower()
    if wanted in catalog.ids:
        return load(catalog, wanted)
    runbooks, problems = load_all(catalog)
    matches = [runbook for runbook in runbooks if wanted in runbook.aliases]
    if len(matches) > 1:
        both = " and ".join(runbook.id for runbook in matches)
        raise UsageError(f"incident {name!r} is an alias of {both}; give one of these ids")
    if matches:
        return matches[0]
    known = [word for runbook in runbooks for word in (runbook.id, *runbook.aliases)]
    hint = did_you_mean(wanted, known)
    if hint.startswith("known: "):
        hint = "known: " + ", ".join(catalog.ids)
    broken = "".join(f"; not read: {problem}" for problem in problems)
    raise UsageError(f"unknown incident {name!r}: {hint} (saveit-remediate runbooks lists them){broken}")
