# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a renewal was last attempted: a small file beside the certificate, the same for everybody."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.saveit.remediation.plugins.module_utils._certificate import day
from ansible_collections.saveit.remediation.plugins.module_utils._place import Place
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

SUFFIX = ".renewal.json"


def why_too_early(place: Place, certificate_file: str, now: float, backoff_minutes: float) -> str:
    """The reason why the issuer must not be asked again yet, or "".

    Raises FailedError for a damaged file: without it nobody knows.
    """
    path = certificate_file + SUFFIX
    if place.run(["test", "-e", path]).rc != 0:
        return ""
    try:
        last: dict[str, Any] = json.loads(place.read(path))
        at, result = float(last["attempted_at"]), str(last["result"])
    except (ValueError, KeyError, TypeError) as error:
        raise FailedError(
            f"cannot tell when a renewal was last attempted: {path} on {place.name} is damaged; delete it"
        ) from error
    until = at + backoff_minutes * 60
    if not abs(now - at) < backoff_minutes * 60:
        return ""
    return (
        f"a renewal was attempted at {day(at)} ({result}), and the issuer is not asked again "
        f"before {day(until)} (certificate_backoff_minutes; {path} remembers it)"
    )


def remember(place: Place, certificate_file: str, now: float, result: str) -> None:
    """Write the attempt down, whole. Raises FailedError."""
    path = certificate_file + SUFFIX
    text = json.dumps({"attempted_at": now, "at": day(now), "result": result}) + "\n"
    place.must(f"write {path}", ["tee", f"{path}.new"], stdin=text)
    place.must(f"write {path}", ["mv", "-f", f"{path}.new", path])
