# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log lines and answers pass here before they become evidence."""

from __future__ import annotations

import re

HIDDEN = "********"
_PATTERNS = (
    # the password of a URL: scheme://user:password@host
    (re.compile(r"(?P<keep>\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@]*:)[^\s@/]+(?=@)"), rf"\g<keep>{HIDDEN}"),
    # Authorization: Bearer …
    (
        re.compile(r"(?P<keep>\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE),
        rf"\g<keep>{HIDDEN}",
    ),
    # password=…, "api_key": "…", TOKEN: …
    (
        re.compile(
            r"(?P<keep>\b[\w-]*(?:password|passwd|secret|token|api[_-]?key)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]+",
            re.IGNORECASE,
        ),
        rf"\g<keep>{HIDDEN}",
    ),
)


def redact(text: str) -> str:
    """The text without passwords, tokens and keys, as far as their shape gives them away."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
