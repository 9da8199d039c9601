# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection of an action plugin: what it was told, and how long it may take."""

from __future__ import annotations

import base64
import contextlib
import signal
from pathlib import Path
from types import FrameType
from typing import Any, Iterator, Mapping

from ansible_collections.saveit.remediation.plugins.plugin_utils._unreachable import Option, Way

_NAMES = {
    "host": "host", "port": "port", "user": "remote_user", "key": "private_key_file", "timeout": "timeout",
}  # fmt: skip
_OPENSSH = "-----BEGIN OPENSSH PRIVATE KEY-----"


class SilentError(Exception):
    """Time is up."""


def way_of(connection: Any, task_vars: Mapping[str, Any]) -> Way:
    """The options of a connection plugin, with the file and line where a variable was said."""
    options = {}
    for name, theirs in _NAMES.items():
        with contextlib.suppress(KeyError):
            value, origin = connection.get_option_and_origin(theirs)
            options[name] = Option("" if value is None else str(value), _origin(str(origin), task_vars))
    key = options.get("key", Option()).value
    return Way(options, key_is_locked=bool(key) and _is_locked(Path(key).expanduser()))


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise SilentError inside when it takes longer. Nothing is done in a task with a `timeout`."""
    if signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise SilentError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)  # again, as the connection may try again
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _origin(origin: str, task_vars: Mapping[str, Any]) -> str:
    kind, _colon, name = origin.partition(": ")
    if kind == "keyword" and f"ansible_{name}" in task_vars:  # the variable becomes the play's keyword
        kind, name = "var", f"ansible_{name}"
    if kind != "var":
        return "" if kind in ("default", "keyword") else origin
    place = _place(task_vars.get(name))
    return f"{name}, {place}" if place else name


def _place(value: Any) -> str:
    """The file and line that a variable's value comes from. Ansible has it for its own error messages."""
    with contextlib.suppress(ImportError, AttributeError):
        from ansible._internal._datatag._tags import Origin

        origin = Origin.get_tag(value)
        if origin and origin.path:
            return f"{origin.path}:{origin.line_num}" if origin.line_num else str(origin.path)
    return ""


def _is_locked(key: Path) -> bool:
    """Whether a private key wants a passphrase: the name of its cipher, or a header, says so."""
    try:
        text = key.read_text(encoding="ascii")
        if not text.startswith(_OPENSSH):
            return "ENCRYPTED" in text
        body = base64.b64decode("".join(text.splitlines()[1:-1]))
    except (OSError, ValueError):
        return False
    start = len(b"openssh-key-v1\0") + 4
    return body[start : start + 4] != b"none"
