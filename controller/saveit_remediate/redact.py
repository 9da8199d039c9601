"""What is shown and what is kept passes here: no password, token or key, as far as its shape gives it away.

The collection has the same RULES, for what modules tell; a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "********"
_NAMES = (
    r"passw(?:or)?d|passphrase|\bpass|[_-]pass|[_-]pwd|secret|token|(?:api|access|private|secret)[_-]?key"
    r"|client-key-data|tls\.key|dockerconfigjson|x-amz-signature|[?&]sig"
)
_SECRET = rf"(?i)(?:{_NAMES})$"
# In quotes, which may themselves be escaped, or up to what ends a word.
_VALUE = r"(?:(?P<quote>\\{0,3}[\"'])(?:(?P=quote){2}|(?!(?P=quote))(?:\\.|[^\n\\]))*|[^\s\"',;&\\]+)"
_KEY = r"(?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----"
_LINE = r"^(?:\S+ )?[A-Za-z0-9+/=]{40,}[ \t\r]*\n"  # of a key, in a log behind the time
# In this order: words of which one must be there, in small letters; and what is hidden. `keep` stays.
RULES = (
    # a private key, also one whose end or beginning is cut off
    (("private key",), rf"(?s)-----BEGIN {_KEY}(?:.{{0,8000}}?-----END {_KEY}|.{{0,8000}})"),
    (("private key",), rf"(?m)(?:{_LINE}){{1,100}}[^\n]{{0,100}}?-----END {_KEY}"),
    # scheme://user:password@host, where a port is none; a long word before the @ is a token
    (("://",), r"(?P<keep>://[^\s:/@]{0,200}:)(?!\d{1,5}(?:[/?#\s]|$))[^\s\"'<>]{1,500}(?=@)"),
    (("://",), r"(?P<keep>://)[^\s:/@?#]{20,500}(?=@)"),
    (
        ("authorization",),
        r"(?i)(?P<keep>authorization\\*[\"']?\s{0,3}[:=]\s{0,3}\\*[\"']?(?:[a-z]+\s+)?)[^\s\"',\\]+",
    ),
    (
        ("bearer", "basic"),
        r"(?P<keep>\b(?i:bearer|basic)\s+)(?=[A-Za-z]*[0-9=+/._~-]|[A-Za-z]+[A-Z])[A-Za-z0-9._~+/=-]{8,}",
    ),
    (("cookie",), r"(?i)(?P<keep>\b(?:set-)?cookie\\*[\"']?:\s{0,3})[^\r\n]+"),
    # password=…, "api_key": "…", TOKEN: …; --password …; SQL; Redis' own configuration
    (
        ("pass", "pwd", "secret", "token", "key", "signature", "sig="),
        rf"(?i)(?P<keep>(?:{_NAMES})\\{{0,3}}[\"']?[ \t]{{0,3}}[=:][ \t]{{0,3}}){_VALUE}",
    ),
    (("--",), r"(?i)(?P<keep>--[\w-]{0,30}(?:password|passwd|token|secret|api-?key) )[^\s-]\S*"),
    (("password '", "identified by"), r"(?i)(?P<keep>\b(?:password|identified by)\s+)'(?:[^']|'')*'"),
    (("requirepass", "masterauth"), r"(?i)(?P<keep>\b(?:requirepass|masterauth)\s+)\S+"),
    # what its own shape gives away: JWT (RFC 7519), AWS, GitHub, GitLab, Slack, Stripe, Google
    (("eyj",), r"\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*"),
    (("akia", "asia"), r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    (("gh", "glpat-"), r"\b(?:gh[pousr]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{18,})"),
    (("xox", "k_live_", "aiza"), r"\b(?:xox[abprs]-[\w-]{10,}|[sr]k_live_\w{16,}|AIza[\w-]{35})"),
)


def redact(text: str) -> str:
    """The text without what looks like a secret."""
    small = text.lower()
    for words, pattern in RULES:
        if any(word in small for word in words):  # far quicker than a pattern that finds nothing
            text = re.sub(pattern, _hide, text)  # compiled when it is needed, which is seldom
    return text


def redact_data(value: Any) -> Any:
    """The same for all texts in JSON data, where the name of a field may tell that it is a secret."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list | tuple):
        return [redact_data(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    named = is_secret(value.get("name"))  # {"name": "REDIS_PASSWORD", "value": …}, as Kubernetes has it
    hidden = {key for key in value if is_secret(key) or (named and key == "value")}
    return {
        key: HIDDEN if key in hidden and item and isinstance(item, str) else redact_data(item)
        for key, item in value.items()
    }


def is_secret(name: object) -> bool:
    """Is what has this name a secret? The field `secret` alone is the name of a Secret of Kubernetes."""
    return isinstance(name, str) and name != "secret" and re.search(_SECRET, name) is not None


def _hide(found: re.Match[str]) -> str:
    """What is kept, and the quotes around the value."""
    groups = found.groupdict()
    quote = groups.get("quote") or ""
    return f"{groups.get('keep') or ''}{quote}{HIDDEN}"
