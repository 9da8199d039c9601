"""Settings: option, environment, file, default, in this order; each remembers where it came from."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from saveit_remediate.errors import UsageError, did_you_mean

FILE_NAME = "saveit-remediate.toml"


@dataclass(frozen=True)
class Spec:
    """One row of the table of settings; the README's table is made from it."""

    name: str
    kind: str  # path, inventory (or a list of hosts with a comma), journal (or a URL), url, urls or seconds
    default: str
    help: str
    minimum: int = 0
    maximum: int = 0

    @property
    def variable(self) -> str:
        return f"SAVEIT_{self.name.upper()}"


SPECS = (
    Spec("inventory", "inventory", "none", "Ansible inventory: a file, a folder, or hosts with a comma."),
    Spec(
        "journal",
        "journal",
        "$XDG_STATE_HOME/saveit-remediate/journal.db",
        "The record of every incident: a SQLite file, or `postgresql://USER@HOST/DATABASE`.",
    ),
    Spec("playbooks", "path", "playbooks beside the file", "Folder of the site's own playbooks."),
    Spec(
        "policy",
        "path",
        "policy.yml beside the file",
        "What remedies need before they act, by risk and severity.",
    ),
    Spec(
        "key",
        "path",
        "$XDG_CONFIG_HOME/saveit-remediate/approve",
        "The private key with which `saveit-remediate approve` signs.",
    ),
    Spec(
        "postmortems", "path", "$XDG_STATE_HOME/saveit-remediate/postmortems", "Folder of the post-mortems."
    ),
    Spec(
        "templates",
        "path",
        "templates beside the file",
        "Folder of the site's own templates of post-mortems and reports.",
    ),
    Spec("prometheus", "url", "none", "Prometheus, for impact and charts: `https://HOST:9090`."),
    Spec(
        "probes",
        "urls",
        "none",
        "What the tool asks itself to see the impact: `backend=https://HOST/ready frontend=https://HOST/`.",
    ),
    Spec("timeout", "seconds", "600", "Longest time for one whole Ansible run.", minimum=1, maximum=86400),
)


@dataclass(frozen=True)
class Setting:
    """A value with its origin, for instance "from environment variable SAVEIT_INVENTORY"."""

    name: str
    value: Any
    origin: str

    def __str__(self) -> str:
        return f"{self.name} {without_password(str(self.value))!r} ({self.origin})"


@dataclass(frozen=True)
class Settings:
    """All settings. `folder` is where the file is, or None: `collections/` beside it is searched.

    `state` is our folder for what has to be kept, and may not exist yet.
    """

    values: Mapping[str, Setting] = field(default_factory=dict)
    folder: Path | None = None
    state: Path = Path()
    own_inventory: str | None = None  # the one that the file names

    def __getitem__(self, name: str) -> Setting:
        return self.values[name]

    @property
    def inventory(self) -> str:
        """The inventory, absolute unless it is a list of hosts. Raises UsageError when none is set."""
        value = self.values["inventory"].value
        if value is None:
            raise UsageError(
                "no inventory: say where the hosts are with -i/--inventory PATH, the environment variable "
                f'SAVEIT_INVENTORY, or a line inventory = "…" in {FILE_NAME}'
            )
        return str(value)

    @property
    def timeout(self) -> int:
        """Seconds."""
        return int(self.values["timeout"].value)

    @property
    def journal(self) -> str:
        """A path, or a URL in which a password may be: for a message there is `without_password`."""
        return str(self.values["journal"].value)

    @property
    def policy(self) -> Path | None:
        """The site's own; None when it has none."""
        value = self.values["policy"].value
        return None if value is None else Path(value)

    @property
    def playbooks(self) -> Path | None:
        value = self.values["playbooks"].value
        return None if value is None else Path(value)

    @property
    def postmortems(self) -> Path:
        return Path(self.values["postmortems"].value)

    @property
    def templates(self) -> Path | None:
        value = self.values["templates"].value
        return None if value is None else Path(value)

    @property
    def prometheus(self) -> str:
        """A URL, in which a password may be; empty when none is set."""
        return str(self._of_the_site("prometheus") or "")

    @property
    def probes(self) -> Mapping[str, str]:
        """By service the URL that answers when it is well."""
        return dict(pair.split("=", 1) for pair in str(self._of_the_site("probes") or "").split())

    def _of_the_site(self, name: str) -> Any:
        """Of the file only together with its inventory: another one is another site."""
        from_file = self.values[name].origin.startswith("from /")
        elsewhere = not self.values["inventory"].origin.startswith("from /")
        other = from_file and elsewhere and self.values["inventory"].value != self.own_inventory
        return None if other else self.values[name].value


