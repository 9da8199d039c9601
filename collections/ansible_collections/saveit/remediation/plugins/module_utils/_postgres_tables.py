# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What postgres_info found, as tables: connections by state and application, longest query, waiting locks."""

from __future__ import annotations

from collections import Counter
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import _postgres
from ansible_collections.saveit.remediation.plugins.module_utils._table import table


def tables(document: Mapping[str, Any], waiting_seconds: float) -> list[dict[str, Any]]:
    """Three tables and the line above them, from what the server answered."""
    full = _postgres.connections(document)
    groups = Counter(
        (str(each["state"] or "(hidden)"), str(each["user"] or ""), str(each["application"] or ""))
        for each in document["sessions"]
    )
    longest = _postgres.longest_query(document)
    waiting = _postgres.waiting(document, waiting_seconds)
    return [
        table(
            "slots",
            ["used", "of", "reserved", "used (%)"],
            [[full["used"], full["maximum"], full["reserved"], full["used_percent"]]],
        ),
        table(
            "connections",
            ["state", "user", "application", "count"],
            [[*group, count] for group, count in groups.most_common()],
        ),
        table(
            "longest query",
            ["pid", "user", "application", "seconds", "query"],
            [[longest[key] for key in ("pid", "user", "application", "seconds", "query")]] if longest else [],
        ),
        table(
            "waiting for locks",
            ["pid", "user", "application", "seconds", "blocked by"],
            [
                [
                    *(each[key] for key in ("pid", "user", "application", "query_seconds")),
                    ", ".join(str(pid) for pid in each["blocked_by"]),
                ]
                for each in waiting
            ],
        ),
    ]
