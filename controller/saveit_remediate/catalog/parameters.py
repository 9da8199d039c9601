"""Read `meta/argument_specs.yml`: the parameters of a role, as Ansible validates them."""

from __future__ import annotations

from pathlib import Path

from saveit_remediate.catalog.checks import Node, load_yaml
from saveit_remediate.catalog.schema import Parameter

TYPES = (
    "str", "bool", "int", "float", "list", "dict", "path", "raw", "json", "jsonarg", "bytes", "bits",
)  # fmt: skip


def read_parameters(path: Path) -> dict[str, Parameter]:
    """The options of the entry point `main`; none when the role has no argument spec.

    Raises UsageError with file and key. Keys that only Ansible reads are left to Ansible.
    """
    if not path.is_file():
        return {}
    node = Node(load_yaml(path), path)
    for key in ("argument_specs", "main", "options"):
        if not isinstance(node.value, dict):
            raise node.error("must be a mapping")
        if key not in node.value:
            return {}
        node = node.child(key)
    if node.value is None:
        return {}
    if not isinstance(node.value, dict):
        raise node.error("must be a mapping of names to options")
    return {str(name): _parameter(str(name), node.child(name)) for name in node.value}


def _parameter(name: str, node: Node) -> Parameter:
    option = node.value
    if not isinstance(option, dict):
        raise node.error("must be a mapping")
    type_ = node.one_of("type", TYPES) if "type" in option else "str"
    description = option.get("description", "")
    if isinstance(description, list):
        description = " ".join(str(line) for line in description)
    choices = option.get("choices") or ()
    if not isinstance(choices, list | tuple):
        raise node.child("choices").error("must be a list")
    return Parameter(
        name=name,
        type=type_,
        description=str(description).strip(),
        default=option.get("default"),
        choices=tuple(choices),
        required=option.get("required") is True,
        secret=option.get("no_log") is True,
        elements=str(option.get("elements") or ""),
    )
