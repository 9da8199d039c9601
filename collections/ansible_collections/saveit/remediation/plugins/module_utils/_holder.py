# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is at work, where nobody said it: the user of this process, on this machine."""

from __future__ import annotations

import getpass
import socket


def holder_of(given: str) -> str:
    """`given`, or USER@HOST; who runs Ansible by hand is known by the environment."""
    if given:
        return given
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no entry for this user id, as in some containers
        user = "somebody"
    return f"{user}@{socket.gethostname()}"
