"""The section `notify` of policy.yml: the channels of a site, and the table of what goes where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from saveit_remediate.catalog.checks import Node
from saveit_remediate.catalog.policy import Sections
from saveit_remediate.incident import Severity

# What can be told of an incident. "given-up" tells that another channel could not be reached.
WHAT = (
    "opened",
    "acknowledged",
    "assigned",
    "severity",
    "note",
    "update",
    "approval",
    "unresolved",
    "escalated",
    "resolved",
    "reopened",
    "given-up",
    "reminder",
)
AUDIENCES = ("room", "on-call", "stakeholders", "public")
_OWN = ("kind", "audience", "publish")


@dataclass(frozen=True)
class Channel:
    """One way to people. Its kind checks `options`; with `asks` a person agrees to each text."""

    name: str
    kind: str
    audience: str  # one of AUDIENCES; empty: only for the contacts that name it
    asks: bool
    options: Node


@dataclass(frozen=True)
class Row:
    """Which audience is told what; an empty tuple and None are no condition."""

    to: str
    what: tuple[str, ...]
    severities: tuple[str, ...] = ()
    customer_facing: bool | None = None

    def takes(self, what: str, severity: str, customer_facing: bool) -> bool:
        return (
            what in self.what
            and (not self.severities or severity in self.severities)
            and self.customer_facing in (None, customer_facing)
        )


@dataclass(frozen=True)
class NotifyPolicy:
    """`record` says where the record of `{incident}` is; `public_name` what the public knows us by."""

    channels: Mapping[str, Channel]
    table: tuple[Row, ...]
    record: str
    public_name: str


def read_notify(sections: Sections) -> NotifyPolicy:
    """The site's channels with the site's table, or the shipped one. Raises UsageError with file and key."""
    section, shipped = sections.of("notify"), sections.shipped_of("notify")
    section.mapping((), ("channels", "table", "record", "public_name"))
    table = section if section.has("table") else shipped
    texts = {key: (section if section.has(key) else shipped).text(key) for key in ("record", "public_name")}
    return NotifyPolicy(_channels(section), tuple(_row(one) for one in table.items("table")), **texts)


def _channels(section: Node) -> dict[str, Channel]:
    if not section.has("channels"):
        return {}
    children = section.child("channels")
    if not isinstance(children.value, Mapping):
        raise children.error(f"must be a mapping of names, not {children.value!r}")
    return {str(name): _channel(children.child(name)) for name in children.value}


def _channel(node: Node) -> Channel:
    name = node.where.rpartition(".")[2]
    if not isinstance(node.value, Mapping):
        raise node.error("must be a mapping with at least a kind")
    if not node.has("kind"):
        raise node.error("lacks the key 'kind'")
    audience = node.one_of("audience", AUDIENCES) if node.has("audience") else ""
    publish = node.one_of("publish", ("ask", "unattended")) if node.has("publish") else ""
    options = {key: value for key, value in node.value.items() if key not in _OWN}
    asks = publish == "ask" or (audience == "public" and publish != "unattended")
    return Channel(name, node.text("kind"), audience, asks, Node(options, node.path, node.where))


def _row(node: Node) -> Row:
    node.mapping(("to", "what"), ("severities", "customer_facing"))
    return Row(
        node.one_of("to", AUDIENCES),
        _words(node, "what", WHAT),
        _words(node, "severities", tuple(map(str, Severity))) if node.has("severities") else (),
        node.flag("customer_facing") if node.has("customer_facing") else None,
    )


def _words(node: Node, key: str, known: tuple[str, ...]) -> tuple[str, ...]:
    for item in node.items(key):
        if item.value not in known:
            raise item.error(f"must be one of {', '.join(known)}, not {item.value!r}")
    return node.texts(key)
