# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The credential plugin of a kubeconfig's user (`exec`): a command that asks a cloud for a token.

The official client runs it. Here it gets a time limit, its failure gets a sentence, and its token serves all
tasks of a run, each of which is a process of its own and would pay a second or two for another one, see
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
from pathlib import Path
from typing import Any, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_kubeconfig import Kubeconfig

SECONDS = 20.0  # for one run of a plugin
_SKEW = 60.0  # seconds before its end from which on a token is not used any more


class Plugin:
    """That of a user; `command` is empty when it has none. `shared` is the private folder of this run."""

    def __init__(self, kubeconfig: Kubeconfig, user: str, shared: str | None) -> None:
        self._user: Any = kubeconfig.entry("users", user)
        said: Any = self._user.get("exec")
        known = isinstance(said, dict) and said.get("command")
        self.command: Sequence[str] = (
            [str(said["command"]), *map(str, said.get("args") or ())] if known else []
        )
        told = json.dumps([kubeconfig.path, user, said], default=str)
        name = f"kubernetes-token-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
        self._file = Path(shared) / name if shared and known else None

    def prepare(self, now: float) -> None:
        """Give the client the token that another task has got, or else timeout(1) around the plugin."""
        token = self._known(now)
        if token:
            del self._user["exec"]
            self._user["token"] = token
        elif self.command and shutil.which("timeout"):
            said = self._user["exec"]
            said["command"], said["args"] = "timeout", ["-k", "1", f"{SECONDS:g}", *self.command]

    def keep(self, token: str, expiry: Any) -> None:
        """Keep a new token for the other tasks; `expiry` is a datetime, or None when nobody said it."""
        if not self._file or not token or "exec" not in self._user:
            return
        part = self._file.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({"token": token, "ends": expiry.timestamp() if expiry else None}, file)
        part.replace(self._file)

    def failed(self, words: str, heard: Sequence[str]) -> str:
        """The sentence for a plugin that gave nothing, from what the client logged."""
        said = " ".join(" ".join(heard).split())
        if "returned 124" in said or "returned 137" in said:
            why = f"it did not end within {SECONDS:g} s; does it wait for somebody to log in?"
        elif "returned 127" in said or "No such file or directory" in said:
            why = f"there is no command {self.command[0]} here; install it, or give its whole path"
        else:
            why = said or "it gave neither a token nor a certificate"
        return f"cannot log in as {words}: its credential plugin `{shlex.join(self.command)}` failed: {why}"

    def _known(self, now: float) -> str:
        try:
            kept = json.loads(self._file.read_text("utf-8")) if self._file else {}
        except (OSError, ValueError):
            return ""
        ends = kept.get("ends")
        return "" if ends is not None and ends - _SKEW < now else str(kept.get("token") or "")