def load_settings(options: Mapping[str, Any], environ: Mapping[str, str], cwd: Path) -> Settings:
    """Find every setting. Raises UsageError, with the origin, for a value that cannot be right.

    `options` has the values given on the command line, None for those that were not.
    """
    path = _find_file(environ, cwd)
    written, lines = _read_file(path) if path else ({}, {})
    values = {}
    for spec in SPECS:
        if options.get(spec.name) is not None:
            raw, origin, base = options[spec.name], f"from option --{spec.name}", cwd
        elif environ.get(spec.variable):
            raw, origin, base = environ[spec.variable], f"from environment variable {spec.variable}", cwd
        elif path and spec.name in written:
            raw, base = written[spec.name], path.parent
            origin = f"from {path}, line {lines.get(spec.name, 1)}"
        else:
            raw, origin, base = _default(spec.name, environ, path), "by default", cwd
        values[spec.name] = Setting(spec.name, _convert(spec, raw, origin, base), origin)
    own = None
    if path and "inventory" in written:
        own = _convert(SPECS[0], written["inventory"], f"from {path}", path.parent)
    return Settings(values, path.parent if path else None, _state(environ), own)


def without_password(where: str) -> str:
    """A URL as it may be shown: without a password, and without the options, among which one may be."""
    if "://" not in where:
        return where
    scheme, _, rest = where.partition("://")
    try:
        parts = urlsplit(f"//{rest}")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return f"{scheme}://…"
    if "@" in parts.path + parts.query + parts.fragment:  # of a password with signs that should be escaped
        return f"{scheme}://…"
    user = f"{parts.username}@" if parts.username else ""
    return f"{scheme}://{user}{parts.hostname or ''}{port}{parts.path}"


def _find_file(environ: Mapping[str, str], cwd: Path) -> Path | None:
    """The nearest file at or above `cwd`, else the person's own."""
    candidates = [folder / FILE_NAME for folder in (cwd, *cwd.parents)]
    candidates.append(_config(environ) / FILE_NAME)
    return next((path for path in candidates if path.is_file()), None)


def _read_file(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The keys and their line numbers."""
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read the settings in {path}: {error}") from error
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if match := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*=", line):
            lines.setdefault(match[1], number)
    known = [spec.name for spec in SPECS]
    for key in content:
        if key not in known:
            where = f"{path}, line {lines[key]}" if key in lines else str(path)
            raise UsageError(f"unknown setting {key!r} in {where}: {did_you_mean(key, known)}")
    return content, lines


def _default(name: str, environ: Mapping[str, str], path: Path | None) -> Any:
    if name == "timeout":
        return 600
    if name == "journal":
        return str(_state(environ) / "journal.db")
    if name == "postmortems":
        return str(_state(environ) / "postmortems")
    if name in ("playbooks", "templates") and path and (path.parent / name).is_dir():
        return str(path.parent / name)
    if name == "policy" and path and (path.parent / "policy.yml").is_file():
        return str(path.parent / "policy.yml")
    return str(_config(environ) / "approve") if name == "key" else None


def _config(environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("HOME", "~")).expanduser()
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "saveit-remediate"


def _state(environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("HOME", "~")).expanduser()
    return Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state") / "saveit-remediate"


def _convert(spec: Spec, raw: Any, origin: str, base: Path) -> Any:
    if raw is None:
        return None
    if spec.kind == "seconds":
        return _seconds(spec, raw, origin)
    if not isinstance(raw, str | os.PathLike) or not str(raw).strip() or "\0" in str(raw):
        raise UsageError(f"setting {spec.name} must be a path, not {raw!r} ({origin})")
    text = str(raw)
    if spec.kind == "url":
        if re.match(r"https?://[^/]", text):
            return text
        raise UsageError(
            f"setting {spec.name} must be a URL such as https://HOST:9090, not "
            f"{without_password(text)!r} ({origin})"
        )
    if spec.kind == "urls":
        if all(re.fullmatch(r"[\w.-]+=https?://[^/@\s][^@\s]*", word) for word in text.split()):
            return text
        raise UsageError(
            f"setting {spec.name} must be NAME=URL and again NAME=URL, such as backend=https://HOST/ready, "
            f"without a password ({origin})"
        )
    if spec.kind == "inventory" and "," in text and not (base / text).exists():
        return text
    if spec.kind == "journal" and "://" in text:
        if re.match(r"[^/]*://[^/]*@[^/]*@", text):  # who takes it apart finds the password elsewhere
            raise UsageError(
                f"setting journal: the password has an @ in it; write %40 for it in the URL ({origin})"
            )
        if re.match(r"postgres(ql)?://", text):
            return re.sub(r"^postgres://", "postgresql://", text)
        raise UsageError(
            f"setting journal must be a path, or postgresql://USER@HOST/DATABASE, not "
            f"{without_password(text)!r} ({origin})"
        )
    # Not resolved: a person should find the path in messages as it was written.
    return os.path.normpath(base / Path(text).expanduser())


def _seconds(spec: Spec, raw: Any, origin: str) -> int:
    wanted = f"a whole number of seconds from {spec.minimum} to {spec.maximum}"
    text = str(raw).strip()
    if isinstance(raw, bool) or not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise UsageError(f"setting {spec.name} must be {wanted}, not {raw!r} ({origin})")
    if not spec.minimum <= int(text) <= spec.maximum:
        raise UsageError(f"setting {spec.name} must be {wanted}, not {text} ({origin})")
    return int(text)
