"""Look at the inventory before Ansible does: its mistakes get a sentence, and no run."""

from __future__ import annotations

from pathlib import Path

import yaml

from saveit_remediate.errors import UsageError

# What Ansible passes over in an inventory folder.
_IGNORED = (".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry")
_NOT_SOURCES = ("group_vars", "host_vars")
_DEEP_ENOUGH = 1_000_000  # bytes: larger files are left to Ansible


def check_inventory(inventory: str, origin: str) -> None:
    """Raises UsageError when it is missing, an empty folder, an empty file, or not YAML."""
    path = Path(inventory)
    if "," in inventory and not path.exists():
        if not any(name.strip() for name in inventory.split(",")):
            raise UsageError(f"the inventory {inventory!r} ({origin}) names no host")
        return
    try:
        if not path.exists():
            raise UsageError(
                f"cannot find the inventory {inventory} ({origin}): there is no such file or folder"
            )
        sources = _sources(path) if path.is_dir() else [path]
        if not sources:
            raise UsageError(f"the inventory {inventory} ({origin}) is a folder with no inventory file in it")
        for source in sources:
            _check_file(source, origin)
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"cannot read the inventory {inventory} ({origin}): {reason}") from error


def _sources(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".")
        and not path.name.endswith(_IGNORED)
        and path.name not in _NOT_SOURCES
    ]


def _check_file(path: Path, origin: str) -> None:
    if path.is_dir():
        return
    size = path.stat().st_size
    if size == 0:
        raise UsageError(f"the inventory {path} ({origin}) is an empty file")
    if path.suffix not in (".yml", ".yaml", ".json") or size > _DEEP_ENOUGH:
        return
    try:
        # Composed, not constructed: tags such as !vault stay what they are.
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise UsageError(f"the inventory {path} ({origin}) is not text in UTF-8: {error.reason}") from error
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise UsageError(f"the inventory {path} ({origin}) is not YAML: {line}{problem}") from error
    if node is None:
        raise UsageError(f"the inventory {path} ({origin}) has nothing in it")
    if not isinstance(node, yaml.MappingNode):
        raise UsageError(
            f"the inventory {path} ({origin}) must be a mapping of groups, beginning like 'all:' and 'hosts:'"
        )
