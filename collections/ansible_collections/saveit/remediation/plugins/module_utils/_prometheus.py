# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Prometheus answers to an instant query, in numbers. No connection here.

Values are strings; an empty vector is "no data" and not zero; NaN is no data either, see
https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

LONGEST = 200  # characters of an answer that is none


@dataclass(frozen=True)
class Series:
    """One time series of the answer; `value` is as Prometheus wrote it."""

    labels: Mapping[str, str]
    value: str

    @property
    def number(self) -> float | None:
        """None for NaN, and for a string that is no number."""
        try:
            number = float(self.value)
        except ValueError:
            return None
        return None if math.isnan(number) else number


@dataclass(frozen=True)
class Answer:
    """`kind` is data, refused (the query is at fault) or unavailable (Prometheus is)."""

    kind: str
    sentence: str = ""
    series: Sequence[Series] = ()
    warnings: Sequence[str] = ()


def read(status: int, body: bytes) -> Answer:
    """What an HTTP answer of /api/v1/query means."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.get("status") not in ("success", "error"):
        why = f"answers {status} with something else than Prometheus does: {_shown(body)}"
        return Answer("unavailable", why)
    warnings = [str(each) for key in ("warnings", "infos") for each in document.get(key) or ()]
    if document["status"] == "error":
        why = f"{document.get('errorType', 'error')}: {document.get('error', 'without a word')}"
        if status in (400, 422):
            word = "does not understand the query" if status == 400 else "cannot execute the query"
            return Answer("refused", f"{word}: {why}", warnings=warnings)
        return Answer("unavailable", f"answers {status}, {why}", warnings=warnings)
    try:
        return Answer("data", series=_series(document["data"]), warnings=warnings)
    except (KeyError, TypeError, IndexError, AttributeError):
        return Answer("unavailable", f"answers {status} with data of an unknown form: {_shown(body)}")


def pick(series: Sequence[Series], how: str) -> float | None:
    """One number of all series: their max, min or sum; None when there is no data."""
    numbers = [each.number for each in series if each.number is not None]
    if not numbers:
        return None
    total = max(numbers) if how == "max" else min(numbers) if how == "min" else sum(numbers)
    return None if math.isnan(total) else total  # +Inf and -Inf in one sum


def as_value(number: float | None) -> float | str | None:
    """For JSON, which has no infinity."""
    if number is None or math.isfinite(number):
        return number
    return "+Inf" if number > 0 else "-Inf"


def _series(data: Mapping[str, Any]) -> list[Series]:
    kind, result = data["resultType"], data["result"]
    if kind in ("scalar", "string"):
        return [Series({}, str(result[1]))]
    if kind == "matrix":  # a query that ends in [5m]: the newest sample of each series
        sampled = [each for each in result if each.get("values")]
        return [Series(dict(each["metric"]), str(each["values"][-1][1])) for each in sampled]
    # A native histogram has `histogram` in the place of `value`, and no single number.
    return [Series(dict(each["metric"]), str(each.get("value", (0, "NaN"))[1])) for each in result]


def _shown(body: bytes) -> str:
    text = " ".join(body.decode("utf-8", "replace").split())
    return repr(text[:LONGEST]) if text else "nothing"
