"""Extra variables: read them as Ansible does, and refuse the misspelt ones, which Ansible would ignore."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from saveit_remediate.catalog.checks import kind, load_yaml, yaml_problem
from saveit_remediate.catalog.convert import convert
from saveit_remediate.catalog.find import SHARED_ROLE
from saveit_remediate.catalog.schema import Parameter
from saveit_remediate.errors import UsageError, did_you_mean
from saveit_remediate.redact import is_secret

# Of the ladder's own variables, a person may set these; the controller sets the others.
FOR_PEOPLE = (
    "ladder_hold_seconds", "ladder_max_risk", "ladder_max_unhealthy_percent", "ladder_serial",
)  # fmt: skip


def parse_extra_vars(arguments: Iterable[str], cwd: Path) -> dict[str, Any]:
    """`k=v` (several, quoted like in a shell), `@file.yml`, or inline JSON/YAML; later ones win.

    Raises UsageError with the argument as it was given, and for a secret that is not in a file: everybody on
    this machine sees the command line.
    """
    found: dict[str, Any] = {}
    for argument in arguments:
        text = argument.strip()
        if text.startswith("@"):
            content = load_yaml(cwd / Path(text[1:]).expanduser())
            found |= _mapping(content, f"extra variables file {text[1:]}")
        elif text.startswith(("{", "[")):
            try:
                content = yaml.safe_load(text)
            except yaml.YAMLError as error:
                raise UsageError(f"cannot read -e {argument!r} as YAML: {yaml_problem(error)}") from error
            found |= _not_secret(_mapping(content, f"-e {argument!r}"))
        else:
            found |= _not_secret(_pairs(argument))
    return found


def _not_secret(typed: dict[str, Any]) -> dict[str, Any]:
    """What was typed. A template is no secret: it says where the secret is."""
    for name, value in typed.items():
        if is_secret(name) and value and "{{" not in str(value):
            raise UsageError(
                f"{name} is a secret, and everybody on this machine sees the command line; put it in the "
                "inventory, best in Ansible Vault, or in a file (-e @FILE), or say which variable has it: "
                f'-e \'{name}={{{{ lookup("env", "NAME") }}}}\''
            )
    return typed


def _mapping(content: Any, source: str) -> dict[str, Any]:
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise UsageError(f"{source} must be a mapping of names to values, not {kind(content)}")
    return {str(name): value for name, value in content.items()}


def _pairs(argument: str) -> dict[str, Any]:
    try:
        words = shlex.split(argument)
    except ValueError as error:
        raise UsageError(f"cannot read -e {argument!r}: {error}") from error
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError(
                f"cannot read -e {argument!r}: {word!r} is not NAME=VALUE, @FILE or a JSON object"
            )
        pairs[name] = value
    return pairs


def check_extra_vars(
    parameters: Mapping[str, Parameter],
    variables: Mapping[str, Any],
    about: str = "",
    reserved: Collection[str] = (),
) -> dict[str, Any]:
    """The variables with their values converted to the types that `parameters` declares.

    `about` says in messages what they are for; `reserved` are those that the command itself sets. Raises
    UsageError. Names that start with `ansible_` are Ansible's own (user, port, become …) and pass unchecked.
    """
    allowed = {name: one for name, one in parameters.items() if not _is_ours(name, reserved)}
    checked = {}
    for name, value in variables.items():
        if name.startswith("ansible_"):
            checked[name] = value
        elif name in allowed:
            checked[name] = convert(allowed[name], value)
        elif _is_ours(name, reserved):
            instead = "" if name in reserved else f"; of these you may set {', '.join(FOR_PEOPLE)}"
            raise UsageError(f"extra variable {name!r} is set by saveit-remediate itself{instead}")
        else:
            of = f" for {about}" if about else ""
            raise UsageError(f"unknown extra variable {name!r}{of}: {did_you_mean(name, allowed)}")
    return checked


def _is_ours(name: str, reserved: Collection[str]) -> bool:
    return name in reserved or (name.startswith(f"{SHARED_ROLE}_") and name not in FOR_PEOPLE)
