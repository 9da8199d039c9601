"""Small checks of YAML data that answer with a sentence: which file, which key, what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from saveit_remediate.errors import UsageError, did_you_mean


def load_yaml(path: Path) -> Any:
    """The content of one file. Raises UsageError with file and line."""
    try:
        text = path.read_text(encoding="utf-8")
        return yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not YAML: {yaml_problem(error)}") from error
    except (RecursionError, ValueError) as error:  # nested thousands deep, or a date such as 2026-99-99
        raise UsageError(f"{path} cannot be read as YAML: {error}") from error


def yaml_problem(error: yaml.YAMLError) -> str:
    """Line and problem, in one line."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else str(problem)


class Node:
    """A value in a file, with the path to it, so that every complaint can name both."""

    def __init__(self, value: Any, path: Path, where: str = "") -> None:
        self.value, self.path, self.where = value, path, where

    def error(self, sentence: str) -> UsageError:
        place = f"{self.path}: {self.where}" if self.where else str(self.path)
        return UsageError(f"{place} {sentence}")

    def mapping(self, required: Iterable[str], optional: Iterable[str] = ()) -> None:
        """Must be a mapping with these keys and no others."""
        required = tuple(required)
        if not isinstance(self.value, Mapping):
            raise self.error(f"must be a mapping, not {kind(self.value)}")
        known = (*required, *optional)
        for key in self.value:
            if key not in known:
                raise self.error(f"has the unknown key {key!r}; {did_you_mean(str(key), known)}")
        for key in required:
            if key not in self.value:
                raise self.error(f"lacks the key {key!r}")

    def has(self, key: str) -> bool:
        return key in self.value

    def child(self, key: str) -> Node:
        return Node(self.value[key], self.path, f"{self.where}.{key}" if self.where else key)

    def items(self, key: str) -> list[Node]:
        """The items of a list under `key`; empty when the key is absent."""
        if key not in self.value:
            return []
        child = self.child(key)
        if not isinstance(child.value, list):
            raise child.error(f"must be a list, not {kind(child.value)}")
        return [Node(item, self.path, f"{child.where}[{n}]") for n, item in enumerate(child.value)]

    def text(self, key: str) -> str:
        child = self.child(key)
        if not isinstance(child.value, str) or not child.value.strip():
            raise child.error(f"must be a text, not {kind(child.value)}")
        return child.value.strip()

    def texts(self, key: str) -> tuple[str, ...]:
        items = self.items(key)
        for item in items:
            if not isinstance(item.value, str) or not item.value.strip():
                raise item.error(f"must be a text, not {kind(item.value)}")
        return tuple(item.value for item in items)

    def number(self, key: str, minimum: float) -> float:
        child = self.child(key)
        if isinstance(child.value, bool) or not isinstance(child.value, int | float):
            raise child.error(f"must be a number, not {kind(child.value)}")
        if not minimum <= child.value <= 86400:
            raise child.error(f"must be from {minimum:g} to 86400, not {child.value}")
        return float(child.value)

    def flag(self, key: str) -> bool:
        child = self.child(key)
        if not isinstance(child.value, bool):
            raise child.error(f"must be true or false, not {kind(child.value)}")
        return child.value

    def one_of(self, key: str, choices: Iterable[str]) -> str:
        child = self.child(key)
        choices = tuple(choices)
        if child.value not in choices:
            raise child.error(f"must be one of {', '.join(choices)}, not {child.value!r}")
        return str(child.value)


def kind(value: Any) -> str:
    """A word for what was found instead."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return repr(value)
