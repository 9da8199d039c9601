"""Read a site's `policy.yml`, strictly. What follows from it, the ladder decides, where the remedy acts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from saveit_remediate.catalog.checks import Node, load_yaml
from saveit_remediate.catalog.find import SHARED_ROLE, Catalog
from saveit_remediate.catalog.schema import RISKS
from saveit_remediate.errors import UsageError, did_you_mean
from saveit_remediate.incident import Severity

NEEDS = ("nothing", "agreement", "approval", "second-person")
_SCHEMA = 1
_SEVERITIES = tuple(map(str, Severity))
_LONGEST_MINUTES = 1440
# Each has a reader of its own, policy_<section>.py; one that a site's policy lacks is the shipped one.
SECTIONS = ("severities", "notify", "escalation", "contacts")
_PUBLIC_KEY = re.compile(r"ssh-ed25519 [A-Za-z0-9+/]{68}( .*)?")


@dataclass(frozen=True)
class Policy:
    """Who may approve, by name with the public key, and how many minutes an approval holds."""

    path: Path
    approvers: Mapping[str, str]
    approval_minutes: float

    def check_approver(self, name: str, origin: str) -> None:
        """Raises UsageError for somebody who may not approve. Where nobody is listed, everybody may."""
        if self.approvers and name not in self.approvers:
            hint = did_you_mean(name, self.approvers)
            raise UsageError(f"{origin}: {name!r} is not among the approvers of {self.path}; {hint}")


def load_policy(catalog: Catalog, path: Path | None, origin: str = "") -> Policy:
    """The site's policy, or the one that the collection has. Raises UsageError with file and key."""
    return read_policy(_file(catalog, path, origin))


@dataclass(frozen=True)
class Sections:
    """The site's policy and the shipped one, unread: each of SECTIONS has a reader of its own."""

    site: Node
    shipped: Node

    def of(self, name: str) -> Node:
        """The site's, or the shipped one where the site's policy has none."""
        site = self.site
        if isinstance(site.value, Mapping) and site.has(name):
            return site.child(name)
        return self.shipped_of(name)

    def shipped_of(self, name: str) -> Node:
        """Raises UsageError where a collection of another version is installed."""
        if not isinstance(self.shipped.value, Mapping) or not self.shipped.has(name):
            raise self.shipped.error(f"lacks the key {name!r}: is the collection older than this command?")
        return self.shipped.child(name)


def load_sections(catalog: Catalog, path: Path | None, origin: str = "") -> Sections:
    """Raises UsageError for a file that is not there, or no YAML."""
    shipped = _file(catalog, None, "")
    site = _file(catalog, path, origin)
    node = Node(load_yaml(shipped), shipped)
    return Sections(node if site == shipped else Node(load_yaml(site), site), node)


def _file(catalog: Catalog, path: Path | None, origin: str) -> Path:
    if path is not None and not path.is_file():
        raise UsageError(f"cannot read the policy {path} ({origin}): there is no such file")
    return path or catalog.roles / SHARED_ROLE / "files" / "policy.yml"


def read_policy(path: Path) -> Policy:
    """One policy. Raises UsageError with file, key, and what was expected there."""
    root = Node(load_yaml(path), path)
    root.mapping(["schema", "needs"], ["environments", "approvers", "approval_minutes", *SECTIONS])
    if root.value["schema"] != _SCHEMA:
        raise root.child("schema").error(f"must be {_SCHEMA}, the only one that this version reads")
    needs = root.child("needs")
    needs.mapping(RISKS)
    for risk in RISKS:
        _check_words(needs, risk, _SEVERITIES)
    for environment in _children(root, "environments"):
        environment.mapping((), RISKS)
        for risk in environment.value:
            _check_words(environment, risk, ())
    approvers = {name: _public_key(root.child("approvers"), name) for name in _names(root, "approvers")}
    minutes = root.number("approval_minutes", 1) if root.has("approval_minutes") else 240.0
    if minutes > _LONGEST_MINUTES:
        raise root.child("approval_minutes").error(f"must be at most {_LONGEST_MINUTES}, a day")
    return Policy(path, approvers, minutes)


def _check_words(rows: Node, risk: str, required: tuple[str, ...]) -> None:
    """One word for all severities, or one for each of them."""
    if not isinstance(rows.value[risk], Mapping):
        rows.one_of(risk, NEEDS)
        return
    row = rows.child(risk)
    row.mapping(required, _SEVERITIES)
    for severity in row.value:
        row.one_of(severity, NEEDS)


def _names(root: Node, key: str) -> list[str]:
    if not root.has(key):
        return []
    child = root.child(key)
    if not isinstance(child.value, Mapping):
        raise child.error(f"must be a mapping of names, not {child.value!r}")
    for name in child.value:
        if not isinstance(name, str) or not name.strip():
            raise child.error(f"has the name {name!r}, which is no text")
    return list(child.value)


def _children(root: Node, key: str) -> list[Node]:
    return [root.child(key).child(name) for name in _names(root, key)]


def _public_key(approvers: Node, name: str) -> str:
    key = approvers.text(name)
    if not _PUBLIC_KEY.fullmatch(key):
        raise approvers.child(name).error(
            "must be a public key as ssh-keygen -t ed25519 writes it (ssh-ed25519 AAAA…)"
        )
    return key
