"""Convert a value to the type that an argument spec declares, as Ansible would."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from saveit_remediate.catalog.schema import Parameter
from saveit_remediate.errors import UsageError

_TRUE = {"y", "yes", "on", "1", "true", "t", "1.0"}
_FALSE = {"n", "no", "off", "0", "false", "f", "0.0"}


def convert(parameter: Parameter, value: Any) -> Any:
    """The value, converted. Raises UsageError with name, value, type and choices.

    A value with a template in it is Ansible's to evaluate, and to validate; None means "not given".
    """
    if value is None or (isinstance(value, str) and "{{" in value):
        return value
    shown = "(a secret)" if parameter.secret else repr(value)
    try:
        converted = _CONVERTERS.get(parameter.type, _any)(value)
        if parameter.type == "list" and parameter.elements in _CONVERTERS:
            converted = [_CONVERTERS[parameter.elements](item) for item in converted]
    except (ValueError, TypeError, OverflowError) as error:
        of = f" of {parameter.elements}" if parameter.elements else ""
        raise UsageError(
            f"extra variable {parameter.name} must be of type {parameter.type}{of}, not {shown}"
        ) from error
    values = converted if isinstance(converted, list) else [converted]
    if parameter.choices and any(item not in parameter.choices for item in values):
        choices = ", ".join(str(choice) for choice in parameter.choices)
        raise UsageError(f"extra variable {parameter.name} must be one of {choices}, not {shown}")
    return converted


def _bool(value: Any) -> bool:
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(word)


def _int(value: Any) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    if isinstance(value, bool | list | dict):
        raise TypeError(value)
    return int(value)


def _float(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError(value)
    number = float(value)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(value)
    return number


def _str(value: Any) -> str:
    if isinstance(value, dict | list):
        raise TypeError(value)
    return str(value)


def _list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        return [item.strip() for item in value.split(",")]
    if isinstance(value, int | float):
        return [str(value)]
    raise TypeError(value)


def _dict(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    if not isinstance(value, str):
        raise TypeError(value)
    if value.startswith("{"):
        return dict(json.loads(value))
    pairs = [pair.partition("=") for pair in re.split(r"[,\s]+", value.strip())]
    if not all(name and equals for name, equals, _ in pairs):
        raise ValueError(value)
    return {name: item for name, _, item in pairs}


def _any(value: Any) -> Any:
    return value


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "str": _str, "path": _str, "bool": _bool, "int": _int, "float": _float, "list": _list, "dict": _dict,
}  # fmt: skip
