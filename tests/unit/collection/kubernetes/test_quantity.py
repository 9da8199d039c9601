"""Quantities of Kubernetes, as they stand in objects and metrics."""

from __future__ import annotations

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._quantity import amount, quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("2", 2),
        (2, 2),
        ("100m", 0.1),
        ("0.5", 0.5),
        ("995337n", 0.000995337),
        ("12u", 0.000012),
        ("684Ki", 684 * 1024),
        ("1Gi", 1 << 30),
        ("64M", 64e6),
        ("1e3", 1000),
        ("1E", 1e18),
        ("2E3", 2000),
        (".5", 0.5),
    ],
)
def test_a_quantity_is_a_number(text: object, value: float) -> None:
    assert quantity(text) == pytest.approx(value)


@pytest.mark.parametrize("text", [None, "", "Mi", "1 Gi", "1GiB", "1K", "one", {}])
def test_what_is_none_is_no_zero(text: object) -> None:
    assert quantity(text) is None


def test_amounts_have_the_units_of_people() -> None:
    said = [amount("requests.memory", 1 << 30), amount("cpu", 0.02), amount("count/pods", 4)]
    assert said == ["1024 MiB", "0.02 cores", "4 pods"]
